"""Plots: their frames are estimates that can be had another way; their drawings keep to themselves."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pictures import drawn
from scipy.stats import norm

import bayesmixed as bm
from bayesmixed.fits.draws import DrawsFit
from bayesmixed.fits.status import DrawsStatus
from bayesmixed.parameters.values import Parameters

EXACT = {"rtol": 1e-9, "atol": 1e-9}  # the same linear algebra in another order
FITTED = {"rtol": 1e-5, "atol": 1e-5}  # two parametrisations of one model, optimised separately


@cache
def fitted(formula: str, data: str, method: str = "reml") -> Any:
    return bm.Model(formula, bm.load_data(data)).fit(method)


def sleep_fit() -> Any:
    return fitted("Reaction ~ Days + (Days | Subject)", "sleepstudy")


def pastes_fit() -> Any:
    return fitted("strength ~ 1 + (1 | batch/cask)", "Pastes")


def cake_fit() -> Any:
    return fitted("angle ~ recipe + temp + (1 | replicate:recipe)", "cake")


def few_fit() -> Any:
    return fitted("score ~ Machine + (1 | Worker)", "Machines")


def wide(frame: pd.DataFrame, value: str) -> pd.DataFrame:
    """Levels x columns."""
    return frame.pivot(index="level", columns="column", values=value)


@cache
def draws_fit() -> DrawsFit:
    """Normal draws around the ML fit of sleepstudy, in a fit with draws."""
    model = sleep_fit().model
    rng = np.random.default_rng(1)
    factor = np.array([[24.0, 0.0], [0.5, 6.0]])
    values = Parameters(
        coefficients={"mu": sleep_fit().beta + rng.normal(size=(2, 50, 2))},
        factors=(np.broadcast_to(factor, (2, 50, 2, 2)),),
        b=(sleep_fit().b[0] + rng.normal(size=(2, 50, 18, 2)),),
        dispersion={"sigma": np.full((2, 50), 25.0)},
    )
    status = DrawsStatus("explicit", 0, 1.0, 100.0, 100.0, 1.0, ())
    return DrawsFit(model, bm.NUTS(), values, {}, status)


# ---- shrinkage: the frame


@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_no_pooling_is_each_groups_own_regression(shift: float) -> None:
    data = bm.load_data("sleepstudy").assign(Days=lambda d: d["Days"] + shift)
    frame = bm.plot.shrinkage_frame(bm.Model("Reaction ~ Days + (Days | Subject)", data).fit("ml"))
    own = wide(frame, "no_pooling")
    for subject, rows in data.groupby("Subject", observed=True):
        X = np.column_stack([np.ones(len(rows)), rows["Days"] - shift])
        level, slope = np.linalg.lstsq(X, rows["Reaction"].to_numpy(), rcond=None)[0]
        assert own.loc[subject, "Days"] == pytest.approx(slope, rel=1e-6)
        assert own.loc[subject, "Intercept"] + shift * own.loc[subject, "Days"] == pytest.approx(level, rel=1e-6)


@pytest.mark.parametrize("fit", [sleep_fit, draws_fit])
def test_partial_pooling_is_coef_and_population_the_fixed_effects(fit: Callable[[], Any]) -> None:
    frame = bm.plot.shrinkage_frame(fit())
    coef = fit().coef()["Subject"]
    np.testing.assert_allclose(wide(frame, "partial_pooling").loc[coef.index, coef.columns], coef, **EXACT)
    population = frame.groupby("column")["population"].unique()
    assert population.map(len).eq(1).all()
    np.testing.assert_allclose([population[name][0] for name in coef], fit().fixef(), **EXACT)


def test_in_a_balanced_one_way_layout_partial_pooling_is_the_shrunken_mean() -> None:
    """Searle, Casella & McCulloch (1992), 3.4: factor n tau^2 / (n tau^2 + sigma^2)."""
    fit = fitted("Yield ~ 1 + (1 | Batch)", "Dyestuff")
    frame = bm.plot.shrinkage_frame(fit)
    between = fit.varcorr()["sd"][0] ** 2
    factor = 5 * between / (5 * between + fit.sigma**2)
    expected = frame["population"] + factor * (frame["no_pooling"] - frame["population"])
    np.testing.assert_allclose(frame["partial_pooling"], expected, **EXACT)
    assert frame["n_rows"].eq(5).all()


def test_a_variance_of_zero_pools_completely() -> None:
    frame = bm.plot.shrinkage_frame(fitted("Yield ~ 1 + (1 | Batch)", "Dyestuff2"))
    np.testing.assert_allclose(frame["partial_pooling"], frame["population"], **EXACT)
    assert frame["no_pooling"].nunique() > 1


def test_cell_means_and_treatment_coding_of_the_bar_tell_the_same_story() -> None:
    """With ``(0 + f | g)`` beside a fixed ``f`` the population is the cell means, whatever the fixed coding."""
    cells = bm.plot.shrinkage_frame(fitted("score ~ Machine + (0 + Machine | Worker)", "Machines"))
    contrasts = bm.plot.shrinkage_frame(fitted("score ~ Machine + (Machine | Worker)", "Machines"))
    for value in ("no_pooling", "partial_pooling", "population"):
        a, b = wide(cells, value), wide(contrasts, value)
        for machine in "BC":
            expected = b["Intercept"] + b[f"Machine[{machine}]"]
            np.testing.assert_allclose(a[f"Machine[{machine}]"], expected, **FITTED)
    means = bm.load_data("Machines").groupby(["Worker", "Machine"], observed=True)["score"].mean().unstack()
    np.testing.assert_allclose(wide(cells, "no_pooling").loc[means.index], means, **EXACT)


def test_effects_crossed_with_a_factor_are_taken_off_and_effects_nested_in_it_are_not() -> None:
    data, fit = bm.load_data("Pastes"), pastes_fit()
    frame = bm.plot.shrinkage_frame(fit).set_index("level")["no_pooling"]
    batches = data.groupby("batch", observed=True)["strength"].mean()
    np.testing.assert_allclose(frame[batches.index], batches, **EXACT)
    casks = data.groupby(["batch", "cask"], observed=True)["strength"].mean()
    for (batch, cask), mean in casks.items():
        own = frame[f"{batch}:{cask}"]
        assert own == pytest.approx(mean - fit.ranef()["batch"].loc[batch, "Intercept"], rel=1e-9)


def test_in_a_balanced_crossed_layout_taking_the_other_factor_off_leaves_the_raw_means() -> None:
    fit = fitted("diameter ~ 1 + (1 | plate) + (1 | sample)", "Penicillin")
    frame = bm.plot.shrinkage_frame(fit, "plate").set_index("level")["no_pooling"]
    means = bm.load_data("Penicillin").groupby("plate", observed=True)["diameter"].mean()
    np.testing.assert_allclose(frame[means.index], means, **EXACT)


def test_fixed_effects_outside_the_bar_and_the_offset_are_taken_off() -> None:
    data = bm.load_data("sleepstudy").assign(known=lambda d: np.sin(np.arange(len(d))))
    fit = bm.Model("Reaction ~ Days + offset(known) + (1 | Subject)", data).fit("ml")
    rest = data["Reaction"] - fit.fixef()["Days"] * data["Days"] - data["known"]
    expected = rest.groupby(data["Subject"], observed=True).mean()
    frame = bm.plot.shrinkage_frame(fit).set_index("level")["no_pooling"]
    np.testing.assert_allclose(frame[expected.index], expected, **EXACT)


def test_a_weight_of_two_is_the_row_twice() -> None:
    data = bm.load_data("sleepstudy").assign(w=lambda d: 1.0 + (np.arange(len(d)) % 3 == 0))
    twice = data.loc[data.index.repeat(data["w"].astype(int))].reset_index(drop=True)
    formula = "Reaction ~ Days + (Days | Subject)"
    weighted = bm.plot.shrinkage_frame(bm.Model(formula, data, weights="w").fit("ml"))
    repeated = bm.plot.shrinkage_frame(bm.Model(formula, twice).fit("ml"))
    np.testing.assert_allclose(weighted["no_pooling"], repeated["no_pooling"], **EXACT)


def test_what_a_groups_rows_do_not_determine_is_missing_with_a_reason() -> None:
    sleep = bm.load_data("sleepstudy")
    thin = sleep[(sleep["Subject"] != "308") | (sleep["Days"] == 3)]
    frame = bm.plot.shrinkage_frame(bm.Model("Reaction ~ Days + (Days | Subject)", thin).fit("ml"))
    of_308 = frame[frame["level"] == "308"]
    assert of_308["no_pooling"].isna().all() and of_308["reason"].eq("not determined by 1 row").all()
    assert of_308["partial_pooling"].notna().all()
    others = frame[frame["level"] != "308"]
    assert others["no_pooling"].notna().all() and others["reason"].eq("").all()


def test_a_missing_cell_leaves_only_its_own_column_undetermined() -> None:
    machines = bm.load_data("Machines")
    without = machines[(machines["Worker"] != "1") | (machines["Machine"] != "C")]
    frame = bm.plot.shrinkage_frame(bm.Model("score ~ Machine + (Machine | Worker)", without).fit("ml"))
    missing = frame[frame["no_pooling"].isna()]
    assert missing[["level", "column"]].to_numpy().tolist() == [["1", "Machine[C]"]]
    assert missing["reason"].tolist() == ["not determined by 6 rows"]


def test_a_bar_column_without_a_fixed_one_deviates_around_zero() -> None:
    frame = bm.plot.shrinkage_frame(fitted("Reaction ~ 1 + (Days | Subject)", "sleepstudy"))
    assert frame.loc[frame["column"] == "Days", "population"].eq(0).all()


def test_frames_cover_every_factor_or_the_one_asked_for_by_either_name() -> None:
    assert list(bm.plot.shrinkage_frame(pastes_fit())["group"].unique()) == ["batch", "batch:cask"]
    for group in ("batch:cask", "cask:batch"):
        assert list(bm.plot.shrinkage_frame(pastes_fit(), group)["group"].unique()) == ["batch:cask"]
        assert list(bm.plot.caterpillar_frame(pastes_fit(), group)["group"].unique()) == ["batch:cask"]


# ---- caterpillar: the frame


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_intervals_of_point_fits_are_modes_and_normal_quantiles_of_conditional_sds(level: float) -> None:
    frame = bm.plot.caterpillar_frame(sleep_fit(), level=level)
    modes, sds = sleep_fit().ranef()["Subject"], sleep_fit().ranef_sd()["Subject"]
    half = norm.ppf(0.5 + level / 2) * sds
    for value, expected in {"estimate": modes, "sd": sds, "lower": modes - half, "upper": modes + half}.items():
        np.testing.assert_allclose(wide(frame, value).loc[modes.index, modes.columns], expected, **EXACT)


def test_intervals_of_draws_are_posterior_quantiles() -> None:
    frame = bm.plot.caterpillar_frame(draws_fit(), level=0.8)
    b = draws_fit().parameters.b[0].reshape(-1, 18, 2)
    np.testing.assert_allclose(frame["estimate"], b.mean(axis=0).ravel(), **EXACT)
    np.testing.assert_allclose(frame["sd"], b.std(axis=0, ddof=1).ravel(), **EXACT)
    for value, probability in {"lower": 0.1, "upper": 0.9}.items():
        np.testing.assert_allclose(frame[value], np.quantile(b, probability, axis=0).ravel(), **EXACT)


def test_two_bars_on_one_factor_stand_side_by_side() -> None:
    frame = bm.plot.caterpillar_frame(fitted("Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)", "sleepstudy"))
    together = bm.plot.caterpillar_frame(fitted("Reaction ~ Days + (Days || Subject)", "sleepstudy"))
    assert list(frame["column"].unique()) == ["Intercept", "Days"]
    np.testing.assert_allclose(frame["estimate"], together["estimate"], rtol=1e-4, atol=1e-3)


# ---- what can go wrong


DRAWN: dict[str, Callable[..., Any]] = {
    name: getattr(bm.plot, name) for name in ("shrinkage", "shrinkage_frame", "caterpillar", "caterpillar_frame")
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_model_without_bars_says_what_to_add(name: str) -> None:
    fit = fitted("Reaction ~ Days", "sleepstudy", "ml")
    with pytest.raises(bm.errors.FitError, match=r"no random effects.*\+ \(1 \| g\)"):
        DRAWN[name](fit)


@pytest.mark.parametrize("name", DRAWN)
def test_an_unknown_group_gets_the_nearest_names(name: str) -> None:
    with pytest.raises(bm.errors.FitError, match="group='Subjct'.*Did you mean 'Subject'"):
        DRAWN[name](sleep_fit(), "Subjct")


def test_unknown_or_too_many_columns_levels_and_panels_are_named() -> None:
    with pytest.raises(bm.errors.FitError, match="'Dais' does not vary by Subject. Did you mean 'Days'"):
        bm.plot.caterpillar(sleep_fit(), column="Dais")
    with pytest.raises(bm.errors.FitError, match="'Dais' does not vary by Subject. Did you mean 'Days'"):
        bm.plot.shrinkage(sleep_fit(), columns=["Intercept", "Dais"])
    with pytest.raises(bm.errors.FitError, match="one or two different columns"):
        bm.plot.shrinkage(sleep_fit(), columns=["Days", "Days"])
    with pytest.raises(bm.errors.FitError, match="max_groups=0"):
        bm.plot.shrinkage(sleep_fit(), max_groups=0)
    with pytest.raises(bm.errors.FitError, match="level=95"):
        bm.plot.caterpillar_frame(sleep_fit(), level=95)


@pytest.mark.parametrize("name", bm.plot.PLOTS)
def test_without_matplotlib_a_plot_says_how_to_install_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # what Python sees where it is not installed
    with pytest.raises(bm.errors.BayesMixedError, match=r'pip install "bayesmixed\[plots\]"'):
        bm.plot.PLOTS[name](sleep_fit())


# ---- drawings


@pytest.mark.parametrize("name", bm.plot.PLOTS)
def test_a_registered_plot_is_public_and_has_a_frame(name: str) -> None:
    plot, frame = bm.plot.PLOTS[name], getattr(bm.plot, f"{name}_frame")
    assert getattr(bm.plot, name) is plot and plot.__name__ == name
    assert next(iter(inspect.signature(plot).parameters)) == "fit" == next(iter(inspect.signature(frame).parameters))
    assert "Examples" in (plot.__doc__ or "") and "Examples" in (frame.__doc__ or "")
    assert isinstance(frame(sleep_fit()), pd.DataFrame)


@pytest.mark.parametrize("name", bm.plot.PLOTS)
@pytest.mark.parametrize("fit", [sleep_fit, draws_fit, cake_fit])
def test_a_plot_draws_labelled_axes_and_leaves_global_style_alone(name: str, fit: Callable[[], Any], plt: Any) -> None:
    before = dict(plt.rcParams)
    picture = bm.plot.PLOTS[name](fit())
    first, figure = picture.axes.flat[0], picture.figure
    assert drawn(picture)
    assert first.get_title() or figure.get_suptitle()
    assert figure.get_supxlabel() or all(ax.get_xlabel() for ax in picture.axes.flat)
    assert figure.get_supylabel() or first.get_ylabel()
    assert dict(plt.rcParams) == before


@pytest.mark.parametrize("name", bm.plot.PLOTS)
def test_a_plot_on_given_axes_opens_no_figure(name: str, plt: Any) -> None:
    panels = bm.plot.PLOTS[name](few_fit()).axes.size
    plt.close("all")
    figure, given = plt.subplots(1, panels)
    picture = bm.plot.PLOTS[name](few_fit(), ax=given)
    assert list(picture.axes.flat) == list(np.ravel(given)) and plt.get_fignums() == [figure.number]
    assert all(ax.get_xlabel() for ax in picture.axes.flat) and picture.axes.flat[0].get_ylabel()
    assert picture.figure is figure and drawn(picture)


def test_two_columns_make_a_plane_and_one_makes_rows(plt: Any) -> None:
    plane = bm.plot.shrinkage(sleep_fit(), columns=["Days", "Intercept"]).axes[0]
    assert (plane.get_xlabel(), plane.get_ylabel()) == ("Days", "Intercept")
    rows = bm.plot.shrinkage(sleep_fit(), columns="Days").axes[0]
    estimates = sleep_fit().coef()["Subject"]["Days"]
    assert [label.get_text() for label in rows.get_yticklabels()] == list(estimates.sort_values().index)


def test_a_plane_shows_the_first_two_of_three_columns(plt: Any) -> None:
    ax = bm.plot.shrinkage(fitted("score ~ Machine + (Machine | Worker)", "Machines")).axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Intercept", "Machine[B]")


def test_levels_are_sorted_by_the_first_panel_or_stand_as_in_the_data(plt: Any) -> None:
    effects = sleep_fit().ranef()["Subject"]
    ordered = bm.plot.caterpillar(sleep_fit()).axes
    assert [label.get_text() for label in ordered[0].get_yticklabels()] == list(
        effects["Intercept"].sort_values().index
    )
    as_given = bm.plot.caterpillar(sleep_fit(), column="Days", sort=False).axes
    assert len(as_given) == 1
    assert [label.get_text() for label in as_given[0].get_yticklabels()] == list(effects.index[::-1])


def test_a_picture_of_the_first_factor_names_the_others(plt: Any) -> None:
    for name in ("shrinkage", "caterpillar", "densities", "qq"):
        plot = bm.plot.PLOTS[name]
        heads = [plot(pastes_fit(), group).figure for group in (None, "batch")]
        first, asked = ((head.get_suptitle() or head.axes[0].get_title()) for head in heads)
        assert first.endswith('also: group="batch:cask"') and "also" not in asked


def test_the_legend_says_what_own_estimates_hold(plt: Any) -> None:
    for fit, group, words in (
        (sleep_fit(), None, "no pooling"),
        (cake_fit(), None, "own estimates, other columns held"),
        (fitted("diameter ~ 1 + (1 | plate) + (1 | sample)", "Penicillin"), None, "own estimates, other effects held"),
        (pastes_fit(), "batch", "no pooling"),
    ):
        legend = [text.get_text() for text in bm.plot.shrinkage(fit, group).figure.legends[0].get_texts()]
        assert legend[0] == words and legend[2] == "population"


def test_many_levels_are_thinned_or_names_left_out_and_the_picture_says_so(plt: Any) -> None:
    picture = bm.plot.shrinkage(sleep_fit(), max_groups=5)
    assert "5 of 18 levels" in picture.axes[0].get_title() and picture.frame["level"].nunique() == 5
    assert drawn(picture)
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(60), 4)
    fit = bm.Model("y ~ 1 + (1 | g)", pd.DataFrame({"y": rng.normal(size=60)[g] + rng.normal(size=240), "g": g})).fit(
        "ml"
    )
    for plot in (bm.plot.shrinkage, bm.plot.caterpillar):
        bare = plot(fit, names=0).axes[0]
        assert "60 levels, names left out" in bare.get_ylabel() and len(bare.get_yticks()) == 0


def test_groups_that_the_picture_lacks_are_counted_in_its_legend(plt: Any) -> None:
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(20), 6)
    x = rng.normal(size=120)
    y = rng.normal(size=20)[g] + x + rng.normal(size=120)
    rows = pd.DataFrame({"y": y, "x": x, "g": g})
    # A group of one row, and one whose two rows all but share their x: a slope of any size.
    far = pd.DataFrame({"y": [0.0, 1.0, 0.3], "x": [0.5, 0.5 + 1e-4, 0.0], "g": [20, 20, 21]})
    fit = bm.Model("y ~ x + (x | g)", pd.concat([rows, far], ignore_index=True)).fit("ml")
    picture = bm.plot.shrinkage(fit)
    assert "no pooling (impossible for 1, 1 off the picture)" in [
        t.get_text() for t in picture.figure.legends[0].get_texts()
    ]
    assert picture.axes[0].get_ylim()[1] < 100
    assert drawn(picture)
