"""Slopes against the derivatives of the formulas, wherever they are taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import norm

import bayesmixed as bm

EXACT = 1e-8  # relative: two steps of order 4 agree to 1e-7, and the finer one counts
DIFFERENCES = 1e-5  # of central differences with which we compare
ORIGIN = 737000.0


def table() -> pd.DataFrame:
    """A column spread over four decades, counts and successes that follow its logarithm, ten groups."""
    rng = np.random.default_rng(0)
    x, g = np.exp(rng.uniform(np.log(0.06), np.log(500), 300)), rng.integers(0, 10, 300)
    x[:2] = 0.06, 500
    eta = 0.5 * np.log(x) + rng.normal(size=10)[g]
    y = eta + rng.normal(size=300)
    return pd.DataFrame({"x": x, "g": g, "y": y, "s": (rng.uniform(size=300) < expit(eta - 1)).astype(int)})


@pytest.fixture(scope="module")
def logs() -> Any:
    return bm.Model("y ~ log(x) + (1 | g)", table()).fit("reml")


def test_a_logarithm_has_its_slope_everywhere(logs: Any) -> None:
    b, se = logs.coefficients.loc["log(x)", ["estimate", "se"]]
    at = np.array([1e-9, 0.01, 0.06, 0.1, 7.0, 500.0, 1e6])
    found = bm.slopes(logs, "x", at={"x": at}).frame
    np.testing.assert_allclose(found["estimate"], b / at, rtol=EXACT)
    np.testing.assert_allclose(found["se"], se / at, rtol=EXACT)
    average = bm.slopes(logs, "x", newdata="data", average=True).frame
    assert average["estimate"][0] == pytest.approx((b / logs.model.frame["x"]).mean(), rel=EXACT)


@pytest.mark.parametrize(
    ("term", "slope"),
    [
        ("sin(x)", np.cos),
        ("I(x**1.5)", lambda x: 1.5 * np.sqrt(x)),  # defined from 0 on, and 0 is among the data
        ("I((x - 94) * (x > 94))", lambda x: 1.0 * (x > 94)),
        ("I(x > 100)", np.zeros_like),  # a step, and 100 is among the data
        ("I(1 / (x + 0.001))", lambda x: -1 / (x + 0.001) ** 2),
    ],
)
def test_so_has_every_function(term: str, slope: Callable[[np.ndarray], np.ndarray]) -> None:
    data = table()
    data.loc[:1, "x"] = 0.0, 100.0
    fit = bm.Model(f"y ~ {term} + (1 | g)", data).fit("reml")
    found = bm.slopes(fit, "x", newdata="data").frame["estimate"]
    exact = fit.fixef().iloc[1] * slope(data["x"].to_numpy())
    np.testing.assert_allclose(found, exact, rtol=EXACT, atol=EXACT * abs(fit.fixef().iloc[1]))


def test_where_there_is_no_slope_it_is_blank_and_said() -> None:
    data = table()
    data.loc[0, "x"] = 0.0
    fit = bm.Model("y ~ sqrt(x) + (1 | g)", data).fit("reml")
    found = bm.slopes(fit, "x", newdata="data")
    exact = fit.fixef()["sqrt(x)"] / (2 * np.sqrt(data["x"][1:]))
    assert np.isnan(found.frame["estimate"][0])
    np.testing.assert_allclose(found.frame["estimate"][1:], exact, rtol=EXACT)
    assert "Blank: the formula has no finite derivative in x in 1 of 300 rows" in str(found)
    assert "data do not determine" not in str(found)


def test_standard_errors_are_by_the_derivative_in_the_coefficients() -> None:
    """Through a link and over the random effects, slopes among them: by differences of another integral's."""
    data = table().assign(z=lambda t: np.log(t["x"]) / 3)
    fit = bm.Model("s ~ log(x) + (z | g)", data, family="bernoulli").fit("ml")
    S, at, (nodes, weights) = fit.parameters.mean().covariance(0)[0, 0], 5.0, np.polynomial.hermite_e.hermegauss(80)
    sd = np.sqrt([1, 0.4] @ S @ [1, 0.4])

    def rate(beta: np.ndarray) -> float:
        """z is held at 0.4, so that x moves the predictor alone."""
        p = expit(beta @ [1, np.log(at)] + sd * nodes)
        return float(weights @ (p * (1 - p)) / weights.sum() * beta[1] / at)

    beta, h = fit.fixef().to_numpy(), 1e-5
    gradient = np.array([(rate(beta + step) - rate(beta - step)) / (2 * h) for step in h * np.eye(2)])
    found = bm.slopes(fit, "x", at={"x": [at], "z": [0.4]}, kind="population").frame
    assert found["estimate"][0] == pytest.approx(rate(beta), rel=EXACT)
    assert found["se"][0] == pytest.approx(np.sqrt(gradient @ fit.vcov().to_numpy() @ gradient), rel=DIFFERENCES)


