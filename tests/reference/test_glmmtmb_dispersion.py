"""A predictor of sigma against glmmTMB, whose dispersion formula is of the log variance: twice our coefficients."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from conftest import load_reference_frame, load_result

import bayesmixed as bm

LOGLIK = 1e-6
FIXEF = 1e-5  # of max(|b|, se)
SD = 1e-4  # relative
SE = 1e-3  # relative: Hessians by differences on both sides
BLUP = 1e-4  # of the spread of the effects
PREDICTION = 1e-5  # of sd(y)


@cache
def fits(estimator: str) -> tuple[Any, dict[str, Any]]:
    """Ours and theirs."""
    formula = bm.Formula("distance ~ age * Sex + (age | Subject)", "sigma ~ Sex")
    model = bm.Model(formula, load_reference_frame("Orthodont"))
    theirs = next(e for e in load_result("disp_orthodont_sex")["fits"] if e["estimator"] == estimator)
    return model.fit(estimator.lower()), theirs


@pytest.mark.parametrize("estimator", ["ML", "REML"])
def test_log_likelihood_coefficients_and_standard_errors_agree(estimator: str) -> None:
    ours, theirs = fits(estimator)
    assert ours.status.converged and not ours.status.problems
    assert ours.loglik == pytest.approx(theirs["logLik"], abs=LOGLIK)
    assert ours.aic == pytest.approx(theirs["AIC"], abs=1e-4)
    assert ours.n_parameters == theirs["df"]
    estimate = [*theirs["fixed"]["estimate"], *np.array(theirs["disp_fixed"]["estimate"]) / 2]
    se = np.array([*theirs["fixed"]["se"], *np.array(theirs["disp_fixed"]["se"]) / 2])
    assert np.all(np.abs(ours.fixef() - estimate) <= FIXEF * np.maximum(np.abs(estimate), se))
    np.testing.assert_allclose(ours.coefficients["se"], se, rtol=SE)
    np.testing.assert_allclose(ours.vcov().iloc[:4, :4], theirs["fixed"]["vcov"], rtol=2 * SE)
    np.testing.assert_allclose(ours.vcov().iloc[4:, 4:], np.array(theirs["disp_fixed"]["vcov"]) / 4, rtol=2 * SE)


@pytest.mark.parametrize("estimator", ["ML", "REML"])
def test_covariances_modes_and_predictions_agree(estimator: str) -> None:
    ours, theirs = fits(estimator)
    block = theirs["random"][0]
    table = ours.varcorr()
    np.testing.assert_allclose(table["sd"], block["sd"], rtol=SD)
    assert table["Intercept"].iloc[1] == pytest.approx(block["cor"][1][0], abs=SD)
    assert "Residual" not in set(table["group"])
    effects, modes = ours.ranef()["Subject"], theirs["ranef"]["Subject"]
    for column, name in (("Intercept", "(Intercept)"), ("age", "age")):
        expected = np.array(modes["terms"][name]["mode"])
        np.testing.assert_allclose(effects.loc[modes["levels"], column], expected, atol=BLUP * expected.std())
    scale = PREDICTION * np.std(ours.model.design.response.y)
    np.testing.assert_allclose(ours.fitted()[:10], theirs["predictions"]["response_with_re"], atol=scale)
    without = ours.predict(re="none")["estimate"][:10]
    np.testing.assert_allclose(without, theirs["predictions"]["response_without_re"], atol=scale)


@pytest.mark.parametrize("estimator", ["ML", "REML"])
def test_one_correlation_of_two_columns_is_the_same_model(estimator: str) -> None:
    """Searched in roots of sds: a start next to an sd of zero, where they have no slope, would end elsewhere."""
    _, theirs = fits(estimator)
    formula = bm.Formula("distance ~ age * Sex + cs(age | Subject)", "sigma ~ Sex")
    ours = bm.Model(formula, load_reference_frame("Orthodont")).fit(estimator.lower())
    assert ours.status.converged
    assert ours.loglik == pytest.approx(theirs["logLik"], abs=LOGLIK)
