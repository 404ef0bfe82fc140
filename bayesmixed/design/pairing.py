"""Which coefficient of the fixed part a column of a bar belongs to: the one of the same column, however it is spelled.

Two columns are one where they are made of the same columns of the data and hold the same numbers: ``z:x`` and ``x:z``,
``I(x^2)`` and ``I(x * x)``, an indicator and a treatment contrast. Names decide nothing: under sum contrasts the fixed
``f[a]`` and the ``f[a]`` of ``(0 + f | g)`` are different columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .design import GroupTerm, Predictor

ROUNDING = 64 * np.finfo(float).eps  # of a column's largest value: what products in another order may leave


@dataclass(frozen=True)
class Paired:
    """The columns of the fixed part, then those of bars that it lacks, by name: a name that recurs gets #2.

    `fixed` says how many are fixed; `places` has per bar the position of each of its columns among the `names`.
    """

    names: tuple[str, ...]
    fixed: int
    places: tuple[tuple[int, ...], ...]


def paired(fixed: Predictor, terms: Sequence[GroupTerm]) -> Paired:
    """The columns of bars of one grouping factor matched with those of the fixed part, all on the same rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from bayesmixed.design.build import build_design
    >>> from bayesmixed.formula.formula import Formula
    >>> table = pd.DataFrame({"y": range(4), "x": [1, 2, 3, 5], "z": [0, 1, 0, 2], "g": list("aabb")})
    >>> design, _ = build_design(Formula("y ~ x:z + (0 + z:x + z | g)"), table)
    >>> found = paired(design.mu, design.groups)
    >>> found.names, found.places
    (('Intercept', 'x:z', 'z'), ((2, 1),))
    """
    names, made_of, columns = list(fixed.coefficients), list(fixed.variables), list(fixed.X.T)
    places = []
    for term in terms:
        here = []
        for name, variables, column in zip(term.columns, term.variables, term.Z.T, strict=True):
            at = _place(column, variables, columns, made_of)
            if at is None:
                at = len(names)
                names.append(_free(name, names))
                made_of.append(variables)
                columns.append(column)
            here.append(at)
        places.append(tuple(here))
    return Paired(tuple(names), len(fixed.coefficients), tuple(places))


def _place(
    column: np.ndarray, made_of: tuple[str, ...], columns: Sequence[np.ndarray], variables: Sequence[tuple[str, ...]]
) -> int | None:
    allowed = ROUNDING * np.abs(column).max(initial=0.0)
    pairs = enumerate(zip(columns, variables, strict=True))
    same = (j for j, (other, of) in pairs if of == made_of and np.all(np.abs(other - column) <= allowed))
    return next(same, None)


def _free(name: str, taken: Sequence[str]) -> str:
    count, found = 1, name
    while found in taken:
        count += 1
        found = f"{name}#{count}"
    return found
