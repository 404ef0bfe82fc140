"""The likelihood with a predictor of sigma against dense normal densities, and the laws that it must obey."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from simulated import crossed

import bayesmixed as bm
from bayesmixed.likelihood.criteria.with_sigma import NormalPrior, SigmaCriterion
from bayesmixed.likelihood.criteria.with_sigmas import SigmasCriterion
from bayesmixed.likelihood.laplace.products import pattern
from bayesmixed.likelihood.laplace.rows import rows_of
from bayesmixed.likelihood.linear.heteroscedastic import Heteroscedastic, heteroscedastic
from bayesmixed.likelihood.linear.likelihood import linear_likelihood

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


def likelihood(
    formula: str, table: pd.DataFrame, sigma: str = "x + c", **options: Any
) -> tuple[Heteroscedastic, bm.Model]:
    """The rows of a model, with a predictor of log sigma."""
    model = bm.Model(formula, table, **options)
    predictor = replace(bm.Model(f"y ~ {sigma}", table).design.mu, name="sigma")
    rows = rows_of(model.design, model.family, model.covariances)
    return heteroscedastic(rows, pattern(rows), predictor, model.design.used), model


def criterion(found: Heteroscedastic, reml: bool, *, normal: bool = False, free: bool = False) -> SigmasCriterion:
    """That of the rows, with normal priors of the coefficients or flat ones."""
    prior = NormalPrior(np.zeros((found.p + 1, found.p + 1)), 0.0)
    if normal:
        B = np.column_stack([np.eye(found.p), np.linspace(-1, 1, found.p)])
        prior = NormalPrior(40 * B.T @ B, 1.7)
    return SigmasCriterion(found, reml, prior, free)


def point(found: Heteroscedastic) -> tuple[np.ndarray, np.ndarray]:
    """Some theta in the working columns, and g."""
    theta = 0.3 + np.random.default_rng(8).uniform(size=found.rows.theta.size)
    return theta, np.linspace(-0.5, 0.4, found.S.shape[1])


def marginal(model: bm.Model, found: Heteroscedastic) -> np.ndarray:
    """The n x n covariance of the response at the point."""
    theta, g = point(found)
    weights = np.ones(found.n) if model.design.weights is None else model.design.weights
    V = np.diag(found.sds(g) ** 2 / weights)
    for term, F in zip(model.design.groups, found.rows.theta.typed(theta), strict=True):
        rows = term.Z @ F
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
        ours = criterion(found, reml).value(np.concatenate(point(found)))
        assert ours == pytest.approx(dense(model, marginal(model, found), reml), rel=IDENTITY)


@pytest.mark.parametrize(
    ("reml", "normal", "free"),
    [(False, False, False), (True, False, False), (False, True, False), (True, True, False), (False, False, True)],
)
@pytest.mark.parametrize("formula", FORMULAS)
def test_the_gradient_is_the_derivative(formula: str, reml: bool, normal: bool, free: bool) -> None:
    table = crossed()
    found, _ = likelihood(formula, table, weights=np.random.default_rng(3).uniform(0.5, 2.0, len(table)))
    function = criterion(found, reml, normal=normal, free=free)
    theta, g = point(found)
    x = np.concatenate([theta, np.full(found.p if free else 0, 0.3), g])
    steps = 1e-5 * np.eye(len(x))
    numeric = np.array([(function.value(x + h) - function.value(x - h)) / 2e-5 for h in steps])
    _, gradient = function.value_and_gradient(x)
    np.testing.assert_allclose(gradient, numeric, rtol=GRADIENT, atol=GRADIENT * np.abs(numeric).max())


def test_errors_and_variances_are_those_of_the_dense_equations() -> None:
    found, model = likelihood("y ~ x + (x | a) + (1 | b)", crossed())
    theta, g = point(found)
    at, sds = found.at(g), found.sds(g)
    solution = at.solve(theta, invert=True)
    V, X, y = marginal(model, found), model.design.mu.X, model.design.response.y
    C = np.linalg.inv(X.T @ np.linalg.solve(V, X))
    P = np.linalg.inv(V) - np.linalg.solve(V, X) @ C @ np.linalg.solve(V, X).T
    np.testing.assert_allclose(found.errors(at, solution), sds**2 * (P @ y), rtol=1e-7, atol=1e-9)
    for coefficients, inverse in ((True, P), (False, np.linalg.inv(V))):
        leverage = found.variances(at, solution, coefficients=coefficients) / sds**2
        np.testing.assert_allclose(1 - leverage, sds**2 * np.diag(inverse), rtol=1e-8)


@pytest.mark.parametrize("reml", [False, True])
def test_one_sigma_is_the_plain_criterion_at_that_sigma(reml: bool) -> None:
    table = crossed()
    found, model = likelihood("y ~ x + (x | a) + (1 | b)", table, sigma="1")
    theta, _ = point(found)
    plain = linear_likelihood(model.design, model.covariances)
    relative = plain.theta.working(found.rows.theta.reported(theta / 0.8))
    expected = SigmaCriterion(plain, reml, 0.8, NormalPrior.none(plain.basis), free=False).value(relative)
    function = criterion(found, reml)
    assert function.value(function.start(theta, 0.8)) == pytest.approx(expected, rel=IDENTITY)
    np.testing.assert_allclose(np.exp(found.gamma(found.constant(0.8))), 0.8, rtol=IDENTITY)


def test_a_mean_of_a_million_changes_no_digit_that_it_should_not() -> None:
    table = crossed()
    far = table.assign(y=table["y"] + 1e6, x=table["x"] + 1e6)
    values = []
    for each in (table, far):
        found, _model = likelihood("y ~ x + (1 | a)", each)
        logs = np.linspace(-1, 1, 5)[table["c"].cat.codes]
        x = np.concatenate([[0.7], found.S.T @ logs / len(logs)])
        values.append(criterion(found, True).value(x) - found.basis.log_det)
    assert values[1] == pytest.approx(values[0], rel=SHIFTED)
