"""Satterthwaite's degrees of freedom: lmerTest's numbers, classical designs, invariances, the boundary."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import load_reference_frame, load_result
from judged import CHECKED, reference_fit

import bayesmixed as bm
from bayesmixed.degrees.methods import default, reference
from bayesmixed.degrees.satterthwaite import together

LMERTEST = 1e-5  # relative: lmerTest differentiates numerically, at lme4's optimum
OPTIMUM = 1e-5  # relative: what the end of a search leaves of a degree of freedom


@pytest.mark.parametrize("name", CHECKED)
def test_coefficients_agree_with_lmertest(name: str) -> None:
    """Each coefficient's degrees of freedom."""
    fit, theirs = reference_fit(name), load_result(f"lmm_{name}")["extras"]["ddf"]["Satterthwaite"]["coefficients"]
    found = reference(fit, "satterthwaite").df(np.eye(len(fit.beta)))
    np.testing.assert_allclose(found, theirs["df"], rtol=LMERTEST)


def test_ml_fits_use_the_deviance() -> None:
    """Their information is that of the deviance: 4.90, not REML's 3.50."""
    fit = reference_fit("yu_example2_surrogate", "ml")
    theirs = load_result("lmm_yu_example2_surrogate")["extras"]["satterthwaite_at_ML"]
    found = reference(fit, "satterthwaite").df(np.eye(len(fit.beta)))
    np.testing.assert_allclose(found, theirs["df"], rtol=LMERTEST)


@pytest.mark.parametrize("name", ["yu_example1", "yu_example2_surrogate", "machines_slopes", "machines_nested"])
def test_a_term_agrees_with_lmertest(name: str) -> None:
    """The joint F test of the only factor, by the rows of X'X = T'DT: its degrees of freedom depend on the basis."""
    fit, theirs = reference_fit(name), load_result(f"lmm_{name}")["extras"]["ddf"]["Satterthwaite"]["anova_type_III"]
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


def one_way(groups: int = 8, each: int = 6, residual: float = 1.0) -> pd.DataFrame:
    """A treatment `t` of whole groups, another `w` within them, all balanced; sds 1 of groups and `residual`."""
    rng = np.random.default_rng(7)
    g = np.repeat(np.arange(groups), each)
    y = rng.normal(size=groups)[g] + residual * rng.normal(size=len(g))
    return pd.DataFrame(
        {"g": g.astype(str), "t": np.where(g % 2, "b", "a"), "w": np.resize(["u", "v", "w"], len(g)), "y": y}
    )


@pytest.mark.parametrize("residual", [1.0, 1e-3, 1e-6, 1e-8])
def test_balanced_designs_are_exact(residual: float) -> None:
    """The classical degrees of freedom: of groups for what is between them, of rows for what is within.

    Whatever the residual: where effects are 1e8 of it, what cross-products say of it is rounding.
    """
    fit = bm.Model("y ~ t + w + (1 | g)", one_way(residual=residual)).fit("reml")
    found = reference(fit).df(np.eye(4)[1:])
    np.testing.assert_allclose(found, [6, 48 - 8 - 2, 48 - 8 - 2], rtol=OPTIMUM)


def test_one_row_is_the_square_of_its_t() -> None:
    """F on the same degrees of freedom; a row that is written twice counts once."""
    fit = reference_fit("sleepstudy_slope")
    found, row = reference(fit), np.array([[1.0, 4.0]])
    once, twice = (found.test(rows, rows @ fit.beta) for rows in (row, np.vstack([row, -3e5 * row])))
    t = (row @ fit.beta)[0] / np.sqrt(found.covariance(row)[0, 0])
    assert once.statistic == pytest.approx(t**2, rel=1e-12)
    assert once.den_df == pytest.approx(found.df(row)[0], rel=1e-12)
    assert twice.num_df == 1
    assert (twice.statistic, twice.den_df) == pytest.approx((once.statistic, once.den_df), rel=1e-9)


def test_joint_degrees_of_freedom() -> None:
    """That F has the mean of the t^2; 2 where one of them has none."""
    assert together(np.array([7.0, 7.0])) == 7
    assert together(np.array([7.0, 2.0])) == 2
    df = np.array([5.0, 9.0, 30.0])
    mean = np.mean(df / (df - 2))
    assert together(df) / (together(df) - 2) == pytest.approx(mean, rel=1e-12)
    assert together(np.array([np.inf, np.inf])) == np.inf
    assert together(np.array([10.0, np.inf])) > 10


@pytest.mark.parametrize(
    ("change", "turn"),
    [
        (lambda d: d.assign(y=1e-7 * d["y"]), np.eye(3)),
        (lambda d: d.assign(y=d["y"] + 1e7), np.eye(3)),
        (lambda d: d.sample(frac=1, random_state=2), np.eye(3)),
        (lambda d: d.assign(x=1e6 * d["x"]), np.diag([1, 1e6, 1])),
        (lambda d: d.assign(x=d["x"] - 2000), np.array([[1, -2000, 0], [0, 1, 0], [0, 0, 1]])),
        (lambda d: d.assign(t=pd.Categorical(d["t"], ["b", "a"])), np.array([[1, 0, 1], [0, 1, 0], [0, 0, -1]])),
    ],
    ids=["smaller", "shifted", "reordered", "rescaled", "centred", "recoded"],
)
def test_units_and_codings(change: Any, turn: np.ndarray) -> None:
    """Units, origins, codings and the order of rows change nothing of the same linear functions: rows times `turn`."""
    rng = np.random.default_rng(3)
    data = one_way()
    data["x"] = rng.normal(size=len(data))
    data["y"] += 0.8 * data["x"] * rng.normal(size=8)[data["g"].astype(int)]
    fits = [bm.Model("y ~ x + t + (x | g)", table).fit("reml") for table in (data, change(data))]
    rows = np.array([[1.0, 0.5, 0.3], [0, 1, 0], [0, 0, 1]])
    found = [reference(fit).df(L) for fit, L in zip(fits, (rows, rows @ turn), strict=True)]
    np.testing.assert_allclose(found[0], found[1], rtol=OPTIMUM)


