"""Where a picture is drawn: the user's axes or new ones, in the package's style, without touching global settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import BayesMixedError, FitError, checked_level
from . import fonts, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def pyplot() -> Any:
    """matplotlib.pyplot, imported now."""
    try:
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise BayesMixedError(
            'Plots need matplotlib. Install it with: pip install "bayesmixed[plots]"', topic="optional-library"
        ) from error
    return plt


def check_level(level: float, usual: float = 0.95) -> None:
    """Raise a FitError for what is no coverage."""
    checked_level(level, usual=usual)


@contextmanager
def style(ax: Any) -> Iterator[None]:
    """The package's matplotlib settings while a new figure is drawn, the user's again afterwards and on given axes.

    On both the user's fonts are followed by those that have the letters which theirs lack.
    """
    settings = pyplot().rcParams
    chosen = (theme.STYLE if ax is None else {}) | {"font.family": fonts.families(settings["font.family"])}
    before = {name: settings[name] for name in chosen}
    settings.update(chosen)
    try:
        with fonts.quiet():
            yield
    finally:
        # Not rc_context, which restores everything: the first figure loads a notebook's backend, that turns
        # "interactive" on, and a notebook shows no picture where it is off again.
        settings.update(before)


def ink(ax: Axes) -> Any:
    """The colour of what must stand out on these axes: black on white, white on black."""
    return ax.xaxis.label.get_color()


def one_axes(ax: Any, height: float = theme.HEIGHT) -> Axes:
    """`ax`, an Axes or an array of one, or the axes of a new figure."""
    if ax is not None:
        return _given(1, ax, "columns")[0]  # type: ignore[no-any-return]
    return pyplot().subplots(figsize=(theme.WIDTH, height), layout="constrained")[1]


def panels(
    n: int,
    ax: Any,
    rows_height: float,
    per_row: int = 4,
    share: bool = True,
    wide: bool = False,
    choose: str = "column",
) -> np.ndarray:
    """`n` axes: those given, or those of a new figure, which `share` their vertical axis; array (n,) of Axes.

    One panel alone is narrower than a figure unless it is to be `wide`. `choose` is the argument that decides which
    panels there are.
    """
    if ax is not None:
        return _given(n, ax, choose)
    columns = min(n, per_row)
    rows = ceil(n / columns)
    width = max(theme.WIDTH if n > 1 or wide else 0.75 * theme.WIDTH, columns * theme.PANEL_WIDTH)
    size = (width, rows * (rows_height + 0.6) + 0.5)
    _, grid = pyplot().subplots(rows, columns, figsize=size, sharey=share, squeeze=False, layout="constrained")
    for spare in grid.ravel()[n:]:
        spare.set_axis_off()
    return grid.ravel()[:n]


def lattice(n: int, ax: Any) -> np.ndarray:
    """`n` small axes (n,) of one scale: those given, or those of a new figure."""
    if ax is not None:
        return _given(n, ax, "max_groups")
    columns = min(n, 6 if n > 12 else 4)
    rows = ceil(n / columns)
    width = theme.WIDTH * max(0.7, min(1.1, columns / 5.5))
    size = (width, rows * 0.95 * width / columns + 1.0)
    figure, grid = pyplot().subplots(
        rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained"
    )
    figure.get_layout_engine().set(hspace=0.02, wspace=0.02)
    for spare in grid.ravel()[n:]:
        spare.set_axis_off()
        spare_above = grid[rows - 2, spare.get_subplotspec().colspan.start]
        spare_above.tick_params(labelbottom=True)
    return grid.ravel()[:n]


def square(k: int, ax: Any, panel: float) -> np.ndarray:
    """Axes (k, k): those given, or those of a new figure with panels of so many inches."""
    if ax is not None:
        return _given(k * k, ax, "parameters").reshape(k, k)
    side = max(theme.WIDTH / 2, min(1.6 * theme.WIDTH, k * panel + 0.6))
    return pyplot().subplots(k, k, figsize=(side, 0.9 * side), squeeze=False, layout="constrained")[1]


def _given(n: int, ax: Axes | Sequence[Axes], choose: str) -> np.ndarray:
    """`ax` as an array of `n` axes; `choose` is the argument that decides which panels."""
    given = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
    if n == 1 != len(given):
        raise FitError(
            f"This picture has one panel but ax= holds {len(given)} axes. Give one of them: ax=axes[0].", topic="axes"
        )
    if len(given) != n:
        raise FitError(
            f"This picture has {n} panels but ax= holds {len(given)} axes. "
            f"Give {n}, e.g. plt.subplots(1, {n})[1], or choose the panels with {choose}=.",
            topic="axes",
        )
    return given
