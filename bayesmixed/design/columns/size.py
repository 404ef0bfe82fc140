"""Whether the columns of a formula fit into memory, asked before any of them is formed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ...errors import BayesMixedWarning, DataError, warn
from ...formula.parts import Term
from ...formula.syntax import deparse
from ..expressions.factor_functions import Columns
from .coded import Atom
from .factors import Factor

LARGEST = 4e9  # bytes of one dense matrix of columns; fitting takes a few copies of it
LARGE = 1e9  # bytes from which the user is told


def refuse_too_many(terms: Sequence[Term], atoms: Mapping[str, Atom], n: int, where: str = "") -> None:
    """Refuse terms whose columns, n rows each, take more than `LARGEST`; `where` names their bar.

    Raises
    ------
    DataError
        With the widest term, its columns and size, and what to write instead.
    """
    widths = [math.prod(_width(atoms[deparse(atom)]) for atom in term.atoms) for term in terms]
    p = sum(widths)
    if p * max(n, p) * 8 <= LARGE:  # the columns and their cross-products
        return
    widest = max(range(len(terms)), key=widths.__getitem__)
    name, size = terms[widest].name, widths[widest] * n * 8 / 1e9
    if n < p and p * n * 8 <= LARGEST:
        raise DataError(
            f"the formula has {p:,} columns for {n:,} rows, most of them in `{name}`{where}: cross fewer.",
            topic="too-many-columns",
        )
    if p * n * 8 <= LARGEST:
        told = BayesMixedWarning(
            f"`{name}`{where} has {widths[widest]:,} columns for {n:,} rows: {size:.1f} GB, and fitting takes a few "
            f"times that. {_advice(terms[widest], atoms, where)}",
            topic="too-many-columns",
        )
        warn(told)
        return
    raise DataError(
        f"`{name}`{where} has {widths[widest]:,} columns for {n:,} rows: {size:,.0f} GB, more than the "
        f"{LARGEST / 1e9:.0f} GB that columns may take. {_advice(terms[widest], atoms, where)}",
        topic="too-many-columns",
    )


def _width(value: Atom) -> int:
    """Columns of an atom, or one more where its contrasts save one."""
    if isinstance(value, Factor):
        return value.known
    return value.values.shape[1] if isinstance(value, Columns) else 1


def _advice(term: Term, atoms: Mapping[str, Atom], where: str) -> str:
    if where:
        return "Put fewer columns into the bar."
    factors = [text for text in map(deparse, term.atoms) if isinstance(atoms[text], Factor)]
    if not factors:
        return "Use fewer columns."
    text = ":".join(factors)
    number = f", as.numeric({text}) if it is a number that was read as text" if len(term.atoms) == 1 else ""
    return f"A factor of so many levels is usually a grouping factor: write (1 | {text}){number}."
