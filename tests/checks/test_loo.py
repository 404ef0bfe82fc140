"""Leave-one-out: ArviZ's numbers, the marginal likelihood as the sum over groups, refits, references, errors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from simulated import crossed, nested

import bayesmixed as bm
from bayesmixed.checks.loo import integral
from bayesmixed.checks.loo import leave_one_out as loo_module
from bayesmixed.checks.loo.integrated import integrated_log_likelihood
from bayesmixed.errors import FitError
from bayesmixed.interop import arviz
from bayesmixed.prediction.rows_by import rows_by
from bayesmixed.priors import Exponential, Normal

ALGEBRA = 1e-8  # a sum of logs of some hundred rows, taken in another order
QUADRATURE = 1e-4  # 15 nodes here, 25 there, of one effect
SAMPLED = 0.1  # 500 importance draws for each of 15 groups: a few per cent each, and independent
REFITTED = 0.1  # of a sum over 6 groups, from two times 4,000 draws; seeds are fixed
SEEDS = 0.5  # sd of cbpp's elpd over 8 seeds of 4,000 draws: three Pareto k are above 0.7, and it is rough for that
CBPP = "cbind(incidence, size - incidence) ~ period + (1 | herd)"


def summed(fit: Any, by: str, seed: int | None = None) -> np.ndarray:
    """log p(y_g) of a point fit's estimates (groups,)."""
    model = fit.model
    members = rows_by(model, by).members(np.arange(model.design.n_rows))
    return np.concatenate(list(integrated_log_likelihood(model, fit.parameters, members, seed)), axis=-1)[0, 0]


@pytest.fixture(scope="module")
def sleep() -> Any:
    return bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("laplace", seed=1)


@pytest.fixture(scope="module")
def sleep_intercepts() -> Any:
    return bm.Model("Reaction ~ Days + (1 | Subject)", bm.load_data("sleepstudy")).fit("laplace", seed=1)


def arviz_loo(fit: Any) -> Any:
    import arviz as az

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return az.loo(fit.log_likelihood(), pointwise=True)


def test_single_rows_are_arvizs_leave_one_out(sleep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = arviz_loo(sleep)
    ours = bm.loo(sleep)
    older = hasattr(theirs, "elpd_loo")
    assert ours.elpd == pytest.approx(theirs["elpd_loo" if older else "elpd"], rel=ALGEBRA)
    assert ours.p_loo == pytest.approx(theirs["p_loo" if older else "p"], rel=ALGEBRA)
    np.testing.assert_allclose(ours.frame["pareto_k"], theirs["pareto_k"], rtol=ALGEBRA)
    monkeypatch.setattr(loo_module, "CHUNK", 7 * 1000)  # seven rows at a time
    in_blocks = bm.loo(sleep)
    pd.testing.assert_frame_equal(in_blocks.frame, ours.frame, rtol=ALGEBRA)
    whole, assembled = ours.elpd_data, in_blocks.elpd_data
    for key in ("elpd_loo", "p_loo") if older else ("elpd", "p", "se"):
        assert assembled[key] == pytest.approx(whole[key], rel=ALGEBRA)
    assert assembled["n_data_points"] == 180 and "pareto" in str(assembled).lower()


@pytest.mark.parametrize(
    ("formula", "data", "by"),
    [
        ("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"), "Subject"),
        ("y ~ x + (x | school / room)", nested(), "school"),  # rooms lie within schools: both are integrated out
    ],
)
def test_of_normal_responses_the_groups_add_up_to_the_likelihood(formula: str, data: pd.DataFrame, by: str) -> None:
    weights = np.random.default_rng(1).uniform(0.5, 2, len(data))
    fit = bm.Model(formula, data, weights=weights).fit("map")
    assert summed(fit, by).sum() == pytest.approx(fit.loglik, rel=ALGEBRA)


def test_a_lognormal_response_has_its_jacobian() -> None:
    data = bm.load_data("sleepstudy")
    fit = bm.Model("Reaction ~ Days + (1 | Subject)", data, family="lognormal").fit("ml")
    assert summed(fit, "Subject").sum() == pytest.approx(fit.loglik, rel=ALGEBRA)


