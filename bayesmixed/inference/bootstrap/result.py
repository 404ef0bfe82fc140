"""What a bootstrap returns: the replicates of every parameter, and limits, bias and errors made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ...errors import FitError, checked_level, nearest, with_known_options
from ...fits.point import PointFit
from ...messages import Told
from ...page import Page, Printed, Section, column, listed, places
from ..intervals import Intervals
from .limits import KINDS, LEAVES_OUT

MANY_FAILED = 0.05  # share of failures above which a line says so


@dataclass(frozen=True, eq=False, repr=False)
class Bootstrap(Printed):
    """Replicates of a fit's parameters, or of a function of it. Printing gives a page; notebooks get HTML.

    Attributes
    ----------
    draws
        One row per replicate that was used, indexed by its number, one column per parameter.
    estimate
        The same of the fit itself.
    fit, kind, n, seed
        What was replicated, how, how often, from which seed.
    failures
        Why replicates failed, by their number.
    boundary
        Share of the replicates used whose estimates lie on the boundary of the space.
    notes
        What is doubtful, in words.
    leave_out
        A function that makes the estimates without each level, which BCa limits need; None where there is none.
    """

    draws: pd.DataFrame
    estimate: pd.Series
    fit: PointFit
    kind: str
    n: int
    seed: int
    failures: dict[int, str]
    boundary: float
    notes: tuple[str, ...] = ()
    leave_out: Callable[[], pd.DataFrame] | None = field(default=None, repr=False)

    @property
    def bias(self) -> pd.Series:
        """Mean of the replicates less the estimate."""
        return (self.draws.mean() - self.estimate).rename("bias")

    @property
    def se(self) -> pd.Series:
        """Standard deviation of the replicates."""
        return self.draws.std(ddof=1).rename("se")

    @property
    def frame(self) -> pd.DataFrame:
        """One row per parameter: estimate, bias, se, and percentile limits lower, upper, 95 %."""
        limits = self.confint().frame
        return pd.DataFrame(
            {
                "estimate": self.estimate,
                "bias": self.bias,
                "se": self.se,
                "lower": limits["lower"],
                "upper": limits["upper"],
            }
        )

    @with_known_options
    def confint(
        self, kind: str = "percentile", *, level: float = 0.95, which: str | Sequence[str] | None = None
    ) -> Intervals:
        """Confidence limits of every parameter, or of those in `which`.

        Parameters
        ----------
        kind
            "percentile", "basic", "normal" or "bca" (bias-corrected and accelerated, for one factor or nested ones:
            it fits the model again with each level of the outermost factor left out).
        level
            Of the intervals.
        which
            Names of parameters; all if None.

        Returns
        -------
        Intervals
            A page; its `frame` has lower, upper and kind by parameter.

        Raises
        ------
        FitError
            For an unknown kind, a level outside (0, 1), and BCa where it does not exist.

        References
        ----------
        Davison & Hinkley (1997), Bootstrap Methods and their Application, chapter 5; Efron (1987), J. Am. Stat. Assoc.
        82, 171-185, for BCa.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("ml")
        >>> list(bm.bootstrap(fit, n=50, seed=1).confint("basic", which="sigma").frame.columns)
        ['lower', 'upper', 'kind']
        """
        if kind not in KINDS:
            raise FitError(
                f"kind={kind!r} is no interval of a bootstrap. {nearest(str(kind), KINDS)}", topic="bootstrap-limits"
            )
        checked_level(level)
        made, names = KINDS[kind], self._names(which)
        left_out = self._left_out() if made in LEAVES_OUT else None
        ends = {}
        for name in names:
            known = self.draws[name].dropna().to_numpy()
            if len(known) < 2:
                ends[name] = (np.nan, np.nan)
                continue
            out = None if left_out is None else left_out[name].dropna().to_numpy()
            try:
                ends[name] = made(float(self.estimate[name]), known, level, out)
            except FitError as problem:
                raise FitError(f"{name}: {problem} Or name the others, which=.", topic="bootstrap-limits") from None
        table = pd.DataFrame.from_dict(ends, orient="index", columns=["lower", "upper"])
        table.insert(0, "estimate", self.estimate[names])
        title = f"Bootstrap limits, {100 * level:g} %, {kind}, {len(self.draws)} {self.kind} replicates"
        beyond = self._beyond(ends) if made in LEAVES_OUT else ()
        return Intervals(title, table.assign(kind=kind), (*self.notes_of(level), *beyond))

    def notes_of(self, level: float) -> tuple[str, ...]:
        """What is doubtful about limits of this level."""
        used = len(self.draws)
        if (used + 1) * (1 - level) / 2 >= 1:
            return self.notes
        few = Told(
            "monte-carlo",
            f"{used} replicates have no quantile at {100 * (1 - level) / 2:g} %: limits are their extremes. Ask for at "
            f"least n={int(np.ceil(2 / (1 - level))) - 1}.",
        )
        return (*self.notes, few)

    def _beyond(self, ends: Mapping[str, tuple[float, float]]) -> tuple[str, ...]:
        """Which corrected limits are the outermost replicate, because what they ask for lies farther out."""
        names = [
            name
            for name, (low, high) in ends.items()
            if np.sum(self.draws[name] <= low) == 1 or np.sum(self.draws[name] >= high) == 1
        ]
        if not names:
            return ()
        return (
            Told(
                "monte-carlo",
                f"Limits of {listed(names)} are the outermost replicate, and lie farther out: ask for a larger n.",
            ),
        )

    def _names(self, which: str | Sequence[str] | None) -> list[str]:
        known = [str(name) for name in self.draws]
        if which is None:
            return known
        wanted = [which] if isinstance(which, str) else list(which)
        for name in wanted:
            if name not in known:
                raise FitError(
                    f"which has no parameter {name!r}. {nearest(str(name), known)}", topic="no-such-parameter"
                )
        return wanted

    def _left_out(self) -> pd.DataFrame:
        if self.leave_out is None:
            raise FitError(
                'BCa needs refits without each level, which there are none of here: use kind="percentile".',
                topic="bootstrap-limits",
            )
        return self.leave_out()

    @property
    def page(self) -> Page:
        """The page that is printed."""
        frame = self.frame
        digits = places(frame["se"])
        shown = pd.DataFrame({name: column(frame[name], digits) for name in frame}, index=frame.index)
        title = (
            f"{self.kind.capitalize()} bootstrap of {self.fit.label}, {len(self.draws)} replicates, seed {self.seed}:"
        )
        limits = Told("limits", "Limits: 95 %, percentile.")
        return Page((Section(title, shown, (limits, *self.notes_of(0.95))),))


def percent(share: float) -> str:
    """A share in words, with two digits.

    >>> percent(0.0123), percent(1.0)
    ('1.2 %', '100 %')
    """
    return f"{100 * share:.2g} %" if share < 0.0995 else f"{100 * share:.0f} %"


def doubts(n: int, used: int, boundary: float, interrupted: bool, failures: dict[int, str]) -> tuple[str, ...]:
    """What the page says of failures, boundary estimates and an interruption."""
    notes = []
    if interrupted:
        notes.append(Told("interrupted", f"Interrupted: {used + len(failures)} of {n} replicates were made."))
    failed = len(failures)
    if failed:
        first = min(failures)
        share = percent(failed / (used + failed))
        notes.append(
            Told(
                "failed-replicates",
                f"{failed} of {used + failed} replicates failed ({share}); first {first}: {failures[first]}.",
            )
        )
        if failed > MANY_FAILED * (used + failed):
            notes.append(
                Told(
                    "failed-replicates",
                    "More than 5 % failed: those that did are no random choice, so errors and limits may be wrong. "
                    "Simplify the model, or look at one: fit the response of that replicate.",
                )
            )
    if boundary > 0:
        notes.append(
            Told(
                "boundary-replicates",
                f"{percent(boundary)} of the replicates have estimates on the boundary (singular); they are kept.",
            )
        )
    return tuple(notes)
