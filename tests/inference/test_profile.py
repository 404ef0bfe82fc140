"""Profiles of the likelihood: lme4's limits, closed forms, a general optimiser, what does not change them, refusals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import load_reference_frame, load_result
from scipy.optimize import brentq, minimize
from scipy.stats import chi2

import bayesmixed as bm
from bayesmixed.covariance import STRUCTURES
from bayesmixed.covariance.pins import Pin
from bayesmixed.covariance.unstructured import Unstructured
from bayesmixed.errors import BayesMixedWarning, FitError
from bayesmixed.inference.profile.profile import doubts, warn_of_doubts

SHARE = 1e-3  # of an interval's width: what lme4's finer grid is worth after its splines
EXACT = 1e-5  # of an interval's width: what the search and the interpolation between points leave
CURVED = 1e-4  # the same of limits read from curves whose points are half a unit of zeta apart
ROOT = 1e-5  # of zeta: a general optimiser's own tolerance
Z = 1.959963984540054

REFERENCES = {
    "lmm_sleepstudy_slope": ("sleepstudy", "Reaction ~ Days + (Days | Subject)"),
    "lmm_dyestuff": ("Dyestuff", "Yield ~ 1 + (1 | Batch)"),
    "lmm_penicillin": ("Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)"),
    "glmm_cbpp": ("cbpp", "cbind(incidence, size - incidence) ~ period + (1 | herd)"),
}
IN_R = {
    "sd_(Intercept)|Subject": "sd(Intercept | Subject)",
    "cor_Days.(Intercept)|Subject": "cor(Intercept, Days | Subject)",
    "sd_Days|Subject": "sd(Days | Subject)",
    "(Intercept)": "Intercept",
    "period2": "period[2]",
    "period3": "period[3]",
    "period4": "period[4]",
} | {f"sd_(Intercept)|{g}": f"sd(Intercept | {g})" for g in ("Batch", "plate", "sample", "herd")}


@cache
def fitted(dataset: str, formula: str, engine: Any = "ml", family: str = "gaussian") -> Any:
    return bm.Model(formula, load_reference_frame(dataset), family=family).fit(engine)


def of_reference(name: str, engine: Any = "ml") -> Any:
    dataset, formula = REFERENCES[name]
    return fitted(dataset, formula, engine, load_result(name)["family"])


def apart(found: pd.DataFrame, expected: pd.DataFrame) -> float:
    """The largest difference of limits, in widths of the intervals."""
    widths = (expected["upper"] - expected["lower"]).to_numpy()[:, None]
    both = [frame[["lower", "upper"]].to_numpy() for frame in (found.loc[expected.index], expected)]
    return float(np.max(np.abs(both[0] - both[1]) / widths))


@pytest.mark.parametrize("name", REFERENCES)
def test_limits_are_those_of_lme4_on_its_finer_grid(name: str) -> None:
    extras = load_result(name)["extras"]
    found = extras.get("profile") or extras["profile_laplace"]
    index = [IN_R.get(each, each) for each in found["names"]]
    grid = found["fine_grid"]
    expected = pd.DataFrame({"lower": grid["lower_95"], "upper": grid["upper_95"]}, index=index)
    fit = of_reference(name)
    limits = bm.confint(fit).frame
    assert apart(limits, expected) < SHARE
    assert set(limits["kind"]) == {"profile"}
    narrower = pd.DataFrame({"lower": found["lower_90"], "upper": found["upper_90"]}, index=index)
    assert apart(bm.confint(fit, level=0.9).frame, narrower) < SHARE


@pytest.mark.parametrize("name", REFERENCES)
def test_limits_read_from_curves_are_those_found_by_their_roots(name: str) -> None:
    fit = of_reference(name)
    profile = bm.profile(fit)
    for level in (0.5, 0.95, 0.99):
        assert apart(profile.confint(level).frame, bm.confint(fit, level=level).frame) < CURVED


def test_a_limit_is_where_the_constrained_maximum_is_so_low() -> None:
    """Of a correlation in a block of three columns, by a general optimiser; lme4's own profile misses that (0.934)."""
    fit = fitted("Machines", "score ~ Machine + (0 + Machine | Worker)")
    name = "cor(Machine[B], Machine[C] | Worker)"
    limits = bm.confint(fit, which=name).frame.loc[name]
    first = np.append(np.log(np.linalg.norm(fit.factors[0], axis=1)), [0.8, 0.6])
    for limit in (limits["lower"], limits["upper"]):
        assert abs(zeta(fit, limit, first) - Z) < ROOT


