"""Leaving out levels and rows: one step equals generalized least squares without them, refits equal fits without."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.errors import FitError

EXACT = 1e-8  # relative: both are solutions of the same equations
OPTIMUM = 2e-4  # of a standard error: two searches for the same optimum
CLOSE = 0.15  # of a standard error: one step of a model whose weights move

LME4 = [0.00610278639355, 0.03938758907014, 0.01282559499885]  # cooks.distance of lme4 1.1-31, rows 1, 58, 180


def dense(fit: Any, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """beta, its variances over sigma^2, and sigma by generalized least squares on some rows at the fit's ratios."""
    design, parameters = fit.model.design, fit.parameters.flat()
    weights = np.ones(design.n_rows) if design.weights is None else design.weights
    V = np.diag(1 / weights)
    for j, term in enumerate(design.groups):
        root = term.Z @ (parameters.factor(j)[0, 0] / fit.sigma)
        V += np.where(term.codes[:, None] == term.codes, root @ root.T, 0.0)
    W = np.linalg.inv(V[np.ix_(keep, keep)])
    X, y = design.mu.X[keep], design.response.y[keep]
    C = np.linalg.inv(X.T @ W @ X)
    beta = C @ X.T @ W @ y
    left = y - X @ beta
    df = len(keep) - (X.shape[1] if fit.engine.restricted else 0)
    return beta, np.diag(C), float(np.sqrt(left @ W @ left / df))


