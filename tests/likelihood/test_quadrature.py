"""Adaptive quadrature: numerical integration, Laplace's approximation as one node, reference fits, and when it pays."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import load_reference_frame, load_result, result_names
from scipy.integrate import dblquad, quad
from scipy.stats import norm

import bayesmixed as bm
from bayesmixed.engines.generalized.accuracy import DRAWS
from bayesmixed.engines.generalized.collect import LaplaceCriterion
from bayesmixed.engines.generalized.fit import JointCriterion
from bayesmixed.errors import FitError, ModelError
from bayesmixed.families import observed
from bayesmixed.fits.point import PointFit
from bayesmixed.likelihood.at import laplace_of
from bayesmixed.likelihood.laplace.start import start
from bayesmixed.likelihood.quadrature.factoring import quadrature
from bayesmixed.likelihood.quadrature.sampled import importance

ALGEBRA = 1e-9
GRADIENT = 1e-6  # relative: central differences of a value with 1e-12 relative noise, steps of 1e-5
NOT_CONCAVE = 2e-5  # where curvatures of rows change sign, the inner search's last step leaves more
INTEGRAL = 1e-7  # what 25 nodes and SciPy's adaptive rules leave on smooth integrands of a few rows
LOGLIK = 1e-5  # absolute, as in all reference comparisons
FIXEF = 1e-4  # of max(|b|, se)
SD = 1e-3  # relative
SE = 1e-3  # relative


def table(levels: int = 12, rows: int = 13, seed: int = 1) -> pd.DataFrame:
    """`levels` outer levels with four inner ones each, two covariates, a binary, a count and a positive response."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(levels), rows)
    n = len(g)
    x, h = rng.normal(size=n), rng.integers(0, 4, n)
    eta = 0.3 * x + rng.normal(size=levels)[g] + rng.normal(size=levels)[g] * x + rng.normal(size=(levels, 4))[g, h]
    return pd.DataFrame(
        {
            "g": [f"g{i}" for i in g],
            "h": [f"{i}:{j}" for i, j in zip(g, h, strict=True)],
            "c": [f"c{i}" for i in rng.integers(0, 4, n)],
            "x": x,
            "z": rng.normal(size=n),
            "w": rng.integers(1, 4, n).astype(float),
            "yes": (rng.uniform(size=n) < 1 / (1 + np.exp(-eta))).astype(float),
            "count": rng.poisson(np.exp(np.clip(eta, -3, 2))),
            "size": np.exp(0.1 * eta) + 0.1 * rng.normal(size=n),
        }
    )


def at_random(model: bm.Model, seed: int = 5) -> np.ndarray:
    """A point (m,) inside the parameter space."""
    likelihood, rng = laplace_of(model), np.random.default_rng(seed)
    theta = rng.uniform(0.3, 1.0, likelihood.theta.size)
    return np.concatenate([theta, 0.3 * rng.normal(size=likelihood.p), np.full(len(likelihood.free), np.log(0.4))])


CASES = {
    "one column": ("yes ~ x + (1 | g)", "bernoulli", None),
    "two columns": ("yes ~ x + (x | g)", "bernoulli", "probit"),
    "bars of one factor": ("yes ~ x + (1 | g) + (0 + x | g)", "bernoulli", None),
    "three columns": ("count ~ x + (x + z | g)", "poisson", None),
    "nested": ("yes ~ x + (1 | g) + (1 | h)", "bernoulli", None),
    "nested, vectors": ("yes ~ x + (x | g) + (x | h)", "bernoulli", "cloglog"),
    "nested, vectors outside": ("count ~ x + (x | g) + (1 | h)", "poisson", None),
    "dispersion": ("size ~ x + (x | g)", "gaussian", "log"),
    "dispersion, nested": ("size ~ x + (1 | g) + (1 | h)", "gaussian", "log"),
}


@pytest.mark.parametrize("case", CASES)
def test_one_node_is_laplace_with_its_gradient(case: str) -> None:
    formula, family, link = CASES[case]
    model = bm.Model(formula, table(), family=family, link=link)
    likelihood, x = laplace_of(model), at_random(model)
    curved = likelihood.curved(x, likelihood.mode(x))
    value, gradient = quadrature(likelihood, 1).loglik_and_gradient(x, curved)
    scale = np.max(np.abs(gradient))
    assert value == pytest.approx(-0.5 * likelihood.deviance(curved), rel=ALGEBRA)
    # both adjoints take the mode for exact: they differ by what its search leaves
    np.testing.assert_allclose(gradient, -0.5 * likelihood.gradient(x, curved), atol=1e-6 * scale)


