"""Parameters as priors speak of them, and as a search moves them: from one to the other, and slopes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...families import FamilyParameter
from .theta import Theta

THIN = 1e-2  # of a working (unit mean square) column: a start thinner than this in some direction is on the boundary
FLOOR = 0.05  # what such a start is given there


@dataclass(frozen=True)
class Natural:
    """Parameters in the user's columns, or the slopes of a function in each of them, which add up.

    No `Parameters`: one point without effects, whose factors are relative, as a search has it thousands of times.
    `factors` per group term (k, k), any root F of its covariance F F' (relative to sigma where the model has a
    scale); `beta` (p,) the coefficients of all predictors; `dispersion` by name, what is held constant included.
    """

    factors: tuple[np.ndarray, ...]
    beta: np.ndarray
    dispersion: dict[str, float]

    def zeros(self) -> Natural:
        """Slopes of a constant."""
        factors = tuple(np.zeros_like(F) for F in self.factors)
        return Natural(factors, np.zeros_like(self.beta), dict.fromkeys(self.dispersion, 0.0))

    def __add__(self, other: Natural) -> Natural:
        return Natural(
            tuple(a + b for a, b in zip(self.factors, other.factors, strict=True)),
            self.beta + other.beta,
            {name: value + other.dispersion[name] for name, value in self.dispersion.items()},
        )


@dataclass(frozen=True)
class Coordinate:
    """What stands in x for one parameter of the family: that of its value over `unit`.

    `unit` is 1 unless the link is the logarithm, whose slope knows no unit.
    """

    parameter: FamilyParameter
    unit: float = 1.0

    def value(self, at: Any) -> Any:
        """The value at a coordinate."""
        return self.unit * self.parameter.value(at)

    def at(self, value: float) -> float:
        """The coordinate of a value."""
        return float(self.parameter.working(value / self.unit))


@dataclass(frozen=True)
class Coordinates:
    """x = (working theta, coefficients in a basis, coordinates of dispersion), each part possibly empty.

    `theta` says what the first elements stand for. beta = `origin` + `basis` t for the next elements t of x, whose
    number may be 0: then beta stays at `origin`. Then follow those of the parameters in `dispersion`; `constants` are
    held.
    """

    theta: Theta
    origin: np.ndarray
    basis: np.ndarray
    dispersion: Mapping[str, Coordinate]
    constants: Mapping[str, float]

    @property
    def coefficients(self) -> slice:
        """Where the coefficients are in x."""
        return slice(self.theta.size, self.theta.size + self.basis.shape[1])

    def natural(self, x: np.ndarray) -> Natural:
        """The parameters at x."""
        where = self.coefficients
        pairs = zip(self.dispersion.items(), x[where.stop :], strict=True)
        found = {name: float(coordinate.value(at)) for (name, coordinate), at in pairs}
        return Natural(self.theta.typed(x), self.origin + self.basis @ x[where], {**self.constants, **found})

    def pull_back(self, x: np.ndarray, slopes: Natural) -> np.ndarray:
        """The gradient in x from slopes in the parameters."""
        gradient = np.zeros_like(x)
        for j, where in self.theta.slices.items():
            of_factor = self.theta.bases[j].T @ slopes.factors[j]
            gradient[where] = self.theta.covariances[j].pullback(x[where], self.theta.k(j), of_factor)
        where = self.coefficients
        gradient[where] = self.basis.T @ slopes.beta
        values = self.natural(x).dispersion
        gradient[where.stop :] = [
            slopes.dispersion[name] * coordinate.parameter.slope(values[name])
            for name, coordinate in self.dispersion.items()
        ]
        return gradient

    def at(self, natural: Natural) -> np.ndarray:
        """The x of these parameters."""
        where = self.coefficients
        x = np.zeros(where.stop + len(self.dispersion))
        pairs = zip(self.theta.bases, natural.factors, strict=True)
        x[: self.theta.size] = self.theta.of_factors([np.linalg.solve(C, F) for C, F in pairs])
        if where.stop > where.start:
            x[where] = self.moved(natural.beta)
        x[where.stop :] = [coordinate.at(natural.dispersion[name]) for name, coordinate in self.dispersion.items()]
        return x

    def moved(self, beta: np.ndarray) -> np.ndarray:
        """The coordinates t of coefficients (p,); those that no element of t moves are not asked for."""
        some = np.any(self.basis != 0, axis=1)
        return np.linalg.solve(self.basis[some], (beta - self.origin)[some])

    def interior(self, x: np.ndarray) -> np.ndarray:
        """x with every covariance of full rank."""
        moved = x.copy()
        for j, Lambda in enumerate(self.theta.factors(x)):
            if np.min(np.linalg.svd(Lambda, compute_uv=False)) < THIN:
                moved = self.theta.replaced(moved, j, np.column_stack([Lambda, FLOOR * np.eye(len(Lambda))]))
        return moved

    def sizes(self, x: np.ndarray, term: int) -> np.ndarray:
        """Sds (k,) of a term at x as those of columns of unit mean square: each times its column's root mean square."""
        C = self.theta.bases[term]
        norms = np.linalg.norm(C @ self.theta.factor(x, term), axis=1)
        return norms * np.linalg.norm(np.linalg.inv(C), axis=0)
