"""MAP: penalised fits agree with blme, stay off the boundary, and say so where nothing keeps an sd from infinity."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpyro.distributions as dist
import pandas as pd
import pytest
from conftest import Reference
from scipy import integrate, stats

import bayesmixed as bm
from bayesmixed.covariance import Diagonal, Unstructured
from bayesmixed.errors import FitError, ModelError
from bayesmixed.likelihood.at import laplace_of, likelihood_of
from bayesmixed.likelihood.criteria.laplace_deviance import LaplaceCriterion
from bayesmixed.likelihood.criteria.profiled import ProfiledCriterion
from bayesmixed.likelihood.criteria.with_penalty import Added, Penalised
from bayesmixed.likelihood.criteria.with_sigma import NormalPrior, SigmaCriterion
from bayesmixed.likelihood.penalty.penalty import boundary_avoiding, penalty
from bayesmixed.likelihood.working.coordinates import Natural
from bayesmixed.priors import (
    LKJ,
    Cauchy,
    Decov,
    Exponential,
    Flat,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfStudentT,
    InverseGamma,
    Laplace,
    LogNormal,
    Normal,
    StudentT,
    Uniform,
)

BLME = 1e-5  # blme's optimiser stops within 2e-6 of these objectives
ALGEBRA = 1e-12  # the same formula in float64 twice
OPTIMUM = 1e-8  # log-likelihoods at an optimum found by two routes
SLOPE = 1e-6  # relative: central differences of float64 values
SLOPES = "Reaction ~ Days + (Days | Subject)"
CBPP = "cbind(incidence, size - incidence) ~ period + (1 | herd)"


@cache
def sleep(**arguments: Any) -> bm.Model:
    return bm.Model(SLOPES, bm.load_data("sleepstudy"), **arguments)


def no_variance(seed: int, levels: int = 8, rows: int = 4) -> pd.DataFrame:
    """Groups that do not differ, so that many ML fits are singular."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"g": np.repeat(np.arange(levels), rows), "x": rng.normal(size=levels * rows)})
    return table.assign(y=1 + 0.5 * table["x"] + rng.normal(size=levels * rows))


# --- densities -------------------------------------------------------------------------------------------------------

DENSITIES = [
    (Normal(1.0, 2.0), stats.norm(1, 2)),
    (StudentT(3.0, 1.0, 2.0), stats.t(3, 1, 2)),
    (Cauchy(1.0, 2.0), stats.cauchy(1, 2)),
    (Laplace(1.0, 2.0), stats.laplace(1, 2)),
    (Uniform(0.0, 5.0), stats.uniform(0, 5)),
    (HalfNormal(2.0), stats.halfnorm(0, 2)),
    (HalfCauchy(2.0), stats.halfcauchy(0, 2)),
    (HalfStudentT(4.0, 2.0), stats.foldnorm),
    (Exponential(3.0), stats.expon(0, 1 / 3)),
    (Gamma(2.5, 1.5), stats.gamma(2.5, scale=1 / 1.5)),
    (Gamma(1.0, 1.5), stats.expon(0, 1 / 1.5)),
    (InverseGamma(2.0, 3.0), stats.invgamma(2, scale=3)),
    (LogNormal(0.3, 0.7), stats.lognorm(0.7, scale=np.exp(0.3))),
]


@pytest.mark.parametrize(("prior", "theirs"), DENSITIES, ids=lambda value: getattr(value, "label", ""))
def test_log_densities_are_scipys_and_their_slopes_differences(prior: Any, theirs: Any) -> None:
    x, h = np.array([0.3, 1.7, 4.0]), 1e-6
    density, slope = prior.log_density(x)
    expected = stats.t(4, 0, 2).logpdf(x) + np.log(2) if isinstance(prior, HalfStudentT) else theirs.logpdf(x)
    np.testing.assert_allclose(density, expected, rtol=ALGEBRA, atol=ALGEBRA)
    differences = (prior.log_density(x + h)[0] - prior.log_density(x - h)[0]) / (2 * h)
    np.testing.assert_allclose(slope, differences, rtol=SLOPE, atol=1e-8)
    if prior.support == "positive":
        assert prior.log_density(-1.0)[0] == -np.inf
        assert np.isfinite(prior.log_density(0.0)[1])


def test_a_flat_prior_adds_nothing() -> None:
    for support in ("real", "positive"):
        density, slope = Flat(support).log_density(np.array([0.0, 3.0]))
        assert not density.any() and not slope.any()


