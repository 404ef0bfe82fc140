"""What every covariance structure must do: found through the registry."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmixed.covariance import STRUCTURES, Covariance

SIZES = [1, 2, 3, 4]
ROUND_TRIP = 1e-10


@pytest.fixture(params=sorted(STRUCTURES))
def structure(request: pytest.FixtureRequest) -> Covariance:
    return STRUCTURES[request.param]


def some_theta(structure: Covariance, k: int) -> np.ndarray:
    rng = np.random.default_rng(k)
    return structure.theta(structure.factor(structure.start(rng.uniform(0.5, 2.0, k)) + 0.1, k))


@pytest.mark.parametrize("k", SIZES)
def test_theta_and_factor_are_inverse_up_to_signs(structure: Covariance, k: int) -> None:
    theta = some_theta(structure, k)
    factor = structure.factor(theta, k)
    assert theta.shape == (structure.n_theta(k),) and factor.shape == (k, k)
    np.testing.assert_array_equal(factor, np.tril(factor))
    np.testing.assert_allclose(structure.theta(factor), theta, rtol=ROUND_TRIP)


@pytest.mark.parametrize("k", SIZES)
def test_the_pullback_is_the_derivative(structure: Covariance, k: int) -> None:
    theta, slope = some_theta(structure, k), np.random.default_rng(9).normal(size=(k, k))

    def value(at: np.ndarray) -> float:
        return float(np.sum(slope * structure.factor(at, k)))

    steps = 1e-6 * np.eye(len(theta))
    numeric = [(value(theta + h) - value(theta - h)) / 2e-6 for h in steps]
    np.testing.assert_allclose(structure.pullback(theta, k, slope), numeric, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("k", SIZES)
def test_a_start_has_the_sds_asked_for(structure: Covariance, k: int) -> None:
    sds = np.linspace(0.5, 1.5, k)
    factor = structure.factor(structure.start(sds), k)
    np.testing.assert_allclose(np.linalg.norm(factor, axis=1), sds)


@pytest.mark.parametrize("k", SIZES)
def test_null_directions_are_directions_without_variance_that_can_be_left(structure: Covariance, k: int) -> None:
    theta = structure.start(np.r_[np.zeros(1), np.ones(k - 1)])
    factor = structure.factor(theta, k)
    null = structure.null_directions(theta, k, 1e-8)
    assert null
    for directions in null:
        np.testing.assert_allclose(factor.T @ directions, 0, atol=1e-12)
        moved = structure.factor(structure.step_off(theta, k, 0.3 * directions[:, 0]), k)
        expected = factor @ factor.T + 0.09 * np.outer(directions[:, 0], directions[:, 0])
        np.testing.assert_allclose(moved @ moved.T, expected, atol=ROUND_TRIP)


@pytest.mark.parametrize("k", SIZES)
def test_columns_of_theta_start_with_the_diagonal_and_cover_it(structure: Covariance, k: int) -> None:
    theta = some_theta(structure, k)
    columns = structure.theta_columns(k)
    np.testing.assert_allclose([theta[column[0]] for column in columns], np.diag(structure.factor(theta, k)))
    for j, column in enumerate(columns):
        emptied = theta.copy()
        emptied[column] = 0.0
        assert not structure.factor(emptied, k)[:, j].any()


@pytest.mark.parametrize("k", [2, 3])
def test_the_bayesian_side_gives_a_factor_with_those_sds(structure: Covariance, k: int) -> None:
    import numpyro
    import numpyro.distributions as dist

    import bayesmixed as bm

    with bm.x64():
        prior = dist.LKJCholesky(k, 2.0) if structure.has_correlation else None
        with numpyro.handlers.seed(rng_seed=1):
            factor = np.asarray(structure.sample(np.arange(1.0, k + 1), k, "corr", prior))
    np.testing.assert_allclose(np.linalg.norm(factor, axis=1), np.arange(1.0, k + 1), rtol=1e-10)
    np.testing.assert_allclose(factor, np.tril(factor), atol=1e-12)
