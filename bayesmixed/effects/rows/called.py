"""Which column a name means: its own, or that of a factor that the formula makes of it, as tables print it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ...errors import FitError, FormulaError
from ...formula.parser import parse_expression
from ...formula.syntax import Node, deparse
from ...formula.variables import columns_in
from .used_columns import Variable, variables

if TYPE_CHECKING:
    from ...model import Model


def called(model: Model, given: Any) -> Any:
    """One name, several, or values by name, with every name that of a column; all else as it is.

    Raises
    ------
    FitError
        The name of a term that is no factor, such as log(x): its column has values.
    """
    if isinstance(given, str):
        return _column(model, given)
    if isinstance(given, Mapping):
        return {_column(model, name): value for name, value in given.items()}
    return [_column(model, name) for name in given] if isinstance(given, list | tuple) else given


def _column(model: Model, name: Any) -> Any:
    """`factor(Diet)` is Diet's."""
    if not isinstance(name, str) or "(" not in name or name in model.frame:
        return name
    try:
        text = deparse(parse_expression(name))
    except FormulaError:
        return name
    known = variables(model, bars=True)
    atom = next((atom for atom in _atoms(model) if deparse(atom) == text), None)
    if atom is None:
        return name
    columns = list(dict.fromkeys(columns_in(atom)))
    if len(columns) == 1 and _is_factor(known.get(columns[0])):
        return columns[0]
    raise FitError(
        f"{name!r} is made of {', '.join(map(repr, columns))} in the formula: name the column instead.",
        topic="no-such-column",
    )


def _is_factor(found: Variable | None) -> bool:
    return found is not None and found.levels is not None


def _atoms(model: Model) -> Iterable[Node]:
    """What the terms of the fixed part and of random slopes are made of."""
    side = model.design.encoding.formula.predictors["mu"]
    for term in (*side.terms, *(term for bar in side.bars for term in bar.terms)):
        yield from term.atoms
