"""Posteriors of brms and rstanarm under their own priors: means and sds within Monte Carlo error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bayesmixed as bm
from bayesmixed.fits.convergence import convergence
from bayesmixed.priors import Decov, Exponential, HalfStudentT, Normal, StudentT

MONTE_CARLO = 4.0  # standard errors: one in 16,000 by chance, seeds are fixed
SLEEP = "Reaction ~ Days + (Days | Subject)"

# As each file states them.
RSTANARM = {
    "Intercept_centered": Normal(300, 100),
    "Days": Normal(0, 20),
    "sigma": Exponential(0.02),
    "Subject_cov": Decov(regularization=1, concentration=1, shape=1, scale=1),
}
RSTANARM_HERDS = {"Intercept_centered": Normal(0, 2.5), "b": Normal(0, 2.5), "sd": Exponential(1)}
BRMS = {
    "Intercept_centered": StudentT(3, 0, 2.5),
    "b": Normal(0, 5),
    "sd": HalfStudentT(3, 2.5),
    "sigma": HalfStudentT(3, 2.5),
}


def sleepstudy_as_rstanarm_names_it(posterior: Any) -> dict[str, Any]:
    sds = [posterior[f"{column}|Subject_sigma"] for column in ("1", "Days")]
    rho = posterior["Subject_corr"].sel(Subject_effect="Intercept", Subject_effect_bis="Days")
    effects = {
        f"b[{name} Subject:{level}]": posterior[variable].sel(Subject__factor_dim=level)
        for name, variable in (("(Intercept)", "1|Subject"), ("Days", "Days|Subject"))
        for level in ("308", "309", "372")
    }
    return effects | {
        "(Intercept)": posterior["Intercept"],
        "Days": posterior["Days"],
        "sigma": posterior["sigma"],
        "Sigma[Subject:(Intercept),(Intercept)]": sds[0] ** 2,
        "Sigma[Subject:Days,(Intercept)]": rho * sds[0] * sds[1],
        "Sigma[Subject:Days,Days]": sds[1] ** 2,
    }


def mice_as_brms_names_them(posterior: Any) -> dict[str, Any]:
    slopes = posterior["treatment_idx"]
    return {f"b_treatment_idx{level}": slopes.sel(treatment_idx_dim=level) for level in "2345"} | {
        "b_Intercept": posterior["Intercept"],
        "sd_midx__Intercept": posterior["1|midx_sigma"],
        "sigma": posterior["sigma"],
    }


def herds_as_rstanarm_names_them(posterior: Any) -> dict[str, Any]:
    effects = {f"b[(Intercept) herd:{herd}]": posterior["1|herd"].sel(herd__factor_dim=herd) for herd in "128"}
    return (
        effects
        | {f"period{level}": posterior["period"].sel(period_dim=level) for level in "234"}
        | {
            "(Intercept)": posterior["Intercept"],
            "Sigma[herd:(Intercept),(Intercept)]": posterior["1|herd_sigma"] ** 2,
        }
    )


CASES = {
    "bayes_rstanarm_sleepstudy": (SLEEP, RSTANARM, sleepstudy_as_rstanarm_names_it),
    "bayes_brms_yu_example1": ("res ~ treatment_idx + (1 | midx)", BRMS, mice_as_brms_names_them),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("collapsed", ["full", pytest.param(False, marks=pytest.mark.slow)])
def test_a_posterior_agrees_with_its_reference(name: str, collapsed: str | bool, reference: Any) -> None:
    formula, priors, named = CASES[name]
    result = reference.result(name)
    model = bm.Model(formula, reference.frame(result["dataset"]), priors=priors)
    fit = model.fit(bm.NUTS(collapsed=collapsed), seed=1, progress=False)
    agree(named(fit.idata.posterior), result["fits"][0]["summary"])


def test_a_binomial_posterior_agrees_with_its_reference(reference: Any) -> None:
    """There is one route where the response is not normal."""
    formula, data = "cbind(incidence, size - incidence) ~ period + (1 | herd)", bm.load_data("cbpp")
    model = bm.Model(formula, data, family="binomial", priors=RSTANARM_HERDS)
    fit = model.fit("nuts", seed=1, progress=False)
    agree(
        herds_as_rstanarm_names_them(fit.idata.posterior), reference.result("bayes_rstanarm_cbpp")["fits"][0]["summary"]
    )


def agree(posterior: dict[str, Any], summary: dict[str, Any]) -> None:
    """Every variable of the reference's summary, and no other."""
    draws = {key: values.to_numpy() for key, values in posterior.items()}
    assert set(draws) == set(summary["variable"])
    for i, variable in enumerate(summary["variable"]):
        agrees(draws[variable], {key: summary[key][i] for key in ("mean", "sd", "mcse_mean", "mcse_sd")}, variable)


def agrees(draws: np.ndarray, theirs: dict[str, float], variable: str) -> None:
    """Mean and sd of draws (chains, draws) within Monte Carlo error of the reference's."""
    found = convergence(draws)
    error = np.hypot(draws.std() / np.sqrt(found.ess_bulk), theirs["mcse_mean"])
    assert abs(draws.mean() - theirs["mean"]) < MONTE_CARLO * error, variable
    # Var(s^2) is (kurtosis - 1) s^4 / n, and s moves by half of that relatively; the tails mix worst.
    centred = (draws - draws.mean()) / draws.std()
    spread = np.sqrt((np.mean(centred**4) - 1) / 4 / min(found.ess_bulk, found.ess_tail))
    assert abs(draws.std() - theirs["sd"]) < MONTE_CARLO * np.hypot(draws.std() * spread, theirs["mcse_sd"]), variable
