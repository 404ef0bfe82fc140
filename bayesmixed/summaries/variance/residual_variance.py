"""What variance do responses have on the link scale beyond the linear predictor?

Nakagawa, Johnson & Schielzeth (2017), J. R. Soc. Interface 14: 20170213, sections 2-5 and table 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import numpy as np
from scipy.special import polygamma

from ...engines.ml import ML
from ...errors import BayesMixedError, FitError, nearest
from ...families import Family
from ...messages import Told
from ...parameters.predicted import predicted
from ...prediction.new_rows import mean_inverse_weight, responses_per_row, take_rows
from ...prediction.responses import location
from ..part import without_predictors
from .counted import mean, mean_square

if TYPE_CHECKING:
    from ...fits.base import Fit
    from ...fits.point import PointFit

# From the squared coefficient of variation Var(y) / mu^2, the variance of log y.
ON_LOG_SCALE: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str]] = {
    "lognormal": (np.log1p, "log(1 + Var(y) / mu^2)"),
    "trigamma": (lambda squared: polygamma(1, 1 / squared), "trigamma(mu^2 / Var(y))"),
    "delta": (lambda squared: squared, "Var(y) / mu^2"),
}
MEANS = ("null", "marginal", "rows")
CHUNK = 2**22  # draws x rows held at once


@dataclass(frozen=True)
class Options:
    """How the distribution's variance is found: `approximation` on the log scale, and the `mean` it is taken at."""

    approximation: str = "lognormal"
    mean: str | float | None = "null"  # None: the same

    def __post_init__(self) -> None:
        if self.approximation not in ON_LOG_SCALE:
            hint = nearest(self.approximation, ON_LOG_SCALE)
            raise FitError(f"approximation={self.approximation!r} is not an option. {hint}", topic="unknown-option")
        number = isinstance(self.mean, int | float | np.number) and not isinstance(self.mean, bool)
        if not (number or self.mean is None or self.mean in MEANS):
            raise FitError(
                f"mean={self.mean!r} is not an option: use {', '.join(map(repr, MEANS))} or a number, the mean of the "
                "response at which its variance is taken.",
                topic="unknown-option",
            )


@dataclass(frozen=True)
class Residual:
    """The `variance` (draws,) of the response given its predictor, on the link scale, and how it was found, in words.

    `others` are the variances that the other approximations on the log scale give.
    """

    variance: np.ndarray
    notes: tuple[str, ...] = ()
    others: Mapping[str, np.ndarray] = field(default_factory=dict)


def distribution_variance(fit: Fit, options: Options) -> Residual:
    """The variance that responses have beyond the linear predictor."""
    flat, model = fit.parameters.flat(), fit.model
    family, link = model.family, model.family.link
    if model.linear and not model.has_scale:
        return _of_rows(fit)
    dispersion = {name: value[0] for name, value in flat.dispersion.items()}
    ones = np.ones(flat.n_draws)
    if model.has_scale:
        return Residual(dispersion["sigma"] ** 2 * mean_inverse_weight(model))
    if family.binary or family.takes_trials:
        return _of_successes(fit, options, dispersion)
    centre, where = typical_mean(fit, options)
    variance = family.sd(centre * ones, dispersion) ** 2 * mean_inverse_weight(model)
    if link.multiplicative:
        return _of_logarithm(family, variance / centre**2, options, where)
    if link.linear:
        return Residual(variance, (_words(family, "Var(y)", where),))
    words = _words(family, "Var(y) (d eta / d mu)^2, the delta method,", where)
    return Residual(variance * family.link.slope(centre) ** 2, (words,))


