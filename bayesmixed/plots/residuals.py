"""Do residuals depend on the fitted values, and are they distributed as the family says: two panels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import FitError, brief, nearest, with_known_options
from ..fits.base import is_fit
from .drawing import canvas, theme
from .drawing.normal import draw_points, normal_quantiles
from .drawing.picture import Picture, picture
from .shown.titles import response_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..fits.base import Fit

PANELS = ("fitted", "qq")
CLASSES = 20  # of fitted values, at most, whose mean residuals make the line
LEAST = 10  # rows of a class


@with_known_options
def residuals(
    fit: Fit,
    panel: str | None = None,
    *,
    kind: str = "quantile",
    re: str | Sequence[str] = "all",
    level: float = 0.95,
    seed: int | None = None,
    ax: Any = None,
) -> Picture:
    """Draw residuals against fitted values, and their quantiles against normal ones.

    Quantile residuals are normal if the model is true, whatever its family: those of discrete responses are drawn at
    random within the probability of the value. In the first panel look for a bend (a missing term, another link) and
    for a width that changes (another family), in the second for points that leave the band. `bm.residual_checks`
    tests the same.

    Parameters
    ----------
    fit
        Any fit; of draws residuals are taken at the posterior means.
    panel
        "fitted" or "qq"; None for both.
    kind
        "quantile", "pearson", "deviance" or "response", as in `Fit.residuals`.
    re
        Random effects that the fitted values include, as in `Fit.residuals`.
    level
        Probability with which normal residuals stay within the band of the second panel, all of them.
    seed
        Of quantile residuals of discrete responses.
    ax
        One Axes per panel; None for a new figure.

    Returns
    -------
    Picture
        One panel or two, with `residuals_frame`.

    Raises
    ------
    FitError
        For a panel or a kind that does not exist.

    References
    ----------
    Dunn & Smyth (1996), J. Comput. Graph. Stat. 5, 236-244. The band: Aldor-Noiman, Brown, Buja, Rolke & Stine (2013),
    The American Statistician 67, 249-260.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> [ax.get_title() for ax in bm.plot.residuals(fit)]
    ['Against fitted values', 'Against normal quantiles']
    """
    if panel is not None and panel not in PANELS:
        raise FitError(f"panel={panel!r} is not a panel of residuals. {nearest(panel, PANELS)}", topic="unknown-option")
    canvas.check_level(level)
    frame = residuals_frame(fit, kind=kind, re=re, seed=seed)
    names = PANELS if panel is None else (panel,)
    with canvas.style(ax):
        axes = canvas.panels(len(names), ax, theme.HEIGHT - 2.0, per_row=2, choose="panel")
        for each, name in zip(axes, names, strict=True):
            if name == "fitted":
                _against_fitted(each, frame, fit)
            else:
                draw_points(each, frame["normal"].to_numpy(), frame["residual"].to_numpy(), level)
                each.set_title("Against normal quantiles")
        axes[0].set_ylabel(f"{kind} residual")
        if ax is None:
            axes[0].figure.suptitle(f"Residuals of {response_name(fit)} ({fit.label})")
    return picture(axes, frame)


@with_known_options
def residuals_frame(
    fit: Fit, *, kind: str = "quantile", re: str | Sequence[str] = "all", seed: int | None = None
) -> pd.DataFrame:
    """What `residuals` draws: one row per row of positive weight.

    Parameters
    ----------
    fit, kind, re, seed
        As in `residuals`.

    Returns
    -------
    DataFrame
        fitted (of the mean response), residual, normal (the normal quantile that goes with its rank); indexed as the
        data.

    Raises
    ------
    FitError
        For a kind that does not exist.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")
    >>> bm.plot.residuals_frame(fit).columns.tolist()
    ['fitted', 'residual', 'normal']
    """
    if not is_fit(fit):
        raise FitError(
            f'A fit can be drawn, not {brief(fit)}: write model.fit("reml") or model.fit("nuts", seed=1) first.',
            topic="needs-a-fit",
        )
    found = fit.residuals(kind, re=re, seed=seed).to_numpy()
    fitted = fit.predict(re=re)["estimate"].to_numpy()
    used = np.isfinite(found) & fit.model.design.used
    found = found[used]
    columns = {"fitted": fitted[used], "residual": found, "normal": normal_quantiles(found)}
    return pd.DataFrame(columns, index=fit.model.design.index[used])


def _against_fitted(ax: Axes, frame: pd.DataFrame, fit: Fit) -> None:
    n = len(frame)
    ax.axhline(0, color=canvas.ink(ax), lw=0.8, zorder=1)
    size, alpha = 0.8 * theme.marker_size(n), 0.8 if n <= 500 else 0.35
    ax.plot(frame["fitted"], frame["residual"], "o", color=theme.ESTIMATE, ms=size, mew=0, alpha=alpha, zorder=2)
    middle, mean = _means(frame)
    ax.plot(middle, mean, color=theme.CATEGORIES[1], lw=1.6, zorder=3)
    ax.set_xlabel(f"fitted {response_name(fit)}")
    ax.set_title("Against fitted values")


def _means(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Mean fitted value and mean residual of rows in classes of about equal size, by fitted value."""
    ordered = frame.sort_values("fitted", kind="stable")
    classes = max(1, min(CLASSES, len(ordered) // LEAST))
    at = np.arange(len(ordered)) * classes // max(len(ordered), 1)
    means = ordered.groupby(at)[["fitted", "residual"]].mean()
    return means["fitted"].to_numpy(), means["residual"].to_numpy()