def test_lkj_is_uniform_beta_or_what_integrates_to_one() -> None:
    """Two columns: (rho + 1) / 2 is Beta(a, a). Three: the density integrates to one over the correlations."""

    def matrix(*rho: float) -> np.ndarray:
        R = np.eye(3 if len(rho) == 3 else 2)
        R[np.tril_indices(len(R), -1)] = rho
        return R + np.tril(R, -1).T

    assert LKJ(2.5, 2).log_density(matrix(0.4))[0] == pytest.approx(stats.beta(2.5, 2.5, -1, 2).logpdf(0.4))
    assert LKJ(1.0, 2).log_density(matrix(1.0))[0] == pytest.approx(-np.log(2))
    assert LKJ(2.0, 2).log_density(matrix(1.0))[0] == -np.inf

    constant = float(LKJ(2.0, 3).log_density(np.eye(3))[0])
    assert LKJ(2.0, 3).log_density(matrix(0.3, 0.1, -0.2))[0] == pytest.approx(
        constant + np.log(np.linalg.det(matrix(0.3, 0.1, -0.2)))
    )
    a = np.linspace(-1, 1, 201)
    b, c = a[:, None], a[:, None, None]
    volume = np.maximum(1 + 2 * a * b * c - a**2 - b**2 - c**2, 0.0)
    for _ in range(3):
        volume = integrate.simpson(volume, x=a)
    assert np.exp(constant) * volume == pytest.approx(1.0, abs=1e-4)  # of the grid


def test_a_distribution_without_a_counterpart_has_numpyros_density() -> None:
    found = bm.Model("Reaction ~ Days", bm.load_data("sleepstudy"), priors={"sigma": dist.Weibull(2.0, 3.0)})
    density, slope = found.priors["sigma"].log_density(np.array([0.3, 1.7]))
    np.testing.assert_allclose(density, stats.weibull_min(3, scale=2).logpdf([0.3, 1.7]), rtol=ALGEBRA)
    assert density.dtype == float and found.priors["sigma"].log_density(-1.0)[0] == -np.inf and slope.shape == (2,)


# --- the penalty -----------------------------------------------------------------------------------------------------


def test_the_default_penalty_is_a_wishart_of_infinite_scale_on_the_covariance() -> None:
    """-2 log of |Sigma|^((nu - k - 1) / 2) with nu = k + 2.5; a diagonal block is the sum of its columns."""
    F = np.array([[1.3, 0.4], [-0.2, 0.6]])
    value, slope = Unstructured().boundary_penalty(F)
    assert value == pytest.approx(-2 * 0.75 * np.log(np.linalg.det(F @ F.T)), rel=ALGEBRA)
    assert Unstructured().boundary_penalty(F @ np.linalg.qr(F)[0])[0] == pytest.approx(value, rel=ALGEBRA)
    np.testing.assert_allclose(slope, -3 * np.linalg.inv(F).T, rtol=ALGEBRA)
    assert Diagonal().boundary_penalty(np.diag([2.0, 0.5]))[0] == pytest.approx(-3 * np.log([2.0, 0.5]).sum())
    assert Unstructured().boundary_penalty(np.ones((2, 2)))[0] == np.inf


@pytest.mark.parametrize(
    "spec", [None, {"Subject_cov": Decov(2.0, 1.5, 2.0, 0.7), "Intercept": Cauchy(250.0, 5.0)}, "brms"], ids=str
)
def test_the_penalty_is_the_sum_of_log_densities_and_its_slopes_are_differences(spec: Any) -> None:
    model = sleep().replace(priors=spec)
    added = penalty(model, model.priors)
    F, beta = np.array([[30.0, 3.0], [1.0, 5.0]]) / 20, np.array([240.0, 9.0])
    value, slopes = added.value_and_slopes(Natural((F,), beta, {"sigma": 20.0}))
    if spec is None:
        at_mean = np.array([[1.0, 4.5], [0.0, 1.0]]) @ F  # the priors speak of lines at the mean of Days
        sds, centre = 20 * np.linalg.norm(at_mean, axis=1), beta[0] + 4.5 * beta[1]
        R = at_mean @ at_mean.T / np.outer(sds, sds) * 400
        names = {"Intercept_centered": centre, "Days": 9.0, "Subject_corr": R, "sigma": 20.0}
        names |= {"1|Subject_sigma": sds[0], "Days|Subject_sigma": sds[1]}
        expected = -2 * sum(float(model.priors[name].log_density(at)[0]) for name, at in names.items())
        assert value == pytest.approx(expected, rel=ALGEBRA)

    def at(step: np.ndarray) -> float:
        moved = Natural((F + step[:4].reshape(2, 2),), beta + step[4:6], {"sigma": 20.0 + step[6]})
        return added.value_and_slopes(moved)[0]

    found = np.concatenate([slopes.factors[0].ravel(), slopes.beta, [slopes.dispersion["sigma"]]])
    h = 1e-5
    differences = [(at(h * e) - at(-h * e)) / (2 * h) for e in np.eye(7)]
    np.testing.assert_allclose(found, differences, rtol=SLOPE, atol=1e-7)