def test_of_counts_they_add_up_to_the_integral() -> None:
    fit = bm.Model(CBPP, bm.load_data("cbpp"), family="binomial").fit(bm.ML(quadrature=25))
    assert summed(fit, "herd").sum() == pytest.approx(fit.loglik, abs=QUADRATURE)


@pytest.mark.parametrize("family", ["poisson", "negbinomial", "student"])
def test_other_families_too_with_two_effects(family: str) -> None:
    data = crossed()
    data["k"] = data["y"] if family == "student" else np.round(np.exp(0.5 * data["y"]))
    fit = bm.Model("k ~ x + (x | c)", data, family=family).fit("map")
    theirs = fit.model.loglik_at(theta=fit.theta, beta=fit.beta, dispersion=fit.dispersion, quadrature=15)
    assert summed(fit, "c").sum() == pytest.approx(theirs, abs=QUADRATURE)


def test_sampling_is_near_quadrature(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = bm.Model(CBPP, bm.load_data("cbpp"), family="binomial").fit("ml")
    exact = summed(fit, "herd").sum()
    monkeypatch.setattr(integral, "NODES", {})
    assert summed(fit, "herd", seed=1).sum() == pytest.approx(exact, abs=SAMPLED)
    np.testing.assert_array_equal(summed(fit, "herd", seed=1), summed(fit, "herd", seed=1))


def test_effects_that_other_groups_share_stay_as_they_are() -> None:
    """By a: its intercepts are integrated out, those of b are part of the mean."""
    fit = bm.Model("y ~ x + (1 | a) + (1 | b)", crossed()).fit("reml")
    found, design = summed(fit, "a"), fit.model.design
    a, b = design.groups if design.groups[0].factor == "a" else design.groups[::-1]
    effects = fit.ranef()["b"]["Intercept"].to_numpy()
    mean = design.mu.X @ fit.beta + effects[b.codes]
    sd = fit.varcorr().set_index("group").loc["a", "sd"]
    for g in (0, 7):
        rows = np.flatnonzero(a.codes == g)
        covariance = sd**2 + fit.sigma**2 * np.eye(len(rows))
        expected = multivariate_normal.logpdf(design.response.y[rows], mean[rows], covariance)
        assert found[g] == pytest.approx(expected, rel=ALGEBRA)


def test_rows_grouped_by_what_has_no_effects_are_summed() -> None:
    fit = bm.Model("y ~ x + (1 | a)", crossed()).fit("laplace", seed=1)
    halves = np.arange(300) % 2
    found = bm.loo(fit, by=pd.Series(halves, name="half"))
    rows = np.concatenate([np.arange(300)[halves == half] for half in (0, 1)])
    values = arviz.group(fit.log_likelihood(), "log_likelihood")["y"].to_numpy()[0][:, rows]
    sums = values.reshape(-1, 2, 150).sum(axis=2)
    np.testing.assert_allclose(found.frame["elpd"] + found.frame["p_loo"], logsumexp(sums, axis=0) - np.log(1000))
    assert "no level belongs to one of these groups alone" in str(found) and found.by == "half"


def refitted(model: bm.Model, by: str) -> np.ndarray:
    """elpd of each group from a fit without it: its rows have weight zero, so that its effects are drawn anew."""
    groups = rows_by(model, by)
    members = groups.members(np.arange(model.design.n_rows))
    found = []
    for rows in members:
        weights = np.ones(model.design.n_rows)
        weights[rows] = 0.0
        fit = model.replace(weights=weights, priors=model.priors).fit(bm.Laplace(draws=4000), seed=1)
        (values,) = integrated_log_likelihood(model, fit.parameters, [rows], 1)
        found.append(logsumexp(values) - np.log(values.size))
    return np.array(found)


BATCHES = ("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"), "gaussian", "Batch")
HERDS = ("incidence | trials(size) ~ 1 + (1 | herd)", bm.load_data("cbpp").iloc[:23])


