"""A random column adds to the coefficient of the same column, however either is spelled, and to no other."""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm

LME4 = 1e-5  # relative: lme4's search ends near the optimum
SAME = 1e-6  # of a coefficient: two spellings of one model are searched separately


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    n, g = 400, np.repeat(np.arange(20), 20)
    d = pd.DataFrame({"x": rng.normal(size=n), "z": rng.normal(size=n), "w": rng.normal(size=n), "g": g})
    d["f"] = rng.choice(list("abc"), n)
    d["y"] = (1 + rng.normal(size=20)[g]) * d.x * d.z + (d.f == "b") + rng.normal(size=n)
    return d


@pytest.mark.parametrize(
    ("fixed", "typed", "same", "column"),
    [
        ("x*z", "z:x", "x:z", "x:z"),
        ("x*z*w", "w:z:x", "x:z:w", "x:z:w"),
        ("I(x^2)", "I(x * x)", "I(x^2)", "I(x^2)"),
        ("f*x", "x:f", "f:x", "f[b]:x"),
        ("log(abs(x))", "np.log(abs(x))", "log(abs(x))", "log(abs(x))"),
    ],
)
def test_coefficients_add_up_column_by_column(table: pd.DataFrame, fixed: str, typed: str, same: str, column: str):
    coef, expected = (bm.Model(f"y ~ {fixed} + (0 + {bar} | g)", table).fit("reml") for bar in (typed, same))
    assert coef.coef()["g"].shape == expected.coef()["g"].shape
    np.testing.assert_allclose(coef.coef()["g"][column], expected.coef()["g"][column], rtol=SAME, atol=SAME)


def test_coefficients_are_those_of_lme4(table: pd.DataFrame):
    """lme4 1.1-31: head(coef(lmer(y ~ x*z + (0 + x:z | g), table))$g, 4)."""
    coef = bm.Model("y ~ x*z + (0 + z:x | g)", table).fit("reml").coef()["g"].head(4)
    assert coef.columns.tolist() == ["Intercept", "x", "z", "x:z"]
    np.testing.assert_allclose(coef.iloc[0, :3], [0.36991122, -0.0746341019, 0.0119415005], rtol=LME4)
    np.testing.assert_allclose(coef["x:z"], [-0.430815346, 0.540908797, 2.833622291, 1.068095681], rtol=LME4)


def test_pooling_and_pictures_have_the_same_coefficient(table: pd.DataFrame):
    fit = bm.Model("y ~ x*z + (0 + z:x | g)", table).fit("reml")
    coef = fit.coef()["g"]["x:z"].to_numpy()
    for spelling in ("x:z", "z:x"):
        assert bm.pooling(fit, spelling).levels["partial"].to_numpy() == pytest.approx(coef, rel=SAME)
        assert len(bm.plot.shrinkage(fit, columns=spelling).get_lines())
    assert bm.plot.shrinkage_frame(fit)["partial_pooling"].to_numpy() == pytest.approx(coef, rel=SAME)
    assert bm.plot.curves_frame(fit)["value"].nunique() > 2  # along x, the first column of the bar


def test_columns_of_one_name_that_differ_do_not_add_up(table: pd.DataFrame):
    """Under sum contrasts the fixed f[a] is a difference to the mean, that of (0 + f | g) an indicator."""
    fit = bm.Model("y ~ f + (0 + f | g)", table, contrasts={"f": "sum"}).fit("reml")
    coef, effects = fit.coef()["g"], fit.ranef()["g"]
    assert coef.columns.tolist() == ["Intercept", "f[a]", "f[b]", "f[a]#2", "f[b]#2", "f[c]"]
    assert np.ptp(coef["f[a]"]) == 0
    assert coef["f[a]#2"].to_numpy() == pytest.approx(effects["f[a]"].to_numpy())


def test_columns_that_coincide_in_the_data_stay_apart():
    """Another variable with the same numbers is another column."""
    d = bm.load_data("sleepstudy")
    fit = bm.Model("Reaction ~ Days + (0 + Hours | Subject)", d.assign(Hours=d["Days"])).fit("reml")
    coef = fit.coef()["Subject"]
    assert coef.columns.tolist() == ["Intercept", "Days", "Hours"]
    assert np.ptp(coef["Days"]) == 0


def test_two_bars_of_one_column_add_up(table: pd.DataFrame):
    fit = bm.Model("y ~ x + z + (1 | g) + (0 + x:z | g) + (0 + z:x | g)", table, check="warn").fit("reml")
    effects = fit.ranef()["g"]
    assert fit.coef()["g"]["x:z"].to_numpy() == pytest.approx((effects["x:z"] + effects["z:x"]).to_numpy(), rel=SAME)
