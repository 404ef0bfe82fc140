"""The likelihood of a model: its cross-products, formed once per model, and its value at given parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from ..errors import ModelError
from .laplace.likelihood import LaplaceLikelihood
from .laplace.products import pattern
from .laplace.rows import rows_of
from .linear import LinearLikelihood, linear_likelihood

if TYPE_CHECKING:
    from ..model import Model

_FORMED: WeakKeyDictionary[Model, LinearLikelihood] = WeakKeyDictionary()
_ROWS: WeakKeyDictionary[Model, LaplaceLikelihood] = WeakKeyDictionary()


def likelihood_of(model: Model) -> LinearLikelihood:
    """The model's cross-products; models are immutable, so ML and REML share them."""
    if model not in _FORMED:
        _FORMED[model] = linear_likelihood(model.design, model.covariances)
    return _FORMED[model]


def laplace_of(model: Model) -> LaplaceLikelihood:
    """The model's rows and where their cross-products go, found once per model."""
    if model not in _ROWS:
        rows = rows_of(model.design, model.family, model.covariances)
        constant = float(np.sum(model.family.constant(rows.observed)))
        _ROWS[model] = LaplaceLikelihood(rows, pattern(rows), dict(model.constants), constant)
    return _ROWS[model]


def loglik_at(
    model: Model,
    *,
    theta: Any,
    beta: Any = None,
    sigma: float | None = None,
    dispersion: Mapping[str, float] | None = None,
    reml: bool = False,
) -> float:
    """See `Model.loglik_at`."""
    likelihood = likelihood_of(model)
    theta = _vector("theta", theta, likelihood.n_theta)
    if beta is not None:
        beta = _vector("beta", beta, likelihood.p)
        if reml:
            raise ModelError("The REML likelihood integrates beta out: leave out beta=, or use reml=False.")
    sigma = _sigma(model, sigma, dispersion)
    if not np.all(np.isfinite(theta)) or (sigma is not None and not sigma > 0) or not _inside(likelihood, theta):
        return -np.inf
    return likelihood.loglik_at(likelihood.working(theta), beta, sigma, reml)


def _vector(name: str, values: Any, size: int) -> np.ndarray:
    vector = np.atleast_1d(np.asarray(values, dtype=float))
    if vector.shape != (size,):
        raise ModelError(f"{name} must have {size} elements here, not shape {vector.shape}.")
    return vector


def _sigma(model: Model, sigma: float | None, dispersion: Mapping[str, float] | None) -> float | None:
    given = dict(dispersion or {})
    unknown = [name for name in given if name not in model.family.dispersion]
    if unknown:
        raise ModelError(f"dispersion has no parameter {unknown[0]!r}; known: {', '.join(model.family.dispersion)}.")
    if sigma is None:
        sigma = given.get("sigma", model.constants.get("sigma"))
    return None if sigma is None else float(sigma)


def _inside(likelihood: LinearLikelihood, theta: np.ndarray) -> bool:
    """Diagonal elements of Lambda must not be negative, as in lme4."""
    parts = likelihood.split(theta)
    return all(
        np.all(np.diag(likelihood.covariances[j].factor(part, len(likelihood.term_bases[j]))) >= 0)
        for j, part in parts.items()
    )
