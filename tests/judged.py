"""Reference models whose results hold degrees of freedom, and their fits."""

from __future__ import annotations

from functools import cache
from typing import Any

from conftest import load_reference_frame, load_result

import bayesmixed as bm

CONTRASTS = {
    "cake_sum_contrasts": {"recipe": "sum"},
    "oats_helmert": {"Variety": "helmert"},
    "orthodont_sum": {"Sex": "sum"},
}
WITH_TERMS = (
    "cake cake_sum_contrasts machines_nested machines_slopes oats_helmert orthodont_sex_age orthodont_sum ovary "
    "sleepstudy_slope yu_example1 yu_example2_surrogate"
).split()
CHECKED = sorted(
    [*WITH_TERMS, *"dyestuff pastes_nested penicillin rail sleepstudy_double_bar sleepstudy_intercept".split()]
)


@cache
def reference_fit(name: str, engine: str = "reml") -> Any:
    """The fit of the model "lmm_" + name."""
    record = load_result(f"lmm_{name}")
    data = load_reference_frame(record["dataset"])
    return bm.Model(record["formula"], data, contrasts=CONTRASTS.get(name)).fit(engine)
