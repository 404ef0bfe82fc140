"""The first look at clustered data: every row in its group, whatever the data were given as."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pictures import drawn

import bayesmixed as bm

pytestmark = pytest.mark.usefixtures("plt")

CBPP = "cbind(incidence, size - incidence) ~ period + (1 | herd)"


def names(ax: Any) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def mice() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    mouse = np.repeat(np.arange(12), 6)
    arm = pd.Categorical(np.array(["low", "mid", "high"])[mouse % 3], ["low", "mid", "high"])
    return pd.DataFrame({"y": rng.normal(size=12)[mouse] + rng.normal(size=72), "mouse": mouse, "arm": arm})


def test_a_frame_holds_the_rows_of_the_data_with_their_groups() -> None:
    data = bm.load_data("sleepstudy")
    frame = bm.plot.data_frame("Reaction ~ Days + (Days | Subject)", data)
    assert frame["group"].eq("Subject").all() and frame["by"].eq("").all()
    np.testing.assert_array_equal(frame["response"], data["Reaction"])
    assert list(frame["level"].astype(str)) == list(data["Subject"].astype(str))


def test_a_model_a_fit_and_a_formula_with_its_table_show_the_same() -> None:
    data = bm.load_data("Dyestuff")
    model = bm.Model("Yield ~ 1 + (1 | Batch)", data)
    expected = bm.plot.data_frame(model)
    for given in (bm.plot.data_frame(model.fit("reml")), bm.plot.data_frame("Yield ~ 1 + (1 | Batch)", data)):
        pd.testing.assert_frame_equal(given, expected)


def test_successes_are_shown_as_shares_of_their_trials_and_levels_as_a_probability() -> None:
    data = bm.load_data("cbpp")
    model = bm.Model(CBPP, data, family="binomial")
    np.testing.assert_allclose(bm.plot.data_frame(model)["response"], data["incidence"] / data["size"])
    assert bm.plot.data(model).get_xlabel().endswith("(share of trials)")
    women = bm.load_data("Contraception").iloc[:200]
    ax = bm.plot.data("use ~ age + (1 | district)", women, family="bernoulli")
    assert ax.get_xlabel() == "P(use = Y)"


def test_interactions_are_groups_and_rows_without_weight_or_response_are_left_out() -> None:
    data = bm.load_data("Pastes").assign(w=lambda d: (np.arange(len(d)) > 3).astype(float))
    model = bm.Model("strength ~ 1 + (1 | batch/cask)", data, weights="w")
    frame = bm.plot.data_frame(model, group="cask:batch")
    assert frame["group"].eq("batch:cask").all() and len(frame) == len(data) - 4
    assert frame["level"].nunique() == 28  # the two casks of the rows left out are gone


def test_levels_ascend_by_their_medians_within_the_colours_or_stand_as_in_the_data() -> None:
    data = mice()
    formula = "y ~ arm + (1 | mouse)"
    medians = data.groupby("mouse")["y"].median()
    assert names(bm.plot.data(formula, data)) == [str(mouse) for mouse in medians.sort_values().index]
    assert names(bm.plot.data(formula, data, sort=False)) == [str(mouse) for mouse in range(12)][::-1]
    ax = bm.plot.data(formula, data, by="arm")
    assert [int(name) % 3 for name in names(ax)] == [2] * 4 + [1] * 4 + [0] * 4
    assert [text.get_text() for text in ax.figure.legends[0].get_texts()] == ["low", "mid", "high"]


@pytest.mark.parametrize("kind", ["box", "violin", "dots"])
def test_each_kind_draws_few_and_many_levels_and_columns_that_split_them(kind: str) -> None:
    assert drawn(bm.plot.data("y ~ arm + (1 | mouse)", mice(), by="arm", kind=kind))
    machines = bm.load_data("Machines")
    assert drawn(bm.plot.data("score ~ Machine + (1 | Worker)", machines, by="Machine", kind=kind))
    many = pd.DataFrame({"y": np.random.default_rng(2).normal(size=200), "g": np.repeat(np.arange(50), 4)})
    ax = bm.plot.data("y ~ 1 + (1 | g)", many, kind=kind)
    assert drawn(ax) and "50 levels, 12 named" in ax.axes[0].get_ylabel()
    constant = pd.DataFrame({"y": [1.0, 1.0, 2.0, 3.0], "g": list("aabb")})
    assert drawn(bm.plot.data("y ~ 1 + (1 | g)", constant, kind=kind))


def test_levels_of_zeros_and_ones_ascend_by_their_shares() -> None:
    women = bm.load_data("Contraception")
    few = women[women["district"].isin(women["district"].unique()[:12])]
    ax = bm.plot.data("use ~ age + (1 | district)", few, family="bernoulli")
    shares = few.assign(one=few["use"] == "Y").groupby("district", observed=True)["one"].mean()
    assert np.all(np.diff([shares[shares.index.astype(str) == name].iloc[0] for name in names(ax)]) >= 0)


def test_without_bars_a_column_of_the_model_makes_the_groups() -> None:
    cake = bm.load_data("cake")
    assert bm.plot.data("angle ~ recipe + temp", cake).get_ylabel() == "recipe"
    assert bm.plot.data("angle ~ recipe + temp", cake, group="temp").get_ylabel() == "temp"


def test_a_picture_on_given_axes_opens_no_figure(plt: Any) -> None:
    figure, ax = plt.subplots()
    picture = bm.plot.data("y ~ arm + (1 | mouse)", mice(), by="arm", ax=ax)
    assert list(picture.axes) == [ax] and picture.figure is figure
    assert plt.get_fignums() == [figure.number] and ax.get_legend() is not None and drawn(picture)


def test_what_cannot_be_drawn_says_what_can() -> None:
    data, formula = mice(), "y ~ arm + (1 | mouse)"
    with pytest.raises(bm.errors.FitError, match="group='mous' is not a group.*Did you mean 'mouse'"):
        bm.plot.data(formula, data, group="mous")
    with pytest.raises(bm.errors.FitError, match="by='ar' is not a column.*Did you mean 'arm'"):
        bm.plot.data(formula, data, by="ar")
    with pytest.raises(bm.errors.FitError, match="kind='boxes'.*Did you mean 'box'"):
        bm.plot.data(formula, data, kind="boxes")
    with pytest.raises(bm.errors.FitError, match=r"'mouse' has 12 values, and only 8 colours.*pd.cut"):
        bm.plot.data(formula, data, by="mouse")
    with pytest.raises(bm.errors.FitError, match=r"or a formula with its table, not 'y ~ 1' alone"):
        bm.plot.data("y ~ 1")
    with pytest.raises(bm.errors.FitError, match="no bar and no categorical column. Give group="):
        bm.plot.data("y ~ mouse", data)
