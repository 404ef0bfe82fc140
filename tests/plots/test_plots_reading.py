"""Can a picture be read and asked for: nothing is cut off, what is left out is named, mistakes are answered."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.errors import FitError, NoSuchOption

pytestmark = pytest.mark.usefixtures("plt")

POINT_ERROR = 1e-9  # of a sum of zeros and ones over their number


@cache
def recalls() -> pd.DataFrame:
    """Five laboratories of one region each, two conditions and three delays in all of them."""
    columns = {"lab": list("ABCDE"), "word": ["no", "yes"], "delay": [1.0, 7.0, 30.0], "again": [0, 1]}
    table = pd.MultiIndex.from_product(list(columns.values()), names=list(columns)).to_frame(index=False)
    rng = np.random.default_rng(3)
    eta = 0.8 - 0.03 * table["delay"] + rng.normal(0, 0.8, 5)[table["lab"].map("ABCDE".index)]
    share = 1 / (1 + np.exp(-eta))
    region = table["lab"].isin(["A", "B"]).map({True: "north", False: "south"})
    return table.assign(hits=rng.binomial(12, share), n=12, once=rng.binomial(1, share), region=region)


@cache
def logits() -> Any:
    return bm.Model("cbind(hits, n - hits) ~ word * delay + (1 | lab)", recalls(), family="binomial").fit("ml")


def sleep() -> Any:
    return bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))


@pytest.mark.parametrize("groups", [1, 3, 5])
def test_a_legend_is_as_wide_as_its_figure_at_most(groups: int) -> None:
    figure = bm.plot.curves(logits(), max_groups=groups)[0].figure
    figure.canvas.draw()
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width
    assert figure._supxlabel.get_window_extent().y1 > box.y1  # the column's name stands above the legend


def test_intervals_that_leave_a_panel_end_in_an_arrow() -> None:
    table = bm.load_data("sleepstudy")
    few = table[(table["Subject"] != "308") | (table["Days"] < 3)]  # a line through three points has a wide interval
    pooled = bm.pooling(bm.Model("Reaction ~ Days + (Days | Subject)", few))
    axes = bm.plot.pooling(pooled, "Days")[0]
    low, high = axes.get_xlim()
    rows = bm.plot.pooling_frame(pooled).query("coefficient == 'Days' and level.notna()")
    arrows = {m: sum(len(line.get_ydata()) for line in axes.lines if line.get_marker() == m) for m in "<>"}
    assert arrows == {"<": (rows["lower"] < low).sum(), ">": (rows["upper"] > high).sum()}
    assert sum(arrows.values()) > 0


def test_curves_run_along_a_column_that_varies_within_groups() -> None:
    constant = bm.Model("hits ~ region * word + (1 | lab)", recalls()).fit("ml")
    assert bm.plot.curves(constant, kind="spaghetti")[0].get_xlabel() == "word"
    alone = bm.Model("hits ~ region + (1 | lab)", recalls()).fit("ml")
    assert bm.plot.curves(alone, kind="spaghetti")[0].get_xlabel() == "region"


def test_bands_of_the_population_lie_behind_the_groups_lines() -> None:
    axes = bm.plot.curves(sleep().fit("ml"), kind="spaghetti")[0]
    bands = [shape.get_zorder() for shape in axes.collections]
    assert max(bands) < min(line.get_zorder() for line in axes.lines)


def test_zeros_and_ones_are_shown_with_the_share_of_each_group() -> None:
    axes = bm.plot.data("once ~ delay + (1 | lab)", recalls(), family="bernoulli")
    drawn = sorted(segment[0, 0] for lines in axes.collections for segment in lines.get_segments())
    np.testing.assert_allclose(drawn, recalls().groupby("lab")["once"].mean().sort_values(), atol=POINT_ERROR)
    assert "shares" in axes.get_title()
    assert "shares" not in bm.plot.data("once ~ (1 | lab)", recalls(), family="bernoulli", kind="box").get_title()


def test_data_takes_columns_of_the_table_that_the_formula_leaves_out() -> None:
    table = recalls().assign(hits=recalls()["hits"].astype(float))
    table.loc[4, "hits"] = np.nan
    frame = bm.plot.data_frame("hits ~ delay + (1 | lab)", table, by="region", group="word")
    assert len(frame) == len(table) - 1
    for name, column in (("by", "region"), ("level", "word")):
        assert frame[name].astype(str).tolist() == table.loc[frame.index, column].tolist()
    with pytest.raises(FitError, match="by='regoin' is not a column of this model or its table. Did you mean 'region'"):
        bm.plot.data_frame("hits ~ delay + (1 | lab)", table, by="regoin")


def test_columns_of_the_offset_alone_are_drawn_if_they_are_asked_for() -> None:
    model = bm.Model("hits ~ word + offset(log(delay)) + (1 | lab)", recalls(), family="poisson").fit("ml")
    assert [ax.get_xlabel() for ax in bm.plot.effects(model)] == ["word"]
    assert [ax.get_xlabel() for ax in bm.plot.effects(model, "delay")] == ["delay"]


def test_pairs_name_what_they_leave_out_and_every_row() -> None:
    formula = "Reaction ~ Days + I(Days**2) + (Days | Subject)"
    fit = bm.Model(formula, bm.load_data("sleepstudy")).fit("laplace", seed=1)
    axes = bm.plot.pairs(fit)
    shown = [ax.get_xlabel().replace("\n", " ") for ax in axes[-1]]
    left = [name for name in bm.side_by_side(fit).index if name not in shown]
    assert left == ["sigma"] and axes[0, 0].figure.get_suptitle().endswith("\nwithout sigma")
    assert axes[0, 0].get_ylabel() == "Intercept"


def test_axes_that_are_not_as_many_as_panels_name_the_argument_that_decides(plt: Any) -> None:
    ax = plt.subplots()[1]
    for draw, argument in (
        (lambda: bm.plot.curves(logits(), ax=ax), "max_groups"),
        (lambda: bm.plot.effects(logits(), ax=ax), "variables"),
        (lambda: bm.plot.residuals(logits(), ax=ax), "panel"),
        (lambda: bm.plot.caterpillar(sleep().fit("ml"), ax=ax), "column"),
    ):
        with pytest.raises(FitError, match=f"choose the panels with {argument}="):
            draw()


def test_a_statistic_in_the_place_of_a_kind_is_told_where_it_goes() -> None:
    with pytest.raises(FitError, match='write kind="statistic", statistic="max"'):
        bm.plot.pp_check(logits(), "max")


@pytest.mark.parametrize("name", [*bm.plot.PLOTS, *bm.plot.OF_OTHERS, *bm.plot.CHECKED])
def test_an_unknown_argument_is_answered_with_the_known_ones(name: str) -> None:
    for plot in (getattr(bm.plot, name), getattr(bm.plot, f"{name}_frame")):
        with pytest.raises(NoSuchOption, match=f"{plot.__name__} has no argument 'colour'"):
            plot(logits(), colour="red")
