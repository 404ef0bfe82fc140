"""Which array functions a density is written with: NumPy's and SciPy's, or JAX's, by the same names."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any


class Arrays:
    """The functions of several modules under one name; the first that has one wins, imported when first asked.

    >>> NUMPY.gammaln(5.0) == NUMPY.log(24.0)
    np.True_
    """

    def __init__(self, *modules: str) -> None:
        self.modules = modules

    def __getattr__(self, name: str) -> Any:
        modules = map(import_module, self.modules)
        found = next((getattr(module, name) for module in modules if hasattr(module, name)), None)
        if found is None:
            raise AttributeError(f"no array function {name!r}")
        self.__dict__[name] = found
        return found


NUMPY = Arrays("numpy", "scipy.special")


@cache
def jax_arrays() -> Arrays:
    """JAX's functions."""
    return Arrays("jax.numpy", "jax.scipy.special")
