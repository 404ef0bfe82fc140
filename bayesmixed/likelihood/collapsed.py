"""The Gaussian likelihood with effects and coefficients integrated out, and their exact draws afterwards, in JAX.

The elimination of `pls` at given sds and sigma, followed by the coefficients: with U from the elimination in the
coordinates of the centred coefficients, delta = c - c0, and normal priors c_j ~ N(m_j, 1 / P_j) (P_j = 0: flat),

    H = U_cc / sigma^2 + P,  h = U_cy / sigma^2 + P (m - c0),
    -2 log p(y) = log|M| + n log(2 pi sigma^2) - sum log w + U_yy / sigma^2 + (m - c0)'P(m - c0)
                  - h'H^-1 h + log|H| - sum log P_j  (over proper priors; - log 2 pi for each flat one).

Cost per gradient depends on levels, not rows. Small Cholesky factors are written out over arrays of levels: a batch of
LAPACK calls under XLA costs ten times as much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .linear import LinearLikelihood
from .tail import dense_pattern, mirror

LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class Layout:
    """Static structure: per block (levels, columns, terms with their column ranges), the largest factor first.

    `p` coefficients, of which those at `kept` are not integrated out. `sparse`: the largest factor's levels
    meet few of the tail's, and their coupling is summed entry by entry.
    """

    blocks: tuple[tuple[int, int, tuple[tuple[int, int, int], ...]], ...]
    p: int
    kept: tuple[int, ...]
    sparse: bool

    @property
    def tail(self) -> int:
        """Columns of all blocks but the first."""
        return sum(levels * k for levels, k, _ in self.blocks[1:])

    @property
    def integrated(self) -> tuple[int, ...]:
        """Positions of the coefficients that are integrated out."""
        return tuple(j for j in range(self.p) if j not in self.kept)


def layout(likelihood: LinearLikelihood, kept: tuple[int, ...], sparse: bool) -> Layout:
    """The static structure of a model's cross-products; `sparse` as `arrays` found it."""
    blocks = tuple(
        (
            block.n_levels,
            block.k,
            tuple((j, columns.start, columns.stop) for j, columns in zip(block.terms, block.slices, strict=True)),
        )
        for block in likelihood.blocks
    )
    return Layout(blocks, likelihood.p, kept, sparse)


def arrays(likelihood: LinearLikelihood, centring: np.ndarray) -> dict[str, Any]:
    """The arguments of the functions below, as NumPy arrays.

    `centring` (p, p) maps coefficients to centred ones. The rest (tail, X, y) has m columns: `A` (k, k, L),
    `C` (k, L, m), `direct` (m, m). Where few levels of the largest factor and the tail meet, C has only the
    p + 1 columns of X and y, `entries` lists the coupling and `pairs` what the elimination subtracts.
    """
    gram, basis, p = likelihood.gram, likelihood.basis, likelihood.p
    found: dict[str, Any] = {
        "n": float(gram.n),
        "log_weights": float(gram.log_weights),
        "bases": likelihood.term_bases,
        "inverse_bases": tuple(np.linalg.inv(C) for C in likelihood.term_bases),
        "R": basis.R @ np.linalg.inv(centring) if p else np.zeros((0, 0)),
        "c0": centring @ basis.beta0,
        "uncentring": np.linalg.inv(centring),
        "direct": _direct(likelihood),
    }
    if not gram.zz:
        return found
    L, k = gram.zz[0].shape[:2]
    rest = [gram.zw[0]]
    if likelihood.tail is not None:
        coupling = likelihood.tail.coupling
        pattern = dense_pattern(coupling, k)
        if pattern is None:
            rest.insert(0, coupling.toarray().reshape(L, k, -1))
        else:
            found |= {"entries": _entries(coupling, k), "pairs": _pairs(*pattern, k)}
    found["A"] = np.ascontiguousarray(gram.zz[0].transpose(1, 2, 0))
    found["C"] = np.ascontiguousarray(np.concatenate(rest, axis=2).transpose(1, 0, 2))
    return found


