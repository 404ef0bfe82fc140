"""Links g(mu) = eta: forward, inverse and derivative, on arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..errors import ModelError, nearest


@dataclass(frozen=True)
class Link(ABC):
    """A link and its inverse; `xp` is the array module, so that one definition serves NumPy and JAX."""

    name: ClassVar[str]

    @abstractmethod
    def forward(self, mu: Any, xp: Any = np) -> Any:
        """eta = g(mu), elementwise."""

    @abstractmethod
    def inverse(self, eta: Any, xp: Any = np) -> Any:
        """mu = g^-1(eta), elementwise."""

    @abstractmethod
    def slope(self, mu: Any, xp: Any = np) -> Any:
        """g'(mu), elementwise."""


class Identity(Link):
    """eta = mu."""

    name = "identity"

    def forward(self, mu: Any, xp: Any = np) -> Any:
        return mu

    def inverse(self, eta: Any, xp: Any = np) -> Any:
        return eta

    def slope(self, mu: Any, xp: Any = np) -> Any:
        return xp.ones_like(mu)


LINKS: dict[str, Link] = {value.name: value for value in (Identity(),)}


def link(name: str) -> Link:
    """The link of that name; an unknown one is an error with the nearest names."""
    try:
        return LINKS[name]
    except KeyError:
        raise ModelError(f"Unknown link {name!r}. {nearest(name, LINKS)}") from None
