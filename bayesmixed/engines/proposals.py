"""Proposals about the mode of a posterior: the search for it, its curvature, and a multivariate t of that shape."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gammaln

from ..errors import FitError
from ..likelihood.posterior.density import LogPosterior
from .optimize import minimise

DEGREES = 5  # of freedom of the t: heavier tails than a posterior of log sds has
STEP = 1e-2  # of a rough standard deviation: differences of the gradient that give the Hessian
FLAT = 1e-3  # least curvature of a direction, relative to what the rough scales would give
TRACKED = 0.5  # standard deviations about the mode at which modes of effects are found, to follow them between


@dataclass(frozen=True)
class PosteriorMode:
    """`psi` (m,) at the mode, `root` (m, m) with root root' the inverse Hessian there, `value` the log density.

    `curved` False where the Hessian had a direction without curvature; `converged` as the search says.
    """

    psi: np.ndarray
    root: np.ndarray
    value: float
    curved: bool
    converged: bool


@dataclass(frozen=True)
class Proposals:
    """`psi` (N, m) and the log density (N,) they were drawn from."""

    psi: np.ndarray
    log_density: np.ndarray


def find_mode(posterior: LogPosterior, start: np.ndarray) -> PosteriorMode:
    """Maximise the log posterior from `start`, and its Hessian there.

    Raises
    ------
    FitError
        Where the density cannot be computed at the start or no mode is found.
    """

    def minus(psi: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = posterior.value_and_gradient(psi)
        return -value, -gradient

    found = minimise(minus, start, metric=np.diag(posterior.scales**2))
    if not (found.converged or found.decrease < 1e-2):
        raise FitError(
            f'The mode of the posterior was not found ({found.message}). Use model.fit("nuts", seed=1), rescale '
            "columns with huge or tiny values, or give tighter priors."
        )
    hessian = posterior.hessian(found.x, STEP)
    values, vectors = np.linalg.eigh(hessian * np.outer(posterior.scales, posterior.scales))
    half = posterior.scales[:, None] * vectors / np.sqrt(np.maximum(values, FLAT))
    mode = PosteriorMode(found.x, half, -found.value, bool(np.all(values > FLAT)), found.converged)
    posterior.track(_about(mode))
    return mode


def propose(posterior: LogPosterior, mode: PosteriorMode, count: int, rng: np.random.Generator) -> Proposals:
    """`count` draws from a multivariate t with the mode's location and shape."""
    m = len(mode.psi)
    z = rng.standard_normal((count, m))
    stretch = np.sqrt(DEGREES / rng.chisquare(DEGREES, count))
    psi = mode.psi + (stretch[:, None] * z) @ mode.root.T
    squared = stretch**2 * np.sum(z**2, axis=1)
    constant = gammaln((DEGREES + m) / 2) - gammaln(DEGREES / 2) - 0.5 * m * np.log(DEGREES * np.pi)
    log_det = np.linalg.slogdet(mode.root)[1]
    return Proposals(psi, constant - log_det - 0.5 * (DEGREES + m) * np.log1p(squared / DEGREES))


def refitted(mode: PosteriorMode, pool: Proposals, log_weights: np.ndarray) -> PosteriorMode:
    """The same with location and shape of a weighted pool: nearer to a skewed posterior than its mode is."""
    weights = np.exp(log_weights)
    mean = weights @ pool.psi
    away = pool.psi - mean
    values, vectors = np.linalg.eigh(away.T @ (weights[:, None] * away))
    floor = FLAT * max(float(values[-1]), 1e-300) if len(values) else 0.0
    return replace(mode, psi=mean, root=vectors * np.sqrt(np.maximum(values, floor)))


def _about(mode: PosteriorMode) -> np.ndarray:
    """The mode and a point on each side of it along every axis (2 m + 1, m)."""
    steps = TRACKED * mode.root.T
    return np.concatenate([mode.psi[None], mode.psi + steps, mode.psi - steps])
