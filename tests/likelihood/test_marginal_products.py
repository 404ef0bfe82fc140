"""Kenward and Roger's adjustment, effects x effects, is the one written out rows x rows."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pandas as pd
import pytest
import simulated

import bayesmixed as bm
from bayesmixed.likelihood.at import likelihood_of
from bayesmixed.likelihood.small_sample.kenward_roger import SmallSample, small_sample, ways

IDENTITY = 1e-9  # relative: two orders of the same sums
FAR_IDENTITY = 1e-5  # relative: variances 1e6 times the residual's leave ten digits of Z'V^-1 Z, and the same of V^-1
MODELS = {
    "one factor": "y ~ x + c + (1 | a)",
    "slopes": "y ~ x + (x | a)",
    "two bars of one factor": "y ~ x + (1 | a) + (0 + x | a)",
    "crossed": "y ~ x + (1 | a) + (1 | b)",
    "crossed slopes": "y ~ x + (x | a) + (x | b)",
    "three factors": "y ~ x + (1 | a) + (x || b) + (1 | c)",
    "compound symmetry": "y ~ x + homcs(0 + c | b)",
    "without bars": "y ~ x + c",
    "no intercept": "y ~ 0 + x + (1 | a)",
}


def dense(model: bm.Model, theta: np.ndarray, sigma_free: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Phi_A and A1, A2 of all coefficients together, over sigma: V and everything else rows x rows."""
    design, likelihood = model.design, likelihood_of(model)
    X, w = design.mu.X, np.ones(model.n_obs) if design.weights is None else design.weights
    factors = likelihood.theta.reported_factors(theta)
    V, G = np.diag(1 / w), []
    for term, Lambda, structure in zip(design.mu.groups, factors, model.covariances, strict=True):
        level = term.codes[:, None] == term.codes
        V = V + level * (term.Z @ Lambda @ Lambda.T @ term.Z.T)
        k = term.Z.shape[1]
        G += [level * (term.Z @ E @ term.Z.T) for E in basis(k, structure.name)]
    G += [np.diag(1 / w)] * sigma_free
    Vi = np.linalg.inv(V)
    Phi = np.linalg.inv(X.T @ Vi @ X)
    VG = [Vi @ g for g in G]
    P = [-X.T @ vg @ Vi @ X for vg in VG]
    Q = [[X.T @ left @ right @ Vi @ X for right in VG] for left in VG]
    traces = np.array([[np.sum(left * right.T) for right in VG] for left in VG])
    less = np.array([[np.trace(Phi @ (2 * Q[r][s] - P[r] @ Phi @ P[s])) for s in range(len(G))] for r in range(len(G))])
    W = np.linalg.inv(0.5 * (traces - less))
    pairs = [(r, s) for r in range(len(G)) for s in range(len(G))]
    Phi_A = Phi + 2 * Phi @ sum(W[r, s] * (Q[r][s] - P[r] @ Phi @ P[s]) for r, s in pairs) @ Phi
    M = [p @ Phi for p in P]
    A1 = sum(W[r, s] * np.trace(M[r]) * np.trace(M[s]) for r, s in pairs)
    A2 = sum(W[r, s] * np.trace(M[r] @ M[s]) for r, s in pairs)
    return Phi_A, A1, A2


def basis(k: int, name: str) -> list[np.ndarray]:
    """The covariances that a structure is a sum of, in the user's columns."""
    one = np.eye(k)
    if name == "homcs":
        return [one, np.ones((k, k)) - one]
    if name == "diag":
        return [np.diag(e) for e in one]
    pairs = combinations_with_replacement(range(k), 2)
    return [np.outer(one[a], one[b]) + np.outer(one[b], one[a]) for a, b in pairs]


def ours(model: bm.Model, theta: np.ndarray, sigma_free: bool = True) -> SmallSample:
    likelihood = likelihood_of(model)
    return small_sample(likelihood, likelihood.theta.working(theta), ways(likelihood, sigma_free))


