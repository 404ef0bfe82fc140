"""The model of some rows, or of fewer columns, of another model, coded as that one was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..design.columns.rank import independent
from ..design.design import Design, GroupTerm, Predictor
from ..prediction.new_rows import take_rows
from ..priors.narrowed import narrowed

if TYPE_CHECKING:
    from ..model import Model


def part(
    model: Model, rows: np.ndarray | None = None, *, columns: Sequence[int] | None = None, effects: bool = True
) -> Model:
    """Another model of the same response, with the centres, knots and contrasts of the first.

    Parameters
    ----------
    model
        The whole.
    rows
        Positions of the rows kept; all if None. Levels without rows go, and so do columns, fixed or within groups,
        that depend on others in these rows.
    columns
        Positions of the fixed columns of the mean kept; all if None.
    effects
        Whether the random effects stay.
    """
    rows = np.arange(model.design.n_rows) if rows is None else rows
    whole, response = take_rows(model.design, rows), model.design.response
    predictors = {name: _independent(each, range(each.X.shape[1])) for name, each in whole.predictors.items()}
    if columns is not None:
        predictors["mu"] = _independent(whole.mu, columns)
    terms = [_present(term) for term in whole.mu.groups] if effects else []
    kept = [j for j, term in enumerate(terms) if term.columns]
    predictors["mu"] = replace(predictors["mu"], groups=tuple(terms[j] for j in kept))
    design = replace(
        whole,
        response=None if response is None else replace(response, y=response.y[rows]),
        predictors=predictors,
    )
    return _with_design(model, design, kept)


def with_fixed(model: Model, X: np.ndarray, names: Sequence[str]) -> Model:
    """The same responses, offset and random effects with other fixed columns X (n, p)."""
    at: dict[str, tuple[int, ...]] = {name: (j,) for j, name in enumerate(names)}
    unknown: tuple[tuple[str, ...], ...] = ((),) * len(names)
    mu = replace(
        model.design.mu, X=X, coefficients=tuple(names), r_names=tuple(names), terms=at, aliased=(), variables=unknown
    )
    design = model.design.with_predictor(mu)
    return _with_design(model, design, range(len(design.mu.groups)))


def without_predictors(model: Model) -> Model:
    """The null model: an intercept in place of the fixed columns; offset and random effects stay."""
    return with_fixed(model, np.ones((model.design.n_rows, 1)), ["Intercept"])


def _with_design(model: Model, design: Design, kept: Sequence[int]) -> Model:
    other = object.__new__(type(model))
    inherited = {name: value for name, value in model.__dict__.items() if name != "priors"}
    covariances = tuple(model.covariances[j] for j in kept)
    arguments = replace(model.arguments, priors=_priors(model))
    other.__dict__.update(inherited | {"design": design, "covariances": covariances, "arguments": arguments})
    return other


def _priors(model: Model) -> Any:
    """What a part's priors are resolved from: the whole's, without the parameters that the part lacks."""
    given = model.arguments.priors
    return given if given is None else narrowed(given, model.priors)


def _independent(mu: Predictor, columns: Sequence[int]) -> Predictor:
    found = np.array(columns, dtype=int)
    constant = [i for i, j in enumerate(found) if len(mu.X) and np.ptp(mu.X[:, j]) == 0 and mu.X[0, j] != 0]
    at = found[independent(mu.X[:, found], 1 + constant[0] if constant else None)]
    place = {int(j): i for i, j in enumerate(at)}
    terms = {name: tuple(place[j] for j in where if j in place) for name, where in mu.terms.items()}
    return replace(
        mu,
        X=np.ascontiguousarray(mu.X[:, at]),
        coefficients=tuple(mu.coefficients[j] for j in at),
        r_names=tuple(mu.r_names[j] for j in at),
        terms=terms,
        variables=tuple(mu.variables[j] for j in at),
    )


def _present(term: GroupTerm) -> GroupTerm:
    """The term with the levels that occur and the columns that do not depend on others."""
    levels, codes = np.unique(term.codes[term.codes >= 0], return_inverse=True)
    at = independent(term.Z, None)
    remapped = np.full(len(term.codes), -1, dtype=np.int32)
    remapped[term.codes >= 0] = codes
    return replace(
        term,
        codes=remapped,
        levels=term.levels[levels],
        Z=np.ascontiguousarray(term.Z[:, at]),
        columns=tuple(term.columns[j] for j in at),
        r_columns=tuple(term.r_columns[j] for j in at),
        variables=tuple(term.variables[j] for j in at),
    )
