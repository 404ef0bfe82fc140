"""What every family must do with every link it takes: found through the registry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy import stats

import bayesmixed as bm
from bayesmixed.families import FAMILIES, LINKS, Derivatives, Family, Observed, family, link
from bayesmixed.families.numeric.arrays import jax_arrays

DENSITY = 1e-10  # the same formula in two libraries, some of which cancel in log Gamma
NUMPYRO = 1e-6  # its log Beta is right to seven digits for small counts; ours is compared with scipy above
SLOPE = 2e-6  # of central differences at steps of 1e-5, relative to the largest of an array
LIMIT = 1e-5  # of what vanishes like 1 / 1e7
N = 40_000
CHANCE = 1e-4  # of a Kolmogorov-Smirnov test with a fixed seed
STEP = 1e-5

DISPERSION = {
    "sigma": 0.8, "nu": 5.0, "alpha": 2.5, "lam": 3.0, "phi": 4.0
}  # fmt: skip
ORACLES: dict[str, Any] = {
    "gaussian": lambda mu, d, m: stats.norm(mu, d["sigma"]),
    "student": lambda mu, d, m: stats.t(d["nu"], mu, d["sigma"]),
    "bernoulli": lambda mu, d, m: stats.bernoulli(mu),
    "binomial": lambda mu, d, m: stats.binom(m, mu),
    "betabinomial": lambda mu, d, m: stats.betabinom(m, mu * d["phi"], (1 - mu) * d["phi"]),
    "poisson": lambda mu, d, m: stats.poisson(mu),
    "negbinomial": lambda mu, d, m: stats.nbinom(d["alpha"], d["alpha"] / (d["alpha"] + mu)),
    "negbinomial1": lambda mu, d, m: stats.nbinom(mu / d["phi"], 1 / (1 + d["phi"])),
    "gamma": lambda mu, d, m: stats.gamma(d["alpha"], scale=mu / d["alpha"]),
    "inverse_gaussian": lambda mu, d, m: stats.invgauss(mu / d["lam"], scale=d["lam"]),
    "beta": lambda mu, d, m: stats.beta(mu * d["phi"], (1 - mu) * d["phi"]),
    "lognormal": lambda mu, d, m: stats.lognorm(d["sigma"], scale=np.exp(mu)),
}
PSYCHOPHYSICS = {"bernoulli", "binomial", "betabinomial", "beta"}


@dataclass(frozen=True)
class Case:
    """A family with a link, linear predictors in its domain, and a response drawn there."""

    kind: Family
    eta: np.ndarray
    mu: np.ndarray
    seen: Observed
    dispersion: dict[str, float]

    @property
    def trials(self) -> np.ndarray | None:
        return self.seen.trials


def case(kind: Family, n: int = 30, at: float | None = None) -> Case:
    low, high = max(kind.mean_range[0], kind.link.range[0]), min(kind.mean_range[1], kind.link.range[1])
    low, high = (low if np.isfinite(low) else -1.5), (high if np.isfinite(high) else 3.0)
    mu = np.linspace(low, high, n + 2)[1:-1] if at is None else np.full(n, low + at * (high - low))
    d = {name: DISPERSION[name] for name in kind.dispersion}
    trials = np.resize([1.0, 4.0, 25.0], n) if kind.takes_trials else None
    y = kind.draw(np.random.default_rng(5), mu, d, None, trials)
    return Case(kind, kind.link.forward(mu), mu, Observed(y, None, trials), d)


def cases() -> Iterator[Any]:
    for name, kind in FAMILIES.items():
        for chosen in kind.links:
            yield pytest.param(family(name, chosen), id=f"{name}-{chosen}")
        if name in PSYCHOPHYSICS:
            for chosen in (bm.links.logit(0.5, 0.02), bm.links.probit(0.25, 0.0), bm.links.cloglog(0.0, 0.1)):
                yield pytest.param(family(name, chosen), id=f"{name}-{chosen.name} with asymptotes")


with_links = pytest.mark.parametrize("kind", list(cases()))
alone = pytest.mark.parametrize("kind", [pytest.param(family(name), id=name) for name in FAMILIES])


def close(found: Any, expected: Any, tolerance: float) -> None:
    scale = max(1.0, float(np.max(np.abs(expected))))
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * scale)


@alone
def test_every_family_has_an_oracle(kind: Family) -> None:
    assert kind.name in ORACLES
    assert kind.link.name == kind.links[0]


@with_links
def test_the_density_is_scipys(kind: Family) -> None:
    c = case(kind)
    oracle = ORACLES[kind.name](c.mu, c.dispersion, c.trials)
    expected = oracle.logpmf(c.seen.y) if kind.discrete else oracle.logpdf(c.seen.y)
    np.testing.assert_allclose(kind.log_density(c.seen, c.eta, c.dispersion), expected, rtol=DENSITY, atol=DENSITY)


@with_links
def test_derivatives_in_eta_are_those_of_differences(kind: Family) -> None:
    c = case(kind)
    found = kind.derivatives(c.seen, c.eta, c.dispersion, 3)
    step = STEP * np.maximum(np.abs(c.eta), 0.1)
    up = kind.derivatives(c.seen, c.eta + step, c.dispersion, 3)
    down = kind.derivatives(c.seen, c.eta - step, c.dispersion, 3)
    close(found.g, (up.kernel - down.kernel) / (2 * step), SLOPE)
    close(found.V, -(up.g - down.g) / (2 * step), SLOPE)
    close(found.dV, (up.V - down.V) / (2 * step), SLOPE)


def on_predictors(c: Case, eta: Any, name: str, away: float) -> Derivatives:
    """All derivatives in linear predictors, that of one parameter moved from where its value is the case's."""
    parameters = {each.name: each for each in c.kind.others}
    predictors = {each: np.full(len(c.eta), parameters[each].link.forward(c.dispersion[each])) for each in parameters}
    predictors[name] = predictors[name] + away
    steps = {each: parameters[each].link.mean_steps(at) for each, at in predictors.items()}
    found = c.kind.derivatives(c.seen, eta, {each: step[0] for each, step in steps.items()}, 3)
    return found.on_predictors({each: step[1:] for each, step in steps.items()})


