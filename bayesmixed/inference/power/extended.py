"""The design of a model with more, or fewer, levels of its grouping factors and more rows within them.

As `extend` of simr (Green & MacLeod 2016, Methods Ecol. Evol. 7, 493-498): more levels are copies of whole levels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ...errors import FitError, nearest
from ...model import Model, with_design
from ..replicates.rows import RowSet, on_rows, renumbered

SAME = 1e-12  # of a column's largest number: what rounding leaves of a column that is constant in a level


@dataclass(frozen=True)
class Layout:
    """Rows of a template (m,) by position, per factor the codes (m,) of its levels, and columns (m,) under new names.

    Factors are those of the model's bars; an interaction's name is that of its columns with a colon between.
    """

    rows: np.ndarray
    codes: Mapping[str, np.ndarray]
    columns: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, model: Model) -> Layout:
        """The template as it is."""
        codes: dict[str, np.ndarray] = {}
        for term in model.design.groups:
            codes.setdefault(term.factor, term.codes.astype(int))
        named = {name for factor in codes for name in factor.split(":") if name in model.frame}
        return cls(
            np.arange(model.design.n_rows), codes, {name: model.frame[name].to_numpy(dtype=object) for name in named}
        )

    def take(self, places: np.ndarray) -> Layout:
        """Some of the rows, or some of them several times."""
        return Layout(
            self.rows[places],
            {name: codes[places] for name, codes in self.codes.items()},
            {name: values[places] for name, values in self.columns.items()},
        )

    def inside(self, inner: str, outer: str) -> bool:
        """Whether every level of one factor lies in one level of another, which has fewer."""
        pairs = np.unique(np.column_stack([self.codes[inner], self.codes[outer]]), axis=0)
        return len(pairs) == len(np.unique(self.codes[inner])) > len(np.unique(self.codes[outer]))

    def around(self, factor: str) -> str | None:
        """The factor that holds another most closely; None where none does."""
        holding = [name for name in self.codes if name != factor and self.inside(factor, name)]
        return max(holding, key=lambda name: len(np.unique(self.codes[name])), default=None)


def factors(model: Model) -> dict[str, str]:
    """The name of each grouping factor by what it may be called: in full, or an inner one by its own column."""
    full = list(dict.fromkeys(term.factor for term in model.design.groups))
    short: dict[str, list[str]] = {}
    for name in full:
        for part in name.split(":"):
            short.setdefault(part, []).append(name)
    own = {part: names[0] for part, names in short.items() if len(names) == 1 and part not in full}
    return own | {name: name for name in full}


def extended(model: Model, levels: Mapping[str, int], repeats: Mapping[str, int]) -> Model:
    """The model on a design of so many levels of some factors, each row so many times within the levels of others.

    Raises
    ------
    FitError
        Too few levels for the coefficients; a factor whose levels stand in the formula besides.
    """
    layout = Layout.of(model)
    for factor, count in levels.items():
        if count > len(np.unique(layout.codes[factor])):
            _refuse_as_column(model, factor)
        layout = _lengthened(layout, model, factor, count)
    times = int(np.prod([1, *repeats.values()]))
    layout = layout.take(np.repeat(np.arange(len(layout.rows)), times))
    codes = {name: renumbered(codes) for name, codes in layout.codes.items()}
    found = on_rows(model, RowSet(layout.rows, codes))
    if found is None:
        size = ", ".join(f"{count} levels of {factor}" for factor, count in levels.items())
        raise FitError(
            f"The design with {size} leaves a coefficient of {model.formula.line} undetermined: ask for more levels.",
            topic="sizes-of-a-design",
        )
    for factor in levels:
        _refuse_saturated(found, factor, codes[factor])
    return _named(found, replace(layout, codes=codes))


def _lengthened(layout: Layout, model: Model, factor: str, count: int) -> Layout:
    """With `count` levels of a factor, or as many in each level of the factor that holds it."""
    outer, own = layout.around(factor), layout.codes[factor]
    groups = np.zeros(len(own), dtype=int) if outer is None else layout.codes[outer]
    places, copies = [], []
    for group in np.unique(groups):
        inside = np.flatnonzero(groups == group)
        levels = _alike_beside_each_other(own[inside], model.design.mu.X[layout.rows[inside]])
        whole, rest = divmod(count, len(levels))
        spread = levels[((np.arange(rest) + 0.5) * len(levels) / max(rest, 1)).astype(int)]
        for copy, chosen in enumerate([*[levels] * whole, spread]):
            at = inside[np.isin(own[inside], chosen)]
            places.append(at)
            copies.append(np.full(len(at), copy))
    return _renamed(layout, factor, np.concatenate(places), np.concatenate(copies))


def _refuse_saturated(model: Model, factor: str, codes: np.ndarray) -> None:
    """Stop where the fixed columns that differ between levels alone leave no level to estimate their variance from."""
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    X = model.design.mu.X
    between = X[first][:, _constant(X, first[inverse.ravel()])]
    if between.shape[1] and np.linalg.matrix_rank(between) >= len(first):
        raise FitError(
            f"With {len(first)} levels of {factor} the fixed effects that belong to whole levels explain every "
            "difference between them: nothing is left to estimate the variance of its effects from. Ask for more.",
            topic="sizes-of-a-design",
        )


def _constant(X: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Which columns (p,) of X (n, p) are, in each row, as in the first row of its level, `like` (n,)."""
    spread = np.abs(X - X[like]).max(axis=0, initial=0.0)
    found: np.ndarray = spread <= SAME * np.abs(X).max(axis=0, initial=0.0)
    return found


