"""Conditional and population means against closed forms, numerical integration and simulated responses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import dblquad, quad
from scipy.special import expit, ndtr
from scipy.stats import multivariate_normal, norm

import bayesmixed as bm
from bayesmixed.effects.mean.question import _nodes

ALGEBRA = 1e-9
INTEGRAL = 1e-7  # of the quadrature that we compare with
DIFFERENCES = 1e-6  # central differences of integrals, relative
MONTE_CARLO = 5  # standard errors


def children() -> pd.DataFrame:
    """Success or failure of 40 children in 8 rows each, rising with x at a child's own rate; two treatments."""
    rng = np.random.default_rng(3)
    child, x = np.repeat(np.arange(40), 8), np.tile(np.linspace(-1, 1, 8), 40)
    b = rng.normal(size=(40, 2)) @ np.array([[1.2, 0.3], [0.0, 0.8]])
    f = np.where(child % 2, "new", "old")
    eta = -0.5 + (f == "new") * 0.8 + x + b[child, 0] + b[child, 1] * x
    item = np.tile(list("pqrs"), 80)
    y = (rng.uniform(size=320) < expit(eta)).astype(int)
    return pd.DataFrame({"y": y, "x": x, "f": f, "child": child, "item": item, "count": rng.poisson(np.exp(eta / 2))})


@pytest.fixture(scope="module")
def slopes_fit() -> Any:
    return bm.Model("y ~ f + x + (x | child)", children(), family="bernoulli").fit("ml")


@pytest.fixture(scope="module")
def laplace_fit(slopes_fit: Any) -> Any:
    return slopes_fit.model.fit(bm.Laplace(draws=400), seed=1)


@pytest.fixture(scope="module")
def count_fit() -> Any:
    return bm.Model("count ~ x + (x | child) + (1 | item)", children(), family="poisson").fit("ml")


def population_variance(fit: Any, x: float) -> float:
    """Variance of the random part of a row at x, its factors new levels."""
    mean, z = fit.parameters.mean(), {2: np.array([1.0, x]), 1: np.ones(1)}
    blocks = [mean.covariance(j)[0, 0] for j in range(len(fit.model.design.groups))]
    return float(sum(z[len(block)] @ block @ z[len(block)] for block in blocks))


def by_hand(fit: Any, response: Callable[[float], float], x: float, beta: Any) -> float:
    """The population mean at x by adaptive integration, for a model whose coefficients are Intercept and x."""
    sd, eta = np.sqrt(population_variance(fit, x)), beta[0] + beta[1] * x
    value, _ = quad(lambda z: response(eta + sd * z) * norm.pdf(z), -12, 12, epsabs=1e-12, limit=200)
    return float(value)


def test_a_population_mean_is_the_integral_over_all_effects_of_a_row(slopes_fit: Any) -> None:
    """Intercept and slope integrated in two dimensions; ours in one."""
    found = bm.predictions(slopes_fit, {"x": [0.7], "f": ["new"]}, kind="population").frame["estimate"][0]
    density = multivariate_normal(cov=slopes_fit.parameters.mean().covariance(0)[0, 0])
    eta = slopes_fit.fixef()["Intercept"] + 0.7 * slopes_fit.fixef()["x"]
    value, _ = dblquad(lambda s, i: expit(eta + i + 0.7 * s) * density.pdf([i, s]), -8, 8, -5, 5, epsabs=INTEGRAL)
    assert found == pytest.approx(value, abs=10 * INTEGRAL)


@pytest.mark.parametrize("x", [-1.0, 0.4])
def test_population_means_have_closed_forms_for_log_and_probit_links(count_fit: Any, x: float) -> None:
    eta, variance = float(count_fit.fixef() @ [1.0, x]), population_variance(count_fit, x)
    found = bm.predictions(count_fit, {"x": [x]}, kind="population").frame["estimate"][0]
    assert found == pytest.approx(np.exp(eta + variance / 2), rel=ALGEBRA)
    probit = bm.Model("y ~ x + (x | child)", children(), family="bernoulli", link="probit").fit("ml")
    eta, variance = float(probit.fixef() @ [1.0, x]), population_variance(probit, x)
    found = bm.predictions(probit, {"x": [x]}, kind="population").frame["estimate"][0]
    assert found == pytest.approx(ndtr(eta / np.sqrt(1 + variance)), rel=ALGEBRA)


def test_their_standard_errors_are_by_the_derivative_in_the_coefficients(count_fit: Any) -> None:
    """Against differences of integrals by another rule; the variances are held."""
    fit = bm.Model("y ~ x + (1 | child)", children(), family="bernoulli").fit("ml")
    beta, h = fit.fixef().to_numpy(), 1e-4
    gradient = [
        (by_hand(fit, expit, 0.7, beta + step) - by_hand(fit, expit, 0.7, beta - step)) / (2 * h)
        for step in h * np.eye(2)
    ]
    found = bm.predictions(fit, {"x": [0.7]}, kind="population").frame
    assert found["estimate"][0] == pytest.approx(by_hand(fit, expit, 0.7, beta), rel=ALGEBRA)
    assert found["se"][0] == pytest.approx(np.sqrt(gradient @ fit.vcov().to_numpy() @ gradient), rel=DIFFERENCES)


