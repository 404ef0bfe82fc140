"""The marginal likelihood of a linear mixed model as a function of theta: criterion, gradient, what follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ...covariance import Covariance
from ...design.design import Design, GroupTerm
from ...errors import FitError
from ..elimination.choice import eliminated_first
from ..elimination.tail import Tail, tail
from ..working.basis import FixedBasis, fixed_basis, term_bases
from ..working.blocks import Block, blocks
from ..working.gram import Gram, gram
from ..working.theta import Theta
from .information import block_information, inverse
from .modes import Modes, conditional_covariances, fixed_products, log_det_slopes, modes
from .orthogonal import OrthogonalRows, OrthogonalSolution, affordable, orthogonal_rows, solve_orthogonally
from .pls import Solution, solve

LOG_2PI = float(np.log(2 * np.pi))
FAR = 300.0  # relative sd from which cross-products begin to lose the residual
LOST = 1e-5  # of y'y: what is left of the response there, at most, if effects explain the rest
FARTHEST = 12  # times a start is made ten times larger
WORTH = 1.0  # of the deviance: less is the slope towards an sd of zero, where a search in its root would stay


@dataclass(frozen=True)
class Conditioned:
    """What cross-products were formed of: per block columns (n, k), W (n, p + 1) and the weighted response (n,)."""

    Z: tuple[np.ndarray, ...]
    W: np.ndarray
    response: np.ndarray


@dataclass(frozen=True)
class LinearLikelihood:
    """Cross-products of one linear mixed model in well-conditioned bases.

    `theta` says what the working theta, which the methods take, stands for. `log_jacobian` belongs to log L where the
    normal response is a function of the one observed. `rows`, where they are kept, are gone back to where the residual
    is so small that cross-products have lost it.
    """

    blocks: tuple[Block, ...]
    gram: Gram
    tail: Tail | None
    basis: FixedBasis
    theta: Theta
    log_jacobian: float = 0.0
    rows: Conditioned | None = field(default=None, repr=False, compare=False)

    @cached_property
    def turned(self) -> OrthogonalRows | None:
        """The rows turned for `orthogonal`; None where they are not at hand or too many."""
        if self.rows is None or not affordable(self.blocks, self.tail, self.n, self.p):
            return None
        return orthogonal_rows(self.blocks, self.rows.Z, self.rows.W, self.rows.response)

    @property
    def n(self) -> int:
        """Rows of positive weight."""
        return self.gram.n

    @property
    def p(self) -> int:
        """Number of fixed effects."""
        return self.gram.p

    def factors(self, working: np.ndarray) -> list[np.ndarray]:
        """Lambda (k, k) of each block in the working bases, block-diagonal over its terms."""
        return [self.theta.block_factor(working, block) for block in self.blocks]

    def solve(self, working: np.ndarray, *, invert: bool = False) -> Solution:
        """Penalised least squares at theta."""
        factors = self.factors(working)
        if _far(factors) and self.nearly_exact and self.turned is not None:
            return solve_orthogonally(self.turned, self.tail, factors)
        return solve(self.gram, self.tail, factors, invert=invert)

    def is_far(self, working: np.ndarray) -> bool:
        """Whether some effects are so large at theta that cross-products may lose the residual."""
        return _far(self.factors(working))

    @cached_property
    def nearly_exact(self) -> bool:
        """Whether effects can explain the response so well that cross-products lose what is left of it."""
        turned = self.turned
        return turned is not None and turned.spare * turned.left**2 < LOST * self.gram.ww[-1, -1]

    def criterion(self, solution: Solution, *, reml: bool, sigma: float | None = None) -> float:
        """Deviance or REML criterion with all constants, sigma profiled out unless given (Bates et al., eq. 34, 41)."""
        df = self.n - self.p if reml else self.n
        value = solution.log_det_M - self.gram.log_weights - 2 * self.log_jacobian
        if reml:
            value += solution.log_det_U + self.basis.log_det
        if sigma is not None:
            return value + df * (LOG_2PI + 2 * np.log(sigma)) + solution.rss / sigma**2
        return value + df * (1 + LOG_2PI + np.log(max(solution.rss, 1e-300) / df))

    def value_and_gradient(
        self, working: np.ndarray, solution: Solution, *, reml: bool, sigma: float | None = None
    ) -> tuple[float, np.ndarray]:
        """The criterion and its exact gradient in the working theta (envelope theorem).

        `solution` is that at `working`, with its inverse.
        """
        factors = self.factors(working)
        df = self.n - self.p if reml else self.n
        weight = 1 / sigma**2 if sigma is not None else df / max(solution.rss, 1e-300)
        if isinstance(solution, OrthogonalSolution):
            slopes, found = solution.log_det_slopes(reml), solution.modes()
        else:
            slopes, found = log_det_slopes(self.gram, solution, reml), modes(self.gram, solution)
        full = [
            slope - 2 * weight * _residual_slope(Ze, Lambda)
            for slope, Ze, Lambda in zip(slopes, found.Ze, factors, strict=True)
        ]
        return self.criterion(solution, reml=reml, sigma=sigma), self.theta.pull_back(working, self.blocks, full)

    def sigma(self, solution: Solution, *, reml: bool) -> float:
        """The residual standard deviation that maximises the criterion at theta."""
        return float(np.sqrt(max(solution.rss, 0.0) / (self.n - self.p if reml else self.n)))

    def beta(self, solution: Solution) -> np.ndarray:
        """Fixed effects (p,) in the user's columns."""
        return self.basis.beta(solution.beta)

    def vcov_root(self, solution: Solution) -> np.ndarray:
        """F (p, p) with F F' = Var(beta) / sigma^2, conditional on theta."""
        return self.basis.covariance_root(solution.U_inverse)

    def modes(self, solution: Solution) -> dict[int, np.ndarray]:
        """Conditional modes b (L, k) of each group term in the user's columns."""
        found: Modes = solution.modes() if isinstance(solution, OrthogonalSolution) else modes(self.gram, solution)
        return {
            j: found.b[i][:, columns] @ self.theta.bases[j].T
            for i, block in enumerate(self.blocks)
            for j, columns in zip(block.terms, block.slices, strict=True)
        }

    def fixed_products(self, solution: Solution) -> list[np.ndarray]:
        """Per block Z'V^-1 X (L, k, p) in the working columns, V = I + Z Lambda Lambda'Z'."""
        if isinstance(solution, OrthogonalSolution):
            return solution.fixed_products()
        return fixed_products(self.gram, solution)

    def conditional_covariances(self, solution: Solution) -> dict[int, np.ndarray]:
        """Var(b | y, beta) / sigma^2 (L, k, k) of each group term in the user's columns."""
        found = conditional_covariances(self.gram, solution)
        return {
            j: self.theta.bases[j] @ found[i][:, columns, columns] @ self.theta.bases[j].T
            for i, block in enumerate(self.blocks)
            for j, columns in zip(block.terms, block.slices, strict=True)
        }

    def loglik_at(self, working: np.ndarray, beta: np.ndarray | None, sigma: float | None, reml: bool) -> float:
        """log L at given parameters; a None is profiled out."""
        solution = self.solve(working)
        if beta is not None:
            contrast = np.append(-self.basis.R @ (np.asarray(beta) - self.basis.beta0), 1.0)
            rss = float(contrast @ solution.U @ contrast)
            solution = replace(solution, rss=rss)
        return -0.5 * self.criterion(solution, reml=reml, sigma=sigma)

    def start(self, sigma: float | None = None) -> np.ndarray:
        """A working theta from moments: E[(z'e)^2 / z'z] = sigma^2 + tau^2 z'z per level, term by term.

        `sigma` is the residual sd where that is known.
        """
        variance = self.gram.ww[-1, -1] / self.n
        taus = {
            j: _moment_variances(self.gram.zz[i][:, columns, columns], self.gram.zw[i][:, columns, -1], variance)
            for i, block in enumerate(self.blocks)
            for j, columns in zip(block.terms, block.slices, strict=True)
        }
        left = variance - sum(t.sum() for t in taus.values())
        residual = max(left, 0.1 * variance, 1e-300)
        sds = {j: np.clip(np.sqrt(t / residual), 0.2, 3.0) for j, t in taus.items()}
        if not sds:
            return np.zeros(0)
        return self.theta.start(sds) if left > 0.5 * variance else self._farther(sds, sigma)

    def _farther(self, sds: dict[int, np.ndarray], sigma: float | None) -> np.ndarray:
        """A start where effects explain nearly all: all sds ten times larger, then each smaller, while worth it."""
        same = {j: np.ones(len(each)) for j, each in sds.items()}
        smaller = [same | {j: np.where(np.arange(len(sds[j])) == i, 0.1, 1.0)} for j in sds for i in range(len(sds[j]))]
        best = self._deviance(self.theta.start(sds), sigma)
        for ratios in [{j: 10 * ones for j, ones in same.items()}, *smaller]:
            for _ in range(FARTHEST):
                trial = {j: ratios[j] * each for j, each in sds.items()}
                value = self._deviance(self.theta.start(trial), sigma)
                if not value < best - WORTH:
                    break
                sds, best = trial, value
        return self.theta.start(sds)

    def _deviance(self, working: np.ndarray, sigma: float | None) -> float:
        try:
            return self.criterion(self.solve(working), reml=False, sigma=sigma)
        except np.linalg.LinAlgError:
            return np.inf

    def metric(self, working: np.ndarray) -> np.ndarray:
        """A guess of the inverse curvature (n_theta, n_theta) of the criterion, to start a search with."""
        information = np.zeros((len(working), len(working)))
        for block, A in zip(self.blocks, self.gram.zz, strict=True):
            where = self.theta.positions(block)

            def factor(part: np.ndarray, block: Block = block, where: np.ndarray = where) -> np.ndarray:
                full = working.copy()
                full[where] = part
                return self.theta.block_factor(full, block)

            information[np.ix_(where, where)] = block_information(A, factor, working[where], self.n)
        parts = self.theta.split(working)
        unit = np.concatenate([self._row_sizes(j, part) for j, part in parts.items()]) if parts else working
        return np.outer(unit, unit) * inverse(np.outer(unit, unit) * information)

    def _row_sizes(self, term: int, part: np.ndarray) -> np.ndarray:
        """Size of the rows of Lambda that each parameter moves, at least 1: an sd of 1e8 may stand beside one of 1."""
        factor, k = self.theta.covariances[term].factor, self.theta.k(term)
        rows = np.linalg.norm(factor(part, k), axis=1)
        moved = [np.any(factor(part + e, k) != factor(part, k), axis=1) for e in np.eye(len(part))]
        return np.array([np.max(rows[each], initial=1.0) for each in moved])


