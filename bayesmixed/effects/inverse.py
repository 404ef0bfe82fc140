"""Which stimulus gives a mean response of p: thresholds for the population and for each group, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..degrees.methods import reference
from ..design.design import Design
from ..errors import FitError, with_known_options
from ..fits.caution import caution
from ..messages import Told
from ..prediction.included_terms import same_factor
from .mean.curve import Curve, CurvePoint
from .mean.question import MeanValues, Question, check_fit
from .quantities import Linearised, Quantities, Sampled
from .returned import Effects
from .rows.called import called
from .rows.grid import at_notes, held_notes, mean_offset, product
from .rows.own_values import OwnValues, own_values
from .rows.used_columns import Variable, names_of, only_in_bars, only_in_offsets, used_rows, variable, variables

if TYPE_CHECKING:
    from ..fits.base import Fit
    from ..model import Model

ETA = 60.0  # beyond it every link but the identity is at its end
HALVINGS = 200  # of a bracket in eta or x: to the last digit


@with_known_options
def inverse_predict(
    fit: Fit,
    p: float | Sequence[float],
    column: str,
    *,
    by: str | Sequence[str] | None = None,
    at: dict[str, Any] | None = None,
    offset: float | None = None,
    level: float = 0.95,
    ddf: str | float | None = None,
) -> Effects:
    """The value of a column at which the mean response is p, such as the stimulus that is seen in 62.5 % of trials.

    Other numbers are at their means, factors that are not named (and numbers of two values) averaged on the link scale
    with equal weights; what belongs to a level of a grouping factor in `by` is held at that level's own value. Random
    effects are zero (the population's curve) unless `by` names their grouping factor.

    Parameters
    ----------
    fit
        Any fit.
    p
        One mean response or several, inside the range of the link: with guessing and lapse rates between the
        asymptotes.
    column
        A number of the model. Where the predictor is linear in it the answer is exact and may lie outside the data;
        else it is searched for from the column's smallest value to its largest, and NaN where p is not reached.
    by
        Factors, and grouping factors: "Subject" gives one answer per subject, its random effects included; with both
        the combinations that the data have.
    at
        Values of other columns: {"contrast": [0.1, 0.5]}.
    offset, level, ddf
        As in `emmeans`.

    Returns
    -------
    Effects
        `.frame`: p (value where the mean is no probability), columns of `by`, estimate, se, lower, upper. Point fits:
        by the delta method, for groups on the prediction errors of coefficients and effects together, variance
        parameters held. Draws: the median and quantiles of the answer per draw, since the mean of a ratio need not
        exist; its se is half the central 68 %.
        `.contrast()` gives differences of thresholds, of groups from the joint errors of their predictors. Thresholds
        are no linear functions of the coefficients: normal, unless `ddf` is a number or of a model without bars.

    Raises
    ------
    FitError
        A p outside the range, a column that is no number or not in the model, unknown names.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> bm.inverse_predict(fit, 300, "Days").frame.round(2)
       value  estimate    se  lower  upper
    0    300      4.64  0.88   2.92   6.36
    """
    check_fit(fit, ddf)
    sampled, model = fit.sampled, fit.model
    known = variables(model, bars=True)
    target = _targets(fit, p)
    _refuse_factor(variable(known, column))
    factors, groups = _split(model, known, called(model, by))
    values = _values(known, column, at := called(model, dict(at or {})))
    own = own_values(model, groups, [name for name in values if name not in at]) if groups else None
    shown = list(dict.fromkeys([*factors, *(name for name in at if name in values and len(values[name]) > 1)]))
    shown = [name for name in shown if name != column]
    cells = _cells(model, values, shown, own, at)
    held, said = mean_offset(model, [*at, column], offset, 1)
    idle = set() if held is None else only_in_offsets(model)
    idle |= set() if groups else only_in_bars(model)
    values |= {name: values[name][:1] for name in idle & values.keys() - at.keys()}
    notes = _notes(known, values if own is None else own.others(values), shown, _random(fit, groups), [*at, *idle])
    notes = notes if own is None else (*own.notes, *notes)
    notes = (*at_notes(values, [name for name in at if name in values], shown), *notes)
    curves = [Curve(model, known[column], part, codes, None if held is None else held[0]) for _, part, codes in cells]
    judged_by = None if sampled or groups else reference(fit, ddf)  # of groups the fit's own, as their effects are
    parameters = MeanValues.of(fit, judged_by).parameters
    points = [curve.solve(parameters, goal) for goal in target.values() for curve in curves]
    name = _target_name(fit)
    keys = pd.concat([key.assign(**{name: value}) for value in target for key, _, _ in cells], ignore_index=True)
    keys = keys[[name, *[other for other in keys if other != name]]]
    found = _sampled(points) if sampled else _linearised(fit, ddf, points, bool(groups))
    return Effects(
        f"{column} at which the mean response is {'the ' * (name == 'value')}{name}",
        keys,
        found,
        (*caution(fit), *notes, *said, *dict.fromkeys(note for point in points for note in point.notes)),
        level=level,
        by=(name,) if len(target) > 1 else (),
        blank="",
    )


def _target_name(fit: Fit) -> str:
    """What a mean response is called: p where it is a probability."""
    low, high = fit.model.family.link.range
    return "p" if low >= 0 and high <= 1 else "value"


def _refuse_factor(column: Variable) -> None:
    if column.levels is not None or not np.issubdtype(column.data.to_numpy().dtype, np.number):
        raise FitError(
            f"{column.name!r} is not a number: only a number has a value at which the response is p.",
            topic="inverse-prediction",
        )


def _targets(fit: Fit, p: Any) -> dict[float, np.ndarray]:
    """The linear predictor (D, 1) of each mean response."""
    try:
        wanted = np.atleast_1d(np.array(p, dtype=float))
    except (TypeError, ValueError):
        wanted = np.array([np.nan])
    if wanted.ndim != 1 or not len(wanted) or not np.isfinite(wanted).all():
        raise FitError(f"p is a mean response, a number or several, not {p!r}.", topic="inverse-prediction")
    values, link = MeanValues.of(fit), fit.model.family.link
    ends = np.clip(np.array([[-np.inf], [np.inf]]), *fit.model.family.eta_range)
    with np.errstate(all="ignore"):
        low, high = np.sort(
            np.stack([np.broadcast_to(values.response(end[None]), (values.n_draws, 1)) for end in ends]), 0
        )
    for one in wanted:
        if not np.all((low < one) & (one < high)):
            raise FitError(
                f"No stimulus gives a mean response of {one:g}: with the {link.words} link it lies between "
                f"{low.max():.4g} and {high.min():.4g}.",
                topic="inverse-prediction",
            )
    given = p if np.ndim(p) else [p]
    return {key: _predictor(values, one) for key, one in zip(given, wanted, strict=True)}


def _predictor(values: MeanValues, p: float) -> np.ndarray:
    """eta (D, 1) with E(y) = p."""
    family = values.family
    eta = np.full((values.n_draws, 1), family.link.forward(np.float64(p)))
    with np.errstate(all="ignore"):
        if np.allclose(values.response(eta), p, rtol=1e-12, atol=0):
            return eta
    low, high = (np.full_like(eta, end) for end in np.clip([-ETA, ETA], *family.eta_range))
    rising = values.response(high) > values.response(low)
    for _ in range(HALVINGS):  # a family whose mean is more than its location, the lognormal
        middle = (low + high) / 2
        above = (values.response(middle) > p) == rising
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return (low + high) / 2


def _split(model: Model, known: dict[str, Variable], by: Any) -> tuple[list[str], list[str]]:
    """The factors of the fixed part and the grouping factors that `by` names; a column may be both."""
    factors, groups = [], []
    every = list(dict.fromkeys(term.factor for term in model.design.mu.groups))
    for name in names_of(by, "by"):
        group = [factor for factor in every if same_factor(factor, name)]
        groups += group
        if name in known:
            factors.append(name)
        elif not group:
            variable({**known, **dict.fromkeys(every)}, name)  # type: ignore[dict-item]  # only its names are read
    return factors, groups


def _values(known: dict[str, Variable], column: str, at: dict[str, Any]) -> dict[str, np.ndarray]:
    """The values of every column but the one that is sought."""
    for name in at:
        variable(known, name)
    others = [name for name in known if name != column]
    return {name: known[name].given(at[name]) if name in at else known[name].held() for name in others}


Cell = tuple[pd.DataFrame, pd.DataFrame, dict[int, int]]


def _cells(
    model: Model, values: dict[str, np.ndarray], shown: list[str], own: OwnValues | None, at: dict[str, Any]
) -> list[Cell]:
    """Per answer its key (one row), the grid rows that it averages, and the level (code) of each term included."""
    if own is None:
        return _keyed(product(values), shown, {}, {})
    cells: list[Cell] = []
    data, free = used_rows(model), own.others(values)
    grid = product(free)
    for i, codes in enumerate(own.codes):
        belonging = {str(name): own.values[name].iloc[i] for name in own.values}
        rows = data.iloc[own.rows[i]]
        labels = {str(name): own.labels[name].iloc[i] for name in own.labels}
        for cell in _keyed(grid.assign(**belonging), shown, labels, codes):
            if _seen(rows, cell[0], [name for name in shown if name in free and name not in at]):
                cells.append(cell)
    return cells


def _keyed(grid: pd.DataFrame, shown: list[str], labels: dict[str, Any], codes: dict[int, int]) -> list[Cell]:
    """The cells of one level, or of the population: a part of the grid for each combination of what is shown."""
    parts = grid.groupby(shown, sort=False, observed=True) if shown else [((), grid)]
    cells = []
    for key, part in parts:
        names = dict(zip(shown, key if isinstance(key, tuple) else (key,), strict=True))
        cells.append((pd.DataFrame([names | labels], index=[0]), part.reset_index(drop=True), codes))
    return cells


def _notes(
    known: dict[str, Variable],
    values: dict[str, np.ndarray],
    shown: Sequence[str],
    random: Sequence[str],
    but: Sequence[str],
) -> tuple[str, ...]:
    over = [name for name in values if len(values[name]) > 1 and name not in shown]
    averages = (
        (Told("averaged-over", f"Averaged on the link scale over: {', '.join(over)} (equal weights)."),) if over else ()
    )
    return (*averages, *held_notes(known, values, but), *random)


def _random(fit: Fit, groups: Sequence[str]) -> list[str]:
    if not fit.model.design.mu.groups:
        return []
    effects = (
        Told("random-effects-in-means", f"Random effects: those of {', '.join(groups)}, others zero.")
        if groups
        else "Random effects: zero."
    )
    together = Told(
        "standard-errors", "Standard errors: of coefficients and random effects together, variance parameters held."
    )
    errors = together if groups else Question("link").errors(fit.model)
    return [effects] if fit.sampled else [effects, errors]


def _seen(data: pd.DataFrame, key: pd.DataFrame, names: Sequence[str]) -> bool:
    """Whether the group has rows with these values of the columns named."""
    return not names or bool(np.all([(data[name] == key[name].iloc[0]).to_numpy() for name in names], axis=0).any())


def _sampled(points: Sequence[CurvePoint]) -> Quantities:
    return Sampled(np.stack([point.x for point in points], axis=1), robust=True)


def _linearised(fit: Fit, ddf: str | float | None, points: Sequence[CurvePoint], grouped: bool) -> Quantities:
    """dx = -d eta / (d eta / d x): the errors of the predictor at the answer, over its slope there."""
    x, slope = (
        np.array([values[0] for values in pair]) for pair in zip(*((q.x, q.slope) for q in points), strict=True)
    )
    judged_by, design = reference(fit, ddf), _together([point.design for point in points])
    per_slope = -1 / np.where(np.isfinite(x) & (slope != 0), slope, np.nan)[:, None]  # NaN where p is not reached
    if not grouped:
        X = design.mu.X
        return Linearised(x, X * per_slope, judged_by.root[: X.shape[1]], judged_by)
    assert fit.prediction_errors is not None
    root = fit.prediction_errors.root(design, points[0].terms)
    return Linearised(x, root * per_slope, np.eye(root.shape[1]), judged_by)


def _together(designs: Sequence[Design]) -> Design:
    """Rows of the same columns as one design."""
    X, offset = (np.concatenate([getattr(one.mu, name) for one in designs]) for name in ("X", "offset"))
    groups = tuple(
        replace(
            term,
            codes=np.concatenate([one.mu.groups[j].codes for one in designs]),
            Z=np.concatenate([one.mu.groups[j].Z for one in designs]),
        )
        for j, term in enumerate(designs[0].mu.groups)
    )
    mu = replace(designs[0].mu, X=X, offset=offset, groups=groups)
    return replace(designs[0], predictors={"mu": mu}, index=pd.RangeIndex(len(X)))
