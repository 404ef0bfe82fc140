"""Cholesky factors of a sparse symmetric matrix front by front, in batches of equal fronts, and what follows from them.

With A_pp the pivots of a front and A_bp their entries at its boundary: X = A_bp A_pp^-1, A_bb loses X A_pb; on the way
back Z_bp = -Z_bb X and Z_pp = A_pp^-1 - X'Z_bp give the inverse at all positions of the factor (Takahashi, Fagan & Chin
1973; Erisman & Tinney 1975, Commun. ACM 18, 177-179).
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from .ordering import Elimination

EXACT = 6  # rows of a front up to which no padding joins shapes; beyond it sizes are a quarter apart


@dataclass(frozen=True)
class Group:
    """`count` fronts of one height and shape, `size` pivots and `reach` boundary columns, stored from `offset`.

    `pivots` (count, size) and `boundary` (count, reach) are columns, the number of columns standing for padding.
    `entries` (count, reach (reach + 1) / 2) are the positions of the boundary's lower triangle; `targets` those
    positions once each, and `sums` where among them each entry goes (None where all differ). `below` are boundary
    columns once each; `spread` the pattern of the matrix that takes pivots there, its data positions in X.
    """

    offset: int
    count: int
    size: int
    reach: int
    pivots: np.ndarray
    boundary: np.ndarray
    entries: np.ndarray
    targets: np.ndarray
    sums: np.ndarray | None
    below: np.ndarray
    spread: sparse.csr_array

    @cached_property
    def lower(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of the lower triangle."""
        return np.tril_indices(self.reach)

    @cached_property
    def full(self) -> np.ndarray:
        """Where each entry of a symmetric matrix is in its lower triangle (reach, reach)."""
        rows, columns = self.lower
        where = np.empty((self.reach, self.reach), dtype=np.int64)
        where[rows, columns] = where[columns, rows] = np.arange(len(rows))
        return where

    def view(self, flat: np.ndarray) -> np.ndarray:
        """The (count, size + reach, size) columns of the factor inside a flat array."""
        rows = self.size + self.reach
        last = self.offset + self.count * rows * self.size
        return flat[self.offset : last].reshape(self.count, rows, self.size)

    def spreading(self, X: np.ndarray) -> sparse.csr_array:
        """X as one matrix from pivots to `below`."""
        return with_data(self.spread, X.ravel()[self.spread.data])


