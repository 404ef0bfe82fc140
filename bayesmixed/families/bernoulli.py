"""One trial a row: P(y = 1) = mu."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .base import Observed
from .binomial import Binomial
from .checks import refuse


@dataclass(frozen=True)
class Bernoulli(Binomial):
    """The binomial family with one trial a row."""

    name = "bernoulli"
    support = "0 and 1"
    takes_trials = False

    def check(self, observed: Observed, name: str) -> None:
        bad = ~np.isin(observed.y, (0.0, 1.0))
        refuse(bad, observed, name, self, 'Successes out of trials need family="binomial": prop(successes, trials).')

    def distribution(self, mu: Any, dispersion: dict[str, Any], weights: Any, trials: Any) -> Any:
        import numpyro.distributions as dist

        return dist.Bernoulli(probs=mu)
