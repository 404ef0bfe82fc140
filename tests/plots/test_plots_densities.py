"""Densities of random effects: normal curves of point fits, kernel estimates of draws that integrate to one."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from pictures import drawn
from scipy.stats import expon, norm

import bayesmixed as bm
from bayesmixed.plots.drawing.kernel_density import POINTS, kernel_density
from bayesmixed.plots.drawing.theme import level_labels

EXACT = {"rtol": 1e-9, "atol": 1e-9}  # the same formula in another order
MASS = 2e-3  # trapezoids over 161 points, and four kernel sds
KERNEL = 0.08  # bias of the kernel and noise of 20,000 draws, for a density of at most 1


@cache
def sleep_fit() -> Any:
    return bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")


@cache
def laplace_fit() -> Any:
    return sleep_fit().model.fit(bm.Laplace(draws=300), seed=1)


def test_densities_of_a_point_fit_are_normal_about_the_modes_with_conditional_sds() -> None:
    frame = bm.plot.densities_frame(sleep_fit())
    for (level, column), rows in frame.groupby(["level", "column"]):
        mode, sd = (
            sleep_fit().ranef()["Subject"].loc[level, column],
            sleep_fit().ranef_sd()["Subject"].loc[level, column],
        )
        np.testing.assert_allclose(rows["density"], norm.pdf(rows["value"], mode, sd), **EXACT)


def test_every_density_of_draws_integrates_to_one_about_the_posterior_mean() -> None:
    fit = laplace_fit()
    frame = bm.plot.densities_frame(fit, "Subject")
    for (level, column), rows in frame.groupby(["level", "column"]):
        value, density = rows["value"].to_numpy(), rows["density"].to_numpy()
        assert np.trapezoid(density, value) == pytest.approx(1, abs=MASS)
        sd = fit.ranef_sd()["Subject"].loc[level, column]
        assert np.trapezoid(density * value, value) == pytest.approx(
            fit.ranef()["Subject"].loc[level, column], abs=0.01 * sd
        )


def test_a_kernel_density_finds_the_density_also_at_the_end_of_a_bounded_parameter() -> None:
    draws = np.random.default_rng(1).exponential(size=20_000)
    value, density = kernel_density(draws, low=0.0)
    assert value[0] == 0 and len(value) == POINTS
    np.testing.assert_allclose(density, expon.pdf(value), atol=KERNEL)
    value, density = kernel_density(np.tanh(np.random.default_rng(2).normal(size=20_000)), -1.0, 1.0)
    assert (value[0], value[-1]) == (-1, 1)
    assert np.trapezoid(density, value) == pytest.approx(1, abs=MASS)


def test_a_density_moves_and_stretches_with_its_draws() -> None:
    draws = np.random.default_rng(3).normal(size=500)
    value, density = kernel_density(draws)
    moved, scaled = kernel_density(1e6 + 100 * draws)
    np.testing.assert_allclose(moved, 1e6 + 100 * value, rtol=1e-12)
    np.testing.assert_allclose(100 * scaled, density, atol=1e-5)  # a draw on a bin's edge may change sides


def test_an_effect_without_spread_has_no_density_and_is_drawn_as_a_tick(plt: Any) -> None:
    fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff2")).fit("reml")
    frame = bm.plot.densities_frame(fit)
    assert frame["density"].isna().all() and frame["value"].eq(0).all()
    assert drawn(bm.plot.densities(fit))
    for axes in (bm.plot.densities(fit), bm.plot.caterpillar(fit)):
        assert "sd is 0" in axes[0].texts[0].get_text()
    assert np.isnan(kernel_density(np.full(10, 0.3))[1]).all()


def test_more_levels_than_can_be_read_are_thinned_and_the_picture_says_so(plt: Any) -> None:
    axes = bm.plot.densities(sleep_fit(), max_levels=5)
    assert "5 of 18 levels" in axes[0].figure.get_suptitle()
    shown = [label.get_text() for label in axes[0].get_yticklabels()]
    order = sleep_fit().ranef()["Subject"]["Intercept"].sort_values().index
    assert len(shown) == 5 and (shown[0], shown[-1]) == (order[0], order[-1])
    with pytest.raises(bm.errors.FitError, match="max_levels=0"):
        bm.plot.densities(sleep_fit(), max_levels=0)
    with pytest.raises(bm.errors.FitError, match="'Dais' does not vary by Subject. Did you mean 'Days'"):
        bm.plot.densities(sleep_fit(), column="Dais")


def test_long_names_of_levels_lose_what_they_share_and_then_their_middle() -> None:
    dots = "\N{HORIZONTAL ELLIPSIS}"
    wards = [f"The hospital of the town, ward {i} in the north of it" for i in (1, 12)]
    assert level_labels(wards) == [f"{dots}{i} in the north of it" for i in (1, 12)]
    assert level_labels([f"{name}!" for name in wards], 5) == [f"{dots}1{dots}", f"{dots}12{dots}"]
    assert level_labels([f"The Hospital of Trondheim {i}" for i in (1, 2)]) == [f"{dots}Trondheim {i}" for i in (1, 2)]
    assert level_labels(["short", "shorter"]) == ["short", "shorter"]
    assert [len(name) for name in level_labels(["x" * 22, "y" * 23, "z" * 60])] == [22, 22, 22]
    assert level_labels(["a" * 30])[0].endswith("aaa")
    alike = [f"{'same ' * 8}{i}" for i in range(30)]
    assert len(set(level_labels(alike))) == 30


def test_a_long_name_of_a_column_keeps_its_ends_and_stays_off_the_next_panel() -> None:
    long = "time_spent_awake_since_the_beginning_of_the_study_in_days"
    sleep = bm.load_data("sleepstudy").rename(columns={"Days": long})
    fit = bm.Model(f"Reaction ~ {long} + ({long} | Subject)", sleep).fit("reml")
    for shown in (bm.plot.caterpillar(fit), bm.plot.densities(fit)):
        shown.figure.canvas.draw()
        left, right = (panel.title.get_window_extent() for panel in shown.axes)
        assert left.x1 < right.x0
        assert shown.axes[1].get_title().startswith("time_spent") and shown.axes[1].get_title().endswith("in_days")
    axis = bm.plot.shrinkage(fit).axes[0]
    axis.figure.canvas.draw()
    assert axis.yaxis.label.get_window_extent().height < axis.figure.bbox.height
    rows = [label.get_text() for label in bm.plot.forest(fit).axes[0].get_yticklabels()]
    assert any(row.endswith("in_days") for row in rows)
