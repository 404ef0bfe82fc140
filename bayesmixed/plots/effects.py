"""How the mean response changes with each column, all else equal: marginal effects with bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..design.columns.factors import level_text
from ..effects.emmeans import emmeans
from ..effects.rows.called import called
from ..effects.rows.used_columns import Variable, only_in_offsets
from ..errors import FitError, with_known_options
from .drawing import across, canvas, marks, theme
from .drawing.picture import Picture, picture
from .shown.observed import response_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..fits.base import Fit

POINTS = 61  # of a curve
_HEIGHT = 2.5  # inches of a panel
_DODGE = 0.28  # of the distance between two levels
_KINDS = {"conditional": "random effects zero", "population": "population-averaged"}


@with_known_options
def effects(
    fit: Fit,
    variables: str | Sequence[str] | None = None,
    by: str | None = None,
    *,
    at: Mapping[str, Any] | None = None,
    kind: str = "conditional",
    level: float = 0.95,
    ax: Any = None,
) -> Picture:
    """Draw the mean response along one or several columns, with bands; one panel per column.

    Parameters
    ----------
    fit
        Any fit.
    variables
        Columns of the model; None for all of the fixed part but `by` and those that an offset alone reads.
    by
        A further column, whose levels (of a number its 5th and 95th percentile) get a curve each.
    at
        Values at which other columns are held, as in `bm.emmeans`.
    kind
        "conditional": for a group whose random effects are zero. "population": averaged over the random effects.
    level
        Coverage of the bands, see `effects_frame`.
    ax
        One Axes per panel; None for a new figure.

    Returns
    -------
    Picture
        One panel per column, with `effects_frame`.

    Raises
    ------
    FitError
        If the mean depends on no column or not on one of those named, or an option does not exist.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("angle ~ recipe * temp + (1 | recipe:replicate)", bm.load_data("cake")).fit("reml")
    >>> [ax.get_xlabel() for ax in bm.plot.effects(fit)]
    ['recipe', 'temp']
    """
    known = across.columns(fit, "effects")
    variables, by, at = (called(fit.model, given) for given in (variables, by, at))
    frame = effects_frame(fit, variables, by, at=at, kind=kind, level=level)
    names = list(dict.fromkeys(frame["variable"]))
    splits = list(dict.fromkeys(frame["by"]))
    colors = dict(zip(splits, theme.categories(len(splits), by), strict=True))
    with canvas.style(ax):
        axes = canvas.panels(len(names), ax, _HEIGHT, per_row=2, choose="variables")
        for panel, name in zip(axes, names, strict=True):
            _panel(panel, known[name], frame[frame["variable"] == name], colors)
            across.name_axis(panel, known[name])
            panel.set_ylabel(response_axis(fit.model))
            if ax is None and panel.get_subplotspec().colspan.start > 0:
                panel.set_ylabel("")
        if ax is None:
            axes[0].figure.suptitle(f"{_what(fit, kind)}, {100 * level:g} % intervals")
        if by is not None:
            marks.legend(axes[0], marks.entries("line", colors), outside=ax is None, title=theme.short(by))
    return picture(axes, frame)


@with_known_options
def effects_frame(
    fit: Fit,
    variables: str | Sequence[str] | None = None,
    by: str | None = None,
    *,
    at: Mapping[str, Any] | None = None,
    kind: str = "conditional",
    level: float = 0.95,
) -> pd.DataFrame:
    """What `effects` draws: marginal means of the response along columns, as `bm.emmeans` defines them.

    Parameters
    ----------
    fit, variables, by, at, kind
        As in `effects`.
    level
        Coverage of the limits, which are made on the link scale and transformed back.

    Returns
    -------
    DataFrame
        variable, value (of it), by (its level as text; empty without `by`), estimate, lower, upper. Other numbers are
        held at their means; factors are averaged over with equal weights, on the link scale for conditional means.

    Raises
    ------
    FitError
        As `effects`.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> bm.plot.effects_frame(fit, "Days").iloc[[0, -1]]["estimate"].round(1).tolist()
    [251.4, 345.6]
    """
    known = across.columns(fit, "effects")
    variables, by, at = (called(fit.model, given) for given in (variables, by, at))
    if by is not None:
        across.chosen(known, by)
    names = _named(fit, known, variables, by)
    parts = [_along(fit, across.chosen(known, name), by, dict(at or {}), kind, level) for name in names]
    return pd.concat(parts, ignore_index=True)


def _named(fit: Fit, known: dict[str, Variable], variables: Any, by: str | None) -> list[str]:
    if variables is None:
        exposures = only_in_offsets(fit.model)
        return [name for name in across.fixed(fit) if name != by and name not in exposures] or list(known)[:1]
    names = [variables] if isinstance(variables, str) else list(dict.fromkeys(variables))
    if not names or by in names:
        raise FitError(
            f"variables={variables!r} with by={by!r} draws nothing: name at least one other column.",
            topic="nothing-to-draw",
        )
    return names


def _along(fit: Fit, column: Variable, by: str | None, at: dict[str, Any], kind: str, level: float) -> pd.DataFrame:
    values = at.get(column.name)
    if values is None:
        values = _grid(column)
    named = [column.name] if by is None else [column.name, by]
    found = emmeans(fit, named, at=at | {column.name: values}, scale="response", kind=kind, level=level).frame
    splits = "" if by is None else [_text(value) for value in found[by]]
    shown = {"variable": column.name, "value": found[column.name].astype(object), "by": splits}
    return pd.DataFrame(shown | {name: found[name].to_numpy() for name in ("estimate", "lower", "upper")})


def _grid(column: Variable) -> Any:
    if not across.continuous(column):
        return across.shown(column)
    return np.linspace(column.data.min(), column.data.max(), POINTS)


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float | np.floating) else level_text(value)


def _panel(ax: Axes, column: Variable, rows: pd.DataFrame, colors: dict[str, str]) -> None:
    for i, (name, color) in enumerate(colors.items()):
        own = rows[rows["by"] == name]
        at = across.places(column, own["value"])
        if across.continuous(column):
            ax.fill_between(at, own["lower"], own["upper"], color=color, alpha=0.2, lw=0, zorder=1)
            ax.plot(at, own["estimate"], color=color, lw=1.6, zorder=2)
        else:
            at = at + (_DODGE * (2 * i - len(colors) + 1) / len(colors))
            ax.vlines(at, own["lower"], own["upper"], color=color, lw=1.6, zorder=2)
            ax.plot(at, own["estimate"], "o", color=color, ms=theme.MARKER, mew=0, zorder=3)


def _what(fit: Fit, kind: str) -> str:
    """The method and, where it matters, what became of the random effects."""
    if not fit.model.design.mu.groups or (fit.model.family.linear and kind == "conditional"):
        return f"Marginal means, {fit.label}"
    return f"Marginal means ({_KINDS[kind]}), {fit.label}"
