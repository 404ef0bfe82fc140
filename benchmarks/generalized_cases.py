"""Which generalized models are timed, on which data, and how each peer must be told of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from cases import Case, not_shipped

import bayesmixed as bm

GROUPS = 500  # of the simulated tables, whatever their rows
ROWS = (10_000, 100_000, 1_000_000)


def verbagg() -> pd.DataFrame:
    """7,584 answers of 316 people to 24 items; the response as 0 and 1, which every peer reads."""
    table = not_shipped("VerbAgg")
    return table.assign(r2=(table["r2"] == "Y").astype(int))


def contraception() -> pd.DataFrame:
    """1,934 women in 60 districts; the response as 0 and 1, and the square of age for the peer without `^`."""
    table = bm.load_data("Contraception").drop(columns="woman")
    return table.assign(use=(table["use"] == "Y").astype(int), age2=table["age"] ** 2)


def grouseticks() -> pd.DataFrame:
    """Ticks on 403 chicks of 118 broods at 63 locations."""
    return bm.load_data("grouseticks")


def cbpp() -> pd.DataFrame:
    """56 counts of sick animals in 15 herds; healthy ones and proportions for peers without `cbind(s, n - s)`."""
    table = bm.load_data("cbpp")
    return table.assign(healthy=table["size"] - table["incidence"], proportion=table["incidence"] / table["size"])


def simulated(rows: int) -> pd.DataFrame:
    """Bernoulli responses of 500 groups of equal size: intercepts of sd 1, slope 0.7. The groups are text."""
    rng = np.random.default_rng(rows)
    codes = np.repeat(np.arange(GROUPS), rows // GROUPS)
    x = rng.standard_normal(rows).round(6)
    eta = -0.5 + 0.7 * x + rng.standard_normal(GROUPS)[codes]
    y = (rng.random(rows) < 1 / (1 + np.exp(-eta))).astype(int)
    labels = np.array([f"g{code}" for code in range(GROUPS)])
    return pd.DataFrame({"y": y, "x": x, "g": labels[codes]})


def generalized_cases() -> list[Case]:
    """Every case, the quick ones first."""
    herds = "~ period + (1 | herd)"
    successes = f"cbind(incidence, size - incidence) {herds}"
    herds_otherwise = {
        "glmm": f"cbind(incidence, healthy) {herds}",
        "mixedlm": f"proportion {herds} weights=size",
    }
    women = "use ~ age + I(age^2) + urban + livch + (1 | district)"
    women_otherwise = {"mixedlm": women.replace("I(age^2)", "age2")}
    ticks = "TICKS ~ YEAR + cHEIGHT + (1 | BROOD) + (1 | INDEX) + (1 | LOCATION)"
    items = "r2 ~ Anger + Gender + btype + situ + (1 | id) + (1 | item)"
    rows = "y ~ x + (1 | g)"
    return [
        Case("cbpp", "cbpp, binomial", successes, cbpp, 30, 10, "binomial", herds_otherwise),
        Case("contraception", "Contraception, binary", women, contraception, 20, 5, "bernoulli", women_otherwise),
        Case("grouseticks", "grouseticks, Poisson", ticks, grouseticks, 10, 5, "poisson"),
        Case("verbagg", "VerbAgg, binary", items, verbagg, 10, 1, "bernoulli"),
        *(Case(f"rows_{n}", f"{n:,} rows x {GROUPS} groups", rows, _maker(n), 3, 1, "bernoulli") for n in ROWS),
    ]


def _maker(rows: int) -> Callable[[], pd.DataFrame]:
    return lambda: simulated(rows)
