"""nlme's degrees of freedom and standard errors; between-within; what counting groups cannot do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import load_reference_frame, load_result

import bayesmixed as bm
from bayesmixed.degrees.methods import reference

NLME = 1e-5  # relative: nlme's optimiser


def model_of(name: str) -> Any:
    record = load_result(name)
    return bm.Model(record["formula"], load_reference_frame(record["dataset"]))


@pytest.mark.parametrize(
    "name",
    ["machines_nested", "pastes_nested", "sleepstudy_slope", "orthodont_sex_age", "yu_example1"],
)
def test_ml_fits_agree_with_nlme(name: str) -> None:
    """Degrees of freedom of each coefficient, standard errors times sqrt(n / (n - p))."""
    fits = load_result(f"lmm_{name}")["fits"]
    theirs = next(fit["fixed"] for fit in fits if fit["engine"] == "nlme::lme" and fit["estimator"] == "ML")
    found = reference(model_of(f"lmm_{name}").fit("ml"), "containment")
    rows = np.eye(len(theirs["df"]))
    assert found.df(rows).tolist() == theirs["df"]
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance(rows))), theirs["se_printed_by_summary"], rtol=NLME)
    assert "sqrt(n / (n - p))" in found.notes[0]


def test_the_sequential_table_of_the_mice() -> None:
    """nlme's anova of the ML fit: F 179.664 and 5.8945, on 1176 and 19 degrees of freedom."""
    fit = model_of("lmm_yu_example1").fit("ml")
    found = reference(fit, "containment")
    R = np.linalg.cholesky(np.linalg.inv(fit.coefficient_covariance)).T
    statistics = [found.test(R[part], R[part] @ fit.beta).statistic for part in (slice(0, 1), slice(1, 5))]
    np.testing.assert_allclose(statistics, [179.6642, 5.894548], rtol=NLME)
    assert found.df(np.eye(5)).tolist() == [1176, 19, 19, 19, 19]
    assert found.test(np.eye(5)[1:], fit.beta[1:]).den_df == 19
    assert reference(fit, "between-within").df(np.eye(5)).tolist() == [19] * 5


def few_rows(rng: np.random.Generator) -> pd.DataFrame:
    """20 groups, 8 of them with two rows: more groups than rows within."""
    g = np.concatenate([np.arange(20), np.arange(8)])
    u, x = rng.normal(size=20)[g], rng.normal(size=28)
    return pd.DataFrame({"g": g.astype(str), "u": u, "x": x, "y": rng.normal(size=20)[g] + rng.normal(size=28)})


@pytest.mark.parametrize(
    ("formula", "expected"),
    [("y ~ x + u + (1 | g)", [18, 7, 18]), ("y ~ 0 + x + u + (1 | g)", [8, 19])],
)
def test_the_intercept(formula: str, expected: list[int]) -> None:
    """With more groups than rows within, its degrees of freedom are of the groups; without it each level gets one."""
    fit = bm.Model(formula, few_rows(np.random.default_rng(4))).fit("reml")
    assert reference(fit, "containment").df(np.eye(len(expected))).tolist() == expected  # lme() of nlme 3.1


def test_a_row_of_several_terms_has_the_fewest() -> None:
    """A difference of a within and a between coefficient."""
    fit = bm.Model("y ~ x + u + (1 | g)", few_rows(np.random.default_rng(4))).fit("reml")
    assert reference(fit, "containment").df(np.array([[0, 1.0, -1.0], [1.0, 0, 0]])).tolist() == [7, 18]


def test_without_bars_it_is_the_residual() -> None:
    """n - p, whatever the coefficient."""
    fit = bm.Model("y ~ x + u", few_rows(np.random.default_rng(4))).fit("ml")
    found, residual = (reference(fit, name) for name in ("containment", "residual"))
    assert np.all(found.df(np.eye(3)) == residual.df(np.eye(3)))
    np.testing.assert_allclose(found.covariance(np.eye(3)), residual.covariance(np.eye(3)))


def test_what_counting_cannot_do() -> None:
    """Crossed factors, generalized models, a term with a coefficient per group."""
    with pytest.raises(bm.errors.FitError, match='plate and sample are crossed. Use ddf="satterthwaite"'):
        reference(model_of("lmm_penicillin").fit("reml"), "containment")
    with pytest.raises(bm.errors.FitError, match='Use ddf="asymptotic"'):
        reference(
            bm.Model("prop(incidence, size) ~ 1 + (1 | herd)", bm.load_data("cbpp"), family="binomial").fit("ml"),
            "between-within",
        )
    data = pd.DataFrame({"g": list("aabbcc"), "y": [1.0, 2, 4, 3, 6, 7], "t": list("uuvvww"), "x": [1.0, 2] * 3})
    fit = bm.Model("y ~ t + x + (1 | g)", data).fit("reml")
    with pytest.raises(bm.errors.FitError, match=r"leaves no degrees of freedom for t\[v\]"):
        reference(fit, "containment").df(np.eye(4)[1:2])
