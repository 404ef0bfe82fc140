"""Intraclass correlations and R2: R's `performance`, analyses of variance, and variances that can be written down."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import load_reference_frame, load_result, result_names

import bayesmixed as bm
from bayesmixed.summaries.variance.anova import anova_shares

# What both optimisers leave open of a variance near its optimum moves a share in the sixth decimal.
OPTIMISED = 3e-6
SAME = 1e-10  # one arithmetic, written twice
TWO_FITS = 1e-5  # two parametrisations of one model, optimised separately
QUOTED = 5e-8  # printed with seven digits
CONTRASTS = {
    "lmm_cake_sum_contrasts": {"recipe": "sum"},
    "lmm_oats_helmert": {"Variety": "helmert"},
    "lmm_orthodont_sum": {"Sex": "sum"},
}
DOUBLE_BAR = "lmm_sleepstudy_double_bar"  # performance 0.10.2 leaves out the slopes: see the test of that


def names() -> list[str]:
    return [name for name in result_names("") if "performance" in load_result(name).get("extras", {})]


@cache
def reference_fit(name: str) -> Any:
    record = load_result(name)
    linear = name.startswith("lmm")
    options = {} if linear else {"family": record["family"]}
    frame = load_reference_frame(record["dataset"])
    model = bm.Model(record["formula"], frame, contrasts=CONTRASTS.get(name), **options)
    return model.fit("reml" if linear else "ml")


@cache
def fitted(formula: str, data: str, method: str = "reml", **options: Any) -> Any:
    return bm.Model(formula, bm.load_data(data), **options).fit(method)


def sleep() -> Any:
    return fitted("Reaction ~ Days + (Days | Subject)", "sleepstudy")


def herds(**options: Any) -> Any:
    return fitted("cbind(incidence, size - incidence) ~ period + (1 | herd)", "cbpp", "ml", **options)


# ---- references


@pytest.mark.parametrize("name", [name for name in names() if name != DOUBLE_BAR])
def test_icc_and_r2_are_those_of_performance(name: str) -> None:
    theirs = load_result(name)["extras"]["performance"]
    shares = bm.icc(reference_fit(name)).frame.loc["(all)"]
    assert shares["adjusted"] == pytest.approx(theirs["icc"]["ICC_adjusted"], abs=OPTIMISED)
    assert shares["conditional"] == pytest.approx(theirs["icc"]["ICC_unadjusted"], abs=OPTIMISED)
    explained = bm.r2(reference_fit(name)).frame["estimate"]
    for part in ("marginal", "conditional"):
        assert explained["nakagawa", part] == pytest.approx(theirs["r2_nakagawa"][part], abs=OPTIMISED)


def test_uncorrelated_slopes_count_where_performance_leaves_them_out() -> None:
    fit = reference_fit(DOUBLE_BAR)
    variances = fit.varcorr()["sd"].to_numpy() ** 2
    days = fit.model.design.mu.X[:, 1]
    random = variances[0] + variances[1] * np.mean(days**2)
    assert bm.icc(fit).frame.loc["Subject", "adjusted"] == pytest.approx(random / (random + variances[2]), rel=SAME)
    theirs = load_result(DOUBLE_BAR)["extras"]["performance"]["icc"]["ICC_adjusted"]
    assert theirs == pytest.approx(variances[0] / (variances[0] + variances[2]), abs=OPTIMISED)


def test_icc_per_treatment_is_the_published_one_of_the_neurons() -> None:
    name = "lmm_yu_example1"
    model = bm.Model("res ~ treatment_idx + (1 | midx)", load_reference_frame("yu_example1"))
    found = bm.icc(model.fit("reml"), by="treatment_idx", method="anova").frame["adjusted"]
    theirs = load_result(name)["extras"]["anova_icc_by_group"]["icc"]
    np.testing.assert_allclose(found.to_numpy(), theirs, atol=SAME)
    quotes = [row for row in load_result("published_numbers")["rows"] if row["quantity"].startswith("ICC by group")]
    np.testing.assert_allclose(found.to_numpy(), quotes[0]["quoted"], atol=QUOTED)


# ---- linear models


def test_a_share_per_level_is_that_of_the_model_of_its_rows() -> None:
    data = bm.load_data("Machines")
    whole = bm.Model("score ~ Machine + (1 | Worker)", data).fit("reml")
    by = bm.icc(whole, by="Machine").frame
    for machine in "ABC":
        own = bm.Model("score ~ 1 + (1 | Worker)", data[data["Machine"] == machine]).fit("reml")
        assert by.loc[(machine, "Worker"), "adjusted"] == pytest.approx(
            bm.icc(own).frame.loc["Worker", "adjusted"], rel=TWO_FITS
        )


GIVEN: list[tuple[Any, Any]] = [
    (None, bm.Laplace(draws=60)),
    ({"Machine[C]": bm.priors.Normal(0, 10), "sigma": bm.priors.HalfNormal(5.0)}, bm.Laplace(draws=60)),
    ("brms", bm.MAP(priors="model")),
    (None, bm.MAP(priors={"Machine[B]": bm.priors.Normal(0, 10), "sigma": bm.priors.HalfNormal(5.0)})),
]


@pytest.mark.parametrize(("priors", "engine"), GIVEN)
def test_a_share_per_level_has_the_priors_of_the_parameters_that_are_left(
    priors: Any, engine: Any, tmp_path: Path
) -> None:
    """As given, from a file and for a response of one's own: the model of the level's rows with what is left."""
    data = bm.load_data("Machines")
    fit = bm.Model("score ~ Machine + (1 | Worker)", data, priors=priors).fit(engine, seed=1)
    again = bm.load(fit.save(tmp_path / "fit"))
    copied = fit.model.with_response(fit.model.design.response.y).fit(engine, seed=1)
    found = [bm.icc(each, by="Machine").frame["adjusted"] for each in (fit, again, copied)]
    left = {"sigma": bm.priors.HalfNormal(5.0)}
    if isinstance(engine, bm.MAP) and priors is None:
        engine = bm.MAP(priors=left)
    own = bm.Model(
        "score ~ 1 + (1 | Worker)", data[data["Machine"] == "B"], priors=left if isinstance(priors, dict) else priors
    )
    expected = bm.icc(own.fit(engine, seed=1)).frame["adjusted"]["Worker"]
    for shares in found:
        assert shares["B", "Worker"] == pytest.approx(expected, rel=TWO_FITS)
        np.testing.assert_allclose(shares, found[0], rtol=TWO_FITS)


def test_a_function_of_priors_may_name_what_a_level_lacks() -> None:
    def chosen(design: Any, family: Any) -> Any:
        base = bm.priors.resolve(None, design, family)
        return bm.priors.Priors.of(
            {**base, "Machine[B]": bm.priors.Normal(0, 9), "Machine[C]": bm.priors.Normal(0, 9)}, "mine"
        )

    fit = bm.Model("score ~ Machine + (1 | Worker)", bm.load_data("Machines"), priors=chosen).fit(
        bm.MAP(priors="model")
    )
    assert bm.icc(fit, by="Machine").frame["adjusted"].notna().all()


def test_mean_squares_of_balanced_data_give_the_reml_share() -> None:
    fit = fitted("Yield ~ 1 + (1 | Batch)", "Dyestuff")
    by_squares = bm.icc(fit, method="anova").frame.loc["Batch"]
    assert by_squares["adjusted"] == pytest.approx(bm.icc(fit).frame.loc["Batch", "adjusted"], rel=TWO_FITS)
    assert by_squares["variance"] == pytest.approx(fit.varcorr()["sd"].iloc[0] ** 2, rel=TWO_FITS)


def test_intervals_of_mean_squares_cover_the_share_at_their_rate() -> None:
    model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
    rng, share, replicates = np.random.default_rng(4), 0.4, 400
    codes = model.design.groups[0].codes
    covered = 0
    for _ in range(replicates):
        y = rng.normal(size=6)[codes] * np.sqrt(share) + rng.normal(size=30) * np.sqrt(1 - share)
        row = anova_shares(model.with_response(y))[0].loc["Batch"]
        covered += row["adjusted_lower"] < share < row["adjusted_upper"]
    rate, error = covered / replicates, np.sqrt(0.95 * 0.05 / replicates)
    assert abs(rate - 0.95) < 3 * error


def test_the_origin_of_a_random_slope_does_not_matter() -> None:
    moved = fitted("Reaction ~ I(Days - 4) + (I(Days - 4) | Subject)", "sleepstudy")
    np.testing.assert_allclose(bm.icc(moved).frame.dropna(axis=1), bm.icc(sleep()).frame.dropna(axis=1), rtol=TWO_FITS)
    np.testing.assert_allclose(bm.r2(moved).frame["estimate"], bm.r2(sleep()).frame["estimate"], rtol=TWO_FITS)


def test_factors_add_up_to_all() -> None:
    frame = bm.icc(fitted("diameter ~ 1 + (1 | plate) + (1 | sample)", "Penicillin")).frame
    for column in ("variance", "adjusted", "conditional"):
        assert frame.loc[["plate", "sample"], column].sum() == pytest.approx(frame.loc["(all)", column], rel=SAME)


def test_a_singular_fit_has_shares_of_zero_not_missing_ones() -> None:
    fit = fitted("Yield ~ 1 + (1 | Batch)", "Dyestuff2")
    assert fit.status.singular
    assert bm.icc(fit).frame.loc["Batch", ["adjusted", "conditional"]].tolist() == [0.0, 0.0]
    assert bm.r2(fit).frame["estimate"].tolist() == [0.0, 0.0]


def test_without_random_effects_r2_is_that_of_least_squares_but_for_the_divisor_of_sigma() -> None:
    fit = fitted("Reaction ~ Days", "sleepstudy")
    fixed = np.var(fit.fitted(), ddof=1)
    expected = fixed / (fixed + fit.sigma**2)
    assert bm.r2(fit).frame["estimate"].tolist() == pytest.approx([expected, expected], rel=SAME)


# ---- generalized models


@pytest.mark.parametrize(("link", "latent"), [("logit", np.pi**2 / 3), ("probit", 1.0), ("cloglog", np.pi**2 / 6)])
def test_successes_have_the_variance_of_the_latent_variable(link: str, latent: float) -> None:
    fit = herds(family="binomial", link=link)
    between = fit.varcorr()["sd"].iloc[0] ** 2
    assert bm.icc(fit).frame.loc["herd", "adjusted"] == pytest.approx(between / (between + latent), rel=SAME)
    assert f"{link} scale" in str(bm.icc(fit))


def test_trials_that_vary_together_add_the_variance_of_their_probability() -> None:
    fit = herds(family="betabinomial")
    between, phi, mu = fit.varcorr()["sd"].iloc[0] ** 2, float(fit.parameters.dispersion["phi"][0, 0]), 0.2
    common = mu * (1 - mu) / (1 + phi) / (mu * (1 - mu)) ** 2
    found = bm.icc(fit, mean=mu).frame.loc["herd", "adjusted"]
    assert found == pytest.approx(between / (between + np.pi**2 / 3 + common), rel=SAME)


def test_counts_have_the_variance_of_their_logarithm_at_the_mean_given() -> None:
    fit = fitted("incidence ~ period + offset(log(size)) + (1 | herd)", "cbpp", "ml", family="negbinomial")
    alpha, mu = float(fit.parameters.dispersion["alpha"][0, 0]), 3.0
    between, squared = fit.varcorr()["sd"].iloc[0] ** 2, 1 / mu + 1 / alpha
    for approximation, residual in (("lognormal", np.log1p(squared)), ("delta", squared)):
        found = bm.icc(fit, mean=mu, approximation=approximation).frame
        assert found.loc["herd", "variance"] == pytest.approx(between, rel=SAME)
        assert found.loc["herd", "adjusted"] == pytest.approx(between / (between + residual), rel=SAME)


def test_an_effect_per_row_counts_as_residual_variance() -> None:
    data = bm.load_data("cbpp").assign(row=lambda frame: pd.Categorical(np.arange(len(frame))))
    formula = "cbind(incidence, size - incidence) ~ period + (1 | herd) + (1 | row)"
    fit = bm.Model(formula, data, family="binomial").fit("ml")
    herd, row = fit.varcorr().set_index("group").loc[["herd", "row"], "sd"] ** 2
    found = bm.icc(fit)
    assert found.frame.loc["herd", "adjusted"] == pytest.approx(herd / (herd + row + np.pi**2 / 3), rel=SAME)
    assert "row" not in found.frame.index and "row has a level per row" in str(found)


# ---- frequency weights: a weight of 2 is the row twice


@cache
def weighted_and_repeated(family: str) -> tuple[Any, Any]:
    """A fit to rows with whole weights, unequal over x, and the fit to every row as often as its weight says."""
    rng = np.random.default_rng(8)
    short = pd.DataFrame({"g": np.repeat(np.arange(8), 10), "x": rng.normal(size=80), "ex": rng.uniform(1, 5, 80)})
    short["w"] = rng.poisson(np.exp(short["x"]))
    mean = np.exp(-1 + 0.4 * short["x"] + 0.5 * rng.normal(size=8)[short["g"]])
    short["y"] = rng.poisson(short["ex"] * mean) if family == "poisson" else rng.binomial(1, mean / (1 + mean))
    long = short.loc[short.index.repeat(short["w"])].reset_index(drop=True)
    formula = "y ~ x + (x | g)" + (" + offset(log(ex))" if family == "poisson" else "")
    return bm.Model(formula, short, family=family, weights="w").fit("ml"), bm.Model(formula, long, family=family).fit(
        "ml"
    )


@pytest.mark.parametrize("family", ["poisson", "bernoulli"])
@pytest.mark.parametrize("mean", [None, "marginal", "rows"])
def test_shares_of_weighted_rows_are_those_of_the_rows_repeated(family: str, mean: str | None) -> None:
    if (family, mean) == ("bernoulli", "marginal"):
        mean = "null"
    weighted, repeated = weighted_and_repeated(family)
    for ask in (bm.icc, bm.r2):
        mine, theirs = (ask(fit, mean=mean).frame.dropna(axis=1) for fit in (weighted, repeated))
        np.testing.assert_allclose(mine, theirs, rtol=TWO_FITS)


def test_fixed_and_slope_variance_of_weighted_rows_by_hand() -> None:
    fit, repeated = weighted_and_repeated("poisson")
    x, beta = repeated.model.design.mu.X[:, 1], fit.fixef().iloc[1]
    (of_1, both), (_, of_x) = fit.parameters.flat().covariance(0)[0, 0]
    random = np.mean(of_1 + 2 * both * x + of_x * x**2)
    residual = np.log1p(1 / 3.0)
    fixed = np.var(beta * x, ddof=1)
    found = bm.r2(fit, mean=3.0).frame["estimate"]
    total = fixed + random + residual
    assert found["nakagawa", "marginal"] == pytest.approx(fixed / total, rel=SAME)
    assert found["nakagawa", "conditional"] == pytest.approx((fixed + random) / total, rel=SAME)


def test_bayesian_r2_of_weighted_rows_counts_them() -> None:
    fit = weighted_and_repeated("poisson")[0].model.fit(bm.Laplace(draws=40), seed=1)
    w = fit.model.design.weights.astype(int)
    mu = np.repeat(fit.predict_draws().to_numpy().reshape(40, -1), w, axis=1)
    explained = mu.var(axis=1, ddof=1)
    share = explained / (explained + mu.mean(axis=1))  # of a Poisson count the variance is the mean
    assert bm.r2(fit).frame["estimate"]["bayesian", "conditional"] == pytest.approx(share.mean(), rel=SAME)


@pytest.mark.parametrize("weight", [1.0, 2.0])
def test_a_level_per_row_is_residual_whatever_rows_of_weight_zero_there_are(weight: float) -> None:
    rng = np.random.default_rng(9)
    data = pd.DataFrame({"g": np.repeat(np.arange(10), 8), "row": np.arange(80), "x": rng.normal(size=80)})
    data["y"] = rng.poisson(np.exp(0.5 + 0.4 * rng.normal(size=10)[data["g"]] + 0.6 * rng.normal(size=80)))
    formula, weights = "y ~ x + (1 | g) + (1 | row)", np.where(np.arange(80) < 5, 0.0, weight)
    weighted = bm.Model(formula, data, family="poisson", weights=weights).fit("ml")
    kept = data[5:].loc[data.index[5:].repeat(int(weight))].reset_index(drop=True)
    repeated = bm.Model(formula, kept, family="poisson").fit("ml")
    mine, theirs = (bm.icc(fit).frame["adjusted"] for fit in (weighted, repeated))
    assert ("row" in mine.index) == (weight == 2)  # of two responses per level the factor is one like any other
    np.testing.assert_allclose(mine, theirs[mine.index], rtol=TWO_FITS)


# ---- precision weights: the residual variance is the mean of sigma^2 / w


@pytest.mark.parametrize("family", ["gaussian", "lognormal"])
def test_the_size_of_precision_weights_changes_no_share(family: str) -> None:
    """Weights of 1 and of 100 are one model, of log-likelihood -893.2325 if normal, with the ICC of none, 0.589."""
    fits = [
        bm.Model("Reaction ~ Days + (1 | Subject)", bm.load_data("sleepstudy"), family=family, weights=w).fit("reml")
        for w in (None, np.ones(180), np.full(180, 100.0))
    ]
    assert np.ptp([fit.loglik for fit in fits]) < TWO_FITS
    for verb in (bm.icc, bm.r2):
        plain, *weighted = (verb(fit).frame.filter(regex="adjusted$|conditional$|estimate").to_numpy() for fit in fits)
        for shares in weighted:
            np.testing.assert_allclose(shares, plain, rtol=TWO_FITS)
    assert len({bm.report(fit).variance for fit in fits}) == 1
    if family == "gaussian":
        assert fits[2].loglik == pytest.approx(-893.2325, abs=5e-5)
        assert bm.icc(fits[2]).frame.loc["Subject", "adjusted"] == pytest.approx(0.589, abs=5e-4)


def test_unequal_precision_weights_enter_by_the_mean_of_their_inverses() -> None:
    data = bm.load_data("sleepstudy").assign(w=lambda d: 0.5 * (1 + d["Days"]))
    fit = bm.Model("Reaction ~ Days + (1 | Subject)", data, weights="w").fit("reml")
    between, residual = fit.varcorr()["sd"].to_numpy() ** 2
    expected = between / (between + residual * np.mean(1 / data["w"]))
    assert bm.icc(fit).frame.loc["Subject", "adjusted"] == pytest.approx(expected, rel=SAME)
    assert "Residual standard deviation (of weight 1)" in bm.report(fit).estimates


def test_precision_weights_enter_beside_a_log_link() -> None:
    """Var(log y) = log(1 + mean(sigma^2 / w) / mu^2) at the mean given."""
    data = bm.load_data("sleepstudy").assign(Reaction=lambda d: d["Reaction"] / 100)
    model = bm.Model("Reaction ~ Days + (1 | Subject)", data, family="gaussian", link="log", weights=np.full(180, 4.0))
    fit = model.fit("ml")
    between, sigma = fit.varcorr()["sd"].to_numpy() ** 2
    expected = between / (between + np.log1p(sigma / 4 / 3.0**2))
    assert bm.icc(fit, mean=3.0).frame.loc["Subject", "adjusted"] == pytest.approx(expected, rel=SAME)


# ---- questions that have no answer


def error(call: Any) -> str:
    with pytest.raises(bm.errors.FitError) as raised:
        call()
    return str(raised.value)


def test_questions_without_an_answer_say_what_to_ask() -> None:
    assert 'bm.icc(model.fit("reml"))' in error(lambda: bm.icc(sleep().model))
    assert 'model.fit("reml")' in error(lambda: bm.r2(sleep().model))
    assert "(1 | g)" in error(lambda: bm.icc(fitted("Reaction ~ Days", "sleepstudy")))
    assert "'model'" in error(lambda: bm.icc(sleep(), method="modle"))
    assert "not a column that the formula uses" in error(lambda: bm.icc(sleep(), by="Dais"))
    assert "grouping factor" in error(lambda: bm.icc(sleep(), by="Subject"))
    assert "'lognormal'" in error(lambda: bm.r2(sleep(), approximation="lognormale"))
    assert "'null'" in error(lambda: bm.r2(sleep(), mean="nul"))
    assert 'method="model"' in error(lambda: bm.icc(herds(family="binomial"), method="anova"))
    assert 'link="logit"' in error(lambda: bm.r2(herds(family="binomial", link="cauchit")))


def test_a_column_of_many_values_is_not_fitted_value_by_value() -> None:
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"y": rng.normal(size=120), "x": rng.normal(size=120), "g": np.repeat(np.arange(12), 10)})
    fit = bm.Model("y ~ x + (1 | g)", data).fit("ml")
    assert 'pd.cut(data["x"], 4)' in error(lambda: bm.icc(fit, by="x"))


def test_a_level_that_cannot_be_fitted_says_why_and_leaves_the_others() -> None:
    data = bm.load_data("Machines")
    few = data[(data["Machine"] != "C") | (data["Worker"] == "1")]
    found = bm.icc(bm.Model("score ~ Machine + (1 | Worker)", few).fit("reml"), by="Machine")
    assert np.isnan(found.frame.loc[("C", "(all)"), "adjusted"])
    assert found.frame.loc[("A", "Worker"), "adjusted"] > 0
    assert "Machine C: Worker has one level only" in str(found)
