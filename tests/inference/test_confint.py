"""Intervals by standard errors, and of draws."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from conftest import load_reference_frame, load_result
from scipy.stats import norm

import bayesmixed as bm
from bayesmixed.errors import FitError
from bayesmixed.inference.confint import shortest

LME4 = 1e-4  # of a limit's distance: what lme4's optimum leaves
NUMERIC = 2e-3  # of a width: standard errors of a numerical Hessian beside those of a profile's curvature


@cache
def fitted(name: str, engine: str = "ml") -> Any:
    models = {
        "sleepstudy": lambda data: bm.Model("Reaction ~ Days + (Days | Subject)", data),
        "cbpp": lambda data: bm.Model(
            "cbind(incidence, size - incidence) ~ period + (1 | herd)", data, family="binomial"
        ),
    }
    seed = {"seed": 1} if engine == "laplace" else {}
    return models[name](load_reference_frame(name)).fit(engine, **seed)


def test_wald_limits_of_coefficients_are_the_estimates_and_their_quantiles() -> None:
    fit = fitted("sleepstudy")
    found = bm.confint(fit, "wald", ddf="asymptotic").frame
    names = ["Intercept", "Days"]
    assert np.allclose(found.loc[names, ["lower", "upper"]].astype(float), fit.coefficients[["lower", "upper"]])
    assert (found.loc[names, "kind"] == "wald").all()
    by_t = bm.confint(fit, "wald", which="Days").frame.loc["Days"]
    tested = bm.hypothesis(fit).frame
    row = tested[tested.iloc[:, 0] == "Days"] if "Days" not in tested.index else tested.loc[["Days"]]
    assert np.allclose([by_t["lower"], by_t["upper"]], row[["lower", "upper"]].to_numpy().ravel())


def test_sds_of_a_linear_model_have_no_wald_limits_and_that_is_said() -> None:
    found = bm.confint(fitted("sleepstudy"), "wald")
    others = found.frame.drop(index=["Intercept", "Days"])
    assert others["lower"].isna().all() and (others["kind"] == "none").all()
    assert "No standard error: sd(Intercept | Subject)" in str(found)


def test_wald_limits_of_an_sd_are_those_of_the_curvature_of_its_profile() -> None:
    fit = fitted("cbpp")
    found = bm.confint(fit, "wald", which="sd(Intercept | herd)").frame.iloc[0]
    frame = bm.profile(fit, "sd(Intercept | herd)").frame
    slope = np.gradient(frame["zeta"], frame["value"])[int(np.flatnonzero(frame["zeta"] == 0)[0])]
    half = (found["upper"] - found["lower"]) / 2
    assert abs(half * slope / norm.ppf(0.975) - 1) < 0.1  # a difference over a bent curve
    curve = bm.profile(fit, "sd(Intercept | herd)").curves[0]
    assert abs(half / norm.ppf(0.975) / curve.se - 1) < NUMERIC


def test_draws_have_equal_tailed_and_shortest_intervals() -> None:
    fit = fitted("cbpp", "laplace")
    draws = fit.parameters.sds[0].ravel()
    name = "sd(Intercept | herd)"
    tails = bm.confint(fit, which=name).frame.loc[name]
    assert np.allclose([tails["lower"], tails["upper"]], np.quantile(draws, [0.025, 0.975]))
    dense = bm.confint(fit, "hdi", which=name).frame.loc[name]
    assert dense["kind"] == "hdi" and tails["kind"] == "equal-tailed"
    assert dense["upper"] - dense["lower"] <= tails["upper"] - tails["lower"]
    inside = np.mean((draws >= dense["lower"]) & (draws <= dense["upper"]))
    assert 0.95 <= inside < 0.951
    assert set(bm.confint(fit).frame.index) == {"Intercept", "period[2]", "period[3]", "period[4]", name}


def test_the_shortest_interval_of_a_symmetric_density_is_equal_tailed() -> None:
    draws = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    low, high = shortest(draws, 0.9)
    assert np.allclose([low, high], norm.ppf([0.05, 0.95]), atol=1e-3)  # of draws so far apart


def test_a_method_of_the_other_kind_of_fit_is_named() -> None:
    with pytest.raises(FitError, match="that is for point fits; of draws it is 'equal-tailed' or 'hdi'"):
        bm.confint(fitted("cbpp", "laplace"), "profile")


def test_standard_errors_are_those_of_the_reference() -> None:
    """lme4's Wald intervals, which have no row of sds either."""
    found = load_result("lmm_sleepstudy_slope")
    ml = next(fit for fit in found["fits"] if fit["estimator"] == "ML" and fit["engine"] == "lme4::lmer")
    limits = bm.confint(fitted("sleepstudy"), "wald", ddf="asymptotic").frame.loc[["Intercept", "Days"]]
    half = norm.ppf(0.975) * np.array(ml["fixed"]["se"])
    expected = np.array(ml["fixed"]["estimate"])[:, None] + np.outer(half, [-1, 1])
    assert np.allclose(limits[["lower", "upper"]].astype(float), expected, atol=LME4 * half[1])
