"""A missing level of a grouping factor in new rows is an unseen one: refused, without effect, or drawn anew."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from simulated import crossed, nested

import bayesmixed as bm

ALGEBRA = 1e-9
DRAWS = 4000  # a correlation of 0 is estimated within 1 / sqrt(DRAWS) = 0.016, six of which are allowed
Z = 1.959963984540054  # normal quantile of 0.975
MISSING = [None, np.nan, pd.NA, pd.NaT]


@pytest.fixture(scope="module")
def sleep() -> Any:
    return bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")


@pytest.fixture(scope="module")
def rooms() -> Any:
    return bm.Model("y ~ x + (1 | school/room)", nested()).fit("reml")


def unlabelled(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_sampled_a_missing_level_has_the_spread_of_a_new_one(sleep: Any) -> None:
    """Variance of x'beta plus z' Sigma z by hand: lme4's Sigma is 24.74, 5.92 and a correlation of 0.066."""
    new = unlabelled(Days=[5.0, 5.0], Subject=[None, "somebody new"])
    found = sleep.predict(new, new_levels="sample", interval="confidence")
    x, table = np.array([1.0, 5.0]), sleep.varcorr()
    sds, correlation = table["sd"].to_numpy()[:2], float(table.iloc[1, 3])
    Sigma = np.outer(sds, sds) * np.array([[1.0, correlation], [correlation, 1.0]])
    half = Z * np.sqrt(x @ sleep.vcov().to_numpy() @ x + x @ Sigma @ x)
    np.testing.assert_allclose(found["upper"] - found["estimate"], half, rtol=ALGEBRA)
    wide = sleep.predict(new, new_levels="sample", interval="prediction", seed=1)
    assert (wide["upper"] - wide["lower"]).iloc[0] == pytest.approx(2 * np.hypot(half, Z * sleep.sigma), rel=0.06)


@pytest.mark.parametrize("label", MISSING, ids=["None", "NaN", "NA", "NaT"])
def test_a_missing_level_is_an_error_that_names_column_row_and_remedy(sleep: Any, label: Any) -> None:
    new = pd.DataFrame({"Days": [1.0, 2.0], "Subject": np.array(["308", label], dtype=object)}, index=["r1", "r2"])
    said = r"'Subject' has no level in row r2.*1 such row: r2.*new_levels='population'.*new_levels='sample'"
    for ask in (
        lambda: sleep.predict(new),
        lambda: sleep.predict_draws(new, draws=2),
        lambda: sleep.simulate(re="all", newdata=new),
    ):
        with pytest.raises(bm.errors.DataError, match=said):
            ask()
    known = sleep.predict(new[:1])["estimate"].iloc[0]
    found = sleep.predict(new, new_levels="population")["estimate"]
    fixed = sleep.fixef()
    np.testing.assert_allclose(found, [known, fixed["Intercept"] + 2 * fixed["Days"]], rtol=ALGEBRA)


@pytest.mark.parametrize(
    "labels",
    [pd.Categorical(["1", None, None]), pd.array(["1", None, None], dtype="string"), [1.0, np.nan, np.nan]],
    ids=["categories", "string", "numbers"],
)
def test_missing_levels_of_every_type_of_column_are_seen(labels: Any) -> None:
    fit = bm.Model("y ~ x + (1 | a)", crossed()).fit("ml")
    new = pd.DataFrame({"x": 0.0, "a": labels})
    with pytest.raises(bm.errors.DataError, match="'a' has no level in row 1"):
        fit.predict(new)
    assert np.isfinite(fit.predict(new, new_levels="population")["estimate"]).all()
    assert np.isfinite(fit.predict(new, re="none")["estimate"]).all()  # where no effect is asked for, no label is


