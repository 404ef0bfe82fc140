"""How does the page of a search for a simpler random part look?"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from ...fits.point import PointFit
from ...model import Model
from ...page import Page, Printed, Section, column, probability


@dataclass(frozen=True, eq=False, repr=False)
class SimplerStructure(Printed):
    """What `simplify` returns. Printing gives a page; notebooks get HTML.

    Attributes
    ----------
    frame
        The path, one row per model, the one given first: formula, without (what the row before had more), chisq
        (change in -2 log-likelihood), df, parameters, p, aic, bic, loglik, singular, reason.
    tried
        Every model that was fitted: step, without, formula, chisq, df, p, aic, bic, singular, taken, reason.
    fit, before
        The fit of the chosen model, and of the one before it on the path; the same where no step was taken.
    notes
        Where it stopped, which laws p-values are of, what is doubtful.
    """

    frame: pd.DataFrame
    tried: pd.DataFrame
    fit: PointFit
    before: PointFit
    title: str
    notes: tuple[str, ...]

    @property
    def model(self) -> Model:
        """The chosen model."""
        return self.fit.model

    @property
    def page(self) -> Page:
        """The page that is printed."""
        short = [f"({i})" for i in range(len(self.frame))]
        formulas = tuple(f"{number} {text}" for number, text in zip(short, self.frame["formula"], strict=True))
        shown = pd.DataFrame(index=short)
        shown["without"] = list(self.frame["without"])
        shown["chisq"] = column(self.frame["chisq"], 3)
        shown["df"] = ["" if pd.isna(df) else f"{df:.0f}" for df in self.frame["df"]]
        shown["p"] = [probability(p) for p in self.frame["p"]]
        shown["parameters"] = [str(k) for k in self.frame["parameters"]]
        shown["AIC"], shown["BIC"] = column(self.frame["aic"], 2), column(self.frame["bic"], 2)
        shown["singular"] = ["yes" if value else "no" for value in self.frame["singular"]]
        return Page((Section(self.title, None, formulas), Section("", shown, self.notes)))
