"""How many threads BLAS may use: one while matrices are small, SciPy's own for a large crossed tail.

NumPy and SciPy each bring a BLAS with a pool of threads that spin while they wait. On matrices of a few hundred
columns the pools gain nothing, and where cores are busy, or both pools are awake, they cost factors of ten and more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

LARGE = 1000  # columns of a dense matrix from which a second thread is worth its price


@contextmanager
def blas_threads(columns: int) -> Iterator[None]:
    """Within the block BLAS runs on one thread; from `LARGE` columns on SciPy's keeps its threads."""
    everything, numpys = _controllers()
    with (numpys if columns >= LARGE else everything).limit(limits=1, user_api="blas"):
        yield


@cache
def _controllers() -> tuple[ThreadpoolController, ThreadpoolController]:
    """Every BLAS of the process, and those that did not come with SciPy (whose routines the large tail uses)."""
    import scipy.linalg  # noqa: F401  (its BLAS must be loaded to be found)

    everything = ThreadpoolController()
    paths = [library["filepath"] for library in everything.info()]
    others = [path for path in paths if "scipy.libs" not in path]
    return everything, everything.select(filepath=others if len(others) < len(paths) else paths)
