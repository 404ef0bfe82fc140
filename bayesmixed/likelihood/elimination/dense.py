"""The tail's system in dense components: batches of small matrices, or one large one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from ..working.gram import Gram
from .batches import Batch, Position, mirror
from .components import factorise, inner, invert_factor, solve_lower, times
from .storage import Matrices, Place

ROUNDING = 1e-14  # of a variance: what is left of it once the columns before explain all of it
CHUNK = 2**22  # elements of a dense chunk of rows x tail columns


@dataclass(frozen=True)
class Batches:
    """Dense storage: `batches` of components, `position` of each tail column, `places` of the cross-products."""

    batches: tuple[Batch, ...]
    position: Position
    places: tuple[Place, ...]

    @property
    def size(self) -> int:
        """Of the flat array."""
        last = self.batches[-1]
        return last.offset + last.count * last.size**2

    @property
    def square(self) -> bool:
        """Whether there is one component."""
        return len(self.batches) == 1 and self.batches[0].count == 1

    @property
    def whole(self) -> bool:
        """Every entry within a component is kept."""
        return True

    def flat(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """See `Storage`."""
        return self.position.flat(a, b)

    def known(self, matrices: Matrices, factors: Sequence[np.ndarray]) -> DenseSolved:
        """See `Storage`."""
        T, K = self._gathered(matrices.T, 0.0), self._gathered(matrices.K, 0.0)
        S_inverse = self._gathered(matrices.S_inverse, 1.0)
        return DenseSolved(self, tuple(factors), T, K, S_inverse, matrices.log_det, matrices.explained)

    def _gathered(self, matrix: np.ndarray, padding: float) -> np.ndarray:
        """A whole matrix flat over the components; `padding` stands on the diagonal beyond its columns."""
        q, flat = len(matrix), np.zeros(self.size)
        wide = np.zeros((q + 1, q + 1))
        wide[:q, :q] = matrix
        for batch in self.batches:
            view = batch.view(flat)
            view[:] = wide[batch.members[:, :, None], batch.members[:, None, :]]
            view[:, np.arange(batch.size), np.arange(batch.size)] += padding * (batch.members == q)
        return flat

    def direct(self, gram: Gram) -> np.ndarray:
        """See `Storage`."""
        flat = np.zeros(self.size)
        for place in self.places:
            values = place.values(gram)
            flat[place.at] = values
            if place.mirrored is not None:
                flat[place.mirrored] = values
        return flat

    def completed(self, flat: np.ndarray) -> np.ndarray:
        """See `Storage`."""
        for batch in self.batches:
            if not batch.dense:
                mirror(batch.view(flat))
        return flat

    def elements(self, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """See `Storage`."""
        rows, columns, values = [], [], []
        for batch in self.batches:
            shape = (batch.count, batch.size, batch.size)
            rows.append(np.broadcast_to(batch.members[:, :, None], shape).ravel())
            columns.append(np.broadcast_to(batch.members[:, None, :], shape).ravel())
            values.append(mirror(batch.view(flat).copy()).ravel())
        found = np.concatenate(rows), np.concatenate(columns), np.concatenate(values)
        if not self._pads:
            return found
        own = (found[0] < len(self.position.base)) & (found[1] < len(self.position.base))
        return found[0][own], found[1][own], found[2][own]

    def padded(self, right: np.ndarray) -> np.ndarray:
        """(q_t, m) with a row of zeros for padding to read, where there is padding."""
        return np.concatenate([right, np.zeros((1, right.shape[1]))]) if self._pads else right

    def shown(self, product: np.ndarray) -> np.ndarray:
        """What `padded` brought in taken off."""
        return product[:-1] if self._pads else product

    @cached_property
    def _pads(self) -> bool:
        return any(bool(np.any(batch.members == len(self.position.base))) for batch in self.batches)

    def solve(self, T: np.ndarray, T_tw: np.ndarray, factors: Sequence[np.ndarray], *, invert: bool) -> DenseSolved:
        """See `Storage`."""
        return dense_solved(self, T, T_tw, factors, invert)


@dataclass(frozen=True)
class DenseSolved:
    """See `Solved`. `T`, `K` and `S_inverse` are flat over the components, of a large one the lower triangle."""

    storage: Batches
    factors: tuple[np.ndarray, ...]
    T: np.ndarray
    K: np.ndarray
    S_inverse: np.ndarray
    log_det: float
    explained: np.ndarray

    def product(self, right: np.ndarray) -> np.ndarray:
        """See `Solved`."""
        return self._times(self.T, right)

    def apply(self, right: np.ndarray) -> np.ndarray:
        """See `Solved`."""
        return self._times(self.K, right)

    def spherical(self, right: np.ndarray) -> np.ndarray:
        """See `Solved`."""
        right = self.storage.padded(right)
        scaled = np.empty_like(right)
        for batch in self.storage.batches:
            part = right[batch.members].transpose(0, 2, 1)
            scaled[batch.members] = scale_columns(batch, part, self.factors).transpose(0, 2, 1)
        return self._times(self.S_inverse, self.storage.shown(scaled))

    def traces(self) -> list[np.ndarray]:
        """See `Solved`."""
        totals = [np.zeros(Lambda.shape) for Lambda in self.factors[1:]]
        for batch in self.storage.batches:
            for (block, _, _), total in zip(batch.parts, self._traces(batch), strict=True):
                totals[block - 1] += total
        return totals

    def level_blocks(self) -> list[np.ndarray]:
        """See `Solved`."""
        own = (place for place in self.storage.places if place.mirrored is None)
        return [_symmetric(self.K[place.at]) for place in own]

    def covariance(self) -> np.ndarray | sparse.csr_array:
        """See `Solved`."""
        size = len(self.storage.position.base)
        if self.storage.square:
            return mirror(self.K.reshape(1, size, size).copy())[0]
        rows, columns, values = self.storage.elements(self.K)
        return sparse.csr_array((values, (rows, columns)), shape=(size, size))

    def quadratic(self, rows: sparse.csr_array) -> np.ndarray:
        """See `Solved`."""
        K, step = self.covariance(), max(1, CHUNK // rows.shape[1])
        parts = []
        for first in range(0, rows.shape[0], step):
            some = rows[first : first + step]
            parts.append(np.asarray(some.multiply(some @ K).sum(axis=1)).ravel())  # type: ignore[call-overload]
        return np.concatenate(parts) if parts else np.zeros(0)

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """See `Solved`."""
        drawn = self.storage.padded(np.empty((len(self.storage.position.base), n)))
        for batch in self.storage.batches:
            noise = rng.standard_normal((batch.count, batch.size, n))
            drawn[batch.members] = root(batch.view(self.K)) @ noise
        return self.storage.shown(drawn)

    def _times(self, flat: np.ndarray, right: np.ndarray) -> np.ndarray:
        columns = self.storage.padded(right if right.ndim == 2 else right[:, None])
        product = np.empty_like(columns)
        for batch in self.storage.batches:
            product[batch.members] = times(batch, batch.view(flat), columns[batch.members])
        product = self.storage.shown(product)
        return product if right.ndim == 2 else product[:, 0]

    def _traces(self, batch: Batch) -> list[np.ndarray]:
        """Per part of a batch the sum over levels of the diagonal blocks (k, k) of T Lambda S^-1."""
        T, inverse = batch.view(self.T), batch.view(self.S_inverse)
        if batch.dense and batch.scalar:
            # both are symmetric, so the diagonal of the product is a row sum of the elementwise one
            scale = np.concatenate([np.full(c.stop - c.start, self.factors[b][0, 0]) for b, c, _ in batch.parts])
            sums = times(batch, T * inverse, scale[None, :, None])[0, :, 0]
            return [np.array([[sums[columns].sum()]]) for _, columns, _ in batch.parts]
        if batch.dense:
            T, inverse = mirror(T.copy()), mirror(inverse.copy())
        left = scale_columns(batch, T, self.factors)
        traces = []
        for _, columns, k in batch.parts:
            rows = left[:, columns].reshape(batch.count, -1, k, batch.size)
            right = inverse[:, columns].reshape(batch.count, -1, k, batch.size)
            traces.append(np.array([[np.sum(rows[:, :, a] * right[:, :, b]) for b in range(k)] for a in range(k)]))
        return traces


def dense_solved(
    storage: Batches, T: np.ndarray, T_tw: np.ndarray, factors: Sequence[np.ndarray], invert: bool
) -> DenseSolved:
    """Factorise S component by component."""
    K, S_inverse = (np.empty_like(T if invert else T[:0]) for _ in range(2))
    log_det, explained = 0.0, np.zeros((T_tw.shape[1],) * 2)
    T_tw = storage.padded(T_tw)
    for batch in storage.batches:
        S = _penalised(batch, batch.view(T), factors)
        scaled = scale_columns(batch, T_tw[batch.members].transpose(0, 2, 1), factors).transpose(0, 2, 1)
        half, part = factorise(batch, S)
        log_det += part
        if invert:
            inverse = invert_factor(batch, half, S)
            batch.view(S_inverse)[:] = inverse
            batch.view(K)[:] = _outside(batch, inverse, factors)
            explained += inner(batch, scaled, times(batch, inverse, scaled))
        else:
            solved = solve_lower(batch, half, scaled)
            explained += inner(batch, solved, solved)
    return DenseSolved(storage, tuple(factors), T, K, S_inverse, log_det, explained)


def _penalised(batch: Batch, T: np.ndarray, factors: Sequence[np.ndarray]) -> np.ndarray:
    """S = Lambda' T Lambda + I."""
    if batch.scalar:
        S = _scaled_both_sides(batch, T, factors)
    else:
        full = mirror(T.copy()) if batch.dense else T
        S = scale_columns(batch, full, factors)
        S = scale_columns(batch, S.transpose(0, 2, 1), factors)
    S[:, np.arange(batch.size), np.arange(batch.size)] += 1.0
    return S


