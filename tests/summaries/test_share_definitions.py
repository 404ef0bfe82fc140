"""Shares of variance say what they are: which approximation, at which rows, on which scale, alike for every engine."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import polygamma

import bayesmixed as bm
from bayesmixed.errors import FitError

SAME = 1e-10  # one arithmetic, written twice
TWO_FITS = 1e-4  # two parametrisations of one model, optimised separately
DIGITS = 5e-3  # quoted with two decimals
FRUITS = "total.fruits ~ nutrient + amd + rack + status + (1 | popu) + (1 | gen)"


@cache
def fruits() -> Any:
    return bm.Model(FRUITS, bm.load_data("Arabidopsis"), family="negbinomial").fit("ml")


@cache
def sleep() -> Any:
    return bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")


@cache
def simulated() -> pd.DataFrame:
    """Answers with guesses and lapses, and counts, of 30 levels at 20 values of x."""
    rng = np.random.default_rng(3)
    x, g = np.tile(np.linspace(-2, 2, 20), 30), np.repeat(np.arange(30), 20)
    level = rng.normal(size=30)[g]
    seen = rng.binomial(1, 0.05 + 0.93 / (1 + np.exp(-2 * x - level)))
    return pd.DataFrame({"x": x, "g": g, "seen": seen, "k": rng.poisson(np.exp(0.3 * x + level))})


@cache
def counts() -> Any:
    return bm.Model("k ~ x + (1 | g)", simulated(), family="poisson").fit("ml")


# ---- approximations


def test_a_share_that_hangs_on_its_approximation_says_so_beside_the_others() -> None:
    """Fruits of Arabidopsis: 0.25 by the lognormal approximation, 0.08 by trigamma, of the same fit."""
    page = str(bm.icc(fruits()))
    assert "0.247" in page and "the lognormal approximation" in page
    assert "0.081 (trigamma) and 0.161 (delta)" in page and "where Var(y) / mu^2 is 1.67" in page
    assert bm.icc(fruits(), approximation="trigamma").frame.loc["(all)", "adjusted"] == pytest.approx(0.08, abs=DIGITS)
    said = bm.report(fruits()).variance
    assert "By the trigamma approximation instead: adjusted ICC 0.08, conditional R2 0.21" in said
    other = bm.r2(fruits(), approximation="delta").frame["estimate"].loc["nakagawa"]
    assert f"{other['marginal']:.3f} and {other['conditional']:.3f} (delta)" in str(bm.r2(fruits()))


def test_of_poisson_counts_trigamma_is_that_of_the_mean() -> None:
    between, mu = counts().varcorr()["sd"].iloc[0] ** 2, 2.5
    found = bm.icc(counts(), mean=mu)
    share, other = between / (between + np.log1p(1 / mu)), between / (between + polygamma(1, mu))
    assert found.frame.loc["g", "adjusted"] == pytest.approx(share, rel=SAME)
    assert f"{other:.3f} (trigamma)" in str(found)


def test_where_the_variance_is_known_no_approximation_is_named() -> None:
    assert "approximation" not in str(bm.icc(sleep())) + bm.report(sleep()).variance


# ---- slopes


def test_with_slopes_the_share_is_an_average_and_can_be_asked_at_values() -> None:
    """0.48 on day 0, 0.85 on day 9, 0.72 on average, from lme4's REML estimates of the sds and the correlation."""
    sds, sigma = np.array([24.7407, 5.9221]), 25.5918
    covariance = np.outer(sds, sds) * np.array([[1, 0.0656], [0.0656, 1]])
    found = bm.icc(sleep(), at={"Days": [0, 9]}).frame["adjusted"]
    for day in (0, 9):
        between = np.array([1, day]) @ covariance @ np.array([1, day])
        assert found[day, "Subject"] == pytest.approx(between / (between + sigma**2), abs=1e-4)
    assert found[0, "(all)"] == pytest.approx(0.48, abs=DIGITS) and found[9, "(all)"] == pytest.approx(0.85, abs=DIGITS)
    page = str(bm.icc(sleep()))
    assert "is 0.48 to 0.85 at single rows" in page and 'bm.icc(fit, at="Days")' in page
    assert "the adjusted ICC is 0.48 to 0.85" in bm.report(sleep()).variance
    assert bm.icc(sleep(), at="Days").frame.index.get_level_values("Days").unique().tolist() == list(range(10))


def test_the_average_of_variances_at_the_values_of_balanced_rows_is_the_variance() -> None:
    at = bm.icc(sleep(), at="Days").frame["variance"].xs("Subject", level="group")
    assert at.mean() == pytest.approx(bm.icc(sleep()).frame.loc["Subject", "variance"], rel=SAME)


def test_levels_of_a_factor_have_the_variances_of_a_bar_without_intercept() -> None:
    data = bm.load_data("Machines")
    one = bm.Model("score ~ Machine + (Machine | Worker)", data).fit("reml")
    cells = bm.Model("score ~ Machine + (0 + Machine | Worker)", data).fit("reml")
    found = bm.icc(one, at="Machine").frame["variance"].xs("Worker", level="group")
    sds = cells.varcorr().set_index("group").loc["Worker", "sd"].to_numpy()
    np.testing.assert_allclose(found, sds**2, rtol=TWO_FITS)


