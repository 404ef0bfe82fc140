"""One test of one coefficient: every verb prints the same standard error, degrees of freedom, p and limits of it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmixed as bm
from bayesmixed.degrees.methods import METHODS

SAME = 1e-9  # relative
FitError = bm.errors.FitError


def unbalanced() -> pd.DataFrame:
    """Eight groups of 3 to 10 rows, half of them treated."""
    rng = np.random.default_rng(8)
    g = np.repeat(np.arange(8), np.arange(3, 11))
    x = rng.normal(size=len(g))
    y = 1 + 0.5 * x + 0.8 * (g % 2) + rng.normal(size=8)[g] + rng.normal(size=len(g))
    return pd.DataFrame({"y": y, "x": x, "arm": np.where(g % 2, "drug", "control"), "g": g})


@pytest.fixture(scope="module")
def fit() -> Any:
    return bm.Model("y ~ arm + x + (1 | g)", unbalanced()).fit("reml")


ASKED = [*(("reml", ddf) for ddf in (None, *METHODS, 5.5)), ("ml", "kenward-roger")]


@pytest.mark.parametrize(("engine", "ddf"), ASKED)
def test_every_verb_tests_a_coefficient_alike(fit: Any, engine: str, ddf: Any) -> None:
    """Also where the method refits an ML fit by REML, whose coefficients are others."""
    fit = fit.model.fit(engine)
    theirs = bm.hypothesis(fit, ddf=ddf).frame
    drug = bm.comparisons(fit, "arm", ddf=ddf).frame.iloc[0]
    pair = bm.emmeans(fit, "arm", ddf=ddf).contrast("revpairwise").frame.iloc[0]
    slope = bm.slopes(fit, "x", ddf=ddf).frame.iloc[0]
    for found, name in ((drug, "arm[drug]"), (pair, "arm[drug]"), (slope, "x")):
        expected = theirs.loc[name]
        for column in ("estimate", "se", "df", "statistic", "p", "lower", "upper"):
            assert found.get(column, np.inf) == pytest.approx(expected[column], rel=SAME), column
    report, summary = bm.report(fit, ddf=ddf).estimates, str(fit.summary(ddf=ddf or "satterthwaite"))
    for name in ("arm[drug]", "x"):
        row = theirs.loc[name]
        letter = f"t({row['df']:.1f})" if np.isfinite(row["df"]) else "z"
        limits = f"{row['estimate']:.2f} [{row['lower']:.2f}, {row['upper']:.2f}]"
        assert f"{name} {limits}, {letter} = {row['statistic']:.2f}" in rounded(report)
        line = next(line for line in summary.splitlines() if line.startswith(f"{name} "))
        shown = [row["estimate"], row["se"], *([row["df"]] if np.isfinite(row["df"]) else []), row["statistic"]]
        np.testing.assert_allclose([float(text) for text in line.split()[1:-1]], shown, atol=0.06)
        assert float(line.split()[-1]) == pytest.approx(row["p"], rel=0.01, abs=1e-4)


def rounded(text: str) -> str:
    """Numbers of three decimals at two."""
    return re.sub(r"-?\d+\.\d{3}(?=[\s,\]])", lambda found: f"{float(found[0]):.2f}", text)


def test_a_summary_is_lme4s_until_it_is_asked(fit: Any) -> None:
    plain, tested = str(fit.summary()), str(fit.summary(ddf="satterthwaite"))
    assert "Pr(>" not in plain and "Pr(>|t|)" in tested
    assert "Tests: t with Satterthwaite's degrees of freedom." in tested
    assert "Kenward and Roger's adjustment" in str(fit.summary(ddf="kenward-roger"))


def test_a_model_without_bars_has_the_tests_of_the_linear_model() -> None:
    """By least squares, whether its sigma divides by n or by n - p."""
    data = unbalanced()
    X = np.column_stack([np.ones(len(data)), data["x"]])
    beta, rss = np.linalg.lstsq(X, data["y"], rcond=None)[:2]
    se = np.sqrt(rss[0] / (len(X) - 2) * np.linalg.inv(X.T @ X)[1, 1])
    p = 2 * stats.t.sf(abs(beta[1] / se), len(X) - 2)
    for engine in ("ml", "reml"):
        found = bm.slopes(bm.Model("y ~ x", data).fit(engine), "x").frame.iloc[0]
        np.testing.assert_allclose(found[["se", "df", "p"]].astype(float), [se, len(X) - 2, p], rtol=SAME)


def test_a_model_without_coefficients_has_nothing_to_test() -> None:
    fit = bm.Model("y ~ 0 + (1 | g)", unbalanced()).fit("reml")
    assert "Fixed effects: none" in str(fit.summary(ddf="satterthwaite"))
    assert bm.report(fit).estimates.startswith("Standard deviations")


def test_what_cannot_be_tested_so_is_refused_in_words(fit: Any) -> None:
    counts = unbalanced().assign(k=lambda t: (t["y"] > 1).astype(int))
    logistic = bm.Model("k ~ x + (1 | g)", counts, family="bernoulli").fit("ml")
    draws = fit.model.fit(bm.Laplace(draws=20), seed=1)
    for ask in (lambda one, **asked: one.summary(**asked), bm.report):
        with pytest.raises(FitError, match='ddf="asymptotic"'):
            ask(logistic, ddf="satterthwaite")
        with pytest.raises(FitError, match="Draws need none"):
            ask(draws, ddf="satterthwaite")
        with pytest.raises(FitError, match="Did you mean 'kenward-roger'"):
            ask(fit, ddf="kr")
        with pytest.raises(bm.errors.NoSuchOption, match="has no argument 'df'. Here it is ddf="):
            ask(fit, df=3)
    assert "Pr(>|z|)" in str(logistic.summary(ddf="asymptotic")) and ", z = " in bm.report(logistic).estimates


@pytest.mark.parametrize("ddf", [0.4, 3.0])
def test_limits_without_degrees_of_freedom_to_speak_of_are_named(fit: Any, ddf: float) -> None:
    for page in (bm.hypothesis(fit, ddf=ddf), bm.slopes(fit, "x", ddf=ddf), bm.confint(fit, "wald", ddf=ddf)):
        assert ("Degrees of freedom below 1" in str(page)) == (ddf < 1)
