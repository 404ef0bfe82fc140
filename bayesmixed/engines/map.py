"""MAP: penalised maximum likelihood, by default with a penalty that keeps covariances from being singular."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import FitError
from ..fits.point import PointFit, point_values
from ..fits.status import PointStatus, singular_terms
from ..likelihood.at import laplace_of, likelihood_of
from ..likelihood.boundary import ACCEPT
from ..likelihood.criteria.laplace_deviance import LaplaceCriterion
from ..likelihood.criteria.profiled import ProfiledCriterion
from ..likelihood.criteria.quadrature_deviance import QuadratureCriterion
from ..likelihood.criteria.with_penalty import Added, Penalised
from ..likelihood.criteria.with_sigma import NormalPrior, SigmaCriterion
from ..likelihood.laplace.mode import Prior
from ..likelihood.laplace.start import starts
from ..likelihood.linear.likelihood import LinearLikelihood
from ..likelihood.penalty.penalty import Penalty, boundary_avoiding, penalty
from ..likelihood.quadrature.factoring import quadrature
from ..likelihood.working.basis import root
from ..priors import Priors, resolve
from ..priors.from_numpyro import as_prior
from ..priors.narrowed import given_in
from ..priors.presets import flat
from .base import Engine
from .generalized.collect import Searched, broken_down, certified, collect
from .generalized.fit import judged
from .machine.blas import blas_threads
from .ml import check_identifiable, tail_columns
from .residual import refuse_exact, with_lost_digits
from .search.boundary_search import given_start
from .search.optimizer import Optimizer
from .search.optimizers import optimizer_of
from .search.penalised import Found, minimise_penalised
from .sigmas import fit_with_sigmas

if TYPE_CHECKING:
    from ..model import Model

CRITERIA = ("ml", "reml")
BOUNDARY_AVOIDING = "boundary_avoiding"
BESIDE = "covariance"  # the key of a dict that keeps the default penalty beside its priors


@dataclass(frozen=True)
class MAP(Engine):
    """Regularised fits: the mode of likelihood times priors, never singular by accident.

    Minimises the deviance (or REML criterion) minus twice the log prior density, on the natural scale of standard
    deviations and correlations and without Jacobians, so that flat priors give ML (or REML).

    Parameters
    ----------
    criterion
        "ml", or "reml": coefficients are integrated out, against their priors where these are normal.
    priors
        - "boundary_avoiding": -3 log of every diagonal element of each relative Cholesky factor, a Wishart with k + 2.5
          degrees of freedom and infinite scale on the relative covariance of k columns (blme's default); everything
          else flat. Zero sds and perfect correlations are excluded. It needs levels enough to keep sds from infinity:
          where it lacks them `status` says so.
        - "model": the model's priors.
        - a dict of distributions by parameter name, as in ``Model(priors=)``; what it does not name has none.
          ``"covariance": "boundary_avoiding"`` keeps the default penalty beside them.
    quadrature
        As in `ML`, from 1 on.
    start, optimizer, maxiter
        As in `ML`; a start on the boundary is moved inside.

    Raises
    ------
    FitError
        An unknown option; "reml" of a model without REML, or with a coefficient's prior that is neither normal nor
        flat.
    ModelError
        A dict that names no parameter of the model, with the known names.

    References
    ----------
    Chung, Rabe-Hesketh, Dorie, Gelman & Liu (2013), Psychometrika 78, 685-709; Dorie, blme 1.0-5.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff2"))
    >>> ml, regularised = model.fit("ml"), model.fit(bm.MAP(criterion="reml"))
    >>> [float(fit.varcorr()["sd"].iloc[0].round(3)) for fit in (ml, regularised)]
    [0.0, 1.489]
    """

    criterion: str = "ml"
    priors: str | Mapping[str, Any] = BOUNDARY_AVOIDING
    quadrature: int = 1
    start: Sequence[float] | None = None
    optimizer: str | Optimizer | None = None
    maxiter: int | None = None

    name = "map"
    label = "MAP"
    regularised = True

    def __post_init__(self) -> None:
        if self.criterion not in CRITERIA:
            raise FitError(f'criterion must be "ml" or "reml", not {self.criterion!r}.', topic="engine-option")
        if not isinstance(self.quadrature, int | np.integer) or self.quadrature < 0:
            raise FitError(
                f"quadrature must be 0, 1 or a number of nodes, not {self.quadrature!r}.", topic="engine-option"
            )
        if isinstance(self.priors, Mapping):
            object.__setattr__(self, "priors", {str(key): _value(key, value) for key, value in self.priors.items()})
        elif self.priors not in (BOUNDARY_AVOIDING, "model"):
            raise FitError(
                'priors must be "boundary_avoiding", "model" or a dict of distributions by parameter name, not '
                f'{self.priors!r}. A preset goes to the model: Model(..., priors="flat").fit(bm.MAP(priors="model")).',
                topic="engine-option",
            )

    def fit(self, model: Model, *, seed: int | None = None, progress: bool | None = None) -> PointFit:
        if not model.linear:
            return _fit_generalized(model, self)
        check_identifiable(model)
        with blas_threads(tail_columns(model)):
            if model.has_scale:
                return _fit_linear(model, self)
            optimizer = optimizer_of(self.optimizer, self.maxiter)
            return fit_with_sigmas(model, self, self.start, optimizer, self.penalty(model))

    @property
    def restricted(self) -> bool:
        return self.criterion == "reml"

    def for_part(self, whole: Model, part: Model) -> MAP:
        if not isinstance(self.priors, Mapping):
            return self
        words = {key: value for key, value in self.priors.items() if isinstance(value, str)}
        return replace(self, priors=given_in(self._resolved(whole), part.design, part.family) | words)

    def words(self, model: Model) -> str:
        restricted = "restricted " if self.restricted else ""
        return f"maximum a posteriori (penalised {restricted}maximum likelihood){self.integral(model)}"

    def papers(self, model: Model) -> tuple[str, ...]:
        return *super().papers(model), *(() if self.priors == "model" else ("chung2013",))

    def priors_used(self, model: Model) -> str:
        """Which priors the fit has, in words."""
        if self.priors == "model":
            return "the model's"
        default = "boundary-avoiding on each relative covariance, -3 log of its factor's diagonal"
        if isinstance(self.priors, str):
            return default
        words = [f"{name} ~ {prior.describe()}" for name, prior in self.priors.items() if not isinstance(prior, str)]
        return "; ".join([*words, default] if BESIDE in self.priors else words) or "none"

    def prior_precision(self, model: Model, beta: np.ndarray) -> np.ndarray | None:
        every, mean = self.penalty(model).coefficients, model.design.places["mu"]
        coefficients = None if every is None else every.within(mean)
        return None if coefficients is None else coefficients.curvature(beta)

    def penalty(self, model: Model) -> Penalty:
        """What is added to the deviance or REML criterion of `model`."""
        if self.priors == BOUNDARY_AVOIDING:
            return boundary_avoiding(model)
        if not isinstance(self.priors, Mapping):
            return penalty(model, model.priors)
        resolved = self._resolved(model)
        found = penalty(model, resolved.without(*(n for n in resolved if resolved.sources[n] != "user")))
        return found + boundary_avoiding(model) if BESIDE in self.priors else found

    def _resolved(self, model: Model) -> Priors:
        """The priors named as numbers, those of the other parameters flat."""
        assert isinstance(self.priors, Mapping)
        given = {key: value for key, value in self.priors.items() if not isinstance(value, str)}
        return resolve(given, model.design, model.family, model.covariances, model.constants, base=flat)


def _value(key: Any, value: Any) -> Any:
    """A prior, or the word that keeps the default penalty."""
    if not isinstance(value, str):
        return as_prior(value, str(key))
    if key == BESIDE and value == BOUNDARY_AVOIDING:
        return value
    raise FitError(
        f'The prior of {key!r} cannot be {value!r}: the only word is "{BESIDE}": "{BOUNDARY_AVOIDING}".',
        topic="prior-form",
    )


def _fit_linear(model: Model, engine: MAP) -> PointFit:
    likelihood = likelihood_of(model)
    if likelihood.n <= likelihood.p:
        raise FitError(
            f"{likelihood.n} rows cannot estimate {likelihood.p} fixed effects and a residual variance.",
            topic="too-few-rows",
        )
    sigma, given = model.constants.get("sigma"), engine.start
    theta = likelihood.start(sigma) if given is None else given_start(given, likelihood.theta)
    base, rest = _linear_base(likelihood, engine.restricted, sigma, engine.penalty(model))
    added = Added(base.coordinates(), rest)
    refuse_exact(model, likelihood, theta)
    optimizer = optimizer_of(engine.optimizer, engine.maxiter)
    found = minimise_penalised(Penalised(base, added), base.start(theta), optimizer, exact=True)
    refuse_exact(model, likelihood, found.optimum.x[: likelihood.theta.size])
    return _collect(model, engine, added, base, found)


def _linear_base(
    likelihood: LinearLikelihood, reml: bool, sigma: float | None, wanted: Penalty
) -> tuple[ProfiledCriterion | SigmaCriterion, Penalty]:
    """The cheapest criterion for these priors, and those that it does not hold already."""
    if wanted.relative:
        return ProfiledCriterion(likelihood, reml, sigma), wanted
    coefficients = wanted.coefficients
    if coefficients is None:
        return SigmaCriterion(likelihood, reml, sigma, NormalPrior.none(likelihood.basis), free=False), wanted
    if coefficients.not_normal is None:
        prior = NormalPrior.of(likelihood.basis, *coefficients.normal_form())
        return SigmaCriterion(likelihood, reml, sigma, prior, free=False), wanted.flat_in(slice(None))
    if reml:
        raise FitError(
            f'criterion="reml" integrates coefficients against their priors, which must be normal or flat; that of '
            f'{coefficients.not_normal}. Use criterion="ml", or bm.priors.Normal for it.',
            topic="reml-and-priors",
        )
    return SigmaCriterion(likelihood, reml, sigma, NormalPrior.none(likelihood.basis), free=True), wanted


def _collect(
    model: Model, engine: MAP, added: Added, base: ProfiledCriterion | SigmaCriterion, found: Found
) -> PointFit:
    likelihood, x, optimum = base.likelihood, found.optimum.x, found.optimum
    solution, sigma = base.solution(x), base.residual_sd(x)
    theta = likelihood.theta.reported(x)
    terms, factors = range(len(model.design.groups)), likelihood.theta.reported_factors(theta)
    modes, spread = likelihood.modes(solution), likelihood.conditional_covariances(solution)
    b = [modes[j] for j in terms]
    singular = singular_terms(model.design.groups, factors)
    stays = found.edge is None or found.edge.slope >= ACCEPT
    status = PointStatus.of(
        optimum.converged and stays, singular, optimum.gradient, optimum.evaluations, found.edge, optimum.message
    )
    return PointFit(
        model=model,
        engine=engine,
        parameters=point_values(model, {"mu": likelihood.beta(solution)}, factors, b, {"sigma": sigma}),
        theta=theta,
        b_covariances=tuple(sigma**2 * spread[j] for j in terms),
        coefficient_root=_beta_root(added, x, sigma * likelihood.vcov_root(solution)),
        criterion=optimum.value,
        loglik=base.loglik(x),
        n_parameters=likelihood.p + likelihood.theta.size + ("sigma" not in model.constants),
        status=with_lost_digits(found.status(model, status), likelihood, x[: likelihood.theta.size], solution.rss),
    )


def _beta_root(added: Added, x: np.ndarray, conditional: np.ndarray) -> np.ndarray:
    """F (p, p), F F' the covariance of coefficients that the search moves: priors' curvature beside `conditional` F's.

    Without the prior where it curves the wrong way.
    """
    coefficients, coordinates = added.penalty.coefficients, added.coordinates
    if coefficients is None or not coordinates.basis.shape[1]:
        return conditional
    basis = coordinates.basis
    prior = coefficients.curvature(coordinates.natural(x).beta)
    half = np.linalg.solve(conditional, basis)
    total = half.T @ half + basis.T @ prior @ basis
    return basis @ root(np.linalg.inv(total)) if np.linalg.eigvalsh(total)[0] > 0 else conditional


def _fit_generalized(model: Model, engine: MAP) -> PointFit:
    if engine.criterion == "reml":
        raise FitError(
            f'criterion="reml" needs a normal response with an identity link; this model is {model.family.name} with '
            f'link {model.family.link.name}. Use criterion="ml".',
            topic="reml-is-for-normal",
        )
    if engine.quadrature == 0:
        raise FitError(
            "quadrature=0 takes coefficients at their joint mode with the effects, which knows no priors. Use "
            "quadrature=1, Laplace's approximation, or more nodes.",
            topic="options-together",
        )
    likelihood, optimizer = laplace_of(model), optimizer_of(engine.optimizer, engine.maxiter)
    added = Added(likelihood.coordinates(), engine.penalty(model))
    theta = None if engine.start is None else given_start(engine.start, likelihood.theta)
    guess = starts(likelihood, theta, _working_prior(added))
    x, base = guess.x, LaplaceCriterion(likelihood, guess.mode.u)
    try:
        found = minimise_penalised(Penalised(base, added), x, optimizer)
        for other in guess.others:
            trial = minimise_penalised(Penalised(LaplaceCriterion(likelihood), added), other, optimizer)
            found = trial if trial.optimum.value < found.optimum.value else found
        if engine.quadrature > 1 and likelihood.rows.blocks:
            x, rule = found.optimum.x, quadrature(likelihood, int(engine.quadrature))
            base = QuadratureCriterion(likelihood, base.at(x).mode.u, rule=rule)
            found = minimise_penalised(Penalised(base, added), x, optimizer)
        optimum, hessian = certified(Penalised(base, found.added), found.optimum, not optimizer.limited)
        penalised = () if added.penalty.coefficients is None else added.penalty.coefficients.proper
        ended = Searched(base, optimum, found.edge, hessian)
        fit = collect(model, engine, ended, penalised=penalised)
    except np.linalg.LinAlgError:
        return broken_down(model, engine, base, x)
    fit = replace(fit, status=found.status(model, fit.status))
    if found.unbounded:
        return fit
    endless = added.penalty.relative  # other priors hold sds or coefficients
    return judged(fit, ended, base.at(optimum.x), int(engine.quadrature), laplace=False, endless=endless)


def _working_prior(added: Added) -> Prior | None:
    """Mean (p,) and precision (p, p) of normals like the priors, in coordinates of the search; None without priors."""
    coefficients, coordinates = added.penalty.coefficients, added.coordinates
    if coefficients is None:
        return None
    rows, means, precisions = coefficients.normal_approximation()
    weighted = np.sqrt(precisions)[:, None] * (rows @ coordinates.basis)
    mean = np.linalg.lstsq(weighted, np.sqrt(precisions) * (means - rows @ coordinates.origin))[0]
    return mean, weighted.T @ weighted
