"""Is one model a case of another, and what does the likelihood ratio of the two follow?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import BayesMixedError
from ...families import Family, family
from ...model import Model
from .bars import Freed, Place, freed, places, row_bars
from .law import ChiSquared, Law, Mixture, UpperBound
from .rows import Pair, common_order
from .spans import spanned


@dataclass(frozen=True, eq=False)
class Nesting:
    """How a smaller model is a case of a larger: what the latter frees, and `where` the former's bars are in it."""

    freed: Freed
    where: tuple[Place, ...]

    def law(self, df: int) -> Law:
        """That of the likelihood ratio with `df` parameters more in the larger model."""
        if not self.freed.sds and not self.freed.unclear:
            return ChiSquared(df)
        sds = self.freed.sds
        if len(sds) == 1 and df == sds[0] + 1 and not self.freed.interior and not self.freed.unclear:
            return Mixture(df)
        return UpperBound(df)


def nesting(small: Model, large: Model) -> Nesting | None:
    """How `small` is a case of `large`; None where it is none, or not seen to be one.

    Fixed parts are compared by what their columns span, other parameters of the response alike (a constant one is a
    point of a predicted one), bars as in `bars`. Precision weights must agree, the families too, but for one that is
    the other's limit.
    """
    rows = common_order(small, large)
    if rows is None or not _same_weights(small, large, rows):
        return None
    total = _families(small.family, large.family)
    if total is None:
        return None
    for name in ("mu", *small.family.dispersion):
        found = _predictors(small, large, name, rows)
        if found is None:
            return None
        total += found
    inner, outer = row_bars(small, rows[0]), row_bars(large, rows[1])
    where = places(inner, outer)
    return None if where is None else Nesting(total + freed(inner, outer, where), where)


def same_means(one: Model, other: Model) -> bool:
    """Whether the fixed parts of the means span the same columns, offsets included."""
    rows = common_order(one, other)
    if rows is None:
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
