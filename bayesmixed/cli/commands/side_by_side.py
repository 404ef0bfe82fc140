"""``bayesmixed side-by-side``: the parameters of saved fits in one table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ..command import Given, command_of, json_option
from ..formats import format_option, print_page
from ..saved import fit_argument, fit_of

if TYPE_CHECKING:
    from ...fits.side_by_side import SideBySide


def _run(given: Given) -> None:
    from ...fits.side_by_side import side_by_side

    fits = [fit_of(name) for name in given["fits"]]
    table = side_by_side(*fits, labels=list(given["labels"]) or None, level=given["level"])
    if not given["as_json"]:
        print_page(table, given)
        return
    from ..plain import print_json

    print_json(_content(table))


def _content(table: SideBySide) -> dict[str, Any]:
    """Keys: fits (labels), rows (by label), parameters (name, and by label the columns of the table), lines."""
    labels = [str(label) for label in table.columns.get_level_values(0).unique()]
    parameters = [
        {"name": name} | {label: {column: row[label, column] for column in table[label].columns} for label in labels}
        for name, row in table.iterrows()
    ]
    return {"fits": labels, "rows": table.attrs["rows"], "parameters": parameters, "lines": table.attrs["lines"]}


command = command_of(
    "side-by-side",
    _run,
    [
        fit_argument(several=True),
        click.Option(["--label", "labels"], multiple=True, metavar="NAME", help="A name for each fit, in their order."),
        click.Option(["--level"], type=float, help="Print intervals of this coverage, such as 0.95, for errors."),
        format_option(),
        json_option(),
    ],
    says="Print saved fits in one table.",
    examples=["bayesmixed side-by-side fit-reml.nc fit-nuts.nc --format latex"],
)
