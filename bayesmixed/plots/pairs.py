"""How parameters depend on each other in the posterior: a panel per pair, divergent draws marked."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import FitError, with_known_options
from .drawing import canvas, marks, theme
from .drawing.kernel_density import kernel_density
from .drawing.picture import Picture, picture
from .shown.drawn import Scalar, chosen, refuse_point_fit, scalars

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..fits.base import Fit

MOST = 6  # parameters, unless named
_PANEL = 1.35  # inches
_DIVERGENT = "#D55E00"
_LABEL_LENGTH = 18
_TITLE_LENGTH = 18  # letters above each panel of the top row


@with_known_options
def pairs(fit: Fit, parameters: str | Sequence[str] | None = None, *, max_draws: int = 1000, ax: Any = None) -> Picture:
    """Draw every pair of parameters: draws below the diagonal, densities on it, correlations above it.

    Parameters
    ----------
    fit
        A fit with draws.
    parameters
        Names as in `bm.side_by_side`, such as ``"Days"`` or ``"sd(Days | Subject)"``; None for the first six.
    max_draws
        With more draws than this, as many dots are drawn, evenly spaced; densities and correlations use all.
    ax
        k * k Axes for k parameters, row by row; None for a new figure.

    Returns
    -------
    Picture
        Its ``.axes`` are (k, k), with `pairs_frame`. Draws of a divergent transition are marked and stand before the
        others. The title names the parameters that are left out unless some were asked for.

    Raises
    ------
    FitError
        If the fit has no draws or no such parameter, or `max_draws` is below 1.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
    >>> bm.plot.pairs(model.fit("laplace", seed=1)).axes.shape
    (3, 3)
    """
    if max_draws < 1:
        raise FitError(f"max_draws={max_draws} draws nothing: give at least 1.", topic="nothing-to-draw")
    refuse_point_fit(fit, "pairs")
    table = scalars(fit)
    names = chosen(parameters, list(table), list(table)[:MOST])
    k, divergent = len(names), _divergent(fit)
    kept = np.union1d(theme.evenly(divergent.size, min(max_draws, divergent.size)), np.flatnonzero(divergent))
    with canvas.style(ax):
        axes: Any = canvas.square(k, ax, _PANEL)
        for i, j in np.ndindex(k, k):
            _panel(axes[i, j], table[names[j]], table[names[i]], np.sign(i - j), kept, divergent)
            _frame(axes[i, j], i, j, names)
        if ax is None:
            left = [] if parameters is not None else [name for name in table if name not in names]
            axes[0, 0].figure.align_ylabels(axes[:, 0])
            axes[0, 0].figure.suptitle(f"{fit.label}, {divergent.size} draws{_without(left, _TITLE_LENGTH * k)}")
            if divergent.any():
                entry = ("dot", _DIVERGENT, f"{divergent.sum()} divergent transitions")
                marks.legend(axes[0, 0], [entry], outside=True)
    return picture(axes, _tidy(fit, {name: table[name] for name in names}))


@with_known_options
def pairs_frame(fit: Fit, parameters: str | Sequence[str] | None = None) -> pd.DataFrame:
    """What `pairs` draws: every draw of the parameters.

    Parameters
    ----------
    fit, parameters
        As in `pairs`.

    Returns
    -------
    DataFrame
        One row per chain, draw and parameter: chain, draw, divergent, parameter, value.

    Raises
    ------
    FitError
        If the fit has no draws or no such parameter.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
    >>> frame = bm.plot.pairs_frame(model.fit("laplace", seed=1), ["sd(Intercept | Batch)", "sigma"])
    >>> frame.columns.tolist(), len(frame)
    (['chain', 'draw', 'divergent', 'parameter', 'value'], 2000)
    """
    refuse_point_fit(fit, "pairs")
    table = scalars(fit)
    names = chosen(parameters, list(table), list(table)[:MOST])
    return _tidy(fit, {name: table[name] for name in names})


def _tidy(fit: Fit, table: dict[str, Scalar]) -> pd.DataFrame:
    """Every draw of these parameters."""
    chains, draws = fit.parameters.beta.shape[:2]
    parts = [
        pd.DataFrame(
            {
                "chain": np.repeat(np.arange(chains), draws),
                "draw": np.tile(np.arange(draws), chains),
                "divergent": _divergent(fit),
                "parameter": name,
                "value": scalar.values,
            }
        )
        for name, scalar in table.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _without(left: list[str], width: int) -> str:
    """The lines of a title that name the parameters left out, three at most."""
    if not left:
        return ""
    text = f"without {', '.join(left)}"
    return "\n" + fill(text, width, max_lines=3, placeholder=theme.ELLIPSIS, break_on_hyphens=False)


def _divergent(fit: Fit) -> np.ndarray:
    """Which draws (chains * draws,) ended in a divergent transition; none where the method has no transitions."""
    found = getattr(fit, "statistics", {}).get("diverging")
    return np.zeros(fit.parameters.n_draws, dtype=bool) if found is None else np.asarray(found, dtype=bool).ravel()


def _panel(ax: Any, x: Scalar, y: Scalar, place: int, kept: np.ndarray, divergent: np.ndarray) -> None:
    """One panel; `place` is 1 below the diagonal, 0 on it, -1 above it."""
    if place < 0:
        r = round(float(np.corrcoef(x.values, y.values)[0, 1]), 2) + 0.0  # no -0.00
        ax.text(0.5, 0.5, f"{r:.2f}", transform=ax.transAxes, ha="center", va="center", fontsize=8 + 5 * abs(r))
        return
    ax.set_xlim(*_limits(x.values))
    if place == 0:
        value, density = kernel_density(x.values, x.low, x.high)
        ax.fill_between(value, 0, density, color=theme.INTERVAL_MANY, lw=0)
        ax.plot(value, density, color=theme.ESTIMATE, lw=1.0)
        ax.set_ylim(0, 1.08 * density.max())
        return
    ax.plot(x.values[kept], y.values[kept], "o", ms=1.6, mew=0, alpha=0.35, color=theme.ESTIMATE, rasterized=True)
    bad = kept[divergent[kept]]
    ax.plot(x.values[bad], y.values[bad], "o", ms=3.0, mew=0, color=_DIVERGENT, zorder=3)
    ax.set_ylim(*_limits(y.values))


def _limits(values: np.ndarray) -> tuple[float, float]:
    margin = 0.05 * np.ptp(values)
    return float(values.min() - margin), float(values.max() + margin)


def _frame(ax: Axes, i: int, j: int, names: list[str]) -> None:
    last = len(names) - 1
    ax.tick_params(labelsize=7)
    ax.locator_params(nbins=3)
    if i < j:
        ax.set_axis_off()
        return
    if i == last:
        ax.set_xlabel(theme.wrapped(names[j], _LABEL_LENGTH), fontsize=8)
    else:
        ax.tick_params(labelbottom=False)
    if i == j:
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
    if j > 0:
        ax.tick_params(labelleft=False)
    else:
        ax.set_ylabel(theme.wrapped(names[i], _LABEL_LENGTH), fontsize=8)
