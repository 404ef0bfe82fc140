"""Which columns the mean of a model depends on, and what values each of them takes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...design.columns.factors import drop_unused, level_text
from ...design.columns.series import raw_values
from ...design.expressions.evaluate import Evaluator
from ...errors import FitError, nearest
from ...formula.syntax import Node
from ...formula.variables import columns_in

if TYPE_CHECKING:
    from ...model import Model

ROUNDING = 1e-14  # of the largest value
FIRST_LOOK = (5.0, 95.0)  # percentiles at which a number is shown unless values are given


@dataclass(frozen=True)
class Variable:
    """A column: its `name`, the `data` of the rows used, and its `levels` where it is categorical (else None).

    `counts` are how many rows each of the data stands for, where the model has frequency weights; `pair` are the two
    values of a number that has no others, such as 0 and 1.
    """

    name: str
    data: pd.Series
    levels: np.ndarray | None
    counts: np.ndarray | None = None
    pair: np.ndarray | None = None

    @property
    def values(self) -> np.ndarray | None:
        """All that it takes, where it is no scale: levels, or two numbers."""
        return self.pair if self.levels is None else self.levels

    @property
    def centre(self) -> Any:
        """The mean of a number; 0 for one that was centred, where rounding leaves 1e-17."""
        mean = (
            self.data.mean()
            if self.counts is None
            else self._as_data([np.average(self._numbers, weights=self.counts)])[0]
        )
        return 0.0 if self._numeric and abs(mean) < ROUNDING * self.data.abs().max() else mean

    @property
    def spread(self) -> float:
        """The standard deviation of a number; NaN of anything else."""
        return float(np.std(self.data.to_numpy(dtype=float))) if self._numeric else float("nan")

    def held(self) -> np.ndarray:
        """What it takes where nothing is asked: every level, both of two numbers, or the mean."""
        return self.values if self.values is not None else np.array([self.centre])

    def shown(self) -> np.ndarray:
        """What it takes where it is asked for without values: all of few, or the 5th and 95th percentile."""
        if self.values is not None:
            return self.values
        if self.counts is not None:
            return np.unique(self._as_data(percentiles(self._numbers, self.counts, FIRST_LOOK)))
        if np.issubdtype(self.data.to_numpy().dtype, np.number):
            return np.unique(np.percentile(self.data.to_numpy(float), FIRST_LOOK))
        return np.unique(self.data.quantile([q / 100 for q in FIRST_LOOK]).to_numpy())

    def given(self, values: Any) -> np.ndarray:
        """The values a user gives, as an array; levels by their text.

        Raises
        ------
        FitError
            No values, a level that the data do not have, text for a number.
        """
        listed = [values] if np.ndim(values) == 0 else list(values)
        if not listed:
            raise FitError(
                f"{self.name!r} is given no values: list at least one, or leave it out.", topic="values-of-a-column"
            )
        if self.levels is not None:
            return self._levels_of(listed)
        try:
            if not self._numeric:
                return pd.to_datetime(pd.Series(listed)).to_numpy()
            found = np.array(listed, dtype=float)
        except (TypeError, ValueError):
            raise FitError(
                f"{self.name!r} holds numbers, and {listed!r} is given for it.", topic="values-of-a-column"
            ) from None
        return found.astype(self.pair.dtype) if self.pair is not None and np.isin(found, self.pair).all() else found

    @property
    def _numeric(self) -> bool:
        return bool(pd.api.types.is_numeric_dtype(self.data.dtype))

    @property
    def _numbers(self) -> np.ndarray:
        """The data as numbers: dates as they are counted."""
        return self.data.to_numpy(float) if self._numeric else self.data.astype("int64").to_numpy(float)

    def _as_data(self, numbers: Any) -> np.ndarray:
        """Such numbers as data."""
        if self._numeric:
            return np.asarray(numbers, dtype=float)
        return pd.Series(np.round(numbers).astype("int64")).astype(self.data.dtype).to_numpy()

    def _levels_of(self, listed: Sequence[Any]) -> np.ndarray:
        assert self.levels is not None
        place = {level_text(level): i for i, level in enumerate(self.levels.tolist())}
        for value in listed:
            if level_text(value) not in place:
                raise FitError(
                    f"{self.name!r} has no level {value!r}. {nearest(level_text(value), place, 'Levels')}",
                    topic="no-such-level",
                )
        return self.levels[[place[level_text(value)] for value in listed]]


def variables(model: Model, *, bars: bool = False) -> dict[str, Variable]:
    """The columns of the fixed part and its offsets by name; with `bars` those of random slopes too.

    A column is categorical if it holds text, categories or truth values, or if the formula makes a factor of it that
    has one level per value: factor(dose). A number of two values is a pair of them, unless only offsets read it.
    """
    side = model.design.encoding.formula.predictors["mu"]
    offset = model.design.encoding.offset
    atoms = [atom for term in side.terms for atom in term.atoms]
    nodes = [*atoms, *side.offsets, *([] if offset is None or offset.node is None else [offset.node])]
    if bars:
        nodes += [atom for bar in side.bars for term in bar.terms for atom in term.atoms]
    frame, exposures, found = used_rows(model), only_in_offsets(model), {}
    evaluator = Evaluator(
        model.frame, model.design.encoding.namespace, dict(model.design.encoding.states),
        model.design.encoding.contrasts,
    )  # fmt: skip
    for name in dict.fromkeys(_names(nodes)):
        if name in frame:
            levels = _levels(name, frame, nodes, evaluator)
            pair = None if levels is not None or name in exposures else _pair(frame[name])
            found[name] = Variable(name, frame[name], levels, row_counts(model), pair)
    return found


def percentiles(values: np.ndarray, counts: np.ndarray, percents: Sequence[float]) -> np.ndarray:
    """Those of the values (n,), each standing for so many rows: numpy.percentile of the rows where counts are whole.

    >>> percentiles(np.array([3.0, 1.0]), np.array([1.0, 3.0]), (50.0, 95.0)).round(10).tolist()
    [1.0, 2.7]
    """
    order = np.argsort(values, kind="stable")
    last = np.cumsum(counts[order])
    first = last - counts[order]
    places = np.stack([first, np.maximum(last - 1, first)], axis=1).ravel()
    wanted = np.asarray(percents) / 100 * max(last[-1] - 1, 0.0)
    return np.interp(wanted, places, np.repeat(values[order], 2))


def row_counts(model: Model) -> np.ndarray | None:
    """How many rows each of those used stands for, by its frequency weight; None where each is one."""
    design = model.design
    return None if design.weights is None or model.family.weights != "frequency" else design.weights[design.used]


def used_rows(model: Model) -> pd.DataFrame:
    """The columns used, of the rows with a positive weight."""
    return model.frame if model.design.weights is None else model.frame[model.design.used]


def offset_columns(model: Model) -> set[str]:
    """The columns that the offsets read."""
    given = model.design.encoding.offset
    nodes = [*model.design.encoding.formula.predictors["mu"].offsets]
    return set(_names([*nodes, *([] if given is None or given.node is None else [given.node])]))


def only_in_offsets(model: Model) -> set[str]:
    """The columns that the offsets read and nothing else does."""
    side = model.design.encoding.formula.predictors["mu"]
    terms = [*side.terms, *(term for bar in side.bars for term in bar.terms)]
    return offset_columns(model) - set(_names(atom for term in terms for atom in term.atoms))


def only_in_bars(model: Model) -> set[str]:
    """The columns that random slopes read and nothing else does."""
    slopes = (term for bar in model.design.encoding.formula.predictors["mu"].bars for term in bar.terms)
    return set(_names(atom for term in slopes for atom in term.atoms)) - set(variables(model))


def variable(
    known: dict[str, Variable], name: Any, what: str = "The mean of this model", groups: Collection[str] = ()
) -> Variable:
    """The variable of that name; `groups` are grouping factors, which have none.

    Raises
    ------
    FitError
        No such column, naming those there are.
    """
    if not isinstance(name, str) or name not in known:
        advice = nearest(str(name), known, "Its columns") or "It has no columns but the constant."
        if name in groups:
            advice = f"It is a grouping factor: fit.coef()[{name!r}] has its levels, fit.predict(newdata) their means."
        raise FitError(f"{what} does not depend on a column {name!r}. {advice}", topic="no-such-column")
    return known[name]


def names_of(given: Any, what: str) -> list[str]:
    """One name or several as a list without repeats.

    >>> names_of("x", "by"), names_of(None, "by")
    (['x'], [])
    """
    if given is None:
        return []
    listed = [given] if isinstance(given, str) else list(given) if isinstance(given, Iterable) else [None]
    if not all(isinstance(name, str) for name in listed):
        raise FitError(f"{what} takes the name of a column or a list of names, not {given!r}.", topic="nothing-named")
    return list(dict.fromkeys(listed))


def _names(nodes: Iterable[Node]) -> Iterator[str]:
    for node in nodes:
        yield from columns_in(node)


def _pair(data: pd.Series) -> np.ndarray | None:
    """The two values of a number that has no others, in order."""
    if not pd.api.types.is_numeric_dtype(data.dtype):
        return None
    values = data.to_numpy()
    values = values.astype(float) if values.dtype == object else values
    others = values[values != values[0]]
    if not len(others) or np.any(others != others[0]):
        return None
    return np.sort(np.array([values[0], others[0]]))


def _levels(name: str, frame: pd.DataFrame, nodes: Sequence[Node], evaluator: Evaluator) -> np.ndarray | None:
    values: Any = raw_values(frame[name], name)
    if hasattr(values, "levels"):
        return drop_unused(values).levels
    if values.dtype.kind == "b":
        return np.array([False, True])
    for node in nodes:
        if set(columns_in(node)) != {name}:
            continue
        made = evaluator.value(node)
        if hasattr(made, "levels") and len(drop_unused(made).levels) == frame[name].nunique() > 1:
            return np.unique(values)
    return None
