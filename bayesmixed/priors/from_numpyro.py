"""How a distribution that a user built with NumPyro becomes a prior of ours, with its numbers in float64."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ModelError
from . import distributions as ours
from .distributions import Distribution, Kind, Prior, shown

# NumPyro class -> (our class, its fields in terms of NumPyro's attributes).
KNOWN: dict[str, tuple[type[Prior], tuple[str, ...]]] = {
    "Normal": (ours.Normal, ("loc", "scale")),
    "StudentT": (ours.StudentT, ("df", "loc", "scale")),
    "Cauchy": (ours.Cauchy, ("loc", "scale")),
    "Laplace": (ours.Laplace, ("loc", "scale")),
    "HalfNormal": (ours.HalfNormal, ("scale",)),
    "HalfCauchy": (ours.HalfCauchy, ("scale",)),
    "Exponential": (ours.Exponential, ("rate",)),
    "Gamma": (ours.Gamma, ("concentration", "rate")),
    "InverseGamma": (ours.InverseGamma, ("concentration", "rate")),
    "Uniform": (ours.Uniform, ("low", "high")),
    "LogNormal": (ours.LogNormal, ("loc", "scale")),
}


def as_prior(value: Any, name: str) -> Prior:
    """The prior that `value` (one of ours, or a NumPyro distribution) stands for.

    A distribution built outside the float64 scope carries float32 numbers; they are read back as the
    shortest decimal that they print as, so that ``Normal(0, 0.1)`` means 0.1.

    Raises
    ------
    ModelError
        If `value` is neither.
    """
    if isinstance(value, Prior):
        return value
    distribution = _unwrapped(value)
    if isinstance(value, type) or not hasattr(distribution, "support") or not hasattr(distribution, "log_prob"):
        raise ModelError(
            f"The prior of {name!r} is {value!r}. Give a numpyro distribution such as "
            "numpyro.distributions.Normal(0, 1), or a value of bm.priors such as bm.priors.Normal(0, 1).",
            topic="prior-form",
        )
    return _translated(distribution) or _kept(distribution, name)


def _unwrapped(value: Any) -> Any:
    """Without ``.expand`` and ``.to_event``, which only say how often a scalar prior is used."""
    while type(value).__name__ in ("ExpandedDistribution", "Independent"):
        value = value.base_dist
    return value


def _translated(distribution: Any) -> Prior | None:
    name = type(distribution).__name__
    if name in ("LKJ", "LKJCholesky"):
        return ours.LKJ(_number(distribution.concentration), int(distribution.dimension))
    if name == "FoldedDistribution":
        return _folded(distribution.base_dist)
    if name == "ImproperUniform":
        return _flat(distribution)
    if name not in KNOWN:
        return None
    kind, attributes = KNOWN[name]
    return kind(*(_number(getattr(distribution, attribute)) for attribute in attributes))


def _folded(base: Any) -> Prior | None:
    if type(base).__name__ == "StudentT" and np.all(np.asarray(base.loc) == 0):
        return ours.HalfStudentT(_number(base.df), _number(base.scale))
    return None


def _flat(distribution: Any) -> Prior | None:
    low, high = _bounds(distribution)
    if np.isfinite(high) or low not in (0.0, -np.inf):
        return None
    return ours.Flat("positive" if low == 0 else "real")


def _bounds(distribution: Any) -> tuple[Any, Any]:
    """The ends of the support, infinite where it has none."""
    low, high = (getattr(distribution.support, f"{end}_bound", np.inf) for end in ("lower", "upper"))
    return np.asarray(-np.inf if low is np.inf else low, dtype=float), np.asarray(high, dtype=float)


def _kept(distribution: Any, name: str) -> Prior:
    import jax

    kind = type(distribution).__name__
    if kind == "Delta":
        raise ModelError(
            f"A Delta would hold {name!r} at one value: sigma is held by constants={{'sigma': value}}, a coefficient "
            "by offset(value * column) in place of its column.",
            topic="prior-form",
        )
    if distribution.is_discrete or kind == "ImproperUniform":
        raise ModelError(
            f"{kind} cannot be the prior of {name!r}: that takes a density over real numbers.", topic="prior-form"
        )
    if distribution.batch_shape or distribution.event_shape:
        raise ModelError(
            f"The prior of {name!r} is a {type(distribution).__name__} of shape "
            f"{tuple(distribution.batch_shape) + tuple(distribution.event_shape)}. "
            "Give one scalar distribution per coefficient, by the coefficient's name.",
            topic="prior-form",
        )
    leaves, tree = jax.tree_util.tree_flatten(distribution)
    numbers = tuple(_number(leaf) for leaf in leaves)
    return FromNumpyro(numbers, tree, _words(distribution), _support(distribution))


def _words(distribution: Any) -> str:
    """The class and its parameters by name, wrapped distributions inside."""
    parts = [f"{name}={shown(_number(getattr(distribution, name)))}" for name in type(distribution).arg_constraints]
    if hasattr(distribution, "base_dist"):
        parts.insert(0, _words(distribution.base_dist))
    return f"{type(distribution).__name__}({', '.join(parts)})"


def _support(distribution: Any) -> str:
    """Say "positive" when the support's lower end is known and not below zero."""
    support = distribution.support
    lower = getattr(support, "lower_bound", None)
    text = type(support).__name__.lstrip("_").lower() + repr(support).lower()
    if "positive" in text or "unit" in text or (lower is not None and np.all(np.asarray(lower) >= 0)):
        return "positive"
    return "real"


def _number(value: Any) -> Any:
    """A float (or float64 array); float32 numbers by their shortest decimal."""
    array = np.asarray(value)
    if array.dtype == np.float32:
        array = np.array([float(str(v)) for v in array.ravel()]).reshape(array.shape)
    array = array.astype(float)
    return float(array) if array.ndim == 0 else array


@dataclass(frozen=True)
class FromNumpyro(Distribution):
    """A scalar NumPyro distribution that has no counterpart here, rebuilt from its numbers where it is used."""

    numbers: tuple[float, ...]
    tree: Any
    words: str
    support: str  # type: ignore[misc]
    stacks = False

    @property
    def values(self) -> dict[str, Any]:
        return {"numbers": self.numbers}

    @property
    def kind(self) -> Kind:
        return Kind(FromNumpyro, (("tree", self.tree), ("words", ""), ("support", self.support)))

    @property
    def length(self) -> int | None:
        return None

    def numpyro(self) -> Any:
        import jax

        return jax.tree_util.tree_unflatten(self.tree, self.numbers)

    @property
    def fault(self) -> str | None:
        return None

    @property
    def bounds(self) -> tuple[Any, Any]:
        return _bounds(self.numpyro())

    def quantile(self, p: Any) -> Any:
        """Of draws with a fixed seed: not every NumPyro distribution has an inverse."""
        return np.quantile(self.draw(np.random.default_rng(0), 20_000), p)

    def draw(self, rng: np.random.Generator, size: int) -> np.ndarray:
        import jax

        # Single precision will do for draws that are only summarised.
        return np.asarray(self.numpyro().sample(jax.random.PRNGKey(int(rng.integers(2**31))), (size,)))

    def describe(self) -> str:
        return self.words
