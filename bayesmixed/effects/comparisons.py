"""How the mean changes when one column changes: between levels of a factor, between two values of a number."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..design.columns.factors import level_text
from ..errors import FitError, nearest, with_known_options
from ..messages import Told
from ..page import listed
from .mean.question import Question, check_fit, means
from .quantities import AS_IS, EXPONENTIAL, Quantities, Scale
from .returned import Effects
from .rows.called import called
from .rows.grid import AskedRows, EffectRows, rows, wanted
from .rows.repeats import RepeatedRows, without_repeats
from .rows.steps import stepwise
from .rows.used_columns import Variable, variable
from .rows.used_columns import variables as variables_of

if TYPE_CHECKING:
    from ..fits.base import Fit

LOG = Scale(np.log, lambda x: 1 / x)
LOGIT = Scale(lambda x: np.log(x) - np.log1p(-x), lambda x: 1 / (x * (1 - x)))
ANY = (-np.inf, np.inf)
# name -> what is subtracted, how the difference is shown, and between what the means must lie
COMPARISONS = {
    "difference": (AS_IS, AS_IS, ANY),
    "ratio": (LOG, EXPONENTIAL, (0.0, np.inf)),
    "odds_ratio": (LOGIT, EXPONENTIAL, (0.0, 1.0)),
}
BETWEEN = ("reference", "sequential", "pairwise")


@dataclass(frozen=True)
class Change:
    """Two values of a column, `after` and `before`, each of a row's own or, with `fixed`, the same for all."""

    label: str
    after: Callable[[pd.Series], Any]
    before: Callable[[pd.Series], Any]
    fixed: bool = True


@with_known_options
def comparisons(
    fit: Fit,
    variables: str | Sequence[str] | Mapping[str, Any],
    *,
    at: Mapping[str, Any] | None = None,
    newdata: Any = None,
    by: str | Sequence[str] | None = None,
    average: bool = False,
    comparison: str = "difference",
    kind: str = "conditional",
    scale: str = "response",
    offset: Any = None,
    level: float = 0.95,
    ddf: str | float | None = None,
) -> Effects:
    """Differences or ratios of means when one column changes and the others stay.

    Parameters
    ----------
    fit
        Any fit.
    variables
        Columns to change, each in turn: names, or changes by name. A number: a step (1 by default) from where it
        is, or a pair of values, {"x": (0, 10)}; one that has two values only, such as 0 and 1, changes from the
        smaller to the larger by default. A factor: "reference" (each level against the first, the default),
        "sequential", "pairwise", or a pair of levels, {"f": ("b", "a")} for a to b, first minus second as printed.
    at
        Values of other columns: {"z": [0, 1]}.
    newdata, by, average
        Rows as in `predictions`; ``newdata="data", average=True`` gives average (marginal) effects.
    comparison
        "difference", "ratio" (of means above 0) or "odds_ratio" (of means between 0 and 1); averages are taken
        first. Ratios are tested on the logarithm.
    kind, scale, offset, level, ddf
        As in `predictions`.

    Returns
    -------
    Effects
        `.frame`: term, contrast, columns, estimate, se, df (where it is finite), lower, upper, for point fits
        statistic and p.

    Raises
    ------
    FitError
        Names and values that the model does not have, unknown options, ratios of means that have none.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("cbind(incidence, size - incidence) ~ period + (1 | herd)", bm.load_data("cbpp"),
    ...                  family="binomial")
    >>> bm.comparisons(model.fit("ml"), "period", kind="population").frame.iloc[:, :4].round(3)
         term contrast  estimate     se
    0  period    2 - 1    -0.119  0.036
    1  period    3 - 1    -0.130  0.036
    2  period    4 - 1    -0.159  0.037
    """
    check_fit(fit, ddf)
    question = Question(scale, kind, ddf)
    variables, at, by = (called(fit.model, given) for given in (variables, at, by))
    if comparison not in COMPARISONS:
        raise FitError(
            f"comparison={comparison!r} is not an option. {nearest(str(comparison), COMPARISONS)}",
            topic="unknown-option",
        )
    shown = COMPARISONS[comparison][1]
    known, found = variables_of(fit.model, bars=True), Parts([], [], [])
    groups = {term.factor for term in fit.model.design.mu.groups}
    spread = question.spread(fit.model)
    for name, change in wanted(variables).items():
        sign = " - " if comparison == "difference" else " / "
        made = changes(variable(known, name, groups=groups), change, sign)
        asked = AskedRows(
            wanted(at, "at"), newdata, by, average, offset, without=name, fixed=made[0].fixed, spread=spread
        )
        base = rows(fit.model, asked)
        found.notes.extend(_steps(fit, base, question, known[name], made[0]))
        for one in made:
            evaluate = partial(_change, fit, question, name, one, comparison)
            there = RepeatedRows(fit.model, known, asked, evaluate, f"{comparison.replace('_', ' ')}s")
            found.add(base, name, one.label, evaluate(base), there)
    return found.effects(
        f"Comparisons ({comparison.replace('_', ' ')})", fit, question,
        scale=shown, level=level, ratio=None if shown is AS_IS else shown,
    )  # fmt: skip


def _change(fit: Fit, question: Question, name: str, change: Change, comparison: str, base: EffectRows) -> Quantities:
    """What the change does to the means at the rows of a table, on the scale on which differences are taken."""
    after, before = (means(fit, _set(base, name, value), question) for value in (change.after, change.before))
    _refuse_outside(comparison, fit, question, after, before)
    inner = COMPARISONS[comparison][0]
    return after.mapped(inner).minus(before.mapped(inner))


