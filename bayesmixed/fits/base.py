"""The questions that every fit answers, whether it holds one value per parameter or thousands of draws."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from ..errors import NoSuchAnswer, with_known_options
from ..parameters.values import Parameters
from . import other_packages
from .members.estimates import Estimates
from .members.predictions import Predictions
from .status import DrawsStatus, PointStatus

if TYPE_CHECKING:
    from ..degrees.reference import Reference
    from ..engines.base import Engine
    from ..model import Model
    from .summary import Summary


# What other parts of the program ask, and nobody types.
_INNER = frozenset(
    "b_covariances beta_root coefficient_root coefficient_root_of curvature further prediction_errors sampled".split()
)


class Fit(Estimates, Predictions, ABC):
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