def zeta(fit: Any, r: float, start: np.ndarray) -> float:
    """Of a correlation r of the last two of three columns, the other three sds and two correlations searched."""

    def deviance(x: np.ndarray) -> float:
        R = np.array([[1, np.tanh(x[3]), np.tanh(x[4])], [np.tanh(x[3]), 1, r], [np.tanh(x[4]), r, 1]])
        if np.linalg.eigvalsh(R)[0] < 1e-12:
            return np.inf
        factor = np.exp(x[:3])[:, None] * np.linalg.cholesky(R)
        return -2 * fit.model.loglik_at(theta=factor.T[np.triu_indices(3)])

    options = {"maxiter": 4000, "maxfev": 4000, "xatol": 1e-6, "fatol": 1e-8}
    for _ in range(2):
        start = minimize(deviance, start, method="Nelder-Mead", options=options).x
    return float(np.sqrt(deviance(start) - fit.deviance))


def test_sigma_without_bars_has_the_limits_of_its_chi_squared_likelihood() -> None:
    """-2 log L = 2 n log sigma + r^2 / sigma^2: a rise of z^2 has two roots, one on each side of r / sqrt(n)."""
    fit = fitted("sleepstudy", "Reaction ~ Days")
    n, rss = fit.n_obs, fit.n_obs * fit.sigma**2

    def rise(sigma: float) -> float:
        return float(2 * n * np.log(sigma / fit.sigma) + rss / sigma**2 - n - chi2.ppf(0.95, 1))

    limits = bm.confint(fit, which="sigma").frame.loc["sigma"]
    roots = [brentq(rise, 0.5 * fit.sigma, fit.sigma), brentq(rise, fit.sigma, 2 * fit.sigma)]
    assert np.allclose([limits["lower"], limits["upper"]], roots, rtol=EXACT * (roots[1] / roots[0] - 1))


def test_a_coefficient_without_bars_has_the_limits_of_its_t_statistic() -> None:
    """n log(1 + t^2 / (n - p)) = z^2."""
    fit = fitted("sleepstudy", "Reaction ~ Days")
    n, p = fit.n_obs, len(fit.beta)
    t = np.sqrt((n - p) * np.expm1(Z**2 / n))
    se = fit.coefficients.loc["Days", "se"] * np.sqrt(n / (n - p))
    limits = bm.confint(fit, which="Days").frame.loc["Days"]
    expected = fit.beta[1] + np.array([-1, 1]) * t * se
    assert np.allclose([limits["lower"], limits["upper"]], expected, atol=EXACT * 2 * t * se)


