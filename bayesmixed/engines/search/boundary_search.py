"""Where a criterion of covariance parameters has its minimum: a search that checks or leaves boundary points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...errors import FitError
from ...likelihood.boundary import ACCEPT, SNAP, Direction, leave, snap, worst_direction
from ...likelihood.criteria.criterion import Criterion
from ...likelihood.working.theta import Theta
from .optimizer import Optimizer, Optimum
from .second_look import other_side

MAX_DEPARTURES = 6  # times a search may leave a boundary point that is not a maximum
HIDDEN = 1e-6  # predicted decrease of the criterion above which a search goes on
LOWER = 1e-6  # of the criterion: by what another minimum must be lower to be taken


def search(criterion: Criterion, start: np.ndarray, optimizer: Optimizer) -> tuple[Optimum, Direction | None]:
    """The minimum, or the lower one of two where a second look at a boundary finds another.

    What is shown is local: that leaving the boundary in any direction raises the criterion.
    """
    optimum, edge = _descend(criterion, start, optimizer)
    if optimizer.limited or not optimum.converged:
        return optimum, edge
    other = other_side(criterion, optimum.x, start)
    if other is None:
        return optimum, edge
    second, its_edge = _descend(criterion, other, optimizer)
    evaluations = optimum.evaluations + second.evaluations
    if second.converged and second.value < optimum.value - LOWER:
        optimum, edge = second, its_edge
    else:
        criterion.value(optimum.x)  # iterations that start where the last ended are brought back
    return replace(optimum, evaluations=evaluations), edge


def _descend(criterion: Criterion, start: np.ndarray, optimizer: Optimizer) -> tuple[Optimum, Direction | None]:
    """Minimise; exact zeros where they cost nothing; a zero that is only stationary by symmetry is left again."""
    theta, evaluations = criterion.theta, 0
    for _ in range(MAX_DEPARTURES):
        optimum = optimizer.minimise(criterion.value_and_gradient, start, criterion.metric(start))
        evaluations += optimum.evaluations
        x = snap(criterion.value, theta, optimum.x)
        edge = worst_direction(criterion.value, theta, x)
        if edge is None or edge.slope >= ACCEPT:
            turned = _hidden_slope(criterion, x, optimum.value)
            if turned is None:
                break
            start = turned
            continue
        start = leave(criterion.value, theta, x, edge)
    value, gradient = (optimum.value, optimum.gradient) if x is optimum.x else criterion.value_and_gradient(x)
    return Optimum(x, value, gradient, optimum.decrease, evaluations, optimum.message), edge


def _hidden_slope(criterion: Criterion, x: np.ndarray, value: float) -> np.ndarray | None:
    """x with other factors of the same covariances, from which the gradient shows a way down; None where none does.

    A variance of zero is left at first order by a covariance with what varies, in one choice of factors only.
    """
    turned = turned_factors(criterion.theta, x)
    if turned is None:
        return None
    try:
        there, gradient = criterion.value_and_gradient(turned)
    except np.linalg.LinAlgError:
        return None
    predicted = there - 0.5 * gradient @ criterion.metric(turned) @ gradient
    return turned if predicted < value - HIDDEN else None


def turned_factors(theta: Theta, x: np.ndarray) -> np.ndarray | None:
    """x with what is near zero at zero, and its rank in the leading columns of Lambda; None where that is x itself."""
    turned = x.copy()
    for group in theta.edges(x):
        if group[0].distance < SNAP:
            turned = group[0].at(turned)
    for j in theta.order:
        turned = theta.leading(turned, j)
    return None if np.array_equal(turned, x) else turned


def given_start(start: Sequence[float], theta: Theta) -> np.ndarray:
    """The working theta of the user's, which is in the order of `fit.theta`.

    Raises
    ------
    FitError
        Another length, or numbers that are not finite.
    """
    given = np.asarray(start, dtype=float)
    if given.shape != (theta.size,) or not np.all(np.isfinite(given)):
        raise FitError(
            f"start must be {theta.size} finite numbers in the order of fit.theta, not {start!r}.",
            topic="engine-option",
        )
    return theta.working(given)
