"""What `influence` returns: changes of every parameter, Cook's distances and DFBETAS by level or row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from ...fits.point import PointFit
from ...messages import Told
from ...page import Page, Printed, Section, column, places
from ..bootstrap.parameters import estimates
from .left_rows import ROW, LeftRows
from .without import Without

SHOWN = 10  # of the most influential on the page
FEW = 6  # coefficients or variances that a page shows beside each other
LARGE = 4.0  # over the number of levels or rows: Cook's distances from which one should look


@dataclass(frozen=True, eq=False, repr=False)
class Influence(Printed):
    """Estimates without each level or row, beside those of all data. Printing gives a page; notebooks get HTML.

    Attributes
    ----------
    fit
        The fit of all data.
    left, without
        What was left out, one after the other, and what was estimated without it.
    refit
        Whether the model was fitted anew each time, and not moved by one step.
    estimates
        Every parameter without each of them, named as `side_by_side` names them.
    changes
        The estimate of all data less the one without: what a level or row does to it.
    dfbetas
        Changes of the coefficients over their standard errors without the level or row.
    failures
        Why there are no estimates without some of them.
    notes
        How the estimates were found, what is doubtful.
    """

    fit: PointFit
    left: LeftRows
    without: Without
    refit: bool
    notes: tuple[str, ...]

    @property
    def by(self) -> str:
        """What tells the sets of rows apart."""
        return self.left.name

    @property
    def _index(self) -> pd.Index:
        return self.left.labels.rename(self.by)

    @cached_property
    def estimates(self) -> pd.DataFrame:
        return self.without.values.set_axis(self._index, axis=0)

    @cached_property
    def changes(self) -> pd.DataFrame:
        return self.estimates.rsub(estimates(self.fit), axis="columns")

    @cached_property
    def dfbetas(self) -> pd.DataFrame:
        names = list(self.fit.model.design.coefficients)
        return self.changes[names].div(self.without.se)

    @property
    def failures(self) -> dict[object, str]:
        return {self.left.labels[i]: reason for i, reason in self.without.reasons.items()}

    @cached_property
    def cook(self) -> pd.Series:
        """Cook's distances d'C^-1 d / p of the coefficients of the mean, C their covariance in the fit of all data."""
        root = self.fit.beta_root
        d = self.changes.iloc[:, : len(root)].to_numpy()
        if not len(root):
            return pd.Series(0.0, self._index, name="cook")
        solved = np.linalg.lstsq(root, d.T, rcond=None)[0] if np.isfinite(d).all() else _solved(root, d)
        return pd.Series(np.sum(solved**2, axis=0) / len(root), self._index, name="cook")

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row per level or row that is left out, in the order of the data.

        rows
            How many rows that is.
        cook
            Cook's distance.
        loglik
            Change of the log-likelihood of all data (its REML criterion), from the estimates without to those with.
        leverage, cook_fitted
            Where single rows are left out: d fitted / d y, and the distance of fitted values with their effects held at
            the same variances, r^2 h / ((1 - h)^2 p) of Pearson residuals r: lme4's ``cooks.distance``.
        then one column per parameter
            `changes`.
        """
        parts: dict[str, object] = {"rows": self.left.sizes, "cook": self.cook, "loglik": self.without.fall}
        if self.left.single:
            parts |= self._fitted()
        return pd.concat([pd.DataFrame(parts, index=self._index), self.changes], axis=1)

    def _fitted(self) -> dict[str, np.ndarray]:
        at = np.concatenate(self.left.members)
        h, r = self.fit.leverage()[at], self.fit.residuals("pearson").to_numpy()[at]
        with np.errstate(divide="ignore", invalid="ignore"):
            return {"leverage": h, "cook_fitted": r**2 * h / ((1 - h) ** 2 * max(len(self.fit.beta), 1))}

    @property
    def page(self) -> Page:
        """The page that is printed: those with the largest Cook's distances."""
        known = int(self.cook.notna().sum())
        at = np.argsort(-self.cook.to_numpy(), kind="stable")[: min(SHOWN, known)]
        return Page((self._first(at), *self._variances(at), Section("", None, self._said)))

    def _first(self, at: np.ndarray) -> Section:
        frame = self.frame.iloc[at]
        shown = pd.DataFrame(index=frame.index.map(str))
        if not self.left.single:
            shown["rows"] = frame["rows"].map(str).to_numpy()
        shown["Cook's D"] = column(frame["cook"], 3)
        shown["logLik"] = column(frame["loglik"], 2)
        for name in self.dfbetas.columns[:FEW]:
            shown[f"dfbetas {name}"] = column(self.dfbetas[name].iloc[at], 2)
        what = "rows" if self.by == ROW else f"levels of {self.by}"
        how = "refitted without each" if self.refit else "one step without each"
        return Section(f"Influence of {len(self.cook)} {what} on {self.fit.label}, {how}; the largest:", shown)

    def _variances(self, at: np.ndarray) -> tuple[Section, ...]:
        names = [str(name) for name in self.changes if name not in self.dfbetas][:FEW]
        if not names or not self.refit:  # with ratios held they say little
            return ()
        every = estimates(self.fit)[names].to_frame("all data").T
        table = pd.concat([every, self.estimates[names].iloc[at].set_axis(self._index[at].map(str), axis=0)])
        shown = pd.DataFrame({name: column(table[name], places([every[name].iloc[0]])) for name in names}, table.index)
        return (Section("Estimates without them:", shown),)

    @property
    def _said(self) -> tuple[str, ...]:
        large = int(np.sum(self.cook > LARGE / len(self.cook)))
        first = Told(
            "reading-of-influence",
            f"Cook's D: d'C^-1 d / p of the fixed effects; {large} above 4 / {len(self.cook)} = "
            f"{LARGE / len(self.cook):.2g}. logLik: what that of all data falls by at the estimates without. dfbetas: "
            "the estimate of all data less the one without, over its standard error there.",
        )
        return (first, *self.notes)


def _solved(root: np.ndarray, d: np.ndarray) -> np.ndarray:
    found = np.full((root.shape[1], len(d)), np.nan)
    known = np.isfinite(d).all(axis=1)
    found[:, known] = np.linalg.lstsq(root, d[known].T, rcond=None)[0]
    return found
