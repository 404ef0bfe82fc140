"""What `bm.diagnose` says of singular, separated and badly posed fits, and that it says nothing of sound ones."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import Reference

import bayesmixed as bm
from bayesmixed.checks.diagnosis.diagnose import Diagnosis
from bayesmixed.checks.diagnosis.scaling import inflation
from bayesmixed.checks.diagnosis.separation import separated
from bayesmixed.checks.finding import Finding
from bayesmixed.checks.singular.boundary_profile import profile
from bayesmixed.checks.singular.null_directions import null_directions
from bayesmixed.checks.singular.simpler import SAME

RISE = 0.02  # relative: where the profile's search for a rise stops, twice over
IDENTITY = 1e-6  # relative: an optimiser's sd, or one read off text
GRID = 1e-3  # of the deviance, by which a grid of sigmas misses the best one
ROWS = 60


def the(diagnosis: Diagnosis, check: str) -> Finding:
    """The only finding of a check."""
    (found,) = [finding for finding in diagnosis.findings if finding.check == check]
    return found


@pytest.fixture(scope="module")
def dyestuff2() -> Any:
    return bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff2"))


@pytest.fixture(scope="module")
def line() -> Any:
    """Slopes that are -0.12 times the intercepts, exactly: correlation -1."""
    table, rng = bm.load_data("sleepstudy"), np.random.default_rng(3)
    subject = pd.factorize(table["Subject"])[0]
    b = rng.normal(0, 25, 18)[subject]
    days = table["Days"]
    return table.assign(y=250 + 10 * days + b - 0.12 * b * days + rng.normal(0, 25, len(table)))


@pytest.fixture(scope="module")
def perfect(line: Any) -> Diagnosis:
    return bm.diagnose(bm.Model("y ~ Days + (Days | Subject)", line).fit("ml"))


@pytest.fixture(scope="module")
def binary() -> Any:
    """Responses foretold by x, by a level of f, by the reference level of f, and by x + z; counts that f makes zero."""
    rng = np.random.default_rng(1)
    x, z, f = rng.normal(size=ROWS), rng.normal(size=ROWS), rng.choice(list("uvw"), ROWS)
    coin = rng.integers(0, 2, ROWS)
    return pd.DataFrame(
        {
            "x": x, "z": z, "f": f, "g": np.repeat(list("abcdefghij"), 6),
            "by_x": (x > 0.1).astype(int), "by_level": np.where(f == "w", 1, coin),
            "by_reference": np.where(f == "u", 0, coin), "by_both": (x + z > 0).astype(int), "coin": coin,
            "count": np.where(f == "w", 0, rng.poisson(3, ROWS)),
        }
    )  # fmt: skip


def test_a_sound_fit_gets_one_line() -> None:
    for engine in ("ml", "reml"):
        fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit(engine)
        found = bm.diagnose(fit)
        assert found.findings == () and found.clean and found.table.empty
        assert "Nothing to report" in str(found)
        assert len(str(found).splitlines()) == 2


def test_a_sound_generalized_fit_gets_one_line() -> None:
    model = bm.Model("prop(incidence, size) ~ period + (1 | herd)", bm.load_data("cbpp"), family="binomial")
    wider = model.replace(data=bm.load_data("cbpp").assign(obs=range(56)), formula=f"{model.formula} + (1 | obs)")
    assert "Nothing to report" in str(bm.diagnose(wider.fit("ml")))


def test_cbpp_is_perhaps_overdispersed_and_the_alternatives_stand_beside_it() -> None:
    """AIC of lme4 with (1 | obs) 186.6 and of glmmTMB's betabinomial 188.1, against 194.1."""
    model = bm.Model("prop(incidence, size) ~ period + (1 | herd)", bm.load_data("cbpp"), family="binomial")
    finding = the(bm.diagnose(model.fit("ml")), "dispersion")
    assert finding.severity == "note" and "Perhaps something" in finding.words
    assert 'this fit 194.1, family="betabinomial" 188.1, (1 | obs) 186.6' in finding.words


