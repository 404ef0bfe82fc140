"""Thresholds: predictions there are p, intervals cover simulated truth, and what cannot be inverted is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm

LINK = bm.links.logit(guess=0.5, lapse=0.02)
P = 0.75
ALGEBRA = 1e-9
SEARCHED = 1e-6  # bisection, relative to the range of the column
ENOUGH = 0.85  # of 20 intervals of 95 %: fewer has probability 0.003, were they independent
HENDERSON = 1e-7  # relative: a dense inverse
COVERAGE = 0.03  # of 800 intervals, correlated within 40 experiments: their mean has a standard error of 0.01


def thresholds(b: np.ndarray, conditions: tuple[float, float] = (-1.0, 0.2)) -> np.ndarray:
    """The true answers (subjects, conditions) for effects b (subjects, 2)."""
    eta = float(LINK.forward(np.float64(P)))
    return (eta - np.asarray(conditions) - b[:, :1]) / (1.5 + b[:, 1:])


def experiment(seed: int, subjects: int = 10) -> tuple[pd.DataFrame, np.ndarray]:
    """Correct answers out of 12 at eight sizes in two conditions, and the true effects of the subjects."""
    rng = np.random.default_rng(seed)
    b = rng.normal(size=(subjects, 2)) * [0.7, 0.3]
    grid = pd.MultiIndex.from_product([range(subjects), [0, 1], np.linspace(-2.0, 4.0, 8)], names=["s", "c", "size"])
    table = grid.to_frame(index=False)
    s, c = table["s"].to_numpy(), table["c"].to_numpy()
    eta = np.array([-1.0, 0.2])[c] + b[s, 0] + (1.5 + b[s, 1]) * table["size"]
    table["right"] = rng.binomial(12, LINK.inverse(eta.to_numpy()))
    return table.assign(n=12, s="S" + table["s"].astype(str), c=np.array(["far", "near"])[c]), b


def model(table: pd.DataFrame) -> Any:
    return bm.Model("prop(right, n) ~ size + c + (size | s)", table, family="binomial", link=LINK)


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return experiment(1)[1]


@pytest.fixture(scope="module")
def ml() -> Any:
    return model(experiment(1)[0]).fit("ml")


@pytest.fixture(scope="module")
def fits(ml: Any) -> dict[str, Any]:
    laplace, nuts = bm.Laplace(draws=300, pool=2), bm.NUTS(draws=150, chains=2)
    return {"ml": ml} | {str(m): ml.model.fit(m, seed=1) for m in ("map", laplace, nuts)}


def test_the_prediction_at_a_threshold_is_p(ml: Any) -> None:
    population = bm.inverse_predict(ml, [0.6, P, 0.95], "size", by="c").frame
    at = population.rename(columns={"estimate": "size"})[["c", "size"]]
    np.testing.assert_allclose(ml.predict(at, re="none")["estimate"], population["p"], rtol=ALGEBRA)
    groups = bm.inverse_predict(ml, P, "size", by=["c", "s"]).frame
    at = groups.rename(columns={"estimate": "size"})[["c", "s", "size"]]
    np.testing.assert_allclose(ml.predict(at)["estimate"], P, rtol=ALGEBRA)


def test_limits_are_the_errors_of_the_predictor_over_its_slope(ml: Any) -> None:
    """Groups: the prediction errors of coefficients and effects; the population: fit.vcov()."""
    groups = bm.inverse_predict(ml, P, "size", by=["c", "s"]).frame
    at = groups.rename(columns={"estimate": "size"})[["c", "s", "size"]]
    eta = ml.predict(at, scale="link", interval="confidence")
    slopes = ml.fixef()["size"] + ml.ranef()["s"].loc[groups["s"], "size"].to_numpy()
    np.testing.assert_allclose(groups["upper"] - groups["lower"], (eta["upper"] - eta["lower"]) / slopes, rtol=ALGEBRA)
    far = bm.inverse_predict(ml, P, "size", at={"c": "far"}).frame
    assert "At: c = far." in str(bm.inverse_predict(ml, P, "size", at={"c": "far"}))
    x = np.array([1.0, far["estimate"][0], 0.0])
    expected = np.sqrt(x @ ml.vcov().to_numpy() @ x) / ml.fixef()["size"]
    assert list(ml.fixef().index[:2]) == ["Intercept", "size"]
    assert far["se"][0] == pytest.approx(expected, rel=ALGEBRA)


def test_contrasts_of_thresholds_are_shifts_over_the_slope(ml: Any) -> None:
    found = bm.inverse_predict(ml, P, "size", by="c").contrast("pairwise").frame
    beta = ml.fixef()
    assert found["contrast"][0] == "far - near"
    assert found["estimate"][0] == pytest.approx(beta["c[near]"] / beta["size"], rel=ALGEBRA)


@pytest.mark.parametrize("engine", ["ml", "map", "laplace", "nuts"])
def test_every_kind_of_fit_covers_the_simulated_thresholds(
    fits: dict[str, Any], truth: np.ndarray, engine: str
) -> None:
    fit = next(fit for name, fit in fits.items() if engine in name.lower())
    found = bm.inverse_predict(fit, P, "size", by=["s", "c"]).frame
    exact = thresholds(truth)[found["s"].str[1:].astype(int), (found["c"] == "near").astype(int)]
    assert np.mean((found["lower"] < exact) & (exact < found["upper"])) >= ENOUGH
    population = bm.inverse_predict(fit, P, "size", by="c").frame.set_index("c")
    exact = pd.Series(thresholds(np.zeros((1, 2)))[0], index=["far", "near"])
    assert np.all((population["lower"] < exact) & (exact < population["upper"]))


def test_draws_give_an_answer_each(fits: dict[str, Any]) -> None:
    """The median and quantiles of what every draw's own curve says."""
    fit = next(fit for name, fit in fits.items() if "nuts" in name.lower())
    beta = fit.parameters.flat().beta[0]
    eta = float(LINK.forward(np.float64(P)))
    exact = (eta - beta[:, 0]) / beta[:, 1]
    found = bm.inverse_predict(fit, P, "size", at={"c": "far"}).frame
    assert found["estimate"][0] == pytest.approx(np.median(exact), rel=ALGEBRA)
    np.testing.assert_allclose(found[["lower", "upper"]].iloc[0], np.quantile(exact, [0.025, 0.975]), rtol=ALGEBRA)


