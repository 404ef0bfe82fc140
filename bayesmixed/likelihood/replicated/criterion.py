"""The deviance or REML criterion of many responses of one linear mixed model, each at a theta of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..criteria.profiled import ProfiledCriterion
from ..linear.likelihood import LOG_2PI, LinearLikelihood
from ..working.theta import Theta
from .elimination import ManySolutions, SharedProducts, eliminates, level_widths, shared_products, solve_many
from .responses import Responses
from .small import applied, product


def batches(likelihood: LinearLikelihood) -> bool:
    """Whether criteria of many responses can be evaluated together: factors linear in theta, a small tail."""
    return eliminates(likelihood) and all(structure.linear for structure in likelihood.theta.covariances)


@dataclass(frozen=True, eq=False)
class ManyCriteria:
    """The criteria of B responses: `LinearLikelihood.value_and_gradient` with a leading axis.

    `sigma` is the residual sd where it is given, else it is profiled out.
    """

    shared: SharedProducts
    given: Responses
    reml: bool
    sigma: float | None

    @classmethod
    def of(cls, given: Responses, reml: bool, sigma: float | None) -> ManyCriteria:
        """The criteria of these responses."""
        return cls(shared_products(given.likelihood), given, reml, sigma)

    @property
    def theta(self) -> Theta:
        """The layout of the argument."""
        return self.given.likelihood.theta

    def one(self, member: int) -> ProfiledCriterion | None:
        """That of one response alone; None where levels are counted."""
        if self.given.levels is not None:
            return None
        return ProfiledCriterion(self.given.one(member), self.reml, self.sigma)

    def values(self, x: np.ndarray, members: np.ndarray) -> np.ndarray:
        """The criteria (b,) of some responses at x (b, m)."""
        some = self.take(members)
        return some.of_solution(some.solve(x))

    def values_and_gradients(self, x: np.ndarray, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The criteria (b,) of some responses and their exact gradients (b, m) at x (b, m)."""
        return self.take(members)._evaluated(x)

    def take(self, members: np.ndarray) -> ManyCriteria:
        """Those of some responses."""
        if np.array_equal(members, np.arange(len(self.given))):
            return self
        return replace(self, given=self.given.take(members))

    @cached_property
    def elements(self) -> list[np.ndarray]:
        """Per block d Lambda / d theta (m, k, k): factors are linear in theta."""
        likelihood = self.given.likelihood
        return [
            np.array([likelihood.theta.block_factor(one, block) for one in np.eye(likelihood.theta.size)])
            for block in likelihood.blocks
        ]

    @property
    def df(self) -> int | np.ndarray:
        """Rows, less the coefficients for REML."""
        return self.given.n - self.given.likelihood.p if self.reml else self.given.n

    def factors(self, x: np.ndarray) -> list[np.ndarray]:
        """Per block Lambda (k, k, B) at x (B, m)."""
        return [np.einsum("mij,bm->ijb", E, x) for E in self.elements]

    def solve(self, x: np.ndarray) -> ManySolutions:
        """The solved equations at x (B, m)."""
        return solve_many(self.shared, self.given, self.factors(x))

    def of_solution(self, solution: ManySolutions) -> np.ndarray:
        """The criteria (B,) with all constants."""
        likelihood, df = self.given.likelihood, self.df
        value = solution.log_det_M - self.given.log_weights - 2 * self.given.log_jacobian
        if self.reml:
            value = value + solution.log_det_U + likelihood.basis.log_det
        if self.sigma is not None:
            return value + df * (LOG_2PI + 2 * np.log(self.sigma)) + solution.rss / self.sigma**2
        return value + df * (1 + LOG_2PI + np.log(np.maximum(solution.rss, 1e-300) / df))

    def sds(self, solution: ManySolutions) -> np.ndarray:
        """Residual sds (B,)."""
        if self.sigma is not None:
            return np.full(len(self.given), self.sigma)
        return np.sqrt(np.maximum(solution.rss, 0.0) / self.df)

    def _evaluated(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The criteria (B,) and their exact gradients (B, m) at x (B, m)."""
        solution, gradient = self.solved(x)
        return self.of_solution(solution), gradient

    def solved(self, x: np.ndarray) -> tuple[ManySolutions, np.ndarray]:
        """The solved equations and the exact gradients (B, m) at x (B, m)."""
        factors = self.factors(x)
        solution = solve_many(self.shared, self.given, factors)
        gradient = np.zeros_like(x)
        if not factors:
            return solution, gradient
        slopes = self._log_det_slopes(solution)
        weight = 1 / self.sigma**2 if self.sigma is not None else self.df / np.maximum(solution.rss, 1e-300)
        for slope, Ze, Lambda, E in zip(slopes, self._Ze(solution), factors, self.elements, strict=True):
            u = self.given.counted(applied(Lambda.swapaxes(0, 1)[..., None], Ze))
            explained = np.einsum("abl,cbl->acb", Ze, u)
            gradient += np.einsum("mij,ijb->bm", E, slope - 2 * weight * explained)
        return solution, gradient

    def _Ze(self, solution: ManySolutions) -> list[np.ndarray]:
        """Per block Z'(y - X beta - Z b) (k, B, L) at the modes."""
        shared, q, T = self.shared, self.shared.q, solution.reduced
        right = solution.reduced_y[:, :q] - (T[:, :q, q:] @ solution.beta[:, :, None])[:, :, 0]
        b_t = (solution.K @ right[:, :, None])[:, :, 0] if q else right
        Ze_t = right - (T[:, :q, :q] @ b_t[:, :, None])[:, :, 0]
        known = np.concatenate([b_t, solution.beta], axis=1)
        left = self.given.zy[0] - np.array([known @ C.T for C in shared.C])
        Ze_0 = left - applied(shared.A[:, :, None], applied(solution.W, left))
        found, first = [Ze_0], 0
        for levels, k in level_widths(self.given.likelihood.blocks):
            part = Ze_t[:, first : first + levels * k].reshape(-1, levels, k)
            found.append(np.moveaxis(part, -1, 0))
            first += levels * k
        return found

    def _log_det_slopes(self, solution: ManySolutions) -> list[np.ndarray]:
        """Per block d log|M| / d Lambda (k, k, B); for REML of log|M| + log|U_xx|: see `linear.modes`."""
        shared, q, T = self.shared, self.shared.q, solution.reduced
        G = np.zeros_like(T)
        G[:, :q, :q] = solution.K
        slopes_t = [self._diagonal_blocks(T[:, :q, :q] @ solution.tail_factor @ solution.S_inverse)] if q else []
        if self.reml:
            F = np.concatenate(
                [-solution.K @ T[:, :q, q:], np.repeat(np.eye(self.given.likelihood.p)[None], len(T), axis=0)], axis=1
            )
            FU = F @ solution.U_inverse
            G += FU @ F.transpose(0, 2, 1)
            if q:
                E = T[:, :q] @ FU
                H = solution.S_inverse @ solution.tail_factor.transpose(0, 2, 1) @ T[:, :q, q:]
                slopes_t.append([-block for block in self._diagonal_blocks(E @ H.transpose(0, 2, 1))])
        k = len(shared.A)
        Q = self.given.counted(solution.Q)
        slope = np.array([[sum(Q[c, d] @ shared.A[a, c] for c in range(k)) for d in range(k)] for a in range(k)])
        if q or self.reml:
            back = product(self._pulled(G), Q)
            slope = slope + back.sum(axis=-1) - product(shared.A[:, :, None], product(solution.W, back)).sum(axis=-1)
        return [2 * slope, *(2 * np.sum(parts, axis=0) for parts in zip(*slopes_t, strict=True))]

    def _pulled(self, G: np.ndarray) -> np.ndarray:
        """- C G C' at each level of the eliminated factor (k, k, B, L)."""
        shared, k = self.shared, len(self.shared.A)
        flat = G.reshape(len(G), -1)
        pulled = np.empty((k, k, len(G), shared.A.shape[-1]))
        for (a, b), both in shared.pairs.items():
            pulled[a, b] = pulled[b, a] = flat @ both.T * (-1.0 if a == b else -0.5)
        return pulled

    def _diagonal_blocks(self, matrices: np.ndarray) -> list[np.ndarray]:
        """Per factor of the tail the sum over its levels of diagonal blocks (k, k, B) of (B, q, q)."""
        found, first = [], 0
        for levels, k in level_widths(self.given.likelihood.blocks):
            part = matrices[:, first : first + levels * k, first : first + levels * k]
            split = part.reshape(-1, levels, k, levels, k)
            found.append(np.einsum("blalc->acb", split))
            first += levels * k
        return found
