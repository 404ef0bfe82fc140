"""One trial a row: P(y = 1) = mu."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .base import Observed
from .binomial import Binomial
from .written import Written


@dataclass(frozen=True)
class Bernoulli(Binomial):
    """The binomial family with one trial a row."""

    name = "bernoulli"
    words = "Bernoulli"
    wider = ""
    wider_family = ""
    support = "0 and 1"
    takes_trials = False

    def faults(self, observed: Observed) -> Iterator[tuple[np.ndarray, str]]:
        advice = 'Successes out of trials need family="binomial": prop(successes, trials).'
        yield ~np.isin(observed.y, (0.0, 1.0)), advice

    def written(self, weights: str, trials: str) -> Written:
        log_odds = self.link.written_log_odds("eta")
        return Written(f"dist.Bernoulli(logits={log_odds})" if log_odds else "dist.Bernoulli(probs=mu)")

    def distribution(self, mu: Any, dispersion: dict[str, Any], weights: Any, trials: Any) -> Any:
        import numpyro.distributions as dist

        return dist.Bernoulli(probs=mu)
