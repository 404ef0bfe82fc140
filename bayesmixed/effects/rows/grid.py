"""Which rows an effect is evaluated at: a grid, the data, or a table; and which of them are averaged together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...design.columns.factors import level_text
from ...design.table import column_names, select, tabled
from ...errors import FitError, nearest
from ...messages import Told
from ...page import told
from .own_values import OwnValues, canonical, grouping, own_of_each
from .used_columns import (
    FIRST_LOOK,
    Variable,
    names_of,
    offset_columns,
    only_in_bars,
    only_in_offsets,
    row_counts,
    used_rows,
    variable,
    variables,
)

if TYPE_CHECKING:
    from ...model import Model

MOST_ROWS = 1_000_000  # of a grid


@dataclass(frozen=True)
class EffectRows:
    """Rows to evaluate, and the quantities that averages of them are.

    `table` has the columns of the model, row by row; quantity `cells[i]`, named by that row of `keys`, holds row i
    with weight `weights[i]`. `offset` replaces what the model's offsets give, None leaves them as they are. `notes`
    say what was held and averaged.
    """

    table: pd.DataFrame
    keys: pd.DataFrame
    cells: np.ndarray
    weights: np.ndarray
    offset: np.ndarray | None
    notes: tuple[str, ...] = ()

    def with_column(self, name: str, values: Any) -> EffectRows:
        """The same rows with one column changed."""
        return replace(self, table=self.table.assign(**{name: values}))


@dataclass(frozen=True)
class AskedRows:
    """What a user asks for: `values` by column (None: the usual ones), rows, averages, and the offset.

    The column `without` needs no values here: it is moved from where it is, or with `fixed` set to values elsewhere.
    `spread` says that the answer depends on the spread of the random effects, hence on columns that only bars read.
    """

    values: Mapping[str, Any]
    newdata: Any = None
    by: Any = None
    average: bool = False
    offset: Any = None
    without: str | None = None
    fixed: bool = False
    spread: bool = True

    def idle(self, model: Model) -> set[str]:
        """The columns that nobody gave values for and on which the answer does not depend."""
        return set() if self.spread else only_in_bars(model) - set(self.values)


def wanted(given: Any, what: str = "variables") -> dict[str, Any]:
    """Names, or a dict of values by name, as a dict (None where no values are given)."""
    if isinstance(given, Mapping):
        return dict(given)
    return dict.fromkeys(names_of(given, what))


def rows(model: Model, asked: AskedRows) -> EffectRows:
    """The rows that were asked for.

    Raises
    ------
    FitError
        A column that is not in the model or in the table, values it does not have, a grid that is too large.
    """
    known = variables(model, bars=True)
    for name in asked.values:
        variable(known, name)
    if asked.newdata is None:
        return _grid_rows(model, known, asked)
    return _table_rows(model, known, asked)


def product(values: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Every combination of values, the last column varying fastest.

    >>> product({"f": np.array(["a", "b"]), "x": np.array([0.0, 1.0])}).to_numpy().tolist()
    [['a', 0.0], ['a', 1.0], ['b', 0.0], ['b', 1.0]]
    """
    sizes = [len(value) for value in values.values()]
    if np.prod([float(size) for size in sizes]) > MOST_ROWS:
        shown = ", ".join(f"{name} {size}" for name, size in zip(values, sizes, strict=True) if size > 1)
        raise FitError(
            f"The grid has {np.prod([float(s) for s in sizes]):.3g} rows ({shown} values): fix some columns, as in "
            'at={"name": value} or variables={"name": [values]}, or average over the data, newdata="data".',
            topic="grid-too-large",
        )
    places = np.indices(sizes).reshape(len(sizes), -1) if sizes else np.empty((0, 1), int)
    return pd.DataFrame(
        {name: value[place] for (name, value), place in zip(values.items(), places, strict=True)},
        index=pd.RangeIndex(places.shape[1]),
    )


def grid_values(
    known: Mapping[str, Variable], values: Mapping[str, Any], without: str | None = None
) -> dict[str, np.ndarray]:
    """The values of each column of a grid; those asked for come first, and one that needs none has a single one."""
    order = [*values, *(name for name in known if name not in values)]
    found = {}
    for name in order:
        if name == without and name not in values:
            found[name] = known[name].held()[:1] if known[name].levels is not None else np.array([known[name].centre])
        elif name not in values:
            found[name] = known[name].held()
        else:
            found[name] = known[name].shown() if values[name] is None else known[name].given(values[name])
    return found


