"""The model: a formula, a table, a family, covariance structures and priors, immutable once made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from . import priors as prior_presets
from .covariance import Covariance
from .design.design import Design
from .errors import ModelError, nearest, with_known_options
from .families import Family, Link
from .formula.formula import Formula
from .formula.update import updated
from .model_delegates import Delegates
from .model_parts import ModelArguments, parts
from .model_variants import exchanged
from .model_variants import restored as restored
from .model_variants import with_design as with_design

if TYPE_CHECKING:
    import pandas as pd

    from .page import Page
    from .priors import Priors


@dataclass(frozen=True, eq=False, repr=False)
class Model(Delegates):
    """A (generalized) linear mixed model of one table.

    Parameters
    ----------
    formula
        lme4-style text, or a `Formula`.
    data
        A pandas DataFrame, or any table that narwhals reads (polars, pyarrow, a DuckDB relation).
    family, link
        Response distribution and link, by name or value; the family's default link if None.
    priors
        A preset name, a function ``(Design, Family) -> Priors``, or a dict of distributions by
        parameter name laid over the default. Used by engines that give draws; ML and REML use none.
    weights, offset
        A column name, an expression, or an array with one number per row of `data`. Gaussian
        weights are precisions: Var(e_i) = sigma^2 / w_i.
    contrasts
        ``{"f": "treatment" | "sum" | "helmert" | "poly" | ("treatment", level) | matrix}``; the level of the pair is
        the reference in place of the first.
    correlation
        Residual correlation structure; none is available yet.
    constants
        Parameters held fixed, e.g. ``{"sigma": 0.5}``; with ``weights="1/s^2"`` and ``{"sigma": 1}`` the standard
        errors of the rows are known, as in a meta-analysis.
    namespace
        Further names a formula may use: ``{"f": function}``.
    missing
        "drop" rows with missing values (counted) or "error".
    check
        "error" or "warn" where a term has as many random effects as there are rows.

    Attributes
    ----------
    arguments : ModelArguments
        What was given, as it was given.
    formula : Formula
        The formula, read.
    design : Design
        The response and, per parameter of its distribution, columns (n, p), coefficient names, offset and groups.
    frame : DataFrame
        The columns that the formula uses, of the rows used.
    family : Family
        The response distribution, with its link.
    covariances : tuple of Covariance
        The structure of each bar's effects.
    constants : Mapping of str to float
        Parameters held fixed.

    Raises
    ------
    BayesMixedError
        With what is wrong, where, and what to write instead.

    See Also
    --------
    Model.fit : estimates or draws.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))
    >>> round(model.fit("ml").loglik, 4)
    -875.9697
    """

    arguments: ModelArguments
    formula: Formula
    design: Design = field(repr=False)
    frame: pd.DataFrame = field(repr=False)
    family: Family
    covariances: tuple[Covariance, ...]
    constants: Mapping[str, float]

    @with_known_options
    def __init__(
        self,
        formula: str | Formula,
        data: Any,
        *,
        family: str | Family = "gaussian",
        link: str | Link | None = None,
        priors: Any = None,
        weights: Any = None,
        offset: Any = None,
        contrasts: Mapping[str, Any] | None = None,
        correlation: Any = None,
        constants: Mapping[str, float] | None = None,
        namespace: Mapping[str, Any] | None = None,
        missing: str = "drop",
        check: str = "error",
    ) -> None:
        arguments = ModelArguments(
            formula, data, family, link, priors, weights, offset, contrasts, correlation, constants, namespace,
            missing, check,
        )  # fmt: skip
        for name, value in parts(arguments).items():
            object.__setattr__(self, name, value)
        if priors is not None:
            _ = self.priors  # a wrong prior is an error now, not at the first fit

    @cached_property
    def priors(self) -> Priors:
        """The priors as numbers, resolved on this model's data."""
        return prior_presets.resolve(self.arguments.priors, self.design, self.family, self.covariances, self.constants)

    @property
    def r_names(self) -> dict[str, str]:
        """Our coefficient names -> R's: ``{"period[2]": "period2"}``."""
        return dict(zip(self.design.mu.coefficients, self.design.mu.r_names, strict=True))

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Names of the fixed effects of the main predictor."""
        return self.design.mu.coefficients

    @property
    def dispersion(self) -> tuple[str, ...]:
        """Names of the family's parameters besides mu that are one number each: those without a predictor."""
        return tuple(name for name in self.family.dispersion if name not in self.design.predictors)

    @property
    def free(self) -> tuple[str, ...]:
        """Those of `dispersion` that are not held constant."""
        return tuple(name for name in self.dispersion if name not in self.constants)

    @property
    def n_obs(self) -> int:
        """Rows of positive weight."""
        return int(np.sum(self.design.used))

    @property
    def two_valued(self) -> bool:
        """Whether the response is one of two values in every row used: its variance is its mean's."""
        trials = self.design.trials
        return self.family.binary and (trials is None or bool(np.all(trials[self.design.used] <= 1)))

    @property
    def linear(self) -> bool:
        """Whether the response, or its logarithm, is normal about its predictor: effects then integrate out exactly."""
        return self.family.exact

    @property
    def has_scale(self) -> bool:
        """Whether the random effects are scaled by sigma: a linear model with one sigma for all rows."""
        return self.linear and "sigma" in self.dispersion

    def replace(self, **changes: Any) -> Model:
        """Another model with some arguments changed: models themselves never change.

        Parameters
        ----------
        **changes
            Any argument of `Model`, e.g. ``formula="y ~ x + (1 | g)"``. In the text of a formula ``.`` stands for what
            this model's has on that side, as in R's ``update``: ``formula=". ~ . - x"``; formulas of other parameters
            than the mean then stay.

        Returns
        -------
        Model
            Of the same data, unless `data` is changed; priors are resolved anew.

        Raises
        ------
        ModelError
            An argument that `Model` has not.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> model = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))
        >>> model.replace(formula=". ~ . - (Days | Subject) + (1 | Subject)")
        Model('Reaction ~ Days + (1 | Subject)', family='gaussian', rows=180)
        """
        known = ModelArguments.__dataclass_fields__
        for name in changes:
            if name not in known:
                raise ModelError(f"Model has no argument {name!r}. {nearest(name, known)}", topic="no-such-argument")
        if self.arguments.data is None and "data" not in changes:
            raise ModelError(
                "This model's response was given by with_response, not by a table. Change the model it came from, "
                "then call with_response on that: model.replace(...).with_response(y).",
                topic="changed-response",
            )
        if isinstance(text := changes.get("formula"), str):
            old = self.design.encoding.formula
            changes["formula"] = found = updated(old, text)
            if found != text:  # an update, of the mean alone
                changes["formula"] = Formula(found, *old.texts[1:])
        return Model(**({name: getattr(self.arguments, name) for name in known} | changes))

    def with_response(self, y: Any) -> Model:
        """The same model for another response of the rows used: what bootstraps and calibrations fit.

        Design, levels and columns are shared, nothing is parsed again, and the priors stay the numbers they are.

        Parameters
        ----------
        y
            One number per row used (n,), on the scale of the formula's left side: for ``log(y) ~ x`` the logarithm.
            Rows of weight zero keep their response where `y` is NaN.

        Returns
        -------
        Model
            A new one, to be fitted as any other.

        Raises
        ------
        DataError
            If `y` has another length or lies outside the family's support.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> model = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))
        >>> ml = model.fit("ml")
        >>> round(model.with_response(2 * model.design.response.y).fit("ml").sigma / ml.sigma, 3)
        2.0
        """
        return exchanged(self, y)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if not name.startswith("_") and hasattr(Model, name):  # it raised one of its own, which says more
                return object.__getattribute__(self, name)
            fitted = f': ask a fit, model.fit("reml").{name}' if name in _OF_FITS else ""
            if name in _TAKE_FITS:
                fitted = f': it is a function of a fit, bm.{name}(model.fit("reml"), ...)'
            raise AttributeError(f"a Model has no {name!r}{fitted}", name=name, obj=self)

    def __getstate__(self) -> dict[str, Any]:
        # a read-only view cannot be pickled, which copies and worker processes need
        return self.__dict__ | {"constants": dict(self.constants)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state | {"constants": MappingProxyType(state["constants"])})

    def __repr__(self) -> str:
        return f"Model({self.formula.line!r}, family={self.family.name!r}, rows={self.design.n_rows})"

    def __str__(self) -> str:
        return str(self._description())

    def _repr_html_(self) -> str:
        return self._description()._repr_html_()

    def _description(self) -> Page:
        from .describe.description import description

        return description(self)


_OF_FITS = frozenset(
    "summary fixef ranef coef coefficients varcorr vcov predict predict_draws simulate fitted residuals save status "
    "idata sigma loglik aic bic deviance theta to_html ranef_sd".split()
)
_TAKE_FITS = frozenset("emmeans comparisons slopes predictions odds_ratios diagnose icc r2 report loo pp_check".split())
