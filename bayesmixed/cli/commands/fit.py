"""``bayesmixed fit``: fit a model by one method or several, print, save and report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..command import Given, command_of, json_option
from ..ending import note
from ..methods import engines_of, method_options
from ..model import model_of, model_parameters
from ..outputs import one_each, target

if TYPE_CHECKING:
    from ...checks.diagnosis.diagnose import Diagnosis
    from ...engines import Engine
    from ...fits.base import Fit
    from ...model import Model

_SAYS = """Fit a model, by one method or several.

Each summary is printed; several are also printed side by side.

Text columns are factors, and so is whatever follows a bar; a predictor whose numbers are labels takes --factor."""


def _run(given: Given) -> None:
    engines = engines_of(given)
    saves, reports = (
        _files(given["save"], "--save", [".nc"], engines),
        _files(given["report"], "--report", [".html", ".htm"], engines),
    )
    model = model_of(given)
    fits: list[Fit] = []
    for name, fit in _fits(model, engines, given):
        if name in saves:
            note(f"Wrote {fit.save(saves[name])}")
        if name in reports:
            note(f"Wrote {fit.to_html(reports[name])}")
        if not given["as_json"]:
            click.echo("\n" * bool(fits), nl=False)
            _print(fit, given)
        fits.append(fit)
    if given["as_json"]:
        _print_json(model, fits, given)
    elif len(fits) > 1:
        from ...fits.side_by_side import side_by_side

        click.echo(f"\n{side_by_side(*fits)}")


def _files(name: str | None, option: str, ends: list[str], engines: Mapping[str, Engine]) -> dict[str, Path]:
    return {} if name is None else one_each(target(name, option, ends), list(engines))


def _fits(model: Model, engines: Mapping[str, Engine], given: Given) -> Iterator[tuple[str, Fit]]:
    for name, engine in engines.items():
        fit = model.fit(engine, seed=given["seed"], progress=given["progress"])
        drawn = getattr(fit, "seed", None)
        if given["seed"] is None and drawn is not None:
            note(f"Note: {fit.label} drew its seed; --seed {drawn} gives the same draws again.")
        yield name, fit


def _print(fit: Fit, given: Given) -> None:
    click.echo(str(fit.summary()))
    if given["diagnose"]:
        click.echo(f"\n{_diagnosis(fit, given)}")


def _print_json(model: Model, fits: list[Fit], given: Given) -> None:
    from ..content import of_diagnosis, of_fit, of_model
    from ..plain import print_json

    found = [of_fit(fit) for fit in fits]
    if given["diagnose"]:
        found = [
            one | {"diagnosis": of_diagnosis(_diagnosis(fit, given))} for one, fit in zip(found, fits, strict=True)
        ]
    print_json(of_model(model) | {"fits": found})


def _diagnosis(fit: Fit, given: Given) -> Diagnosis:
    from ...checks.diagnosis.diagnose import diagnose

    return diagnose(fit, progress=given["progress"])


command = command_of(
    "fit",
    _run,
    [
        *method_options(),
        click.Option(
            ["--save"],
            metavar="FIT.nc",
            type=click.Path(),
            help="Keep the fit, for the other commands and for bm.load.",
        ),
        click.Option(
            ["--report"],
            metavar="PAGE.html",
            type=click.Path(),
            help="Write one page with report, tables and pictures.",
        ),
        click.Option(["--diagnose"], is_flag=True, help="Say what is wrong with each fit and what to do about it."),
        json_option(),
        *model_parameters(),
    ],
    says=_SAYS,
    examples=[
        'bayesmixed fit "Reaction ~ Days + (Days | Subject)" sleepstudy --method reml --method nuts --seed 1',
        'bayesmixed fit "prop(incidence, size) ~ period + (1 | herd)" cbpp --family binomial --method ml --save fit.nc',
    ],
)
