"""Curves of groups and of the population: they are the fit's predictions, drawn where the data are."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pictures import drawn
from scipy import stats

import bayesmixed as bm

pytestmark = pytest.mark.usefixtures("plt")

EXACT = {"rtol": 1e-9, "atol": 1e-9}  # the same linear algebra in another order


@cache
def sleep_fit() -> Any:
    return bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")


@cache
def draws_fit() -> Any:
    return sleep_fit().model.fit(bm.Laplace(draws=100), seed=1)


@cache
def herds() -> Any:
    formula = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
    return bm.Model(formula, bm.load_data("cbpp"), family="binomial").fit("ml")


@cache
def women() -> Any:
    formula = "use ~ age + I(age**2) + urban + (1 | district)"
    return bm.Model(formula, bm.load_data("Contraception").iloc[:600], family="bernoulli").fit("ml")


@cache
def cakes() -> Any:
    return bm.Model("angle ~ recipe * temp + (1 | recipe/replicate)", bm.load_data("cake")).fit("reml")


# ---- curves: the frame


@pytest.mark.parametrize("fit", [sleep_fit, draws_fit])
def test_a_curve_at_the_rows_of_the_data_is_what_the_fit_predicts_of_them(fit: Callable[[], Any]) -> None:
    frame = bm.plot.curves_frame(fit(), level=0.9)
    data = bm.load_data("sleepstudy")
    rows = data.assign(
        **fit().predict(interval="confidence", level=0.9), population=fit().predict(re="none")["estimate"]
    )
    for day in (0, 9):
        mine = frame[frame["value"] == day].set_index("level")
        expected = rows[rows["Days"] == day].set_index("Subject").loc[mine.index]
        names = ["estimate", "lower", "upper", "population"]
        np.testing.assert_allclose(mine[names], expected[names], **EXACT)


def test_a_group_keeps_its_own_values_of_other_columns_and_the_effects_that_it_is_nested_in() -> None:
    frame = bm.plot.curves_frame(cakes(), "temp", "replicate:recipe")
    data = bm.load_data("cake").assign(estimate=cakes().fitted())
    data["level"] = data["recipe"].astype(str) + ":" + data["replicate"].astype(str)
    expected = data[data["temp"] == 225].set_index("level")["estimate"]
    mine = frame[frame["value"] == 225].set_index("level")["estimate"]
    np.testing.assert_allclose(mine, expected[mine.index], **EXACT)


def test_numbers_that_vary_in_a_group_are_held_at_its_mean_and_factors_at_their_mode() -> None:
    frame = bm.plot.curves_frame(women(), "age")
    data = women().model.frame
    for district in ("1", "6"):
        own = data[data["district"].astype(str) == district]
        rows = pd.DataFrame(
            {"age": [own["age"].min()], "urban": [own["urban"].mode()[0]], "district": [own["district"].iloc[0]]}
        )
        mine = frame[frame["level"].astype(str) == district].iloc[0]
        assert mine["estimate"] == pytest.approx(women().predict(rows)["estimate"].iloc[0], rel=1e-12)
    assert frame["lower"].gt(0).all() and frame["upper"].lt(1).all()


def test_a_curve_runs_through_the_values_that_the_group_has() -> None:
    sleep = bm.load_data("sleepstudy")
    thin = sleep[(sleep["Subject"] != "308") | (sleep["Days"] == 3)]
    frame = bm.plot.curves_frame(bm.Model("Reaction ~ Days + (1 | Subject)", thin).fit("ml"))
    assert frame.loc[frame["level"] == "308", "value"].tolist() == [3]
    herd = bm.plot.curves_frame(herds()).groupby("level")["value"].agg(list)
    data = bm.load_data("cbpp")
    for level, periods in herd.items():
        assert list(map(str, periods)) == list(data.loc[data["herd"].astype(str) == str(level), "period"].astype(str))


def test_a_column_that_varies_in_a_group_splits_its_curve() -> None:
    machines = bm.Model("score ~ Machine + (Machine | Worker)", bm.load_data("Machines")).fit("reml")
    frame = bm.plot.curves_frame(machines, by="Machine")
    assert len(frame) == 18 and frame["by"].eq(frame["value"].astype(str)).all()


@cache
def exposures() -> pd.DataFrame:
    """Counts of groups that were watched for very different times."""
    rng = np.random.default_rng(12)
    data = pd.DataFrame({"g": np.repeat(list("abcdef"), 10), "x": rng.uniform(0, 10, 60)})
    level = np.repeat(np.arange(6), 10)
    data["time"] = np.exp(0.4 * level + rng.normal(size=60))
    data["y"] = rng.poisson(data["time"] * np.exp(0.5 + 0.1 * data["x"] + 0.4 * rng.normal(size=6)[level]))
    return data


@cache
def counted(how: str = "formula") -> Any:
    data = exposures()
    given = {"formula": None, "argument": "log(time)", "array": np.log(data["time"].to_numpy())}[how]
    formula = "y ~ x + (1 | g)" + (" + offset(log(time))" if how == "formula" else "")
    return bm.Model(formula, data, family="poisson", offset=given).fit("ml")


@pytest.mark.parametrize("how", ["formula", "argument", "array"])
def test_all_curves_have_the_mean_offset_whatever_way_it_was_given(how: str) -> None:
    fit, frame = counted(how), bm.plot.curves_frame(counted(how), "x", "g")
    intercept, slope = fit.fixef()
    population = intercept + slope * frame["value"].astype(float) + np.log(exposures()["time"]).mean()
    np.testing.assert_allclose(np.log(frame["population"]), population, **EXACT)
    own = population + fit.ranef()["g"]["Intercept"].loc[frame["level"]].to_numpy()
    np.testing.assert_allclose(np.log(frame["estimate"]), own, **EXACT)
    effects = bm.plot.effects_frame(fit, "x", at={"x": [2.0, 7.0]})["estimate"]
    ends = intercept + slope * np.array([2.0, 7.0]) + np.log(exposures()["time"]).mean()
    np.testing.assert_allclose(np.log(effects), ends, **EXACT)


def test_an_offset_in_two_places_is_held_as_their_sum() -> None:
    data = exposures()
    known = np.linspace(-1, 2, 60)
    fit = bm.Model("y ~ x + offset(log(time)) + (1 | g)", data, family="poisson", offset=known).fit("ml")
    frame = bm.plot.curves_frame(fit, "x", "g")
    intercept, slope = fit.fixef()
    expected = intercept + slope * frame["value"].astype(float) + (np.log(data["time"]) + known).mean()
    np.testing.assert_allclose(np.log(frame["population"]), expected, **EXACT)


def test_along_its_own_column_an_offset_changes() -> None:
    frame = bm.plot.curves_frame(counted(), "time", "g")
    intercept, slope = counted().fixef()
    means = exposures().groupby("g")["x"].mean().loc[frame["level"]].to_numpy()
    expected = intercept + slope * means + np.log(frame["value"].astype(float))
    np.testing.assert_allclose(np.log(frame["population"]), expected, **EXACT)


def test_rows_are_moved_to_the_offset_of_the_curves_and_the_title_says_so() -> None:
    data, mean = exposures(), np.log(exposures()["time"]).mean()
    axes = bm.plot.curves(counted("array"), "x", "g")
    rates = data["y"] / data["time"] * np.exp(mean)
    for panel, level in zip(axes, "abcdef", strict=True):
        dots = next(line for line in panel.get_lines() if line.get_marker() == "o")
        np.testing.assert_allclose(dots.get_ydata(), rates[data["g"] == level], **EXACT)
    assert f"at the mean offset {mean:.3g}" in axes[0].figure.get_suptitle() and drawn(axes)
    assert "offset" not in bm.plot.curves(counted(), "time", "g")[0].figure.get_suptitle()
    assert "offset" not in bm.plot.curves(sleep_fit(), max_groups=2)[0].figure.get_suptitle()


@pytest.mark.parametrize("family", ["gaussian", "lognormal"])
def test_rows_of_linear_models_are_moved_on_the_scale_of_the_predictor(family: str) -> None:
    data = bm.load_data("sleepstudy")
    known = np.arange(180.0) / 180
    fit = bm.Model("Reaction ~ Days + (1 | Subject)", data, family=family, offset=known).fit("ml")
    panel = bm.plot.curves(fit, max_groups=1)[0]
    dots = next(line for line in panel.get_lines() if line.get_marker() == "o").get_ydata()
    y, step = data["Reaction"].to_numpy()[:10], known.mean() - known[:10]
    np.testing.assert_allclose(dots, y + step if family == "gaussian" else y * np.exp(step), **EXACT)


# ---- curves: the drawing


def test_a_lattice_has_a_panel_per_group_and_spaghetti_one_for_all(plt: Any) -> None:
    axes = bm.plot.curves(sleep_fit())
    assert [ax.get_title() for ax in axes] == [str(level) for level in sleep_fit().model.design.groups[0].levels]
    assert axes[0].figure.get_supylabel() == "Reaction" and axes[0].figure.get_supxlabel().strip() == "Days"
    assert drawn(axes)
    one = bm.plot.curves(sleep_fit(), kind="spaghetti")
    assert len(one) == 1 and (one[0].get_xlabel(), one[0].get_ylabel()) == ("Days", "Reaction") and drawn(one)


@pytest.mark.parametrize("kind", ["lattice", "spaghetti"])
@pytest.mark.parametrize(
    ("fit", "options"),
    [
        (herds, {"max_groups": 6}),
        (women, {"x": "age", "by": "urban", "max_groups": 4}),
        (cakes, {"x": "temp", "by": "recipe", "group": "replicate:recipe", "max_groups": 5}),
        (cakes, {"x": "recipe", "by": "temp"}),
        (draws_fit, {"max_groups": 3}),
    ],
)
def test_curves_of_successes_of_levels_and_of_colours_draw(fit: Callable[[], Any], options: Any, kind: str) -> None:
    assert drawn(bm.plot.curves(fit(), **options, kind=kind))


def test_more_groups_than_asked_for_are_thinned_and_the_title_says_so() -> None:
    axes = bm.plot.curves(sleep_fit(), max_groups=4)
    assert len(axes) == 4 and "4 of 18 levels" in axes[0].figure.get_suptitle()
    assert "5 of 18 levels" in bm.plot.curves(sleep_fit(), kind="spaghetti", max_groups=5)[0].get_title()


def test_curves_on_given_axes_open_no_figure_and_are_labelled(plt: Any) -> None:
    figure, grid = plt.subplots(1, 3)
    axes = bm.plot.curves(sleep_fit(), max_groups=3, ax=grid)
    assert (
        plt.get_fignums() == [figure.number] and axes[1].get_xlabel() == "Days" and axes[0].get_ylabel() == "Reaction"
    )
    with pytest.raises(bm.errors.FitError, match="18 panels but ax= holds 3"):
        bm.plot.curves(sleep_fit(), ax=grid)


def test_curves_that_cannot_be_drawn_say_why() -> None:
    with pytest.raises(bm.errors.FitError, match="does not depend on a column 'Dais'. Did you mean 'Days'"):
        bm.plot.curves(sleep_fit(), "Dais")
    with pytest.raises(bm.errors.FitError, match="kind='spagetti'.*Did you mean 'spaghetti'"):
        bm.plot.curves(sleep_fit(), kind="spagetti")
    with pytest.raises(bm.errors.FitError, match="by='Subjct' is not a column.*Did you mean 'Subject'"):
        bm.plot.curves(sleep_fit(), by="Subjct")
    with pytest.raises(bm.errors.FitError, match="max_groups=0"):
        bm.plot.curves(sleep_fit(), max_groups=0)
    flat = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")
    for plot in (bm.plot.curves, bm.plot.effects):
        with pytest.raises(bm.errors.FitError, match=r"no column of the data.*bm.plot.caterpillar\(fit\)"):
            plot(flat)
    with pytest.raises(bm.errors.FitError, match=r"no random effects.*\+ \(1 \| g\)"):
        bm.plot.curves(bm.Model("Reaction ~ Days", bm.load_data("sleepstudy")).fit("ml"))


# ---- effects


@pytest.mark.parametrize("fit", [sleep_fit, draws_fit])
def test_effects_are_the_populations_predictions_with_their_limits(fit: Callable[[], Any]) -> None:
    """Those of the point fit by t: in this balanced design with 18 subjects - 1 degrees of freedom everywhere."""
    frame = bm.plot.effects_frame(fit(), level=0.9)
    rows = pd.DataFrame({"Days": frame["value"].astype(float)})
    expected = fit().predict(rows, re="none", interval="confidence", level=0.9)
    wider = 1.0 if fit().sampled else stats.t.ppf(0.95, 17) / stats.norm.ppf(0.95)
    for limit in ("lower", "upper"):
        expected[limit] = expected["estimate"] + wider * (expected[limit] - expected["estimate"])
    np.testing.assert_allclose(frame[["estimate", "lower", "upper"]], expected, rtol=1e-6)


def test_effects_average_over_factors_as_emmeans_does_and_stay_in_the_range_of_the_response() -> None:
    frame = bm.plot.effects_frame(women(), "age", "urban", at={"age": [-10.0, 15.0]})
    expected = bm.emmeans(women(), ["age", "urban"], at={"age": [-10.0, 15.0]}, scale="response").frame
    np.testing.assert_allclose(frame["estimate"], expected["estimate"], **EXACT)
    assert list(frame["by"]) == list(expected["urban"].astype(str))
    curve = bm.plot.effects_frame(women())
    assert curve["lower"].gt(0).all() and curve["upper"].lt(1).all()
    assert set(curve["variable"]) == {"age", "urban"}


def test_population_averaged_effects_are_pulled_towards_one_half() -> None:
    conditional = bm.plot.effects_frame(herds())["estimate"]
    averaged = bm.plot.effects_frame(herds(), kind="population")["estimate"]
    assert (averaged > conditional).all() and (averaged < 0.5).all()
    assert "population-averaged" in bm.plot.effects(herds(), kind="population")[0].figure.get_suptitle()


def test_effects_have_a_panel_per_column_or_a_colour_per_level(plt: Any) -> None:
    axes = bm.plot.effects(women())
    assert [ax.get_xlabel() for ax in axes] == ["age", "urban"] and axes[0].get_ylabel() == "P(use = Y)" and drawn(axes)
    axes = bm.plot.effects(cakes(), "temp", "recipe")
    assert [text.get_text() for text in axes[0].figure.legends[0].get_texts()] == ["A", "B", "C"] and drawn(axes)
    assert drawn(bm.plot.effects(cakes(), "recipe", "temp"))
    assert drawn(bm.plot.effects(bm.Model("Reaction ~ Days", bm.load_data("sleepstudy")).fit("ml")))
    _figure, grid = plt.subplots(1, 2)
    assert list(bm.plot.effects(women(), ax=grid)) == list(grid)
    with pytest.raises(bm.errors.FitError, match="does not depend on a column 'tmp'. Did you mean 'temp'"):
        bm.plot.effects(cakes(), "tmp")
    with pytest.raises(bm.errors.FitError, match="name at least one other column"):
        bm.plot.effects(cakes(), "temp", "temp")
    with pytest.raises(bm.errors.FitError, match="effects draws a fit, not Model"):
        bm.plot.effects(cakes().model)
