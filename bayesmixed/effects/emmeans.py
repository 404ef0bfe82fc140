"""Estimated marginal means: predictions over a balanced grid, averaged over what is not asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..design.columns.factors import level_text
from ..errors import FitError, nearest, with_known_options
from ..formula.variables import columns_in
from ..messages import Told
from .mean.question import MeanValues, Question, check_fit, means
from .odds import between
from .quantities import AS_IS, EXPONENTIAL, Scale
from .returned import Effects
from .rows.called import called
from .rows.grid import (
    AskedRows,
    EffectRows,
    at_notes,
    averaged,
    crossed,
    grid_values,
    held_notes,
    mean_offset,
    percentile_notes,
)
from .rows.own_values import canonical, grouping, own_of_each
from .rows.used_columns import Variable, names_of, only_in_offsets, row_counts, used_rows, variable, variables

if TYPE_CHECKING:
    from ..fits.base import Fit
    from ..model import Model

WEIGHTS = ("equal", "proportional")


@with_known_options
def emmeans(
    fit: Fit,
    specs: str | Sequence[str],
    *,
    by: str | Sequence[str] | None = None,
    at: Mapping[str, Any] | None = None,
    scale: str | None = None,
    kind: str = "conditional",
    weights: str = "equal",
    offset: float | None = None,
    level: float = 0.95,
    ddf: str | float | None = None,
) -> Effects:
    """Marginal means of factors, as R's emmeans defines them, for any fit.

    Predictions at every combination of the factors of the model, numbers at their means, are averaged over the factors
    that are not named. A number that has two values, such as 0 and 1, counts as a factor, as in R. Random effects are
    zero (or averaged, `kind`). A row of frequency weight w counts as w rows.
    An offset is held at its mean: of ``offset(log(effort))`` the mean of log(effort). So does R's emmeans for glm and
    lme4 models; for glmmTMB's it takes the log of the mean effort, which is larger
    (``offset=np.log(effort.mean())`` gives that).

    Parameters
    ----------
    fit
        Any fit.
    specs
        The factors: "a * b", "a:b", ["a", "b"]; "a | b" puts b in `by`; "1" is the mean over all. A number is taken
        at its 5th and 95th percentile unless `at` gives values.
    by
        Factors within whose levels contrasts are formed. A grouping factor holds what belongs to each of its levels
        (a mouse's genotype) at the level's own value; its random effects are zero.
    at
        Values by column: {"x": [0, 1], "f": ["a", "b"]}.
    scale
        "link" (the default; identity links show the response, a log-normal family its logarithm) or "response". There
        conditional means are averaged on the link scale and transformed back with their limits, as R does; contrasts
        are ratios of means for a log link and a log-normal family (of medians alike) and odds ratios for a logit link
        (with a guessing or lapse rate of the curve between the asymptotes, not of the probabilities), and stay on the
        link scale for others.
    kind
        "conditional": for a group whose random effects are zero. "population": the mean response over all groups,
        integrated over the random effects at each grid point and then averaged (response scale).
    weights
        "equal", or "proportional" to how many rows have each combination of the factors averaged over (frequency
        weights count).
    offset
        In place of the mean of the offsets; 0 gives rates per unit.
    level
        Coverage of the limits.
    ddf
        Degrees of freedom of limits and tests of point fits: "satterthwaite", "kenward-roger", "containment",
        "between-within", "residual", "asymptotic" (normal), or a number. By default Satterthwaite's for linear mixed
        models by ML or REML, residual ones for linear models without bars, else asymptotic. Means and contrasts that
        are no linear functions of the coefficients are asymptotic whatever the method, as the page says.

    Returns
    -------
    Effects
        `.frame`: factors, estimate, se, df (where it is finite), lower, upper; `.contrast(...)`. Standard errors of
        point fits are by the delta method on `fit.vcov()`, random effects' variances held, or those of the method that
        `ddf` names; draws give posterior means, sds and quantiles. A mean that the data do not determine (an empty
        cell) is NaN.

    Raises
    ------
    FitError
        Names and values that the model does not have, unknown options.

    References
    ----------
    Searle, Speed & Milliken (1980), The American Statistician 34, 216-221.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("angle ~ recipe * temp + (1 | recipe:replicate)", bm.load_data("cake")).fit("reml")
    >>> bm.emmeans(fit, "recipe").frame.round(2)
      recipe  estimate    se    df  lower  upper
    0      A     33.12  1.74  42.0  29.62  36.63
    1      B     31.64  1.74  42.0  28.14  35.15
    2      C     31.60  1.74  42.0  28.09  35.11
    """
    check_fit(fit, ddf)
    question = Question(_scale(scale, kind), kind, ddf)
    if weights not in WEIGHTS:
        raise FitError(
            f"weights={weights!r} is not an option. {nearest(str(weights), WEIGHTS)}", topic="unknown-option"
        )
    if not (at is None or isinstance(at, Mapping)):
        raise FitError(
            f'at= is a dict of values by column, such as at={{"x": [0, 1]}}, not {at!r}.', topic="values-of-a-column"
        )
    named, within = _named(fit.model, specs, by)
    given = AskedRows(called(fit.model, dict(at or {})), offset=offset, spread=question.spread(fit.model))
    rows = _rows(fit.model, named, within, given, weights)
    back = question.scale == "response" and kind == "conditional"
    inner = replace(question, scale="link") if back else question
    family, what = fit.model.family, ", ".join([*within, *named]) or "overall"
    ratio = EXPONENTIAL if back and family.ratio_of else None
    return Effects(
        f"Marginal means: {what}",
        rows.keys[[*within, *named]],
        means(fit, rows, inner),
        (*question.notes(fit), *rows.notes),
        scale=response_scale(fit) if back and not _same(fit) else AS_IS,
        by=tuple(within),
        level=level,
        ratio=ratio,
        of=family.ratio_of or f"{family.middle}s",
        curve=between(family.link),
    )


def response_scale(fit: Fit) -> Scale:
    """From the linear predictor to the mean of the response, per draw where there are draws."""
    values = MeanValues.of(fit)

    def show(eta: np.ndarray) -> np.ndarray:
        return values.response(np.atleast_2d(eta)).reshape(np.shape(eta))

    def slope(eta: np.ndarray) -> np.ndarray:
        return np.broadcast_to(values.response_slope(np.atleast_2d(eta)), np.atleast_2d(eta).shape).reshape(
            np.shape(eta)
        )

    return Scale(show, slope)


def _same(fit: Fit) -> bool:
    """Whether the linear predictor is the mean of the response."""
    probe = np.array([[0.3, 1.7]])
    return fit.model.family.link.linear and np.array_equal(
        fit.model.family.mean(probe, MeanValues.of(fit).dispersion), probe
    )


def _scale(scale: str | None, kind: str) -> str:
    return scale if scale is not None else "response" if kind == "population" else "link"


def _named(model: Model, specs: Any, by: Any) -> tuple[list[str], list[str]]:
    """The columns of `specs` and of `by`."""
    known, within, specs = variables(model), names_of(called(model, by), "by"), called(model, specs)
    if isinstance(specs, str) and specs not in known:
        contrast, tilde, right = specs.partition("~")
        if contrast.strip() and tilde:
            raise FitError(
                f"specs={specs!r}: contrasts are asked of the means, "
                f'bm.emmeans(fit, "{right.strip()}").contrast("{contrast.strip()}").',
                topic="contrasts-of-means",
            )
        main, _, given = specs.partition("|")
        within = list(dict.fromkeys([*called(model, _split(given)), *within]))
        specs = called(model, [name for name in _split(main) if name != "1"])
    named = [name for name in names_of(specs, "specs") if name not in within]
    groups = {term.factor for term in model.design.mu.groups}
    found = grouping(model, known, within)
    for name in [*named, *(name for name in within if canonical(name, found) not in found)]:
        variable(known, name, groups=groups)
    return named, [canonical(name, found) for name in within]


def _split(text: str) -> list[str]:
    parts = re.split(r"[*:+](?![^(]*\))", text.strip().removeprefix("~"))  # not inside of a call
    return [part.strip().strip("`") for part in parts if part.strip()]


def _rows(model: Model, named: list[str], within: list[str], given: AskedRows, weights: str) -> EffectRows:
    known, at = variables(model, bars=True), dict(given.values)
    for name in at:
        variable(known, name)
    groups = grouping(model, known, within)
    asked = replace(given, values={name: at.get(name) for name in [*within, *named] if name not in groups} | at)
    values, resting = grid_values(known, asked.values), asked.idle(model)
    values |= {name: values[name][:1] for name in resting}
    own = own_of_each(model, known, groups, [*named, *at]) if groups else None
    values = values if own is None else own.others(values)
    table, own_notes = crossed(values, own)
    rest = [name for name in values if name not in named and name not in within and len(values[name]) > 1]
    shares = np.ones(len(table))
    if weights == "proportional":
        shares = _proportions(model, table, [name for name in rest if known[name].values is not None])
    held, said = mean_offset(model, list(asked.values), asked.offset, len(table))
    keys, cells, shares = averaged(table, [*within, *named], shares)
    idle = only_in_offsets(model) if held is not None else set()
    notes = (
        *at_notes(values, at, [*within, *named]),
        *percentile_notes(known, [name for name in [*within, *named] if name not in at and name in values]),
        *own_notes,
        *held_notes(known, values, [*asked.values, *idle, *resting]),
        *_averages(rest, weights),
        *said,
    )
    return EffectRows(table, keys, cells, shares, held, (*notes, *_interacting(model, known, [*named, *within], rest)))


def _averages(rest: Sequence[str], weights: str) -> tuple[str, ...]:
    return (Told("averaged-over", f"Averaged over: {', '.join(rest)} ({weights} weights)."),) if rest else ()


def _proportions(model: Model, table: pd.DataFrame, rest: Sequence[str]) -> np.ndarray:
    """How many rows of the data have each grid point's levels of the factors averaged over."""
    if not rest:
        return np.ones(len(table))
    data, given = used_rows(model), row_counts(model)
    counts = np.ones(len(data)) if given is None else given
    seen: dict[tuple[str, ...], float] = {}
    for levels, count in zip(_texts(data, rest), counts, strict=True):
        seen[levels] = seen.get(levels, 0.0) + float(count)
    return np.array([seen.get(levels, 0.0) for levels in _texts(table, rest)])


def _texts(table: pd.DataFrame, names: Sequence[str]) -> list[tuple[str, ...]]:
    return list(zip(*([level_text(value) for value in table[name].tolist()] for name in names), strict=True))


def _interacting(
    model: Model, known: Mapping[str, Variable], asked: Sequence[str], rest: Sequence[str]
) -> tuple[str, ...]:
    """A note where the means asked for differ between the levels averaged over, or with a number that is held."""
    for term in model.design.encoding.formula.predictors["mu"].terms:
        columns = {name for atom in term.atoms for name in columns_in(atom)}
        over = [name for name in rest if name in columns and known[name].values is not None]
        if over and columns & set(asked):
            return (
                Told(
                    "interactions",
                    f"Note: {term.name} is in the model, so these means differ between the levels of {over[0]}.",
                ),
            )
        held = [name for name in known if name in columns - set(asked) and known[name].values is None]
        if held and columns & set(asked):
            return (
                Told(
                    "interactions",
                    f"Note: {term.name} is in the model, so differences depend on {held[0]}: at= takes other values.",
                ),
            )
    return ()
