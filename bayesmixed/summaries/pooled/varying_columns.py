"""Which coefficients can differ from group to group, and which columns vary between groups only?"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...design.columns.rank import independent
from ...fits.told_apart import numbered

if TYPE_CHECKING:
    from ...design.design import GroupTerm
    from ...model import Model

_SAME = 1e-9  # of a column's largest value: a multiple of another column up to rounding


@dataclass(frozen=True)
class Within:
    """One grouping factor and the columns that can be fitted to a level's rows.

    `rows` per level the positions of its rows; `W` (n, K) the columns named by `names`: fixed ones that are not
    determined by others within every level, then random ones outside their span; `carry` has per group term of the
    factor, by its position, the matrix (K, k) with Z = W carry. `between` names the other
    fixed columns; of each, `hosts` names the column of W that it is a multiple of within every level (None where there
    is none) and `multiples` (L,) holds by how much.
    """

    factor: str
    levels: np.ndarray
    rows: tuple[np.ndarray, ...]
    W: np.ndarray
    names: tuple[str, ...]
    carry: dict[int, np.ndarray]
    between: tuple[str, ...]
    hosts: dict[str, str | None]
    multiples: dict[str, np.ndarray]


def within(model: Model, factor: str) -> Within:
    """The columns of a model seen from one of its grouping factors."""
    design = model.design
    terms = {j: term for j, term in enumerate(design.mu.groups) if term.factor == factor}
    first_term = next(iter(terms.values()))
    codes, levels = first_term.codes, first_term.levels
    used = np.flatnonzero(design.used & (codes >= 0))
    used = used[np.argsort(codes[used], kind="stable")]
    edges = np.searchsorted(codes[used], np.arange(len(levels) + 1))
    rows = tuple(used[first:last] for first, last in itertools.pairwise(edges))
    X, names = design.mu.X, model.coefficients
    free = sorted({int(j) for own in rows if len(own) for j in independent(X[own], None)})
    others = [j for j in range(X.shape[1]) if j not in free]
    hosts, multiples = _carried(X, free, others, rows, names)
    W, named = _with_random(X[:, free], [names[j] for j in free], list(terms.values()))
    carry = {j: np.linalg.lstsq(W, term.Z, rcond=None)[0] for j, term in terms.items()}
    between = tuple(names[j] for j in others)
    return Within(factor, levels, rows, W, named, carry, between, hosts, multiples)


def _with_random(X: np.ndarray, names: list[str], terms: list[GroupTerm]) -> tuple[np.ndarray, tuple[str, ...]]:
    """The fixed columns and those random ones that are no combination of columns before them."""
    W = np.column_stack([X, *(term.Z for term in terms)])
    every = [*names, *(name for term in terms for name in term.columns)]
    at = independent(W, None)
    return W[:, at], tuple(numbered([every[j] for j in at]))


def _carried(
    X: np.ndarray, free: list[int], others: list[int], rows: tuple[np.ndarray, ...], names: tuple[str, ...]
) -> tuple[dict[str, str | None], dict[str, np.ndarray]]:
    hosts: dict[str, str | None] = {}
    multiples: dict[str, np.ndarray] = {}
    for j in others:
        hosts[names[j]] = None
        for host in free:
            found = np.array([_multiple(X[own, j], X[own, host]) for own in rows])
            if not np.isnan(found).any():
                hosts[names[j]], multiples[names[j]] = names[host], found
                break
    return hosts, multiples


def _multiple(column: np.ndarray, host: np.ndarray) -> float:
    """The number c with column = c host, NaN where there is none."""
    if not np.any(column):
        return 0.0
    at = int(np.argmax(np.abs(host)))
    if host[at] == 0:
        return np.nan
    found = column[at] / host[at]
    return float(found) if np.all(np.abs(column - found * host) <= _SAME * np.max(np.abs(column))) else np.nan
