"""Does the fitted model give data like those observed: the response beside replicates of it, seen in several ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..checks.predictive.statistics import NAMED
from ..errors import FitError, nearest, with_known_options
from .drawing import canvas, marks, theme
from .drawing.picture import Picture, picture
from .pp_checks import counts, intervals, shapes
from .pp_checks.asked import Asked, CheckOptions, PictureKind, replicates
from .pp_checks.statistic import STATISTIC
from .shown.titles import response_name

if TYPE_CHECKING:
    from ..fits.base import Fit

KINDS: dict[str, PictureKind] = {
    "density": shapes.DENSITY,
    "ecdf": shapes.ECDF,
    "intervals": intervals.INTERVALS,
    "bars": counts.BARS,
    "rootogram": counts.ROOTOGRAM,
    "statistic": STATISTIC,
}
PANEL_HEIGHT = 1.5  # inches, of several
MAX_PANELS = 24
PER_ROW = 3


@with_known_options
def pp_check(
    fit: Fit,
    kind: str | None = None,
    *,
    statistic: str | Callable[..., Any] = "sd",
    by: Any = None,
    n: int | None = None,
    re: str = "all",
    level: float = 0.9,
    seed: int | None = None,
    ax: Any = None,
) -> Picture:
    """Draw the observed response over replicates that the fitted model gives.

    Of a fit with draws every replicate has parameters of its own (a posterior predictive check); of a point fit they
    are held at their estimates. `bm.pp_check` gives such comparisons as numbers.

    Parameters
    ----------
    fit
        Any fit.
    kind
        "density": kernel densities; "ecdf": distribution functions; "intervals": each row, or with ``by=`` each
        group's mean, with the interval of its replicates; "bars": how often each count was observed, with intervals;
        "rootogram": the same as square roots, observed bars hanging from the expected curve, so that departures show
        along the zero line whatever the height; "statistic": a histogram of a statistic of the replicates. None:
        "bars" for counts and 0-1 responses, "density" for others.
    statistic
        For that kind: a name or a function, as in `bm.pp_check`.
    by
        A grouping factor, a column of the model's table, or one value per row used: one panel per level ("intervals":
        one interval per level).
    n
        Number of replicates: 50 curves, 500 for other kinds.
    re
        "all": new responses of the levels in the data; "new": of levels drawn anew.
    level
        Coverage of intervals; of "intervals" the outer one, around one of half of it.
    seed
        Same seed, same replicates.
    ax
        One Axes per panel; None for a new figure.

    Returns
    -------
    Picture
        One panel, or with ``by=`` one per level, with `pp_check_frame`.

    Raises
    ------
    FitError
        For a kind or column that does not exist, counts of a response that has none, more levels than panels can
        show, a statistic that fails (naming the replicate).

    References
    ----------
    Gabry, Simpson, Vehtari, Betancourt & Gelman (2019), J. R. Stat. Soc. A 182, 389-402; Kleiber & Zeileis (2016),
    The American Statistician 70, 296-303, for rootograms.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> len(bm.plot.pp_check(fit, seed=1)), len(bm.plot.pp_check(fit, "ecdf", by="Subject", seed=1))
    (1, 18)
    """
    chosen, asked = _prepared(fit, kind, CheckOptions(statistic, by, n, re, level, seed))
    if chosen.per_level and len(asked.panels) > MAX_PANELS:
        raise FitError(
            f"{len(asked.panels)} levels of {asked.by_name} make more panels than can be read ({MAX_PANELS}): "
            'kind="intervals" draws one interval per level, bm.pp_check(fit, by=) gives the numbers.',
            topic="too-much-to-see",
        )
    frame = chosen.frame(asked)
    names = list(dict.fromkeys(frame["panel"]))
    with canvas.style(ax):
        one = len(names) == 1
        axes = canvas.panels(len(names), ax, theme.HEIGHT - 1.4 if one else PANEL_HEIGHT, PER_ROW, choose="by")
        titles = [_title(fit, asked)] if one else theme.level_labels(names)
        for panel, name, title in zip(axes, names, titles, strict=True):
            chosen.draw(panel, frame[frame["panel"] == name], asked)
            panel.set_title(title)
        if chosen.one_range:
            _one_range(axes)
        _labelled(axes, chosen.labels(asked), PER_ROW if ax is None and not one else None)
        if ax is None and not one:
            axes[0].figure.suptitle(f"{_title(fit, asked)}, by {asked.by_name}")
        marks.legend(axes[0], chosen.legend(asked, canvas.ink(axes[0])), outside=ax is None)
    return picture(axes, frame)


@with_known_options
def pp_check_frame(
    fit: Fit,
    kind: str | None = None,
    *,
    statistic: str | Callable[..., Any] = "sd",
    by: Any = None,
    n: int | None = None,
    re: str = "all",
    level: float = 0.9,
    seed: int | None = None,
) -> pd.DataFrame:
    """What `pp_check` draws.

    Parameters
    ----------
    fit, kind, statistic, by, n, re, level, seed
        As in `pp_check`.

    Returns
    -------
    DataFrame
        `panel`, and by kind: "density" and "ecdf" source ("observed" or "replicate"), replicate, value, height;
        "intervals" label, position, observed, middle, lower, upper, inner_lower, inner_upper; "bars" and "rootogram"
        value (the first of a class), width, observed, expected, lower, upper (numbers of rows); "statistic"
        statistic, replicate, value, observed.

    Raises
    ------
    FitError
        As in `pp_check`.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")
    >>> frame = bm.plot.pp_check_frame(fit, "intervals", by="Batch", seed=1)
    >>> frame[["label", "observed"]].head(2).to_numpy().tolist()
    [['A', 1505.0], ['B', 1528.0]]
    """
    chosen, asked = _prepared(fit, kind, CheckOptions(statistic, by, n, re, level, seed))
    return chosen.frame(asked)


def _prepared(fit: Fit, kind: str | None, options: CheckOptions) -> tuple[PictureKind, Asked]:
    if kind is not None and kind not in KINDS:
        advice = nearest(str(kind), KINDS, "Kinds")
        if kind in NAMED:
            advice = f'It is a statistic: write kind="statistic", statistic="{kind}".'
        raise FitError(f"kind={kind!r} is not a picture of pp_check. {advice}", topic="unknown-option")
    canvas.check_level(options.level, usual=0.9)
    discrete = hasattr(fit, "model") and fit.model.family.discrete
    chosen = KINDS[kind or ("bars" if discrete else "density")]
    return chosen, replicates(fit, chosen.n, options)


def _title(fit: Fit, asked: Asked) -> str:
    return f"{response_name(fit)} and {asked.source.n} replicates ({fit.label})"


def _one_range(axes: np.ndarray) -> None:
    """The range of all panels together, from zero upwards."""
    ends = np.array([panel.get_xlim() for panel in axes])
    top = 1.05 * max(panel.dataLim.y1 for panel in axes)
    for panel in axes:
        panel.set_xlim(ends[:, 0].min(), ends[:, 1].max())
        panel.set_ylim(0, top)


def _labelled(axes: np.ndarray, labels: tuple[str, str], columns: int | None) -> None:
    """What the axes show; in a figure of several `columns` at its left and its bottom alone."""
    for i, panel in enumerate(axes):
        if columns is None or i + columns >= len(axes):
            panel.set_xlabel(labels[0])
        if i % (columns or len(axes)) == 0:
            panel.set_ylabel(labels[1])
