"""How one piece of work is done for many seeds: side by side on threads, the same answers for any number of them.

The work of a replicate is mostly compiled code, which does not hold the interpreter's lock.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

import numpy as np

from ...errors import FitError

T = TypeVar("T")


def over_replicates(
    work: Callable[[int, np.random.SeedSequence], T],
    n: int,
    seed: int,
    *,
    workers: int | None = None,
    on_done: Callable[[int], None] = lambda done: None,
) -> list[T]:
    """``[work(0, child 0 of the seed), work(1, child 1), ...]``; replicate i does not depend on n or the workers.

    Parameters
    ----------
    work
        Takes the replicate's number and its seed. What it raises ends the whole run and is raised here, as an
        interruption is; replicates that have not begun are dropped then.
    n, seed
        Number of replicates, and the seed whose children they get.
    workers
        Threads, one per processor core if None.
    on_done
        Called with 1 after every replicate, from its thread.
    """
    stop = threading.Event()

    def job(i: int, child: np.random.SeedSequence) -> T | None:
        if stop.is_set():
            return None
        try:
            result = work(i, child)
            on_done(1)
        except BaseException:
            stop.set()
            raise
        return result

    pool = ThreadPoolExecutor(_threads(workers, n))
    try:
        jobs = [pool.submit(job, i, child) for i, child in enumerate(np.random.SeedSequence(seed).spawn(n))]
        return _results(jobs)
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def _results(jobs: Sequence[Future[Any]]) -> list[Any]:
    finished, _ = wait(jobs, return_when=FIRST_EXCEPTION)
    for done in finished:
        done.result()  # raises what went wrong
    return [done.result() for done in jobs]


def _threads(workers: int | None, n: int) -> int:
    if workers is None:
        workers = os.cpu_count() or 1
    if not isinstance(workers, int | np.integer) or isinstance(workers, bool) or workers < 1:
        raise FitError(
            f"workers must be a whole number, at least 1, or None for one per core, not {workers!r}.",
            topic="whole-number",
        )
    return min(int(workers), n)
