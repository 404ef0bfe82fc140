"""Pictures of predictive checks, residuals and random effects: their frames against definitions, their drawings."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pictures import drawn
from scipy.stats import norm

import bayesmixed as bm
from bayesmixed.errors import FitError
from bayesmixed.plots.drawing import normal
from bayesmixed.plots.pp_check import KINDS
from bayesmixed.summaries.pooled.effects_by_factor import varying
from bayesmixed.summaries.pooled.estimate_spread import estimate_spread

SLEEP = bm.load_data("sleepstudy")
COVERAGE = 4.5  # standard errors
ROUNDING = {"rtol": 1e-6}  # a difference of two variances, each solved for on its own
FAR_OUT = 4.0  # standard deviations, that twelve normal effects do not reach


@cache
def sleep() -> Any:
    return bm.Model("Reaction ~ Days + (Days | Subject)", SLEEP).fit("reml")


@cache
def herds() -> Any:
    formula = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
    return bm.Model(formula, bm.load_data("cbpp"), family="binomial").fit("ml")


@cache
def drawn_sleep() -> Any:
    return sleep().model.fit("laplace", seed=1)


# ---- predictive checks: frames


def test_densities_integrate_to_one_and_the_observed_is_the_response() -> None:
    frame = bm.plot.pp_check_frame(sleep(), "density", n=3, seed=1)
    assert frame.groupby("source")["replicate"].nunique().to_dict() == {"observed": 1, "replicate": 3}
    for _, curve in frame.groupby("replicate"):
        assert np.trapezoid(curve["height"], curve["value"]) == pytest.approx(1, abs=0.01)  # 161 points
    mean = frame[frame["source"] == "observed"].pipe(lambda c: np.trapezoid(c["value"] * c["height"], c["value"]))
    assert mean == pytest.approx(SLEEP["Reaction"].mean(), rel=0.01)


def test_distribution_functions_are_shares_of_rows() -> None:
    frame = bm.plot.pp_check_frame(sleep(), "ecdf", by="Subject", n=2, seed=1)
    own = frame[(frame["panel"] == "308") & (frame["source"] == "observed")]
    y = SLEEP.loc[SLEEP["Subject"] == "308", "Reaction"]
    for value, height in zip(own["value"][1:], own["height"][1:], strict=True):
        assert np.mean(y <= value) == pytest.approx(height)
    assert own["height"].iloc[0] == 0 and own["height"].iloc[-1] == 1


def test_intervals_of_rows_are_normal_about_the_fitted_values() -> None:
    frame = bm.plot.pp_check_frame(sleep(), "intervals", n=4000, level=0.8, seed=1).set_index("label").loc[SLEEP.index]
    np.testing.assert_array_equal(frame["observed"], SLEEP["Reaction"])
    for name, share in (("lower", 0.1), ("inner_lower", 0.3), ("middle", 0.5), ("inner_upper", 0.7), ("upper", 0.9)):
        z = norm.ppf(share)
        se = sleep().sigma * np.sqrt(share * (1 - share) / 4000) / norm.pdf(z)
        assert np.all(np.abs(frame[name] - sleep().fitted() - z * sleep().sigma) < COVERAGE * se), name


def test_intervals_of_groups_are_of_their_means() -> None:
    frame = bm.plot.pp_check_frame(sleep(), "intervals", by="Subject", seed=1).set_index("label")
    means = SLEEP.groupby("Subject", observed=True)["Reaction"].mean()
    np.testing.assert_allclose(frame["observed"], means.loc[frame.index])
    assert (frame["lower"] < frame["inner_lower"]).all() and (frame["inner_upper"] < frame["upper"]).all()


@pytest.mark.parametrize("kind", ["bars", "rootogram"])
def test_bars_count_rows(kind: str) -> None:
    frame = bm.plot.pp_check_frame(herds(), kind, by="period", seed=1)
    data = bm.load_data("cbpp")
    counts = data.groupby(["period", "incidence"], observed=True).size()
    for (period, incidence), count in counts.items():
        row = frame[(frame["panel"] == period) & (frame["value"] == incidence)]
        assert row["observed"].item() == count
    totals = frame.groupby("panel", observed=True)[["observed", "expected"]].sum()
    np.testing.assert_allclose(totals["expected"], totals["observed"])  # every replicate has as many rows


def test_large_counts_share_bars_and_none_is_lost() -> None:
    table = pd.DataFrame({"y": np.random.default_rng(1).poisson(500, 200)})
    fit = bm.Model("y ~ 1", table, family="poisson").fit("ml")
    frame = bm.plot.pp_check_frame(fit, "bars", n=50, seed=1)
    assert frame["observed"].sum() == 200 and len(frame) <= 40 and frame["width"].iloc[0] > 1
    np.testing.assert_allclose(frame["expected"].sum(), 200)


def test_statistics_are_those_of_pp_check() -> None:
    frame = bm.plot.pp_check_frame(sleep(), "statistic", statistic="max", by="Subject", n=40, seed=1)
    check = bm.pp_check(sleep(), "max", by="Subject", n=40, seed=1)
    np.testing.assert_array_equal(frame["value"], check.replicates["value"])
    np.testing.assert_array_equal(frame["observed"].to_numpy()[::40], check.frame["observed"])


# ---- predictive checks: drawings


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("by", [None, "period"])
def test_every_kind_draws_counts_whole_and_by_group(kind: str, by: str | None, plt: Any) -> None:
    axes = bm.plot.pp_check(herds(), kind, by=by, n=20, seed=1)
    assert len(axes) == (1 if by is None or kind == "intervals" else 4)
    assert drawn(axes) and axes[0].get_ylabel() and axes[-1].get_xlabel()


@pytest.mark.parametrize("kind", ["density", "ecdf", "intervals", "statistic"])
def test_measured_responses_of_a_fit_with_draws(kind: str, plt: Any) -> None:
    assert drawn(bm.plot.pp_check(drawn_sleep(), kind, n=20, seed=1))
    assert len(bm.plot.pp_check(drawn_sleep(), kind, by="Subject", n=20, seed=1)) == (1 if kind == "intervals" else 18)


def test_the_kind_follows_the_response_unless_given(plt: Any) -> None:
    assert bm.plot.pp_check(sleep(), n=5, seed=1)[0].get_ylabel() == "density"
    assert bm.plot.pp_check(herds(), n=5, seed=1)[0].get_ylabel() == "rows"


@pytest.mark.parametrize("name", ["poisson", "gamma", "beta", "bernoulli", "student"])
def test_other_families_are_drawn(name: str, plt: Any) -> None:
    table = pd.DataFrame({"g": np.repeat(np.arange(6), 8)})
    dispersion = dict.fromkeys(bm.families.family(name).dispersion, 4.0)
    y = bm.simulate("y ~ (1 | g)", table, {"Intercept": 0.2, "1|g_sigma": 0.5} | dispersion, family=name, seed=1)[0]
    fit = bm.Model("y ~ (1 | g)", table.assign(y=y), family=name).fit("map")
    assert drawn(bm.plot.pp_check(fit, n=20, seed=1)) and drawn(bm.plot.residuals(fit, seed=1))


ERRORS: list[tuple[dict[str, Any], str]] = [
    ({"kind": "hist"}, "kind='hist' is not a picture of pp_check. Kinds: density, ecdf"),
    ({"kind": "bars"}, 'Bars and rootograms count whole numbers, .* use kind="density"'),
    ({"level": 1}, "level=1 is not between 0 and 1"),
    ({"by": np.arange(180)}, '180 levels of group make more panels than can be read .* kind="intervals"'),
    ({"kind": "statistic", "statistic": "men"}, "Did you mean 'mean'"),
    ({"kind": "statistic", "statistic": ["mean", "sd"]}, "one at a time"),
    ({"kind": "statistic", "statistic": lambda y: 1 / 0}, "fails on the observed response: ZeroDivisionError"),
    ({"kind": "density", "n": 10**7}, "replicates of 180 rows take 14.4 GB. Draw fewer, n=694444 at most"),
]


@pytest.mark.parametrize(("options", "message"), ERRORS, ids=[message[:30] for _, message in ERRORS])
def test_errors_say_what_to_draw_instead(options: dict[str, Any], message: str) -> None:
    with pytest.raises(FitError, match=message):
        bm.plot.pp_check(sleep(), **options)


# ---- residuals


def test_residuals_are_those_of_the_fit() -> None:
    frame = bm.plot.residuals_frame(sleep(), kind="pearson")
    np.testing.assert_allclose(frame["residual"], sleep().residuals("pearson"))
    np.testing.assert_allclose(frame["fitted"], sleep().fitted())
    order = np.argsort(frame["residual"].to_numpy())
    np.testing.assert_allclose(frame["normal"].to_numpy()[order], norm.ppf((np.arange(180) + 0.625) / 180.25))


def test_rows_of_weight_zero_are_left_out_and_random_effects_may_be() -> None:
    fit = bm.Model("Reaction ~ Days + (1 | Subject)", SLEEP, weights=np.r_[np.zeros(5), np.ones(175)]).fit("ml")
    assert len(bm.plot.residuals_frame(fit)) == 175
    frame = bm.plot.residuals_frame(sleep(), re="none", kind="response")
    np.testing.assert_allclose(frame["residual"], SLEEP["Reaction"] - sleep().predict(re="none")["estimate"])


def test_panels_of_residuals(plt: Any) -> None:
    assert len(bm.plot.residuals(sleep())) == 2 and drawn(bm.plot.residuals(herds(), seed=1))
    _figure, ax = plt.subplots()
    axes = bm.plot.residuals(sleep(), "qq", ax=ax)
    assert axes[0] is ax and ax.get_title() == "Against normal quantiles" and drawn(axes)
    with pytest.raises(FitError, match="panel='hist' is not a panel of residuals"):
        bm.plot.residuals(sleep(), "hist")
    with pytest.raises(FitError, match="2 panels but ax= holds 1"):
        bm.plot.residuals(sleep(), ax=ax)
    with pytest.raises(FitError, match="A fit can be drawn"):
        bm.plot.residuals(sleep().model)


# ---- normal quantiles and their band


@pytest.mark.parametrize("n", [6, 50, 1000])
def test_the_band_holds_for_all_values_at_once(n: int) -> None:
    z = np.sort(np.random.default_rng(2).normal(size=(2000, n)), axis=1)
    expected, lower, upper = normal.band(n, 0.9)
    at = np.searchsorted(normal.normal_quantiles(np.arange(float(n))), expected - 1e-9)
    inside = np.all((z[:, at] >= lower) & (z[:, at] <= upper), axis=1).mean()
    assert inside == pytest.approx(0.9, abs=COVERAGE * np.sqrt(2 * 0.09 / 2000))  # its level was simulated as often


def test_missing_values_have_no_rank() -> None:
    found = normal.normal_quantiles(np.array([1.0, np.nan, -1.0]))
    np.testing.assert_allclose(found, [norm.ppf(1.625 / 2.25), np.nan, norm.ppf(0.625 / 2.25)])


# ---- random effects


def test_standardised_effects_are_standard_normal_where_effects_are_normal() -> None:
    """The estimate's variance is sd^2 - s^2: on many levels of unequal size, mean square one."""
    sizes = np.random.default_rng(1).integers(1, 12, 400)
    table = pd.DataFrame({"g": np.repeat(np.arange(400), sizes)})
    y = bm.simulate("y ~ (1 | g)", table, {"Intercept": 0, "1|g_sigma": 1, "sigma": 1.5}, seed=1)[0]
    frame = bm.plot.qq_frame(bm.Model("y ~ (1 | g)", table.assign(y=y)).fit("ml"))
    assert np.mean(frame["standardised"] ** 2) == pytest.approx(1, abs=COVERAGE * np.sqrt(2 / 400))
    small, large = (frame["standardised"][keep] for keep in (sizes < 6, sizes >= 6))
    for part in (small, large):
        assert np.mean(part**2) == pytest.approx(1, abs=COVERAGE * np.sqrt(2 / len(part)))


