"""What could stand in the place of a bar: fewer columns, no correlation, no bar; and where its covariance begins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from ...design.design import GroupTerm
from ...formula.parts import WITH_TWO_BARS, Bar, Term
from ...formula.syntax import deparse
from ...likelihood.at import laplace_of, likelihood_of
from ...model import Model

ALL_SUBSETS = 3  # terms of a bar up to which every subset of them is tried, beyond it those with one term less
LEVEL = re.compile(r"\[[^\[\]]*\]$")  # of a factor or a basis, at the end of a column's name

Bars = tuple[Bar, ...]


@dataclass(frozen=True)
class ReducedPart:
    """What stands in the place of one bar of the full model: `bars`, and with one bar or none where its columns are.

    `columns` are positions in the full bar; None where they are not among them, or are split over several bars.
    """

    bars: Bars
    columns: tuple[int, ...] | None

    @property
    def correlated(self) -> bool:
        """Whether its columns have correlations."""
        return self.bars[0].plain if self.bars else False

    @property
    def parameters(self) -> int:
        """Covariance parameters, where the columns are known."""
        k = len(self.columns or ())
        return k * (k + 1) // 2 if self.correlated else k

    def covered(self, factor: np.ndarray) -> np.ndarray:
        """Lambda (k, k) of the full bar with what is left out at zero, from one with as much or more in it."""
        found = np.zeros_like(factor)
        kept = list(self.columns or ())
        if kept and self.correlated:
            found[kept] = factor[kept]
        elif kept:
            found[kept, kept] = np.linalg.norm(factor[kept], axis=1)
        return found


def whole(bar: Bar, term: GroupTerm) -> ReducedPart:
    """A bar as it is."""
    return ReducedPart((bar,), tuple(range(len(term.columns))))


def reductions(part: ReducedPart, term: GroupTerm) -> Iterator[ReducedPart]:
    """What could stand in the place of one bar of a full model's group term: fewer columns, fewer correlations."""
    if len(part.bars) != 1:
        return
    bar = part.bars[0]
    summands: list[Term | None] = [*([None] if bar.intercept else []), *bar.terms]
    sizes = range(len(summands)) if len(summands) <= ALL_SUBSETS else sorted({0, 1, len(summands) - 1})
    for m in sizes:
        for chosen in combinations(summands, m):
            bars: Bars = (_kept(bar, chosen),) if chosen else ()
            yield ReducedPart(bars, _columns(bars, term))
            if m > 1 and bar.plain:
                yield ReducedPart((_uncorrelated(bars[0]),), _columns(bars, term))
    if not bar.intercept:
        only = (replace(bar, intercept=True, terms=(), covariance="us", double=False, options=()),)
        yield ReducedPart(only, _columns(only, term))
    if bar.plain and len(part.columns or ()) > 1:
        yield ReducedPart((_uncorrelated(bar),), part.columns)
        yield from _nested(part, term)


def additions(part: ReducedPart, full: ReducedPart, term: GroupTerm) -> Iterator[ReducedPart]:
    """What a part lacks of the full bar, one term or all correlations at a time."""
    if part.columns is None or len(part.bars) > 1:
        return
    bar = full.bars[0]
    has = [
        bool(part.bars) and part.bars[0].intercept,
        *(bool(part.bars) and one in part.bars[0].terms for one in bar.terms),
    ]
    summands = [None, *bar.terms]
    for i, summand in enumerate(summands):
        if has[i] or (summand is None and not bar.intercept):
            continue
        chosen = [one for one, there in zip(summands, has, strict=True) if there or one is summand]
        grown = _kept(bar, chosen)
        yield ReducedPart((grown,), _columns((grown,), term))
        if grown.plain and len(chosen) > 1:
            yield ReducedPart((_uncorrelated(grown),), _columns((grown,), term))
    if part.bars and not part.correlated and full.correlated:
        whole_again = replace(part.bars[0], covariance="us", double=False, options=())
        yield ReducedPart((whole_again,), part.columns)


def grown(part: ReducedPart, factor: np.ndarray, full: np.ndarray) -> np.ndarray:
    """A factor (k, k) with the sds and the correlations of `full` that a part has and `factor` lacks."""
    own, sds = np.linalg.norm(factor, axis=1), np.linalg.norm(full, axis=1)
    new = [i for i in part.columns or () if own[i] == 0]
    if part.correlated and not new and not np.any(factor - np.diag(np.diag(factor))):
        return full * np.divide(own, sds, out=np.zeros_like(own), where=sds > 0)[:, None]
    found = factor.copy()
    found[new, new] = sds[new]
    return found


def theta_of(model: Model, parts: Sequence[ReducedPart], factors: Sequence[np.ndarray]) -> list[float] | None:
    """theta of a reduced model to start from; None where some part's columns are not the full model's."""
    if any(part.columns is None for part in parts):
        return None
    found = [factor[list(part.columns or ())] for part, factor in zip(parts, factors, strict=True) if part.bars]
    if len(found) != len(model.design.groups):
        return None
    likelihood = likelihood_of(model) if model.has_scale else laplace_of(model)
    return [float(value) for value in likelihood.theta.reported_of(found)]


def _kept(bar: Bar, chosen: Sequence[Term | None]) -> Bar:
    kept = replace(bar, intercept=None in chosen, terms=tuple(term for term in chosen if term is not None))
    columns_of_one = len(chosen) == 1 and (None in chosen or bar.double)
    return replace(kept, covariance="us", double=False, options=()) if columns_of_one else kept


def _uncorrelated(bar: Bar) -> Bar:
    return bar.structured(WITH_TWO_BARS)


def _columns(bars: Bars, term: GroupTerm) -> tuple[int, ...] | None:
    """Where the columns of a bar are among those of a group term; None where they are other ones."""
    if not bars:
        return ()
    (bar,) = bars
    if not bar.intercept and any("[" in name for name in term.columns):
        return None  # without the intercept a factor has a column for every level
    wanted = {frozenset(deparse(atom) for atom in one.atoms) for one in bar.terms}
    names = [frozenset(LEVEL.sub("", part) for part in name.split(":")) for name in term.columns]
    found = [i for i, name in enumerate(names) if name in wanted or (bar.intercept and term.columns[i] == "Intercept")]
    return tuple(found) if {names[i] for i in found if term.columns[i] != "Intercept"} == wanted else None


def _nested(part: ReducedPart, term: GroupTerm) -> Iterator[ReducedPart]:
    """(1 | g) + (1 | g:f) for a bar of one factor f: one sd and one correlation for all of its levels."""
    bar = part.bars[0]
    if len(bar.terms) == 1 and all(name == "Intercept" or "[" in name for name in term.columns):
        plain = replace(bar, intercept=True, terms=(), covariance="us", double=False, options=())
        yield ReducedPart((plain, replace(plain, factor=(*bar.factor, *bar.terms[0].atoms))), None)