def _alike_beside_each_other(codes: np.ndarray, X: np.ndarray) -> np.ndarray:
    """The levels, those of a like treatment beside each other: every so many-th of them has all treatments.

    Sorted by the columns of X that are constant in every level, those of few values first.
    """
    levels, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    constant = X[first][:, _constant(X, first[inverse.ravel()])]
    values = [len(np.unique(column)) for column in constant.T]
    by_importance = np.argsort(values, kind="stable")
    order = np.lexsort([np.arange(len(levels)), *constant.T[by_importance[::-1]]])
    found: np.ndarray = levels[order]
    return found


def _renamed(layout: Layout, factor: str, places: np.ndarray, copies: np.ndarray) -> Layout:
    """The rows at `places`, whose levels of a factor, and of all inside it, are new ones by `copies`."""
    taken = layout.take(places)
    codes, columns = dict(taken.codes), dict(taken.columns)
    most = int(copies.max(initial=0)) + 1
    for name in layout.codes:
        if name == factor or layout.inside(name, factor):
            codes[name] = renumbered(taken.codes[name] * most + copies)
            own = [part for part in name.split(":") if _own(part, name, factor, layout)]
            for part in own:
                columns[part] = _new_names(layout.columns[part], taken.columns[part], copies)
    return Layout(taken.rows, codes, columns)


def _own(part: str, name: str, factor: str, layout: Layout) -> bool:
    """Whether a column takes new names: of the factor itself that which its holder has not, of others a lone one."""
    if part not in layout.columns:
        return False
    if name == factor:
        outer = layout.around(factor)
        return part not in (outer or "").split(":") and name.split(":")[-1] == part
    return name == part


def _new_names(known: np.ndarray, taken: np.ndarray, copies: np.ndarray) -> np.ndarray:
    """Names (m,) of copies: of whole numbers the next ones, of others "name.2"; copy 0 keeps its name."""
    if all(isinstance(value, int | np.integer) for value in known):
        size = int(np.max(known)) - min(int(np.min(known)), 0) + 1
        return np.array(
            [int(value) + int(copy) * size for value, copy in zip(taken, copies, strict=True)], dtype=object
        )
    old, dot = {str(value) for value in known}, "."
    while any(f"{value}{dot}{copy + 1}" in old for value in old for copy in range(1, int(copies.max(initial=0)) + 1)):
        dot += "."  # a level is called "a.2" already
    return np.array(
        [value if copy == 0 else f"{value}{dot}{copy + 1}" for value, copy in zip(taken, copies, strict=True)],
        dtype=object,
    )


def _named(model: Model, layout: Layout) -> Model:
    """The model with the layout's names of levels, in its bars and in its table."""
    design, predictors = model.design, {}
    for key, predictor in design.predictors.items():
        groups = []
        for term in predictor.groups:
            first = np.unique(layout.codes[term.factor], return_index=True)[1]
            groups.append(replace(term, levels=_level_names(term.factor, layout, first)))
        predictors[key] = replace(predictor, groups=tuple(groups))
    columns: dict[str, Any] = {}
    for name, values in layout.columns.items():
        columns[name] = pd.Series(values, index=model.frame.index).infer_objects()
    return with_design(model, replace(design, predictors=predictors), model.frame.assign(**columns))


def _level_names(factor: str, layout: Layout, first: np.ndarray) -> np.ndarray:
    parts = factor.split(":")
    if not all(part in layout.columns for part in parts):
        return np.arange(len(first))
    names = [layout.columns[part][first] for part in parts]
    joined = names[0] if len(names) == 1 else [":".join(map(str, each)) for each in zip(*names, strict=True)]
    return pd.Series(joined).infer_objects().to_numpy()


def _refuse_as_column(model: Model, factor: str) -> None:
    own = factor.split(":")[-1]
    every = list(model.design.predictors.values())
    named = [names for each in every for names in each.variables]
    named += [names for term in model.design.groups for names in term.variables]
    if any(own in names for names in named):
        raise FitError(
            f"levels={{{factor!r}: ...}}: {own} stands in {model.formula.line} outside of grouping factors too, so "
            "that new levels of it would have no coefficient. Give a template with all the levels that are wanted.",
            topic="sizes-of-a-design",
        )


def checked_sizes(model: Model, sizes: Any, option: str, least: int) -> dict[str, list[int]]:
    """What `levels` or `repeats` asks for, by the full name of each factor.

    Raises
    ------
    FitError
        For an unknown factor, and what is no whole number of at least `least`.
    """
    if sizes is None:
        return {}
    example = (
        f'{option}={{"Subject": [{least + 18}, {least + 38}]}}' if least > 1 else f'{option}={{"Subject": [1, 2]}}'
    )
    if not isinstance(sizes, Mapping):
        raise FitError(
            f"{option} must be a dict of a grouping factor's sizes, such as {example}, not {sizes!r}.",
            topic="sizes-of-a-design",
        )
    known, found = factors(model), {}
    for name, values in sizes.items():
        if name not in known:
            what = nearest(str(name), known) if known else "The model has no grouping factor."
            raise FitError(
                f"{option} has {name!r}, which is no grouping factor of {model.formula.line}. {what}",
                topic="sizes-of-a-design",
            )
        asked = list(values) if isinstance(values, list | tuple | range | np.ndarray) else [values]
        for value in asked:
            whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
            if not whole or value < least:
                raise FitError(
                    f"{option}[{name!r}] must be whole numbers, at least {least}, not {value!r}: {example}.",
                    topic="sizes-of-a-design",
                )
        if not asked:
            raise FitError(f"{option}[{name!r}] names no size: {example}.", topic="sizes-of-a-design")
        found[known[name]] = [int(value) for value in dict.fromkeys(asked)]
    return found
