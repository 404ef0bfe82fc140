"""What every picture of a predictive check is made from: the observed response, its replicates, and their panels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...checks.predictive.replicated import Replicated, replicated
from ...prediction.memory import HELD_BESIDE, refuse_too_large
from ...prediction.rows_by import rows_by
from ..drawing import theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ...fits.base import Fit

WHOLE = ""  # the panel of all rows together


@dataclass(frozen=True)
class Asked:
    """What a picture shows: `source` of replicates, and per panel its name and positions among the rows compared."""

    fit: Fit
    source: Replicated
    panels: dict[Any, np.ndarray]
    by: Any
    by_name: str | None
    statistic: str | Callable[..., Any]
    level: float
    seed: int | None

    @property
    def observed(self) -> np.ndarray:
        """The response (rows,)."""
        return self.source.observed

    @property
    def response(self) -> str:
        """What to call it on an axis."""
        response = self.fit.model.design.response
        name = theme.short(response.name) if response else "response"
        counted = self.fit.model.design.trials is not None and response is not None and not response.proportion
        return f"{name}\n(successes)" if counted else name

    def table(self) -> np.ndarray:
        """All replicates (n, rows).

        Raises
        ------
        FitError
            Where they would take more than 1 GB.
        """
        n, rows = self.source.n, len(self.source.rows)
        refuse_too_large(
            n, rows, f"{n} replicates of {rows:,} rows take", ". Draw fewer, n={most} at most.", HELD_BESIDE
        )
        return self.source.table()


@dataclass(frozen=True)
class PictureKind:
    """One picture: how many replicates it takes unless asked, its tidy frame, its drawing, its labels and legend.

    `labels` gives what the two axes show, `legend` the entries of `marks.legend` in an ink; `one_range` says that all
    panels share the horizontal axis' range and stand on zero, `per_level` that each level of ``by=`` has a panel.
    """

    n: int
    frame: Callable[[Asked], pd.DataFrame]
    draw: Callable[[Axes, pd.DataFrame, Asked], None]
    labels: Callable[[Asked], tuple[str, str]]
    legend: Callable[[Asked, Any], list[tuple[str, Any, str]]]
    one_range: bool = False
    per_level: bool = True


@dataclass(frozen=True)
class CheckOptions:
    """What a user asks of a picture, as `plots.pp_check` takes it."""

    statistic: str | Callable[..., Any]
    by: Any
    n: int | None
    re: str
    level: float
    seed: int | None


def replicates(fit: Fit, usual: int, options: CheckOptions) -> Asked:
    """The replicates that a picture shows, `usual` unless a number is asked for, and the rows of its panels."""
    statistic, level, seed = options.statistic, options.level, options.seed
    source = replicated(fit, usual if options.n is None else options.n, options.re, seed)
    by = options.by
    if by is None:
        return Asked(fit, source, {WHOLE: np.arange(len(source.rows))}, None, None, statistic, level, seed)
    groups = rows_by(fit.model, by)
    panels = {name: at for name, at in zip(groups.levels, groups.places(source.rows), strict=True) if len(at)}
    return Asked(fit, source, panels, by, groups.name, statistic, level, seed)


def tails(level: float) -> tuple[float, float]:
    """Probabilities of the ends of a central interval."""
    return (1 - level) / 2, (1 + level) / 2
