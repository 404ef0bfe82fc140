"""Marginal means and their contrasts against R's emmeans, and what averages of a grid are."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import load_reference_frame, load_result

import bayesmixed as bm

R_EMMEANS = Path(__file__).with_name("r_emmeans.json")

MEAN = 1e-5  # of the standard error: both optimisers stop before the last digit of theta
SE = 1e-5  # relative
SE_TMB = 2e-3  # relative: glmmTMB differentiates its deviance numerically
MEAN_TMB, LIMIT_TMB = 3e-4, 1e-3  # of the standard error: glmmTMB stops at a change of 1e-8 of its criterion
LIMIT_MVT, P_MVT = 1e-2, 1e-3  # mvtnorm integrates to 1e-3, ours by 262,144 points
DF = 1e-5  # relative: lmerTest differentiates numerically
DF_PBKRTEST = 1e-5  # relative
P_VALUE, P_TMB = 1e-6, 2e-4  # what the errors of standard errors leave

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
    """Of linear models with Kenward-Roger's standard errors and degrees of freedom, of cbpp with 51."""
    theirs = load_result(name)["extras"][block]
    means, pairs = theirs["emmeans"], theirs["pairs_tukey"]
    fit = reference_fit(name)
    found = bm.emmeans(fit, theirs["specs"], ddf="kenward-roger" if fit.model.linear else 51)
    ours = found.contrast("pairwise").frame
    for table, reference, estimate in ((found.frame, means, "emmean"), (ours, pairs, "estimate")):
        np.testing.assert_allclose(table["estimate"], reference[estimate], atol=MEAN * np.min(reference["SE"]))
        np.testing.assert_allclose(table["se"], reference["SE"], rtol=se)
        np.testing.assert_allclose(table["df"], reference["df"], rtol=DF_PBKRTEST)
    np.testing.assert_allclose(found.frame["lower"], means["lower.CL"], atol=10 * se * np.max(means["SE"]))
    np.testing.assert_allclose(ours["p"], pairs["p.value"], atol=P_VALUE if fit.model.linear else P_TMB)


MODELS = {
    "warp": ("breaks ~ wool * tension", "warpbreaks", "gaussian"),
    "empty": ("breaks ~ wool * tension", "warpbreaks", "gaussian"),
    "cake": ("angle ~ recipe * temp + (1 | recipe:replicate)", "cake", "gaussian"),
    "cake_f": ("angle ~ recipe + C(temperature, contr.sum) + (1 | recipe:replicate)", "cake", "gaussian"),
    "some": ("angle ~ temperature + (1 | recipe:replicate)", "cake", "gaussian"),
    "sleep": ("Reaction ~ Days + I(Days^2) + (Days | Subject)", "sleepstudy", "gaussian"),
    "ara": ("log(total.fruits + 1) ~ factor(nutrient) * amd + status + (1 | popu)", "Arabidopsis", "gaussian"),
    "sal": ("count ~ mined * cover + spp + (1 | site)", "Salamanders", "poisson"),
    "owls": (
        "SiblingNegotiation ~ FoodTreatment * SexParent + offset(logBroodSize) + (1 | Nest)", "Owls", "poisson",
    ),
    "cbpp": ("cbind(incidence, size - incidence) ~ period + (1 | herd)", "cbpp", "binomial"),
    "con": ("use ~ age + I(age^2) + urban + livch + (1 | district)", "Contraception", "bernoulli"),
}  # fmt: skip


@cache
def model_of_r(name: str) -> Any:
    """The fits of r_emmeans.R, by their names there."""
    formula, data, family = MODELS[name]
    table = bm.load_data(data)
    if name == "empty":
        table = table.query("wool != 'B' or tension != 'H'")
    if name == "some":
        i = np.arange(1, len(table) + 1)
        table = table[(i**2 + 5 * i) % 13 < 3]
    return bm.Model(formula, table, family=family).fit("reml" if family == "gaussian" else "ml")


def means_of(name: str, specs: str, **options: Any) -> Any:
    """Marginal means with the degrees of freedom that R has: Satterthwaite's for `some`, infinite for other lmer fits.

    Of residuals for lm, which are the default here too, and for glmmTMB.
    """
    fit = model_of_r(name)
    df = None if name in ("warp", "empty", "some") else fit.n_obs - fit.n_parameters
    asked = {"ddf": "asymptotic" if name in ("cake", "cake_f", "sleep", "ara") else df} | options
    return bm.emmeans(fit, specs, **asked)


# R's multivariate t probabilities are, with degrees of freedom cut to whole ones
SIMULATED = ("some_mvt", "some_control", "warp_mvt", "warp_control", "cake_steps", "con_control")

