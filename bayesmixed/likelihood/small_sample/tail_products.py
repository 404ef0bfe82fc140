"""What the tail adds to products with the inverse marginal covariance: all of it by dense components.

With B the eliminated factor's part of Z'V_1^-1 Z, T the tail's Schur complement, K = Lambda_t S^-1 Lambda_t':

    S_00 = D - B K B'      S_0t = B J, J = I - K T      S_tt = T J

For directions r, s of the eliminated factor and t, u of the tail, F_r = B'(I kron E_r)B:

    tr(S_00 E_r S_00 E_s) gains tr(K F_r K F_s),   tr(J'F_r J E_t),   tr(S_tt E_t S_tt E_u)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.linalg import blas

from ..elimination.batches import DENSE_FROM, Batch, mirror
from ..elimination.dense import Batches, DenseSolved
from ..elimination.tail import Tail

HELD = 12  # dense matrices at once, temporary ones too, besides two per direction of the eliminated factor


class Direction(NamedTuple):
    """One way in which the covariance moves: E (k, k) symmetric, the same for every level of the factor `block`."""

    block: int
    E: np.ndarray


class Shrunk(NamedTuple):
    """J = (I + Sigma T)^-1 and S = T J (count, size, size) of cross-products T and the covariance Sigma of effects."""

    J: np.ndarray
    S: np.ndarray


@dataclass(frozen=True)
class TailProducts:
    """The tail at one Sigma: its structure, its dense storage, its system solved, `sds` (k,) of each block."""

    tail: Tail
    storage: Batches
    solved: DenseSolved
    sds: tuple[np.ndarray, ...]

    @cached_property
    def shrunk(self) -> tuple[Shrunk, ...]:
        """J and S of each batch of the storage."""
        return tuple(self._shrunk(batch) for batch in self.storage.batches)

    def _shrunk(self, batch: Batch) -> Shrunk:
        sds = np.concatenate([np.tile(self.sds[i], (c.stop - c.start) // k) for i, c, k in batch.parts])
        return shrunk(self._whole(batch, self.solved.T), self._whole(batch, self.solved.S_inverse), sds)

    def _whole(self, batch: Batch, flat: np.ndarray) -> np.ndarray:
        """Symmetric matrices of which the lower triangles count, completed where they are."""
        return mirror(batch.view(flat))

    def turned(self, right: np.ndarray) -> np.ndarray:
        """J' times (q_t, m): Z_t'V^-1 of what has Z_t'V_1^-1 = `right`."""
        return self._times([each.J.transpose(0, 2, 1) for each in self.shrunk], right)

    def absorbed(self, N: np.ndarray) -> np.ndarray:
        """Diagonal blocks (L, k, k) of B K B' at the levels of the eliminated factor."""
        return N @ self.tail.pull(self.solved.K, N.shape) @ N.transpose(0, 2, 1)

    def quadratic(self, through: np.ndarray, own: np.ndarray) -> np.ndarray:
        """a'S b (m, m) less what the levels of the eliminated factor give by themselves.

        Of m vectors that reach the tail by `through` (q_t, m), B' of their elements in the eliminated factor, and by
        their `own` elements in it.
        """
        across = through.T @ self._times([each.J for each in self.shrunk], own)
        within = own.T @ self._times([each.S for each in self.shrunk], own)
        return across + across.T + within - through.T @ self.solved.apply(through)

    def _times(self, matrices: Sequence[np.ndarray], right: np.ndarray) -> np.ndarray:
        columns = self.storage.padded(right)
        product = np.empty_like(columns)
        for batch, matrix in zip(self.storage.batches, matrices, strict=True):
            product[batch.members] = matrix @ columns[batch.members]
        return self.storage.shown(product)

    def sums(self) -> dict[int, np.ndarray]:
        """Per factor of the tail the sum (k, k) over its levels of the diagonal blocks of S."""
        found: dict[int, np.ndarray] = {}
        for batch, shrunk in zip(self.storage.batches, self.shrunk, strict=True):
            for i, columns, k in batch.parts:
                part = _by_level(shrunk.S, columns, k, columns, k)
                found[i] = found.get(i, np.zeros((k, k))) + np.einsum("clalb->ab", part)
        return found

    def traces(self, directions: Sequence[Direction], N: np.ndarray) -> np.ndarray:
        """(R, R): the tail's part of tr(V^-1 G_r V^-1 G_s)."""
        found = np.zeros((len(directions), len(directions)))
        bare = replace(self.tail, direct=np.zeros_like(self.tail.direct))
        N_t = N.transpose(0, 2, 1)
        first = [r for r, way in enumerate(directions) if way.block == 0]
        F = {r: -bare.schur(N_t @ directions[r].E @ N) for r in first}
        for batch, shrunk in zip(self.storage.batches, self.shrunk, strict=True):
            _add_within(found, directions, batch, shrunk)
            _add_across(found, directions, batch, (self._whole(batch, self.solved.K), shrunk.J), F)
        return found


