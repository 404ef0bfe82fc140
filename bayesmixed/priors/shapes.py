"""Which prior a parameter that shapes a covariance has when the user gives none, by its role."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..covariance import Shape
from ..errors import ModelError
from ..parameters.names import TermNames
from .distributions import LKJ, Beta, Distribution, Prior, Uniform
from .priors import Priors

# role -> (a prior that leans away from the boundary, one of constant density)
RULES: dict[str, tuple[Callable[[Any], Prior], Callable[[Any], Prior]]] = {
    "correlations": (lambda shape: LKJ(2.0), lambda shape: LKJ(1.0)),
    "correlation": (lambda shape: Beta(2.0, 2.0, *shape.ends), lambda shape: Uniform(*shape.ends)),
}


def usual(shape: Shape) -> Prior:
    """LKJ(2) of a correlation matrix, Beta(2, 2) on its range of one correlation."""
    return _rules(shape)[0](shape)


def even(shape: Shape) -> Prior:
    """LKJ(1) of a correlation matrix, a uniform of one correlation."""
    return _rules(shape)[1](shape)


def shape_prior(priors: Priors, named: TermNames, place: int) -> Distribution | None:
    """The prior of the shape at `place` of a bar, its own or that in the prior of the block; None without one."""
    if named.covariance in priors:
        return priors.block(named.covariance).correlation(len(named.sds))
    name = named.shapes[place]
    return priors.distribution(name) if name in priors else None


def _rules(shape: Shape) -> tuple[Callable[[Any], Prior], Callable[[Any], Prior]]:
    if shape.role not in RULES:
        raise ModelError(
            f"No preset has a rule for a covariance parameter in the role of {shape.role!r}: give its prior.",
            topic="prior-missing",
        )
    return RULES[shape.role]
