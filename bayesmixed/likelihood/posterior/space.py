"""Hyperparameters on the whole real line: what sds, correlations, coefficients and dispersion they stand for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...priors.origin import to_stated, to_typed
from ..working.coordinates import Coordinates, Natural

STEP = 1e-6  # of the differences that give slopes of closed forms: truncation and rounding near 1e-10
LARGEST_PARTIAL = 1 - 1e-9  # of a partial correlation that a starting point may have
LOG_2 = float(np.log(2))


@dataclass(frozen=True)
class Points:
    """Parameters of N points, as priors speak of them: sds and correlations for the columns that priors mean.

    No `Parameters`, whose columns are those typed; `engines.laplace` makes these of the points that it keeps.
    Per group term absolute `sds` (N, k) and `roots` (N, k, k), Cholesky factors of correlation matrices, with
    `partials` (N, k (k - 1) / 2) their unconstrained partial correlations (no columns without correlations); `beta`
    (N, p) of all predictors, at its origin where it is integrated out; `dispersion` (N,) by name, what is held constant
    included.
    """

    sds: tuple[np.ndarray, ...]
    roots: tuple[np.ndarray, ...]
    partials: tuple[np.ndarray, ...]
    beta: np.ndarray
    dispersion: dict[str, np.ndarray]

    def take(self, i: int) -> Points:
        """Point `i` alone."""
        return Points(
            tuple(a[i : i + 1] for a in self.sds),
            tuple(a[i : i + 1] for a in self.roots),
            tuple(a[i : i + 1] for a in self.partials),
            self.beta[i : i + 1],
            {name: value[i : i + 1] for name, value in self.dispersion.items()},
        )


@dataclass(frozen=True)
class Space:
    """psi = per group term (log sds, partial correlations' atanh), then as in x coefficients and dispersion.

    x are the coordinates of a criterion, (working theta, coefficients, dispersion): `coordinates` says what they mean.
    `scale` names the dispersion parameter that factors are relative to, None in a model without scale. `origins` per
    group term say for which columns sds and correlations are stated, as `priors.origin` makes them. Correlations are
    those of canonical partial correlations, row by row as NumPyro's.
    """

    coordinates: Coordinates
    scale: str | None
    origins: tuple[np.ndarray | None, ...]

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Per group term the numbers of sds and of correlations."""
        theta = self.coordinates.theta
        pairs = [(structure, len(C)) for structure, C in zip(theta.covariances, theta.bases, strict=True)]
        return tuple((k, k * (k - 1) // 2 if structure.has_correlation else 0) for structure, k in pairs)

    @property
    def n_terms(self) -> int:
        """Elements of psi that belong to group terms."""
        return sum(k + m for k, m in self.sizes)

    @property
    def dimension(self) -> int:
        """Elements of psi."""
        return self.n_terms + self.coordinates.basis.shape[1] + len(self.coordinates.dispersion)

    def points(self, psi: np.ndarray) -> Points:
        """The parameters at psi (N, m)."""
        coordinates, first = self.coordinates, 0
        sds, roots, partials = [], [], []
        for k, m in self.sizes:
            sds.append(np.exp(psi[:, first : first + k]))
            partials.append(psi[:, first + k : first + k + m])
            roots.append(correlation_roots(partials[-1], k))
            first += k + m
        width = coordinates.basis.shape[1]
        beta = coordinates.origin + psi[:, first : first + width] @ coordinates.basis.T
        held = {name: np.full(len(psi), value) for name, value in coordinates.constants.items()}
        pairs = zip(coordinates.dispersion.items(), psi[:, first + width :].T, strict=True)
        dispersion = held | {name: coordinate.value(at) for (name, coordinate), at in pairs}
        return Points(tuple(sds), tuple(roots), tuple(partials), beta, dispersion)

    def x(self, psi: np.ndarray, points: Points) -> np.ndarray:
        """The coordinates (N, .) of a criterion at psi (N, m), `points` its parameters."""
        coordinates = self.coordinates
        first = coordinates.coefficients.start
        found = np.empty((len(psi), first + psi.shape[1] - self.n_terms))
        found[:, first:] = psi[:, self.n_terms :]
        scale = 1.0 if self.scale is None else points.dispersion[self.scale][:, None, None]
        for j, where in coordinates.theta.slices.items():
            structure, C = coordinates.theta.covariances[j], coordinates.theta.bases[j]
            factors = np.linalg.inv(C) @ (self.factors(points, j) / scale)
            # theta of one column is its sd in every structure
            found[:, where] = factors[:, 0] if len(C) == 1 else [structure.theta(factor) for factor in factors]
        return found

    def factors(self, points: Points, j: int) -> np.ndarray:
        """Roots (N, k, k) of the absolute covariances of group term `j` in the columns as typed."""
        return to_typed(self.origins[j], points.sds[j][:, :, None] * points.roots[j])

    def slopes(self, psi: np.ndarray) -> np.ndarray:
        """d x / d psi (., m) at one psi (m,); only theta is not psi itself."""
        steps = STEP * np.eye(len(psi))
        both = np.concatenate([psi + steps, psi - steps])
        found = self.x(both, self.points(both))
        return ((found[: len(psi)] - found[len(psi) :]) / (2 * STEP)).T

    def psi(self, natural: Natural) -> np.ndarray:
        """The psi (m,) of parameters whose covariances have full rank."""
        coordinates = self.coordinates
        s = 1.0 if self.scale is None else natural.dispersion[self.scale]
        parts = []
        for typed, A, (_, m) in zip(natural.factors, self.origins, self.sizes, strict=True):
            factor = to_stated(A, typed)
            sds = s * np.linalg.norm(factor, axis=1)
            parts += [np.log(sds), partial_correlations(s * factor / sds[:, None])[:m]]
        if coordinates.basis.shape[1]:
            parts.append(coordinates.moved(natural.beta))
        parts.append([each.at(natural.dispersion[name]) for name, each in coordinates.dispersion.items()])
        return np.concatenate(parts)


def correlation_roots(partials: np.ndarray, k: int) -> np.ndarray:
    """Cholesky factors (N, k, k) of correlation matrices from atanh of their partial correlations, row by row.

    The identity where there are none. Source: Lewandowski, Kurowicka & Joe (2009, J. Multivariate Anal. 100, 1989).
    """
    if not partials.shape[1]:
        return np.broadcast_to(np.eye(k), (len(partials), k, k))
    P = np.zeros((len(partials), k, k))
    P[:, *np.tril_indices(k, -1)] = np.tanh(partials)
    left = np.cumprod(np.sqrt(1 - P**2), axis=2)
    P[:, :, 1:] *= left[:, :, :-1]
    P[:, np.arange(1, k), np.arange(1, k)] = left[:, np.arange(1, k), np.arange(k - 1)]
    P[:, 0, 0] = 1.0
    return P


def correlation_log_volume(partials: np.ndarray, k: int) -> np.ndarray:
    """log |d correlations / d partials| (N,): sum over columns j = 1 .. k - 1 of (k - j + 1) / 2 log(1 - p^2)."""
    if not partials.shape[1]:
        return np.zeros(len(partials))
    columns = np.tril_indices(k, -1)[1]
    size = np.abs(partials)
    log_rest = 2 * (LOG_2 - size - np.log1p(np.exp(-2 * size)))  # log(1 - tanh^2)
    return log_rest @ ((k - columns) / 2)


def partial_correlations(rows: np.ndarray) -> np.ndarray:
    """The inverse of `correlation_roots` for any root (k, k) with rows of unit length."""
    root = np.linalg.cholesky(rows @ rows.T)
    left = 1 - np.cumsum(root**2, axis=1) + root**2
    partial = root / np.sqrt(np.maximum(left, 1e-300))
    return np.arctanh(np.clip(partial[np.tril_indices(len(root), -1)], -LARGEST_PARTIAL, LARGEST_PARTIAL))
