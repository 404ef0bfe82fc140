"""What is concluded from each of many responses: p-values of tests, and the estimates that they are of."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy import stats

from ...degrees.methods import reference
from ...engines.machine.blas import blas_threads
from ...engines.refits.refits import Refits, Refitter
from ...errors import BayesMixedError, BayesMixedWarning, FitError
from ...fits.point import PointFit
from ...likelihood.at import likelihood_of
from ...likelihood.replicated.criterion import ManyCriteria
from ...likelihood.replicated.variances import ManyVariances, many_variances, variances_alone
from ..lrt.law import ZERO
from .tested import Tested

NUMBERS = 2**16  # levels times responses that are judged at once: their arrays stay in the cache
NOT_CONVERGED = "the fit did not converge"
NOT_FITTED = "the model could not be fitted"


@dataclass(frozen=True, eq=False)
class Decided:
    """Of B responses and T tests: `p` and `estimates` (B, T), NaN where a replicate failed; `singular` (B,).

    `reasons` has why, by position.
    """

    p: np.ndarray
    estimates: np.ndarray
    singular: np.ndarray
    reasons: dict[int, str] = field(default_factory=dict)


class Decision(ABC):
    """A way to conclude."""

    @property
    def together(self) -> bool:
        """Whether many responses cost little more than a few."""
        return False

    @abstractmethod
    def __call__(self, y: np.ndarray) -> Decided:
        """What is concluded from responses y (B, rows)."""


@dataclass(frozen=True, eq=False)
class BySize(Decision):
    """F tests of estimates that are found together; `df` None for Satterthwaite's degrees of freedom."""

    fit: PointFit
    refitter: Refitter
    tests: tuple[Tested, ...]
    df: float | None

    @property
    def together(self) -> bool:
        return True

    def __call__(self, y: np.ndarray) -> Decided:
        refits = self.refitter.refits(y)
        p, known = np.full((len(y), len(self.tests)), np.nan), np.flatnonzero(refits.converged)
        step = max(8, NUMBERS // max((term.n_levels for term in self.fit.model.design.groups), default=1))
        with blas_threads(0):
            for first in range(0, len(known), step):
                some = known[first : first + step]
                p[some] = self._p(y[some], refits.take(some))
        return _decided(p, refits, self.tests)

    @cached_property
    def _rows(self) -> np.ndarray:
        return np.concatenate([test.rows for test in self.tests])[:, self.fit.model.design.places["mu"]]

    @cached_property
    def _spread(self) -> np.ndarray:
        """About how uncertain theta is (m,), at the stated parameters."""
        likelihood = likelihood_of(self.fit.model)
        x = likelihood.theta.working(self.fit.theta)
        metric = likelihood.metric(np.where(np.abs(x) < 1e-6, 0.1, x)) if len(x) else np.zeros((0, 0))
        return 2 * np.abs(np.diag(metric))

    def _p(self, y: np.ndarray, refits: Refits) -> np.ndarray:
        """p-values (B, T); NaN where the equations cannot be solved."""
        criteria = self.refitter.criteria(y)
        assert criteria is not None  # asked before
        x = np.array([criteria.theta.working(theta) for theta in refits.theta]).reshape(len(y), -1)
        found = self._variances(criteria, x)
        if found is None:
            if len(y) == 1:
                return np.full((1, len(self.tests)), np.nan)
            half = len(y) // 2
            parts = (np.arange(half), np.arange(half, len(y)))
            return np.concatenate([self._p(y[some], refits.take(some)) for some in parts])
        values, p, first = refits.parameters.beta[0] @ self._rows.T, [], 0
        for test in self.tests:
            where = slice(first, first + len(test.rows))
            F, df = found.test(values[:, where], where, self.df)
            p.append(_tail(F, len(test.rows), df))
            first = where.stop
        return np.array(p).T

    def _variances(self, criteria: ManyCriteria, x: np.ndarray) -> ManyVariances | None:
        try:
            with np.errstate(all="ignore"):
                if self.df is not None or not x.shape[1]:
                    return variances_alone(criteria, x, self._rows)
                return many_variances(criteria, x, self._rows, self._spread)
        except np.linalg.LinAlgError:
            return None


@dataclass(frozen=True, eq=False)
class ByCurvature(Decision):
    """Wald tests, chi-squared, of estimates of a generalized model that are found together."""

    fit: PointFit
    refitter: Refitter
    tests: tuple[Tested, ...]

    @property
    def together(self) -> bool:
        return True

    def __call__(self, y: np.ndarray) -> Decided:
        refits, where = self.refitter.refits(y), self.fit.model.design.places["mu"]
        p, known = np.full((len(y), len(self.tests)), np.nan), np.flatnonzero(refits.converged)
        some = refits.take(known)
        C = self.refitter.covariances(y[known], some)
        assert C is not None  # asked before
        for t, test in enumerate(self.tests):
            rows = test.rows[:, where]
            V, r = rows @ C @ rows.T, len(rows)
            found = ManyVariances(V, np.zeros((len(V), 0, r, r)), np.zeros((len(V), 0, 0)), np.inf)
            F, df = found.test(some.parameters.beta[0] @ rows.T, slice(0, r), np.inf)
            p[known, t] = _tail(F, r, df)
        return _decided(p, refits, self.tests)


@dataclass(frozen=True, eq=False)
class ByReference(Decision):
    """F tests of full fits, by a method for degrees of freedom."""

    refitter: Refitter
    tests: tuple[Tested, ...]
    ddf: str | float

    def __call__(self, y: np.ndarray) -> Decided:
        return _of_fits(self.refitter.fits(y), self.tests, self._p)

    def _p(self, fit: PointFit) -> list[float]:
        judged = reference(fit, self.ddf)
        beta = judged.coefficients(fit)
        return [judged.test(test.rows, test.rows @ beta).p for test in self.tests]


@dataclass(frozen=True, eq=False)
class ByRatio(Decision):
    """Likelihood ratios of the model and of those without each of the tests' functions, on chi-squared."""

    refitter: Refitter
    tests: tuple[Tested, ...]
    smaller: tuple[Refitter, ...]

    @property
    def together(self) -> bool:
        return self.refitter.together

    def __call__(self, y: np.ndarray) -> Decided:
        refits, p = self.refitter.refits(y), []
        for test, refitter in zip(self.tests, self.smaller, strict=True):
            without = refitter.refits(y)
            ratio = np.where(without.converged, 2 * (refits.loglik - without.loglik), np.nan)
            for i in np.flatnonzero(ratio < -ZERO):
                ratio[i] = self._again(y[[i]], float(without.loglik[i]))
            p.append(stats.chi2.sf(np.maximum(ratio, 0.0), len(test.rows)))
        return _decided(np.array(p).T, refits, self.tests)

    def _again(self, y: np.ndarray, without: float) -> float:
        """The ratio by a full fit of the larger model, which looks for other maxima; NaN where it stays below."""
        fit = next(iter(self.refitter.fits(y)))
        ratio = np.nan if fit is None else 2 * (fit.loglik - without)
        return ratio if ratio >= -ZERO else np.nan


@dataclass(frozen=True, eq=False)
class Asked(Decision):
    """What a function of the user's says of a fit: True where an effect is found, or a p-value."""

    refitter: Refitter
    tests: tuple[Tested, ...]
    function: Callable[[PointFit], Any]

    def __call__(self, y: np.ndarray) -> Decided:
        return _of_fits(self.refitter.fits(y), self.tests, lambda fit: [as_p(self.function(fit))])


def as_p(said: Any) -> float:
    """A p-value as it is, True and False as 0 and 1.

    Raises
    ------
    FitError
        For anything else.

    Examples
    --------
    >>> as_p(True), as_p(0.03)
    (0.0, 0.03)
    """
    if isinstance(said, bool | np.bool_):
        return 0.0 if said else 1.0
    try:
        value = float(np.asarray(said, dtype=float).item())
    except (TypeError, ValueError):
        value = np.nan
    if not 0 <= value <= 1:
        raise FitError(
            f"The function given as method must return True, False or a p-value, not {said!r}.", topic="own-statistic"
        )
    return value


def _tail(F: np.ndarray, rank: int, df: np.ndarray) -> np.ndarray:
    """P(F > statistic), of chi^2 where degrees of freedom are infinite."""
    with np.errstate(invalid="ignore"):
        finite = stats.f.sf(F, rank, np.where(np.isfinite(df), df, 1.0))
    found: np.ndarray = np.where(np.isinf(df), stats.chi2.sf(rank * F, rank), finite)
    return np.where(np.isnan(F) | np.isnan(df), np.nan, found)


def _decided(p: np.ndarray, refits: Refits, tests: Sequence[Tested]) -> Decided:
    """With what did not converge left out."""
    beta = refits.parameters.stacked[0]
    estimates = np.array(
        [(beta @ test.rows.T)[:, 0] if test.single else np.full(len(beta), np.nan) for test in tests]
    ).T
    failed = ~refits.converged | np.any(np.isnan(p), axis=1)
    reasons = {int(i): NOT_CONVERGED if not refits.converged[i] else "it could not be tested"
               for i in np.flatnonzero(failed)}  # fmt: skip
    p[failed] = np.nan
    estimates[failed] = np.nan
    return Decided(p, estimates, refits.singular & ~failed, reasons)


def _of_fits(fits: Any, tests: Sequence[Tested], judge: Callable[[PointFit], list[float]]) -> Decided:
    """What is concluded from each fit alone; whatever `judge` raises is a failure of its replicate."""
    p, estimates, singular, reasons = [], [], [], {}
    nothing = [np.nan] * len(tests)
    for i, fit in enumerate(fits):
        own, reason = nothing, NOT_FITTED if fit is None else "" if fit.status.converged else NOT_CONVERGED
        if not reason:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", BayesMixedWarning)
                    own = judge(fit)
            except BayesMixedError as problem:
                reason = str(problem)
            except Exception as problem:
                reason = f"{type(problem).__name__}: {problem}"
            reason = reason or ("it could not be tested" if np.any(np.isnan(own)) else "")
        if reason:
            reasons[i] = reason
        beta = None if reason else fit.parameters.stacked[0, 0]
        p.append(nothing if reason else own)
        estimates.append([float((t.rows @ beta)[0]) if beta is not None and t.single else np.nan for t in tests])
        singular.append(not reason and bool(fit.status.singular_scaled))
    return Decided(np.array(p), np.array(estimates), np.array(singular, dtype=bool), reasons)
