"""Leaving terms out one at a time: lme4's drop1, lmerTest's ranova, the rows that are compared."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import load_reference_frame, load_result

import bayesmixed as bm
from bayesmixed.errors import BayesMixedError

RATIO = 2e-5  # lme4's optimiser stops at 1e-6 of the log-likelihood; a ratio is twice a difference of two
P = 1e-4  # relative, of a p-value whose ratio is off by that

LME4 = [
    "glmm_cbpp",
    "glmm_contraception",
    "glmm_culcita",
    "glmm_epil",
    "glmm_waterlick_surrogate",
    "lmm_cake",
    "lmm_hsb82",
    "lmm_orthodont_sex_age",
    "lmm_sleepstudy_slope",
    "lmm_yu_example1",
]
SLOPES = "Reaction ~ Days + (Days | Subject)"


@cache
def fitted(dataset: str, formula: str, method: str = "ml", family: str = "gaussian") -> Any:
    return bm.Model(formula, load_reference_frame(dataset), family=family).fit(method)


def compared(ours: Any, theirs: dict[str, Any]) -> None:
    """One row for each term, whatever the spaces in its name."""
    named = {found.replace(" ", ""): found for found in ours.frame.index}
    assert set(named) == {row.replace(" ", "") for row in theirs["rows"][1:]}
    rows = [named[row.replace(" ", "")] for row in theirs["rows"][1:]]
    p, df = (next(theirs[key] for key in keys if key in theirs) for keys in (("Pr(Chi)", "Pr(>Chi)"), ("npar", "Df")))
    np.testing.assert_allclose(ours.frame.loc[rows, "statistic"], theirs["LRT"][1:], atol=RATIO)
    np.testing.assert_allclose(ours.tests.loc[rows, "aic"], theirs["AIC"][1:], atol=RATIO)
    np.testing.assert_allclose(ours.frame.loc[rows, "p"], p[1:], rtol=P)
    assert ours.frame.loc[rows, "df"].tolist() == df[1:]


@pytest.mark.parametrize("name", LME4)
def test_fixed_terms_are_dropped_as_by_lme4(name: str) -> None:
    record = load_result(name)
    fit = fitted(record["dataset"], record["formula"], "ml", record.get("family") or "gaussian")
    compared(bm.drop1(fit, test="chisq"), record["extras"]["drop1"])


def test_fixed_terms_are_dropped_as_by_glmmtmb() -> None:
    record = load_result("glmm_grouseticks")
    fit = fitted(record["dataset"], record["formula"], "ml", record["family"])
    compared(bm.drop1(fit), record["extras"]["drop1_tmb"])


@pytest.mark.parametrize(("method", "ratio"), [("reml", 42.83681), ("ml", 42.13930)])
def test_the_slope_of_sleepstudy_as_lmertest_drops_it(method: str, ratio: float) -> None:
    found = bm.drop1(fitted("sleepstudy", SLOPES, method), random=True)
    assert list(found.frame.columns) == ["statistic", "df", "p"]
    assert list(found.frame.index) == [
        "sd(Intercept | Subject)",
        "sd(Days | Subject)",
        "cor(Intercept, Days | Subject)",
    ]
    assert found.frame.loc["sd(Days | Subject)", ["statistic", "df"]].tolist() == [pytest.approx(ratio, abs=1e-5), 2]
    assert found.frame["df"].tolist() == [2, 2, 1]


@pytest.mark.parametrize(
    ("dataset", "formula", "ratios"),  # lmerTest::ranova of lmerTest 3.1
    [
        ("Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)", [105.0572726, 282.395435]),
        ("Pastes", "strength ~ 1 + (1 | batch / cask)", [0.65765593, 54.60466488]),
    ],
)
def test_bars_are_dropped_as_by_lmertest(dataset: str, formula: str, ratios: list[float]) -> None:
    found = bm.drop1(fitted(dataset, formula, "reml"), random=True)
    np.testing.assert_allclose(found.frame["statistic"], ratios, atol=RATIO)
    np.testing.assert_allclose(found.frame["p"], found.tests["naive"] / 2, rtol=1e-12)


def test_it_is_the_comparison_of_the_two_fits() -> None:
    small, large = (fitted("sleepstudy", f"Reaction ~ Days + ({bar} | Subject)", "reml") for bar in ("1", "Days"))
    one, other = bm.anova(small, large).frame.iloc[1], bm.drop1(large, random=True).frame.loc["sd(Days | Subject)"]
    assert [one["chisq"], one["df"], one["p"]] == pytest.approx(other.tolist(), rel=1e-6)


def test_what_a_bar_holds_is_dropped_whole_or_in_part() -> None:
    def rows(bar: str) -> dict[str, float]:
        frame = bm.drop1(fitted("Machines", f"score ~ Machine + {bar}", "reml"), random=True).frame
        return frame["df"].to_dict()

    assert rows("(Machine | Worker)") == {"sd(Machine | Worker)": 5, "cor(Intercept, Machine | Worker)": 3}
    assert rows("cs(0 + Machine | Worker)") == {"sd(Machine | Worker)": 4, "cor(Machine | Worker)": 1}
    assert rows("homcs(0 + Machine | Worker)") == {"sd(Machine | Worker)": 2}
    assert rows("(1 | Worker / Machine)") == {"sd(Intercept | Worker)": 1, "sd(Intercept | Worker:Machine)": 1}


def test_the_rows_of_the_fit_are_kept_where_a_column_with_gaps_is_left_out() -> None:
    table = load_reference_frame("sleepstudy").assign(z=np.cos(np.arange(180.0)))
    table.loc[table.index[3:10], "z"] = np.nan
    weights, offset = np.linspace(1, 2, 180), np.linspace(0, 5, 180)
    fit = bm.Model("Reaction ~ Days + z + (1 | Subject)", table, weights=weights, offset=offset).fit("ml")
    there = table["z"].notna().to_numpy()
    small = bm.Model("Reaction ~ Days + (1 | Subject)", table[there], weights=weights[there], offset=offset[there]).fit(
        "ml"
    )
    found = bm.drop1(fit, test="chisq")
    assert found.tests.loc["z", "loglik"] == pytest.approx(small.loglik, abs=1e-7)
    pd.testing.assert_series_equal(
        found.frame.loc["z"],
        bm.anova(small, fit).frame.iloc[1][["chisq", "df", "p"]].set_axis(["statistic", "df", "p"]),
        check_names=False,
        rtol=1e-6,
    )


def test_a_response_that_was_exchanged_is_the_one_that_is_fitted() -> None:
    table = load_reference_frame("sleepstudy")
    y = np.log(table["Reaction"].to_numpy()) + 0.1 * np.sin(np.arange(180.0))
    given = bm.Model("log(Reaction) ~ Days + (Days | Subject)", table).with_response(y).fit("ml")
    same = bm.Model("y ~ Days + (Days | Subject)", table.assign(y=y)).fit("ml")
    pd.testing.assert_frame_equal(bm.drop1(given, random=True).frame, bm.drop1(same, random=True).frame, rtol=1e-6)


def test_contrasts_and_names_of_the_users_own_stay() -> None:
    cake = load_reference_frame("cake")
    options: dict[str, Any] = {"contrasts": {"recipe": "sum"}, "namespace": {"half": lambda x: x / 2}}
    fit = bm.Model("angle ~ recipe + half(temp) + (1 | recipe:replicate)", cake, **options).fit("ml")
    plain = fitted("cake", "angle ~ recipe + temp + (1 | recipe:replicate)")
    ratios = [bm.drop1(one, test="chisq").frame["statistic"].to_numpy() for one in (fit, plain)]
    np.testing.assert_allclose(*ratios, atol=1e-6)


def test_terms_of_sigma_are_dropped_too() -> None:
    formula = bm.Formula("Reaction ~ Days + (1 | Subject)", "sigma ~ Days")
    fit = bm.Model(formula, load_reference_frame("sleepstudy")).fit("ml")
    found = bm.drop1(fit, test="chisq")
    plain = fitted("sleepstudy", "Reaction ~ Days + (1 | Subject)")
    assert list(found.frame.index) == ["Days", "sigma_Days"]
    assert found.frame.loc["sigma_Days", "statistic"] == pytest.approx(2 * (fit.loglik - plain.loglik), abs=1e-6)


def test_units_do_not_matter() -> None:
    table = load_reference_frame("sleepstudy").assign(hours=lambda d: 24 * d["Days"], ms=lambda d: d["Reaction"] / 1e3)
    other = bm.Model("ms ~ hours + (hours | Subject)", table).fit("reml")
    ratios = [bm.drop1(fit, random=True).frame["statistic"] for fit in (fitted("sleepstudy", SLOPES, "reml"), other)]
    np.testing.assert_allclose(ratios[0], ratios[1], atol=1e-6)


def test_a_fit_below_its_own_reductions_is_replaced_by_a_better_one() -> None:
    stopped = bm.ML(maxiter=1, start=[0.01, 0.0, 0.01])
    poor = bm.Model(SLOPES, load_reference_frame("sleepstudy")).fit(stopped)
    found = bm.drop1(poor, random=True)
    assert (found.frame["statistic"] >= 0).all()
    assert found.full is not None
    assert found.full.loglik > poor.loglik
    assert "fitted again from there" in str(found)


REFUSED = [
    (lambda: bm.drop1(fitted("sleepstudy", SLOPES).model), "not models"),
    (lambda: bm.drop1(fitted("sleepstudy", SLOPES, "map")), "MAP maximises"),
    (lambda: bm.drop1(fitted("sleepstudy", "Reaction ~ Days"), random=True), "no random effects"),
    (lambda: bm.drop1(fitted("Dyestuff", "Yield ~ 1 + (1 | Batch)"), test="chisq"), "no fixed terms"),
    (lambda: bm.drop1(fitted("sleepstudy", SLOPES), test="LRT"), "Did you mean 'chisq'"),
    (lambda: bm.drop1(fitted("sleepstudy", SLOPES), random=True, test="F"), "likelihood ratios"),
    (lambda: bm.drop1(fitted("sleepstudy", SLOPES), random=True, ddf=10), "ddf= is of F tests"),
    (
        lambda: bm.drop1(bm.Model(SLOPES, load_reference_frame("sleepstudy")).fit(bm.Laplace(draws=50), seed=1)),
        "loo_compare",
    ),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_a_wrong_call_says_what_to_type_instead(call: Any, message: str) -> None:
    with pytest.raises(BayesMixedError, match=message):
        call()
