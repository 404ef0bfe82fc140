"""The likelihood of a model: its cross-products, formed once per model, and its value at given parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from scipy.linalg import solve_triangular

from ..design.design import Design
from ..errors import ModelError
from ..families import Gaussian
from .laplace.approximation import LaplaceLikelihood
from .laplace.products import pattern
from .laplace.rows import rows_of
from .laplace.start import start
from .linear.heteroscedastic import Heteroscedastic, heteroscedastic
from .linear.likelihood import LinearLikelihood, linear_likelihood
from .quadrature.factoring import quadrature as quadrature_of

if TYPE_CHECKING:
    from ..model import Model

_FORMED: WeakKeyDictionary[Model, LinearLikelihood] = WeakKeyDictionary()
_RESCALED: WeakKeyDictionary[Model, Heteroscedastic] = WeakKeyDictionary()
_ROWS: WeakKeyDictionary[Model, LaplaceLikelihood] = WeakKeyDictionary()


def likelihood_of(model: Model) -> LinearLikelihood:
    """The model's cross-products; models are immutable, so ML and REML share them."""
    if model not in _FORMED:
        _FORMED[model] = _normal(model)
    return _FORMED[model]


def _normal(model: Model) -> LinearLikelihood:
    """That of the function of the response which is normal given the effects: the logarithm of a lognormal one."""
    design, jacobian = _normal_response(model)
    return replace(linear_likelihood(design, model.covariances), log_jacobian=jacobian)


def _normal_response(model: Model) -> tuple[Design, float]:
    """The design with the response that is normal in its place, and what log L gains by that."""
    design, family = model.design, model.family
    if design.response is None:
        return design, 0.0
    y = design.response.y
    jacobian = float(np.sum(family.log_jacobian(y[design.used])))
    return replace(design, response=replace(design.response, y=family.normalised(y))), jacobian


def heteroscedastic_of(model: Model) -> Heteroscedastic:
    """The rows of a linear model whose sigma has a predictor, found once per model."""
    if model not in _RESCALED:
        design, jacobian = _normal_response(model)
        rows = rows_of(design, Gaussian(), model.covariances)
        predictor = design.predictors["sigma"]
        _RESCALED[model] = heteroscedastic(rows, pattern(rows), predictor, design.used, jacobian)
    return _RESCALED[model]


def laplace_of(model: Model) -> LaplaceLikelihood:
    """The model's rows and where their cross-products go, found once per model."""
    if model not in _ROWS:
        rows = rows_of(model.design, model.family, model.covariances)
        constant = float(np.sum(model.family.constant(rows.observed)))
        _ROWS[model] = LaplaceLikelihood(rows, pattern(rows), dict(model.constants), constant)
    return _ROWS[model]


def effects_unit(model: Model) -> float:
    """What `fit.factors` are measured in: 1 where they are relative to sigma, else the unit of the predictor."""
    if model.has_scale:
        return 1.0
    return (heteroscedastic_of(model) if model.linear else laplace_of(model)).rows.unit


def loglik_at(
    model: Model,
    theta: Any,
    beta: Any = None,
    sigma: Any = None,
    dispersion: Mapping[str, Any] | None = None,
    quadrature: int = 1,
    reml: bool = False,
) -> float:
    """See `Model.loglik_at`."""
    if not model.linear:
        if reml:
            raise ModelError(
                "REML needs a normal response with an identity link: leave out reml=True.", topic="reml-is-for-normal"
            )
        return _generalized_at(model, theta, beta, _dispersion(model, sigma, dispersion), quadrature)
    if not model.has_scale:
        likelihood, sigma = _of_rows(model, (dict(dispersion or {}) | {"sigma": sigma})["sigma"]), 1.0
    else:
        likelihood, sigma = likelihood_of(model), _sigma(model, sigma, dispersion)
    theta = _vector("theta", theta, likelihood.theta.size)
    if beta is not None:
        beta = _vector("beta", beta, likelihood.p)
        if reml:
            raise ModelError(
                "The REML likelihood integrates beta out: leave out beta=, or use reml=False.",
                topic="values-of-the-likelihood",
            )
    if not np.all(np.isfinite(theta)) or (sigma is not None and not sigma > 0) or not likelihood.theta.inside(theta):
        return -np.inf
    return likelihood.loglik_at(likelihood.theta.working(theta), beta, sigma, reml)


