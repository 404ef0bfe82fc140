"""Presets and distributions of priors: the numbers that other packages print, and densities against scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import bayesmixed as bm
from bayesmixed import priors as bp
from bayesmixed.engines.program import build_program
from bayesmixed.priors import LKJ, Decov, Exponential, Flat, HalfNormal, HalfStudentT, Normal, StudentT, distributions

PRINTED = 5e-7  # relative: others print six to ten digits
ALGEBRA = 1e-9  # the same formula in float64 twice
CHANCE = 1e-3  # of a Kolmogorov-Smirnov test at a fixed seed
DRAWS = 20_000
SLEEP = bm.load_data("sleepstudy")
SLEEP["late"] = (SLEEP["Days"] > 5).astype(float)
SLEEP["third"] = (SLEEP["Days"] % 3).map({0: "a", 1: "b", 2: "c"})
SLOPES = "Reaction ~ Days + (Days | Subject)"


def preset(name: str, formula: str, data: str | None = None) -> bp.Priors:
    return bm.Model(formula, SLEEP if data is None else bm.load_data(data), priors=name).priors


def about(value: float) -> Any:
    return pytest.approx(value, rel=PRINTED)


# brms 2.18, get_prior(): the same numbers as brms 2.23.
BRMS = [
    (SLOPES, None, 288.7, 59.3),
    ("Reaction ~ Days + offset(10 * Days) + (Days | Subject)", None, 243.7, 59.3),
    ("score ~ Machine + (1 + Machine | Worker)", "Machines", 61.6, 8.5),
    ("Yield ~ 1 + (1 | Batch)", "Dyestuff", 1530.0, 85.2),
    ("strength ~ 1 + (1 | batch/cask)", "Pastes", 59.3, 3.6),
]


@pytest.mark.parametrize(("formula", "data", "location", "scale"), BRMS)
def test_brms_prints_these_numbers(formula, data, location, scale):
    found = dict(preset("brms", formula, data))
    assert found.pop("Intercept_centered") == StudentT(3.0, about(location), about(scale))
    for name, prior in found.items():
        if name.endswith("_corr"):
            assert prior.concentration == 1.0
        else:
            assert prior == (HalfStudentT(3.0, about(scale)) if name.endswith("sigma") else Flat())


# rstanarm 2.21.3, prior_summary(stan_lmer(...)): adjusted scales, sigma's as the mean of its exponential.
RSTANARM = [
    (SLOPES, None, (298.5079, 140.8219), {"Days": 48.89151175}, 56.32875713),
    (
        "Reaction ~ Days + late + third + (1 | Subject)", None, (298.5079, 140.8219),
        {"Days": 48.89151175, "late": 286.65189657, "third[b]": 306.4437675, "third[c]": 306.4437675}, 56.32875713,
    ),
    (
        "Reaction ~ 0 + third + Days + (Days || Subject)", None, None,
        {"third[a]": 286.65189657, "third[b]": 306.4437675, "third[c]": 306.4437675, "Days": 48.89151175}, 56.32875713,
    ),
    (
        "score ~ Machine + (1 + Machine | Worker)", "Machines", (59.65, 20.19065),
        {"Machine[B]": 42.43239108, "Machine[C]": 42.43239108}, 8.076258007,
    ),
    ("Yield ~ 1 + (1 | Batch)", "Dyestuff", (1527.5, 157.5592), {}, 63.02366824),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "data", "intercept", "slopes", "sigma"), RSTANARM)
def test_rstanarm_prints_these_numbers(formula, data, intercept, slopes, sigma):
    found = dict(preset("rstanarm", formula, data))
    expected: dict[str, Any] = {name: Normal(0.0, about(scale)) for name, scale in slopes.items()}
    if intercept:
        expected["Intercept_centered"] = Normal(*(about(number) for number in intercept))
    expected["sigma"] = Exponential(about(1 / sigma))
    blocks = {name for name in found if name.endswith("_cov")}
    assert len(blocks) == 1 and all(found.pop(name) == Decov(1.0, 1.0, 1.0, 1.0) for name in blocks)
    assert found == expected


# bambi 0.17.2, printing the built model.
BAMBI = [
    (
        SLOPES, None, (298.50789167, 261.00924843), {"Days": 48.89151175},
        {"1|Subject_sigma": 261.00924843, "Days|Subject_sigma": 48.89151175}, 56.17207043,
    ),
    (
        "Reaction ~ Days + late + third + (1 | Subject)", None, (298.50789167, 313.33100423),
        {"Days": 48.89151175, "late": 286.65189657, "third[b]": 306.4437675, "third[c]": 306.4437675},
        {"1|Subject_sigma": 313.33100423}, 56.17207043,
    ),
    (
        "Reaction ~ Days * late + (Days | Subject)", None, (298.50789167, 306.51340589),
        {"Days": 48.89151175, "late": 286.65189657, "Days:late": 37.53154326},
        {"1|Subject_sigma": 306.51340589, "Days|Subject_sigma": 48.89151175}, 56.17207043,
    ),
    (
        "Reaction ~ 0 + third + Days + (Days | Subject)", None, None,
        {"third[a]": 286.65189657, "third[b]": 306.4437675, "third[c]": 306.4437675, "Days": 48.89151175},
        {"1|Subject_sigma": 313.33100423, "Days|Subject_sigma": 48.89151175}, 56.17207043,
    ),
    (
        "score ~ Machine + (0 + Machine | Worker)", "Machines", (59.65, 28.28826072),
        {"Machine[B]": 42.43239108, "Machine[C]": 42.43239108},
        {f"Machine[{level}]|Worker_sigma": 42.43239108 for level in "ABC"}, 8.00112839,
    ),
    (
        "score ~ Machine + (1 | Worker/Machine)", "Machines", (59.65, 28.28826072),
        {"Machine[B]": 42.43239108, "Machine[C]": 42.43239108},
        {"1|Worker_sigma": 28.28826072, "1|Worker:Machine_sigma": 28.28826072}, 8.00112839,
    ),
    (
        "Yield ~ 1 + (1 | Batch)", "Dyestuff", (1527.5, 154.91092871), {},
        {"1|Batch_sigma": 154.91092871}, 61.96437148,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "data", "intercept", "slopes", "sds", "sigma"), BAMBI)
def test_bambi_prints_these_numbers(formula, data, intercept, slopes, sds, sigma):
    found = {name: prior for name, prior in preset("bambi", formula, data).items() if not name.endswith("_corr")}
    expected: dict[str, Any] = {name: Normal(0.0, about(scale)) for name, scale in slopes.items()}
    if intercept:
        expected["Intercept_centered"] = Normal(*(about(number) for number in intercept))
    expected |= {name: HalfNormal(about(scale)) for name, scale in sds.items()}
    assert found == expected | {"sigma": HalfStudentT(4.0, about(sigma))}


def test_bambi_lacks_correlations_and_gets_uniform_ones():
    assert preset("bambi", SLOPES)["Subject_corr"] == LKJ(1.0, 2)


# The density of every preset, on a model with every sort of parameter, from the columns of the table alone.

Y, DAYS = SLEEP["Reaction"], SLEEP["Days"]
INTERCEPT, SLOPE, SIGMA = 290.0, 9.0, 24.0
TAU, SHARES = 1.3, np.array([0.8, 0.2])
RHO = 0.3
SDS = SIGMA * TAU * np.sqrt(2 * SHARES)
U = np.random.default_rng(1).standard_normal((18, 2))
CORRELATION_FACTOR = np.array([[1.0, 0.0], [RHO, np.sqrt(1 - RHO**2)]])


def half_t(x: Any, df: float, scale: Any) -> float:
    return float(np.sum(np.log(2) + stats.t(df, 0, scale).logpdf(x)))


def lkj(factor: np.ndarray, concentration: float) -> float:
    """log density of the Cholesky factor of an LKJ matrix: Lewandowski et al. (2009), eq. 16, times the Jacobian."""
    k = len(factor)
    constant = 0.0
    for j in range(1, k):
        a = concentration + (k - j - 1) / 2
        constant += (2 * concentration - 2 + k - j) * (k - j) * np.log(2) + (k - j) * special.betaln(a, a)
    row = np.arange(1, k + 1)
    return float(np.sum((2 * (concentration - 1) + k - row) * np.log(np.diag(factor))) - constant)


def expected_density(name: str) -> float:
    """log density of the priors of `SLOPES` at the values above."""
    m, s, s_x = Y.mean(), Y.std(), DAYS.std()
    normal = stats.norm(m, 2.5 * s).logpdf(INTERCEPT) + stats.norm(0, 2.5 * s / s_x).logpdf(SLOPE)
    at = stats.norm(0, 2.5 * s / s_x)
    wide = np.hypot(2.5 * Y.std(ddof=0), 2.5 * s / s_x * DAYS.mean())
    decov = stats.gamma(1.0).logpdf(TAU) + stats.dirichlet([1, 1]).logpdf(SHARES) + lkj(CORRELATION_FACTOR, 1.0)
    gamma = stats.gamma(2.5, scale=np.array([s, s / s_x]) / 1.5).logpdf(SDS).sum()
    uniform, lkj2 = lkj(CORRELATION_FACTOR, 1.0), lkj(CORRELATION_FACTOR, 2.0)
    shared = np.array([s, s / s_x]) / np.sqrt(2)  # the columns of a factor share its spread
    return {
        "default": normal + stats.halfnorm(scale=shared).logpdf(SDS).sum() + lkj2 + half_t(SIGMA, 3, s),
        "cautious": normal + half_t(SDS, 3, shared) + lkj2 + half_t(SIGMA, 3, s),
        "boundary_avoiding": normal + gamma + lkj2 + half_t(SIGMA, 3, s),
        "flat": uniform,
        "brms": stats.t(3, 288.7, 59.3).logpdf(INTERCEPT) + half_t([*SDS, SIGMA], 3, 59.3) + uniform,
        "rstanarm": normal + decov + stats.expon(scale=s).logpdf(SIGMA),
        "bambi": stats.norm(m, wide).logpdf(INTERCEPT)
        + at.logpdf(SLOPE)
        + stats.halfnorm(scale=[wide, 2.5 * s / s_x]).logpdf(SDS).sum()
        + uniform
        + half_t(SIGMA, 4, Y.std(ddof=0)),
    }[name]


def log_density(program: bm.Program, values: dict[str, Any]) -> float:
    from numpyro.infer.util import log_density as joint

    with bm.x64():
        return float(joint(program.function, (), program.data, values)[0])


def conditional(factor: np.ndarray, centered: bool = True) -> float:
    """log density of the response given spherical effects `U`, and of those; lines about the mean of Days, or 0."""
    b = (U @ factor.T)[SLEEP["Subject"].astype("category").cat.codes]
    mu = INTERCEPT + SLOPE * (DAYS - DAYS.mean()) + b[:, 0] + b[:, 1] * (DAYS - centered * DAYS.mean())
    return float(stats.norm(mu, SIGMA).logpdf(Y).sum() + stats.norm.logpdf(U).sum())


@pytest.mark.parametrize("name", sorted(bp.PRESETS))
def test_the_density_of_every_preset_is_the_formula(name):
    program = build_program(bm.Model(SLOPES, SLEEP, priors=name), False)
    values = {
        "Intercept_centered": INTERCEPT, "b": np.array([SLOPE]), "Subject_sigma": SDS, "Subject_cov_tau": [TAU],
        "Subject_cov_shares": SHARES, "Subject_corr": CORRELATION_FACTOR, "Subject_u": U, "sigma": SIGMA,
    }  # fmt: skip
    values = {site: np.asarray(values[site]) for site in program.sites}
    as_typed = name in ("brms", "rstanarm", "bambi")  # as those packages do
    expected = conditional(SDS[:, None] * CORRELATION_FACTOR, not as_typed) + expected_density(name)
    assert log_density(program, values) == pytest.approx(expected, rel=ALGEBRA)


def sampled(program: bm.Program, values: dict[str, Any]) -> dict[str, Any]:
    from numpyro import handlers

    with bm.x64(), handlers.seed(rng_seed=0), handlers.substitute(data=values):
        return program.function.parameters(**program.data)


@pytest.mark.parametrize("collapsed", ["full", False])
def test_decov_makes_sds_of_sigma_a_total_and_shares(collapsed):
    program = build_program(bm.Model(SLOPES, SLEEP, priors={"cov": Decov(2.0, 3.0, 4.0, 0.5)}), collapsed)
    values = {"Subject_cov_tau": np.array([TAU]), "Subject_cov_shares": SHARES, "sigma": np.float64(SIGMA)}
    found = sampled(program, values | {"Subject_corr": CORRELATION_FACTOR})
    np.testing.assert_allclose(np.linalg.norm(found["factors"][0], axis=1), SDS, rtol=ALGEBRA)
    np.testing.assert_allclose(found["factors"][0], SDS[:, None] * CORRELATION_FACTOR, rtol=ALGEBRA, atol=1e-12)


def test_the_numbers_of_decov_are_those_of_its_parts():
    """Joint density of total, shares and correlation, against scipy, at numbers that are all different."""
    model = bm.Model(SLOPES, SLEEP, priors={"Subject_cov": Decov(2.0, 3.0, 4.0, 0.5)})
    program = build_program(model, False)
    values = {
        "Intercept_centered": INTERCEPT, "b": np.array([SLOPE]), "Subject_cov_tau": np.array([TAU]),
        "Subject_cov_shares": SHARES, "Subject_corr": CORRELATION_FACTOR, "Subject_u": U, "sigma": SIGMA,
    }  # fmt: skip
    s, s_x = Y.std(), DAYS.std()
    expected = (
        conditional(SDS[:, None] * CORRELATION_FACTOR, centered=False)
        + stats.norm(Y.mean(), 2.5 * s).logpdf(INTERCEPT)
        + stats.norm(0, 2.5 * s / s_x).logpdf(SLOPE)
        + stats.gamma(4.0, scale=0.5).logpdf(TAU)
        + stats.dirichlet([3.0, 3.0]).logpdf(SHARES)
        + lkj(CORRELATION_FACTOR, 2.0)
        + half_t(SIGMA, 3, s)
    )
    assert log_density(program, values) == pytest.approx(expected, rel=ALGEBRA)


def test_decov_of_an_uncorrelated_block_is_that_of_its_separate_terms():
    together = build_program(bm.Model("Reaction ~ Days + (Days || Subject)", SLEEP, priors={"cov": Decov()}))
    apart = build_program(
        bm.Model("Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)", SLEEP, priors={"cov": Decov()})
    )
    taus = np.array([1.1, 0.3])
    one = log_density(together, {"Subject_cov_tau": taus, "sigma": SIGMA})
    two = {"Subject_cov_tau": taus[:1], "Subject#2_cov_tau": taus[1:], "sigma": SIGMA}
    assert one == pytest.approx(log_density(apart, two), rel=ALGEBRA)


@pytest.mark.parametrize("correlated", [True, False])
def test_parts_of_decov_are_found_from_sds(correlated):
    sds = np.array([3.0, 0.2, 7.0])
    parts = Decov.parts_at(sds, 2.5, correlated)
    np.testing.assert_allclose(Decov.sds(parts, 2.5), sds, rtol=ALGEBRA)
    drawn = {name: part.draw(np.random.default_rng(1), 5) for name, part in Decov().parts(3, correlated).items()}
    assert Decov.sds(drawn, np.ones((5, 1))).shape == (5, 3)


# Every distribution of bm.priors: density, quantiles, draws.

DISTRIBUTIONS = [
    (Normal(1.0, 2.0), stats.norm(1.0, 2.0)),
    (StudentT(3.0, 1.0, 2.0), stats.t(3.0, 1.0, 2.0)),
    (bp.Cauchy(1.0, 2.0), stats.cauchy(1.0, 2.0)),
    (bp.Laplace(1.0, 2.0), stats.laplace(1.0, 2.0)),
    (bp.Uniform(0.5, 3.0), stats.uniform(0.5, 2.5)),
    (HalfNormal(2.0), stats.halfnorm(scale=2.0)),
    (bp.HalfCauchy(2.0), stats.halfcauchy(scale=2.0)),
    # scipy has no half Student-t: that of 3 degrees of freedom is the root of an F(1, 3), scaled.
    (HalfStudentT(3.0, 2.0), None),
    (Exponential(0.5), stats.expon(scale=2.0)),
    (bp.Gamma(2.5, 1.5), stats.gamma(2.5, scale=1 / 1.5)),
    (bp.InverseGamma(2.5, 1.5), stats.invgamma(2.5, scale=1.5)),
    (bp.LogNormal(0.3, 0.6), stats.lognorm(0.6, scale=np.exp(0.3))),
    (bp.Lomax(0.5, 2.0), stats.lomax(0.5, scale=2.0)),
    (bp.Beta(2.0, 3.0, 0.5, 3.0), stats.beta(2.0, 3.0, 0.5, 2.5)),
]
POINTS = np.array([0.6, 1.0, 2.9])
P = np.array([0.001, 0.025, 0.3, 0.5, 0.9, 0.999])
named = pytest.mark.parametrize(("prior", "scipy"), DISTRIBUTIONS, ids=[type(p).__name__ for p, _ in DISTRIBUTIONS])


@named
def test_densities_equal_scipy(prior, scipy):
    with bm.x64():
        found = np.asarray(prior.numpyro().log_prob(POINTS))
    expected = np.log(2) + stats.t(3.0, 0, 2.0).logpdf(POINTS) if scipy is None else scipy.logpdf(POINTS)
    np.testing.assert_allclose(found, expected, rtol=ALGEBRA)


@named
def test_quantiles_equal_scipy(prior, scipy):
    expected = 2.0 * np.sqrt(stats.f(1, 3).ppf(P)) if scipy is None else scipy.ppf(P)
    np.testing.assert_allclose(prior.quantile(P), expected, rtol=ALGEBRA, atol=1e-12)
    drawn = prior.draw(np.random.default_rng(1), DRAWS)
    cdf = (lambda x: stats.f(1, 3).cdf((x / 2.0) ** 2)) if scipy is None else scipy.cdf
    assert stats.kstest(drawn, cdf).pvalue > CHANCE


def test_every_distribution_is_tested():
    tested = {type(prior) for prior, _ in DISTRIBUTIONS} | {Flat, LKJ, Decov, distributions.Dirichlet}
    public = {value for value in vars(bp).values() if isinstance(value, type) and issubclass(value, bp.Prior)}
    assert public - {bp.Prior} <= tested


@pytest.mark.parametrize("k", [2, 3, 4])
@pytest.mark.parametrize("concentration", [1.0, 2.5])
def test_lkj_density_quantiles_and_draws(k, concentration):
    prior = LKJ(concentration, k)
    drawn = prior.draw(np.random.default_rng(k), DRAWS)
    factor = drawn[0]
    with bm.x64():
        assert float(prior.numpyro().log_prob(factor)) == pytest.approx(lkj(factor, concentration), rel=ALGEBRA)
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=2), 1.0, rtol=ALGEBRA)
    a = concentration + (k - 2) / 2
    marginal = stats.beta(a, a, loc=-1, scale=2)
    np.testing.assert_allclose(prior.quantile(P), marginal.ppf(P), rtol=ALGEBRA, atol=1e-12)
    correlations = drawn @ np.swapaxes(drawn, 1, 2)
    for i, j in zip(*np.tril_indices(k, -1), strict=True):
        assert stats.kstest(correlations[:, i, j], marginal.cdf).pvalue > CHANCE


def test_dirichlet_density_quantiles_and_draws():
    concentration = np.array([1.0, 2.0, 0.5])
    prior, x = distributions.Dirichlet(concentration), np.array([0.2, 0.5, 0.3])
    with bm.x64():
        assert float(prior.numpyro().log_prob(x)) == pytest.approx(
            stats.dirichlet(concentration).logpdf(x), rel=ALGEBRA
        )
    marginals = [stats.beta(a, concentration.sum() - a) for a in concentration]
    np.testing.assert_allclose(prior.quantile(P).T, [m.ppf(P) for m in marginals], rtol=ALGEBRA)
    drawn = prior.draw(np.random.default_rng(1), DRAWS)
    assert all(stats.kstest(drawn[:, j], m.cdf).pvalue > CHANCE for j, m in enumerate(marginals))


def test_a_flat_prior_has_no_quantiles():
    assert np.isnan(Flat().quantile(P)).all() and not Flat("positive").proper


# What the pages say.


def test_the_page_of_priors_is_in_the_units_of_the_response():
    page = str(bm.Model(SLOPES, SLEEP).prior_summary())
    row = next(line for line in page.splitlines() if line.startswith(" Days|Subject_sigma")).split()
    scale = Y.std() / DAYS.std() / np.sqrt(2)
    quantiles = stats.halfnorm(scale=scale).ppf([0.5, 0.025, 0.975])
    assert [float(text) for text in row[-3:]] == pytest.approx(quantiles, rel=5e-3)
    assert "half-Normal(0, 13.83)" in page and "Reaction per unit of Days" in page
    assert f"Reaction has sd {Y.std():.1f}" in page and "those of Subject's line at the mean, Days = 4.5" in page


def test_the_implied_sd_of_the_response_is_that_of_all_its_parts():
    """The root of the mean square of prior predictive tables' variances, from 4,000 of them."""
    model = bm.Model(SLOPES, SLEEP)
    found = quantiles(model, (0.05, 0.5, 0.95))["", "response"]
    tables = model.prior_predictive(4000, seed=1).prior_predictive["Reaction"].to_numpy()[0]
    # A table of 18 subjects has a smaller or larger spread than its expectation: hence the width of the tolerance.
    np.testing.assert_allclose(found, np.quantile(tables.std(axis=1), [0.05, 0.5, 0.95]), rtol=0.12)
    assert "sd over rows" in str(model) and "sd over rows" in str(model.prior_summary())


