"""MAP where priors decide: separated responses, intervals of predictions, estimates on the bound of a prior."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

import bayesmixed as bm
from bayesmixed.priors import Cauchy, Normal, StudentT, Uniform

OPTIMUM = 1e-6  # criteria at an optimum found by two routes; of a differenced gradient:
DIFFERENCED = 1e-5
HESSIAN = 1e-3  # relative: vcov comes from a Hessian of forward differences
ON = 1e-6  # of a bound
SLOPES = "Reaction ~ Days + (Days | Subject)"
CBPP = "cbind(incidence, size - incidence) ~ period"


def sleep() -> bm.Model:
    return bm.Model(SLOPES, bm.load_data("sleepstudy"))


def cbpp(formula: str = CBPP + " + (1 | herd)") -> bm.Model:
    return bm.Model(formula, bm.load_data("cbpp"), family="binomial")


# --- separated responses ----------------------------------------------------------------------------------------------


def separated(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=60), rng.normal(size=60)
    return pd.DataFrame({"x": x, "z": z, "y": (x > 0.1).astype(int), "g": np.repeat(list("abcdefghij"), 6)})


WEAK = {"x": Normal(0.0, 2.87), "z": Normal(0.0, 3.0)}


@pytest.mark.parametrize("link", ["logit", "probit"])
@pytest.mark.parametrize("seed", [1, 2])
def test_priors_make_separated_data_a_mode_like_any_other(seed: int, link: str) -> None:
    """The start knows the priors: a search from where the likelihood alone runs to ends nowhere."""
    data = separated(seed)
    fit = bm.Model("y ~ x + z", data, family="bernoulli", link=link).fit(bm.MAP(priors=WEAK))
    X, signs = np.column_stack([np.ones(60), data["x"], data["z"]]), 2 * data["y"].to_numpy() - 1
    log_f = stats.logistic.logcdf if link == "logit" else stats.norm.logcdf

    def criterion(beta: np.ndarray) -> float:
        prior = sum(stats.norm(0, p.scale).logpdf(b) for p, b in zip(WEAK.values(), beta[1:], strict=True))
        return float(-2 * (log_f(signs * (X @ beta)).sum() + prior))

    assert fit.status.converged and not fit.status.problems
    assert fit.criterion == pytest.approx(optimize.minimize(criterion, np.zeros(3)).fun, abs=OPTIMUM)


@pytest.mark.parametrize("seed", [1, 2])
def test_with_bars_every_start_finds_the_mode_of_separated_data(seed: int) -> None:
    model = bm.Model("y ~ x + z + (1 | g)", separated(seed), family="bernoulli")
    priors = {**WEAK, "covariance": "boundary_avoiding"}
    fits = [model.fit(bm.MAP(priors=priors, start=start)) for start in (None, [0.3], [5.0])]
    for fit in fits:
        assert fit.status.converged and not fit.status.problems
        assert fit.criterion == pytest.approx(fits[0].criterion, abs=OPTIMUM)
    assert fits[0].criterion < model.fit(bm.MAP(priors=WEAK)).criterion + 3
    more = model.fit(bm.MAP(priors=priors, quadrature=7))
    assert more.status.converged and more.loglik == pytest.approx(fits[0].loglik, abs=0.5)


def test_a_coefficient_that_its_prior_holds_far_out_has_not_run_off() -> None:
    """Heavy tails let it go where a fit without priors would be no estimate; a positive Hessian says it is one."""
    model = bm.Model("y ~ x + z + (1 | g)", separated(2), family="bernoulli")
    priors = {"x": StudentT(3.0, 0.0, 2.49), "z": StudentT(3.0, 0.0, 3.0), "covariance": "boundary_avoiding"}
    fit = model.fit(bm.MAP(priors=priors))
    assert abs(fit.fixef()["x"]) > 10 and fit.status.converged and not fit.status.problems
    assert min(fit.status.hessian_eigenvalues) > 0


# --- prediction errors ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "priors"),
    [
        (CBPP, {"period[2]": Normal(-1.0, 0.05)}),
        (CBPP, {"period[2]": StudentT(5.0, -1.0, 0.05), "Intercept": Cauchy(0.0, 1.0)}),
        (SLOPES, {"Days": Normal(8.0, 0.3)}),
        (SLOPES, {"Days": StudentT(5.0, 8.0, 0.3)}),
    ],
    ids=["glm-normal", "glm-heavy", "linear-normal", "linear-heavy"],
)
def test_intervals_of_predictions_know_the_priors_of_coefficients(formula: str, priors: Any) -> None:
    """The population's interval is that of x'Vx, V the covariance of the estimates, wherever theta is held in both."""
    model = cbpp(formula) if formula == CBPP else sleep()
    fit = model.fit(bm.MAP(priors=priors))
    found = fit.predict(re="none", scale="link", interval="confidence")
    X = model.design.mu.X
    half = stats.norm.ppf(0.975) * np.sqrt(np.einsum("np,pq,nq->n", X, fit.vcov().to_numpy(), X))
    np.testing.assert_allclose((found["upper"] - found["lower"]) / 2, half, rtol=HESSIAN)
    plain = model.fit(bm.MAP(priors={})).predict(re="none", scale="link", interval="confidence")
    assert ((found["upper"] - found["lower"]) < 0.99 * (plain["upper"] - plain["lower"])).any()


# --- bounds of priors -------------------------------------------------------------------------------------------------


def test_an_estimate_on_the_bound_of_its_prior_is_said_and_the_others_are_the_best_given_it() -> None:
    data = bm.load_data("sleepstudy").assign(known=lambda table: 5 * table["Days"])
    held = bm.Model("Reaction ~ 1 + offset(known) + (Days | Subject)", data).fit("ml")
    fit = sleep().fit(bm.MAP(priors={"Days": Uniform(0.0, 5.0)}))
    assert fit.criterion == pytest.approx(held.deviance + 2 * np.log(5), abs=DIFFERENCED)
    assert fit.fixef()["Days"] == pytest.approx(5.0, abs=ON) and fit.sigma == pytest.approx(held.sigma, rel=1e-3)
    assert fit.status.converged and fit.status.gradient_norm < 0.1
    (problem,) = fit.status.problems
    assert "on the bound of the prior of 'Days', Uniform(0, 5)" in problem and "bm.priors.Normal" in problem

    sigma = sleep().replace(constants={"sigma": 20.0}).fit("ml")
    fit = sleep().fit(bm.MAP(priors={"sigma": Uniform(0.0, 20.0)}))
    assert fit.criterion == pytest.approx(sigma.deviance + 2 * np.log(20), abs=DIFFERENCED)
    assert "'sigma', Uniform(0, 20)" in fit.status.problems[0]


@pytest.mark.parametrize("bounds", [(0.0, 0.3), (1.0, 3.0)])
def test_the_same_of_an_sd_in_a_generalized_model(bounds: tuple[float, float]) -> None:
    model = cbpp()
    fit = model.fit(bm.MAP(priors={"1|herd_sigma": Uniform(*bounds)}))
    bound = 0.3 if bounds[0] == 0 else 1.0
    assert fit.theta[0] == pytest.approx(bound, abs=ON) and fit.status.converged
    assert f"'1|herd_sigma', Uniform({bounds[0]:g}, {bounds[1]:g})" in fit.status.problems[0]

    def deviance(beta: np.ndarray) -> float:
        return -2 * model.loglik_at(theta=[bound], beta=beta)

    best = optimize.minimize(deviance, fit.beta, options={"gtol": 1e-4}).fun
    assert fit.criterion == pytest.approx(best + 2 * np.log(bounds[1] - bounds[0]), abs=DIFFERENCED)
    assert fit.vcov().notna().all().all()