@pytest.mark.parametrize("sd", [0.2, 1.0, 3.0, 10.0])
def test_the_rule_integrates_bounded_and_exponential_functions(sd: float) -> None:
    nodes, weights = _nodes(sd)
    assert weights @ ndtr(0.7 + sd * nodes) == pytest.approx(ndtr(0.7 / np.sqrt(1 + sd**2)), rel=ALGEBRA)
    assert weights @ np.exp(sd * nodes) == pytest.approx(np.exp(sd**2 / 2), rel=ALGEBRA)
    exact, _ = quad(lambda z: expit(1 + sd * z) * norm.pdf(z), -12, 12, points=[-1 / sd], limit=500, epsabs=1e-13)
    assert weights @ expit(1 + sd * nodes) == pytest.approx(exact, abs=ALGEBRA)


def test_average_population_means_are_those_of_simulated_responses(slopes_fit: Any) -> None:
    """New children in every replicate: the mean over rows of what the model would see."""
    drawn = slopes_fit.simulate(2000, re="new", seed=1).mean(axis=1)
    found = bm.predictions(slopes_fit, newdata="data", average=True, kind="population").frame["estimate"][0]
    assert found == pytest.approx(drawn.mean(), abs=MONTE_CARLO * drawn.std() / np.sqrt(len(drawn)))


def test_conditional_and_population_means_are_one_where_the_mean_is_linear() -> None:
    fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    conditional, population = (
        bm.predictions(fit, {"Days": [0, 9]}, kind=kind).frame for kind in ("conditional", "population")
    )
    pd.testing.assert_frame_equal(conditional, population, rtol=ALGEBRA)


def test_predictions_of_a_table_are_those_of_predict_with_effects_zero(slopes_fit: Any) -> None:
    """In a linear model with the same normal limits; else these follow fit.vcov(), where variances are not held."""
    table = pd.DataFrame({"x": [0.0, 0.5, -2.0], "f": ["old", "new", "new"]}, index=["i", "j", "k"])
    found = bm.predictions(slopes_fit, newdata=table, scale="link").frame
    assert list(found.index) == list(table.index)
    np.testing.assert_allclose(found["estimate"], slopes_fit.predict(table, re="none", scale="link")["estimate"])
    X = np.column_stack([np.ones(3), table["f"] == "old", table["x"]])
    np.testing.assert_allclose(found["se"] ** 2, np.diag(X @ slopes_fit.vcov() @ X.T), rtol=ALGEBRA)
    mean = bm.predictions(slopes_fit, newdata="data", average=True).frame["estimate"][0]
    assert mean == pytest.approx(slopes_fit.predict(re="none")["estimate"].mean(), rel=ALGEBRA)
    linear = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    days = pd.DataFrame({"Days": [0, 4.5, 12]})
    theirs = linear.predict(days, re="none", interval="confidence")
    found = bm.predictions(linear, newdata=days, ddf="asymptotic").frame
    np.testing.assert_allclose(found[["estimate", "lower", "upper"]], theirs, rtol=ALGEBRA)


def test_draws_are_averaged_after_the_link(laplace_fit: Any) -> None:
    table = pd.DataFrame({"x": [0.0, 0.5], "f": ["old", "new"]})
    draws = laplace_fit.predict_draws(table, re="none").to_numpy().reshape(-1, 2)
    found = bm.predictions(laplace_fit, newdata=table).frame
    np.testing.assert_allclose(found["estimate"], draws.mean(axis=0), rtol=ALGEBRA)
    np.testing.assert_allclose(found["se"], draws.std(axis=0, ddof=1), rtol=ALGEBRA)
    np.testing.assert_allclose(found[["lower", "upper"]].T, np.quantile(draws, [0.025, 0.975], axis=0), rtol=ALGEBRA)


def test_population_means_of_draws_integrate_draw_by_draw(laplace_fit: Any) -> None:
    """Each draw has its own covariance: the mean over draws of integrals, not the integral at the mean."""
    flat, z = laplace_fit.parameters.flat(), np.array([1.0, 0.7])
    sds = np.sqrt(np.einsum("i,dij,j->d", z, flat.covariance(0)[0], z))
    eta = flat.beta[0] @ np.array([1.0, 0.0, 0.7])
    exact = [
        quad(lambda u, e=e, s=s: expit(e + s * u) * norm.pdf(u), -12, 12)[0]
        for e, s in zip(eta[:50], sds[:50], strict=True)
    ]
    found = bm.predictions(laplace_fit, {"x": [0.7], "f": ["new"]}, kind="population").quantities.draws[:50, 0]
    np.testing.assert_allclose(found, exact, atol=INTEGRAL)


def test_means_that_are_more_than_their_location_are_the_familys() -> None:
    """A lognormal response: exp(mu + sigma^2 / 2), over new groups exp(mu + (sigma^2 + v) / 2)."""
    fit = bm.Model("Reaction ~ Days + (1 | Subject)", bm.load_data("sleepstudy"), family="lognormal").fit("ml")
    eta, v = float(fit.fixef() @ [1.0, 3.0]), population_variance(fit, 3.0)
    conditional, population = (
        bm.predictions(fit, {"Days": [3]}, kind=kind).frame for kind in ("conditional", "population")
    )
    assert conditional["estimate"][0] == pytest.approx(np.exp(eta + fit.sigma**2 / 2), rel=ALGEBRA)
    assert population["estimate"][0] == pytest.approx(np.exp(eta + (fit.sigma**2 + v) / 2), rel=ALGEBRA)
    x = np.array([1.0, 3.0])
    se = conditional["estimate"][0] * np.sqrt(x @ fit.vcov().to_numpy() @ x)
    assert conditional["se"][0] == pytest.approx(se, rel=DIFFERENCES)
