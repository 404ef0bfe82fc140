"""How far may a parameter be from its estimate before the likelihood falls: profiles of every parameter of a fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtri
from scipy.stats import chi2

from ...engines.machine.blas import blas_threads
from ...engines.machine.progress import progress_bar
from ...engines.ml import tail_columns
from ...errors import BayesMixedWarning, FitError, checked_level, warn, with_known_options
from ...fits.caution import with_caution
from ...fits.point import PointFit
from ...messages import Told
from ...page import Page, Printed, Section, listed
from ..intervals import Interval, Intervals, limits, said
from .curve import Curve
from .ground import Ground
from .likelihood_fit import from_the_best, maximum_likelihood
from .parameters import chosen, left_out, parameters
from .path import crossing, side
from .points import summit

if TYPE_CHECKING:
    from ...fits.base import Fit

STEP = 0.5  # of zeta from one point of a curve to the next
NEAR = 2e-3  # of zeta: how near a point is to a limit that is interpolated from it
SHOWN = 0.95  # level of the limits that the page prints
WAIT = 2.0  # seconds after which progress is shown


@dataclass(frozen=True, repr=False, eq=False)
class Profile(Printed):
    """Profiles of parameters. Printing gives limits and what bends; `.frame` has the points, `bm.plot.profile` draws.

    Attributes
    ----------
    fit
        The maximum likelihood fit that was profiled.
    curves
        A profile per parameter.
    reach
        ``|zeta|`` to which they were followed.
    notes
        What is doubtful, in words.
    """

    fit: PointFit
    curves: tuple[Curve, ...] = field(repr=False)
    reach: float
    notes: tuple[str, ...] = ()

    @property
    def frame(self) -> pd.DataFrame:
        """One row per point: parameter, value, zeta, and the deviance there above its minimum (`rise`)."""
        rows = [
            {"parameter": curve.label, "value": value, "zeta": each.zeta, "rise": each.zeta**2}
            for curve in self.curves
            for each, value in zip(curve.points, _values(curve), strict=True)
        ]
        return pd.DataFrame(rows, columns=["parameter", "value", "zeta", "rise"])

    @property
    def traces(self) -> pd.DataFrame:
        """What everything else is at each point: parameter and zeta, then one column per parameter of the model."""
        names = [each.label for each in parameters(self.fit)]
        parts = []
        for curve in self.curves:
            pinned = curve.top.pinned
            rows = np.array([pinned.estimates(pinned.chart.x(each.y)) for each in curve.points])
            rows[:, pinned.place] = _values(curve)
            part = pd.DataFrame(rows, columns=names)
            part.insert(0, "zeta", [each.zeta for each in curve.points])
            part.insert(0, "parameter", curve.label)
            parts.append(part)
        return pd.concat(parts, ignore_index=True)

    @with_known_options(which="These are limits of all that was profiled; .frame.loc picks rows of what this returns.")
    def confint(self, level: float = SHOWN) -> Intervals:
        """Limits of another level, read from the curves.

        Raises
        ------
        FitError
            A level outside (0, 1), or beyond what the curves reach.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("ml")
        >>> bm.profile(fit, "sigma").confint(0.9).frame.round(1)
               lower  upper     kind
        sigma   39.7   64.1  profile
        """
        checked_level(level, "confint")
        self.check_reach(level, float(ndtri(0.5 + level / 2)))
        found = [curve.interval(level) for curve in self.curves]
        return intervals(found, f"Profile likelihood limits, {100 * level:g} %", self.notes)

    def check_reach(self, level: float, zeta: float) -> None:
        """Raise a FitError where the curves do not go as far as limits of a level need, `zeta`."""
        if zeta > self.reach * (1 + 1e-9):
            raise FitError(
                f"level={level} needs |zeta| of {zeta:.2f}, and these curves reach {self.reach:.2f}: "
                f"bm.profile(fit, level={level}).",
                topic="profile-too-short",
            )

    @property
    def page(self) -> Page:
        """Limits of 95 %, how bent each profile is, and what to know."""
        found = [curve.interval(SHOWN) for curve in self.curves]
        shown = limits(_table(found))
        shown["bend"] = ["" if np.isnan(each.bend) else f"{each.bend:.2f}" for each in found]
        meaning = Told(
            "limits",
            f"Limits: {100 * SHOWN:g} %, where the deviance is {ndtri(0.5 + SHOWN / 2) ** 2:.2f} above its minimum. "
            "Other levels: .confint(level). Bend: how far they are from the Wald limits, in standard errors by the "
            "curvature; 0 is a straight profile.",
        )
        title = f"Profile likelihood of {self.fit.model.formula.line}"
        return Page((Section(title, shown, (meaning, *said(found), *self.notes)),))


@with_known_options
def profile(
    fit: Fit, which: str | Sequence[str] | None = None, *, level: float = 0.99, progress: bool | None = None
) -> Profile:
    """Profile the likelihood of each parameter: hold it, maximise over everything else, see how far that falls.

    Parameters
    ----------
    fit
        A fit by ML, Laplace's approximation or quadrature; the model of a REML fit is refitted by ML, which is said.
    which
        Parameters as `bm.side_by_side` names them, such as ``"Days"``, ``"sd(Days | Subject)"``,
        ``"cor(Intercept, Days | Subject)"`` or ``"sigma"``; None for all that are estimated.
    level
        How far the curves go: as far as the joint limits of two parameters of this level.
    progress
        Whether to show how far it is; None: in terminals and notebooks, after two seconds.

    Returns
    -------
    Profile
        `.frame`: parameter, value, zeta, rise. zeta is the signed square root of `rise`, what the deviance has above
        its minimum: a straight line in `value` where Wald's interval is right. `.confint(level)` reads limits,
        `.traces` what everything else is on the way. sds are absolute, in the unit of the response (of the linear
        predictor in generalized models).

    Raises
    ------
    FitError
        Unknown names and parameters held by ``constants=``, a level outside (0, 1), draws, MAP, ``quadrature=0``.

    Notes
    -----
    A limit that is not reached before the parameter ends (0, a correlation of 1 or -1) is that end, and the page says
    so. Where a better optimum is met on the way, everything starts anew from it.

    References
    ----------
    Bates & Watts (1988), Nonlinear Regression Analysis and Its Applications, chapter 6; Bates, Mächler, Bolker &
    Walker (2015), J. Stat. Softw. 67(1), section 5.1.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("ml")
    >>> bm.profile(fit, ["sd(Intercept | Batch)", "sigma"]).confint().frame.round(1)
                           lower  upper     kind
    sd(Intercept | Batch)   12.2   84.1  profile
    sigma                   38.2   67.7  profile
    """
    checked_level(level, "profile")
    ml, notes = maximum_likelihood(fit, "profile")
    wanted = chosen(which, parameters(ml), "profile")
    goal = float(np.sqrt(chi2.ppf(level, 2)))
    with blas_threads(tail_columns(ml.model)), progress_bar(progress, len(wanted), delay=WAIT) as bar:

        def curves(place: Ground) -> tuple[Curve, ...]:
            found = []
            for each in wanted:
                bar.say(f"profile of {each.label}")
                top = summit(each.pinned(place))
                found.append(Curve(top, side(top, -1, goal, STEP), side(top, 1, goal, STEP)))
                bar.step(1)
            return tuple(found)

        ml, found, met = from_the_best(ml, curves)
    warn_of_doubts(found)
    return Profile(ml, found, goal, with_caution((*notes, *met, *doubts(found), *left_out(which, parameters(ml))), ml))


def limit_curves(place: Ground, which: str | Sequence[str] | None, level: float) -> tuple[Curve, ...]:
    """Curves with no more points than the limits of one level need."""
    goal = float(ndtri(0.5 + level / 2))
    found = []
    for each in chosen(which, parameters(place.fit), "confint"):
        top = summit(each.pinned(place))
        sides = []
        for sign in (-1, 1):
            walked = side(top, sign, goal, goal)
            points = crossing(top, walked, sign * goal, NEAR) if walked.reached else walked.points
            sides.append(replace(walked, points=points))
        found.append(Curve(top, *sides))
    return tuple(found)


def intervals(found: Sequence[Interval], title: str, notes: tuple[str, ...]) -> Intervals:
    """Profile limits as they are returned."""
    return Intervals(title, _table(found), (*said(tuple(found)), *notes))


def doubts(curves: Sequence[Curve]) -> tuple[str, ...]:
    """Of curves with points that are not at their best, and of those that come back."""
    loose = [f"{curve.label} ({curve.unsettled} of {len(curve.points)} points)" for curve in curves if curve.unsettled]
    folded = [curve.label for curve in curves if curve.folded]
    lines = []
    if loose:
        lines.append(
            Told(
                "profile-in-doubt",
                f"NOT CONVERGED: the searches beside {listed(loose)} did not end: zeta is too large there.",
            )
        )
    if folded:
        lines.append(
            Told(
                "profile-in-doubt",
                f"NOT MONOTONE: beside {listed(folded)} the likelihood rises again farther out, where other values of "
                "everything else are better. Limits are where it is first low enough; plausible values may lie beyond.",
            )
        )
    return tuple(lines)


def warn_of_doubts(curves: Sequence[Curve]) -> None:
    """Warn of curves that broke off or did not converge."""
    broken = [c.label for c in curves if not all(s.reached or s.bounded or s.endless for s in (c.low, c.high))]
    lines = [
        *doubts(curves),
        *(
            [Told("profile-in-doubt", f"The profile of {', '.join(broken)} broke off before its end.")]
            if broken
            else []
        ),
    ]
    for line in lines:
        warn(BayesMixedWarning(line, topic="profile-in-doubt"))


def _values(curve: Curve) -> list[float]:
    return [curve.top.pinned.chart.value(each.w) for each in curve.points]


def _table(found: Sequence[Interval]) -> pd.DataFrame:
    columns = {name: [getattr(each, name) for each in found] for name in ("estimate", "lower", "upper", "kind")}
    return pd.DataFrame(columns, index=[each.label for each in found])
