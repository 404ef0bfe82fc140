"""No, complete and partial pooling: each is a fit that can be had another way, and in balanced data they agree."""

from __future__ import annotations

import io
import warnings
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import load_reference_frame, load_result
from scipy.stats import linregress, t

import bayesmixed as bm
from bayesmixed.plots.drawing.picture import png

SAME = {"rtol": 1e-8, "atol": 1e-8}  # the same least squares by another route
ML_STOPS = {"rtol": 1e-4, "atol": 1e-4}  # where the search for a maximum ends
REML_STOPS = {"rtol": 1e-5, "atol": 1e-5}
LME4 = 1e-4  # of the residual sd, as wherever lme4's conditional modes are compared

TREATMENTS = pd.Categorical(["a", "a", "b", "b", "b", "c", "c", "c"])


@cache
def sleep() -> Any:
    return bm.pooling(bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")))


@cache
def children() -> Any:
    return bm.pooling(bm.Model("distance ~ age * Sex + (age | Subject)", bm.load_data("Orthodont")))


@cache
def herds() -> Any:
    model = bm.Model("cbind(incidence, size - incidence) ~ 1 + (1 | herd)", bm.load_data("cbpp"), family="binomial")
    return bm.pooling(model)


@cache
def mice() -> Any:
    """Eight mice of three treatments, as many cells each."""
    rng = np.random.default_rng(2)
    mouse = np.repeat(np.arange(8), 12)
    y = 1 + TREATMENTS.codes[mouse] * 0.5 + rng.normal(size=8)[mouse] + rng.normal(size=96)
    data = pd.DataFrame({"y": y, "treatment": TREATMENTS[mouse], "mouse": pd.Categorical(mouse)})
    return bm.pooling(bm.Model("y ~ treatment + (1 | mouse)", data))


def lme4_coef(entry: dict[str, Any]) -> pd.DataFrame:
    """lme4's coef(): fixed effects plus conditional modes, levels x coefficients."""
    effects = entry["ranef"]["Subject"]
    names = {"(Intercept)": "Intercept", "Days": "Days"}
    beta = dict(zip(entry["fixed"]["names"], entry["fixed"]["estimate"], strict=True))
    values = {ours: beta[theirs] + np.array(effects["terms"][theirs]["mode"]) for theirs, ours in names.items()}
    return pd.DataFrame(values, index=effects["levels"])


def population(pooled: Any, kind: str) -> pd.DataFrame:
    rows = pooled.population
    return rows[rows["pooling"] == kind].set_index("coefficient")


def of_levels(pooled: Any, kind: str, column: str = "estimate") -> pd.DataFrame:
    rows = pooled.frame[(pooled.frame["pooling"] == kind) & pooled.frame["level"].notna()]
    return rows.pivot(index="level", columns="coefficient", values=column)


# ---- each analysis


def test_no_pooling_is_a_regression_per_group_with_t_intervals() -> None:
    data = bm.load_data("sleepstudy")
    own, lower = of_levels(sleep(), "none"), of_levels(sleep(), "none", "lower")
    for subject, rows in data.groupby("Subject", observed=True):
        alone = linregress(rows["Days"], rows["Reaction"])
        np.testing.assert_allclose(own.loc[subject, ["Intercept", "Days"]], [alone.intercept, alone.slope], **SAME)
        half = t.ppf(0.975, len(rows) - 2) * np.array([alone.intercept_stderr, alone.stderr])
        below = np.array([alone.intercept, alone.slope]) - half
        np.testing.assert_allclose(lower.loc[subject, ["Intercept", "Days"]], below, **SAME)


def test_partial_pooling_is_fixed_plus_random_effects() -> None:
    found, coef = of_levels(sleep(), "partial"), sleep().fit.coef()["Subject"]
    np.testing.assert_allclose(found.loc[coef.index, coef.columns], coef, **SAME)


def test_partial_pooling_is_lme4s_coef() -> None:
    name = "lmm_sleepstudy_slope"
    entry = next(e for e in load_result(name)["fits"] if e["engine"] == "lme4::lmer" and e["estimator"] == "REML")
    model = bm.Model("Reaction ~ Days + (Days | Subject)", load_reference_frame("sleepstudy"))
    found = of_levels(bm.pooling(model), "partial")
    theirs = lme4_coef(entry)
    np.testing.assert_allclose(found.loc[theirs.index, theirs.columns], theirs, atol=LME4 * model.fit("reml").sigma)


def test_complete_pooling_is_the_model_without_random_effects() -> None:
    alone = linregress(*(bm.load_data("sleepstudy")[name] for name in ("Days", "Reaction")))
    found = population(sleep(), "complete")
    np.testing.assert_allclose(found["estimate"], [alone.intercept, alone.slope], **SAME)
    np.testing.assert_allclose(found["se"], [alone.intercept_stderr, alone.stderr], **REML_STOPS)


@pytest.mark.parametrize("pooled", [sleep, children, mice])
def test_in_balanced_data_the_groups_own_estimates_say_of_the_population_what_reml_says(pooled: Any) -> None:
    own, reml = population(pooled(), "none"), population(pooled(), "partial")
    np.testing.assert_allclose(own.loc[reml.index, ["estimate", "se"]], reml[["estimate", "se"]], **REML_STOPS)


def test_group_means_are_what_treatments_between_groups_are_tested_on() -> None:
    means, own = population(mice(), "means"), population(mice(), "none")
    pd.testing.assert_frame_equal(means.drop(columns="pooling"), own.drop(columns="pooling"))
    assert set(means["n"]) == {8}
    data = mice().fit.model.frame
    first = data.groupby(["treatment", "mouse"], observed=True)["y"].mean().groupby("treatment", observed=True).mean()
    assert means.loc["treatment[b]", "estimate"] == pytest.approx(first["b"] - first["a"], rel=SAME["rtol"])


def test_group_means_are_given_at_the_means_of_what_varies_within() -> None:
    found = population(children(), "means")
    means = bm.load_data("Orthodont").groupby("Sex", observed=True)["distance"].mean()
    difference = means["Female"] - means["Male"]
    assert found["estimate"].tolist() == pytest.approx([means["Male"], difference], rel=SAME["rtol"])
    assert "Group means are compared at each group's own mean of age" in str(children())


def test_a_levels_own_intercept_holds_what_its_treatment_adds() -> None:
    fit = mice().fit
    effects = fit.ranef()["mouse"]["Intercept"]
    beta = fit.fixef()
    added = [0.0 if name == "a" else beta[f"treatment[{name}]"] for name in TREATMENTS]
    found = of_levels(mice(), "partial")["Intercept"]
    np.testing.assert_allclose(found.loc[effects.index], beta["Intercept"] + added + effects.to_numpy(), **SAME)
    means = fit.model.frame.groupby("mouse", observed=True)["y"].mean()
    np.testing.assert_allclose(of_levels(mice(), "none")["Intercept"].loc[means.index], means, **SAME)
    assert "A level's own Intercept includes what treatment[b] and treatment[c] add to it." in str(mice())


def test_weights_and_an_offset_enter_each_groups_fit() -> None:
    data = bm.load_data("sleepstudy")
    model = bm.Model("Reaction ~ Days + offset(2 * Days) + (Days | Subject)", data, weights="1 + Days")
    own = of_levels(bm.pooling(model), "none")
    for subject, rows in data.groupby("Subject", observed=True):
        y, root = rows["Reaction"] - 2 * rows["Days"], np.sqrt(1 + rows["Days"])
        slope, intercept = np.polyfit(rows["Days"], y, 1, w=root)
        np.testing.assert_allclose(own.loc[subject, ["Intercept", "Days"]], [intercept, slope], **SAME)


def test_the_order_of_rows_does_not_matter() -> None:
    data = bm.load_data("sleepstudy")
    shuffled = data.iloc[np.random.default_rng(1).permutation(len(data))]
    found = bm.pooling(bm.Model("Reaction ~ Days + (Days | Subject)", shuffled)).levels
    np.testing.assert_allclose(found.loc[sleep().levels.index], sleep().levels, **REML_STOPS)


# ---- groups that say too little


def test_a_binomial_groups_own_intercept_is_its_log_odds() -> None:
    data = bm.load_data("cbpp").groupby("herd", observed=True)[["incidence", "size"]].sum()
    p = data["incidence"] / data["size"]
    own, error = of_levels(herds(), "none")["Intercept"], of_levels(herds(), "none", "se")["Intercept"]
    some = p.index[p > 0]
    np.testing.assert_allclose(own[some], np.log(p / (1 - p))[some], **ML_STOPS)
    np.testing.assert_allclose(error[some], 1 / np.sqrt(data["size"] * p * (1 - p))[some], **ML_STOPS)
    assert own.drop(some).isna().all()


def test_a_group_without_success_has_no_estimate_and_the_print_says_why() -> None:
    data = bm.load_data("cbpp")
    data.loc[data["herd"] == "1", "incidence"] = 0
    model = bm.Model("cbind(incidence, size - incidence) ~ 1 + (1 | herd)", data, family="binomial")
    pooled = bm.pooling(model)
    assert np.isnan(pooled.levels.loc[("1", "Intercept"), "none"])
    assert "No estimate of Intercept from herd 1 alone: its likelihood has no maximum." in str(pooled)
    assert "1 of 15 levels have no estimate of their own" in population(pooled, "none").loc["Intercept", "note"]


def test_rows_that_leave_a_slope_open_leave_it_missing_and_keep_the_rest() -> None:
    data = bm.load_data("sleepstudy")
    data = data[(data["Subject"] != "308") | (data["Days"] == 0)]
    pooled = bm.pooling(bm.Model("Reaction ~ Days + (1 | Subject)", data))
    assert pooled.levels.loc[("308", "Intercept"), "none"] == data["Reaction"].iloc[0]
    assert np.isnan(pooled.levels.loc[("308", "Days"), "none"])
    assert "No estimate of Days from Subject 308 alone: its rows do not determine it." in str(pooled)


# ---- what is shown


def test_a_term_stands_for_its_coefficients() -> None:
    data = bm.load_data("Machines")
    model = bm.Model("score ~ Machine + (1 | Worker)", data)
    assert set(bm.pooling(model, "Machine").frame["coefficient"]) == {"Machine[B]", "Machine[C]"}
    assert set(bm.pooling(model, ["Intercept"]).frame["coefficient"]) == {"Intercept"}


def test_a_fit_is_taken_as_the_partially_pooled_one() -> None:
    fit = sleep().fit.model.fit("ml")
    assert bm.pooling(fit).fit is fit
    assert "partial (the model)" in str(bm.pooling(fit)) and "<table" in bm.pooling(fit)._repr_html_()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: bm.pooling(bm.Model("Reaction ~ Days", bm.load_data("sleepstudy"))), "no groups to pool"),
        (lambda: bm.pooling(sleep().fit.model, "Day"), "'Days'"),
        (lambda: bm.pooling(sleep().fit.model, group="Subjects"), "'Subject'"),
        (lambda: bm.pooling(sleep().fit, method="ml"), r"bm\.pooling\(fit\.model"),
        (lambda: bm.pooling(3), r"bm\.pooling\(bm\.Model"),  # type: ignore[arg-type]  # what is tested
        (lambda: bm.plot.pooling(sleep().fit), r"bm\.plot\.pooling\(bm\.pooling\(model\)\)"),
        (lambda: bm.plot.pooling(sleep(), "Dayss"), "'Days'"),
    ],
)
def test_questions_without_an_answer_say_what_to_ask(call: Any, says: str) -> None:
    with pytest.raises(bm.errors.FitError, match=says):
        call()


# ---- the picture


def test_the_picture_has_a_panel_per_coefficient_and_a_row_per_level_and_analysis(plt: Any) -> None:
    axes = bm.plot.pooling(sleep())
    assert [ax.get_title() for ax in axes] == ["Intercept", "Days"]
    named = [label.get_text() for label in axes[0].get_yticklabels()]
    by_intercept = of_levels(sleep(), "partial")["Intercept"].sort_values().index
    assert named == [*by_intercept, "complete pooling", "no pooling", "partial pooling"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        axes[0].figure.savefig(io.BytesIO())


def test_the_picture_takes_axes_and_one_column(plt: Any) -> None:
    figure, ax = plt.subplots()
    found = bm.plot.pooling(mice(), "treatment[b]", ax=ax)
    assert found[0] is ax and plt.get_fignums() == [figure.number]
    assert [label.get_text() for label in ax.get_yticklabels()][-1] == "partial pooling"


def test_a_picture_becomes_bytes_and_its_figure_is_closed(plt: Any) -> None:
    assert png(bm.plot.pooling, herds()).startswith(b"\x89PNG")
    assert plt.get_fignums() == []