@with_links
def test_derivatives_by_predictor_and_pair_are_those_of_differences(kind: Family) -> None:
    c = case(kind)
    step = STEP * np.maximum(np.abs(c.eta), 0.1)
    for name in kind.dispersion:
        found = on_predictors(c, c.eta, name, 0.0)
        up, down = (on_predictors(c, c.eta, name, sign * STEP) for sign in (1, -1))
        close(found.slope(name), (up.kernel - down.kernel) / (2 * STEP), SLOPE)
        close(found.curvature("mu", name), -(up.g - down.g) / (2 * STEP), SLOPE)
        close(found.third("mu", "mu", name), (up.V - down.V) / (2 * STEP), SLOPE)
        # the other order: pairs are symmetric
        right, left = (on_predictors(c, c.eta + sign * step, name, 0.0) for sign in (1, -1))
        close(found.curvature(name, "mu"), -(right.slope(name) - left.slope(name)) / (2 * step), SLOPE)
        change = (right.curvature("mu", name) - left.curvature("mu", name)) / (2 * step)
        close(found.third("mu", name, "mu"), change, SLOPE)


@with_links
def test_lower_orders_agree_with_the_highest(kind: Family) -> None:
    c = case(kind)
    full = kind.derivatives(c.seen, c.eta, c.dispersion, 3)
    for order in (0, 1, 2):
        part = kind.derivatives(c.seen, c.eta, c.dispersion, order)
        np.testing.assert_allclose(part.kernel, full.kernel, rtol=DENSITY, atol=DENSITY)
        for name in ("g", "V")[:order]:
            np.testing.assert_allclose(getattr(part, name), getattr(full, name), rtol=DENSITY, atol=DENSITY)
        if order == 1:
            for name in kind.dispersion:
                close(part.slope(name), full.slope(name), DENSITY)


