"""Random-effect covariance structures: one file each, one line in the registry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

from ..errors import FormulaError, ModelError, nearest
from .base import Covariance as Covariance
from .base import Edge as Edge
from .base import lower_triangles as lower_triangles
from .base import retriangularise as retriangularise
from .compound_symmetry import CompoundSymmetry as CompoundSymmetry
from .diagonal import Diagonal as Diagonal
from .parameters import CORRELATION as CORRELATION
from .parameters import INTERVAL as INTERVAL
from .parameters import Correlation as Correlation
from .parameters import CorrelationMatrix as CorrelationMatrix
from .parameters import Free as Free
from .parameters import Sd as Sd
from .parameters import Shape as Shape
from .parameters import Values as Values
from .parameters import sd_of_all as sd_of_all
from .parameters import sd_of_each as sd_of_each
from .unstructured import Unstructured as Unstructured

STRUCTURES: dict[str, Covariance] = {
    "us": Unstructured(),
    "diag": Diagonal(),
    "cs": CompoundSymmetry(),
    "homcs": CompoundSymmetry(hom=True),
}

Option = bool | float | str

KINDS: dict[type, str] = {bool: "True or False", float: "a number", str: "a text in quotes"}


def structure(name: str, options: Sequence[tuple[str, Option]] = ()) -> Covariance:
    """The structure of that name, with options.

    Parameters
    ----------
    name
        One of ``bm.covariance.STRUCTURES``, as a formula has it in front of a bar: ``cs(0 + f | g)``.
    options
        Pairs of an option's name and its value.

    Returns
    -------
    Covariance

    Raises
    ------
    ModelError
        An unknown structure; the message lists the known ones.
    FormulaError
        An unknown option, or a value that it cannot have; the message lists the structure's options.

    Examples
    --------
    >>> structure("us").n_theta(2)
    3
    """
    if name not in STRUCTURES:
        raise ModelError(
            f"Unknown covariance structure {name!r} in front of a bar. {nearest(name, STRUCTURES)}",
            topic="covariance-structure",
        )
    plain = STRUCTURES[name]
    usual = {field.name: getattr(plain, field.name) for field in fields(plain)}  # type: ignore[arg-type]  # all are dataclasses
    for option, value in options:
        if option not in usual:
            raise FormulaError(
                f"{name}() in front of a bar has no option {option!r}. {_listed(name, usual)}",
                topic="covariance-structure",
            )
        if type(value) is not type(usual[option]):
            kind = KINDS[type(usual[option])]
            what = f"{option}={value!r} of {name}() in front of a bar must be {kind}"
            raise FormulaError(f"{what}. {_listed(name, usual)}", topic="covariance-structure")
    return replace(plain, **dict(options))  # type: ignore[type-var]


def _listed(name: str, usual: dict[str, Option]) -> str:
    if not usual:
        return f"It has none: write {name}(x | g)."
    return "Options and what they are when left out: " + ", ".join(f"{o}={value!r}" for o, value in usual.items()) + "."


def stems() -> tuple[str, ...]:
    """How the names of parameters of blocks may end."""
    free = [kind.parameters(3) for kind in STRUCTURES.values()]
    sds, shapes = [sd.stem for each in free for sd in each.sds], [shape.stem for each in free for shape in each.shapes]
    return tuple(dict.fromkeys(["sigma", "corr", "cov", *sds, *shapes]))


__all__ = [
    "CORRELATION",
    "INTERVAL",
    "STRUCTURES",
    "CompoundSymmetry",
    "Correlation",
    "CorrelationMatrix",
    "Covariance",
    "Diagonal",
    "Edge",
    "Free",
    "Sd",
    "Shape",
    "Unstructured",
    "Values",
    "sd_of_all",
    "sd_of_each",
    "structure",
]


def __dir__() -> list[str]:
    return sorted(__all__)