def test_rows_without_a_label_share_no_effect(sleep: Any) -> None:
    new = unlabelled(Days=[0.0] * 4, Subject=[None, None, "new", "new"])
    draws = sleep.predict_draws(new, new_levels="sample", draws=DRAWS, seed=1).values[0] - sleep.fixef()["Intercept"]
    correlation = np.corrcoef(draws.T)
    shared = sleep.vcov().iloc[0, 0] / (sleep.vcov().iloc[0, 0] + sleep.varcorr()["sd"].iloc[0] ** 2)
    assert correlation[2, 3] == pytest.approx(1.0)
    assert correlation[0, 1] == pytest.approx(shared, abs=0.1)  # that of the intercept alone
    assert correlation[0, 2] == pytest.approx(shared, abs=0.1)
    simulated = sleep.simulate(DRAWS, newdata=new, seed=2)
    assert np.corrcoef(simulated.T)[0, 1] == pytest.approx(0.0, abs=0.1)
    spread = np.hypot(sleep.varcorr()["sd"].iloc[0], sleep.sigma)
    np.testing.assert_allclose(simulated.std(axis=0), spread, rtol=0.06)


def test_a_part_of_an_interaction_may_be_missing(rooms: Any) -> None:
    """The school is known and keeps its effect; its room is new."""
    new = unlabelled(x=[0.0, 0.0], school=["s1", None], room=[None, "c1"])
    with pytest.raises(bm.errors.DataError, match="'school' has no level in row 1"):
        rooms.predict(new)
    with pytest.raises(bm.errors.DataError, match=r"'school:room' \(its part 'room'\) has no level in row 0"):
        rooms.predict(new[:1])
    with pytest.raises(bm.errors.DataError, match=r"'school:room' \(its part 'school'\) has no level in row 1"):
        rooms.predict(new[1:], re=["school:room"])
    schools, sds = rooms.ranef()["school"]["Intercept"], rooms.varcorr()["sd"]
    fixed = rooms.fixef()["Intercept"]
    for what in ("population", "sample"):
        found = rooms.predict(new, new_levels=what, interval="confidence")
        np.testing.assert_allclose(found["estimate"], [fixed + schools["s1"], fixed], rtol=ALGEBRA)
        added = np.array([sds[1] ** 2, sds[0] ** 2 + sds[1] ** 2]) if what == "sample" else 0.0
        known = rooms.predict(new.assign(room="c1", school=["s1", "s0"]), re=["school"], interval="confidence")
        half = (known["upper"] - known["estimate"]).iloc[0] / Z
        expected = np.sqrt(np.array([half**2, rooms.vcov().iloc[0, 0]]) + added)
        np.testing.assert_allclose((found["upper"] - found["estimate"]) / Z, expected, rtol=1e-6)


def test_draws_and_generalized_models_know_it_too() -> None:
    table = crossed().assign(count=lambda t: np.random.default_rng(3).poisson(np.exp(0.3 * t["y"])))
    model = bm.Model("count ~ x + (1 | a)", table, family="poisson")
    fit = model.fit(bm.Laplace(draws=2000), seed=1)
    new = unlabelled(x=[0.0, 0.0], a=[None, "new"])
    with pytest.raises(bm.errors.DataError, match="'a' has no level in row 0"):
        fit.predict(new, interval="prediction")
    found = fit.predict_draws(new, new_levels="sample", scale="link", seed=1).values[0]
    population = fit.predict_draws(new, new_levels="population", scale="link").values[0]
    sd = fit.varcorr()["sd"].iloc[0]
    spread = np.sqrt(found.var(axis=0) - population.var(axis=0))
    np.testing.assert_allclose(spread, sd, rtol=0.1)  # a mean square is a little above the squared mean
    ml = model.fit("ml").predict(new, new_levels="sample", interval="confidence", scale="link")
    half = np.diff(ml[["lower", "upper"]].to_numpy())[:, 0] / (2 * Z)
    np.testing.assert_allclose(half[0], half[1], rtol=ALGEBRA)
    assert half[0] > model.fit("ml").varcorr()["sd"].iloc[0]


def test_effects_of_too_many_new_levels_are_refused_with_their_size() -> None:
    fit = bm.Model("y ~ x + (1 | a)", crossed()).fit(bm.Laplace(draws=1000), seed=1)
    many = pd.DataFrame({"x": np.zeros(600_000), "a": None})
    with pytest.raises(bm.errors.FitError, match=r"600,000 new levels of 'a' are 4\.8 GB"):
        fit.predict(many, new_levels="sample")