def test_values_go_through_the_transforms_of_the_formula_and_rows_through_weights_and_offsets() -> None:
    data = bm.load_data("sleepstudy")
    options: dict[str, Any] = {"weights": np.full(180, 2.0), "offset": np.linspace(0, 1, 180)}
    fit = bm.Model("Reaction ~ I(Days / 9) + (I(Days / 9) | Subject)", data, **options).fit("reml")
    (a, c), (_, b) = fit.parameters.flat().covariance(0)[0, 0]
    found = bm.icc(fit, at={"Days": [0, 4.5, 9]})
    expected = [a, a + c + b / 4, a + 2 * c + b]
    np.testing.assert_allclose(found.frame["variance"].xs("Subject", level="group"), expected, rtol=SAME)
    between, residual = a + 2 * c + b, fit.sigma**2 / 2
    assert found.frame.loc[(9.0, "(all)"), "adjusted"] == pytest.approx(between / (between + residual), rel=SAME)
    assert "sigma^2 / w averaged" in str(found)


def test_shares_at_values_of_draws_have_their_intervals() -> None:
    draws = sleep().model.fit(bm.Laplace(draws=60), seed=1)
    flat = draws.parameters.flat()
    between = np.einsum("k,dkl,l->d", [1, 9], flat.covariance(0)[0], [1, 9])
    share = between / (between + flat.dispersion["sigma"][0] ** 2)
    row = bm.icc(draws, at={"Days": 9}).frame.loc[(9.0, "Subject")]
    assert row["adjusted"] == pytest.approx(share.mean(), rel=SAME)
    assert row["adjusted_lower"] == pytest.approx(np.quantile(share, 0.025), rel=SAME)


def test_values_that_change_nothing_are_refused() -> None:
    for at, says in (
        ("x", "No bar has a slope of 'x', .* no random slopes"),
        ("xx", "Did you mean 'x'"),
        ("g", "It is a grouping factor"),
        ({}, 'at="x"'),
    ):
        with pytest.raises(FitError, match=says):
            bm.icc(counts(), at=at)
    with pytest.raises(FitError, match="leave out by="):
        bm.icc(sleep(), "Days", at="Days")


# ---- one definition


def test_draws_take_the_variance_at_the_mean_that_point_fits_take() -> None:
    draws = counts().model.fit(bm.Laplace(draws=60), seed=1)
    null = bm.Model("k ~ 1 + (1 | g)", simulated(), family="poisson").fit("ml")
    mu = np.exp(null.fixef()["Intercept"])
    between = draws.parameters.flat().covariance(0)[0, :, 0, 0]
    share = between / (between + np.log1p(1 / mu))
    assert bm.icc(draws).frame.loc["g", "adjusted"] == pytest.approx(share.mean(), rel=TWO_FITS)
    words = "at the mean of the model without predictors (typical level)"
    for fit in (counts(), draws):
        assert words in str(bm.icc(fit)) and words in str(bm.r2(fit)) and words in bm.report(fit).variance


@pytest.mark.parametrize("mean", ["marginal", "rows", 2.0])
def test_every_mean_may_be_asked_of_every_fit(mean: Any) -> None:
    draws = counts().model.fit(bm.Laplace(draws=60), seed=1)
    for fit in (counts(), draws):
        assert 0 < bm.icc(fit, mean=mean).frame.loc["g", "adjusted"] < 1


def test_a_mean_that_the_response_cannot_have_is_refused() -> None:
    with pytest.raises(FitError, match="mean=-1 is not a possible mean of the poisson family .* between 0 and inf"):
        bm.icc(counts(), mean=-1)
    formula = "cbind(incidence, size - incidence) ~ 1 + (1 | herd)"
    trials = bm.Model(formula, bm.load_data("cbpp"), family="betabinomial")
    with pytest.raises(FitError, match="between 0 and 1"):
        bm.r2(trials.fit("ml"), mean=1.5)


def test_guesses_and_lapses_are_said_to_be_left_out() -> None:
    link = bm.links.logit(guess=0.05, lapse=0.02)
    fit = bm.Model("seen ~ x + (1 | g)", simulated(), family="bernoulli", link=link).fit("ml")
    between = fit.varcorr()["sd"].iloc[0] ** 2
    assert bm.icc(fit).frame.loc["g", "adjusted"] == pytest.approx(between / (between + np.pi**2 / 3), rel=SAME)
    for text in (str(bm.icc(fit)), str(bm.r2(fit)), bm.report(fit).variance):
        assert "between its asymptotes, 0.05 and 0.98: guesses and lapses" in text
    plain = bm.Model("seen ~ x + (1 | g)", simulated(), family="bernoulli").fit("ml")
    assert "guesses" not in str(bm.icc(plain)) and "latent variable" in str(bm.icc(plain))


def test_a_report_of_draws_keeps_the_intervals_of_its_shares() -> None:
    draws = sleep().model.fit(bm.Laplace(draws=60), seed=1)
    row = bm.icc(draws).frame.loc["(all)"]
    said = bm.report(draws).variance
    limits = f"adjusted ICC {row['adjusted']:.2f} [{row['adjusted_lower']:.2f}, {row['adjusted_upper']:.2f}]"
    assert limits in said and "95 % credible intervals" in said
    assert "[" not in bm.report(sleep()).variance