@pytest.mark.slow
def test_intervals_cover_in_repeated_experiments() -> None:
    """ML's fall short: it holds variances that it often estimates at zero. MAP's are not zero."""
    inside: dict[str, list[bool]] = {"ml": [], "map": []}
    for seed in range(40):
        table, b = experiment(100 + seed)
        for engine, found in inside.items():
            frame = bm.inverse_predict(model(table).fit(engine), P, "size", by=["s", "c"]).frame
            exact = thresholds(b)[frame["s"].str[1:].astype(int), (frame["c"] == "near").astype(int)]
            found += list((frame["lower"] < exact) & (exact < frame["upper"]))
    assert np.mean(inside["map"]) == pytest.approx(0.95, abs=COVERAGE)
    assert 0.85 < np.mean(inside["ml"]) < np.mean(inside["map"])


def test_bent_curves_are_searched_within_the_data() -> None:
    sleep = bm.load_data("sleepstudy")
    bent = bm.Model("Reaction ~ Days + I(Days^2) + (Days | Subject)", sleep).fit("reml")
    b0, b1, b2 = bent.fixef()
    found = bm.inverse_predict(bent, [300, 900], "Days")
    exact = (-b1 + np.sqrt(b1**2 - 4 * b2 * (b0 - 300))) / (2 * b2)
    assert found.frame["estimate"][0] == pytest.approx(exact, abs=9 * SEARCHED)
    x = np.array([1, exact, exact**2])
    se = np.sqrt(x @ bent.vcov().to_numpy() @ x) / (b1 + 2 * b2 * exact)
    assert found.frame["se"][0] == pytest.approx(se, rel=SEARCHED)
    assert np.isnan(found.frame["estimate"][1])
    assert "Not reached between the smallest and the largest Days" in str(found)
    logs = bm.Model("Reaction ~ log(Days + 1) + (1 | Subject)", sleep).fit("reml")
    a, b = logs.fixef()
    found = bm.inverse_predict(logs, 280, "Days").frame
    assert found["estimate"][0] == pytest.approx(np.exp((280 - a) / b) - 1, abs=9 * SEARCHED)


def test_straight_curves_may_be_left_and_say_so() -> None:
    fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    found = bm.inverse_predict(fit, 500, "Days")
    assert found.frame["estimate"][0] == pytest.approx(
        (500 - fit.fixef()["Intercept"]) / fit.fixef()["Days"], rel=ALGEBRA
    )
    assert "outside the values of Days" in str(found)


def test_other_factors_are_averaged_on_the_link_scale(ml: Any) -> None:
    found, beta = bm.inverse_predict(ml, P, "size"), ml.fixef()
    eta = float(LINK.forward(np.float64(P)))
    expected = (eta - beta["Intercept"] - beta["c[near]"] / 2) / beta["size"]
    assert found.frame["estimate"][0] == pytest.approx(expected, rel=ALGEBRA)
    assert "Averaged on the link scale over: c" in str(found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.4, "size"), "between 0.5 and 0.98"),
        ((0.99, "size"), "between 0.5 and 0.98"),
        ((np.nan, "size"), "a number or several"),
        ((P, "c"), "'c' is not a number"),
        ((P, "sise"), "Did you mean 'size'"),
    ],
)
def test_what_has_no_threshold_is_refused(ml: Any, arguments: tuple[Any, str], message: str) -> None:
    with pytest.raises(bm.errors.FitError, match=message):
        bm.inverse_predict(ml, *arguments)


