"""A covariance structure of one's own, written here, is one of ours to every engine and every answer.

The covariance a^2 11' + c^2 I of (0 + Machine | Worker) is that of a random intercept per worker and one per worker and
machine, so that everything it gives has a second way to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.covariance import STRUCTURES, Covariance, Edge, Free, Sd, Values, sd_of_each
from bayesmixed.likelihood.posterior.log_posterior import log_posterior

IDENTITY = 1e-8
SEARCH = 1e-5  # two searches end in the same optimum, of sds
SLOPED = 1e-5  # of a log-likelihood where a criterion with priors ends: it has a slope there, times the error of x
MONTE_CARLO = 4.5  # standard errors
STEP = 1e-30  # imaginary
OWN = "score ~ Machine + alike(0 + Machine | Worker)"
TWO = "score ~ Machine + (1 | Worker) + (1 | Worker:Machine)"
SDS = {"Worker_common_sigma": "1|Worker_sigma", "Worker_own_sigma": "1|Worker:Machine_sigma"}


@dataclass(frozen=True)
class Alike(Covariance):
    """a^2 between columns, a^2 + c^2 of each: theta = (a, c), in which a search is free and the criterion is even."""

    name = "alike"
    invariance = "none"
    correlated = True

    def parameters(self, k: int) -> Free:
        every = tuple(range(k))
        return Free((Sd(every, "common_sigma"), Sd(every, "own_sigma")) if k > 1 else sd_of_each(1))

    def factor_from(self, values: Values, k: int, xp: Any) -> Any:
        if k == 1:
            return values.sds[..., None]
        a, c = values.sds[..., 0], values.sds[..., 1]
        columns, zero = [], a * 0
        for j in range(k):
            before, after = c**2 + j * a**2, c**2 + (j + 1) * a**2
            first = c / xp.sqrt(before) if j else 1.0 + zero
            columns.append([zero] * j + [first * xp.sqrt(after)] + [first * a**2 / xp.sqrt(after)] * (k - j - 1))
        return xp.stack([xp.stack(column, axis=-1) for column in columns], axis=-1)

    def values(self, factor: np.ndarray) -> Values:
        k, total = factor.shape[-2], np.sum(factor**2, axis=(-2, -1))
        if k == 1:
            return Values(np.sqrt(total)[..., None])
        between = (np.sum(np.sum(factor, axis=-2) ** 2, axis=-1) - total) / (k * (k - 1))
        variances = np.stack([between, total / k - between], axis=-1)
        return Values(np.sqrt(np.where(variances.real > 0, variances, 0.0)))

    def n_theta(self, k: int) -> int:
        return min(k, 2)

    def factor(self, theta: np.ndarray, k: int) -> np.ndarray:
        return np.asarray(self.factor_from(Values(theta), k, np)) if np.any(theta) else np.zeros((k, k))

    def theta(self, factor: np.ndarray) -> np.ndarray:
        return self.values(factor).sds

    def pullback(self, theta: np.ndarray, k: int, slope: np.ndarray) -> np.ndarray:
        steps = [theta + STEP * 1j * e for e in np.eye(len(theta))]
        return np.array([np.sum(slope * self.factor(at, k).imag) / STEP for at in steps])

    def start(self, sds: np.ndarray) -> np.ndarray:
        return np.full(self.n_theta(len(sds)), np.sqrt(np.mean(np.square(sds)) / self.n_theta(len(sds))))

    def edges(self, theta: np.ndarray, k: int) -> list[tuple[Edge, ...]]:
        return [(Edge((j,), (0.0,), abs(float(value))),) for j, value in enumerate(theta)]

    def null_directions(self, theta: np.ndarray, k: int, tolerance: float) -> list[np.ndarray]:
        ways = [np.ones((k, 1)) / np.sqrt(k), (np.eye(k)[:, [0]] - np.eye(k)[:, [k - 1]]) / np.sqrt(2)]
        return [way for way, value in zip(ways, theta, strict=False) if abs(value) < tolerance]

    def step_off(self, theta: np.ndarray, k: int, direction: np.ndarray) -> np.ndarray:
        moved = theta.copy()
        together = abs(float(np.sum(direction))) > 0.5 * float(np.linalg.norm(direction))
        place, size = (0, np.sqrt(k)) if together else (len(theta) - 1, 1.0)
        moved[place] = np.hypot(theta[place], float(np.linalg.norm(direction)) / size)
        return moved


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STRUCTURES, "alike", Alike())


def pair(**options: Any) -> tuple[bm.Model, bm.Model]:
    """The structure and the two intercepts."""
    data = bm.load_data("Machines")
    return bm.Model(OWN, data, **options), bm.Model(TWO, data, **options)


def sds(model: bm.Model, fit: Any) -> np.ndarray:
    """Of workers, and of machines within workers."""
    return np.concatenate([fit.parameters.block(j, c).sds[0, 0] for j, c in enumerate(model.covariances)])


PRIORS = {"Worker_common_sigma": bm.priors.HalfNormal(5.0), "Worker_own_sigma": bm.priors.HalfStudentT(3.0, 4.0)}
BOTH = [{"priors": PRIORS}, {"priors": {SDS[name]: prior for name, prior in PRIORS.items()}}]


@pytest.mark.parametrize("method", ["ml", "reml", "map", bm.MAP(priors="model")])
def test_point_fits_are_those_of_two_intercepts(method: Any) -> None:
    data = bm.load_data("Machines")
    models = [bm.Model(OWN, data, **BOTH[0]), bm.Model(TWO, data, **BOTH[1])]
    own, two = (model.fit(method) for model in models)
    assert own.status.converged
    assert own.criterion == pytest.approx(two.criterion, abs=IDENTITY)
    assert own.loglik == pytest.approx(two.loglik, abs=SLOPED)
    np.testing.assert_allclose(sds(models[0], own), sds(models[1], two), rtol=SEARCH)
    np.testing.assert_allclose(own.fixef(), two.fixef(), rtol=SEARCH)


def test_the_log_likelihood_is_that_of_two_intercepts_at_any_point() -> None:
    own, two = pair()
    for theta in ([0.3, 0.7], [1.2, 0.0], [0.0, 0.4], [0.0, 0.0]):
        value = own.loglik_at(theta=theta, sigma=1.1)
        assert value == pytest.approx(two.loglik_at(theta=theta[::-1], sigma=1.1), abs=IDENTITY)


def test_a_variance_of_zero_is_found_and_shown_to_be_a_maximum() -> None:
    """Workers alike: the structure's boundary, at which its covariance has full rank."""
    data = bm.load_data("Machines")
    means = data.groupby("Worker", observed=True)["score"].transform("mean")
    model = bm.Model(OWN, data.assign(score=data["score"] - means))
    fit = model.fit("ml")
    assert fit.status.converged and sds(model, fit)[0] == 0.0
    two = bm.Model(TWO, data.assign(score=data["score"] - means)).fit("ml")
    assert fit.loglik == pytest.approx(two.loglik, abs=IDENTITY)


