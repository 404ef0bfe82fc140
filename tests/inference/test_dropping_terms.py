"""Leaving terms out one at a time: lme4's drop1, lmerTest's ranova, the rows that are compared."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from conftest import load_reference_frame, load_result

import bayesmixed as bm

RATIO = 2e-5  # lme4's optimiser stops at 1e-6 of the log-likelihood; a ratio is twice a difference of two
LOOSE = 2e-3  # glmer's optimisers stop at 1e-3 of these deviances, and glmmTMB's at about that
P = 1e-3  # relative, of a p-value whose ratio is off by that

CASES = {
    "glmm_cbpp": RATIO,
    "glmm_contraception": LOOSE,
    "glmm_culcita": RATIO,
    "glmm_epil": LOOSE,
    "glmm_waterlick_surrogate": RATIO,
    "lmm_cake": RATIO,
    "lmm_hsb82": RATIO,
    "lmm_orthodont_sex_age": RATIO,
    "lmm_sleepstudy_slope": RATIO,
    "lmm_yu_example1": RATIO,
}


@cache
def fitted(dataset: str, formula: str, method: str = "ml", family: str = "gaussian") -> Any:
    return bm.Model(formula, load_reference_frame(dataset), family=family).fit(method)


@pytest.mark.parametrize("name", CASES)
def test_fixed_terms_are_dropped_as_by_lme4(name: str) -> None:
    record, tolerance = load_result(name), CASES[name]
    theirs = record["extras"]["drop1"]
    fit = fitted(record["dataset"], record["formula"], "ml", record.get("family") or "gaussian")
    ours = bm.drop1(fit, test="chisq")
    named = {found.replace(" ", ""): found for found in ours.frame.index}
    assert set(named) == {row.replace(" ", "") for row in theirs["rows"][1:]}
    rows = [named[row.replace(" ", "")] for row in theirs["rows"][1:]]
    np.testing.assert_allclose(ours.frame.loc[rows, "statistic"], theirs["LRT"][1:], atol=tolerance)
    np.testing.assert_allclose(ours.tests.loc[rows, "aic"], theirs["AIC"][1:], atol=tolerance)
    np.testing.assert_allclose(ours.frame.loc[rows, "p"], theirs["Pr(Chi)"][1:], rtol=P)
    assert ours.frame.loc[rows, "df"].tolist() == theirs["npar"][1:]
