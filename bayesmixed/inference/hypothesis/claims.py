"""What a user asks of the coefficients, however it was given, as claims: texts, a dict, a matrix, a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...errors import FitError, brief
from ...fits.base import is_fit
from .parse import EQUAL, Claim, read_claims
from .spelling import Spellings

if TYPE_CHECKING:
    from ...model import Model

RHS = "rhs"  # the column of a table of contrasts that holds the values claimed
FORMS = (
    'Give a text such as "x1 - x2 = 0" or "x1 > 0", a list or dict of them, a matrix with one column per coefficient, '
    "or a DataFrame whose columns are names of coefficients."
)


@dataclass(frozen=True)
class Asked:
    """The `claims` of one question; `together` says that equations among them are also tested jointly.

    `each` says that the question is about every coefficient, one by one.
    """

    claims: tuple[Claim, ...]
    together: bool
    each: bool = False

    @property
    def labels(self) -> list[str]:
        return [claim.label for claim in self.claims]

    @property
    def rows(self) -> np.ndarray:
        """(m, N) of all coefficients and of the columns left out of the fit."""
        return np.stack([claim.row for claim in self.claims])

    @property
    def values(self) -> np.ndarray:
        """What is claimed of each (m,)."""
        return np.array([claim.value for claim in self.claims])

    @property
    def sides(self) -> np.ndarray:
        """1 where it is claimed to be above its value, -1 below, 0 equal (m,)."""
        return np.array([{">": 1, "<": -1}.get(claim.sign, 0) for claim in self.claims])


def asked(model: Model, hypotheses: Any) -> Asked:
    """The claims that a user means; of every coefficient that it is zero where there are none.

    Raises
    ------
    FitError
        What is none of the forms, names no coefficient, or has other columns than the model has coefficients.
    """
    spellings = Spellings.of(model.design)
    if hypotheses is None:
        unit = np.eye(len(spellings.names))
        found = [Claim(name, unit[j]) for j, name in enumerate(model.design.coefficients)]
        if not found:
            raise FitError("The model has no coefficients to test.", topic="nothing-to-test")
        return Asked(tuple(found), together=False, each=True)
    found = _claims(hypotheses, spellings)
    if not found:
        raise FitError(f"No hypothesis is given. {FORMS}", topic="nothing-named")
    return Asked(tuple(found), together=len(found) > 1)


def _claims(given: Any, spellings: Spellings) -> list[Claim]:
    if isinstance(given, str):
        return read_claims(given, spellings)
    if isinstance(given, pd.DataFrame):
        return _of_table(given, spellings)
    if isinstance(given, Mapping):
        return [claim for label, one in given.items() for claim in _labelled(str(label), one, spellings)]
    if isinstance(given, Sequence) and given and all(isinstance(one, str) for one in given):
        return [claim for one in given for claim in read_claims(one, spellings)]
    if isinstance(given, Sequence) and not given:
        return []
    if is_fit(given):
        raise FitError(
            "hypothesis takes one fit, and what is asked of it; bm.anova(small, large) compares two.",
            topic="needs-a-fit",
        )
    if isinstance(given, tuple) and len(given) == 2 and np.ndim(given[0]) == 2:
        return _of_matrix(given[0], given[1], spellings)
    return _of_matrix(given, 0.0, spellings)


def _labelled(label: str, given: Any, spellings: Spellings) -> list[Claim]:
    found = _claims(given, spellings)
    labels = [label] if len(found) == 1 else [f"{label}: {claim.label}" for claim in found]
    return [Claim(name, claim.row, claim.value, claim.sign) for name, claim in zip(labels, found, strict=True)]


def _of_table(table: pd.DataFrame, spellings: Spellings) -> list[Claim]:
    """One claim per row; columns that are not there have weight zero."""
    values, rows = np.zeros(len(table)), np.zeros((len(table), len(spellings.names)))
    for name in table.columns:
        numbers = _numbers(table[name], f"column {name!r} of the contrasts")
        if name == RHS and RHS not in spellings.names:
            values = numbers
        else:
            rows[:, spellings.exact(str(name))] = numbers
    named = not isinstance(table.index, pd.RangeIndex)
    return [
        _claim(str(label) if named else "", row, value, spellings)
        for label, row, value in zip(table.index, rows, values, strict=True)
    ]


def _of_matrix(given: Any, values: Any, spellings: Spellings) -> list[Claim]:
    """One claim per row of a matrix with a column per coefficient; the columns left out may be there too, last."""
    matrix = np.atleast_2d(_numbers(given, "the contrasts"))
    N, left_out = len(spellings.names), spellings.names[len(spellings.names) - spellings.left_out :]
    if matrix.ndim != 2 or matrix.shape[1] not in (N, N - len(left_out)):
        names = ", ".join(spellings.names[: N - len(left_out)][:12])
        raise FitError(
            f"Contrasts must have one column for each of the {N - len(left_out)} coefficients ({names}), not shape "
            f"{matrix.shape}. A DataFrame whose columns are names of coefficients may leave some out.",
            topic="contrast-weights",
        )
    rows = np.zeros((len(matrix), N))
    rows[:, : matrix.shape[1]] = matrix
    claimed = _numbers(values, "the values of the contrasts")
    if claimed.size not in (1, len(rows)):
        raise FitError(
            f"{len(rows)} contrasts need {len(rows)} values, one each, or one for all, not {claimed.size}.",
            topic="contrast-weights",
        )
    claimed = np.broadcast_to(claimed.ravel(), len(rows))
    return [_claim("", row, value, spellings) for row, value in zip(rows, claimed, strict=True)]


def _claim(label: str, row: np.ndarray, value: float, spellings: Spellings) -> Claim:
    if not np.any(row):
        raise FitError(
            f"The contrast {label or 'with weights zero'} says nothing of any coefficient.", topic="contrast-weights"
        )
    return Claim(label or f"{written(row, spellings.names)} = {value:g}", row, float(value), EQUAL)


def _numbers(given: Any, what: str) -> np.ndarray:
    try:
        values = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise FitError(
            f"{brief(given)} is no hypothesis: {what} are numbers. {FORMS}", topic="hypothesis-text"
        ) from None
    if not np.all(np.isfinite(values)):
        raise FitError(f"Numbers are missing or infinite in {what}.", topic="contrast-weights")
    return values


def written(row: np.ndarray, names: Sequence[str]) -> str:
    """A combination as one writes it.

    >>> written(np.array([1.0, 0.0, -0.5]), ["a", "b", "c"])
    'a - 0.5*c'
    """
    parts: list[str] = []
    for weight, name in zip(row, names, strict=True):
        if weight:
            size = "" if abs(weight) == 1 else f"{abs(weight):.4g}*"
            sign = ("- " if weight < 0 else "+ ") if parts else ("-" if weight < 0 else "")
            parts.append(f"{sign}{size}{name}")
    return " ".join(parts)
