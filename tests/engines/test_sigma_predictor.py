"""A predictor of sigma: identities, every engine, every question, and what is refused."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from simulated import crossed

import bayesmixed as bm
from bayesmixed.errors import BayesMixedError, ModelError, NoSuchAnswer

SAME = 1e-8  # log-likelihoods of one model written twice
ESTIMATE = 1e-5  # relative, of estimates at those optima
MONTE_CARLO = 4.0  # standard errors of what is drawn

ENGINES = ["ml", "reml", "map", "map model", "laplace", "nuts"]


def table(n: int = 240, seed: int = 6) -> pd.DataFrame:
    """20 groups of 12, residual sds of 0.5 and 1.5 in two halves of the rows, growing with x."""
    rng = np.random.default_rng(seed)
    half, x, g = rng.integers(0, 2, n), rng.normal(size=n), np.repeat(np.arange(20), n // 20)
    sd = np.exp(np.log(0.5) + np.log(3.0) * half + 0.2 * x)
    y = 2 + x + 0.8 * rng.normal(size=20)[g] + sd * rng.normal(size=n)
    return pd.DataFrame({"y": y, "x": x, "half": np.array(["a", "b"])[half], "g": g.astype(str)})


@cache
def model() -> bm.Model:
    return bm.Model(bm.Formula("y ~ x + half + (1 | g)", "sigma ~ half + x"), table())


@cache
def fit(engine: str) -> Any:
    values = {
        "map model": bm.MAP(priors="model"),
        "laplace": bm.Laplace(draws=400),
        "nuts": bm.NUTS(draws=250, chains=2),
    }
    return model().fit(values.get(engine, engine), seed=4)


def formula(main: str, sigma: str) -> bm.Formula:
    return bm.Formula(main, f"sigma ~ {sigma}")


@pytest.mark.parametrize("engine", ["ml", "reml", bm.MAP(), bm.MAP(criterion="reml")])
@pytest.mark.parametrize("bars", ["", " + (1 | a)", " + (x | a) + (1 | b)"])
def test_sigma_of_a_constant_is_the_plain_model(bars: str, engine: Any) -> None:
    if not bars and engine not in ("ml", "reml"):
        return
    main, data = f"y ~ x{bars}", crossed()
    weights = np.random.default_rng(3).uniform(0.5, 2.0, len(data))
    predicted = bm.Model(formula(main, "1"), data, weights=weights).fit(engine)
    plain = bm.Model(main, data, weights=weights).fit(engine)
    if engine in ("ml", "reml"):  # a penalty of absolute sds is another one than that of relative sds
        assert predicted.loglik == pytest.approx(plain.loglik, abs=SAME)
        assert np.exp(predicted.fixef()["sigma_Intercept"]) == pytest.approx(plain.sigma, rel=ESTIMATE)
        np.testing.assert_allclose(predicted.fixef()[:2], plain.fixef(), rtol=ESTIMATE)
        np.testing.assert_allclose(predicted.varcorr()["sd"].to_list(), plain.varcorr()["sd"].to_list()[:-1], rtol=1e-4)
        np.testing.assert_allclose(predicted.theta, plain.theta * plain.sigma, atol=1e-4)
    assert predicted.n_parameters == plain.n_parameters
    assert predicted.status.converged


def test_a_sigma_for_every_cell_is_a_fit_for_every_cell() -> None:
    data = table()
    whole = bm.Model(formula("y ~ 0 + half + half:x", "0 + half"), data).fit("ml")
    parts = {name: bm.Model("y ~ x", rows).fit("ml") for name, rows in data.groupby("half")}
    assert whole.loglik == pytest.approx(sum(part.loglik for part in parts.values()), abs=SAME)
    for name, part in parts.items():
        assert np.exp(whole.fixef()[f"sigma_half[{name}]"]) == pytest.approx(part.sigma, rel=ESTIMATE)
        assert whole.fixef()[f"half[{name}]"] == pytest.approx(part.fixef()["Intercept"], rel=ESTIMATE)


@pytest.mark.parametrize("engine", ["ml", "reml"])
def test_row_order_level_names_origin_and_unit_do_not_matter(engine: str) -> None:
    data = table()
    plain = fit(engine)
    others = {
        "shuffled": (data.sample(frac=1, random_state=2), 1.0),
        "renamed": (data.assign(g="level " + data["g"]), 1.0),
        "far": (data.assign(y=data["y"] + 1e6), 1.0),
        "in another unit": (data.assign(y=1e3 * data["y"]), 1e3),
    }
    for name, (other, unit) in others.items():
        found = model().replace(data=other).fit(engine)
        df = len(data) - (2 + 1 if engine == "reml" else 0)
        assert found.loglik + df * np.log(unit) == pytest.approx(plain.loglik, abs=1e-6), name
        slopes = ["sigma_half[b]", "sigma_x"]
        np.testing.assert_allclose(found.fixef()[slopes], plain.fixef()[slopes], rtol=1e-4, err_msg=name)
        intercept = found.fixef()["sigma_Intercept"] - np.log(unit)
        assert intercept == pytest.approx(plain.fixef()["sigma_Intercept"], rel=1e-4), name


def test_weights_are_precisions_beside_the_predictor() -> None:
    """A weight of 4 halves the residual sd, as an offset of -log 2 in sigma's formula does."""
    data = table().assign(w=lambda d: np.where(d["x"] > 0, 4.0, 1.0), o=lambda d: np.where(d["x"] > 0, -np.log(2), 0.0))
    weighted = bm.Model(formula("y ~ x + (1 | g)", "half"), data, weights="w").fit("ml")
    offset = bm.Model(formula("y ~ x + (1 | g)", "half + offset(o)"), data).fit("ml")
    assert weighted.loglik == pytest.approx(offset.loglik, abs=SAME)
    np.testing.assert_allclose(weighted.fixef(), offset.fixef(), rtol=ESTIMATE)