def test_a_column_of_random_slopes_moves_population_means_by_their_spread() -> None:
    """Probit: the mean is Phi(eta / sqrt(1 + v(x))), whose derivative is known."""
    rng = np.random.default_rng(5)
    data = table().assign(x=lambda t: np.log(t["x"]) / 3)
    slope = rng.normal(size=10)[data["g"]]
    data["s"] = (0.3 + (0.5 + slope) * data["x"] + rng.normal(size=300) > 0).astype(int)
    fit = bm.Model("s ~ x + (x | g)", data, family="bernoulli", link="probit").fit("ml")
    (a, b), S = fit.fixef(), fit.parameters.mean().covariance(0)[0, 0]
    for x in (-0.5, 0.0, 1.5):
        z, dz = np.array([1.0, x]), np.array([0.0, 1.0])
        spread = np.sqrt(1 + z @ S @ z)
        exact = norm.pdf((a + b * x) / spread) * (b / spread - (a + b * x) * (z @ S @ dz) / spread**3)
        found = bm.slopes(fit, "x", at={"x": [x]}, kind="population").frame["estimate"][0]
        assert found == pytest.approx(exact, rel=EXACT)


def test_slopes_of_draws_are_slopes_draw_by_draw(logs: Any) -> None:
    fit = logs.model.fit(bm.Laplace(draws=200, pool=2), seed=1)
    exact = fit.parameters.flat().beta[0][:, 1] / 0.06
    np.testing.assert_allclose(bm.slopes(fit, "x", at={"x": [0.06]}).quantities.draws[:, 0], exact, rtol=EXACT)


def test_an_origin_changes_no_slope() -> None:
    near = table().assign(x=lambda t: np.arange(len(t)) % 100)
    far = near.assign(x=near["x"] + ORIGIN)
    frames = [
        bm.slopes(bm.Model("y ~ x + I(x**2) + (1 | g)", data).fit("reml"), "x", at={"x": [20 + origin]}).frame
        for origin, data in ((0.0, near), (ORIGIN, far))
    ]
    columns = ["estimate", "se"]
    np.testing.assert_allclose(frames[1][columns], frames[0][columns], rtol=DIFFERENCES)


def test_the_slope_of_an_infinite_mean_is_refused() -> None:
    """1 / (eta + b) with a normal b has no mean."""
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"x": rng.normal(size=200), "g": rng.integers(0, 12, 200)})
    data["y"] = rng.gamma(3, 1 / (2 + 0.1 * data["x"] + 0.3 * rng.normal(size=12)[data["g"]]))
    fit = bm.Model("y ~ x + (1 | g)", data, family="gamma", link="inverse").fit("ml")
    with pytest.raises(bm.errors.FitError, match="population mean is not finite"):
        bm.slopes(fit, "x", kind="population")
    a, b = fit.fixef()
    found = bm.slopes(fit, "x", at={"x": [0.5]}).frame["estimate"][0]
    assert found == pytest.approx(-b / (a + b / 2) ** 2, rel=EXACT)
