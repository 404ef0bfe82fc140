"""The text of a function of the user's own, where it stands by itself in a script."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from textwrap import dedent
from typing import Any

import numpy as np

from ..errors import ModelError

SAME = 1e-12  # relative: the same function compiled twice


def source(make: Callable[..., Any], family: str, y: np.ndarray, arguments: Mapping[str, Any]) -> str:
    """The definition of a function ``make(mu, **dispersion)`` that returns a NumPyro distribution.

    Parameters
    ----------
    make
        The function.
    family
        The name of its family, for the message.
    y, arguments
        A response and what the function is given, at which the text is compared with the function.

    Raises
    ------
    ModelError
        Where it has no text, or its text needs names that it neither imports nor defines.
    """
    import jax
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist

    known = {"jax": jax, "jnp": jnp, "np": np, "numpyro": numpyro, "dist": dist}
    try:
        text = dedent(inspect.getsource(make))
        exec(compile(text, f"the family {family}", "exec"), known)
        again = known[make.__name__](**arguments).log_prob(y)
        same = np.allclose(again, make(**arguments).log_prob(y), rtol=SAME, atol=SAME, equal_nan=True)
    except Exception as stop:
        raise ModelError(
            f"A script cannot hold the distribution of the family {family!r}: "
            f"{str(stop) or type(stop).__name__}. Write it with def, in a file or a cell, and import inside of it what "
            "it uses.",
            topic="not-in-a-script",
        ) from stop
    if not same:
        raise ModelError(
            f"A script cannot hold the distribution of the family {family!r}: its text alone gives other densities. "
            "Pass all numbers that it uses as arguments, or write them into it.",
            topic="not-in-a-script",
        )
    return text
