"""The model of a table in which the labels of a term went to other rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...design.design import Design, Predictor
from ...errors import FitError, nearest
from ...model import Model, with_design


@dataclass(frozen=True, eq=False)
class Labelled:
    """A model, and the term whose labels are exchanged.

    `variables` are the columns of the table that hold them, `tested` the positions of the coefficients of the mean that
    are made of these, `labels` (n,) 0, 1, .. of all rows and `first` a row that has each; `bars` are the positions of
    the bars that are made of them. `alone` says that nothing else is, so that columns of the design can be taken.
    """

    model: Model
    variables: tuple[str, ...]
    tested: tuple[int, ...]
    labels: np.ndarray
    first: np.ndarray
    bars: tuple[int, ...]
    alone: bool

    @classmethod
    def of(cls, model: Model, term: str) -> Labelled:
        """The term of this name, with all that its variable is part of.

        Raises
        ------
        FitError
            An unknown term, an interaction, and a formula without the constant that the term is compared with.
        """
        mu = model.design.mu
        variables = _variables(model, term)
        tested = tuple(j for j, made_of in enumerate(mu.variables) if set(made_of) & set(variables))
        _refuse_constant(mu, tested, term)
        frame = model.frame[list(variables)]
        labels = frame.groupby(list(variables), sort=True, observed=True, dropna=False).ngroup().to_numpy()
        first = np.unique(labels, return_index=True)[1]
        bars = tuple(j for j, bar in enumerate(model.design.groups) if set(variables) & set(sum(bar.variables, ())))
        pure = all(set(mu.variables[j]) <= set(variables) for j in tested)
        others = any(_made_of(p, variables) for name, p in model.design.predictors.items() if name != mu.name)
        return cls(model, variables, tested, labels, first, bars, pure and not bars and not others)

    def with_labels(self, labels: np.ndarray, rows: np.ndarray) -> Labelled:
        """The same with labels (m,) of some rows as another model numbers them."""
        every = np.zeros(len(self.labels), dtype=int)
        every[rows] = labels
        first = rows[np.unique(labels, return_index=True)[1]]
        return replace(self, labels=every, first=first)

    def relabelled(self, labels: np.ndarray) -> Model | None:
        """The model with other labels; None where they leave a coefficient undetermined."""
        source = self.first[labels]
        design = self._taken(source) if self.alone else self._encoded(source)
        counted = design.mu.X[design.used]
        if np.linalg.matrix_rank(counted) < counted.shape[1]:
            return None
        return with_design(self.model, design, self.model.frame)

    def _taken(self, source: np.ndarray) -> Design:
        X = self.model.design.mu.X.copy()
        columns = list(self.tested)
        X[:, columns] = X[source][:, columns]
        return self.model.design.with_predictor(replace(self.model.design.mu, X=X))

    def _encoded(self, source: np.ndarray) -> Design:
        design = self.model.design
        encoding = design.encoding
        frame = self.model.frame.copy()
        for name in self.variables:
            frame[name] = frame[name].array.take(source)
        given: dict[str, Any] = {
            "weights": None if encoding.weights is None else design.weights,
            "trials": None if encoding.trials is None else design.trials,
            "offset": None if encoding.offset is None else np.zeros(design.n_rows),
        }
        new = encoding.apply(frame, **given)
        predictors = {
            name: replace(predictor, offset=design.predictors[name].offset)
            for name, predictor in new.predictors.items()
        }
        return replace(design, predictors=predictors)


def without(model: Model, columns: tuple[int, ...]) -> Model:
    """The model without some coefficients of the mean."""
    mu = model.design.mu
    kept = [j for j in range(len(mu.coefficients)) if j not in columns]
    place = {j: i for i, j in enumerate(kept)}
    terms = {name: tuple(place[j] for j in at if j in place) for name, at in mu.terms.items()}
    smaller = replace(
        mu,
        X=mu.X[:, kept],
        coefficients=tuple(mu.coefficients[j] for j in kept),
        r_names=tuple(mu.r_names[j] for j in kept),
        variables=tuple(mu.variables[j] for j in kept),
        terms={name: at for name, at in terms.items() if at},
    )
    return with_design(model, model.design.with_predictor(smaller), model.frame)


def _variables(model: Model, term: str) -> tuple[str, ...]:
    mu = model.design.mu
    terms = {one.name: one for one in model.design.encoding.formula.predictors[mu.name].terms if one.name in mu.terms}
    if term not in terms:
        raise FitError(
            f"permutation_test: {term!r} is no fixed term of {model.formula}. {nearest(str(term), terms)}",
            topic="exchangeable",
        )
    if len(terms[term].atoms) > 1:
        raise FitError(
            f"permutation_test exchanges the labels of one variable; no exchange leaves the parts of {term!r} as they "
            f"are. Test it by bm.bootstrap_test(fit, smaller), or the whole variable, which its interactions go with: "
            f"{' or '.join(repr(name) for name in terms if len(terms[name].atoms) == 1)}.",
            topic="exchangeable",
        )
    found = dict.fromkeys(name for j in mu.terms[term] for name in mu.variables[j])
    missing = [name for name in found if name not in model.frame]
    if missing or not found:
        raise FitError(
            f"permutation_test finds no column of the table in {term!r}: make it a column, and refit.",
            topic="exchangeable",
        )
    return tuple(found)


def _refuse_constant(mu: Predictor, tested: tuple[int, ...], term: str) -> None:
    """Stop where the constant is among the tested columns: exchanging labels leaves the mean as it is."""
    rest = [j for j in range(mu.X.shape[1]) if j not in tested]
    one = np.ones((len(mu.X), 1))
    spanned = np.linalg.matrix_rank(np.hstack([mu.X[:, rest], one])) == np.linalg.matrix_rank(mu.X[:, rest])
    if not rest or not spanned:
        raise FitError(
            f"permutation_test: without {term!r} the model has no constant, which exchanging labels leaves as it is. "
            f"Write the formula with an intercept, 1 + {term}.",
            topic="exchangeable",
        )


def _made_of(predictor: Predictor, variables: tuple[str, ...]) -> bool:
    return any(set(made_of) & set(variables) for made_of in predictor.variables)