def linear_likelihood(design: Design, covariances: Sequence[Covariance]) -> LinearLikelihood:
    """Condition the design's rows and form their cross-products; rows of weight zero are left out."""
    if design.response is None:
        raise FitError("A design without a response has no likelihood.", topic="no-response")
    weights = design.weights
    keep: slice | np.ndarray = slice(None)
    if weights is not None:
        keep = weights > 0
        weights = weights[keep]
    root = None if weights is None else np.sqrt(weights)
    groups = [_rows(term, keep) for term in design.mu.groups]
    mu = design.mu
    basis, W = fixed_basis(mu.X[keep], (design.response.y - mu.offset)[keep], root)
    bases = term_bases(groups, covariances, root)
    found = blocks(groups)
    Z = tuple(np.column_stack([_conditioned(groups[j].Z, bases[j], root) for j in block.terms]) for block in found)
    products = gram(found, Z, W, weights)
    first = eliminated_first(found, {pair: (cross.rows, cross.columns) for pair, cross in products.cross.items()})
    if first:
        turned = [first, *(i for i in range(len(found)) if i != first)]
        found, products = tuple(found[i] for i in turned), products.reordered(turned)
    y = design.response.y[keep]
    return LinearLikelihood(
        blocks=found,
        gram=products,
        tail=tail(found, products),
        basis=basis,
        theta=Theta.of(groups, covariances, bases),
        rows=Conditioned(Z, W, y if root is None else y * root),
    )


