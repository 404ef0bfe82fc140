"""The lines of a script for one predictor's coefficients: their priors, and the coefficients as typed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...interop.naming import safe
from ...priors.origin import stated_rows
from .distributions import number, plain
from .priors import PriorLines
from .scope import LINE, Scope, quoted

if TYPE_CHECKING:
    from ...design.design import Predictor
    from ...model import Model

ROUNDING = 1e-12  # of a column: what rounding leaves of a number of C that is zero
SHOWN = 6  # names of a term's coefficients that a comment lists
INLINE = 9  # numbers of a matrix that a line shows; more are an array


@dataclass(frozen=True)
class Coefficients:
    """`lines` of a script, and `addends`: the text of what each term adds, and its name if not its variable's."""

    lines: list[str]
    addends: list[tuple[str, str]]


@dataclass(frozen=True, eq=False)
class _Term:
    """One term: its name, the columns' positions, the variables of its coefficients, and what reads its columns.

    `variable` is of the coefficients as typed, `sampled` of those that priors speak of: the same one, or another.
    `values` (n, m) are its columns.
    """

    name: str
    positions: list[int]
    variable: str
    sampled: str
    columns: str
    values: np.ndarray

    @property
    def single(self) -> bool:
        return len(self.positions) == 1

    @property
    def moved(self) -> bool:
        """Whether priors speak of other numbers than the coefficients of its columns as typed."""
        return self.sampled != self.variable


def coefficient_lines(model: Model, predictor: Predictor, scope: Scope) -> Coefficients:
    """The coefficients that priors speak of are sampled; where these are others than those typed, both are named."""
    stated = cleaned(stated_rows(predictor, model.design.used, model.priors), predictor.X[model.design.used])
    X = predictor.X[model.design.used]
    terms = []
    for name, positions in predictor.terms.items():
        if positions:
            terms.append(_term(predictor, name, list(positions), stated, scope, X))
    lines: list[str] = []
    for term in terms:
        lines += _sampled(model, predictor, term, scope)
    for term in _in_order(terms, stated):
        lines += _as_typed(predictor, term, terms, stated, scope)
    return Coefficients(lines, [(_addend(term), "" if term.variable == term.name else term.name) for term in terms])


def cleaned(stated: np.ndarray, X: np.ndarray) -> np.ndarray:
    """C (p, p) without what rounding left of zeros: what does not move a row by as much as a column's own rounding."""
    size = np.max(np.abs(X), axis=0)
    # C[j, k] is a multiple of column j in column k
    small = np.abs(stated) * size[:, None] < ROUNDING * size[None, :]
    return np.where(small & ~np.eye(len(stated), dtype=bool), 0.0, stated)


def _term(
    predictor: Predictor, name: str, positions: list[int], stated: np.ndarray, scope: Scope, X: np.ndarray
) -> _Term:
    values = X[:, positions[0]] if len(positions) == 1 else X[:, positions]
    constant = name == "Intercept" and len(positions) == 1
    about = "columns of the term" if len(positions) > 1 else "column"
    columns = "" if constant else scope.array(name, values, f"{about} {name}")
    variable = scope.variable(f"{predictor.prefix}{name}")
    moved = not np.array_equal(stated[positions], np.eye(len(stated))[positions])
    sampled = scope.variable(f"{variable}_centered") if moved else variable
    return _Term(name, positions, variable, sampled, columns, X[:, positions])


def _sampled(model: Model, predictor: Predictor, term: _Term, scope: Scope) -> list[str]:
    names = [predictor.names[j] for j in term.positions]
    whole = f"{predictor.prefix}{term.name}"
    site = scope.aside(f"{safe(whole)}_centered") if term.moved else scope.site(safe(whole))
    lines = PriorLines(model)
    if term.single:
        asked = names[0] if names[0] in model.priors else f"{names[0]}_centered"
        return lines.one(term.sampled, site, asked, _what(whole, term))
    what = f"{_what(whole, term)} ({', '.join(names)})" if len(names) <= SHOWN else _what(whole, term)
    return lines.several(term.sampled, site, names, what)


def _what(whole: str, term: _Term) -> str:
    if not term.columns:
        return f"{whole} where every other column {'has its mean' if term.moved else 'is 0'}"
    return f"{whole} at the mean of what it interacts with" if term.moved else whole


def _in_order(terms: list[_Term], stated: np.ndarray) -> Iterator[_Term]:
    """Each term after those that its coefficients as typed are computed from."""
    left = list(terms)
    while left:
        ready = next(term for term in left if not any(_block(stated, term, o).any() for o in left if o is not term))
        left.remove(ready)
        yield ready


def _block(stated: np.ndarray, term: _Term, other: _Term) -> np.ndarray:
    """How much of each coefficient of `other` is in those of `term` that priors speak of."""
    return stated[np.ix_(term.positions, other.positions)]


def _as_typed(predictor: Predictor, term: _Term, terms: list[_Term], stated: np.ndarray, scope: Scope) -> list[str]:
    """beta = what was sampled - C of the others beta."""
    whole = safe(f"{predictor.prefix}{term.name}")
    if not term.moved:
        return []
    parts = [term.sampled]
    for other in terms:
        if other is not term and _block(stated, term, other).any():
            parts.append(_times(_block(stated, term, other), term, other, scope))
    own = _block(stated, term, term)
    value = " - ".join(parts)
    if not np.array_equal(own, np.eye(len(own))):
        value = f"jnp.linalg.solve({_matrix(own, term, term, scope)}, {value})"
        parts = [value]
    line = f"{term.variable} = numpyro.deterministic({quoted(whole)}, {value})"
    if len(line) < LINE or len(parts) == 1:
        return [line]
    rest = [f"    - {part}" for part in parts[1:]]
    return [f"{term.variable} = numpyro.deterministic(", f"    {quoted(whole)},", f"    {parts[0]}", *rest, ")"]


def _times(block: np.ndarray, term: _Term, other: _Term, scope: Scope) -> str:
    """The text of a block (m, m') times the coefficients of `other`."""
    if not term.columns and _are_means(block[0], other.values):
        if other.single:
            return f"{other.variable} * {other.columns}.mean()"
        return f"{other.columns}.mean(axis=0) @ {other.variable}"
    square = block.shape[0] == block.shape[1]
    if square and np.allclose(block, block[0, 0] * np.eye(len(block)), rtol=ROUNDING, atol=0):
        return f"{other.variable} * {number(plain(block[0, 0]))}"
    if other.single:
        return f"{_matrix(block[:, 0], term, other, scope)} * {other.variable}"
    return f"{_matrix(block[0] if term.single else block, term, other, scope)} @ {other.variable}"


def _are_means(numbers: np.ndarray, X: np.ndarray) -> bool:
    return bool(np.all(np.abs(numbers - X.mean(axis=0)) <= ROUNDING * np.max(np.abs(X), axis=0)))


def _matrix(values: np.ndarray, term: _Term, other: _Term, scope: Scope) -> str:
    if values.size <= INLINE:
        return number(plain(values))
    return scope.array(
        f"{term.name} in {other.name}", values, f"how much of {term.name} is in the columns {other.name}"
    )


def _addend(term: _Term) -> str:
    if not term.columns:
        return term.variable
    return f"{term.variable} * {term.columns}" if term.single else f"{term.columns} @ {term.variable}"