@with_links
def test_jax_and_numpy_say_the_same(kind: Family) -> None:
    c = case(kind, 6)
    with bm.x64():
        theirs = kind.derivatives(c.seen, c.eta, c.dispersion, 3, jax_arrays())
        constant = np.asarray(kind.constant(c.seen, jax_arrays()))
    ours = kind.derivatives(c.seen, c.eta, c.dispersion, 3)
    for name in ("kernel", "g", "V", "dV"):
        close(np.asarray(getattr(theirs, name)), getattr(ours, name), DENSITY)
    assert set(ours.others) == set(theirs.others)
    for names, mine in ours.others.items():
        close(np.asarray(theirs.others[names]), mine, DENSITY)
    np.testing.assert_allclose(constant, kind.constant(c.seen), rtol=DENSITY, atol=DENSITY)


@alone
def test_the_numpyro_distribution_has_the_same_density(kind: Family) -> None:
    c = case(kind, 6)
    for weights in (None, np.linspace(0.5, 3.0, 6)):
        seen = c.seen._replace(weights=weights)
        with bm.x64():
            theirs = np.asarray(kind.distribution(c.mu, c.dispersion, weights, c.trials).log_prob(c.seen.y))
        if kind.weights == "frequency" and weights is not None:
            theirs = weights * theirs
        found = kind.log_density(seen, c.eta, c.dispersion)
        np.testing.assert_allclose(found, theirs, rtol=NUMPYRO, atol=NUMPYRO)


@alone
def test_a_frequency_weight_of_two_is_the_row_twice_and_a_precision_of_four_halves_the_sd(kind: Family) -> None:
    c = case(kind, 6)
    if kind.weights == "frequency":
        once, twice = (c.seen._replace(weights=np.full(6, w)) for w in (1.0, 2.0))
        ones = kind.derivatives(once, c.eta, c.dispersion, 3)
        double = kind.derivatives(twice, c.eta, c.dispersion, 3)
        for name in ("kernel", "g", "V", "dV"):
            np.testing.assert_allclose(getattr(double, name), 2 * getattr(ones, name))
        np.testing.assert_allclose(kind.constant(twice), 2 * kind.constant(c.seen))
    else:
        half = kind.log_density(c.seen, c.eta, c.dispersion | {"sigma": c.dispersion["sigma"] / 2})
        weighted = kind.log_density(c.seen._replace(weights=np.full(6, 4.0)), c.eta, c.dispersion)
        np.testing.assert_allclose(weighted, half, rtol=DENSITY)


@alone
def test_draws_have_the_stated_mean_and_sd(kind: Family) -> None:
    mu, m = case(kind, 1, at=0.4).mu, 7.0 if kind.takes_trials else None
    c = case(kind, N, at=0.4)
    trials = None if m is None else np.full(N, m)
    y = kind.draw(np.random.default_rng(1), c.mu, c.dispersion, None, trials)
    y = y if m is None else y / m
    sd = float(kind.sd(mu, c.dispersion, None, m)[0])
    assert y.mean() == pytest.approx(kind.mean(mu, c.dispersion)[0], abs=4 * sd / np.sqrt(N))
    assert y.std() == pytest.approx(sd, rel=0.08)  # the fourth moment of a lognormal leaves 1.5 %


@alone
def test_the_distribution_function_is_scipys(kind: Family) -> None:
    c = case(kind)
    oracle = ORACLES[kind.name](c.mu, c.dispersion, c.trials)
    found = kind.cdf(c.seen.y, c.mu, c.dispersion, None, c.trials)
    np.testing.assert_allclose(found, oracle.cdf(c.seen.y), rtol=1e-8, atol=1e-12)


@alone
def test_quantile_residuals_of_the_right_model_are_standard_normal(kind: Family) -> None:
    c = case(kind, 3000)
    scores = kind.quantile_residuals(c.seen, c.mu, c.dispersion, np.random.default_rng(2))
    assert stats.kstest(scores, "norm").pvalue > CHANCE


