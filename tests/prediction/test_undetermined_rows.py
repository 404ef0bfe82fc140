"""Predictions where the data determine nothing are NaN with a warning, whichever way they are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm

pytestmark = pytest.mark.filterwarnings("ignore:the fixed-effect design of mu is rank deficient")
INVARIANCE = 1e-6  # of two searches of one optimum that differ in reference levels
SAID = "do not determine the mean of row nowhere: NaN"


def table() -> pd.DataFrame:
    """f by k without (c, q); `twice` is 2 x in every row."""
    rng = np.random.default_rng(4)
    n = 240
    data = pd.DataFrame({name: rng.choice(list(levels), n) for name, levels in (("f", "abc"), ("k", "pq"))})
    data["g"], data["x"] = rng.integers(0, 10, n), rng.normal(size=n)
    data["y"] = rng.normal(size=10)[data["g"]] + data["x"] + rng.normal(size=n)
    data["n"], data["twice"] = rng.poisson(3, n), 2 * data["x"]
    return data[(data["f"] != "c") | (data["k"] != "q")].reset_index(drop=True)


def cells() -> pd.DataFrame:
    """Two cells that the data have, and one that they have not."""
    columns = {"f": ["a", "c", "c"], "k": ["q", "q", "p"], "g": [0, 0, 0], "x": 0.5}
    return pd.DataFrame(columns, index=["here", "nowhere", "there"])


@pytest.fixture(scope="module")
def linear() -> Any:
    return bm.Model("y ~ f * k + x + (1 | g)", table()).fit("reml")


@pytest.fixture(scope="module")
def counted() -> Any:
    return bm.Model("n ~ f * k + (1 | g)", table(), family="poisson")


def test_an_empty_cell_is_nan_and_others_do_not_depend_on_the_reference_level(linear: Any) -> None:
    levels = {"f": pd.CategoricalDtype(list("cba")), "k": pd.CategoricalDtype(list("qp"))}
    turned = bm.Model("y ~ f * k + x + (1 | g)", table().astype(levels)).fit("reml")
    found = []
    for fit in (linear, turned):
        with pytest.warns(bm.errors.BayesMixedWarning, match=SAID):
            found.append(fit.predict(cells(), interval="confidence"))
        assert found[-1].isna().all(axis=1).tolist() == [False, True, False]
    np.testing.assert_allclose(found[0], found[1], rtol=INVARIANCE)
    with np.errstate(invalid="ignore"):
        shown = bm.predictions(linear, newdata=cells()).frame["estimate"]
    assert shown.isna().tolist() == [False, True, False]  # the two ways to ask agree


@pytest.mark.parametrize("method", ["ml", bm.Laplace(draws=50)], ids=["ml", "laplace"])
def test_every_way_to_predict_says_so(counted: Any, method: Any) -> None:
    fit, new = counted.fit(method, seed=1), cells()
    asked = {
        "estimates": lambda: fit.predict(new, re="none")[["estimate"]].T,
        "predictors": lambda: fit.predict(new, scale="link", interval="confidence").T,
        "new responses": lambda: fit.predict(new, interval="prediction", seed=1).T,
        "means": lambda: fit.predict_draws(new, draws=5, seed=1).values[0],
        "observations": lambda: fit.predict_draws(new, scale="observation", draws=5, seed=1).values[0],
        "simulated": lambda: fit.simulate(5, newdata=new, seed=1),
        "simulated, same effects": lambda: fit.simulate(5, re="all", newdata=new, seed=1),
    }
    for what, ask in asked.items():
        with pytest.warns(bm.errors.BayesMixedWarning, match=SAID):
            values = np.asarray(ask(), dtype=float)
        assert np.isnan(values).tolist() == [[False, True, False]] * len(values), what


def test_columns_that_part_in_new_rows_are_undetermined() -> None:
    """Only 2 x was ever seen beside x."""
    fit = bm.Model("y ~ x + twice + (1 | g)", table()).fit("ml")
    new = pd.DataFrame({"x": [1.0, 1.0], "twice": [2.0, 2.1], "g": 0}, index=["somewhere", "nowhere"])
    with pytest.warns(bm.errors.BayesMixedWarning, match=SAID + ".*twice"):
        found = fit.predict(new, re="none")["estimate"]
    assert found.isna().tolist() == [False, True]
    assert found.iloc[0] == pytest.approx(fit.fixef().sum())


def test_a_missing_number_is_no_open_direction(linear: Any, recwarn: Any) -> None:
    new = cells()[::2].assign(x=[np.nan, 0.5])
    found = linear.predict(new, interval="confidence")
    assert found.isna().all(axis=1).tolist() == [True, False]
    np.testing.assert_allclose(found.iloc[1], linear.predict(new[1:], interval="confidence").iloc[0])
    assert not [one for one in recwarn if "determine" in str(one.message)]


def test_rows_of_the_fit_and_complete_rows_are_silent(linear: Any, recwarn: Any) -> None:
    np.testing.assert_allclose(linear.predict()["estimate"], linear.fitted())
    linear.predict(cells()[::2])
    linear.simulate(newdata=table(), seed=1)
    assert not [one for one in recwarn if "determine" in str(one.message)]


def test_a_row_without_weight_says_nothing_of_its_cell() -> None:
    data = pd.concat([table(), cells()[1:2].assign(y=0.0)])
    weights = np.append(np.ones(len(table())), 0.0)
    fit = bm.Model("y ~ f * k + x + (1 | g)", data, weights=weights).fit("ml")
    for ask in (fit.fitted, fit.residuals, lambda: fit.predict()["estimate"].to_numpy()):
        with pytest.warns(bm.errors.BayesMixedWarning, match=SAID):
            values = ask()
        assert np.isnan(np.asarray(values)[-1])
        assert np.isfinite(np.asarray(values)[:-1]).all()


@pytest.mark.parametrize("family", ["poisson", "negbinomial", "binomial", "gamma", "beta", "lognormal"])
def test_new_responses_of_a_missing_number_are_nan(family: str) -> None:
    """Generators of random numbers refuse NaN, or read it as some number."""
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"x": rng.normal(size=60), "g": np.repeat(np.arange(6), 10), "m": 4})
    data["y"] = {"beta": rng.uniform(0.1, 0.9, 60)}.get(family, rng.integers(1, 4, 60))
    left = "prop(y, m)" if family == "binomial" else "y"
    fit = bm.Model(f"{left} ~ x + (1 | g)", data, family=family).fit("ml")
    new = pd.DataFrame({"x": [np.nan, 0.0], "g": 0, "m": 4})
    for values in (fit.simulate(3, newdata=new, seed=1), fit.predict(new, interval="prediction", seed=1).T.to_numpy()):
        assert np.isnan(values).tolist() == [[True, False]] * 3
    if family == "binomial":
        untried = fit.simulate(3, newdata=new.assign(x=0.0, m=[np.nan, 4.0]), seed=1)
        assert np.isnan(untried).tolist() == [[True, False]] * 3
