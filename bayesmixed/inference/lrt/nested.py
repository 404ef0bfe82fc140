"""Is one model a case of another, and what does the likelihood ratio of the two follow?"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...errors import BayesMixedError
from ...families import Family, family
from ...model import Model
from .bars import Freed, RandomParts, random_parts
from .law import ChiSquared, Law, Mixture, UpperBound
from .rows import Pair, common_order
from .spans import spanned


@dataclass(frozen=True, eq=False)
class Nesting:
    """How a smaller model is a case of a larger: what the latter frees, and where the former's `bars` are in it.

    `obstacle` says why it is none, or is not seen to be one; empty where it is.
    """

    freed: Freed = field(default_factory=Freed)
    bars: RandomParts = field(default_factory=RandomParts)
    obstacle: str = ""

    @property
    def holds(self) -> bool:
        """Whether the smaller model is a case of the larger."""
        return not self.obstacle

    def law(self, df: int) -> Law:
        """That of the likelihood ratio with `df` parameters more in the larger model."""
        if not self.freed.sds and not self.freed.unclear:
            return ChiSquared(df)
        sds = self.freed.sds
        if len(sds) == 1 and df == sds[0] + 1 and not self.freed.interior and not self.freed.unclear:
            return Mixture(df)
        return UpperBound(df)


def nesting(small: Model, large: Model) -> Nesting:
    """How `small` is a case of `large`, or why not.

    Fixed parts are compared by what their columns span, other parameters of the response alike (a constant one is a
    point of a predicted one), bars as in `bars`. Precision weights must agree, the families too, but for one that is
    the other's limit.
    """
    rows = common_order(small, large)
    if rows is None:
        return Nesting(obstacle="it has other rows")
    if not _same_weights(small, large, rows):
        return Nesting(obstacle="it has other weights")
    total = _families(small.family, large.family)
    if total is None:
        return Nesting(obstacle="it has another family or link")
    for name in ("mu", *small.family.dispersion):
        found = _predictors(small, large, name, rows)
        if found is None:
            part = "fixed part" if name == "mu" else f"part for {name}"
            return Nesting(obstacle=f"its {part} is not among what the columns of the other span")
        total += found
    bars = random_parts(small, large, rows)
    if bars is None:
        return Nesting(obstacle="some bar of it is in none of the other's")
    return Nesting(total + bars.freed(), bars)


def same_contrasts(one: Model, other: Model) -> bool:
    """Whether REML criteria are of the same error contrasts: of one response, free of the same fixed columns."""
    rows = common_order(one, other)
    if rows is None or one.family != other.family:
        return False
    there, back = _predictors(one, other, "mu", rows), _predictors(other, one, "mu", rows[::-1])
    return there is not None and back is not None and not there.interior and not back.interior


def _same_weights(small: Model, large: Model, rows: Pair) -> bool:
    weights = [model.design.weights for model in (small, large)]
    one, other = (np.ones(len(at)) if w is None else w[at] for w, at in zip(weights, rows, strict=True))
    return np.array_equal(one, other)


def _families(small: Family, large: Family) -> Freed | None:
    """Nothing freed where they are the same; one number at a bound where the larger has the smaller as its limit."""
    if small == large:
        return Freed()
    for limit in large.limits.values():
        try:
            simpler = family(limit.simpler, small.link)
        except BayesMixedError:  # the simpler family does not take that link
            continue
        if simpler == small and small.link == large.link and len(large.others) == len(small.others) + 1:
            return Freed((0,))
    return None


def _predictors(small: Model, large: Model, name: str, rows: Pair) -> Freed | None:
    """What the larger model frees in one parameter of the response; None where the smaller is no case of it."""
    (X, offset), (W, other) = _affine(small, name, rows[0]), _affine(large, name, rows[1])
    moved = offset - other
    inner = np.column_stack([X, moved]) if np.any(moved != 0) else X
    if inner.shape == W.shape and np.array_equal(inner, W):
        return Freed()
    if not spanned(inner, W):
        return None
    return Freed(interior=W.shape[1] > X.shape[1])


def _affine(model: Model, name: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns (n, p) and offset (n,) of a parameter's predictor: one column where it is a number, none if constant."""
    predictor, n = model.design.predictors.get(name), len(rows)
    if predictor is not None:
        return predictor.X[rows], predictor.offset[rows]
    if name in model.constants:
        value = float(model.family.parameter(name).link.forward(np.float64(model.constants[name])))
        return np.zeros((n, 0)), np.full(n, value)
    return np.ones((n, 1)), np.zeros(n)