CHANGES = {
    "another order of rows": lambda data: data.sample(frac=1, random_state=1),
    "another unit": lambda data: data.assign(Reaction=1e3 * data["Reaction"]),
    "another origin of the response": lambda data: data.assign(Reaction=data["Reaction"] + 1e6),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_says_the_same_has_the_same_limits(change: str) -> None:
    dataset, formula = REFERENCES["lmm_sleepstudy_slope"]
    fit = bm.Model(formula, CHANGES[change](load_reference_frame(dataset))).fit("ml")
    expected, found = bm.confint(of_reference("lmm_sleepstudy_slope")).frame, bm.confint(fit).frame
    unit = pd.Series(1e3 if change == "another unit" else 1.0, index=expected.index)
    unit["cor(Intercept, Days | Subject)"] = 1.0
    shift = pd.Series(0.0, index=expected.index)
    shift["Intercept"] = 1e6 if change == "another origin of the response" else 0.0
    for limit in ("lower", "upper"):
        expected[limit] = expected[limit] * unit + shift
    assert apart(found, expected) < EXACT


def test_where_a_column_has_its_zero_does_not_change_the_limits_of_its_sd() -> None:
    rng = np.random.default_rng(4)
    b, years = rng.normal(size=(10, 2)), np.tile(np.arange(6.0), 10)
    data = pd.DataFrame({"g": np.repeat(np.arange(10), 6), "year": years})
    data["y"] = b[data["g"], 0] + 0.4 * b[data["g"], 1] * (years - 2.5) + rng.normal(0, 0.8, 60)
    names = ["sd(year | g)", "sigma"]
    near, far = (
        bm.confint(bm.Model("y ~ year + (year | g)", data.assign(year=years + zero)).fit("ml"), which=names).frame
        for zero in (0, 2000)
    )
    assert apart(far, near) < SHARE
    assert set(far["kind"]) == {"profile"}


def test_a_correlation_of_columns_far_from_zero_has_the_limits_of_its_constrained_maximum() -> None:
    rng = np.random.default_rng(4)
    b, x, g = rng.normal(size=(10, 2)), np.tile(np.arange(6.0), 10), np.repeat(np.arange(10), 6)
    data = pd.DataFrame({"g": g, "x": x + 300, "y": b[g, 0] + 0.4 * b[g, 1] * (x - 2.5) + rng.normal(0, 0.8, 60)})
    fit = bm.Model("y ~ x + (x | g)", data).fit("ml")
    limits = bm.confint(fit, which="cor(Intercept, x | g)").frame.iloc[0]
    centred = bm.Model("y ~ x + (x | g)", data.assign(x=x))

    def deviance(p: np.ndarray, r: float) -> float:
        """Of the ratio of the sds about 300, and logarithms of the second sd and of sigma."""
        second, first = np.exp(p[1]), (300 + p[0]) * np.exp(p[1])
        moved = np.array([[1.0, 300.0], [0.0, 1.0]]) @ np.array([[first, 0], [r * second, second * np.sqrt(1 - r**2)]])
        L = np.linalg.cholesky(moved @ moved.T) / np.exp(p[2])
        return -2 * centred.loglik_at(theta=L[np.tril_indices(2)], sigma=float(np.exp(p[2])))

    for r in (limits["lower"], limits["upper"]):
        start = np.array([0.0, np.log(0.4), np.log(fit.sigma)])
        held = minimize(deviance, start, args=(r,), method="Nelder-Mead", options={"fatol": 1e-8, "maxiter": 2000})
        assert np.sqrt(held.fun - fit.deviance) == pytest.approx(Z, abs=SHARE)


def test_another_coding_leaves_what_it_does_not_concern() -> None:
    """Cell means or treatment contrasts of the effects: the same model, in which residual sd and intercept are one."""
    plain = bm.confint(fitted("Machines", "score ~ Machine + (0 + Machine | Worker)"), which=["Intercept", "sigma"])
    coded = bm.confint(fitted("Machines", "score ~ Machine + (Machine | Worker)"), which=["Intercept", "sigma"])
    assert apart(coded.frame, plain.frame) < EXACT


def test_common_correlation_of_two_columns_is_an_unstructured_one() -> None:
    plain = bm.confint(of_reference("lmm_sleepstudy_slope")).frame
    structured = bm.confint(fitted("sleepstudy", "Reaction ~ Days + cs(Days | Subject)")).frame
    renamed = structured.rename(index={"rho(Subject)": "cor(Intercept, Days | Subject)"})
    assert apart(renamed, plain) < 10 * EXACT  # two searches each with its own stop


def test_an_sd_at_zero_has_an_upper_limit_and_ends_below() -> None:
    """lme4 has 2.084043 and 0; the likelihood is nowhere so low below as to have a limit."""
    fit = fitted("Dyestuff2", "Yield ~ 1 + (1 | Batch)")
    found = bm.confint(fit)
    row = found.frame.loc["sd(Intercept | Batch)"]
    assert row["lower"] == 0 and row["kind"] == "boundary"
    assert abs(row["upper"] - 2.084043) < SHARE
    assert "Lower limit of sd(Intercept | Batch): reached where the parameter ends" in str(found)
    assert abs(found.frame.loc["sigma", "lower"] - 2.892831) < SHARE


def test_a_variance_of_zero_is_left_where_a_held_parameter_makes_it_positive() -> None:
    """A mean far from that of the batches is one that they all are far from; at zero no gradient says so."""
    fit = fitted("Dyestuff2", "Yield ~ 1 + (1 | Batch)")
    traces = bm.profile(fit, "Intercept").traces
    far = traces["zeta"].abs() > Z
    assert (traces.loc[far, "sd(Intercept | Batch)"] > 0.5).all()


@pytest.mark.parametrize("seed", [9, 20, 60])
def test_effects_that_vanish_at_the_estimate_are_back_where_a_limit_needs_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"g": np.repeat(np.arange(6), 5), "x": rng.normal(size=30), "y": rng.normal(size=30)})
    fit = bm.Model("y ~ x + (x | g)", data).fit("ml")
    assert not np.any(fit.theta)
    limits = bm.confint(fit, which="x").frame.loc["x", ["lower", "upper"]]
    held = [bm.Model("y ~ 1 + (x | g)", data, offset=limit * data["x"]).fit("ml") for limit in limits]
    assert [one.deviance - fit.deviance for one in held] == pytest.approx([Z**2, Z**2], abs=10 * SHARE)