@pytest.mark.parametrize("nodes", [2, 5])
@pytest.mark.parametrize("case", CASES)
def test_the_gradient_is_that_of_the_sum_with_its_moving_nodes(case: str, nodes: int) -> None:
    formula, family, link = CASES[case]
    model = bm.Model(formula, table(levels=6), family=family, link=link)
    likelihood, x = laplace_of(model), at_random(model)
    rule = quadrature(likelihood, nodes if case != "nested, vectors" else min(nodes, 3))

    def value(x: np.ndarray) -> float:
        return rule.loglik(x, likelihood.curved(x, likelihood.mode(x, mode.u)))

    mode = likelihood.mode(x)
    found, gradient = rule.loglik_and_gradient(x, likelihood.curved(x, mode))
    differences = [(value(x + h) - value(x - h)) / 2e-5 for h in 1e-5 * np.eye(len(x))]
    assert found == pytest.approx(value(x), rel=ALGEBRA)
    error = NOT_CONCAVE if family == "gaussian" else GRADIENT
    np.testing.assert_allclose(gradient, differences, atol=error * max(np.max(np.abs(gradient)), abs(found)))


# numerical integration


def log_rows(model: bm.Model, beta: np.ndarray, rows: np.ndarray, dispersion: dict[str, float]) -> Any:
    """log f of some rows together as a function of what random effects add to their predictors."""
    seen, fixed = observed(model.design, rows), model.design.mu.X[rows] @ beta
    return lambda extra: np.sum(model.family.log_density(seen, fixed + extra, dispersion), axis=-1)


def integrated(density: Any, sd: float) -> float:
    """The integral of exp(density(b)) over b ~ N(0, sd^2)."""
    limit = 9 * sd
    return quad(lambda b: np.exp(density(b)) * norm.pdf(b, scale=sd), -limit, limit, epsabs=0, epsrel=1e-10)[0]


@pytest.mark.parametrize(
    ("response", "family", "link", "dispersion"),
    [
        ("yes", "bernoulli", None, {}),
        ("yes", "bernoulli", "cauchit", {}),
        ("count", "poisson", None, {}),
        ("size", "gaussian", "log", {"sigma": 0.3}),
    ],
)
def test_scalar_effects_agree_with_numerical_integration(
    response: str, family: str, link: str | None, dispersion: dict[str, float]
) -> None:
    model = bm.Model(f"{response} ~ x + (1 | g)", table(4, 5), family=family, link=link)
    beta, sd, codes = np.array([0.2, 0.4]), 0.8, model.design.groups[0].codes
    levels = [log_rows(model, beta, np.flatnonzero(codes == level), dispersion) for level in range(4)]
    expected = sum(np.log(integrated(density, sd)) for density in levels)
    found = model.loglik_at(theta=[sd], beta=beta, dispersion=dispersion, quadrature=40)
    # heavy tails (cauchit) converge more slowly than polynomials times a normal density
    assert found == pytest.approx(expected, abs=1e-4 if link == "cauchit" else INTEGRAL)


def test_vector_effects_agree_with_numerical_integration() -> None:
    model = bm.Model("yes ~ x + (x | g)", table(3, 5), family="bernoulli")
    beta, theta = np.array([0.2, 0.4]), np.array([0.8, -0.3, 0.6])
    Lambda = np.array([[theta[0], 0.0], [theta[1], theta[2]]])
    term, expected = model.design.groups[0], 0.0
    for level in range(3):
        rows = np.flatnonzero(term.codes == level)
        density, Z = log_rows(model, beta, rows, {}), term.Z[rows] @ Lambda

        def integrand(v: float, u: float, density: Any = density, Z: np.ndarray = Z) -> float:
            return float(np.exp(density(Z @ [u, v]) - 0.5 * (u**2 + v**2)) / (2 * np.pi))

        expected += np.log(dblquad(integrand, -8, 8, -8, 8, epsabs=1e-9, epsrel=1e-8)[0])
    found = model.loglik_at(theta=theta, beta=beta, quadrature=25)
    assert found == pytest.approx(expected, abs=1e-6)