def criteria() -> list[Any]:
    """Every kind of penalised criterion, with a point to stand on."""
    slopes, cbpp = sleep(), bm.Model(CBPP, bm.load_data("cbpp"), family="binomial")
    likelihood, laplace = likelihood_of(slopes), laplace_of(cbpp)
    rows = penalty(slopes, slopes.priors).coefficients
    assert rows is not None
    normal = NormalPrior.of(likelihood.basis, *rows.normal_form())
    robust = slopes.replace(priors="brms")
    linear = [
        ("profiled", ProfiledCriterion(likelihood, True, None), boundary_avoiding(slopes), [0.8, 0.2, 0.5]),
        ("ml", SigmaCriterion(likelihood, False, None, normal, free=False), penalty(slopes, slopes.priors), None),
        ("reml", SigmaCriterion(likelihood, True, None, normal, free=False), penalty(slopes, slopes.priors), None),
        ("free", SigmaCriterion(likelihood, False, None, NormalPrior.none(likelihood.basis), free=True),
         penalty(robust, robust.priors), None),
    ]  # fmt: skip
    found: list[Any] = []
    for name, base, added, x in linear:
        held = added if name in ("profiled", "free") else added.flat_in(slice(None))
        point = np.array(x) if x is not None else base.start(np.array([0.8, 0.2, 0.5])) + 0.1
        found.append(pytest.param(Penalised(base, Added(base.coordinates(), held)), point, id=name))
    added = Added(laplace.coordinates(), penalty(cbpp, cbpp.priors))
    point = np.array([1.1, -9.0, 1.0, 2.0, 0.5])
    found.append(pytest.param(Penalised(LaplaceCriterion(laplace), added), point, id="laplace"))
    return found


@pytest.mark.parametrize(("criterion", "x"), criteria())
def test_the_gradient_is_that_of_differences(criterion: Any, x: np.ndarray) -> None:
    value, gradient = criterion.value_and_gradient(x)
    assert value == pytest.approx(criterion.value(x), rel=ALGEBRA)
    h = 1e-5
    differences = [(criterion.value(x + h * e) - criterion.value(x - h * e)) / (2 * h) for e in np.eye(len(x))]
    np.testing.assert_allclose(gradient, differences, rtol=SLOPE, atol=1e-5)


# --- against blme ----------------------------------------------------------------------------------------------------

FIXEF = {"1|herd_sigma": Gamma(2.0, 0.5), "Intercept": Normal(0.0, 2.5), "b": Normal(0.0, 2.5)}


