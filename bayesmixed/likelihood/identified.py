"""Which bars' parameters does no response determine: those whose effects the fixed effects or other bars hold already?

Of y = X beta + sum_j Z_j b_j + e only what is orthogonal to X speaks of the variances, and of the variances only
V = sum_j Z_j (I x Sigma_j) Z_j' + sigma^2 W^-1. Where all Z_j v of the levels lie in the span of X, v'Sigma_j v is
free; where two sets of Sigma_j give one V, their difference is. Both are questions about columns, not about estimates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..covariance import Covariance
from ..design.design import GroupTerm
from .working.basis import orthonormal

if TYPE_CHECKING:
    from ..model import Model

ROUNDING = 1e-9  # of a squared length: what is left of a column that others hold
RANK, SAME = 1e-10, 1e-8  # of the largest singular value: columns as such, and their products
SHARE = 1e-6  # of the largest: weights of a direction that are none


@dataclass(frozen=True)
class Unidentified:
    """Bars at the positions `terms` whose parameters the data cannot settle.

    `why` and `meaning` are sentences without their stop, `remedy` what to do; `whole` where nothing of the bar is left.
    """

    terms: tuple[int, ...]
    why: str
    meaning: str
    remedy: str
    whole: bool = False


def unidentified(model: Model) -> tuple[Unidentified, ...]:
    """What of the random effects no response could determine; empty in most models, and then quickly."""
    used = np.flatnonzero(model.design.used)
    groups, covariances = model.design.mu.groups, model.covariances
    found = [*_held_by_fixed(groups, model.design.mu.X[used], used)]
    found += _overlapping(groups, covariances, used)
    if model.has_scale and "sigma" not in model.constants:
        found += _held_by_residual(model, used)
    return tuple(found)


def _held_by_fixed(groups: Sequence[GroupTerm], X: np.ndarray, used: np.ndarray) -> Iterator[Unidentified]:
    """Bars whose columns, level by level, are combinations of the fixed effects' columns."""
    for j, term in enumerate(groups):
        codes = term.codes[used]
        levels = np.count_nonzero(np.bincount(codes[codes >= 0], minlength=1))
        if levels > X.shape[1] or not levels:
            continue  # so many columns of levels do not fit into the span of X
        directions = _inside(term.Z[used], codes, orthonormal(X)[0])
        if not directions.shape[1]:
            continue
        names = _named(term, directions)
        whole = directions.shape[1] == len(term.columns)
        part = term.text if whole else f"{names} in {term.text}"
        yield Unidentified(
            (j,),
            f"{part}: the fixed effects hold every difference between the levels of {term.factor} already",
            "No data speak of its variance: what is shown for it means nothing, and standard errors of those fixed "
            "effects depend on it",
            f"leave {'the bar' if whole else f'{names} in the bar'} or the fixed effects of {term.factor} out",
            whole,
        )


def _inside(Z: np.ndarray, codes: np.ndarray, Q: np.ndarray) -> np.ndarray:
    """Directions (k, m) of the columns, in units of orthonormal ones, that lie in the span of Q for every level."""
    basis, _ = np.linalg.qr(Z)
    known = codes >= 0
    order = np.argsort(codes[known], kind="stable")
    starts = np.unique(codes[known][order], return_index=True)[1]
    columns, rows = basis[known][order], Q[known][order]
    # per level, how much of each pair of columns the fixed effects hold
    held = np.stack([np.add.reduceat(rows * column[:, None], starts, axis=0) for column in columns.T])
    flat = held.reshape(len(held), -1)
    values, vectors = np.linalg.eigh(columns.T @ columns - flat @ flat.T)
    return vectors[:, values < ROUNDING]


def _named(term: GroupTerm, directions: np.ndarray) -> str:
    """The columns that directions in orthonormal columns are made of."""
    _, R = np.linalg.qr(term.Z)
    weights = np.abs(np.linalg.solve(R, directions)) * np.linalg.norm(term.Z, axis=0)[:, None]
    large = np.max(weights, axis=1) > SHARE * np.max(weights)
    return " and ".join(name for name, there in zip(term.columns, large, strict=True) if there)


def _overlapping(
    groups: Sequence[GroupTerm], covariances: Sequence[Covariance], used: np.ndarray
) -> Iterator[Unidentified]:
    """Bars of one grouping of the rows whose covariances add up to one that others have as well."""
    if sum(len(term.columns) for term in groups) < 2:
        return
    for same in _same_grouping(groups, used):
        every = np.concatenate([groups[j].Z[used] for j in same], axis=1)
        if every.shape[1] < 2:
            continue
        units = every / np.linalg.norm(every, axis=0)
        _, values, right = np.linalg.svd(units, full_matrices=False)
        rank = int(np.sum(values > RANK * values[0]))
        if rank == every.shape[1]:
            continue  # independent columns have independent products
        coordinates = right[:rank]  # (rank, columns), in directions scaled to be as long as one another
        images, owners, start = [], [], 0
        for j in same:
            k = groups[j].Z.shape[1]
            own = coordinates[:, start : start + k]
            start += k
            for change in _generic(covariances[j], k):
                images.append((own @ change @ own.T).ravel())
                owners.append(j)
        null = _null(np.stack(images, axis=1))
        if null.shape[1]:
            yield _overlap(groups, [j for j in same if np.max(np.abs(null[np.array(owners) == j])) > SHARE])


