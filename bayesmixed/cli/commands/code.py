"""``bayesmixed code``: the model as a NumPyro script that needs nothing of this package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..command import Given, command_of, json_option
from ..ending import note
from ..model import model_of, model_parameters
from ..outputs import target
from ..saved import fit_of

if TYPE_CHECKING:
    from ...model import Model


def _run(given: Given) -> None:
    path = None if given["out"] is None else target(given["out"], "--out", [".py"])
    model = _model(given)
    script = model.code(path, collapsed=given["collapsed"])
    if given["as_json"]:
        from ..content import of_model
        from ..plain import print_json

        print_json(of_model(model) | {"code": str(script)})
    elif path is None:
        click.echo(str(script), nl=not script.endswith("\n"))
        note("Note: --out SCRIPT.py writes the script with its arrays beside it.")
    if path is not None:
        _tell(path)


def _model(given: Given) -> Model:
    """That of a formula and a table, or of a saved fit."""
    if given["table"] is not None:
        return model_of(given)
    if "~" in given["formula"]:
        raise click.UsageError("After a formula comes a table: code FORMULA TABLE.")
    return fit_of(given["formula"]).model


def _tell(path: Path) -> None:
    arrays = path.with_suffix(".npz")
    note(f"Wrote {path}" + (f" and {arrays}" if arrays.is_file() else ""))


command = command_of(
    "code",
    _run,
    [
        *model_parameters(table_required=False),
        click.Option(["--collapsed"], is_flag=True, help="Integrate the effects out, exactly; linear models only."),
        click.Option(
            ["--out"],
            metavar="SCRIPT.py",
            type=click.Path(),
            help="Write the script, and its arrays beside it; printed by default.",
        ),
        json_option(),
    ],
    says="Write a model as a NumPyro script.\n\nThe script needs nothing of this package.",
    examples=[
        'bayesmixed code "Reaction ~ Days + (Days | Subject)" sleepstudy --out sleep.py',
        "bayesmixed code fit.nc --collapsed",
    ],
)
