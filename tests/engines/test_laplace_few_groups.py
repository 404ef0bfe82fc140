"""Laplace's posterior where few groups tie coefficients to standard deviations, against integrals over a dense grid."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.likelihood.at import laplace_of
from bayesmixed.likelihood.posterior.crossed import Crossed
from bayesmixed.likelihood.posterior.log_posterior import log_posterior

DRAWS = 2000
MONTE_CARLO = 4.0  # standard errors of means and sds; seeds are fixed
WORTH = 0.6  # independent draws for each draw, the error of the proposals beside that of the draws
IDENTITY = 1e-10  # the same modes by two routes in float64, relative to the log density
ROWS = 15
TINY = 1e-300  # of points of the grid that have no density in float64
PRIORS = {"Intercept": bm.priors.Normal(1.0, 3.0), "sd": bm.priors.HalfNormal(1.2)}


def responses(family: str, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """y and groups: the seed is the number of groups."""
    rng = np.random.default_rng(groups)
    g = np.repeat(np.arange(groups), ROWS)
    b = rng.normal(size=groups)[g]
    if family == "poisson":
        return rng.poisson(np.exp(0.5 + 0.6 * b)), g
    return (rng.random(len(g)) < 1 / (1 + np.exp(-0.3 - 0.9 * b))).astype(int), g


def by_grid(family: str, y: np.ndarray, g: np.ndarray) -> list[tuple[float, float, float]]:
    """Mean, sd and kurtosis of the intercept and of the sd: each level's integral over its predictor on a grid."""
    intercept, log_sd, eta = np.linspace(-7, 7, 281), np.linspace(-6, 2.5, 120), np.linspace(-20, 20, 3201)
    sd = np.exp(log_sd)
    cumulant = np.exp(eta) if family == "poisson" else np.logaddexp(0.0, eta)
    total = -0.5 * ((intercept[:, None] - 1) / 3) ** 2 - 0.5 * (sd / 1.2) ** 2 + log_sd
    for level in np.unique(g):
        log = y[g == level].sum() * eta - ROWS * cumulant
        z = np.linspace(-6, 6, 121)
        for j, s in enumerate(sd):
            if s > 0.1:
                density = np.exp(-0.5 * ((eta - intercept[:, None]) / s) ** 2) / s
                total[:, j] += np.log(np.maximum(density @ np.exp(log - log.max()) * (eta[1] - eta[0]), TINY))
            else:
                values = np.exp(np.interp(intercept[:, None] + s * z, eta, log) - log.max())
                total[:, j] += np.log(np.maximum(values @ np.exp(-0.5 * z**2) * (z[1] - z[0]), TINY))
    weights = np.exp(total - total.max())
    weights /= weights.sum()
    return [moments(intercept, weights.sum(axis=1)), moments(sd, weights.sum(axis=0))]


def moments(values: np.ndarray, weights: np.ndarray) -> tuple[float, float, float]:
    mean = float(weights @ values)
    sd = float(np.sqrt(weights @ (values - mean) ** 2))
    return mean, sd, float(weights @ ((values - mean) / sd) ** 4)


@pytest.mark.parametrize(("family", "groups"), [("poisson", 4), ("poisson", 7), ("bernoulli", 4), ("bernoulli", 5)])
def test_means_and_sds_with_few_groups_are_those_of_a_grid(family: str, groups: int) -> None:
    """Poisson, 4 groups: sd of the intercept 0.427, where draws with capped weights from a t had 0.373."""
    y, g = responses(family, groups)
    model = bm.Model("y ~ 1 + (1 | g)", pd.DataFrame({"y": y, "g": g.astype(str)}), family=family, priors=PRIORS)
    fit = model.fit(bm.Laplace(draws=DRAWS), seed=1, progress=False)
    found = fit.parameters.beta[0, :, 0], fit.parameters.sds[0][0, :, 0]
    for draws, (mean, sd, kurtosis) in zip(found, by_grid(family, y, g), strict=True):
        assert draws.mean() == pytest.approx(mean, abs=MONTE_CARLO * sd / np.sqrt(WORTH * DRAWS))
        assert draws.std() == pytest.approx(sd, rel=MONTE_CARLO * np.sqrt((kurtosis - 1) / 4 / (WORTH * DRAWS)))
    assert fit.status.pareto_k < 0.7 and not any("weights" in problem for problem in fit.status.problems)
    assert fit.status.distinct_draws is not None and fit.status.distinct_draws > 0.9 * DRAWS


