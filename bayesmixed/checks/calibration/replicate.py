"""One replicate of a calibration: parameters from the prior, a response from them, a fit, and the ranks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...engines.base import Engine
from ...engines.program.prior_predictive import Sampler, simulate_responses
from ...errors import FitError
from ...fits.convergence import convergence
from ...parameters.values import Parameters
from ...prediction.new_levels import draw_effects
from .ranked import LOG_LIKELIHOOD, log_likelihood, scalars

if TYPE_CHECKING:
    from ...fits.draws import DrawsFit
    from ...fits.point import PointFit
    from ...model import Model


@dataclass(frozen=True)
class ReplicateRanks:
    """Of one replicate: per quantity the true value, its rank among `draws` kept draws, and a position in (0, 1).

    The position is uniform where the rank is, whatever the number of draws: (rank + a uniform number) / (draws + 1).
    """

    names: tuple[str, ...]
    true: np.ndarray
    rank: np.ndarray
    position: np.ndarray
    draws: int
    divergences: int
    warned: bool


@dataclass(frozen=True)
class Failure:
    """A replicate that has no ranks: at which stage it ended ("simulating" or "fitting"), and why."""

    stage: str
    reason: str


class NoDraws(FitError):
    """The engine gives no draws, so that no replicate can be ranked."""


def replicate(
    model: Model, engine: Engine, sample: Sampler, seed: np.random.SeedSequence, most: int
) -> ReplicateRanks | Failure:
    """Draw, simulate, fit and rank; `most` draws are kept at most."""
    keys, noise, fitting = seed.spawn(3)
    rng = np.random.default_rng(noise)
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # a prior may reach where responses overflow
            true = _true_parameters(sample, keys, rng)
            simulated = model.with_response(simulate_responses(model, true, rng)[0])
    except Exception as error:
        return Failure("simulating", _words(error))
    try:
        fit = engine.fit(simulated, seed=int(fitting.generate_state(1)[0]), progress=False)
        return _ranks(simulated, fit, true, rng, most)
    except NoDraws:
        raise
    except Exception as error:
        return Failure("fitting", _words(error))


def _true_parameters(sample: Sampler, seed: np.random.SeedSequence, rng: np.random.Generator) -> Parameters:
    """One draw from the prior.

    Its effects are drawn here from sds and correlations, not by the program: what the program means by an sd is part
    of what is checked.
    """
    drawn = sample(seed.generate_state(2, np.uint32)[None])
    levels = [b.shape[2] for b in drawn.b]
    return replace(drawn, b=tuple(draw_effects(drawn, j, many, rng) for j, many in enumerate(levels)))


def _ranks(
    model: Model, fit: PointFit | DrawsFit, true: Parameters, rng: np.random.Generator, most: int
) -> ReplicateRanks:
    if fit.parameters.n_draws < 2:
        raise NoDraws(
            f"{fit.label} gives estimates, and calibration ranks true values among draws. "
            'Use an engine that draws, e.g. method="nuts".',
            topic="needs-draws",
        )
    every = scalars(model, fit.parameters)
    values = np.stack(list(every.values()), axis=-1)
    if not np.all(np.isfinite(values)):
        raise FitError("some draws are not finite.", topic="replicates-failed")
    kept = _thinned(values, most)
    thin = fit.parameters.flat().take(kept)
    draws = np.column_stack([values.reshape(-1, values.shape[-1])[kept], log_likelihood(model, thin)])
    truth = np.append([v[0, 0] for v in scalars(model, true).values()], log_likelihood(model, true))
    ties = rng.integers(0, np.sum(draws == truth, axis=0) + 1)
    rank = np.sum(draws < truth, axis=0) + ties
    return ReplicateRanks(
        names=(*every, LOG_LIKELIHOOD),
        true=truth,
        rank=rank,
        position=(rank + rng.uniform(size=len(rank))) / (len(kept) + 1),
        draws=len(kept),
        divergences=int(getattr(fit.status, "divergences", 0)),
        warned=bool(fit.status.problems),
    )


def _thinned(values: np.ndarray, most: int) -> np.ndarray:
    """Positions among all draws, chain after chain, at even distances and as many as are about independent.

    As many as the smallest bulk effective sample size: ranks are uniform only among independent draws (Talts et al.
    2018, section 4.1).
    """
    total = values.shape[0] * values.shape[1]
    sizes = convergence(values).ess_bulk
    constant = np.ptp(values.reshape(total, -1), axis=0) == 0  # a chain that never moved is worth one draw
    least = 1.0 if np.any(constant) or not np.all(np.isfinite(sizes)) else float(np.min(sizes))
    many = int(np.clip(least, 1, min(most, total)))
    return np.round(np.linspace(0, total - 1, many + 2)[1:-1]).astype(int)


def _words(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
