"""Laplace's approximation of the posterior: its density, weights, exact draws, and when it says not to trust it."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import Reference
from simulated import crossed

import bayesmixed as bm
from bayesmixed.covariance.parameters import correlation_log_volume, correlation_roots, partial_correlations
from bayesmixed.engines.importance.pareto import resample, smooth_weights
from bayesmixed.engines.program import build_program
from bayesmixed.likelihood.at import laplace_of
from bayesmixed.likelihood.posterior.log_posterior import coefficients_of, joint_marginal, log_posterior
from bayesmixed.likelihood.posterior.marginal import LinearMarginal
from bayesmixed.likelihood.posterior.space import Space
from bayesmixed.priors import Decov, Exponential, Normal, StudentT

IDENTITY = 1e-8  # the same density by two routes in float64
SLOPES = 1e-5  # of gradients against differences, relative to the largest
STEP = 1e-4  # inner searches end with errors near 1e-10
MONTE_CARLO = 4.5  # standard errors: one in 100,000 by chance, seeds are fixed
SLEEP = "Reaction ~ Days + (Days | Subject)"
CBPP = "prop(incidence, size) ~ period + (1 | herd)"


@cache
def dyestuff() -> bm.Model:
    return bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))


@cache
def cbpp(**options: Any) -> bm.Model:
    return bm.Model(CBPP, bm.load_data("cbpp"), family="binomial", **options)


def around(posterior: Any, n: int, seed: int = 1) -> np.ndarray:
    """Points psi (n, m) at which sds are near one and nothing else is extreme."""
    return 0.3 * np.random.default_rng(seed).standard_normal((n, posterior.space.dimension))


LINEAR = {
    "one factor": (SLEEP, "sleepstudy", {}),
    "uncorrelated": ("Reaction ~ Days + (Days || Subject)", "sleepstudy", {}),
    "crossed": ("diameter ~ 1 + (1 | plate) + (1 | sample)", "Penicillin", {}),
    "nested": ("strength ~ 1 + (1 | batch/cask)", "Pastes", {}),
    "fixed sigma": (SLEEP, "sleepstudy", {"constants": {"sigma": 25.0}}),
}


@pytest.mark.parametrize("case", LINEAR)
def test_the_density_is_that_of_the_numpyro_program_up_to_a_constant(case: str) -> None:
    from numpyro.infer.util import potential_energy

    formula, data, options = LINEAR[case]
    model = bm.Model(formula, bm.load_data(data), **options)
    posterior = log_posterior(model)
    program = build_program(model)
    psi, gaps = around(posterior, 4), []
    with bm.x64():
        for point, value in zip(psi, posterior.values(psi), strict=True):
            sites = unconstrained(posterior, program.function, point)
            gaps.append(value + float(potential_energy(program.function, (), program.data, sites)))
    np.testing.assert_allclose(gaps, gaps[0], atol=IDENTITY * (1 + abs(gaps[0])))


def unconstrained(posterior: Any, function: Any, psi: np.ndarray) -> dict[str, np.ndarray]:
    """The program's sites on the real line."""
    sites, first = {}, 0
    for term, (k, m) in zip(function.terms, posterior.space.sizes, strict=True):
        sites |= {site.name: psi[first : first + k][list(site.members)] for site in term.spread.sites}
        for name, _ in term.shapes:  # one at most here
            sites[name] = psi[first + k : first + k + m]
        first += k + m
    for i, (name, coordinate) in enumerate(posterior.space.coordinates.dispersion.items()):
        sites[name] = np.asarray(psi[first + i] + np.log(coordinate.unit))
    return sites


MODELS = {
    "linear": lambda: bm.Model(SLEEP, bm.load_data("sleepstudy")),
    "intercept in psi": lambda: bm.Model(SLEEP, bm.load_data("sleepstudy"), priors="brms"),
    "decov": lambda: bm.Model(SLEEP, bm.load_data("sleepstudy"), priors="rstanarm"),
    "quadrature": cbpp,
    "two factors": lambda: cbpp().replace(
        formula="prop(incidence, size) ~ period + (1 | herd) + (1 | obs)", data=rows()
    ),
}


def rows() -> pd.DataFrame:
    data = bm.load_data("cbpp")
    return data.assign(obs=np.arange(len(data)).astype(str))


