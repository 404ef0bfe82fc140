"""What linear predictors say of the response: its mean, and new responses as the formula's left side writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BayesMixedWarning, warn
from ..families import Family

if TYPE_CHECKING:
    import pandas as pd

    from ..model import Model


def location(family: Family, eta: np.ndarray) -> np.ndarray:
    """mu = g^-1(eta); predictors outside the link's domain, as intervals and new levels may have, count as its end."""
    low, high = family.eta_range
    with np.errstate(divide="ignore", over="ignore"):
        return family.link.inverse(eta if np.isinf([low, high]).all() else np.clip(eta, low, high))


def warn_of_ends(family: Family, eta: np.ndarray, rows: pd.Index) -> None:
    """Say which estimates are only the end of the range of means, their predictors (n,) lying beyond it."""
    low, high = family.eta_range
    beyond = (eta < low) | (eta > high)
    if beyond.any():
        first = int(np.argmax(beyond))
        end = location(family, eta[first : first + 1])[0]
        told = BayesMixedWarning(
            f"The linear predictor is {eta[first]:.4g} in row {rows[first]} ({int(beyond.sum())} of {len(eta)} such "
            f"rows), and the {family.link.name} link of the {family.name} family takes {low:g} to {high:g}: the "
            f"estimate is the mean at the end, {end:.4g}. A log link has no such end.",
            topic="end-of-the-link",
        )
        warn(told)


def mean_response(
    family: Family, eta: np.ndarray, dispersion: dict[str, Any], weights: np.ndarray | None = None
) -> np.ndarray:
    """E(y) at predictors eta (draws, n), of responses out of trials per trial; `dispersion` broadcasts against eta.

    `weights` (n,) matter where they are precisions and the mean depends on the spread.
    """
    return family.mean(location(family, eta), dispersion, weights if family.weights == "precision" else None)


def as_counted(model: Model, mean: np.ndarray, trials: np.ndarray | None) -> np.ndarray:
    """Means per trial (.., n) in the unit of `new_responses`: expected successes, shares where the model has them."""
    response = model.design.response
    return mean if trials is None or (response is not None and response.proportion) else mean * trials


def new_responses(
    model: Model,
    eta: np.ndarray,
    dispersion: dict[str, Any],
    weights: np.ndarray | None,
    trials: np.ndarray | None,
    rng: np.random.Generator,
) -> np.ndarray:
    """Responses (draws, n) drawn at predictors eta: successes of trials, or their share where the model had shares.

    NaN where the predictor or the trials are.
    """
    unknown = np.isnan(eta) if trials is None else np.isnan(eta) | np.isnan(trials)
    if unknown.any():  # generators refuse NaN, or read it as a number
        eta = np.where(unknown, _inside(model.family.eta_range), eta)
        trials = None if trials is None else np.where(np.isnan(trials), 0.0, trials)
    y = model.family.draw(rng, location(model.family, eta), dispersion, weights, trials)
    if unknown.any():
        y = np.where(unknown, np.nan, y)
    response = model.design.response
    if response is None or not response.proportion or trials is None:
        return y
    return np.divide(y, trials, out=np.full(y.shape, np.nan), where=trials > 0)


def _inside(ends: tuple[float, float]) -> float:
    """A number between two ends, each of which may be infinite."""
    low, high = ends
    if np.isinf(low):
        return 0.0 if np.isinf(high) else high - 1.0
    return low + 1.0 if np.isinf(high) else (low + high) / 2