@pytest.mark.parametrize("engine", ["ml", "reml"])
def test_a_variance_at_zero_is_named_with_what_interior_values_cost(dyestuff2: Any, engine: str) -> None:
    fit = dyestuff2.fit(engine)
    found = bm.diagnose(fit)
    assert the(found, "singularity").what == "Intercept|Batch: sd 0"
    assert set(found.table.columns) == {"check", "severity", "what", "words", "remedy"}
    for _, row in found.profile.iterrows():
        sigmas = np.linspace(0.85, 1.05, 201) * fit.sigma
        least = min(
            -2 * dyestuff2.loglik_at(theta=[row["sd"] / sigma], sigma=sigma, reml=engine == "reml") for sigma in sigmas
        )
        assert least - fit.criterion == pytest.approx(row["deviance rises by"], abs=GRID)
    assert found.profile["deviance rises by"].tolist() == pytest.approx([1, 3.84], rel=RISE)
    assert f"{found.profile['sd'].iloc[0]:.3g}" in the(found, "singularity").words


def test_the_simpler_formula_and_map_stand_beside_a_singular_fit(dyestuff2: Any) -> None:
    found = bm.diagnose(dyestuff2.fit("ml"))
    assert found.simpler is not None and found.simpler.same == "Yield ~ 1"
    row = found.simpler.row("Yield ~ 1")
    assert row["parameters"] == 2 and abs(row["difference"]) < SAME
    assert found.map.varcorr()["sd"].iloc[0] > 0.5 and not found.map.status.singular
    text = str(found)
    for words in ("Yield ~ 1 has the same log-likelihood", "bm.MAP()", 'model.fit("nuts", seed=1)', "ML beside MAP"):
        assert words in text
    assert "MAP" in found.comparison.columns.get_level_values(0)
    assert 'bm.MAP(criterion="reml")' in str(bm.diagnose(dyestuff2.fit("reml")))


def test_without_refitting_the_words_remain(dyestuff2: Any) -> None:
    found = bm.diagnose(dyestuff2.fit("ml"), refit=False)
    assert found.simpler is None and "beside MAP" not in str(found)
    assert "Intercept|Batch: sd 0" in str(found) and "leave out a column" in str(found)


def test_a_correlation_of_minus_one_is_said_as_the_line_it_is(perfect: Diagnosis) -> None:
    finding = the(perfect, "singularity")
    assert finding.what == "(1 + Days | Subject): correlation of Intercept and Days is -1"
    sds = perfect.fit.varcorr()["sd"]
    slope = re.search(r"Days = -([\d.]+)\*Intercept", finding.words)
    assert slope is not None and float(slope.group(1)) == pytest.approx(sds[1] / sds[0], rel=1e-2)  # three digits
    assert "every Subject lie on one line" in finding.words
    assert perfect.simpler is not None and perfect.simpler.same is None
    assert "no simpler formula has the same likelihood" in str(perfect) and "keep this one" in str(perfect)
    assert -1 < float(perfect.map.varcorr()["Intercept"][1]) < 0


def test_the_profile_of_a_spread_around_the_line_is_a_minimum_over_everything_else(perfect: Diagnosis) -> None:
    fit = perfect.fit
    (direction,) = null_directions(fit)  # type: ignore[arg-type]
    first, last = profile(fit, direction)  # type: ignore[arg-type]
    for point in (first, last):
        conditional = point.sds[1] * math.sqrt(1 - point.corr[0, 1] ** 2)
        assert point.sd == pytest.approx(conditional, rel=IDENTITY)

    # at these sds and this correlation, for the best sigma, the deviance has risen by as much: and no less nearby
    def risen(change: np.ndarray) -> float:
        first_sd, slope = last.sds[0] * change[0], -0.122 * change[1]
        L = np.array([[first_sd, 0.0], [slope * first_sd, last.sd]])
        sigmas = np.linspace(0.95, 1.05, 101) * fit.sigma
        values = (fit.model.loglik_at(theta=(L / s)[[0, 1, 1], [0, 0, 1]], sigma=s) for s in sigmas)
        return -2 * max(values) - fit.deviance  # type: ignore[union-attr]

    nearby = [risen(np.array([a, b])) for a in np.linspace(0.9, 1.1, 9) for b in np.linspace(0.9, 1.1, 9)]
    assert min(nearby) == pytest.approx(last.rise, rel=RISE)


