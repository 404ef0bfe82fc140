"""Comparing fits: likelihood ratios of lme4's, laws at the boundary, what does not change them, what is refused."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import load_reference_frame, load_result
from scipy.stats import chi2

import bayesmixed as bm
from bayesmixed.errors import BayesMixedError, FitError

RATIO = 2e-5  # lme4's optimiser stops at 1e-6 of the log-likelihood; a ratio is twice a difference of two
P = 1e-4  # relative, of a p-value whose ratio is off by that
SAME = 1e-7  # of a ratio: rounding, and where two searches end

LME4 = [
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
INTERCEPTS, UNCORRELATED, SLOPES = (f"Reaction ~ Days + ({bar} Subject)" for bar in ("1 |", "Days ||", "Days |"))
HERD = "prop(incidence, size) ~ {} + (1 | herd)"


@cache
def fitted(dataset: str, formula: str, method: Any = "ml", family: str = "gaussian") -> Any:
    return bm.Model(formula, load_reference_frame(dataset), family=family).fit(method)


def sleep(formula: str, method: Any = "ml") -> Any:
    return fitted("sleepstudy", formula, method)


def last(found: Any) -> pd.Series:
    return found.frame.iloc[-1]


@pytest.mark.parametrize(("name", "test"), LME4)
def test_likelihood_ratios_are_those_of_lme4(name: str, test: str) -> None:
    record = load_result(name)
    found, family = record["extras"][test], record.get("family") or "gaussian"
    fits = [fitted(record["dataset"], found[key], "ml", family) for key in ("null", "alternative")]
    ours, theirs = bm.anova(*fits), found["table"]
    assert ours.frame["parameters"].tolist() == theirs["npar"]
    np.testing.assert_allclose(ours.frame["aic"], theirs["AIC"], atol=RATIO)
    np.testing.assert_allclose(ours.frame["bic"], theirs["BIC"], atol=RATIO)
    np.testing.assert_allclose(ours.frame["loglik"], theirs["logLik"], atol=RATIO)
    assert last(ours)["chisq"] == pytest.approx(theirs["Chisq"][1], abs=RATIO)
    assert last(ours)["df"] == theirs["Df"][1]
    assert ours.tests["naive"].iloc[1] == pytest.approx(theirs["Pr(>Chisq)"][1], rel=P)


# ---- by which likelihood


def test_fits_of_one_fixed_part_compare_by_reml() -> None:
    found = bm.anova(sleep(INTERCEPTS, "reml"), sleep(SLOPES, "reml"))
    assert last(found)["chisq"] == pytest.approx(42.83681, abs=1e-5)  # lmerTest's ranova
    assert "REML" in found.title
    assert found.frame["loglik"].tolist() == [fit.loglik for fit in found.fits]


@pytest.mark.parametrize("other", ["reml", "ml"])
def test_otherwise_all_are_fitted_by_ml_and_the_page_says_so(other: str) -> None:
    found = bm.anova(sleep("Reaction ~ (Days | Subject)", "reml"), sleep(SLOPES, other))
    assert last(found)["chisq"] == pytest.approx(23.5365374978776, abs=RATIO)
    assert "refitted by ML" in str(found)
    assert not any(fit.engine.restricted for fit in found.fits)


@pytest.mark.parametrize("method", ["ml", "reml"])
@pytest.mark.parametrize("fixed", ["I(3 * (Days - 4))", "I(Days + 1e6)", "0 + one + Days"])
def test_another_coding_of_the_same_fixed_columns_changes_nothing(method: str, fixed: str) -> None:
    """A REML criterion depends on the basis of X: only in one basis do two of them compare."""
    table = load_reference_frame("sleepstudy").assign(one=2.5)
    recoded = bm.Model(f"Reaction ~ {fixed} + (Days | Subject)", table).fit(method)
    found = bm.anova(sleep(INTERCEPTS, method), recoded)
    assert last(found)["chisq"] == pytest.approx(
        last(bm.anova(sleep(INTERCEPTS, method), sleep(SLOPES, method)))["chisq"]
    )
    assert ("REML" in found.title) == (method == "reml")


def test_reml_criteria_of_a_response_and_of_its_logarithm_do_not_compare() -> None:
    found = bm.anova(sleep(INTERCEPTS, "reml"), fitted("sleepstudy", INTERCEPTS, "reml", "lognormal"))
    assert not any(fit.engine.restricted for fit in found.fits)


def test_contrasts_of_factors_change_nothing_by_reml() -> None:
    cake = load_reference_frame("cake")
    formula = "angle ~ recipe * temp + ({} | recipe:replicate)"
    small = bm.Model(formula.format("1"), cake).fit("reml")
    large = [
        bm.Model(formula.format("temp"), cake, contrasts={"recipe": kind}).fit("reml") for kind in ("treatment", "sum")
    ]
    assert large[0].loglik != pytest.approx(large[1].loglik, abs=0.1)
    ratios = [last(bm.anova(small, fit))["chisq"] for fit in large]
    assert ratios[0] == pytest.approx(ratios[1], abs=SAME)


# ---- laws


@pytest.mark.parametrize("method", ["ml", "reml"])
def test_one_sd_without_covariances_halves_the_naive_p(method: str) -> None:
    found = bm.anova(sleep(INTERCEPTS, method), sleep(UNCORRELATED, method))
    assert last(found)["p"] == pytest.approx(found.tests["naive"].iloc[-1] / 2, rel=1e-12)
    assert "mixture of chi2(0) and chi2(1)" in str(found)


def test_one_sd_and_its_covariance_have_an_even_mixture() -> None:
    found = bm.anova(sleep(INTERCEPTS), sleep(SLOPES))
    ratio = last(found)["chisq"]
    assert last(found)["p"] == pytest.approx((chi2.sf(ratio, 1) + chi2.sf(ratio, 2)) / 2, rel=1e-12)


def test_correlations_are_inside_their_space() -> None:
    found = bm.anova(sleep(UNCORRELATED), sleep(SLOPES))
    assert last(found)["p"] == found.tests["naive"].iloc[-1] == pytest.approx(chi2.sf(last(found)["chisq"], 1))
    assert "mixture" not in str(found)


def test_what_is_more_complicated_has_an_upper_bound_and_a_way_to_simulate() -> None:
    found = bm.anova(sleep("Reaction ~ Days"), sleep(SLOPES))
    assert found.tests["upper_bound"].tolist() == [False, True]
    assert last(found)["p"] == found.tests["naive"].iloc[-1]
    assert "upper bound" in str(found)
    assert "bootstrap_test" in str(found)


def test_a_ratio_of_zero_has_p_one() -> None:
    found = bm.anova(fitted("Dyestuff2", "Yield ~ 1"), fitted("Dyestuff2", "Yield ~ 1 + (1 | Batch)"))
    assert last(found)[["chisq", "p"]].tolist() == [0.0, 1.0]


def test_a_family_is_the_limit_of_a_wider_one() -> None:
    fits = [fitted("cbpp", HERD.format("period"), "ml", family) for family in ("binomial", "betabinomial")]
    found = bm.anova(*fits)
    assert last(found)["p"] == pytest.approx(found.tests["naive"].iloc[-1] / 2, rel=1e-12)


def test_a_model_without_bars_compares_with_one_that_has_some() -> None:
    fits = [
        fitted("cbpp", formula, "ml", "binomial") for formula in (HERD.format("period")[:-13], HERD.format("period"))
    ]
    found = bm.anova(*fits)
    assert last(found)["chisq"] == pytest.approx(2 * (fits[1].loglik - fits[0].loglik))
    assert last(found)["p"] == pytest.approx(chi2.sf(last(found)["chisq"], 1) / 2)


def test_a_constant_and_a_predictor_of_sigma_are_nested_too() -> None:
    table = load_reference_frame("sleepstudy")
    held = bm.Model(INTERCEPTS, table, constants={"sigma": 30.0}).fit("ml")
    varying = bm.Model(bm.Formula(INTERCEPTS, "sigma ~ Days"), table).fit("ml")
    found = bm.anova(varying, held, sleep(INTERCEPTS))
    assert found.frame["df"].tolist()[1:] == [1.0, 1.0]
    assert found.frame["p"].iloc[1:].notna().all()


# ---- what does not matter


def test_the_order_of_arguments_does_not_matter() -> None:
    fits = [sleep(formula) for formula in (INTERCEPTS, UNCORRELATED, SLOPES, "Reaction ~ Days")]
    expected = bm.anova(*fits).frame
    assert expected["parameters"].is_monotonic_increasing
    for order in ([3, 2, 1, 0], [2, 0, 3, 1]):
        pd.testing.assert_frame_equal(bm.anova(*(fits[i] for i in order)).frame, expected)


@pytest.mark.parametrize("change", ["unit", "rows", "labels"])
def test_units_of_y_and_the_order_of_rows_do_not_matter(change: str) -> None:
    table = load_reference_frame("sleepstudy")
    expected = last(bm.anova(sleep(INTERCEPTS, "reml"), sleep(SLOPES, "reml")))
    one = two = table
    if change == "unit":
        one = two = table.assign(Reaction=1e4 * table["Reaction"])
    elif change == "rows":
        two = table.sample(frac=1, random_state=1)
    else:
        two = table.set_axis([f"r{i}" for i in range(len(table))])
    found = bm.anova(bm.Model(INTERCEPTS, one).fit("reml"), bm.Model(SLOPES, two).fit("reml"))
    assert last(found)["chisq"] == pytest.approx(expected["chisq"], rel=SAME)
    assert last(found)["p"] == pytest.approx(expected["p"], rel=10 * SAME)


def test_rows_are_named_by_formulas_and_what_else_differs() -> None:
    found = bm.anova(sleep(SLOPES), sleep(INTERCEPTS))
    assert list(found.frame.columns) == ["parameters", "aic", "bic", "loglik", "chisq", "df", "p"]
    assert list(found.frame.index) == ["Reaction ~ Days + (1 | Subject)", "Reaction ~ Days + (Days | Subject)"]
    named = bm.anova({"slopes": sleep(SLOPES), "intercepts": sleep(INTERCEPTS)})
    assert list(named.frame.index) == ["intercepts", "slopes"]
    student = fitted("sleepstudy", INTERCEPTS, "ml", "student")
    assert "student" in bm.anova(sleep(INTERCEPTS), student).frame.index[1]


# ---- no test


def test_models_that_are_not_nested_have_information_criteria_alone() -> None:
    found = bm.anova(sleep("Reaction ~ Days + (0 + Days | Subject)"), sleep(INTERCEPTS))
    assert found.frame[["chisq", "df", "p"]].isna().all(axis=None)
    assert found.frame[["aic", "bic", "loglik"]].notna().all(axis=None)
    assert "no case of" in str(found)


def test_one_model_written_in_two_ways_has_no_test() -> None:
    found = bm.anova(sleep(SLOPES), sleep("Reaction ~ I(Days - 4) + (I(Days - 4) | Subject)"))
    assert np.isnan(last(found)["p"])
    assert "one model" in str(found)


def test_a_larger_model_that_lies_below_is_fitted_again_from_the_smaller_one() -> None:
    stopped = bm.ML(maxiter=1, start=[0.01, 0.01, 0.01])
    poor = bm.Model(SLOPES, load_reference_frame("sleepstudy")).fit(stopped)
    small = sleep(UNCORRELATED)
    assert poor.loglik < small.loglik
    found = bm.anova(poor, small)
    assert found.fits[1].loglik >= small.loglik
    assert last(found)["chisq"] == pytest.approx(0.0639, abs=1e-3)
    assert "fitted again from there" in str(found)
    assert "stopped before the optimum" in str(found)  # and its state is told


def test_joint_modes_are_said_to_be_no_maximum() -> None:
    fits = [fitted("cbpp", HERD.format(x), bm.ML(quadrature=0), "binomial") for x in ("1", "period")]
    assert "quadrature=0 does not maximise" in str(bm.anova(*fits))


# ---- what is refused


def gaps() -> tuple[pd.DataFrame, list[Any]]:
    table = load_reference_frame("sleepstudy").assign(z=np.cos(np.arange(180.0)))
    table.loc[table.index[3:10], "z"] = np.nan
    formulas = (INTERCEPTS, "Reaction ~ Days + z + (1 | Subject)")
    return table, [bm.Model(formula, table).fit("ml") for formula in formulas]


def test_different_rows_are_refused_with_the_column_and_the_call_that_helps() -> None:
    data, fits = gaps()
    with pytest.raises(FitError) as refused:
        bm.anova(*fits)
    message = str(refused.value)
    assert "180" in message
    assert "173" in message
    assert "z lacks a value in 7 rows" in message
    call = message.split("values: ")[1].rstrip(".")
    known: dict[str, Any] = {"bm": bm, "data": data, "fits": fits}
    exec(call.split("; ")[0], known)  # what the message tells the user to type
    found = eval(call.split("; ")[1], known)
    assert last(found)["df"] == 1
    assert all(fit.n_obs == 173 for fit in found.fits)


def test_rows_of_weight_zero_and_other_tables_are_named_as_the_cause() -> None:
    table = load_reference_frame("sleepstudy")
    weights = np.where(np.arange(180) < 5, 0.0, 1.0)
    with pytest.raises(FitError, match=r"180 .* and 175 .*weight zero"):
        bm.anova(sleep(INTERCEPTS), bm.Model(SLOPES, table, weights=weights).fit("ml"))
    with pytest.raises(FitError, match=r"180 .* and 100 .*different tables"):
        bm.anova(sleep(INTERCEPTS), bm.Model(SLOPES, table[:100]).fit("ml"))


def test_two_halves_of_a_binary_response_are_not_taken_for_one() -> None:
    """Without row 3 or without row 4 the responses are the same list where these two are: labels tell them apart."""
    table = pd.DataFrame({"y": [0, 1, 0, 1, 1, 0, 1, 0], "x": np.arange(8.0)})
    fits = [bm.Model("y ~ x", table.drop(index=i), family="bernoulli").fit("ml") for i in (3, 4)]
    with pytest.raises(FitError, match="different tables"):
        bm.anova(*fits)


def test_columns_that_differ_between_the_tables_are_named() -> None:
    table = load_reference_frame("sleepstudy")
    moved = bm.Model(SLOPES, table.assign(Days=table["Days"] - 4)).fit("ml")
    found = bm.anova(sleep(INTERCEPTS), moved)
    assert "The tables differ in Days" in str(found)
    assert last(found)["chisq"] == pytest.approx(42.139299, abs=RATIO)


def counted() -> Any:
    table = load_reference_frame("grouseticks")
    return [
        bm.Model("TICKS ~ 1", table, family="poisson", weights=w).fit("ml") for w in (None, np.full(len(table), 2.0))
    ]


def draws() -> Any:
    return bm.Model(INTERCEPTS, load_reference_frame("sleepstudy")).fit(bm.Laplace(draws=50), seed=1)


REFUSED = [
    (lambda: bm.anova(), r"bm\.anova\(small, large\)"),
    (lambda: bm.anova(sleep(SLOPES).model, sleep(INTERCEPTS).model), r"not models: bm\.anova\(model\.fit"),
    (lambda: bm.anova([sleep(SLOPES), sleep(INTERCEPTS)]), r"\*fits"),
    (lambda: bm.anova(sleep(SLOPES), "Days"), "takes fits"),
    (lambda: bm.anova(sleep(SLOPES), sleep(SLOPES)), "twice"),
    (lambda: bm.anova(sleep(SLOPES), sleep(INTERCEPTS, "map")), "MAP maximises"),
    (lambda: bm.anova(sleep(SLOPES), draws()), r"bm\.loo_compare"),
    (lambda: bm.anova(draws(), draws()), r"bm\.loo_compare"),
    (lambda: bm.anova(sleep(SLOPES), sleep("log(Reaction) ~ Days + (1 | Subject)")), 'family="lognormal"'),
    (lambda: bm.anova(sleep(SLOPES), sleep(INTERCEPTS), type=2), r"type= is for the terms of one fit"),
    (lambda: bm.anova(sleep(SLOPES), sleep(INTERCEPTS), test="F"), "no argument 'test'"),
    (lambda: bm.anova(sleep(SLOPES), sleep(INTERCEPTS), labels=["a"]), "takes 2 different names"),
    (
        lambda: bm.anova(
            fitted("cbpp", HERD.format("1"), bm.ML(quadrature=9), "binomial"),
            fitted("cbpp", HERD.format("period"), "ml", "binomial"),
        ),
        r"1 and 9 nodes.*bm\.ML\(quadrature=9\)",
    ),
    (
        lambda: bm.anova(
            fitted("grouseticks", "TICKS ~ 1 + (1 | BROOD)", "ml", "poisson"),
            fitted("grouseticks", "TICKS ~ 1 + (1 | BROOD)", "ml", "gaussian"),
        ),
        "poisson gives probabilities and gaussian densities",
    ),
    (lambda: bm.anova(*counted()), "weights say how often"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_a_wrong_call_says_what_to_type_instead(call: Any, message: str) -> None:
    with pytest.raises(BayesMixedError, match=message):
        call()
