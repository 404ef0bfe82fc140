"""What Laplace's approximation lacks where the integral does not factor: importance draws of all effects.

Draws come from the approximation itself; the log of a draw's weight is what the log-likelihood of the rows has beyond
its second-order expansion at the mode. Draws come in pairs of opposite sign: odd orders nearly cancel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..laplace.approximation import Curved, LaplaceLikelihood
from ..prediction_errors import draw_errors
from .adaptive import CHUNK

SEED = 20_240_501  # the same draws for the same model: a fit has one status


@dataclass(frozen=True)
class Estimated:
    """A log of an integral over Laplace's approximation to it, and its Monte Carlo standard error."""

    shift: float
    error: float


def importance(laplace: LaplaceLikelihood, x: np.ndarray, curved: Curved, draws: int) -> Estimated:
    """Estimate the log-likelihood less Laplace's from `draws` draws, at the conditional mode for x."""
    rng = np.random.default_rng(SEED)
    _, errors = draw_errors(curved.gram, curved.solution, draws // 2, rng, coefficients=False)
    moves = np.zeros((draws // 2, laplace.rows.n))
    for block, error in zip(laplace.rows.block_rows, errors, strict=True):
        for j in range(block.k):
            moves += block.weighted(j, error[block.codes, j].T)
    log = np.stack([_log_weights(laplace, x, curved, moves), _log_weights(laplace, x, curved, -moves)])
    top = float(np.max(log))
    pairs = np.exp(log - top).mean(axis=0)
    mean = float(pairs.mean())
    return Estimated(top + float(np.log(mean)), float(pairs.std(ddof=1) / np.sqrt(len(pairs))) / mean)


def _log_weights(laplace: LaplaceLikelihood, x: np.ndarray, curved: Curved, moves: np.ndarray) -> np.ndarray:
    """Per draw (c,) what is left of log f beyond the second order, for moves (c, n) of the predictors."""
    rows, d, dispersion = laplace.rows, curved.derivatives, laplace.beside(x)[1]
    low, high = rows.family.eta_range
    found = np.empty(len(moves))
    step = max(1, CHUNK // max(rows.n, 1))
    for first in range(0, len(moves), step):
        some = moves[first : first + step]
        eta = curved.mode.eta + some
        outside = (eta <= low) | (eta >= high)
        inside = np.where(outside, curved.mode.eta, eta)
        kernel = rows.family.derivatives(rows.observed, inside, dispersion, 0).kernel
        left = kernel - d.kernel - some * (d.g - 0.5 * d.V * some)
        found[first : first + step] = np.where(outside, -np.inf, left).sum(axis=1)
    return found