def test_a_zero_slope_without_correlation_is_dropped_by_the_simpler_formula(line: Any) -> None:
    found = bm.diagnose(bm.Model("y ~ Days + (Days || Subject)", line).fit("reml"))
    finding = the(found, "singularity")
    assert finding.what == "Days|Subject: sd 0" and "the effect of Days" in finding.words
    assert "REML criterion" in finding.words
    assert found.simpler is not None and found.simpler.same == "y ~ Days + (1 | Subject)"


def test_units_of_a_column_do_not_change_what_is_found(line: Any) -> None:
    scaled = line.assign(hours=line["Days"] * 24e3)
    one, other = (
        bm.diagnose(bm.Model(f"y ~ {name} + ({name} || Subject)", scaled).fit("ml"), refit=False)
        for name in ("Days", "hours")
    )
    assert the(other, "singularity").what == "hours|Subject: sd 0"
    assert 24e3 * other.profile["sd"].to_numpy() == pytest.approx(one.profile["sd"].to_numpy(), rel=RISE)


def test_a_maximal_generalized_fit_names_the_combinations_without_variance() -> None:
    model = bm.Model("prop(incidence, size) ~ period + (period | herd)", bm.load_data("cbpp"), family="binomial")
    fit = model.fit("ml")
    found = bm.diagnose(fit)
    combinations = [finding.what for finding in found.findings if finding.check == "singularity"]
    assert len(combinations) == 2 and all("*period[" in what or "*Intercept" in what for what in combinations)
    for direction in null_directions(fit):  # type: ignore[arg-type]
        c = -direction.weights
        c[direction.column] = 1
        assert np.linalg.norm(c @ fit.factors[0]) < 1e-2 * np.linalg.norm(fit.factors[0])  # type: ignore[union-attr]
    assert found.simpler is not None
    assert "prop(incidence, size) ~ period + (1 | herd) + (1 | herd:period)" in set(found.simpler.table["formula"])
    assert "60 effects for 56 rows" in the(found, "groups").what
    assert not found.map.status.singular


def test_a_generalized_variance_at_zero(reference: Reference) -> None:
    formula = "shells ~ factor(year) + prev + offset(log(Area)) + (1 | Site)"
    found = bm.diagnose(bm.Model(formula, reference.frame("gopher"), family="poisson").fit("ml"))
    assert the(found, "singularity").what == "Intercept|Site: sd 0"
    assert found.simpler is not None
    assert found.simpler.same == "shells ~ factor(year) + prev + offset(log(Area))"


def test_few_levels_are_a_note() -> None:
    fit = bm.Model("breaks ~ wool + (1 | tension) + (1 | wool:tension)", bm.load_data("warpbreaks")).fit("ml")
    found = bm.diagnose(fit)
    assert the(found, "groups").what == "tension has 3 levels" and found.clean


SEPARATED = {
    "by_x ~ x + z": ("complete separation by x", "Every row with x up to", "is a failure"),
    "by_x ~ x + z + (1 | g)": ("complete separation by x", "is a success", '"covariance": "boundary_avoiding"'),
    "by_level ~ f + z": ("quasi-complete separation by f", "where f[w] is 1 are successes", "f[w] to +infinity"),
    "by_reference ~ f + z": ("quasi-complete separation by f", "where f[v] and f[w] are 0 are failures", '"f[v]"'),
    "by_both ~ x + z": ("complete separation by x and z together", "predicts all 60 rows", '"z"'),
}


@pytest.mark.parametrize("formula", SEPARATED)
def test_separation_is_named_with_its_rows_and_its_remedy(binary: Any, formula: str) -> None:
    fit = bm.Model(formula, binary, family="bernoulli").fit("ml")
    found = bm.diagnose(fit, refit=False)
    finding = the(found, "separation")
    what, *said = SEPARATED[formula]
    assert finding.what == what and finding.severity == "serious" and not found.clean
    for words in said:
        assert words in finding.words + finding.remedy
    assert "bm.priors.Normal(0, " in finding.remedy and 'model.fit("nuts", seed=1)' in finding.remedy


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog", "cauchit"])
def test_the_status_of_a_separated_fit_names_the_coefficients(binary: Any, link: str) -> None:
    status = bm.Model("by_level ~ f + z", binary, family="bernoulli", link=link).fit("ml").status
    assert not status.converged
    assert (
        "the coefficient of f[w] went off to infinity" in status.problems[0]
        and "bm.diagnose(fit)" in status.problems[0]
    )
    assert not any("optimiser" in problem for problem in status.problems)


