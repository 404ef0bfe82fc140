"""Likelihoods that keep growing as an sd grows, fits whose own integral is off: both are said, and no false alarms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import log_expit

import bayesmixed as bm
from bayesmixed.likelihood.at import laplace_of
from bayesmixed.likelihood.foretold import foretold
from bayesmixed.likelihood.quadrature.level_sets import level_set_loglik

EXACT = 5e-4  # log-likelihood: the dense sum's steps and ours
GRID = np.linspace(-9.0, 9.0, 60_001)  # of one effect in its own sds: ten points on the rise of a row's probability


def growing_boys(seed: int = 1) -> pd.DataFrame:
    """Heights of 26 boys at nine ages, each nearly a line: `tall` is age beyond a boy's own value, or never varies."""
    rng = np.random.default_rng(seed)
    age, boy = np.tile(np.linspace(-1, 1, 9), 26), np.repeat(np.arange(26), 9)
    b = rng.normal(size=(26, 2)) @ np.linalg.cholesky(np.array([[64.0, 8.16], [8.16, 2.89]])).T
    height = 149.4 + 6.5 * age + b[boy, 0] + b[boy, 1] * age + 0.66 * rng.normal(size=26 * 9)
    return pd.DataFrame({"Subject": boy, "age": age, "tall": (height > 150).astype(int)})


def dense(table: pd.DataFrame, intercept: float, slope: float, sd: float) -> float:
    """The logit model's log-likelihood of `tall ~ age + (1 | Subject)` by a sum over a fine grid."""
    total = 0.0
    for _, boy in table.groupby("Subject"):
        log = -0.5 * GRID**2 - 0.5 * np.log(2 * np.pi)
        for yes, age in zip(boy["tall"], boy["age"], strict=True):
            eta = intercept + slope * age + sd * GRID
            log = log + log_expit(eta if yes else -eta)
        total += log.max() + np.log(np.exp(log - log.max()).sum() * (GRID[1] - GRID[0]))
    return total


@pytest.fixture(scope="module")
def boys() -> pd.DataFrame:
    return growing_boys()


def no_maximum(fit: Any, term: str) -> bool:
    """Whether the status says that the likelihood grows with a term's sd, with the remedies."""
    (said,) = [problem for problem in fit.status.problems if problem.startswith("The likelihood has no maximum")]
    remedies = ('bm.MAP(priors="model")', 'model.fit("nuts", seed=1)', "bm.diagnose(fit)")
    return not fit.status.converged and f"of {term} grow" in said and all(word in said for word in remedies)


@pytest.mark.parametrize(("sd", "beta"), [(1.0, (0.0, 1.0)), (17.0, (2.0, 20.0)), (153.6, (14.0, 119.0))])
def test_the_integral_between_level_sets_is_the_dense_one(boys: pd.DataFrame, sd: float, beta: Any) -> None:
    likelihood = laplace_of(bm.Model("tall ~ age + (1 | Subject)", boys, family="bernoulli"))
    x = likelihood.joined(likelihood.theta.working(np.array([sd])), np.array(beta), {})
    found = level_set_loglik(likelihood, x, likelihood.curved(x, likelihood.mode(x)))
    assert found == pytest.approx(dense(boys, *beta, sd), abs=EXACT)


@pytest.mark.parametrize("nodes", [0, 1, 7, 15, 31])
def test_rows_foretold_within_levels_leave_no_maximum_whatever_the_nodes(boys: pd.DataFrame, nodes: int) -> None:
    fit = bm.Model("tall ~ age + (1 | Subject)", boys, family="bernoulli").fit(bm.ML(quadrature=nodes))
    assert no_maximum(fit, "(1 | Subject)")
    if nodes:
        truth = dense(boys, *fit.fixef(), fit.varcorr()["sd"].iloc[0])  # type: ignore[union-attr]
        assert fit.status.quadrature_shift == pytest.approx(truth - fit.loglik, abs=EXACT)  # type: ignore[union-attr]
    if nodes > 1:
        assert fit.status.quadrature_error >= abs(fit.status.quadrature_shift)  # type: ignore[operator, arg-type, union-attr]


