"""What estimates of linear functions of the coefficients are judged by: their covariance, and degrees of freedom."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy import stats
from scipy.linalg import lstsq

from ..messages import Told

if TYPE_CHECKING:
    from ..fits.point import PointFit

FEWEST = 1.0  # degrees of freedom from which a t distribution has a mean
DEPENDENT = 1e-10  # of a row in units of its standard error: what is left of it after others where it depends on them


@dataclass(frozen=True)
class FTest:
    """A joint test: `statistic` F on `num_df` and `den_df` degrees of freedom; infinite `den_df` mean chi^2 / num_df.

    `doubt` says where it is rough, or why there is none.

    Examples
    --------
    >>> round(FTest(3.0, 2, np.inf).p, 4), round(FTest(3.0, 2, 10.0).p, 4)
    (0.0498, 0.0954)
    """

    statistic: float
    num_df: int
    den_df: float
    doubt: str = ""

    @property
    def p(self) -> float:
        """P(F > statistic)."""
        if np.isinf(self.den_df):
            return float(stats.chi2.sf(self.num_df * self.statistic, self.num_df))
        return float(stats.f.sf(self.statistic, self.num_df, self.den_df))


class Reference(ABC):
    """How linear functions L beta of a fit's coefficients are judged, the P coefficients of all predictors in beta.

    Attributes
    ----------
    root
        F (P, q) with F F' the covariance of the coefficients that standard errors are made with: the fit's own, or one
        adjusted for small samples.
    words
        What limits and tests are referred to: "z", "t with Satterthwaite's degrees of freedom".
    notes
        What a reader must know besides: a variance that was held, a refit by REML.
    by_term
        Whether degrees of freedom belong to terms as wholes, so that a test of a term is judged by its own columns'
        and not by those of other columns that its hypothesis touches.
    beta
        The coefficients (P,) to test in place of the fit's, where it was refitted; None for the fit's own.
    errors
        What the standard errors are, where the covariance is not the fit's own; else empty.
    papers
        Keys in `citations.papers` of the papers that the degrees of freedom are from.
    """

    by_term: ClassVar[bool] = False
    beta: np.ndarray | None = None
    errors: ClassVar[str] = ""
    papers: ClassVar[tuple[str, ...]] = ()

    root: np.ndarray
    words: str
    notes: tuple[str, ...]

    @abstractmethod
    def df(self, rows: np.ndarray) -> np.ndarray:
        """Degrees of freedom (m,) of t of each row of `rows` (m, P); infinite where the reference is normal."""

    @abstractmethod
    def test(self, rows: np.ndarray, values: np.ndarray) -> FTest:
        """The joint F test that all `values` (m,) are zero: estimates of `rows` beta less what is claimed of them.

        Rows that depend on others count once.
        """

    def coefficients(self, fit: PointFit) -> np.ndarray:
        """The coefficients (P,) that are tested: `beta`, or the fit's."""
        return fit.parameters.stacked[0, 0] if self.beta is None else self.beta

    @property
    def beyond(self) -> float:
        """Degrees of freedom of what is no linear function of the coefficients, as the delta method makes it one."""
        return np.inf

    @property
    def beyond_words(self) -> str:
        """What such functions are referred to."""
        return f"z, not {self.words}, which is for linear functions of the coefficients"

    def covariance(self, rows: np.ndarray) -> np.ndarray:
        """(m, m) of the estimates of `rows` beta."""
        half = rows @ self.root
        return half @ half.T


@dataclass(frozen=True)
class Fixed(Reference):
    """The same degrees of freedom for every function: given ones, residual ones, infinite ones (normal, chi^2)."""

    root: np.ndarray
    words: str
    value: float
    notes: tuple[str, ...] = ()

    def df(self, rows: np.ndarray) -> np.ndarray:
        return np.full(len(rows), self.value)

    @property
    def beyond(self) -> float:
        return self.value

    @property
    def beyond_words(self) -> str:
        return self.words

    def test(self, rows: np.ndarray, values: np.ndarray) -> FTest:
        statistic, rank = wald(rows @ self.root, values)
        return FTest(statistic / rank, rank, self.value)


def too_few(df: np.ndarray) -> tuple[str, ...]:
    """What to say of limits with these degrees of freedom, if any are below one: t has no mean there.

    >>> too_few(np.array([0.08, 17.0]))[0][:31], too_few(np.array([3.0]))
    ('Degrees of freedom below 1: the', ())
    """
    if not np.any(df < FEWEST):
        return ()
    return (
        Told(
            "degrees-in-doubt",
            f"Degrees of freedom below {FEWEST:g}: the data say next to nothing of how uncertain these estimates are; "
            "their limits are of no use.",
        ),
    )


def wald(half: np.ndarray, values: np.ndarray) -> tuple[float, int]:
    """v'(H H')^- v of values (m,) with covariance H H', H (m, q), and its rank; NaN where H is not known.

    Rows that follow from others but for rounding count once, whatever units they have.

    >>> half = np.array([[0.1, 0.2], [0.3, 0.1], [0.4, 0.3]])
    >>> wald(half, half @ np.ones(2))[1]
    2
    """
    if not np.all(np.isfinite(half)):
        return float("nan"), len(half)
    sizes = np.linalg.norm(half, axis=1)
    scale = np.divide(1.0, sizes, out=np.zeros_like(sizes), where=sizes > 0)
    # the shortest x with H x = v: v'(H H')^- v = x'x
    solution, _, rank, _ = lstsq(half * scale[:, None], values * scale, cond=DEPENDENT)
    return float(solution @ solution), int(rank)
