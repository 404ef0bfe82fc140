"""Laplace's likelihood: its exact gradient, and identities with models whose marginal likelihood is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.likelihood.at import laplace_of
from bayesmixed.likelihood.laplace.approximation import LaplaceLikelihood
from bayesmixed.likelihood.laplace.products import pattern
from bayesmixed.likelihood.laplace.rows import rows_of

GRADIENT = 2e-6  # relative: central differences of a value with 1e-12 relative noise, steps of 1e-5
ALGEBRA = 1e-9


def table(n: int = 240, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g, h = rng.integers(0, 12, n), rng.integers(0, 7, n)
    x = rng.normal(size=n)
    eta = 0.3 + 0.4 * x + 0.7 * rng.normal(size=12)[g] + 0.5 * rng.normal(size=7)[h]
    return pd.DataFrame(
        {
            "x": x,
            "z": rng.uniform(size=n),
            "g": [f"g{i}" for i in g],
            "h": [f"h{i}" for i in h],
            "inner": [f"{i}:{j}" for i, j in zip(g, rng.integers(0, 3, n), strict=True)],
            "row": np.arange(n).astype(str),
            "count": rng.poisson(np.exp(eta)),
            "yes": (rng.uniform(size=n) < 1 / (1 + np.exp(-eta))).astype(float),
            "size": rng.gamma(3.0, np.exp(eta) / 3.0),
            "y": eta + rng.normal(size=n),
            "w": rng.integers(1, 4, n).astype(float),
        }
    )


CASES = {
    "one factor": ("count ~ x + (1 | g)", "poisson", None),
    "correlated slopes": ("count ~ x + (x | g)", "poisson", None),
    "three columns": ("count ~ x + (x + z | g)", "poisson", None),
    "several bars of one factor": ("count ~ x + (x | g) + (0 + z | g)", "poisson", None),
    "crossed": ("yes ~ x + (1 | g) + (1 | h)", "bernoulli", None),
    "crossed slopes": ("yes ~ x + (x | g) + (z | h)", "bernoulli", None),
    "nested": ("count ~ x + (1 | g) + (1 | inner)", "poisson", None),
    "nested slopes": ("count ~ x + (x | g) + (x | inner)", "poisson", None),
    "observation level": ("count ~ x + (1 | g) + (1 | row)", "poisson", None),
    "three factors": ("count ~ x + (1 | g) + (1 | h) + (1 | row)", "poisson", None),
    "probit": ("yes ~ x + (x | g)", "bernoulli", "probit"),
    "cauchit is not log-concave": ("yes ~ x + (1 | g)", "bernoulli", "cauchit"),
    "asymptotes": ("yes ~ x + (1 | g)", "bernoulli", bm.links.logit(guess=0.1, lapse=0.05)),
    "dispersion": ("y ~ x + (x | g)", "gaussian", "identity"),
    "gaussian, log link": ("size ~ x + (1 | g) + (1 | h)", "gaussian", "log"),
}


def likelihood_of(formula: str, family: str, link: Any) -> LaplaceLikelihood:
    model = bm.Model(formula, table(), family=family, link=link)
    rows = rows_of(model.design, model.family, model.covariances)
    return LaplaceLikelihood(rows, pattern(rows), {}, float(np.sum(model.family.constant(rows.observed))))


def some_x(likelihood: LaplaceLikelihood) -> np.ndarray:
    rng = np.random.default_rng(1)
    theta, beta = rng.uniform(0.3, 0.8, likelihood.theta.size), 0.2 * rng.normal(size=likelihood.p)
    return np.concatenate([theta, beta, np.full(len(likelihood.free), 0.3)])


@pytest.mark.parametrize("case", sorted(CASES))
def test_the_gradient_is_the_derivative(case: str) -> None:
    likelihood = likelihood_of(*CASES[case])
    x = some_x(likelihood)

    def deviance(at: np.ndarray) -> float:
        return likelihood.deviance(likelihood.curved(at, likelihood.mode(at)))

    gradient = likelihood.gradient(x, likelihood.curved(x, likelihood.mode(x)))
    steps = 1e-5 * np.eye(len(x))
    numeric = np.array([(deviance(x + h) - deviance(x - h)) / 2e-5 for h in steps])
    assert np.max(np.abs(gradient - numeric)) < GRADIENT * (1 + np.max(np.abs(gradient)))


@pytest.mark.parametrize("case", ["three factors", "crossed slopes", "nested slopes", "several bars of one factor"])
def test_the_value_is_that_of_dense_matrices(case: str) -> None:
    """D from M formed whole, at the mode found by elimination, where the penalised score vanishes."""
    likelihood = likelihood_of(*CASES[case])
    x, rows = some_x(likelihood), likelihood.rows
    mode = likelihood.mode(x)
    columns = []
    for i, Lambda in enumerate(likelihood.factors(x)):
        block = rows.block_rows[i]
        basis = np.eye(block.n_levels * block.k).reshape(-1, block.n_levels, block.k)
        columns.append(np.stack([block.spread(unit @ Lambda.T) for unit in basis], axis=1))
    Z_Lambda, u = np.hstack(columns), np.concatenate([part.ravel() for part in mode.u])
    d = rows.family.derivatives(rows.observed, mode.eta, likelihood.beside(x)[1], 2)
    np.testing.assert_allclose(Z_Lambda.T @ d.g, u, atol=1e-6)
    M = Z_Lambda.T @ (d.V[:, None] * Z_Lambda) + np.eye(len(u))
    expected = -2 * (np.sum(d.kernel) + likelihood.constant) + u @ u + np.linalg.slogdet(M)[1]
    assert likelihood.deviance(likelihood.curved(x, mode)) == pytest.approx(expected, rel=ALGEBRA)


def test_for_a_normal_response_it_is_the_exact_likelihood() -> None:
    model = bm.Model("y ~ x + (x | g) + (1 | h)", table())
    fit = model.fit("ml")
    likelihood = laplace_of(model)
    theta = likelihood.theta.working(likelihood.theta.of_factors([fit.sigma * F for F in fit.factors]))
    x = likelihood.joined(theta, fit.beta, fit.dispersion)
    deviance = likelihood.deviance(likelihood.curved(x, likelihood.mode(x)))
    assert deviance == pytest.approx(fit.deviance, rel=ALGEBRA)


def test_without_random_effects_it_is_the_generalized_linear_model() -> None:
    data = table()
    with_none = bm.Model("count ~ x + z", data, family="poisson").fit("ml")
    mu = with_none.fitted().to_numpy()
    X = with_none.model.design.mu.X
    np.testing.assert_allclose(X.T @ (data["count"] - mu), 0, atol=1e-5)
    np.testing.assert_allclose(with_none.vcov(), np.linalg.inv(X.T @ (mu[:, None] * X)), rtol=1e-3)
    assert with_none.status.converged


def test_a_variance_of_zero_gives_the_model_without_it() -> None:
    data = table()
    data["noise"] = np.random.default_rng(5).permutation(np.repeat([f"n{i}" for i in range(24)], 10))
    data["even"] = np.random.default_rng(6).binomial(4, 0.5, len(data))  # less spread than a Poisson count
    fit = bm.Model("even ~ 1 + (1 | noise)", data, family="poisson").fit("ml")
    without = bm.Model("even ~ 1", data, family="poisson").fit("ml")
    assert fit.status.singular and fit.status.converged and fit.theta[0] == 0
    assert fit.loglik == pytest.approx(without.loglik, abs=1e-8)


def test_a_frequency_weight_of_two_is_the_row_twice() -> None:
    data = table()
    weighted = bm.Model("count ~ x + (1 | g)", data, family="poisson", weights="w").fit("ml")
    repeated = data.loc[data.index.repeat(data["w"].astype(int))]
    twice = bm.Model("count ~ x + (1 | g)", repeated, family="poisson").fit("ml")
    assert weighted.loglik == pytest.approx(twice.loglik, abs=1e-6)
    np.testing.assert_allclose(weighted.fixef(), twice.fixef(), rtol=1e-5)


def test_rows_of_weight_zero_are_absent_and_predicted() -> None:
    data = table().assign(w=lambda d: (d["z"] > 0.2).astype(float))
    fit = bm.Model("yes ~ x + (1 | g) + (1 | h)", data, family="bernoulli", weights="w").fit("ml")
    fewer = bm.Model("yes ~ x + (1 | g) + (1 | h)", data[data["w"] > 0], family="bernoulli").fit("ml")
    assert fit.loglik == pytest.approx(fewer.loglik, abs=1e-7)
    assert len(fit.fitted()) == len(data) and fit.n_obs == len(fewer.fitted())


def test_order_of_rows_and_terms_does_not_matter() -> None:
    data = table()
    first = bm.Model("yes ~ x + (x | g) + (1 | h)", data, family="bernoulli").fit("ml")
    shuffled = data.sample(frac=1, random_state=1)
    second = bm.Model("yes ~ x + (1 | h) + (x | g)", shuffled, family="bernoulli").fit("ml")
    assert first.loglik == pytest.approx(second.loglik, abs=1e-7)
    np.testing.assert_allclose(first.fixef(), second.fixef(), rtol=1e-4, atol=1e-5)


def test_rescaling_a_column_changes_nothing_but_its_coefficient() -> None:
    data = table().assign(milli=lambda d: 1000 * d["x"] + 5000)
    first = bm.Model("count ~ x + (x | g)", data, family="poisson").fit("ml")
    second = bm.Model("count ~ milli + (milli | g)", data, family="poisson").fit("ml")
    assert first.loglik == pytest.approx(second.loglik, abs=1e-6)
    assert 1000 * second.fixef()["milli"] == pytest.approx(first.fixef()["x"], rel=1e-4)


def test_the_joint_errors_are_those_of_the_whole_hessian() -> None:
    """Variance of eta from (beta, b) together, against the dense inverse of the joint Hessian at the mode."""
    fit = bm.Model("yes ~ x + (1 | g) + (1 | h)", table(), family="bernoulli").fit("ml")
    design = fit.model.design
    Z = [np.eye(term.n_levels)[term.codes] for term in design.groups]
    W = np.column_stack([design.mu.X, *Z])
    mu = fit.fitted().to_numpy()
    prior = np.concatenate(
        [np.zeros(2), *(np.full(z.shape[1], 1 / F[0, 0] ** 2) for z, F in zip(Z, fit.factors, strict=True))]
    )
    covariance = np.linalg.inv(W.T @ ((mu * (1 - mu))[:, None] * W) + np.diag(prior))
    expected = np.sqrt(np.einsum("ni,ij,nj->n", W, covariance, W))
    limits = fit.predict(scale="link", interval="confidence")
    np.testing.assert_allclose((limits["upper"] - limits["lower"]) / (2 * 1.959964), expected, rtol=1e-5)
