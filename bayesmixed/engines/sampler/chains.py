"""Chains side by side: on threads, one compiled program each, or together in one call on an accelerator."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..machine.blas import blas_threads
from ..machine.x64 import x64
from .kernel import ITERATIONS, Compiled, Schedule, compiled
from .metric import identity, metric_at


@dataclass(frozen=True)
class Job:
    """What every chain shares: executables, schedule, arguments on the device, metric, and whom to tell of progress."""

    executables: Compiled
    schedule: Schedule
    data: Any
    values: Any
    metric: Any
    stop: threading.Event
    on_progress: Callable[[int], None]


def run_chains(
    function: Any,
    schedule: Schedule,
    arguments: tuple[Any, ...],
    *,
    seed: int,
    chains: int,
    workers: int,
    on_progress: Callable[[int], None],
    on_start: Callable[[float], None] = lambda seconds: None,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Draws and statistics of every chain as NumPy arrays (chain, draw, ...), warm-up left out.

    Parameters
    ----------
    function, schedule, arguments
        The program, and (data, start values by site, rough scales by site).
    seed, chains, workers
        Chain i draws from child i of the seed, whatever the number of workers (threads).
    on_progress, on_start
        Told the iterations done, from worker threads; and once, before sampling, the seconds of a gradient.

    An interruption ends the chains after their current call and is raised again.
    """
    import jax

    executables = compiled(function, schedule, arguments)
    data, values, scales = arguments
    seeds = np.random.SeedSequence(seed).spawn(chains)
    together = chains if schedule.lanes else 1
    bundles = [seeds[first : first + together] for first in range(0, chains, together)]
    # Compiled programs call SciPy's BLAS, whose pool of threads the chains would fight over.
    with blas_threads(0):
        with x64(schedule.dtype == "float64"):
            data, values = jax.device_put((data, values))
            gradient = _gradient(executables, schedule, data, values)
            metric = metric_at(gradient, _flat(scales), executables.layout)
            arrays = jax.device_put(_cast(metric.arrays, schedule.dtype))
        on_start(metric.seconds)
        job = Job(executables, schedule, data, values, arrays, threading.Event(), on_progress)
        results = [chain for bundle in _side_by_side(job, bundles, workers) for chain in bundle]
    return jax.tree_util.tree_map(lambda *arrays: np.stack(arrays), *results)


def _side_by_side(job: Job, bundles: list[list[np.random.SeedSequence]], workers: int) -> list[list[Any]]:
    pool = ThreadPoolExecutor(workers)
    try:
        jobs = [pool.submit(_bundle, job, bundle) for bundle in bundles]
        finished, _ = wait(jobs, return_when=FIRST_EXCEPTION)
        for done in finished:
            done.result()  # raises what went wrong first, not what stopped the others
        return [done.result() for done in jobs]
    finally:
        job.stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def _gradient(executables: Compiled, schedule: Schedule, data: Any, values: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Shift (d,) from the start values -> gradient (d,) of the potential energy, by the program that starts a chain."""
    import jax

    cut = executables.layout
    plain = jax.device_put(_cast(identity(cut), schedule.dtype))
    rest, blocks = cut.positions()
    order = np.concatenate([rest, *(where.ravel() for where in blocks)])

    def gradient(shift: np.ndarray) -> np.ndarray:
        w = shift[order].astype(schedule.dtype)
        key = np.zeros(2, dtype=np.uint32)
        if schedule.lanes:
            key, w = np.broadcast_to(key, (schedule.lanes, 2)), np.broadcast_to(w, (schedule.lanes, len(w)))
        slopes = np.asarray(executables.start(key, data, values, w, plain)[0].z_grad, dtype=float)
        found = np.empty(len(shift))
        found[order] = slopes[0] if schedule.lanes else slopes
        return found

    return gradient


def _flat(sites: dict[str, Any]) -> np.ndarray:
    """Values by site as one vector, in the order in which JAX ravels a dict."""
    parts = [np.asarray(sites[name], dtype=float).ravel() for name in sorted(sites)]
    return np.concatenate(parts) if parts else np.zeros(0)


def _bundle(job: Job, seeds: list[np.random.SeedSequence]) -> list[Any]:
    """(natural draws, statistics) of each chain of a bundle."""
    import jax

    schedule, kept = job.schedule, []
    total = schedule.tune + schedule.draws
    with x64(schedule.dtype == "float64"):
        state, center = _started(job, seeds)
        given = (job.data, job.metric, center)
        for first in range(0, total, ITERATIONS):
            state, w, keys, stats = jax.block_until_ready(job.executables.advance(state, *given))
            keep = slice(max(schedule.tune - first, 0), min(total - first, ITERATIONS))
            if keep.start < keep.stop:
                kept.append(_kept((job.executables.complete(w, keys, *given), stats), keep, schedule.lanes))
            job.on_progress(min(ITERATIONS, total - first) * len(seeds))
            if job.stop.is_set() and first + ITERATIONS < total:
                raise InterruptedError("another chain ended early")
    return _by_chain(kept, schedule.lanes)


def _started(job: Job, seeds: list[np.random.SeedSequence]) -> Any:
    """The first state of each chain, as far from the center as draws are, and the center."""
    keys = np.array([seed.generate_state(2, np.uint32) for seed in seeds])
    d = job.executables.layout.unknowns
    w = np.array([np.random.default_rng(seed).standard_normal(d) for seed in seeds]).astype(job.schedule.dtype)
    if not job.schedule.lanes:
        keys, w = keys[0], w[0]
    return job.executables.start(keys, job.data, job.values, w, job.metric)


def _kept(tree: Any, keep: slice, lanes: int | None) -> Any:
    import jax

    where = (slice(None), keep) if lanes else keep
    return jax.tree_util.tree_map(lambda array: np.asarray(array)[where], tree)


def _cast(tree: Any, dtype: str) -> Any:
    import jax

    return jax.tree_util.tree_map(lambda array: array.astype(dtype), tree)


def _by_chain(kept: list[Any], lanes: int | None) -> list[Any]:
    """The calls' draws one after the other, a pair for each chain."""
    import jax

    joined = jax.tree_util.tree_map(lambda *arrays: np.concatenate(arrays, axis=1 if lanes else 0), *kept)
    if not lanes:
        return [joined]
    return [jax.tree_util.tree_map(lambda array, i=i: array[i], joined) for i in range(lanes)]
