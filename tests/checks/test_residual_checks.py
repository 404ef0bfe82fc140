"""Residual checks: positions are uniform under the model, departures are found and named, remedies are the family's."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

import bayesmixed as bm
from bayesmixed.checks.predictive import residual_checks as module
from bayesmixed.checks.predictive.exchangeable import distances, extremes, positions, spreads, two_sided_p, upper_p
from bayesmixed.checks.predictive.replicated import replicated
from bayesmixed.errors import FitError
from bayesmixed.families import FAMILIES, family

TABLE = pd.DataFrame({"g": np.repeat(np.arange(30), 10), "x": np.random.default_rng(1).normal(size=300), "m": 8})
PARAMS = {"Intercept": 1.0, "x": 0.3, "1|g_sigma": 0.5}
CALLS = 12  # fits under the model; a false alarm at 5 % in four of them has probability 2e-3


@cache
def simulated(truth: str, n: int = CALLS, **more: float) -> np.ndarray:
    trials = {"trials": "m"} if family(truth).takes_trials else {}
    return bm.simulate("y ~ x + (1 | g)", TABLE, PARAMS | more, family=truth, n=n, seed=3, **trials)


def fitted(y: np.ndarray, name: str) -> Any:
    left = "y | trials(m)" if family(name).takes_trials else "y"
    return bm.Model(f"{left} ~ x + (1 | g)", TABLE.assign(y=y), family=name).fit("ml")


def adjusted(fit: Any, **options: Any) -> pd.Series:
    return bm.residual_checks(fit, n=200, seed=1, **options).frame.set_index("test")["adjusted"]


# ---- ranks among exchangeable responses


def test_p_values_of_exchangeable_statistics_are_uniform() -> None:
    rng = np.random.default_rng(1)
    pools = rng.normal(size=(400, 40, 25))
    p = [upper_p(spreads(pool, np.zeros(25), np.ones(25))) for pool in pools]
    assert kstest(p, "uniform").pvalue > 1e-3
    both = [two_sided_p(distances(positions(pool, rng))) for pool in pools]
    assert np.mean(np.array(both) <= 0.1) == pytest.approx(0.1, abs=4.5 * np.sqrt(0.09 / 400))


def test_positions_are_ranks_and_ties_are_broken_at_random() -> None:
    pool = np.array([[1.0, 5.0], [2.0, 5.0], [0.0, 5.0], [3.0, 5.0]])
    at = positions(pool, np.random.default_rng(1))
    assert np.array_equal(np.floor(4 * at[:, 0]), [1, 2, 0, 3])
    assert sorted(np.floor(4 * at[:, 1])) == [0, 1, 2, 3]
    assert extremes(pool)[:, 0].tolist() == [False, False, True, True] and not extremes(pool)[:, 1].any()


def test_rows_that_do_not_vary_say_nothing_of_the_spread() -> None:
    pool = np.column_stack([np.full(5, 3.0), np.arange(5.0)])
    found = spreads(pool, np.array([3.0, 2.0]), np.array([0.0, 2.0]))
    np.testing.assert_allclose(found, (np.arange(5) - 2.0) ** 2 / 2)
    assert np.isnan(spreads(pool, np.zeros(2), np.array([0.0, np.inf]))).all()


# ---- fits


@pytest.mark.parametrize(("name", "more"), [("gaussian", {"sigma": 1.0}), ("poisson", {}), ("binomial", {})])
@pytest.mark.parametrize("re", ["all", "new"])
def test_the_right_model_raises_few_alarms(name: str, more: dict[str, float], re: str) -> None:
    alarms = [adjusted(fitted(y, name), re=re).min() < 0.05 for y in simulated(name, **more)]
    assert np.sum(alarms) <= 3


DEPARTURES = [
    ("poisson", "negbinomial", {"alpha": 3.0}, "dispersion", 'family="negbinomial"'),
    ("binomial", "betabinomial", {"phi": 8.0}, "dispersion", 'family="betabinomial"'),
    ("gaussian", "gamma", {"alpha": 2.0}, "uniformity", "Skewed: another family"),
]


@pytest.mark.parametrize(("name", "truth", "more", "test", "remedy"), DEPARTURES)
def test_a_departure_is_found_with_its_remedy(name: str, truth: str, more: Any, test: str, remedy: str) -> None:
    checked = bm.residual_checks(fitted(simulated(truth, 1, **more)[0], name), n=200, seed=1)
    assert checked.frame.set_index("test").loc[test, "adjusted"] < 0.05
    assert not checked.clean and remedy in str(checked)
    assert set(checked.table["check"]) >= {test}


def test_too_many_zeros_are_found() -> None:
    y = simulated("poisson", 1)[0].copy()
    y[np.random.default_rng(1).random(300) < 0.25] = 0
    checked = bm.residual_checks(fitted(y, "poisson"), n=200, seed=1)
    assert "too many zeros" in set(checked.table["what"])


def test_far_rows_are_named() -> None:
    y = simulated("gaussian", 1, sigma=1.0)[0].copy()
    y[[7, 70, 111, 200, 290]] += np.array([9, -9, 9, 9, -9])
    checked = bm.residual_checks(fitted(y, "gaussian"), n=1000, seed=1)  # 0.6 rows beyond them by chance
    assert {7, 70, 111, 200, 290} <= set(checked.outliers) and "outliers" in set(checked.table["check"])


def _with_outliers(rng: np.random.Generator) -> np.ndarray:
    """20 of 2,000 normal rows moved by 15 sd."""
    far = np.zeros(2000)
    far[rng.choice(2000, 20, replace=False)] = 15 * rng.choice([-1, 1], 20)
    return rng.normal(size=2000) + far


def _ex_gaussian(rng: np.random.Generator) -> np.ndarray:
    return 0.3 * rng.normal(size=2000) + rng.exponential(2.0, size=2000)


@pytest.mark.parametrize("noise", [_with_outliers, _ex_gaussian])
@pytest.mark.parametrize("re", ["all", "new"])
def test_a_response_does_not_widen_the_spread_that_it_is_judged_by(noise: Any, re: str) -> None:
    """sigma is estimated from these residuals, so by Pearson's statistic they vary as much as the family says."""
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(40), 50)
    y = 0.5 * rng.normal(size=40)[g] + noise(rng)
    fit = bm.Model("y ~ 1 + (1 | g)", pd.DataFrame({"y": y, "g": g})).fit("ml")
    row = bm.residual_checks(fit, n=100, re=re, seed=1).frame.set_index("test").loc["dispersion"]
    if re == "all":
        pearson = np.sum(fit.residuals("pearson") ** 2) / (2000 - np.sum(fit.leverage()))
        assert row["observed"] == pytest.approx(pearson, rel=1e-8)
    assert row["observed"] == pytest.approx(1.0, abs=0.02) and row["reading"] == "not contradicted"


