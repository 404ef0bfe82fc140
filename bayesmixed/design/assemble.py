"""How evaluated atoms become the predictors and group terms of a Design."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ..errors import BayesMixedWarning, DataError, FormulaError, warn
from ..formula.formula import Formula
from ..formula.parts import Bar, RightSide, Term
from ..formula.syntax import deparse
from ..formula.variables import columns_in
from .columns.coded import CodedBlock, spans_constant, term_blocks
from .columns.factors import Factor, level_text
from .columns.rank import independent
from .columns.size import refuse_too_many
from .design import GroupTerm, Predictor
from .expressions.evaluate import Evaluator

CodesOf = Callable[[str, Sequence[Any]], tuple[np.ndarray, np.ndarray]]


def assemble(
    formula: Formula,
    evaluator: Evaluator,
    kept: Mapping[str, tuple[int, ...]],
    codes_of: CodesOf,
    offset: np.ndarray | None,
    factors: Collection[str] | None = None,
    used: np.ndarray | None = None,
) -> tuple[dict[str, Predictor], dict[str, tuple[int, ...]]]:
    """Predictors with their bars, and the columns kept, on the evaluator's table.

    An empty `kept` means training: the rank decides, and values must be finite. `codes_of` gives codes
    and levels of a grouping factor from the values of its atoms; `offset` belongs to "mu"; the bars of grouping
    factors outside `factors` (None: all are in) come out empty.
    """
    predictors, keep = {}, {}
    for name, side in formula.predictors.items():
        extra = offset if name == "mu" else None
        fixed, keep[name] = predictor(name, side, evaluator, kept, extra, used)
        groups = [
            group_term(bar, evaluator, codes_of, not kept)
            if factors is None or bar.group in factors
            else _empty_term(bar, len(evaluator.frame))
            for bar in side.bars
        ]
        predictors[name] = replace(fixed, groups=tuple(groups))
    return predictors, keep


def predictor(
    name: str,
    side: RightSide,
    evaluator: Evaluator,
    kept: Mapping[str, tuple[int, ...]],
    offset: np.ndarray | None,
    used: np.ndarray | None = None,
) -> tuple[Predictor, tuple[int, ...]]:
    """The fixed side of one parameter, and which of its columns were kept.

    Parameters
    ----------
    kept : mapping
        The columns that training kept, by parameter; where a parameter is not in it the rank decides.
    offset : array (n,) or None
        Added to the ``offset()`` terms.
    used : array (n,) of bool or None
        The rows that decide the rank: those of positive weight.
    """
    n = len(evaluator.frame)
    atoms = _atoms(side.terms, evaluator, name not in kept)
    if name not in kept:
        refuse_too_many(side.terms, atoms, n)
    blocks = term_blocks(side.terms, side.intercept, atoms, evaluator.contrasts, bar=False)
    columns = _with_constant(side.intercept, blocks, n)
    labels = [*(["Intercept"] if side.intercept else []), *(term.name for term in side.terms)]
    everything, made_of = _bound(columns, n), _variables(side.intercept, side.terms, blocks)
    training = name not in kept
    if training:
        _refuse_infinite(columns, labels, evaluator.frame.index)
    rows = everything.values if used is None else everything.values[used]
    keep = independent(rows, _constant_from(side, atoms, blocks)) if training else np.array(kept[name], int)
    known = set(keep.tolist())
    aliased = tuple(c for i, c in enumerate(everything.names) if i not in known)
    if training and aliased:
        _warn_aliased(name, aliased)
    made = Predictor(
        name,
        everything.values if len(keep) == everything.values.shape[1] else everything.values[:, keep],
        tuple(everything.names[i] for i in keep),
        tuple(everything.r_names[i] for i in keep),
        _positions(labels, columns, keep.tolist()),
        _offset(side, evaluator, offset, training),
        aliased,
        tuple(made_of[i] for i in keep),
    )
    return made, tuple(keep.tolist())


def group_term(bar: Bar, evaluator: Evaluator, codes_of: CodesOf, training: bool) -> GroupTerm:
    """One bar: codes and levels of its factor, and the within-group columns in full rank."""
    n = len(evaluator.frame)
    atoms = _atoms(bar.terms, evaluator, training)
    if training:
        refuse_too_many(bar.terms, atoms, n, f" in {bar.text}")
    blocks = term_blocks(bar.terms, bar.intercept, atoms, evaluator.contrasts, bar=True)
    # an intercept beside a full set of indicators would leave the block's covariance unidentified
    intercept = bar.intercept and spans_constant(bar.terms, bar.intercept, atoms) is None
    columns = _with_constant(intercept, blocks, n)
    if not columns:
        raise FormulaError(f"{bar.text} has no columns: write (1 | {bar.group}).", topic="bars")
    if training:
        labels = [f"{label} in {bar.text}" for label in ["1"] * intercept + [term.name for term in bar.terms]]
        _refuse_infinite(columns, labels, evaluator.frame.index)
    Z = _bound(columns, n)
    codes, levels = codes_of(bar.group, [evaluator.grouping(atom) for atom in bar.factor])
    variables = _variables(intercept, bar.terms, blocks)
    return GroupTerm(
        bar.group, codes, levels, Z.values, Z.names, Z.r_names, bar.covariance, bar.text, variables, bar.options
    )


def _empty_term(bar: Bar, n: int) -> GroupTerm:
    codes, levels = np.full(n, -1, dtype=np.int32), np.empty(0, dtype=object)
    return GroupTerm(bar.group, codes, levels, np.empty((n, 0)), (), (), bar.covariance, bar.text, (), bar.options)


def _atoms(terms: Sequence[Term], evaluator: Evaluator, training: bool) -> dict[str, Any]:
    found = {deparse(atom): evaluator.atom(atom) for term in terms for atom in term.atoms}
    for text, value in found.items():
        if isinstance(value, Factor):
            if training and value.codes.min(initial=0) < 0:
                row = evaluator.frame.index[int(np.argmin(value.codes))]
                raise DataError(
                    f"`{text}` has no level in row {row}: widen its levels or breaks, or drop the row.",
                    topic="missing-values",
                )
            _refuse_unknown_levels(text, value, evaluator.frame.index)
    return found


def _refuse_unknown_levels(text: str, factor: Factor, rows: pd.Index) -> None:
    if factor.known < 2:
        only = level_text(factor.levels[0]) if factor.known else "no level"
        raise DataError(
            f"`{text}` has a single level ({only}), so it has no effect to estimate: leave it out.",
            topic="single-level",
        )
    if len(factor.levels) == factor.known:
        return
    where = np.flatnonzero(factor.codes >= factor.known)
    if len(where):
        known = ", ".join(level_text(level) for level in factor.levels[: factor.known].tolist())
        level = factor.levels.tolist()[factor.codes[where[0]]]
        raise DataError(
            f"`{text}` has the level {level!r} (row {rows[where[0]]}) that the training data did not have. "
            f"Known: {known}.",
            topic="no-such-level",
        )


def _with_constant(intercept: bool, blocks: list[CodedBlock], n: int) -> list[CodedBlock]:
    constant = [CodedBlock(np.ones((n, 1)), ("Intercept",), ("(Intercept)",))] if intercept else []
    return constant + blocks


def _variables(intercept: bool, terms: Sequence[Term], blocks: list[CodedBlock]) -> tuple[tuple[str, ...], ...]:
    """The columns of the data that each column is made of, sorted."""
    made_of = [tuple(sorted({name for atom in term.atoms for name in columns_in(atom)})) for term in terms]
    each = [names for names, block in zip(made_of, blocks, strict=True) for _ in block.names]
    return (((),) if intercept else ()) + tuple(each)


def _bound(blocks: list[CodedBlock], n: int) -> CodedBlock:
    """All blocks side by side."""
    if len(blocks) == 1:
        values = np.ascontiguousarray(blocks[0].values)
    else:
        values = np.concatenate([block.values for block in blocks], axis=1) if blocks else np.empty((n, 0))
    names = tuple(name for block in blocks for name in block.names)
    return CodedBlock(values, names, tuple(name for block in blocks for name in block.r_names))


def _constant_from(side: RightSide, atoms: Mapping[str, Any], blocks: list[CodedBlock]) -> int | None:
    """How many leading columns it takes to span the constant."""
    if side.intercept:
        return 1
    position = spans_constant(side.terms, side.intercept, atoms)
    return None if position is None else sum(len(block.names) for block in blocks[: position + 1])


def _positions(labels: list[str], blocks: list[CodedBlock], keep: list[int]) -> dict[str, tuple[int, ...]]:
    """Each term's columns among those kept."""
    place = {column: i for i, column in enumerate(keep)}
    terms, start = {}, 0
    for label, block in zip(labels, blocks, strict=True):
        own = range(start, start + len(block.names))
        terms[label] = tuple(place[column] for column in own if column in place)
        start += len(block.names)
    return terms


