"""Responses from stated parameter values alone: a formula, a table of predictors, and no data to fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ..design.build import build_design
from ..design.design import Design
from ..design.expressions.evaluate import Evaluator
from ..design.given import given
from ..design.table import column_names, rows_of, select
from ..errors import DataError, FitError, with_known_options
from ..families import Family, Link
from ..families import family as family_of
from ..formula.formula import Formula
from ..formula.syntax import Binary, Call, Node, deparse
from ..formula.variables import columns_in
from ..model_parts import check_predictors
from ..parameters.predicted import predicted
from ..parameters.values import Parameters
from .memory import refuse_too_large
from .new_levels import draw_effects
from .predict import CHUNK
from .responses import location
from .seeds import generator
from .stated import stated

SHARES = ("prop", "proportion", "p")  # of successes and trials, on the left side


@with_known_options('params={} is answered with the whole dict to fill in, such as {"Intercept": 0, "sigma": 1}.')
def simulate(
    formula: str | Formula,
    data: Any,
    params: Mapping[str, Any],
    *,
    family: str | Family = "gaussian",
    link: str | Link | None = None,
    weights: Any = None,
    offset: Any = None,
    trials: Any = None,
    contrasts: Mapping[str, Any] | None = None,
    namespace: Mapping[str, Any] | None = None,
    n: int = 1,
    seed: int | None = None,
) -> np.ndarray:
    """Simulate responses of a mixed model from parameter values that you state, before there are any data.

    Every replicate has random effects of its own. What the formula has on its left is not needed in the table, and
    not read where it is there.

    Parameters
    ----------
    formula
        lme4-style text, or a `Formula`.
    data
        The predictors, grouping factors and trials: a pandas DataFrame, or any table that narwhals reads.
    params
        Every parameter by the name that draws have in ``fit.idata``: coefficients ("Intercept", "Days", "period[2]",
        or "period" with one number per column), standard deviations of random effects ("1|Subject_sigma",
        "Days|Subject_sigma"), per correlated block "Subject_corr" (a number, for all pairs of columns, or a matrix
        (k, k)), and the family's own ("sigma"; "alpha" of a negative binomial, a gamma; "phi"; ...). On the scale
        of the linear predictor.
    family, link, weights, offset, contrasts, namespace
        As in `Model`.
    trials
        Out of how many: a column, an array or a number; those of the formula's left side (``prop(s, n)``,
        ``y | trials(n)``) where the table has them.
    n
        Number of replicates.
    seed
        Same seed, same responses.

    Returns
    -------
    array (n, rows)
        Responses in the rows of `data`; NaN where a row lacks a predictor. Of responses out of trials, successes.
        On the scale of the plain response: of ``log(y) ~ x`` the logarithms.

    Raises
    ------
    ModelError
        A parameter that is missing (with the whole dict to paste), unknown or impossible.
    DataError, FormulaError
        As in `Model`.
    FitError
        Trials that are not known; an `n` that is no whole number, or whose responses would take more than 4 GB.

    Examples
    --------
    >>> import pandas as pd, bayesmixed as bm
    >>> design = pd.DataFrame({"Subject": ["a", "b", "c", "d"] * 10, "Days": [d for d in range(10) for _ in range(4)]})
    >>> params = {"Intercept": 250, "Days": 10, "1|Subject_sigma": 25, "Days|Subject_sigma": 6, "Subject_corr": 0.1}
    >>> y = bm.simulate("Reaction ~ Days + (Days | Subject)", design, params | {"sigma": 25}, n=3, seed=1)
    >>> y.shape
    (3, 40)
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", design.assign(Reaction=y[0])).fit("reml")
    """
    if not isinstance(n, int | np.integer) or isinstance(n, bool) or n < 1:
        raise FitError(f"n must be a whole number, at least 1, not {n!r}.", topic="whole-number")
    rng, kind = generator(seed), family_of(family, link)
    parsed = formula if isinstance(formula, Formula) else Formula(formula)
    check_predictors(parsed, kind)
    columns, namespace = column_names(data), dict(namespace or {})
    counted = _trials(parsed, data, columns, trials, kind, namespace)
    frame = select(data, columns)
    parsed = parsed.expand_dot(_free(columns, weights, offset, trials))
    design = _design(parsed, frame, weights=weights, offset=offset, contrasts=contrasts, namespace=namespace)
    values, kept = stated(design, kind, params), _kept(design)
    what = f"{n} replicates of {len(frame):,} rows are"
    refuse_too_large(int(n), len(frame), what, ". Ask for fewer, n={most} at most, and for more with other seeds.")
    found = np.full((int(n), len(frame)), np.nan)
    out_of = None if counted is None else counted[kept]
    step = max(1, CHUNK // _numbers(design))
    for first in range(0, int(n), step):
        some = values.take(np.zeros(min(step, int(n) - first), dtype=int))
        found[first : first + step, kept] = _responses(design, kind, some, out_of, rng)
    return found


def _responses(
    design: Design, kind: Family, values: Parameters, trials: np.ndarray | None, rng: np.random.Generator
) -> np.ndarray:
    """One response (draws, rows) per draw of the parameters, with effects drawn for it."""
    effects = (draw_effects(values, j, term.n_levels, rng) for j, term in enumerate(design.groups))
    found = predicted(kind, design, replace(values, b=tuple(effects)))
    return kind.draw(rng, location(kind, found.eta), found.dispersion, design.weights, trials)


def _numbers(design: Design) -> int:
    """How many numbers one replicate holds at once."""
    return sum((term.n_levels + design.n_rows) * term.Z.shape[1] for term in design.groups) + design.n_rows + 1


def _free(columns: list[Any], *arguments: Any) -> list[Any]:
    """The columns that "." may stand for: those that no other argument names."""
    nodes = [given(argument, "", columns).node for argument in arguments if isinstance(argument, str)]
    named = {name for node in nodes if node is not None for name in columns_in(node)}
    return [name for name in columns if name not in named]


def _design(parsed: Formula, frame: pd.DataFrame, **arguments: Any) -> Design:
    """The design of the right side; its response says which row of the table each of its rows is."""
    row = "row"
    while row in frame or row in parsed.variables():
        row += "_"
    right = parsed.texts[0].removeprefix(f"{parsed.response or ''} ~ ").removeprefix("~ ")
    numbered = frame.assign(**{row: np.arange(len(frame), dtype=float)})
    return build_design(Formula(f"{row} ~ {right}", *parsed.texts[1:]), numbered, **arguments)[0]


def _kept(design: Design) -> np.ndarray:
    assert design.response is not None  # `_design` gave it one
    return design.response.y.astype(int)


def _trials(
    parsed: Formula, data: Any, columns: list[Any], trials: Any, kind: Family, namespace: Mapping[str, Any]
) -> np.ndarray | None:
    """Out of how many each row's response is (rows,); None for families that do not ask."""
    if not kind.takes_trials:
        if trials is not None:
            raise FitError(
                f"Responses of the {kind.name} family are not out of trials: leave out trials=.", topic="trials"
            )
        return None
    if trials is None:
        node = _trials_of_the_left(parsed.response_node)
        if node is None or not set(columns_in(node)) <= {*columns, *namespace}:
            written = "" if node is None else f" The table has no {deparse(node)!r}."
            raise FitError(
                f"Out of how many trials is each response? Give trials=, a column, array, number.{written}",
                topic="trials",
            )
        trials = deparse(node)
    argument = given(trials, "trials", columns, rows_of(data))
    used = [] if argument.node is None else [name for name in columns_in(argument.node) if name in columns]
    values = argument.values(Evaluator(select(data, list(dict.fromkeys(used))), namespace, {}, {}))
    bad = ~np.isfinite(values) | (values < 0) | (values != np.round(values))
    if bad.any():
        at = int(np.argmax(bad))
        raise DataError(f"trials is {values[at]:g} in row number {at}: give whole numbers, 0 or more.", topic="trials")
    return values


def _trials_of_the_left(node: Node | None) -> Node | None:
    """m of ``prop(s, m)`` and of ``y | trials(m)``; s + f of ``cbind(s, f)``."""
    match node:
        case Call(function, arguments) if function in (*SHARES, "cbind") and len(arguments) == 2:
            first, second = (argument.value for argument in arguments)
            return Binary("+", first, second) if function == "cbind" else second
        case Binary("|", _, Call("trials" | "resp_trials", arguments)) if len(arguments) == 1:
            return arguments[0].value
    return None
