"""Which linear functions of the coefficients a test is of: one coefficient, or all of a term."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import FitError, nearest
from ...model import Model
from ...parameters.names import canonical
from ..terms.hypotheses import hypotheses

ROUNDING = 1e-12  # of the largest part of a sum: what is left of zero
DECISION = "decision"  # what a user's function decides where no test is named


@dataclass(frozen=True, eq=False)
class Tested:
    """The hypothesis that `rows` (r, P) of the coefficients of all predictors are zero; none: what a user says."""

    name: str
    rows: np.ndarray

    @property
    def single(self) -> bool:
        """Whether it is of one number, which has an estimate and a sign."""
        return len(self.rows) == 1

    def value(self, beta: np.ndarray) -> float:
        """Its value at coefficients (P,), zero where no more than rounding is left of it; NaN of a joint one."""
        if not self.single:
            return float("nan")
        parts = self.rows[0] * beta
        return 0.0 if abs(parts.sum()) <= ROUNDING * np.abs(parts).sum() else float(parts.sum())


def tested(model: Model, test: Any, effect: Mapping[str, Any], decides: bool) -> tuple[Tested, ...]:
    """What is tested; without a name, what `effect` varies. `decides` says that a function of the user's decides.

    Raises
    ------
    FitError
        For a name that is neither a coefficient nor a term.
    """
    if test is None:
        names = [name for name in effect if _found(model, name) is not None]
        if not names and decides:
            return (Tested(DECISION, np.zeros((0, len(model.design.coefficients)))),)
        if not names:
            raise FitError(
                f'test= must say what is tested, such as test="{_first(model)}": {_known(model)}',
                topic="nothing-to-test",
            )
    else:
        names = [test] if isinstance(test, str) else list(test) if isinstance(test, Sequence) else [test]
    found = []
    for name in dict.fromkeys(names):
        one = _found(model, str(name))
        if one is None:
            raise FitError(
                f"test has {name!r}, which is no coefficient and no term. {_near(model, str(name))}",
                topic="no-such-coefficient",
            )
        found.append(one)
    if not found:
        raise FitError(f"test=[] tests nothing. {_known(model)}", topic="nothing-to-test")
    if decides and len(found) > 1:
        raise FitError("A function as method decides one thing: name one test, or none.", topic="own-statistic")
    return tuple(found)


def _found(model: Model, name: str) -> Tested | None:
    design = model.design
    spelled = {canonical(each): i for i, each in enumerate(design.coefficients)}
    if canonical(name) in spelled:
        i = spelled[canonical(name)]
        return Tested(design.coefficients[i], np.eye(len(design.coefficients))[[i]])
    terms = {canonical(each): each for each in design.mu.terms}
    if canonical(name) not in terms:
        return None
    term = terms[canonical(name)]
    own = hypotheses(model, 3)[term]
    rows = np.zeros((len(own), len(design.coefficients)))
    rows[:, design.places["mu"]] = own
    return Tested(term, rows) if len(rows) else None


def _names(model: Model) -> list[str]:
    names = [*model.design.coefficients, *model.design.mu.terms]
    return [name for name in dict.fromkeys(names) if name != "Intercept"]


def _first(model: Model) -> str:
    return next(iter(_names(model)), "Intercept")


def _near(model: Model, name: str) -> str:
    return nearest(name, [*_names(model), "Intercept"])


def _known(model: Model) -> str:
    return f"{', '.join(_names(model)) or 'Intercept'}."