def quantiles(model: bm.Model, p: Any = (0.05, 0.5, 0.95)) -> dict[tuple[str, str], np.ndarray]:
    from bayesmixed.describe.implied import draw, implied

    return {(row.factor, row.quantity): np.array(row.quantiles(p)) for row in implied(model, draw(model))}


def test_the_implied_spread_of_an_intercept_is_its_sd_and_the_share_follows():
    priors = {"1|Subject_sigma": HalfNormal(30.0)}
    found = quantiles(bm.Model("Reaction ~ Days + (1 | Subject)", SLEEP, priors=priors, constants={"sigma": 20.0}))
    sd = stats.halfnorm(scale=30.0).ppf([0.05, 0.5, 0.95])
    # The error of a quantile from 10,000 draws is below 2 % here, except near zero.
    np.testing.assert_allclose(found["Subject", "spread"], sd, rtol=0.05, atol=0.3)
    np.testing.assert_allclose(found["Subject", "share"], sd**2 / (sd**2 + 400), atol=0.02)


def test_the_implied_spread_does_not_depend_on_units_of_columns():
    """The default is scaled to columns, and the draws are seeded, so that not even chance differs."""
    once, hours = (quantiles(bm.Model(SLOPES, SLEEP.assign(Days=f * DAYS))) for f in (1.0, 24.0))
    for key, values in once.items():
        np.testing.assert_allclose(hours[key], values, rtol=ALGEBRA)


