"""The metric of the sampler: the curvature at the start, so that a warm-up has only its step size to find.

NUTS moves in w with the unconstrained parameters z = start + R w and R R' about the inverse Hessian, so that its own
metric is the identity. The Hessian is an arrow: levels of one factor touch each other only through the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

FLOOR = 0.1  # smallest curvature of the metric relative to the rough scales
DIFFERENCE = 1e-4  # of a rough scale: the step of the differences that make the Hessian
TIMED = 5  # evaluations of the gradient that are timed
DENSE_UP_TO = 400  # parameters: beyond it a dense matrix costs more per step than the gradient

Gradient = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class MetricLayout:
    """How the flat unconstrained vector, sites sorted by name, is cut: static, compiled in.

    `rest` are sites with their shapes whose curvature is kept as one dense matrix; `blocks` per factor the sites of
    its effects with their shapes (levels, k), a small matrix per level. `exact`: levels of a factor are independent
    given everything else.
    """

    rest: tuple[tuple[str, tuple[int, ...]], ...]
    blocks: tuple[tuple[tuple[str, tuple[int, ...]], ...], ...]
    exact: bool

    @property
    def n_rest(self) -> int:
        """Size of the dense part."""
        return sum(int(np.prod(shape)) for _, shape in self.rest)

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """(levels, columns) of each block."""
        return tuple((sites[0][1][0], sum(shape[1] for _, shape in sites)) for sites in self.blocks)

    @property
    def unknowns(self) -> int:
        """Dimension of the whole."""
        return self.n_rest + sum(levels * k for levels, k in self.sizes)

    def positions(self) -> tuple[np.ndarray, list[np.ndarray]]:
        """Where in the flat vector the rest (r,) and each block (levels, k) are."""
        every = dict(self.rest) | {site: shape for block in self.blocks for site, shape in block}
        ends = np.cumsum([0, *(int(np.prod(every[name])) for name in sorted(every))])
        at = {name: np.arange(a, b) for name, a, b in zip(sorted(every), ends[:-1], ends[1:], strict=True)}
        rest = np.concatenate([np.zeros(0, dtype=int), *(at[name] for name, _ in self.rest)])
        return rest, [np.column_stack([at[name].reshape(shape) for name, shape in block]) for block in self.blocks]

    def moved(self, center: dict[str, Any], metric: dict[str, Any], w: Any) -> dict[str, Any]:
        """Inside a program: the unconstrained sites at w (d,); `metric` as `Metric.arrays`."""
        import jax.numpy as jnp

        r, found = self.n_rest, {}
        shift = metric["rest"] @ w[:r]
        first = 0
        for name, shape in self.rest:
            size = int(np.prod(shape))
            found[name] = center[name] + jnp.reshape(shift[first : first + size], shape)
            first += size
        first = r
        for sites, (levels, k), root, lean in zip(
            self.blocks, self.sizes, metric["roots"], metric["leans"], strict=True
        ):
            own = w[first : first + levels * k].reshape(levels, k)
            own = root[:, 0] * own if k == 1 else (root * own[:, None, :]).sum(axis=2)
            b = own - (lean @ w[:r]).reshape(levels, k)
            first, column = first + levels * k, 0
            for name, shape in sites:
                found[name] = center[name] + b[:, column : column + shape[1]]
                column += shape[1]
        return found


def layout(scales: dict[str, np.ndarray], factors: Sequence[tuple[str, ...]], *, exact: bool) -> MetricLayout:
    """The layout of sites with rough scales; `factors` are the sites of the effects of each factor.

    Effects of the largest factor are a block; those of others belong to the dense rest while that stays small. Where
    levels are not independent (`exact` False) everything does.
    """
    shapes = {name: np.shape(scales[name]) for name in sorted(scales)}
    size = {sites: sum(int(np.prod(shapes[name])) for name in sites) for sites in factors}
    blocks: list[tuple[tuple[str, tuple[int, ...]], ...]] = []
    total = sum(int(np.prod(shape)) for shape in shapes.values()) - sum(size.values())
    for sites in sorted(factors, key=lambda sites: size[sites]):
        largest = exact and size[sites] == max(size.values()) and not blocks
        if largest or total + size[sites] > DENSE_UP_TO:
            blocks.append(tuple((name, shapes[name]) for name in sites))
        else:
            total += size[sites]
    taken = {name for block in blocks for name, _ in block}
    return MetricLayout(tuple((n, s) for n, s in shapes.items() if n not in taken), tuple(blocks), exact)


@dataclass(frozen=True)
class Metric:
    """`arrays`: `rest` (r, r), `roots` per block (levels, k, k), `leans` per block (levels * k, r).

    The rest moves by ``rest @ w_r``, a level by ``root @ w - lean @ w_r``; `seconds` is what a gradient takes.
    """

    arrays: dict[str, Any]
    seconds: float


def identity(cut: MetricLayout) -> dict[str, Any]:
    """The arrays that move z by w itself."""
    r = cut.n_rest
    return {
        "rest": np.eye(r),
        "roots": tuple(np.tile(np.eye(k), (levels, 1, 1)) for levels, k in cut.sizes),
        "leans": tuple(np.zeros((levels * k, r)) for levels, k in cut.sizes),
    }


def metric_at(gradient: Gradient, unit: np.ndarray, cut: MetricLayout) -> Metric:
    """The metric around the start.

    Parameters
    ----------
    gradient
        Shift (d,) from the start -> gradient (d,) of the potential energy there.
    unit
        (d,), rough posterior sds, in which distances are measured.
    cut
        What is dense and what comes in blocks.

    The Hessian is taken by central differences of the gradient, one for each parameter of the rest and one for each
    column of a block, all of its levels together. Eigenvalues below 0.1 are raised, so that a direction that only the
    prior holds stays within about three units.
    """
    seconds = _seconds(gradient, len(unit))
    rest, blocks = cut.positions()
    slopes = np.array([_difference(gradient, unit, i) for i in rest]).reshape(len(rest), len(unit))
    corner, roots, leans = slopes[:, rest], [], []
    for where in blocks:
        own, coupling = np.broadcast_to(np.eye(where.shape[1]), (*where.shape, where.shape[1])), slopes[:, where]
        if cut.exact:
            own = _root(_levels(gradient, unit, where))
        if not cut.exact or not np.all(np.isfinite(coupling)):
            coupling = np.zeros_like(coupling)
        leaning = own @ (own.transpose(0, 2, 1) @ coupling.transpose(1, 2, 0))
        corner = corner - np.einsum("rlk,lks->rs", coupling, leaning)
        roots.append(own * unit[where][:, :, None])
        leans.append((leaning * unit[where][:, :, None]).reshape(where.size, len(rest)))
    root = _root(corner)
    moves = {"rest": unit[rest, None] * root, "roots": tuple(roots), "leans": tuple(lean @ root for lean in leans)}
    return Metric(moves, seconds)


def _difference(gradient: Gradient, unit: np.ndarray, which: int | np.ndarray) -> np.ndarray:
    """The Hessian, in units, times the sum of the unit vectors `which`."""
    step = np.zeros(len(unit))
    step[which] = DIFFERENCE * unit[which]
    return unit * (gradient(step) - gradient(-step)) / (2 * DIFFERENCE)


def _levels(gradient: Gradient, unit: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The Hessian's block (levels, k, k) of every level."""
    columns = [_difference(gradient, unit, where[:, j])[where] for j in range(where.shape[1])]
    return np.stack(columns, axis=2)


def _root(hessian: np.ndarray) -> np.ndarray:
    """R (..., m, m) with R R' the inverse, eigenvalues floored; the identity where there is none."""
    if not np.all(np.isfinite(hessian)):
        return np.broadcast_to(np.eye(hessian.shape[-1]), hessian.shape)
    values, vectors = np.linalg.eigh(0.5 * (hessian + np.swapaxes(hessian, -1, -2)))
    return vectors / np.sqrt(np.maximum(np.abs(values), FLOOR))[..., None, :]


def _seconds(gradient: Gradient, d: int) -> float:
    """The shortest of a few evaluations: others may have used the processor meanwhile."""
    times = []
    for _ in range(TIMED):
        begin = time.perf_counter()
        gradient(np.zeros(d))
        times.append(time.perf_counter() - begin)
    return min(times)
