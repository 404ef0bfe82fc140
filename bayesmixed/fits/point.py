"""A fit with one value per parameter: ML, REML."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ..errors import NoSuchAnswer
from ..parameters.values import Parameters
from . import tables
from .base import Fit
from .status import PointStatus
from .summary import Summary, point_summary

if TYPE_CHECKING:
    from ..engines.base import Engine
    from ..likelihood.prediction_errors import JointErrors
    from ..model import Model


@dataclass(frozen=True, eq=False, repr=False)
class PointFit(Fit):
    """Estimates of a model.

    `beta` (p,), `theta` as lme4 orders it, `dispersion` by name, `factors` per group term the relative
    Cholesky factor (k, k), `b` per group term (L, k) modes and `b_covariances` (L, k, k),
    `beta_root` (p, p) a factor F of the coefficients' covariance F F'; `criterion` what was minimised,
    `loglik` with every constant, `n_parameters` estimated.
    """

    sampled = False

    model: Model
    engine: Engine
    beta: np.ndarray
    theta: np.ndarray
    dispersion: dict[str, float]
    factors: tuple[np.ndarray, ...]
    b: tuple[np.ndarray, ...]
    b_covariances: tuple[np.ndarray, ...]
    beta_root: np.ndarray
    criterion: float
    loglik: float
    n_parameters: int
    status: PointStatus

    def __post_init__(self) -> None:
        for array in (self.beta, self.theta, self.beta_root, *self.factors, *self.b, *self.b_covariances):
            array.setflags(write=False)

    @cached_property
    def parameters(self) -> Parameters:
        """All parameter values, with leading axes (1, 1)."""
        s = self.dispersion["sigma"] if self.model.has_scale else 1.0
        sds = [s * np.linalg.norm(Lambda, axis=1) for Lambda in self.factors]
        pairs = zip(self.factors, self.model.covariances, strict=True)
        corrs = [_correlation(Lambda) if c.has_correlation and len(Lambda) > 1 else None for Lambda, c in pairs]
        return Parameters(
            beta=self.beta[None, None],
            b=tuple(b[None, None] for b in self.b),
            sds=tuple(sd[None, None] for sd in sds),
            corrs=tuple(None if c is None else c[None, None] for c in corrs),
            dispersion={name: np.array([[value]]) for name, value in self.dispersion.items()},
        )

    @cached_property
    def beta_covariance(self) -> np.ndarray:
        """Covariance (p, p) of the coefficients."""
        found = self.beta_root @ self.beta_root.T
        found.setflags(write=False)
        return found

    @property
    def deviance(self) -> float:
        """-2 log-likelihood (for REML, the REML criterion)."""
        return -2 * self.loglik

    @property
    def deviance_conditional(self) -> float:
        """Sum of squared deviance residuals at the conditional modes: lme4's ``deviance()`` of a generalized model."""
        return float(np.sum(self.residuals("deviance").to_numpy()[self.model.design.used] ** 2))

    @property
    def aic(self) -> float:
        """deviance + 2 n_parameters."""
        return self.deviance + 2 * self.n_parameters

    @property
    def bic(self) -> float:
        """deviance + log(n_obs) n_parameters."""
        return self.deviance + float(np.log(self.n_obs)) * self.n_parameters

    @property
    def coefficients(self) -> pd.DataFrame:
        """Fixed effects: estimate, se, lower, upper, statistic; Wald limits, 95 %."""
        estimate, se = self.beta, np.sqrt(np.diag(self.beta_covariance))
        half = ndtri(0.975) * se
        columns = {
            "estimate": estimate,
            "se": se,
            "lower": estimate - half,
            "upper": estimate + half,
            "statistic": estimate / se,
        }
        return tables.Coefficients(columns, index=list(self.model.coefficients))

    def vcov(self) -> pd.DataFrame:
        """Covariance (p x p) of the fixed effects, conditional on theta as lme4's."""
        names = list(self.model.coefficients)
        return pd.DataFrame(self.beta_covariance, index=names, columns=names)

    def ranef_sd(self) -> dict[str, pd.DataFrame]:
        """Conditional standard deviations of the random effects given the estimates, as lme4's condVar."""
        sds = [np.sqrt(np.diagonal(v, axis1=1, axis2=2)) for v in self.b_covariances]
        return tables.by_factor(self.model.design.groups, sds)

    def repca(self) -> dict[str, pd.DataFrame]:
        """Principal components of each term's relative covariance, by the term's text."""
        pairs = zip(self.model.design.groups, self.factors, strict=True)
        return {term.text: tables.principal_components(term, factor) for term, factor in pairs}

    def leverage(self) -> np.ndarray:
        """d fitted / d y (n,), the diagonal of the hat matrix with the random effects in it.

        In a generalized model that of the last Newton step, with the curvature of each row as its weight.
        """
        terms = list(range(len(self.model.design.groups)))
        errors = self._prediction_errors()
        variance = errors.variance(self.model.design, terms) / errors.sigma**2
        return variance if errors.precision is None else errors.precision * variance

    @property
    def idata(self) -> Any:
        """Draws only: raises here."""
        raise NoSuchAnswer(
            f'{self.label} gives estimates, not draws: fit the model by NUTS, model.fit("nuts", seed=1).idata, or draw '
            "from the estimates, fit.predict_draws()."
        )

    def summary(self) -> Summary:
        """lme4's summary; no p-values without degrees of freedom.

        A logit slope divided by 4 is the most that one unit changes the probability (Gelman & Hill 2007, section 5.2).
        """
        return point_summary(self)

    def _prediction_errors(self) -> JointErrors:
        from ..likelihood.prediction_errors import joint_errors

        prior = self.engine.prior_precision(self.model, self.beta)
        return joint_errors(self.model, self.theta, self.parameters, prior)


def _correlation(Lambda: np.ndarray) -> np.ndarray:
    """Correlations of a factor's rows; NaN beside a zero sd, as lme4 prints."""
    norms = np.linalg.norm(Lambda, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        unit = Lambda / norms[:, None]
    corr = unit @ unit.T
    np.fill_diagonal(corr, 1.0)
    return corr
