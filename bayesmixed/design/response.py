"""What the left side of a formula is worth: one number per row, and out of how many trials."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..errors import DataError
from ..formula.commas import decimal_commas
from ..formula.syntax import Binary, Call, Node, Parenthesis, deparse
from ..formula.terms import summands
from .columns.factors import Factor, level_text
from .design import Response
from .expressions.evaluate import Evaluator
from .expressions.factor_functions import Columns
from .given import Given

WHOLE = 1e-6  # how far a proportion times its trials may be from a whole number: proportions are often rounded

_ADVICE = {  # what brms writes behind a bar on the left
    "weights": "give it as weights=",
    "subset": "select these rows of the data beforehand",
    "rate": "add offset(log(...)) on the right",
    "cens": "censored responses are not supported",
    "trunc": "truncated responses are not supported",
    "mi": "imputation within the model is not supported",
}
_SHARES = ("prop", "proportion", "p")  # of successes and trials


class Takes(NamedTuple):
    """What a family takes on the left: successes out of `trials`, or two levels (`binary`); its name for messages."""

    family: str = "gaussian"
    trials: bool = False
    binary: bool = False


NUMBERS = Takes()


class LeftSide(NamedTuple):
    """The response, its trials (n,) where it has any, and how new data say theirs."""

    response: Response
    trials: np.ndarray | None = None
    given: Given | None = None


def left_side(node: Node | None, evaluator: Evaluator, takes: Takes) -> LeftSide:
    """The response of a model; bools are 0 and 1, of two levels the second is 1 where the family is binary.

    Raises
    ------
    DataError
        No left side; text, a factor or counts of successes for a family that takes none; an infinite value.
    """
    if node is None:
        raise DataError(
            "the formula has no response: write it on the left, as in y ~ x + (1 | g).", topic="no-response"
        )
    text = deparse(node)
    counted = _counted(node, text, evaluator)
    if counted is None:
        return LeftSide(_plain(node, text, evaluator, takes))
    if not takes.trials:
        raise DataError(_needs_trials(text, takes), topic="trials")
    successes, trials = (_finite(part, text, evaluator) for part in counted)
    return LeftSide(Response(text, successes), trials, Given(deparse(counted[1])))


def proportions(left: LeftSide, weights: np.ndarray, given: Given, index: object) -> LeftSide:
    """The same with a column of proportions as successes out of `weights` trials; as it is for whole numbers.

    Raises
    ------
    DataError
        A proportion of its trials that is no whole number of successes.
    """
    y = left.response.y
    if left.trials is not None or not np.any((y > 0) & (y < 1)):
        return left
    successes = y * weights
    rounded = np.round(successes)
    bad = np.abs(successes - rounded) > WHOLE * np.maximum(weights, 1.0)
    if bad.any():
        i = int(np.flatnonzero(bad)[0])
        raise DataError(
            f"the response `{left.response.name}` is {y[i]:g} of {weights[i]:g} trials (weights=) in row "
            f"{index[i]}, which is {successes[i]:g} successes and no whole number. Write "  # type: ignore[index]  # labels of the rows
            "prop(successes, trials) on the left, or give the trials as weights=.",
            topic="trials",
        )
    return LeftSide(replace(left.response, y=rounded, proportion=True), weights, given)


def _counted(node: Node, text: str, evaluator: Evaluator) -> tuple[Node, Node] | None:
    """Successes and trials where the left side counts them."""
    match node:
        case Call(function, arguments) if function not in evaluator.namespace and function in (*_SHARES, "cbind"):
            parts = [argument.value for argument in arguments]
            if len(parts) != 2 or any(argument.keyword for argument in arguments):
                second = "failures" if function == "cbind" else "trials"
                raise DataError(
                    f"the response `{text}` takes two columns: {function}(successes, {second}).", topic="response-form"
                )
            s, n = parts
            return (s, n) if function != "cbind" else (s, Binary("+", _alone(s), _alone(n)))
        case Binary("|", left, right):
            return left, _trials(right, text)
    return None


def _alone(node: Node) -> Node:
    return Parenthesis(node) if isinstance(node, Binary) else node


def _trials(addition: Node, text: str) -> Node:
    """n of ``trials(n)``, the one addition that the left side may have."""
    found = None
    for _, part in summands(addition):
        name = part.function.removeprefix("resp_") if isinstance(part, Call) else deparse(part)
        if name == "trials" and isinstance(part, Call) and len(part.arguments) == 1:
            found = part.arguments[0].value
        elif name == "se" and isinstance(part, Call) and part.arguments:
            raise DataError(_known_errors(deparse(part.arguments[0].value), text), topic="response-form")
        else:
            advice = _ADVICE.get(name, "write y | trials(n) for successes out of n")
            shown = f"{name}(...)" if isinstance(part, Call) else name
            raise DataError(f"the response `{text}` has the addition {shown}: {advice}.", topic="response-form")
    assert found is not None
    return found


def _known_errors(s: str, text: str) -> str:
    """What stands for brms's ``y | se(s)``: weights are precisions, Var(e_i) = sigma^2 / w_i, and sigma is 1."""
    y = text.partition("|")[0].strip()
    inverse = f"1/{s}^2" if s.replace(".", "").replace("_", "").isalnum() else f"1/({s})^2"
    return (
        f"the response `{text}` has known standard errors: write {y} alone on the left and give "
        f'weights="{inverse}", constants={{"sigma": 1}} to Model, which makes {s} the standard error of each row. '
        "A bar with a level per row, (1 | study), then is what they differ by besides (docs/guide/meta-analysis.md)."
    )


