"""How much of the variance lies between the levels of each grouping factor?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...errors import BayesMixedError, FitError, nearest
from ...fits.base import is_fit
from ...fits.caution import with_caution
from ...messages import Told, retold
from ..answer import Answer
from ..part import part
from ..report.words import listed
from .anova import anova_shares
from .residual_variance import Options
from .slopes_share import between_at, slope_columns, words_over_rows
from .variances import Variances, share, variances

if TYPE_CHECKING:
    from ...fits.base import Fit
    from ...model import Model

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
    at: Any = None,
    method: str = "model",
    approximation: str = "lognormal",
    mean: str | float | None = "null",
) -> Answer:
    """Intraclass correlations: each grouping factor's share of the variance, on the link scale.

    Parameters
    ----------
    fit
        Any fit with random effects, singular ones included. Draws give posterior means and 95 % intervals.
    by
        A column that the formula uses: the same model is fitted to the rows of each of its levels alone.
    at
        For models with random slopes: the share where a column has the values given, ``at={"Days": [0, 9]}``, of the
        same fit; ``at="Days"`` takes all values of a column that has few, else its 5th and 95th percentiles.
    method
        "model": variance components of the fit. "anova": (MSB - MSW) / (MSB + (n0 - 1) MSW) from the mean squares of
        the response between and within levels, one factor at a time, fixed effects ignored; it can be negative.
        Its intervals (95 %) are Searle's, exact where all levels have as many rows.
    approximation
        Variance of a log-link response on the log scale: "lognormal" (the default of R's `performance`), "trigamma" or
        "delta". With much overdispersion or small counts they differ widely, so what the others give is printed too.
    mean
        Where the variance on the link scale depends on the mean: that of the model without predictors, fitted by ML
        whatever the engine, at a typical level ("null", as `performance` does), averaged over levels with a log link
        ("marginal"), that over the rows at the fixed effects ("rows"), or a number.

    Returns
    -------
    Answer
        Prints as a table. `frame` is indexed by grouping factor, with ``(all)`` for their sum (and, with `by` or `at`,
        by level or value first): `variance`; `adjusted`, the share of random plus residual variance; `conditional`,
        of all variance, fixed effects included (NaN with `at`); each with `_lower` and `_upper`, NaN for a point fit.

    Raises
    ------
    FitError
        A model without random effects, a `by` that it does not use, an `at` without slopes, a link without a variance
        (cauchit).

    Notes
    -----
    Of random slopes the mean over the rows of z' Sigma z counts (Johnson 2014), so the columns of one factor count
    together and the origin of x does not matter, correlated or not. Such a share is an average, and depends on which
    values of x were observed: `at` asks for it at values, the other columns as they are in the data.
    Successes have the variance of a latent variable (pi^2 / 3 with a logit link) whatever their mean; between
    asymptotes (guesses, lapses) that is the variance on the scale of the curve, and guesses and lapses themselves are
    not counted. A generalized model's factor with a level per row counts as residual. With precision weights w the
    residual variance is the mean of sigma^2 / w over the rows. A row of frequency weight w is w rows.

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
    >>> sleep = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> bm.icc(sleep, at={"Days": [0, 9]}).frame["adjusted"].xs("Subject", level="group").round(2).tolist()
    [0.48, 0.85]
    """
    if method not in METHODS:
        raise FitError(f"method={method!r} is not an option. {nearest(method, METHODS)}", topic="unknown-option")
    options = Options(approximation, mean)
    _check_bars(fit)
    if at is not None and (by is not None or method != "model"):
        raise FitError(
            'at= asks for shares of this fit at values: leave out by=, and method="anova".', topic="options-together"
        )
    if at is not None:
        frame, notes = _at_values(fit, at, options)
    elif by is None:
        frame, notes = _shares(fit, method, options)
    else:
        frame, notes = _by_level(fit, by, method, options)
    what = "by the model" if method == "model" else "by analysis of variance"
    where = "" if by is None else f", for each {by}"
    where = where if at is None else f", at values of {', '.join(map(str, frame.index.names[:-1]))}"
    return Answer(f"Share of variance between levels (ICC), {what}{where}", frame, notes)


def _check_bars(fit: Fit) -> None:
    if not is_fit(fit):
        raise FitError(f'icc is of a fit, not of {fit!r}: write bm.icc(model.fit("reml")).', topic="needs-a-fit")
    if not fit.model.design.mu.groups:
        raise FitError(
            "The model has no random effects, so no variance lies between groups. Add a bar: "
            f"{fit.model.formula} + (1 | g).",
            topic="no-random-effects",
        )


def _shares(fit: Fit, method: str, options: Options) -> tuple[pd.DataFrame, tuple[str, ...]]:
    if method == "anova":
        frame, notes = anova_shares(fit.model)
        return frame.reindex(columns=COLUMNS), notes
    found = variances(fit, options)
    parts = found.by_factor | {ALL: found.random}
    rows = {
        name: {"variance": float(values.mean())}
        | _summary("adjusted", share(values, found.unexplained))
        | _summary("conditional", share(values, found.total))
        for name, values in parts.items()
    }
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS).rename_axis("group")
    return frame, with_caution((*found.notes, *_by_approximation(found), *words_over_rows(fit, found)), fit)


def _by_approximation(found: Variances) -> tuple[str, ...]:
    """What the adjusted share of all factors would be by the other approximations on the log scale."""
    others = [f"{other.adjusted.mean():.3f} ({name})" for name, other in found.approximated().items()]
    if not others:
        return ()
    return (
        Told(
            "approximations",
            f"By the other approximations the adjusted share of all factors is {' and '.join(others)}: they agree "
            "where Var(y) / mu^2 is small, and approximation= chooses.",
        ),
    )


def _at_values(fit: Fit, at: Any, options: Options) -> tuple[pd.DataFrame, tuple[str, ...]]:
    found = variances(fit, options)
    rows: dict[tuple[Any, ...], dict[str, float]] = {}
    combinations = between_at(fit, at, found)
    for key, parts in combinations.items():
        together = np.sum(list(parts.values()), axis=0)
        for name, values in {**parts, ALL: together}.items():
            adjusted = _summary("adjusted", share(values, together + found.residual))
            rows[(*key, name)] = {"variance": float(values.mean())} | adjusted
    names = [at] if isinstance(at, str) else list(at)
    index = pd.MultiIndex.from_tuples(list(rows), names=[*names, "group"])
    frame = pd.DataFrame(list(rows.values()), index=index).reindex(columns=COLUMNS)
    return frame, with_caution((*found.notes, *_by_averages(fit.model, names)), fit)


def _by_averages(model: Model, names: list[str]) -> tuple[str, ...]:
    """What shares at values of the columns `names` are averages over all the same."""
    others = [name for name in slope_columns(model) if name not in names]
    random = Told(
        "shares-of-variance",
        f"Variance between levels: averaged over the values that {listed(others)} has in the data.",
    )
    weighted = model.design.weights is not None and model.family.weights == "precision"
    residual = Told("shares-of-variance", "Residual variance: sigma^2 / w averaged over the rows.")
    return (*((random,) if others else ()), *((residual,) if weighted else ()))


def _summary(name: str, shares: np.ndarray) -> dict[str, float]:
    """The share, averaged over draws, with its interval where there is more than one."""
    lower, upper = np.quantile(shares, _TAILS) if len(shares) > 1 else (np.nan, np.nan)
    return {name: float(shares.mean()), f"{name}_lower": float(lower), f"{name}_upper": float(upper)}


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
        notes += [retold(text, f"{by} {level}: {text}") for text in said]
    return pd.concat(frames, names=[by, "group"]), tuple(notes)


def _shares_of(fit: Fit, model: Model, method: str, options: Options) -> tuple[pd.DataFrame, tuple[str, ...]]:
    if method == "anova":
        frame, _ = anova_shares(model)
        return frame.reindex(columns=COLUMNS), ()
    return _shares(fit, method, options)


def _refitted(fit: Fit, model: Model) -> Any:
    return model.fit(fit.engine.for_part(fit.model, model), seed=getattr(fit, "seed", None))


def _check_levels(model: Model) -> None:
    for term in model.design.mu.groups:
        if term.n_levels < 2:
            raise FitError(
                f"{term.factor} has one level only, so nothing varies between its levels.", topic="single-level"
            )


def _levels(model: Model, by: str) -> Iterator[tuple[Any, np.ndarray]]:
    """Each level of a column with the positions of its rows."""
    if by not in model.frame.columns:
        known = [str(name) for name in model.frame.columns]
        raise FitError(
            f"by={by!r} is not a column that the formula uses. {nearest(by, known, 'Columns')}", topic="no-such-column"
        )
    if by in {term.factor for term in model.design.mu.groups}:
        raise FitError(
            f"by={by!r} is a grouping factor: within one of its levels nothing varies between them.", topic="by-levels"
        )
    column = model.frame[by]
    values = column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else np.unique(column)
    if len(values) > MOST_LEVELS:
        raise FitError(
            f"by={by!r} has {len(values)} values, each of which needs a fit of its own. Group them first, "
            f'e.g. data["band"] = pd.cut(data["{by}"], 4).',
            topic="by-levels",
        )
    used = model.design.used
    for value in values:
        rows = np.flatnonzero((column == value).to_numpy() & used)
        if len(rows):
            yield value, rows
