"""The questions that every fit answers, whether it holds one value per parameter or thousands of draws."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from ..errors import NoSuchAnswer, with_known_options
from ..parameters.values import Parameters
from ..prediction import predict as prediction
from ..prediction import residuals as residuals_of
from ..prediction import simulate as simulation
from ..prediction.parameter import predict_parameter
from . import other_packages, tables
from .status import DrawsStatus, PointStatus

if TYPE_CHECKING:
    import xarray as xr

    from ..degrees.reference import Reference
    from ..engines.base import Engine
    from ..model import Model
    from .summary import Summary


# What other parts of the program ask, and nobody types.
_INNER = frozenset(
    "b_covariances beta_root coefficient_root coefficient_root_of curvature further prediction_errors sampled".split()
)


class Fit(ABC):
    """A fitted model. Point fits and fits with draws share everything that is defined here.

    Attributes
    ----------
    model, engine
        What was fitted and how.
    parameters
        All parameter values, with leading axes (chains, draws).
    status
        How it ended, with `problems` in words.
    sampled
        Whether its uncertainty is in draws; else it has one value per parameter, and a maximised criterion.
    """

    model: Model
    engine: Engine
    parameters: Parameters
    status: PointStatus | DrawsStatus
    sampled: ClassVar[bool]

    @property
    @abstractmethod
    def coefficients(self) -> pd.DataFrame:
        """Fixed effects, 95 %: estimate, se, lower, upper, statistic; or mean, sd, lower, upper, rhat, ess_*."""

    @abstractmethod
    def vcov(self) -> pd.DataFrame:
        """Covariance (p x p) of the fixed effects."""

    @abstractmethod
    def ranef_sd(self) -> dict[str, pd.DataFrame]:
        """Conditional (point fits) or posterior standard deviations of the random effects, per grouping factor."""

    @property
    @abstractmethod
    def prediction_errors(self) -> prediction.PredictionErrors | None:
        """What intervals of predictions need; None where the draws carry it."""

    @abstractmethod
    def coefficient_root_of(self, predictor: str) -> np.ndarray | None:
        """F (p, .) with F F' the covariance of one predictor's coefficients; None where the draws carry it."""

    @property
    def label(self) -> str:
        """Short name of the method: ML, REML, NUTS; with its nodes where it integrates by more than one."""
        if self.model.linear or not self.model.design.groups:
            return self.engine.label
        return self.engine.label + {0: ", joint mode", 1: ""}.get(
            self.engine.quadrature, f", {self.engine.quadrature} nodes"
        )

    @property
    def n_obs(self) -> int:
        """Rows of positive weight."""
        return self.model.n_obs

    @property
    def sigma(self) -> float:
        """Residual standard deviation (posterior mean for draws); 1 for families that have none, as in lme4."""
        if "sigma" in self.model.design.predictors:
            raise NoSuchAnswer(
                'The residual standard deviation has a predictor: fit.predict(parameter="sigma") gives it row by row, '
                "fit.coefficients what its logarithm is made of.",
                topic="sigma-has-a-predictor",
            )
        return float(np.mean(self.parameters.dispersion.get("sigma", 1.0)))

    def fixef(self) -> pd.Series:
        """Fixed effects of all predictors, on the link scale.

        Returns
        -------
        Series
            By coefficient name: estimates, or posterior means of draws.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
        >>> fit.fixef().round(2).to_dict()
        {'Intercept': 251.41, 'Days': 10.47}
        """
        names = list(self.model.design.coefficients)
        return pd.Series(self.parameters.mean().stacked[0, 0], index=names, name="estimate")

    @with_known_options('It gives a dict: fit.ranef()["group"].')
    def ranef(self) -> dict[str, pd.DataFrame]:
        """Random effects: how far each level is from the population, on the link scale.

        Returns
        -------
        dict of str to DataFrame
            Per grouping factor levels x columns: conditional modes, or posterior means of draws.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
        >>> fit.ranef()["Subject"].round(1).loc["308"].to_dict()
        {'Intercept': 2.8, 'Days': 9.1}
        """
        mean = self.parameters.mean()
        return tables.by_factor(self.model.design.groups, [b[0, 0] for b in mean.b])

    @with_known_options('It gives a dict: fit.coef()["group"].')
    def coef(self) -> dict[str, pd.DataFrame]:
        """Coefficients of each level: fixed plus random effects, on the link scale.

        Returns
        -------
        dict of str to DataFrame
            Per grouping factor levels x columns.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
        >>> fit.coef()["Subject"].round(1).loc["308"].to_dict()
        {'Intercept': 254.2, 'Days': 19.5}
        """
        mean, design = self.parameters.mean(), self.model.design
        return tables.coefficients_by_level(design.mu, design.groups, mean.beta[0, 0], [b[0, 0] for b in mean.b])

    def varcorr(self) -> pd.DataFrame:
        """Standard deviations and correlations of the random effects, and sigma.

        Returns
        -------
        DataFrame
            Columns group, name, sd, then one column of correlations per earlier name of the group, NaN where there is
            none; a covariance with one correlation, such as ``cs(0 + f | g)``, has it in a column ``rho``. The residual
            standard deviation is the group ``Residual``. Sds are in units of the link scale; posterior means of draws.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
        >>> fit.varcorr()["sd"].round(2).tolist()
        [23.78, 5.72, 25.59]
        """
        mean = self.parameters.mean()
        sigma = mean.dispersion.get("sigma")
        return tables.variance_table(self.model.design.groups, mean, None if sigma is None else float(sigma[0, 0]))

    def fitted(self) -> pd.Series:
        """Fitted means of the rows used, random effects included, on the scale of the response.

        Returns
        -------
        Series
            With the index of the rows used, so that ``df["fit"] = fit.fitted()`` puts each where it belongs;
            probabilities of a binomial response.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
        >>> fit.fitted().round(1).head(3).tolist()
        [254.2, 273.8, 293.3]
        """
        return pd.Series(prediction.fitted(self.model, self.parameters), index=self.model.design.index, name="fitted")

    @with_known_options
    def residuals(
        self, kind: str = "response", *, re: str | Sequence[str] = "all", seed: int | None = None
    ) -> pd.Series:
        """Residuals of the rows used, with their index: rows dropped for missing values stay blank in the table.

        Parameters
        ----------
        kind
            "response" (y - mu), "pearson" (over the sd of y given mu), "deviance" or "quantile".
        re
            Random effects included in mu: "all", "none" or a list of grouping factors.
        seed
            For quantile residuals of discrete responses.

        Returns
        -------
        Series
            In units of the response, or without units ("pearson", "deviance", "quantile").

        Raises
        ------
        FitError
            A kind that the family does not have; it names those it has.

        References
        ----------
        Dunn & Smyth (1996), J. Comput. Graph. Stat. 5, 236-244, for quantile residuals.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
        >>> fit.residuals().round(1).head(2).tolist()
        [-4.7, -15.1]
        """
        found = residuals_of.residuals(self.model, self.parameters, kind, re=re, seed=seed)
        return pd.Series(found, index=self.model.design.index, name="residual")

    @with_known_options
    def predict(
        self,
        newdata: Any = None,
        *,
        re: str | Sequence[str] = "all",
        scale: str = "response",
        new_levels: str = "error",
        interval: str | None = None,
        level: float = 0.95,
        offset: Any = None,
        trials: Any = None,
        weights: Any = None,
        parameter: str | None = None,
        seed: int | None = None,
    ) -> pd.DataFrame:
        """Predictions, one row per row of `newdata` (or of the data used), never needing the response.

        Parameters
        ----------
        newdata
            A table with the columns of the right side, or a dict of columns and single values; None for the rows used.
        re
            Random effects to include: "all", "none" or a list of grouping factors.
        scale
            "response" or "link".
        new_levels
            Unseen and missing levels of a grouping factor: "error", "population" (no effect) or "sample" (a new
            effect, whose spread enters the interval; each row without a label is a level of its own). The estimate
            of a sampled level is, for point fits, the value at an effect of zero, for draws the mean over new
            levels: they differ where the link bends.
        interval
            None, "confidence" (of the mean) or "prediction" (of a new response). A limit is infinite where the
            interval passes the end of the link's domain, as 1 / mu may pass 0.
        level
            Coverage of the interval.
        offset, weights
            Given again for new data where the model's were arrays.
        trials
            Of new responses out of trials (a column, an array or a number): taken from the columns of the formula
            where the new table has them, else 1 with a note. Estimates are probabilities whatever the trials, but
            for ``interval="prediction"``: there they are expected successes, as the limits are (proportions where
            the model has proportions).
        parameter
            None for the mean of the response; the name of a parameter of its distribution, "mu" or "sigma", for that:
            `scale` and the interval "confidence" are then its own, and random effects are those of "mu" alone.
        seed
            For what is drawn.

        Returns
        -------
        DataFrame
            `estimate`, with an interval also `lower` and `upper`. NaN where a number is missing and, with a warning,
            where the data do not determine the mean: in an empty cell of ``a * b``, where columns part that did not
            in the data.

        Raises
        ------
        DataError
            A column that is not in the table; by default a level of a grouping factor that is new or missing.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
        >>> print(fit.predict({"Days": [10], "Subject": ["308"]}, interval="confidence").round(1))
           estimate  lower  upper
        0     449.6  418.8  480.5
        """
        request = prediction.PredictionRequest(newdata, re, scale, new_levels, offset, weights, seed, trials, parameter)
        if parameter == "mu" and self.model.family.spread_in_mean:
            request = replace(request, scale="link")  # of a log-normal response that of its logarithm
        elif parameter not in (None, "mu"):
            root = self.coefficient_root_of(parameter)
            return predict_parameter(self.model, self.parameters, root, request, interval, level)
        return prediction.predict(self.model, self.parameters, self.prediction_errors, request, interval, level)

    @with_known_options
    def predict_draws(
        self,
        newdata: Any = None,
        *,
        re: str | Sequence[str] = "all",
        scale: str = "response",
        new_levels: str = "error",
        draws: int | None = None,
        offset: Any = None,
        trials: Any = None,
        weights: Any = None,
        seed: int | None = None,
    ) -> xr.DataArray:
        """Draws of predictions: brms's ``posterior_epred``, ``posterior_linpred`` and ``posterior_predict``.

        Parameters
        ----------
        newdata, re, new_levels, offset, trials, weights
            As in `predict`.
        scale
            "response" (means), "link" (the linear predictor) or "observation" (new responses).
        draws
            Per chain, all by default. Point fits have one chain, drawn from the joint normal distribution of their
            prediction errors, 1000 times by default.
        seed
            Same seed, same draws.

        Returns
        -------
        DataArray
            Dims chain, draw and ``__obs__``, one per row; NaN where `predict` gives it.

        Raises
        ------
        DataError
            As `predict`.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
        >>> fit.predict_draws({"Days": [10], "Subject": ["308"]}, scale="observation", draws=200, seed=1).shape
        (1, 200, 1)
        """
        request = prediction.PredictionRequest(newdata, re, scale, new_levels, offset, weights, seed, trials)
        return prediction.predict_draws(self.model, self.parameters, self.prediction_errors, request, draws)

    @with_known_options
    def simulate(
        self,
        n: int = 1,
        *,
        re: str = "new",
        newdata: Any = None,
        offset: Any = None,
        trials: Any = None,
        weights: Any = None,
        seed: int | None = None,
    ) -> np.ndarray:
        """New responses (n, rows).

        Parameters
        ----------
        n
            Number of replicates; draws fits use a draw of the parameters each.
        re
            Effects drawn anew ("new"), held at their estimates ("all") or zero ("none").
        newdata, offset, trials, weights
            As in `predict`. Responses out of trials are successes, or proportions where the model had proportions.
            A level that is new or missing gets a new effect with ``re="new"``, and is an error with ``re="all"``.
        seed
            Same seed, same responses.

        Returns
        -------
        ndarray
            (n, rows), in units of the response.

        Raises
        ------
        DataError
            A column that is not in the table, or a level without an effect where ``re="all"``.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
        >>> fit.simulate(3, seed=1).shape
        (3, 180)
        """
        request = simulation.SimulationRequest(n, re, newdata, offset, weights, seed, trials)
        return simulation.simulate(self.model, self.parameters, request)

    @with_known_options
    def summary(self, *, ddf: str | float | None = None) -> Summary:
        """What to read first: prints like lme4's summary (point fits) or brms's (draws), with an HTML form.

        Coefficients are on the link scale. A logit coefficient divided by 4 is the most that one unit changes the
        probability, reached where it is 1/2 (Gelman & Hill 2007, section 5.2); its exp is an odds ratio,
        `bm.odds_ratios`.

        Parameters
        ----------
        ddf
            How coefficients of point fits are tested, as in `bm.emmeans`: with lmerTest's columns df and Pr(>|t|), the
            standard errors those of the method. By default linear models have t values without p, as in lme4, and
            generalized ones z tests.

        Returns
        -------
        Summary
            A page: it prints, and has an HTML form. The numbers themselves are in `coefficients` and `varcorr`.

        Raises
        ------
        FitError
            Methods that do not apply to the fit, and any for draws.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
        >>> "Pr(>|t|)" in str(fit.summary(ddf="satterthwaite"))
        True
        """
        from ..degrees.methods import reference

        return self._summary(None if ddf is None else reference(self, ddf))

    @abstractmethod
    def _summary(self, judged_by: Reference | None) -> Summary:
        """`summary`, its coefficients tested as `judged_by` says."""

    def save(self, path: str | Path) -> Path:
        """Write the fit to one NetCDF file that `bm.load` reads; nothing is pickled.

        Parameters
        ----------
        path
            The file to write, in a folder that exists; ".nc" is added where there is no suffix.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        DataError
            For a folder, a file in one that does not exist, or a suffix of another format.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("ml")
        >>> with TemporaryDirectory() as folder:
        ...     path = fit.save(Path(folder) / "fit.nc")
        ...     bm.load(path)
        PointFit('Yield ~ 1 + (1 | Batch)', ML, 30 rows; print() for its summary)
        """
        from ..saving.files import save

        return save(self, path)

    def to_html(self, path: str | Path) -> Path:
        """Write one self-contained page: all that there is to read of the fit, with pictures.

        Report, summary, diagnosis, marginal means, intervals, shares of variance, random effects, checks, the model
        with its priors, versions and date. It fetches nothing, needs no JavaScript, is dark where the reader's screen
        is, and may be printed. One table alone, for a paper: ``fit.summary().to_html()``, ``.to_latex()`` or
        ``.to_markdown()``, as of every result that prints.

        Parameters
        ----------
        path
            The file to write, in a folder that exists. Everything is inside it, so it can be sent by mail; the
            pictures need matplotlib.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        FitError
            For a folder, or a file in one that does not exist.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("ml")
        >>> with TemporaryDirectory() as folder:
        ...     fit.to_html(Path(folder) / "fit.html").name
        'fit.html'
        """
        from ..document import to_html

        return to_html(self, path)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
            kind = type(self)
            if hasattr(kind, name):  # it raised an AttributeError of its own, which says more
                return object.__getattribute__(self, name)
            called = {one: "()" if callable(getattr(kind, one)) else "" for one in dir(kind) if one[0] != "_"}
            known = {one: one + parentheses for one, parentheses in called.items()}
            raise NoSuchAnswer(f"A fit has no {name!r}. {other_packages.member(name, known)}", topic="no-such-member")

    def __dir__(self) -> list[str]:
        return sorted(set(super().__dir__()) - _INNER)

    def __str__(self) -> str:
        return str(self.summary())

    def __repr__(self) -> str:
        formula = self.model.formula.line
        problems = "; see .status.problems" if self.status.problems else ""
        return f"{type(self).__name__}({formula!r}, {self.label}, {self.n_obs} rows; print() for its summary{problems})"

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()


def is_fit(value: object) -> bool:
    """Whether a user's argument is a fit: every verb says in its own words what it takes instead."""
    return isinstance(value, Fit)
