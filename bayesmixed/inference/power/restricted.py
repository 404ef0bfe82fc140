"""The model in which linear functions of the coefficients are zero: what a likelihood ratio compares with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.linalg import null_space

from ...model import Model, with_design


def restricted(model: Model, rows: np.ndarray) -> Model:
    """The model with `rows` (r, P) of the coefficients zero: on combinations of its columns, whatever their names.

    Rows that belong to as many columns as they are leave the others as they are. All are of one predictor.
    """
    design = model.design
    name = next(name for name, where in design.places.items() if np.any(rows[:, where] != 0))
    whole, own = design.predictors[name], rows[:, design.places[name]]
    touched = np.any(own != 0, axis=0)
    if np.sum(touched) == len(own):
        kept = np.flatnonzero(~touched)
        N, names = np.eye(len(touched))[:, kept], tuple(whole.coefficients[i] for i in kept)
    else:
        lengths = np.linalg.norm(whole.X, axis=0)  # columns of one size: no combination drowns the small ones
        N = null_space(own / lengths) / lengths[:, None]
        names = tuple(f"combination {i + 1}" for i in range(N.shape[1]))
    places: dict[str, tuple[int, ...]] = {each: (i,) for i, each in enumerate(names)}
    variables: tuple[tuple[str, ...], ...] = ((),) * len(names)
    smaller = replace(whole, X=whole.X @ N, coefficients=names, r_names=names, terms=places, variables=variables)
    return with_design(model, design.with_predictor(smaller), model.frame)
