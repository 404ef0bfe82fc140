"""A response distribution of the user's own: a NumPyro distribution, its derivatives by JAX."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from ..errors import FitError, ModelError, nearest
from .base import Family, Observed
from .derivatives import Derivatives, Names, in_parameter
from .links import LINKS, Link
from .links import link as link_of
from .numeric.arrays import NUMPY, jax_arrays
from .parameters import FamilyParameter, parameter
from .source import source
from .written import Written

Make = Callable[..., Any]


def custom(
    name: str,
    distribution: Make,
    *,
    dispersion: tuple[str | FamilyParameter, ...] = ("phi",),
    link: str | Link = "log",
    discrete: bool = False,
    support: str = "",
    mean: Callable[..., Any] | None = None,
    mean_range: tuple[float, float] = (-np.inf, np.inf),
    start: Mapping[str, float] | None = None,
) -> Family:
    """A family from a function that makes a NumPyro distribution, usable by every engine.

    Parameters
    ----------
    name
        What to call it; `bm.load(path, family=...)` asks for it by this name.
    distribution
        ``distribution(mu, **dispersion)`` with mu (n,) a JAX array gives the NumPyro distribution of y, one element
        per row. Write it with ``jax.numpy`` and ``numpyro.distributions``.
    dispersion
        Its parameters besides mu: names of positive ones, or `parameter` values, ``parameter("zi", "probability")``.
    link
        Link of mu, a name or a value.
    discrete
        Whether responses are counts.
    support
        What responses may be, in words, for error messages.
    mean
        ``mean(mu, **dispersion)``, E(y), where it is not the distribution's own `mean`.
    mean_range
        Open interval of mu.
    start
        Rough values of the parameters, where that of `parameter` (1 for a name) will not do.

    Returns
    -------
    Family
        For ``bm.Model(..., family=...)``. Weights are frequencies. A name that a built-in family has ("sigma") has
        its role and default prior, and so has a `parameter` that is a scale, a precision or a probability. The
        priors of all others must be given: ``priors={"shape": bm.priors.HalfNormal(2)}``.

    Raises
    ------
    ModelError
        For a name that a built-in family has, or arguments of the wrong kind.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> def weibull(mu, shape):
    ...     import jax.scipy.special as jsp, numpyro.distributions as dist
    ...     import jax.numpy as jnp
    ...     return dist.Weibull(mu / jnp.exp(jsp.gammaln(1 + 1 / shape)), shape)
    >>> family = bm.families.custom("weibull", weibull, dispersion=("shape",), support="positive numbers")
    >>> family.name, family.link.name
    ('weibull', 'log')
    """
    from . import FAMILIES

    if name in FAMILIES:
        raise ModelError(f"A family {name!r} is built in: choose another name for your own.", topic="custom-family")
    if not callable(distribution):
        raise ModelError("distribution must be a function of mu and the dispersion parameters.", topic="custom-family")
    if isinstance(dispersion, str):
        raise ModelError(f"dispersion must be a tuple of names: dispersion=({dispersion!r},).", topic="custom-family")
    given = {each.name: each for each in map(_as_parameter, dispersion)}
    for each, value in (start or {}).items():
        if each not in given:
            raise ModelError(f"start has no parameter {each!r}. {nearest(each, given)}", topic="custom-family")
        given[each] = replace(given[each], start=float(value))
    chosen = link if isinstance(link, Link) else link_of(link)
    return Custom(
        link=chosen,
        name=name,
        make=distribution,
        others=tuple(given.values()),
        discrete=discrete,
        support=support,
        own_mean=mean,
        mean_range=mean_range,
    )


def _as_parameter(given: str | FamilyParameter) -> FamilyParameter:
    """A name alone is that of a positive number, of the role that the first built-in family gives it."""
    from . import FAMILIES

    if isinstance(given, FamilyParameter):
        return given
    known = (each for kind in FAMILIES.values() for each in kind.others if each.name == given)
    return replace(next(known, parameter(given, "shape")), start=1.0, limit=None)


@dataclass(frozen=True, kw_only=True)
class Custom(Family):
    """What `custom` makes; its traits are fields of the value, which the built-in families have as class variables."""

    compiled = True

    link: Link
    name: str  # type: ignore[misc]  # a class variable of the built-in families
    make: Make
    others: tuple[FamilyParameter, ...]  # type: ignore[misc]
    discrete: bool  # type: ignore[misc]
    support: str  # type: ignore[misc]
    own_mean: Callable[..., Any] | None
    mean_range: tuple[float, float]  # type: ignore[misc]
    links: tuple[str, ...] = field(default=tuple(LINKS), repr=False)  # type: ignore[misc]

    def faults(self, observed: Observed) -> Iterator[tuple[np.ndarray, str]]:
        yield ~np.isfinite(observed.y), "Remove those rows."
        middle = np.full(np.shape(observed.y), self._some_mean)
        inside = self._numpy(lambda made: made.support(observed.y), middle, self.start(observed, middle))
        yield ~np.asarray(inside, dtype=bool), "Choose another family, or correct those rows."

    def constant(self, observed: Observed, xp: Any = NUMPY) -> Any:
        """Nothing: what holds no parameter is not known apart."""
        return xp.zeros_like(observed.y)

    def derivatives(
        self, observed: Observed, eta: Any, dispersion: dict[str, Any], order: int, xp: Any = NUMPY
    ) -> Derivatives:
        """By JAX, forward mode in every row at once; compiled once per order and shape where the arrays are NumPy's."""
        if xp is not NUMPY:
            return _derivatives(self, observed.y, eta, dispersion, order).times(observed.weights)
        import jax

        with jax.enable_x64(True):
            found = _compiled(self, order)(np.asarray(observed.y, float), eta, dispersion)
            parts = jax.tree_util.tree_map(np.asarray, found)
        return Derivatives(*parts).times(observed.weights)

    def mean(self, mu: Any, dispersion: dict[str, Any], weights: Any = None) -> Any:
        if self.own_mean is not None:
            return np.asarray(self.own_mean(mu, **dispersion))
        try:
            return self._numpy(lambda made: made.mean, mu, dispersion)
        except NotImplementedError:
            raise self._lacks("mean", "give custom(mean=...)") from None

    def sd(self, mu: np.ndarray, dispersion: dict[str, Any], weights: Any = None, trials: Any = None) -> np.ndarray:
        try:
            return np.sqrt(self._numpy(lambda made: made.variance, mu, dispersion))
        except NotImplementedError:
            raise self._lacks("variance", 'use residuals("response")') from None

    def cdf(self, y: np.ndarray, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any) -> np.ndarray:
        try:
            return self._numpy(lambda made: made.cdf(y), mu, dispersion)
        except NotImplementedError:
            raise self._lacks("cdf", 'use residuals("response") or residuals("pearson")') from None

    def draw(
        self, rng: np.random.Generator, mu: np.ndarray, dispersion: dict[str, Any], weights: Any, trials: Any
    ) -> np.ndarray:
        import jax

        seed = int(rng.integers(2**31))
        return self._numpy(lambda made: made.sample(jax.random.key(seed)), mu, dispersion).astype(float)

    def written(self, weights: str, trials: str) -> Written:
        """The user's function and a call of it."""
        middle, given = self._some_mean, {parameter.name: parameter.start for parameter in self.others}
        given_mu = {"mu": np.full(1, middle)}
        text = source(self.make, self.name, np.full(1, middle), given_mu | given)
        called = ", ".join(["mu", *(f"{name}={name}" for name in given)])
        return Written(f"{self.make.__name__}({called})", text)

    def distribution(self, mu: Any, dispersion: dict[str, Any], weights: Any, trials: Any) -> Any:
        return self.make(mu, **dispersion)

    def _numpy(self, question: Callable[[Any], Any], mu: Any, dispersion: Mapping[str, Any]) -> np.ndarray:
        """What the distribution answers, in float64, as NumPy; mu and parameters broadcast."""
        import jax

        with jax.enable_x64(True):
            shape = np.broadcast_shapes(np.shape(mu), *(np.shape(value) for value in dispersion.values()))
            made = self.make(jax.numpy.broadcast_to(jax.numpy.asarray(mu, float), shape), **dispersion)
            return np.asarray(question(made))

    def _lacks(self, what: str, remedy: str) -> FitError:
        return FitError(
            f"The NumPyro distribution of the family {self.name!r} has no {what}: {remedy}.", topic="custom-family"
        )