@pytest.mark.parametrize(
    ("name", "engine"),
    [
        ("blme_sleepstudy", bm.MAP(criterion="reml")),
        ("blme_dyestuff2", bm.MAP(criterion="reml")),
        ("blme_cbpp", bm.MAP()),
        ("blme_cbpp_fixef_normal", bm.MAP(priors=FIXEF)),
    ],
)
def test_objective_and_estimates_agree_with_blme(name: str, engine: Any, reference: Reference) -> None:
    record = reference.result(name)
    theirs = record["fits"][0]
    model = bm.Model(record["formula"], reference.frame(record["dataset"]), family=record["family"])
    fit = model.fit(engine)
    assert fit.status.converged and not fit.status.singular
    assert fit.criterion == pytest.approx(theirs["penalised_objective"], abs=BLME)
    assert fit.loglik == pytest.approx(theirs["logLik"], abs=1e-4)
    assert fit.n_parameters == theirs["df"]
    np.testing.assert_allclose(fit.theta, theirs["theta"], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(fit.fixef(), theirs["fixed"]["estimate"], rtol=1e-4)


# --- identities ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("criterion", ["ml", "reml"])
def test_flat_priors_give_ml_and_reml(criterion: str) -> None:
    plain = sleep().fit(criterion)
    for fit in (sleep(priors="flat").fit(bm.MAP(criterion, "model")), sleep().fit(bm.MAP(criterion, {}))):
        assert fit.loglik == pytest.approx(plain.loglik, abs=OPTIMUM)
        np.testing.assert_allclose(fit.theta, plain.theta, atol=1e-5)
        np.testing.assert_allclose(fit.vcov(), plain.vcov(), rtol=1e-4)
    assert fit.criterion == pytest.approx(plain.deviance, abs=OPTIMUM)


def test_flat_priors_give_ml_of_a_generalized_model() -> None:
    model = bm.Model(CBPP, bm.load_data("cbpp"), family="binomial")
    plain, fit = model.fit("ml"), model.fit(bm.MAP(priors={}))
    assert fit.loglik == pytest.approx(plain.loglik, abs=OPTIMUM)
    np.testing.assert_allclose(fit.coefficients["se"], plain.coefficients["se"], rtol=1e-3)


def test_more_nodes_move_the_likelihood_part_alone() -> None:
    model = bm.Model(CBPP, bm.load_data("cbpp"), family="binomial")
    fit = model.fit(bm.MAP(quadrature=9))
    assert fit.status.converged and not fit.status.singular
    assert fit.criterion == pytest.approx(fit.deviance - 3 * np.log(fit.theta[0]), abs=OPTIMUM)
    at = model.loglik_at(theta=fit.theta, beta=fit.fixef(), quadrature=9)
    assert fit.loglik == pytest.approx(at, abs=OPTIMUM)
    flat = model.fit(bm.MAP(priors={}, quadrature=9))
    assert flat.loglik == pytest.approx(model.fit(bm.ML(quadrature=9)).loglik, abs=OPTIMUM)
    with pytest.raises(FitError, match="quadrature=1"):
        model.fit(bm.MAP(quadrature=0))


def test_flat_coefficients_move_to_the_search_where_one_prior_is_not_normal() -> None:
    """A Cauchy of huge scale is flat: the same estimates and standard errors by the other route."""
    fit, plain = sleep().fit(bm.MAP(priors={"Days": Cauchy(0.0, 1e6)})), sleep().fit("ml")
    assert fit.loglik == pytest.approx(plain.loglik, abs=1e-6)
    np.testing.assert_allclose(fit.coefficients, plain.coefficients, rtol=1e-4)


def test_reml_with_normal_priors_is_the_marginal_likelihood_of_a_larger_covariance() -> None:
    """beta ~ Normal(m, T) integrates to y ~ N(X m, V + X T X')."""
    sigma, priors = 25.0, {"Intercept": Normal(200.0, 30.0), "Days": Normal(5.0, 3.0)}
    model = sleep().replace(formula="Reaction ~ Days + (1 | Subject)", constants={"sigma": sigma})
    fit = model.fit(bm.MAP("reml", priors))
    X, groups = model.design.mu.X, model.design.groups[0]
    same = groups.codes[:, None] == groups.codes
    V = sigma**2 * (np.eye(180) + fit.theta[0] ** 2 * same) + X @ np.diag([900.0, 9.0]) @ X.T
    expected = stats.multivariate_normal(X @ [200.0, 5.0], V).logpdf(model.design.response.y)
    assert fit.criterion == pytest.approx(-2 * expected, rel=1e-10)
    posterior = np.linalg.inv(
        np.linalg.inv(V - X @ np.diag([900.0, 9.0]) @ X.T).dot(X).T @ X + np.diag([1 / 900, 1 / 9])
    )
    np.testing.assert_allclose(fit.vcov(), posterior, rtol=1e-8)


def test_the_penalty_knows_no_units() -> None:
    """y -> c y and x -> x / 1000 move the objective by constants: the mode in relative terms stays."""
    data = bm.load_data("sleepstudy")
    once = sleep().fit("map")
    scaled = bm.Model(SLOPES, data.assign(Reaction=1e4 * data["Reaction"], Days=data["Days"] / 1000)).fit("map")
    np.testing.assert_allclose(scaled.theta * [1, 1e-3, 1e-3], once.theta, rtol=1e-3, atol=1e-6)
    assert scaled.sigma == pytest.approx(1e4 * once.sigma, rel=1e-4)
    apart = bm.Model("Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)", data).fit("map")
    assert bm.Model("Reaction ~ Days + (Days || Subject)", data).fit("map").criterion == pytest.approx(
        apart.criterion, abs=OPTIMUM
    )


# --- off the boundary ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "name", "family"),
    [
        ("Yield ~ 1 + (1 | Batch)", "Dyestuff2", "gaussian"),
        ("y ~ 1 + (1 | f)", "sim5x5", "gaussian"),
        ("breaks ~ wool + (1 | tension) + (1 | wool:tension)", "warpbreaks", "gaussian"),
        ("cbind(incidence, size - incidence) ~ period + (period | herd)", "cbpp", "binomial"),
        ("shells ~ factor(year) + prev + offset(log(Area)) + (1 | Site)", "gopher", "poisson"),
    ],
)
def test_every_singular_public_case_is_interior(formula: str, name: str, family: str, reference: Reference) -> None:
    model = bm.Model(formula, reference.frame(name), family=family)
    for engine in (bm.MAP(), bm.MAP("reml")) if family == "gaussian" else (bm.MAP(),):
        fit = model.fit(engine)
        assert fit.status.converged and not fit.status.singular and not fit.status.singular_scaled
        assert fit.status.boundary_slope is None and not fit.status.problems
        assert min(np.min(np.diag(F)) for F in fit.factors) > 0.01


