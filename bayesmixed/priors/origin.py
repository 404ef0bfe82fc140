"""Where a bar's sds and correlations are stated: at zero of its columns as typed, or at their means.

The sd of an intercept, and its correlations, are those of a line at x = 0, wherever the data lie. Stated for columns
centred at their means (over the rows used) they mean the same whatever the origin of x: with z = T z_c, T unit lower
triangular with the means in its first column, b_c = T'b and Sigma = T'^-1 Sigma_c T^-1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..covariance import Covariance

if TYPE_CHECKING:
    from ..formula.design import Design, GroupTerm
    from ..model import Model


@dataclass(frozen=True)
class Placed:
    """Priors as `Model(priors=)` takes them, with their bars stated at the columns' means or at zero."""

    spec: Any
    centered: bool


def centered(spec: Any = None) -> Placed:
    """The same priors, those of correlated bars stated for columns centred at their means.

    Parameters
    ----------
    spec
        What ``Model(priors=)`` takes: a preset's name, a dict, a function. The default priors and a dict are centred
        already; ``"brms"``, ``"rstanarm"`` and ``"bambi"`` are not.

    Returns
    -------
    Placed
        For ``bm.Model(..., priors=)``.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> sleep = bm.load_data("sleepstudy")
    >>> model = bm.Model("Reaction ~ Days + (Days | Subject)", sleep, priors=bm.priors.centered("brms"))
    >>> model.priors.centered
    True
    """
    return Placed(spec, True)


def as_typed(spec: Any = None) -> Placed:
    """The same priors, those of correlated bars stated at zero of their columns, as other packages do.

    Parameters
    ----------
    spec
        What ``Model(priors=)`` takes.

    Returns
    -------
    Placed
        For ``bm.Model(..., priors=)``.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> sleep = bm.load_data("sleepstudy")
    >>> bm.Model("Reaction ~ Days + (Days | Subject)", sleep, priors=bm.priors.as_typed()).priors.centered
    False
    """
    return Placed(spec, False)


def origins(model: Model, centered: bool | None = None) -> tuple[np.ndarray | None, ...]:
    """Per bar the A (k, k) with b = A b_c and Sigma = A Sigma_c A'; None where priors speak of columns as typed.

    `centered` is that of the priors, by default the model's own.
    """
    if not (model.priors.centered if centered is None else centered):
        return tuple(None for _ in model.design.groups)
    pairs = zip(model.design.groups, model.covariances, strict=True)
    return tuple(_origin(term, structure, model.design) for term, structure in pairs)


def _origin(term: GroupTerm, structure: Covariance, design: Design) -> np.ndarray | None:
    constant = constant_column(term, structure, design)
    if constant is None:
        return None
    means = term.Z[design.used].mean(axis=0)
    A = np.eye(len(means))
    others = np.arange(len(means)) != constant
    A[constant, others] = -means[others]
    return A


def constant_column(term: GroupTerm, structure: Covariance, design: Design) -> int | None:
    """The position of the column of ones in a bar whose structure is the same at every origin; None otherwise."""
    if term.Z.shape[1] == 1 or structure.invariance != "linear":
        return None
    ones = np.flatnonzero(np.all(term.Z[design.used] == 1.0, axis=0))
    return int(ones[0]) if len(ones) else None


def to_stated(A: np.ndarray | None, factor: np.ndarray) -> np.ndarray:
    """A root (.., k, k) of the covariance that priors speak of, from one of the covariance of columns as typed."""
    return factor if A is None else np.linalg.solve(A, factor)


def to_typed(A: np.ndarray | None, factor: np.ndarray) -> np.ndarray:
    """A root (.., k, k) of the covariance of columns as typed, from one of that which priors speak of."""
    return factor if A is None else A @ factor
