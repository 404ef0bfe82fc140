"""Routes and ways of sampling beside the default: each gives the same posterior, and says what it did."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import bayesmixed as bm
from bayesmixed.engines.sampler.chain_start import reliability, start_from
from bayesmixed.engines.sampler.diagnostics import doubts
from bayesmixed.fits.convergence import convergence
from bayesmixed.priors import StudentT

MONTE_CARLO = 4.0  # standard errors of a difference: one in 16,000 by chance, seeds are fixed
PENICILLIN = bm.load_data("Penicillin")


@pytest.fixture(scope="module")
def crossed_model() -> bm.Model:
    return bm.Model("diameter ~ 1 + (1 | plate) + (1 | sample)", PENICILLIN)


@pytest.fixture(scope="module")
def full(crossed_model: bm.Model):
    return crossed_model.fit("nuts", seed=1, progress=False)


def population(fit) -> np.ndarray:
    """Draws (chains, draws, m) of coefficients, sds and sigma."""
    parameters = fit.parameters
    return np.concatenate([parameters.beta, *parameters.sds, parameters.dispersion["sigma"][..., None]], axis=2)


def agree(one, other) -> None:
    """Means and sds of every population parameter, by their Monte Carlo errors."""
    moments = []
    for draws in (population(one), population(other)):
        size = np.minimum(convergence(draws).ess_bulk, convergence(draws).ess_tail)
        flat = draws.reshape(-1, draws.shape[2])
        moments.append((flat.mean(axis=0), flat.std(axis=0), size))
    (mean_a, sd_a, size_a), (mean_b, sd_b, size_b) = moments
    error = np.hypot(sd_a / np.sqrt(size_a), sd_b / np.sqrt(size_b))
    assert np.all(np.abs(mean_a - mean_b) < MONTE_CARLO * error)
    # heavy upper tails of sds: the sd's own error is about twice that of a normal sample
    assert np.all(np.abs(sd_a - sd_b) < 2 * MONTE_CARLO * error / np.sqrt(2))


def test_the_partial_route_gives_the_same_posterior(crossed_model: bm.Model, full) -> None:
    partial = crossed_model.fit(bm.NUTS(collapsed="partial", tune=500), seed=2, progress=False)
    assert partial.status.route == "collapsed, partial (6 effects sampled: sample partly centred)"
    agree(full, partial)
    for ours, theirs in zip(partial.ranef().values(), full.ranef().values(), strict=True):
        assert np.max(np.abs(ours - theirs).to_numpy()) < 0.1


def test_chains_in_one_call_give_the_same_posterior(crossed_model: bm.Model, full) -> None:
    together = crossed_model.fit(bm.NUTS(chain_method="vectorized"), seed=3, progress=False)
    agree(full, together)


def test_a_sampled_coefficient_gives_the_same_posterior_on_both_routes() -> None:
    """Student-t priors are not integrated out."""
    priors = {"Intercept_centered": StudentT(3, 300, 50), "Days": StudentT(3, 0, 5)}
    model = bm.Model("Reaction ~ Days + (1 | Subject)", bm.load_data("sleepstudy"), priors=priors)
    collapsed = model.fit("nuts", seed=1, progress=False)
    explicit = model.fit(bm.NUTS(collapsed=False), seed=2, progress=False)
    assert "2 coefficients sampled" in collapsed.status.route
    agree(collapsed, explicit)


def test_what_makes_a_warm_up_doubtful(full) -> None:
    engine, good = bm.NUTS(), replace(full.status, divergences=4, min_bfmi=0.9, max_rhat=1.005)
    assert doubts(good, engine) == ""
    assert doubts(replace(good, divergences=5), engine) == "5 of 4000 draws diverged"
    assert doubts(replace(good, min_bfmi=0.2, max_rhat=1.02), engine) == "BFMI was 0.20 and R-hat was 1.020"
    few = bm.NUTS(draws=50)  # so few scatter that far by chance
    assert doubts(replace(good, divergences=0, max_rhat=1.02), few) == ""


def test_a_covariance_without_full_rank_is_not_centred() -> None:
    """Its posterior reaches to zero in some direction."""
    informed = np.tile(0.05 * np.eye(2), (5, 1, 1))
    full = np.linalg.cholesky(np.array([[1.0, 0.9], [0.9, 1.0]]))
    np.testing.assert_allclose(reliability(full, informed), 0.95)
    deficient = np.array([[1.0, 0.0], [0.9, 0.0]])
    assert np.array_equal(reliability(deficient, informed), [0.0, 0.0])


def test_bars_that_share_their_variance_may_be_centred_altogether() -> None:
    data = bm.load_data("grouseticks")
    nested = bm.Model("TICKS ~ YEAR + (1 | BROOD) + (1 | LOCATION)", data, family="poisson")
    two = start_from(nested.fit("ml"), nested)
    assert all(0 < power[0] < 1 for power in two.centering())
    assert [power.tolist() for power in two.other_centering()] == [[1.0], [1.0]]
    single = bm.Model("TICKS ~ YEAR + (1 | BROOD)", data, family="poisson")
    one = start_from(single.fit("ml"), single)
    assert one.other_centering() is None


@pytest.mark.slow
def test_slow_chains_are_run_longer_and_say_so() -> None:
    formula = "TICKS ~ YEAR + cHEIGHT + (1 | BROOD) + (1 | INDEX) + (1 | LOCATION)"
    fit = bm.Model(formula, bm.load_data("grouseticks"), family="poisson").fit("nuts", seed=1, progress=False)
    assert re.search(r"These are one in \d of \d,000", fit.status.warmup)
    assert fit.parameters.beta.shape[:2] == (4, 1000) and fit.status.divergences <= 4
    assert fit.status.max_rhat < 1.03


@pytest.mark.slow
def test_a_doubtful_fit_is_sampled_again_and_says_so() -> None:
    model = bm.Model("strength ~ 1 + (1 | batch/cask)", bm.load_data("Pastes"))
    fit = model.fit(bm.NUTS(collapsed=False), seed=1, progress=False)
    assert "draws diverged" in fit.status.warmup and "1500 iterations that adapted the metric" in fit.status.warmup
    assert fit.status.divergences < 10 and fit.status.warmup in " ".join(str(fit.summary()).split())  # lines wrap