@lru_cache(maxsize=64)
def _compiled(family: Custom, order: int) -> Any:
    import jax

    def numbers(y: Any, eta: Any, dispersion: dict[str, Any]) -> tuple[Any, ...]:
        found = _derivatives(family, y, eta, dispersion, order)
        return found.kernel, found.g, found.V, found.dV, dict(found.others)

    return jax.jit(numbers)


def _derivatives(family: Custom, y: Any, eta: Any, dispersion: dict[str, Any], order: int) -> Derivatives:
    """Rows are independent, so that a tangent of ones gives every row's own derivative."""
    import jax.numpy as jnp

    shape = jnp.broadcast_shapes(jnp.shape(y), jnp.shape(eta), *(jnp.shape(value) for value in dispersion.values()))
    eta = jnp.broadcast_to(jnp.asarray(eta, float), shape)
    values = {name: jnp.asarray(value, float) for name, value in dispersion.items()}

    def density(at: Any, parameters: dict[str, Any]) -> Any:
        return family.make(family.link.inverse(at, jax_arrays()), **parameters).log_prob(y)

    parts: list[Any] = [density]
    for _ in range(order):
        parts.append(_slope_in_eta(parts[-1]))
    found = [part(eta, values) for part in parts] + [None] * (3 - order)
    kernel, g, V, dV = found[0], found[1], _minus(found[2]), _minus(found[3])
    others: dict[Names, Any] = {}
    for name in values if order % 2 else ():
        others |= in_parameter(name, _slopes_in(name, parts[:order], eta, values), order)
    return Derivatives(kernel, g, V, dV, others)


def _minus(value: Any) -> Any:
    return None if value is None else -value


def _slope_in_eta(function: Any) -> Any:
    import jax

    return lambda at, values: jax.jvp(lambda e: function(e, values), (at,), (jax.numpy.ones_like(at),))[1]


def _slopes_in(name: str, parts: list[Any], eta: Any, values: dict[str, Any]) -> tuple[Any, ...]:
    """Derivatives of each function in one parameter."""
    import jax

    def of(function: Any) -> Any:
        one = jax.numpy.ones_like(values[name])
        return jax.jvp(lambda v: function(eta, values | {name: v}), (values[name],), (one,))[1]

    return tuple(of(part) for part in parts)