def test_groups_that_do_not_differ_have_interior_modes_and_singular_ml() -> None:
    singular = 0
    for seed in range(20):
        model = bm.Model("y ~ x + (x | g)", no_variance(seed))
        singular += model.fit("ml").status.singular
        fit = model.fit("map")
        assert fit.status.converged and not fit.status.singular
    assert singular > 10


def test_model_priors_on_a_block_without_variance_end_somewhere_and_say_where() -> None:
    """Half-Student-t priors have no zero at zero: a mode may be on the boundary, but a search must come to its end."""
    ends = [bm.Model("y ~ x + (x | g)", no_variance(seed)).fit(bm.MAP(priors="model")).status for seed in range(10)]
    assert all(np.isfinite(status.gradient_norm) for status in ends)
    assert sum(status.converged for status in ends) >= 9


@pytest.mark.parametrize("start", [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [5.0, -2.0, 3.0]])
@pytest.mark.parametrize("priors", ["boundary_avoiding", "model"])
def test_every_start_finds_the_mode(start: list[float], priors: str) -> None:
    fit = sleep().fit(bm.MAP(priors=priors, start=start))
    assert fit.criterion == pytest.approx(sleep().fit(bm.MAP(priors=priors)).criterion, abs=1e-6)


def test_a_start_outside_a_priors_support_is_moved_into_it() -> None:
    fit = sleep().fit(
        bm.MAP(priors={"sd": Uniform(1.0, 60.0), "sigma": Uniform(20.0, 30.0), "Days": Uniform(0.0, 20.0)})
    )
    assert fit.status.converged and fit.loglik == pytest.approx(sleep().fit("ml").loglik, abs=1e-6)


# --- where nothing keeps an sd from infinity --------------------------------------------------------------------------


def two_levels() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"g": np.repeat(["a", "b", "c"], 20), "z": np.repeat([0.0, 0.0, 1.0], 20)})
    return table.assign(y=table["g"].map({"a": 0.0, "b": 3.0, "c": 1.0}) + rng.normal(size=60))


def constant_levels(mixed: int) -> pd.DataFrame:
    table = pd.DataFrame({"g": np.repeat(list("abcdef"), 10), "y": np.repeat([0.0, 1.0, 0.0, 1.0, 0.0, 1.0], 10)})
    table.loc[[0, 10, 20][:mixed], "y"] = [1.0, 0.0, 1.0][:mixed]
    return table


RUNAWAYS = [
    ("y ~ 1 + (1 | g)", two_levels().query("g != 'c'"), "gaussian", bm.MAP("reml")),
    ("y ~ z + (1 | g)", two_levels(), "gaussian", bm.MAP("reml")),
    ("y ~ 1 + (1 | g)", constant_levels(0), "bernoulli", bm.MAP()),
    ("y ~ 1 + (1 | g)", constant_levels(1), "bernoulli", bm.MAP()),
]