def test_a_correlation_of_one_is_an_end() -> None:
    fit = fitted("cbpp", "cbind(incidence, size - incidence) ~ period + (period | herd)", family="binomial")
    names = ["cor(Intercept, period[2] | herd)", "sd(period[2] | herd)"]
    found = bm.confint(fit, which=names).frame
    assert found.loc[names[0], "lower"] == -1 and found.loc[names[0], "kind"] == "boundary"
    assert found.loc[names[1], "kind"] == "profile"


def test_a_correlation_says_nothing_where_an_sd_may_be_zero() -> None:
    """Beside an sd of zero every correlation is as likely, so no profile of it is below that of the sd at zero."""
    profile = bm.profile(
        fitted("Orthodont", "distance ~ age * Sex + (age | Subject)"),
        ["sd(age | Subject)", "cor(Intercept, age | Subject)"],
    )
    sds, correlations = (part for _, part in profile.frame.groupby("parameter", sort=False))
    at_zero = sds.iloc[0]
    assert at_zero["value"] == 0 and -Z < at_zero["zeta"] < 0
    assert correlations["zeta"].min() > at_zero["zeta"] - ROOT
    limits = profile.confint().frame.loc["cor(Intercept, age | Subject)"]
    assert limits["lower"] == -1 and limits["upper"] == 1 and limits["kind"] == "boundary"


def test_quadrature_of_many_nodes_profiles_another_likelihood_than_laplace() -> None:
    """At a limit the deviance by quadrature, everything else searched, is what the level asks above its minimum."""
    fit = of_reference("glmm_cbpp", bm.ML(quadrature=9))
    name = "sd(Intercept | herd)"
    limits = bm.confint(fit, which=name).frame.loc[name]
    for limit in (limits["lower"], limits["upper"]):

        def deviance(beta: np.ndarray, limit: float = limit) -> float:
            return -2 * fit.model.loglik_at(theta=[limit], beta=beta, quadrature=9)

        lowest = minimize(deviance, fit.beta, method="BFGS").fun
        assert abs(np.sqrt(lowest - fit.deviance) - Z) < 10 * ROOT


