"""What the left side of a formula is worth: one number per row."""

from __future__ import annotations

import numpy as np

from ..errors import DataError
from .design import Response
from .evaluate import Evaluator
from .factors import Factor, level_text
from .functions import Columns
from .syntax import Binary, Call, Node, deparse
from .terms import summands

_ADVICE = {  # what brms writes behind a bar on the left
    "weights": "give it as weights=",
    "subset": "select these rows of the data beforehand",
    "rate": "add offset(log(...)) on the right",
    "se": "known standard errors are not supported",
    "cens": "censored responses are not supported",
    "trunc": "truncated responses are not supported",
    "mi": "imputation within the model is not supported",
}
_COUNTS = {"cbind", "prop", "proportion", "p", "trials"}


def response(node: Node | None, evaluator: Evaluator) -> Response:
    """The response of a model whose family takes numbers (bools are 0 and 1).

    Raises
    ------
    DataError
        No left side; text, a factor or counts of successes, which need another family; an infinite value.
    """
    if node is None:
        raise DataError("the formula has no response: write it on the left, as in y ~ x + (1 | g).")
    text = deparse(node)
    _refuse_counts(node, text)
    value = evaluator.value(node)
    if isinstance(value, Factor) and not value.logical:
        raise DataError(_not_a_number(text, value))
    if isinstance(value, Columns):
        raise DataError(f"the response `{text}` has {value.values.shape[1]} columns; one number per row is needed.")
    y = evaluator.numeric(node)
    if not np.isfinite(y).all():
        row = int(np.flatnonzero(~np.isfinite(y))[0])
        bad = "not a number" if np.isnan(y[row]) else "infinite"
        raise DataError(f"the response `{text}` is {bad} in row {evaluator.frame.index[row]}: correct or drop it.")
    return Response(text, y)


def _refuse_counts(node: Node, text: str) -> None:
    counts = isinstance(node, Call) and node.function in _COUNTS
    if isinstance(node, Binary) and node.operator == "|":
        others = [part.function.removeprefix("resp_") for part in _additions(node.right) if isinstance(part, Call)]
        others = [name for name in others if name != "trials"]
        if others:
            advice = _ADVICE.get(others[0], "it is not supported")
            raise DataError(f"the response `{text}` has the addition {others[0]}(...): {advice}.")
        counts = True
    if counts:
        raise DataError(
            f"the response `{text}` counts successes out of trials: that needs family='binomial', and only the "
            "gaussian family is available so far."
        )


def _additions(node: Node) -> list[Node]:
    return [part for _, part in summands(node)]


def _not_a_number(text: str, factor: Factor) -> str:
    levels = [level_text(level) for level in factor.levels.tolist()]
    shown = ", ".join(levels[:4]) + (", ..." if len(levels) > 4 else "")
    kind = "text" if factor.text else "an ordered factor" if factor.ordered else "a factor"
    numbers = factor.text and all(level.strip().lstrip("+-").replace(".", "", 1).isdigit() for level in levels)
    if numbers:
        advice = f"Write as.numeric({text}) for its numbers."
    elif len(levels) == 2:
        advice = f"I({text} == {levels[1]!r}) makes it 0 and 1; a family for two outcomes is not available yet."
    else:
        advice = "Families for categories are not available yet."
    return f"the response `{text}` is {kind} ({shown}), and the gaussian family needs numbers. {advice}"
