"""Refits of many responses, searched side by side, are the fits of each alone; nobody's answer depends on another's."""

from __future__ import annotations

import numpy as np
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
    found = fit.engine.refitter(fit).refits(y)
    assert found.converged.all()
    for i in range(12):
        alone = model.with_response(y[i]).fit(method)
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