def crossed(family: str, formula: str) -> bm.Model:
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"a": np.repeat(np.arange(12), 10), "b": np.tile(np.arange(10), 12), "x": rng.normal(size=120)})
    eta = 0.4 * data.x + rng.normal(size=12)[data.a] + 0.6 * rng.normal(size=10)[data.b]
    data["y"] = rng.poisson(np.exp(eta)) if family != "bernoulli" else (rng.random(120) < 1 / (1 + np.exp(-eta)))
    data["y"] = data["y"].astype(int)
    return bm.Model(formula, data.assign(a=data.a.astype(str), b=data.b.astype(str)), family=family)


@pytest.mark.parametrize(
    ("family", "formula"),
    [
        ("bernoulli", "y ~ x + (1 | a) + (1 | b)"),
        ("negbinomial", "y ~ x + (x | a) + (1 | b)"),
        ("poisson", "y ~ x + (1 | b) + (x | a) + (1 | a:b)"),
    ],
)
def test_crossed_effects_side_by_side_are_those_one_at_a_time(family: str, formula: str) -> None:
    model = crossed(family, formula)
    posterior = log_posterior(model)
    assert Crossed.fits(laplace_of(model))
    psi = 0.3 * np.random.default_rng(1).standard_normal((6, posterior.space.dimension))
    steps = 0.1 * np.eye(psi.shape[1])
    posterior.track(np.concatenate([psi[:1], psi[:1] + steps, psi[:1] - steps]))
    x = posterior.space.x(psi, posterior.space.points(psi))
    together, places = posterior.marginal.values_and_places(x)
    alone = [posterior.marginal.value(each) for each in x]
    np.testing.assert_allclose(together, alone, rtol=IDENTITY)
    assert places is not None and len(places) == len(laplace_of(model).rows.blocks)


def test_draws_of_crossed_effects_side_by_side_have_the_covariance_of_one_at_a_time() -> None:
    posterior = log_posterior(crossed("poisson", "y ~ x + (1 | a) + (1 | b)"))
    psi, n = np.zeros((1, posterior.space.dimension)), 3000
    posterior.track(np.concatenate([psi, psi + 0.1 * np.eye(psi.shape[1]), psi - 0.1 * np.eye(psi.shape[1])]))
    x = posterior.space.x(psi, posterior.space.points(psi))
    marginal = posterior.marginal
    side = np.array([np.concatenate([b[:, 0] for b in e]) for _, e in marginal.draws(np.repeat(x, n, 0), rng(1))])
    alone = np.array([np.concatenate([b[:, 0] for b in e]) for _, e in (marginal.draw(x[0], r) for r in [rng(2)] * n)])
    sds = alone.std(axis=0)
    assert np.all(np.abs(side.mean(axis=0) - alone.mean(axis=0)) < 4.5 * sds * np.sqrt(2 / n))
    assert np.all(np.abs(np.cov(side.T) - np.cov(alone.T)) < 4.5 * np.outer(sds, sds) * np.sqrt(4 / n))


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_coefficients_as_normal_scores_and_back() -> None:
    posterior = log_posterior(crossed("poisson", "y ~ x + (1 | a) + (1 | b)"))
    m = posterior.space.dimension
    standardised = posterior.standardised(np.zeros(m))
    assert standardised is not None
    psi = 0.5 * rng(4).standard_normal((5, m))
    back, volume = standardised.psi(standardised.phi(psi))
    np.testing.assert_allclose(back, psi, atol=1e-10)
    phi, h = standardised.phi(psi[:1]), 1e-5
    ends = standardised.psi(np.concatenate([phi + h * np.eye(m), phi - h * np.eye(m)]))[0]
    jacobian = (ends[:m] - ends[m:]) / (2 * h)
    assert np.linalg.slogdet(jacobian)[1] == pytest.approx(volume[0], abs=1e-6)
