"""The designs and effects whose power is asked for, and how replicates of each are drawn and judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from ...degrees.methods import default
from ...engines.base import Engine
from ...engines.refits.refits import Refitter
from ...errors import FitError
from ...fits.point import PointFit
from ...model import Model
from ..replicates.redraw import Parametric, Redraw
from ..replicates.run import children
from .decisions import Asked, ByCurvature, ByRatio, ByReference, BySize, Decided, Decision
from .extended import extended
from .restricted import restricted
from .tested import Tested
from .truth import state, truths

RATIO, NORMAL = "lrt", "asymptotic"
WALD = {"wald": NORMAL, "z": NORMAL}  # other names of methods for degrees of freedom
TOGETHER: dict[str, Callable[[Model], float | None]] = {  # methods of which many responses are judged at once: their df
    "satterthwaite": lambda model: None,
    NORMAL: lambda model: np.inf,
    "residual": lambda model: float(model.n_obs - len(model.design.mu.coefficients)),
}


@dataclass(frozen=True)
class Size:
    """`levels` and `repeats` by factor, `effect` by parameter: one row of the table."""

    levels: Mapping[str, int]
    repeats: Mapping[str, int]
    effect: Mapping[str, Any]

    @property
    def columns(self) -> dict[str, Any]:
        """As columns of a table."""
        times = {f"{name} repeats": value for name, value in self.repeats.items()}
        return {**self.levels, **times, **self.effect}


@dataclass(frozen=True, eq=False)
class Setting:
    """One design with parameters: responses are drawn, and something is concluded from each by a `method`.

    `true` (T,) are the values that tests are of, NaN of joint ones.
    """

    size: Size
    model: Model
    redraw: Redraw
    decision: Decision
    method: str
    true: np.ndarray


@dataclass(frozen=True, eq=False)
class Judged:
    """How every design is judged: the tests, the engine of the fits and the method of the tests."""

    tests: tuple[Tested, ...]
    engine: Engine
    method: Any
    seed: int


@dataclass(frozen=True, eq=False)
class PowerReplicates:
    """The task: replicate i of setting s is number s n + i, and draws from child i of the seed's sequence."""

    settings: tuple[Setting, ...]
    n: int
    seed: int

    @property
    def together(self) -> bool:
        """Whether many replicates cost little more than a few."""
        return all(setting.decision.together for setting in self.settings)

    @property
    def rows(self) -> int:
        """Rows of the largest replicate."""
        return max(setting.model.design.n_rows for setting in self.settings)

    def __call__(self, numbers: range) -> list[tuple[int, int, Decided]]:
        """Per setting its position, the number of the first replicate, and what is concluded."""
        found = []
        for s in range(numbers.start // self.n, (numbers.stop - 1) // self.n + 1):
            first, last = max(numbers.start - s * self.n, 0), min(numbers.stop - s * self.n, self.n)
            y = self.settings[s].redraw.responses(children(self.seed, range(first, last)))
            found.append((s, first, self.settings[s].decision(y)))
        return found


def sizes(
    levels: Mapping[str, Sequence[int]], repeats: Mapping[str, Sequence[int]], effect: Mapping[str, Sequence[Any]]
) -> list[Size]:
    """Every combination, effects slowest and levels fastest."""
    return [
        Size(dict(zip(levels, L, strict=True)), dict(zip(repeats, R, strict=True)), dict(zip(effect, E, strict=True)))
        for E in product(*effect.values())
        for R in product(*repeats.values())
        for L in product(*levels.values())
    ]


def settings(template: Model, params: Mapping[str, Any], wanted: Sequence[Size], judged: Judged) -> tuple[Setting, ...]:
    """The settings; a design that several effects share is made once."""
    made: dict[tuple[Any, ...], Model] = {}
    found = []
    for size in wanted:
        key = (*size.levels.items(), *size.repeats.items())
        if key not in made:
            made[key] = extended(template, size.levels, size.repeats)
        found.append(_setting(made[key], dict(params) | dict(size.effect), size, judged))
    return tuple(found)


def _setting(model: Model, params: Mapping[str, Any], size: Size, judged: Judged) -> Setting:
    at, tests = state(model, params), judged.tests
    ratio = judged.method == RATIO
    models = [model, *(restricted(model, test.rows) for test in tests)] if ratio else [model]
    fit, *smaller = truths(at, models, judged.engine, judged.seed)
    refitter = fit.engine.refitter(fit)
    method = judged.method
    if ratio:
        decision: Decision = ByRatio(refitter, tests, tuple(each.engine.refitter(each) for each in smaller))
    elif callable(method):
        decision, method = Asked(refitter, tests, method), "a function"
    else:
        method = default(fit) if method is None else WALD.get(method, method)
        decision = _by_method(fit, refitter, tests, method)
    beta = at.parameters.stacked[0, 0]
    true = np.array([test.value(beta) for test in tests])
    return Setting(size, model, Parametric(at), decision, method, true)


def _by_method(fit: PointFit, refitter: Refitter, tests: tuple[Tested, ...], method: str) -> Decision:
    """Tests with degrees of freedom by a method: of many responses at once, where that is possible."""
    nothing = np.zeros((0, fit.model.design.n_rows))
    if method in TOGETHER and refitter.criteria(nothing) is not None:
        return BySize(fit, refitter, tests, TOGETHER[method](fit.model))
    if method == NORMAL and refitter.curved:
        return ByCurvature(fit, refitter, tests)
    return ByReference(refitter, tests, method)


def checked_effects(effect: Any) -> dict[str, list[Any]]:
    """Values by parameter, each a list of what to try.

    Raises
    ------
    FitError
        For what is no dict.
    """
    if effect is None:
        return {}
    if not isinstance(effect, Mapping):
        raise FitError(
            f'effect must be a dict of parameters, such as effect={{"x": [0.2, 0.5]}}, not {effect!r}.',
            topic="stated-parameters",
        )
    found = {}
    for name, values in effect.items():
        several = isinstance(values, list | tuple | range | np.ndarray)
        found[str(name)] = list(values) if several else [values]
        if not found[str(name)]:
            raise FitError(f"effect[{name!r}] names no value.", topic="stated-parameters")
    return found