@pytest.mark.parametrize("link", ["probit", "cloglog"])
def test_so_does_another_link(boys: pd.DataFrame, link: str) -> None:
    fit = bm.Model("tall ~ age + (1 | Subject)", boys, family="bernoulli", link=link).fit(bm.ML(quadrature=9))
    assert no_maximum(fit, "(1 | Subject)")


def test_slopes_of_every_level_foretell_as_well(boys: pd.DataFrame) -> None:
    fit = bm.Model("tall ~ age + (age || Subject)", boys, family="bernoulli").fit("ml")
    assert no_maximum(fit, "(1 + age || Subject)")
    (finding,) = [found for found in bm.diagnose(fit, refit=False).findings if found.check == "separation"]
    assert finding.what == "separation by age within levels of Subject" and "a rule of its own" in finding.words


def test_proper_priors_have_a_maximum_and_the_boundary_penalty_has_none(boys: pd.DataFrame) -> None:
    model = bm.Model("tall ~ age + (1 | Subject)", boys, family="bernoulli")
    held = model.fit(bm.MAP(priors="model"))
    assert held.status.converged and held.status.problems == ()  # type: ignore[union-attr]
    assert not model.fit("map").status.converged  # type: ignore[union-attr]
    (note,) = bm.diagnose(held).findings
    assert note.severity == "note" and "due to the priors alone" in note.words


def test_diagnose_names_the_predictor_and_counts_the_levels(boys: pd.DataFrame) -> None:
    found = bm.diagnose(bm.Model("tall ~ age + (1 | Subject)", boys, family="bernoulli").fit(bm.ML(quadrature=15)))
    (finding,) = found.findings
    assert finding.what == "separation by age within levels of Subject" and finding.severity == "serious"
    varying = int((boys.groupby("Subject")["tall"].nunique() == 2).sum())
    assert f"In {varying} of 26 levels" in finding.words and f"the other {26 - varying}" in finding.words
    assert found.map.status.converged and "beside MAP" in str(found)


@pytest.fixture(scope="module")
def others() -> pd.DataFrame:
    """Levels that never vary; successes out of four, foretold by x; counts and shares, extreme where x2 is 1."""
    rng = np.random.default_rng(3)
    g, x = np.repeat(np.arange(30), 6), rng.normal(size=180)
    x2 = np.tile([0, 1], 90)
    return pd.DataFrame(
        {
            "g": g, "x": x, "x2": x2, "constant": rng.integers(0, 2, 30)[g],
            "s": 4 * ((2 * x + 2 * rng.normal(size=30)[g]) > 0), "n": 4,
            "count": np.where(x2 == 1, 0, rng.poisson(2, 180)), "zeros": np.where(g < 18, 0, rng.poisson(3, 180)),
            "cell": np.where(x2 == 1, 4 * rng.integers(0, 2, 30)[g], rng.integers(1, 4, 180)),
        }
    )  # fmt: skip


KINDS = {
    "constant ~ x + (1 | g)": ("bernoulli", "(1 | g)", "all 30 levels of g have the same response in every row"),
    "prop(s, n) ~ x + (1 | g)": ("binomial", "(1 | g)", "separation by x within levels of g"),
    "prop(cell, n) ~ x2 + (x2 || g)": ("binomial", "(1 + x2 || g)", "all 30 levels of g have the same"),
    "count ~ 1 + (x2 || g)": ("poisson", "(1 + x2 || g)", "all 30 levels of g have the same response in every row"),
}


@pytest.mark.parametrize("formula", KINDS)
@pytest.mark.parametrize("nodes", [1, 7])
def test_other_responses_that_leave_no_maximum(others: pd.DataFrame, formula: str, nodes: int) -> None:
    family, term, what = KINDS[formula]
    fit = bm.Model(formula, others, family=family).fit(bm.ML(quadrature=nodes))
    assert no_maximum(fit, term)
    assert any(what in finding.what for finding in bm.diagnose(fit, refit=False).findings)


