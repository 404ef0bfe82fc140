"""Refits one after the other, each a full fit from the estimates that are known: for any method and model."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import BayesMixedError, BayesMixedWarning
from .refits import Refits, Refitter

if TYPE_CHECKING:
    from ...fits.point import PointFit
    from ...model import Model
    from ..base import Engine


@dataclass(frozen=True, eq=False)
class OneByOne(Refitter):
    """Full fits of the model of `fit`, from its estimates where they are inside the space."""

    fit: PointFit

    def refits(self, y: np.ndarray) -> Refits:
        return Refits.of(list(self.fits(y)), self.fit)

    def fits(self, y: np.ndarray) -> Iterator[PointFit | None]:
        engine = warm(self.fit.engine, None if self.fit.status.singular_scaled else self.fit.theta)
        for one in y:
            yield fitted(self.fit.model, one, engine)


def fitted(model: Model, y: np.ndarray, engine: Engine) -> PointFit | None:
    """The fit of another response; None where there is none."""
    try:
        return fit_quietly(model.with_response(y), engine)
    except BayesMixedError:  # a response outside the support
        return None


def fit_quietly(model: Model, engine: Engine) -> PointFit | None:
    """The fit of a model without its warnings; None where there is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BayesMixedWarning)
            found: Any = engine.fit(model, seed=None, progress=False)
    except (BayesMixedError, np.linalg.LinAlgError, FloatingPointError):
        return None
    return found


def chosen_way(engine: Engine) -> bool:
    """Whether the user chose how an engine searches: an optimizer, or a limit of iterations."""
    return getattr(engine, "optimizer", None) is not None or getattr(engine, "maxiter", None) is not None


def warm(engine: Engine, theta: Sequence[float] | np.ndarray | None) -> Engine:
    """The engine with a start at theta, where it takes one."""
    if theta is None or not len(theta) or not hasattr(engine, "start"):
        return engine
    takes: Any = engine
    return replace(takes, start=tuple(float(value) for value in theta))
