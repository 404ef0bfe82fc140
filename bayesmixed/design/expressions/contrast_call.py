"""Which contrast ``C(f, contr, how.many, base = )`` asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...errors import DataError, FormulaError
from ...formula.syntax import Argument, Call, Name, Node, String, deparse
from ..columns.contrasts import contrast, first_columns, maker
from ..columns.factors import Contrast
from .calling import called

MOST_LEVELS = 5_000  # a contrast matrix of 200 MB
_PLACES = ("contr", "how.many")
_OPTIONS = {"contr", "how.many", "base"}


def asked_contrast(
    call: Call,
    options: tuple[Argument, ...],
    levels: np.ndarray,
    ordered: bool,
    evaluate: Callable[[Node], Any],
    namespace: Mapping[str, Any],
) -> Contrast:
    """The columns that the `options` of a call to ``C()`` choose for a factor with these levels.

    Raises
    ------
    FormulaError, DataError
        An option that ``C()`` does not have, an unknown contrast, a matrix that does not fit.
    """
    where, given = deparse(call), _given(call, options)
    if len(levels) > MOST_LEVELS:
        raise DataError(
            f"`{where}` has {len(levels):,} levels, and C() forms a matrix of at most {MOST_LEVELS:,}; a factor of "
            f"so many levels is usually a grouping factor: write (1 | {deparse(call.arguments[0].value)}).",
            topic="contrasts",
        )
    base, how_many = (evaluate(given[name]) if name in given else None for name in ("base", "how.many"))
    numbered = base is not None or how_many is not None  # R then calls its function with a count, not the levels
    spec = _spec(given.get("contr"), ordered, base, numbered, evaluate, namespace)
    made = contrast(spec, levels, where=where)
    return made if how_many is None else first_columns(made, how_many, where)


def _given(call: Call, options: tuple[Argument, ...]) -> dict[str, Node]:
    given: dict[str, Node] = {}
    places = iter(_PLACES)
    for option in options:
        name = option.keyword or next(places, None)
        if name not in _OPTIONS or name in given:
            raise FormulaError(f"`{deparse(call)}`: C() takes a factor, contr, how.many and base =.", topic="contrasts")
        given[name] = option.value
    return given


def _spec(
    node: Node | None,
    ordered: bool,
    base: Any,
    numbered: bool,
    evaluate: Callable[[Node], Any],
    namespace: Mapping[str, Any],
) -> Any:
    match node:
        case None:
            return maker("contr.poly" if ordered else "contr.treatment", base=base, numbered=numbered)
        case Name(identifier) if identifier not in namespace:
            return maker(identifier, base=base, numbered=numbered or identifier.startswith("contr."))
        case String(name):
            return maker(name, base=base, numbered=numbered)
        case Call(function, arguments) if function not in namespace:
            values = [evaluate(a.value) for a in arguments if a.keyword is None]
            named = {a.keyword: evaluate(a.value) for a in arguments if a.keyword is not None}
            return called(maker, deparse(node), function, *values, numbered=function.startswith("contr."), **named)
    if base is not None:
        raise FormulaError(f"base = belongs to contr.treatment, not to `{deparse(node)}`.", topic="contrasts")
    return evaluate(node)