@pytest.mark.slow
@pytest.mark.parametrize(("formula", "data", "family", "by"), [BATCHES, (*HERDS, "binomial", "herd")])
def test_a_group_left_out_is_a_refit_without_it(formula: str, data: pd.DataFrame, family: str, by: str) -> None:
    model = bm.Model(formula, data, family=family)
    found = bm.loo(model.fit(bm.Laplace(draws=4000), seed=2), by=by)
    assert found.frame["pareto_k"].max() < found.good_k
    assert found.elpd == pytest.approx(refitted(model, by).sum(), abs=REFITTED)


@pytest.mark.slow
def test_cbpp_is_rstanarms(reference: Any) -> None:
    theirs = reference.result("bayes_rstanarm_cbpp")["fits"][0]["loo"]
    priors = {"Intercept_centered": Normal(0, 2.5), "b": Normal(0, 2.5), "sd": Exponential(1)}
    model = bm.Model(CBPP, bm.load_data("cbpp"), family="binomial", priors=priors)
    found = bm.loo(model.fit("nuts", seed=1, progress=False))
    for ours, name in ((found.elpd, "elpd_loo"), (found.p_loo, "p_loo"), (found.se, "se_elpd_loo")):
        assert abs(ours - theirs[name]) < 4 * np.hypot(SEEDS, SEEDS), name


def test_thinned_draws_and_rows_of_weight_zero_are_left_out() -> None:
    weights = np.r_[np.zeros(5), np.ones(25)]
    fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"), weights=weights).fit("laplace", seed=1)
    found = bm.loo(fit, draws=200)
    assert list(found.frame.index) == list(range(5, 30)) and found.draws == 200
    assert list(bm.loo(fit, by="Batch", draws=200).frame.index) == list("BCDEF")


def test_models_are_ordered_with_differences_from_the_best(sleep: Any, sleep_intercepts: Any) -> None:
    found = bm.loo_compare(sleep_intercepts, sleep)
    frame, (best, other) = found.frame, (bm.loo(sleep), bm.loo(sleep_intercepts))
    assert list(frame.index) == [best.formula, other.formula]
    difference = other.frame["elpd"] - best.frame["elpd"]
    np.testing.assert_allclose(frame["elpd_diff"], [0.0, difference.sum()], rtol=ALGEBRA)
    np.testing.assert_allclose(frame["se_diff"], [0.0, np.sqrt(180) * difference.std()], rtol=ALGEBRA)
    assert frame["weight"].sum() == pytest.approx(1) and frame["weight"].iloc[0] > 0.5
    groups = bm.loo_compare(sleep_intercepts, sleep, by="Subject")
    assert groups.by == "Subject" and "levels of Subject" in str(groups) and "18 left out" in str(groups)
    pd.testing.assert_frame_equal(bm.loo_compare(other, best).frame, frame)


def test_one_formula_twice_is_told_apart(sleep: Any) -> None:
    model = bm.Model(sleep.model.arguments.formula, sleep.model.frame, family="lognormal")
    names = bm.loo_compare(sleep, sleep, model.fit("laplace", seed=1)).frame.index
    assert len(set(names)) == 3 and sum(name.endswith("gaussian #2") for name in names) == 1


def test_the_page_says_what_was_left_out_and_what_to_do(sleep: Any) -> None:
    page = str(bm.loo(sleep))
    for words in ("one row at a time", "180 rows; 1000 draws", "rows of levels that are known", "Pareto k"):
        assert words in page
    assert "Importance sampling is unreliable for these rows: 5" in page  # some k are above the limit
    assert 'bm.loo(fit, by="Subject") asks another question, about new levels: it is no remedy' in page
    assert "integrated out (exactly)" in str(bm.loo(sleep, by="Subject"))


def test_single_rows_tell_models_apart_that_differ_between_groups(sleep: Any, sleep_intercepts: Any) -> None:
    row = bm.loo_compare(sleep, sleep_intercepts).frame.iloc[1]
    assert row["elpd_diff"] < -2 * row["se_diff"]