def test_crossed_levels_that_foretell_every_response_are_named() -> None:
    """A perfect scale: every person solves what is easier than the person is able."""
    rng = np.random.default_rng(4)
    person, item = np.repeat(np.arange(30), 8), np.tile(np.arange(8), 30)
    right = (2 * rng.normal(size=30)[person] > np.linspace(-2, 2, 8)[item]).astype(int)
    table = pd.DataFrame({"right": right, "person": person, "item": item})
    fit = bm.Model("right ~ 1 + (1 | person) + (1 | item)", table, family="bernoulli").fit("ml")
    assert no_maximum(fit, "(1 | person) and (1 | item)")
    finding = bm.diagnose(fit, refit=False).findings[0]
    assert finding.what == "the levels of person and item predict every response"


def test_levels_of_zeros_beside_levels_of_counts_have_a_maximum(others: pd.DataFrame) -> None:
    fit = bm.Model("zeros ~ x + (1 | g)", others, family="poisson").fit(bm.ML(quadrature=15))
    assert fit.status.converged and 1 < fit.varcorr()["sd"].iloc[0] < 10


def test_one_row_against_the_rule_gives_a_maximum_and_an_honest_error(boys: pd.DataFrame) -> None:
    table = boys.copy()
    mixed = table.groupby("Subject")["tall"].transform("nunique") == 2
    first = table.index[mixed & (table["age"] == -1.0)][0]
    table.loc[first, "tall"] = 1 - table.loc[first, "tall"]
    model = bm.Model("tall ~ age + (1 | Subject)", table, family="bernoulli")
    assert foretold(model.design, model.family) is None
    fit = model.fit(bm.ML(quadrature=25))
    truth = dense(table, *fit.fixef(), fit.varcorr()["sd"].iloc[0])  # type: ignore[union-attr]
    assert abs(fit.loglik - truth) <= fit.status.quadrature_error + EXACT  # type: ignore[operator, union-attr]


def test_a_fit_with_too_few_nodes_says_so_and_one_with_enough_does_not() -> None:
    """Seven binary rows a level with an sd of 4, like the toenail trial's."""
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(200), 7)
    t = np.tile(np.arange(7.0), 200)
    y = (rng.random(1400) < 1 / (1 + np.exp(1.6 + 0.4 * t - 4 * rng.normal(size=200)[g]))).astype(int)
    model = bm.Model("y ~ t + (1 | g)", pd.DataFrame({"y": y, "t": t, "g": g}), family="bernoulli")
    few, many = model.fit(bm.ML(quadrature=3)), model.fit(bm.ML(quadrature=40))
    (said,) = few.status.problems
    assert said.startswith("Quadrature with 3 nodes is inaccurate") and "bm.ML(quadrature=7)" in said
    assert "Quadrature with 3 nodes" in bm.diagnose(few).findings[0].what
    assert many.status.converged and many.status.problems == ()  # type: ignore[union-attr]
    assert many.status.quadrature_error < 0.01  # type: ignore[operator, union-attr]  # of 200 levels together


@pytest.mark.parametrize("nodes", [1, 9])
def test_the_reference_models_raise_no_alarm(nodes: int) -> None:
    model = bm.Model("prop(incidence, size) ~ period + (1 | herd)", bm.load_data("cbpp"), family="binomial")
    fit = model.fit(bm.ML(quadrature=nodes))
    assert fit.status.converged and fit.status.problems == ()  # type: ignore[union-attr]
    assert bm.diagnose(fit).clean


@pytest.mark.parametrize("seed", range(6))
def test_small_binary_data_with_a_maximum_are_not_called_endless(seed: int) -> None:
    rng = np.random.default_rng(seed)
    g, x = np.repeat(np.arange(40), 3), rng.normal(size=120)
    y = (rng.random(120) < 1 / (1 + np.exp(-x - rng.normal(size=40)[g]))).astype(int)
    fit = bm.Model("y ~ x + (1 | g)", pd.DataFrame({"y": y, "x": x, "g": g}), family="bernoulli").fit("ml")
    assert fit.status.converged and not any("no maximum" in problem for problem in fit.status.problems)
