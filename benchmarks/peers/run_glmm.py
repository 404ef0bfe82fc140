"""How long the Rust engine of the package glmm takes, without the Satterthwaite tests that no other engine makes."""

from __future__ import annotations

import glmm
import pandas as pd
from timing import report


def fit(formula: str, data: pd.DataFrame) -> float:
    """Maximum likelihood."""
    return float(glmm.fit(data, formula, family="gaussian", reml=False, satterthwaite=False).loglik)


if __name__ == "__main__":
    report("glmm", fit)
