"""Which combinations of levels have no rows, in terms whose hypotheses depend on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...design.columns.every_level import Atoms
from ...design.columns.factors import level_text
from ...formula.syntax import deparse
from ...messages import Told
from ...page import listed

if TYPE_CHECKING:
    from ...model import Model

SHOWN = 6  # cells
MOST = 1_000_000  # cells of one term that are looked at


def empty_cells(model: Model) -> dict[str, tuple[str, ...]]:
    """By term of several factors the cells without rows of positive weight: "A:70" has no row of A and 70."""
    known = Atoms.of(model.design.encoding, model.frame).factors
    used, found = model.design.used, {}
    for term in model.design.encoding.formula.predictors["mu"].terms:
        parts = [known[text] for text in map(deparse, term.atoms) if text in known]
        sizes = [part.known for part in parts]
        if len(parts) < 2 or np.prod(sizes, dtype=float) > MOST:
            continue
        codes = np.ravel_multi_index([part.codes[used] for part in parts], sizes)
        empty = np.flatnonzero(np.bincount(codes, minlength=int(np.prod(sizes))) == 0)
        if len(empty):
            cells = zip(*np.unravel_index(empty, sizes), strict=True)
            found[term.name] = tuple(
                ":".join(level_text(part.levels.tolist()[i]) for part, i in zip(parts, cell, strict=True))
                for cell in cells
            )
    return found


def empty_cells_note(model: Model) -> str:
    """The warning of a table of type III; empty where every cell has rows."""
    parts = []
    for name, cells in empty_cells(model).items():
        more = f" and {len(cells) - SHOWN} more" if len(cells) > SHOWN else ""
        shown = ", ".join(cells[:SHOWN]) + more if more else listed(cells)
        parts.append(f"no rows with {name} = {shown}")
    if not parts:
        return ""
    return Told(
        "empty-cells",
        f"Empty cells: {'; '.join(parts)}. Hypotheses of type III then depend on which cells are empty: "
        "compare means of the cells that have rows (bm.emmeans), or use type=2.",
    )
