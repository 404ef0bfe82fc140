"""How a NumPyro distribution is written: the call that makes it, read from its class and checked by making it again."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from ...errors import ModelError

SAME = 1e-12  # relative, of log densities: the same numbers in the same formula
POINTS = 4  # at which they are compared
FORMS = ("numpyro.distributions", "numpyro.distributions.constraints", "numpyro.distributions.transforms")


def written(distribution: Any, name: str, text: str = "") -> str:
    """The text that makes a distribution, with `dist` for numpyro.distributions and `np` for NumPy.

    Parameters
    ----------
    distribution
        Of NumPyro, its numbers concrete; call it inside ``with bm.x64():``.
    name
        Whose prior it is, for the message.
    text
        A text that is known; else it is read from the distribution.

    Raises
    ------
    ModelError
        Where the class does not show what it was made of.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> with bm.x64():
    ...     written(bm.priors.HalfStudentT(3.0, 59.3).numpyro(), "sigma")
    'dist.FoldedDistribution(dist.StudentT(3.0, 0.0, 59.3))'
    """
    import numpyro.distributions as dist

    try:
        text = text or _value(distribution)
        again = eval(text, {"dist": dist, "np": np})
        same = _equal(distribution, again) or _same(distribution, again)
    except (AttributeError, TypeError, ValueError, SyntaxError, NotImplementedError):
        same = False
    if not same:
        raise ModelError(
            f"The prior of {name!r}, a {type(distribution).__name__}, cannot be written as text: its class does not "
            "keep what it was made of. Give one of bm.priors, or a NumPyro distribution whose arguments are its "
            "attributes.",
            topic="not-in-a-script",
        )
    return text


def number(value: Any) -> str:
    """A number, or an array of them, as Python reads it back exactly.

    >>> number(np.float64(2)), number(np.array([1.0, 0.5]))
    ('2.0', 'np.array([1.0, 0.5])')
    """
    array = np.asarray(value)
    if array.ndim == 0:
        return repr(array.item())
    return f"np.array({array.tolist()!r})"


def plain(values: np.ndarray) -> np.ndarray:
    """The same numbers without what the last digit or two have of rounding.

    >>> plain(np.array([-4.499999999999998]))
    array([-4.5])
    """
    return np.vectorize(lambda value: float(f"{value:.14g}"), otypes=[float])(values)


def _value(value: Any) -> str:
    if value is None or isinstance(value, bool | int | str):
        return repr(value)
    if isinstance(value, tuple | list):
        inner = ", ".join(map(_value, value)) + ("," if isinstance(value, tuple) and len(value) == 1 else "")
        return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
    if type(value).__module__.startswith(FORMS):
        return _object(value)
    return number(value)


def _object(value: Any) -> str:
    """A distribution, a constraint or a transform."""
    import numpyro.distributions as dist

    kind = type(value)
    if kind is dist.Independent:
        return f"{_value(value.base_dist)}.to_event({value.reinterpreted_batch_ndims})"
    if kind is dist.ExpandedDistribution:
        return f"{_value(value.base_dist)}.expand({list(value.batch_shape)})"
    if hasattr(value, "base_constraint") and value.reinterpreted_batch_ndims == 0:
        return _object(value.base_constraint)
    for module, place in ((dist.constraints, "dist.constraints"), (dist.transforms, "dist.transforms"), (dist, "dist")):
        ready = next((n for n, each in vars(module).items() if each is value and not n.startswith("_")), None)
        if ready:
            return f"{place}.{ready}"
        made = next((n for n, each in vars(module).items() if each is kind and not n.startswith("_")), None)
        if made:
            return f"{place}.{made}({', '.join(_arguments(value))})"
    raise AttributeError(f"{kind.__name__} is not in numpyro.distributions")


def _arguments(value: Any) -> list[str]:
    """Those of the constructor, but for settings that are what they are when left out."""
    found: list[str] = []
    named = False
    for name, parameter in inspect.signature(type(value).__init__).parameters.items():
        if name in ("self", "validate_args") or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        held = _held(value, name)
        if (held is None or isinstance(held, bool | str)) and held == parameter.default:
            named = True
            continue
        text = _value(held)
        found.append(f"{name}={text}" if named or parameter.kind is parameter.KEYWORD_ONLY else text)
    return found


def _held(value: Any, name: str) -> Any:
    for attribute in (name, f"_{name}", name.replace("distribution", "dist")):
        if hasattr(value, attribute):
            return getattr(value, attribute)
    raise AttributeError(name)


def _equal(one: Any, other: Any) -> bool:
    """Whether two distributions are of one class of NumPyro's with the same numbers, which needs no density."""
    import jax

    (mine, kind), (yours, its) = jax.tree_util.tree_flatten(one), jax.tree_util.tree_flatten(other)
    try:
        return bool(kind == its) and all(map(np.array_equal, mine, yours))  # type: ignore[operator]  # a stub lacks ==
    except ValueError:  # a constraint that holds arrays is compared as one truth
        return False


def _same(one: Any, other: Any) -> bool:
    """Whether two distributions have the same shapes and densities, at points of the whole support."""
    import jax
    from numpyro.distributions import biject_to

    if (one.batch_shape, one.event_shape) != (other.batch_shape, other.event_shape):
        return False
    to_support = biject_to(one.support)
    shape = to_support.inverse_shape(one.batch_shape + one.event_shape)
    points = to_support(jax.random.normal(jax.random.PRNGKey(0), (POINTS, *shape)))
    return bool(np.allclose(one.log_prob(points), other.log_prob(points), rtol=SAME, atol=SAME))
