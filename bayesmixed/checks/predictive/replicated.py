"""Data that the fitted model would give: the observed response beside replicates of it, a few at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import FitError
from ...fits.base import is_fit
from ...parameters.predicted import Predicted, predicted
from ...parameters.values import Parameters
from ...prediction.new_levels import draw_effects
from ...prediction.new_rows import responses_per_row
from ...prediction.responses import location, mean_response, new_responses
from ...prediction.seeds import generator
from ...prediction.thinning import kept_draws

if TYPE_CHECKING:
    from ...fits.base import Fit
    from ...model import Model

CHUNK = 2**21  # replicates x rows held at once (16 MiB)
EFFECTS = ("all", "new")
MOST_RESPONSES = 2**22  # that the rows of weights above 1 are written out to
_WHOLE = 1e-6  # how far from a whole number a weight may be by rounding
_ONE_EACH = "every row is compared as one response, although the fit counts rows unequally."


@dataclass(frozen=True)
class Replicated:
    """Replicates of a model's response at given parameters.

    `observed` (m,) is the response as the formula's left side writes it, and `rows` (m,) ascending are the positions
    of the rows compared: those of positive weight, and a row of a whole frequency weight w as often as the w responses
    it stands for; `weighting` says so. `n` replicates come from n draws of `parameters`, or from its only one; `re` as
    in `Fit.simulate`.
    """

    model: Model
    parameters: Parameters
    n: int
    re: str
    seed: int | None
    observed: np.ndarray
    rows: np.ndarray
    weighting: str = ""

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """(first, replicates (m, rows)): a few replicates at a time, the same ones for the same seed."""
        rng = generator(self.seed)
        total = self.parameters.n_draws
        order = kept_draws(total, self.n) if total > 1 else np.zeros(self.n, dtype=int)
        step = max(1, CHUNK // max(1, self.model.design.n_rows, len(self.rows)))
        for first in range(0, self.n, step):
            wanted = np.resize(order, self.n)[first : first + step]
            yield first, self._replicates(self.parameters.take(wanted), rng)

    def table(self) -> np.ndarray:
        """All replicates (n, rows) at once."""
        return np.concatenate([block for _, block in self.blocks()])

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance (rows,) of the response under the model; NaN where the family has no variance.

        Of levels drawn anew these are E(mu) and E(Var(y | mu)) + Var(mu), over effects of their own, so that they
        depend on neither the observed response nor any replicate.
        """
        rng = generator(self.seed).spawn(2)[1]
        draws = self.n if self.re == "new" and self.model.design.groups else min(self.n, self.parameters.n_draws)
        order = np.resize(np.arange(self.parameters.n_draws), draws)
        step = max(1, CHUNK // max(1, self.model.design.n_rows, len(self.rows)))
        total, squares, within = (np.zeros(len(self.rows)) for _ in range(3))
        centre: np.ndarray | float = 0.0
        for first in range(0, draws, step):
            mean, sd = self._means(self.parameters.take(order[first : first + step]), rng)
            centre = mean[0] if first == 0 else centre  # squares about a mean of the rows' own size do not cancel
            total += (mean - centre).sum(axis=0)
            squares += ((mean - centre) ** 2).sum(axis=0)
            within += (sd**2).sum(axis=0)
        away = total / draws
        return centre + away, within / draws + np.maximum(squares / draws - away**2, 0.0)

    def _means(self, some: Parameters, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Mean and sd (m, rows) of the responses of some draws, as the formula's left side writes them."""
        model = self.model
        found, weights, trials = self._predicted(some, rng)
        mean = mean_response(model.family, found.eta, found.dispersion, weights)
        sd = model.family.sd(location(model.family, found.eta), found.dispersion, weights, trials)
        response = model.design.response
        each = 1.0 if trials is None or response is None or response.proportion else trials
        return mean * each, sd * each

    def _replicates(self, some: Parameters, rng: np.random.Generator) -> np.ndarray:
        found, weights, trials = self._predicted(some, rng)
        return new_responses(self.model, found.eta, found.dispersion, weights, trials, rng)

    def _predicted(self, some: Parameters, rng: np.random.Generator) -> tuple[Predicted, Any, Any]:
        """What is predicted (m, rows), weights and trials (rows,) or None, with effects drawn anew for "new"."""
        design, terms = self.model.design, range(len(self.model.design.groups))
        if self.re == "new":
            effects = (draw_effects(some, j, some.b[j].shape[2], rng) for j in terms)
            some = replace(some, b=tuple(effects))
        found = predicted(self.model.family, design, some).at(self.rows)
        weights, trials = (None if a is None else a[self.rows] for a in (design.weights, design.trials))
        return found, weights, trials


def replicated(fit: Fit, n: int, re: str, seed: int | None, *, plug_in: bool = False) -> Replicated:
    """Replicates of a fit; `plug_in` holds the parameters of a fit with draws at their posterior means.

    Raises
    ------
    FitError
        For anything but a fit, a number of replicates or an option that does not exist.
    """
    if not is_fit(fit):
        raise FitError(
            f'This check takes a fit, such as model.fit("ml"), not {type(fit).__name__}.', topic="needs-a-fit"
        )
    if not isinstance(n, int | np.integer) or isinstance(n, bool) or n < 1:
        raise FitError(f"n must be a whole number of replicates, at least 1, not {n!r}.", topic="whole-number")
    if re not in EFFECTS:
        raise FitError(
            f're={re!r} is not an option here. Use "all" (the levels in the data) or "new" (levels drawn anew).',
            topic="unknown-option",
        )
    generator(seed)
    model = fit.model
    response = model.design.response
    if response is None:
        raise FitError("There is no response to compare with.", topic="no-response")
    rows, weighting = _compared(model)
    parameters = (fit.parameters.mean() if plug_in else fit.parameters).flat()
    return Replicated(model, parameters, int(n), re, seed, model.design.written(response.y)[rows], rows, weighting)


def _compared(model: Model) -> tuple[np.ndarray, str]:
    """Positions of the rows compared, as often as they are, and what to say of their weights."""
    counts = responses_per_row(model)
    rows, whole = np.flatnonzero(counts), np.rint(counts)
    if np.all(counts[rows] == 1):
        return rows, ""
    if np.max(np.abs(counts - whole)) > _WHOLE:
        return rows, f"The weights are not whole numbers, so {_ONE_EACH}"
    if whole.sum() > MOST_RESPONSES:
        return rows, f"They stand for {whole.sum():,.0f} responses, too many to draw, so {_ONE_EACH}"
    return np.repeat(np.arange(len(whole)), whole.astype(np.int64)), "A row of weight w is compared as w responses."