def shrunk(T: np.ndarray, inverse: np.ndarray, sds: np.ndarray) -> Shrunk:
    """J and S from T (count, size, size), (I + Lambda T Lambda)^-1 and Lambda = diag(`sds`), without cancellation.

    J = Lambda S^-1 Lambda^-1 and S = Lambda^-1 (I - S^-1) Lambda^-1 hold what is left where effects are large, the
    definitions where they are small: of each column by how much of it is shrunk away.
    """
    size = T.shape[1]
    large = sds**2 * np.diagonal(T, axis1=1, axis2=2) > 1
    scale = np.where(large, 1 / np.where(sds > 0, sds, 1.0), 0.0)
    J = inverse * sds[:, None]
    if large.all():
        J *= scale[:, None]
        S = -inverse * (scale[:, :, None] * scale[:, None])
        S[:, np.arange(size), np.arange(size)] += scale**2
        return Shrunk(J, S)
    direct = -product(J * sds, T)
    direct[:, np.arange(size), np.arange(size)] += 1.0
    J = np.where(large[:, None], J * scale[:, None], direct)
    S = product(T, J)
    across = np.where(large[:, None], S, S.transpose(0, 2, 1))
    far = (np.eye(size) - inverse) * (scale[:, :, None] * scale[:, None])
    both, either = large[:, :, None] & large[:, None], large[:, :, None] ^ large[:, None]
    return Shrunk(J, np.where(both, far, np.where(either, across, 0.5 * (S + S.transpose(0, 2, 1)))))


def product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """left @ right for (count, size, size): of one large matrix by SciPy's BLAS, as all of the tail's algebra."""
    if len(left) > 1 or left.shape[1] < DENSE_FROM:
        return left @ right
    return blas.dgemm(1.0, right[0].T, left[0].T).T[None]


def _add_within(found: np.ndarray, directions: Sequence[Direction], batch: Batch, shrunk: Shrunk) -> None:
    """tr(S_tt E_t S_tt E_u) from inner products of every two strided parts of S between two factors."""
    for i, rows, k in batch.parts:
        for j, columns, m in batch.parts:
            if j < i:
                continue
            part = _by_level(shrunk.S, rows, k, columns, m).transpose(2, 4, 0, 1, 3).reshape(k * m, -1)
            inner = (part @ part.T).reshape(k, m, k, m)  # [b, c, a, d] = sum S_(lb)(mc) S_(la)(md)
            for r, (block_r, E_r) in enumerate(directions):
                for s, (block_s, E_s) in enumerate(directions):
                    if (block_r, block_s) != (i, j):
                        continue
                    found[r, s] += np.einsum("bcad,ab,cd->", inner, E_r, E_s)
                    if i != j:
                        found[s, r] = found[r, s]


def _add_across(
    found: np.ndarray,
    directions: Sequence[Direction],
    batch: Batch,
    K_and_J: tuple[np.ndarray, np.ndarray],
    F: Mapping[int, np.ndarray],
) -> None:
    """What directions of the eliminated factor have with those of the tail, and with each other through it."""
    K, J = K_and_J
    turned: dict[int, np.ndarray] = {}
    for r, flat in F.items():
        F_r = mirror(batch.view(flat))
        turned[r] = product(K, F_r)
        for s in turned:
            found[r, s] += np.sum(turned[r] * turned[s].transpose(0, 2, 1))
            found[s, r] = found[r, s]
        moved = product(F_r, J)
        for i, columns, k in batch.parts:
            left, right = (each[:, :, columns].reshape(batch.count, batch.size, -1, k) for each in (J, moved))
            inner = np.einsum("cxla,cxlb->ab", left, right)
            for t, (block, E) in enumerate(directions):
                if block == i:
                    found[r, t] += np.sum(inner * E)
                    found[t, r] = found[r, t]


def _by_level(matrix: np.ndarray, rows: slice, k: int, columns: slice, m: int) -> np.ndarray:
    """(count, levels, k, levels, m): the part of (count, size, size) between two factors."""
    part = matrix[:, rows, columns]
    return part.reshape(len(part), (rows.stop - rows.start) // k, k, (columns.stop - columns.start) // m, m)
