"""How JAX computes in float64 here: a scope, never a global flag."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .notebook import expect_no_widgets


@contextmanager
def x64(enabled: bool = True) -> Iterator[None]:
    """Inside the scope JAX's default floats are float64.

    The scope belongs to the thread that opens it: every worker opens its own, and results leave it as
    NumPy arrays. JAX is imported on entry.

    Parameters
    ----------
    enabled
        False for float32 inside a scope of float64.

    Returns
    -------
    context manager
        For ``with``.

    Examples
    --------
    >>> import bayesmixed.engines.machine.x64 as scope
    >>> with scope.x64():
    ...     import jax.numpy as jnp
    ...     print(jnp.ones(1).dtype)
    float64
    """
    import jax

    expect_no_widgets()  # NumPyro is imported inside
    with jax.enable_x64(enabled):
        yield
