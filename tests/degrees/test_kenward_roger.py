"""Kenward-Roger: pbkrtest's numbers, classical designs, invariances, what it refuses."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import pandas as pd
import pytest
import simulated
from conftest import load_reference_frame, load_result
from judged import CHECKED, reference_fit

import bayesmixed as bm
from bayesmixed.degrees.kenward_roger import scaled_F
from bayesmixed.degrees.methods import reference

DF = 1e-6  # relative: pbkrtest's numbers are of lme4's optimum, which is not quite ours
SE = 2e-6
F = 5e-6
EXACT = 1e-9  # of classical degrees of freedom
OPTIMUM = 1e-5  # relative: what two searches for the same optimum leave of degrees of freedom


def judged(fit: Any) -> Any:
    return reference(fit, "kenward-roger")


@pytest.mark.parametrize("name", CHECKED)
def test_coefficients_agree_with_pbkrtest(name: str) -> None:
    """Degrees of freedom, standard errors and the whole adjusted covariance."""
    fit, extras = reference_fit(name), load_result(f"lmm_{name}")["extras"]["ddf"]
    theirs, rows = extras["Kenward-Roger"]["coefficients"], np.eye(len(fit.beta))
    assert list(fit.model.r_names.values()) == theirs["rows"]
    np.testing.assert_allclose(judged(fit).df(rows), theirs["df"], rtol=DF)
    covariance, adjusted = judged(fit).covariance(rows), np.array(extras["kenward_roger_adjusted_vcov"])
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), theirs["Std. Error"], rtol=SE)
    scale = np.sqrt(np.outer(np.diag(adjusted), np.diag(adjusted)))
    np.testing.assert_allclose(covariance / scale, adjusted / scale, atol=SE)


@pytest.mark.parametrize("name", [name for name in CHECKED if name not in "dyestuff pastes_nested penicillin rail"])
def test_terms_agree_with_pbkrtest(name: str) -> None:
    """Type I: rows of the Cholesky factor of X'X, term by term in the order of the columns."""
    fit = reference_fit(name)
    theirs = load_result(f"lmm_{name}")["extras"]["ddf"]["Kenward-Roger"]["anova_type_I"]
    rows, first = np.linalg.qr(fit.model.design.mu.X, mode="r"), 1
    for num_df, den_df, statistic in zip(theirs["NumDF"], theirs["DenDF"], theirs["F value"], strict=True):
        part = rows[first : first + num_df]
        found = judged(fit).test(part, part @ fit.beta)
        assert found.num_df == num_df
        assert found.den_df == pytest.approx(den_df, rel=DF)
        assert found.statistic == pytest.approx(statistic, rel=F)
        first += num_df


@pytest.mark.parametrize(
    ("name", "extra", "rows"),
    [
        ("yu_example1", "kr_treatment", slice(1, None)),
        ("cake", "kr_interaction", slice(8, None)),
        ("machines_nested", "kr_machine", slice(1, None)),
        ("sleepstudy_slope", "kr_test_days", slice(1, None)),
    ],
)
def test_comparisons_of_models_agree_with_pbkrtest(name: str, extra: str, rows: slice) -> None:
    """KRmodcomp: lambda F, its degrees of freedom and p."""
    fit, theirs = reference_fit(name), load_result(f"lmm_{name}")["extras"][extra]
    found = judged(fit).test(np.eye(len(fit.beta))[rows], fit.beta[rows])
    assert found.num_df == theirs["table"]["ndf"][0]
    assert found.den_df == pytest.approx(theirs["table"]["ddf"][0], rel=DF)
    assert found.statistic == pytest.approx(theirs["table"]["stat"][0], rel=F)
    assert found.p == pytest.approx(theirs["table"]["p.value"][0], rel=1e-4)
    part, known = np.eye(len(fit.beta))[rows], judged(fit).found
    scaling, _ = scaled_F(found.num_df, *known.moments(known.independent(part) @ part))
    assert scaling == pytest.approx(theirs["F_scaling"], abs=1e-9)