def test_a_predictor_of_sigma_is_profiled_with_the_rest() -> None:
    formula = bm.Formula("Reaction ~ Days + (Days | Subject)", "sigma ~ 1")
    data = load_reference_frame("sleepstudy")
    found = bm.confint(bm.Model(formula, data).fit("ml")).frame
    plain = bm.confint(of_reference("lmm_sleepstudy_slope")).frame
    assert np.allclose(
        np.exp(found.loc["sigma_Intercept", ["lower", "upper"]].astype(float)),
        plain.loc["sigma", ["lower", "upper"]].astype(float),
        rtol=EXACT,
    )
    shared = plain.drop(index="sigma")
    assert apart(found, shared) < 10 * EXACT


def test_reml_fits_are_profiled_by_ml_and_it_is_said() -> None:
    fit = of_reference("lmm_dyestuff", "reml")
    found = bm.confint(fit)
    assert apart(found.frame, bm.confint(of_reference("lmm_dyestuff")).frame) < EXACT
    assert "refitted by ML" in str(found)


def test_a_better_optimum_on_the_way_is_where_the_profile_starts_anew() -> None:
    dataset, formula = REFERENCES["lmm_sleepstudy_slope"]
    model = bm.Model(formula, load_reference_frame(dataset))
    poor = model.fit(bm.ML(start=[3.0, 0.5, 0.05], maxiter=1))
    best = of_reference("lmm_sleepstudy_slope")
    assert poor.deviance > best.deviance + 0.1
    found = bm.profile(poor, "Days")
    assert abs(found.fit.deviance - best.deviance) < ROOT
    assert "A better optimum was met beside Days" in str(found)


def test_bends_are_named_and_a_straight_profile_is_not() -> None:
    profile = bm.profile(of_reference("lmm_dyestuff"))
    text = str(profile)
    assert "sd(Intercept | Batch) (1." in text.split("Bent:")[1]
    straight = str(bm.profile(fitted("sleepstudy", "Reaction ~ Days"), "Days"))
    assert "Bent" not in straight


def test_the_frame_has_points_on_both_sides_and_zeta_rises() -> None:
    profile = bm.profile(of_reference("lmm_sleepstudy_slope"))
    assert profile.frame.columns.tolist() == ["parameter", "value", "zeta", "rise"]
    for _, part in profile.frame.groupby("parameter"):
        assert np.all(np.diff(part["value"]) > 0) and np.all(np.diff(part["zeta"]) > 0)
        assert part["zeta"].min() < -3
        assert part["zeta"].max() > 3 or part["value"].max() == 1  # a correlation ends before
    traces = profile.traces
    at = traces[(traces["parameter"] == "Days") & (traces["zeta"] == 0)].iloc[0]
    assert np.isclose(at["sigma"], profile.fit.sigma) and np.isclose(at["Days"], profile.fit.beta[1])


REFUSALS = [
    (lambda fit: bm.profile(fit, "Dayz"), "no parameter 'Dayz'. Did you mean 'Days'"),
    (lambda fit: bm.profile(fit, ["Days", "sd(Day | Subject)"]), "Did you mean 'sd(Days | Subject)'"),
    (lambda fit: bm.profile(fit, level=1.0), "level=1.0 is not between 0 and 1"),
    (lambda fit: bm.confint(fit, level=95), "level=95 is not between 0 and 1"),
    (lambda fit: bm.confint(fit, level="0.95"), "is not between 0 and 1"),
    (lambda fit: bm.profile(fit, "Days", level=0.5).confint(0.99), "bm.profile(fit, level=0.99)"),
    (lambda fit: bm.confint(fit, "bootstrapped"), "it is 'profile', 'wald' or 'bootstrap'"),
    (lambda fit: bm.confint(fit, "hdi"), "that is for draws"),
    (lambda fit: bm.confint(fit, ddf=5), 'bm.confint(fit, "wald", ddf=5)'),
    (lambda fit: bm.profile(fit, []), "asks for nothing"),
    (lambda fit: bm.profile(fit.model.fit("map")), "Profile the likelihood"),
    (lambda fit: bm.profile("fit"), "takes a fit"),
    (
        lambda fit: bm.profile(fit.model.replace(constants={"sigma": 25.0}).fit("ml"), "sigma"),
        "held at 25 by constants=",
    ),
    (lambda fit: bm.profile(of_reference("glmm_cbpp", bm.ML(quadrature=0))), "bm.ML(quadrature=9)"),
]


