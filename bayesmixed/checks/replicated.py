"""Data that the fitted model would give: the observed response beside replicates of it, a few at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import FitError
from ..parameters import Parameters
from ..prediction.linear_predictor import linear_predictor
from ..prediction.new_levels import draw_effects
from ..prediction.responses import new_responses
from ..prediction.seeds import generator
from ..prediction.thinning import kept_draws

if TYPE_CHECKING:
    from ..fits.base import Fit
    from ..model import Model

CHUNK = 2**21  # replicates x rows held at once (16 MiB)
EFFECTS = ("all", "new")


@dataclass(frozen=True)
class Replicated:
    """Replicates of a model's response at given parameters.

    `observed` (n,) is the response as the formula's left side writes it, and `rows` are the positions of the rows
    of positive weight: those alone are compared. `n` replicates come from n draws of `parameters`, or from its only
    one; `re` as in `Fit.simulate`.
    """

    model: Model
    parameters: Parameters
    n: int
    re: str
    seed: int | None
    observed: np.ndarray
    rows: np.ndarray

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """(first, replicates (m, rows)): a few replicates at a time, the same ones for the same seed."""
        rng = generator(self.seed)
        total = self.parameters.n_draws
        order = kept_draws(total, self.n) if total > 1 else np.zeros(self.n, dtype=int)
        step = max(1, CHUNK // max(1, self.model.design.n_rows))
        for first in range(0, self.n, step):
            wanted = np.resize(order, self.n)[first : first + step]
            yield first, self._replicates(self.parameters.take(wanted), rng)[:, self.rows]

    def table(self) -> np.ndarray:
        """All replicates (n, rows) at once."""
        return np.concatenate([block for _, block in self.blocks()])

    def _replicates(self, some: Parameters, rng: np.random.Generator) -> np.ndarray:
        model, design, terms = self.model, self.model.design, range(len(self.model.design.groups))
        if self.re == "new":
            effects = (draw_effects(some, j, some.b[j].shape[2], rng) for j in terms)
            some = replace(some, b=tuple(effects))
        eta = linear_predictor(design, some, terms)
        dispersion = {name: value.reshape(-1, 1) for name, value in some.dispersion.items()}
        return new_responses(model, eta, dispersion, design.weights, design.trials, rng)


def replicated(fit: Fit, n: int, re: str, seed: int | None, *, plug_in: bool = False) -> Replicated:
    """Replicates of a fit; `plug_in` holds the parameters of a fit with draws at their posterior means.

    Raises
    ------
    FitError
        For anything but a fit, a number of replicates or an option that does not exist.
    """
    if not hasattr(fit, "simulate") or not hasattr(fit, "parameters"):
        raise FitError(f'This check takes a fit, such as model.fit("ml"), not {type(fit).__name__}.')
    if not isinstance(n, int | np.integer) or isinstance(n, bool) or n < 1:
        raise FitError(f"n must be a whole number of replicates, at least 1, not {n!r}.")
    if re not in EFFECTS:
        raise FitError(f're={re!r} is not an option here. Use "all" (the levels at hand) or "new" (levels drawn anew).')
    generator(seed)
    model = fit.model
    weights, response = model.design.weights, model.design.response
    if response is None:
        raise FitError("There is no response to compare with.")
    rows = np.arange(model.design.n_rows) if weights is None else np.flatnonzero(weights > 0)
    parameters = (fit.parameters.mean() if plug_in else fit.parameters).flat()
    return Replicated(model, parameters, int(n), re, seed, model.design.written(response.y)[rows], rows)
