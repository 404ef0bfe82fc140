"""A pool of weighted proposals of hyperparameters: made in rounds, each shaped by the last, until weights are even."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.special import logsumexp

from ..errors import FitError
from ..fits.pareto import SmoothedWeights, smooth_weights
from ..likelihood.posterior.density import LogPosterior
from ..likelihood.posterior.marginal import Places
from ..likelihood.posterior.standardised import Standardised
from .progress import Progress
from .proposals import PosteriorMode, Shape, first_shape, refitted

AT_ONCE = 50  # proposals between two looks of the progress bar, evaluated side by side
PILOT, PILOT_EACH = 200, 20  # proposals of a round that shapes the next: at least, and for each dimension
SHAPING = 3  # rounds of that size, before one that fills what is missing
KEPT = 0.1  # share of later rounds that still comes from the mode's curvature: no region is given up
SPARE = 1.1  # of the proposals that seem to be missing: weights of the next round are a guess
USABLE = 0.25  # share of proposals with a density


@dataclass(frozen=True)
class Pool:
    """Proposals `psi` (N, m) with their `weights`, and where the modes of their effects are (None if not kept)."""

    psi: np.ndarray
    weights: SmoothedWeights
    places: Places | None


@dataclass
class _Rounds:
    """Every proposal so far, in the coordinates of the proposals, as if from the mixture of all rounds' densities.

    So a proposal of an early round in a region that later rounds cover well has no large weight (Veach & Guibas's
    balance heuristic; Cornuet, Marin, Mira & Robert 2012, Scand. J. Stat. 39, 798-812).
    """

    points: np.ndarray
    psi: np.ndarray
    log_target: np.ndarray
    places: list[Places | None] = field(default_factory=list)
    shares: list[tuple[float, Shape]] = field(default_factory=list)

    def log_ratios(self) -> np.ndarray:
        total = sum(count for count, _ in self.shares)
        logs = [np.log(count / total) + shape.log_density(self.points) for count, shape in self.shares]
        return self.log_target - logsumexp(logs, axis=0)


def weighted_pool(
    posterior: LogPosterior, mode: PosteriorMode, draws: int, most: int, rng: np.random.Generator, bar: Progress
) -> Pool:
    """Proposals until the largest weight asks for no draw twice and all are worth `draws`; at most `most`.

    Raises
    ------
    FitError
        Where the posterior cannot be computed at most of them.
    """
    standardised = posterior.standardised(mode.psi)
    first = last = first_shape(posterior, mode, standardised)
    m = len(mode.psi)
    pilot = min(max(PILOT, PILOT_EACH * m), max(most // (SHAPING + 1), 1))
    rounds = _Rounds(np.zeros((0, m)), np.zeros((0, m)), np.zeros(0))
    size = pilot
    while True:
        _add(rounds, posterior, standardised, first, last, size, rng, bar)
        weights = _weights(rounds)
        count = len(rounds.points)
        missing = max(draws * weights.largest * count, draws * count / weights.ess, draws) - count
        if count >= most or missing <= 0 or m == 0:
            break
        last = refitted(last, rounds.points, weights.log_weights)
        size = pilot if len(rounds.shares) < 2 * SHAPING - 1 else int(np.ceil(SPARE * missing))
        size = min(max(size, min(pilot, AT_ONCE)), most - count)
    bar.add(max(most - count, 0))
    places = [each for each in rounds.places if each is not None]
    whole = len(places) == len(rounds.places)
    kept = tuple(np.concatenate(parts) for parts in zip(*places, strict=True)) if whole else None
    return Pool(rounds.psi, weights, kept)


def _add(
    rounds: _Rounds,
    posterior: LogPosterior,
    standardised: Standardised | None,
    first: Shape,
    last: Shape,
    size: int,
    rng: np.random.Generator,
    bar: Progress,
) -> None:
    """One more round of `size` proposals, from the `first` shape and the `last`."""
    new = size if first is last else int(round((1 - KEPT) * size))
    points = np.concatenate([last.draw(new, rng), first.draw(size - new, rng)])
    psi, volume = (points, np.zeros(size)) if standardised is None else standardised.psi(points)
    values = []
    for start in range(0, size, AT_ONCE):
        found, places = posterior.values_and_places(psi[start : start + AT_ONCE])
        values.append(found)
        rounds.places.append(places)
        bar.add(len(found))
    rounds.points, rounds.psi = np.concatenate([rounds.points, points]), np.concatenate([rounds.psi, psi])
    rounds.log_target = np.concatenate([rounds.log_target, np.concatenate(values) + volume])
    rounds.shares += [(new, last)] + ([(size - new, first)] if size > new else [])


def _weights(rounds: _Rounds) -> SmoothedWeights:
    if np.mean(np.isfinite(rounds.log_target)) < USABLE:
        raise FitError(
            "The posterior is zero or cannot be computed at most proposals about its mode: "
            'Laplace\'s approximation has nothing to stand on here. Use model.fit("nuts", seed=1).'
        )
    return smooth_weights(rounds.log_ratios())