def test_parameters_are_counted_as_the_model_has_them(sleep: Any) -> None:
    """Two coefficients, three of the covariance, sigma; two effects of 18 subjects where these are not integrated."""
    assert bm.loo(sleep).n_parameters == 2 + 3 + 1 + 2 * 18
    assert bm.loo(sleep, by="Subject").n_parameters == 2 + 3 + 1
    fit = bm.Model("y ~ x + (1 | a) + (1 | b)", crossed(), constants={"sigma": 1.0}).fit("laplace", seed=1)
    levels = {term.factor: term.n_levels for term in fit.model.design.groups}
    assert bm.loo(fit).n_parameters == 2 + 2 + sum(levels.values())
    assert bm.loo(fit, by="a").n_parameters == 2 + 2 + levels["b"]


def test_more_effective_than_actual_parameters_suggest_misspecification(sleep: Any) -> None:
    """Of overdispersed herds, and of counts that vary more than Poisson's; not of a family that lets them."""
    herds = bm.Model(CBPP, bm.load_data("cbpp"), family="binomial").fit("laplace", seed=1)
    rng = np.random.default_rng(5)
    table = pd.DataFrame({"g": np.repeat(np.arange(10), 12), "k": rng.negative_binomial(0.7, 0.05, 120)})
    poisson = bm.Model("k ~ 1 + (1 | g)", table, family="poisson").fit("laplace", seed=1)
    wider = poisson.model.replace(family="negbinomial").fit("laplace", seed=1)
    for fit in (herds, poisson):
        found = bm.loo(fit)
        assert found.misspecified and found.p_loo > found.n_parameters
        assert f"p_loo is above the number of parameters, {found.n_parameters}, which suggests" in str(found)
        assert f'family="{fit.model.family.wider_family}"' in str(found)
    for fit in (sleep, wider):
        assert not bm.loo(fit).misspecified and "misspecified" not in str(bm.loo(fit))
    found = bm.loo_compare({"poisson": poisson, "wider": wider})
    assert found.misspecified == ("poisson",) and "suggests misspecification: 'poisson'" in str(found)


def test_a_point_fit_is_told_what_to_call_first(sleep: Any) -> None:
    with pytest.raises(FitError, match=r'REML gives estimates. First call fit = model.fit\("nuts", seed=1\)'):
        bm.loo(sleep.model.fit("reml"))
    with pytest.raises(FitError, match="takes a fit with draws, .* not Model"):
        bm.loo(sleep.model)


def test_errors_say_what_to_do(sleep: Any, sleep_intercepts: Any) -> None:
    with pytest.raises(FitError, match="not a column of the model's table. Did you mean 'Subject'"):
        bm.loo(sleep, by="Subjct")
    with pytest.raises(FitError, match="by='one' has one level"):
        bm.loo(sleep, by=pd.Series(np.zeros(180), name="one"))
    with pytest.raises(FitError, match="two or more fits, .* not 1"):
        bm.loo_compare(sleep)
    with pytest.raises(FitError, match=r"put a star before it, bm.loo_compare\(\*fits\)"):
        bm.loo_compare([sleep, sleep_intercepts])
    with pytest.raises(FitError, match="One left out single rows, another Subject"):
        bm.loo_compare(sleep, bm.loo(sleep_intercepts, by="Subject"))


def test_models_of_other_things_are_not_compared(sleep: Any) -> None:
    model = sleep.model
    fewer = model.replace(data=model.frame.iloc[:100], formula="Reaction ~ Days + (1 | Subject)")
    with pytest.raises(FitError, match=r"different rows \(180 and 100 left out\)"):
        bm.loo_compare(sleep, fewer.fit("laplace", seed=1))
    logs = model.replace(formula="log(Reaction) ~ Days + (1 | Subject)").fit("laplace", seed=1)
    with pytest.raises(FitError, match='family="lognormal"'):
        bm.loo_compare(sleep, logs)
    counts = crossed().assign(k=lambda table: np.round(np.exp(0.5 * table["y"])))
    fits = [bm.Model("k ~ x + (1 | a)", counts, family=f).fit("laplace", seed=1) for f in ("poisson", "gaussian")]
    with pytest.raises(FitError, match="poisson gives probabilities and gaussian densities"):
        bm.loo_compare(*fits)