def compare(model: bm.Model, theta: np.ndarray, tolerance: float, sigma_free: bool = True) -> None:
    found, (Phi_A, A1, A2) = ours(model, theta, sigma_free), dense(model, theta, sigma_free)
    scale = np.sqrt(np.outer(np.diag(Phi_A), np.diag(Phi_A)))
    np.testing.assert_allclose(found.adjusted @ found.adjusted.T / scale, Phi_A / scale, rtol=tolerance, atol=tolerance)
    everything = found.independent(np.eye(len(Phi_A)))
    np.testing.assert_allclose(found.moments(everything), (A1, A2), rtol=tolerance)


def thetas(model: bm.Model, size: float) -> np.ndarray:
    """A theta of about this size with correlations, in the user's columns."""
    likelihood = likelihood_of(model)
    sds = {j: size * np.linspace(0.8, 1.3, likelihood.theta.k(j)) for j in likelihood.theta.slices}
    theta = likelihood.theta
    return theta.reported(theta.start(sds) + 0.1 * size * (theta.start(sds) == 0))


@pytest.mark.parametrize("formula", MODELS.values(), ids=MODELS)
def test_it_is_the_dense_program(formula: str) -> None:
    model = bm.Model(formula, simulated.crossed(150))
    compare(model, thetas(model, 0.7), IDENTITY)


@pytest.mark.parametrize("formula", ["y ~ x + (1 | school/room)", "y ~ x + (x | school) + (1 | school:room)"])
def test_nested_factors_fall_into_components(formula: str) -> None:
    model = bm.Model(formula, simulated.nested())
    compare(model, thetas(model, 0.7), IDENTITY)


@pytest.mark.parametrize("name", ["slopes", "crossed", "crossed slopes", "three factors"])
@pytest.mark.parametrize(("size", "tolerance"), [(1e-4, IDENTITY), (1e3, FAR_IDENTITY)])
def test_ratios_of_variances_may_be_far_from_one(name: str, size: float, tolerance: float) -> None:
    model = bm.Model(MODELS[name], simulated.crossed(150))
    compare(model, thetas(model, size), tolerance)


@pytest.mark.parametrize("formula", ["y ~ x + (x | a)", "y ~ x + (x | a) + (1 | b)"])
def test_variances_at_zero_are_no_special_case(formula: str) -> None:
    """The expected information there is that of any other point."""
    model = bm.Model(formula, simulated.crossed(150))
    theta = thetas(model, 0.7)
    compare(model, np.where(np.arange(len(theta)) == 2, 0.0, theta), IDENTITY)
    compare(model, 0 * theta, IDENTITY)


def test_precision_weights_and_a_known_sigma() -> None:
    data = simulated.crossed(150)
    weights = np.random.default_rng(3).uniform(0.5, 3, 150)
    for formula in ("y ~ x + (x | a)", "y ~ x + (1 | a) + (1 | b)"):
        model = bm.Model(formula, data, weights=weights)
        compare(model, thetas(model, 0.7), IDENTITY)
        compare(model, thetas(model, 0.7), IDENTITY, sigma_free=False)


def test_variances_that_are_the_same_are_left_out_and_counted() -> None:
    """Two bars that are one: only their sum is known, and what follows is that of the one."""
    data = simulated.crossed(150)
    twice = data.assign(again=data["a"])
    one, two = bm.Model("y ~ x + (1 | a)", data), bm.Model("y ~ x + (1 | a) + (1 | again)", twice)
    plain, doubled = ours(one, np.array([1.0])), ours(two, np.array([0.6, 0.8]))
    assert (plain.held, doubled.held) == (0, 1)
    rows = np.eye(2)
    np.testing.assert_allclose(doubled.rows(rows), plain.rows(rows), rtol=1e-7)


def test_a_table_of_ten_thousand_subjects_needs_no_matrix_of_them() -> None:
    """Sessions in subjects: components of one subject, not 10,000 x 10,000."""
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"subject": np.repeat(np.arange(10_000), 4), "session": np.tile([0, 0, 1, 1], 10_000)})
    data["x"] = rng.normal(size=len(data))
    data["y"] = rng.normal(size=len(data))
    found = ours(bm.Model("y ~ x + (1 | subject/session)", data), np.array([0.5, 0.7]))
    assert found.rows(np.eye(2))[0] == pytest.approx(2 / 9_999, rel=1e-3)
