"""The arguments of a collapsed program: cross-products in bases that lose no digits, as NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg import solve_triangular

from ..elimination.tail import Tail, dense_pattern
from ..linear.likelihood import LinearLikelihood
from . import sums

LOG_2PI = float(np.log(2 * np.pi))


def arrays(
    likelihood: LinearLikelihood,
    centring: np.ndarray,
    mean: np.ndarray,
    precision: np.ndarray,
    kept: tuple[int, ...],
    *,
    held: bool,
) -> dict[str, Any]:
    """The arguments of `log_density` and `draw`.

    Parameters
    ----------
    likelihood
        The model's cross-products.
    centring
        (p, p), maps coefficients to centred ones, of which the priors speak.
    mean, precision
        (p,) of the normal priors of centred coefficients (precision 0: flat); those kept are ignored.
    kept
        Positions of coefficients that are not integrated out.
    held
        Whether the effects of all factors but the largest are sampled.
    """
    gram, p = likelihood.gram, likelihood.p
    basis, f = _basis(likelihood, centring, kept), p - len(kept)
    ww = basis["columns"].T @ gram.ww @ basis["columns"]
    c0 = centring @ likelihood.basis.beta0
    found: dict[str, Any] = {
        "n": float(gram.n),
        "bases": likelihood.theta.bases,
        "inverse_bases": tuple(np.linalg.inv(C) for C in likelihood.theta.bases),
        "c0": c0,
        "uncentring": np.linalg.inv(centring),
        "R_inverse": basis["R_inverse"],
        **_priors(basis, c0, mean, precision, kept),
        "direct": ww[:f],
        "known": ww[f:, f:],
    }
    found["constant"] += gram.n * LOG_2PI - gram.log_weights
    if not gram.zz:
        return found
    rest = gram.zw[0] @ basis["columns"]
    tail, k = likelihood.tail, likelihood.blocks[0].k
    if tail is not None:
        tw = np.concatenate([zw.reshape(-1, p + 1) for zw in gram.zw[1:]]) @ basis["columns"]
        if held:
            found |= {"coupling": _coupling(tail, k), "tail_direct": _tail_direct(tail), "tail_w": tw}
        else:
            found["direct"] = np.block([[_dense_direct(tail), tw], [tw[:, :f].T, ww[:f]]])
            pattern = dense_pattern(tail.coupling, k)
            if pattern is None:
                rest = np.concatenate([tail.coupling.toarray().reshape(-1, k, tail.n_columns), rest], axis=2)
            else:
                found |= {"coupling": _coupling(tail, k), "pairs": _pairs(*pattern, tail, k)}
    found["A"] = np.ascontiguousarray(gram.zz[0].transpose(1, 2, 0))
    found["C"] = np.ascontiguousarray(rest.transpose(2, 1, 0))
    return found


def _basis(likelihood: LinearLikelihood, centring: np.ndarray, kept: tuple[int, ...]) -> dict[str, np.ndarray]:
    """From [Q, residual] to columns [orthonormal basis of the free columns | kept columns as they are | residual]."""
    p = likelihood.p
    free = [j for j in range(p) if j not in kept]
    R = likelihood.basis.R @ np.linalg.inv(centring) if p else np.zeros((0, 0))
    rotation, R_free = np.linalg.qr(R[:, free])
    columns = np.zeros((p + 1, p + 1))
    columns[:p, : len(free)], columns[:p, len(free) : p], columns[p, p] = rotation, R[:, list(kept)], 1.0
    return {"columns": columns, "R": R_free, "R_inverse": solve_triangular(R_free, np.eye(len(free)))}


def _priors(
    basis: dict[str, np.ndarray], c0: np.ndarray, mean: np.ndarray, precision: np.ndarray, kept: tuple[int, ...]
) -> dict[str, Any]:
    """E0: the quadratic form of the free coefficients' priors in (basis coordinates, 1); `constant` of -2 log p."""
    free = [j for j in range(len(mean)) if j not in kept]
    weights, shift = precision[free], basis["R"] @ (mean - c0)[free]
    P = basis["R_inverse"].T @ (weights[:, None] * basis["R_inverse"])
    proper = weights > 0
    constant = 2 * np.sum(np.log(np.abs(np.diag(basis["R"])))) - np.sum(np.log(weights[proper]))
    E0 = np.block([[P, (P @ shift)[:, None]], [(P @ shift)[None, :], np.array([[shift @ P @ shift]])]])
    return {"E0": E0, "constant": float(constant - LOG_2PI * np.sum(~proper))}


def _coupling(tail: Tail, k: int) -> dict[str, Any]:
    """Both directions of the coupling of the largest factor (k, L, flattened) with the tail."""
    coupling = tail.coupling
    levels = coupling.shape[0] // k
    level, column = np.divmod(np.repeat(np.arange(coupling.shape[0]), np.diff(coupling.indptr)), k)
    rows, columns = column * levels + level, coupling.indices.astype(np.int64)
    return {
        "up": sums.plan(rows, columns, coupling.data, coupling.shape[0]),
        "down": sums.plan(columns, rows, coupling.data, tail.n_columns),
    }


def _pairs(pattern: sparse.csr_array, lower: np.ndarray, tail: Tail, k: int) -> dict[str, Any]:
    """What weights (k, k, L) add at the pairs of tail columns that meet (`down`), and the transpose (`up`).

    `lookup` (q, q) places the pairs' sums, the position past the last standing for zero; `twice` doubles those
    off the diagonal.
    """
    q, levels = tail.n_columns, tail.coupling.shape[0] // k
    target = np.repeat(np.arange(pattern.shape[0]), np.diff(pattern.indptr))
    level, inside = np.divmod(pattern.indices.astype(np.int64), k * k)
    weights = inside * levels + level
    rows, columns = np.divmod(lower, q)
    lookup = np.full((q, q), len(lower), dtype=np.int32)
    lookup[rows, columns] = lookup[columns, rows] = np.arange(len(lower))
    return {
        "down": sums.plan(target, weights, pattern.data, len(lower)),
        "up": sums.plan(weights, target, pattern.data, k * k * levels),
        "lookup": lookup,
        "lower": lower.astype(np.int32),
        "twice": np.where(rows == columns, 1.0, 2.0),
    }


def _dense_direct(tail: Tail) -> np.ndarray:
    dense = np.zeros((tail.n_columns, tail.n_columns))
    rows, columns, values = tail.storage.elements(tail.direct)
    dense[rows, columns] = values
    return dense


def _tail_direct(tail: Tail) -> tuple[dict[str, np.ndarray], ...]:
    """The plan of the tail's own cross-products times a vector; symmetric, so its own transpose."""
    rows, columns, values = tail.storage.elements(tail.direct)
    used = values != 0
    return sums.plan(rows[used], columns[used], values[used], tail.n_columns)
