"""Priors of generalized models: the default table by link and family, other programs' conventions, and their words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmixed as bm
from bayesmixed.errors import ModelError
from bayesmixed.priors import (
    Exponential,
    Flat,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfStudentT,
    InverseGamma,
    Lomax,
    Normal,
    Priors,
    StudentT,
)

ALGEBRA = 1e-12  # the same formula in float64 twice
CHANCE = 1e-4
RNG = np.random.default_rng(8)
DATA = pd.DataFrame({"g": np.repeat(list("abcdefgh"), 5), "x": RNG.normal(size=40), "c": np.resize(list("uvw"), 40)})
DATA = DATA.assign(
    count=RNG.poisson(2.0, 40),
    yes=RNG.integers(0, 2, 40),
    n=np.resize([3, 5, 9], 40),
    amount=RNG.gamma(3.0, 1.0, 40),
    part=RNG.beta(2.0, 3.0, 40),
    time=RNG.uniform(1.0, 2.0, 40),
)
DATA["s"] = np.minimum(DATA["count"], DATA["n"])
S_X, ROOT = DATA["x"].std(), float(np.sqrt(DATA["count"].mean()))


def priors(left: str, family: str, spec=None, right: str = "x + (x | g)", **arguments) -> Priors:
    return bm.Model(f"{left} ~ {right}", DATA, family=family, priors=spec, **arguments).priors


@pytest.mark.parametrize(
    ("left", "family", "link", "m", "s"),
    [
        ("count", "poisson", "log", np.log(DATA["count"].mean()), 1.0),
        ("prop(s, n)", "binomial", "logit", np.log(DATA["s"].sum() / (DATA["n"] - DATA["s"]).sum()), 1.0),
        ("yes", "bernoulli", "probit", stats.norm.ppf(DATA["yes"].mean()), 1.0),
        ("yes", "bernoulli", "cloglog", np.log(-np.log(1 - DATA["yes"].mean())), 1.0),
        ("amount", "gamma", "identity", DATA["amount"].mean(), DATA["amount"].std()),
        ("amount", "gamma", "inverse", 1 / DATA["amount"].mean(), DATA["amount"].std() / DATA["amount"].mean() ** 2),
        ("count", "poisson", "sqrt", ROOT, DATA["count"].std() / (2 * ROOT)),
        ("amount", "lognormal", "identity", np.log(DATA["amount"]).mean(), np.log(DATA["amount"]).std()),
        ("amount", "gaussian", "log", np.log(DATA["amount"].mean()), 1.0),
    ],
)  # fmt: skip
def test_location_and_scale_are_on_the_link_scale(left, family, link, m, s):
    found = priors(left, family, link=link)
    assert found["Intercept_centered"] == Normal(pytest.approx(m), pytest.approx(2.5 * s))
    assert found["x"] == Normal(0.0, pytest.approx(2.5 * s / S_X))
    shared = s / np.sqrt(2)  # two columns of one factor share its spread
    for name, scale in {"1|g_sigma": shared, "x|g_sigma": shared / S_X}.items():
        about = pytest.approx(scale)
        assert found[name] == (HalfNormal(about) if link == "identity" else HalfStudentT(3.0, about))


def test_an_exposure_moves_the_location_of_a_log_link():
    found = priors("count", "poisson", right="x + (x | g) + offset(log(time))")
    assert found["Intercept_centered"].loc == pytest.approx(np.log(DATA["count"].sum() / DATA["time"].sum()))


def test_the_mean_response_is_moved_inside_the_asymptotes():
    data = pd.DataFrame({"y": [0, 1] * 10, "g": np.repeat(list("abcd"), 5)})
    model = bm.Model("y ~ 1 + (1 | g)", data, family="bernoulli", link=bm.links.logit(guess=0.5))
    inside = (1 / 40) / 0.5
    assert model.priors["Intercept_centered"].loc == pytest.approx(np.log(inside / (1 - inside)))


def test_a_weight_of_two_is_the_row_twice_also_for_priors():
    twice = pd.concat([DATA, DATA.iloc[:10]])
    weights = np.where(np.arange(40) < 10, 2.0, 1.0)
    weighted = bm.Model("count ~ 1 + (1 | g)", DATA, family="poisson", weights=weights).priors
    doubled = bm.Model("count ~ 1 + (1 | g)", twice, family="poisson").priors
    assert weighted["Intercept_centered"].loc == pytest.approx(doubled["Intercept_centered"].loc, rel=ALGEBRA)


@pytest.mark.parametrize(
    ("left", "family", "expected"),
    [
        ("amount", "student", {"sigma": HalfStudentT(3.0, DATA["amount"].std()), "nu": Gamma(2.0, 0.1)}),
        ("amount", "lognormal", {"sigma": HalfStudentT(3.0, np.log(DATA["amount"]).std())}),
        ("amount", "gamma", {"alpha": InverseGamma(0.5, 0.5)}),
        ("count", "negbinomial", {"alpha": InverseGamma(0.5, 0.5)}),
        ("amount", "inverse_gaussian", {"lam": InverseGamma(0.5, 0.5 * DATA["amount"].mean())}),
        ("count", "negbinomial1", {"phi": Gamma(0.5, 0.5 / DATA["count"].mean())}),
        ("part", "beta", {"phi": Lomax(0.5, 1.0)}),
        ("prop(s, n)", "betabinomial", {"phi": Lomax(0.5, 1.0)}),
    ],
)
def test_dispersion_has_the_table_s_prior(left, family, expected):
    found = priors(left, family)
    for name, prior in expected.items():
        assert type(found[name]) is type(prior)
        for number, value in prior.values.items():
            assert found[name].values[number] == pytest.approx(value)


@pytest.mark.parametrize(
    ("prior", "transform", "law"),
    [
        (InverseGamma(0.5, 0.5), lambda a: 1 / np.sqrt(a), stats.halfnorm()),
        (InverseGamma(0.5, 0.5 * 7.0), lambda lam: 1 / np.sqrt(lam / 7.0), stats.halfnorm()),
        (Gamma(0.5, 0.5 / 7.0), lambda phi: np.sqrt(phi / 7.0), stats.halfnorm()),
        (Lomax(0.5, 1.0), lambda phi: 1 / np.sqrt(1 + phi), stats.uniform()),
    ],
)
def test_these_priors_say_of_the_spread_what_the_table_says(prior, transform, law):
    drawn = prior.draw(np.random.default_rng(1), 20_000)
    assert stats.kstest(transform(drawn), law.cdf).pvalue > CHANCE


def test_brms_scales_by_the_linked_response_and_not_for_probabilities():
    logged = np.log(np.where(DATA["count"] == 0, 0.1, DATA["count"]))
    mad = 1.4826 * np.median(np.abs(logged - np.median(logged)))
    found = priors("count", "negbinomial", "brms", right="x + (x | g) + offset(log(time))")
    place = round(float(np.median(logged)), 1) - np.log(DATA["time"]).mean()
    assert found["Intercept_centered"] == StudentT(3.0, pytest.approx(place), max(2.5, round(mad, 1)))
    assert found["alpha"] == InverseGamma(0.4, 0.3) and found["x"] == Flat()
    found = priors("prop(s, n)", "betabinomial", "brms")
    assert found["Intercept_centered"] == StudentT(3.0, 0.0, 2.5)
    assert found["1|g_sigma"] == HalfStudentT(3.0, 2.5) and found["phi"] == Gamma(0.01, 0.01)


def test_rstanarm_is_normal_0_2_5_on_the_link_scale_and_wider_for_probit():
    found = priors("count", "negbinomial", "rstanarm")
    assert found["Intercept_centered"] == Normal(0.0, 2.5) and found["alpha"] == Exponential(1.0)
    assert found["x"] == Normal(0.0, pytest.approx(2.5 / S_X))
    wide = 2.5 * stats.norm.pdf(0) / stats.logistic.pdf(0)
    assert priors("yes", "bernoulli", "rstanarm", link="probit")["Intercept_centered"].scale == pytest.approx(wide)


# bambi 0.17.2, printing the built models of a table with sd(x) = 0.7336637, mean(x) = -0.1320838 (denominator n) and a
# factor of three levels over 40 rows: logit intercept 1.5, slopes 1.363 and 1, sds 2.5483, 3.4076 and 5.3376.
def test_bambi_prints_these_numbers_for_binary_responses():
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"y": rng.integers(0, 5, 40), "b": rng.integers(0, 2, 40), "x": rng.normal(size=40)})
    data = data.assign(c=np.resize(list("uvw"), 40), g=np.repeat(list("abcdefgh"), 5))
    found = bm.Model("b ~ x + c + (x | g)", data, family="bernoulli", priors="bambi").priors
    printed = {"Intercept_centered": 1.5, "x": 1.363, "c[v]": 1.0, "c[w]": 1.0}
    assert {name: round(found[name].scale, 4) for name in printed} == printed
    assert round(found["1|g_sigma"].scale, 4) == 2.5483 and round(found["x|g_sigma"].scale, 4) == 3.4076
    found = bm.Model("b ~ x + c + (x | g)", data, family="bernoulli", link="cloglog", priors="bambi").priors
    printed = {"Intercept_centered": 3.5314, "x": 3.4076, "c[v]": 5.3376, "1|g_sigma": 3.5314}
    assert {name: round(found[name].scale, 4) for name in printed} == printed
    found = bm.Model("y ~ x + (x | g)", data, family="negbinomial", priors="bambi").priors
    assert round(found["Intercept_centered"].scale, 4) == 2.5402 and found["alpha"] == HalfCauchy(1.0)
    assert found["1|g_sigma"] == HalfNormal(pytest.approx(2.5402, abs=5e-5))


@pytest.mark.parametrize(
    ("preset", "left", "family"),
    [
        ("brms", "count", "negbinomial1"),
        ("rstanarm", "prop(s, n)", "betabinomial"),
        ("rstanarm", "amount", "student"),
        ("bambi", "amount", "lognormal"),
    ],
)
def test_families_that_the_other_program_lacks_are_refused_by_name(preset, left, family):
    with pytest.raises(ModelError, match=f'{preset}.*{family} family.*priors="default"'):
        priors(left, family, preset)


@pytest.mark.parametrize("preset", ["default", "flat", "boundary_avoiding"])
@pytest.mark.parametrize("family", sorted(bm.families.FAMILIES))
def test_every_family_has_priors_and_a_printout(preset, family):
    lefts = {"bernoulli": "yes", "binomial": "prop(s, n)", "betabinomial": "prop(s, n)", "beta": "part"}
    left = lefts.get(family, "count" if bm.families.FAMILIES[family].discrete else "amount")
    model = bm.Model(f"{left} ~ x + (1 | g)", DATA, family=family, priors=preset)
    assert set(model.family.dispersion) <= set(model.priors)
    text = str(model) + str(model.prior_summary())
    assert family in text and "nan" not in text


def test_the_printout_says_where_groups_lie_and_what_succeeds():
    text = str(bm.Model("yes ~ x + (1 | g)", DATA.assign(yes=np.where(DATA["yes"], "hit", "miss")), family="bernoulli"))
    assert "(success: 'miss')" in text
    assert "(logit scale)" in text and "95 % of groups have probabilities from" in text
    text = str(bm.Model("count ~ x + (1 | g)", DATA, family="poisson", weights=np.ones(40)))
    assert "95 % of groups have means from" in text and "a weight of 2 is the row twice" in text
    text = str(bm.Model("prop(s, n) ~ x + (1 | g)", DATA, family="binomial", link=bm.links.logit(0.1)))
    assert "link logit between 0.1 and 1" in text and f"successes in {DATA['n'].sum()} trials" in text


def test_a_family_of_ones_own_asks_for_priors_of_its_own_parameters():
    def weibull(mu, shape):
        import numpyro.distributions as dist

        return dist.Weibull(mu, shape)

    own = bm.families.custom("weibull", weibull, dispersion=("shape",))
    model = bm.Model("amount ~ x + (1 | g)", DATA, family=own)
    with pytest.raises(ModelError, match="lack 'shape'.*priors="):
        _ = model.priors
    assert "The priors lack 'shape'" in str(model)
    assert model.replace(priors={"shape": HalfNormal(2.0)}).priors["shape"] == HalfNormal(2.0)
