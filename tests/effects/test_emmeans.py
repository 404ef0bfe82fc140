"""Marginal means and their contrasts against R's emmeans, and what averages of a grid are."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from conftest import load_reference_frame, load_result

import bayesmixed as bm

MEAN = 1e-5  # of the standard error: both optimisers stop before the last digit of theta
SE = 1e-5  # relative
SE_TMB = 2e-3  # relative: glmmTMB differentiates its deviance numerically
LIMIT = 3e-3  # of a standard error: what SE_TMB and the mean of the degrees of freedom leave
P_VALUE = 2e-4  # Kenward-Roger degrees of freedom differ by 0.1 between contrasts; ours are their mean

REFERENCES = [
    ("lmm_cake", "emmeans_recipe", SE),
    ("lmm_cake", "emmeans_temperature", SE),
    ("lmm_cake", "emmeans_both", SE),
    ("lmm_yu_example1", "emmeans", SE),
    ("glmm_cbpp", "emmeans", SE_TMB),
]


@cache
def reference_fit(name: str) -> Any:
    record = load_result(name)
    model = bm.Model(record["formula"], load_reference_frame(record["dataset"]), family=record["family"])
    return model.fit("reml" if record["family"] == "gaussian" else "ml")


@pytest.mark.parametrize(("name", "block", "se"), REFERENCES)
def test_marginal_means_and_tukeys_pairs_are_those_of_the_reference(name: str, block: str, se: float) -> None:
    theirs = load_result(name)["extras"][block]
    means, pairs = theirs["emmeans"], theirs["pairs_tukey"]
    found = bm.emmeans(reference_fit(name), theirs["specs"], df=np.mean(means["df"]))
    np.testing.assert_allclose(found.frame["estimate"], means["emmean"], atol=MEAN * np.min(means["SE"]))
    np.testing.assert_allclose(found.frame["se"], means["SE"], rtol=se)
    np.testing.assert_allclose(found.frame["lower"], means["lower.CL"], atol=LIMIT * np.max(means["SE"]))
    ours = bm.emmeans(reference_fit(name), theirs["specs"], df=np.mean(pairs["df"])).contrast("pairwise").frame
    np.testing.assert_allclose(ours["estimate"], pairs["estimate"], atol=MEAN * np.min(pairs["SE"]))
    np.testing.assert_allclose(ours["se"], pairs["SE"], rtol=se)
    np.testing.assert_allclose(ours["p"], pairs["p.value"], atol=P_VALUE)
