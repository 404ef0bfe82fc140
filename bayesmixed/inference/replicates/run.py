"""Replicates of a design drawn and fitted: in parts, here, in processes or on a cluster, the same whatever the parts.

Replicate i draws from child i of the seed's sequence, so it depends on the seed and on i alone.
"""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from ...engines.machine.progress import progress_bar
from ...errors import FitError
from ...prediction.seeds import is_whole

MANY, FEW = 1024, 8  # replicates of a part: searched side by side, or one by one
NUMBERS = 2**23  # responses of a part, 64 MB


class Task(Protocol):
    """What is done for some replicates; it can be pickled."""

    @property
    def together(self) -> bool:
        """Whether many replicates cost little more than a few."""

    @property
    def rows(self) -> int:
        """Rows of a replicate."""

    def __call__(self, numbers: range) -> Any:
        """What becomes of the replicates of these numbers."""


@dataclass(frozen=True)
class Workers:
    """Where replicates are made: in this process (`n_jobs` 1), in `n_jobs` others, or by a Dask `client`."""

    n_jobs: int = 1
    client: Any = None
    progress: bool | None = None

    def __post_init__(self) -> None:
        if not is_whole(self.n_jobs) or self.n_jobs < 1:
            raise FitError(f"n_jobs must be a whole number, at least 1, not {self.n_jobs!r}.", topic="whole-number")


@dataclass(frozen=True)
class Done:
    """Parts in the order of their replicates, whose `numbers` (n,) these are; `interrupted` before all were made."""

    parts: tuple[Any, ...]
    interrupted: bool
    numbers: np.ndarray


def children(seed: int, numbers: range) -> list[np.random.Generator]:
    """The generators of some replicates: child i of the seed's sequence for number i."""
    return [np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(i,))) for i in numbers]


def run(
    task: Task, n: int, workers: Workers, *, batch: int | None = None, enough: Callable[[list[Any]], bool] | None = None
) -> Done:
    """Do the task for replicates 0 .. n - 1 in parts of `batch`; an interruption keeps the parts that are done.

    It ends before n where the first parts, in order, are `enough`.

    Raises
    ------
    KeyboardInterrupt
        Where no part was done.
    """
    size = batch or max(1, min(MANY if task.together else FEW, NUMBERS // max(task.rows, 1)))
    parts = [range(first, min(first + size, n)) for first in range(0, n, size)]
    done: dict[int, Any] = {}
    interrupted = False
    with progress_bar(workers.progress, n, delay=1.0) as bar:
        bar.say("refitting")
        try:
            for i, result in _results(task, parts, workers):
                done[i] = result
                bar.step(len(parts[i]))
                if enough is not None and enough(_leading(done)):
                    break
        except KeyboardInterrupt:
            if not done:
                raise
            interrupted = True
            bar.interrupted()
    made = sorted(done)
    numbers = np.concatenate([np.asarray(parts[i]) for i in made]) if made else np.zeros(0, dtype=int)
    return Done(tuple(done[i] for i in made), interrupted, numbers)


def _leading(done: dict[int, Any]) -> list[Any]:
    """The parts from the first on without a gap."""
    first = next(i for i in range(len(done) + 1) if i not in done)
    return [done[i] for i in range(first)]


def _results(task: Task, parts: Sequence[range], workers: Workers) -> Iterator[tuple[int, Any]]:
    if workers.client is not None:
        yield from _on_cluster(task, parts, workers.client)
    elif workers.n_jobs > 1 and len(parts) > 1:
        yield from _in_processes(task, parts, workers.n_jobs)
    else:
        yield from ((i, task(part)) for i, part in enumerate(parts))


def _in_processes(task: Task, parts: Sequence[range], n_jobs: int) -> Iterator[tuple[int, Any]]:
    """In spawned processes, each of which gets the task once."""
    _refuse_unsendable(task)
    context = multiprocessing.get_context("spawn")
    count = min(n_jobs, len(parts))
    pool = ProcessPoolExecutor(count, mp_context=context, initializer=_receive, initargs=(task,))
    try:
        yield from _finished({pool.submit(_work, part): i for i, part in enumerate(parts)})
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _refuse_unsendable(task: Task) -> None:
    """Raise a FitError for what cannot be sent to another process: a lambda, say."""
    try:
        pickle.dumps(task)
    except Exception as problem:  # whatever an object of the user's raises
        raise FitError(
            f"n_jobs: this cannot be sent to other processes ({type(problem).__name__}: {problem}). Functions must be "
            "defined with def at the top of a module, no lambda; or leave n_jobs out.",
            topic="other-processes",
        ) from None


def _finished(jobs: dict[Future[Any], int]) -> Iterator[tuple[int, Any]]:
    for job in as_completed(jobs):
        yield jobs[job], job.result()


def _on_cluster(task: Task, parts: Sequence[range], client: Any) -> Iterator[tuple[int, Any]]:
    """By the workers of a Dask client."""
    as_finished: Any = import_module("dask.distributed").as_completed  # which has no types
    (sent,) = client.scatter([task], broadcast=True, hash=False)
    jobs = {client.submit(_call, sent, part, pure=False): i for i, part in enumerate(parts)}
    try:
        for job in as_finished(jobs):
            yield jobs[job], job.result()
    finally:
        client.cancel(list(jobs))


def _call(task: Task, part: range) -> Any:
    return task(part)


_OF_PROCESS: list[Callable[[range], Any]] = []


def _receive(task: Task) -> None:
    _OF_PROCESS[:] = [task]


def _work(part: range) -> Any:
    return _OF_PROCESS[0](part)