def averaged(
    table: pd.DataFrame, by: Sequence[str], weights: np.ndarray
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Keys (one row per combination of `by`, in order of appearance), cells, and weights that sum to 1 in each."""
    if not by:
        return pd.DataFrame(index=pd.RangeIndex(1)), np.zeros(len(table), int), weights / weights.sum()
    cells = table.groupby(list(by), sort=False, observed=True, dropna=False).ngroup().to_numpy()
    _, first = np.unique(cells, return_index=True)
    keys = table[list(by)].iloc[first].reset_index(drop=True)
    totals = np.bincount(cells, weights)
    with np.errstate(invalid="ignore"):
        return keys, cells, weights / totals[cells]


def mean_offset(model: Model, named: Collection[str], given: Any, n: int) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """The offset (n,) of a grid and what to say of it: as given, else the mean of the data's.

    None where the grid has values for the columns that the offsets read.
    """
    if given is not None:
        if isinstance(given, str) or np.ndim(given) > 1 or np.size(given) not in (1, n):
            raise FitError(f"offset= takes a number here, such as offset=0, not {given!r}.", topic="given-values")
        return np.full(n, np.asarray(given, float)), (
            Told("held-values", f"Offset: as given, {_range(np.asarray(given, float))}."),
        )
    offset = model.design.mu.offset
    if not np.any(offset) or offset_columns(model) & set(named):
        return None, ()
    weights = model.design.weights
    mean = float(np.average(offset if weights is None else offset[weights > 0], weights=row_counts(model)))
    return np.full(n, mean), (
        Told("held-values", f"Offset: held at its mean, {told(mean)} (offset=0 gives rates per unit)."),
    )


def _grid_rows(model: Model, known: dict[str, Variable], asked: AskedRows) -> EffectRows:
    values, by = grid_values(known, asked.values, asked.without), names_of(asked.by, "by")
    resting = asked.idle(model) - set(by)
    values |= {name: values[name][:1] for name in resting}
    groups = grouping(model, known, by)
    by = [canonical(name, groups) for name in by]
    for name in by:
        if name not in groups:
            variable(known, name)
    changed = [asked.without] if asked.fixed and asked.without else []
    own = own_of_each(model, known, groups, [*asked.values, *changed]) if groups else None
    values = values if own is None else own.others(values)
    table, own_notes = crossed(values, own)
    offset, said = mean_offset(model, [*asked.values, *filter(None, [asked.without])], asked.offset, len(table))
    idle = only_in_offsets(model) if offset is not None else set()
    idle |= resting
    idle |= {asked.without} if asked.fixed and asked.without else set()
    notes = (*own_notes, *held_notes(known, values, [*asked.values, *idle]), *said)
    if asked.average or by:
        keys, cells, weights = averaged(table, by, np.ones(len(table)))
        over = [name for name in values if len(values[name]) > 1 and name not in by]
        notes += (Told("averaged-over", f"Averaged over {', '.join(over)} (equal weights)."),) if over else ()
        return EffectRows(table, keys, cells, weights, offset, notes)
    shown = [name for name in values if name in asked.values or len(values[name]) > 1]
    n = len(table)
    return EffectRows(table, table[shown], np.arange(n), np.ones(n), offset, notes)


def crossed(values: Mapping[str, np.ndarray], own: OwnValues | None) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """A grid, once per level of grouping factors with what is its own where there are any, and what to say of that."""
    if own is None:
        return product(values), ()
    size = float(np.prod([float(len(one)) for one in values.values()])) * len(own.labels)
    if size > MOST_ROWS:
        raise FitError(
            f"The grid has {size:.3g} rows, one per level and combination of values: fix some columns, at=.",
            topic="grid-too-large",
        )
    return own.crossed(product(values)), (
        *own.notes,
        Told("random-effects-in-means", f"Random effects of {':'.join(map(str, own.labels))}: zero."),
    )


def at_notes(values: Mapping[str, np.ndarray], at: Collection[str], shown: Collection[str]) -> tuple[str, ...]:
    """Single values that were asked for and that no column of the answer shows."""
    fixed = [f"{name} = {_typed(values[name][0])}" for name in at if name not in shown and len(values[name]) == 1]
    return (f"At: {', '.join(fixed)}.",) if fixed else ()


def _typed(value: Any) -> str:
    """A value as the user gave it."""
    return f"{value:.12g}" if isinstance(value, float | np.floating) else level_text(value)


def percentile_notes(known: Mapping[str, Variable], names: Sequence[str]) -> tuple[str, ...]:
    """Which numbers are shown at percentiles because no values of them are given."""
    numbers = [name for name in names if known[name].values is None]
    low, high = FIRST_LOOK
    return (
        (Told("held-values", f"{', '.join(numbers)}: at the {low:g}th and {high:g}th percentile; at= gives others."),)
        if numbers
        else ()
    )


def held_notes(
    known: Mapping[str, Variable], values: Mapping[str, np.ndarray], but: Collection[str]
) -> tuple[str, ...]:
    """Which numbers were held at their means, leaving some unsaid."""
    numbers = [name for name in values if known[name].levels is None and name not in but and len(values[name]) == 1]
    held = [f"{name} = {_shown(values[name][0], known[name].spread)}" for name in numbers]
    return (Told("held-values", f"Held at the mean: {', '.join(held)}."),) if held else ()


def _shown(value: Any, spread: float = float("nan")) -> str:
    return told(float(value), spread) if isinstance(value, float | np.floating) else level_text(value)


def _range(values: np.ndarray) -> str:
    low, high = float(np.min(values)), float(np.max(values))
    return told(low) if low == high else f"{told(low)} to {told(high)}"


def _table_rows(model: Model, known: dict[str, Variable], asked: AskedRows) -> EffectRows:
    """Rows of the data or of a table, once per combination of the values that are set in all of them."""
    base, weights, offset = _base(model, asked)
    values = {
        name: known[name].shown() if given is None else known[name].given(given) for name, given in asked.values.items()
    }
    sets = product(values)
    if len(base) * len(sets) > 20 * MOST_ROWS:
        raise FitError(
            f"{len(base):,} rows at {len(sets):,} combinations of values are too many: give fewer values.",
            topic="grid-too-large",
        )
    n, copies = len(base), len(sets)
    table = base.iloc[np.tile(np.arange(n), copies)]
    labels, table = table.index, table.reset_index(drop=True)
    for name in sets:
        table[name] = sets[name].to_numpy()[np.repeat(np.arange(copies), n)]
    offset = None if offset is None else np.tile(offset, copies)
    by = names_of(asked.by, "by")
    for name in by:
        if name not in table:
            raise FitError(
                f"by={name!r} is not a column of these rows. {nearest(name, list(map(str, base.columns)))}",
                topic="no-such-column",
            )
    what = "the data" if isinstance(asked.newdata, str) else "the table"
    if not (asked.average or by):
        shown = [name for name in known if name in table and (name != asked.without or not asked.fixed)]
        keys = table[shown].set_axis(labels)
        said = (Told("averaged-over", f"One row for each row of {what}."),)
        return EffectRows(table, keys, np.arange(len(table)), np.ones(len(table)), offset, said)
    keys, cells, shares = averaged(table, list(dict.fromkeys([*values, *by])), np.tile(weights, copies))
    keys, cells = _in_order(keys, cells, known)
    return EffectRows(table, keys, cells, shares, offset, (Told("averaged-over", f"Averaged over {what} ({n} rows)."),))


def _in_order(keys: pd.DataFrame, cells: np.ndarray, known: Mapping[str, Variable]) -> tuple[pd.DataFrame, np.ndarray]:
    """Keys in the order of the levels and values of their columns, rather than of the rows of a table."""
    ranks = []
    for name in map(str, keys.columns):
        column, levels = keys[name], known[name].levels if name in known else None
        places = {level_text(level): i for i, level in enumerate([] if levels is None else levels.tolist())}
        found = column.map(lambda value, places=places: places.get(level_text(value), len(places)))
        ranks.append(found.to_numpy() if places else column.rank(method="dense").to_numpy())
    order = np.lexsort(ranks[::-1]) if ranks else np.arange(len(keys))
    return keys.iloc[order].reset_index(drop=True), np.argsort(order)[cells]


def _base(model: Model, asked: AskedRows) -> tuple[pd.DataFrame, np.ndarray, np.ndarray | None]:
    """The rows before values are set, their weights in averages, and an offset where it must be given row by row."""
    if not isinstance(asked.newdata, str):
        given_rows = tabled(asked.newdata)
        table = select(given_rows, column_names(given_rows))
        given = None if asked.offset is None else np.broadcast_to(np.asarray(asked.offset, float), len(table))
        return table, np.ones(len(table)), given
    if asked.newdata != "data":
        raise FitError(
            f'newdata={asked.newdata!r} is not an option: use "data" (the rows of the fit) or a table.',
            topic="unknown-option",
        )
    frame, counts = used_rows(model), row_counts(model)
    shares = np.ones(len(frame)) if counts is None else counts
    trained = model.design.encoding.offset
    offset = model.design.mu.offset[model.design.used] if trained is not None and trained.text is None else None
    if asked.offset is not None:
        offset = np.broadcast_to(np.asarray(asked.offset, float), len(frame))
    return frame, shares, offset