def _null(columns: np.ndarray) -> np.ndarray:
    """Combinations (m, r) of columns that vanish."""
    scaled = columns / np.linalg.norm(columns, axis=0)
    _, values, right = np.linalg.svd(scaled)
    rank = int(np.sum(values > SAME * values[0]))
    return right[rank:].T


def _same_grouping(groups: Sequence[GroupTerm], used: np.ndarray) -> list[list[int]]:
    """Positions of the bars by the grouping of the rows that they share, whatever it is called."""
    found: list[tuple[np.ndarray, list[int]]] = []
    if len(groups) == 1:
        return [[0]]
    for j, term in enumerate(groups):
        codes = term.codes[used]
        _, first, codes = np.unique(codes, return_index=True, return_inverse=True)
        order = np.argsort(np.argsort(first))[codes.ravel()]  # levels counted in order of appearance
        for known, positions in found:
            if np.array_equal(known, order):
                positions.append(j)
                break
        else:
            found.append((order, [j]))
    return [positions for _, positions in found]


def _overlap(groups: Sequence[GroupTerm], terms: Sequence[int]) -> Unidentified:
    bars = [groups[j].text for j in terms]
    factors = list(dict.fromkeys(groups[j].factor for j in terms))
    meaning = "Only the sum of their covariances is determined: how it is divided between them means nothing"
    if len(bars) == 1:
        why, remedy = "its columns determine one another", "leave a column out that others determine"
        meaning = "Several covariances of its columns say the same: their sds and correlations mean nothing"
    elif len(factors) > 1:
        why, remedy = f"{' and '.join(factors)} group the rows in the same way", f"keep one of them, such as {bars[0]}"
    else:
        every = [name for j in terms for name in groups[j].columns]
        shared = [name for name in dict.fromkeys(every) if every.count(name) > 1]
        why = f"both describe {' and '.join(shared) if shared else 'the same effects'} by {factors[0]}"
        remedy = f"have it in one bar only, such as {max(bars, key=len)}"
    return Unidentified(tuple(terms), f"{' and '.join(bars)}: {why}", meaning, remedy)


def _held_by_residual(model: Model, used: np.ndarray) -> Iterator[Unidentified]:
    """Bars whose covariance over the rows of a level can change by a multiple of the residual's.

    That takes an effect of its own for each row of a level. Of a structure that takes up all variance with as many
    effects as rows, fits of several columns say so before (`Covariance.absorbing`).
    """
    weights = np.ones(len(used)) if model.design.weights is None else model.design.weights[used]
    for j, term in enumerate(model.design.mu.groups):
        structure, codes, k = model.covariances[j], term.codes[used], len(term.columns)
        known = codes >= 0
        if not known.all() or np.max(np.bincount(codes)) > k or (k > 1 and structure.absorbing):
            continue
        first, second = _pairs_within(codes)
        Z = term.Z[used]
        made = np.stack([np.sum(Z[first] @ change * Z[second], axis=1) for change in _generic(structure, k)], axis=1)
        wanted = np.where(first == second, 1 / weights[first], 0.0)
        left = wanted - made @ np.linalg.lstsq(made, wanted)[0]
        if np.sum(left**2) < ROUNDING * np.sum(wanted**2):
            yield _as_residual(j, term)


def _generic(structure: Covariance, k: int) -> list[np.ndarray]:
    """Directions in which Sigma can change at unequal sds: what they span there, they span nearly everywhere."""
    return structure.tangents(k, np.linspace(1.0, 2.0, k))


def _pairs_within(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of one level, each with each and with itself: positions (m,) of the first and of the second."""
    order = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes)
    starts = np.cumsum(sizes) - sizes
    first, of = np.arange(len(codes)), codes[order]
    repeated = np.repeat(first, sizes[of])
    within = np.arange(len(repeated)) - np.repeat(np.cumsum(sizes[of]) - sizes[of], sizes[of])
    return order[repeated], order[starts[of][repeated] + within]


def _as_residual(j: int, term: GroupTerm) -> Unidentified:
    if len(term.columns) == 1:
        why, remedy = f"{term.factor} has a level per row, as the residual has", f"leave {term.text} out"
        return Unidentified((j,), f"{term.text}: {why}", "Only the sum of both variances is determined", remedy)
    return Unidentified(
        (j,),
        f"{term.text}: each row has an effect of its own, with a variance as the residual has",
        "Only the sum of its variances and of the residual variance is determined, and its correlation goes with them",
        f"leave the rows' own variance to the residual, as in (1 | {term.factor})",
    )
