"""``bayesmixed summary``: what saved fits say, several side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..command import Given, command_of, json_option
from ..formats import format_option, print_page
from ..saved import fit_argument, fit_of

if TYPE_CHECKING:
    from ...fits.base import Fit


def _run(given: Given) -> None:
    fits = [fit_of(name) for name in given["fits"]]
    if given["as_json"]:
        _print_json(fits)
        return
    for fit in fits:
        print_page(fit.summary(ddf=given["ddf"]), given)
        click.echo("\n" * (len(fits) > 1), nl=False)
    if len(fits) > 1:
        from ...fits.side_by_side import side_by_side

        print_page(side_by_side(*fits), given)


def _print_json(fits: list[Fit]) -> None:
    from ..content import of_fit, of_model
    from ..plain import print_json

    print_json({"fits": [of_model(fit.model) | of_fit(fit) for fit in fits]})


command = command_of(
    "summary",
    _run,
    [
        fit_argument(several=True),
        click.Option(["--ddf"], metavar="METHOD", help="Test coefficients: satterthwaite, kenward-roger, ..."),
        format_option(),
        json_option(),
    ],
    says="Print saved fits, several also side by side.",
    examples=["bayesmixed summary fit.nc --ddf satterthwaite", "bayesmixed summary fit-reml.nc fit-nuts.nc --json"],
)