def test_nested_effects_agree_with_numerical_integration() -> None:
    model = bm.Model("yes ~ x + (1 | g) + (1 | h)", table(2, 8), family="bernoulli")
    beta, inner, outer = np.array([0.2, 0.4]), 0.7, 0.9
    by_factor = {term.factor: term.codes for term in model.design.groups}
    # the trapezoid rule is exact to all digits for analytic functions that vanish at both ends
    grid = np.linspace(-9, 9, 301)
    weights, expected = norm.pdf(grid) * (grid[1] - grid[0]), 0.0
    for level in range(2):
        in_level, given = by_factor["g"] == level, np.ones(len(grid))
        for code in np.unique(by_factor["h"][in_level]):
            density = log_rows(model, beta, np.flatnonzero(in_level & (by_factor["h"] == code)), {})
            given *= np.exp(density((outer * grid[:, None] + inner * grid)[:, :, None])) @ weights
        expected += np.log(given @ weights)
    found = model.loglik_at(theta=[inner, outer], beta=beta, quadrature=25)
    assert found == pytest.approx(expected, abs=INTEGRAL)


def test_importance_draws_estimate_what_laplace_lacks_in_crossed_effects() -> None:
    """Two crossed pairs of levels: a plain grid over the four effects is the integral."""
    data = table(2, 12).assign(c=["a", "b"] * 12)
    model = bm.Model("yes ~ x + (1 | g) + (1 | c)", data, family="bernoulli")
    likelihood, beta, sd = laplace_of(model), np.array([0.2, 0.4]), 0.9
    z, w = np.polynomial.hermite_e.hermegauss(24)
    grid = np.array(list(itertools.product(z, repeat=4))) * sd
    weights = np.prod(np.array(list(itertools.product(w / w.sum(), repeat=4))), axis=1)
    first, second = model.design.groups
    eta = model.design.mu.X @ beta + grid[:, :2][:, first.codes] + grid[:, 2:][:, second.codes]
    log = model.family.log_density(observed(model.design), eta, {}).sum(axis=1)
    exact = np.log(np.sum(weights * np.exp(log)))
    x = likelihood.joined(likelihood.theta.working(np.array([sd, sd])), beta, {})
    curved = likelihood.curved(x, likelihood.mode(x))
    found = importance(likelihood, x, curved, 4000)
    shift = exact + 0.5 * likelihood.deviance(curved)
    assert abs(shift) > 8 * found.error  # else the draws would say nothing
    assert found.shift == pytest.approx(shift, abs=4 * found.error)


def test_a_weight_of_two_is_the_row_twice_and_of_zero_none() -> None:
    data = table()
    weighted = bm.Model("yes ~ x + (x | g)", data, family="bernoulli", weights="w")
    repeated = bm.Model("yes ~ x + (x | g)", data.loc[data.index.repeat(data["w"].astype(int))], family="bernoulli")
    without = bm.Model("yes ~ x + (1 | g)", data, family="bernoulli", weights=(data["g"] != "g3").astype(float))
    fewer = bm.Model("yes ~ x + (1 | g)", data[data["g"] != "g3"], family="bernoulli")
    at = {"theta": [0.7, 0.1, 0.4], "beta": [0.1, 0.3], "quadrature": 7}
    assert weighted.loglik_at(**at) == pytest.approx(repeated.loglik_at(**at), rel=ALGEBRA)
    at["theta"] = [0.7]
    assert without.loglik_at(**at) == pytest.approx(fewer.loglik_at(**at), rel=ALGEBRA)


def test_nodes_outside_the_links_domain_have_no_density() -> None:
    data = table(6, 10)
    data["count"] += 3
    model = bm.Model("count ~ 1 + (1 | g)", data, family="poisson", link="identity")
    beta, sd, codes = np.array([4.5]), 0.9, model.design.groups[0].codes
    expected = 0.0
    for level in range(6):
        density = log_rows(model, beta, np.flatnonzero(codes == level), {})
        expected += np.log(integrated(lambda b, d=density: d(b) if b > -beta[0] else -np.inf, sd))
    assert model.loglik_at(theta=[sd], beta=beta, quadrature=60) == pytest.approx(expected, abs=INTEGRAL)


# reference fits


@cache
def model_of(name: str) -> bm.Model:
    record = load_result(name)
    data, formula = load_reference_frame(record["dataset"]), record["formula"]
    if record["dataset"] == "banta":
        data = data[(data["amd"] == "clipped") & (data["nutrient"].astype(str) == "1")]
        formula = formula.replace("total.fruits", "`total.fruits`")
    if record["dataset"] == "epil":
        data = data.assign(subject=data["subject"].astype(str))
    return bm.Model(formula, data, family=record["family"], link=record["link"])


