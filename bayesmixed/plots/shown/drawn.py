"""Which parameters of a fit have draws, and within which ends they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import FitError, nearest
from ...fits.base import is_fit
from ...fits.tables import scalar_table

if TYPE_CHECKING:
    from ...fits.base import Fit

BOUNDS = {"fixed": (-np.inf, np.inf), "sd": (0.0, np.inf), "cor": (-1.0, 1.0)}


def refuse_point_fit(fit: Any, plot: str) -> None:
    """Raise a FitError for what is no fit with draws, saying how to get one."""
    if not is_fit(fit):
        raise FitError(f'{plot} draws a fit, not {fit!r}: write model.fit("nuts", seed=1) first.', topic="needs-a-fit")
    if fit.parameters.n_draws == 1:
        raise FitError(
            f'{plot} shows draws, and {fit.label} has none: fit with model.fit("laplace", seed=1) or '
            'model.fit("nuts", seed=1).',
            topic="needs-draws",
        )


@dataclass(frozen=True)
class Scalar:
    """Draws (chains * draws,) of one population parameter, chain after chain, which lies within (low, high)."""

    values: np.ndarray
    low: float
    high: float


def scalars(fit: Fit) -> dict[str, Scalar]:
    """Every population parameter that is not held constant, under its name in `bm.side_by_side`."""
    table = scalar_table(fit.model.design, fit.parameters)
    return {
        label: Scalar(values.ravel(), *(BOUNDS.get(kind) or fit.model.family.parameter(label).bounds))
        for label, kind, values in zip(table["label"], table["kind"], table["values"], strict=True)
        if np.ptp(values) > 0
    }


def chosen(parameters: str | Sequence[str] | None, known: Sequence[str], default: Sequence[str]) -> list[str]:
    """`parameters` as a list of different names, `default` for None.

    Raises
    ------
    FitError
        A name that the fit does not have, or none.
    """
    if parameters is None:
        return list(default)
    names = [parameters] if isinstance(parameters, str) else list(dict.fromkeys(parameters))
    for name in names:
        if name not in known:
            raise FitError(
                f"This fit has no parameter {name!r}. {nearest(str(name), known, 'Parameters')}",
                topic="no-such-parameter",
            )
    if not names:
        raise FitError(f"parameters=[] draws nothing. Parameters: {', '.join(known)}.", topic="nothing-named")
    return names
