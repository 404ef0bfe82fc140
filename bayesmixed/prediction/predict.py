"""Predictions for old and new rows, with intervals that include the uncertainty of the random effects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
import scipy

from ..design.design import Design
from ..errors import FitError, checked_level, nearest
from ..parameters.predicted import Predicted, predicted
from ..parameters.values import Parameters
from .estimable import determined
from .included_terms import included_terms
from .memory import refuse_too_large
from .new_levels import extend
from .new_rows import encode, take_rows
from .quantiles import equal_tailed
from .responses import as_counted, mean_response, new_responses, warn_of_ends
from .seeds import generator
from .thinning import kept_draws, positive

if TYPE_CHECKING:
    import xarray as xr

    from ..model import Model

PREDICTION_DRAWS = 4000  # behind the quantiles of a point fit's prediction interval
POINT_DRAWS = 1000  # what predict_draws gives of a point fit unless asked otherwise
CHUNK = 2**23  # draws x rows held at once (64 MiB)

SCALES = ("response", "link", "observation")
NEW_LEVELS = ("error", "population", "sample")


class PredictionErrors(Protocol):
    """Prediction errors of (beta, b) of a point fit: normal, theta and sigma held."""

    def variance(self, design: Design, terms: Sequence[int]) -> np.ndarray:
        """Variance (n,) of x'beta + z'b over the included terms."""

    def root(self, design: Design, terms: Sequence[int]) -> np.ndarray:
        """F (n, q) with F F' their joint covariance."""

    def draw(self, n: int, rng: np.random.Generator) -> Parameters:
        """n draws of all parameters."""


@dataclass(frozen=True)
class PredictionRequest:
    """What to predict: rows, effects, scale, and what to do with unseen levels."""

    newdata: Any = None
    re: str | Sequence[str] = "all"
    scale: str = "response"
    new_levels: str = "error"
    offset: Any = None
    weights: Any = None
    seed: int | None = None
    trials: Any = None
    parameter: str | None = None

    def check(self, *scales: str) -> None:
        """Raise a FitError for an option that does not exist."""
        if self.scale not in scales:
            raise FitError(
                f"scale={self.scale!r} is not an option here. {nearest(self.scale, scales)}", topic="unknown-option"
            )
        if self.new_levels not in NEW_LEVELS:
            raise FitError(
                f"new_levels={self.new_levels!r} is not an option. {nearest(self.new_levels, NEW_LEVELS)}",
                topic="unknown-option",
            )

    def design(self, model: Model, terms: Sequence[int], *, observed: bool) -> Design:
        """The rows to predict with these group terms; `observed` says that new responses are wanted.

        Then their precision weights are, and so they are for means that depend on them.
        """
        design = encode(
            model,
            self.newdata,
            unseen=self.new_levels,
            offset=self.offset,
            weights=self.weights,
            trials=self.trials,
            observed=observed or (self.scale == "response" and model.family.spread_in_mean),
            factors={model.design.groups[j].factor for j in terms},
            parameters=[self.parameter] if self.parameter else (),
        )
        return determined(model, design, self.newdata)


def fitted(model: Model, parameters: Parameters) -> np.ndarray:
    """Mean of the response (n,), averaged over draws, all effects included."""
    parts = []
    for rows in _chunks(determined(model, model.design, None), parameters.n_draws):
        found = predicted(model.family, rows, parameters)
        parts.append(mean_response(model.family, found.eta, found.dispersion, rows.weights).mean(axis=0))
    return np.concatenate(parts)


@dataclass(frozen=True)
class Prepared:
    """A request with all that answers it: values, the rows' design and the bars whose effects count."""

    model: Model
    parameters: Parameters
    design: Design
    terms: Sequence[int]
    request: PredictionRequest
    interval: str | None
    level: float


def predict(
    model: Model,
    parameters: Parameters,
    errors: PredictionErrors | None,
    request: PredictionRequest,
    interval: str | None,
    level: float,
) -> pd.DataFrame:
    """See `Fit.predict`; `errors` is None for fits whose draws carry the uncertainty themselves."""
    request.check("response", "link")
    _check_interval(interval, level, request.scale)
    terms = included_terms(model.design.groups, request.re)
    design = request.design(model, terms, observed=interval == "prediction")
    asked = Prepared(model, parameters, design, terms, request, interval, level)
    table = _from_draws(asked) if errors is None else _from_normal(asked, errors)
    table.index = design.index
    return table