def test_the_spread_of_estimates_is_what_the_conditional_variance_leaves() -> None:
    """Linear models: Var(b) - Var(b | y), level by level, in nested and in crossed designs too."""
    pastes = bm.Model("strength ~ 1 + (1 | batch/cask)", bm.load_data("Pastes")).fit("reml")
    plates = bm.Model("diameter ~ 1 + (1 | plate) + (1 | sample)", bm.load_data("Penicillin")).fit("reml")
    for fit, group in ((pastes, "batch"), (pastes, "batch:cask"), (plates, "sample"), (sleep(), "Subject")):
        of = varying(fit, group)
        left = np.diag(of.covariance) - of.sds**2
        np.testing.assert_allclose(estimate_spread(fit, of), np.sqrt(left), **ROUNDING)


def test_a_guess_rate_leaves_every_level_a_spread() -> None:
    """Observed information of lucky guesses is negative: a conditional sd can exceed that of the effects."""
    rng, link = np.random.default_rng(3), bm.links.logit(guess=0.5, lapse=0.02)
    sizes = [np.linspace(-2, 4, 6)] * 10 + [np.array([-3, -2.5, -2])] * 2  # two subjects see hardly anything
    table = pd.DataFrame({"subject": np.repeat(range(12), list(map(len, sizes))), "size": np.concatenate(sizes)})
    eta = rng.normal(size=12)[table["subject"]] + 1.2 * table["size"]
    table = table.assign(n=10, right=rng.binomial(10, link.inverse(eta.to_numpy())))
    table.loc[table["subject"] == 10, "right"] = 6  # somewhat better than the five of guessing
    fit = bm.Model("prop(right, n) ~ size + (1 | subject)", table, family="binomial", link=link).fit("map")
    of = varying(fit, "subject")
    assert (of.sds > np.sqrt(of.covariance[0, 0])).any()
    spread, frame = estimate_spread(fit, of), bm.plot.qq_frame(fit)
    assert np.all((spread > 0) & (spread < np.sqrt(of.covariance[0, 0])))
    assert frame["standardised"].notna().all() and frame["standardised"].abs().max() < FAR_OUT


def test_qq_draws_named_panels_and_zero_effects(plt: Any) -> None:
    axes = bm.plot.qq(drawn_sleep())
    assert [ax.get_title() for ax in axes] == ["Intercept", "Days"] and drawn(axes)
    zero = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff2")).fit("ml")
    assert bm.plot.qq_frame(zero)["standardised"].isna().all() and drawn(bm.plot.qq(zero))
    assert "sd is 0" in bm.plot.qq(zero)[0].texts[0].get_text()
    with pytest.raises(FitError, match="no random effects"):
        bm.plot.qq(bm.Model("Reaction ~ Days", SLEEP).fit("ml"))