@dataclass(frozen=True)
class Fronts:
    """Where the factor's entries are in a flat array: the groups', then a dense lower triangle of the `root` columns.

    `template` (N + 1,) is what to fill: ones on the padded diagonals, and a last zero that padding reads. `rank` orders
    the columns; `key` (sorted) and `row` say in which row of its front a column stands, `front_of`, `inside`, `base`
    and `stride` where a pivot column begins.
    """

    n_columns: int
    groups: tuple[Group, ...]
    root: np.ndarray
    root_offset: int
    template: np.ndarray
    rank: np.ndarray
    key: np.ndarray
    row: np.ndarray
    front_of: np.ndarray
    inside: np.ndarray
    base: np.ndarray
    stride: np.ndarray

    def position(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Flat positions of the entries at columns a and b, which must lie in the factor's pattern."""
        swap = self.rank[a] < self.rank[b]
        late, early = np.where(swap, b, a), np.where(swap, a, b)
        front = self.front_of[early]
        at = np.searchsorted(self.key, front * self.n_columns + late)
        return self.base[front] + self.row[at] * self.stride[front] + self.inside[early]

    def root_view(self, flat: np.ndarray) -> np.ndarray:
        """The root's lower triangle (m, m)."""
        m = len(self.root)
        return flat[self.root_offset : self.root_offset + m * m].reshape(m, m)


@dataclass(frozen=True)
class Factored:
    """Per group `X` (count, reach, size), `inverse` of the pivots and its root `half` (half' half = inverse).

    `root` is the upper Cholesky factor of the root, column-major.
    """

    fronts: Fronts
    X: tuple[np.ndarray, ...]
    inverse: tuple[np.ndarray, ...]
    half: tuple[np.ndarray, ...]
    root: np.ndarray
    log_det: float

    def inverted(self) -> np.ndarray:
        """The inverse at the positions of the factor, flat."""
        fronts = self.fronts
        flat = np.zeros_like(fronts.template)
        if len(fronts.root):
            upper, _ = lapack.dpotri(self.root, lower=0)
            fronts.root_view(flat)[:] = upper.T
        for group, X, inverse in zip(fronts.groups[::-1], self.X[::-1], self.inverse[::-1], strict=True):
            view = group.view(flat)
            across = flat[group.entries][:, group.full] @ X
            view[:, : group.size] = inverse + X.transpose(0, 2, 1) @ across
            view[:, group.size :] = -across
        return flat

    def solve(self, right: np.ndarray) -> np.ndarray:
        """The inverse times (q, m)."""
        x = self._forward(right)
        root = self.fronts.root
        for group, inverse in zip(self.fronts.groups, self.inverse, strict=True):
            x[group.pivots] = inverse @ x[group.pivots]
        if len(root):
            x[root] = lapack.dpotrs(self.root, x[root], lower=0)[0]
        return self._backward(x)

    def whitened(self, right: np.ndarray) -> np.ndarray:
        """y (q, m) with y'y = right' inverse right."""
        x = self._forward(right)
        root = self.fronts.root
        for group, half in zip(self.fronts.groups, self.half, strict=True):
            x[group.pivots] = half @ x[group.pivots]
        if len(root):
            x[root] = lapack.dtrtrs(self.root, x[root], lower=0, trans=1)[0]
        return x[:-1]

    def coloured(self, noise: np.ndarray) -> np.ndarray:
        """(q, m) whose columns have the inverse as covariance, from standard normal noise (q, m)."""
        x = np.vstack([noise, np.zeros((1, noise.shape[1]))])
        root = self.fronts.root
        for group, half in zip(self.fronts.groups, self.half, strict=True):
            x[group.pivots] = half.transpose(0, 2, 1) @ x[group.pivots]
        if len(root):
            x[root] = lapack.dtrtrs(self.root, x[root], lower=0)[0]
        return self._backward(x)

    def _forward(self, right: np.ndarray) -> np.ndarray:
        x = np.vstack([right, np.zeros((1, right.shape[1]))])
        for group, X in zip(self.fronts.groups, self.X, strict=True):
            if group.reach:
                x[group.below] -= group.spreading(X) @ x[group.pivots].reshape(-1, x.shape[1])
        return x

    def _backward(self, x: np.ndarray) -> np.ndarray:
        for group, X in zip(self.fronts.groups[::-1], self.X[::-1], strict=True):
            if group.reach:
                x[group.pivots] -= X.transpose(0, 2, 1) @ x[group.boundary]
        return x[:-1]


def with_data(pattern: sparse.csr_array, data: np.ndarray) -> sparse.csr_array:
    """The matrix with other numbers; SciPy's constructor would examine the pattern anew each time."""
    matrix = copy(pattern)
    matrix.data = data
    return matrix


def factorise(fronts: Fronts, flat: np.ndarray) -> Factored:
    """Factorise the matrix whose entries are in `flat`, a filled copy of the template; overwrites it.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where it is not positive definite.
    """
    Xs, inverses, halves, log_det = [], [], [], 0.0
    for group in fronts.groups:
        view = group.view(flat)
        A, B = view[:, : group.size], view[:, group.size :]
        inverse, half, part = _inverted_pivots(A)
        X = B @ inverse
        if group.reach:
            _subtract(flat, group, X, B)
        log_det += part
        Xs.append(X)
        inverses.append(inverse)
        halves.append(half)
    root = np.zeros((0, 0))
    if len(fronts.root):
        root, info = lapack.dpotrf(fronts.root_view(flat).T, lower=0, clean=0, overwrite_a=1)
        if info:
            raise np.linalg.LinAlgError("the root of the tail is not positive definite")
        log_det += 2 * float(np.sum(np.log(np.diagonal(root))))
    return Factored(fronts, tuple(Xs), tuple(inverses), tuple(halves), root, log_det)


def _inverted_pivots(A: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Inverses of (count, s, s), H with H'H the inverse, and the sum of their log-determinants."""
    if A.shape[1] == 1:
        if not (A > 0).all():
            raise np.linalg.LinAlgError("a pivot of the tail is not positive")
        inverse = 1 / A
        return inverse, np.sqrt(inverse), float(np.sum(np.log(A)))
    L = np.linalg.cholesky(A)
    half = np.linalg.inv(L)
    log_det = 2 * float(np.sum(np.log(np.diagonal(L, axis1=1, axis2=2))))
    return half.transpose(0, 2, 1) @ half, half, log_det


def _subtract(flat: np.ndarray, group: Group, X: np.ndarray, B: np.ndarray) -> None:
    rows, columns = group.lower
    if group.size == 1:
        change = X[:, rows, 0] * B[:, columns, 0]
    else:
        change = (X @ B.transpose(0, 2, 1))[:, rows, columns]
    if group.sums is None:
        flat[group.targets] -= change.ravel()
    else:
        flat[group.targets] -= np.bincount(group.sums, change.ravel(), len(group.targets))


def fronts(found: Elimination, first: np.ndarray, widths: np.ndarray) -> Fronts:
    """Lay out the factor of a matrix whose level l has the columns `first[l]` to `first[l] + widths[l]`."""
    q = int(widths.sum())
    expanded = [(_columns(f.pivots, first, widths), _columns(f.boundary, first, widths)) for f in found.fronts]
    root = _columns(found.root, first, widths)
    padded = [(_padded(len(pivots)), _padded(len(boundary))) for pivots, boundary in expanded]
    shapes: dict[tuple[int, int, int], list[int]] = {}
    for number, (front, shape) in enumerate(zip(found.fronts, padded, strict=True)):
        shapes.setdefault((front.height, *shape), []).append(number)
    base, stride = np.zeros(len(expanded) + 1, dtype=np.int64), np.zeros(len(expanded) + 1, dtype=np.int64)
    offset, starts = 0, []
    for (_, size, reach), numbers in shapes.items():
        starts.append(offset)
        step = (size + reach) * size
        base[numbers], stride[numbers] = offset + step * np.arange(len(numbers)), size
        offset += step * len(numbers)
    base[-1], stride[-1] = offset, len(root)
    template = np.zeros(offset + len(root) ** 2 + 1)
    rank, key, row, front_of, inside = _lookup(expanded, root, padded, q)
    laid = Fronts(q, (), root, offset, template, rank, key, row, front_of, inside, base, stride)
    groups = [
        _group(laid, start, size, reach, [expanded[i] for i in numbers])
        for start, ((_, size, reach), numbers) in zip(starts, shapes.items(), strict=True)
    ]
    return replace(laid, groups=tuple(groups))


def _columns(levels: np.ndarray, first: np.ndarray, widths: np.ndarray) -> np.ndarray:
    width = widths[levels]
    ends = np.cumsum(width)
    return np.repeat(first[levels] - ends + width, width) + np.arange(int(width.sum()))


def _padded(size: int) -> int:
    if size <= EXACT:
        return size
    step = 1 << (size.bit_length() - 3)
    return -(-size // step) * step


def _lookup(
    expanded: Sequence[tuple[np.ndarray, np.ndarray]],
    root: np.ndarray,
    padded: Sequence[tuple[int, int]],
    q: int,
) -> tuple[np.ndarray, ...]:
    """`rank`, `key`, `row`, `front_of` and `inside` of `Fronts`; the root counts as the last front."""
    pivots = [*(p for p, _ in expanded), root]
    order = np.concatenate(pivots)
    sizes = np.array([len(p) for p in pivots])
    rank, front_of, inside = (np.empty(q, dtype=np.int64) for _ in range(3))
    rank[order] = np.arange(q)
    front_of[order] = np.repeat(np.arange(len(pivots)), sizes)
    inside[order] = np.arange(q) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    reaches = np.array([*(len(b) for _, b in expanded), 0])
    beyond = np.concatenate([*(b for _, b in expanded), np.zeros(0, dtype=np.int64)])
    front = np.repeat(np.arange(len(pivots)), reaches)
    below = np.array([*(size for size, _ in padded), 0])[front]
    key = np.concatenate([front_of[order] * q + order, front * q + beyond])
    place = np.arange(len(front)) - np.repeat(np.cumsum(reaches) - reaches, reaches)
    row = np.concatenate([inside[order], below + place])
    sort = np.argsort(key)
    return rank, key[sort], row[sort], front_of, inside


def _group(laid: Fronts, offset: int, size: int, reach: int, members: Sequence[tuple[np.ndarray, np.ndarray]]) -> Group:
    q, count = laid.n_columns, len(members)
    pivots, boundary = np.full((count, size), q), np.full((count, reach), q)
    for i, (p, b) in enumerate(members):
        pivots[i, : len(p)], boundary[i, : len(b)] = p, b
    where, column = np.nonzero(pivots == q)
    laid.template[offset + where * (size + reach) * size + column * size + column] = 1.0
    rows, columns = np.tril_indices(reach)
    a, b = boundary[:, rows], boundary[:, columns]
    used = (a < q) & (b < q)
    entries = np.full(a.shape, len(laid.template) - 1)
    entries[used] = laid.position(a[used], b[used])
    targets, inverse = np.unique(entries, return_inverse=True)
    sums = inverse.ravel().astype(np.int32) if len(targets) < entries.size else None
    if sums is None:
        targets = entries.ravel()
    below, spread = _spread(boundary, size, q)
    return Group(offset, count, size, reach, pivots, boundary, entries, targets, sums, below, spread)


def _spread(boundary: np.ndarray, size: int, q: int) -> tuple[np.ndarray, sparse.csr_array]:
    """The boundary columns once each, and the matrix from pivots to them with positions in X as its data."""
    count, reach = boundary.shape
    front, place = np.nonzero(boundary < q)
    below, target = np.unique(boundary[front, place], return_inverse=True)
    rows = np.repeat(target.ravel(), size)
    inside = np.tile(np.arange(size), len(front))
    columns = np.repeat(front, size) * size + inside
    where = np.repeat(front * reach + place, size) * size + inside
    # one more than the position, lest the first be dropped as a zero
    pattern = sparse.coo_array((where + 1, (rows, columns)), shape=(len(below), count * size)).tocsr()
    pattern.data -= 1
    return below, pattern
