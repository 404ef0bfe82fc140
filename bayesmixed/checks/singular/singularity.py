"""Which variances are at zero, what that means in the units of the columns, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from ...design.design import GroupTerm
from ...fits.point import PointFit
from ...likelihood.identified import unidentified
from ..diagnosis.work import Work
from ..finding import Finding, combination, listed
from .boundary_profile import RISES, Rise, profile
from .null_directions import NullDirection, null_directions, perfect_pairs
from .simpler import Simpler

CHECK = "singularity"
COLUMNS = ["direction", "sd", "deviance rises by"]  # of the table of profiles
NOTHING = ((), pd.DataFrame(columns=COLUMNS), ())  # to be found
CLEAR = 2.0  # of AIC: below it two models are about as good (Burnham & Anderson 2002, section 2.6)


def singularity(fit: PointFit, work: Work | None = None) -> tuple[tuple[Finding, ...], pd.DataFrame, tuple[int, ...]]:
    """Findings, the profile of every direction at zero as far as `work` goes, and positions of the bars concerned."""
    held = {j for one in unidentified(fit.model) if one.whole for j in one.terms}  # at zero for another reason
    directions, work = [d for d in null_directions(fit) if d.term not in held], Work() if work is None else work
    rises, findings = [], []
    for i, direction in enumerate(directions):
        work.progress.say(f"profile of {_name(fit, direction)}")
        own = work.part(work.left / (len(directions) - i))
        rises.append(profile(fit, direction, own))
        findings.append(_finding(fit, direction, rises[-1], own.exhausted))
    rows = [
        {"direction": _name(fit, d), "sd": point.sd, "deviance rises by": point.rise}
        for d, found in zip(directions, rises, strict=True)
        for point in found
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    return tuple(findings), table, tuple(dict.fromkeys(d.term for d in directions))


def advice(fit: PointFit, simpler: Simpler | None, beside: bool = True) -> list[str]:
    """What to do about a singular fit, in the order in which one would try it; `beside` which its MAP fit is shown."""
    checked = "No small step off the boundary raises the likelihood, so the estimates stand. "
    lines = [f"{checked if fit.status.converged else ''}What you can do:"]
    if simpler is not None and simpler.same is not None:
        row = simpler.row(simpler.same)
        lines.append(
            f"1. Simplify: {simpler.same} has the same log-likelihood ({row['loglik']:.2f}, this fit {fit.loglik:.2f}) "
            f"with {int(row['parameters'])} parameters instead of {fit.n_parameters}."
        )
    elif simpler is not None and simpler.nearest is not None:
        lines.append(_nearest(fit, simpler.row(simpler.nearest)))
    else:
        lines.append(
            "1. Simplify: leave out a column, the correlation (|| for |) or the bar; bm.simplify(model) does it."
        )
    options = 'criterion="reml"' if fit.engine.restricted else ""
    lines.append(
        f"2. Keep the formula, because the design asks for it: model.fit(bm.MAP({options})) keeps every sd off zero"
        f"{'; its estimates stand beside these below' if beside else ''}."
    )
    lines.append('3. For intervals of the sds, zero included: bm.confint(fit), or model.fit("nuts", seed=1).')
    return lines


def _nearest(fit: PointFit, row: dict[str, Any]) -> str:
    fewer = fit.n_parameters - int(row["parameters"])
    count = "one fewer parameter" if fewer == 1 else f"{fewer} fewer parameters"
    loses = f"with {count} it loses {-row['difference']:.2f} in log-likelihood"
    none = "1. Simplify: no simpler formula has the same likelihood."
    worse = row["AIC"] - fit.aic
    if 0 < worse < CLEAR:
        return (
            f"{none} Of those tried, {row['formula']} comes nearest: {loses}, and its AIC is {worse:.2f} higher, which "
            "says little for either: keep the one that the design asks for."
        )
    if worse > 0:
        return (
            f"{none} All of those tried fit worse, by AIC too (the best, {row['formula']}: {loses}), so keep this one."
        )
    return f"{none} Of those tried, {row['formula']} is the best by AIC: {loses}."


def _finding(fit: PointFit, direction: NullDirection, rises: Sequence[Rise], stopped: bool) -> Finding:
    term, column = fit.model.design.groups[direction.term], _column(fit, direction)
    remedy = f'simplify {term.text}, or model.fit("map"), or model.fit("nuts", seed=1)'
    if direction.is_zero:
        what = f"{_name(fit, direction)}: sd 0"
        words = (
            f"The levels of {term.factor} differ in {_of(column)} no more than chance alone would make them; "
            f"the best estimate of their sd is 0. {_cost(fit, rises, 'the sd')}"
        )
    else:
        what, words = _determined(fit, direction, rises, term, column)
    if stopped and len(rises) < len(RISES):
        words = f"{words.rstrip()} How far it may be from that was not searched to the end: it takes too long here."
    return Finding(CHECK, what, words, remedy, topic="boundary")


def _determined(
    fit: PointFit, direction: NullDirection, rises: Sequence[Rise], term: GroupTerm, column: str
) -> tuple[str, str]:
    equation = f"{column} = {combination(direction.weights.tolist(), term.columns)}"
    pairs = [pair for pair in perfect_pairs(fit, direction.term) if direction.column in pair[:2]]
    cost = _cost(fit, rises, f"the sd of {column} around that")
    if not pairs:
        what = f"{term.text}: {equation}"
        words = (
            f"No pair need be perfectly correlated, but together the effects of every {term.factor} obey {equation}: "
            f"the {len(term.columns)} columns of the bar have fewer dimensions. {cost}"
        )
        return what, words
    i, j, sign = pairs[0]
    name = f"{term.columns[i]} and {term.columns[j]}"
    bound = f" The correlation is {rises[-1].corr[i, j]:.2f} there." if rises else ""
    what = f"{term.text}: correlation of {name} is {sign:+d}"
    words = (
        f"The two effects of every {term.factor} lie on one line, {equation}: the data show one dimension of "
        f"differences, not two. {cost}{bound}"
    )
    return what, words


def _cost(fit: PointFit, rises: Sequence[Rise], subject: str) -> str:
    """How much of an interior value the data still allow."""
    if len(rises) < 2:
        return ""
    name = "REML criterion" if fit.engine.restricted else "deviance"
    small, large = rises
    return (
        f"Profile limits for {subject}: {small.sd:.3g} ({name} +1), {large.sd:.3g} (+3.84, at zero about a "
        "97.5 % one-sided limit). The data neither require a spread nor rule it out."
    )


def _name(fit: PointFit, direction: NullDirection) -> str:
    """As "Days|Subject", with the other columns of its bar where these determine it."""
    term = fit.model.design.groups[direction.term]
    column = _column(fit, direction)
    given = [name for name, w in zip(term.columns, direction.weights, strict=True) if w]
    return f"{column}|{term.factor}" + (f" given {listed(given)}" if given else "")


def _column(fit: PointFit, direction: NullDirection) -> str:
    return fit.model.design.groups[direction.term].columns[direction.column]


def _of(column: str) -> str:
    return "their intercept" if column == "Intercept" else f"the effect of {column}"
