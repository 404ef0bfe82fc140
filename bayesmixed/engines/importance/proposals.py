"""Where proposals of hyperparameters come from: the mode of their posterior, its curvature, and t distributions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from scipy.special import gammaln

from ...errors import FitError
from ...likelihood.posterior.log_posterior import LogPosterior
from ...likelihood.posterior.space import Space
from ...likelihood.posterior.standardised import Standardised
from ..search.gradient_methods import BFGS

DEGREES = 5  # of freedom of the t: heavier tails than a posterior of log sds has
STEP = 1e-2  # of a rough standard deviation: differences of the gradient that give the Hessian
FLAT = 1e-3  # least curvature of a direction, relative to what the rough scales would give
STANDARDISED_STEP = 1e-3  # of a rough standard deviation: differences of the coordinates of proposals
UNKNOWN = 0.7  # scale of the atanh of a partial correlation that data say nothing about
WORTH = 8  # points a dimension that a refitted shape rests on at least
LEAST_POWER = 0.02  # of weights, beyond which flattening them ends
EM_STEPS = 8  # of the fit of a t, which starts near
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
class ProposalShape:
    """A multivariate t about `centre` (m,) with shape matrix root root'."""

    centre: np.ndarray
    root: np.ndarray

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Points (count, m)."""
        z = rng.standard_normal((count, len(self.centre)))
        stretch = np.sqrt(DEGREES / rng.chisquare(DEGREES, count))
        return self.centre + (stretch[:, None] * z) @ self.root.T

    def squared(self, points: np.ndarray) -> np.ndarray:
        """Squared distances (N,) of points (N, m) from the centre, in units of the shape."""
        return np.sum(np.linalg.solve(self.root, (points - self.centre).T) ** 2, axis=0)

    def log_density(self, points: np.ndarray) -> np.ndarray:
        """Of points (N, m)."""
        m = len(self.centre)
        constant = gammaln((DEGREES + m) / 2) - gammaln(DEGREES / 2) - 0.5 * m * np.log(DEGREES * np.pi)
        log_det = np.linalg.slogdet(self.root)[1]
        return constant - log_det - 0.5 * (DEGREES + m) * np.log1p(self.squared(points) / DEGREES)


class Proposal(Protocol):
    """A density that proposals come from."""

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Points (count, m)."""

    def log_density(self, points: np.ndarray) -> np.ndarray:
        """Of points (N, m)."""


@dataclass(frozen=True)
class Vanishing:
    """Proposals in which the log sd at `place` falls below `start` by a unit exponential; the others are from a t.

    A prior that does not vanish with its sd gives the log sd this tail wherever the data allow an sd of zero, and no t
    follows it over the whole way.
    """

    place: int
    start: float
    others: ProposalShape

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Points (count, m)."""
        return np.insert(self.others.draw(count, rng), self.place, self.start - rng.standard_exponential(count), axis=1)

    def log_density(self, points: np.ndarray) -> np.ndarray:
        """Of points (N, m)."""
        below = self.start - points[:, self.place]
        others = self.others.log_density(np.delete(points, self.place, axis=1))
        return np.where(below >= 0, others - below, -np.inf)

    def about(self, points: np.ndarray, log_weights: np.ndarray) -> Vanishing:
        """The same with the other parameters placed as those of weighted points (N, m)."""
        if points.shape[1] < 2:
            return self
        return replace(self, others=refitted(self.others, np.delete(points, self.place, axis=1), log_weights))


def vanishing(space: Space, shape: ProposalShape) -> list[Vanishing]:
    """One per standard deviation, about `shape`; the correlations of its bar are unknown where it vanishes."""
    found, first = [], 0
    for k, count in space.sizes:
        for place in range(first, first + k):
            centre, spread = shape.centre.copy(), shape.root @ shape.root.T
            start = float(centre[place] - np.sqrt(spread[place, place]))
            free = np.arange(first + k, first + k + count)
            centre[free], spread[free], spread[:, free] = 0.0, 0.0, 0.0
            spread[free, free] = UNKNOWN**2
            kept = np.delete(np.arange(len(centre)), place)
            found.append(
                Vanishing(place, start, ProposalShape(centre[kept], np.linalg.cholesky(spread[np.ix_(kept, kept)])))
            )
        first += k + count
    return found


def find_mode(posterior: LogPosterior, start: np.ndarray, maxiter: int | None = None) -> PosteriorMode:
    """Maximise the log posterior from `start` in at most `maxiter` iterations, and its Hessian there.

    Raises
    ------
    FitError
        Where the density cannot be computed at the start or no mode is found.
    """

    def minus(psi: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = posterior.value_and_gradient(psi)
        return -value, -gradient

    found = BFGS(maxiter).minimise(minus, start, np.diag(posterior.scales**2))
    if not (found.converged or found.decrease < 1e-2):
        raise FitError(
            f'The mode of the posterior was not found ({found.message}). Use model.fit("nuts", seed=1), rescale '
            "columns with huge or tiny values, or give tighter priors.",
            topic="broke-down",
        )
    hessian = posterior.hessian(found.x, STEP)
    values, vectors = np.linalg.eigh(hessian * np.outer(posterior.scales, posterior.scales))
    half = posterior.scales[:, None] * vectors / np.sqrt(np.maximum(values, FLAT))
    mode = PosteriorMode(found.x, half, -found.value, bool(np.all(values > FLAT)), found.converged)
    posterior.track(_about(mode))
    return mode


def first_shape(posterior: LogPosterior, mode: PosteriorMode, standardised: Standardised | None) -> ProposalShape:
    """The mode and its curvature in the coordinates of the proposals."""
    if standardised is None:
        return ProposalShape(mode.psi, mode.root)
    steps = STANDARDISED_STEP * np.diag(posterior.scales)
    ends = standardised.phi(np.concatenate([mode.psi[None], mode.psi + steps, mode.psi - steps]))
    m = len(mode.psi)
    jacobian = (ends[1 : m + 1] - ends[m + 1 :]).T / (2 * np.diag(steps))
    return ProposalShape(ends[0], jacobian @ mode.root)


def refitted(last: ProposalShape, points: np.ndarray, log_weights: np.ndarray) -> ProposalShape:
    """The t of greatest likelihood for weighted points (N, m), drawn towards the `last` where they say little.

    Weights are flattened until they are worth `WORTH` points a dimension, so that one far point does not shape all.
    """
    m = points.shape[1]
    weights = _flattened(log_weights, max(0.1 * len(points), WORTH * m))
    worth = 1 / float(np.sum(weights**2))
    held = last.root @ last.root.T
    for _ in range(EM_STEPS):
        shares = weights * (DEGREES + m) / (DEGREES + last.squared(points))
        centre = shares @ points / np.sum(shares)
        away = points - centre
        spread = (worth * (away.T @ (shares[:, None] * away)) + (m + 2) * held) / (worth + m + 2)
        last = ProposalShape(centre, np.linalg.cholesky(spread))
    return last


def _flattened(log_weights: np.ndarray, least: float) -> np.ndarray:
    """Normalised weights (N,) to the largest power that leaves them worth `least` points."""
    shifted, power = log_weights - np.max(log_weights), 1.0
    while True:
        weights = np.exp(power * shifted)
        weights /= np.sum(weights)
        if np.sum(weights**2) * least <= 1 or power < LEAST_POWER:
            return weights
        power *= 0.8


def _about(mode: PosteriorMode) -> np.ndarray:
    """The mode and a point on each side of it along every axis (2 m + 1, m)."""
    steps = TRACKED * mode.root.T
    return np.concatenate([mode.psi[None], mode.psi + steps, mode.psi - steps])