def _of_rows(model: Model, sigma: Any) -> LinearLikelihood:
    """The likelihood at one sd per row, or one for all."""
    if sigma is None:
        raise ModelError(
            "sigma has a predictor, which is not profiled out: give sigma= as one number per row, such as "
            'fit.predict(parameter="sigma")["estimate"], or one for all.',
            topic="values-of-the-likelihood",
        )
    given, rows = np.asarray(sigma, dtype=float), model.design.n_rows
    if given.shape not in ((), (rows,)) or not np.all(given > 0):
        raise ModelError(
            f"sigma must be a positive number, or one for each of the {rows} rows, here.",
            topic="values-of-the-likelihood",
        )
    return heteroscedastic_of(model).at_sds(np.broadcast_to(given, rows)[model.design.used])


def _generalized_at(model: Model, theta: Any, beta: Any, given: dict[str, float], nodes: int) -> float:
    """The log-likelihood by `nodes` a dimension; with none, at the coefficients of the joint mode (lme4's nAGQ = 0)."""
    likelihood = laplace_of(model)
    theta = _vector("theta", theta, likelihood.theta.size)
    if nodes == 0 and beta is not None:
        raise ModelError(
            "quadrature=0 takes the coefficients of the joint mode: leave out beta=, or use quadrature=1.",
            topic="values-of-the-likelihood",
        )
    if nodes > 0 and beta is None and likelihood.p:
        raise ModelError(
            "The likelihood of a generalized model needs beta=: it has no closed form with the coefficients profiled "
            "out. quadrature=0 takes those of the joint mode.",
            topic="values-of-the-likelihood",
        )
    beta = np.zeros(likelihood.p) if beta is None else _vector("beta", beta, likelihood.p)
    missing = [name for name in likelihood.free if name not in given]
    if missing:
        raise ModelError(
            f"The likelihood needs dispersion={{{missing[0]!r}: ...}}, which this model estimates.",
            topic="values-of-the-likelihood",
        )
    values = [*theta, *beta, *given.values()]
    possible = all(model.family.parameter(name).inside(value) for name, value in given.items())
    if not np.all(np.isfinite(values)) or not possible or not likelihood.theta.inside(theta):
        return -np.inf
    held = LaplaceLikelihood(likelihood.rows, likelihood.pattern, given, likelihood.constant)
    working = held.theta.working(theta)
    if nodes == 0 and held.p:
        x, rough = start(held, working)
        beta = solve_triangular(held.rows.R, held.mode(x, rough.u, free=True).beta)
    return _approximated(held, held.joined(working, beta, given), nodes)


def _approximated(likelihood: LaplaceLikelihood, x: np.ndarray, nodes: int) -> float:
    """The log-likelihood at x; -inf where the effects have no mode there, outside the domain of the link."""
    rule = quadrature_of(likelihood, nodes) if nodes > 1 and likelihood.rows.blocks else None
    try:
        curved = likelihood.curved(x, likelihood.mode(x))
        return -0.5 * likelihood.deviance(curved) if rule is None else rule.loglik(x, curved)
    except np.linalg.LinAlgError:
        return -np.inf


def _vector(name: str, values: Any, size: int) -> np.ndarray:
    vector = np.atleast_1d(np.asarray(values, dtype=float))
    if vector.shape != (size,):
        raise ModelError(
            f"{name} must have {size} elements here, not shape {vector.shape}.", topic="values-of-the-likelihood"
        )
    return vector


def _sigma(model: Model, sigma: float | None, dispersion: Mapping[str, float] | None) -> float | None:
    return _dispersion(model, sigma, dispersion).get("sigma")


def _dispersion(model: Model, sigma: float | None, dispersion: Mapping[str, float] | None) -> dict[str, float]:
    """What was given, over the model's constants."""
    given = dict(dispersion or {})
    if sigma is not None:
        given["sigma"] = sigma
    unknown = [name for name in given if name not in model.family.dispersion]
    if unknown:
        known = ", ".join(model.family.dispersion) or f"none, the {model.family.name} family has no dispersion"
        raise ModelError(
            f"dispersion has no parameter {unknown[0]!r}; known: {known}.", topic="values-of-the-likelihood"
        )
    return dict(model.constants) | {name: float(value) for name, value in given.items()}