def _entries(coupling: Any, k: int) -> dict[str, np.ndarray]:
    """The coupling entry by entry: level, column of the block, column of the tail, value."""
    rows = np.repeat(np.arange(coupling.shape[0]), np.diff(coupling.indptr))
    return {"level": rows // k, "column": rows % k, "tail": coupling.indices.astype(int), "value": coupling.data}


def _pairs(pattern: Any, lower: np.ndarray, k: int) -> dict[str, np.ndarray]:
    """What each product of two coupling entries adds to: weight block (level, row, column) and position."""
    target = np.repeat(np.arange(pattern.shape[0]), np.diff(pattern.indptr))
    level, inside = np.divmod(pattern.indices.astype(int), k * k)
    return {
        "target": lower[target], "level": level, "row": inside // k, "column": inside % k, "value": pattern.data,
    }  # fmt: skip


def _direct(likelihood: LinearLikelihood) -> np.ndarray:
    gram, tail = likelihood.gram, likelihood.tail
    if tail is None:
        return gram.ww
    dense = np.zeros((tail.n_columns, tail.n_columns))
    for batch in tail.batches:
        view = mirror(batch.view(tail.direct).copy())
        dense[batch.members[:, :, None], batch.members[:, None, :]] = view
    tw = np.concatenate([zw.reshape(-1, zw.shape[2]) for zw in gram.zw[1:]])
    return np.block([[dense, tw], [tw.T, gram.ww]])


def log_density(layout: Layout, data: dict[str, Any], normal: dict[str, Any], found: dict[str, Any]) -> Any:
    """log p(y | sds, correlations, sigma, kept coefficients).

    Parameters
    ----------
    data
        `arrays`.
    normal
        `mean`, `precision` (p,) of the priors of centred coefficients (those kept are ignored).
    found
        `factors` per term (k, k), absolute; `sigma`; `kept` (p,) centred coefficients, zero where integrated.
    """
    import jax.numpy as jnp

    pieces = _eliminate(layout, data, found)
    system = _coefficients(layout, data, normal, found, pieces)
    sigma2 = found["sigma"] ** 2
    free = np.array(layout.integrated, dtype=int)
    precision = normal["precision"][free]
    proper = precision > 0
    priors = jnp.sum(jnp.where(proper, jnp.log(jnp.where(proper, precision, 1.0)), LOG_2PI))
    minus_twice = (
        pieces["log_det"] + data["n"] * jnp.log(2 * np.pi * sigma2) - data["log_weights"] + system["constant"]
        - jnp.sum(system["z"] ** 2) + 2 * jnp.sum(jnp.log(jnp.diagonal(system["half"]))) - priors
    )  # fmt: skip
    return -0.5 * minus_twice


def draw(layout: Layout, data: dict[str, Any], normal: dict[str, Any], found: dict[str, Any], key: Any) -> Any:
    """One exact draw of (beta, effects per term (levels, k)) given the rest."""
    import jax
    import jax.numpy as jnp
    from jax.scipy.linalg import solve_triangular

    keys = jax.random.split(key, 3)
    pieces = _eliminate(layout, data, found)
    system = _coefficients(layout, data, normal, found, pieces)
    free = np.array(layout.integrated, dtype=int)
    delta = jnp.asarray(found["kept"] - data["c0"])
    if len(free):
        noise = jax.random.normal(keys[0], (len(free),))
        delta = delta.at[free].set(solve_triangular(system["half"].T, system["z"] + noise, lower=False))
    beta = data["uncentring"] @ (data["c0"] + delta)
    if not layout.blocks:
        return beta, ()
    contrast = jnp.concatenate([-(data["R"] @ delta), jnp.ones(1)])
    b_t = jnp.zeros(0)
    if layout.tail:
        noise = found["sigma"] * jax.random.normal(keys[1], (layout.tail,))
        u_t = solve_triangular(pieces["S_half"].T, pieces["Y"] @ contrast + noise, lower=False)
        b_t = _scale_rows(layout, u_t[:, None], pieces["Lambda"], transpose=False)[:, 0]
    right = _largest_right(layout, data, pieces, b_t, contrast)
    right = right + found["sigma"] * jax.random.normal(keys[2], right.shape)
    blocks = [pieces["Lambda"][0] @ _solve_upper(pieces["half"], right)]
    edges = np.cumsum([0, *(levels * k for levels, k, _ in layout.blocks[1:])])
    for (levels, k, _), first, last in zip(layout.blocks[1:], edges[:-1], edges[1:], strict=True):
        blocks.append(b_t[first:last].reshape(levels, k).T)
    return beta, _by_term(layout, data, blocks)


def _by_term(layout: Layout, data: dict[str, Any], blocks: list[Any]) -> tuple[Any, ...]:
    """Effects (levels, k) of each term in the user's columns from blocks (k, levels) in the working ones."""
    effects = {
        j: (data["bases"][j] @ block[first:last]).T
        for (_, _, terms), block in zip(layout.blocks, blocks, strict=True)
        for j, first, last in terms
    }
    return tuple(effects[j] for j in range(len(effects)))


def _largest_right(layout: Layout, data: dict[str, Any], pieces: dict[str, Any], b_t: Any, contrast: Any) -> Any:
    """L^-1 Lambda_0'(A_0y - A_0x beta - A_0t b_t): (k, L)."""
    import jax.numpy as jnp

    if not layout.sparse:
        return pieces["V"] @ jnp.concatenate([-b_t, contrast])
    entries = data["entries"]
    met = (
        jnp.zeros(data["C"].shape[:2])
        .at[entries["column"], entries["level"]]
        .add(entries["value"] * b_t[entries["tail"]])
    )
    return pieces["V"] @ contrast - _solve_lower(pieces["half"], jnp.tensordot(pieces["Lambda"][0].T, met, 1))


def _eliminate(layout: Layout, data: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """U and what draws need: M_0's factors `half`, V = L^-1 Lambda_0'C, the tail's `S_half` and Y."""
    import jax.numpy as jnp
    from jax.scipy.linalg import solve_triangular

    if not layout.blocks:
        return {"U": data["direct"], "log_det": 0.0}
    Lambda = [_block_factor(data, found, k, terms) for _, k, terms in layout.blocks]
    half, V, log_det = _largest(data["A"], data["C"], Lambda[0])
    T_tt, T_tw, T_ww = _schur(layout, data, Lambda[0], half, V)
    pieces = {"Lambda": Lambda, "half": half, "V": V, "U": T_ww, "log_det": log_det}
    if layout.tail == 0:
        return pieces
    S = _scale_rows(layout, _scale_rows(layout, T_tt, Lambda).T, Lambda) + jnp.eye(layout.tail)
    S_half = jnp.linalg.cholesky(S)
    Y = solve_triangular(S_half, _scale_rows(layout, T_tw, Lambda), lower=True)
    return pieces | {
        "U": T_ww - Y.T @ Y,
        "log_det": log_det + 2 * jnp.sum(jnp.log(jnp.diagonal(S_half))),
        "S_half": S_half,
        "Y": Y,
    }


def _schur(layout: Layout, data: dict[str, Any], Lambda: Any, half: list[list[Any]], V: Any) -> tuple[Any, Any, Any]:
    """The blocks T_tt, T_tw, T_ww that the elimination of the largest factor leaves."""
    import jax.numpy as jnp

    q, flat = layout.tail, V.reshape(-1, V.shape[2])
    if not layout.sparse:
        D = data["direct"] - flat.T @ flat
        return D[:q, :q], D[:q, q:], D[q:, q:]
    k, pairs, entries = len(half), data["pairs"], data["entries"]
    unit = jnp.broadcast_to(Lambda.T[:, None, :], (k, V.shape[1], k))
    G = _solve_lower(half, unit)  # L^-1 Lambda' per level, so that W = G'G
    W = jnp.einsum("ila,ilb->lab", G, G)
    products = pairs["value"] * W[pairs["level"], pairs["row"], pairs["column"]]
    lower = jnp.tril(data["direct"][:q, :q]).ravel().at[pairs["target"]].add(-products).reshape(q, q)
    shrunk = jnp.einsum("ila,ilw->law", G, V)
    met = entries["value"][:, None] * shrunk[entries["level"], entries["column"]]
    T_tw = jnp.asarray(data["direct"])[:q, q:].at[entries["tail"]].add(-met)
    return lower + jnp.tril(lower, -1).T, T_tw, data["direct"][q:, q:] - flat.T @ flat


def _coefficients(
    layout: Layout, data: dict[str, Any], normal: dict[str, Any], found: dict[str, Any], pieces: dict[str, Any]
) -> dict[str, Any]:
    """The normal equations of the integrated coefficients: Cholesky factor `half` of H, z = L^-1 h, `constant`."""
    import jax.numpy as jnp
    from jax.scipy.linalg import solve_triangular

    p, sigma2 = layout.p, found["sigma"] ** 2
    free, kept = np.array(layout.integrated, dtype=int), np.array(layout.kept, dtype=int)
    information = data["R"].T @ pieces["U"][:p, :p] @ data["R"] / sigma2
    score = data["R"].T @ pieces["U"][:p, p] / sigma2
    constant = pieces["U"][p, p] / sigma2
    if len(kept):
        known = (found["kept"] - data["c0"])[kept]
        constant = constant - 2 * known @ score[kept] + known @ information[np.ix_(kept, kept)] @ known
        score = score - information[:, kept] @ known
    precision, mean = normal["precision"][free], (normal["mean"] - data["c0"])[free]
    if not len(free):
        return {"half": jnp.zeros((0, 0)), "z": jnp.zeros(0), "constant": constant}
    half = jnp.linalg.cholesky(information[np.ix_(free, free)] + jnp.diag(precision))
    z = solve_triangular(half, score[free] + precision * mean, lower=True)
    return {"half": half, "z": z, "constant": constant + jnp.sum(precision * mean**2)}


def _block_factor(data: dict[str, Any], found: dict[str, Any], k: int, terms: tuple[tuple[int, int, int], ...]) -> Any:
    """Lambda (k, k) of a block, relative to sigma, in the working columns."""
    import jax.numpy as jnp

    Lambda = jnp.zeros((k, k))
    for j, first, last in terms:
        relative = data["inverse_bases"][j] @ found["factors"][j] / found["sigma"]
        Lambda = Lambda.at[first:last, first:last].set(relative)
    return Lambda


def _largest(A: Any, C: Any, Lambda: Any) -> tuple[list[list[Any]], Any, Any]:
    """Cholesky factors of Lambda'A Lambda + I as lists of (L,) arrays, V (k, L, m), log-determinant."""
    import jax.numpy as jnp

    k = len(Lambda)
    H = [[sum(A[c, d] * Lambda[d, b] for d in range(k)) for b in range(k)] for c in range(k)]
    half: list[list[Any]] = [[None] * k for _ in range(k)]
    for j in range(k):
        for i in range(j, k):
            entry = sum(Lambda[c, i] * H[c][j] for c in range(k)) + (1.0 if i == j else 0.0)
            entry = entry - sum(half[i][s] * half[j][s] for s in range(j))
            half[i][j] = jnp.sqrt(entry) if i == j else entry / half[j][j]
    V = _solve_lower(half, jnp.einsum("ca,clm->alm", Lambda, C))
    log_det = 2 * sum(jnp.sum(jnp.log(half[j][j])) for j in range(k))
    return half, V, log_det


def _solve_lower(half: list[list[Any]], right: Any) -> Any:
    """L^-1 right for (k, L) or (k, L, m)."""
    import jax.numpy as jnp

    solved: list[Any] = []
    for i in range(len(half)):
        row = [entry if right.ndim == 2 or entry is None else entry[:, None] for entry in half[i]]
        solved.append((right[i] - sum((row[s] * solved[s] for s in range(i)), start=0.0)) / row[i])
    return jnp.stack(solved)


def _solve_upper(half: list[list[Any]], right: Any) -> Any:
    """L^-T right for (k, L)."""
    import jax.numpy as jnp

    k = len(half)
    u: list[Any] = [None] * k
    for i in reversed(range(k)):
        u[i] = (right[i] - sum(half[s][i] * u[s] for s in range(i + 1, k))) / half[i][i]
    return jnp.stack(u)


def _scale_rows(layout: Layout, matrix: Any, Lambda: list[Any], transpose: bool = True) -> Any:
    """blockdiag(Lambda') (or Lambda) times (q_t, m)."""
    import jax.numpy as jnp

    parts, first = [], 0
    for (levels, k, _), factor in zip(layout.blocks[1:], Lambda[1:], strict=True):
        rows = matrix[first : first + levels * k].reshape(levels, k, -1)
        scaled = jnp.einsum("ca,lcm->lam" if transpose else "ac,lcm->lam", factor, rows)
        parts.append(scaled.reshape(levels * k, -1))
        first += levels * k
    return jnp.concatenate(parts)
