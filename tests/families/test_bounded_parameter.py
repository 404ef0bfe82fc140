"""A family with a parameter that is no positive number: a probability, with its logit link, on every engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

import bayesmixed as bm
from bayesmixed.errors import ModelError
from bayesmixed.families import Observed

SEED = 3
ZI = 0.3
ROUNDING = 1e-9
STEP = 1e-5  # of the difference that a slope is compared with
SLOPE = 1e-4  # what such a difference of a marginal likelihood leaves of digits
NEAR = 0.1  # two approximations of one posterior with few rows


def extra_zeros(mu: Any, zi: Any) -> Any:
    import numpyro.distributions as dist

    return dist.ZeroInflatedPoisson(zi, mu)


@pytest.fixture(scope="module")
def counts() -> pd.DataFrame:
    rng = np.random.default_rng(SEED)
    group = np.repeat(np.arange(25), 12)
    x = rng.normal(size=len(group))
    eta = 1.2 + 0.4 * x + 0.5 * rng.normal(size=25)[group]
    y = np.where(rng.random(len(group)) < ZI, 0, rng.poisson(np.exp(eta)))
    return pd.DataFrame({"y": y, "x": x, "g": [f"g{i}" for i in group]})


@pytest.fixture(scope="module")
def zip_family() -> bm.families.Family:
    zi = bm.families.parameter("zi", "probability")
    return bm.families.custom("extra_zeros", extra_zeros, dispersion=(zi,), discrete=True, support="counts")


@pytest.fixture(scope="module")
def model(counts: pd.DataFrame, zip_family: bm.families.Family) -> bm.Model:
    return bm.Model("y ~ x + (1 | g)", counts, family=zip_family)


def test_a_role_says_link_bounds_and_start():
    found = {role: bm.families.parameter("one", role) for role in ("scale", "probability", "threshold")}
    assert [each.link.name for each in found.values()] == ["log", "logit", "identity"]
    assert [each.bounds for each in found.values()] == [(0.0, np.inf), (0.0, 1.0), (-np.inf, np.inf)]
    assert [each.start for each in found.values()] == [1.0, 0.5, 0.0]


def test_a_working_coordinate_and_its_slope_are_those_of_the_link():
    zi = bm.families.parameter("zi", "probability")
    assert zi.working(0.2) == pytest.approx(logit(0.2), rel=ROUNDING)
    assert zi.value(zi.working(0.2)) == pytest.approx(0.2, rel=ROUNDING)
    assert zi.slope(0.2) == pytest.approx(0.2 * 0.8, rel=ROUNDING)
    assert 0 < zi.value(-1e4) < zi.value(1e4) < 1


def test_maximum_likelihood_finds_the_mixture_weight(model: bm.Model):
    fit = model.fit("ml")
    assert fit.status.converged
    assert fit.dispersion["zi"] == pytest.approx(ZI, abs=3 * np.sqrt(ZI * (1 - ZI) / fit.n_obs))
    # at the maximum the likelihood falls both ways
    at = [
        model.loglik_at(theta=fit.theta, beta=fit.beta, dispersion={"zi": expit(logit(fit.dispersion["zi"]) + step)})
        for step in (-STEP, 0.0, STEP)
    ]
    assert abs(at[2] - at[0]) / (2 * STEP) < SLOPE * fit.n_obs
    assert at[1] == pytest.approx(fit.loglik, abs=1e-6)


def test_the_gradient_in_the_coordinate_is_that_of_the_deviance(model: bm.Model):
    from bayesmixed.likelihood.at import laplace_of

    likelihood = laplace_of(model)
    x = np.array([0.4, *np.zeros(likelihood.p), -0.7])

    def deviance(at: np.ndarray) -> float:
        return likelihood.deviance(likelihood.curved(at, likelihood.mode(at)))

    step = STEP * np.eye(len(x))[-1]
    slope = likelihood.gradient(x, likelihood.curved(x, likelihood.mode(x)))[-1]
    assert slope == pytest.approx((deviance(x + step) - deviance(x - step)) / (2 * STEP), rel=SLOPE)


def test_quadrature_agrees_with_laplace_nearly(model: bm.Model):
    one, nine = model.fit("ml"), model.fit(bm.ML(quadrature=9))
    assert nine.dispersion["zi"] == pytest.approx(one.dispersion["zi"], abs=0.01)


def test_without_groups_the_search_finds_what_the_closed_density_says(counts, zip_family):
    from scipy.optimize import minimize
    from scipy.stats import poisson

    def deviance(at: np.ndarray) -> float:
        zi, mu = expit(at[1]), np.exp(at[0])
        density = zi * (counts["y"] == 0) + (1 - zi) * poisson.pmf(counts["y"], mu)
        return -2 * float(np.log(density).sum())

    fit, found = bm.Model("y ~ 1", counts, family=zip_family).fit("ml"), minimize(deviance, [1.0, -1.0])
    assert fit.deviance == pytest.approx(found.fun, rel=1e-6)
    assert fit.dispersion["zi"] == pytest.approx(expit(found.x[1]), abs=1e-3)


def test_a_probability_has_a_uniform_prior(model: bm.Model):
    assert model.priors["zi"] == bm.priors.Uniform(0.0, 1.0)


def test_the_mode_under_a_flat_prior_is_the_maximum_and_a_beta_prior_moves_it(counts, zip_family, model):
    import numpyro.distributions as dist

    ml = model.fit("ml")
    flat = model.fit(bm.MAP(priors={"zi": bm.priors.Uniform(0, 1)}))
    assert flat.dispersion["zi"] == pytest.approx(ml.dispersion["zi"], abs=1e-3)
    pulled = model.fit(bm.MAP(priors={"zi": dist.Beta(200.0, 200.0)}))
    assert ml.dispersion["zi"] + 0.05 < pulled.dispersion["zi"] < 0.5


def test_draws_of_the_laplace_engine_and_of_nuts_are_of_one_posterior_and_survive_saving(model, zip_family, tmp_path):
    ml = model.fit("ml")
    laplace = model.fit(bm.Laplace(draws=400), seed=1)
    nuts = model.fit(bm.NUTS(draws=300, tune=300, chains=2), seed=1)
    means = [float(np.mean(fit.parameters.dispersion["zi"])) for fit in (laplace, nuts)]
    sds = [float(np.std(fit.parameters.dispersion["zi"])) for fit in (laplace, nuts)]
    assert means[0] == pytest.approx(means[1], abs=4 * sds[1] / np.sqrt(100))
    assert sds[0] == pytest.approx(sds[1], rel=0.3)
    assert means[1] == pytest.approx(ml.dispersion["zi"], abs=NEAR)
    for name, fit in {"ml": ml, "laplace": laplace, "nuts": nuts}.items():
        assert np.all((fit.parameters.dispersion["zi"] > 0) & (fit.parameters.dispersion["zi"] < 1))
        fit.save(tmp_path / name)
        again = bm.load(tmp_path / name, family=zip_family)
        np.testing.assert_array_equal(again.parameters.dispersion["zi"], fit.parameters.dispersion["zi"])


def test_an_impossible_number_or_prior_is_refused_with_what_is_possible(counts, zip_family):
    def built(**more: Any) -> bm.Model:
        return bm.Model("y ~ x + (1 | g)", counts, family=zip_family, **more)

    with pytest.raises(ModelError, match=r"constants\['zi'\] must be a number between 0 and 1, not 1.5"):
        built(constants={"zi": 1.5})
    with pytest.raises(ModelError, match=r"'zi' lies between 0 and 1, but half-Normal\(0, 1\) reaches beyond"):
        built(priors={"zi": bm.priors.HalfNormal(1.0)})
    with pytest.raises(ModelError, match="cannot have the role 'chance'.*probability"):
        bm.families.parameter("zi", "chance")
    with pytest.raises(ModelError, match="start has no parameter 'xi'"):
        bm.families.custom("one", extra_zeros, dispersion=("zi",), start={"xi": 0.2})
    assert built().loglik_at(theta=[0.5], beta=[1.0, 0.4], dispersion={"zi": 1.5}) == -np.inf
    assert built(priors="flat").priors["zi"] == bm.priors.Uniform(0.0, 1.0)


def test_a_name_that_built_in_families_have_has_their_role():
    found = bm.families.custom("own", extra_zeros, dispersion=("sigma", "phi", "shape")).others
    assert [each.role for each in found] == ["scale", "precision", "shape"]
    assert [each.start for each in found] == [1.0, 1.0, 1.0]


def test_families_list_the_location_first():
    for kind in bm.families.FAMILIES:
        made = bm.families.family(kind)
        mu, *others = made.parameters
        assert (mu.name, mu.role, mu.link) == ("mu", "location", made.link)
        assert tuple(each.name for each in others) == made.dispersion
        assert made.start(Observed(np.array([0.2, 0.4])), np.array([0.3, 0.3])).keys() == set(made.dispersion)
