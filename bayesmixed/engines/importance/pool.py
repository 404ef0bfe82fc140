"""A pool of weighted proposals of hyperparameters: made in rounds, each shaped by the last, until weights are even."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import logsumexp

from ...errors import FitError
from ...likelihood.posterior.log_posterior import LogPosterior
from ...likelihood.posterior.marginal import Places
from ...likelihood.posterior.standardised import Standardised
from ..machine.progress import Progress
from .pareto import SmoothedWeights, smooth_weights
from .proposals import PosteriorMode, Proposal, ProposalShape, Vanishing, first_shape, refitted, vanishing

AT_ONCE = 50  # proposals between two looks of the progress bar, evaluated side by side
PILOT, PILOT_EACH = 200, 20  # proposals of a round that shapes the next: at least, and for each dimension
SHAPING = 3  # rounds of that size, before one that fills what is missing
KEPT = 0.1  # share of later rounds that still comes from the mode's curvature: no region is given up
EDGE, LEAST_EDGE = 0.1, 0.02  # share of proposals in which a given sd vanishes: of the first round, and at least
MOST_EDGE = 0.5  # the same of all sds together
OVER = 3.0  # times its share of the posterior: weights in a thin tail stay near 1
SHAPED = 0.05  # share of posterior from which on a vanishing sd shapes the proposals of the others
EM_STEPS = 30  # of the shares
MOST_TIMES = 2  # that a proposal is expected among the draws
WORTH = 1.5  # independent draws that all proposals are worth, for each draw: their error adds to that of the draws
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

    posterior: LogPosterior
    standardised: Standardised | None
    points: np.ndarray
    psi: np.ndarray
    log_target: np.ndarray
    places: list[Places | None] = field(default_factory=list)
    parts: list[tuple[int, Proposal]] = field(default_factory=list)

    def log_parts(self) -> np.ndarray:
        """log of each part's share of the mixture at each point (parts, N)."""
        total = sum(count for count, _ in self.parts)
        return np.stack([np.log(count / total) + part.log_density(self.points) for count, part in self.parts])

    def add(self, parts: Sequence[tuple[int, Proposal]], rng: np.random.Generator, bar: Progress) -> None:
        """One more round: so many proposals from each part."""
        points = np.concatenate([part.draw(count, rng) for count, part in parts])
        psi, volume = (points, np.zeros(len(points))) if self.standardised is None else self.standardised.psi(points)
        values = []
        for start in range(0, len(psi), AT_ONCE):
            found, places = self.posterior.values_and_places(psi[start : start + AT_ONCE])
            values.append(found)
            self.places.append(places)
            bar.add(len(found))
        self.points, self.psi = np.concatenate([self.points, points]), np.concatenate([self.psi, psi])
        self.log_target = np.concatenate([self.log_target, np.concatenate(values) + volume])
        self.parts += [part for part in parts if part[0]]

    def pool(self, weights: SmoothedWeights) -> Pool:
        """All of it."""
        places = [each for each in self.places if each is not None]
        whole = len(places) == len(self.places)
        return Pool(self.psi, weights, tuple(map(np.concatenate, zip(*places, strict=True))) if whole else None)


def weighted_pool(
    posterior: LogPosterior, mode: PosteriorMode, draws: int, most: int, rng: np.random.Generator, bar: Progress
) -> Pool:
    """Proposals until none is asked for often and all are worth more than the `draws`; at most `most`.

    Raises
    ------
    FitError
        Where the posterior cannot be computed at most of them.
    """
    standardised = posterior.standardised(mode.psi)
    first = last = first_shape(posterior, mode, standardised)
    m = len(mode.psi)
    pilot = min(max(PILOT, PILOT_EACH * m), max(most // (SHAPING + 1), 1))
    rounds = _Rounds(posterior, standardised, np.zeros((0, m)), np.zeros((0, m)), np.zeros(0))
    edges, size = _clipped(np.full(sum(k for k, _ in posterior.space.sizes), EDGE)), pilot
    edge = vanishing(posterior.space, last)
    for count in range(1, most + 1):
        rounds.add(_parts(size, last, first if count > 1 else None, edge, edges), rng, bar)
        weights = _weights(rounds)
        made = len(rounds.points)
        missing = made * draws * max(weights.largest / MOST_TIMES, WORTH / weights.ess) - made
        if made >= most or missing <= 0 or m == 0:
            break
        last = refitted(last, rounds.points, weights.log_weights)
        edge = vanishing(posterior.space, last)
        edges, edge = _edges(rounds.points, weights.log_weights, last, edge)
        size = pilot if count < SHAPING else int(np.ceil(SPARE * missing))
        size = min(max(size, min(pilot, AT_ONCE)), most - made)
    bar.add(max(most - len(rounds.points), 0))
    return rounds.pool(weights)


def _parts(
    size: int, last: ProposalShape, first: ProposalShape | None, edge: Sequence[Proposal], shares: np.ndarray
) -> list[tuple[int, Proposal]]:
    """How many of `size` proposals come from which density."""
    found: list[tuple[int, Proposal]] = [(int(share * size), part) for share, part in zip(shares, edge, strict=True)]
    if first is not None:
        found.append((int(KEPT * size), first))
    return [(size - sum(count for count, _ in found), last), *found]


def _edges(
    points: np.ndarray, log_weights: np.ndarray, last: ProposalShape, edge: list[Vanishing]
) -> tuple[np.ndarray, list[Vanishing]]:
    """The shares (sds,) of weighted points that proposals with a vanishing sd explain best, beside `last`; by EM.

    Where a share is not small, the other parameters are placed as they are with that sd near zero.
    """
    if not edge:
        return np.zeros(0), edge
    densities: list[Proposal] = [last, *edge]
    logs = np.stack([part.log_density(points) for part in densities])
    shares, weights = np.full(len(logs), 1 / len(logs)), np.exp(log_weights)
    for _ in range(EM_STEPS):
        parts = np.log(shares)[:, None] + logs
        explained = parts - logsumexp(parts, axis=0)
        shares = np.exp(explained) @ weights
        shares = np.maximum(shares, LEAST_EDGE) / np.sum(np.maximum(shares, LEAST_EDGE))
    found = [
        part.about(points, log_weights + log) if share > SHAPED else part
        for part, share, log in zip(edge, shares[1:], explained[1:], strict=True)
    ]
    return _clipped(OVER * shares[1:]), found


def _clipped(shares: np.ndarray) -> np.ndarray:
    most = MOST_EDGE / max(len(shares), 1)
    return np.clip(shares, min(LEAST_EDGE, most), most)


def _weights(rounds: _Rounds) -> SmoothedWeights:
    if np.mean(np.isfinite(rounds.log_target)) < USABLE:
        raise FitError(
            "The posterior is zero or cannot be computed at most proposals about its mode: "
            'Laplace\'s approximation has nothing to stand on here. Use model.fit("nuts", seed=1).',
            topic="broke-down",
        )
    return smooth_weights(rounds.log_target - logsumexp(rounds.log_parts(), axis=0))