def one_way(groups: int = 12, each: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    unit = np.repeat(np.arange(groups), each)
    y = rng.normal(size=groups)[unit] + rng.normal(size=groups * each)
    return pd.DataFrame({"y": y, "unit": unit.astype(str), "t": (unit % 3).astype(str)})


def test_a_balanced_one_way_design_has_its_classical_F() -> None:
    """Treatments of whole units: the analysis of variance of the means of units."""
    data = one_way()
    fit = bm.Model("y ~ t + (1 | unit)", data).fit("reml")
    assert not fit.status.singular
    means = data.groupby("unit").agg(y=("y", "mean"), t=("t", "first"))
    between = sum(len(g) * (g.mean() - means["y"].mean()) ** 2 for _, g in means.groupby("t")["y"]) / 2
    within = sum(((g - g.mean()) ** 2).sum() for _, g in means.groupby("t")["y"]) / 9
    found = judged(fit).test(np.eye(3)[1:], fit.beta[1:])
    assert found.den_df == pytest.approx(9, rel=EXACT)
    assert found.statistic == pytest.approx(between / within, rel=1e-5)


def test_a_split_plot_has_its_two_strata() -> None:
    """Whole plots: (a - 1)(b - 1) degrees of freedom; subplots: those of the residual; lambda is 1."""
    oats = bm.Model("yield ~ Variety * factor(nitro) + (1 | Block/Variety)", load_reference_frame("Oats")).fit("reml")
    names, rows = list(oats.model.design.coefficients), np.linalg.qr(oats.model.design.mu.X, mode="r")
    variety = [i for i, name in enumerate(names) if name.startswith("Variety") and ":" not in name]
    nitro = [i for i, name in enumerate(names) if "nitro" in name and ":" not in name]
    for which, df, statistic in ((variety, 10, 1.485), (nitro, 45, 37.686)):
        found = judged(oats).test(rows[which], rows[which] @ oats.beta)
        assert found.den_df == pytest.approx(df, rel=EXACT)
        assert found.statistic == pytest.approx(statistic, abs=1e-3)


def test_a_model_without_bars_has_the_residual_degrees_of_freedom() -> None:
    fit = bm.Model("y ~ x + c", simulated.crossed(40)).fit("reml")
    kr, rows = judged(fit), np.eye(6)
    np.testing.assert_allclose(kr.df(rows), 34, rtol=EXACT)
    np.testing.assert_allclose(kr.covariance(rows), fit.coefficient_covariance, rtol=EXACT, atol=1e-12)
    found, exact = kr.test(rows[2:], fit.beta[2:]), reference(fit, "residual").test(rows[2:], fit.beta[2:])
    assert found.den_df == pytest.approx(34, rel=EXACT)
    assert found.statistic == pytest.approx(exact.statistic, rel=EXACT)


def test_F_of_one_row_is_the_square_of_its_t() -> None:
    fit = reference_fit("yu_example1")
    rows = np.array([[0.0, 1.0, -1.0, 0.3, 0.0]])
    t = rows @ fit.beta / np.sqrt(judged(fit).covariance(rows)[0])
    found = judged(fit).test(rows, rows @ fit.beta)
    assert found.statistic == pytest.approx(float(t[0] ** 2), rel=1e-12)
    assert found.den_df == pytest.approx(judged(fit).df(rows)[0], rel=1e-12)


def test_units_coding_order_and_repeated_rows_do_not_matter() -> None:
    data = load_reference_frame("yu_example1")
    kr, rows = judged(reference_fit("yu_example1")), np.eye(5)[1:]
    first = kr.test(rows, reference_fit("yu_example1").beta[1:])
    turned = data.sample(frac=1, random_state=1).assign(res=lambda d: 1e6 * d["res"])
    other = bm.Model("res ~ treatment_idx + (1 | midx)", turned, contrasts={"treatment_idx": "helmert"}).fit("reml")
    again = judged(other).test(np.vstack([rows, rows[0] + rows[1]]), np.append(other.beta[1:], other.beta[1:3].sum()))
    assert again.num_df == 4
    assert again.den_df == pytest.approx(first.den_df, rel=OPTIMUM)
    assert again.statistic == pytest.approx(first.statistic, rel=OPTIMUM)


def test_ml_fits_are_refitted_and_say_so() -> None:
    ml, reml = reference_fit("sleepstudy_slope", "ml"), reference_fit("sleepstudy_slope")
    assert "refitted by REML" in judged(ml).notes[0]
    assert judged(reml).notes == ()
    np.testing.assert_allclose(judged(ml).df(np.eye(2)), judged(reml).df(np.eye(2)), rtol=OPTIMUM)
    np.testing.assert_allclose(judged(ml).coefficients(ml), reml.beta, rtol=1e-6)


@pytest.mark.parametrize("verb", ["anova", "drop1", "hypothesis", "confint", "emmeans", "comparisons"])
def test_answers_of_an_ml_fit_are_those_of_its_refit(verb: str) -> None:
    """Estimates too: F by REML's covariance of ML's estimates is nobody's."""
    asked = {
        "confint": lambda fit: bm.confint(fit, "wald", ddf="kenward-roger"),
        "emmeans": lambda fit: bm.emmeans(fit, "treatment_idx", ddf="kenward-roger"),
        "comparisons": lambda fit: bm.comparisons(fit, "treatment_idx", ddf="kenward-roger"),
    }
    ask = asked.get(verb, lambda fit: getattr(bm, verb)(fit, ddf="kenward-roger"))
    ml, reml = (ask(reference_fit("yu_example1", engine)) for engine in ("ml", "reml"))
    numbers = [page.frame.select_dtypes("number") for page in (ml, reml)]
    pd.testing.assert_frame_equal(*numbers, rtol=1e-4)
    assert "refitted by REML" in " ".join(str(ml).split())
    assert "refitted" not in str(reml)


def test_singular_fits_say_what_is_at_the_boundary() -> None:
    fit = bm.Model("Yield ~ 1 + (1 | Batch)", load_reference_frame("Dyestuff2")).fit("reml")
    kr = judged(fit)
    assert "the sd of Intercept is 0" in kr.notes[0]
    assert kr.df(np.ones((1, 1))) == pytest.approx([5.0], rel=EXACT)  # the batches', however small their variance


@pytest.mark.parametrize("rows", [2, 3, 5])
@pytest.mark.parametrize("left", [1, 2, 3, 4, 5, 50])
def test_exact_tests_stay_exact_whatever_is_left(rows: int, left: int) -> None:
    """Hotelling's T^2 of N units, an F test of means: lambda and m are known, also where F has no moments."""
    hotelling = scaled_F(rows, 2 * rows / (rows + left - 1), rows * (rows + 1) / (rows + left - 1))
    assert hotelling == pytest.approx((left / (rows + left - 1), left), rel=1e-6)
    assert scaled_F(rows, 2 * rows**2 / left, 2 * rows / left) == pytest.approx((1, left), rel=1e-6)


def test_more_rows_than_the_levels_bear_are_said_aloud() -> None:
    """Where the moments are those of no F distribution degrees of freedom are unknown, not negative."""
    assert np.isnan(scaled_F(2, 0.0, 6.0)).all()
    assert scaled_F(3, 0.0, 0.0) == (1.0, np.inf)
    exact = one_way(5, 3).assign(t=lambda d: (d["unit"].astype(int) % 4).astype(str))
    for data, warning in ((exact, None), (exact.iloc[2:], r"test of 3 rows has .*below 4.*satterthwaite")):
        fit = bm.Model("y ~ t + (1 | unit)", data).fit("reml")
        kr, rows = judged(fit), np.eye(4)[1:]
        with pytest.warns(bm.errors.BayesMixedWarning, match=warning) if warning else nullcontext():
            found, page = kr.test(rows, fit.beta[1:]), str(bm.anova(fit, ddf="kenward-roger"))
        assert 0 < found.den_df < 1 + EXACT
        assert bool(found.doubt) == ("below 4" in page) == (warning is not None)


def test_what_is_not_linear_names_satterthwaite() -> None:
    data = simulated.crossed(150)
    refused = {
        bm.Model("y ~ x + cs(0 + c | b)", data): r"cs\(0 \+ c \| b\) is not.*satterthwaite",
        bm.Model(bm.Formula("y ~ x + (1 | a)", "sigma ~ x"), data): "predictor of sigma.*satterthwaite",
        bm.Model("c == 'v' ~ x + (1 | a)", data, family="bernoulli"): "linear mixed models.*asymptotic",
    }
    for model, message in refused.items():
        with pytest.raises(bm.errors.FitError, match=message):
            judged(model.fit("ml"))
    with pytest.raises(bm.errors.FitError, match="MAP adds a penalty"):
        judged(bm.Model("y ~ x + (1 | a)", data).fit("map"))


def test_too_many_crossed_effects_say_the_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bayesmixed.degrees.kenward_roger.LARGEST", 1e3)
    fit = bm.Model("y ~ x + (1 | a) + (1 | b)", simulated.crossed(150)).fit("reml")
    with pytest.raises(bm.errors.FitError, match=r"12 crossed effects.*GB.*satterthwaite"):
        judged(fit)
