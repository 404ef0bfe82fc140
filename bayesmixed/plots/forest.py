"""How far several fits agree: the same coefficients with their intervals, fit beside fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ..errors import FitError, nearest, with_known_options
from ..fits.base import is_fit
from ..fits.tables import scalar_table
from ..fits.told_apart import numbered
from .drawing import canvas, marks, theme
from .drawing.picture import Picture, picture
from .shown.observed import link_scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..fits.base import Fit

_SPREAD = 0.6  # of a row that the fits share
_ROW_HEIGHT = 0.17  # inches that one interval takes


@with_known_options
def forest(
    *fits: Fit,
    parameters: str | Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    level: float = 0.95,
    ax: Axes | None = None,
) -> Picture:
    """Draw coefficients of several fits with intervals, one row per coefficient and a colour per fit.

    Parameters
    ----------
    *fits
        Any fits, of one model or of several.
    parameters
        Some parameters as `bm.side_by_side` calls them, such as ``"Days"``, ``"sd(Days | Subject)"`` or ``"sigma"``;
        None for all fixed effects but the intercept, whose size would crush the others (it is drawn where it is the
        only one).
    labels
        What to call the fits; None for their methods (ML, NUTS, ...).
    level
        Coverage of the intervals, see `forest_frame`.
    ax
        Where to draw; None for a new figure.

    Returns
    -------
    Picture
        One panel, with `forest_frame`.

    Raises
    ------
    FitError
        If there is no fit, a parameter that none of them has, not one label per fit, more fits than colours, or
        `level` is not in (0, 1).

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))
    >>> ax = bm.plot.forest(model.fit("ml"), model.fit("reml"))
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['Days']
    """
    frame = forest_frame(*fits, parameters=parameters, labels=labels, level=level)
    names, shown = list(dict.fromkeys(frame["parameter"])), list(dict.fromkeys(frame["fit"]))
    with canvas.style(ax):
        axes = canvas.one_axes(ax, max(theme.LEAST_HEIGHT, len(names) * (0.1 + _ROW_HEIGHT * len(shown))) + 1.2)
        for i, (name, color) in enumerate(zip(shown, theme.categories(len(shown), "fits"), strict=True)):
            _intervals(axes, frame[frame["fit"] == name], names, _offset(i, len(shown)), color)
        axes.axvline(0, color=theme.REFERENCE, lw=0.8, zorder=1)
        axes.set_yticks(np.arange(len(names)), [theme.column_name(name) for name in names])
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlabel(f"estimate{_scale(fits)}, {100 * level:g} % intervals")
        axes.set_title(_title(fits) if len(shown) > 1 else f"{_title(fits)}, {shown[0]}")
        if len(shown) > 1:
            entries = [("dot", color, theme.short(name)) for name, color in zip(shown, theme.CATEGORIES, strict=False)]
            marks.legend(axes, entries, outside=ax is None)
    return picture(axes, frame)


@with_known_options
def forest_frame(
    *fits: Fit,
    parameters: str | Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """What `forest` draws: estimates of several fits with intervals.

    Parameters
    ----------
    *fits, parameters, labels
        As in `forest`.
    level
        Coverage. Draws give posterior means and equal-tailed quantiles; point fits estimate +- normal quantile x
        standard error of fixed effects, and no interval of other parameters.

    Returns
    -------
    DataFrame
        fit, parameter, estimate, lower, upper; a fit that lacks a parameter has no row for it.

    Raises
    ------
    FitError
        As `forest`.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))
    >>> bm.plot.forest_frame(model.fit("reml"), parameters=["Days", "sigma"]).round(1).to_numpy().tolist()
    [['REML', 'Days', 10.5, 7.4, 13.5], ['REML', 'sigma', 25.6, nan, nan]]
    """
    canvas.check_level(level)
    names = _labels(fits, labels)
    tables = [_estimates(fit, level).assign(fit=name) for fit, name in zip(fits, names, strict=True)]
    frame = pd.concat(tables, ignore_index=True)
    chosen = _chosen(parameters, frame)
    frame = frame[frame["parameter"].isin(chosen)]
    order = frame["parameter"].map(chosen.index).sort_values(kind="stable").index
    return frame.loc[order, ["fit", "parameter", "estimate", "lower", "upper"]].reset_index(drop=True)


def _labels(fits: Sequence[Fit], labels: Sequence[str] | None) -> list[str]:
    """A name per fit; a method that occurs again gets #2, #3, ..."""
    if not fits or not all(is_fit(fit) for fit in fits):
        raise FitError(
            'forest draws fits: bm.plot.forest(model.fit("ml"), model.fit("nuts", seed=1)).', topic="needs-a-fit"
        )
    if labels is None:
        return numbered([fit.label for fit in fits])
    if isinstance(labels, str) or len(labels) != len(fits) or len(set(labels)) != len(labels):
        raise FitError(f"labels={labels!r}: give {len(fits)} different ones, one per fit.", topic="labels")
    return list(labels)


