"""From program and start to judged draws: a short warm-up first, a longer adaptive one where that was not enough."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...fits.status import DrawsStatus
from ...interop.naming import posterior_dataset, sample_stats_dataset
from ...parameters.values import Parameters
from ..machine.compilation_cache import enable_from_environment
from ..machine.progress import Progress, progress_bar
from ..program import Program
from ..room import LARGE_BYTES
from .chain_start import Start, site_scales, site_values
from .chains import run_chains
from .diagnostics import doubts, draws_status
from .kernel import Schedule, is_compiled
from .metric import DENSE_UP_TO, MetricLayout, layout

if TYPE_CHECKING:
    from ...model import Model
    from ..nuts import NUTS

SHORT, LONG = 200, 1500  # iterations of the warm-up that only finds a step size, and of the one that adapts the metric
SHORT_ROUGH = 500  # with a metric that leaves curvature out
ENOUGH = 300  # effective draws a chain that a longer run aims at, where chains mixed slowly without diverging,
MOST_TIMES = 6  # by at most so many times the draws
SLOW = 25  # effective draws a chain below which another parameterisation is tried
STEPS = 8  # gradients of a typical draw
LONG_SECONDS = 60.0  # of sampling: said before it begins


@dataclass(frozen=True)
class SampledPosterior:
    """Draws of the parameters and sample statistics (chain, draw, ...), and how far they can be trusted."""

    parameters: Parameters
    statistics: dict[str, np.ndarray]
    status: DrawsStatus


def sample_posterior(
    engine: NUTS, model: Model, programs: Sequence[Program], start: Start, seed: int, progress: bool | None
) -> SampledPosterior:
    """Draws by the engine's options and the first program.

    With ``tune="auto"`` sampled again where the first draws are doubtful, by the next program if they mix badly.
    """
    enable_from_environment()
    task = _Task(model, programs[0], start, seed, progress)
    if engine.tune != "auto":
        return task.run(_schedule(engine, task.layout.unknowns, int(engine.tune), adapt=True), engine)
    first = task.short(engine)
    found = doubts(first.status, engine)
    for program in programs[1:]:
        if found and first.status.min_ess_bulk < SLOW * engine.chains:
            other = replace(task, program=program)
            second = other.short(engine, "sampling again: ")
            if second.status.min_ess_bulk > first.status.min_ess_bulk:
                task, first, found = other, second, doubts(second.status, engine)
    if not found:
        return first
    return task.longer(engine, first, found) if task.can_run_longer(engine, first) else task.careful(engine, found)


@dataclass(frozen=True)
class _Task:
    model: Model
    program: Program
    start: Start
    seed: int
    progress: bool | None

    @property
    def values(self) -> dict[str, np.ndarray]:
        return site_values(self.start, self.program.function, self.program.data)

    @property
    def scales(self) -> dict[str, np.ndarray]:
        return site_scales(self.start, self.program.function, self.program.data)

    @property
    def layout(self) -> MetricLayout:
        """How the unconstrained space is cut."""
        function = self.program.function
        return layout(self.scales, function.effect_factors, exact=function.levels_independent)

    def short(self, engine: NUTS, prefix: str = "") -> SampledPosterior:
        """After a warm-up that only finds a step size."""
        cut = self.layout
        return self.run(_schedule(engine, cut.unknowns, _short(cut), adapt=False), engine, prefix)

    def can_run_longer(self, engine: NUTS, first: SampledPosterior) -> bool:
        """Whether nothing diverged, and many times the draws can be held at once."""
        unknowns = self.layout.unknowns
        fits = 8.0 * MOST_TIMES * engine.chains * engine.draws * unknowns < LARGE_BYTES
        return fits and first.status.divergences <= engine.chains * engine.draws // 1000

    def longer(self, engine: NUTS, first: SampledPosterior, found: str) -> SampledPosterior:
        """The same for as many times as long as `first` says."""
        wanted = ENOUGH * engine.chains / max(first.status.min_ess_bulk, 1.0)
        times = int(np.clip(np.ceil(wanted), 2, MOST_TIMES))
        schedule = _schedule(engine, self.layout.unknowns, _short(self.layout), adapt=False)
        told = f"After {engine.draws:,} draws a chain {found}. These are one in {times} of {times * engine.draws:,}."
        many = replace(schedule, draws=times * engine.draws)
        second = self.run(many, engine, "sampling on: ", keep=times)
        return replace(second, status=replace(second.status, warmup=told))

    def careful(self, engine: NUTS, found: str) -> SampledPosterior:
        """After a long warm-up that adapts the metric, with smaller steps."""
        careful = replace(engine, target_accept=_higher(engine.target_accept))
        schedule = _schedule(careful, self.layout.unknowns, LONG, adapt=True)
        told = (
            f"After a short warm-up with the metric held, {found}. These draws come from one of {LONG} iterations that "
            f"adapted the metric and aimed at an acceptance of {careful.target_accept:g}."
        )
        second = self.run(schedule, careful, "sampling again: ")
        return replace(second, status=replace(second.status, warmup=told))

    def run(self, schedule: Schedule, engine: NUTS, prefix: str = "", keep: int = 1) -> SampledPosterior:
        """Sample by this schedule, one of `keep` draws kept; `engine` has the options that remedies speak of."""
        function = self.program.function
        arguments = _cast((self.program.data, self.values, self.scales), engine.dtype)
        workers = 1 if engine.chain_method == "sequential" else min(engine.chains, os.cpu_count() or 1)
        with progress_bar(self.progress, engine.chains * (schedule.tune + schedule.draws), prefix) as bar:
            bar.say("sampling" if is_compiled(function, schedule, arguments) else "compiling")
            natural, statistics = run_chains(
                function,
                schedule,
                arguments,
                seed=self.seed,
                chains=engine.chains,
                workers=workers,
                on_progress=bar.add,
                on_start=lambda seconds: _say_time(bar, seconds, schedule, engine, workers),
            )
        parameters = _every(Parameters(**natural), keep)
        statistics = {name: np.ascontiguousarray(values[:, keep - 1 :: keep]) for name, values in statistics.items()}
        posterior = posterior_dataset(self.model, parameters)
        status = draws_status(
            self.program.route, posterior, sample_stats_dataset(statistics), engine, self.program.sentence
        )
        return SampledPosterior(parameters, statistics, status)


def _every(parameters: Parameters, keep: int) -> Parameters:
    """One of `keep` draws."""
    draws = parameters.beta.shape[1]
    return parameters if keep == 1 else parameters.take(np.arange(keep - 1, draws, keep))


def _schedule(engine: NUTS, unknowns: int, tune: int, *, adapt: bool) -> Schedule:
    return Schedule(
        tune=tune,
        draws=engine.draws,
        target_accept=float(engine.target_accept),
        max_tree_depth=engine.max_tree_depth,
        dense=adapt and unknowns <= DENSE_UP_TO,
        adapt=adapt,
        dtype=engine.dtype,
        lanes=engine.chains if _vectorized(engine.chain_method) else None,
    )


def _short(cut: MetricLayout) -> int:
    exact = len(cut.blocks) <= cut.exact  # one factor in blocks, or none: no curvature is left out
    return SHORT if exact else SHORT_ROUGH


def _vectorized(chain_method: str) -> bool:
    if chain_method != "auto":
        return chain_method == "vectorized"
    import jax

    return jax.default_backend() != "cpu"


def _higher(target_accept: float) -> float:
    """A quarter of the rejections, not below what was asked for."""
    return max(target_accept, min(0.99, round(1 - (1 - target_accept) / 4, 3)))


def _say_time(bar: Progress, seconds: float, schedule: Schedule, engine: NUTS, workers: int) -> None:
    rounds = 1 if schedule.lanes else -(-engine.chains // workers)
    expected = seconds * STEPS * (schedule.tune + schedule.draws) * rounds
    if expected > LONG_SECONDS:
        bar.note(
            f"A gradient takes {1000 * seconds:.1f} ms, so sampling may take about {expected / 60:.0f} minutes. "
            "Ctrl-C stops it."
        )
    bar.say("sampling")


def _cast(tree: Any, dtype: str) -> Any:
    """Every float of nested dicts and tuples as an array of `dtype`."""
    if isinstance(tree, dict):
        return {key: _cast(value, dtype) for key, value in tree.items()}
    if isinstance(tree, tuple):
        return tuple(_cast(value, dtype) for value in tree)
    array = np.asarray(tree)
    return array.astype(dtype) if array.dtype.kind == "f" else array