@pytest.mark.parametrize("case", MODELS)
def test_the_gradient_is_that_of_differences(case: str) -> None:
    posterior = log_posterior(MODELS[case]())
    psi = around(posterior, 1)[0]
    value, gradient = posterior.value_and_gradient(psi)
    steps = STEP * np.eye(len(psi))
    differences = (posterior.values(psi + steps) - posterior.values(psi - steps)) / (2 * STEP)
    assert value == pytest.approx(float(posterior.values(psi[None])[0]), rel=1e-10)
    np.testing.assert_allclose(gradient, differences, atol=SLOPES * (1 + np.max(np.abs(gradient))))


@pytest.mark.parametrize("k", [2, 3, 5])
def test_partial_correlations_give_a_correlation_matrix_and_come_back(k: int) -> None:
    partials = np.random.default_rng(k).standard_normal((3, k * (k - 1) // 2))
    roots = correlation_roots(partials, k)
    np.testing.assert_allclose(np.linalg.norm(roots, axis=2), 1.0, rtol=1e-12)
    for root, partial in zip(roots, partials, strict=True):
        np.testing.assert_allclose(partial_correlations(root), partial, atol=1e-9)
    jacobian = [(lower(partials[0] + h, k) - lower(partials[0] - h, k)) / 2e-6 for h in 1e-6 * np.eye(len(partials[0]))]
    assert np.linalg.slogdet(jacobian)[1] == pytest.approx(correlation_log_volume(partials, k)[0], abs=1e-6)


def lower(partial: np.ndarray, k: int) -> np.ndarray:
    root = correlation_roots(partial[None], k)[0]
    return (root @ root.T)[np.tril_indices(k, -1)]


@pytest.mark.parametrize("formula", [SLEEP, "Reaction ~ Days + (Days || Subject)", "Reaction ~ Days + (1 | Subject)"])
def test_a_prior_of_a_whole_block_integrates_to_one_on_the_real_line(formula: str) -> None:
    """Importance sampling from a wide t; decov's parts are other parameters than sds, so its Jacobian is at stake."""
    priors = {"Subject_cov": Decov(2, 1.5, 2, 1), "sigma": Exponential(1)}
    posterior = log_posterior(bm.Model(formula, bm.load_data("sleepstudy"), priors=priors))
    rng, m, n = np.random.default_rng(4), posterior.space.dimension, 6000
    center = np.append(np.zeros(m - 1), -np.log(posterior.space.coordinates.dispersion["sigma"].unit))
    psi = center + 1.5 * rng.standard_t(4, (n, m))
    from scipy.stats import t

    ratios = np.exp(posterior.log_prior(psi) - t.logpdf(psi - center, 4, scale=1.5).sum(axis=1))
    assert np.mean(ratios) == pytest.approx(1.0, abs=MONTE_CARLO * np.std(ratios) / np.sqrt(n))
    assert np.std(ratios) / np.sqrt(n) < 0.1


def test_effects_and_coefficients_together_by_laplace_are_exact_for_a_normal_response() -> None:
    """The joint integral of generalized models, with the machinery of a normal response, against the closed form."""
    model = bm.Model("y ~ x + (x | a) + (1 | b)", crossed(120), priors={"x": Normal(0.2, 0.5)})
    exact = log_posterior(model)
    coefficients = coefficients_of(model)
    assert isinstance(exact.marginal, LinearMarginal) and coefficients is not None
    joint = joint_marginal(laplace_of(model), coefficients)
    space = Space(joint.coordinates(), None, exact.space.origins)
    for psi in around(exact, 3):
        points = exact.space.points(psi[None])
        unit = exact.space.coordinates.dispersion["sigma"].unit
        moved = psi + np.append(np.zeros(len(psi) - 1), np.log(unit))
        found = joint.value(space.x(moved[None], space.points(moved[None]))[0])
        expected = exact.marginal.value(exact.space.x(psi[None], points)[0])
        assert found == pytest.approx(expected, rel=IDENTITY)


def test_draws_given_the_hyperparameters_have_the_moments_of_the_normal_equations() -> None:
    model = dyestuff()
    posterior = log_posterior(model)
    psi = np.array([[3.5, 0.1]])
    points = posterior.space.points(psi)
    x = posterior.space.x(psi, points)[0]
    sd, sigma = points.blocks[0].sds[0, 0], points.dispersion["sigma"][0]
    design, prior = model.design, model.priors["Intercept_centered"]
    mean, precision = prior.normal_form or (0.0, 0.0)
    assert design.response is not None
    C = np.column_stack([np.ones(30), np.eye(6)[design.groups[0].codes]])
    P = np.diag([precision, *[1 / sd**2] * 6])
    K = C.T @ C / sigma**2 + P
    expected = np.linalg.solve(K, C.T @ design.response.y / sigma**2 + P[:, 0] * mean)
    rng, n = np.random.default_rng(2), 4000
    drawn = [posterior.marginal.draw(x, rng) for _ in range(n)]
    draws = np.array([[*beta, *effects[0][:, 0]] for beta, effects in drawn])
    covariance = np.linalg.inv(K)
    errors = np.sqrt(np.diag(covariance) / n)
    assert np.all(np.abs(draws.mean(axis=0) - expected) < MONTE_CARLO * errors)
    scale = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    assert np.all(np.abs(np.cov(draws.T) - covariance) / scale < MONTE_CARLO * np.sqrt(2 / n))


def test_a_posterior_of_two_hyperparameters_is_that_of_a_dense_grid() -> None:
    posterior = log_posterior(dyestuff())
    fit = dyestuff().fit(bm.Laplace(draws=2000), seed=3, progress=False)
    grid = np.stack(np.meshgrid(np.linspace(-4, 7, 90), np.linspace(-1.2, 1.2, 45), indexing="ij"), -1).reshape(-1, 2)
    values = posterior.values(grid)
    weights = np.exp(values - values.max())
    weights /= weights.sum()
    points = posterior.space.points(grid)
    draws = fit.parameters
    for exact, found in (
        (points.blocks[0].sds[:, 0], draws.sds[0][0, :, 0]),
        (points.dispersion["sigma"], draws.dispersion["sigma"][0]),
    ):
        mean = weights @ exact
        sd = np.sqrt(weights @ exact**2 - mean**2)
        fourth = weights @ ((exact - mean) / sd) ** 4
        assert found.mean() == pytest.approx(mean, abs=MONTE_CARLO * sd / np.sqrt(2000))
        assert found.std() == pytest.approx(sd, rel=MONTE_CARLO * np.sqrt((fourth - 1) / 4 / 2000))
    # the posterior of the effects: the same average over their normal conditionals
    assert fit.status.pareto_k < 0.7 and fit.status.problems == ()


@pytest.mark.slow
def test_it_agrees_with_nuts_on_a_linear_model() -> None:
    model = bm.Model(SLEEP, bm.load_data("sleepstudy"))
    nuts = model.fit(bm.NUTS(draws=1000, chains=2), seed=1, progress=False)
    laplace = model.fit(bm.Laplace(draws=2000), seed=1, progress=False)
    for a, b in zip(scalars(nuts), scalars(laplace), strict=True):
        sd = a.std(axis=0)
        # at least half of NUTS's 2,000 draws are worth an independent one
        assert np.all(np.abs(a.mean(axis=0) - b.mean(axis=0)) < MONTE_CARLO * sd * np.sqrt(1 / 1000 + 1 / 2000))
        assert np.all(np.abs(np.log(b.std(axis=0) / sd)) < 0.15)


def scalars(fit: Any) -> list[np.ndarray]:
    flat = fit.parameters.flat()
    return [
        flat.beta[0],
        *(sd[0] for sd in flat.sds),
        *(b[0].reshape(len(b[0]), -1) for b in flat.b),
        flat.dispersion["sigma"][0][:, None],
    ]


def test_cbpp_is_rstanarms_posterior(reference: Reference) -> None:
    """Effects from normal conditionals: a twelfth of a posterior sd beside Monte Carlo error."""
    priors = {"Intercept_centered": Normal(0, 2.5), "b": Normal(0, 2.5), "sd": Exponential(1)}
    fit = cbpp(priors=FrozenPriors(priors)).fit(bm.Laplace(draws=2000), seed=1, progress=False)
    theirs = reference.result("bayes_rstanarm_cbpp")["fits"][0]["summary"]
    flat = fit.parameters.flat()
    levels = list(fit.ranef()["herd"].index)
    ours = {f"b[(Intercept) herd:{level}]": flat.b[0][0][:, i, 0] for i, level in enumerate(levels)}
    ours |= dict(zip(["(Intercept)", "period2", "period3", "period4"], flat.beta[0].T, strict=True))
    ours["Sigma[herd:(Intercept),(Intercept)]"] = flat.sds[0][0, :, 0] ** 2
    for i, name in enumerate(theirs["variable"]):
        mean, sd, error = (theirs[key][i] for key in ("mean", "sd", "mcse_mean"))
        assert abs(ours[name].mean() - mean) < MONTE_CARLO * np.hypot(error, sd / np.sqrt(2000)) + sd / 12, name
        assert abs(np.log(ours[name].std() / sd)) < 0.12, name


class FrozenPriors(dict):  # type: ignore[type-arg]
    """A dict of priors that a cached function takes."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self))


def arvizs_smoothing(ratios: np.ndarray) -> tuple[np.ndarray, float, float]:
    """ArviZ's log weights and k of log ratios, and how near its generation's conventions let ours come to k."""
    import arviz

    if hasattr(arviz, "psislw"):
        weights, k = arviz.psislw(ratios[None].copy(), normalize=True)
        return np.ravel(weights), float(np.ravel(k)[0]), 1e-6
    from arviz_stats.base import array_stats  # ArviZ 1.x takes log densities and fits the tail with other constants

    weights, k = array_stats.psislw(-ratios)
    return np.ravel(weights), float(np.ravel(k)[0]), 0.15


def test_pareto_smoothing_is_arvizs() -> None:
    rng = np.random.default_rng(5)
    for shape in (0.5, 1.5, 3.0):
        ratios = shape * rng.standard_exponential(1000)
        found = smooth_weights(ratios)
        theirs, k, near = arvizs_smoothing(ratios)
        assert found.k == pytest.approx(k, abs=near)
        np.testing.assert_allclose(found.log_weights, theirs, atol=near)
        assert found.ess == pytest.approx(1 / np.sum(np.exp(2 * theirs)), rel=10 * near)


def test_weights_do_not_know_the_constant_of_the_density() -> None:
    ratios = np.random.default_rng(6).standard_normal(500)
    a, b = smooth_weights(ratios), smooth_weights(ratios + 1e3)
    np.testing.assert_allclose(a.log_weights, b.log_weights, atol=1e-10)
    assert a.k == pytest.approx(b.k, abs=1e-8)


def test_resampling_gives_every_weight_its_share_and_caps_none() -> None:
    rng = np.random.default_rng(7)
    log_weights = np.log(np.array([0.02, 0.1, 0.3, 0.08, 0.2, 0.05, 0.15, 0.1]))
    counts = np.zeros(8)
    for _ in range(4000):
        kept = resample(log_weights, 3, rng)
        assert len(set(kept.tolist())) == 3  # no expected count is above 1
        counts[kept] += 1
    expected = 3 * np.exp(log_weights)
    assert np.all(np.abs(counts / 4000 - expected) < MONTE_CARLO * np.sqrt(0.25 / 4000))
    # drawn without replacement, the first would be one of twenty
    heavy = np.log(np.array([0.5, *[0.5 / 99] * 99]))
    assert np.all(np.bincount(resample(heavy, 20, rng), minlength=100)[0] == 10)


def test_few_binary_rows_per_level_warn_and_many_do_not() -> None:
    few, many = binary(200, 4, sd=2.5), binary(20, 60, sd=0.7)
    shaky = few.fit(bm.Laplace(draws=200), seed=1, progress=False).status
    assert shaky.effect_shift > 0.15
    assert any("not normal given the rest" in problem and "nuts" in problem for problem in shaky.problems)
    assert many.fit(bm.Laplace(draws=200), seed=1, progress=False).status.effect_shift < 0.1


def binary(levels: int, each: int, sd: float) -> bm.Model:
    rng = np.random.default_rng(8)
    g = np.repeat(np.arange(levels), each)
    x = np.tile(np.linspace(-1, 1, each), levels)
    p = 1 / (1 + np.exp(-(x + sd * rng.standard_normal(levels)[g])))
    return bm.Model(
        "y ~ x + (1 | g)",
        pd.DataFrame({"y": (rng.random(len(g)) < p).astype(int), "x": x, "g": g.astype(str)}),
        family="bernoulli",
    )


def test_many_hyperparameters_warn_and_many_coefficients_are_integrated_out() -> None:
    rng = np.random.default_rng(9)
    X = rng.standard_normal((300, 32))
    data = pd.DataFrame(X, columns=[f"x{i}" for i in range(32)]).assign(
        y=rng.poisson(np.exp(0.5 + 0.1 * X[:, 0])), g=(np.arange(300) % 15).astype(str)
    )
    model = bm.Model(f"y ~ {' + '.join(f'x{i}' for i in range(32))} + (1 | g)", data, family="poisson")
    fit = model.fit(bm.Laplace(draws=100), seed=1, progress=False)
    assert "coefficients integrated out" in fit.status.route and "1 hyperparameter" in fit.status.route
    ml = model.fit("ml")
    assert np.all(np.abs(fit.fixef() - ml.fixef()) < 0.6 * ml.coefficients["se"])
    assert not any("hyperparameters: beyond" in problem for problem in fit.status.problems)
    wide = model.replace(priors={"b": StudentT(3, 0, 1)}).fit(bm.Laplace(draws=100), seed=1, progress=False)
    assert any("34 hyperparameters: beyond 30" in problem for problem in wide.status.problems)


def test_the_printout_says_what_it_is_and_whether_to_trust_it() -> None:
    fit = cbpp().fit(bm.Laplace(draws=300), seed=2, progress=False)
    text = str(fit.summary())
    for words in ("Laplace approximation of the posterior", "Pareto k", "No problem of this", "300, independent"):
        assert words in text
    assert "Rhat" not in text
    assert fit.coefficients["rhat"].isna().all()
    weights = fit.idata.sample_stats["log_weight_proposal"]
    assert weights.shape == (1, 300) and bool(np.isfinite(weights).all())


def test_what_cannot_be_approximated_is_refused() -> None:
    with pytest.raises(bm.errors.FitError, match="pool must be a whole number"):
        bm.Laplace(pool=0)
    with pytest.raises(bm.errors.FitError, match="maxiter must be a whole number"):
        bm.Laplace(maxiter=0)
    with pytest.raises(bm.errors.FitError, match=r"not found \(after 1 iterations, the most allowed\)"):
        dyestuff().fit(bm.Laplace(maxiter=1), seed=1, progress=False)
    two = bm.load_data("Dyestuff").query("Batch in ['A', 'B']")
    model = bm.Model("Yield ~ 1 + (1 | Batch)", two, priors="flat")
    with pytest.raises(bm.errors.ModelError, match="improper"):
        model.fit("laplace", seed=1)


def test_a_model_without_groups_and_one_without_hyperparameters() -> None:
    data = bm.load_data("sleepstudy")
    plain = bm.Model("Reaction ~ Days", data).fit(bm.Laplace(draws=200), seed=1, progress=False)
    assert plain.fixef()["Days"] == pytest.approx(10.47, abs=0.5)
    known = bm.Model("Reaction ~ Days", data, constants={"sigma": 47.0}).fit(
        bm.Laplace(draws=200), seed=1, progress=False
    )
    assert np.isnan(known.status.pareto_k) and known.status.problems == ()
    assert known.coefficients.loc["Days", "sd"] == pytest.approx(1.22, rel=0.2)
    counts = bm.Model("incidence ~ period", bm.load_data("cbpp"), family="poisson")
    assert "nothing to integrate out" in counts.fit(bm.Laplace(draws=200), seed=1, progress=False).status.route


def test_proposals_far_beyond_the_data_are_given_up() -> None:
    """Slopes of groups that do not differ: some proposed sds are so large that a level's curvature is singular."""
    rng = np.random.default_rng(13)
    g, f, x = rng.choice([f"g{i}" for i in range(12)], 240), rng.choice(list("abc"), 240), rng.normal(size=240)
    rng.normal(size=240)
    data = pd.DataFrame({"g": g, "f": f, "x": x, "c": rng.poisson(2, 240)})
    fit = bm.Model("c ~ f + x + (x | g)", data, family="poisson").fit(bm.Laplace(draws=100), seed=1, progress=False)
    assert np.all(np.isfinite(fit.parameters.beta)) and abs(fit.fixef()["x"]) < 0.3