@pytest.mark.parametrize("formula", ["by_x ~ x + z", "by_x ~ x + z + (1 | g)", "by_level ~ f + z + (1 | g)"])
def test_the_map_fit_beside_a_separated_one_is_finite(binary: Any, formula: str) -> None:
    found = bm.diagnose(bm.Model(formula, binary, family="bernoulli").fit("ml"))
    assert found.map.status.converged and np.max(np.abs(found.map.fixef())) < 10


def test_a_weak_prior_makes_a_separated_coefficient_finite(binary: Any) -> None:
    found = bm.diagnose(bm.Model("by_level ~ f + z", binary, family="bernoulli").fit("ml"))
    assert 0 < found.map.fixef()["f[w]"] < 10 and found.map.status.converged
    assert "ML beside MAP" in str(found) and "f[w] ~ Normal(0, 2.5)" in str(found)


def test_counts_that_are_all_zero_separate_under_a_log_link(binary: Any) -> None:
    fit = bm.Model("count ~ f + z", binary, family="poisson").fit("ml")
    finding = the(bm.diagnose(fit, refit=False), "separation")
    assert "where f[w] is 1 have a count of 0" in finding.words and "f[w] to -infinity" in finding.words
    assert "f[w] went off to infinity" in fit.status.problems[0]


def test_data_that_overlap_are_not_separated(binary: Any) -> None:
    model = bm.Model("coin ~ x + z + f + (1 | g)", binary, family="bernoulli")
    assert separated(model) is None
    assert model.fit("ml").status.problems == () or "infinity" not in model.fit("ml").status.problems[0]


def test_separation_is_a_matter_of_geometry_not_of_units_order_or_weights(binary: Any) -> None:
    model = bm.Model("by_x ~ x + z", binary, family="bernoulli")
    changed = binary.assign(x=1e6 * binary["x"] + 3, w=2.0).iloc[::-1]
    other = bm.Model("by_x ~ x + z", changed, family="bernoulli", weights="w")
    one, two = separated(model), separated(other)
    assert one is not None and two is not None
    assert (one.term, one.complete) == (two.term, two.complete) == ("x", True)


def test_successes_out_of_trials_are_separated_where_a_cell_is_all_or_nothing() -> None:
    table = pd.DataFrame({"s": [0, 0, 3, 5, 2, 4], "n": [6, 6, 6, 7, 6, 7], "a": list("uuvvww")})
    found = separated(bm.Model("prop(s, n) ~ a", table, family="binomial"))
    assert found is not None and not found.complete and found.rows.tolist() == [True, True, *[False] * 4]


def test_counts_without_overdispersion_are_poisson() -> None:
    table = pd.DataFrame({"y": np.random.default_rng(0).poisson(4, 200)})
    fit = bm.Model("y ~ 1", table, family="negbinomial").fit("ml")
    assert fit.status.converged and any('Use family="poisson"' in problem for problem in fit.status.problems)
    finding = the(bm.diagnose(fit), "convergence")
    assert finding.what.startswith("alpha of the negbinomial family ran to")
    assert "not overdispersed" in finding.words and 'family="poisson"' in finding.remedy


def test_an_integral_that_laplace_gets_wrong_is_named() -> None:
    rng = np.random.default_rng(0)
    g = np.repeat(np.arange(60), 4)
    eta = 4 * rng.normal(size=60)[g]
    table = pd.DataFrame({"y": rng.binomial(1, 1 / (1 + np.exp(-eta))), "g": g})
    fit = bm.Model("y ~ 1 + (1 | g)", table, family="bernoulli").fit("ml")
    finding = the(bm.diagnose(fit), "quadrature")
    assert "Laplace" in finding.what and "quadrature=15" in finding.remedy


