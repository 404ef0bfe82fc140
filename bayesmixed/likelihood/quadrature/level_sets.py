"""The integral over one effect per level whatever its shape: panels between the level sets of the integrand.

Gauss-Hermite nodes suit integrands that look normal about their mode. Where responses are foretold without error the
integrand is a normal density cut off at steps, and more nodes do not help. Between the points where log f(y | u) phi(u)
has fallen by given amounts below its maximum it is smooth on the panel's own scale, wherever the steps are.
"""

from __future__ import annotations

import itertools

import numpy as np

from ..laplace.approximation import Curved, LaplaceLikelihood
from .adaptive import CHUNK, Likelihood

FALLS = (1e-3, 1e-2, 0.1, 0.5, 2.0, 6.0, 15.0, 40.0)  # of the log integrand, where a panel ends and the next begins
WIDEST = 9.0  # a fall of 40 is not farther: u'u / 2 alone falls by that much, and the rest is concave
NODES = 8  # a panel
SEARCH = 30  # steps of the search for the ends of panels, each at least a bisection
NEAR, REACH = 1e-3, 40.0  # of an effect's sd: what lies beside a mode, and how far away a better one is sought
GOLD, GOLDEN = 0.5 * (5**0.5 - 1), 60  # of a golden section search, and its steps: 40 to 1e-11
EVALUATIONS = 2 * len(FALLS) * (NODES + SEARCH)  # of a row's density


def level_set_logs(laplace: LaplaceLikelihood, x: np.ndarray, curved: Curved) -> np.ndarray:
    """log of the integral (L,) of every level of the only block, which has one column; without the constant."""
    integrand = _Integrand.of(laplace, x, curved)
    mode = _highest(integrand, curved.mode.u[0][:, 0])
    top = integrand(mode[None])[0]
    ends = _ends(integrand, mode, top)
    z, w = np.polynomial.legendre.leggauss(NODES)
    total = np.zeros(len(mode))
    for side in (1.0, -1.0):
        edges = np.concatenate([np.zeros((1, len(mode))), ends[side]])
        for low, high in itertools.pairwise(edges):
            half = 0.5 * (high - low)
            away = low + half * (1 + z[:, None])
            total += half * (w @ np.exp(integrand(mode + side * away) - top))
    return np.log(total) + top - 0.5 * np.log(2 * np.pi)


class _Integrand:
    """log f(y | u) - u'u / 2 (c, L) at effects u (c, L)."""

    def __init__(self, density: Likelihood, fixed: np.ndarray, factor: float) -> None:
        self.density, self.fixed, self.factor = density, fixed, factor

    @classmethod
    def of(cls, laplace: LaplaceLikelihood, x: np.ndarray, curved: Curved) -> _Integrand:
        rows, dispersion = laplace.rows, laplace.beside(x)[1]
        block, mode = rows.block_rows[0], curved.mode
        density = Likelihood(rows, block, dispersion, (), mode.eta)
        return cls(density, mode.eta - block.spread(mode.b[0]), float(laplace.factors(x)[0][0, 0]))

    def __call__(self, u: np.ndarray) -> np.ndarray:
        block = self.density.block
        step = max(1, CHUNK // max(len(self.fixed), 1))
        logs = []
        for first in range(0, len(u), step):
            part = u[first : first + step]
            eta = self.fixed + block.weighted(0, self.factor * part[:, block.codes])
            logs.append(self.density(eta, part[:, :, None], False).log)
        return np.concatenate(logs) - 0.5 * u**2


def _highest(integrand: _Integrand, mode: np.ndarray) -> np.ndarray:
    """The mode (L,); searched anew where steps so steep that Newton's stuck leave a higher point beside it."""
    beside = integrand(mode + np.array([[-NEAR], [0.0], [NEAR]]))
    if not np.any(beside[[0, 2]] > beside[1] + 2 * FALLS[0]):
        return mode
    low, high = mode - REACH, mode + REACH
    for _ in range(GOLDEN):
        left, right = high - GOLD * (high - low), low + GOLD * (high - low)
        rising = np.less(*integrand(np.stack([left, right])))
        low, high = np.where(rising, left, low), np.where(rising, high, right)
    return 0.5 * (low + high)


def _ends(integrand: _Integrand, mode: np.ndarray, top: np.ndarray) -> dict[float, np.ndarray]:
    """How far (F, L) from the mode the log integrand has fallen by each of FALLS, on either side of it."""
    many = len(FALLS)
    side = np.repeat([1.0, -1.0], many)[:, None]
    goal = top - np.tile(FALLS, 2)[:, None]
    low, high = np.full(goal.shape, 1e-12), np.full(goal.shape, WIDEST)
    for step in range(SEARCH):
        # sizes first (halving the exponent), then the digits
        middle = np.sqrt(low * high) if step < SEARCH // 3 else 0.5 * (low + high)
        above = integrand(mode + side * middle) > goal
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return {1.0: high[:many], -1.0: high[many:]}


def level_set_loglik(laplace: LaplaceLikelihood, x: np.ndarray, curved: Curved) -> float:
    """The log-likelihood of a model with one effect per level, with every constant."""
    return float(level_set_logs(laplace, x, curved).sum()) + laplace.constant


def applies(laplace: LaplaceLikelihood) -> bool:
    """Whether there is one grouping factor with one column of effects."""
    blocks = laplace.rows.blocks
    return len(blocks) == 1 and blocks[0].k == 1
