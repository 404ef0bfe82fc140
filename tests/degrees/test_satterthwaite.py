"""Satterthwaite's degrees of freedom: lmerTest's numbers, classical designs, invariances, the boundary."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from conftest import load_reference_frame, load_result

import bayesmixed as bm
from bayesmixed.degrees.methods import default, reference

LMERTEST = 1e-5  # relative: lmerTest differentiates numerically, at lme4's optimum
OPTIMUM = 1e-5  # relative: what the end of a search leaves of a degree of freedom
CONTRASTS = {
    "lmm_cake_sum_contrasts": {"recipe": "sum"},
    "lmm_oats_helmert": {"Variety": "helmert"},
    "lmm_orthodont_sum": {"Sex": "sum"},
}
CHECKED = (
    "cake cake_sum_contrasts dyestuff machines_nested machines_slopes oats_helmert orthodont_sex_age orthodont_sum "
    "ovary pastes_nested penicillin rail sleepstudy_double_bar sleepstudy_intercept sleepstudy_slope yu_example1 "
    "yu_example2_surrogate"
).split()


@cache
def fitted(name: str, engine: str = "reml") -> Any:
    record = load_result(name)
    data = load_reference_frame(record["dataset"])
    return bm.Model(record["formula"], data, contrasts=CONTRASTS.get(name)).fit(engine)


@pytest.mark.parametrize("name", CHECKED)
def test_coefficients_agree_with_lmertest(name: str) -> None:
    """Each coefficient's degrees of freedom."""
    fit, theirs = fitted(f"lmm_{name}"), load_result(f"lmm_{name}")["extras"]["ddf"]["Satterthwaite"]["coefficients"]
    found = reference(fit, "satterthwaite").df(np.eye(len(fit.beta)))
    np.testing.assert_allclose(found, theirs["df"], rtol=LMERTEST)


def test_ml_fits_use_the_deviance() -> None:
    """Their information is that of the deviance: 4.90, not REML's 3.50."""
    fit = fitted("lmm_yu_example2_surrogate", "ml")
    theirs = load_result("lmm_yu_example2_surrogate")["extras"]["satterthwaite_at_ML"]
    found = reference(fit, "satterthwaite").df(np.eye(len(fit.beta)))
    np.testing.assert_allclose(found, theirs["df"], rtol=LMERTEST)


@pytest.mark.parametrize("name", ["yu_example1", "yu_example2_surrogate", "machines_slopes", "machines_nested"])
def test_a_term_agrees_with_lmertest(name: str) -> None:
    """The joint F test of the only factor, by the rows of X'X = T'DT: its degrees of freedom depend on the basis."""
    fit, theirs = fitted(f"lmm_{name}"), load_result(f"lmm_{name}")["extras"]["ddf"]["Satterthwaite"]["anova_type_III"]
    R = np.linalg.qr(fit.model.design.mu.X, mode="r")
    rows = (R / np.diag(R)[:, None])[1:]
    found = reference(fit).test(rows, rows @ fit.beta)
    assert found.num_df == theirs["NumDF"][0]
    assert found.statistic == pytest.approx(theirs["F value"][0], rel=LMERTEST)
    assert found.den_df == pytest.approx(theirs["DenDF"][0], rel=LMERTEST)
    assert found.p == pytest.approx(theirs["Pr(>F)"][0], rel=1e-4)


@pytest.mark.parametrize(
    ("formula", "options", "engine", "expected"),
    [
        ("Reaction ~ Days + (Days | Subject)", {}, "reml", "satterthwaite"),
        ("Reaction ~ Days + (Days | Subject)", {}, "ml", "satterthwaite"),
        ("Reaction ~ Days + (Days | Subject)", {}, "map", "asymptotic"),
        ("Reaction ~ Days + (Days | Subject)", {"constants": {"sigma": 25.0}}, "reml", "asymptotic"),
        ("Reaction ~ Days", {}, "ml", "residual"),
    ],
)
def test_defaults(formula: str, options: dict[str, Any], engine: str, expected: str) -> None:
    """What a fit is judged by unless another way is asked for."""
    assert default(bm.Model(formula, bm.load_data("sleepstudy"), **options).fit(engine)) == expected
