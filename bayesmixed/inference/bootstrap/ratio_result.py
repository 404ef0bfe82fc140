"""What a bootstrap test returns: p as counted, and of laws whose moments are those of the simulated ratios."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from ...page import Page, Printed, Section, column, probability
from ..lrt.law import ZERO

ENOUGH = 50  # exceedances at which a sequential test stops (Besag & Clifford 1991)


@dataclass(frozen=True, eq=False, repr=False)
class BootstrapTest(Printed):
    """A likelihood-ratio test by simulation. Printing gives a page; notebooks get HTML.

    Attributes
    ----------
    statistic, df
        The likelihood ratio of the data, and how many parameters the models differ by.
    ratios
        Those of the replicates that were used.
    p
        As counted; `p_error` its Monte Carlo standard error.
    failed
        How many replicates had a fit that did not converge.
    boundary
        Share of the replicates whose larger fit is on its boundary.
    naive
        The p of the chi-squared law, which the simulation stands in for.
    sequential
        Whether it stopped as soon as the answer was clear.
    models
        The formulas, the smaller model's first.
    """

    statistic: float
    df: int
    ratios: np.ndarray
    naive: float
    failed: int
    boundary: float
    sequential: bool
    title: str
    models: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def exceedances(self) -> int:
        """How many of the replicates' ratios are at least that of the data."""
        return int(np.sum(self.ratios >= self.statistic - ZERO))

    @property
    def p(self) -> float:
        """(1 + exceedances) / (1 + used); of a sequential test that stopped, exceedances / used."""
        if self.stopped:
            return self.exceedances / len(self.ratios)
        return (1 + self.exceedances) / (1 + len(self.ratios))

    @property
    def stopped(self) -> bool:
        """Whether a sequential test saw enough."""
        return self.sequential and self.exceedances >= ENOUGH

    @property
    def p_error(self) -> float:
        """Standard error of p from the number of replicates."""
        return float(np.sqrt(self.p * (1 - self.p) / len(self.ratios)))

    @property
    def frame(self) -> pd.DataFrame:
        """One row per version of the test: statistic, df, den_df, p.

        "LRT" refers the ratio to chi-squared, "bootstrap" counts; "Bartlett" rescales the ratio to the mean of the
        simulated ones, "gamma" has a gamma law of their mean and variance, "F" an F law of their mean.
        """
        T, df, mean = self.statistic, self.df, float(np.mean(self.ratios))
        spread = float(np.var(self.ratios, ddof=1))
        E = mean / df
        scaled, known = (T * df / mean, True) if mean > 0 else (np.nan, False)
        den = 2 * E / (E - 1) if E > 1 else np.nan
        gamma = stats.gamma.sf(T, mean**2 / spread, scale=spread / mean) if known and spread > 0 else np.nan
        rows = {
            "LRT": (T, df, np.nan, self.naive),
            "bootstrap": (T, np.nan, np.nan, self.p),
            "Bartlett": (scaled, df, np.nan, stats.chi2.sf(scaled, df)),
            "gamma": (T, np.nan, np.nan, gamma),
            "F": (T / df, df, den, stats.f.sf(T / df, df, den) if den == den else np.nan),
        }
        return pd.DataFrame.from_dict(rows, orient="index", columns=["statistic", "df", "den_df", "p"]).astype(float)

    @property
    def page(self) -> Page:
        """The page that is printed."""
        frame = self.frame
        shown = pd.DataFrame(index=frame.index)
        shown["statistic"] = column(frame["statistic"], 3)
        shown["df"] = ["" if pd.isna(v) else f"{v:.0f}" for v in frame["df"]]
        if frame["den_df"].notna().any():
            shown["den df"] = column(frame["den_df"], 1)
        shown["p"] = [probability(p) for p in frame["p"]]
        return Page((Section(self.title, None, self.models), Section("", shown, self.notes)))
