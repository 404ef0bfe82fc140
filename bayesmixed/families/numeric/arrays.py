"""Which array functions a density is written with: NumPy's and SciPy's, or JAX's, by the same names."""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from scipy import special


class Arrays:
    """The functions of several modules under one name; the first module that has one wins.

    >>> NUMPY.gammaln(5.0) == NUMPY.log(24.0)
    np.True_
    """

    def __init__(self, *modules: ModuleType) -> None:
        self.modules = modules

    def __getattr__(self, name: str) -> Any:
        found = next((getattr(module, name) for module in self.modules if hasattr(module, name)), None)
        if found is None:
            raise AttributeError(f"no array function {name!r}")
        self.__dict__[name] = found
        return found


NUMPY = Arrays(np, special)


@cache
def jax_arrays() -> Arrays:
    """JAX's functions; imported when first asked for."""
    import jax.numpy as jnp
    from jax.scipy import special as jsp

    return Arrays(jnp, jsp)