def test_two_bars_of_one_factor_add_their_variances_and_shares_add_up():
    """Independent terms written as one bar or as two: the same draws, hence the same spread."""
    one, two = (
        quantiles(bm.Model(f"Reaction ~ Days + {bars}", SLEEP))
        for bars in ("(Days || Subject)", "(1 | Subject) + (0 + Days | Subject)")
    )
    for key, values in one.items():
        np.testing.assert_allclose(two[key], values, rtol=ALGEBRA)


def test_a_flat_prior_leaves_what_depends_on_it_undefined_by_name():
    model = bm.Model(SLOPES, SLEEP, priors={"sigma": Flat("positive")})
    page = str(model.prior_summary())
    assert "share of variance (ICC) not defined: flat prior on sigma" in page
    flat = str(bm.Model(SLOPES, SLEEP, priors="flat").prior_summary())
    assert (
        "not defined: flat prior on 1|Subject_sigma, Days|Subject_sigma" in flat and "draws of the priors" not in flat
    )
    decov = str(bm.Model(SLOPES, SLEEP, priors={"cov": Decov(), "sigma": Flat("positive")}))
    assert "Subject: not defined: flat prior on sigma" in decov


@pytest.mark.parametrize("name", sorted(bp.PRESETS))
def test_a_printed_model_shows_every_prior_and_what_they_imply(name):
    model = bm.Model(SLOPES, SLEEP, priors=name)
    text = str(model)
    assert all(prior.describe() in text for prior in model.priors.values())
    assert "Implied together" in text and "95 % between" in text
    assert pd.Series(["1|Subject_sigma", "Days|Subject_sigma", "Subject_corr"]).map(text.__contains__).all()
