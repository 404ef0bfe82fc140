"""An empty cell leaves some means open; what does not lean on them is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, studentized_range

import bayesmixed as bm

pytestmark = pytest.mark.filterwarnings("ignore:the fixed-effect design of mu is rank deficient")
ALGEBRA = 1e-8
ORIGIN = 737000.0


def table() -> pd.DataFrame:
    """f by k without (c, q); t and x beside them."""
    rng = np.random.default_rng(4)
    n = 300
    data = pd.DataFrame(
        {name: rng.choice(list(levels), n) for name, levels in (("f", "abc"), ("k", "pq"), ("t", "uv"))}
    )
    data["g"], data["x"] = rng.integers(0, 10, n), rng.normal(size=n)
    data["y"] = rng.normal(size=10)[data["g"]] + data["x"] + 0.3 * (data["t"] == "v") + rng.normal(size=n)
    data["s"] = (data["y"] > 0).astype(int)
    return data[(data["f"] != "c") | (data["k"] != "q")].reset_index(drop=True)


@pytest.fixture(scope="module")
def linear() -> Any:
    return bm.Model("y ~ f * k + t + x + (1 | g)", table()).fit("reml")


@pytest.fixture(scope="module")
def logistic() -> Any:
    return bm.Model("s ~ f * k + t + x + (1 | g)", table(), family="bernoulli").fit("ml")


def test_differences_of_open_means_are_coefficients(linear: Any) -> None:
    """As where the column that has no data is left out of the formula by hand."""
    data = table()
    by_hand = bm.Model("y ~ f + k + I((f == 'b') * (k == 'q')) + t + x + (1 | g)", data).fit("reml").coefficients
    assert bm.emmeans(linear, "t").frame["estimate"].isna().all()
    found = {
        "t[v]": bm.comparisons(linear, "t", average=True, ddf=np.inf),
        "x": bm.slopes(linear, "x", average=True, ddf=np.inf),
    }
    for name, effects in found.items():
        columns = ["estimate", "se", "lower", "upper", "statistic"]
        np.testing.assert_allclose(effects.frame[columns].iloc[0], by_hand.loc[name, columns], rtol=1e-5)
        assert "Blank" not in str(effects)
    pair = bm.emmeans(linear, "t", ddf=np.inf).contrast().frame
    assert pair["estimate"][0] == pytest.approx(-linear.fixef()["t[v]"], rel=ALGEBRA)
    assert pair["p"][0] == pytest.approx(found["t[v]"].frame["p"][0], rel=ALGEBRA)


def test_cells_that_have_no_rows_stay_open(linear: Any) -> None:
    pairs = bm.emmeans(linear, "f * k").contrast(adjust="none").frame
    assert (pairs["estimate"].isna() == pairs["contrast"].str.contains("c q")).all()
    by_cell = bm.comparisons(linear, "k", by="f").frame.set_index("f")["estimate"]
    assert by_cell.isna().to_dict() == {"a": False, "b": False, "c": True}


def test_slopes_in_an_empty_cell_are_open_where_they_differ_between_cells() -> None:
    fit = bm.Model("y ~ f * k * x + t + (1 | g)", table()).fit("reml")
    found = bm.slopes(fit, "x", by=["f", "k"]).frame
    assert list(found["estimate"].isna()) == [False] * 5 + [True]
    assert found["estimate"][0] == pytest.approx(fit.fixef()["x"], rel=ALGEBRA)


def test_ratios_of_odds_are_known_where_odds_are_not(logistic: Any) -> None:
    """On the scale of the link t has one effect; differences of probabilities lean on the open cell."""
    odds = bm.comparisons(logistic, "t", by=["f", "k"], comparison="odds_ratio").frame
    np.testing.assert_allclose(odds["estimate"], np.exp(logistic.fixef()["t[v]"]), rtol=ALGEBRA)
    differences = bm.comparisons(logistic, "t", by=["f", "k"]).frame["estimate"]
    assert list(differences.isna()) == [False] * 5 + [True]
    assert np.isnan(bm.comparisons(logistic, "t", average=True).frame["estimate"][0])
    assert list(bm.slopes(logistic, "x", by=["f", "k"]).frame["estimate"].isna()) == [False] * 5 + [True]
    links = bm.slopes(logistic, "x", by=["f", "k"], scale="link").frame["estimate"]
    np.testing.assert_allclose(links, logistic.fixef()["x"], rtol=ALGEBRA)


def test_draws_are_open_where_estimates_are(logistic: Any) -> None:
    draws = logistic.model.fit(bm.Laplace(draws=100, pool=2), seed=1)
    for ask in (
        lambda fit: bm.emmeans(fit, "f * k"),
        lambda fit: bm.emmeans(fit, "f * k", scale="response").contrast(),
        lambda fit: bm.comparisons(fit, "t", by=["f", "k"], comparison="odds_ratio"),
        lambda fit: bm.predictions(fit, "f", by=["f", "k"], kind="population"),
    ):
        np.testing.assert_array_equal(ask(draws).frame.isna()["estimate"], ask(logistic).frame.isna()["estimate"])


def test_columns_far_from_zero_are_no_reason_to_leave_means_open() -> None:
    """A column that depends on others, among dates and their squares."""
    data = table().assign(d=lambda t: ORIGIN + np.arange(len(t)) % 100, later=lambda t: 2 * t["d"] + 5)
    fit = bm.Model("y ~ d + I(d**2) + later + f * k + (1 | g)", data).fit("reml")
    at = {"d": ORIGIN + 20, "later": 2 * ORIGIN + 45}
    assert list(bm.emmeans(fit, "f * k", at=at).frame["estimate"].isna()) == [False] * 5 + [True]
    off = at | {"later": 2 * ORIGIN + 46}
    assert bm.emmeans(fit, "f * k", at=off).frame["estimate"].isna().all()


def test_tukey_counts_the_means_of_each_group(linear: Any) -> None:
    """Three in one, two in the other: of two means the adjusted p is the plain one."""
    means = bm.predictions(linear, newdata="data", by=["k", "f"], ddf=np.inf)
    found = means.contrast(by="k")
    frame = found.frame.set_index("k")
    z = frame["statistic"].abs()
    assert frame.loc["q", "p"] == pytest.approx(2 * norm.sf(z["q"]), rel=ALGEBRA)
    np.testing.assert_allclose(frame.loc["p", "p"], studentized_range.sf(np.sqrt(2) * z["p"], 3, np.inf), rtol=ALGEBRA)
    half = (frame["upper"] - frame["lower"]) / 2 / frame["se"]
    assert half["q"] == pytest.approx(norm.ppf(0.975), rel=ALGEBRA)
    np.testing.assert_allclose(half["p"], studentized_range.ppf(0.95, 3, np.inf) / np.sqrt(2), rtol=ALGEBRA)
    assert "Tukey, for 2 to 3 means, in each group." in str(found)
    together = means.contrast(by=None)
    assert "Tukey, for 5 means." in str(together)


def test_tukey_leaves_open_means_out(linear: Any) -> None:
    """Six cells of which the data determine five."""
    pairs = bm.emmeans(linear, "f * k", ddf=np.inf).contrast()
    known = pairs.frame[pairs.frame["p"].notna()]
    exact = studentized_range.sf(np.sqrt(2) * known["statistic"].abs(), 5, np.inf)
    np.testing.assert_allclose(known["p"], exact, rtol=ALGEBRA)
    assert "Tukey, for 5 means." in str(pairs)