def test_moments_of_new_levels_are_those_of_the_replicates() -> None:
    fit = fitted(simulated("binomial", 1)[0], "binomial")
    source = replicated(fit, 4000, "new", 1, plug_in=True)
    table, (mean, variance) = source.table(), source.moments()
    error = np.sqrt(variance / 4000)
    assert np.max(np.abs(table.mean(axis=0) - mean) / error) < 4.5 * np.sqrt(2)  # both are drawn
    assert np.mean(table.var(axis=0) / variance) == pytest.approx(1.0, abs=0.02)


def test_without_a_variance_there_is_no_test_of_it() -> None:
    y = np.random.default_rng(2).standard_t(1.2, size=300)
    fit = fitted(y, "student")
    assert fit.dispersion["nu"] < 2
    assert list(bm.residual_checks(fit, n=100, seed=1).frame["test"]) == ["uniformity", "outliers"]


def test_residuals_are_quantile_residuals_but_for_the_number_of_replicates() -> None:
    """The rank among replicates estimates F(y | mu): its error is at most sqrt(1/4 / n)."""
    fit = fitted(simulated("gaussian", 1, sigma=1.0)[0], "gaussian")
    from scipy.special import ndtr

    found = bm.residual_checks(fit, n=2000, seed=1).residuals
    exact = ndtr(fit.residuals("quantile"))
    assert np.max(np.abs(found - exact)) < 4.5 * np.sqrt(0.25 / 2000)
    assert list(found.index) == list(TABLE.index)