def test_rows_of_weight_zero_are_fitted_as_absent() -> None:
    data = table().assign(w=lambda d: (d.index % 3 > 0).astype(float))
    weighted = bm.Model(formula("y ~ x + (1 | g)", "half"), data, weights="w").fit("reml")
    absent = bm.Model(formula("y ~ x + (1 | g)", "half"), data[data["w"] > 0]).fit("reml")
    assert weighted.loglik == pytest.approx(absent.loglik, abs=SAME)
    np.testing.assert_allclose(weighted.fixef(), absent.fixef(), rtol=ESTIMATE)


def test_map_with_flat_priors_is_maximum_likelihood() -> None:
    flat = model().replace(priors="flat")
    for criterion in ("ml", "reml"):
        found = flat.fit(bm.MAP(criterion=criterion, priors="model"))
        assert found.loglik == pytest.approx(fit(criterion).loglik, abs=1e-7)
        np.testing.assert_allclose(found.fixef(), fit(criterion).fixef(), rtol=1e-4)


def test_coefficients_with_priors_that_are_not_normal_are_searched_over() -> None:
    heavy = {"Intercept": bm.priors.StudentT(3, 0, 1e6), "sigma_half[b]": bm.priors.Normal(0, 0.01)}
    found = model().fit(bm.MAP(priors=heavy))
    assert abs(found.fixef()["sigma_half[b]"]) < 0.1 < abs(fit("ml").fixef()["sigma_half[b]"])
    with pytest.raises(BayesMixedError, match="Student"):
        model().fit(bm.MAP(criterion="reml", priors=heavy))


def test_a_lognormal_response_is_a_normal_logarithm() -> None:
    data = table().assign(z=lambda d: np.exp(d["y"]))
    ours = bm.Model(formula("z ~ x + (1 | g)", "half"), data, family="lognormal").fit("ml")
    logs = bm.Model(formula("y ~ x + (1 | g)", "half"), data).fit("ml")
    assert ours.loglik == pytest.approx(logs.loglik - data["y"].sum(), abs=1e-6)
    np.testing.assert_allclose(ours.fixef(), logs.fixef(), rtol=ESTIMATE)
    sigma, mu = (ours.predict(parameter=name)["estimate"] for name in ("sigma", "mu"))
    np.testing.assert_allclose(ours.predict()["estimate"], np.exp(mu + sigma**2 / 2), rtol=1e-12)


