"""How long the Rust engine of the package glmm takes, without the tests that no other engine makes."""

from __future__ import annotations

import glmm
import pandas as pd
from timing import report


def fit(formula: str, data: pd.DataFrame, family: str) -> float:
    """Maximum likelihood; it calls bernoulli binomial."""
    name = {"bernoulli": "binomial"}.get(family, family)
    options = {"reml": False} if family == "gaussian" else {}
    return float(glmm.fit(data, formula, family=name, satterthwaite=False, anova_test="Wald", **options).loglik)


if __name__ == "__main__":
    report("glmm", fit)
