"""Coordinates in which a posterior is nearly normal: coefficients as normal scores given the hyperparameters.

Few levels tie coefficients to standard deviations: an intercept is known to about sd / sqrt(levels), so that its
posterior is a funnel, and no elliptical proposal covers its wide end. With the model linearised once, at the mode
(weights V and response eta + g / V as in the last Newton step), the coefficients given any hyperparameters are
Normal(mean, root root') in closed form. With e = root^-1 (t - mean) in place of the coefficients t nothing of the
funnel is left. The linearisation only shapes proposals; their weights take the posterior itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..elimination.tail import Tail
from ..laplace.approximation import Curved, LaplaceLikelihood
from ..laplace.products import weighted_gram
from ..linear.pls import solve
from ..penalty.penalty import CoefficientPenalty
from ..working.gram import Gram
from .space import Space

LEAST_CURVATURE = 1e-6  # of the largest: rows without curvature say next to nothing, and must not say less

NormalForm = tuple[np.ndarray, np.ndarray, np.ndarray]  # rows (m, p), means (m,), precisions (m,) of normals


@dataclass(frozen=True)
class LinearisedPosterior:
    """The equations of a linear mixed model, at `factors` (x) and residual sd `scale` (x), for t = coefficients.

    The coefficients of the equations are `unit` times those in x. `gram` without what priors say: `precision` (p, p)
    and `right` (p,), their part of the normal equations, in the coordinates of the equations.
    """

    gram: Gram
    tail: Tail | None
    factors: Callable[[np.ndarray], Sequence[np.ndarray]]
    scale: Callable[[np.ndarray], float]
    unit: float
    precision: np.ndarray
    right: np.ndarray

    def given(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean (p,) and root (p, p) of the coefficients as x has them; LinAlgError where they cannot be found."""
        scale = self.scale(x)
        U = solve(self.gram, self.tail, self.factors(x), invert=False).U
        K = U[:-1, :-1] + scale**2 * self.precision
        half = np.linalg.cholesky(K)
        mean = np.linalg.solve(K, U[:-1, -1] + scale**2 * self.right)
        return mean / self.unit, scale / self.unit * np.linalg.inv(half).T


@dataclass(frozen=True)
class Standardised:
    """phi is psi with the coefficients, at `where`, replaced by their normal scores given the rest.

    Where the linearised equations cannot be solved the coefficients are as at the `centre` psi (m,).
    """

    space: Space
    linearised: LinearisedPosterior
    where: slice
    centre: np.ndarray

    @classmethod
    def about(cls, space: Space, linearised: LinearisedPosterior, centre: np.ndarray) -> Standardised:
        """At the mode `centre` (m,)."""
        first = space.n_terms
        return cls(space, linearised, slice(first, first + space.coordinates.basis.shape[1]), centre)

    def psi(self, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """psi (N, m) of phi (N, m), and log |d psi / d phi| (N,)."""
        means, roots = self._given(phi)
        found = phi.copy()
        found[:, self.where] = means + np.einsum("nab,nb->na", roots, phi[:, self.where])
        return found, np.linalg.slogdet(roots)[1]

    def phi(self, psi: np.ndarray) -> np.ndarray:
        """phi (N, m) of psi (N, m)."""
        means, roots = self._given(psi)
        found = psi.copy()
        found[:, self.where] = np.linalg.solve(roots, (psi[:, self.where] - means)[:, :, None])[:, :, 0]
        return found

    def _given(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means (N, p) and roots (N, p, p), whatever the coefficients of `points` (N, m) are."""
        held = np.concatenate([self.centre[None], points])
        held[:, self.where] = self.centre[self.where]
        with np.errstate(over="ignore", invalid="ignore"):  # hyperparameters far out are given up
            x = self.space.x(held, self.space.points(held))
        fallback = self.linearised.given(x[0])
        pairs = [self._one(each, fallback) for each in x[1:]]
        return np.stack([mean for mean, _ in pairs]), np.stack([root for _, root in pairs])

    def _one(self, x: np.ndarray, fallback: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        try:
            mean, root = self.linearised.given(x)
        except (np.linalg.LinAlgError, ValueError):  # SciPy's word for what is not finite
            return fallback
        usable = np.all(np.isfinite(mean)) and np.all(np.isfinite(root)) and np.all(np.diag(root) > 0)
        return (mean, root) if usable else fallback


def normal_equations(form: NormalForm | None, R: np.ndarray, origin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What normals of rows of coefficients add to the equations of t, coefficients = origin + R^-1 t: (p, p), (p,)."""
    p = len(R)
    if form is None:
        return np.zeros((p, p)), np.zeros(p)
    rows, means, precisions = form
    B = np.linalg.solve(R.T, rows.T).T
    weights = np.where(np.isfinite(precisions), precisions, 0.0)[:, None] * B
    return B.T @ weights, weights.T @ (np.where(np.isfinite(means), means, 0.0) - rows @ origin)


def linearised(
    likelihood: LaplaceLikelihood, x: np.ndarray, curved: Curved, form: NormalForm | None
) -> LinearisedPosterior:
    """A generalized model at the conditional mode for x, as its last Newton step sees it."""
    rows, d, p = likelihood.rows, curved.derivatives, likelihood.p
    V = np.maximum(d.V, LEAST_CURVATURE * float(np.max(np.abs(d.V), initial=0.0)))
    target = V * (curved.mode.eta - rows.offset) + d.g
    columns = np.column_stack([rows.Q * V[:, None], target])
    ww = np.zeros((p + 1, p + 1))
    ww[:-1] = rows.Q.T @ columns
    ww[-1, :-1] = ww[:-1, -1]
    gram = weighted_gram(rows, V, columns, ww)
    tail = None if likelihood.pattern is None else likelihood.pattern.filled(rows, gram)
    precision, right = normal_equations(form, rows.R, np.zeros(p))
    return LinearisedPosterior(gram, tail, likelihood.factors, lambda _: 1.0, 1.0, precision, right)


def normal_form(coefficients: CoefficientPenalty | None) -> NormalForm | None:
    """The priors of the coefficients as normals, those that are not by their quartiles."""
    return None if coefficients is None else coefficients.normal_approximation()