def unequal() -> pd.DataFrame:
    """sleepstudy without some rows, with weights."""
    data = bm.load_data("sleepstudy").iloc[[i for i in range(180) if i % 7]]
    return data.assign(w=1.0 + np.arange(len(data)) % 3, block=np.arange(len(data)) // 11)


CASES = {
    "levels": ("Reaction ~ Days + (Days | Subject)", "ml", None, "Subject"),
    "levels by REML": ("Reaction ~ Days + (Days | Subject)", "reml", "w", "Subject"),
    "rows": ("Reaction ~ Days + (Days | Subject)", "reml", "w", None),
    "blocks across levels": ("Reaction ~ Days + (Days | Subject)", "ml", "w", "block"),
    "crossed": ("Reaction ~ Days + (1 | Subject) + (1 | block)", "ml", "w", "block"),
    "no bars": ("Reaction ~ Days", "reml", "w", "Subject"),
}


@pytest.mark.parametrize("case", CASES)
def test_one_step_is_generalized_least_squares_without_the_rows(case: str) -> None:
    formula, method, weights, by = CASES[case]
    fit: Any = bm.Model(formula, unequal(), weights=weights).fit(method)
    found = bm.influence(fit, by)
    some = list(enumerate(found.left.members))[:: max(1, len(found.left.members) // 9)]
    for i, at in some:
        keep = np.setdiff1d(np.arange(fit.model.design.n_rows), at)
        beta, variances, sigma = dense(fit, keep)
        np.testing.assert_allclose(found.estimates.iloc[i][["Intercept", "Days"]], beta, rtol=EXACT)
        assert found.estimates["sigma"].iloc[i] == pytest.approx(sigma, rel=EXACT)
        np.testing.assert_allclose(found.without.se[i], sigma * np.sqrt(variances), rtol=EXACT)


@pytest.mark.parametrize("method", ["ml", "reml"])
def test_the_change_of_the_log_likelihood_is_that_at_the_estimates_without(method: str) -> None:
    fit: Any = bm.Model("Reaction ~ Days + (Days | Subject)", unequal()).fit(method)
    found = bm.influence(fit, "Subject")
    restricted = method == "reml"
    for level, row in found.estimates.iterrows():
        beta = None if restricted else row[["Intercept", "Days"]].to_numpy()
        there = fit.model.loglik_at(theta=fit.theta, beta=beta, sigma=row["sigma"], reml=restricted)
        assert found.frame.loc[level, "loglik"] == pytest.approx(fit.loglik - there, abs=1e-7)


@pytest.mark.parametrize("method", ["ml", "reml"])
def test_refits_are_fits_of_the_other_levels(method: str) -> None:
    data = unequal()
    fit: Any = bm.Model("Reaction ~ Days + (Days | Subject)", data).fit(method)
    found = bm.influence(fit, "Subject", refit=True)
    for level in ("308", "335", "372"):
        other: Any = bm.Model("Reaction ~ Days + (Days | Subject)", data[data["Subject"] != level]).fit(method)
        se = np.sqrt(np.diag(other.vcov()))
        gap = found.estimates.loc[level, ["Intercept", "Days"]].to_numpy() - other.beta
        assert np.max(np.abs(gap) / se) < OPTIMUM
        assert found.estimates.loc[level, "sigma"] == pytest.approx(other.sigma, rel=OPTIMUM)
        np.testing.assert_allclose(found.dfbetas.loc[level], (fit.beta - other.beta) / se, atol=OPTIMUM)
        d = fit.beta - other.beta
        assert found.cook[level] == pytest.approx(d @ np.linalg.solve(fit.vcov(), d) / 2, abs=OPTIMUM)


def test_a_generalized_model_by_one_step_and_by_refits() -> None:
    data = bm.load_data("cbpp")
    fit: Any = bm.Model("incidence / size ~ period + (1 | herd)", data, family="binomial", weights="size").fit("ml")
    steps, refits = bm.influence(fit, "herd"), bm.influence(fit, "herd", refit=True)
    assert np.max(np.abs(steps.dfbetas - refits.dfbetas).to_numpy()) < CLOSE
    rest = data[data["herd"].astype(str) != "11"]
    other: Any = bm.Model("incidence / size ~ period + (1 | herd)", rest, family="binomial", weights="size").fit("ml")
    row = refits.estimates.iloc[list(map(str, refits.estimates.index)).index("11")]
    np.testing.assert_allclose(row[list(fit.model.coefficients)], other.beta, atol=OPTIMUM)


def test_distances_of_fitted_values_are_those_of_lme4() -> None:
    fit: Any = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
    frame = bm.influence(fit).frame
    assert frame["leverage"].sum() == pytest.approx(28.611653, abs=1e-4)
    np.testing.assert_allclose(frame["cook_fitted"].iloc[[0, 57, 179]], LME4, rtol=1e-3)


def test_a_coefficient_that_one_level_determines_is_lost_with_it() -> None:
    data = unequal().assign(only=lambda d: np.where(d["Subject"] == "308", d["Days"], 0.0))
    fit: Any = bm.Model("Reaction ~ Days + only + (1 | Subject)", data).fit("ml")
    for refit in (False, True):
        found = bm.influence(fit, "Subject", refit=refit)
        assert found.estimates.loc["308"].isna().all() and found.estimates.drop("308").notna().all().all()
        assert "No estimates without 308" in str(found)


def test_models_with_a_predictor_of_sigma_and_penalised_fits() -> None:
    data = unequal()
    fit: Any = bm.Model(bm.Formula("Reaction ~ Days + (1 | Subject)", "sigma ~ Days"), data).fit("ml")
    steps, refits = bm.influence(fit, "Subject"), bm.influence(fit, "Subject", refit=True)
    sds = fit.predict(parameter="sigma")["estimate"].to_numpy()
    keep, tau = np.flatnonzero(data["Subject"] != "308"), float(fit.varcorr()["sd"].iloc[0])
    codes = fit.model.design.groups[0].codes[keep]
    W = np.linalg.inv(np.diag(sds[keep] ** 2) + tau**2 * (codes[:, None] == codes))
    X = fit.model.design.mu.X[keep]
    beta = np.linalg.solve(X.T @ W @ X, X.T @ W @ fit.model.design.response.y[keep])
    np.testing.assert_allclose(steps.estimates.loc["308", ["Intercept", "Days"]], beta, rtol=EXACT)
    assert (steps.changes["sigma_Days"] == 0).all() and (refits.changes["sigma_Days"] != 0).all()
    assert refits.frame["loglik"].isna().all() and any(note.startswith("loglik: not computed") for note in refits.notes)
    penalised: Any = bm.Model("Reaction ~ Days + (1 | Subject)", data).fit("map")
    assert (bm.influence(penalised, "Subject").changes["sigma"] == 0).all()


def test_what_is_refused_and_what_to_type() -> None:
    fit: Any = bm.Model("Reaction ~ Days + (1 | Subject)", unequal()).fit("ml")
    with pytest.raises(FitError, match="most=154"):
        bm.influence(fit, refit=True, most=100)
    with pytest.raises(FitError, match="Subject"):
        bm.influence(fit, "Subjekt")
    with pytest.raises(FitError, match="one level"):
        bm.influence(fit, by=np.ones(154))
    with pytest.raises(FitError, match="model.fit"):
        bm.influence(fit.model)
    draws: Any = bm.Model("Reaction ~ Days + (1 | Subject)", unequal()).fit("laplace", seed=1)
    with pytest.raises(FitError, match="bm.loo"):
        bm.influence(draws)


def test_the_page_lists_the_most_influential() -> None:
    fit: Any = bm.Model("Reaction ~ Days + (1 | Subject)", unequal()).fit("ml")
    text = str(bm.influence(fit, "Subject"))
    assert text.startswith("Influence of 18 levels of Subject on ML") and "dfbetas Days" in text
