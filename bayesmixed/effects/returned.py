"""What every effect is returned as: a frame of estimates with limits, a page that prints, and contrasts of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from ..degrees.reference import too_few
from ..design.columns.factors import level_text
from ..errors import FitError, checked_level, with_known_options
from ..messages import Told
from ..page import Page, Printed, Section, column, places, probability
from . import adjustment
from .differences import DEFAULT_ADJUSTMENT, PAIRS, contrasts
from .quantities import AS_IS, Quantities, Scale

DIGITS = {"statistic": 3, "df": 1}
ROWS = 60  # printed
LEVELS, ROUNDING = ("estimate", "lower", "upper"), 1e-9  # below this share of a standard error they print as 0


@dataclass(frozen=True, repr=False)
class Effects(Printed):
    """Estimates with their uncertainty. Printing gives a page; notebooks get HTML.

    Attributes
    ----------
    title, notes
        What they are, in words.
    keys
        Columns that name them, row by row.
    quantities
        Their values on the scale on which limits and tests are made, with what these are referred to.
    scale
        The scale on which they are shown.
    by
        Columns within which contrasts are formed.
    level
        Coverage of the limits.
    tested
        Whether zero is a value of interest, so that each has a test.
    adjust
        How p-values and limits are adjusted for many tests.
    weights
        Of contrasts, the weights of the means that they are sums of; else None.
    ratio
        How contrasts of them are shown, such as ratios; None: as they are.
    of
        What such a ratio is of: "odds" make odds ratios.
    curve
        Which odds, where a link has several.
    refusal
        Why they have no contrasts, in words; empty where they have.
    blank
        What a missing estimate means, in words.
    """

    title: str
    keys: pd.DataFrame
    quantities: Quantities = field(repr=False)
    notes: tuple[str, ...] = ()
    scale: Scale = AS_IS
    by: tuple[str, ...] = ()
    level: float = 0.95
    tested: bool = False
    adjust: str = "none"
    weights: np.ndarray | None = field(default=None, repr=False)  # of the means of which these are contrasts
    ratio: Scale | None = None  # how their contrasts are shown, None: as they are
    of: str = "means"  # what such a ratio is of: "odds" make odds ratios
    curve: str = ""  # which odds, where a link has several
    refusal: str = ""  # why they have no contrasts
    # what a missing estimate means
    blank: str = Told(
        "blank-cells", "Blank: the data do not determine it (no rows with these levels, or with some that it averages)."
    )

    def __post_init__(self) -> None:
        checked_level(self.level)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Key columns, estimate, se, lower, upper; of tests also statistic and p. A copy may be changed at will.

        Beside se stand the degrees of freedom, `df`, unless all are infinite: limits and tests normal.
        """
        p, critical = self._judged()
        found = self.quantities.table(self.level, critical, self.scale).set_axis(self.keys.index)
        df = self.quantities.df
        if (~np.isinf(df) & ~np.isnan(self.quantities.values)).any():
            found.insert(2, "df", df)
        statistic = self.quantities.statistic()
        if self.tested and statistic is not None:
            found["statistic"] = statistic
            found["p"] = p
        return pd.concat([self.keys, found], axis=1)

    @with_known_options
    def contrast(
        self, method: Any = "pairwise", *, adjust: str | None = None, ref: Any = None, by: Any = "same"
    ) -> Effects:
        """Differences of these estimates, or other weighted sums, with tests.

        Parameters
        ----------
        method
            "pairwise", "revpairwise" (later minus earlier), "sequential", "trt.vs.ctrl", or weights of the estimates in
            their printed order: a dict {label: weights}, a matrix with one row per contrast, a DataFrame. Weights
            that do not sum to zero are allowed and noted.
        adjust
            "none", "tukey" (of pairs), "holm", "bonferroni", "mvt" (multivariate normal, or t) or "fdr" (Benjamini &
            Hochberg 1995, J. R. Stat. Soc. B 57, 289-300); by default tukey for pairs, mvt for sequential and
            trt.vs.ctrl, none for weights. Families are the contrasts within one group of `by`, each judged with its
            own degrees of freedom; limits are adjusted alike (those of Holm and fdr are Bonferroni's).
        ref
            The control of "trt.vs.ctrl": its label, or its place counted from 1.
        by
            Columns within which contrasts are formed; by default those of the estimates.

        Returns
        -------
        Effects

        Raises
        ------
        FitError
            Unknown methods and columns, weights that do not fit, an adjustment of draws.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("angle ~ recipe + temp + (1 | recipe:replicate)", bm.load_data("cake")).fit("reml")
        >>> bm.emmeans(fit, "recipe").contrast("pairwise").frame[["contrast", "estimate", "p"]].round(2)
          contrast  estimate     p
        0    A - B      1.48  0.82
        1    A - C      1.52  0.81
        2    B - C      0.04  1.00
        """
        if self.refusal:
            raise FitError(self.refusal, topic="contrasts-of-means")
        within = self.by if isinstance(by, str) and by == "same" else tuple([by] if isinstance(by, str) else by or ())
        for name in within:
            if name not in self.keys:
                raise FitError(
                    f"by={name!r} is not a column of this table. Known: {', '.join(map(str, self.keys))}.",
                    topic="no-such-column",
                )
        draws = self.quantities.statistic() is None
        default = DEFAULT_ADJUSTMENT.get(method, "none") if isinstance(method, str) else "none"
        chosen = adjustment.checked(adjust, default, draws=draws)
        if chosen == "tukey" and not (isinstance(method, str) and method in PAIRS):
            raise FitError(
                'adjust="tukey" is for pairwise contrasts. Use "mvt", "holm" or "bonferroni".', topic="adjust"
            )
        return self._contrasted(method, within, chosen, ref)

    def _contrasted(self, method: Any, within: tuple[str, ...], chosen: str, ref: Any) -> Effects:
        weights, keys, off = [], [], []
        for rows in self._groups(within):
            part = self.keys.iloc[rows]
            found = contrasts(method, self._labels(part, within), ref=ref, ratio=self.ratio is not None)
            full = np.zeros((len(found.weights), len(self.keys)))
            full[:, rows] = found.weights
            key = pd.DataFrame({name: [part[name].iloc[0]] * len(full) for name in within})
            keys.append(key.assign(contrast=list(found.labels)))
            weights.append(full)
            off = found.unbalanced
        notes = list(self.notes)
        ratios = "odds ratios" if self.of == "odds" else "ratios"
        if off:
            what = "sums of means, not differences" if self.ratio is None else f"{self.of} or products, not {ratios}"
            notes.append(Told("contrasts-of-means", f"Weights that do not sum to zero: {', '.join(off)}: {what}."))
        if self.ratio is not None:
            notes.append(
                Told(
                    "reading-of-contrasts",
                    f"Contrasts: {ratios}{self.curve}; tests and limits are of their logarithms.",
                )
            )
        elif self.scale is not AS_IS:
            notes.append(Told("reading-of-contrasts", "Contrasts: on the scale of the link."))
        return replace(
            self,
            title="Contrasts of " + self.title[0].lower() + self.title[1:],
            keys=pd.concat(keys, ignore_index=True),
            quantities=self.quantities.combined(np.concatenate(weights)),
            weights=np.concatenate(weights),
            notes=tuple(notes),
            scale=self.ratio or AS_IS,
            by=within,
            tested=True,
            of="ratios",
            adjust=chosen,
        )

    def _groups(self, within: Sequence[str]) -> Iterator[np.ndarray]:
        """Positions of the rows that belong together."""
        if not within:
            yield np.arange(len(self.keys))
            return
        group = self.keys.groupby(list(within), sort=False, observed=True, dropna=False).ngroup().to_numpy()
        yield from (np.flatnonzero(group == g) for g in np.unique(group))

    def _labels(self, part: pd.DataFrame, within: Sequence[str]) -> list[str]:
        every = [name for name in part.columns if name not in within]
        names = [name for name in every if part[name].nunique(dropna=False) > 1] or every
        return [" ".join(_label(name, row[name]) for name in names) for _, row in part.iterrows()]

    def _judged(self) -> tuple[np.ndarray, np.ndarray]:
        """p-values and critical values (m,), family by family."""
        statistics, df = self.quantities.statistic(), self.quantities.df
        p, critical = np.full(len(df), np.nan), np.asarray(stats.t.ppf(0.5 + self.level / 2, df))
        if statistics is None or not self.tested:
            return p, critical
        if self.adjust == "none":
            return np.asarray(2 * stats.t.sf(np.abs(statistics), df)), critical
        covariance = self.quantities.covariance()
        for group in self._groups(self.by):
            rows = group[~np.isnan(statistics[group] + df[group])]
            if not len(rows):
                continue
            related = adjustment.correlation(covariance[np.ix_(rows, rows)])
            family = adjustment.FamilyOfTests(statistics[rows], related, self._means(rows), df[rows])
            p[rows], critical[rows] = family.p_values(self.adjust), family.critical(self.adjust, self.level)
        return p, critical

    def _means(self, rows: np.ndarray) -> int:
        """How many means these contrasts compare."""
        return 0 if self.weights is None else int((self.weights[rows] != 0).any(axis=0).sum())

    @property
    def page(self) -> Page:
        """The table and its notes."""
        shown = formatted(self.frame.head(ROWS), len(self.keys.columns))
        more = len(self.frame) - len(shown)
        shortened = (Told("shortened", f"... and {more} more rows: .frame has them all."),) if more else ()
        blank = (self.blank,) if self.blank and np.isnan(self.quantities.values).any() else ()
        lines = (*shortened, *blank, *self.notes, *self._how())
        return Page((Section(self.title, shown, lines, index=False, once=(*map(str, self.keys), "df")),))

    def _how(self) -> tuple[str, ...]:
        coverage = f"{100 * self.level:g} %"
        if self.quantities.statistic() is None:
            return (Told("limits", f"Limits: {coverage}, quantiles of the draws."),)
        reference, notes = self.quantities.judged_by
        made = ", ".join(filter(None, (reference, self.quantities.limits_made)))
        lines: tuple[str, ...] = (Told("limits", f"Limits: {coverage}, {made}."), *too_few(self.quantities.df), *notes)
        if self.tested and self.adjust != "none":
            known = ~np.isnan(self.quantities.values)
            families = [rows[known[rows]] for rows in self._groups(self.by) if known[rows].any()]
            words = adjustment.WORDS[self.adjust].format(
                means=_range([self._means(rows) for rows in families]),
                contrasts=_range([len(rows) for rows in families]),
                reference="t" if np.isfinite(self.quantities.df).any() else "normal",
            )
            lines += (
                Told("adjust", f"Adjusted p and limits: {words}{', in each group' if len(families) > 1 else ''}."),
            )
        return lines

    def __len__(self) -> int:
        return len(self.keys)


