"""An approximate posterior in a second: Laplace's, its hyperparameters corrected by importance weights."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import BayesMixedWarning, FitError, ModelError
from ..likelihood.posterior.log_posterior import LogPosterior, log_posterior
from ..likelihood.working.coordinates import Natural
from ..parameters.values import Parameters, compact
from ..prediction.seeds import is_whole, whole_seed
from ..priors.origin import to_typed
from .base import Engine, of_correlations
from .importance.pareto import resample
from .importance.pool import AT_ONCE, Pool, weighted_pool
from .importance.proposals import find_mode
from .importance.trust import laplace_status
from .improper import refuse_improper
from .machine.blas import blas_threads
from .machine.progress import Progress, progress_bar
from .ml import ML, check_identifiable, fit_linear, tail_columns
from .room import check_room
from .sampler.chain_start import start_from
from .search.gradient_methods import BFGS

if TYPE_CHECKING:
    from ..fits.draws import DrawsFit
    from ..fits.point import PointFit
    from ..model import Model


@dataclass(frozen=True)
class Laplace(Engine):
    """Draws from an approximation of the posterior under the model's priors, with a diagnosis of how good it is.

    Effects are integrated out of the posterior of the hyperparameters (standard deviations, correlations, dispersion,
    and coefficients where they are not integrated out as well): exactly in linear models, by quadrature with one
    grouping factor, else by Laplace's approximation. Proposals come in rounds: from a t distribution about the mode of
    that *marginal* posterior, then from t distributions fitted to the weighted proposals so far, in coordinates in
    which coefficients are normal scores given the standard deviations. They end when no weight asks for more than two
    draws.
    `draws` of them are drawn with replacement, so that skewed and heavy-tailed posteriors of standard deviations come
    out right. Effects are then drawn given the hyperparameters: exactly in linear models, else from the normal
    distribution about their mode.

    Parameters
    ----------
    draws
        Draws kept, one chain.
    pool
        Proposals per draw at most; about two are enough where the weights are even.
    maxiter
        Limit of iterations of the search for the mode. One that ends there without it is an error.

    Raises
    ------
    FitError
        Options that are no positive whole numbers; a posterior whose mode cannot be found.
    ModelError
        A flat prior of a standard deviation that leaves the posterior improper.

    Notes
    -----
    `status.pareto_k` is the Pareto shape of the weights (below 0.7 the hyperparameters can be trusted),
    `status.ess_weights` how many independent draws they are worth, `status.distinct_draws` how many proposals the draws
    have, `status.effect_shift` how far the mean of an effect
    is from its mode, in conditional standard deviations. ``idata.sample_stats["log_weight_proposal"]`` has the log
    weight that each draw's proposal had; the draws themselves are equally weighted.

    References
    ----------
    Tierney & Kadane (1986), J. Am. Stat. Assoc. 81, 82-86; Rue, Martino & Chopin (2009), J. R. Stat. Soc. B 71,
    319-392; Vehtari, Simpson, Gelman, Yao & Gabry (2024), J. Mach. Learn. Res. 25(72).

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
    >>> fit = model.fit(bm.Laplace(draws=400), seed=1)
    >>> bool(fit.status.pareto_k < 0.7), fit.idata.posterior.sizes["draw"]
    (True, 400)
    """

    draws: int = 1000
    pool: int = 4
    maxiter: int | None = None

    name = "laplace"
    label = "Laplace"
    heading = "Laplace approximation of the posterior"

    def __post_init__(self) -> None:
        for name in ("draws", "pool", *(["maxiter"] if self.maxiter is not None else [])):
            value = getattr(self, name)
            if not is_whole(value) or value < 1:
                raise FitError(f"{name} must be a whole number, at least 1, not {value!r}.", topic="whole-number")

    def words(self, model: Model) -> str:
        return f"a Laplace approximation of the posterior with importance weights ({self.draws} draws)"

    def papers(self, model: Model) -> tuple[str, ...]:
        return "tierney1986", "vehtari2024", *of_correlations(model)

    def fit(self, model: Model, *, seed: int | None = None, progress: bool | None = None) -> DrawsFit:
        refuse_improper(model)
        check_room(model, "bm.Laplace(draws={draws})", 1, self.draws)
        chosen = whole_seed(seed)
        with blas_threads(tail_columns(model)), progress_bar(progress, (self.pool + 1) * self.draws) as bar:
            return _fit(self, model, chosen, bar)


def _fit(engine: Laplace, model: Model, seed: int, bar: Progress) -> DrawsFit:
    from ..fits.draws import DrawsFit

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
        warnings.warn(BayesMixedWarning(str(stop), topic=stop.topic), stacklevel=6)
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
