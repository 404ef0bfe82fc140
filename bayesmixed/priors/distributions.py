"""What a prior distribution is here: a small frozen value that describes itself and becomes a NumPyro distribution."""

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

    prior: type[Prior]
    static: tuple[tuple[str, Any], ...] = ()

    def build(self, values: dict[str, Any]) -> Any:
        """The NumPyro distribution with these numbers (NumPy or traced JAX arrays)."""
        return self.prior(**values, **dict(self.static)).numpyro()


class Prior(ABC):
    """A distribution for one parameter (or, with arrays as numbers, for the elements of a vector).

    `support` is "real", "positive" or "correlation"; `proper` is False for a constant density;
    `stacks` says that several of one kind can form one vector site; `static_fields` are fields that
    decide the shape of a program and therefore are no numbers.
    """

    support: ClassVar[str] = "real"
    label: ClassVar[str] = ""
    proper: ClassVar[bool] = True
    stacks: ClassVar[bool] = True
    static_fields: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def numpyro(self) -> Any:
        """The NumPyro distribution; call it inside ``with bm.x64():`` (it makes JAX arrays)."""

    @property
    def values(self) -> dict[str, Any]:
        """The numbers, by field name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in self.static_fields}  # type: ignore[arg-type]

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

    def element(self, i: int) -> Prior:
        """The prior of element `i`; a scalar prior is that of every element."""
        if self.length is None:
            return self
        arrays = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in self.values.values()))
        picked = {k: float(array.ravel()[i]) for k, array in zip(self.values, arrays, strict=True)}
        return self.kind.prior(**picked, **dict(self.kind.static))

    def describe(self) -> str:
        """The prior in words.

        >>> HalfStudentT(3, 59.3).describe()
        'half-Student-t(3, 0, 59.3)'
        """
        return f"{self.label}({', '.join(shown(value) for value in self.values.values())})"


def shown(value: Any) -> str:
    """A number as it is printed in a table of priors: four significant digits."""
    return f"{value:.4g}" if np.ndim(value) == 0 else "[" + ", ".join(f"{v:.4g}" for v in np.ravel(value)) + "]"


@dataclass(frozen=True)
class Normal(Prior):
    """Normal with mean `loc` and standard deviation `scale`."""

    loc: Any = 0.0
    scale: Any = 1.0
    label = "Normal"

    @property
    def normal_form(self) -> tuple[float, float]:
        return self.loc, 1 / self.scale**2

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.Normal(self.loc, self.scale)


@dataclass(frozen=True)
class StudentT(Prior):
    """Student's t with `df` degrees of freedom, location and scale."""

    df: Any = 3.0
    loc: Any = 0.0
    scale: Any = 1.0
    label = "Student-t"

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.StudentT(self.df, self.loc, self.scale)


@dataclass(frozen=True)
class Cauchy(Prior):
    """Cauchy with location and scale."""

    loc: Any = 0.0
    scale: Any = 1.0
    label = "Cauchy"

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.Cauchy(self.loc, self.scale)


@dataclass(frozen=True)
class Laplace(Prior):
    """Double exponential with location and scale."""

    loc: Any = 0.0
    scale: Any = 1.0
    label = "Laplace"

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.Laplace(self.loc, self.scale)


@dataclass(frozen=True)
class HalfNormal(Prior):
    """The absolute value of a Normal(0, `scale`)."""

    scale: Any = 1.0
    support = "positive"
    label = "half-Normal"

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.HalfNormal(self.scale)

    def describe(self) -> str:
        return f"half-Normal(0, {shown(self.scale)})"


@dataclass(frozen=True)
class HalfCauchy(Prior):
    """The absolute value of a Cauchy(0, `scale`)."""

    scale: Any = 1.0
    support = "positive"
    label = "half-Cauchy"

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.HalfCauchy(self.scale)

    def describe(self) -> str:
        return f"half-Cauchy(0, {shown(self.scale)})"


@dataclass(frozen=True)
class HalfStudentT(Prior):
    """The absolute value of a Student-t(`df`, 0, `scale`)."""

    df: Any = 3.0
    scale: Any = 1.0
    support = "positive"
    label = "half-Student-t"

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.FoldedDistribution(dist.StudentT(self.df, 0.0, self.scale))

    def describe(self) -> str:
        return f"half-Student-t({shown(self.df)}, 0, {shown(self.scale)})"


@dataclass(frozen=True)
class Exponential(Prior):
    """Exponential with mean 1 / `rate`."""

    rate: Any = 1.0
    support = "positive"
    label = "Exponential"

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.Exponential(self.rate)


@dataclass(frozen=True)
class Gamma(Prior):
    """Gamma with mean `concentration` / `rate`."""

    concentration: Any = 2.0
    rate: Any = 1.0
    support = "positive"
    label = "Gamma"

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.Gamma(self.concentration, self.rate)


@dataclass(frozen=True)
class InverseGamma(Prior):
    """The reciprocal of a Gamma(`concentration`, rate `rate`)."""

    concentration: Any = 2.0
    rate: Any = 1.0
    support = "positive"
    label = "inverse-Gamma"

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.InverseGamma(self.concentration, self.rate)


@dataclass(frozen=True)
class LogNormal(Prior):
    """The exponential of a Normal(`loc`, `scale`)."""

    loc: Any = 0.0
    scale: Any = 1.0
    support = "positive"
    label = "log-Normal"

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.LogNormal(self.loc, self.scale)


@dataclass(frozen=True)
class Uniform(Prior):
    """Uniform between `low` and `high`."""

    low: Any = 0.0
    high: Any = 1.0
    label = "Uniform"

    @property
    def support(self) -> str:  # type: ignore[override]
        return "positive" if np.all(np.asarray(self.low) >= 0) else "real"

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.Uniform(self.low, self.high)


@dataclass(frozen=True)
class Flat(Prior):
    """A constant density on the real line, or on the positive half with ``support="positive"``; not proper."""

    support: str = "real"  # type: ignore[misc]
    label = "flat"
    proper = False
    static_fields = ("support",)

    @property
    def normal_form(self) -> tuple[float, float] | None:
        return (0.0, 0.0) if self.support == "real" else None

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.ImproperUniform(getattr(dist.constraints, self.support), (), ())

    @property
    def length(self) -> int | None:
        return None

    def describe(self) -> str:
        return "flat" if self.support == "real" else "flat on (0, inf)"


@dataclass(frozen=True)
class LKJ(Prior):
    """Density proportional to |R|^(`concentration` - 1) on correlation matrices of `dimension` columns.

    Source: Lewandowski, Kurowicka & Joe (2009, J. Multivariate Anal. 100, 1989-2001). NumPyro samples
    the Cholesky factor of R. A `dimension` of None takes that of the block.
    """

    concentration: Any = 2.0
    dimension: int | None = None
    support = "correlation"
    label = "LKJ"
    stacks = False
    static_fields = ("dimension",)

    def numpyro(self) -> Any:
        import numpyro.distributions as dist

        return dist.LKJCholesky(self.dimension, self.concentration)