def _steps(fit: Fit, base: EffectRows, question: Question, column: Variable, change: Change) -> list[str]:
    """A note where a number that moves from where it is enters by steps alone."""
    terms = "" if change.fixed else stepwise(fit.model, base, question, column)
    if not terms:
        return []
    low, high = column.shown()[[0, -1]]
    return [
        Told(
            "steps",
            f"Note: {column.name} enters only by a step, {terms}: what a change does depends on where it starts. Give "
            f'two values, {{"{column.name}": ({low:g}, {high:g})}}.',
        )
    ]


def _refuse_outside(comparison: str, fit: Fit, question: Question, *means: Quantities) -> None:
    """Means that have no such ratio; those that the data do not determine are asked nothing."""
    low, high = COMPARISONS[comparison][2]
    ends = [one.span() for one in means]
    least, largest = min(end[0] for end in ends), max(end[1] for end in ends)
    if low < least and largest < high:
        return
    what = "an odds ratio needs probabilities between 0 and 1" if high == 1 else "a ratio needs means above 0"
    linked = question.scale == "link" and not fit.model.family.linear
    instead = 'scale="response"' if linked else 'comparison="difference"'
    worst = least if least <= low else largest
    raise FitError(f"comparison={comparison!r}: {what}, and one is {worst:.4g}. Use {instead}.", topic="ratio-of-means")


@dataclass(frozen=True)
class Parts:
    """Quantities of several columns and changes, to be put into one table."""

    keys: list[pd.DataFrame]
    quantities: list[Quantities]
    notes: list[str]

    def add(self, base: EffectRows, term: str, label: str, quantities: Quantities, elsewhere: RepeatedRows) -> None:
        """One change of one column; on a grid one row for all values that nobody asked for and that change nothing."""
        columns = [name for name in base.keys.columns if name != term or len(base.keys[term].unique()) > 1]
        noted = [*base.notes, *elsewhere.notes(base, quantities)]
        keys, quantities, same = without_repeats(base.keys[columns], quantities, elsewhere.free(columns))
        named = pd.DataFrame({"term": term, "contrast": label}, index=keys.index)
        self.keys.append(pd.concat([named, keys], axis=1))
        self.quantities.append(quantities)
        for note in [Told("averaged-over", f"The same for every {listed(same)}: one row.")] * bool(same) + noted:
            self._note(note)

    def _note(self, note: str) -> None:
        if note and note not in self.notes:
            self.notes.append(note)

    def effects(self, title: str, fit: Fit, question: Question, **options: Any) -> Effects:
        """All of them."""
        if not self.keys:
            raise FitError('No column is named: give one, as in comparisons(fit, "x").', topic="nothing-named")
        return Effects(
            title,
            self.keys[0] if len(self.keys) == 1 else pd.concat(self.keys, ignore_index=True),
            self.quantities[0].followed_by(self.quantities[1:]),
            (*question.notes(fit), *self.notes),
            tested=True,
            **options,
        )


def changes(column: Variable, given: Any, sign: str) -> list[Change]:
    """The changes of one column that were asked for.

    Raises
    ------
    FitError
        A change that the column cannot make.
    """
    if column.levels is not None:
        return [_levels(column, pair, sign) for pair in _pairs(column, given)]
    if isinstance(given, str) and column.pair is not None and given in BETWEEN:
        given = None
    if isinstance(given, str):
        raise FitError(
            f"{column.name!r} holds numbers: give a step or a pair of values, not {given!r}.",
            topic="values-of-a-column",
        )
    if given is None and column.pair is not None:
        given = column.pair
    if np.ndim(given) == 1:
        if len(given) != 2:
            raise FitError(
                f"{column.name!r} changes between two values, (0, 10), not {given!r}.", topic="values-of-a-column"
            )
        low, high = column.given(given)
        return [Change(f"{high:g}{sign}{low:g}", lambda x: high, lambda x: low)]
    step = 1.0 if given is None else float(column.given(given)[0])
    return [Change(f"+{step:g}" if step >= 0 else f"{step:g}", lambda x: x + step, lambda x: x, fixed=False)]


def _pairs(column: Variable, given: Any) -> list[tuple[Any, Any]]:
    assert column.levels is not None
    levels = column.levels.tolist()
    if given is None or given == "reference":
        return [(level, levels[0]) for level in levels[1:]]
    if given == "sequential":
        return list(zip(levels[1:], levels[:-1], strict=True))
    if given == "pairwise":
        return [(a, b) for i, a in enumerate(levels) for b in levels[i + 1 :]]
    if isinstance(given, str) or np.ndim(given) != 1 or len(given) != 2:
        raise FitError(
            f"{column.name!r} is a factor: compare {', '.join(map(repr, BETWEEN))} or a pair of levels, not {given!r}.",
            topic="values-of-a-column",
        )
    first, second = column.given(given).tolist()
    return [(first, second)]


def _levels(column: Variable, pair: tuple[Any, Any], sign: str) -> Change:
    first, second = pair
    return Change(level_text(first) + sign + level_text(second), lambda x: first, lambda x: second)


def _set(base: EffectRows, name: str, change: Callable[[pd.Series], Any]) -> EffectRows:
    column = base.table[name] if name in base.table else pd.Series(np.nan, index=base.table.index)
    made = change(column)
    if np.ndim(made) == 0 and not isinstance(made, pd.Series):
        made = pd.Series([made] * len(column), index=column.index)
    return replace(base, table=base.table.assign(**{name: made}))
