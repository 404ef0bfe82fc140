"""What `permutation_test` returns: the share of arrangements as extreme as the data, and how often analyses reject."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...page import Page, Printed, Section, column, probability

TIE = 1e-5  # relative: statistics of equivalent arrangements differ by what searches leave


@dataclass(frozen=True, eq=False, repr=False)
class PermutationTest(Printed):
    """A test by exchanging labels. Printing gives a page; notebooks get HTML.

    Attributes
    ----------
    statistic
        Of the data.
    values
        Of the arrangements that were used (B,).
    p_values
        What each analysis gives as its own p-value in every arrangement: a column for the model, one for the analysis
        that it is compared with, NaN where that one failed. Under the hypothesis they should be uniform.
    nominal
        What each analysis gives as its own p-value for the data.
    alpha
        Level at which rejections are counted.
    analyses
        The columns of `p_values` in words: formula, method and test of each.
    failed
        How many arrangements the model could not be fitted to.
    enumerated
        Whether all arrangements were made, not a sample of them.
    exact
        Whether what is exchanged differs in nothing else that the model knows.
    notes
        What was exchanged, what is doubtful.
    """

    statistic: float
    values: np.ndarray
    p_values: pd.DataFrame
    nominal: tuple[float, ...]
    alpha: float
    failed: int
    enumerated: bool
    exact: bool
    title: str
    analyses: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def exceedances(self) -> int:
        """How many arrangements have a statistic at least that of the data."""
        return int(np.sum(self.values >= self.statistic * (1 - TIE)))

    @property
    def p(self) -> float:
        """(1 + exceedances) / (1 + used): the data are one of the arrangements."""
        return (1 + self.exceedances) / (1 + len(self.values))

    @property
    def p_error(self) -> float:
        """Monte Carlo standard error of p; 0 where all arrangements were made."""
        return 0.0 if self.enumerated else float(np.sqrt(self.p * (1 - self.p) / len(self.values)))

    @property
    def frame(self) -> pd.DataFrame:
        """One row per analysis.

        p is the one it gives of the data; `rejected` the share of arrangements, in which labels mean nothing, whose
        p-value is at most alpha; `se` the Monte Carlo error of that; `used` the arrangements it was made of.
        """
        rows = {}
        for name, nominal in zip(self.p_values, self.nominal, strict=True):
            known = self.p_values[name].dropna()
            share = float(np.mean(known <= self.alpha)) if len(known) else np.nan
            se = np.sqrt(share * (1 - share) / len(known)) if len(known) and not self.enumerated else 0.0
            rows[name] = (nominal, share, se, len(known))
        return pd.DataFrame.from_dict(rows, orient="index", columns=["p", "rejected", "se", "used"])

    @property
    def page(self) -> Page:
        """The page that is printed."""
        shown = pd.DataFrame(
            {"statistic": column([self.statistic], 3), "p": [probability(self.p)]}, index=["permutation"]
        )
        if not self.enumerated:
            shown["error of p"] = [f"{self.p_error:.2g}"]
        frame = self.frame
        rates = pd.DataFrame(index=frame.index)
        rates["p of the data"] = [probability(p) for p in frame["p"]]
        rates[f"p <= {self.alpha:g}"] = [f"{100 * share:.1f} %" for share in frame["rejected"]]
        if not self.enumerated:
            rates["error"] = [f"{100 * se:.1f} %" for se in frame["se"]]
        heading = (
            "By the law of each statistic, and how often that rejects where labels are exchanged and mean nothing:"
        )
        return Page((Section(self.title, shown, self.notes), Section(heading, rates, self.analyses)))
