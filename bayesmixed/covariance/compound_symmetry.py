"""Compound symmetry, ``cs(0 + f | g)``: one correlation between all columns; sds free, or common with ``hom=True``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .base import Covariance, Edge
from .parameters import Correlation, Free, Values, sd_of_all, sd_of_each
from .pins import CommonCorrelation, OneElement, Pin

START = 0.1  # correlation
ROUNDING = 1e-12  # of a sine or cosine: what is left of an exact zero
TRIED = 21  # correlations at which a block without variance is tried
STEP = 1e-30  # imaginary, for a derivative without rounding


@dataclass(frozen=True)
class CompoundSymmetry(Covariance):
    """Every two columns have the correlation rho, from -1 / (k - 1) to 1 (Pinheiro & Bates 2000, section 5.3.1).

    A search moves the square roots of the sds (or the common sd itself) and an angle phi with
    rho = 1 - k / (k - 1) sin^2 phi: in these the criterion is smooth, and even where the covariance is singular, at sds
    of zero and at both ends of rho's range. With k = 1 there is one sd.

    >>> CompoundSymmetry().factor_from(Values(np.array([1.0, 2.0]), (np.array(0.6),)), 2, np)
    array([[1. , 0. ],
           [1.2, 1.6]])
    """

    hom: bool = False
    correlated = True

    @property
    def name(self) -> str:  # type: ignore[override]  # it depends on the option
        return "homcs" if self.hom else "cs"

    @property
    def invariance(self) -> str:  # type: ignore[override]
        return "none" if self.hom else "scaling"

    def parameters(self, k: int) -> Free:
        sds = sd_of_all(k) if self.hom else sd_of_each(k)
        return Free(sds, (Correlation(-1 / (k - 1), 1.0),) if k > 1 else ())

    def factor_from(self, values: Values, k: int, xp: Any) -> Any:
        if k == 1:
            return values.sds[..., None]
        rho = values.shapes[0]
        root = _root(xp.sqrt(xp.maximum(1 - rho, 0.0)), xp.sqrt(xp.maximum(1 + (k - 1) * rho, 0.0)), rho, k, xp)
        return values.sds[..., None] * root

    def written(self, k: int, sds: str, shapes: tuple[str, ...]) -> str:
        return f"{sds}[:, None] * jnp.linalg.cholesky(jnp.where(np.eye({k}) == 1, 1.0, {shapes[0]}))"

    def values(self, factor: np.ndarray) -> Values:
        k, squares = factor.shape[-2], np.sum(factor**2, axis=-1)
        if k == 1:
            return Values(np.sqrt(squares))
        if self.hom:
            square = np.mean(squares, axis=-1)
            total, pairs = np.sum(np.sum(factor, axis=-2) ** 2, axis=-1) / np.where(square == 0, 1, square), k * (k - 1)
            own = np.where(square == 0, 0, k)
            return Values(np.sqrt(square)[..., None], ((total - own) / pairs,))
        sds = np.sqrt(squares)
        present = np.sum(squares != 0, axis=-1)
        unit = factor / np.where(squares == 0, 1, sds)[..., None]
        total = np.sum(np.sum(unit, axis=-2) ** 2, axis=-1)
        return Values(sds, ((total - present) / np.maximum(present * (present - 1), 1),))

    def pins(self, k: int) -> tuple[Pin, ...]:
        order = tuple(range(k))
        if k == 1 or self.hom:
            return (OneElement(order, k), *((CommonCorrelation(order),) if k > 1 else ()))
        return (*(OneElement(order, k, i, squared=True) for i in range(k)), CommonCorrelation(order))

    def n_theta(self, k: int) -> int:
        return 1 if k == 1 else (1 if self.hom else k) + 1

    def factor(self, theta: np.ndarray, k: int) -> np.ndarray:
        if k == 1:
            return theta[:, None].copy()
        return self._sds(theta)[:, None] * _turned(theta[-1], k)

    def theta(self, factor: np.ndarray) -> np.ndarray:
        return self.of_reported(np.concatenate([np.atleast_1d(part) for part in self._flat(factor)]), len(factor))

    def pullback(self, theta: np.ndarray, k: int, slope: np.ndarray) -> np.ndarray:
        if k == 1:
            return slope[0].copy()
        sds, root = self._sds(theta), _turned(theta[-1], k)
        of_phi = np.sum(slope * sds[:, None] * _turned(theta[-1] + STEP * 1j, k).imag) / STEP
        of_sds = np.sum(slope * root, axis=1)
        return np.append(np.sum(of_sds) if self.hom else 2 * theta[:-1] * of_sds, of_phi)

    def reported(self, theta: np.ndarray, k: int) -> np.ndarray:
        if k == 1:
            return np.abs(theta)
        sds = np.abs(theta[:-1]) if self.hom else theta[:-1] ** 2
        return np.append(sds, _rho(np.sin(theta[-1]), k))

    def of_reported(self, reported: np.ndarray, k: int) -> np.ndarray:
        if k == 1:
            return reported.copy()
        share = (1 - reported[-1]) * (k - 1) / k
        with np.errstate(invalid="ignore"):  # outside the parameter space
            inside = np.where(np.abs(share - 0.5) < 0.5 + ROUNDING, np.clip(share, 0.0, 1.0), np.nan)
            sds = reported[:-1] if self.hom else np.sqrt(reported[:-1])
            return np.append(sds, np.arctan2(np.sqrt(inside), np.sqrt(1 - inside)))

    def start(self, sds: np.ndarray) -> np.ndarray:
        size = np.sqrt(np.mean(np.square(sds), keepdims=True)) if self.hom else np.array(sds, dtype=float)
        return size if len(sds) == 1 else self.of_reported(np.append(size, START), len(sds))

    def holds(self, other: Covariance) -> bool:
        return other == self or (not self.hom and (not other.correlated or isinstance(other, CompoundSymmetry)))

    def simplifies(self, other: Covariance, k: int, levels: bool) -> bool:
        return levels and k > 2 and not self.hom and other.unrestricted

    def edges(self, theta: np.ndarray, k: int) -> list[tuple[Edge, ...]]:
        if k == 1:
            return [(Edge((0,), (0.0,), abs(float(theta[0]))),)]
        sizes = np.abs(theta[:-1]) if self.hom else theta[:-1] ** 2
        found = [(Edge((j,), (0.0,), float(size)),) for j, size in enumerate(sizes)]
        if np.sum(sizes != 0) < (1 if self.hom else 2):
            return [*found, (Edge((len(theta) - 1,), (float(theta[-1]),), 0.0),)]  # rho says nothing
        nearest = float(np.round(theta[-1] / (np.pi / 2)) * (np.pi / 2))
        sine, cosine = (abs(float(part)) for part in _sides(theta[-1]))
        rest = min(np.sqrt(k / (k - 1)) * sine, np.sqrt(k) * cosine)
        return [*found, (Edge((len(theta) - 1,), (nearest,), rest),)]

    def null_directions(self, theta: np.ndarray, k: int, tolerance: float) -> list[np.ndarray]:
        if k == 1:
            return [np.eye(1)] if abs(theta[0]) < tolerance else []
        sds, (sine, cosine) = self._sds(theta), _sides(theta[-1])
        zero = np.abs(sds) * np.ones(k) < tolerance
        if zero.all():
            return [_towards(phi, k) for phi in np.linspace(0, np.pi / 2, TRIED)[:, None]]
        found = [np.eye(k)[:, [j]] for j in np.flatnonzero(zero)]
        if np.sum(~zero) > 1 and abs(sine) < tolerance:
            found.append(_unit(_contrast(~zero) / np.where(zero, 1.0, sds)))
        if not zero.any() and abs(cosine) < tolerance:
            found.append(_unit(1 / (sds * np.ones(k))))
        return found

    def step_off(self, theta: np.ndarray, k: int, direction: np.ndarray) -> np.ndarray:
        if k == 1:
            return np.hypot(theta, direction)
        length = float(np.linalg.norm(direction))
        sds, moved = self._sds(theta) * np.ones(k), theta.copy()
        zero = sds == 0
        if zero.all():
            along = float(np.sum(direction)) ** 2 / (k * length**2)  # cos^2 of the angle, so k of it is 1 + (k - 1) rho
            size = length / np.sqrt(k * along**2 + k / (k - 1) * (1 - along) ** 2)
            moved[:-1] = size if self.hom else np.sqrt(size)
            moved[-1] = np.arccos(np.sqrt(min(along, 1.0)))
        elif np.any(direction[zero]):
            moved[:-1] = np.where(zero, np.sqrt(np.abs(direction)), theta[:-1])
        else:
            # the variance along the direction is (1 - rho), or 1 + (k - 1) rho, times the square of this
            spread = float(np.linalg.norm(sds * direction)) / length
            grown, half = min(length / spread, 1.0), np.pi / 2
            near_one = abs(_sides(theta[-1])[0]) < abs(_sides(theta[-1])[1])
            at = np.arcsin(grown * np.sqrt((k - 1) / k)) if near_one else half - np.arcsin(grown / np.sqrt(k))
            moved[-1] = at
        return moved

    def _sds(self, theta: np.ndarray) -> np.ndarray:
        return theta[:-1] if self.hom else theta[:-1] ** 2

    def _flat(self, factor: np.ndarray) -> list[np.ndarray]:
        values = self.values(factor)
        low = -1 / (len(factor) - 1) if len(factor) > 1 else 0.0
        return [values.sds, *(np.clip(shape, low, 1.0) for shape in values.shapes)]


def _root(a: Any, c: Any, rho: Any, k: int, xp: Any) -> Any:
    """The Cholesky factor (..., k, k) of R from a^2 = 1 - rho and c^2 = 1 + (k - 1) rho, whose signs it takes over.

    Column j below its diagonal is a rho / sqrt(w_j-1 w_j) with w_j = 1 + j rho: what is left of rho once j columns are
    known, which for k - 1 of them is c^2.
    """
    zero, one = xp.zeros_like(rho), xp.ones_like(rho)
    columns = [[one] + [rho] * (k - 1)]
    for j in range(1, k):
        before, after = 1 + (j - 1) * rho, 1 + j * rho
        diagonal = a * (c if j == k - 1 else xp.sqrt(after)) / xp.sqrt(before)
        below = [] if j == k - 1 else [a * rho / xp.sqrt(before * after)] * (k - j - 1)
        columns.append([zero] * j + [diagonal, *below])
    return xp.stack([xp.stack(column, axis=-1) for column in columns], axis=-1)


def _turned(phi: Any, k: int) -> np.ndarray:
    sine, cosine = _sides(phi)
    found: np.ndarray = _root(np.sqrt(k / (k - 1)) * sine, np.sqrt(k) * cosine, _rho(sine, k), k, np)
    return found


def _rho(sine: Any, k: int) -> Any:
    return 1 - k / (k - 1) * sine**2


def _sides(phi: Any) -> tuple[Any, Any]:
    """Sine and cosine, with exact zeros."""
    found = []
    for part in (np.sin(phi), np.cos(phi)):
        found.append(part - part.real if abs(part.real) < ROUNDING else part)
    return found[0], found[1]


def _contrast(columns: np.ndarray) -> np.ndarray:
    """The difference (k,) of the first two of some columns."""
    first, second = np.flatnonzero(columns)[:2]
    return np.eye(len(columns))[first] - np.eye(len(columns))[second]


def _towards(phi: np.ndarray, k: int) -> np.ndarray:
    """A direction (k, 1) at the angle phi to that in which all columns agree."""
    return _unit(np.cos(phi) / np.sqrt(k) + np.sin(phi) * _contrast(np.ones(k, dtype=bool)) / np.sqrt(2))


def _unit(direction: np.ndarray) -> np.ndarray:
    return (direction / np.linalg.norm(direction))[:, None]