def test_groups_are_named(ml: Any) -> None:
    with pytest.raises(bm.errors.FitError, match="'subject'"):
        bm.inverse_predict(ml, P, "size", by="subject")


def henderson(fit: Any) -> np.ndarray:
    """Covariance of the prediction errors of (beta, b) over sigma^2, intercepts by group: Henderson's equations."""
    groups, sds = fit.model.design.groups, fit.varcorr()["sd"] / fit.sigma
    W = np.concatenate([fit.model.design.mu.X, *(np.eye(term.n_levels)[term.codes] for term in groups)], axis=1)
    penalty = [[0.0, 0.0], *([sd**-2] * term.n_levels for term, sd in zip(groups, sds, strict=False))]
    return np.linalg.inv(W.T @ W + np.diag(np.concatenate(penalty)))


@pytest.mark.parametrize("bars", ["(1 | g)", "(1 | g) + (1 | h)"])
def test_groups_thresholds_have_the_errors_of_hendersons_equations(bars: str) -> None:
    """A difference of two groups' thresholds is -(b_g - b_k) / slope: its error by the delta method, both dense."""
    rng = np.random.default_rng(5)
    g, h, x = np.repeat(np.arange(6), 20), np.tile(np.arange(10), 12), rng.uniform(0, 5, 120)
    y = 1 + 2 * x + rng.normal(size=6)[g] + rng.normal(size=10)[h] + rng.normal(size=120)
    fit = bm.Model(f"y ~ x + {bars}", pd.DataFrame({"y": y, "x": x, "g": g, "h": h})).fit("reml")
    found = bm.inverse_predict(fit, 5.0, "x", by="g")
    N = fit.sigma**2 * henderson(fit)
    slope, levels = fit.fixef()["x"], np.arange(6)
    place = [term.factor for term in fit.model.design.groups].index("g")
    first = 2 + sum(term.n_levels for term in fit.model.design.groups[:place])
    rows = np.zeros((6, len(N)))
    rows[:, 0], rows[:, 1], rows[levels, first + levels] = 1.0, found.frame["estimate"], 1.0
    covariance = rows @ N @ rows.T / slope**2
    np.testing.assert_allclose(found.quantities.covariance(), covariance, rtol=HENDERSON)
    pairs = found.contrast(adjust="none").frame
    expected = [covariance[i, i] + covariance[j, j] - 2 * covariance[i, j] for i in range(6) for j in range(i + 1, 6)]
    np.testing.assert_allclose(pairs["se"], np.sqrt(expected), rtol=HENDERSON)
    np.testing.assert_allclose(pairs["estimate"][0], found.frame["estimate"][0] - found.frame["estimate"][1])


def test_groups_without_spread_have_one_threshold() -> None:
    """At a variance of zero errors of two groups are the same, and of their difference nothing is left."""
    data = bm.load_data("Dyestuff2").assign(x=lambda t: np.arange(len(t)) % 5)
    data["Yield"] += data["x"]
    fit = bm.Model("Yield ~ x + (1 | Batch)", data).fit("ml")
    assert fit.status.singular
    pairs = bm.inverse_predict(fit, 7.0, "x", by="Batch").contrast(adjust="none").frame
    np.testing.assert_allclose(pairs[["estimate", "se"]], 0.0, atol=1e-7)


def test_a_group_that_never_gets_there_leaves_contrasts_of_others() -> None:
    """Of three curves that bend down the lowest stays below 9."""
    g, x = np.repeat([0, 1, 2], 40), np.tile(np.linspace(-2, 2, 40), 3)
    y = np.array([10.0, 12.0, 8.0])[g] - x**2 + 0.1 * np.random.default_rng(2).normal(size=120)
    fit = bm.Model("y ~ x + I(x**2) + (1 | g)", pd.DataFrame({"y": y, "x": x, "g": g})).fit("reml")
    found = bm.inverse_predict(fit, 9.0, "x", by="g")
    assert list(found.frame["estimate"].isna()) == [False, False, True]
    pairs = found.contrast(adjust="none").frame
    assert list(pairs[["estimate", "se", "p"]].notna().all(axis=1)) == [True, False, False]


