"""Zeros are exact where the likelihood puts them, and only there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm


def test_dyestuff_started_at_zero_leaves_it() -> None:
    """The gradient at theta = 0 is exactly zero there (deviance 332.73); the optimum is 327.327."""
    model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
    fit = model.fit(bm.ML(start=[0.0]))
    assert fit.deviance == pytest.approx(327.3270599, abs=1e-6)
    assert fit.status.converged and not fit.status.singular and fit.status.boundary_slope is None


def test_dyestuff2_is_an_exact_zero_proved_by_its_slope() -> None:
    """The criterion's second derivative in theta at 0 is 28.768680, twice the slope in the variance."""
    fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff2")).fit("ml")
    assert fit.theta.tolist() == [0.0] and fit.status.singular
    assert fit.status.boundary_slope == pytest.approx(28.768680 / 2, rel=1e-4)
    assert fit.deviance == pytest.approx(162.8730367, abs=1e-6)
    assert "Boundary fit" in fit.status.problems[0]


@pytest.mark.parametrize("start", [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [10.0, -3.0, 5.0]])
def test_every_start_finds_the_optimum(start: list[float]) -> None:
    model = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))
    fit = model.fit(bm.REML(start=start))
    assert fit.criterion == pytest.approx(1743.6282720, abs=1e-6)
    np.testing.assert_allclose(fit.theta, [0.966742, 0.015169, 0.230910], atol=1e-4)


@pytest.mark.parametrize("optimizer", ["L-BFGS-B", "BFGS", "TNC", "SLSQP"])
def test_every_optimizer_finds_the_optimum(optimizer: str) -> None:
    model = bm.Model("score ~ Machine + (Machine | Worker)", bm.load_data("Machines"))
    fit = model.fit(bm.REML(optimizer=optimizer))
    assert fit.status.converged
    assert fit.criterion == pytest.approx(208.3112183, abs=1e-6)


def test_a_perfect_correlation_is_singular_and_finite() -> None:
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(20), 10)
    x = np.tile(np.arange(10.0), 20)
    u = rng.normal(size=20)
    table = pd.DataFrame({"g": g, "x": x, "y": 3 + u[g] * (1 + 0.5 * x) + rng.normal(size=200)})
    fit = bm.Model("y ~ x + (x | g)", table).fit("reml")
    assert np.all(np.isfinite(fit.theta)) and np.isfinite(fit.loglik) and fit.status.converged
    if fit.status.singular:
        assert abs(fit.varcorr()["Intercept"].iloc[1]) == pytest.approx(1.0)
    lower = [-2 * fit.model.loglik_at(theta=fit.theta + np.array(step), reml=True) for step in np.eye(3) * 0.01]
    assert min(lower) >= fit.criterion


def test_a_column_in_the_thousands_has_a_tiny_theta_and_is_not_called_singular_in_its_own_scale() -> None:
    sleep = bm.load_data("sleepstudy")
    sleep["microdays"] = sleep["Days"] * 1e6
    fit = bm.Model("Reaction ~ microdays + (microdays | Subject)", sleep).fit("ml")
    assert fit.deviance == pytest.approx(1751.9393445, abs=1e-5)
    assert fit.status.singular and not fit.status.singular_scaled


def test_stopping_early_is_said_not_hidden() -> None:
    model = bm.Model("score ~ Machine + (Machine | Worker)", bm.load_data("Machines"))
    fit = model.fit(bm.ML(maxiter=1))
    assert not fit.status.converged
    assert "maxiter" in fit.status.problems[0]