def test_levels_that_never_vary_are_named() -> None:
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(20), 4)
    y = np.repeat(rng.integers(0, 2, 20), 4)
    y[0] = 1 - y[0]
    table = pd.DataFrame({"y": y, "g": g, "x": rng.normal(size=80)})
    model = bm.Model("y ~ x + (1 | g)", table, family="bernoulli")
    from bayesmixed.checks.diagnosis.separation import separation

    (finding,) = separation(model, separated(model))
    assert finding.what == "19 of 20 levels of g have the same response in every row" and "(1 | g)" in finding.words


def test_collinear_columns_are_named_with_their_inflation() -> None:
    table, rng = bm.load_data("sleepstudy"), np.random.default_rng(2)
    table["noisy"] = table["Days"] + rng.normal(0, 0.1, len(table))
    model = bm.Model("Reaction ~ Days + noisy + (1 | Subject)", table)
    r = np.corrcoef(table["Days"], table["noisy"])[0, 1]
    assert inflation(model)["Days"] == pytest.approx(1 / (1 - r**2), rel=IDENTITY)
    finding = the(bm.diagnose(model.fit("ml")), "collinearity")
    assert finding.what == "nearly collinear: Days and noisy" and "leave one of them out" in finding.remedy


def test_what_is_far_from_zero_in_an_interaction_is_to_be_centred() -> None:
    table = bm.load_data("sleepstudy")
    table["late"], table["year"] = table["Subject"].astype(str) > "335", table["Days"] + 2000
    finding = the(bm.diagnose(bm.Model("Reaction ~ year * late + (1 | Subject)", table).fit("ml")), "collinearity")
    assert "scale(year)" in finding.remedy


def test_powers_are_to_be_polynomials() -> None:
    fit = bm.Model("Reaction ~ Days + I(Days^2) + (1 | Subject)", bm.load_data("sleepstudy")).fit("ml")
    assert "poly(Days, 2)" in the(bm.diagnose(fit), "collinearity").remedy


def test_columns_of_very_different_scale_are_a_note() -> None:
    table, rng = bm.load_data("sleepstudy"), np.random.default_rng(2)
    table["ms"] = rng.normal(0, 1e6, len(table))
    found = bm.diagnose(bm.Model("Reaction ~ Days + ms + (1 | Subject)", table).fit("ml"))
    assert "the sd of ms" in the(found, "scaling").what and "scale(ms)" in the(found, "scaling").remedy
    assert found.clean


def test_draws_say_which_sds_reach_zero() -> None:
    model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff2"))
    draws = model.fit(bm.NUTS(draws=400, tune=300, chains=2), seed=1)
    found = bm.diagnose(draws)
    finding = the(found, "singularity")
    assert "this posterior, under these priors, does not exclude zero" in finding.words
    assert "the deviance is 0 lower with this spread" in finding.words and "neither require a spread" in finding.words
    assert finding.what == "Intercept|Batch: the posterior of its sd reaches zero" and finding.severity == "note"
    stopped = replace(draws, status=replace(draws.status, problems=("3 divergences. Raise target_accept.",)))  # type: ignore[type-var]
    assert the(bm.diagnose(stopped), "sampling").remedy == "Raise target_accept"


def test_the_html_form_says_what_the_text_says(perfect: Diagnosis) -> None:
    html = perfect._repr_html_()
    assert "correlation of Intercept and Days is -1" in html and "<table" in html


def test_only_fits_can_be_diagnosed(dyestuff2: Any) -> None:
    with pytest.raises(bm.errors.FitError, match='diagnose takes a fit, such as model.fit\\("ml"\\), not Model'):
        bm.diagnose(dyestuff2)


class Restricted(bm.REML):
    """REML under a name of its own."""

    name = "restricted"
    label = "REML"


class Penalised(bm.MAP):
    """MAP under a name of its own."""

    name = "penalised"


@pytest.mark.parametrize(
    ("built_in", "own"), [(bm.REML(), Restricted()), (bm.MAP("reml"), Penalised("reml"))], ids=["reml", "map"]
)
def test_what_an_engine_maximises_is_a_trait_and_not_its_name(built_in, own):
    model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff2"))
    said = [str(bm.diagnose(model.fit(engine))) for engine in (built_in, own)]
    assert said[0] == said[1]
    assert str(model.fit(built_in).summary()) == str(model.fit(own).summary())
    assert ("REML criterion" in said[1]) == (not own.regularised)
