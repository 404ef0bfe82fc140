"""The fixed terms of a model with a column for every level, on the orthonormal basis of the model's own columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...design.columns.every_level import Atoms, EveryLevel
from ...likelihood.working.basis import orthonormal

if TYPE_CHECKING:
    from ...model import Model

INTERCEPT = "Intercept"
SAME = 1e-7  # of a column's length: what it may have outside a space to be in it, as the rank of a design is decided
ROUNDING = 1e-12  # of a constant column's length: what it has about its mean


@dataclass(frozen=True)
class FixedTerm:
    """One term: its `factors` and `numbers` by their texts, and `columns` (p, q) on the basis of the model.

    `leading` (q,) tells the columns of some factor's first level, `scale` (q,) are the sizes by which columns of
    numbers were divided, `length` (q,) of each column about its mean. `units` (p, q) are the columns about their means,
    of length 1: with the constant they span the same, and numbers far from zero are told apart.
    """

    name: str
    factors: frozenset[str]
    numbers: frozenset[str]
    columns: np.ndarray
    leading: np.ndarray
    scale: np.ndarray
    length: np.ndarray
    units: np.ndarray


@dataclass(frozen=True)
class FixedPart:
    """The fixed part of a model: its `terms`, first the constant where there is one, and R (p, p) with X = QR, Q'Q = I.

    A function c'Q'X beta of the coefficients is the row c'R.
    """

    terms: tuple[FixedTerm, ...]
    R: np.ndarray
    constant: bool

    @property
    def tested(self) -> tuple[FixedTerm, ...]:
        """The terms but for the constant."""
        return self.terms[int(self.constant) :]


@dataclass(frozen=True)
class _Basis:
    """Q (n, p) of the rows that differ, each multiplied by its `root` (n, 1), and the constant on it, `about` (p,)."""

    Q: np.ndarray
    R: np.ndarray
    root: np.ndarray
    about: np.ndarray

    def every_level(
        self, name: str, texts: frozenset[str], categorical: frozenset[str], block: EveryLevel
    ) -> FixedTerm | None:
        """A term's columns for every level; None where they are no combinations of the model's."""
        whole = block.values * self.root
        columns = self.Q.T @ whole
        length = np.linalg.norm(whole, axis=0)
        whole -= self.Q @ columns
        if np.any(np.linalg.norm(whole, axis=0) > SAME * length):
            return None
        described = (columns, block.leading, block.scale, *_units(columns, self.about))
        return FixedTerm(name, texts & categorical, texts - categorical, *described)

    def as_coded(self, name: str, texts: frozenset[str], at: tuple[int, ...]) -> FixedTerm:
        """A term in the model's own columns, as a product of numbers."""
        columns = self.R[:, list(at)]
        described = (columns, np.zeros(len(at), dtype=bool), np.ones(len(at)), *_units(columns, self.about))
        return FixedTerm(name, frozenset(), texts, *described)


def fixed_part(model: Model, root_weights: np.ndarray | None = None) -> FixedPart:
    """The terms of a model's mean.

    A term has the model's own columns where R's coding makes these fewer than every level would (``x:a`` beside
    ``x:z``), or more (a factor of few contrasts without an intercept).

    Parameters
    ----------
    root_weights
        (n,) by which rows are multiplied, None for ones.
    """
    mu, side = model.design.mu, model.design.encoding.formula.predictors["mu"]
    atoms, used = Atoms.of(model.design.encoding, model.frame), np.flatnonzero(model.design.used)
    weights = np.ones(len(used)) if root_weights is None else root_weights[used] ** 2
    first, size = atoms.distinct(used, weights)
    root = np.sqrt(size)[:, None]
    Q, R = orthonormal(mu.X[used[first]] * root)
    basis = _Basis(Q, R, root, Q.T @ root[:, 0] if side.intercept else np.zeros(len(R)))
    found = [basis.as_coded(INTERCEPT, frozenset(), mu.terms[INTERCEPT])] if side.intercept else []
    for term in side.terms:
        made = basis.every_level(term.name, term.key, atoms.categorical, atoms.columns(term, used[first]))
        found.append(made or basis.as_coded(term.name, term.key, mu.terms[term.name]))
    return FixedPart(_spanning(found, basis, mu.terms), R, side.intercept)


def _spanning(terms: list[FixedTerm], basis: _Basis, own: dict[str, tuple[int, ...]]) -> tuple[FixedTerm, ...]:
    """The terms; one that is more in the model than here in the model's columns."""
    if not terms:
        return ()
    span, sizes, _ = np.linalg.svd(np.concatenate([term.units for term in terms], axis=1), full_matrices=False)
    span = span[:, sizes > SAME * sizes.max(initial=0.0)]
    found = []
    for term in terms:
        columns = basis.R[:, list(own[term.name])]
        outside = np.linalg.norm(columns - span @ (span.T @ columns), axis=0)
        more = np.any(outside > SAME * np.linalg.norm(columns, axis=0))
        found.append(basis.as_coded(term.name, term.factors | term.numbers, own[term.name]) if more else term)
    return tuple(found)


def _units(columns: np.ndarray, about: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The length (q,) of each column about its mean, as it is where it is constant, and the columns (p, q) over it."""
    whole = np.linalg.norm(columns, axis=0)
    unit = about / np.linalg.norm(about) if np.any(about) else about
    centred = columns - np.outer(unit, unit @ columns)
    length = np.linalg.norm(centred, axis=0)
    constant = length <= ROUNDING * whole
    length = np.where(constant, np.where(whole > 0, whole, 1.0), length)
    return length, np.where(constant, columns, centred) / length