@cache
def fit_of(name: str, nodes: int) -> PointFit:
    return model_of(name).fit(bm.ML(quadrature=nodes))


def references(engine: str) -> list[Any]:
    """(file, nodes, position in the file) of every fit by quadrature of lme4, or of the independent implementation."""
    found = []
    for name in result_names("glmm_"):
        record = load_result(name)
        if engine == "independent":
            found += [(name, e["k"], i) for i, e in enumerate(record.get("independent_agq", []))]
        else:
            found += [(name, e["nAGQ"], i) for i, e in enumerate(record["fits"]) if e.get("nAGQ", 1) != 1]
    return [pytest.param(*case, id=f"{case[0]}-{case[1]}") for case in found]


@pytest.mark.parametrize(("name", "nodes", "position"), references("lme4"))
def test_fits_agree_with_lme4(name: str, nodes: int, position: int) -> None:
    fit, entry = fit_of(name, nodes), load_result(name)["fits"][position]
    beta, se = np.array(entry["fixed"]["estimate"]), np.array(entry["fixed"]["se"])
    sds = [sd for group in entry["random"] for sd in group["sd"]]
    expected = entry["logLik"] if nodes == 0 else entry["logLik_normalised"]
    assert fit.status.converged
    assert fit.loglik == pytest.approx(expected, abs=LOGLIK)
    np.testing.assert_array_less(np.abs(fit.beta - beta), FIXEF * np.maximum(np.abs(beta), se))
    np.testing.assert_allclose(sorted(fit.varcorr()["sd"]), sorted(sds), rtol=SD)
    np.testing.assert_allclose(fit.coefficients["se"], se, rtol=SE)


@pytest.mark.parametrize(("name", "nodes", "position"), references("independent"))
def test_fits_agree_with_an_independent_implementation(name: str, nodes: int, position: int) -> None:
    fit, entry = fit_of(name, nodes), load_result(name)["independent_agq"][position]
    beta, se = np.array(entry["beta"]), np.array(entry["se_beta"])
    assert fit.loglik == pytest.approx(entry["logLik"], abs=LOGLIK)
    np.testing.assert_array_less(np.abs(fit.beta - beta), FIXEF * np.maximum(np.abs(beta), se))
    assert fit.varcorr()["sd"].iloc[0] == pytest.approx(entry["sd"], rel=SD)
    np.testing.assert_allclose(fit.coefficients["se"], se, rtol=SE)


# fits


@pytest.mark.parametrize("nodes", [0, 1, 6])
def test_a_fit_is_the_maximum_of_the_likelihood_it_reports(nodes: int) -> None:
    model = bm.Model("yes ~ x + (x | g)", table(20, 12), family="bernoulli")
    fit = model.fit(bm.ML(quadrature=nodes))
    beta = None if nodes == 0 else fit.beta
    assert fit.loglik == pytest.approx(model.loglik_at(theta=fit.theta, beta=beta, quadrature=nodes), rel=ALGEBRA)
    for i, step in itertools.product(range(3), (-0.02, 0.02)):
        theta = fit.theta + step * np.eye(3)[i]
        assert model.loglik_at(theta=theta, beta=beta, quadrature=nodes) < fit.loglik


def test_the_joint_modes_deviance_has_its_exact_gradient() -> None:
    for formula, family, link in (CASES["nested, vectors"], CASES["dispersion"]):
        likelihood = laplace_of(bm.Model(formula, table(), family=family, link=link))
        x, mode = start(likelihood)
        criterion = JointCriterion(likelihood, mode.u, mode.beta, np.eye(len(x) - likelihood.p))
        y = x[criterion.outer()]
        _, gradient = criterion.value_and_gradient(y)
        differences = [(criterion.value(y + h) - criterion.value(y - h)) / 2e-4 for h in 1e-4 * np.eye(len(y))]
        np.testing.assert_allclose(gradient, differences, atol=1e-5 * np.max(np.abs(gradient)))