def test_contrasts_of_subjects_thresholds_cover_the_truth() -> None:
    """As the thresholds themselves do."""
    table, b = experiment(3)
    truth = thresholds(b, (-1.0, -1.0))[:, 0]
    pairs = bm.inverse_predict(model(table).fit("ml"), P, "size", by="s", at={"c": ["far"]}).contrast(adjust="none")
    differences = [truth[i] - truth[j] for i in range(10) for j in range(i + 1, 10)]
    inside = (pairs.frame["lower"] <= differences) & (differences <= pairs.frame["upper"])
    assert inside.mean() >= ENOUGH


def test_laplace_draws_a_point_whose_mode_needs_a_search_of_its_own() -> None:
    """With a guessing rate one of 50 points drawn side by side was not found, and the fit stopped at another."""
    fit = model(experiment(110)[0]).fit(bm.Laplace(draws=400, pool=2), seed=1)
    assert np.isfinite(bm.inverse_predict(fit, P, "size", by="s").frame["se"]).all()


def broken_stick() -> pd.DataFrame:
    """A line that rises to 5.7 at 94 and falls to -6 at 100, at places of which few lie behind the bend."""
    rng = np.random.default_rng(0)
    g, x = rng.integers(0, 10, 300), np.r_[0, 100, rng.uniform(0, 100, 298)]
    y = 1 + 0.05 * x - 2 * np.maximum(x - 94, 0) + 0.3 * rng.normal(size=10)[g] + 0.3 * rng.normal(size=300)
    return pd.DataFrame({"g": g, "x": x, "y": y})


def test_a_bend_in_the_last_tenth_is_seen() -> None:
    fit = bm.Model("y ~ x + I((x - 94) * (x > 94)) + (1 | g)", broken_stick()).fit("reml")
    a, b = fit.fixef().iloc[:2]
    found = bm.inverse_predict(fit, 3.0, "x")
    exact = (3 - a) / b
    assert found.frame["estimate"][0] == pytest.approx(exact, rel=ALGEBRA)
    X = np.array([1, exact, 0])
    assert found.frame["se"][0] == pytest.approx(np.sqrt(X @ fit.vcov().to_numpy() @ X) / b, rel=SEARCHED)
    assert "Reached at more than one x: the smallest is given." in str(found)


def test_a_bend_beyond_the_data_gives_no_answer_there() -> None:
    """abs(x) is a line as far as positive x can tell: -20 on it is the answer of no curve."""
    data = broken_stick().query("0 < x < 90")
    fit = bm.Model("y ~ abs(x) + (1 | g)", data).fit("reml")
    a, b = fit.fixef()
    low, inside, high = bm.inverse_predict(fit, [0.0, 3.0, 9.0], "x").frame["estimate"]
    assert np.isnan(low)
    assert inside == pytest.approx((3 - a) / b, rel=ALGEBRA)
    assert high == pytest.approx((9 - a) / b, rel=ALGEBRA)
    draws = bm.inverse_predict(fit.model.fit(bm.Laplace(draws=100, pool=2), seed=1), 3.0, "x")
    assert draws.frame["estimate"][0] == pytest.approx(inside, abs=draws.frame["se"][0])


@pytest.mark.parametrize("place", [0.061, 3.0, 400.0])
def test_answers_and_errors_on_a_logarithm_hold_over_decades(place: float) -> None:
    rng = np.random.default_rng(20)
    x = np.exp(rng.uniform(np.log(0.06), np.log(500), 300))
    x[:2] = 0.06, 500
    data = pd.DataFrame({"x": x, "g": rng.integers(0, 8, 300), "y": 2 * np.log(x) + rng.normal(size=300)})
    fit = bm.Model("y ~ log(x) + (1 | g)", data).fit("reml")
    a, b = fit.fixef()
    found = bm.inverse_predict(fit, a + b * np.log(place), "x").frame
    X = np.array([1, np.log(place)])
    assert found["estimate"][0] == pytest.approx(place, rel=ALGEBRA)
    assert found["se"][0] == pytest.approx(np.sqrt(X @ fit.vcov().to_numpy() @ X) / (b / place), rel=SEARCHED)


@pytest.mark.parametrize(("term", "origin"), [("d", 1.7e9), ("scale(d)", 1.7e9), ("d + I(d**2)", 737000.0)])
def test_dates_have_thresholds_wherever_they_are_counted_from(term: str, origin: float) -> None:
    data = broken_stick().assign(d=lambda t: t["x"].round() + origin).query("x < 90")
    fit = bm.Model(f"y ~ {term} + (1 | g)", data).fit("reml")
    near = bm.Model(f"y ~ {term} + (1 | g)", data.assign(d=data["d"] - origin)).fit("reml")
    found, exact = (bm.inverse_predict(one, 3.0, "d").frame[["estimate", "se"]].iloc[0] for one in (fit, near))
    assert found["estimate"] - origin == pytest.approx(exact["estimate"], abs=1e-4 * exact["se"])
    assert found["se"] == pytest.approx(exact["se"], rel=1e-4)
