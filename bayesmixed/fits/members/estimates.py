"""What did a fit find? Coefficients, random effects, standard deviations, fitted means and what is left of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from ...errors import with_known_options
from ...prediction import predict as prediction
from ...prediction import residuals as residuals_of
from .. import tables

if TYPE_CHECKING:
    from ...model import Model
    from ...parameters.values import Parameters


class Estimates:
    """Members of every fit: its estimates as tables."""

    model: Model
    parameters: Parameters

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
