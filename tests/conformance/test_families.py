"""What every family must do: found through the registry."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

import bayesmixed as bm
from bayesmixed.families import FAMILIES, LINKS, Family, family, link

DENSITY = 1e-12  # relative: the same formula in two libraries
N = 200_000
ORACLES: dict[str, Any] = {"gaussian": lambda mu, d: stats.norm(mu, d["sigma"])}
DISPERSION = {"sigma": 1.7}


@pytest.fixture(params=sorted(FAMILIES))
def kind(request: pytest.FixtureRequest) -> Family:
    return family(request.param)


def values(kind: Family) -> dict[str, float]:
    return {name: DISPERSION[name] for name in kind.dispersion}


def test_the_density_is_scipys(kind: Family) -> None:
    mu = np.linspace(0.2, 3.0, 7)
    oracle = ORACLES[kind.name](mu, values(kind))
    y = oracle.rvs(random_state=1)
    found = kind.log_density(y, mu, values(kind), None)
    logpdf = oracle.logpmf if kind.discrete else oracle.logpdf
    np.testing.assert_allclose(found, logpdf(y), rtol=DENSITY)


def test_the_numpyro_distribution_has_the_same_density(kind: Family) -> None:
    mu, y, weights = np.array([0.5, 2.0]), np.array([1.0, 1.5]), np.array([0.5, 3.0])
    with bm.x64():
        for w in (None, weights):
            theirs = np.asarray(kind.distribution(mu, values(kind), w).log_prob(y))
            np.testing.assert_allclose(kind.log_density(y, mu, values(kind), w), theirs, rtol=DENSITY)


def test_draws_have_the_stated_mean_and_sd(kind: Family) -> None:
    mu = np.full(N, 1.3)
    y = kind.draw(np.random.default_rng(1), mu, values(kind), None)
    sd = kind.sd(mu, values(kind), None)[0]
    assert y.mean() == pytest.approx(1.3, abs=4 * sd / np.sqrt(N))
    assert y.std() == pytest.approx(sd, rel=0.02)


def test_precision_weights_divide_the_variance(kind: Family) -> None:
    if kind.weights != "precision":
        pytest.skip("frequency weights multiply the log-likelihood instead")
    mu = np.ones(3)
    np.testing.assert_allclose(kind.sd(mu, values(kind), np.full(3, 4.0)), kind.sd(mu, values(kind), None) / 2)


def test_quantile_residuals_of_the_right_model_are_standard_normal(kind: Family) -> None:
    rng = np.random.default_rng(2)
    mu = rng.uniform(0.5, 2.0, 5000)
    y = kind.draw(rng, mu, values(kind), None)
    scores = kind.quantile_residuals(y, mu, values(kind), None, rng)
    assert stats.kstest(scores, "norm").pvalue > 1e-4


def test_values_outside_the_support_are_named_with_their_row(kind: Family) -> None:
    with pytest.raises(bm.errors.DataError, match="row 1"):
        kind.check(np.array([1.0, np.inf, 1.0]), "y")


@pytest.mark.parametrize("name", sorted(LINKS))
def test_links_invert_and_their_slope_is_the_derivative(name: str) -> None:
    g, mu = link(name), np.linspace(0.1, 0.9, 9)
    np.testing.assert_allclose(g.inverse(g.forward(mu)), mu, rtol=1e-12)
    np.testing.assert_allclose(g.slope(mu), (g.forward(mu + 1e-6) - g.forward(mu - 1e-6)) / 2e-6, rtol=1e-6)


def test_unknown_families_and_links_are_refused_with_the_nearest() -> None:
    with pytest.raises(bm.errors.ModelError, match="gaussian"):
        family("gausian")
    with pytest.raises(bm.errors.ModelError, match="identity"):
        family("gaussian", "identiy")
