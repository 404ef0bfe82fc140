"""Which parameters a fit has, under the names of its tables, and how each is held."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ...covariance.pins import Pin
from ...design.design import Design
from ...errors import FitError, nearest
from ...fits.tables import scalar_table
from ...likelihood.at import effects_unit
from ...messages import Told
from ...page import listed
from ...parameters.names import structure_of
from .by_rows import RowsGround
from .ground import Ground, Held, Point
from .linear import LinearGround
from .pinned import Estimates, Pinned

if TYPE_CHECKING:
    from ...fits.base import Fit
    from ...fits.point import PointFit


@dataclass(frozen=True)
class Parameter:
    """One number of a fit: its `label` and `kind` in tables, its `place` among all.

    `ends` between which it lies, `hold` how it is held; where it cannot be `refusal` says why. `simpler` as `Pinned`'s.
    """

    label: str
    kind: str
    place: int
    ends: tuple[float, float]
    hold: Callable[[Ground], Held] | None
    refusal: str = ""
    simpler: Callable[[float], bool] = lambda value: False

    def pinned(self, ground: Ground) -> Pinned:
        """The criterion of a fit in which this is a coordinate."""
        assert self.hold is not None
        held = self.hold(ground)
        estimates = estimates_by(ground.fit.model.design, held.point)
        where = (self.label, self.place, held.criterion, held.chart, held.x, self.ends)
        return Pinned(*where, estimates, held.signed, self.simpler, effects_unit(ground.fit.model))


def ground(fit: PointFit) -> Ground:
    """What a fit by maximum likelihood maximised."""
    if fit.model.has_scale:
        return LinearGround.of(fit)
    return RowsGround.with_sigmas(fit) if fit.model.linear else RowsGround.generalized(fit)


def parameters(fit: Fit) -> list[Parameter]:
    """Every parameter in the order of `side_by_side`, one that is not estimated with the reason."""
    table = scalar_table(fit.model.design, fit.parameters)
    found = [*_coefficients(fit), *_blocks(fit), *_dispersions(fit)]
    return [
        Parameter(label, kind, i, *each)
        for i, (label, kind, each) in enumerate(zip(table["label"], table["kind"], found, strict=True))
    ]


def chosen(
    which: str | Sequence[str] | None, known: Sequence[Parameter], verb: str, *, alone: bool = True
) -> list[Parameter]:
    """The parameters of those names; all that are estimated if None; those that can be held `alone`.

    Raises
    ------
    FitError
        An unknown name, one that is not estimated, or no name.
    """
    refused = {each.label for each in known if each.refusal and (alone or each.hold is not None)}
    if which is None:
        return [each for each in known if each.label not in refused]
    by_name = {each.label: each for each in known}
    if not isinstance(which, Iterable):
        raise FitError(
            f"{verb}: which={which!r} is no name. Parameters: {', '.join(by_name)}.", topic="no-such-parameter"
        )
    names = [which] if isinstance(which, str) else list(which)
    for name in names:
        if name not in by_name:
            raise FitError(
                f"{verb}: the fit has no parameter {name!r}. {nearest(str(name), by_name, 'Parameters')}",
                topic="no-such-parameter",
            )
        if name in refused:
            raise FitError(f"{verb}: {by_name[name].refusal}", topic="not-profiled")
    if not names:
        raise FitError(f"{verb}: which=[] asks for nothing. Parameters: {', '.join(by_name)}.", topic="nothing-named")
    return [by_name[name] for name in dict.fromkeys(names)]


def left_out(which: object, known: Sequence[Parameter]) -> tuple[str, ...]:
    """Of all parameters asked for, those that cannot be held, in a sentence."""
    names = [each.label for each in known if each.hold is None]
    if which is not None or not names:
        return ()
    return (
        Told(
            "not-profiled",
            f"Not profiled: {listed(names)}, whose covariance structure has no coordinate for one of them alone.",
        ),
    )


# ends, how it is held, why it is not, and where the model is a simpler one
_Way = tuple[tuple[float, float], Callable[[Ground], Held] | None, str, Callable[[float], bool]]
REAL = (-np.inf, np.inf)


def _never(value: float) -> bool:
    return False


def _coefficients(fit: Fit) -> list[_Way]:
    return [(REAL, partial(_coefficient, i=i), "", _never) for i in range(len(fit.model.design.coefficients))]


def _coefficient(ground: Ground, i: int) -> Held:
    return ground.coefficient(i)


def _blocks(fit: Fit) -> list[_Way]:
    found: list[_Way] = []
    for j, term in enumerate(fit.model.design.groups):
        structure, k = structure_of(term), len(term.columns)
        free, pins = structure.parameters(k), structure.pins(k)
        reason = f"the covariance of {term.text} has no coordinates in which one of its parameters is held alone."
        if not pins:
            found += [(REAL, None, reason, _never)] * (len(free.sds) + sum(shape.size for shape in free.shapes))
        found += [(pin.ends, partial(_block, j=j, pin=pin), "", _never) for pin in pins]
    return found


def _block(ground: Ground, j: int, pin: Pin) -> Held:
    return ground.block(j, pin)


def _dispersions(fit: Fit) -> list[_Way]:
    known = {each.name: each for each in fit.model.family.others}
    found: list[_Way] = []
    for name in fit.parameters.dispersion:
        constant = fit.model.constants.get(name)
        held = "" if constant is None else f"{name} is held at {constant:g} by constants=: it is not estimated."
        limit = known[name].limit
        simpler = _never if limit is None else limit.reached
        found.append((known[name].bounds, partial(_dispersion, name=name), held, simpler))
    return found


def _dispersion(ground: Ground, name: str) -> Held:
    return ground.dispersion(name)


def estimates_by(design: Design, point: Point) -> Estimates:
    """x -> all parameters (m,) in the order of tables."""
    terms = [(structure_of(term), term.columns) for term in design.groups]

    def estimates(x: np.ndarray) -> np.ndarray:
        beta, factors, dispersion = point(x)
        blocks: list[float] = []
        for (structure, columns), F in zip(terms, factors, strict=True):
            values, shapes = structure.values(F), structure.parameters(len(columns)).shapes
            blocks += values.sds.tolist()
            for shape, value in zip(shapes, values.shapes, strict=True):
                blocks += [float(number) for number in shape.numbers(np.asarray(shape.stated(value)), columns).values()]
        return np.array([*beta, *blocks, *dispersion.values()])

    return estimates
