"""What does a fit expect of rows, old or new: means, intervals, draws, new responses?"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...errors import with_known_options
from ...prediction import predict as prediction
from ...prediction import simulate as simulation
from ...prediction.parameter import predict_parameter

if TYPE_CHECKING:
    import xarray as xr

    from ...model import Model
    from ...parameters.values import Parameters


class Predictions:
    """Members of every fit: its predictions."""

    model: Model
    parameters: Parameters

    @property
    @abstractmethod
    def prediction_errors(self) -> prediction.PredictionErrors | None:
        """What intervals of predictions need; None where the draws carry it."""

    @abstractmethod
    def coefficient_root_of(self, predictor: str) -> np.ndarray | None:
        """F (p, .) with F F' the covariance of one predictor's coefficients; None where the draws carry it."""

    @with_known_options
    def predict(
        self,
        newdata: Any = None,
        *,
        re: str | Sequence[str] = "all",
        scale: str = "response",
        new_levels: str = "error",
        interval: str | None = None,
        level: float = 0.95,
        offset: Any = None,
        trials: Any = None,
        weights: Any = None,
        parameter: str | None = None,
        seed: int | None = None,
    ) -> pd.DataFrame:
        """Predictions, one row per row of `newdata` (or of the data used), never needing the response.

        Parameters
        ----------
        newdata
            A table with the columns of the right side, or a dict of columns and single values; None for the rows used.
        re
            Random effects to include: "all", "none" or a list of grouping factors.
        scale
            "response" or "link".
        new_levels
            Unseen and missing levels of a grouping factor: "error", "population" (no effect) or "sample" (a new
            effect, whose spread enters the interval; each row without a label is a level of its own). The estimate
            of a sampled level is, for point fits, the value at an effect of zero, for draws the mean over new
            levels: they differ where the link bends.
        interval
            None, "confidence" (of the mean) or "prediction" (of a new response). A limit is infinite where the
            interval passes the end of the link's domain, as 1 / mu may pass 0.
        level
            Coverage of the interval.
        offset, weights
            Given again for new data where the model's were arrays.
        trials
            Of new responses out of trials (a column, an array or a number): taken from the columns of the formula
            where the new table has them, else 1 with a note. Estimates are probabilities whatever the trials, but
            for ``interval="prediction"``: there they are expected successes, as the limits are (proportions where
            the model has proportions).
        parameter
            None for the mean of the response; the name of a parameter of its distribution, "mu" or "sigma", for that:
            `scale` and the interval "confidence" are then its own, and random effects are those of "mu" alone.
        seed
            For what is drawn.

        Returns
        -------
        DataFrame
            `estimate`, with an interval also `lower` and `upper`. NaN where a number is missing and, with a warning,
            where the data do not determine the mean: in an empty cell of ``a * b``, where columns part that did not
            in the data.

        Raises
        ------
        DataError
            A column that is not in the table; by default a level of a grouping factor that is new or missing.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
        >>> print(fit.predict({"Days": [10], "Subject": ["308"]}, interval="confidence").round(1))
           estimate  lower  upper
        0     449.6  418.8  480.5
        """
        request = prediction.PredictionRequest(newdata, re, scale, new_levels, offset, weights, seed, trials, parameter)
        if parameter == "mu" and self.model.family.spread_in_mean:
            request = replace(request, scale="link")  # of a log-normal response that of its logarithm
        elif parameter not in (None, "mu"):
            root = self.coefficient_root_of(parameter)
            return predict_parameter(self.model, self.parameters, root, request, interval, level)
        return prediction.predict(self.model, self.parameters, self.prediction_errors, request, interval, level)

    @with_known_options
    def predict_draws(
        self,
        newdata: Any = None,
        *,
        re: str | Sequence[str] = "all",
        scale: str = "response",
        new_levels: str = "error",
        draws: int | None = None,
        offset: Any = None,
        trials: Any = None,
        weights: Any = None,
        seed: int | None = None,
    ) -> xr.DataArray:
        """Draws of predictions: brms's ``posterior_epred``, ``posterior_linpred`` and ``posterior_predict``.

        Parameters
        ----------
        newdata, re, new_levels, offset, trials, weights
            As in `predict`.
        scale
            "response" (means), "link" (the linear predictor) or "observation" (new responses).
        draws
            Per chain, all by default. Point fits have one chain, drawn from the joint normal distribution of their
            prediction errors, 1000 times by default.
        seed
            Same seed, same draws.

        Returns
        -------
        DataArray
            Dims chain, draw and ``__obs__``, one per row; NaN where `predict` gives it.

        Raises
        ------
        DataError
            As `predict`.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
        >>> fit.predict_draws({"Days": [10], "Subject": ["308"]}, scale="observation", draws=200, seed=1).shape
        (1, 200, 1)
        """
        request = prediction.PredictionRequest(newdata, re, scale, new_levels, offset, weights, seed, trials)
        return prediction.predict_draws(self.model, self.parameters, self.prediction_errors, request, draws)

    @with_known_options
    def simulate(
        self,
        n: int = 1,
        *,
        re: str = "new",
        newdata: Any = None,
        offset: Any = None,
        trials: Any = None,
        weights: Any = None,
        seed: int | None = None,
    ) -> np.ndarray:
        """New responses (n, rows).

        Parameters
        ----------
        n
            Number of replicates; draws fits use a draw of the parameters each.
        re
            Effects drawn anew ("new"), held at their estimates ("all") or zero ("none").
        newdata, offset, trials, weights
            As in `predict`. Responses out of trials are successes, or proportions where the model had proportions.
            A level that is new or missing gets a new effect with ``re="new"``, and is an error with ``re="all"``.
        seed
            Same seed, same responses.

        Returns
        -------
        ndarray
            (n, rows), in units of the response.

        Raises
        ------
        DataError
            A column that is not in the table, or a level without an effect where ``re="all"``.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
        >>> fit.simulate(3, seed=1).shape
        (3, 180)
        """
        request = simulation.SimulationRequest(n, re, newdata, offset, weights, seed, trials)
        return simulation.simulate(self.model, self.parameters, request)
