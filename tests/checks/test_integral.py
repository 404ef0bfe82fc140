"""Integrals over a group's effects for many draws at once: dense grids, sampling beside quadrature, chunks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import logsumexp

from bayesmixed.checks.loo import integral
from bayesmixed.checks.loo.integral import RowsIntegrand, log_integral
from bayesmixed.families import Observed, family

RULE = 5e-5  # errors of rules that are taken for sufficient were below 2e-5
LAST = 2e-3  # of the last rule, where 12 rows are equal and the sd is 6
SAMPLED = 0.02  # each integral is known to 3 %, and of 20 errors the largest is below twice that; the mean to this
ROUNDING = 1e-9
DRAWS = 20


def integrand(name: str, q: int, sd: float, y: Any = None) -> RowsIntegrand:
    """Of 12 rows, and `DRAWS` draws of predictors, factors and dispersion."""
    rng = np.random.default_rng(1)
    Z = np.column_stack([np.ones(12), rng.normal(size=(12, q - 1))])
    F = sd * np.linalg.cholesky(np.eye(q) * 0.7 + 0.3) * rng.uniform(0.5, 1.5, size=(DRAWS, 1, 1))
    y = rng.integers(0, 2, 12).astype(float) if y is None else y
    kind, seen = family(name), Observed(y)
    dispersion = {one: rng.uniform(1, 3, size=(DRAWS, 1)) for one in kind.dispersion}
    return RowsIntegrand(kind, seen, rng.normal(size=(DRAWS, 12)), Z, F, dispersion, float(np.sum(kind.constant(seen))))


def dense(of: RowsIntegrand, width: float, points: int) -> np.ndarray:
    """The trapezoid rule in u, from -width to width in each dimension."""
    q, one = of.F.shape[1], np.linspace(-width, width, points)
    grid = np.stack(np.meshgrid(*[one] * q, indexing="ij"), axis=-1).reshape(-1, q)
    logs = [logsumexp(of.of(np.array([i])).at_points(grid[None])[0]) for i in range(len(of.eta))]
    return np.array(logs) + q * (np.log(one[1] - one[0]) - np.log(2 * np.pi) / 2)


def found(of: RowsIntegrand, seed: int = 1) -> np.ndarray:
    return log_integral(of, np.zeros((len(of.eta), of.F.shape[1])), np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("name", "q", "sd"), [("bernoulli", 1, 1.0), ("negbinomial", 1, 0.7), ("bernoulli", 2, 1.5), ("poisson", 3, 0.5)]
)
def test_rules_agree_with_a_dense_grid(name: str, q: int, sd: float) -> None:
    of = integrand(name, q, sd)
    np.testing.assert_allclose(found(of), dense(of, 8.0, {1: 4001, 2: 161, 3: 41}[q]), atol=RULE)


def test_more_nodes_are_taken_where_all_rows_are_equal() -> None:
    """Levels without a failure: the integrand is half a normal distribution, far from the Gaussian about its mode."""
    of = integrand("bernoulli", 1, 6.0, np.ones(12))
    exact = dense(of, 10.0, 8001)
    np.testing.assert_allclose(found(of), exact, atol=LAST)
    about = integral.mode(of, np.zeros((DRAWS, 1)))
    half = 1 / np.sqrt(about.curvature)
    six = integral._by_rule(of, about.u, half, integral._rule(6, 1))[0] + np.log(half[:, 0, 0])
    assert np.max(np.abs(six - exact)) > 3 * LAST


@pytest.mark.parametrize(("name", "q"), [("bernoulli", 2), ("poisson", 4)])
def test_many_effects_are_sampled_about_a_gaussian(name: str, q: int, monkeypatch: pytest.MonkeyPatch) -> None:
    of = integrand(name, q, 1.6 / q)
    monkeypatch.setattr(integral, "NODES", {})
    error = found(of) - dense(of, 6.0, {2: 121, 4: 25}[q])
    assert np.max(np.abs(error)) < 4 * SAMPLED and abs(np.mean(error)) < SAMPLED
    assert not np.array_equal(found(of, 1), found(of, 2))


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    of = integrand("bernoulli", 2, 1.0)
    whole = found(of)
    monkeypatch.setattr(integral, "CHUNK", 12 * 7)
    np.testing.assert_allclose(found(of), whole, rtol=ROUNDING)
