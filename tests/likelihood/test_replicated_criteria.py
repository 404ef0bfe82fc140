"""Criteria of many responses are those of each alone, with their gradients, whatever the structure beside them."""

from __future__ import annotations

import numpy as np
import pytest

import bayesmixed as bm
from bayesmixed.likelihood.at import laplace_of, likelihood_of
from bayesmixed.likelihood.criteria.laplace_deviance import LaplaceCriterion
from bayesmixed.likelihood.replicated.criterion import ManyCriteria, batches
from bayesmixed.likelihood.replicated.laplace import ManyLaplace
from bayesmixed.likelihood.replicated.responses import responses
from bayesmixed.likelihood.replicated.small import lower_inverse, lower_root, product, transposed

SAME = 1e-9  # relative: sums in another order
INNER = 1e-7  # what the last step towards a mode leaves in a gradient

MODELS = [
    ("Reaction ~ Days + (Days | Subject)", "sleepstudy"),
    ("Reaction ~ Days + (Days || Subject)", "sleepstudy"),
    ("diameter ~ 1 + (1 | plate) + (1 | sample)", "Penicillin"),
    ("strength ~ 1 + (1 | batch/cask)", "Pastes"),
    ("score ~ Machine + (Machine | Worker)", "Machines"),
    ("score ~ Machine + (1 | Worker) + (1 | Worker:Machine)", "Machines"),
]


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize(("formula", "data"), MODELS)
@pytest.mark.parametrize("sigma", [None, 3.0])
def test_values_and_gradients_are_those_of_each_response_alone(
    formula: str, data: str, reml: bool, sigma: float | None
) -> None:
    model = bm.Model(formula, bm.load_data(data))
    likelihood, rng = likelihood_of(model), np.random.default_rng(1)
    assert batches(likelihood)
    y = model.design.response.y + 5 * rng.standard_normal((4, model.n_obs))  # type: ignore[union-attr]
    given = responses(likelihood, y - model.design.mu.offset, None, np.zeros(4))
    x = likelihood.start() + 0.2 * rng.standard_normal((4, likelihood.theta.size))
    values, gradients = ManyCriteria.of(given, reml, sigma).values_and_gradients(x, np.arange(4))
    for i in range(4):
        alone = likelihood_of(model.with_response(y[i]))
        value, gradient = alone.value_and_gradient(x[i], alone.solve(x[i], invert=True), reml=reml, sigma=sigma)
        assert values[i] == pytest.approx(value, rel=SAME)
        assert gradients[i] == pytest.approx(gradient, rel=SAME, abs=SAME * abs(value))
        kept = given.one(i)
        assert kept.criterion(kept.solve(x[i]), reml=reml, sigma=sigma) == pytest.approx(value, rel=SAME)


def test_weights_and_offsets_are_in_the_products() -> None:
    sleep = bm.load_data("sleepstudy").assign(w=np.tile([0.0, 1.0, 2.5, 1.0, 4.0], 36), o=np.linspace(0, 50, 180))
    model = bm.Model("Reaction ~ Days + offset(o) + (Days | Subject)", sleep, weights="w")
    fit = model.fit("ml")
    y = fit.simulate(3, seed=1)
    found = fit.engine.refitter(fit).refits(y)
    for i in range(3):
        alone = model.with_response(y[i]).fit("ml")
        assert found.loglik[i] == pytest.approx(alone.loglik, abs=1e-7)
        assert found.parameters.beta[0, i] == pytest.approx(alone.beta, rel=1e-5)


def test_small_matrices_are_factored_entry_by_entry() -> None:
    A = np.random.default_rng(2).standard_normal((3, 3, 5, 7))
    S = product(A, transposed(A))
    L = lower_root(S)
    assert product(L, transposed(L)) == pytest.approx(S)
    unit = np.broadcast_to(np.eye(3)[:, :, None, None], S.shape)
    assert product(L, lower_inverse(L)) == pytest.approx(unit)
    assert np.isnan(lower_root(-S)).any(axis=(0, 1)).all()


GENERALIZED = [
    ("prop(incidence, size) ~ period + (1 | herd)", "cbpp", "binomial", None),
    ("Reaction ~ Days + (Days | Subject)", "sleepstudy", "gamma", "log"),
    ("Reaction ~ Days + (Days || Subject)", "sleepstudy", "student", None),
    ("prop(incidence, size) ~ period + (1 | herd)", "cbpp", "betabinomial", None),
]


@pytest.mark.parametrize(("formula", "data", "family", "link"), GENERALIZED)
def test_laplace_deviances_are_those_of_each_response_alone(
    formula: str, data: str, family: str, link: str | None
) -> None:
    model = bm.Model(formula, bm.load_data(data), family=family, link=link)
    fit = model.fit("ml")
    y = fit.simulate(4, seed=1)
    seen = np.ascontiguousarray(model.design.read(y).T)
    many = ManyLaplace.of(laplace_of(model), seen)
    assert fit.curvature is not None
    x = fit.curvature.x + 0.02 * np.random.default_rng(1).standard_normal((4, len(fit.curvature.x)))
    values, gradients = many.values_and_gradients(x, np.arange(4))
    assert many.values(x, np.arange(4)) == pytest.approx(values, rel=SAME)
    for i in range(4):
        alone = LaplaceCriterion(laplace_of(model.with_response(y[i])))
        value, gradient = alone.value_and_gradient(x[i])
        assert values[i] == pytest.approx(value, rel=SAME)
        assert gradients[i] == pytest.approx(gradient, rel=INNER, abs=INNER * (1 + abs(value)))
