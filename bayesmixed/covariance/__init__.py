"""Random-effect covariance structures: one file each, one line in the registry."""

from __future__ import annotations

from ..errors import ModelError, nearest
from .base import Covariance as Covariance
from .base import retriangularise as retriangularise
from .diagonal import Diagonal as Diagonal
from .unstructured import Unstructured as Unstructured

STRUCTURES: dict[str, Covariance] = {structure.name: structure for structure in (Unstructured(), Diagonal())}


def structure(name: str) -> Covariance:
    """The structure of that name; an unknown one is an error that lists the known ones."""
    try:
        return STRUCTURES[name]
    except KeyError:
        message = f"Unknown covariance structure {name!r} in front of a bar. {nearest(name, STRUCTURES)}"
        raise ModelError(message) from None