def test_fits_with_draws_hold_their_means(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = bm.Model("y ~ x + (1 | g)", TABLE.assign(y=simulated("poisson", 1)[0]), family="poisson").fit(
        "laplace", seed=1
    )
    checked = bm.residual_checks(fit, n=200, seed=1)
    assert checked.clean and checked.method.startswith("Laplace")
    point = fitted(simulated("poisson", 1)[0], "poisson")
    taken_up = [module._taken_up(each, np.arange(300)) for each in (fit, point)]
    assert taken_up[0] == pytest.approx(taken_up[1], rel=0.15)  # 1,000 draws, and priors


def test_zero_or_one_responses_have_no_dispersion() -> None:
    fit = bm.Model("y ~ x + (1 | g)", TABLE.assign(y=simulated("bernoulli", 1)[0]), family="bernoulli").fit("ml")
    assert list(bm.residual_checks(fit, n=100, seed=1).frame["test"]) == ["uniformity", "outliers"]


def test_effects_that_follow_single_rows_are_noted() -> None:
    table = TABLE.assign(row=np.arange(300), y=simulated("negbinomial", 1, alpha=3.0)[0])
    fit = bm.Model("y ~ x + (1 | row)", table, family="poisson").fit("ml")
    checked = bm.residual_checks(fit, n=100, seed=1)
    assert 're="new"' in str(checked) and "effects follow the rows" in set(checked.table["what"])
    assert adjusted(fit, re="new").min() > 0.01


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_has_a_remedy_that_is_a_sentence_or_none(name: str) -> None:
    wider = family(name).wider
    assert wider == "" or wider.endswith(".")


def test_a_weight_of_two_is_the_row_twice() -> None:
    rng = np.random.default_rng(7)
    short = TABLE.iloc[:60].assign(y=rng.poisson(3.0, 60), w=rng.integers(0, 4, 60))
    long = short.loc[short.index.repeat(short["w"])]
    weighted = bm.Model("y ~ x + (1 | g)", short, family="poisson", weights="w").fit("ml")
    twice = bm.Model("y ~ x + (1 | g)", long.reset_index(drop=True), family="poisson").fit("ml")
    mine, theirs = (bm.residual_checks(each, n=100, seed=1) for each in (weighted, twice))
    pd.testing.assert_frame_equal(mine.frame, theirs.frame, rtol=1e-5)  # two fits: the same replicates, row for row
    np.testing.assert_array_equal(mine.residuals, theirs.residuals)
    assert list(mine.residuals.index) == list(long.index) and "compared as w responses" in str(mine)


def test_same_seed_same_result() -> None:
    fit = fitted(simulated("poisson", 1)[0], "poisson")
    first, again = (bm.residual_checks(fit, n=50, seed=5) for _ in range(2))
    pd.testing.assert_series_equal(first.residuals, again.residuals)
    assert str(first) == str(again)


def test_errors_say_what_to_write() -> None:
    fit = fitted(simulated("poisson", 1)[0], "poisson")
    with pytest.raises(FitError, match=r"replicates of 300 rows take .* GB. Ask for fewer, n="):
        bm.residual_checks(fit, n=10**6)
    with pytest.raises(FitError, match="n must be a whole number"):
        bm.residual_checks(fit, n=0)
    with pytest.raises(FitError, match="takes a fit"):
        bm.residual_checks(TABLE)


def test_what_is_not_contradicted_is_not_proved() -> None:
    """The variance that is said to be found four times in five is: replicates of 1.25 times it, at 5 %."""
    checked = bm.residual_checks(fitted(simulated("gaussian", 1, sigma=1.0)[0], "gaussian"), seed=1)
    assert checked.n == 1000 and set(checked.frame["reading"]) == {"not contradicted"}
    # chi-square of 300 rows: the 80 % quantile of ratio * chi2 / 300 is the 97.5 % one of chi2 / 300
    from scipy.stats import chi2

    exact = chi2.ppf(0.975, 300) / chi2.ppf(0.2, 300)
    assert checked.detectable == pytest.approx(exact, abs=0.02)
    assert f"variances less than {checked.detectable:.2f} times the family's often pass unseen" in str(checked)
