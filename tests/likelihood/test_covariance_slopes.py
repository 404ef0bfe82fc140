"""Satterthwaite's degrees of freedom against dense matrices n x n, in parameters of V in which it is quadratic."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from conftest import load_reference_frame

import bayesmixed as bm
from bayesmixed.degrees.methods import reference
from bayesmixed.likelihood.at import likelihood_of
from bayesmixed.likelihood.criteria.hessian import central
from bayesmixed.likelihood.criteria.with_sigma import NormalPrior, SigmaCriterion

OPTIMUM = 2e-5  # relative: at what the end of a search leaves of the gradient, other parameters give other numbers
HESSIAN = 1e-7  # of unit curvature: found are 4e-9
Matrix = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Dense:
    """C (p, p), dC (m, p, p), the gradient (m,) of D and its Hessian (m, m) in psi."""

    C: np.ndarray
    slopes: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray

    def df(self, rows: np.ndarray) -> np.ndarray:
        """2 (c'Cc)^2 / (g'A g) of each row."""
        variances, g = np.einsum("ra,ab,rb->r", rows, self.C, rows), np.einsum("ra,iab,rb->ir", rows, self.slopes, rows)
        return variances**2 / np.sum(g * np.linalg.solve(self.hessian, g), axis=0)


def dense(fit: Any, V: Matrix, psi: np.ndarray) -> Dense:
    """With V(psi) quadratic in psi, whose differences are exact whatever their step."""
    X, y = fit.model.design.mu.X, fit.model.family.normalised(fit.model.design.response.y)
    m = len(psi)
    e = np.diag(0.3 * np.maximum(np.abs(psi), 0.1))
    inverse = np.linalg.inv(V(psi))
    C = np.linalg.inv(X.T @ inverse @ X)
    P = inverse - inverse @ X @ C @ X.T @ inverse
    T, r = P if fit.engine.restricted else inverse, P @ y
    first = [(V(psi + e[i]) - V(psi - e[i])) / (2 * e[i, i]) for i in range(m)]
    gradient = np.array([np.sum(T * dV) - r @ dV @ r for dV in first])
    H = np.zeros((m, m))
    for i, j in itertools.product(range(m), repeat=2):
        corners = [a * b * V(psi + a * e[i] + b * e[j]) for a in (1, -1) for b in (1, -1)]
        second = sum(corners) / (4 * e[i, i] * e[j, j])
        H[i, j] = np.sum(T * second) - np.sum((T @ first[i]) * (T @ first[j]).T)
        H[i, j] += r @ (2 * first[i] @ P @ first[j] - second) @ r
    left = inverse @ X @ C
    return Dense(C, np.array([left.T @ dV @ left for dV in first]), gradient, H)


def spread(fit: Any, sigmas: Sequence[np.ndarray], residual: np.ndarray) -> np.ndarray:
    """V from the covariance of each term and the residual variance of each row."""
    V = np.diag(residual)
    for term, Sigma in zip(fit.model.design.groups, sigmas, strict=True):
        V += (term.Z @ Sigma @ term.Z.T) * (term.codes[:, None] == term.codes)
    return V


def covariances(fit: Any) -> list[np.ndarray]:
    sigma = fit.sigma if fit.model.has_scale else 1.0
    return [sigma**2 * F @ F.T for F in fit.factors]


def elements(fit: Any, residual: Matrix, last: Sequence[float]) -> tuple[Matrix, np.ndarray]:
    """V and psi: the free elements of each covariance, then `last` of which the residual variances are linear."""
    found, structures = covariances(fit), fit.model.covariances
    places = [
        np.tril_indices(len(S)) if structure.correlated else np.diag_indices(len(S))
        for S, structure in zip(found, structures, strict=True)
    ]
    sizes = np.cumsum([len(place[0]) for place in places])

    def V(psi: np.ndarray) -> np.ndarray:
        each = []
        for S, place, part in zip(found, places, np.split(psi[: sizes[-1]], sizes[:-1]), strict=True):
            lower = np.zeros_like(S)
            lower[place] = part
            each.append(lower + np.tril(lower, -1).T)
        return spread(fit, each, residual(psi[sizes[-1] :]))

    return V, np.concatenate([*(S[place] for S, place in zip(found, places, strict=True)), last])


def one_sigma(fit: Any) -> tuple[Matrix, list[float]]:
    n = fit.model.design.n_rows
    weights = np.ones(n) if fit.model.design.weights is None else fit.model.design.weights
    return lambda psi: psi[0] / weights, [fit.sigma**2]


def compare(fit: Any, V: Matrix, psi: np.ndarray) -> None:
    p = len(fit.beta)
    rows = np.vstack([np.eye(p), np.ones(p), np.arange(p) - 0.7])
    wide = np.zeros((len(rows), len(fit.coefficient_root)))
    wide[:, :p] = rows
    np.testing.assert_allclose(reference(fit, "satterthwaite").df(wide), dense(fit, V, psi).df(rows), rtol=OPTIMUM)


@pytest.mark.parametrize("engine", ["ml", "reml"])
@pytest.mark.parametrize(
    ("formula", "data", "options"),
    [
        ("Reaction ~ Days + (Days | Subject)", "sleepstudy", {}),
        ("Reaction ~ Days + (Days | Subject)", "sleepstudy", {"weights": np.resize([1.0, 2.0, 5.0], 180)}),
        ("Reaction ~ Days + (Days || Subject)", "sleepstudy", {}),
        ("Reaction ~ Days + diag(Days | Subject)", "sleepstudy", {}),
        ("Reaction ~ Days + (1 | Subject)", "sleepstudy", {"family": "lognormal"}),
        ("diameter ~ 1 + (1 | plate) + (1 | sample)", "Penicillin", {}),
        ("strength ~ 1 + (1 | batch/cask)", "Pastes", {}),
    ],
)
def test_variances_and_covariances(formula: str, data: str, options: dict[str, Any], engine: str) -> None:
    """Slopes, weights, no correlations, a lognormal response, crossed and nested factors."""
    fit = bm.Model(formula, load_reference_frame(data), **options).fit(engine)
    compare(fit, *elements(fit, *one_sigma(fit)))


@pytest.mark.parametrize("name", ["cs", "homcs"])
def test_compound_symmetry(name: str) -> None:
    """psi are sds and one correlation."""
    fit = bm.Model(f"score ~ Machine + {name}(0 + Machine | Worker)", bm.load_data("Machines")).fit("reml")
    Sigma, hom, residual = covariances(fit)[0], name == "homcs", one_sigma(fit)[0]
    sds = np.sqrt(np.diag(Sigma))

    def V(psi: np.ndarray) -> np.ndarray:
        each = np.repeat(psi[:1], 3) if hom else psi[:3]
        R = np.full((3, 3), psi[-2]) + (1 - psi[-2]) * np.eye(3)
        return spread(fit, [np.outer(each, each) * R], residual(psi[-1:]))

    psi = np.concatenate([sds[:1] if hom else sds, [Sigma[1, 0] / (sds[0] * sds[1]), fit.sigma**2]])
    compare(fit, V, psi)


def test_sigma_held() -> None:
    """psi are then the others alone."""
    fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"), constants={"sigma": 25.0}).fit(
        "ml"
    )
    compare(fit, *elements(fit, lambda psi: np.full(180, 625.0), []))


@pytest.mark.parametrize("engine", ["ml", "reml"])
def test_a_predictor_of_sigma(engine: str) -> None:
    """psi are then the residual variances of both sexes."""
    data = load_reference_frame("Orthodont")
    fit = bm.Model(bm.Formula("distance ~ age * Sex + (age | Subject)", "sigma ~ Sex"), data).fit(engine)
    women = fit.model.design.predictors["sigma"].X[:, 1] == 1
    gamma = fit.parameters.coefficients["sigma"][0, 0]
    variances = np.exp(2 * np.array([gamma[0], gamma[0] + gamma[1]]))
    compare(fit, *elements(fit, lambda psi: np.where(women, psi[1], psi[0]), list(variances)))


@pytest.mark.parametrize("engine", ["ml", "reml"])
@pytest.mark.parametrize("size", [0.01, 1.0, 30.0])
def test_the_hessian_has_seven_digits(engine: str, size: float) -> None:
    """Central differences of the gradient against the dense second derivatives, anywhere and not only at an optimum."""
    fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit(engine)
    likelihood, Z = likelihood_of(fit.model), fit.model.design.groups[0].Z
    criterion = SigmaCriterion(likelihood, fit.engine.restricted, None, NormalPrior.none(likelihood.basis), free=False)
    theta = size * np.array([1.0, -0.3, 0.7])
    x = np.append(theta, np.log(2.0))
    sigma = criterion.residual_sd(x)

    def V(psi: np.ndarray) -> np.ndarray:  # psi = theta, sigma
        F = likelihood.theta.typed(psi[:-1])[0]
        return psi[-1] ** 2 * spread(fit, [F @ F.T], np.ones(len(Z)))

    by_sigma, of_log = dense(fit, V, np.append(theta, sigma)), np.array([1, 1, 1, sigma])
    exact = by_sigma.hessian * np.outer(of_log, of_log)
    exact[3, 3] += sigma * by_sigma.gradient[3]
    found = central(criterion, x, np.arange(4))
    units = np.sqrt(np.abs(np.diag(exact)))
    np.testing.assert_allclose(found / np.outer(units, units), exact / np.outer(units, units), atol=HESSIAN)
