"""A fit with draws of every parameter: NUTS, Laplace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import NoSuchAnswer
from ..parameters.values import Parameters
from ..prediction import pointwise
from ..prediction.thinning import kept_draws
from . import tables
from .base import Fit
from .convergence import convergence
from .status import DrawsStatus
from .summary import Summary, draws_summary

if TYPE_CHECKING:
    import xarray as xr

    from ..degrees.reference import Reference
    from ..engines.base import Engine
    from ..model import Model

_LIMITS = (0.025, 0.975)


class _PointOnly:
    """A member that only fits with a maximised criterion have."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, fit: DrawsFit | None, owner: type) -> Any:
        if fit is None:
            return self
        raise NoSuchAnswer(
            f"A fit with draws has no {self.name}: it maximised nothing. "
            f'Ask a point fit, model.fit("ml").{self.name}, or compare predictions of draws with ArviZ: az.loo.',
            topic="needs-estimates",
        )


@dataclass(frozen=True, eq=False, repr=False)
class DrawsFit(Fit):
    """Draws from the posterior of a model: what ``model.fit("nuts")`` and ``model.fit("laplace")`` give.

    Attributes
    ----------
    model : Model
        What was fitted.
    engine : Engine
        How: the value that `Model.fit` took, with all its options.
    parameters : Parameters
        All draws, with leading axes (chains, draws).
    statistics : dict of str to ndarray
        The sampler's, (chains, draws) by ArviZ's names.
    status : DrawsStatus
        How far the draws can be trusted.
    seed : int or None
        By which they can be drawn again.
    further : dict
        Groups of `idata` that a file held.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("laplace", seed=1)
    >>> fit
    DrawsFit('Yield ~ 1 + (1 | Batch)', Laplace, 30 rows; print() for its summary)
    >>> fit.idata.posterior["sigma"].shape
    (1, 1000)
    """

    sampled = True

    model: Model
    engine: Engine
    parameters: Parameters = field(repr=False)
    statistics: dict[str, np.ndarray] = field(repr=False)
    status: DrawsStatus
    seed: int | None = None
    further: Mapping[str, xr.Dataset] = field(default_factory=dict, repr=False)

    @cached_property
    def idata(self) -> Any:
        """ArviZ's container of the draws, by the names that bambi gives them.

        Groups posterior, sample_stats and observed_data; `log_likelihood`, `posterior_predictive` and
        `prior_predictive` add theirs on demand.
        """
        from ..interop import arviz, naming

        return arviz.container(
            {
                "posterior": naming.posterior_dataset(self.model, self.parameters),
                "sample_stats": naming.sample_stats_dataset(self.statistics),
                "observed_data": naming.observed_dataset(self.model),
                **self.further,
            }
        )

    def log_likelihood(self, *, draws: int | None = None) -> Any:
        """Add the group ``log_likelihood`` to `idata`, once: what `az.loo` and `az.compare` need.

        The values are log f(y | effects, coefficients, dispersion) per draw and row (chain, draw, ``__obs__``), every
        constant included. They are conditional on the random effects, so that leave-one-out asks how well a further
        row of a *known* level is predicted. Rows of weight zero are left out.

        Parameters
        ----------
        draws
            Draws per chain, evenly spaced: by default those of the group where it is there already, else all. A group
            made with another number is made anew.

        Returns
        -------
        InferenceData or DataTree
            `idata` itself.

        Raises
        ------
        FitError
            Draws x rows would take more than 4 GB; it says how many draws fit.

        References
        ----------
        Vehtari, Gelman & Gabry (2017), Statistics and Computing 27, 1413-1432.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
        >>> fit = model.fit(bm.NUTS(draws=50, tune=50, chains=2), seed=1)
        >>> fit.log_likelihood().log_likelihood["Yield"].shape
        (2, 50, 30)
        """
        return self._on_demand("log_likelihood", draws, lambda some: pointwise.log_likelihood(self.model, some))

    def posterior_predictive(self, seed: int | None = None, *, draws: int | None = None) -> Any:
        """Add the group ``posterior_predictive`` to `idata`, once: new responses of the rows and levels used.

        Parameters
        ----------
        seed
            Same seed, same responses. A group made with another seed is made anew.
        draws
            As in `log_likelihood`.

        Returns
        -------
        InferenceData or DataTree
            `idata` itself; the variable has the response's name (chain, draw, ``__obs__``).

        Raises
        ------
        FitError
            Draws x rows would take more than 4 GB; it says how many draws fit.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("laplace", seed=1)
        >>> fit.posterior_predictive(seed=1, draws=100).posterior_predictive["Yield"].shape
        (1, 100, 30)
        """
        return self._on_demand(
            "posterior_predictive", draws, lambda some: pointwise.replicates(self.model, some, seed), seed
        )

    def prior_predictive(self, seed: int | None = None, *, draws: int = 500) -> Any:
        """Add the groups ``prior`` and ``prior_predictive`` to `idata`: `Model.prior_predictive` beside the posterior.

        Parameters
        ----------
        seed
            Same seed, same draws.
        draws
            How many, in one chain.

        Returns
        -------
        InferenceData or DataTree
            `idata` itself.

        Raises
        ------
        ModelError
            Where a prior is improper, naming the parameters.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("laplace", seed=1)
        >>> fit.prior_predictive(seed=1, draws=100).prior["sigma"].shape
        (1, 100)
        """
        from ..interop import arviz

        found = self.model.prior_predictive(draws, seed)
        for name in ("prior", "prior_predictive"):
            arviz.add_group(self.idata, name, arviz.group(found, name))
        return self.idata

    def _on_demand(
        self, name: str, draws: int | None, values: Callable[[Parameters], np.ndarray], seed: int | None = None
    ) -> Any:
        from ..interop import arviz, naming

        asked = {key: value for key, value in (("draws", draws), ("seed", seed)) if value is not None}
        if name in arviz.group_names(self.idata) and asked.items() <= arviz.group(self.idata, name).attrs.items():
            return self.idata
        chains, total = self.parameters.beta.shape[:2]
        kept = kept_draws(total, draws)
        rows = pointwise.observed_rows(self.model) if name == "log_likelihood" else np.arange(self.model.design.n_rows)
        pointwise.refuse_too_large(name, chains, len(kept), len(rows))
        found = naming.rows_dataset(self.model, values(self.parameters.take(kept)), kept, rows)
        arviz.add_group(self.idata, name, found.assign_attrs(asked | {"draws": len(kept)}))
        return self.idata

    @property
    def coefficients(self) -> pd.DataFrame:
        """Fixed effects of all predictors: mean, sd, lower, upper (95 %, equal-tailed), rhat, ess_bulk, ess_tail."""
        names = list(self.model.design.coefficients)
        table = draws_table(self.parameters.stacked, names, chained=self.status.chained)
        return tables.Coefficients(table)

    def vcov(self) -> pd.DataFrame:
        """Posterior covariance of the fixed effects.

        Returns
        -------
        DataFrame
            (p, p), by coefficient name.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("laplace", seed=1)
        >>> fit.vcov().shape
        (1, 1)
        """
        names = list(self.model.design.coefficients)
        draws = self.parameters.flat().stacked[0]
        covariance = np.cov(draws, rowvar=False).reshape(len(names), len(names)) if names else np.zeros((0, 0))
        return pd.DataFrame(covariance, index=names, columns=names)

    def coefficient_root_of(self, predictor: str) -> None:
        return None

    def ranef_sd(self) -> dict[str, pd.DataFrame]:
        """Posterior standard deviations of the random effects.

        Returns
        -------
        dict of str to DataFrame
            Per grouping factor levels x columns, as `ranef`.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("laplace", seed=1)
        >>> fit.ranef_sd()["Batch"].shape
        (6, 1)
        """
        return tables.by_factor(self.model.design.groups, [b[0].std(axis=0, ddof=1) for b in self.parameters.flat().b])

    def _summary(self, judged_by: Reference | None) -> Summary:
        return draws_summary(self)

    @property
    def prediction_errors(self) -> None:
        """None: the draws carry the errors."""
        return None

    def __dir__(self) -> list[str]:
        absent = {name for name, member in vars(DrawsFit).items() if isinstance(member, _PointOnly)}
        return [name for name in super().__dir__() if name not in absent]

    loglik = _PointOnly()
    deviance = _PointOnly()
    criterion = _PointOnly()
    aic = _PointOnly()
    bic = _PointOnly()
    n_parameters = _PointOnly()
    theta = _PointOnly()


def draws_table(values: np.ndarray, names: list[str], *, chained: bool = True) -> pd.DataFrame:
    """Mean, sd, 95 % limits, R-hat and effective sample sizes (NaN unless `chained`) of draws (chains, draws, m)."""
    flat = values.reshape(values.shape[0] * values.shape[1], values.shape[-1])
    lower, upper = np.quantile(flat, _LIMITS, axis=0)
    columns = {"mean": flat.mean(axis=0), "sd": flat.std(axis=0, ddof=1), "lower": lower, "upper": upper}
    judged = vars(convergence(values)) if chained else dict.fromkeys(("rhat", "ess_bulk", "ess_tail"), np.nan)
    return pd.DataFrame(columns | judged, index=names)