def predict_draws(
    model: Model, parameters: Parameters, errors: PredictionErrors | None, request: PredictionRequest, draws: int | None
) -> xr.DataArray:
    """See `Fit.predict_draws`."""
    import xarray as xr

    request.check(*SCALES)
    rng = generator(request.seed)
    if errors is not None:
        parameters = errors.draw(POINT_DRAWS if draws is None else positive(draws), rng)
    elif draws is not None:
        parameters = parameters.take(kept_draws(parameters.beta.shape[1], draws))
    terms = included_terms(model.design.groups, request.re)
    design = request.design(model, terms, observed=request.scale == "observation")
    _refuse_too_large(parameters.n_draws, design.n_rows)
    values = extend(design, parameters, rng)
    found = predicted(model.family, design, values, terms)
    result = found.eta
    if request.scale == "response":
        result = mean_response(model.family, found.eta, found.dispersion, design.weights)
    elif request.scale == "observation":
        result = new_responses(model, found.eta, found.dispersion, design.weights, design.trials, rng)
    chains = parameters.beta.shape[0]
    return xr.DataArray(
        result.reshape(chains, len(result) // chains, design.n_rows),
        dims=("chain", "draw", "__obs__"),
        coords={"chain": np.arange(chains), "draw": np.arange(result.shape[0] // chains), "__obs__": design.index},
        name=model.design.response.name if model.design.response else "prediction",
    )


def _from_draws(asked: Prepared) -> pd.DataFrame:
    model, design, terms, request = asked.model, asked.design, asked.terms, asked.request
    parameters, interval = asked.parameters, asked.interval
    rng = generator(request.seed)
    values = extend(design, parameters, rng)
    tables = []
    for rows in _chunks(design, parameters.n_draws):
        found = predicted(model.family, rows, values, terms)
        eta, dispersion = found.eta, found.dispersion
        if request.scale == "response":
            warn_of_ends(model.family, eta.mean(axis=0), rows.index)
        mean = eta if request.scale == "link" else mean_response(model.family, eta, dispersion, rows.weights)
        table = {"estimate": mean.mean(axis=0)}
        if interval is not None:
            spread = mean
            if interval == "prediction":
                table["estimate"] = as_counted(model, table["estimate"], rows.trials)
                spread = new_responses(model, eta, dispersion, rows.weights, rows.trials, rng)
            table["lower"], table["upper"] = equal_tailed(spread, asked.level)
        tables.append(pd.DataFrame(table))
    empty = pd.DataFrame(columns=["estimate"], dtype=float)
    return pd.concat(tables, ignore_index=True) if tables else empty


def _from_normal(asked: Prepared, errors: PredictionErrors) -> pd.DataFrame:
    model, design, terms, request = asked.model, asked.design, asked.terms, asked.request
    parameters, interval, level = asked.parameters, asked.interval, asked.level
    found = predicted(model.family, design, extend(design, parameters, None), terms)
    eta, dispersion = found.single()

    def shown(value: np.ndarray) -> np.ndarray:
        if request.scale == "link":
            return value
        return mean_response(model.family, value, dispersion, design.weights)

    table = {"estimate": shown(eta)}
    if request.scale == "response":
        warn_of_ends(model.family, eta, design.index)
    if interval is not None:
        variance = errors.variance(design, terms)
        if request.new_levels == "sample":
            variance = variance + _new_level_variance(design, parameters, terms)
        if interval == "confidence":
            half = scipy.special.ndtri(0.5 + level / 2) * np.sqrt(variance)
            ends = shown(eta - half), shown(eta + half)  # a decreasing link turns them round
            table["lower"], table["upper"] = np.minimum(*ends), np.maximum(*ends)
        else:
            table["estimate"] = as_counted(model, table["estimate"], design.trials)
            table["lower"], table["upper"] = _observed_quantiles(model, found, variance, design, request.seed, level)
    return pd.DataFrame(table)


def _observed_quantiles(
    model: Model, found: Predicted, variance: np.ndarray, design: Design, seed: int | None, level: float
) -> np.ndarray:
    rng, limits = generator(seed), []
    step = max(1, CHUNK // PREDICTION_DRAWS)
    for first in range(0, len(variance), step):
        rows = slice(first, first + step)
        eta, dispersion = found.at(rows).single()
        noise = rng.standard_normal((PREDICTION_DRAWS, len(eta)))
        w, m = (None if given is None else given[rows] for given in (design.weights, design.trials))
        y = new_responses(model, eta + np.sqrt(variance[rows]) * noise, dispersion, w, m, rng)
        limits.append(equal_tailed(y, level))
    return np.concatenate(limits, axis=1) if limits else np.zeros((2, 0))


def _new_level_variance(design: Design, parameters: Parameters, terms: Sequence[int]) -> np.ndarray:
    """z' Sigma z for rows whose level is new."""
    total = np.zeros(design.n_rows)
    for j in terms:
        term = design.groups[j]
        new = term.codes >= parameters.b[j].shape[2]
        scaled = term.Z @ parameters.factor(j)[0, 0]
        total += np.where(new, np.sum(scaled**2, axis=1), 0.0)
    return total


def _chunks(design: Design, draws: int) -> Iterator[Design]:
    step = max(1, CHUNK // max(draws, 1))
    for first in range(0, design.n_rows, step):
        yield design if design.n_rows <= step else take_rows(design, slice(first, first + step))


def _check_interval(interval: str | None, level: float, scale: str) -> None:
    if interval not in (None, "confidence", "prediction"):
        raise FitError(
            f'interval={interval!r} is not an option. Use None, "confidence" or "prediction".', topic="unknown-option"
        )
    if interval == "prediction" and scale == "link":
        raise FitError('interval="prediction" is of new responses: use scale="response".', topic="options-together")
    checked_level(level)


def _refuse_too_large(draws: int, rows: int) -> None:
    remedy = (
        ". Ask for fewer with draws=, for some of the rows, or for intervals with predict(interval=...), which needs "
        "no memory for all of them."
    )
    refuse_too_large(draws, rows, f"{draws} draws of {rows} rows are", remedy)