@alone
def test_starts_are_near_what_the_response_was_drawn_with(kind: Family) -> None:
    c = case(kind, 4000)
    found = kind.start(c.seen, c.mu)
    assert set(found) == set(kind.dispersion)
    for name, value in found.items():
        assert c.dispersion[name] / 3 < value < c.dispersion[name] * 3


@alone
def test_deviance_residuals_are_zero_at_the_saturated_fit_or_an_error_names_others(kind: Family) -> None:
    c = case(kind)
    try:
        found = kind.deviance_residuals(c.seen, c.mu, c.dispersion)
    except bm.errors.FitError as error:
        assert "quantile" in str(error)  # noqa: PT017 either answer is right
        return
    share = c.seen.y if c.trials is None else c.seen.y / c.trials
    assert np.all(np.sign(found) == np.sign(share - c.mu))
    inside = (share > 0) & ((share < 1) | (kind.mean_range[1] > 1))
    saturated = kind.unit_deviance(c.seen, np.where(inside, share, c.mu), c.dispersion)
    np.testing.assert_allclose(saturated[inside], 0.0, atol=1e-9)


@with_links
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nothing_is_nan_far_in_the_tails(kind: Family) -> None:
    low, high = kind.eta_range
    far = np.array([-700.0, -40.0, -8.0, -1e-8, 1e-8, 8.0, 40.0, 700.0])
    far = far[(far > low) & (far < high)]
    c = case(kind)
    for y in (c.seen.y.min(), c.seen.y.max()):
        trials = np.full(len(far), 25.0) if kind.takes_trials else None
        seen = Observed(np.full(len(far), y), None, trials)
        found = kind.derivatives(seen, far, c.dispersion, 3)
        for values in (found.kernel, found.g, found.V, *(found.slope(name) for name in kind.dispersion)):
            assert not np.isnan(values).any()


LOGIT = ("bernoulli", "binomial", "betabinomial", "beta")
LOG = ("poisson", "negbinomial", "negbinomial1", "gamma")
STAYS_FINITE = [(name, "logit") for name in LOGIT] + [(name, "log") for name in LOG] + [("bernoulli", "probit")]


@pytest.mark.parametrize(("name", "chosen"), STAYS_FINITE)
def test_log_densities_and_slopes_stay_finite_where_numbers_can_hold_them(name: str, chosen: str) -> None:
    kind = family(name, chosen)
    c = case(kind)
    eta = np.array([-600.0, -40.0, 40.0, 600.0])
    for y in (c.seen.y.min(), c.seen.y.max()):
        seen = Observed(np.full(4, y), None, np.full(4, 25.0) if kind.takes_trials else None)
        found = kind.derivatives(seen, eta, c.dispersion, 3)
        for values in (found.kernel, found.g, found.V, found.dV):
            assert np.isfinite(values).all()


@alone
def test_values_outside_the_support_are_named_with_column_and_row(kind: Family) -> None:
    y = case(kind, 3, at=0.4).seen.y
    y[1] = np.inf
    trials = np.full(3, 50.0) if kind.takes_trials else None
    with pytest.raises(bm.errors.DataError, match="'height'.*inf.*row 1"):
        kind.check(Observed(y, None, trials), "height")
    with pytest.raises(bm.errors.DataError, match="row Ann"):
        kind.check(Observed(y, None, trials), "height", ["Tom", "Ann", "Kim"])


@pytest.mark.parametrize("name", sorted(LINKS))
def test_links_invert_and_their_steps_are_derivatives(name: str) -> None:
    g, mu = link(name), np.linspace(0.1, 0.9, 9)
    eta = g.forward(mu)
    np.testing.assert_allclose(g.inverse(eta), mu, rtol=1e-12)
    np.testing.assert_allclose(g.slope(mu), (g.forward(mu + 1e-6) - g.forward(mu - 1e-6)) / 2e-6, rtol=1e-6)
    for steps in (g.mean_steps, g.log_mean_steps):
        up, at, down = steps(eta + STEP), steps(eta), steps(eta - STEP)
        for k in range(3):
            close(at[k + 1], (up[k] - down[k]) / (2 * STEP), SLOPE)


