"""The table of tests of terms: one row a term, F with its degrees of freedom or Wald's chi^2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...degrees.reference import FTest, Reference, wald
from ...messages import retold
from ...page import Page, Printed, Section, column, places, probability

if TYPE_CHECKING:
    from ...fits.point import PointFit

COLUMNS = ("num_df", "den_df", "statistic", "p")


@dataclass(frozen=True, repr=False)
class TermTests(Printed):
    """Tests of the terms of one fit. Printing gives a page; notebooks get HTML.

    Attributes
    ----------
    frame
        A row for each term: `num_df`, `den_df` (infinite for chi^2), `statistic` (F, or chi^2) and `p`; blank where
        nothing of a term can be tested.
    notes
        Which type, which degrees of freedom, what is doubtful.
    residual
        Degrees of freedom and sum of squares of the residuals of a linear model without bars, printed below.
    """

    title: str
    frame: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...] = ()
    residual: tuple[float, float] | None = None

    @property
    def page(self) -> Page:
        """The page that is printed."""
        return Page((Section(self.title, self._shown(), self.notes),))

    def _shown(self) -> pd.DataFrame:
        frame = self.frame
        chi2 = bool(np.isinf(frame["den_df"]).any())
        texts = {"df" if chi2 else "num_df": [str(df) if df else "" for df in frame["num_df"]]}
        if not chi2:
            texts["den_df"] = column(frame["den_df"], 0 if np.all(frame["den_df"].dropna() % 1 == 0) else 1)
        if self.residual is not None:
            df, total = self.residual
            squares = [*(frame["statistic"] * frame["num_df"] * total / df), total]
            texts = {name: [*cells, ""] for name, cells in texts.items()}
            texts["num_df"][-1] = f"{df:g}"
            texts["sum of squares"] = column(squares, places(squares))
        texts["chisq" if chi2 else "F"] = column(frame["statistic"], 3)
        texts["p"] = [probability(p) for p in frame["p"]]
        longest = max(map(len, texts.values()))
        padded = {name: [*cells, *[""] * (longest - len(cells))] for name, cells in texts.items()}
        return pd.DataFrame(padded, index=[*frame.index, *["Residual"] * (longest - len(frame))])


def tested(fit: PointFit, rows: Mapping[str, np.ndarray], reference: Reference) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The joint test of the rows (m, p) on the mean's coefficients that each term has, and what is doubtful of some."""
    tests = {name: _test(fit, name, L, reference) for name, L in rows.items()}
    found = [_row(test) for test in tests.values()]
    table = pd.DataFrame(found, columns=list(COLUMNS), index=pd.Index(list(rows), name="term"))
    doubtful = {name: test.doubt for name, test in tests.items() if test is not None and test.doubt}
    doubts = tuple(retold(doubt, f"{name}: {doubt}") for name, doubt in doubtful.items())
    return table.astype({"num_df": int}), doubts


def _test(fit: PointFit, name: str, L: np.ndarray, reference: Reference) -> FTest | None:
    if not len(L):
        return None
    rows = _among_all(fit, L)
    values = rows @ reference.coefficients(fit)
    if not reference.by_term:
        return reference.test(rows, values)
    statistic, rank = wald(rows @ reference.root, values)
    own = np.eye(len(fit.beta))[list(fit.model.design.mu.terms[name])]
    return FTest(statistic / rank, rank, float(np.min(reference.df(_among_all(fit, own)))))


def _among_all(fit: PointFit, rows: np.ndarray) -> np.ndarray:
    """Rows (m, p) on the mean's coefficients as rows (m, P) on those of all predictors."""
    whole = np.zeros((len(rows), len(fit.model.design.coefficients)))
    whole[:, fit.model.design.places["mu"]] = rows
    return whole


def _row(test: FTest | None) -> tuple[int, float, float, float]:
    if test is None:
        return 0, np.nan, np.nan, np.nan
    statistic = test.statistic * test.num_df if np.isinf(test.den_df) else test.statistic
    return test.num_df, test.den_df, statistic, test.p


def law(reference: Reference) -> str:
    """What the statistics are referred to, in words."""
    words = reference.words.removeprefix("t with ")
    return "Wald's chi^2" if words == reference.words else f"F, denominator: {words}"


def blank(frame: pd.DataFrame) -> Sequence[str]:
    """The terms of which nothing can be tested."""
    return [str(name) for name in frame.index[frame["num_df"] == 0]]
