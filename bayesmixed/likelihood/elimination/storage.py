"""What the elimination asks of the tail's matrices: where their entries are kept, and how their system is solved.

Two implementations: dense components (`batches`, `dense`) and the fronts of a sparse factor (`sparse`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import sparse

from ..working.blocks import Block
from ..working.gram import Gram


class Solved(Protocol):
    """The tail's system at one Lambda: S = Lambda'T Lambda + I, K = Lambda S^-1 Lambda'.

    `log_det` = log|S|, `explained` (p + 1, p + 1) = T_wt K T_tw; `K` holds the entries of K at the positions of the
    storage, and is empty, as are the answers that need it, where no inverse was asked for.
    """

    @property
    def log_det(self) -> float: ...

    @property
    def explained(self) -> np.ndarray: ...

    @property
    def K(self) -> np.ndarray: ...

    def product(self, right: np.ndarray) -> np.ndarray:
        """T times (q_t,) or (q_t, m)."""

    def apply(self, right: np.ndarray) -> np.ndarray:
        """K times (q_t,) or (q_t, m)."""

    def spherical(self, right: np.ndarray) -> np.ndarray:
        """S^-1 Lambda' times (q_t, m)."""

    def traces(self) -> list[np.ndarray]:
        """Per factor of the tail the sum over levels of the diagonal blocks (k, k) of T Lambda S^-1."""

    def level_blocks(self) -> list[np.ndarray]:
        """Per factor of the tail the diagonal blocks (L, k, k) of K."""

    def covariance(self) -> np.ndarray | sparse.csr_array:
        """K (q_t, q_t): whole, or sparse at the positions of the storage."""

    def quadratic(self, rows: sparse.csr_array) -> np.ndarray:
        """The diagonal (n,) of rows K rows' for sparse rows (n, q_t)."""

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n draws (q_t, n) from the normal distribution with mean zero and covariance K."""


class Storage(Protocol):
    """Where the entries of the tail's symmetric matrices are kept in one flat array.

    `size` of that array; `square` whether it is one row-major (q_t, q_t) matrix of which the lower triangle counts;
    `whole` whether every entry within a component has a place, so that `known` can be asked.
    """

    @property
    def size(self) -> int: ...

    @property
    def square(self) -> bool: ...

    @property
    def whole(self) -> bool: ...

    def flat(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Positions of the entries at co-occurring tail columns a and b, a not before b."""

    def direct(self, gram: Gram) -> np.ndarray:
        """The tail's own cross-products."""

    def completed(self, flat: np.ndarray) -> np.ndarray:
        """The array with what was written to lower triangles alone copied to where the storage keeps it twice."""

    def elements(self, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows, columns and values of the whole symmetric matrix, entries that are zero included."""

    def known(self, matrices: Matrices, factors: Sequence[np.ndarray]) -> Solved:
        """The system as solved elsewhere, where `whole`."""

    def solve(self, T: np.ndarray, T_tw: np.ndarray, factors: Sequence[np.ndarray], *, invert: bool) -> Solved:
        """Solve the system at Lambda (k, k) per factor, all factors of the model in order.

        Raises
        ------
        numpy.linalg.LinAlgError
            Where S is not positive definite.
        """


@dataclass(frozen=True)
class Matrices:
    """The tail's matrices (q_t, q_t) at one Lambda, dense, as somebody else solved for them; names as in `Solved`."""

    T: np.ndarray
    K: np.ndarray
    S_inverse: np.ndarray
    log_det: float
    explained: np.ndarray


@dataclass(frozen=True)
class Place:
    """Positions `at` (m, k_i, k_j) of the cross-products of factors i and j, and of their transposes where i < j."""

    factors: tuple[int, int]
    at: np.ndarray
    mirrored: np.ndarray | None

    def values(self, gram: Gram) -> np.ndarray:
        """The cross-products of these factors."""
        i, j = self.factors
        return gram.zz[i] if i == j else gram.cross[i, j].values


def places(
    blocks: Sequence[Block], gram: Gram, starts: np.ndarray, flat: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> tuple[Place, ...]:
    """Where the cross-products of the tail's factors go; `flat` as in `Storage`, for columns in any order."""
    found = []
    for i in range(1, len(blocks)):
        columns = _columns(starts, i, np.arange(blocks[i].n_levels), blocks[i].k)
        found.append(Place((i, i), flat(columns[:, :, None], columns[:, None, :]), None))
        for j in range(i + 1, len(blocks)):
            cross = gram.cross[i, j]
            a = _columns(starts, i, cross.rows, blocks[i].k)[:, :, None]
            b = _columns(starts, j, cross.columns, blocks[j].k)[:, None, :]
            found.append(Place((i, j), flat(a, b), flat(b, a)))
    return tuple(found)


def _columns(starts: np.ndarray, block: int, levels: np.ndarray, k: int) -> np.ndarray:
    return starts[block - 1] + levels[:, None] * k + np.arange(k)
