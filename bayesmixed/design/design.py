"""The Design: everything the mathematics needs of a formula and a table, as plain arrays with names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from ..parameters.values import Parameters
    from .encoding import Encoding


@dataclass(frozen=True)
class Response:
    """The left side: `y` (n,) float64, successes where there are trials.

    `levels` are failure and success of a two-level factor; `proportion` says that the left side held the share of
    successes, its trials being the model's weights.
    """

    name: str
    y: np.ndarray
    levels: tuple[Any, ...] | None = None
    proportion: bool = False


@dataclass(frozen=True)
class Predictor:
    """The linear predictor of one distributional parameter: fixed columns and bars.

    `X` (n, p) has full column rank: the columns that depend on earlier ones are not in it but
    named in `aliased`. `coefficients` and `r_names` (p) are our names and R's, `variables` (p) the columns of the
    data that each is made of, `terms` maps each term's name to the positions of its columns, `offset` (n,) is zero
    where the formula has none. `groups` are its bars, in formula order.
    """

    name: str
    X: np.ndarray
    coefficients: tuple[str, ...]
    r_names: tuple[str, ...]
    terms: dict[str, tuple[int, ...]]
    offset: np.ndarray
    aliased: tuple[str, ...] = ()
    variables: tuple[tuple[str, ...], ...] = ()
    groups: tuple[GroupTerm, ...] = ()

    @property
    def has_intercept(self) -> bool:
        """Whether the first coefficient is the constant column."""
        return "Intercept" in self.coefficients

    @property
    def prefix(self) -> str:
        """What the names of its parameters begin with."""
        return "" if self.name == "mu" else f"{self.name}_"

    @property
    def names(self) -> tuple[str, ...]:
        """Names (p,) of the coefficients among all of a model: those of "sigma" are "sigma_Intercept", "sigma_x"."""
        return tuple(f"{self.prefix}{name}" for name in self.coefficients)

    def take(self, rows: slice | np.ndarray) -> Predictor:
        """That of some rows."""
        groups = tuple(replace(term, codes=term.codes[rows], Z=term.Z[rows]) for term in self.groups)
        return replace(self, X=self.X[rows], offset=self.offset[rows], groups=groups)


@dataclass(frozen=True)
class GroupTerm:
    """One bar ``(columns | factor)``.

    `codes` (n,) int32 index `levels` (the data's own values; "a:b" strings for interactions), -1 marks an
    unknown level that has no effect; `Z` (n, k) holds the within-group columns named by `columns` (R's names in
    `r_columns`), made of the columns of the data in `variables`; `covariance` names the structure of the k x k block,
    `options` are those it was given.
    """

    factor: str
    codes: np.ndarray
    levels: np.ndarray
    Z: np.ndarray
    columns: tuple[str, ...]
    r_columns: tuple[str, ...]
    covariance: str
    text: str
    variables: tuple[tuple[str, ...], ...] = ()
    options: tuple[tuple[str, bool | float | str], ...] = ()

    @property
    def n_levels(self) -> int:
        """Number of levels of the grouping factor."""
        return len(self.levels)

    def contribution(self, b: np.ndarray) -> np.ndarray:
        """Z b (draws, n) of effects b (draws, L, k)."""
        rows = np.einsum("dnk,nk->dn", b[:, np.maximum(self.codes, 0)], self.Z)
        return np.where(self.codes >= 0, rows, 0.0)


@dataclass(frozen=True)
class Design:
    """Response, predictors, weights and trials of the rows used, and how new rows are encoded.

    `predictors` maps a distributional parameter ("mu" first, then "sigma", "zi", ...) to its Predictor; a parameter
    of the family that is not among them has no columns, one value for all rows; `weights` (n,) or None; `trials` (n,)
    where the response is successes out of trials, else None; `index` are the labels of the rows kept, `n_dropped` how
    many rows had missing values. `encoding` turns new tables into designs with the levels, centres, knots and contrasts
    of the training data.
    """

    response: Response | None
    predictors: dict[str, Predictor]
    weights: np.ndarray | None
    index: pd.Index
    n_dropped: int
    encoding: Encoding
    trials: np.ndarray | None = None

    @property
    def n_rows(self) -> int:
        """Number of rows used."""
        return len(self.index)

    @property
    def used(self) -> np.ndarray:
        """Rows of positive weight (n,) bool: the others are fitted as absent."""
        return np.ones(self.n_rows, dtype=bool) if self.weights is None else self.weights > 0

    def written(self, y: np.ndarray) -> np.ndarray:
        """Responses (.., n) as the left side has them: shares of trials where it held proportions, else y itself."""
        if self.trials is None or self.response is None or not self.response.proportion:
            return y
        return np.divide(y, self.trials, out=np.full(np.shape(y), np.nan), where=self.trials > 0)

    def read(self, y: np.ndarray) -> np.ndarray:
        """Responses (.., n) as the likelihood has them, from those of the left side: the inverse of `written`."""
        if self.trials is None or self.response is None or not self.response.proportion:
            return y
        return np.nan_to_num(np.round(y * self.trials, 6))

    @property
    def mu(self) -> Predictor:
        """The main predictor."""
        return self.predictors["mu"]

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Names of the coefficients of all predictors, one predictor after the other."""
        return tuple(name for predictor in self.predictors.values() for name in predictor.names)

    @property
    def places(self) -> dict[str, slice]:
        """Where the coefficients of each predictor are among those of all."""
        edges = np.cumsum([0, *(len(predictor.coefficients) for predictor in self.predictors.values())])
        return {name: slice(int(a), int(b)) for name, a, b in zip(self.predictors, edges[:-1], edges[1:], strict=True)}

    @cached_property
    def groups(self) -> tuple[GroupTerm, ...]:
        """The bars of all predictors, in formula order, as effects, factors and theta have them."""
        return tuple(term for predictor in self.predictors.values() for term in predictor.groups)

    def positions(self, name: str) -> range:
        """Where the bars of a predictor are among all `groups`."""
        first = 0
        for other, predictor in self.predictors.items():
            if other == name:
                break
            first += len(predictor.groups)
        return range(first, first + len(self.predictors[name].groups))

    def with_predictor(self, changed: Predictor) -> Design:
        """The same with another predictor in the place of the one of its name."""
        return replace(self, predictors=self.predictors | {changed.name: changed})

    def eta(self, parameters: Parameters, terms: Sequence[int] | None = None) -> dict[str, np.ndarray]:
        """The linear predictor (draws, n) of each distributional parameter that has one.

        Parameters
        ----------
        parameters
            Values of any number of draws; their effects may be of more levels than were known.
        terms
            Positions of the group terms that are included; all if None. A code of -1 adds nothing.
        """
        flat, found = parameters.flat(), {}
        for name, predictor in self.predictors.items():
            found[name] = flat.coefficients[name][0] @ predictor.X.T + predictor.offset
            for j, term in zip(self.positions(name), predictor.groups, strict=True):
                if terms is None or j in terms:
                    found[name] += term.contribution(flat.b[j][0])
        return found

    def addends(self, parameters: Parameters, terms: Sequence[int]) -> np.ndarray:
        """What the main predictor of each draw is the sum of (draws, m) at a row of its own: as many rows as draws."""
        flat, rows = parameters.flat(), np.arange(self.n_rows)
        parts = [flat.beta[0] * self.mu.X, self.mu.offset[:, None]]
        for j, term in zip(self.positions("mu"), self.mu.groups, strict=True):
            if j in terms:
                parts.append(flat.b[j][0][rows, term.codes] * term.Z)
        return np.concatenate(parts, axis=1)
