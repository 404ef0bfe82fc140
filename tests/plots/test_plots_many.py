"""Pictures of many levels name the farthest out; data along a slope are lines; zeros and ones are counted shares."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.errors import FitError
from bayesmixed.plots.shown.named_levels import spread
from bayesmixed.plots.shown.shares import shares

pytestmark = pytest.mark.usefixtures("plt")

LEVELS = 300
EXACT = {"rtol": 1e-12, "atol": 1e-12}  # the same shares, counted another way


def texts(labels: Any) -> list[str]:
    return [label.get_text() for label in labels]


@cache
def schools() -> Any:
    rng, g = np.random.default_rng(1), np.repeat(np.arange(LEVELS), 5)
    x = rng.normal(size=g.size)
    y = rng.normal(size=LEVELS)[g] + (0.5 + 0.5 * rng.normal(size=LEVELS)[g]) * x + rng.normal(size=g.size)
    school = np.array([f"school {i:03d}" for i in range(LEVELS)])[g]
    return bm.Model("y ~ x + (x | school)", pd.DataFrame({"y": y, "x": x, "school": school})).fit("reml")


# ---- names


def test_a_caterpillar_of_many_names_the_extremes_of_every_panel() -> None:
    picture = bm.plot.caterpillar(schools())
    named = set(texts(picture.axes[0].get_yticklabels()))
    effects = schools().ranef()["school"]
    for column in effects:
        ordered = effects[column].sort_values().index
        assert {*ordered[:3], *ordered[-3:]} <= named
    assert f"{LEVELS} levels, {len(named)} named" in picture.axes[0].get_ylabel() and len(named) <= 12


def test_pooling_of_many_has_room_for_the_population_above_them() -> None:
    picture = bm.plot.pooling(bm.pooling(schools()), "x")
    picture.figure.canvas.draw()
    labels = picture.axes[0].get_yticklabels()
    assert texts(labels)[-3:] == ["complete pooling", "no pooling", "partial pooling"] and len(labels) == 15
    boxes = [label.get_window_extent() for label in labels]
    assert all(low.y1 <= high.y0 for low, high in itertools.pairwise(boxes))


@pytest.mark.parametrize("plot", [bm.plot.caterpillar, bm.plot.shrinkage, bm.plot.ranks])
def test_names_are_a_number_at_each_end_or_the_levels_asked_for(plot: Any) -> None:
    column = {"columns": "x"} if plot is bm.plot.shrinkage else {"column": "x"}
    ordered = schools().ranef()["school"]["x"].sort_values().index
    two = texts(plot(schools(), **column, names=1).axes[0].get_yticklabels())
    if plot is not bm.plot.ranks:  # mean ranks have another order than modes
        assert two == [ordered[0], ordered[-1]]
    assert len(two) == 2
    asked = ["school 007", "school 123"]
    assert set(texts(plot(schools(), **column, names=asked).axes[0].get_yticklabels())) == set(asked)
    assert "names left out" in plot(schools(), **column, names=0).axes[0].get_ylabel()
    with pytest.raises(FitError, match="'school 77', which is no level that is drawn"):
        plot(schools(), **column, names=["school 77"])
    with pytest.raises(FitError, match="asks for 100 names, and 40 can be read"):
        plot(schools(), **column, names=50)
    with pytest.raises(FitError, match="names=-1"):
        plot(schools(), **column, names=-1)


def test_a_plane_shows_every_name_that_is_asked_for_and_thinning_keeps_its_level() -> None:
    asked = [f"school {i:03d}" for i in (4, 50, 150, 250)]
    picture = bm.plot.shrinkage(schools(), names=asked)
    assert set(texts(picture.axes[0].texts)) == set(asked) <= set(picture.frame["level"])
    extremes = texts(bm.plot.shrinkage(schools()).axes[0].texts)
    assert 4 <= len(extremes) <= 12


def test_few_levels_are_all_named_unless_some_are_asked_for() -> None:
    fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")
    assert texts(bm.plot.caterpillar(fit).axes[0].get_yticklabels()) == ["F", "D", "A", "B", "C", "E"]
    some = bm.plot.caterpillar(fit, names=["A", "B"]).axes[0]
    assert texts(some.get_yticklabels()) == ["A", "B"] and list(some.get_yticks()) == [2, 3]


def test_names_of_many_levels_do_not_cover_each_other() -> None:
    picture = bm.plot.caterpillar(schools(), column="x")
    picture.figure.canvas.draw()
    boxes = [label.get_window_extent() for label in picture.axes[0].get_yticklabels()]
    assert all(low.y1 <= high.y0 for low, high in itertools.pairwise(boxes))
    assert all(box.x0 >= 0 for box in boxes)


def test_places_are_spread_as_little_as_keeps_them_apart() -> None:
    """Least squares under the constraints: ties move about their mean, and none leaves the page."""
    np.testing.assert_allclose(spread(np.array([2.0, 2.0, 2.0, 9.0]), 1.0, 0.0, 10.0), [1, 2, 3, 9])
    np.testing.assert_allclose(spread(np.array([0.0, 0.0]), 1.0, 0.0, 10.0), [0, 1])
    np.testing.assert_allclose(spread(np.array([9.8, 9.9]), 1.0, 0.0, 10.0), [9, 10])
    assert len(spread(np.array([]), 1.0, 0.0, 10.0)) == 0


def test_the_axis_says_whose_uncertainty_the_bars_hold() -> None:
    draws = schools().model.fit(bm.Laplace(draws=20), seed=1)
    for plot, what in ((bm.plot.caterpillar, "95 % {}intervals"), (bm.plot.densities, "{}densities")):
        assert f"{what.format('')} given the coefficients" in plot(schools()).axes[0].get_xlabel()
        assert what.format("posterior ") in plot(draws).axes[0].get_xlabel()


# ---- data along a slope


def growth() -> pd.DataFrame:
    rng, chick = np.random.default_rng(2), np.repeat(np.arange(50), 6)
    time = np.tile(np.arange(6) * 4.0, 50)
    weight = 40 + (6 + rng.normal(size=50)[chick]) * time + rng.normal(size=300)
    return pd.DataFrame({"weight": weight, "Time": time, "Chick": chick, "Diet": chick % 3})


def lines(ax: Any) -> list[np.ndarray]:
    return [path for collection in ax.collections for path in collection.get_segments()]


def test_a_slope_by_the_group_makes_a_line_per_group() -> None:
    table = growth()
    picture = bm.plot.data("weight ~ Time + (Time | Chick)", table)
    ax = picture.axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Time", "weight")
    found = lines(ax)
    assert len(found) == 50
    np.testing.assert_allclose(found[7], table.loc[table["Chick"] == 7, ["Time", "weight"]])
    np.testing.assert_array_equal(picture.frame["x"], table["Time"])


@pytest.mark.parametrize(
    "formula", ["weight ~ Time + (poly(Time, 2) | Chick)", "weight ~ (1 | Chick) + (0 + Time | Chick)"]
)
def test_the_number_across_is_that_of_any_slope(formula: str) -> None:
    assert bm.plot.data(formula, growth()).axes[0].get_xlabel() == "Time"


def test_without_a_slope_a_number_is_asked_for_and_rows_remain_the_usual_picture() -> None:
    table = growth()
    assert bm.plot.data("weight ~ Time + (1 | Chick)", table).axes[0].get_xlabel() == "weight"
    assert bm.plot.data("weight ~ Time + (Time | Chick)", table, kind="box").axes[0].get_xlabel() == "weight"
    assert bm.plot.data("weight ~ Time + (1 | Chick)", table, x="Time").axes[0].get_xlabel() == "Time"
    with pytest.raises(FitError, match='kind="lines" needs a number across'):
        bm.plot.data("weight ~ 1 + (1 | Chick)", table, kind="lines")
    with pytest.raises(FitError, match="x='Tim' is not a number of this model's formula. Did you mean 'Time'"):
        bm.plot.data("weight ~ Time + (1 | Chick)", table, x="Tim")


def test_lines_are_coloured_and_split_by_a_column_and_thinned_where_they_are_too_many() -> None:
    table = growth()
    picture = bm.plot.data("weight ~ Time + (Time | Chick)", table, by="Diet")
    assert texts(picture.figure.legends[0].get_texts()) == ["0", "1", "2"]
    assert [len(collection.get_segments()) for collection in picture.axes[0].collections] == [17, 17, 16]
    many = bm.plot.data(schools()).axes[0]
    assert len(lines(many)) == 150 and f"{LEVELS} levels of school, lines of 150" in many.get_title()


def test_a_line_goes_through_means_of_rows_that_share_a_value_and_through_shares_of_ones() -> None:
    table = growth()
    twice = pd.concat([table, table.assign(weight=table["weight"] + 2)], ignore_index=True)
    found = lines(bm.plot.data("weight ~ Time + (Time | Chick)", twice).axes[0])
    np.testing.assert_allclose(found[3][:, 1], table.loc[table["Chick"] == 3, "weight"] + 1)
    trials = psychometric()
    found = lines(bm.plot.data("right ~ size + (size | subject)", trials, family="bernoulli").axes[0])
    own = trials[trials["subject"] == "c"].groupby("size")["right"].mean()
    np.testing.assert_allclose(found[2], np.column_stack([own.index, own]), **EXACT)


# ---- shares of ones beneath curves


@cache
def psychometric() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    sizes = np.repeat([-2.0, -1.0, 0.0, 1.0, 2.0], [8, 10, 12, 14, 16])
    table = pd.DataFrame({"subject": np.repeat(list("abcdef"), 60), "size": np.tile(sizes, 6)})
    level = np.repeat(rng.normal(size=6), 60)
    return table.assign(right=rng.binomial(1, 1 / (1 + np.exp(-level - 1.5 * table["size"]))))


@cache
def judged() -> Any:
    return bm.Model("right ~ size + (1 | subject)", psychometric(), family="bernoulli").fit("ml")


def points(ax: Any) -> np.ndarray:
    from matplotlib.collections import PathCollection

    (dots,) = [found for found in ax.collections if isinstance(found, PathCollection)]
    return np.column_stack([np.asarray(dots.get_offsets()), dots.get_sizes()])


def test_rows_of_zeros_and_ones_are_shares_with_their_counts() -> None:
    picture = bm.plot.curves(judged())
    for panel, name in zip(picture.axes, "abcdef", strict=True):
        own = psychometric().loc[psychometric()["subject"] == name].groupby("size")["right"].agg(["mean", "size"])
        found = points(panel)
        np.testing.assert_allclose(found[:, :2], np.column_stack([own.index, own["mean"]]), **EXACT)
        assert texts(panel.texts) == [f"{count}" for count in own["size"]]
        assert np.all(np.diff(found[:, 2]) > 0)  # as the counts
    assert "shares of 8 to 16 rows" in texts(picture.figure.legends[0].get_texts())


def test_shares_of_spaghetti_are_of_all_groups_and_split_by_a_column() -> None:
    picture = bm.plot.curves(judged(), kind="spaghetti")
    own = psychometric().groupby("size")["right"].mean()
    np.testing.assert_allclose(points(picture.axes[0])[:, 1], own, **EXACT)
    table = psychometric().assign(eye=np.where(np.arange(360) % 2, "left", "right"))
    fit = bm.Model("right ~ size * eye + (1 | subject)", table, family="bernoulli").fit("ml")
    split = bm.plot.curves(fit, "size", by="eye", kind="spaghetti")
    assert texts(split.figure.legends[0].get_texts())[:2] == ["left", "right"]
    assert texts(split.figure.legends[0].get_texts())[2].startswith("shares of ")


def test_frequency_weights_count_as_rows() -> None:
    rows = psychometric().value_counts(["subject", "size", "right"]).rename("n").reset_index()
    fit = bm.Model("right ~ size + (1 | subject)", rows, family="bernoulli", weights="n").fit("ml")
    whole, counted = bm.plot.curves(judged()), bm.plot.curves(fit)
    for one, other in zip(whole.axes, counted.axes, strict=True):
        np.testing.assert_allclose(points(other), points(one), **EXACT)


def test_many_values_are_put_in_classes_that_lose_no_row() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.uniform(size=203), rng.integers(0, 2, 203).astype(float)
    found = shares(x, y, np.ones(203), most=12)
    assert len(found) == 12 and found["count"].sum() == 203 and found["count"].between(16, 18).all()
    np.testing.assert_allclose((found["response"] * found["count"]).sum(), y.sum())
    np.testing.assert_allclose((found["value"] * found["count"]).sum(), x.sum())
    assert len(shares(x[:10], y[:10], np.ones(10), most=12)) == 1  # ten values of a row each are no shares
    assert len(shares(x[:10], y[:10], np.ones(10), most=None)) == 10
    ties = shares(np.repeat([1.0, 2.0, 3.0], [30, 1, 30]), np.zeros(61), np.ones(61), most=2)
    assert ties["count"].tolist() == [31, 30]  # rows of one value stay together


def test_measured_responses_and_shares_of_trials_stay_rows() -> None:
    herds = bm.Model(
        "cbind(incidence, size - incidence) ~ period + (1 | herd)", bm.load_data("cbpp"), family="binomial"
    ).fit("ml")
    legend = texts(bm.plot.curves(herds, max_groups=3).figure.legends[0].get_texts())
    assert "rows of the data" in legend and not any("shares of" in text for text in legend)


# ---- a column that is in bars alone


@pytest.mark.parametrize("kind", ["lattice", "spaghetti"])
@pytest.mark.parametrize("formula", ["Reaction ~ 1 + (Days | Subject)", "Reaction ~ arm + (0 + Days | Subject)"])
def test_trajectories_are_drawn_where_time_is_in_a_bar_alone(formula: str, kind: str) -> None:
    sleep = bm.load_data("sleepstudy")
    arm = (sleep["Subject"].astype(str).astype(int) % 2).map({0: "a", 1: "b"})
    fit = bm.Model(formula, sleep.assign(arm=arm)).fit("reml")
    picture = bm.plot.curves(fit, kind=kind)
    assert picture.frame["value"].max() == 9 and picture.frame["level"].nunique() == 18
    slopes = picture.frame.groupby("level", sort=False)["estimate"].agg(lambda own: own.iloc[-1] - own.iloc[0]) / 9
    np.testing.assert_allclose(slopes, fit.ranef()["Subject"]["Days"].loc[slopes.index], rtol=1e-9)
    if kind == "spaghetti":
        thick = max(picture.axes[0].lines, key=lambda line: line.get_linewidth())
        mean = bm.emmeans(fit, "1").frame["estimate"].iloc[0]
        np.testing.assert_allclose(thick.get_ydata(), [mean, mean])


# ---- predictive checks of many


def test_intervals_of_many_name_those_that_lie_farthest_outside() -> None:
    data = bm.load_data("sleepstudy")
    far = data.assign(Reaction=data["Reaction"].where(data.index != 57, 900.0))
    fit = bm.Model("Reaction ~ Days + (1 | Subject)", far).fit("ml")
    picture = bm.plot.pp_check(fit, "intervals", seed=1)
    outside = picture.frame.query("observed > upper or observed < lower")
    named = texts(picture.axes[0].texts)
    assert "57" in named and set(named) <= {str(label) for label in outside["label"]} and len(named) <= 8


def test_replicates_that_are_all_alike_make_no_warning() -> None:
    table = pd.DataFrame({"y": np.r_[np.zeros(199), 1.0], "g": np.arange(200) % 10})
    fit = bm.Model("y ~ (1 | g)", table, family="poisson").fit("map")
    picture = bm.plot.pp_check(fit, "intervals", level=0.5, seed=1)
    assert "199" in texts(picture.axes[0].texts) and (picture.frame["upper"] == picture.frame["lower"]).all()
