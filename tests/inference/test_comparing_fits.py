"""Comparing fits: likelihood ratios of lme4's, laws at the boundary, what does not change them, what is refused."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from conftest import load_reference_frame, load_result

import bayesmixed as bm
from bayesmixed.errors import FitError

RATIO = 2e-5  # lme4's optimiser stops at 1e-6 of the log-likelihood; a ratio is twice a difference of two
P = 1e-4  # relative, of a p-value whose ratio is off by that

CASES = [
    ("lmm_cake", "lrt_interaction"),
    ("lmm_hsb82", "lrt_slope"),
    ("lmm_pastes_nested", "lrt_batch"),
    ("lmm_pastes_nested", "lrt_cask"),
    ("lmm_penicillin", "lrt_plate"),
    ("lmm_sleepstudy_slope", "lrt_days"),
    ("lmm_sleepstudy_slope", "lrt_random_intercept_only"),
    ("lmm_sleepstudy_slope", "lrt_double_bar"),
    ("lmm_yu_example1", "lrt_treatment"),
    ("glmm_cbpp", "lrt_period"),
    ("glmm_waterlick_surrogate", "lrt"),
    ("pb_cake_interaction", "lrt"),
]


@cache
def fitted(dataset: str, formula: str, method: str = "ml", family: str = "gaussian") -> Any:
    return bm.Model(formula, load_reference_frame(dataset), family=family).fit(method)


@pytest.mark.parametrize(("name", "test"), CASES)
def test_likelihood_ratios_are_those_of_lme4(name: str, test: str) -> None:
    record = load_result(name)
    found, family = record["extras"][test], record.get("family") or "gaussian"
    fits = [fitted(record["dataset"], found[key], "ml", family) for key in ("null", "alternative")]
    ours, theirs = bm.anova(*fits), found["table"]
    assert ours.frame["parameters"].tolist() == theirs["npar"]
    np.testing.assert_allclose(ours.frame["aic"], theirs["AIC"], atol=RATIO)
    np.testing.assert_allclose(ours.frame["bic"], theirs["BIC"], atol=RATIO)
    np.testing.assert_allclose(ours.frame["loglik"], theirs["logLik"], atol=RATIO)
    assert ours.frame["chisq"].iloc[1] == pytest.approx(theirs["Chisq"][1], abs=RATIO)
    assert ours.frame["df"].iloc[1] == theirs["Df"][1]
    assert ours.tests["naive"].iloc[1] == pytest.approx(theirs["Pr(>Chisq)"][1], rel=P)


def test_a_slope_of_sleepstudy_by_reml() -> None:
    """lmerTest's ranova: 42.83681 on 2 parameters."""
    fits = [fitted("sleepstudy", f"Reaction ~ Days + ({bar} | Subject)", "reml") for bar in ("Days", "1")]
    found = bm.anova(*fits)
    assert found.frame["chisq"].iloc[1] == pytest.approx(42.83681, abs=1e-5)
    assert "REML" in found.title


def test_draws_are_sent_to_leave_one_out() -> None:
    sleep = bm.load_data("sleepstudy")
    draws = bm.Model("Reaction ~ Days + (1 | Subject)", sleep).fit(bm.Laplace(draws=50), seed=1)
    with pytest.raises(FitError, match="loo_compare"):
        bm.anova(draws, draws)
