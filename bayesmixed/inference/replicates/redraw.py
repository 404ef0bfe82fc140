"""New responses of the rows of a fit: one for each random generator, whatever the others are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...fits.point import PointFit
from ...parameters.predicted import predicted
from ...parameters.values import Parameters
from ...prediction.new_levels import draw_effects
from ...prediction.responses import new_responses


class Redraw(ABC):
    """A way to draw responses."""

    @abstractmethod
    def responses(self, generators: Sequence[np.random.Generator]) -> np.ndarray:
        """Responses (B, rows) as the left side of the formula has them, one per generator."""


@dataclass(frozen=True, eq=False)
class Parametric(Redraw):
    """From the fitted model: new effects where `new`, else those of the fit, and a new response about them."""

    fit: PointFit
    new: bool = True

    def responses(self, generators: Sequence[np.random.Generator]) -> np.ndarray:
        model, flat = self.fit.model, self.fit.parameters.flat()
        values = flat.take(np.zeros(len(generators), dtype=int))
        if self.new:
            values = replace(values, b=self._effects(flat, generators))
        found = predicted(model.family, model.design, values)
        design, drawn = model.design, []
        for i, rng in enumerate(generators):
            dispersion = {name: value[i : i + 1] for name, value in found.dispersion.items()}
            drawn.append(new_responses(model, found.eta[[i]], dispersion, design.weights, design.trials, rng)[0])
        return np.array(drawn)

    def _effects(self, flat: Parameters, generators: Sequence[np.random.Generator]) -> tuple[np.ndarray, ...]:
        """New effects (1, B, L, k) of every term, replicate by replicate."""
        terms = range(len(self.fit.model.design.groups))
        each = [[draw_effects(flat, j, flat.b[j].shape[2], rng) for j in terms] for rng in generators]
        return tuple(np.concatenate([one[j] for one in each], axis=1) for j in terms)