def test_a_variance_of_zero_is_held() -> None:
    """The linear model's degrees of freedom, and a line that says which variance."""
    data = bm.load_data("Dyestuff2")
    fit, plain = (bm.Model(formula, data).fit("reml") for formula in ("Yield ~ 1 + (1 | Batch)", "Yield ~ 1"))
    found = reference(fit)
    assert fit.theta.tolist() == [0.0]
    np.testing.assert_allclose(found.df(np.eye(1)), reference(plain).df(np.eye(1)), rtol=1e-9)
    assert found.notes == ("Held at the boundary, as if known: in (1 | Batch) the sd of Intercept is 0.",)


def test_a_perfect_correlation_is_held() -> None:
    """Its sign depends on where x is zero, and degrees of freedom do not."""
    data, effects = one_way(), np.random.default_rng(7).normal(size=8)
    data["x"] = np.tile(np.arange(6.0), 8)
    data["y"] += effects[data["g"].astype(int)] * (data["x"] - 1)
    found = [reference(bm.Model("y ~ x + (x | g)", data.assign(x=data["x"] + by)).fit("reml")) for by in (0, 50)]
    ends = [one.notes[0].split()[-1] for one in found]
    assert ends == ["+1.", "-1."]
    rows = np.array([[1.0, 0.0], [1.0, 3.0], [0.0, 1.0]])
    shifted = rows @ np.array([[1.0, 50.0], [0.0, 1.0]])
    np.testing.assert_allclose(found[0].df(rows), found[1].df(shifted), rtol=OPTIMUM)


def test_without_bars() -> None:
    """n - p by REML, and n by ML, whose deviance bends as if coefficients were known."""
    data = one_way()
    for engine, expected in (("reml", 46), ("ml", 48)):
        found = reference(bm.Model("y ~ t", data).fit(engine), "satterthwaite")
        np.testing.assert_allclose(found.df(np.eye(2)), expected, rtol=1e-6)
    known = bm.Model("y ~ t", data, constants={"sigma": 1.0}).fit("ml")
    assert np.all(np.isinf(reference(known, "satterthwaite").df(np.eye(2))))


def test_terms_that_cannot_be_told_apart() -> None:
    """How a variance is divided between two bars of the same effects does not matter."""
    data = one_way().assign(one=1.0)
    fits = [bm.Model(f"y ~ t + (1 | g){more}", data).fit("reml") for more in ("", " + (0 + one | g)")]
    found = [reference(fit) for fit in fits]
    np.testing.assert_allclose(found[0].df(np.eye(2)), found[1].df(np.eye(2)), rtol=OPTIMUM)


def test_an_unfinished_fit_says_so() -> None:
    """Degrees of freedom off the optimum depend on how the variances are written."""
    fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit(bm.REML(maxiter=1))
    assert "not at the optimum" in reference(fit).notes[0]
    assert not reference(reference_fit("sleepstudy_slope")).notes


def test_what_it_is_not_for() -> None:
    """Generalized models and penalised fits, with what to ask instead."""
    herds = bm.Model("prop(incidence, size) ~ period + (1 | herd)", bm.load_data("cbpp"), family="binomial")
    with pytest.raises(bm.errors.FitError, match='ddf="asymptotic"'):
        reference(herds.fit("ml"), "satterthwaite")
    with pytest.raises(bm.errors.FitError, match="MAP adds a penalty.*model.fit"):
        reference(bm.Model("y ~ t + (1 | g)", one_way()).fit("map"), "satterthwaite")


def test_coefficients_of_sigma_are_normal() -> None:
    """Those of the mean have their own degrees of freedom."""
    data = load_reference_frame("Orthodont")
    fit = bm.Model(bm.Formula("distance ~ Sex + (1 | Subject)", "sigma ~ Sex"), data).fit("reml")
    found = reference(fit, "satterthwaite").df(np.eye(4))
    assert np.all(np.isfinite(found[:2])) and np.all(np.isinf(found[2:]))


def test_rows_without_an_answer() -> None:
    """What is not estimable stays unknown, what is no function of the coefficients is known, none are none."""
    found = reference(reference_fit("sleepstudy_slope"))
    df = found.df(np.array([[np.nan, 1.0], [0.0, 0.0], [0.0, 1.0]]))
    assert np.isnan(df[0]) and np.isinf(df[1]) and np.isfinite(df[2])
    assert np.isnan(found.test(np.zeros((1, 2)), np.zeros(1)).p)
    bare = bm.Model("Reaction ~ 0 + (1 | Subject)", bm.load_data("sleepstudy")).fit("reml")
    assert reference(bare).df(np.zeros((0, 0))).shape == (0,)


def test_rows_of_weight_zero_are_absent() -> None:
    """One subject less."""
    data, weights = bm.load_data("sleepstudy"), np.ones(180)
    weights[:10] = 0
    formula = "Reaction ~ Days + (Days | Subject)"
    fits = [bm.Model(formula, data, weights=weights).fit("reml"), bm.Model(formula, data.iloc[10:]).fit("reml")]
    for method in ("satterthwaite", "containment"):
        found = [reference(fit, method).df(np.eye(2)) for fit in fits]
        np.testing.assert_allclose(found[0], found[1], rtol=OPTIMUM)
