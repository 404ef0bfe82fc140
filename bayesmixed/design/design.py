"""The Design: everything the mathematics needs of a formula and a table, as plain arrays with names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

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
    """The fixed side of one distributional parameter.

    `X` (n, p) has full column rank: the columns that depend on earlier ones are not in it but
    named in `aliased`. `coefficients` and `r_names` (p) are our names and R's, `variables` (p) the columns of the
    data that each is made of, `terms` maps each term's name to the positions of its columns, `offset` (n,) is zero
    where the formula has none.
    """

    name: str
    X: np.ndarray
    coefficients: tuple[str, ...]
    r_names: tuple[str, ...]
    terms: dict[str, tuple[int, ...]]
    offset: np.ndarray
    aliased: tuple[str, ...] = ()
    variables: tuple[tuple[str, ...], ...] = ()

    @property
    def has_intercept(self) -> bool:
        """Whether the first coefficient is the constant column."""
        return "Intercept" in self.coefficients

    @property
    def prefix(self) -> str:
        """What stands before the names of its coefficients: nothing for those of the location mu."""
        return "" if self.name == "mu" else f"{self.name}_"

    @property
    def names(self) -> tuple[str, ...]:
        """Names (p,) of the coefficients among all of a model: those of "sigma" are "sigma_Intercept", "sigma_x"."""
        return tuple(f"{self.prefix}{name}" for name in self.coefficients)


@dataclass(frozen=True)
class GroupTerm:
    """One bar ``(columns | factor)``.

    `codes` (n,) int32 index `levels` (the data's own values; "a:b" strings for interactions), -1 marks an
    unknown level that has no effect; `Z` (n, k) holds the within-group columns named by `columns` (R's names in
    `r_columns`), made of the columns of the data in `variables`; `covariance` names the structure of the k x k block.
    """

    predictor: str
    factor: str
    codes: np.ndarray
    levels: np.ndarray
    Z: np.ndarray
    columns: tuple[str, ...]
    r_columns: tuple[str, ...]
    covariance: str
    text: str
    variables: tuple[tuple[str, ...], ...] = ()

    @property
    def n_levels(self) -> int:
        """Number of levels of the grouping factor."""
        return len(self.levels)


@dataclass(frozen=True)
class Design:
    """Response, predictors, group terms, weights and trials of the rows used, and how new rows are encoded.

    `predictors` maps a distributional parameter ("mu", later "sigma", "zi", ...) to its Predictor;
    `groups` are in formula order; `weights` (n,) or None; `trials` (n,) where the response is
    successes out of trials, else None; `index` are the labels of the rows kept, `n_dropped` how many rows had
    missing values. `encoding` turns new tables into designs with the
    levels, centres, knots and contrasts of the training data.
    """

    response: Response | None
    predictors: dict[str, Predictor]
    groups: tuple[GroupTerm, ...]
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
