"""How are draws of Laplace's approximation made? The mode, proposals about it, weights, and what was integrated out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import BayesMixedWarning, ModelError, warn
from ...fits.draws import DrawsFit
from ...likelihood.posterior.log_posterior import LogPosterior, log_posterior
from ...likelihood.working.coordinates import Natural
from ...parameters.values import Parameters, compact
from ...prediction.seeds import whole_seed
from ...priors.origin import to_typed
from ..improper import refuse_improper
from ..machine.blas import blas_threads
from ..machine.progress import Progress, progress_bar
from ..maximum.linear import fit_linear
from ..ml import ML, check_identifiable, tail_columns
from ..room import check_room
from ..sampler.chain_start import start_from
from ..search.gradient_methods import BFGS
from .pareto import resample
from .pool import AT_ONCE, Pool, weighted_pool
from .proposals import find_mode
from .trust import laplace_status

if TYPE_CHECKING:
    from ...fits.point import PointFit
    from ...model import Model
    from ..laplace import Laplace


def fit_by_importance(engine: Laplace, model: Model, seed: int | None, progress: bool | None) -> DrawsFit:
    """See `Laplace`."""
    refuse_improper(model)
    check_room(model, "bm.Laplace(draws={draws})", 1, engine.draws)
    chosen = whole_seed(seed)
    with blas_threads(tail_columns(model)), progress_bar(progress, (engine.pool + 1) * engine.draws) as bar:
        return _fit(engine, model, chosen, bar)


def _fit(engine: Laplace, model: Model, seed: int, bar: Progress) -> DrawsFit:
    rng = np.random.default_rng(seed)
    posterior = log_posterior(model)
    bar.say("looking for the mode")
    mode = find_mode(posterior, start_of(posterior, _point_fit(model)), engine.maxiter)
    pool = weighted_pool(posterior, mode, engine.draws, engine.pool * engine.draws, rng, bar)
    kept = resample(pool.weights.log_weights, engine.draws, rng)
    parameters = _drawn(model, posterior, pool, kept, rng, bar)
    statistics = {"log_weight_proposal": pool.weights.log_weights[kept][None]}
    distinct = len(np.unique(kept)) if posterior.space.dimension else engine.draws
    status = laplace_status(model, posterior, mode, pool.weights, engine, distinct)
    return DrawsFit(model, engine, parameters, statistics, status, seed)


def _point_fit(model: Model) -> PointFit:
    if not model.linear:
        return ML().fit(model)
    try:
        check_identifiable(model)
    except ModelError as stop:
        # What stops ML only warns here: priors keep the posterior proper.
        warn(BayesMixedWarning(str(stop), topic=stop.topic))
    return fit_linear(model, ML(), None, BFGS())


def start_of(posterior: LogPosterior, fit: PointFit) -> np.ndarray:
    """psi (m,) of a point fit moved off the boundary; its standard errors become scales of the coefficients."""
    found = start_from(fit, fit.model)
    factors = tuple(to_typed(A, F) / found.scale for A, F in zip(posterior.space.origins, found.factors, strict=True))
    basis = posterior.space.coordinates.basis
    if basis.shape[1]:
        moved = np.any(basis != 0, axis=1)
        inverse = np.linalg.inv(basis[moved])
        covariance = fit.coefficient_covariance[np.ix_(moved, moved)]
        errors = np.sqrt(np.diag(inverse @ np.atleast_2d(covariance) @ inverse.T))
        first = posterior.space.n_terms
        rough = posterior.scales[first : first + len(errors)]
        posterior.scales[first : first + len(errors)] = np.where(np.isfinite(errors) & (errors > 0), errors, rough)
    return posterior.space.psi(Natural(factors, np.concatenate(list(found.coefficients.values())), found.dispersion))


def _drawn(
    model: Model, posterior: LogPosterior, pool: Pool, kept: np.ndarray, rng: np.random.Generator, bar: Progress
) -> Parameters:
    """The hyperparameters kept, and what was integrated out drawn given each."""
    psi = pool.psi[kept]
    places = None if pool.places is None else tuple(part[kept] for part in pool.places)
    points = posterior.space.points(psi)
    x = posterior.space.x(psi, points)
    beta, effects = [], []
    for first in range(0, len(x), AT_ONCE):
        some = slice(first, first + AT_ONCE)
        near = None if places is None else tuple(part[some] for part in places)
        for drawn_beta, drawn in posterior.marginal.draws(x[some], rng, near):
            beta.append(drawn_beta)
            effects.append(drawn)
        bar.add(len(x[some]))
    others = {name: points.beta[:, at][None] for name, at in model.design.places.items() if name != "mu"}
    factors = [compact(posterior.space.factors(points, j), model.covariances[j]) for j in range(len(points.blocks))]
    return Parameters(
        coefficients={"mu": np.stack(beta)[None], **others},
        factors=tuple(factor[None] for factor in factors),
        b=tuple(np.stack(parts)[None] for parts in zip(*effects, strict=True)),
        dispersion={name: value[None] for name, value in points.dispersion.items()},
    )
