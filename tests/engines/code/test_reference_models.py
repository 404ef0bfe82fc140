"""The density of a script is ours for every reference model that the program takes."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import load_reference_frame, load_result, result_names
from scripts import our_log_density, point

import bayesmixed as bm

SAME = 1e-9
LATER = re.compile("_(zi|hurdle|zinb|disp)$|^(cov|nl|ordinal|pb|bayes|blme|published)_")
FAMILIES = {"Gamma": "gamma", "nbinom2": "negbinomial", "nbinom1": "negbinomial1"}
COLUMNS: dict[str, Any] = {
    "glmm_cbpp_olre": lambda f: {"obs": np.arange(len(f)).astype(str)},
    "glmm_cbpp_proportion": lambda f: {"prop": f["incidence"] / f["size"]},
    "glmm_gasoline_beta": lambda f: {"y": f["yield"] / 100},
}
CONTRASTS = {
    "lmm_cake_sum_contrasts": {"recipe": "sum"},
    "lmm_oats_helmert": {"Variety": "helmert"},
    "lmm_orthodont_sum": {"Sex": "sum"},
}
QUICK = ("lmm_machines_slopes", "glmm_cbpp")


def cases() -> list[Any]:
    names = [name for name in result_names("") if re.match("lmm|lm_|glmm", name) and not LATER.search(name)]
    return [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in names]


def frame_of(name: str) -> pd.DataFrame:
    frame = load_reference_frame(load_result(name)["dataset"])
    if name == "glmm_banta_seed":
        frame = frame[(frame["amd"].astype(str) == "clipped") & (frame["nutrient"].astype(str) == "1")]
    return frame.assign(**COLUMNS[name](frame)) if name in COLUMNS else frame


def models(name: str) -> list[bm.Model]:
    record = load_result(name)
    if not name.startswith("glmm"):
        options: dict[str, Any] = {"contrasts": CONTRASTS.get(name)}
        if name == "lmm_sleepstudy_weights_offset":
            days = load_reference_frame(record["dataset"])["Days"].to_numpy()
            options |= {"weights": np.resize([1.0, 2.0, 4.0], len(days)), "offset": 5.0 * days}
        return [bm.Model(record["formula"], frame_of(name), **options)]
    options = {"weights": "size"} if name == "glmm_cbpp_proportion" else {}
    kinds = {(_family(e["family"]), e["link"]) for e in record["fits"] if "Laplace" in e["estimator"]}
    return [
        bm.Model(record["formula"], frame_of(name), family=kind, link=link, **options) for kind, link in sorted(kinds)
    ]


def _family(theirs: str) -> str:
    """Our name; glmer.nb writes its estimate into the family's, "Negative Binomial(7.4)"."""
    known = re.sub(r"^Negative Binomial\(.*\)$", "nbinom2", theirs)
    return FAMILIES.get(known, known)


@pytest.mark.parametrize("name", cases())
def test_of_every_reference_model(name: str) -> None:
    for model in models(name):
        found = point(model.code())
        assert found.log_density == pytest.approx(our_log_density(model, found.sites), rel=SAME)
