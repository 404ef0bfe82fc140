"""How does NUTS fit a model? From a point fit by a program of it, twice where one centring mixes badly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...covariance import CORRELATION
from ...errors import BayesMixedWarning, FitError, ModelError, warn
from ...fits.draws import DrawsFit
from ...prediction.seeds import whole_seed
from ..improper import refuse_improper
from ..maximum.linear import fit_linear
from ..ml import ML, check_identifiable
from ..program import build_program
from ..room import check_room
from ..search.gradient_methods import BFGS
from .chain_start import Start, start_from
from .generalized_start import generalized_start
from .run import sample_posterior

if TYPE_CHECKING:
    from ...fits.point import PointFit
    from ...model import Model
    from ..nuts import NUTS


def fit_by_sampling(engine: NUTS, model: Model, seed: int | None, progress: bool | None) -> DrawsFit:
    """See `NUTS`."""
    _check_model(model, engine)
    check_room(model, "bm.NUTS(draws={draws})", engine.chains, engine.draws)
    start = _start(engine, model)
    program = build_program(model, engine.collapsed, _centering(engine, start))
    chosen, other = whole_seed(seed), start.other_centering() if engine.centered == "auto" else None
    again = build_program(model, engine.collapsed, other) if other and program.function.effect_factors else None
    found = sample_posterior(engine, model, [program, *filter(None, [again])], start, chosen, progress)
    return DrawsFit(model, engine, found.parameters, found.statistics, found.status, chosen)


def _start(engine: NUTS, model: Model) -> Start:
    if engine.start != "auto":
        return start_from(_given_start(engine.start, model), model)
    if not model.linear:
        return generalized_start(model)
    try:
        check_identifiable(model)
    except ModelError as stop:
        # What stops ML only warns here: priors keep the posterior proper.
        warn(BayesMixedWarning(str(stop), topic=stop.topic))
    return start_from(fit_linear(model, ML(), None, BFGS()), model)


def _centering(engine: NUTS, start: Start) -> tuple[np.ndarray, ...]:
    if engine.centered == "auto":
        return start.centering()
    return tuple(np.full(len(factor), float(engine.centered)) for factor in start.factors)


def _given_start(start: Any, model: Model) -> PointFit:
    names = getattr(getattr(start, "model", None), "coefficients", None)
    if names != model.coefficients or not hasattr(start, "factors"):
        raise FitError(
            'start must be "auto" or a point fit of the same model, e.g. model.fit("ml").', topic="engine-option"
        )
    return start


def _check_model(model: Model, engine: NUTS) -> None:
    for group, structure in zip(model.design.groups, model.covariances, strict=True):
        # LKJ's Cholesky transform loses all digits in single precision from five columns on.
        matrix = any(shape.support == CORRELATION for shape in structure.parameters(len(group.columns)).shapes)
        if engine.dtype == "float32" and matrix and len(group.columns) >= 5:
            raise FitError(
                f"dtype='float32' cannot hold the {len(group.columns)}-column correlations of {group.text}.",
                topic="engine-option",
            )
    refuse_improper(model)
