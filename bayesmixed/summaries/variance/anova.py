"""Intraclass correlation from the mean squares between and within levels, without a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import f as F

from ...errors import FitError
from ...messages import Told

if TYPE_CHECKING:
    from ...model import Model

_NOTE = Told(
    "shares-of-variance",
    "Raw response, one factor at a time: what predictors change between levels counts as variance between them.",
)


def anova_shares(model: Model) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """variance = (MSB - MSW) / n0 and the share adjusted = (MSB - MSW) / (MSB + (n0 - 1) MSW), per grouping factor.

    n0 = (N - sum n_i^2 / N) / (k - 1); limits of the share from F quantiles (Searle 1971).
    """
    if not model.linear or model.design.response is None:
        raise FitError(
            f"The analysis-of-variance estimator is of the response itself; the {model.family.name} family with link "
            f'{model.family.link.name} varies on another scale. Use method="model".',
            topic="share-of-variance",
        )
    used = model.design.used
    y = model.family.normalised(model.design.response.y[used])
    rows = {term.factor: _share(y, term.codes[used]) for term in model.design.groups}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("group"), (_NOTE,)


def _share(y: np.ndarray, codes: np.ndarray) -> dict[str, float]:
    n = np.bincount(codes)
    n = n[n > 0]
    N, k = len(y), len(n)
    if k < 2 or N == k:
        raise FitError(
            f"{N} rows in {k} levels leave no mean square {'within' if N == k else 'between'} levels.",
            topic="share-of-variance",
        )
    means = np.bincount(codes, y)[np.unique(codes)] / n
    between = float(np.sum(n * (means - y.mean()) ** 2)) / (k - 1)
    within = float(np.sum((y - _own_mean(means, codes)) ** 2)) / (N - k)
    n0 = (N - np.sum(n**2) / N) / (k - 1)
    lower, upper = (_of_ratio(between / within / F.ppf(p, k - 1, N - k), n0) for p in (0.975, 0.025))
    found = {"variance": (between - within) / n0, "adjusted": _of_ratio(between / within, n0)}
    return found | {"adjusted_lower": lower, "adjusted_upper": upper}


def _own_mean(means: np.ndarray, codes: np.ndarray) -> np.ndarray:
    return means[np.unique(codes, return_inverse=True)[1]]


def _of_ratio(ratio: float, n0: float) -> float:
    """The share at a ratio MSB / MSW."""
    return float((ratio - 1) / (ratio + n0 - 1))
