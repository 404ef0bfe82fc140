"""How long the package mixedlm takes."""

from __future__ import annotations

import mixedlm
import pandas as pd
from timing import report


def fit(formula: str, data: pd.DataFrame) -> float:
    """Maximum likelihood."""
    return float(mixedlm.lmer(formula, data, REML=False).logLik().value)


if __name__ == "__main__":
    report("mixedlm", fit)
