"""Which columns of a table a formula uses, and for what."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ..errors import DataError
from ..formula.formula import Formula
from ..formula.syntax import Node, deparse, names
from ..formula.variables import columns_in
from .expressions.evaluate import CONSTANTS
from .expressions.unknown import unknown_column

Role = tuple[str, Node]


def roles(formula: Formula, *, response: bool, factors: Collection[str] | None = None) -> Iterator[Role]:
    """Every expression of the formula with what it is for: a term, a bar, an offset, the response.

    `factors` are the grouping factors that matter, all of them if None.
    """
    if response and formula.response_node is not None:
        yield "the response", formula.response_node
    for side in formula.predictors.values():
        yield from ((f"term `{term.name}`", atom) for term in side.terms for atom in term.atoms)
        yield from ((f"`offset({deparse(node)})`", node) for node in side.offsets)
        for bar in side.bars:
            if factors is not None and bar.group not in factors:
                continue
            yield from ((f"`{bar.text}`", atom) for term in bar.terms for atom in term.atoms)
            yield from ((f"`{bar.text}`", atom) for atom in bar.factor)


def used_columns(roles: Iterator[Role], columns: Collection[Any], namespace: Mapping[str, Any], what: str) -> list[str]:
    """The columns that the expressions read, in order of appearance.

    Raises
    ------
    DataError
        A name that is no column, with what needs it and the nearest columns; `what` names the table.
    """
    known, used = set(columns), {}
    for purpose, node in roles:
        for name in columns_in(node):
            if name not in known and name not in namespace and name not in CONSTANTS:
                raise DataError(unknown_column(name, columns, where=what, needs=purpose), topic="no-such-column")
        used.update(dict.fromkeys(name.identifier for name in names(node) if name.identifier in known))
    return list(used)