def test_nested_pairs_and_dispersion_are_fitted() -> None:
    nested = bm.Model("yes ~ x + (1 | g/h)", table(20, 16), family="bernoulli")
    coarse, fine = nested.fit(bm.ML(quadrature=5)), nested.fit(bm.ML(quadrature=9))
    assert coarse.status.converged and fine.status.converged
    assert coarse.loglik == pytest.approx(fine.loglik, abs=0.05)  # binary rows, large sds: five nodes are few
    size = bm.Model("size ~ x + (x | g)", table(20, 12), family="gaussian", link="log")
    fit = size.fit(bm.ML(quadrature=5))
    assert fit.status.converged
    at = {"theta": fit.theta, "beta": fit.beta, "quadrature": 5}
    assert fit.loglik == pytest.approx(size.loglik_at(**at, sigma=fit.sigma), rel=ALGEBRA)
    assert size.loglik_at(**at, sigma=1.02 * fit.sigma) < fit.loglik


def test_a_variance_of_zero_is_found_and_costs_nothing() -> None:
    data = table(20, 12)
    data["flat"] = np.tile([0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0], 20)
    model = bm.Model("flat ~ x + (1 | g)", data, family="bernoulli")
    fits = [model.fit(bm.ML(quadrature=nodes)) for nodes in (0, 1, 9)]
    assert all(fit.status.singular and fit.status.converged and fit.theta[0] == 0 for fit in fits)
    assert fits[2].loglik == pytest.approx(fits[1].loglik, abs=1e-7)