def test_the_laplace_posterior_and_nuts_agree() -> None:
    laplace, nuts = fit("laplace").coefficients, fit("nuts").coefficients
    error = np.hypot(laplace["sd"] / np.sqrt(400), nuts["sd"] / np.sqrt(nuts["ess_bulk"]))
    assert np.all(np.abs(laplace["mean"] - nuts["mean"]) < MONTE_CARLO * error)
    assert "sigma has a predictor" in fit("nuts").status.route
    assert fit("laplace").status.pareto_k < 0.7


def test_the_collapsed_route_is_refused_by_name() -> None:
    with pytest.raises(BayesMixedError, match="sigma has a predictor"):
        model().program(collapsed="full")
    assert {"sigma_Intercept_centered", "sigma_b"} <= set(model().program().sites)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_answers_every_question(engine: str, tmp_path: Any) -> None:
    found = fit(engine)
    names = ["Intercept", "x", "half[b]", "sigma_Intercept", "sigma_half[b]", "sigma_x"]
    assert list(found.fixef().index) == list(found.coefficients.index) == list(found.vcov().index) == names
    assert "sigma_half[b]" in str(found.summary()) and "sigma ~ half + x" in str(found.summary())
    assert set(found.varcorr()["group"]) == {"g"}
    with pytest.raises(NoSuchAnswer, match='parameter="sigma"'):
        _ = found.sigma
    sigma = found.predict(parameter="sigma", interval="confidence")
    assert np.all((sigma["lower"] < sigma["estimate"]) & (sigma["estimate"] < sigma["upper"]))
    assert found.predict(parameter="sigma", scale="link")["estimate"].shape == (240,)
    pd.testing.assert_frame_equal(found.predict(parameter="mu"), found.predict())
    pearson = found.residuals("response") / sigma["estimate"]
    if engine in ("ml", "reml", "map", "map model"):
        np.testing.assert_allclose(found.residuals("pearson"), pearson, rtol=1e-12)
    wide = found.predict(interval="prediction", seed=1)
    spread = (wide["upper"] - wide["lower"]).groupby(found.model.frame["half"]).mean()
    assert spread["b"] > 2 * spread["a"]
    simulated = found.simulate(200, re="all", seed=2) - found.predict()["estimate"].to_numpy()
    assert simulated.std(axis=0) == pytest.approx(sigma["estimate"].to_numpy(), rel=0.5)
    drawn = found.predict_draws(scale="observation", draws=20, seed=3)
    assert drawn.sizes["__obs__"] == 240 and np.isfinite(drawn).all()
    pd.testing.assert_frame_equal(bm.load(found.save(tmp_path / "fit.nc")).coefficients, found.coefficients)


@pytest.mark.parametrize("engine", ["ml", "laplace", "nuts"])
def test_new_rows_have_the_sigma_of_their_own_columns(engine: str) -> None:
    found = fit(engine)
    new = pd.DataFrame({"x": [0.0, 2.0], "half": ["b", "a"], "g": ["0", "new"]})
    sigma = found.predict(new, parameter="sigma", new_levels="population")["estimate"]
    if engine == "ml":
        beta = found.fixef()
        expected = [beta["sigma_Intercept"] + beta["sigma_half[b]"], beta["sigma_Intercept"] + 2 * beta["sigma_x"]]
        np.testing.assert_allclose(sigma, np.exp(expected), rtol=1e-12)
    same = found.predict(found.model.frame, parameter="sigma")["estimate"]
    np.testing.assert_allclose(same, found.predict(parameter="sigma")["estimate"], rtol=1e-12)
    assert np.all(sigma > 0)


def test_a_constant_sigma_can_be_asked_for_as_well() -> None:
    plain = bm.Model("y ~ x + (1 | g)", table()).fit("ml")
    np.testing.assert_allclose(plain.predict(parameter="sigma")["estimate"], plain.sigma)
    with pytest.raises(BayesMixedError, match="no standard error of sigma"):
        plain.predict(parameter="sigma", interval="confidence")
    with pytest.raises(BayesMixedError, match="new responses"):
        plain.predict(parameter="sigma", interval="prediction")
    with pytest.raises(BayesMixedError, match="none of this model's"):
        plain.predict(parameter="nu")