def _refuse_infinite(blocks: list[CodedBlock], labels: list[str], rows: pd.Index) -> None:
    for label, block in zip(labels, blocks, strict=True):
        finite = np.isfinite(block.values)
        if not finite.all():
            row = int(np.flatnonzero(~finite.all(axis=1))[0])
            bad = block.values[row][~finite[row]][0]
            raise DataError(
                f"`{label}` is {_bad(bad)} in row {rows[row]}: correct the value, drop the row, "
                "or change the expression.",
                topic="missing-values",
            )


def _bad(value: float) -> str:
    return "not a number" if np.isnan(value) else "infinite"


def _offset(side: RightSide, evaluator: Evaluator, extra: np.ndarray | None, training: bool) -> np.ndarray:
    total = np.zeros(len(evaluator.frame)) if extra is None else np.array(extra, dtype=float)
    for node in side.offsets:
        values = evaluator.numeric(node)
        if training:
            label = f"offset({deparse(node)})"
            _refuse_infinite([CodedBlock(values[:, None], (), ())], [label], evaluator.frame.index)
        total += values
    return total


def _warn_aliased(name: str, aliased: tuple[str, ...]) -> None:
    told = BayesMixedWarning(
        f"the fixed-effect design of {name} is rank deficient: dropped {', '.join(aliased)} "
        "(they depend on the columns before them).",
        topic="dropped-columns",
    )
    warn(told)
