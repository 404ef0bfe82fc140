"""What variance do responses have on the link scale beyond the linear predictor?

Nakagawa, Johnson & Schielzeth (2017), J. R. Soc. Interface 14: 20170213, sections 2-5 and table 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import polygamma

from ..engines.ml import ML
from ..errors import FitError, nearest
from ..families import Family
from ..prediction.responses import location
from ..prediction.rows import mean_inverse_weight, responses_per_row
from .counted import mean, mean_square
from .part import without_predictors

if TYPE_CHECKING:
    from ..fits.base import Fit

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
    mean: str | float | None = None

    def __post_init__(self) -> None:
        if self.approximation not in ON_LOG_SCALE:
            hint = nearest(self.approximation, ON_LOG_SCALE)
            raise FitError(f"approximation={self.approximation!r} is not an option. {hint}")
        number = isinstance(self.mean, int | float | np.number) and not isinstance(self.mean, bool)
        if not (self.mean is None or number or self.mean in MEANS):
            raise FitError(
                f"mean={self.mean!r} is not an option: use {', '.join(map(repr, MEANS))} or a number, the mean of the "
                "response at which its variance is taken."
            )


def distribution_variance(fit: Fit, options: Options) -> tuple[np.ndarray, tuple[str, ...]]:
    """Variance (draws,) of the response given its predictor, on the link scale, and how it was found, in words."""
    flat, model = fit.parameters.flat(), fit.model
    family, link = model.family, model.family.link.name
    dispersion = {name: value[0] for name, value in flat.dispersion.items()}
    ones = np.ones(flat.n_draws)
    if model.has_scale:
        return dispersion["sigma"] ** 2 * mean_inverse_weight(model), ()
    if family.binary or family.takes_trials:
        return _of_successes(fit, options, dispersion)
    centre, where = typical_mean(fit, options)
    sd = family.sd(centre * ones, dispersion) * np.sqrt(mean_inverse_weight(model))
    if link == "log":
        change, formula = ON_LOG_SCALE[options.approximation]
        return change(sd**2 / centre**2), (_words(family, formula, where),)
    if link == "identity":
        return sd**2, (_words(family, "Var(y)", where),)
    return sd**2 * family.link.slope(centre) ** 2, (_words(family, "Var(y) (d eta / d mu)^2", where),)


def _of_successes(fit: Fit, options: Options, dispersion: dict[str, np.ndarray]) -> tuple[np.ndarray, tuple[str, ...]]:
    """The latent variable's variance; of trials that vary together (phi) also that of their common probability."""
    family, ones = fit.model.family, np.ones(fit.parameters.n_draws)
    if family.link.latent is None:
        raise FitError(
            f"Responses of the {family.name} family with link {family.link.name} have no variance on the link scale, "
            'so there are no shares of it. Fit with link="logit", "probit" or "cloglog".'
        )
    latent, formula = family.link.latent
    notes: tuple[str, ...] = (_words(family, formula),)
    if family.link.range != (0.0, 1.0):
        notes = (*notes, "It is that of the curve between the asymptotes; guesses and lapses are not counted.")
    if not dispersion:
        return latent * ones, notes
    centre, where = typical_mean(fit, options)
    # the covariance of two trials, from the variances of the share of two and of one
    common = 2 * family.sd(centre, dispersion, trials=2.0) ** 2 - family.sd(centre, dispersion, trials=1.0) ** 2
    formula = f"{formula} + Cov(two trials) (d eta / d mu)^2"
    return latent + common * family.link.slope(centre) ** 2, (_words(family, formula, where), *notes[1:])


def typical_mean(fit: Fit, options: Options) -> tuple[np.ndarray, str]:
    """The mean response (draws,) at which the variance is taken, and what it is, in words."""
    if isinstance(options.mean, int | float | np.number):
        return np.full(fit.parameters.n_draws, float(options.mean)), f"at the mean given, {options.mean:g}"
    point = not fit.sampled
    kind = options.mean or ("null" if point else "rows")
    if kind == "rows":
        over = _over_rows(fit)
        return over, f"at the mean over the rows without random effects, {over.mean():.4g}"
    if not point:
        raise FitError(f'mean={kind!r} needs a fit of the null model, which draws do not have: use mean="rows".')
    null = without_predictors(fit.model).fit(ML(quadrature=fit.engine.quadrature))
    eta = null.fixef()["Intercept"] + fit.model.design.mu.offset
    if kind == "marginal":
        eta = eta + _half_the_spread(null)
    found = float(mean(location(fit.model.family, eta), responses_per_row(fit.model)))
    words = "typical level" if kind == "null" else "average over levels"
    return np.array([found]), f"at the mean of the model without predictors ({words}), {found:.4g}"


def _half_the_spread(null: Fit) -> float:
    """Half the random variance: log E exp(b), what a log link's mean over levels has beyond the typical level's."""
    if null.model.family.link.name != "log":
        raise FitError('mean="marginal" is for the log link; use mean="null", mean="rows" or a number.')
    flat, total = null.parameters.flat(), 0.0
    for j, term in enumerate(null.model.design.groups):
        total += float(np.sum(flat.covariance(j)[0, 0] * mean_square(term.Z, responses_per_row(null.model))))
    return total / 2


def _over_rows(fit: Fit) -> np.ndarray:
    """Mean over the responses (draws,) at the fixed effects alone."""
    counts = responses_per_row(fit.model)
    used = counts > 0
    X, offset = fit.model.design.mu.X[used], fit.model.design.mu.offset[used]
    beta = fit.parameters.flat().beta[0]
    step = max(1, CHUNK // max(len(X), 1))
    parts = [
        mean(location(fit.model.family, beta[first : first + step] @ X.T + offset), counts[used])
        for first in range(0, len(beta), step)
    ]
    return np.concatenate(parts)


def _words(family: Family, formula: str, where: str = "") -> str:
    taken = f" {where}" if where else ""
    return f"Residual variance on the {family.link.name} scale ({family.name}): {formula}{taken}."
