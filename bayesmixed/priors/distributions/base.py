"""What every prior value knows: its numbers, its words, and for a distribution its NumPyro form and quantiles."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np


@dataclass(frozen=True)
class Kind:
    """What a compiled program must know of a prior: its class and static parts, without its numbers.

    Two priors of one kind differ only in `values`, so they can share a vector site and a compilation.
    """

    prior: Any  # a class of priors
    static: tuple[tuple[str, Any], ...] = ()

    def with_numbers(self, values: dict[str, Any]) -> Any:
        """The prior with these numbers."""
        return self.prior(**values, **dict(self.static))

    def build(self, values: dict[str, Any]) -> Any:
        """The NumPyro distribution with these numbers (NumPy or traced JAX arrays)."""
        return self.with_numbers(values).numpyro()


class Prior:
    """Base of every prior: of one parameter (with arrays as numbers: of the elements of a vector), or of a block.

    `support` is "real", "positive", "correlation", "shares" or "covariance"; `proper` is False for a constant
    density; `stacks` says that several of one kind can form one vector site; `static_fields` are fields that
    decide the shape of a program and therefore are no numbers; `positive_fields` are numbers that must be positive;
    `determined` counts elements that the others fix.
    """

    support: ClassVar[str] = "real"
    label: ClassVar[str] = ""
    proper: ClassVar[bool] = True
    stacks: ClassVar[bool] = True
    static_fields: ClassVar[tuple[str, ...]] = ()
    positive_fields: ClassVar[tuple[str, ...]] = ()
    determined: ClassVar[int] = 0

    @property
    def values(self) -> dict[str, Any]:
        """The numbers, by field name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in self.static_fields}  # type: ignore[arg-type]  # every prior is a dataclass

    @property
    def kind(self) -> Kind:
        """Everything but the numbers."""
        return Kind(type(self), tuple((name, getattr(self, name)) for name in self.static_fields))

    @property
    def length(self) -> int | None:
        """Number of elements when the numbers are arrays, None for a scalar prior."""
        shape = np.broadcast_shapes(*(np.shape(value) for value in self.values.values()))
        return None if shape == () else int(np.prod(shape))

    @property
    def normal_form(self) -> tuple[float, float] | None:
        """Mean and precision where this is a normal (precision 0: flat on the real line), else None."""
        return None

    @property
    def fault(self) -> str | None:
        """What is wrong with the numbers, in words, or None."""
        for name, value in self.values.items():
            if not np.all(np.isfinite(np.asarray(value, dtype=float))):
                return f"{name} must be finite, not {shown(value)}"
            if name in self.positive_fields and not np.all(np.asarray(value) > 0):
                return f"{name} must be positive, not {shown(value)}"
        return None

    def element(self, i: int) -> Prior:
        """The prior of element `i`; a scalar prior is that of every element."""
        if self.length is None:
            return self
        arrays = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in self.values.values()))
        picked = {k: float(array.ravel()[i]) for k, array in zip(self.values, arrays, strict=True)}
        return self.kind.prior(**picked, **dict(self.kind.static))

    def describe(self) -> str:
        """The prior in words.

        >>> from bayesmixed.priors import HalfStudentT
        >>> HalfStudentT(3, 59.3).describe()
        'half-Student-t(3, 0, 59.3)'
        """
        return f"{self.label}({', '.join(shown(value) for value in self.values.values())})"


class Distribution(Prior, ABC):
    """A prior that is one distribution: of a number, a correlation matrix or a vector of shares."""

    @abstractmethod
    def numpyro(self) -> Any:
        """The NumPyro distribution; call it inside ``with bm.x64():`` (it makes JAX arrays)."""

    def written(self) -> str:
        """The call that makes the NumPyro form, as `Model.code` writes it; empty where the form itself shows it."""
        return ""

    @abstractmethod
    def quantile(self, p: Any) -> Any:
        """The value below which a share `p` (any shape) of the prior lies; NaN where the prior is not proper."""

    def log_density(self, value: Any) -> tuple[np.ndarray, np.ndarray]:
        """log density with its constants (-inf outside the support), and its slope, at `value` (any shape).

        From the NumPyro form by JAX; a prior that says its density itself needs neither.
        """
        import jax

        with jax.enable_x64(True):
            distribution = self.numpyro()
            low, high = self.bounds
            values = np.asarray(value, dtype=float)
            # NumPyro's densities mean nothing outside their support, and some are infinite at its ends.
            inside = (low < values) & (values < high)
            safe = np.where(inside, values, self.quantile(0.5))
            density = np.asarray(distribution.log_prob(safe))
            slope = np.asarray(jax.grad(lambda v: distribution.log_prob(v).sum())(safe))
        return np.where(inside, density, -np.inf), np.where(inside, slope, 0.0)

    @property
    def bounds(self) -> tuple[Any, Any]:
        """The ends of the support of a number."""
        return (0.0 if self.support == "positive" else -np.inf), np.inf

    def inside(self, values: Any) -> np.ndarray:
        """`values` (of numbers), those outside the support moved to the 5 % or the 95 % quantile."""
        low, high = self.bounds
        values = np.asarray(values, dtype=float)
        allowed = (low < values) & (values < high)
        if np.all(allowed):
            return values
        return np.where(allowed, values, np.clip(values, self.quantile(0.05), self.quantile(0.95)))

    def draw(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """Independent draws (size,), or (size, length), by NumPy: for what a set of priors implies together."""
        return np.asarray(self.quantile(rng.random(size if self.length is None else (size, self.length))))


def shown(value: Any) -> str:
    """A number as it is printed in a table of priors: four significant digits."""
    return f"{value:.4g}" if np.ndim(value) == 0 else "[" + ", ".join(f"{v:.4g}" for v in np.ravel(value)) + "]"