@pytest.mark.parametrize("make", [bm.links.logit, bm.links.probit, bm.links.cloglog, bm.links.cauchit])
def test_guess_and_lapse_are_asymptotes(make: Any) -> None:
    g = make(guess=0.5, lapse=0.02)
    ends = g.inverse(np.array([-1e9, 1e9]) if make is bm.links.cauchit else np.array([-40.0, 40.0]))
    np.testing.assert_allclose(ends, [0.5, 0.98], atol=1e-8)
    plain = make().inverse(np.array([0.3]))
    np.testing.assert_allclose(g.inverse(np.array([0.3])), 0.5 + 0.48 * plain, rtol=1e-12)
    for wrong in ({"guess": 1.0}, {"guess": 0.6, "lapse": 0.5}, {"lapse": -0.1}):
        with pytest.raises(bm.errors.ModelError, match="guess|lapse"):
            make(**wrong)


def same(one: Family, other: Family, seen: Observed, eta: np.ndarray, dispersion: dict[str, float], tolerance: float):
    first, second = (kind.derivatives(seen, eta, dispersion, 3) for kind in (one, other))
    for name in ("g", "V", "dV"):
        close(getattr(first, name), getattr(second, name), tolerance)
    close(one.log_density(seen, eta, dispersion), other.log_density(seen, eta, dispersion), tolerance)


def test_binomial_with_one_trial_is_bernoulli() -> None:
    c = case(family("bernoulli"))
    same(family("bernoulli"), family("binomial"), c.seen._replace(trials=np.ones(30)), c.eta, {}, DENSITY)
    same(family("bernoulli"), family("binomial"), c.seen, c.eta, {}, DENSITY)


@pytest.mark.parametrize(
    ("wide", "narrow", "limit"),
    [
        ("negbinomial", "poisson", {"alpha": 1e9}),
        ("negbinomial1", "poisson", {"phi": 1e-9}),
        ("betabinomial", "binomial", {"phi": 1e9}),
        ("student", "gaussian", {"nu": 1e9, "sigma": 0.8}),
    ],
)
def test_families_become_one_another_in_the_limit(wide: str, narrow: str, limit: dict[str, float]) -> None:
    c = case(family(narrow))
    same(family(wide), family(narrow), c.seen, c.eta, limit, LIMIT)


def test_lognormal_is_gaussian_on_the_logarithm_with_its_jacobian() -> None:
    kind = family("lognormal")
    c = case(kind)
    log = c.seen._replace(y=kind.normalised(c.seen.y))
    expected = family("gaussian").log_density(log, c.eta, c.dispersion) + kind.log_jacobian(c.seen.y)
    np.testing.assert_allclose(kind.log_density(c.seen, c.eta, c.dispersion), expected, rtol=DENSITY)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gausian", "'gaussian'"),
        ("Gamma", "'gamma'"),
        ("nbinom2", "'negbinomial'"),
        ("Negative_Binomial", "'negbinomial'"),
        ("inverse.gaussian", "'inverse_gaussian'"),
        ("quasipoisson", "negbinomial1"),
        ("quasibinomial", "betabinomial"),
        ("cumulative", "not available yet"),
        (bm.families.Poisson, "is a class"),
    ],
)
def test_unknown_families_are_refused_with_the_nearest(name: Any, words: str) -> None:
    with pytest.raises(bm.errors.ModelError, match=words):
        family(name)


def test_links_that_make_no_sense_are_refused() -> None:
    for name, wrong, words in (("gaussian", "identiy", "identity"), ("poisson", "logit", "poisson.*logit")):
        with pytest.raises(bm.errors.ModelError, match=words):
            family(name, wrong)
