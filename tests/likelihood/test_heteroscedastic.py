"""The likelihood with a residual sd per row against dense normal densities, and the laws that it must obey."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from simulated import crossed

import bayesmixed as bm
from bayesmixed.design.design import Design
from bayesmixed.likelihood.laplace.products import pattern
from bayesmixed.likelihood.laplace.rows import rows_of
from bayesmixed.likelihood.linear.heteroscedastic import Heteroscedastic, heteroscedastic

IDENTITY = 1e-9  # relative: both sides are the same algebra in float64
GRADIENT = 1e-5  # of central differences with step 1e-5
SHIFTED = 1e-7  # of a response whose mean is 1e6 of its sds, which has lost six of 16 digits itself

FORMULAS = [
    "y ~ x",
    "y ~ x + (1 | a)",
    "y ~ x + (x | a)",
    "y ~ x + (x || a) + (1 | b)",
    "y ~ x + (x | a) + (x | b) + (1 | c)",
    "y ~ 0 + x + (c | b)",
]


def likelihood(formula: str, table: pd.DataFrame, **options: Any) -> tuple[Heteroscedastic, bm.Model]:
    """The rows of a model, and of sigma ~ x + c as the predictor of log sigma."""
    model = bm.Model(formula, table, **options)
    sigma = bm.Model("y ~ x + c", table).design.mu
    design: Design = model.design
    rows = rows_of(design, model.family, model.covariances)
    return heteroscedastic(rows, pattern(rows), replace(sigma, name="sigma"), design.used), model


def factors(found: Heteroscedastic, model: bm.Model) -> tuple[list[np.ndarray], dict[int, np.ndarray]]:
    """Some Lambda of each block in the working columns, and of each term in the user's."""
    rng, own = np.random.default_rng(8), {}
    for j, (term, structure) in enumerate(zip(model.design.groups, model.covariances, strict=True)):
        k = term.Z.shape[1]
        own[j] = structure.factor(0.3 + rng.uniform(size=structure.n_theta(k)), k)
    blocks = []
    for block in found.rows.blocks:
        Lambda = np.zeros((block.k, block.k))
        for j, columns in zip(block.terms, block.slices, strict=True):
            Lambda[columns, columns] = own[j]
        blocks.append(Lambda)
    return blocks, {j: found.rows.theta.bases[j] @ Lambda for j, Lambda in own.items()}


def marginal(model: bm.Model, own: dict[int, np.ndarray], sds: np.ndarray) -> np.ndarray:
    """The n x n covariance of the response."""
    weights = np.ones(len(sds)) if model.design.weights is None else model.design.weights
    V = np.diag(sds**2 / weights)
    for j, term in enumerate(model.design.groups):
        rows = term.Z @ own[j]
        V += (rows @ rows.T) * (term.codes[:, None] == term.codes[None, :])
    return V


def dense(model: bm.Model, V: np.ndarray, reml: bool) -> float:
    """The criterion with beta profiled out or integrated, nothing clever."""
    X, y = model.design.mu.X, model.design.response.y - model.design.mu.offset
    information = X.T @ np.linalg.solve(V, X)
    e = y - X @ np.linalg.solve(information, X.T @ np.linalg.solve(V, y))
    value = np.linalg.slogdet(V)[1] + (len(y) - reml * X.shape[1]) * np.log(2 * np.pi) + e @ np.linalg.solve(V, e)
    return value + np.linalg.slogdet(information)[1] * reml


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("formula", FORMULAS)
def test_the_criterion_is_that_of_the_dense_normal_density(formula: str, reml: bool) -> None:
    table = crossed()
    weights = np.random.default_rng(3).uniform(0.5, 2.0, len(table))
    for options in ({}, {"weights": weights, "offset": "2 * x"}):
        found, model = likelihood(formula, table, **options)
        blocks, own = factors(found, model)
        g = np.linspace(-0.5, 0.4, found.S.shape[1])
        at = found.solve(blocks, g)
        expected = dense(model, marginal(model, own, found.sds(g)), reml)
        assert found.criterion(at, at.solution, reml=reml) == pytest.approx(expected, rel=IDENTITY)


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("formula", FORMULAS)
def test_gradients_are_derivatives(formula: str, reml: bool) -> None:
    table = crossed()
    found, model = likelihood(formula, table, weights=np.random.default_rng(3).uniform(0.5, 2.0, len(table)))
    blocks, _ = factors(found, model)
    g = np.linspace(-0.5, 0.4, found.S.shape[1])

    def value(g: np.ndarray, blocks: list[np.ndarray]) -> float:
        at = found.solve(blocks, g)
        return found.criterion(at, at.solution, reml=reml)

    at = found.solve(blocks, g)
    steps = 1e-5 * np.eye(len(g))
    numeric = [(value(g + h, blocks) - value(g - h, blocks)) / 2e-5 for h in steps]
    np.testing.assert_allclose(found.slopes_in_g(at, at.solution, reml=reml), numeric, rtol=GRADIENT, atol=1e-4)
    slopes = found.slopes_in_factors(at, at.solution, blocks, reml=reml)
    for i, Lambda in enumerate(blocks):
        for entry in zip(*np.nonzero(Lambda), strict=True):
            moved = [value(g, _moved(blocks, i, entry, h)) for h in (1e-5, -1e-5)]
            assert slopes[i][entry] == pytest.approx((moved[0] - moved[1]) / 2e-5, rel=GRADIENT, abs=1e-4)


def _moved(blocks: list[np.ndarray], i: int, entry: tuple[int, int], h: float) -> list[np.ndarray]:
    moved = [Lambda.copy() for Lambda in blocks]
    moved[i][entry] += h
    return moved


def test_errors_and_variances_are_those_of_the_dense_equations() -> None:
    table = crossed()
    found, model = likelihood("y ~ x + (x | a) + (1 | b)", table)
    blocks, own = factors(found, model)
    g = np.linspace(-0.5, 0.4, found.S.shape[1])
    at, sds = found.solve(blocks, g), found.sds(g)
    V, X, y = marginal(model, own, sds), model.design.mu.X, model.design.response.y
    C = np.linalg.inv(X.T @ np.linalg.solve(V, X))
    P = np.linalg.inv(V) - np.linalg.solve(V, X) @ C @ np.linalg.solve(V, X).T
    np.testing.assert_allclose(found.errors(at, at.solution), sds**2 * (P @ y), rtol=1e-7, atol=1e-9)
    for coefficients, inverse in ((True, P), (False, np.linalg.inv(V))):
        leverage = found.variances(at, at.solution, coefficients=coefficients) / sds**2
        np.testing.assert_allclose(1 - leverage, sds**2 * np.diag(inverse), rtol=1e-8)


def test_a_mean_of_a_million_changes_no_digit_that_it_should_not() -> None:
    table = crossed()
    far = table.assign(y=table["y"] + 1e6, x=table["x"] + 1e6)
    values = []
    for each in (table, far):
        found, _model = likelihood("y ~ x + (1 | a)", each)
        logs = np.linspace(-1, 1, 5)[table["c"].cat.codes]
        at = found.solve([np.array([[0.7]])], found.S.T @ logs / len(logs))
        values.append(found.criterion(at, at.solution, reml=True) - found.basis.log_det)
    assert values[1] == pytest.approx(values[0], rel=SHIFTED)


def test_the_constant_is_the_predictor_of_one_sigma() -> None:
    found, _ = likelihood("y ~ x + (1 | a)", crossed())
    np.testing.assert_allclose(found.sds(found.constant(0.8)), 0.8, rtol=IDENTITY)
