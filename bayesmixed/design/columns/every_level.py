"""Which columns a term has when every factor gets one per level, whatever contrasts the model uses.

These are more than can be estimated, which is what hypotheses about terms are stated in. Factors whose contrasts leave
out a part (a linear trend alone) stay what they are: numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...formula.syntax import deparse
from ..expressions.evaluate import Evaluator
from ..expressions.factor_functions import Columns
from .coded import Atom
from .contrasts import contrast
from .factors import Factor

if TYPE_CHECKING:
    from ...formula.parts import Term
    from ..encoding import Encoding


@dataclass(frozen=True)
class EveryLevel:
    """Columns (n, q): `leading` (q,) tells those of a first level, by `scale` (q,) those of numbers are divided."""

    values: np.ndarray
    leading: np.ndarray
    scale: np.ndarray


@dataclass(frozen=True)
class Atoms:
    """The values of the atoms of fixed terms by their texts, as the fit had them, and the `contrasts` given."""

    values: Mapping[str, Atom]
    contrasts: Mapping[str, Any]

    @classmethod
    def of(cls, encoding: Encoding, frame: pd.DataFrame) -> Atoms:
        """Those of the mean on the training table."""
        evaluator = Evaluator(frame, encoding.namespace, dict(encoding.states), encoding.contrasts)
        terms = encoding.formula.predictors["mu"].terms
        return cls({deparse(atom): evaluator.atom(atom) for term in terms for atom in term.atoms}, encoding.contrasts)

    @property
    def factors(self) -> dict[str, Factor]:
        """The factors among them."""
        return {text: value for text, value in self.values.items() if isinstance(value, Factor)}

    @property
    def categorical(self) -> frozenset[str]:
        """The factors whose contrasts and the constant span all levels."""
        return frozenset(text for text, factor in self.factors.items() if self._spanning(text, factor))

    def distinct(self, used: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions among the rows `used` of the first of those that are alike, and the sums of their weights."""
        keys = {
            f"{text} {j}": column for text, value in self.values.items() for j, column in enumerate(_numbers(value).T)
        }
        if not keys:
            return np.array([0]), np.array([weights.sum()])
        group = pd.DataFrame(keys).iloc[used].groupby(list(keys), sort=False).ngroup().to_numpy()
        return np.unique(group, return_index=True)[1], np.bincount(group, weights)

    def columns(self, term: Term, rows: np.ndarray) -> EveryLevel:
        """A term's columns in some rows; those that are zero in all of them (empty cells) are left out.

        The first atom varies fastest.
        """
        parts = [self._atom(deparse(atom), rows) for atom in term.atoms]
        whole = parts[0]
        for part in parts[1:]:
            values = np.einsum("ni,nj->nij", part.values, whole.values).reshape(len(whole.values), -1)
            leading = (part.leading[:, None] | whole.leading).ravel()
            there = np.any(values, axis=0)
            whole = EveryLevel(values[:, there], leading[there], np.outer(part.scale, whole.scale).ravel()[there])
        return whole

    def _atom(self, text: str, rows: np.ndarray) -> EveryLevel:
        value = self.values[text]
        if isinstance(value, Factor):
            levels, matrix = np.arange(value.known), self._contrast(text, value)
            if matrix is None or self._spanning(text, value):
                values = (value.codes[rows, None] == levels).astype(float)
                return EveryLevel(values, levels == 0, np.ones(value.known))
            values = matrix[value.codes[rows]]
        else:
            values = _numbers(value)[rows]
        scale = np.abs(values).max(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        return EveryLevel(values / scale, np.zeros(values.shape[1], dtype=bool), scale)

    def _contrast(self, text: str, factor: Factor) -> np.ndarray | None:
        """The contrast matrix that the user chose, None where nobody did."""
        if factor.contrast is not None:
            return factor.contrast.matrix
        levels = factor.levels[: factor.known]
        return contrast(self.contrasts[text], levels, where=text).matrix if text in self.contrasts else None

    def _spanning(self, text: str, factor: Factor) -> bool:
        matrix = self._contrast(text, factor)
        if matrix is None:
            return True
        return int(np.linalg.matrix_rank(np.column_stack([np.ones(len(matrix)), matrix]))) == factor.known


def _numbers(value: Atom) -> np.ndarray:
    """Columns (n, k): of a factor its codes."""
    if isinstance(value, Factor):
        return value.codes[:, None]
    return value.values if isinstance(value, Columns) else np.asarray(value, dtype=float)[:, None]
