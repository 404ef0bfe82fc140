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
from ..parameters.names import TermNames, term_names
from .centring import spans_constant, triangular

if TYPE_CHECKING:
    from ..design.design import Design, GroupTerm, Predictor
    from ..model import Model
    from .priors import Priors


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
        What ``Model(priors=)`` takes: a preset's name, a dict, a function. The default priors are centred already;
        what a dict names is not, and neither are ``"brms"``, ``"rstanarm"`` and ``"bambi"``.

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


def origins(model: Model, priors: Priors | None = None) -> tuple[np.ndarray | None, ...]:
    """Per bar the A (k, k) with b = A b_c and Sigma = A Sigma_c A'; None where `priors` speak of columns as typed.

    `priors` are the model's own by default.
    """
    chosen = model.priors if priors is None else priors
    bars = zip(model.design.groups, term_names(model.design), model.covariances, strict=True)
    return tuple(
        None if _as_typed(chosen, named) else _origin(term, structure, model.design) for term, named, structure in bars
    )


def _as_typed(priors: Priors, named: TermNames) -> bool:
    """Whether the priors of a bar are for columns as typed: of other packages, or named by the user."""
    own = {*named.members, named.covariance}
    return not priors.centered or not own.isdisjoint(priors.typed)


def _origin(term: GroupTerm, structure: Covariance, design: Design) -> np.ndarray | None:
    if constant_column(term, structure, design) is None:
        return None
    return np.linalg.inv(triangular(term.Z[design.used], term.columns, term.variables).T)


def stated_rows(predictor: Predictor, used: np.ndarray, priors: Priors) -> np.ndarray:
    """C (p, p): priors speak of the elements of C beta, the coefficients at the means of everything else they meet.

    Where the user named a coefficient, and in priors that are not centred, it is the coefficient as typed; the
    intercept is the one that the priors name.

    Parameters
    ----------
    predictor
        Whose coefficients beta (p,) are.
    used
        (n,) bool, the rows that means are taken over.
    priors
        By name, all of the model.
    """
    C = np.eye(len(predictor.coefficients))
    if not predictor.has_intercept and not spans_constant(predictor.X[used]).any():
        return C  # a line through zero, which means something
    T = triangular(predictor.X[used], predictor.coefficients, predictor.variables)
    for j, (column, name) in enumerate(zip(predictor.coefficients, predictor.names, strict=True)):
        typed = f"{name}_centered" not in priors if column == "Intercept" else name in priors.typed
        if not typed and (priors.centered or column == "Intercept"):
            C[j] = T[:, j]
    return C


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
