"""How long the package mixedlm takes."""

from __future__ import annotations

import mixedlm
import pandas as pd
from timing import report


def fit(formula: str, data: pd.DataFrame, family: str) -> float:
    """Maximum likelihood; successes out of trials are a proportion with weights, named behind the formula."""
    if family == "gaussian":
        return float(mixedlm.lmer(formula, data, REML=False).logLik().value)
    formula, _, weights = formula.partition(" weights=")
    kind = mixedlm.families.Poisson() if family == "poisson" else mixedlm.families.Binomial()
    return float(mixedlm.glmer(formula, data, family=kind, weights=weights or None).logLik().value)


if __name__ == "__main__":
    report("mixedlm", fit)
