"""What of the cross-products of a linear mixed model changes with the response, for many responses of one design."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.linalg import solve_triangular

from ..linear.likelihood import LinearLikelihood
from ..working.blocks import Block


@dataclass(frozen=True)
class LevelCounts:
    """How often the rows of each level are there, where not once: `counts` (B, L) of the only grouping factor.

    `base` (B, p, p) the products of X's columns, `n` rows of positive weight and `log_weights` = sum log w (B,).
    """

    counts: np.ndarray
    base: np.ndarray
    n: np.ndarray
    log_weights: np.ndarray

    def take(self, members: np.ndarray) -> LevelCounts:
        """Those of some of the responses."""
        return LevelCounts(self.counts[members], self.base[members], self.n[members], self.log_weights[members])


@dataclass(frozen=True)
class Responses:
    """B responses: `beta0` (B, p) their least-squares coefficients, and products of what these leave.

    `zy` per block (k, B, L) with its columns by level, `wy` (B, p) with the orthonormal columns of X (rounding), `yy`
    (B,) with itself; `log_jacobian` (B,) as in `LinearLikelihood`. Where `levels` are counted, it is one response whose
    levels are there as often as they say.
    """

    likelihood: LinearLikelihood
    beta0: np.ndarray
    zy: tuple[np.ndarray, ...]
    wy: np.ndarray
    yy: np.ndarray
    log_jacobian: np.ndarray
    levels: LevelCounts | None = None

    def __len__(self) -> int:
        return len(self.yy)

    @property
    def n(self) -> int | np.ndarray:
        """Rows of positive weight."""
        return self.likelihood.n if self.levels is None else self.levels.n

    @property
    def log_weights(self) -> float | np.ndarray:
        """The sum of log w."""
        return self.likelihood.gram.log_weights if self.levels is None else self.levels.log_weights

    def counted(self, by_level: np.ndarray) -> np.ndarray:
        """Numbers (.., B, L) by level, times how often each level is there."""
        return by_level if self.levels is None else by_level * self.levels.counts

    def take(self, members: np.ndarray) -> Responses:
        """Some of the responses."""
        return replace(
            self,
            beta0=self.beta0[members],
            zy=tuple(zy[:, members] for zy in self.zy),
            wy=self.wy[members],
            yy=self.yy[members],
            log_jacobian=self.log_jacobian[members],
            levels=None if self.levels is None else self.levels.take(members),
        )

    def one(self, i: int) -> LinearLikelihood:
        """The likelihood of one of the responses, without its rows."""
        gram = self.likelihood.gram
        ww = gram.ww.copy()
        ww[:-1, -1] = ww[-1, :-1] = self.wy[i]
        ww[-1, -1] = self.yy[i]
        zw = []
        for shared, own in zip(gram.zw, self.zy, strict=True):
            changed = shared.copy()
            changed[:, :, -1] = own[:, i].T
            zw.append(changed)
        return replace(
            self.likelihood,
            gram=replace(gram, zw=tuple(zw), ww=ww),
            basis=replace(self.likelihood.basis, beta0=self.beta0[i]),
            log_jacobian=float(self.log_jacobian[i]),
            rows=None,
        )


def responses(
    likelihood: LinearLikelihood, y: np.ndarray, root_weights: np.ndarray | None, log_jacobian: np.ndarray
) -> Responses:
    """The products of y (B, n), less the offset, on the rows of positive weight.

    Parameters
    ----------
    likelihood
        Of the same design, with its rows.
    y
        Normal responses (B, n) without the offset.
    root_weights
        (n,) roots of the precision weights, or None.
    log_jacobian
        (B,) what log L gains where the normal response is a function of the observed one.
    """
    assert likelihood.rows is not None
    Q = likelihood.rows.W[:, : likelihood.p]
    left = y if root_weights is None else y * root_weights
    coefficients = np.zeros((len(y), likelihood.p))
    for _ in range(2):  # as in `fixed_basis`: one pass leaves an error of the size of the mean's rounding
        step = left @ Q
        left = left - step @ Q.T
        coefficients += step
    beta0 = solve_triangular(likelihood.basis.R, coefficients.T).T if likelihood.p else coefficients
    return Responses(
        likelihood,
        beta0,
        tuple(by_level(block, Z, left) for block, Z in zip(likelihood.blocks, likelihood.rows.Z, strict=True)),
        left @ Q,
        np.einsum("bi,bi->b", left, left),
        log_jacobian,
    )


def counted_levels(
    likelihood: LinearLikelihood, counts: np.ndarray, log_weights: np.ndarray, log_jacobian: np.ndarray
) -> Responses:
    """The likelihood's own response with the levels of its only factor as often as `counts` (B, L) say.

    Parameters
    ----------
    likelihood
        With its rows, of one grouping factor.
    counts
        How often the rows of each level are there, 0 included.
    log_weights, log_jacobian
        log w and what log L gains (n,) of each row.
    """
    assert likelihood.rows is not None
    (block,), W, p = likelihood.blocks, likelihood.rows.W, likelihood.p
    outer = (W[:, :, None] * W[:, None, :]).reshape(len(W), -1)
    each = np.column_stack([outer, np.ones(len(W)), log_weights, log_jacobian])
    sums = counts @ (sparse.csr_array((np.ones(len(W)), (block.codes, np.arange(len(W))))) @ each)
    ww = sums[:, : (p + 1) ** 2].reshape(-1, p + 1, p + 1)
    shape = (block.k, len(counts), block.n_levels)
    return Responses(
        likelihood,
        np.repeat(likelihood.basis.beta0[None], len(counts), axis=0),
        (np.broadcast_to(likelihood.gram.zw[0][:, :, -1].T[:, None], shape),),
        ww[:, :p, p],
        ww[:, p, p],
        sums[:, -1],
        LevelCounts(counts, ww[:, :p, :p], sums[:, -3], sums[:, -2]),
    )


def by_level(block: Block, Z: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Sums (k, B, L) over each level's rows of Z (n, k) times rows of left (B, n)."""
    n, rows = len(block.codes), np.arange(len(block.codes))
    sums: Sequence[np.ndarray] = [
        (sparse.csr_array((column, (block.codes, rows)), shape=(block.n_levels, n)) @ left.T).T for column in Z.T
    ]
    return np.array([np.ascontiguousarray(each) for each in sums]).reshape(len(Z.T), len(left), block.n_levels)
