"""Hyperparameters on the whole real line: what sds, correlations, coefficients and dispersion they stand for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...covariance import Free, Values
from ...priors.origin import to_stated, to_typed
from ..working.coordinates import Coordinates, Natural

STEP = 1e-6  # of the differences that give slopes of closed forms: truncation and rounding near 1e-10


@dataclass(frozen=True)
class Points:
    """Parameters of N points, as priors speak of them: those of blocks for the columns that priors mean.

    No `Parameters`, whose columns are those typed; `engines.laplace` makes these of the points that it keeps.
    Per group term `blocks`, with absolute sds (N, m), and the elements on the real line that they came from, `reals`
    (N, .); `beta` (N, p) of all predictors, at its origin where it is integrated out; `dispersion` (N,) by name, what
    is held constant included.
    """

    blocks: tuple[Values, ...]
    reals: tuple[np.ndarray, ...]
    beta: np.ndarray
    dispersion: dict[str, np.ndarray]

    def take(self, i: int) -> Points:
        """Point `i` alone."""
        return Points(
            tuple(Values(b.sds[i : i + 1], tuple(a[i : i + 1] for a in b.shapes)) for b in self.blocks),
            tuple(a[i : i + 1] for a in self.reals),
            self.beta[i : i + 1],
            {name: value[i : i + 1] for name, value in self.dispersion.items()},
        )


@dataclass(frozen=True)
class Space:
    """psi = per group term (log sds, shapes on the real line), then as in x coefficients and dispersion.

    x are the coordinates of a criterion, (working theta, coefficients, dispersion): `coordinates` says what they mean.
    `scale` names the dispersion parameter that factors are relative to, None in a model without scale. `origins` per
    group term say for which columns sds and shapes are stated, as `priors.origin` makes them.
    """

    coordinates: Coordinates
    scale: str | None
    origins: tuple[np.ndarray | None, ...]

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Per group term the numbers of sds and of elements of everything else."""
        return tuple(free.sizes for free in self.free)

    @property
    def free(self) -> tuple[Free, ...]:
        """Per group term the parameters of its block."""
        theta = self.coordinates.theta
        return tuple(structure.parameters(theta.k(j)) for j, structure in enumerate(theta.covariances))

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
        blocks, reals = [], []
        for free in self.free:
            reals.append(psi[:, first : first + sum(free.sizes)])
            blocks.append(free.from_real(reals[-1]))
            first += sum(free.sizes)
        width = coordinates.basis.shape[1]
        beta = coordinates.origin + psi[:, first : first + width] @ coordinates.basis.T
        held = {name: np.full(len(psi), value) for name, value in coordinates.constants.items()}
        pairs = zip(coordinates.dispersion.items(), psi[:, first + width :].T, strict=True)
        dispersion = held | {name: coordinate.value(at) for (name, coordinate), at in pairs}
        return Points(tuple(blocks), tuple(reals), beta, dispersion)

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
        theta = self.coordinates.theta
        return to_typed(self.origins[j], theta.covariances[j].factor_from(points.blocks[j], theta.k(j), np))

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
        parts: list[np.ndarray] = []
        bars = zip(coordinates.theta.covariances, natural.factors, self.origins, self.free, strict=True)
        for structure, typed, A, free in bars:
            values = structure.values(to_stated(A, typed))
            parts.append(free.to_real(values._replace(sds=s * values.sds)))
        if coordinates.basis.shape[1]:
            parts.append(coordinates.moved(natural.beta))
        free_dispersion = [each.at(natural.dispersion[name]) for name, each in coordinates.dispersion.items()]
        parts.append(np.array(free_dispersion))
        return np.concatenate(parts)
