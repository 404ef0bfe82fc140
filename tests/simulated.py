"""Small simulated tables that several tests share; every number comes from a fixed seed."""

from __future__ import annotations

import numpy as np
import pandas as pd


def crossed(n: int = 300, seed: int = 1) -> pd.DataFrame:
    """Two crossed factors (a: 30, b: 12 levels), one with few levels (c: 5), a covariate, a response with effects."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "a": rng.integers(0, 30, n).astype(str),
            "b": rng.integers(0, 12, n).astype(str),
            "c": pd.Categorical.from_codes(rng.integers(0, 5, n), list("vwxyz")),
            "x": rng.normal(size=n),
        }
    )
    a, b = (table[name].astype("category").cat.codes.to_numpy() for name in ("a", "b"))
    slopes = rng.normal(scale=0.5, size=30)
    table["y"] = (
        1 + 0.5 * table["x"] + rng.normal(size=30)[a] + slopes[a] * table["x"] + rng.normal(scale=0.7, size=12)[b]
    ) + rng.normal(size=n)
    return table


def nested(schools: int = 6, classes: int = 4, pupils: int = 8, seed: int = 2) -> pd.DataFrame:
    """Pupils in classes in schools, classes labelled anew in each school, unequal sizes."""
    rng = np.random.default_rng(seed)
    rows = []
    for s in range(schools):
        school = rng.normal()
        for c in range(classes - s % 2):
            room = rng.normal(scale=0.8)
            for _ in range(pupils - c):
                x = rng.normal()
                rows.append((f"s{s}", f"c{c}", x, 2 + 0.3 * x + school + room + rng.normal()))
    return pd.DataFrame(rows, columns=["school", "room", "x", "y"])
