"""How much of the variance lies between the levels of each grouping factor?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import BayesMixedError, FitError, nearest
from ..fits.base import is_fit
from ..fits.caution import with_caution
from .anova import anova_shares
from .answer import Answer
from .distribution import Options
from .part import part
from .variances import variances

if TYPE_CHECKING:
    from ..fits.base import Fit
    from ..model import Model

METHODS = ("model", "anova")
ALL = "(all)"
MOST_LEVELS = 50  # fits for one table
_TAILS = (0.025, 0.975)
_SHARES = ("adjusted", "conditional")
COLUMNS = ["variance", *(f"{share}{end}" for share in _SHARES for end in ("", "_lower", "_upper"))]


def icc(
    fit: Fit,
    by: str | None = None,
    *,
    method: str = "model",
    approximation: str = "lognormal",
    mean: str | float | None = None,
) -> Answer:
    """Intraclass correlations: each grouping factor's share of the variance, on the link scale.

    Parameters
    ----------
    fit
        Any fit with random effects, singular ones included. Draws give posterior means and 95 % intervals.
    by
        A column that the formula uses: the same model is fitted to the rows of each of its levels alone.
    method
        "model": variance components of the fit. "anova": (MSB - MSW) / (MSB + (n0 - 1) MSW) from the mean squares of
        the response between and within levels, one factor at a time, fixed effects ignored; it can be negative.
        Its intervals (95 %) are Searle's, exact where all levels have as many rows.
    approximation
        Variance of a log-link response on the log scale: "lognormal", "trigamma" or "delta".
    mean
        Where the variance on the link scale depends on the mean: that of the model without predictors at a typical
        level ("null", what point fits take), averaged over levels with a log link ("marginal"), that over the rows at
        the fixed effects ("rows", what draws take), or a number.

    Returns
    -------
    Answer
        Prints as a table. `frame` is indexed by grouping factor, with ``(all)`` for their sum (and, with `by`, by
        level first): `variance`; `adjusted`, the share of random plus residual variance; `conditional`, of all
        variance, fixed effects included; each with `_lower` and `_upper`, NaN for a point fit.

    Raises
    ------
    FitError
        A model without random effects, a `by` that it does not use, a link without a variance (cauchit).

    Notes
    -----
    Of random slopes the mean over the rows of z' Sigma z counts (Johnson 2014), so the columns of one factor count
    together and the origin of x does not matter, correlated or not. A generalized model's factor with a level per row
    counts as residual. With precision weights w the residual variance is the mean of sigma^2 / w over the rows. A row
    of frequency weight w is w rows.

    References
    ----------
    Nakagawa, Johnson & Schielzeth (2017), J. R. Soc. Interface 14: 20170213. Johnson (2014), Methods Ecol. Evol. 5,
    944-946. Searle (1971), Linear Models, section 9.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")
    >>> float(bm.icc(fit).frame.loc["Batch", "adjusted"].round(4))
    0.4185
    """
    if method not in METHODS:
        raise FitError(f"method={method!r} is not an option. {nearest(method, METHODS)}")
    options = Options(approximation, mean)
    _check_bars(fit)
    if by is None:
        frame, notes = _shares(fit, method, options)
    else:
        frame, notes = _by_level(fit, by, method, options)
    what = "by the model" if method == "model" else "by analysis of variance"
    where = "" if by is None else f", for each {by}"
    return Answer(f"Share of variance between levels (ICC), {what}{where}", frame, notes)


def _check_bars(fit: Fit) -> None:
    if not is_fit(fit):
        raise FitError(f'icc is of a fit, not of {fit!r}: write bm.icc(model.fit("reml")).')
    if not fit.model.design.groups:
        raise FitError(
            "The model has no random effects, so no variance lies between groups. Add a bar: "
            f"{fit.model.formula} + (1 | g)."
        )


def _shares(fit: Fit, method: str, options: Options) -> tuple[pd.DataFrame, tuple[str, ...]]:
    if method == "anova":
        frame, notes = anova_shares(fit.model)
        return frame.reindex(columns=COLUMNS), notes
    found = variances(fit, options)
    parts = found.by_factor | {ALL: found.random}
    rows = {
        name: {"variance": float(values.mean())}
        | _summary("adjusted", values, found.unexplained)
        | _summary("conditional", values, found.total)
        for name, values in parts.items()
    }
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS).rename_axis("group")
    return frame, with_caution(found.notes, fit)


def _summary(name: str, values: np.ndarray, total: np.ndarray) -> dict[str, float]:
    """The share, averaged over draws, with its interval where there is more than one."""
    share = np.divide(values, total, out=np.full(len(total), np.nan), where=total > 0)
    lower, upper = np.quantile(share, _TAILS) if len(share) > 1 else (np.nan, np.nan)
    return {name: float(share.mean()), f"{name}_lower": float(lower), f"{name}_upper": float(upper)}


def _by_level(fit: Fit, by: str, method: str, options: Options) -> tuple[pd.DataFrame, tuple[str, ...]]:
    frames, notes = {}, []
    for level, rows in _levels(fit.model, by):
        try:
            model = part(fit.model, rows)
            _check_levels(model)
            own = fit if method == "anova" else _refitted(fit, model)
            found, said = _shares_of(own, model, method, options)
        except (BayesMixedError, np.linalg.LinAlgError) as error:
            found = pd.DataFrame(np.nan, index=[ALL], columns=COLUMNS)
            said = (str(error),)
        frames[level] = found
        notes += [f"{by} {level}: {text}" for text in said]
    return pd.concat(frames, names=[by, "group"]), tuple(notes)


def _shares_of(fit: Fit, model: Model, method: str, options: Options) -> tuple[pd.DataFrame, tuple[str, ...]]:
    if method == "anova":
        frame, _ = anova_shares(model)
        return frame.reindex(columns=COLUMNS), ()
    return _shares(fit, method, options)


def _refitted(fit: Fit, model: Model) -> Any:
    return model.fit(fit.engine.for_part(fit.model, model), seed=getattr(fit, "seed", None))


def _check_levels(model: Model) -> None:
    for term in model.design.groups:
        if term.n_levels < 2:
            raise FitError(f"{term.factor} has one level only, so nothing varies between its levels.")


def _levels(model: Model, by: str) -> Iterator[tuple[Any, np.ndarray]]:
    """Each level of a column with the positions of its rows."""
    if by not in model.frame.columns:
        known = [str(name) for name in model.frame.columns]
        raise FitError(f"by={by!r} is not a column that the formula uses. {nearest(by, known, 'Columns')}")
    if by in {term.factor for term in model.design.groups}:
        raise FitError(f"by={by!r} is a grouping factor: within one of its levels nothing varies between them.")
    column = model.frame[by]
    values = column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else np.unique(column)
    if len(values) > MOST_LEVELS:
        raise FitError(
            f"by={by!r} has {len(values)} values, each of which needs a fit of its own. Group them first, "
            f'e.g. data["band"] = pd.cut(data["{by}"], 4).'
        )
    used = model.design.used
    for value in values:
        rows = np.flatnonzero((column == value).to_numpy() & used)
        if len(rows):
            yield value, rows