def test_nested_variances_that_are_both_zero_are_found() -> None:
    inner = np.repeat(np.arange(24), 4)
    data = pd.DataFrame({"even": np.tile([0.0, 1.0], 48), "h": inner.astype(str), "g": (inner // 4).astype(str)})
    model = bm.Model("even ~ 1 + (1 | g) + (1 | h)", data, family="bernoulli")
    for nodes in (0, 1, 5):
        fit = model.fit(bm.ML(quadrature=nodes))
        assert fit.status.converged and not np.any(fit.theta)
        assert fit.loglik == pytest.approx(96 * np.log(0.5), rel=ALGEBRA)


def test_integrals_that_are_exact_need_no_nodes() -> None:
    linear = bm.Model("size ~ x + (1 | g)", table())
    assert linear.fit(bm.ML(quadrature=9)).loglik == linear.fit("ml").loglik
    plain = bm.Model("yes ~ x", table(), family="bernoulli")
    assert plain.fit(bm.ML(quadrature=9)).loglik == pytest.approx(plain.fit("ml").loglik, rel=ALGEBRA)


# what is not possible


def test_crossed_and_wide_effects_are_refused_with_what_is_possible() -> None:
    crossed = bm.Model("yes ~ x + (1 | g) + (1 | c)", table(), family="bernoulli")
    with pytest.raises(FitError, match=r"crossed effects of 'g' and 'c' does not factor.*model\.fit\(\"nuts\""):
        crossed.fit(bm.ML(quadrature=5))
    wide = bm.Model("yes ~ x + (x * z | g)", table(), family="bernoulli")
    with pytest.raises(FitError, match=r"'g' has 4 columns of effects, a grid of 5\^4 nodes.*at most 3"):
        wide.fit(bm.ML(quadrature=5))
    with pytest.raises(FitError, match="more than the 100 nodes"):
        bm.Model("yes ~ x + (1 | g)", table(), family="bernoulli").fit(bm.ML(quadrature=101))


def test_loglik_at_names_what_is_missing_and_is_minus_infinity_outside() -> None:
    model = bm.Model("yes ~ x + (1 | g)", table(), family="bernoulli")
    size = bm.Model("size ~ x + (1 | g)", table(), family="gaussian", link="log")
    with pytest.raises(ModelError, match="needs beta="):
        model.loglik_at(theta=[1.0])
    with pytest.raises(ModelError, match="leave out beta="):
        model.loglik_at(theta=[1.0], beta=[0.0, 0.0], quadrature=0)
    with pytest.raises(ModelError, match="no parameter 'sigma'.*bernoulli family has no dispersion"):
        model.loglik_at(theta=[1.0], beta=[0.0, 0.0], sigma=1.0)
    with pytest.raises(ModelError, match="'sigma'"):
        size.loglik_at(theta=[1.0], beta=[0.0, 0.0])
    with pytest.raises(ModelError, match="reml"):
        model.loglik_at(theta=[1.0], beta=[0.0, 0.0], reml=True)
    assert model.loglik_at(theta=[-1.0], beta=[0.0, 0.0]) == -np.inf
    assert model.loglik_at(theta=[np.nan], beta=[0.0, 0.0]) == -np.inf
    assert size.loglik_at(theta=[1.0], beta=[0.0, 0.0], sigma=0.0) == -np.inf


# when more nodes matter


def visits(patients: int = 290, sd: float = 4.0, seed: int = 1) -> pd.DataFrame:
    """Binary outcomes at seven visits with a large sd between patients, like the toenail trial's."""
    rng = np.random.default_rng(seed)
    t, i = np.tile([0.0, 1.0, 2.0, 3.0, 6.0, 9.0, 12.0], patients), np.repeat(np.arange(patients), 7)
    treated = (i % 2).astype(float)
    eta = TRUTH[0] + TRUTH[1] * treated + TRUTH[2] * t + TRUTH[3] * t * treated + sd * rng.normal(size=patients)[i]
    yes = (rng.uniform(size=len(t)) < 1 / (1 + np.exp(-eta))).astype(float)
    return pd.DataFrame({"yes": yes, "t": t, "treated": treated, "patient": i.astype(str)})


TRUTH = (-1.6, -0.2, -0.4, -0.14)


def test_laplace_says_where_it_is_far_off_and_quadrature_recovers() -> None:
    model = bm.Model("yes ~ treated * t + (1 | patient)", visits(), family="bernoulli")
    laplace, fit, finer = (model.fit(bm.ML(quadrature=nodes)) for nodes in (1, 15, 40))
    assert laplace.status.quadrature_shift is not None and laplace.status.quadrature_shift < -2
    assert any("inaccurate" in problem and "bm.ML(quadrature=15)" in problem for problem in laplace.status.problems)
    se = finer.coefficients["se"].to_numpy()
    assert np.max(np.abs(laplace.beta - finer.beta) / se) > 0.5
    assert np.max(np.abs(fit.beta - finer.beta) / se) < 0.1
    assert np.all(np.abs(finer.beta - TRUTH) < 3 * se)
    assert fit.status.converged and not fit.status.problems


@pytest.mark.parametrize("name", ["glmm_cbpp", "glmm_contraception", "glmm_epil", "glmm_waterlick_surrogate"])
def test_laplace_is_content_where_more_nodes_move_nothing(name: str) -> None:
    fit = fit_of(name, 1)
    assert fit.status.problems == ()
    there = model_of(name).loglik_at(theta=fit.theta, beta=fit.beta, quadrature=25)
    assert fit.status.quadrature_shift == pytest.approx(there - fit.loglik, abs=1e-3)


def test_few_binary_rows_a_level_are_pointed_out() -> None:
    status = fit_of("glmm_culcita", 1).status
    assert status.quadrature_shift == pytest.approx(0.195, abs=5e-3)
    assert any("quadrature=15" in problem for problem in status.problems)


def test_crossed_effects_are_assessed_by_draws_or_not_at_all() -> None:
    few = bm.Model("yes ~ x + (1 | g) + (1 | c)", table(), family="bernoulli").fit("ml")
    assert few.status.quadrature_shift is not None
    many = pd.concat([table(seed=s) for s in range(30)], ignore_index=True)
    assert len(many) * DRAWS > 500_000
    model = bm.Model("yes ~ x + (1 | g) + (1 | c)", many, family="bernoulli")
    assert model.fit("ml").status.quadrature_shift is None


def test_continuous_responses_and_other_engines_are_not_assessed() -> None:
    size = bm.Model("size ~ x + (1 | g)", table(), family="gaussian", link="log")
    assert size.fit("ml").status.quadrature_shift is None
    assert bm.Model("size ~ x + (1 | g)", table()).fit("ml").status.quadrature_shift is None
    assert bm.Model("yes ~ x", table(), family="bernoulli").fit("ml").status.quadrature_shift is None


def test_the_criterion_keeps_its_starts(reference: Any) -> None:
    """The value at a point does not depend on where the search came from."""
    likelihood = laplace_of(model_of("glmm_culcita"))
    x = np.array([3.4, 5.0, -3.8, -4.4, -5.6])
    x = likelihood.joined(likelihood.theta.working(x[:1]), x[1:], {})
    fresh, used = LaplaceCriterion(likelihood), LaplaceCriterion(likelihood)
    used.value(x * 0.1)
    assert used.value(x) == pytest.approx(fresh.value(x), rel=ALGEBRA)
