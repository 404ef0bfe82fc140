"""The likelihood-ratio test of two nested fits: the ratio, its law, its p-values, and what is doubtful about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...fits.point import PointFit
from ...messages import Told, retold
from ...page import listed
from .exact import exact_p
from .law import ZERO, Law
from .nested import Nesting, nesting
from .refits import from_smaller

EXACT = Told(
    "law-of-the-ratio",
    "exact p: of the exact law of the ratio for one variance, simulated 10,000 times (Crainiceanu & Ruppert 2004); "
    "the least that this shows is 1e-4. Prefer it to the mixture where levels are few.",
)
BY_SIMULATION = Told(
    "law-of-the-ratio", "By simulation, which is right at a boundary too: bm.bootstrap_test(large, small, seed=1)."
)


@dataclass(frozen=True, eq=False)
class RatioTest:
    """Twice the difference of two log-likelihoods, `df` parameters apart, and the `law` it is referred to.

    `law` is None where the smaller model is no case of the larger, or the same: then there is no test. `large` is the
    larger model's fit, the one given or a better one that was found; `exact` the p of the exact law of one variance,
    NaN where there is none; `singular` says that the smaller fit has a variance at its bound as well; `notes` say what
    is doubtful.
    """

    ratio: float
    df: int
    law: Law | None
    large: PointFit
    exact: float = float("nan")
    singular: bool = False
    notes: tuple[str, ...] = ()

    @property
    def p(self) -> float:
        """The p of the law: at a boundary that of the mixture, or an upper bound."""
        return float("nan") if self.law is None else self.law.p(self.ratio)

    @property
    def naive(self) -> float:
        """The p of a chi-squared with all parameters."""
        return float("nan") if self.law is None else self.law.naive(self.ratio)

    @property
    def at_boundary(self) -> bool:
        """Whether the naive p is not that of the law."""
        return self.law is not None and bool(self.law.words)


def ratio_test(
    small: PointFit, large: PointFit, names: tuple[str, str], shift: float = 0.0, seed: int | None = 1
) -> RatioTest:
    """Test a smaller model against a larger one of the same data, fitted by the same criterion.

    `shift` is added to the larger model's log-likelihood: of REML, for the basis in which its columns are written.
    """
    found = nesting(small.model, large.model)
    df = large.n_parameters - small.n_parameters
    if not found.holds or df < 1:
        return RatioTest(np.nan, df, None, large, notes=(_why_not(found, names),))
    notes: list[str] = []
    if _ratio(small, large, shift) < -ZERO:
        large, said = _better(small, large, found, names, shift)
        notes.append(said)
    ratio = _ratio(small, large, shift)
    if ratio < -ZERO:
        return RatioTest(np.nan, df, None, large, notes=tuple(notes))
    ratio, law = (0.0 if abs(ratio) < ZERO else ratio), found.law(df)
    exact = np.nan
    if law.words and law.exact:
        exact = exact_p(small, large, ratio, seed)
    return RatioTest(ratio, df, law, large, exact, small.status.singular_scaled, tuple(notes))


def _ratio(small: PointFit, large: PointFit, shift: float) -> float:
    return 2 * (large.loglik + shift - small.loglik)


def _better(
    small: PointFit, large: PointFit, found: Nesting, names: tuple[str, str], shift: float
) -> tuple[PointFit, str]:
    """The larger model fitted from the optimum of the smaller, which it contains, and what came of it."""
    short = f"{0.5 * -_ratio(small, large, shift):.3g}"
    lower = f"The log-likelihood of {names[1]} was {short} below that of {names[0]}, which it contains"
    again = from_smaller(small, large, found)
    if again.loglik > large.loglik and _ratio(small, again, shift) >= -ZERO:
        return again, Told(
            "better-optimum", f"{lower}: it was fitted again from there, and the better fit is the one compared."
        )
    best = again if again.loglik > large.loglik else large
    return best, (
        Told(
            "better-optimum",
            f"{lower}, and stays below it: that fit is not at its maximum, so there is no test. Fit it with another "
            "optimizer, or rescale its columns.",
        )
    )


def _why_not(found: Nesting, names: tuple[str, str]) -> str:
    if not found.holds:
        return Told(
            "not-nested",
            f"{names[0]} is no case of {names[1]}, {found.obstacle}: AIC and BIC compare them, a likelihood ratio does "
            "not.",
        )
    return Told("no-test", f"{names[0]} and {names[1]} are one model, written in two ways: there is nothing to test.")


def laws_in_words(tests: Mapping[str, RatioTest]) -> list[str]:
    """What p-values are of where that is no plain chi-squared, tests of one law together; tests by what they are of."""
    laws: dict[str, list[str]] = {}
    for name, test in tests.items():
        if test.law is not None and test.law.words:
            laws.setdefault(test.law.words, []).append(name)
    notes = [retold(words, f"{listed(names)}: {words}.") for words, names in laws.items()]
    bounds = [name for name, test in tests.items() if test.law is not None and not test.law.exact]
    singular = [name for name, test in tests.items() if test.at_boundary and test.singular and name not in bounds]
    if singular:
        notes.append(
            Told(
                "law-of-the-ratio",
                f"{listed(singular)}: another variance is at its bound in the smaller model, so that the weights of "
                "the mixture are approximate.",
            )
        )
    if bounds or singular:
        notes.append(BY_SIMULATION)
    if any(test.exact == test.exact for test in tests.values()):
        notes.append(EXACT)
    return notes
