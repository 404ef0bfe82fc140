"""Whether a Laplace approximation of a posterior can be trusted: weights, dimension, normality of effects, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...fits.status import DrawsStatus
from ...likelihood.posterior.log_posterior import MANY, LogPosterior
from ...likelihood.posterior.normality import Normality
from ...messages import Told
from ..remedies import call
from .pareto import SmoothedWeights
from .proposals import PosteriorMode

if TYPE_CHECKING:
    from ...model import Model
    from ..laplace import Laplace

K_LIMIT = 0.7  # Vehtari et al. (2024), section 3.2.4
ESS_LEAST = 400  # independent draws below which means and interval ends are rough; at most half the draws asked for
DISTINCT_LEAST = 0.5  # share of draws with a proposal of their own
SHIFT_LIMIT = 0.15  # conditional sds between mean and mode of an effect, averaged over levels
NUTS = 'model.fit("nuts", seed=1)'


def laplace_status(
    model: Model,
    posterior: LogPosterior,
    mode: PosteriorMode,
    weights: SmoothedWeights,
    engine: Laplace,
    distinct: int,
) -> DrawsStatus:
    """The state of a fit by `bm.Laplace`, with what is wrong in words."""
    m = posterior.space.dimension
    effects = posterior.normality(mode.psi)
    problems = [
        *_shape(weights.k),
        *_size(weights, engine),
        *_distinct(distinct, engine),
        *_dimension(m),
        *_mode(mode),
        *(word for each in effects for word in _effects(model, each)),
    ]
    nan = float("nan")
    return DrawsStatus(
        route=f"Laplace approximation: {posterior.marginal.words}; {m} hyperparameter{'s' if m != 1 else ''}",
        divergences=0,
        max_rhat=nan,
        min_ess_bulk=nan,
        min_ess_tail=nan,
        min_bfmi=nan,
        problems=tuple(problems),
        pareto_k=weights.k,
        ess_weights=weights.ess,
        distinct_draws=distinct,
        effect_shift=max((each.shift for each in effects), default=0.0),
    )


def _shape(k: float) -> list[str]:
    if np.isnan(k) or k <= K_LIMIT:
        return []
    return [
        Told(
            "pareto-k",
            f"The Pareto shape k of the importance weights is {k:.2f}, above {K_LIMIT:g}: these draws do not "
            f"represent the posterior. Use {NUTS}.",
        )
    ]


def _size(weights: SmoothedWeights, engine: Laplace) -> list[str]:
    least = min(ESS_LEAST, engine.draws / 2)
    if weights.ess >= least:
        return []
    return [
        Told(
            "few-proposals",
            f"The importance weights are worth {weights.ess:.0f} independent draws: means are rough and interval ends "
            f"rougher. Propose more, e.g. {_more(engine)}, or use {NUTS}.",
        )
    ]


def _distinct(distinct: int, engine: Laplace) -> list[str]:
    if distinct >= DISTINCT_LEAST * engine.draws:
        return []
    return [
        Told(
            "few-proposals",
            f"The {engine.draws} draws come from {distinct} proposals, some of them many times: quantiles are rough. "
            f"Propose more, e.g. {_more(engine)}, or use {NUTS}.",
        )
    ]


def _more(engine: Laplace) -> str:
    return call(engine, pool=4 * engine.pool)


def _dimension(m: int) -> list[str]:
    if m <= MANY:
        return []
    return [
        Told(
            "many-hyperparameters",
            f"{m} hyperparameters: beyond {MANY} a t distribution about the mode fits badly, and k may miss it. "
            f"Compare with {NUTS} before relying on it.",
        )
    ]


def _mode(mode: PosteriorMode) -> list[str]:
    if mode.curved and mode.converged:
        return []
    return [
        Told(
            "mode-without-curvature",
            "The posterior has a direction without curvature at its mode, so that the proposals may miss part of it. "
            f"Use {NUTS}, or tighter priors.",
        )
    ]


def _effects(model: Model, found: Normality) -> list[str]:
    if found.shift <= SHIFT_LIMIT:
        return []
    levels = next(term.n_levels for term in model.design.groups if term.factor == found.factor)
    return [
        Told(
            "effects-not-normal",
            f"The effects of {found.factor} are not normal given the rest: their means are {found.shift:.2f} "
            f"conditional standard deviations from their modes on average, with {model.n_obs / levels:.1f} rows per "
            "level that "
            "say little each. Effects, and where there are several factors also standard deviations, are off. Use "
            f"{NUTS}.",
        )
    ]