def test_names_in_idata_priors_and_side_by_side() -> None:
    posterior = fit("nuts").idata.posterior
    assert {"sigma_Intercept", "sigma_half", "sigma_x"} <= set(posterior) and "sigma" not in posterior
    assert list(posterior["sigma_half_dim"].to_numpy()) == ["b"]
    priors = model().priors
    assert priors["sigma_Intercept_centered"].describe().startswith("Student-t(3, ")
    assert priors["sigma_half[b]"].describe() == "Normal(0, 1)"
    shown = str(bm.side_by_side(fit("ml"), fit("nuts")))
    assert "sigma_half[b]" in shown
    page = str(model())
    assert "sigma_half" in page and "sigma ~ half + x" in page


def test_presets_say_what_their_packages_do() -> None:
    brms = model().replace(priors="brms").priors
    assert brms["sigma_Intercept_centered"].describe() == "Student-t(3, 0, 2.5)"
    assert not brms["sigma_x"].proper
    assert model().replace(priors="bambi").priors["sigma_x"].describe() == "Normal(0, 1)"
    with pytest.raises(ModelError, match="rstanarm"):
        _ = model().replace(priors="rstanarm").priors


def test_priors_are_given_by_name() -> None:
    asked = {"sigma_half[b]": bm.priors.Normal(0, 0.01), "sigma_Intercept": bm.priors.Normal(0, 2)}
    given = model().replace(priors=asked)
    assert set(given.priors) >= {"sigma_Intercept", "sigma_half[b]", "sigma_x"}
    assert abs(given.fit(bm.MAP(priors="model")).fixef()["sigma_half[b]"]) < 0.2


def test_the_likelihood_can_be_asked_at_any_sigmas() -> None:
    for engine in ("ml", "reml"):
        found = fit(engine)
        sigma = found.predict(parameter="sigma")["estimate"]
        at = model().loglik_at(theta=found.theta, sigma=sigma, reml=engine == "reml")
        assert at == pytest.approx(found.loglik, abs=SAME)
    with pytest.raises(ModelError, match="sigma has a predictor"):
        model().loglik_at(theta=[1.0])


@pytest.mark.parametrize("engine", ["ml", "nuts"])
def test_checks_and_summaries_know_the_rows_sds(engine: str) -> None:
    found = fit(engine)
    sigma = found.predict(parameter="sigma")["estimate"]
    share = bm.icc(found).frame
    if engine == "ml":
        tau = float(found.varcorr()["sd"].iloc[0]) ** 2
        assert share["adjusted"].iloc[0] == pytest.approx(tau / (tau + np.mean(sigma**2)), rel=1e-9)
    assert 0 < bm.r2(found).frame["estimate"].iloc[0] < 1
    assert "logarithm of sigma was predicted by half, x and an intercept" in " ".join(str(bm.report(found)).split())
    assert str(bm.diagnose(found)) and (engine == "nuts" or bm.diagnose(found).clean)
    assert bm.residual_checks(found, seed=1).frame["p"].min() > 1e-4
    assert str(bm.pp_check(found, seed=1))


def test_leaving_out_groups_integrates_their_effects_exactly() -> None:
    pages = [bm.loo(one, by="g") for one in (fit("nuts"), fit("laplace"))]
    assert all("exactly" in str(page) for page in pages)


def test_a_singular_fit_says_so() -> None:
    data = table().assign(g=lambda d: np.random.default_rng(1).permutation(d["g"]))  # groups without effects
    found = bm.Model(formula("y ~ x + (1 | g)", "half"), data).fit("ml")
    assert found.status.singular and found.status.converged
    assert found.theta[0] == 0
    plain = bm.Model(formula("y ~ x", "half"), data).fit("ml")
    assert found.loglik == pytest.approx(plain.loglik, abs=1e-6)
    assert str(bm.diagnose(found))


def test_rows_that_are_explained_exactly_leave_no_sigma() -> None:
    data = table().assign(own=lambda d: (d.index < 2).astype(float))
    data.loc[:1, "y"] = [3.0, 3.0]
    data.loc[:1, "x"] = [1.0, 1.0]
    found = bm.Model(formula("y ~ x + own", "own"), data).fit("ml")
    assert not found.status.converged
    assert "goes to zero" in found.status.problems[0]