@pytest.mark.parametrize(("formula", "data", "family", "engine"), RUNAWAYS)
def test_a_criterion_without_a_maximum_is_said_not_run_after(formula: Any, data: Any, family: Any, engine: Any) -> None:
    model = bm.Model(formula, data, family=family)
    fit = model.fit(engine)
    assert not fit.status.converged
    assert "(1 | g)" in fit.status.problems[0] and 'bm.MAP(priors="model")' in fit.status.problems[0]
    assert fit.varcorr()["sd"].iloc[0] < 1e3
    proper = model.fit(bm.MAP(engine.criterion, "model"))
    assert proper.status.converged and proper.varcorr()["sd"].iloc[0] < 10


@pytest.mark.parametrize(
    ("formula", "data", "family", "engine"),
    [
        ("y ~ 1 + (1 | g)", two_levels().query("g != 'c'"), "gaussian", bm.MAP()),
        ("y ~ 1 + (1 | g)", two_levels(), "gaussian", bm.MAP("reml")),
        ("y ~ 1 + (1 | g)", constant_levels(3), "bernoulli", bm.MAP()),
    ],
)
def test_one_level_more_gives_a_maximum(formula: Any, data: Any, family: Any, engine: Any) -> None:
    fit = bm.Model(formula, data, family=family).fit(engine)
    assert fit.status.converged and not fit.status.problems


# --- options, printing, files ----------------------------------------------------------------------------------------


def test_wrong_options_are_refused_with_what_to_write() -> None:
    with pytest.raises(FitError, match="'REML '"):
        bm.MAP(criterion="REML ")
    with pytest.raises(FitError, match='Model\\(..., priors="flat"\\)'):
        bm.MAP(priors="flat")
    with pytest.raises(FitError, match="boundary_avoiding"):
        bm.MAP(priors={"Subject_cov": "boundary_avoiding"})
    with pytest.raises(FitError, match="quadrature"):
        bm.MAP(quadrature=-1)
    with pytest.raises(ModelError, match=r"Did you mean 'Days'\? This model knows: Intercept_centered"):
        sleep().fit(bm.MAP(priors={"Dayz": Normal(0.0, 1.0)}))
    with pytest.raises(ModelError, match="cannot be negative"):
        sleep().fit(bm.MAP(priors={"sigma": Normal(0.0, 1.0)}))
    with pytest.raises(FitError, match=r"that of 'Days' is Student-t\(3, 0, 5\)"):
        sleep().fit(bm.MAP("reml", {"Days": StudentT(3.0, 0.0, 5.0)}))
    with pytest.raises(FitError, match="identity link"):
        bm.Model(CBPP, bm.load_data("cbpp"), family="binomial").fit(bm.MAP("reml"))
    with pytest.raises(ModelError, match="random effects"):
        bm.Model("y ~ 1 + (1 | g)", no_variance(1, levels=20, rows=1)).fit("map")


def test_the_default_penalty_beside_a_prior() -> None:
    """Named priors alone leave zeros; "covariance" adds the default penalty."""
    data = no_variance(3)
    model, prior = bm.Model("y ~ x + (1 | g)", data), {"x": Normal(0.0, 0.1)}
    alone = model.fit(bm.MAP(priors=prior))
    both = model.fit(bm.MAP(priors={**prior, "covariance": "boundary_avoiding"}))
    default = model.fit("map")
    assert alone.fixef()["x"] == pytest.approx(both.fixef()["x"], rel=0.1)
    assert abs(both.fixef()["x"]) < 0.8 * abs(default.fixef()["x"])
    assert not both.status.singular and both.theta[0] > alone.theta[0]


def test_the_summary_says_which_priors_and_both_criteria(tmp_path: Any) -> None:
    fit = sleep().fit(bm.MAP("reml"))
    text = str(fit.summary())
    assert "fit by MAP" in text and "Priors: boundary-avoiding" in text
    assert "REML criterion" in text and "1743.9" in text and "1747.8" in text
    priors = {"Days": Normal(0.0, 5.0), "covariance": "boundary_avoiding"}
    named = sleep().fit(bm.MAP(priors=priors))
    assert "Days ~ Normal(0, 5); boundary-avoiding" in str(named.summary())
    again = bm.load(named.save(tmp_path / "fit.nc"))
    assert again.engine == named.engine and str(again.summary()) == str(named.summary())
    assert "the model's" in str(sleep().fit(bm.MAP(priors="model")).summary())
    table = bm.side_by_side(sleep().fit("ml"), fit)
    assert list(table.columns.get_level_values(0).unique()) == ["ML", "MAP"]
