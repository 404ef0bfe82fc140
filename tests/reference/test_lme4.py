"""Every number that lme4 and lm report for the reference models, by ML and REML."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import pytest
from conftest import load_reference_frame, load_result, result_names

import bayesmixed as bm

# Tolerances of the reference collection: lme4's optimiser stops at 1e-6 of the log-likelihood.
LOGLIK = 1e-6
FIXEF = 1e-5  # of max(|b|, se)
SD = 1e-4  # relative
THETA = 1e-4
SE = 1e-4  # relative; se depend on theta
BLUP = 1e-4  # of the residual sd
PREDICTION = 1e-5  # of sd(y)

CONTRASTS = {
    "lmm_cake_sum_contrasts": {"recipe": "sum"},
    "lmm_oats_helmert": {"Variety": "helmert"},
    "lmm_orthodont_sum": {"Sex": "sum"},
}


def cases() -> list[Any]:
    """One parameter set per lmer or lm fit of the reference collection."""
    found = []
    for name in result_names("lm"):
        for entry in load_result(name)["fits"]:
            if entry["engine"] in ("lme4::lmer", "stats::lm"):
                marks = [pytest.mark.slow] if "insteval" in name else []
                found.append(pytest.param(name, entry["estimator"], id=f"{name}-{entry['estimator']}", marks=marks))
    return found


def reference_fit(name: str, estimator: str) -> dict[str, Any]:
    return next(
        entry
        for entry in load_result(name)["fits"]
        if entry["estimator"] == estimator and entry["engine"] in ("lme4::lmer", "stats::lm")
    )


@cache
def fitted_model(name: str, estimator: str) -> Any:
    record = load_result(name)
    frame = load_reference_frame(record["dataset"])
    options: dict[str, Any] = {}
    if name == "lmm_sleepstudy_subset_na":
        frame["Reaction"] = frame["Reaction"].where(~frame.index.isin([2, 49, 50, 119]))
    if name == "lmm_sleepstudy_weights_offset":
        options = {"weights": np.resize([1.0, 2.0, 4.0], len(frame)), "offset": 5.0 * frame["Days"].to_numpy()}
    model = bm.Model(record["formula"], frame, contrasts=CONTRASTS.get(name), **options)
    return model.fit("reml" if estimator == "REML" else "ml")


@pytest.mark.parametrize(("name", "estimator"), cases())
def test_estimates_agree_with_lme4(name: str, estimator: str) -> None:
    """Log-likelihood, fixed effects and their covariance, theta, sds, sigma, information criteria, singular flag."""
    ours, theirs = fitted_model(name, estimator), reference_fit(name, estimator)
    assert ours.status.converged
    assert ours.loglik >= theirs["logLik"] - LOGLIK
    assert ours.loglik == pytest.approx(theirs["logLik"], abs=10 * LOGLIK)
    assert list(ours.model.r_names.values()) == theirs["fixed"]["names"]
    estimate, se = np.array(theirs["fixed"]["estimate"]), np.array(theirs["fixed"]["se"])
    assert np.all(np.abs(ours.fixef() - estimate) <= FIXEF * np.maximum(np.abs(estimate), se))
    np.testing.assert_allclose(np.sqrt(np.diag(ours.vcov())), se * np.sqrt(ml_scale(theirs)), rtol=SE)
    assert ours.aic == pytest.approx(theirs["AIC"], abs=1e-4)
    assert ours.bic == pytest.approx(theirs["BIC"], abs=1e-4)
    assert ours.n_parameters == theirs["df"]
    if estimator == "OLS":
        return
    np.testing.assert_allclose(ours.theta, theirs["theta"], atol=THETA)
    assert ours.sigma == pytest.approx(theirs["sigma"], rel=SD)
    assert ours.status.singular == theirs["singular"]
    compare_sds(ours, theirs)


def ml_scale(theirs: dict[str, Any]) -> float:
    """lm estimates sigma with n - p, our ML fit with n."""
    return (theirs["n"] - len(theirs["fixed"]["names"])) / theirs["n"] if theirs["engine"] == "stats::lm" else 1.0


def compare_sds(ours: Any, theirs: dict[str, Any]) -> None:
    table = ours.varcorr()
    for block in theirs["random"]:
        group = same_group(table["group"].unique(), re.sub(r"\.\d+$", "", block["group"]))
        for name, sd in zip(block["terms"], block["sd"], strict=True):
            sds = table.loc[(table["group"] == group) & (table["name"] == our_column(ours, group, name)), "sd"]
            assert np.min(np.abs(sds - sd)) <= SD * max(sd, ours.sigma * 1e-3)


def same_group(groups: Any, name: str) -> str:
    return next(g for g in groups if sorted(g.split(":")) == sorted(name.split(":")))


def our_column(ours: Any, group: str, r_name: str) -> str:
    return next(
        column
        for term in ours.model.design.groups
        if term.factor == group
        for column, r in zip(term.columns, term.r_columns, strict=True)
        if r == r_name
    )


@pytest.mark.parametrize(("name", "estimator"), cases())
def test_random_effects_and_predictions_agree_with_lme4(name: str, estimator: str) -> None:
    """Conditional modes, conditional standard deviations, fitted values with and without random effects."""
    ours, theirs = fitted_model(name, estimator), reference_fit(name, estimator)
    rows = theirs.get("predictions")
    scale = np.std(ours.model.design.response.y)
    if rows:
        with_re = rows.get("with_re") or rows.get("without_re")
        assert np.max(np.abs(ours.fitted()[: len(with_re)] - with_re)) <= PREDICTION * scale
        fixed = ours.predict(re="none")["estimate"].to_numpy()
        assert np.max(np.abs(fixed[: len(rows["without_re"])] - rows["without_re"])) <= PREDICTION * scale
    for r_group, reference in (theirs.get("ranef") or {}).items():
        modes, sds = ours.ranef(), ours.ranef_sd()
        group = same_group(modes, r_group)
        levels = [our_level(modes[group].index, level, group, r_group) for level in reference["levels"]]
        for r_name, values in reference["terms"].items():
            column = our_column(ours, group, r_name)
            expected = np.array(values["mode"], dtype=float)
            found = modes[group].loc[levels, column].to_numpy()[: len(expected)]
            assert np.max(np.abs(found - expected)) <= BLUP * ours.sigma
            if values.get("cond_sd"):
                found = sds[group].loc[levels, column].to_numpy()[: len(expected)]
                assert np.max(np.abs(found - values["cond_sd"])) <= BLUP * ours.sigma


def our_level(index: Any, level: str, group: str, r_group: str) -> Any:
    """Our label of lme4's level: the parts of an interaction may come in another order, numbers stay numbers."""
    if group != r_group:
        level = ":".join(reversed(level.split(":")))
    return next(value for value in index if str(value) == level)