@pytest.mark.parametrize(
    ("formulas", "options", "message"),
    [
        (("y ~ x", "sigma ~ (1 | g)"), {}, "random effects yet.*make g a fixed factor"),
        (("y ~ x", "nu ~ x"), {}, "no parameter 'nu'"),
        (("y ~ x", "nu ~ x"), {"family": "student"}, "'nu' cannot be fitted yet"),
        (("y ~ x", "sigma ~ x"), {"family": "student"}, "'sigma' cannot be fitted yet"),
        (("y ~ x", "sigma ~ x"), {"family": "poisson"}, "poisson family has no parameter 'sigma'"),
        (("y ~ x", "sigma ~ x"), {"link": "log"}, "link log only the mean"),
        (("y ~ x", "sigma ~ x"), {"constants": {"sigma": 1.0}}, "has a formula, so it cannot be held constant"),
    ],
)
def test_what_cannot_be_fitted_is_refused_by_name(
    formulas: tuple[str, str], options: dict[str, Any], message: str
) -> None:
    data = table().assign(y=lambda d: np.abs(np.round(d["y"])) + 1)
    with pytest.raises(ModelError, match=message):
        bm.Model(bm.Formula(*formulas), data, **options)


def test_an_update_of_the_mean_keeps_the_formula_of_sigma() -> None:
    assert model().replace(formula=". ~ . - x").formula.line == "y ~ half + (1 | g); sigma ~ half + x"


def test_responses_can_be_simulated_from_stated_values() -> None:
    params = {"Intercept": 1.0, "x": 0.5, "1|g_sigma": 0.0, "sigma_Intercept": 0.0, "sigma_half": [np.log(4.0)]}
    data = table().drop(columns="y")
    drawn = bm.simulate(formula("y ~ x + (1 | g)", "half"), data, params, n=500, seed=3)
    sds = pd.Series(drawn.std(axis=0)).groupby(data["half"]).mean()
    assert sds["a"] == pytest.approx(1.0, rel=0.02) and sds["b"] == pytest.approx(4.0, rel=0.02)
    with pytest.raises(ModelError, match="sigma_Intercept"):
        bm.simulate(formula("y ~ x", "half"), data, {"Intercept": 1.0, "x": 0.5, "sigma": 1.0})


def test_means_need_no_columns_of_sigma() -> None:
    found = bm.Model(formula("y ~ x + (1 | g)", "half"), table()).fit("reml")
    new = pd.DataFrame({"x": [0.0, 1.0]})
    beta = found.fixef()
    expected = beta["Intercept"] + beta["x"] * new["x"]
    np.testing.assert_allclose(found.predict(new, re="none")["estimate"], expected, rtol=1e-12)
    np.testing.assert_allclose(bm.slopes(found, "x").frame["estimate"], beta["x"], rtol=1e-9)
    with pytest.raises(BayesMixedError, match="half"):
        found.predict(new, re="none", interval="prediction")
    with pytest.raises(BayesMixedError, match="half"):
        found.predict(new, parameter="sigma")


def test_means_of_a_lognormal_response_refuse_a_sigma_that_is_not_known() -> None:
    data = table().assign(z=lambda d: np.exp(d["y"] / 3))
    found = bm.Model(formula("z ~ x + (1 | g)", "half"), data, family="lognormal").fit("ml")
    with pytest.raises(BayesMixedError, match="depends on its sigma"):
        bm.predictions(found, by="x")
    assert len(bm.slopes(found, "x", scale="link").frame)
    rows = found.predict(data.iloc[:3])["estimate"]
    np.testing.assert_allclose(rows, found.predict()["estimate"].iloc[:3], rtol=1e-12)


@pytest.mark.parametrize("engine", ["ml", "laplace"])
def test_pooling_and_plots_show_the_fit(engine: str) -> None:
    assert "partial" in str(bm.pooling(fit(engine)))
    assert "sigma_half[b]" in set(bm.plot.forest(fit(engine)).frame["parameter"])
