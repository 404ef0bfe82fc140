"""From program and start to judged draws: a short warm-up first, a longer adaptive one where that was not enough."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BayesMixedWarning
from ..fits.status import DrawsStatus
from ..interop.naming import posterior_dataset, sample_stats_dataset
from .compilation_cache import enable_from_environment
from .compiled import Schedule, is_compiled
from .diagnostics import doubts, draws_status
from .driver import run_chains
from .metric import DENSE_UP_TO, Layout, layout
from .program import Program
from .progress import Progress, progress_bar
from .start import Start, site_scales, site_values

if TYPE_CHECKING:
    from ..model import Model
    from .nuts import NUTS

CHAIN_METHODS = ("auto", "threads", "sequential", "vectorized")
SHORT, LONG = 200, 1500  # iterations of the warm-up that only finds a step size, and of the one that adapts the metric
SHORT_ROUGH = 500  # with a metric that leaves curvature out
LARGE_BYTES = 2e9  # of draws: said before the fit
STEPS = 8  # gradients of a typical draw
LONG_SECONDS = 60.0  # of sampling: said before it begins


@dataclass(frozen=True)
class Sampled:
    """Natural draws and sample statistics (chain, draw, ...), and how far they can be trusted."""

    natural: dict[str, Any]
    statistics: dict[str, np.ndarray]
    status: DrawsStatus


def sample_posterior(
    engine: NUTS, model: Model, program: Program, start: Start, seed: int, progress: bool | None
) -> Sampled:
    """Draws by the engine's options; with ``tune="auto"`` sampled again where the first draws are doubtful."""
    enable_from_environment()
    _say_size(engine, model)
    task = _Task(model, program, start, seed, progress)
    if engine.tune != "auto":
        return task.run(_schedule(engine, task.layout.unknowns, int(engine.tune), adapt=True), engine)
    first = task.run(_schedule(engine, task.layout.unknowns, _short(task.layout), adapt=False), engine)
    found = doubts(first.status, engine)
    if not found:
        return first
    careful = replace(engine, target_accept=_higher(engine.target_accept))
    second = task.run(_schedule(careful, task.layout.unknowns, LONG, adapt=True), careful, "sampling again: ")
    told = (
        f"After a short warm-up with the metric held, {found}. These draws come from one of {LONG} iterations that "
        f"adapted the metric and aimed at an acceptance of {careful.target_accept:g}."
    )
    return replace(second, status=replace(second.status, warmup=told))


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
    def layout(self) -> Layout:
        """How the unconstrained space is cut."""
        function = self.program.function
        return layout(self.scales, function.effect_factors, exact=function.levels_independent)

    def run(self, schedule: Schedule, engine: NUTS, prefix: str = "") -> Sampled:
        """Sample by this schedule; `engine` has the options that remedies speak of."""
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
        posterior = posterior_dataset(self.model, natural)
        status = draws_status(self.program.route, posterior, sample_stats_dataset(statistics), engine)
        return Sampled(natural, statistics, status)


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


def _short(cut: Layout) -> int:
    exact = len(cut.blocks) <= cut.exact  # one factor in blocks, or none: no curvature is left out
    return SHORT if exact else SHORT_ROUGH


def _vectorized(chain_method: str) -> bool:
    if chain_method != "auto":
        return chain_method == "vectorized"
    import jax

    return jax.default_backend() != "cpu"


def _higher(target_accept: float) -> float:
    """A quarter of the rejections."""
    return min(0.99, round(1 - (1 - target_accept) / 4, 3))


def _say_size(engine: NUTS, model: Model) -> None:
    effects = sum(group.n_levels * len(group.columns) for group in model.design.groups)
    needed = 8.0 * engine.chains * engine.draws * (effects + len(model.coefficients))
    if needed > LARGE_BYTES:
        warnings.warn(
            f"{engine.chains} x {engine.draws} draws of {effects:,} effects will take {needed / 1e9:.1f} GB. Fewer "
            f"draws take less: bm.NUTS(draws={max(100, int(engine.draws * LARGE_BYTES / needed))}).",
            BayesMixedWarning,
            4,
        )


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
