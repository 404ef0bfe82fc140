"""What the rest of the program must know of a response distribution: traits as fields, densities as methods."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import scipy

from ..design.design import Design
from ..errors import DataError, FitError, ModelError
from .derivatives import Derivatives
from .links import LINKS, Link
from .numeric.arrays import NUMPY
from .parameters import FamilyParameter, Limit
from .written import Written, WrittenNormal

EDGE = 1e-16  # of a probability: normal scores stay finite


class Observed(NamedTuple):
    """What was observed per row (n,): `y`, and where there are any `weights` (positive) and `trials`."""

    y: Any
    weights: Any = None
    trials: Any = None


def observed(design: Design, rows: slice | np.ndarray = slice(None)) -> Observed:
    """The response of some rows of a design, with its weights and trials.

    Parameters
    ----------
    design
        Of a model: ``model.design``.
    rows
        Which of its rows, all by default.

    Returns
    -------
    Observed

    Raises
    ------
    ModelError
        For a design without a response.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
    >>> bm.families.observed(model.design, slice(0, 2)).y
    array([1545., 1440.])
    """
    response = design.response
    if response is None:
        raise ModelError("These rows have no response. Build the model from a table that has one.", topic="no-response")
    weights, trials = design.weights, design.trials
    return Observed(
        response.y[rows],
        None if weights is None else weights[rows],
        None if trials is None else trials[rows],
    )


@dataclass(frozen=True)
class Family(ABC):
    """A response distribution with location mu = g^-1(eta) and named dispersion parameters.

    Traits: `words` is the distribution as a sentence has it (empty: its name); `others` are the parameters besides
    mu; `links` the link names it allows, the default first; `weights` is "precision" (Var = sigma^2 / w) or
    "frequency" (the log-likelihood contribution is multiplied by w); `discrete`; `wider` what to fit where
    responses vary more than this family lets them, as a sentence, and `wider_family` the family in it; `support`,
    in words, for error messages; `mean_range` the open interval of mu; `elsewhere` the packages whose default
    priors know the family; `transform` what of the response mu is the location of (empty: the response itself);
    `log_concave` says that log f is concave in eta whatever the link; `compiled` that derivatives are compiled for
    each shape of the response; `takes_trials` that a response is successes
    out of trials, `binary` that it may be one of two levels; `normal_conditional` that `normalised(y)` given the
    effects is normal about mu with a constant sigma, so that with an identity link the marginal likelihood is exact
    and u is scaled by sigma; `spread_in_mean` that E(y) depends on that sigma, and so on precision weights.
    """

    link: Link

    name: ClassVar[str]
    words: ClassVar[str] = ""
    others: ClassVar[tuple[FamilyParameter, ...]] = ()
    links: ClassVar[tuple[str, ...]]
    weights: ClassVar[str] = "frequency"
    discrete: ClassVar[bool]
    wider: ClassVar[str] = ""
    wider_family: ClassVar[str] = ""
    elsewhere: ClassVar[tuple[str, ...]] = ()
    transform: ClassVar[str] = ""
    support: ClassVar[str]
    mean_range: ClassVar[tuple[float, float]]
    log_concave: ClassVar[bool] = False
    compiled: ClassVar[bool] = False
    takes_trials: ClassVar[bool] = False
    binary: ClassVar[bool] = False
    normal_conditional: ClassVar[bool] = False
    spread_in_mean: ClassVar[bool] = False
    middle: ClassVar[str] = "mean"  # what of the response the linear predictor moves; else "median"

    @property
    def parameters(self) -> tuple[FamilyParameter, ...]:
        """Every parameter, the location mu first."""
        mu = FamilyParameter("mu", self.link, "location", self.mean_range, "location", self._some_mean)
        return (mu, *self.others)

    @property
    def dispersion(self) -> tuple[str, ...]:
        """Names of the parameters besides mu."""
        return tuple(parameter.name for parameter in self.others)

    def parameter(self, name: str) -> FamilyParameter:
        """The parameter of that name."""
        return next(parameter for parameter in self.parameters if parameter.name == name)

    @property
    def limits(self) -> dict[str, Limit]:
        """Where parameters make a simpler family of this one, by name."""
        return {parameter.name: parameter.limit for parameter in self.others if parameter.limit}

    @property
    def scale(self) -> str:
        """The scale of the linear predictor by name: the link's, of a family of the logarithm "log"."""
        return self.transform or self.link.name

    @property
    def exact(self) -> bool:
        """Whether the response, or its logarithm, is normal about the predictor: effects integrate out exactly."""
        return self.normal_conditional and self.link.linear

    @property
    def linear(self) -> bool:
        """Whether the linear predictor is in the response's own unit."""
        return self.link.linear and not self.transform

    @property
    def ratios(self) -> str:
        """What exp of a coefficient is the ratio of, as a heading; empty where of nothing."""
        return self._exponential.ratios.format(middle=self.middle)

    @property
    def ratio_of(self) -> str:
        """What exp of a difference of marginal means on the linear predictor's scale is the ratio of; else empty."""
        return self._exponential.ratio_of.format(middle=self.middle)

    @property
    def _exponential(self) -> Link:
        """The link as exp of the linear predictor sees it."""
        return LINKS.get(self.transform, self.link)

    @abstractmethod
    def faults(self, observed: Observed) -> Iterator[tuple[np.ndarray, str]]:
        """Which rows (n,) bool lie outside the support, with what to do about it; one pair per kind of fault."""

    def check(self, observed: Observed, name: str, rows: Any = None) -> None:
        """Raise a DataError that names the first row outside the support.

        Parameters
        ----------
        observed
            The response.
        name
            What to call it.
        rows
            Labels of the rows; their positions if None.
        """
        for bad, remedy in self.faults(observed):
            self._refuse(bad, observed, name, remedy, rows)

    def _refuse(self, bad: np.ndarray, observed: Observed, name: str, remedy: str, labels: Any) -> None:
        rows = np.flatnonzero(bad)
        if not rows.size:
            return
        row = rows[0] if labels is None else labels[rows[0]]
        value = f"{observed.y[rows[0]]:g}"
        if observed.trials is not None:
            value += f" of {observed.trials[rows[0]]:g} trials"
        count = f" ({rows.size} rows like it)" if rows.size > 1 else ""
        raise DataError(
            f"The response {name!r} is {value} in row {row}{count}; the {self.name} family "
            f"takes {self.support}. {remedy}",
            topic="response-out-of-range",
        )

    def says_nothing(self, observed: Observed, offset: np.ndarray) -> bool:
        """Whether no parameter can be estimated from this response: it is the same in every row."""
        return bool(np.ptp(observed.y) == 0 and np.ptp(offset) == 0)

    @abstractmethod
    def constant(self, observed: Observed, xp: Any = NUMPY) -> Any:
        """The terms (n,) of log f that hold neither eta nor dispersion, weights applied."""

    @abstractmethod
    def derivatives(
        self, observed: Observed, eta: Any, dispersion: dict[str, Any], order: int, xp: Any = NUMPY
    ) -> Derivatives:
        """log f and its derivatives per row, weights applied, stable in the tails.

        Parameters
        ----------
        observed
            The response.
        eta
            Linear predictor, broadcasting against y.
        dispersion
            Parameters by name.
        order
            0: the kernel; 1: also g and the slopes in dispersion; 2: also V, of eta alone; 3: also dV, and the
            curvatures and third derivatives of eta with one dispersion parameter.
        xp
            Array functions: `arrays.NUMPY` or `arrays.jax_arrays()`.
        """

    def log_density(self, observed: Observed, eta: Any, dispersion: dict[str, Any], xp: Any = NUMPY) -> Any:
        """log f(y | eta, dispersion) per row, every constant included, weights as the trait says."""
        return self.derivatives(observed, eta, dispersion, 0, xp).kernel + self.constant(observed, xp)

    def start(self, observed: Observed, mu: np.ndarray) -> dict[str, float]:
        """Rough values of the dispersion parameters, from moments about fitted locations mu (n,)."""
        return {parameter.name: parameter.start for parameter in self.others}

    def mean(self, mu: Any, dispersion: dict[str, Any], weights: Any = None) -> Any:
        """E(y), for responses out of trials per trial; mu itself for most families."""
        return mu

    @abstractmethod
    def sd(self, mu: np.ndarray, dispersion: dict[str, Any], weights: Any = None, trials: Any = None) -> np.ndarray:
        """Standard deviation of y given mu per row; of successes out of trials, of their share."""

    @abstractmethod
    def cdf(self, y: np.ndarray, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any) -> np.ndarray:
        """P(Y <= y) per row."""

    @abstractmethod
    def draw(
        self, rng: np.random.Generator, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any
    ) -> np.ndarray:
        """New responses, shape of mu; NaN where a precision weight is zero."""

    @abstractmethod
    def distribution(self, mu: Any, dispersion: dict[str, Any], weights: Any, trials: Any) -> Any:
        """The NumPyro distribution of y given mu (JAX arrays), precision weights applied, frequency weights not."""

    def written(self, weights: str, trials: str) -> Written:
        """`distribution` as the text of a script: what `Model.code` writes.

        Parameters
        ----------
        weights
            The text of the precision weights, empty where there are none, or where weights are frequencies.
        trials
            The text of the trials, empty where there are none.

        Raises
        ------
        ModelError
            Where the family has no such text.
        """
        raise ModelError(
            f"The family {self.name!r} does not say how a script writes its response. Give its class a method "
            f"written(self, weights, trials) that returns Written('dist....(mu, ...)'), as "
            "bayesmixed/families/poisson.py does.",
            topic="not-in-a-script",
        )

    def written_normal(self, weights: str) -> WrittenNormal:
        """What is normal about mu where `normal_conditional`, as the text of a script; `weights` as in `written`.

        Raises
        ------
        ModelError
            Where the family has no such text.
        """
        raise ModelError(
            f"The family {self.name!r} does not say how a script writes its effects integrated out. Give its class a "
            "method written_normal(self, weights), as bayesmixed/families/gaussian.py does; model.code() samples them.",
            topic="not-in-a-script",
        )

    def unit_deviance(self, observed: Observed, mu: np.ndarray, dispersion: dict[str, Any]) -> np.ndarray:
        """Each row's contribution (n,) to the deviance, weights applied (lme4's, unscaled by dispersion).

        Raises
        ------
        FitError
            For a family without a saturated fit.
        """
        raise FitError(
            f"The {self.name} family has no saturated fit, so no deviance residuals: "
            'use residuals("quantile") or residuals("pearson").',
            topic="deviance-residuals",
        )

    def deviance_residuals(self, observed: Observed, mu: np.ndarray, dispersion: dict[str, Any]) -> np.ndarray:
        """Signed square roots of `unit_deviance`; successes are compared with what their trials let expect."""
        expected = mu if observed.trials is None else mu * observed.trials
        deviance = np.maximum(self.unit_deviance(observed, mu, dispersion), 0.0)
        return np.sign(observed.y - expected) * np.sqrt(deviance)

    def quantile_residuals(
        self, observed: Observed, mu: np.ndarray, dispersion: dict[str, Any], rng: np.random.Generator
    ) -> np.ndarray:
        """Normal scores of F(y | mu), randomised inside the jump of a discrete F (Dunn & Smyth 1996)."""
        y, weights, trials = observed
        upper = self.cdf(y, mu, dispersion, weights, trials)
        if self.discrete:
            lower = self.cdf(y - 1, mu, dispersion, weights, trials)
            upper = lower + rng.uniform(size=np.shape(upper)) * (upper - lower)
        return scipy.special.ndtri(np.clip(upper, EDGE, 1 - EDGE))

    def normalised(self, y: np.ndarray) -> np.ndarray:
        """What is normal about mu where `normal_conditional`."""
        return y

    def log_jacobian(self, y: np.ndarray) -> np.ndarray:
        """log |d normalised / d y| per row."""
        return np.zeros_like(y)

    @property
    def eta_range(self) -> tuple[float, float]:
        """The open interval of eta in which mu is a location of this family."""
        low = max(self.mean_range[0], self.link.range[0])
        high = min(self.mean_range[1], self.link.range[1])
        with np.errstate(divide="ignore"):
            ends = sorted(float(self.link.forward(np.float64(end))) for end in (low, high))
        return ends[0], ends[1]

    @property
    def _some_mean(self) -> float:
        """A possible mu."""
        low, high = self.eta_range
        if np.isfinite(low) and np.isfinite(high):
            return float(self.link.inverse(np.float64(0.5 * (low + high))))
        eta = low + 1.0 if np.isfinite(low) else high - 1.0 if np.isfinite(high) else 0.0
        return float(self.link.inverse(np.float64(eta)))
