"""One number per draw and row of the data used, only when asked for: log-likelihood, or a new response."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..design.design import Design
from ..families import observed
from ..parameters.predicted import predicted
from ..parameters.values import Parameters
from . import memory
from .new_rows import take_rows
from .predict import CHUNK
from .responses import new_responses
from .seeds import generator

if TYPE_CHECKING:
    from ..model import Model


def log_likelihood(model: Model, parameters: Parameters, rows: np.ndarray | None = None) -> np.ndarray:
    """log f(y | eta, dispersion) (chains, draws, rows), conditional on the random effects; rows of positive weight."""
    rows = observed_rows(model) if rows is None else rows
    seen = observed(model.design, rows)
    constant = model.family.constant(seen)

    def density(eta: np.ndarray, dispersion: dict[str, Any]) -> np.ndarray:
        return model.family.derivatives(seen, eta, dispersion, 0).kernel + constant

    return _fill(model, take_rows(model.design, rows), parameters, density)


def replicates(model: Model, parameters: Parameters, seed: int | None) -> np.ndarray:
    """New responses (chains, draws, rows) for the same levels; NaN where the weight is zero."""
    rng, weights, trials = generator(seed), model.design.weights, model.design.trials

    def drawn(eta: np.ndarray, dispersion: dict[str, Any]) -> np.ndarray:
        return new_responses(model, eta, dispersion, weights, trials, rng)

    return _fill(model, model.design, parameters, drawn)


def observed_rows(model: Model) -> np.ndarray:
    """Positions of the rows that say something: a weight of zero says nothing."""
    return np.flatnonzero(model.design.used)


def refuse_too_large(what: str, chains: int, draws: int, rows: int) -> None:
    """Raise a FitError where chains x draws x rows does not fit, with the number of draws that does."""
    asked = f"{what} of {chains} x {draws:,} draws and {rows:,} rows takes"
    remedy = f". Thin it: fit.{what}(draws={{most}}) keeps {{most}} draws per chain, evenly spaced."
    memory.refuse_too_large(draws, chains * rows, asked, remedy)


def _fill(
    model: Model,
    design: Design,
    parameters: Parameters,
    values: Callable[[np.ndarray, dict[str, Any]], np.ndarray],
) -> np.ndarray:
    """`values(eta, dispersion)` of every draw and row, block by block of draws."""
    chains, draws = parameters.beta.shape[:2]
    found = np.empty((chains, draws, design.n_rows))
    step = max(1, CHUNK // max(1, chains * design.n_rows))
    for first in range(0, draws, step):
        block = slice(first, min(first + step, draws))
        some = parameters.take(block).flat()
        there = predicted(model.family, design, some)
        found[:, block] = values(there.eta, there.dispersion).reshape(chains, -1, design.n_rows)
    return found
