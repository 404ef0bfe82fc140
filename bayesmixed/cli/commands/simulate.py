"""``bayesmixed simulate``: responses from stated parameters, or from a saved fit, as a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import DataError
from ..command import Given, command_of, json_option, pair
from ..ending import note
from ..model import family_arguments, family_options, formula_of
from ..outputs import target
from ..saved import fit_of
from ..table.source import table_argument, table_of, table_options
from ..table.writing import ENDS, write

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

PLAIN = "simulated"  # the column of a response that is not one column

_SAYS = """Simulate responses.

From a FORMULA and a TABLE of predictors, with every parameter stated by --set (where
one is missing, the message lists them all); or from a saved FIT.

The answer is the table with the new response in its column (in "simulated" where the formula's left side is no column),
and with several replicates their number in "replicate"."""
_OF_FORMULAS = ("set", "params", "family", "link", "weights", "offset", "contrasts", "others", "factor")


def _run(given: Given) -> None:
    path = None if given["out"] is None else target(given["out"], "--out", ENDS)
    name, table, drawn = _stated(given) if given["table"] is not None else _from_fit(given)
    if given["as_json"]:
        from ..plain import print_json

        print_json({"response": name, "seed": given["seed"], "rows": len(table), "values": drawn})
        return
    write(_tidy(table, name, drawn), path)
    if path is not None:
        note(f"Wrote {path}")


def _stated(given: Given) -> tuple[str, pd.DataFrame, np.ndarray]:
    from ...prediction.from_nothing import simulate

    table, formula = table_of(given), formula_of(given)
    options = {name: given[name] for name in ("trials", "n", "seed") if given[name] is not None}
    found = simulate(formula, table, _parameters(given), **family_arguments(given, table), **options)
    return _column(formula.response), table, found


def _from_fit(given: Given) -> tuple[str, pd.DataFrame, np.ndarray]:
    if "~" in given["formula"]:
        raise click.UsageError(
            "After a formula comes a table of predictors: simulate FORMULA TABLE --set NAME=VALUE ..."
        )
    refused = next((name for name in _OF_FORMULAS if given[name]), None)
    if refused is not None:
        raise click.UsageError(f"--{refused.replace('others', 'and')} goes with a formula; a saved fit has its own.")
    fit = fit_of(given["formula"])
    found = fit.simulate(given["n"], re=given["re"] or "new", trials=given["trials"], seed=given["seed"])
    return _column(fit.model.formula.response), fit.model.frame, found


def _parameters(given: Given) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if given["params"] is not None:
        found |= _file(Path(given["params"]))
    return found | {
        name: _value(value, name) for name, value in (pair(text, "--set", "Days=10") for text in given["set"])
    }


def _file(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"There is no file {str(path)!r}.", topic="path") from None
    except (OSError, ValueError) as wrong:
        raise DataError(f"{str(path)!r} cannot be read as JSON: {wrong}.", topic="stated-parameters") from None
    if not isinstance(found, dict):
        raise DataError(
            f'{str(path)!r} must hold one object of names and numbers: {{"Intercept": 250, "sigma": 25}}.',
            topic="stated-parameters",
        )
    return found


def _value(text: str, name: str) -> Any:
    """A number, several parted by commas, or a matrix as JSON has it."""
    try:
        return json.loads(text if text.startswith("[") or "," not in text else f"[{text}]")
    except ValueError:
        raise click.UsageError(f"--set {name}={text}: {text!r} is no number, nor numbers parted by commas.") from None


def _column(response: str | None) -> str:
    return response if response is not None and response.isidentifier() else PLAIN


def _tidy(table: pd.DataFrame, name: str, drawn: np.ndarray) -> pd.DataFrame:
    """The table once per replicate, with the response of each."""
    import pandas as pd

    if len(drawn) == 1:
        return table.assign(**{name: drawn[0]})
    return pd.concat([table.assign(**{name: y, "replicate": i}) for i, y in enumerate(drawn, 1)], ignore_index=True)


command = command_of(
    "simulate",
    _run,
    [
        click.Argument(["formula"], metavar="FORMULA|FIT"),
        table_argument(required=False),
        click.Option(
            ["--set"],
            multiple=True,
            metavar="NAME=VALUE",
            help='A parameter by its name in draws: Intercept, "1|Subject_sigma", Subject_corr, sigma. Repeatable.',
        ),
        click.Option(["--params"], metavar="FILE.json", type=click.Path(), help="Parameters by name in a JSON file."),
        click.Option(["--replicates", "-n", "n"], type=int, default=1, help="How many replicates; 1 by default."),
        click.Option(["--seed"], type=click.IntRange(0), help="Same seed, same responses."),
        click.Option(["--trials"], metavar="COLUMN", help="Out of how many, of successes."),
        click.Option(
            ["--re"],
            type=click.Choice(["new", "all", "none"]),
            help="Random effects of a saved fit: drawn anew (default), as estimated, or none.",
        ),
        click.Option(
            ["--out"],
            metavar="FILE",
            type=click.Path(),
            help="Write .csv, .tsv or .parquet; standard output by default.",
        ),
        *family_options(),
        *table_options(),
        json_option(),
    ],
    says=_SAYS,
    examples=[
        'bayesmixed simulate "Reaction ~ Days + (1 | Subject)" sleepstudy --set Intercept=250 --set Days=10 '
        '--set "1|Subject_sigma=30" --set sigma=25 --seed 1 --out new.csv',
        "bayesmixed simulate fit.nc -n 100 --seed 1 --out replicates.csv",
    ],
)
