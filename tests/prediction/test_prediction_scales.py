"""One scale per row of a table of predictions, and limits that reach the end of a link's domain."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmixed as bm
from bayesmixed.families import family
from bayesmixed.prediction.quantiles import equal_tailed

ALGEBRA = 1e-9
Z = 1.959963984540054  # normal quantile of 0.975
DRAWS = 100_000  # an error of a share below 1 / sqrt(DRAWS) = 0.003, of which four are allowed
COUNTS = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
LAPLACE = bm.Laplace(draws=200)


def inverse_table(family_name: str) -> pd.DataFrame:
    """Positive amounts whose inverse (square) falls towards zero as x grows."""
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"x": np.arange(80.0) % 8, "g": np.repeat(np.arange(10), 8)})
    mean = 1 / (1.0 - 0.1 * data["x"])
    data["y"] = rng.gamma(4.0, mean / 4.0) if family_name != "inverse_gaussian" else rng.wald(mean, 4.0)
    return data


@pytest.mark.parametrize("method", ["ml", LAPLACE], ids=["ml", "laplace"])
@pytest.mark.parametrize("family_name", ["binomial", "betabinomial"])
def test_new_successes_stand_beside_expected_successes(family_name: str, method: Any) -> None:
    cbpp = bm.load_data("cbpp")
    fit = bm.Model(COUNTS, cbpp, family=family_name).fit(method, seed=1)
    probabilities = fit.predict(interval="confidence")
    found = fit.predict(interval="prediction", seed=1)
    np.testing.assert_allclose(found["estimate"], cbpp["size"] * probabilities["estimate"], rtol=ALGEBRA)
    assert ((found["lower"] <= found["estimate"]) & (found["estimate"] <= found["upper"])).all()
    assert (fit.predict()["estimate"] < 1).all()
    new = cbpp[:2].assign(size=[100, 0])
    wider = fit.predict(new, interval="prediction", trials=[100, 0], seed=1)
    assert wider["estimate"].tolist() == pytest.approx([100 * probabilities["estimate"].iloc[0], 0.0])
    assert wider.iloc[1].tolist() == [0.0, 0.0, 0.0]


def test_proportions_stay_proportions() -> None:
    cbpp = bm.load_data("cbpp").assign(share=lambda d: d["incidence"] / d["size"])
    fit = bm.Model("share ~ period + (1 | herd)", cbpp, family="binomial", weights="size").fit("ml")
    found = fit.predict(interval="prediction", seed=1)
    np.testing.assert_allclose(found["estimate"], fit.fitted(), rtol=ALGEBRA)
    assert (found["upper"] <= 1).all()


@pytest.mark.parametrize(
    ("family_name", "link", "power"),
    [("gamma", "inverse", -1.0), ("inverse_gaussian", "1/mu^2", -0.5), ("gaussian", "inverse", -1.0)],
)
def test_a_limit_past_the_end_of_an_inverse_link_is_infinite(family_name: str, link: str, power: float) -> None:
    """x = 8 lies where eta - 1.96 se < 0 < eta: mu has no upper limit, its lower one is g^-1(eta + 1.96 se)."""
    fit = bm.Model("y ~ x + (1 | g)", inverse_table(family_name), family=family_name, link=link).fit("ml")
    grid = pd.DataFrame({"x": np.linspace(7, 12, 51)})
    linked = fit.predict(grid, re="none", scale="link", interval="confidence")
    crossed = (linked["lower"] < 0) & (linked["estimate"] > 0)
    assert crossed.any()
    row = grid[crossed][:1]
    found = fit.predict(row, re="none", interval="confidence").iloc[0]
    assert found["lower"] == pytest.approx(linked["upper"][crossed].iloc[0] ** power, rel=ALGEBRA)
    assert found["estimate"] == pytest.approx(linked["estimate"][crossed].iloc[0] ** power, rel=ALGEBRA)
    assert np.isinf(found["upper"])
    drawn = fit.predict(row, re="none", interval="prediction", seed=1)
    assert drawn.notna().all(axis=None)
    table = bm.predictions(fit, {"x": row["x"].to_list()}).frame.iloc[0]
    x = np.array([1.0, row["x"].iloc[0]])
    above = x @ fit.fixef().to_numpy() + Z * np.sqrt(x @ fit.vcov().to_numpy() @ x)
    assert table["lower"] == pytest.approx(above**power, rel=1e-8)
    assert np.isinf(table["upper"])


def test_an_estimate_past_the_end_says_so() -> None:
    fit = bm.Model("y ~ x + (1 | g)", inverse_table("gamma"), family="gamma", link="inverse").fit("ml")
    with pytest.warns(bm.errors.BayesMixedWarning, match=r"in row 1 \(1 of 2 such rows\).*inverse link.*0 to inf.*inf"):
        found = fit.predict(pd.DataFrame({"x": [0.0, 100.0]}), re="none", interval="prediction", seed=1)
    assert np.isinf(found.iloc[1]).all()


@pytest.mark.parametrize("mean", [0.5, 1e3, 1e20, np.inf])
def test_inverse_gaussian_draws_up_to_an_infinite_mean(mean: float) -> None:
    """Then it is Levy's distribution, lam / z^2; NumPy's wald gives 0 from a mean of 1e17 on."""
    rng = np.random.default_rng(3)
    drawn = family("inverse_gaussian", None).draw(rng, np.full(DRAWS, mean), {"lam": 2.0}, None, None)
    exact = stats.levy(scale=2.0) if mean > 1e15 else stats.invgauss(mean / 2.0, scale=2.0)
    shares = np.array([0.05, 0.5, 0.9])
    np.testing.assert_allclose((drawn <= exact.ppf(shares)[:, None]).mean(axis=1), shares, atol=4 / np.sqrt(DRAWS))


def test_quantiles_of_infinite_draws() -> None:
    draws = np.array([[1.0, 1.0], [2.0, np.inf], [3.0, np.inf], [4.0, np.inf]])
    np.testing.assert_allclose(equal_tailed(draws, 0.5)[:, 0], np.quantile(draws[:, 0], [0.25, 0.75]))
    assert np.isinf(equal_tailed(draws, 0.5)[:, 1]).all()
    assert equal_tailed(draws, 0.999999)[0, 1] == np.inf  # any share of infinity is
    assert np.isnan(equal_tailed(np.array([1.0, np.nan, np.inf]), 0.5)).all()
