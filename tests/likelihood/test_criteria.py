"""The criteria of a search: values and gradients that agree, what x means, and one coordinate held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar

import bayesmixed as bm
from bayesmixed.covariance.pins import OneElement, in_front
from bayesmixed.engines.search.boundary_search import search
from bayesmixed.engines.search.gradient_methods import BFGS
from bayesmixed.likelihood.at import laplace_of, likelihood_of
from bayesmixed.likelihood.criteria.criterion import Criterion
from bayesmixed.likelihood.criteria.held import Held
from bayesmixed.likelihood.criteria.joint_mode import JointCriterion
from bayesmixed.likelihood.criteria.laplace_deviance import LaplaceCriterion
from bayesmixed.likelihood.criteria.profiled import ProfiledCriterion
from bayesmixed.likelihood.criteria.quadrature_deviance import QuadratureCriterion
from bayesmixed.likelihood.criteria.with_penalty import Added, Penalised
from bayesmixed.likelihood.criteria.with_sigma import NormalPrior, SigmaCriterion
from bayesmixed.likelihood.laplace.start import start
from bayesmixed.likelihood.linear.likelihood import LinearLikelihood
from bayesmixed.likelihood.penalty.penalty import boundary_avoiding
from bayesmixed.likelihood.quadrature.factoring import quadrature
from bayesmixed.likelihood.working.pinned_block import pinned

GRADIENT = 1e-5  # of a gradient: central differences
NODES = 9e-4  # the same of a quadrature's, whose nodes move with the mode
BRUTE = 1e-5  # of a deviance: where a simplex or golden section stops
AGAIN = 1e-6  # of a deviance: two searches of one optimum
PLACE = 1e-3  # of a coordinate near 1, where the deviance has settled to that

SLEEP = ("Reaction ~ Days + (Days | Subject)", "sleepstudy", "gaussian")
HERDS = ("prop(incidence, size) ~ period + (1 | herd)", "cbpp", "binomial")


def model(formula: str, data: str, family: str) -> bm.Model:
    return bm.Model(formula, bm.load_data(data), family=family)


def profiled(reml: bool) -> tuple[Criterion, np.ndarray]:
    likelihood = likelihood_of(model(*SLEEP))
    return ProfiledCriterion(likelihood, reml, None), likelihood.start()


def with_sigma(reml: bool) -> tuple[Criterion, np.ndarray]:
    likelihood = likelihood_of(model(*SLEEP))
    found = SigmaCriterion(likelihood, reml, None, NormalPrior.none(likelihood.basis), free=not reml)
    return found, found.start(likelihood.start())


def penalised() -> tuple[Criterion, np.ndarray]:
    base, x = profiled(reml=True)
    return Penalised(base, Added(base.coordinates(), boundary_avoiding(model(*SLEEP)))), x


def laplace() -> tuple[Criterion, np.ndarray]:
    likelihood = laplace_of(model(*HERDS))
    x, mode = start(likelihood)
    return LaplaceCriterion(likelihood, mode.u), x


def nodes() -> tuple[Criterion, np.ndarray]:
    likelihood = laplace_of(model(*HERDS))
    return QuadratureCriterion(likelihood, rule=quadrature(likelihood, 15)), start(likelihood)[0]


def joint() -> tuple[Criterion, np.ndarray]:
    likelihood = laplace_of(model(*HERDS))
    x, mode = start(likelihood)
    outer = np.delete(np.arange(len(x)), likelihood.coefficients)
    return JointCriterion(likelihood, mode.u, mode.beta, np.eye(len(outer))), x[outer]


CRITERIA: dict[str, Callable[[], tuple[Criterion, np.ndarray]]] = {
    "deviance": lambda: profiled(reml=False),
    "REML criterion": lambda: profiled(reml=True),
    "deviance at sigma and coefficients": lambda: with_sigma(reml=False),
    "REML criterion at sigma": lambda: with_sigma(reml=True),
    "penalised": penalised,
    "Laplace": laplace,
    "quadrature": nodes,
    "joint mode": joint,
}


@pytest.mark.parametrize("name", CRITERIA)
def test_the_gradient_is_the_slope_of_the_value(name: str) -> None:
    criterion, x = CRITERIA[name]()
    x = x + 0.1
    value, gradient = criterion.value_and_gradient(x)
    assert value == pytest.approx(criterion.value(x), abs=1e-8)
    steps = 1e-4 * np.eye(len(x))
    slopes = [(criterion.value(x + h) - criterion.value(x - h)) / 2e-4 for h in steps]
    tolerance = NODES if name == "quadrature" else GRADIENT
    np.testing.assert_allclose(gradient, slopes, rtol=tolerance, atol=tolerance * np.abs(gradient).max() + 1e-6)


@pytest.mark.parametrize("name", CRITERIA)
def test_the_parameters_that_x_means_are_those_of_x(name: str) -> None:
    criterion, x = CRITERIA[name]()
    coordinates = criterion.coordinates()
    assert coordinates.theta is criterion.theta
    np.testing.assert_allclose(coordinates.at(coordinates.natural(x)), x, atol=1e-9)
    assert coordinates.coefficients.stop + len(coordinates.dispersion) == len(x)


@pytest.mark.parametrize("name", CRITERIA)
def test_a_coordinate_held_at_the_optimum_leaves_the_optimum_of_the_others(name: str) -> None:
    criterion, x = CRITERIA[name]()
    best, _ = search(criterion, x, BFGS())
    for i in range(len(x)):
        held = Held(criterion, i, float(best.x[i]))
        moved = held.placed(best.x + 0.1)
        found, _ = search(held, moved, BFGS())
        assert found.x[i] == best.x[i]
        assert found.value == pytest.approx(best.value, abs=AGAIN)
        np.testing.assert_allclose(found.x, best.x, atol=PLACE)


def least(function: Callable[[np.ndarray], float], start: np.ndarray) -> float:
    """The lowest value that a simplex finds from some starts."""
    ends = [
        minimize(function, start + shift, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9, "maxiter": 4000})
        for shift in (0.0, 0.3)
    ]
    return min(float(end.fun) for end in ends)


def with_sd_first(likelihood: LinearLikelihood, column: int) -> LinearLikelihood:
    """The likelihood whose theta begins with the relative sd of a column of its first bar."""
    return replace(likelihood, theta=pinned(likelihood.theta, 0, OneElement(in_front((column,), 2))))


@pytest.mark.parametrize("at", [0.05, 0.4, 0.929, 2.0])
@pytest.mark.parametrize("column", [0, 1])
@pytest.mark.parametrize("reml", [False, True])
def test_the_profile_of_an_sd_is_that_of_a_brute_force_search(at: float, column: int, reml: bool) -> None:
    fitted = model(*SLEEP)
    likelihood = likelihood_of(fitted)
    first = with_sd_first(likelihood, column)
    at = at if column == 0 else at / 4
    held = Held(ProfiledCriterion(first, reml, None), 0, at)
    start = first.theta.of_factors(likelihood.theta.factors(likelihood.start()))
    ours, _ = search(held, held.placed(start), BFGS())
    a, b, c = likelihood.theta.reported_of(first.theta.typed(ours.x))
    assert (a, np.hypot(b, c))[column] == pytest.approx(at)

    def deviance(z: np.ndarray) -> float:
        rest = [at, z[0], abs(z[1])] if column == 0 else [abs(z[0]), at * np.sin(z[1]), at * abs(np.cos(z[1]))]
        return -2 * fitted.loglik_at(theta=rest, reml=reml)

    assert ours.value == pytest.approx(least(deviance, np.array([0.02, 0.2])), abs=BRUTE)


@pytest.mark.parametrize("sigma", [18.0, 25.6, 40.0])
def test_the_profile_of_sigma_is_that_of_a_brute_force_search(sigma: float) -> None:
    fitted = model(*SLEEP)
    likelihood = likelihood_of(fitted)
    criterion = SigmaCriterion(likelihood, False, None, NormalPrior.none(likelihood.basis), free=False)
    held = Held(criterion, likelihood.theta.size, float(np.log(sigma / criterion.unit)))
    ours, _ = search(held, held.placed(criterion.start(likelihood.start())), BFGS())
    assert criterion.residual_sd(ours.x) == pytest.approx(sigma)

    def deviance(theta: np.ndarray) -> float:
        return -2 * fitted.loglik_at(theta=[abs(theta[0]), theta[1], abs(theta[2])], sigma=sigma)

    assert ours.value == pytest.approx(least(deviance, np.array([0.9, 0.02, 0.2])), abs=BRUTE)


@pytest.mark.parametrize("at", [0.2, 0.64, 1.5])
def test_the_profile_of_a_generalized_models_sd_is_that_of_a_brute_force_search(at: float) -> None:
    fitted = model("prop(incidence, size) ~ 1 + (1 | herd)", "cbpp", "binomial")
    likelihood = laplace_of(fitted)
    x, mode = start(likelihood)
    held = Held(LaplaceCriterion(likelihood, mode.u), 0, at)
    ours, _ = search(held, held.placed(x), BFGS())
    theta = likelihood.theta.reported(ours.x)
    brute = minimize_scalar(lambda b: -2 * fitted.loglik_at(theta=theta, beta=[b]), bounds=(-6, 2), method="bounded")
    assert ours.value == pytest.approx(float(brute.fun), abs=BRUTE)


def test_a_zero_beside_an_sd_that_is_held_is_found_and_the_one_held_stays() -> None:
    """Pastes without batches: their variance is zero at its best, and no longer once casks are held near zero."""
    data = bm.load_data("Pastes")
    centred = data["strength"] - data.groupby("batch")["strength"].transform("mean")
    fitted = bm.Model("strength ~ 1 + (1 | batch) + (1 | cask:batch)", data.assign(strength=centred))
    likelihood = likelihood_of(fitted)
    for at in (0.01, 2.0):
        held = Held(ProfiledCriterion(likelihood, False, None), 0, at)
        ours, _ = search(held, held.placed(likelihood.start()), BFGS())
        assert ours.x.tolist() == [at, 0.0]
