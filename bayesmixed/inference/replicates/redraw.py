"""New responses of the rows of a fit: one for each random generator, whatever the others are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from ...model import Model
from ...parameters.predicted import predicted
from ...parameters.values import Parameters
from ...prediction.responses import location


class Valued(Protocol):
    """A model with one value of each of its parameters, as a fit is."""

    @property
    def model(self) -> Model:
        """The model."""

    @property
    def parameters(self) -> Parameters:
        """One draw."""


class Redraw(ABC):
    """A way to draw responses."""

    @abstractmethod
    def responses(self, generators: Sequence[np.random.Generator]) -> np.ndarray:
        """Responses (B, rows) as the left side of the formula has them, one per generator."""


@dataclass(frozen=True, eq=False)
class Parametric(Redraw):
    """From the fitted model: new effects where `new`, else those of the fit, and a new response about them."""

    fit: Valued
    new: bool = True

    def responses(self, generators: Sequence[np.random.Generator]) -> np.ndarray:
        design, family = self.fit.model.design, self.fit.model.family
        values = self.fit.parameters.flat().take(np.zeros(len(generators), dtype=int))
        if self.new:
            values = replace(values, b=self._effects(generators))
        found = predicted(family, design, values)
        mu, drawn = location(family, found.eta), np.empty((len(generators), design.n_rows))
        for i, rng in enumerate(generators):
            dispersion = {name: value[i : i + 1] for name, value in found.dispersion.items()}
            drawn[i] = family.draw(rng, mu[i : i + 1], dispersion, design.weights, design.trials)[0]
        return design.written(drawn)

    def _effects(self, generators: Sequence[np.random.Generator]) -> tuple[np.ndarray, ...]:
        """New effects (1, B, L, k) of every term: each generator's own normal numbers, term by term."""
        known = self.fit.parameters.flat()
        roots = [known.principal_root(j)[0, 0] for j in range(len(known.b))]
        sizes = [(b.shape[2], len(root)) for b, root in zip(known.b, roots, strict=True)]
        noise = [[rng.standard_normal(size) for size in sizes] for rng in generators]
        return tuple((np.array([one[j] for one in noise]) @ root.T)[None] for j, root in enumerate(roots))