IN_R: dict[str, Callable[[], Any]] = {
    "warp_within": lambda: means_of("warp", "tension | wool"),
    "warp_over": lambda: means_of("warp", "tension"),
    "warp_all": lambda: means_of("warp", "1"),
    "warp_within_tukey": lambda: means_of("warp", "tension | wool").contrast("pairwise"),
    "warp_holm": lambda: means_of("warp", "tension").contrast("pairwise", adjust="holm"),
    "warp_bonferroni": lambda: means_of("warp", "tension").contrast("pairwise", adjust="bonferroni"),
    "warp_mvt": lambda: means_of("warp", "tension").contrast("pairwise", adjust="mvt"),
    "warp_control": lambda: means_of("warp", "tension").contrast("trt.vs.ctrl", ref="M"),
    "warp_own": lambda: means_of("warp", "tension").contrast({"own": [1, -0.5, -0.5]}),
    "empty": lambda: means_of("empty", "tension * wool"),
    "cake_at": lambda: means_of("cake", "recipe | temp", at={"temp": [180, 220]}),
    "cake_trend": lambda: bm.slopes(model_of_r("cake"), "temp", by="recipe", ddf=np.inf),
    "cake_trend_pairs": lambda: bm.slopes(model_of_r("cake"), "temp", by="recipe", ddf=np.inf).contrast("pairwise"),
    "cake_steps": lambda: means_of("cake_f", "temperature").contrast("sequential"),
    "cake_pairs": lambda: means_of("cake_f", "temperature").contrast("pairwise"),
    "some_means": lambda: means_of("some", "temperature"),
    "some_tukey": lambda: means_of("some", "temperature").contrast("pairwise"),
    "some_mvt": lambda: means_of("some", "temperature").contrast("pairwise", adjust="mvt"),
    "some_fdr": lambda: means_of("some", "temperature").contrast("pairwise", adjust="fdr"),
    "some_kr": lambda: means_of("some", "temperature", ddf="kenward-roger").contrast("pairwise"),
    "some_control": lambda: means_of("some", "temperature").contrast("trt.vs.ctrl", ref=2),
    "sleep_mean": lambda: means_of("sleep", "1"),
    "sleep_trend": lambda: bm.slopes(model_of_r("sleep"), "Days", at={"Days": [0, 9]}, ddf=np.inf),
    "ara_equal": lambda: means_of("ara", "amd | nutrient"),
    "ara_proportional": lambda: means_of("ara", "amd | nutrient", weights="proportional"),
    "ara_overall": lambda: means_of("ara", "1", weights="proportional"),
    "sal_rates": lambda: means_of("sal", "spp", scale="response"),
    "sal_ratios": lambda: means_of("sal", "spp", scale="response").contrast("pairwise", adjust="holm"),
    "sal_at": lambda: means_of("sal", "cover * mined", at={"cover": [-1, 1]}),
    "sal_trend": lambda: bm.slopes(model_of_r("sal"), "cover", by="mined", scale="link", ddf=644 - 11),
    "owls_rates": lambda: means_of("owls", "FoodTreatment | SexParent", scale="response"),
    "owls_unit": lambda: means_of("owls", "FoodTreatment | SexParent", scale="response", offset=0),
    "cbpp_prob": lambda: means_of("cbpp", "period", scale="response"),
    "cbpp_odds": lambda: means_of("cbpp", "period", scale="response").contrast("pairwise"),
    "con_prob": lambda: means_of("con", "livch", scale="response"),
    "con_control": lambda: means_of("con", "livch", scale="response").contrast("trt.vs.ctrl"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:the fixed-effect design of mu is rank deficient")
@pytest.mark.parametrize("case", IN_R)
def test_means_trends_contrasts_and_adjustments_are_those_of_r(case: str) -> None:
    theirs = {name: np.array(values, float) for name, values in json.loads(R_EMMEANS.read_text())[case].items()}
    ours, se = IN_R[case]().frame, theirs["se"]
    generalized = case.split("_")[0] in ("sal", "owls", "cbpp", "con")
    mean, limit = (MEAN_TMB, LIMIT_TMB) if generalized else (MEAN, MEAN)
    limit = LIMIT_MVT if case in SIMULATED else limit
    np.testing.assert_allclose((ours["estimate"] - theirs["estimate"]) / se, 0.0 * se, atol=mean)
    np.testing.assert_allclose(ours["se"], se, rtol=SE_TMB if generalized else SE)
    for name in ("lower", "upper"):
        np.testing.assert_allclose((ours[name] - theirs[name]) / se, 0.0 * se, atol=limit)
    if "df" in theirs:
        np.testing.assert_allclose(ours["df"], theirs["df"], rtol=DF)
    if "p" in theirs:
        np.testing.assert_allclose(ours["statistic"], theirs["statistic"], atol=mean * 10, rtol=SE)
        np.testing.assert_allclose(
            ours["p"], theirs["p"], atol=P_MVT if case in SIMULATED else P_TMB if generalized else P_VALUE
        )