def _estimates(fit: Fit, level: float) -> pd.DataFrame:
    """Every population parameter of a fit: parameter, kind, estimate, lower, upper."""
    scalars = scalar_table(fit.model.design, fit.parameters)
    estimates = np.array([np.mean(values) for values in scalars["values"]])
    lower = np.full(len(scalars), np.nan)
    upper = lower.copy()
    if not fit.sampled:
        half = ndtri((1 + level) / 2) * np.sqrt(np.diag(fit.vcov().to_numpy()))
        p = len(half)
        lower[:p], upper[:p] = estimates[:p] - half, estimates[:p] + half
    else:
        for i, values in enumerate(scalars["values"]):
            lower[i], upper[i] = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    shown = {"parameter": scalars["label"], "kind": scalars["kind"]}
    return pd.DataFrame(shown | {"estimate": estimates, "lower": lower, "upper": upper})


def _chosen(parameters: str | Sequence[str] | None, frame: pd.DataFrame) -> list[str]:
    known = list(dict.fromkeys(frame["parameter"]))
    if parameters is None:
        fixed = [name for name in known if (frame.loc[frame["parameter"] == name, "kind"] == "fixed").any()]
        return [name for name in fixed if name != "Intercept"] or fixed or known
    names = [parameters] if isinstance(parameters, str) else list(parameters)
    for name in names:
        if name not in known:
            raise FitError(
                f"No fit has a parameter {name!r}. {nearest(str(name), known, 'Parameters')}", topic="no-such-parameter"
            )
    if not names:
        raise FitError(f"parameters=[] draws nothing. Parameters: {', '.join(known)}.", topic="nothing-named")
    return names


def _offset(i: int, n: int) -> float:
    return _SPREAD * ((i + 0.5) / n - 0.5)


def _intervals(ax: Axes, rows: pd.DataFrame, names: list[str], offset: float, color: str) -> None:
    at = np.array([names.index(name) for name in rows["parameter"]]) + offset
    ax.hlines(at, rows["lower"], rows["upper"], color=color, lw=theme.LINE, zorder=2)
    ax.plot(rows["estimate"], at, "o", color=color, ms=theme.MARKER, mew=0, zorder=3)


def _scale(fits: Sequence[Any]) -> str:
    scales = list(dict.fromkeys(link_scale(fit.model) for fit in fits))
    return scales[0] if len(scales) == 1 else " (scales differ)"


def _title(fits: Sequence[Any]) -> str:
    formulas = list(dict.fromkeys(fit.model.formula.line for fit in fits))
    responses = list(dict.fromkeys(fit.model.design.response.name for fit in fits if fit.model.design.response))
    if len(formulas) == 1:
        return theme.short(formulas[0], theme.TITLE_LENGTH)
    return theme.short(f"{', '.join(responses)}: {len(formulas)} models", theme.TITLE_LENGTH)
