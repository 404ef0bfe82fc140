"""One BLAS thread while matrices are small.

NumPy and SciPy each bring a BLAS with a pool of threads that spin while they wait. On matrices of a few hundred
columns the pools gain nothing, and on a machine whose cores are busy they cost factors of ten and more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

LARGE = 2000  # columns of a dense matrix from which a second thread is worth its price


@contextmanager
def blas_threads(columns: int) -> Iterator[None]:
    """Within the block BLAS runs on one thread, unless a dense matrix has `LARGE` columns or more."""
    if columns >= LARGE:
        yield
        return
    with _controller().limit(limits=1, user_api="blas"):
        yield


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