@pytest.mark.parametrize(("ask", "said"), REFUSALS)
def test_refusals_say_what_to_type(ask: Any, said: str) -> None:
    with pytest.raises(FitError) as raised:
        ask(of_reference("lmm_sleepstudy_slope"))
    assert said in str(raised.value)


def test_a_coefficient_of_separated_groups_has_no_upper_limit() -> None:
    x = np.tile([0, 1], 60)
    y = np.where(x == 1, 1, (np.random.default_rng(1).random(120) < 0.5).astype(int))
    data = pd.DataFrame({"g": np.repeat(np.arange(15), 8), "x": x, "y": y})
    found = bm.confint(bm.Model("y ~ x + (1 | g)", data, family="bernoulli").fit("ml"), which="x")
    row = found.frame.loc["x"]
    assert row["upper"] == np.inf and row["kind"] == "endless" and 0 < row["lower"] < 10
    assert "Upper limit of x: no limit" in str(found) and "has no maximum" in str(found)


def test_a_dispersion_at_a_simpler_family_has_one_limit() -> None:
    """Poisson counts: any large alpha will do, and rounding far out is not taken for a better optimum."""
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"g": np.repeat(np.arange(15), 8), "y": rng.poisson(3.0, 120)})
    fit = bm.Model("y ~ 1 + (1 | g)", data, family="negbinomial").fit("ml")
    assert fit.dispersion["alpha"] > 1e4
    row = bm.confint(fit, which="alpha").frame.loc["alpha"]
    assert row["upper"] == np.inf and row["kind"] == "endless" and 1 < row["lower"] < 1e3


def test_a_profile_that_comes_back_is_told() -> None:
    """zeta 1 on the way and 0.5 behind it: another maximum competes there."""
    curve = bm.profile(of_reference("lmm_dyestuff"), "sigma").curves[0]
    far = replace(curve.high.points[-1], zeta=0.5)
    folded = replace(curve, high=replace(curve.high, points=(*curve.high.points[:-1], far)))
    assert folded.folded and not curve.folded
    assert "NOT MONOTONE: beside sigma" in doubts([folded])[0] and doubts([curve]) == ()


def test_a_point_that_is_not_at_its_best_is_told() -> None:
    curve = bm.profile(of_reference("lmm_dyestuff"), "sigma").curves[0]
    loose = replace(curve.high.points[-1], left=0.1)
    unsettled = replace(curve, high=replace(curve.high, points=(*curve.high.points[:-1], loose)))
    assert "NOT CONVERGED: the searches beside sigma (1 of " in doubts([unsettled])[0]
    with pytest.warns(BayesMixedWarning, match="NOT CONVERGED"):
        warn_of_doubts([unsettled])


@dataclass(frozen=True)
class Unpinned(Unstructured):
    """A structure that says no way to hold one of its parameters alone."""

    name = "unpinned"

    def pins(self, k: int) -> tuple[Pin, ...]:
        return ()


def test_a_structure_without_pins_leaves_its_parameters_out_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STRUCTURES, "unpinned", Unpinned())
    fit = bm.Model("Yield ~ 1 + unpinned(1 | Batch)", load_reference_frame("Dyestuff")).fit("ml")
    found = bm.confint(fit)
    assert list(found.frame.index) == ["Intercept", "sigma"]
    assert "Not profiled: sd(Intercept | Batch)" in str(found) and "Not profiled" in str(bm.profile(fit))
    assert "sd(Intercept | Batch)" in bm.confint(fit, "wald").frame.index
    with pytest.raises(FitError, match="no coordinates in which one of its parameters is held alone"):
        bm.profile(fit, "sd(Intercept | Batch)")