def _outside(batch: Batch, inverse: np.ndarray, factors: Sequence[np.ndarray]) -> np.ndarray:
    """K = Lambda S^-1 Lambda'."""
    if batch.scalar:
        return _scaled_both_sides(batch, inverse, factors)
    full = mirror(inverse) if batch.dense else inverse
    half = scale_columns(batch, full, factors, transpose=True)
    return scale_columns(batch, half.transpose(0, 2, 1), factors, transpose=True)


def _scaled_both_sides(batch: Batch, matrix: np.ndarray, factors: Sequence[np.ndarray]) -> np.ndarray:
    scale = scalar_scale(batch, factors)
    scaled = matrix * scale
    scaled *= scale[:, None]
    return scaled


def scalar_scale(batch: Batch, factors: Sequence[np.ndarray]) -> np.ndarray:
    """Lambda (size,) of each column where every factor has one."""
    return np.array([Lambda[0, 0] for Lambda in factors])[batch.owners]


def scale_columns(
    batch: Batch, matrices: np.ndarray, factors: Sequence[np.ndarray], transpose: bool = False
) -> np.ndarray:
    """matrices @ blockdiag(Lambda) (or Lambda') for (count, rows, size) matrices, a new array."""
    if batch.scalar:
        return matrices * scalar_scale(batch, factors)
    scaled = np.empty(matrices.shape)
    for block, columns, k in batch.parts:
        Lambda = factors[block].T if transpose else factors[block]
        part = matrices[:, :, columns]
        if k == 1:
            scaled[:, :, columns] = part * Lambda[0, 0]
        else:
            scaled[:, :, columns] = (part.reshape(*part.shape[:2], part.shape[2] // k, k) @ Lambda).reshape(part.shape)
    return scaled


def _symmetric(blocks: np.ndarray) -> np.ndarray:
    """(L, k, k) with the lower triangles, which count, on both sides."""
    return blocks if blocks.shape[1] == 1 else mirror(blocks)


def root(matrices: np.ndarray) -> np.ndarray:
    """Lower roots of positive semi-definite matrices (L, k, k), zero variances included: Cholesky, over all at once."""
    half, left = np.zeros_like(matrices), matrices.copy()
    sizes = np.diagonal(matrices, axis1=1, axis2=2)
    for j in range(matrices.shape[1]):
        pivot = left[:, j, j]
        some = pivot > ROUNDING * sizes[:, j]
        scale = np.divide(1.0, np.sqrt(np.maximum(pivot, 0.0)), out=np.zeros_like(pivot), where=some)
        half[:, j:, j] = left[:, j:, j] * scale[:, None]
        left -= half[:, :, j, None] * half[:, None, :, j]
    return half
