"""What every plot returns: one kind of thing, with its figure, its panels, its frame, and a file to be written."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.checks.calibration.verdict import Calibration
from bayesmixed.plots.drawing.picture import Picture

pytestmark = pytest.mark.usefixtures("plt")

PNG = b"\x89PNG\r\n\x1a\n"


@cache
def sleep() -> Any:
    return bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")


@cache
def drawn() -> Any:
    return sleep().model.fit(bm.Laplace(draws=50), seed=1)


@cache
def calibrated() -> Calibration:
    """Ranks of 40 replicates that are uniform by construction."""
    position = (np.random.default_rng(1).permutation(40) + 0.5) / 40
    columns = {"replicate": range(40), "quantity": "x", "true": 0.0, "rank": 0, "draws": 39, "position": position}
    none = pd.Series(np.zeros(40))
    return Calibration("y ~ x", "exact", 40, 1, 0.0, pd.DataFrame(columns), pd.DataFrame(), none, none)


@cache
def profiled() -> Any:
    return bm.profile(bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("ml"))


@cache
def exchanged() -> Any:
    """Labels of six batches in two kinds."""
    data = bm.load_data("Dyestuff").assign(kind=lambda d: d["Batch"].isin(["A", "B", "C"]).astype(str))
    return bm.permutation_test(bm.Model("Yield ~ kind + (1 | Batch)", data).fit("reml"), "kind", statistic="F")


CALLS: dict[str, Callable[[], tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "bootstrap": lambda: ((bm.bootstrap(profiled().fit, 60, seed=1),), {}),
    "calibration": lambda: ((calibrated(),), {}),
    "data": lambda: ((sleep().model,), {}),
    "influence": lambda: ((bm.influence(sleep(), "Subject"),), {}),
    "forest": lambda: ((sleep(), drawn()), {}),
    "p_values": lambda: ((exchanged(),), {}),
    "pairs": lambda: ((drawn(),), {"parameters": ["Days", "sigma"]}),
    "pooling": lambda: ((bm.pooling(sleep()),), {}),
    "power": lambda: ((bm.power(sleep(), test="Days", levels={"Subject": [4, 8]}, n=20, seed=1),), {}),
    "pp_check": lambda: ((sleep(),), {"n": 5, "seed": 1}),
    "prior_posterior": lambda: ((drawn(),), {}),
    "profile": lambda: ((profiled(),), {}),
    "profile_pairs": lambda: ((profiled(),), {}),
    "ranks": lambda: ((sleep(),), {"seed": 1}),
    "residuals": lambda: ((sleep(),), {"seed": 1}),
}
NAMES = [*bm.plot.PLOTS, *bm.plot.OF_OTHERS, *bm.plot.CHECKED]


def call(name: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return CALLS[name]() if name in CALLS else ((sleep(),), {})


@pytest.mark.parametrize("name", NAMES)
def test_every_plot_returns_a_picture(name: str, plt: Any, tmp_path: Path) -> None:
    values, options = call(name)
    picture = getattr(bm.plot, name)(*values, **options)
    assert type(picture) is Picture
    assert isinstance(picture.axes, np.ndarray) and all(isinstance(ax, plt.Axes) for ax in picture.axes.flat)
    assert isinstance(picture.figure, plt.Figure) and picture.figure.number in plt.get_fignums()
    picture.savefig(tmp_path / "picture.svg")
    assert (tmp_path / "picture.svg").read_text().startswith("<?xml")
    assert f"{len(picture.frame)} rows in .frame" in repr(picture) and len(picture.frame)


@pytest.mark.parametrize("name", NAMES)
def test_the_frame_of_a_picture_is_what_the_frame_function_gives(name: str) -> None:
    values, options = call(name)
    frame = getattr(bm.plot, f"{name}_frame")(*values, **options)
    pd.testing.assert_frame_equal(getattr(bm.plot, name)(*values, **options).frame, frame)


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_on_given_axes_is_of_those(name: str, plt: Any) -> None:
    values, options = call(name)
    panels = getattr(bm.plot, name)(*values, **options).axes
    plt.close("all")
    figure, given = plt.subplots(*np.atleast_2d(panels).shape, squeeze=False)
    picture = getattr(bm.plot, name)(*values, **options, ax=given)
    assert list(picture.axes.flat) == list(given.flat) and picture.axes.shape == panels.shape
    assert picture.figure is figure and plt.get_fignums() == [figure.number]


def test_a_frame_holds_the_rows_that_are_drawn() -> None:
    assert set(bm.plot.caterpillar(sleep(), column="Days").frame["column"]) == {"Days"}
    assert set(bm.plot.qq(sleep(), column="Days").frame["column"]) == {"Days"}
    assert bm.plot.shrinkage(sleep(), columns="Days", max_groups=5).frame.shape[0] == 5
    assert bm.plot.curves(sleep(), max_groups=3).frame["level"].nunique() == 3
    assert bm.plot.densities(sleep(), column="Days", max_levels=4).frame["level"].nunique() == 4
    assert set(bm.plot.pooling(bm.pooling(sleep()), "Days").frame["coefficient"]) == {"Days"}


def test_a_notebook_shows_a_picture_once(plt: Any) -> None:
    """Open figures are drawn at the end of a cell: what a cell has shown by itself must not be open any more."""
    picture = bm.plot.caterpillar(sleep())
    assert plt.get_fignums() == [picture.figure.number]
    shown = picture._repr_png_()
    assert shown is not None and shown.startswith(PNG) and plt.get_fignums() == []
    picture.axes[0].set_title("Again")
    assert picture._repr_png_() not in (shown, None)  # the figure lives as long as the picture


def test_a_figure_with_a_window_of_its_own_is_not_drawn_twice(plt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = bm.plot.caterpillar(sleep())
    monkeypatch.setattr(plt, "get_backend", lambda: "QtAgg")  # no display here to open a window on
    assert picture._repr_png_() is None and plt.get_fignums() == [picture.figure.number]


def test_panels_are_reached_by_place_and_methods_of_axes_where_there_is_one() -> None:
    several, one = bm.plot.caterpillar(sleep()), bm.plot.shrinkage(sleep())
    assert len(several) == 2 and several[1] is several.axes[1] and list(several) == list(several.axes)
    one.set_title("Sleep")
    assert one.axes[0].get_title() == "Sleep"
    with pytest.raises(
        AttributeError, match=r"2 panels, and 'set_title' belongs to one of them: .*axes\[0\].set_title"
    ):
        several.set_title("Sleep")
    with pytest.raises(AttributeError, match=r"axes\[0, 0\].set_title"):
        bm.plot.pairs(drawn(), ["Days", "sigma"]).set_title("Sleep")
    for wrong in (one, several):
        with pytest.raises(AttributeError, match=r"A picture has no 'shape'. It has .figure, .axes \(an array"):
            wrong.shape  # noqa: B018
    assert not hasattr(one, "_ipython_display_")


def test_one_axes_may_be_given_as_an_array_and_several_are_counted(plt: Any) -> None:
    grid = plt.subplots(1, 2)[1]
    for plot in (bm.plot.shrinkage, bm.plot.forest, bm.plot.data, bm.plot.ranks):
        assert list(plot(sleep(), ax=grid[:1]).axes) == [grid[0]]
        with pytest.raises(bm.errors.FitError, match="one panel but ax= holds 2 axes"):
            plot(sleep(), ax=grid)


def test_a_picture_in_a_subfigure_knows_the_whole_figure(plt: Any, tmp_path: Path) -> None:
    figure = plt.figure()
    ax = figure.subfigures(1, 2)[1].subplots()
    picture = bm.plot.shrinkage(sleep(), ax=ax)
    assert picture.figure is figure
    picture.savefig(tmp_path / "picture.png", dpi=50)
    assert (tmp_path / "picture.png").read_bytes().startswith(PNG)
