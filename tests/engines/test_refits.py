"""Refits of many responses, searched side by side, are the fits of each alone; nobody's answer depends on another's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.engines.search.together import minimise_together

LOGLIK = 1e-7  # two searches of one function end at values this near
THETA = 1e-4  # and at points this near
TOGETHER = 1e-10  # of what the same search finds in another company

MODELS = [
    ("Reaction ~ Days + (Days | Subject)", "sleepstudy", "ml"),
    ("Yield ~ 1 + (1 | Batch)", "Dyestuff2", "reml"),  # at its boundary: so are most replicates
    ("strength ~ 1 + (1 | batch/cask)", "Pastes", "ml"),
    ("score ~ Machine + (Machine | Worker)", "Machines", "reml"),
    ("diameter ~ 1 + (1 | plate) + (1 | sample)", "Penicillin", "ml"),
]


@pytest.mark.parametrize(("formula", "data", "method"), MODELS)
def test_a_refit_is_the_fit_of_its_response(formula: str, data: str, method: str) -> None:
    model = bm.Model(formula, bm.load_data(data))
    fit = model.fit(method)
    y = fit.simulate(12, seed=3)
    refitter = fit.engine.refitter(fit)
    found, whole = refitter.refits(y), list(refitter.fits(y))
    assert found.converged.all()
    for i in range(12):
        alone, full = model.with_response(y[i]).fit(method), whole[i]
        assert full is not None and full.status.converged
        assert full.loglik == pytest.approx(found.loglik[i], abs=LOGLIK)
        assert full.theta == pytest.approx(found.theta[i], abs=THETA)
        assert full.coefficients["se"].to_numpy() == pytest.approx(alone.coefficients["se"].to_numpy(), rel=THETA)
        assert full.ranef_sd().keys() == alone.ranef_sd().keys()
        assert found.loglik[i] == pytest.approx(alone.loglik, abs=LOGLIK)
        assert found.theta[i] == pytest.approx(alone.theta, abs=THETA)
        assert found.singular[i] == alone.status.singular_scaled
        assert found.parameters.dispersion["sigma"][0, i] == pytest.approx(alone.sigma, rel=THETA)
        assert found.parameters.beta[0, i] == pytest.approx(alone.beta, abs=THETA * alone.sigma)


@pytest.mark.parametrize(("formula", "data", "method"), MODELS[:4])
def test_no_answer_depends_on_the_company(formula: str, data: str, method: str) -> None:
    fit = bm.Model(formula, bm.load_data(data)).fit(method)
    refitter, y = fit.engine.refitter(fit), fit.simulate(96, seed=4)
    whole = refitter.refits(y)
    for first, last in ((0, 1), (5, 6), (32, 96)):
        part = refitter.refits(y[first:last])
        scale = 1 + np.abs(whole.loglik[first:last])
        assert np.max(np.abs(part.loglik - whole.loglik[first:last]) / scale) < TOGETHER
        assert np.max(np.abs(part.theta - whole.theta[first:last])) < 10 * TOGETHER
        beta = whole.parameters.beta[0, first:last]
        assert np.max(np.abs(part.parameters.beta[0] - beta) / (1 + np.abs(beta))) < TOGETHER


GENERALIZED = [
    ("prop(incidence, size) ~ period + (1 | herd)", "cbpp", "binomial", None),
    ("Reaction ~ Days + (Days | Subject)", "sleepstudy", "gamma", "log"),
]


@pytest.mark.parametrize(("formula", "data", "family", "link"), GENERALIZED)
def test_a_generalized_refit_is_the_fit_of_its_response(formula: str, data: str, family: str, link: str | None) -> None:
    model = bm.Model(formula, bm.load_data(data), family=family, link=link)
    fit = model.fit("ml")
    refitter, y = fit.engine.refitter(fit), fit.simulate(40, seed=3)
    found = refitter.refits(y)
    assert refitter.together
    for i in range(5):
        alone = model.with_response(y[i]).fit("ml")
        assert found.loglik[i] == pytest.approx(alone.loglik, abs=LOGLIK)
        assert found.theta[i] == pytest.approx(alone.theta, abs=THETA)
        assert found.parameters.beta[0, i] == pytest.approx(alone.beta, abs=10 * THETA)
        assert found.converged[i] == alone.status.converged
    part = refitter.refits(y[7:9])
    assert np.max(np.abs(part.loglik - found.loglik[7:9]) / np.abs(found.loglik[7:9])) < TOGETHER
    assert np.max(np.abs(part.parameters.beta[0] - found.parameters.beta[0, 7:9])) < 10 * TOGETHER


def test_responses_that_separate_or_say_nothing_are_failures() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": np.repeat([0.0, 1.0], 30), "g": np.tile(np.arange(6), 10)})
    frame["y"] = rng.binomial(1, 0.3 + 0.4 * frame["x"])
    model = bm.Model("y ~ x + (1 | g)", frame, family="bernoulli")
    fit = model.fit("ml")
    separated, mute = frame["x"].to_numpy(), np.zeros(60)
    found = fit.engine.refitter(fit).refits(np.array([frame["y"].to_numpy(dtype=float), separated, mute]))
    assert found.converged.tolist() == [True, False, False]
    assert found.loglik[0] == pytest.approx(fit.loglik, abs=LOGLIK)
    assert np.isnan(found.loglik[2])


def test_models_that_cannot_be_searched_together_are_fitted_one_by_one() -> None:
    model = bm.Model("prop(incidence, size) ~ period + (1 | herd)", bm.load_data("cbpp"), family="binomial")
    fit = model.fit(bm.MAP())
    y = fit.simulate(2, seed=1)
    found = fit.engine.refitter(fit).refits(y)
    for i in range(2):
        assert found.loglik[i] == pytest.approx(model.with_response(y[i]).fit(bm.MAP()).loglik, abs=1e-5)


def test_a_member_that_cannot_be_evaluated_spoils_no_other() -> None:
    def function(x: np.ndarray, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if np.any(members == 1):
            raise np.linalg.LinAlgError
        return np.sum((x - members[:, None]) ** 2, axis=1), 2 * (x - members[:, None])

    found = minimise_together(function, np.full((3, 2), 0.5), 0.4 * np.eye(2))
    assert found.converged.tolist() == [True, False, True]
    assert found.x[2] == pytest.approx([2.0, 2.0])


def test_levels_that_determine_nothing_are_failures() -> None:
    fit = bm.Model("Reaction ~ Days + (1 | Subject)", bm.load_data("sleepstudy")).fit("ml")
    found = fit.engine.refitter(fit).resampled(np.zeros((3, 18)))
    assert found is not None
    assert not found.converged.any()
    assert np.isnan(found.loglik).all()