def _far(factors: Sequence[np.ndarray]) -> bool:
    return max((float(np.max(np.abs(Lambda))) for Lambda in factors), default=0.0) > FAR


def _residual_slope(Ze: np.ndarray, Lambda: np.ndarray) -> np.ndarray:
    """Sum over levels of (Z'e)_l u_l' with u = Lambda'Z'e, the normal equations at the modes."""
    return Ze.T @ (Ze @ Lambda)


def _rows(term: GroupTerm, keep: slice | np.ndarray) -> GroupTerm:
    return term if isinstance(keep, slice) else replace(term, codes=term.codes[keep], Z=term.Z[keep])


def _conditioned(Z: np.ndarray, C: np.ndarray, root_weights: np.ndarray | None) -> np.ndarray:
    return Z @ C if root_weights is None else (Z * root_weights[:, None]) @ C


def _moment_variances(zz: np.ndarray, zy: np.ndarray, variance: float) -> np.ndarray:
    sizes = np.diagonal(zz, axis1=1, axis2=2)
    used = sizes > 0
    explained = np.sum(np.where(used, zy**2 / np.where(used, sizes, 1.0), 0.0), axis=0)
    return np.clip((explained - used.sum(axis=0) * variance) / sizes.sum(axis=0), 0.0, 0.9 * variance)