def test_a_generalized_model_is_that_of_two_intercepts() -> None:
    data = bm.load_data("Machines").assign(score=lambda d: d["score"].round())
    own, two = (bm.Model(formula, data, family="poisson").fit("map") for formula in (OWN, TWO))
    assert own.criterion == pytest.approx(two.criterion, abs=1e-6)


def test_the_log_posterior_density_is_that_of_two_intercepts_at_any_point() -> None:
    data = bm.load_data("Machines")
    densities = [log_posterior(bm.Model(f, data, **options)) for f, options in zip((OWN, TWO), BOTH, strict=True)]
    psi = 0.5 * np.random.default_rng(2).normal(size=(6, densities[0].space.dimension))
    np.testing.assert_allclose(*(density.values(psi) for density in densities), rtol=1e-10)


@pytest.mark.parametrize("method", [bm.Laplace(draws=1000), bm.NUTS(draws=300, tune=300, chains=2)], ids=str)
def test_posteriors_are_those_of_two_intercepts(method: Any) -> None:
    data = bm.load_data("Machines")
    models = [bm.Model(OWN, data, **BOTH[0]), bm.Model(TWO, data, **BOTH[1])]
    own, two = (model.fit(method, seed=seed) for model, seed in zip(models, (1, 2), strict=True))
    for mine, other in SDS.items():
        a, b = own.idata.posterior[mine].to_numpy().ravel(), two.idata.posterior[other].to_numpy().ravel()
        error = np.sqrt((a.var() + b.var()) / 150)  # effective draws, few of the collapsed route's chains
        assert abs(a.mean() - b.mean()) < MONTE_CARLO * error


def test_answers_name_its_parameters(tmp_path: Path) -> None:
    model, _ = pair()
    assert "Worker_common_sigma" in str(model) and "Worker_own_sigma" in str(model.prior_summary())
    fit = model.fit("laplace", seed=1)
    posterior = fit.idata.posterior
    assert {"Worker_common_sigma", "Worker_own_sigma", "Machine[A]|Worker"} <= set(posterior.data_vars)
    table = fit.varcorr()
    assert table["group"].tolist() == ["Worker"] * 3 + ["Residual"]
    np.testing.assert_allclose(table["sd"].iloc[1:3], table["sd"].iloc[0])
    assert "Worker" in str(fit.summary())
    fit.save(tmp_path / "fit")
    back = bm.load(tmp_path / "fit")
    np.testing.assert_allclose(back.parameters.covariance(0), fit.parameters.covariance(0), rtol=1e-10)
    pd.testing.assert_frame_equal(back.predict(), fit.predict())
    assert fit.simulate(2, seed=1).shape == (2, len(model.data if hasattr(model, "data") else bm.load_data("Machines")))


def test_a_saved_point_fit_answers_as_before(tmp_path: Path) -> None:
    fit = pair()[0].fit("reml")
    fit.save(tmp_path / "fit")
    back = bm.load(tmp_path / "fit")
    pd.testing.assert_frame_equal(back.varcorr(), fit.varcorr())
    np.testing.assert_array_equal(back.theta, fit.theta)
    pd.testing.assert_frame_equal(back.predict(interval="confidence"), fit.predict(interval="confidence"))


def test_responses_are_simulated_from_stated_parameters() -> None:
    data = bm.load_data("Machines")
    values = {"Intercept": 50, "Machine[B]": 8, "Machine[C]": 14, "sigma": 1.0}
    simulated = bm.simulate(OWN, data, values | {"Worker_common_sigma": 4.0, "Worker_own_sigma": 3.0}, n=400, seed=1)
    y = np.asarray(simulated)
    deviations = y - y.mean(axis=0)
    assert y.shape[0] in (400, len(data))
    assert float(np.var(deviations)) == pytest.approx(16 + 9 + 1, rel=0.15)
