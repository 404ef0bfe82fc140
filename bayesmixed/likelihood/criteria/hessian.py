"""How a criterion bends at its optimum: the Hessian by differences of the exact gradient, and what it says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .criterion import Criterion

DIFFERENCE = 2e-4  # of a standard error: the step of the differences that make the Hessian
LONGER = (1.0, 10.0, 30.0)  # times that, by errors from a first Hessian, where the first steps were not good
ASYMMETRIC = 1e-3  # of unit curvature: two elements that should be equal differ by more than truncation explains
HUNDREDTH = 1e-2  # of a standard error: the step of central differences
FAR = 5.0  # times its right length: such a step is taken anew
SHORT, LONG = 0.1, 100.0  # times the right step (others held): rounding, or truncation, is then seen


@dataclass(frozen=True, eq=False)
class Curvature:
    """The coordinates `x` (m,) of a criterion at the estimates of a fit and its Hessian `hessian` (m, m) there.

    `free` lists the positions that are estimated: not those on a bound, where they are held.
    """

    x: np.ndarray
    hessian: np.ndarray
    free: np.ndarray

    def __post_init__(self) -> None:
        for array in (self.x, self.hessian, self.free):
            array.setflags(write=False)

    @property
    def eigenvalues(self) -> np.ndarray:
        """Those of what is free; NaN where the Hessian is not known."""
        part = self.hessian[np.ix_(self.free, self.free)]
        return np.linalg.eigvalsh(part) if np.all(np.isfinite(self.hessian)) else np.array([np.nan])

    @property
    def covariance(self) -> np.ndarray:
        """Covariance (m, m) of the estimates, 2 H^-1 with what is not free held; NaN unless H is positive."""
        found = np.zeros_like(self.hessian)
        part = self.hessian[np.ix_(self.free, self.free)]
        try:
            np.linalg.cholesky(part)  # where it is no maximum there are no standard errors
            inverse = np.linalg.inv(part) if len(self.free) else part
        except np.linalg.LinAlgError:
            inverse = np.full_like(part, np.nan)
        found[np.ix_(self.free, self.free)] = 2 * inverse
        return found


def differenced(criterion: Criterion, x: np.ndarray, gradient: np.ndarray, free: np.ndarray) -> np.ndarray:
    """The Hessian (m, m) by forward differences of the exact gradient in the `free` positions, zero elsewhere.

    Symmetrised; relative to one standard error the step's truncation and the inner search's error are both about 1e-4.
    Where the metric was that of a poor start, or sums so large that the gradient's rounding shows in what should be
    symmetric, steps are taken anew: by the errors that the first Hessian says, and longer ones.
    """
    steps = DIFFERENCE * np.sqrt(np.diag(criterion.metric(x)))
    rows = _slopes_of_gradient(criterion, x, gradient, free, steps)
    for longer in LONGER:
        curvatures = np.diag(rows)
        right = np.array(
            [DIFFERENCE * np.sqrt(2 / c) if c > 0 else step for c, step in zip(curvatures, steps, strict=True)]
        )
        good = (steps > SHORT * right) & (steps < LONG * right)
        if not np.all(np.isfinite(rows)) or (np.all(good[free]) and _asymmetry(rows, free) < ASYMMETRIC):
            break
        steps = longer * right
        again = _slopes_of_gradient(criterion, x, gradient, free, steps)
        rows = again if longer == 1.0 or _asymmetry(again, free) < _asymmetry(rows, free) else rows
    return 0.5 * (rows + rows.T)


def central(criterion: Criterion, x: np.ndarray, free: np.ndarray) -> np.ndarray:
    """The Hessian (m, m) by central differences of the exact gradient in the `free` positions, zero elsewhere.

    Of fourth order: steps of h and 2 h, h a hundredth of a standard error, leave h^4 / 30 of fifth derivatives. Where
    the metric that said the standard errors was far off, steps are taken anew by those that the first Hessian says.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where the criterion cannot be evaluated near x.
    """
    steps = HUNDREDTH * np.sqrt(2 * np.abs(np.diag(criterion.metric(x))))
    rows = _central_slopes(criterion, x, free, steps)
    bends = np.maximum(np.abs(np.diag(rows)), 2 * (HUNDREDTH / (FAR**2 * steps)) ** 2)
    right = HUNDREDTH * np.sqrt(2 / bends)
    if np.max(np.abs(np.log(right / steps))[free], initial=0.0) > np.log(FAR):
        rows = _central_slopes(criterion, x, free, right)
    return 0.5 * (rows + rows.T)


def _central_slopes(criterion: Criterion, x: np.ndarray, free: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Slopes (m, m) of the gradient in what is `free`, from two steps on each side."""
    rows = np.zeros((len(x), len(x)))
    for i in free:
        step = np.zeros(len(x))
        step[i] = steps[i]
        near, far = (
            criterion.value_and_gradient(x + m * step)[1] - criterion.value_and_gradient(x - m * step)[1]
            for m in (1, 2)
        )
        rows[i, free] = ((8 * near - far) / (12 * steps[i]))[free]
    return rows


def _slopes_of_gradient(
    criterion: Criterion, x: np.ndarray, gradient: np.ndarray, free: np.ndarray, steps: np.ndarray
) -> np.ndarray:
    """Differences (m, m) of the gradient, one row per position of x that is `free`; NaN where there is no mode."""
    rows = np.zeros((len(x), len(x)))
    for i in free:
        moved = x.copy()
        moved[i] += steps[i]
        try:
            rows[i, free] = (criterion.value_and_gradient(moved)[1] - gradient)[free] / (moved[i] - x[i])
        except np.linalg.LinAlgError:
            rows[i, free] = np.nan
    return rows


def _asymmetry(rows: np.ndarray, free: np.ndarray) -> float:
    """The largest difference of two elements that should be equal, relative to unit curvature."""
    part = rows[np.ix_(free, free)]
    sizes = np.sqrt(np.abs(np.diag(part)))
    units = np.outer(sizes, sizes)
    return float(np.max(np.abs(part - part.T)[units > 0] / units[units > 0], initial=0.0))