def _needs_trials(text: str, takes: Takes) -> str:
    alone = " A column of 0 and 1 alone is what family='bernoulli' takes." if takes.binary else ""
    return (
        f"the response `{text}` counts successes out of trials, which the {takes.family} family does not take: "
        f"that needs family='binomial' (or 'betabinomial').{alone}"
    )


def _plain(node: Node, text: str, evaluator: Evaluator, takes: Takes) -> Response:
    value = evaluator.value(node)
    if isinstance(value, Columns):
        raise DataError(
            f"the response `{text}` has {value.values.shape[1]} columns; one number per row is needed.",
            topic="one-number-per-row",
        )
    if isinstance(value, Factor) and not value.logical:
        return _two_levels(text, value, evaluator, takes)
    return Response(text, _finite(node, text, evaluator))


def _two_levels(text: str, factor: Factor, evaluator: Evaluator, takes: Takes) -> Response:
    if not takes.binary or len(factor.levels) != 2:
        raise DataError(_not_a_number(text, factor, takes), topic="response-form")
    if np.any(factor.codes < 0):
        row = evaluator.frame.index[int(np.argmin(factor.codes))]
        raise DataError(f"the response `{text}` has no level in row {row}: correct or drop it.", topic="missing-values")
    return Response(text, factor.codes.astype(float), levels=tuple(factor.levels.tolist()))


def _finite(node: Node, text: str, evaluator: Evaluator) -> np.ndarray:
    y = evaluator.numeric(node)
    if not np.isfinite(y).all():
        row = int(np.flatnonzero(~np.isfinite(y))[0])
        bad = "not a number" if np.isnan(y[row]) else "infinite"
        part = "" if deparse(node) == text else f", its part `{deparse(node)}`,"
        raise DataError(
            f"the response `{text}`{part} is {bad} in row {evaluator.frame.index[row]}: correct or drop it.",
            topic="missing-values",
        )
    return y


def _not_a_number(text: str, factor: Factor, takes: Takes) -> str:
    levels = [level_text(level) for level in factor.levels.tolist()]
    shown = ", ".join(levels[:4]) + (", ..." if len(levels) > 4 else "")
    kind = "text" if factor.text else "an ordered factor" if factor.ordered else "a factor"
    numbers = factor.text and all(level.strip().lstrip("+-").replace(".", "", 1).isdigit() for level in levels)
    if takes.binary:
        needs = f"the {takes.family} family needs two levels, of which the second is the success, or 0 and 1"
        count = "1 level" if len(levels) == 1 else f"{len(levels)} levels"
        return (
            f"the response `{text}` is {kind} of {count} ({shown}), and {needs}. "
            f"Write I({text} == {levels[-1]!r}) for one level against the others."
        )
    needs = f"the {takes.family} family needs numbers"
    if commas := decimal_commas(factor.levels) if factor.text else "":
        advice = f"{commas[0].upper()}{commas[1:]}."
    elif numbers:
        advice = f"Write as.numeric({text}) for its numbers."
    elif len(levels) == 2:
        advice = f"family='bernoulli' models the probability of {levels[1]!r}."
    else:
        advice = "Families for categories are not available yet."
    return f"the response `{text}` is {kind} ({shown}), and {needs}. {advice}"
