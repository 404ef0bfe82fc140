"""Would flat priors leave the posterior improper?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import ModelError

if TYPE_CHECKING:
    from ..model import Model


def refuse_improper(model: Model) -> None:
    """Raise a ModelError where a flat prior of an sd leaves no posterior, with the prior to give instead."""
    for name in model.priors.improper:
        _check_flat(model, name)


def _check_flat(model: Model, name: str) -> None:
    """A flat sd needs three levels beyond the coefficients that vary between them, else it has no posterior."""
    for group in model.design.mu.groups:
        if not (name.endswith("_sigma") and f"|{group.factor}" in name):
            continue
        between = _between_level_coefficients(model.design.mu.X, group.codes)
        if group.n_levels < 3 + between:
            raise ModelError(
                f"{name!r} has a flat prior, and {group.factor} has {group.n_levels} levels for {between} coefficients "
                "that vary between levels only: the posterior is improper. Give it a prior such as "
                f"priors={{{name!r}: bm.priors.HalfStudentT(3, 1)}}.",
                topic="improper-posterior",
            )


def _between_level_coefficients(X: np.ndarray, codes: np.ndarray) -> int:
    """Columns (n, p) that are constant within every level, the intercept among them."""
    order = np.argsort(codes, kind="stable")
    within = np.diff(codes[order]) == 0
    moves = np.abs(np.diff(X[order], axis=0))[within]
    return int(np.sum(np.all(moves == 0, axis=0)))
