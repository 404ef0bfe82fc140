"""How many threads BLAS may use: one while matrices are small, SciPy's own for a large crossed tail.

NumPy and SciPy each bring a BLAS with a pool of threads that spin while they wait. On matrices of a few hundred
columns the pools gain nothing, and where cores are busy, or both pools are awake, they cost factors of ten and more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock

from threadpoolctl import LibController, ThreadpoolController

LARGE = 2000  # columns of a dense matrix from which a second thread is worth its price


@contextmanager
def blas_threads(columns: int) -> Iterator[None]:
    """Within the block BLAS runs on one thread; from `LARGE` columns on SciPy's keeps its threads.

    The limit belongs to the process: blocks of several threads share it, and the last one out restores it.
    """
    everything, numpys = _controllers()
    shared = _NUMPYS if columns >= LARGE else _EVERYTHING
    shared.enter(numpys if columns >= LARGE else everything)
    try:
        yield
    finally:
        shared.leave()


class _Shared:
    """A limit that is set by the first who needs it and lifted by the last."""

    def __init__(self) -> None:
        self.lock, self.users = Lock(), 0
        self.before: list[tuple[LibController, int]] = []

    def enter(self, controller: ThreadpoolController) -> None:
        with self.lock:
            self.users += 1
            if self.users == 1:
                libraries = [library for library in controller.lib_controllers if library.user_api == "blas"]
                self.before = [(library, library.num_threads) for library in libraries]
                for library in libraries:
                    library.set_num_threads(1)

    def leave(self) -> None:
        with self.lock:
            self.users -= 1
            if self.users == 0:
                for library, threads in self.before:
                    library.set_num_threads(threads)


_EVERYTHING, _NUMPYS = _Shared(), _Shared()


@cache
def _controllers() -> tuple[ThreadpoolController, ThreadpoolController]:
    """Every BLAS of the process, and those that did not come with SciPy (whose routines the large tail uses)."""
    import scipy.linalg  # noqa: F401  (its BLAS must be loaded to be found)

    everything = ThreadpoolController()
    paths = [library["filepath"] for library in everything.info()]
    others = [path for path in paths if "scipy.libs" not in path]
    return everything, everything.select(filepath=others if len(others) < len(paths) else paths)
