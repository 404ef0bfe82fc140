"""Limits of means stay inside the range that means have: made where the predictor is normal, and transformed back."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit, logit

import bayesmixed as bm
from bayesmixed.degrees.methods import reference

ALGEBRA = 1e-8
Z = 1.959963984540054  # normal quantile of 0.975
ENDS = {"week": [0, 11]}
RESPONSES = {  # family, link, the range of its means
    "logit": ("bernoulli", "logit", (0, 1)),
    "cloglog": ("bernoulli", "cloglog", (0, 1)),
    "guess": ("bernoulli", bm.links.logit(guess=0.1, lapse=0.05), (0.1, 0.95)),
    "log": ("poisson", "log", (0, np.inf)),
    "sqrt": ("poisson", "sqrt", (0, np.inf)),
    "gamma": ("gamma", "log", (0, np.inf)),
    "lognormal": ("lognormal", None, (0, np.inf)),
}


def visits() -> pd.DataFrame:
    """A response that nearly everybody has in week 0 and nearly nobody in week 11, and others that fall alike."""
    rng = np.random.default_rng(3)
    n = 240
    data = pd.DataFrame({"week": rng.integers(0, 12, n), "g": rng.integers(0, 20, n), "arm": rng.choice(["a", "b"], n)})
    effects = rng.normal(size=20)[data["g"]]
    eta = 4 - 0.8 * data["week"] + effects
    data["logit"] = data["cloglog"] = (rng.uniform(size=n) < expit(eta)).astype(int)
    data["guess"] = (rng.uniform(size=n) < 0.1 + 0.85 * expit(0.6 * eta)).astype(int)
    data["log"] = rng.poisson(np.exp(0.4 * eta - 1))
    data["sqrt"] = rng.poisson((3 - 0.2 * data["week"] + 0.2 * effects) ** 2)
    data["gamma"] = data["lognormal"] = rng.gamma(0.5, np.exp(0.4 * eta) / 0.5) + 1e-3
    return data


@pytest.fixture(scope="module")
def fits() -> dict[str, Any]:
    data = visits()
    return {
        name: bm.Model(f"{name} ~ week + arm + (1 | g)", data, family=family, link=link).fit("ml")
        for name, (family, link, _) in RESPONSES.items()
    }


@pytest.mark.parametrize("name", RESPONSES)
def test_limits_of_one_rows_mean_are_those_of_its_predictor(fits: dict[str, Any], name: str) -> None:
    """x'beta -+ t sqrt(x'Vx), through the inverse link and, of a lognormal, times exp(sigma^2 / 2)."""
    fit = fits[name]
    frame = bm.predictions(fit, ENDS).frame
    X = np.column_stack([np.ones(4), frame["week"], frame["arm"] == "b"])
    critical = stats.t.ppf(0.975, reference(fit).df(X))  # of a lognormal by Satterthwaite, of others normal
    half = critical * np.sqrt(np.einsum("np,pq,nq->n", X, fit.vcov().to_numpy(), X))
    centre = X @ fit.fixef().to_numpy()
    link = fit.model.family.link
    low, high = (np.maximum(centre - half, 0) if name == "sqrt" else centre - half), centre + half
    ends = [np.exp(eta + fit.sigma**2 / 2) if name == "lognormal" else link.inverse(eta) for eta in (low, high)]
    np.testing.assert_allclose(frame[["lower", "upper"]], np.transpose(ends), rtol=ALGEBRA)
    drawn = bm.plot.effects_frame(fit, "week", at=ENDS | {"arm": ["b"]})
    np.testing.assert_allclose(frame.loc[frame["arm"] == "b", "upper"], drawn["upper"], rtol=ALGEBRA)


ASKED = {
    "rows": {},
    "population": {"kind": "population"},
    "average": {"newdata": "data", "average": True},
    "population average": {"newdata": "data", "average": True, "kind": "population"},
    "by": {"by": "arm"},
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("name", RESPONSES)
def test_no_limit_leaves_the_range_of_means(fits: dict[str, Any], name: str, asked: str) -> None:
    low, high = RESPONSES[name][2]
    found = bm.predictions(fits[name], ENDS, **ASKED[asked])
    frame = found.frame
    assert (frame["lower"] >= low).all()
    assert (frame["upper"] <= high).all()
    assert ((frame["lower"] < frame["estimate"]) & (frame["estimate"] < frame["upper"])).all()
    how = "delta method on the scale" if asked != "rows" else ", on the scale of the link"
    assert how in str(found)


def test_limits_of_averages_are_by_the_delta_method_on_the_link_scale(fits: dict[str, Any]) -> None:
    for found in (
        bm.predictions(fits["logit"], ENDS, kind="population").frame,
        bm.predictions(fits["logit"], ENDS, newdata="data", average=True).frame,
        bm.emmeans(fits["logit"], "week", at=ENDS, kind="population").frame,
    ):
        m = found["estimate"]
        half = Z * found["se"] / (m * (1 - m))
        np.testing.assert_allclose(found["lower"], expit(logit(m) - half), rtol=ALGEBRA)
        np.testing.assert_allclose(found["upper"], expit(logit(m) + half), rtol=ALGEBRA)
    counts = bm.predictions(fits["log"], ENDS, kind="population").frame
    half = Z * counts["se"] / counts["estimate"]
    np.testing.assert_allclose(counts["lower"], counts["estimate"] * np.exp(-half), rtol=ALGEBRA)


@pytest.mark.parametrize("name", ["logit", "guess", "sqrt", "lognormal"])
def test_the_average_of_equal_rows_has_the_limits_of_one(fits: dict[str, Any], name: str) -> None:
    row = pd.DataFrame({"week": [3.0, 3.0], "arm": ["a", "a"]})
    one = bm.predictions(fits[name], newdata=row[:1]).frame
    both = bm.predictions(fits[name], newdata=row, average=True).frame
    columns = ["estimate", "se", "lower", "upper"]
    if name == "lognormal":  # one row's limits are those of a linear function, and have its degrees of freedom
        columns = columns[:2]
    np.testing.assert_allclose(both[columns], one[columns], rtol=1e-6)


def test_differences_and_unbounded_means_keep_their_own_limits(fits: dict[str, Any]) -> None:
    sleep = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    for found in (
        bm.predictions(sleep, "Days", ddf="asymptotic"),
        bm.comparisons(fits["logit"], {"week": (11, 0)}),
        bm.predictions(fits["logit"], ENDS).contrast(adjust="none"),
        bm.predictions(fits["logit"], ENDS, scale="link"),
    ):
        frame = found.frame
        np.testing.assert_allclose(frame["lower"], frame["estimate"] - Z * frame["se"], rtol=ALGEBRA)
        assert "Limits: 95 %, z." in str(found) or "Adjusted" in str(found)


def test_means_that_are_predictors_are_cut_off_at_their_end() -> None:
    """A Poisson mean by an identity link, far from the data."""
    data = visits().assign(y=lambda d: np.random.default_rng(1).poisson(3, len(d)))
    fit = bm.Model("y ~ week + arm + (1 | g)", data, family="poisson", link="identity").fit("ml")
    for found in (
        bm.predictions(fit, {"week": [-25]}),
        bm.predictions(fit, {"week": [-25]}, kind="population"),
        bm.emmeans(fit, "arm", at={"week": [-25]}),
        bm.emmeans(fit, "arm", at={"week": [-25]}, scale="response"),
    ):
        frame = found.frame
        assert ((frame["lower"] == 0) & (frame["estimate"] > 0)).all()
        np.testing.assert_allclose(frame["upper"], frame["estimate"] + Z * frame["se"], rtol=ALGEBRA)
        assert "Limits: 95 %, z, cut off at 0." in str(found)


def test_a_saturated_mean_has_limits() -> None:
    """Where a probability is 1 to all digits its predictor still has limits."""
    data = visits()
    fit = bm.Model("logit ~ week + (1 | g)", data, family="bernoulli").fit("ml")
    far = bm.predictions(fit, {"week": [-100, 200]}).frame
    assert far[["lower", "upper"]].notna().all(axis=None)
    assert ((far["lower"] >= 0) & (far["upper"] <= 1) & (far["lower"] <= far["upper"])).all()
    mean = bm.predictions(fit, {"week": [-1000, 1000]}, kind="population").frame
    assert mean[["lower", "upper"]].notna().all(axis=None)
    assert ((mean["lower"] >= 0) & (mean["upper"] <= 1)).all()


def test_a_mean_at_an_infinite_end_has_limits_without_a_warning() -> None:
    """An inverse link whose predictor is below zero: the mean is infinite, its lower limit is not."""
    rng = np.random.default_rng(3)
    x = rng.uniform(size=200)
    data = pd.DataFrame({"y": rng.gamma(1, 1 / (0.1 + 0.4 * x)), "x": x, "g": np.arange(200) % 8})
    fit = bm.Model("y ~ x + (1 | g)", data, family="gamma", link="inverse").fit("ml")
    slope = float(fit.fixef()["x"])
    far = -(float(fit.fixef()["Intercept"]) + 0.01) / slope  # the predictor is -0.01
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame = bm.predictions(fit, {"x": [0.5, far]}).frame[1:]
    assert frame["estimate"].iloc[0] == np.inf and frame["upper"].iloc[0] == np.inf
    assert 0 < frame["lower"].iloc[0] < np.inf
