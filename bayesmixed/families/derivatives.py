"""log f and its derivatives by parameter, by pair and by triple, and how they follow from a coordinate of the mean.

`curvature` and `third` are symmetric in their names. Those of the main predictor are plain arrays, which a model of one
predictor reads without looking anything up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MAIN = "mu"  # the parameter whose linear predictor is eta
Names = tuple[str, ...]  # sorted: which parameters a derivative is taken in
STILL = (1.0, 0.0, 0.0)  # the steps of a parameter whose derivatives are those of its predictor already


@dataclass(frozen=True)
class Derivatives:
    """log f(y | eta, dispersion) per row (n,) without the terms that hold neither eta nor dispersion, and derivatives.

    `kernel`; `g` first derivative in eta; `V` minus the second; `dV` its derivative; `others` by names, of which one at
    least is not the main one: a first derivative by one name, minus a second one by two, minus a third one by three,
    in the values of the other parameters; `on_predictors` takes these to linear predictors of theirs. What was not
    asked for is None or absent.
    """

    kernel: Any
    g: Any = None
    V: Any = None
    dV: Any = None
    others: Mapping[Names, Any] = field(default_factory=dict)

    def slope(self, a: str) -> Any:
        """d log f / d a."""
        return self.g if a == MAIN else self.others[a,]

    def curvature(self, a: str, b: str) -> Any:
        """- d2 log f / d a d b."""
        return self.V if a == b == MAIN else self.others[_sorted(a, b)]

    def third(self, a: str, b: str, c: str) -> Any:
        """- d3 log f / d a d b d c, the derivative of a curvature."""
        return self.dV if a == b == c == MAIN else self.others[_sorted(a, b, c)]

    def on_predictors(self, steps: Mapping[str, tuple[Any, Any, Any]]) -> Derivatives:
        """The same in linear predictors of the other parameters too.

        Parameters
        ----------
        steps
            By name the first three derivatives of the parameter in its predictor, `link.mean_steps(eta)[1:]`.
        """
        moved = {names: self._moved(names, {MAIN: STILL, **steps}) for names in self.others}
        return Derivatives(self.kernel, self.g, self.V, self.dV, moved)

    def _moved(self, names: Names, steps: Mapping[str, tuple[Any, Any, Any]]) -> Any:
        """Faa di Bruno's rule, where each parameter follows its own predictor alone."""
        found = self.others[names]
        for name in names:
            found = found * steps[name][0]
        if len(set(names)) == len(names):
            return found
        twice = next(name for name in names if names.count(name) > 1)
        first, second, third = steps[twice]
        if len(names) == 2:
            return found - self.slope(twice) * second
        if names.count(twice) == 3:
            return found + 3 * self.curvature(twice, twice) * first * second - self.slope(twice) * third
        once = next(name for name in names if name != twice)
        return found + self.curvature(twice, once) * second * steps[once][0]

    def plus(self, other: Derivatives) -> Derivatives:
        """The sum, term by term; what one of them lacks the sum lacks too, but for what `others` of one has alone."""

        def added(a: Any, b: Any) -> Any:
            return None if a is None or b is None else a + b

        both = {names: self.others[names] + other.others[names] for names in self.others.keys() & other.others.keys()}
        g, V, dV = added(self.g, other.g), added(self.V, other.V), added(self.dV, other.dV)
        return Derivatives(added(self.kernel, other.kernel), g, V, dV, {**self.others, **other.others, **both})

    def times(self, weights: Any) -> Derivatives:
        """Everything multiplied by frequency weights (n,), or as it is for None."""
        if weights is None:
            return self

        def weighted(a: Any) -> Any:
            return None if a is None else a * weights

        g, V, dV = weighted(self.g), weighted(self.V), weighted(self.dV)
        others = {names: value * weights for names, value in self.others.items()}
        return Derivatives(self.kernel * weights, g, V, dV, others)


def in_parameter(name: str, slopes: tuple[Any, ...], order: int) -> dict[Names, Any]:
    """What `Derivatives.others` has of one parameter, as far as `order` asks.

    Parameters
    ----------
    name
        The parameter.
    slopes
        Derivatives in it of log f, of its first and of its second derivative in eta; of the first alone for order 1.
    order
        As in `Family.derivatives`.
    """
    if order % 2 == 0:
        return {}
    found: dict[Names, Any] = {(name,): slopes[0]}
    if order == 3:
        found |= {_sorted(MAIN, name): -slopes[1], _sorted(MAIN, MAIN, name): -slopes[2]}
    return found


def chained(
    slopes: tuple[Any, ...], steps: tuple[Any, ...], dispersion: Mapping[str, tuple[Any, ...]], order: int
) -> Derivatives:
    """Derivatives in eta from those in a coordinate s(eta) (Faa di Bruno's rule up to the third).

    Parameters
    ----------
    slopes
        l, l', l'', l''' in s, as many as `order` asks for and one.
    steps
        s, s', s'', s''' in eta, as many as `order` asks for and one.
    dispersion
        Per parameter the derivatives of (l, l', l'') in it, as far as there are any.
    order
        As in `Family.derivatives`.
    """
    if order == 0:
        return Derivatives(slopes[0])
    s1 = steps[1]
    g = slopes[1] * s1
    if order == 1:
        return Derivatives(slopes[0], g, others={(name,): d[0] for name, d in dispersion.items()})
    s2 = steps[2]
    V = -(slopes[2] * s1**2 + slopes[1] * s2)
    if order == 2:
        return Derivatives(slopes[0], g, V)
    dV = -(slopes[3] * s1**2 * s1 + 3 * slopes[2] * s1 * s2 + slopes[1] * steps[3])
    crossed: dict[Names, Any] = {}
    for name, d in dispersion.items():
        crossed |= in_parameter(name, (d[0], d[1] * s1, d[2] * s1**2 + d[1] * s2), 3)
    return Derivatives(slopes[0], g, V, dV, crossed)


def _sorted(*names: str) -> Names:
    return tuple(sorted(names))