def formatted(frame: pd.DataFrame, keys: int) -> pd.DataFrame:
    """A frame as text: keys as they are, estimates at the decimals that the standard errors need."""
    digits = places(frame["se"]) if len(frame) else 3
    shown = []  # by position: a key may be called p too
    for i, name in enumerate(frame.columns):
        values = frame.iloc[:, i]
        if i < keys:
            shown.append(["" if _missing(value) else _key(value) for value in values])
        elif name == "p":
            shown.append([probability(p) for p in values])
        else:
            kept = values.where(~(values.abs() < ROUNDING * frame["se"]), 0.0) if name in LEVELS else values
            shown.append(column(kept, DIGITS.get(str(name), digits)))
    texts = pd.DataFrame(dict(enumerate(shown)), index=frame.index)
    return texts.set_axis([str(name) for name in frame.columns], axis=1)


def _key(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float | np.floating) else level_text(value)


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts, default=0), max(counts, default=0)
    return str(high) if low == high else f"{low} to {high}"


def _missing(value: Any) -> bool:
    return value is None or bool(np.ndim(value) == 0 and pd.isna(value))


def _label(name: str, value: Any) -> str:
    """A level in the label of a contrast: bare where it is a word, name[level] where it is a number."""
    text = _key(value)
    try:
        float(text)
    except ValueError:
        return text if text not in ("True", "False") else f"{name}[{text}]"
    return f"{name}[{text}]"
