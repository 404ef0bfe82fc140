"""``bayesmixed diagnose``: what is wrong with a saved fit, and what to do about it."""

from __future__ import annotations

import click

from ..command import Given, command_of, json_option
from ..saved import fit_argument, fit_of


def _run(given: Given) -> None:
    fit = fit_of(given["fit"])
    from ...checks.diagnosis.diagnose import diagnose

    found = diagnose(fit, refit=given["refit"], progress=given["progress"])
    if not given["as_json"]:
        click.echo(str(found))
        return
    from ..content import of_diagnosis, of_model
    from ..plain import print_json

    print_json(of_model(fit.model) | {"method": fit.engine.name, "label": fit.label} | of_diagnosis(found))


command = command_of(
    "diagnose",
    _run,
    [
        fit_argument(),
        click.Option(["--refit/--no-refit"], default=True, help="Fit simpler formulas where that helps; takes longer."),
        click.Option(["--progress/--no-progress"], default=None, help="Show how far it is; in a terminal by default."),
        json_option(),
    ],
    says="Say what is wrong with a saved fit.\n\nIn words: what it means, and what to do.",
    examples=["bayesmixed diagnose fit.nc"],
)