def _of_rows(fit: Fit) -> Residual:
    """The mean over the rows of variances that differ between them."""
    flat, design, counts = fit.parameters.flat(), fit.model.design, responses_per_row(fit.model)
    total, sums, step = float(np.sum(counts)), [], max(1, CHUNK // max(design.n_rows, 1))
    weights, used = np.ones(design.n_rows) if design.weights is None else design.weights, counts > 0
    shares = np.zeros(design.n_rows)
    shares[used] = counts[used] / (total * weights[used])
    for first in range(0, flat.n_draws, step):
        some = flat.take(slice(first, first + step))
        sums.append(predicted(fit.model.family, design, some, ()).dispersion["sigma"] ** 2 @ shares)
    return Residual(
        np.concatenate(sums),
        (Told("residual-variance", "Residual variance: the mean over the rows, as sigma has a predictor."),),
    )


def _of_logarithm(family: Family, squared: np.ndarray, options: Options, where: str) -> Residual:
    """Of a log link, from the squared coefficients of variation (draws,); no approximation to it is the right one."""
    found = {name: change(squared) for name, (change, _) in ON_LOG_SCALE.items()}
    variance = found.pop(options.approximation)
    formula = f"{ON_LOG_SCALE[options.approximation][1]}, the {options.approximation} approximation,"
    size = f"{where}, where Var(y) / mu^2 is {float(np.mean(squared)):.3g}"
    return Residual(variance, (_words(family, formula, size),), found)


def _of_successes(fit: Fit, options: Options, dispersion: dict[str, np.ndarray]) -> Residual:
    """The latent variable's variance; of trials that vary together (phi) also that of their common probability."""
    family, ones = fit.model.family, np.ones(fit.parameters.n_draws)
    if family.link.latent is None:
        raise FitError(
            f"Responses of the {family.name} family with link {family.link.name} have no variance on the link scale, "
            'so there are no shares of it. Fit with link="logit", "probit" or "cloglog".',
            topic="share-of-variance",
        )
    latent, formula = family.link.latent
    formula = f"{formula}, that of a latent variable behind each trial"
    notes = _of_asymptotes(family)
    if not dispersion:
        return Residual(latent * ones, (_words(family, formula), *notes))
    centre, where = typical_mean(fit, options)
    # the covariance of two trials, from the variances of the share of two and of one
    common = 2 * family.sd(centre, dispersion, trials=2.0) ** 2 - family.sd(centre, dispersion, trials=1.0) ** 2
    formula = f"{formula}, + Cov(two trials) (d eta / d mu)^2"
    return Residual(latent + common * family.link.slope(centre) ** 2, (_words(family, formula, where), *notes))


def _of_asymptotes(family: Family) -> tuple[str, ...]:
    """What guesses and lapses do to shares on the scale of the curve between them."""
    low, high = family.link.range
    if (low, high) == (0.0, 1.0):
        return ()
    return (
        Told(
            "residual-variance",
            f"Shares are of what moves the curve between its asymptotes, {low:g} and {high:g}: guesses and lapses, "
            "which add variance to the responses alone, are not counted, so that less of the responses' own variance "
            "is explained.",
        ),
    )


def typical_mean(fit: Fit, options: Options) -> tuple[np.ndarray, str]:
    """The mean response at which the variance is taken, (1,) or of "rows" (draws,), and what it is, in words."""
    if isinstance(options.mean, int | float | np.number):
        return np.array([_inside(fit.model.family, float(options.mean))]), f"at the mean given, {options.mean:g}"
    if options.mean == "rows":
        over = _over_rows(fit)
        return over, f"at the mean over the rows without random effects, {over.mean():.4g}"
    null, responses = _null(fit), responses_per_row(fit.model)
    (eta,) = null.model.design.eta(null.parameters, ())["mu"]
    if options.mean == "marginal":
        eta = eta + _half_the_spread(null)
    found = float(mean(location(fit.model.family, eta), responses))
    words = "average over levels" if options.mean == "marginal" else "typical level"
    doubt = "" if null.status.converged else ", a fit that did not converge"
    return np.array([found]), f"at the mean of the model without predictors ({words}{doubt}), {found:.4g}"


def _inside(family: Family, given: float) -> float:
    low, high = max(family.mean_range[0], family.link.range[0]), min(family.mean_range[1], family.link.range[1])
    if not low < given < high:
        raise FitError(
            f"mean={given:g} is not a possible mean of the {family.name} family with link {family.link.words}: give a "
            f"number between {low:g} and {high:g}.",
            topic="share-of-variance",
        )
    return given


def _null(fit: Fit) -> PointFit:
    """The model without predictors by maximum likelihood: of draws too, so that every fit takes the same mean."""
    engine = ML() if fit.sampled else ML(quadrature=fit.engine.quadrature)
    try:
        return cast("PointFit", without_predictors(fit.model).fit(engine))
    except BayesMixedError as error:
        raise FitError(
            "The mean at which the variance is taken is that of the model without predictors, which could not be "
            f'fitted: {error} Take it over the rows, mean="rows", or give a number.',
            topic="share-of-variance",
        ) from error


def _half_the_spread(null: Fit) -> float:
    """Half the random variance: log E exp(b), what a log link's mean over levels has beyond the typical level's."""
    if not null.model.family.link.multiplicative:
        raise FitError(
            'mean="marginal" is for the log link; use mean="null", mean="rows" or a number.', topic="share-of-variance"
        )
    flat, total = null.parameters.flat(), 0.0
    for j, term in enumerate(null.model.design.mu.groups):
        total += float(np.sum(flat.covariance(j)[0, 0] * mean_square(term.Z, responses_per_row(null.model))))
    return total / 2


def _over_rows(fit: Fit) -> np.ndarray:
    """Mean over the responses (draws,) at the fixed effects alone."""
    counts = responses_per_row(fit.model)
    used = counts > 0
    design, flat = take_rows(fit.model.design, used), fit.parameters.flat()
    step, parts = max(1, CHUNK // max(design.n_rows, 1)), []
    for first in range(0, flat.n_draws, step):
        eta = design.eta(flat.take(slice(first, first + step)), ())["mu"]
        parts.append(mean(location(fit.model.family, eta), counts[used]))
    return np.concatenate(parts)


def _words(family: Family, formula: str, where: str = "") -> str:
    taken = f" {where}" if where else ""
    return Told(
        "residual-variance", f"Residual variance on the {family.link.name} scale ({family.name}): {formula}{taken}."
    )
