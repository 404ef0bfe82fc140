"""A second look at an optimum on or near the boundary: is there another basin on the other side, found cheaply?

A criterion of covariance parameters may have several minima where a block of two or more columns with few levels is
close to singular: a correlation of the other sign, or the variance in another term. What tells them apart is a rough
search from the other side, in a cheap stand-in for the criterion; only where that ends elsewhere, at a value that
competes, is the criterion itself searched from there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import minimize

from ...likelihood.criteria.criterion import Criterion, StandIn
from ...likelihood.working.theta import Theta
from .optimizer import HUGE

NEAR = 0.2  # smallest over largest sd of a block in any direction, or of all blocks, at which it is near the boundary
ROUGH = 15  # iterations of a search in the stand-in
SLOPE = 1e-2  # its gradient there, in deviance per relative sd: a basin is found, not an optimum
SAME = 0.3  # distance of covariances, relative to the largest, below which two points are in one basin
LITTLE = 0.25  # of the usual variance: a block with less has next to none
COMPETES = 0.5  # deviance by which the stand-in, which is linear about the first optimum, may favour that one

Blocks = dict[int, np.ndarray]  # relative covariance of each group term


def other_side(criterion: Criterion, x: np.ndarray, start: np.ndarray) -> np.ndarray | None:
    """A point in another basin than the optimum x that may be lower; None where none is seen or none is likely.

    `start` is where the search began: its sds, from moments, are of the size that matters where those of x are zero.
    """
    layout = criterion.theta
    here, usual = covariances(layout, x), largest(covariances(layout, start))
    if not doubtful(layout, here):
        return None
    known = criterion.stand_in(x)
    if known is None:
        return None
    cheap, searches = known
    n_theta = layout.size
    reference = cheap(x[:n_theta])[0]
    found: tuple[float, np.ndarray] | None = None
    for first in starts(layout, x, here, usual)[:searches]:
        value, theta = _rough(cheap, first[:n_theta], lambda theta: distance(layout, x, theta, here, usual) < SAME)
        far = distance(layout, x, theta, here, usual) >= SAME
        if far and value < reference + COMPETES and (found is None or value < found[0]):
            found = value, theta
    return None if found is None else np.concatenate([found[1], x[n_theta:]])


def covariances(layout: Theta, x: np.ndarray) -> Blocks:
    """The relative covariance (k, k) of each group term."""
    return {j: F @ F.T for j, F in enumerate(layout.factors(x))}


def largest(blocks: Blocks) -> float:
    """The largest variance of all."""
    return max((float(np.max(np.diag(each))) for each in blocks.values()), default=0.0)


def doubtful(layout: Theta, here: Blocks) -> bool:
    """Whether a block with a correlation is near singular, absolutely or beside the other blocks."""
    most = largest(here)
    return any(
        layout.k(j) > 1 and structure.correlated and np.linalg.eigvalsh(here[j])[0] <= NEAR**2 * most
        for j, structure in enumerate(layout.covariances)
    )


def starts(layout: Theta, x: np.ndarray, here: Blocks, usual: float) -> list[np.ndarray]:
    """Correlations of the other sign with zero variances raised; and the variance in the terms that had least."""
    sizes, typical = _sizes(here, usual)
    exchanged = {
        j: (4 * typical if sizes[j] < LITTLE * typical else 0.25 * typical) * np.eye(len(each))
        for j, each in here.items()
    }
    return [mirrored(layout, x, here, usual), _placed(layout, x, exchanged)]


def mirrored(layout: Theta, x: np.ndarray, here: Blocks, usual: float) -> np.ndarray:
    """x with correlations of the other sign, and with variances near zero raised."""
    sizes, typical = _sizes(here, usual)
    blocks = {}
    for j, each in here.items():
        signs = np.where(np.arange(len(each)) % 2, -1.0, 1.0)
        raised = typical if sizes[j] < LITTLE * typical else 0.1 * sizes[j]
        blocks[j] = each * np.outer(signs, signs) + raised * np.eye(len(each))
    return _placed(layout, x, blocks)


def _sizes(here: Blocks, usual: float) -> tuple[dict[int, float], float]:
    """The mean variance of each block, and the largest of these and of `usual`."""
    sizes = {j: float(np.trace(each)) / len(each) for j, each in here.items()}
    return sizes, max(*sizes.values(), usual)


def _placed(layout: Theta, x: np.ndarray, blocks: Blocks) -> np.ndarray:
    """x with other covariances, where a term's structure can take any."""
    for j, structure in enumerate(layout.covariances):
        if structure.invariance != "none":
            x = layout.replaced(x, j, np.linalg.cholesky(blocks[j]))
    return x


def distance(layout: Theta, x: np.ndarray, theta: np.ndarray, here: Blocks, usual: float) -> float:
    """The largest difference of relative covariances from those at x, over the largest variance of both or `usual`."""
    there = covariances(layout, np.concatenate([theta, x[len(theta) :]]))
    size = max(largest(here), largest(there), usual, 1e-300)
    return max(float(np.max(np.abs(there[j] - here[j]))) for j in here) / size


def _rough(cheap: StandIn, start: np.ndarray, returned: Callable[[np.ndarray], bool]) -> tuple[float, np.ndarray]:
    """Where a rough search of the stand-in ends; given up as soon as it comes back to the first optimum."""

    def function(theta: np.ndarray) -> tuple[float, np.ndarray]:
        try:
            value, gradient = cheap(theta)
        except np.linalg.LinAlgError:
            return HUGE, np.zeros_like(theta)
        return (value, gradient) if np.isfinite(value) else (HUGE, np.zeros_like(theta))

    def stop(theta: np.ndarray) -> None:
        if returned(theta):
            raise StopIteration

    result: Any = minimize(  # type: ignore[call-overload]
        function, start, jac=True, method="BFGS", options={"maxiter": ROUGH, "gtol": SLOPE}, callback=stop
    )
    return float(result.fun), result.x
