"""A fit with one value per parameter: ML, REML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy

from ..errors import NoSuchAnswer
from ..parameters.values import Parameters, compact
from . import tables
from .base import Fit
from .status import PointStatus
from .summary import Summary, point_summary

if TYPE_CHECKING:
    from ..degrees.reference import Reference
    from ..engines.base import Engine
    from ..likelihood.criteria.hessian import Curvature
    from ..likelihood.prediction_errors import JointErrors
    from ..model import Model


@dataclass(frozen=True, eq=False, repr=False)
class PointFit(Fit):
    """Estimates of a model: what ``model.fit("ml")``, ``model.fit("reml")`` and ``model.fit("map")`` give.

    Attributes
    ----------
    model : Model
        What was fitted.
    engine : Engine
        How: the value that `Model.fit` took, with all its options.
    parameters : Parameters
        One point, with leading axes (1, 1); its effects are conditional modes.
    theta : ndarray
        The covariance parameters (m,) in lme4's order: relative to sigma in a model with scale.
    criterion : float
        What was minimised: the deviance, REML's criterion, or either with a penalty.
    loglik : float
        The log-likelihood with every constant; for REML minus half its criterion.
    n_parameters : int
        Parameters that were estimated, those of the covariances and of the dispersion among them.
    status : PointStatus
        How the search ended.
    b_covariances : tuple of ndarray
        Conditional covariances (L, k, k) of the effects of each group term.
    coefficient_root : ndarray
        A factor F (P, .) of the covariance F F' of the coefficients of all predictors.
    curvature : Curvature or None
        Coordinates and Hessian of what was minimised, where the fit formed it: of models without scale.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")
    >>> fit
    PointFit('Yield ~ 1 + (1 | Batch)', REML, 30 rows; print() for its summary)
    >>> fit.status.converged, round(fit.sigma, 2)
    (True, 49.51)
    """

    sampled = False

    model: Model
    engine: Engine
    parameters: Parameters
    theta: np.ndarray
    b_covariances: tuple[np.ndarray, ...]
    coefficient_root: np.ndarray
    criterion: float
    loglik: float
    n_parameters: int
    status: PointStatus
    curvature: Curvature | None = None

    def __post_init__(self) -> None:
        self.parameters.read_only()
        for array in (self.theta, self.coefficient_root, *self.b_covariances):
            array.setflags(write=False)

    @property
    def beta(self) -> np.ndarray:
        """Coefficients (p,) of the main predictor."""
        return self.parameters.beta[0, 0]

    @property
    def beta_root(self) -> np.ndarray:
        """F (p, .) with F F' the covariance of `beta`."""
        return self.coefficient_root[: len(self.beta)]

    @property
    def dispersion(self) -> dict[str, float]:
        """Dispersion parameters by name."""
        return self.parameters.mean_dispersion()

    @property
    def b(self) -> tuple[np.ndarray, ...]:
        """Conditional modes (L, k) of the effects of each group term."""
        return tuple(effects[0, 0] for effects in self.parameters.b)

    @cached_property
    def factors(self) -> tuple[np.ndarray, ...]:
        """Per group term the Cholesky factor (k, k) of the covariance, relative to sigma in a model with scale."""
        s = self.dispersion["sigma"] if self.model.has_scale else 1.0
        return tuple(self.parameters.factor(j)[0, 0] / s for j in range(len(self.parameters.factors)))

    def coefficient_root_of(self, predictor: str) -> np.ndarray:
        places = self.model.design.places
        return self.coefficient_root[places.get(predictor, slice(0, 0))]

    @cached_property
    def coefficient_covariance(self) -> np.ndarray:
        """Covariance (P, P) of the coefficients of all predictors."""
        found = self.coefficient_root @ self.coefficient_root.T
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
        return float(self.deviance + 2 * self.n_parameters)

    @property
    def bic(self) -> float:
        """deviance + log(n_obs) n_parameters."""
        return self.deviance + float(np.log(self.n_obs)) * self.n_parameters

    @property
    def coefficients(self) -> pd.DataFrame:
        """Fixed effects of all predictors: estimate, se, lower, upper, statistic; Wald limits, 95 %."""
        estimate, se = self.parameters.stacked[0, 0], np.sqrt(np.diag(self.coefficient_covariance))
        half = scipy.special.ndtri(0.975) * se
        columns = {
            "estimate": estimate,
            "se": se,
            "lower": estimate - half,
            "upper": estimate + half,
            "statistic": estimate / se,
        }
        return tables.Coefficients(columns, index=list(self.model.design.coefficients))

    def vcov(self) -> pd.DataFrame:
        """Covariance of the fixed effects; of a linear model with one sigma conditional on theta, as lme4's.

        Returns
        -------
        DataFrame
            (p, p), by coefficient name.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
        >>> fit.vcov().round(2).loc["Days"].to_dict()
        {'Intercept': -1.37, 'Days': 2.26}
        """
        names = list(self.model.design.coefficients)
        return pd.DataFrame(self.coefficient_covariance, index=names, columns=names)

    def ranef_sd(self) -> dict[str, pd.DataFrame]:
        """Conditional standard deviations of the random effects given the estimates, as lme4's condVar.

        Returns
        -------
        dict of str to DataFrame
            Per grouping factor levels x columns, as `ranef`.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
        >>> fit.ranef_sd()["Subject"].round(2).loc["308"].to_dict()
        {'Intercept': 11.87, 'Days': 2.27}
        """
        sds = [np.sqrt(np.diagonal(v, axis1=1, axis2=2)) for v in self.b_covariances]
        return tables.by_factor(self.model.design.groups, sds)

    def repca(self) -> dict[str, pd.DataFrame]:
        """Principal components of each term's covariance: has it fewer dimensions than columns?

        They depend on the units of the columns: compare shares where these are alike.

        Returns
        -------
        dict of str to DataFrame
            By the term's text, per component sd, relative to sigma in a model with scale (lme4's ``rePCA``),
            sd_absolute in the units of the linear predictor, proportion and cumulative share of the variance, and the
            loading of each column.

        References
        ----------
        Bates, Kliegl, Vasishth & Baayen (2015), Parsimonious mixed models, arXiv:1506.04967.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
        >>> fit.repca()["(1 + Days | Subject)"]["sd_absolute"].round(2).tolist()
        [23.79, 5.7]
        """
        s = self.dispersion["sigma"] if self.model.has_scale else 1.0
        pairs = zip(self.model.design.groups, self.factors, strict=True)
        return {term.text: tables.principal_components(term, factor, s) for term, factor in pairs}

    def leverage(self) -> np.ndarray:
        """How much each row pulls its own fitted value: d fitted / d y, the diagonal of the hat matrix.

        With the random effects in it. In a generalized model that of the last Newton step, with the curvature of each
        row as its weight.

        Returns
        -------
        ndarray
            (n,), between 0 and 1; their sum is the effective number of parameters of the mean.

        References
        ----------
        Demidenko & Stukel (2005), Statistics in Medicine 24, 893-909.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
        >>> fit.leverage()[:3].round(3)
        array([0.222, 0.165, 0.124])
        """
        terms = list(range(len(self.model.design.groups)))
        errors = self.prediction_errors
        variance = errors.variance(self.model.design, terms) / errors.sigma**2
        return variance if errors.precision is None else errors.precision * variance

    @property
    def idata(self) -> Any:
        """Draws only: raises here."""
        raise NoSuchAnswer(
            f'{self.label} gives estimates, not draws: fit the model by NUTS, model.fit("nuts", seed=1).idata, or draw '
            "from the estimates, fit.predict_draws().",
            topic="needs-draws",
        )

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name != "idata"]

    def _summary(self, judged_by: Reference | None) -> Summary:
        return point_summary(self, judged_by)

    @cached_property
    def prediction_errors(self) -> JointErrors:
        """The joint normal distribution of the errors of coefficients and random effects; formed once.

        It holds the factored equations of the fit and no rows of the data but a weight each.
        """
        from ..likelihood.prediction_errors import joint_errors

        prior = self.engine.prior_precision(self.model, self.beta)
        return joint_errors(self.model, self.theta, self.parameters, prior)


def point_values(
    model: Model,
    coefficients: Mapping[str, np.ndarray],
    factors: Sequence[np.ndarray],
    b: Sequence[np.ndarray],
    dispersion: Mapping[str, float],
) -> Parameters:
    """What an engine found, `factors` (k, k) relative to sigma in a model with scale, as parameter values.

    `coefficients` are by predictor.
    """
    s = dispersion["sigma"] if model.has_scale else 1.0
    absolute = [compact(s * Lambda, structure) for Lambda, structure in zip(factors, model.covariances, strict=True)]
    return Parameters.point(coefficients, absolute, b, dispersion)
