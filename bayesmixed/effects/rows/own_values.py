"""What a level of a grouping factor has of the columns that are the same in all of its rows: a mouse its genotype."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...errors import FitError
from ...messages import Told
from ...prediction.included_terms import included_terms, same_factor
from .used_columns import only_in_offsets, used_rows

if TYPE_CHECKING:
    from ...model import Model


@dataclass(frozen=True)
class OwnValues:
    """The levels (m) of grouping factors that occur together in the data.

    `labels` (m, factors) names them; `codes` has per level the code of each group term by its position; `rows` (m) are
    the positions of its rows; `values` (m, columns) what is the same in all rows of every level.
    """

    labels: pd.DataFrame
    codes: tuple[dict[int, int], ...]
    rows: tuple[np.ndarray, ...]
    values: pd.DataFrame

    def others(self, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The values of the columns that are no level's own."""
        return {name: value for name, value in values.items() if name not in self.values}

    def crossed(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows of a table once per level, with the level's names and values."""
        n, m = len(table), len(self.labels)
        repeated = table.iloc[np.tile(np.arange(n), m)].reset_index(drop=True)
        own = pd.concat([self.labels, self.values], axis=1).iloc[np.repeat(np.arange(m), n)].reset_index(drop=True)
        return pd.concat([repeated, own], axis=1)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is held at each level's own value."""
        whose = ":".join(map(str, self.labels.columns))
        names = ", ".join(map(str, self.values.columns))
        return (Told("held-values", f"Held at the own value of each {whose}: {names}."),) if names else ()


def own_values(model: Model, factors: Sequence[str], names: Collection[str]) -> OwnValues:
    """The levels of grouping factors, and of the columns `names` those that do not change within any level."""
    data = used_rows(model)
    terms = included_terms(model.design.mu.groups, list(factors))
    codes = np.stack([model.design.mu.groups[j].codes[model.design.used] for j in terms], axis=1)
    found, first, level = np.unique(codes, axis=0, return_index=True, return_inverse=True)
    level = level.ravel()
    groups = [model.design.mu.groups[j] for j in terms]
    labels = {term.factor: term.levels[found[:, i]] for i, term in enumerate(groups)}
    free = [name for name in names if name not in only_in_offsets(model)]
    own = [name for name in free if data[name].groupby(level).nunique().max() == 1]
    return OwnValues(
        pd.DataFrame(labels),
        tuple(dict(zip(terms, row.tolist(), strict=True)) for row in found),
        tuple(np.split(np.argsort(level, kind="stable"), np.cumsum(np.bincount(level))[:-1])),
        data[own].iloc[first].reset_index(drop=True),
    )


def grouping(model: Model, known: Collection[str], names: Sequence[str]) -> list[str]:
    """Those of the names that are grouping factors and no columns of the mean, as the model calls them."""
    every = dict.fromkeys(term.factor for term in model.design.mu.groups)
    return [factor for name in names if name not in known for factor in every if same_factor(factor, str(name))]


def canonical(name: str, factors: Sequence[str]) -> str:
    """A name of `by` as the model calls the grouping factor that it means; any other name itself."""
    return next((factor for factor in factors if same_factor(factor, name)), name)


def own_of_each(model: Model, known: Collection[str], factors: Sequence[str], asked: Collection[str]) -> OwnValues:
    """The own values of a grid's rows: those of columns that nobody gave values for.

    Raises
    ------
    FitError
        Nothing is a level's own, so that without random effects all levels are alike.
    """
    found = own_values(model, factors, [name for name in known if name not in asked])
    if not len(found.values.columns):
        whose = ":".join(factors)
        raise FitError(
            f"by={whose!r}: no column of the mean belongs to its levels, and random effects are zero here, so that all "
            f"would have the same mean. fit.coef()[{factors[0]!r}] has its levels, fit.predict(newdata) their means.",
            topic="by-levels",
        )
    return found
