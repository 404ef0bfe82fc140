"""Formula and table -> Design."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError, nearest
from ..formula.formula import Formula
from ..formula.syntax import names
from .assemble import assemble
from .columns.contrasts import NAMED, is_reference
from .columns.factors import Factor
from .design import Design, GroupTerm
from .encoding import Encoding
from .expressions.evaluate import Evaluator
from .given import Given, given
from .grouping import Grouping, learn
from .response import NUMBERS, LeftSide, Takes, left_side, proportions
from .table import column_names, missing_rows, rows_of, select
from .used import Role, roles, used_columns


def build_design(
    formula: Formula,
    data: Any,
    *,
    weights: Any = None,
    offset: Any = None,
    contrasts: Mapping[str, Any] | None = None,
    namespace: Mapping[str, Any] | None = None,
    missing: str = "drop",
    takes: Takes = NUMBERS,
) -> tuple[Design, pd.DataFrame]:
    """Arrays with names for everything a formula says about a table.

    Parameters
    ----------
    formula : Formula
    data : DataFrame
        pandas, or anything narwhals reads. It is never changed.
    weights, offset : str, float or array, optional
        A column, an expression or an array as long as `data`. `offset` adds to ``offset()`` terms.
        Rows of weight zero are kept.
    contrasts : mapping, optional
        By factor: "treatment", "sum", "helmert", "poly", ("treatment", level), an array (levels, k) or a DataFrame.
    namespace : mapping, optional
        Names the formula may use besides columns and the built-in functions.
    missing : {"drop", "error"}
        What to do with rows that lack a value in any column used.
    takes : Takes
        What the family takes on the left: trials, two levels, or numbers alone.

    Returns
    -------
    design : Design
    frame : DataFrame
        The columns used, restricted to the rows kept, with their original index.

    Raises
    ------
    DataError, FormulaError
        Each names the term, column or level, and the way out.

    Examples
    --------
    >>> table = pd.DataFrame({"y": [1.0, 2.0, 4.0, 3.0], "x": [1, 2, 3, 4], "g": ["a", "a", "b", "b"]})
    >>> design, _ = build_design(Formula("y ~ x + (1 | g)"), table)
    >>> design.mu.coefficients, design.groups[0].codes.tolist(), design.groups[0].levels.tolist()
    (('Intercept', 'x'), [0, 0, 1, 1], ['a', 'b'])
    """
    if missing not in ("drop", "error"):
        raise DataError(f"missing must be 'drop' or 'error', not {missing!r}.", topic="unknown-option")
    columns, namespace = column_names(data), _mapping(namespace, "namespace", '{"f": function}')
    contrasts = _mapping(contrasts, "contrasts", '{"f": "sum"}')
    arguments = {
        name: given(value, name, columns, rows_of(data))
        for name, value in (("weights", weights), ("offset", offset))
        if value is not None
    }
    formula = _without_dot(formula, columns, arguments)
    _refuse_index_names(formula, data, columns)
    used = used_columns(_all_roles(formula, arguments), columns, namespace, "the data")
    frame, arguments, n_dropped = _complete_rows(select(data, used), arguments, missing)
    evaluator = Evaluator(frame, namespace, {}, _own(contrasts))
    return _design(formula, evaluator, arguments, n_dropped, takes), frame


def _mapping(value: Any, name: str, example: str) -> dict[str, Any]:
    if value is not None and not isinstance(value, Mapping):
        raise DataError(
            f"{name} must be a dict such as {name}={example}, not {type(value).__name__}.", topic="contrasts"
        )
    return dict(value or {})


def _own(contrasts: Mapping[str, Any]) -> dict[str, Any]:
    """Contrasts that nobody else can change: names, or copies of matrices and tables."""
    return {name: _own_spec(name, spec) for name, spec in contrasts.items()}


def _own_spec(name: str, spec: Any) -> Any:
    if isinstance(spec, str):
        return spec
    if is_reference(spec):
        return tuple(spec)
    if isinstance(spec, pd.DataFrame):
        return spec.copy()
    try:
        return np.array(spec, float)
    except (TypeError, ValueError):
        raise DataError(
            f"the contrasts of {name!r} must be a name ({', '.join(map(repr, NAMED))}), a pair such as "
            f'("treatment", level), a matrix of numbers or a DataFrame, not {spec!r}.',
            topic="contrasts",
        ) from None


def _refuse_index_names(formula: Formula, data: Any, columns: Sequence[Any]) -> None:
    """Names that are levels of a pandas index: most likely a grouping factor that was made the index."""
    index_names = list(data.index.names) if isinstance(data, pd.DataFrame) else []
    for name in formula.variables():
        if name in index_names and name not in columns:
            raise DataError(
                f"{name!r} is the index of the data, not a column: give data.reset_index().", topic="no-such-column"
            )


def _without_dot(formula: Formula, columns: Sequence[Any], arguments: Mapping[str, Given]) -> Formula:
    """``.`` stands for the columns that nothing else uses, weights and offsets included."""
    if not any(side.dot for side in formula.predictors.values()):
        return formula
    nodes = [a.node for a in arguments.values() if a.node is not None]
    elsewhere = {name.identifier for node in nodes for name in names(node)}
    return formula.expand_dot([column for column in columns if column not in elsewhere])


def _all_roles(formula: Formula, arguments: Mapping[str, Given]) -> Iterator[Role]:
    if formula.response_node is None:
        raise DataError(
            "the formula has no response: write it on the left, as in y ~ x + (1 | g).", topic="no-response"
        )
    yield from roles(formula, response=True)
    yield from ((name, a.node) for name, a in arguments.items() if a.node is not None)


def _complete_rows(
    frame: pd.DataFrame, arguments: dict[str, Given], missing: str
) -> tuple[pd.DataFrame, dict[str, Given], int]:
    """The rows without a missing value in any column, weight or offset."""
    if "Intercept" in frame.columns:
        raise DataError("a column called 'Intercept' cannot be told from the intercept: rename it.", topic="name-taken")
    n = len(frame)
    if n == 0:
        raise DataError("the data have no rows.", topic="no-rows")
    if n == 1:
        raise DataError("the data have a single row: a model needs several.", topic="no-rows")
    arrays = {name: a.array for name, a in arguments.items() if a.array is not None and a.array.ndim}
    for name, array in arrays.items():
        if len(array) != n:
            raise DataError(f"{name} has {len(array)} values for {n} rows of data.", topic="given-values")
    gone, counts = missing_rows(frame, arrays)
    if gone is None:
        return frame, arguments, 0
    shown = ", ".join(f"{name} ({count})" for name, count in counts.items())
    if missing == "error":
        raise DataError(
            f"missing values in {shown}; missing='drop' leaves their {int(gone.sum())} rows out.",
            topic="missing-values",
        )
    if gone.all():
        raise DataError(f"no row is left: every row lacks a value in {shown}.", topic="no-rows")
    if n - gone.sum() == 1:
        raise DataError(
            f"a single row is left, the others lack a value in {shown}: a model needs several rows.", topic="no-rows"
        )
    kept = {name: Given(None, arrays[name][~gone]) if name in arrays else a for name, a in arguments.items()}
    return frame[~gone], kept, int(gone.sum())


def _design(
    formula: Formula, evaluator: Evaluator, arguments: Mapping[str, Given], n_dropped: int, takes: Takes
) -> Design:
    groupings: dict[str, Grouping] = {}
    codes: dict[str, np.ndarray] = {}

    def codes_of(name: str, values: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
        if name not in codes:
            groupings[name], codes[name] = learn(name, values, evaluator.frame.index)
        return codes[name], groupings[name].levels

    left, weights, arguments = _left_side(formula, evaluator, arguments, takes)
    offset = _finite("offset", arguments.get("offset"), evaluator)
    used = None if weights is None or np.all(weights > 0) else weights > 0
    predictors, kept = assemble(formula, evaluator, {}, codes_of, offset, used=used)
    _check_contrasts(evaluator)
    _check_bars([term for predictor in predictors.values() for term in predictor.groups], used)
    stored = {name: Given(a.text, a.array) for name, a in arguments.items()}
    encoding = Encoding(
        formula,
        evaluator.states,
        groupings,
        kept,
        dict(evaluator.contrasts),
        evaluator.namespace,
        stored.get("weights"),
        stored.get("offset"),
        None if left.given is None else Given(left.given.text, left.given.array),
    )
    return Design(left.response, predictors, weights, evaluator.frame.index, n_dropped, encoding, left.trials)


def _left_side(
    formula: Formula, evaluator: Evaluator, arguments: Mapping[str, Given], takes: Takes
) -> tuple[LeftSide, np.ndarray | None, dict[str, Given]]:
    """The response, the weights, and the arguments that are left: the weights of proportions are their trials."""
    left, rest = left_side(formula.response_node, evaluator, takes), dict(arguments)
    weights = _weights(rest.get("weights"), evaluator)
    if takes.trials and weights is not None:
        found = proportions(left, weights, rest["weights"], evaluator.frame.index)
        if found.response.proportion:
            del rest["weights"]
            left, weights = found, None
    if left.trials is not None and np.any(left.trials == 0):  # nothing was tried: the row says nothing
        weights = np.where(left.trials == 0, 0.0, 1.0 if weights is None else weights)
    return left, weights, rest


def _weights(argument: Given | None, evaluator: Evaluator) -> np.ndarray | None:
    weights = _finite("weights", argument, evaluator)
    if weights is None:
        return None
    if np.any(weights < 0):
        row = int(np.flatnonzero(weights < 0)[0])
        raise DataError(
            f"weights must not be negative: row {evaluator.frame.index[row]} has {weights[row]:g}.", topic="weights"
        )
    if not np.any(weights > 0):
        raise DataError("all weights are zero: no row is left to fit.", topic="weights")
    return weights


def _finite(name: str, argument: Given | None, evaluator: Evaluator) -> np.ndarray | None:
    if argument is None:
        return None
    values = argument.values(evaluator)
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0])
        raise DataError(
            f"{name} is {values[row]} in row {evaluator.frame.index[row]}: give a finite number.",
            topic="missing-values",
        )
    return values


def _check_bars(groups: Sequence[GroupTerm], used: np.ndarray | None) -> None:
    """A column of zeros has effects that no row knows."""
    for term in groups:
        there = np.any(term.Z if used is None else term.Z[used], axis=0)
        for name in (name for name, seen in zip(term.columns, there, strict=True) if not seen):
            counted, advice = "", "Leave it out of the bar."
            if used is not None:
                counted = " with a positive weight"
                advice = "Leave the rows of weight zero out of the data, or the column out of the bar."
            raise DataError(
                f"{term.text}: the column {name} is zero in every row{counted}. {advice}", topic="constant-column"
            )


def _check_contrasts(evaluator: Evaluator) -> None:
    factors = [
        key.removeprefix("atom ")
        for key, value in evaluator.cache.items()
        if key.startswith("atom ") and isinstance(value, Factor)
    ]
    for name in evaluator.contrasts:
        if name in factors:
            continue
        if f"atom {name}" in evaluator.cache:
            raise DataError(
                f"contrasts: {name!r} holds numbers, which have no contrasts. Write factor({name}).", topic="contrasts"
            )
        advice = nearest(name, factors, "Factors") or "It has no factors."
        raise DataError(f"contrasts: the formula has no factor {name!r}. {advice}", topic="contrasts")
