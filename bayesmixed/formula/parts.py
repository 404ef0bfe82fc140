"""What a formula says once its operators are expanded: terms, bars, and the right side of each predictor."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .syntax import Binary, Node, String, deparse

WITH_TWO_BARS = "diag"  # the structure that || stands for


@dataclass(frozen=True, repr=False)
class Term:
    """A product of atoms, in order of first appearance: ``a:poly(x, 2)`` has two atoms."""

    atoms: tuple[Node, ...]

    @property
    def name(self) -> str:
        """The term as R labels it; a remainder in an interaction has parentheses, since ``:`` binds closer."""
        if len(self.atoms) == 1:
            return deparse(self.atoms[0])
        return ":".join(f"({deparse(atom)})" if _remainder(atom) else deparse(atom) for atom in self.atoms)

    @property
    def key(self) -> frozenset[str]:
        """What makes two terms equal: the set of atoms, whatever their order."""
        return frozenset(deparse(atom) for atom in self.atoms)

    def __repr__(self) -> str:
        return f"Term({self.name!r})"


def _remainder(atom: Node) -> bool:
    return isinstance(atom, Binary) and atom.operator in ("%%", "%/%")


@dataclass(frozen=True, repr=False)
class Bar:
    """One random-effect term ``(columns | factor)``, after ``/``, ``*`` and ``+`` on its right were expanded.

    `covariance` is "us" for ``|``, "diag" for ``||``, else the name written in front: ``cs(0 + f | g)``; `options`
    are what follows the bar by name, ``cs(0 + f | g, hom=True)``. `double` remembers that the user typed ``||``.
    """

    intercept: bool
    terms: tuple[Term, ...]
    factor: tuple[Node, ...]
    covariance: str = "us"
    double: bool = False
    options: tuple[tuple[str, bool | float | str], ...] = ()

    @property
    def group(self) -> str:
        """Name of the grouping factor: "Subject", "batch:cask"."""
        return ":".join(deparse(atom) for atom in self.factor)

    @property
    def plain(self) -> bool:
        """Whether it is written with a bar alone, so that every sd and correlation is free."""
        return self.covariance == "us" and not self.options

    @property
    def left(self) -> str:
        """The columns' side as text: "1 + Days", "0 + Machine"."""
        names = [term.name for term in self.terms]
        return " + ".join(["1" if self.intercept else "0", *names])

    @property
    def text(self) -> str:
        """The bar in lme4's (or, for a named structure, glmmTMB's) notation."""
        inside = f"{self.left} {'||' if self.double else '|'} {self.group}"
        if self.double or self.plain:
            return f"({inside})"
        options = [f"{name}={_shown(value)}" for name, value in self.options]
        return f"{self.covariance}({', '.join([inside, *options])})"

    def structured(self, covariance: str) -> Bar:
        """The same columns with another structure."""
        return replace(self, covariance=covariance, double=covariance == WITH_TWO_BARS, options=())

    def __repr__(self) -> str:
        return f"Bar({self.text!r})"


def _shown(value: bool | float | str) -> str:
    if isinstance(value, str):
        return deparse(String(value))
    return repr(value).removesuffix(".0")


@dataclass(frozen=True)
class RightSide:
    """The right side of one predictor; `dot` says that ``.`` stands for every column not otherwise used."""

    intercept: bool
    terms: tuple[Term, ...]
    bars: tuple[Bar, ...] = ()
    offsets: tuple[Node, ...] = ()
    dot: bool = False
