"""No pooling where the model is not linear: the maximum of each group's own likelihood."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

import bayesmixed as bm

OPTIMISED = {"rtol": 1e-5, "atol": 1e-5}  # two optimisers of one likelihood
SOLVED = {"rtol": 1e-7, "atol": 1e-7}  # Newton's method against the closed form


@cache
def counts() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(12), 15)
    x = rng.normal(size=g.size)
    eta = 1 + 0.5 * x + rng.normal(size=12)[g] * 0.5
    return pd.DataFrame(
        {"y": rng.poisson(np.exp(eta)), "x": x, "g": g, "k": rng.binomial(5, 1 / (1 + np.exp(1 - eta)))}
    )


def wide(frame: pd.DataFrame) -> pd.DataFrame:
    """Levels x columns."""
    return frame.pivot(index="level", columns="column", values="no_pooling")


@pytest.mark.parametrize(
    ("response", "family"), [("y", "poisson"), ("k | trials(5)", "binomial"), ("y", "negbinomial")]
)
def test_no_pooling_of_a_generalized_model_is_each_groups_own_fit(response: str, family: str) -> None:
    fit: Any = bm.Model(f"{response} ~ x + (x | g)", counts(), family=family).fit("ml")
    own = wide(bm.plot.shrinkage_frame(fit))
    held = {name: float(np.mean(value)) for name, value in fit.parameters.dispersion.items()}
    for level in (0, 5):
        rows = counts()[counts()["g"] == level]
        alone: Any = bm.Model(f"{response} ~ x", rows, family=family, constants=held).fit("ml")
        np.testing.assert_allclose(own.loc[level, ["Intercept", "x"]], alone.fixef(), **OPTIMISED)


def test_the_rest_of_the_linear_predictor_is_held() -> None:
    """An intercept beside known terms: exp(b) = sum y / sum exp(rest) for a Poisson response with log link."""
    fit: Any = bm.Model("y ~ x + (1 | g)", counts(), family="poisson").fit("ml")
    data = counts().assign(rest=np.exp(fit.fixef()["x"] * counts()["x"]))
    sums = data.groupby("g")[["y", "rest"]].sum()
    own = wide(bm.plot.shrinkage_frame(fit))["Intercept"]
    np.testing.assert_allclose(own, np.log(sums["y"] / sums["rest"]), **SOLVED)


def test_a_group_of_failures_alone_has_no_estimate_and_the_others_their_logits() -> None:
    data = bm.load_data("cbpp")
    data["incidence"] = data["incidence"].where(data["herd"].astype(str) != "3", 0)
    fit: Any = bm.Model("cbind(incidence, size - incidence) ~ 1 + (1 | herd)", data, family="binomial").fit("ml")
    frame = bm.plot.shrinkage_frame(fit).set_index("level")
    assert frame.loc["3", "reason"] == "its likelihood has no maximum" and np.isnan(frame.loc["3", "no_pooling"])
    sums = data.groupby("herd", observed=True)[["incidence", "size"]].sum().drop("3")
    np.testing.assert_allclose(frame.loc[sums.index, "no_pooling"], logit(sums["incidence"] / sums["size"]), **SOLVED)
    ax = bm.plot.shrinkage(fit)
    assert ax.get_xlabel() == "Intercept (logit scale)"
    assert "no pooling (impossible for 1)" in [text.get_text() for text in ax.figure.legends[0].get_texts()]


def test_partial_pooling_lies_between_the_two_in_a_generalized_one_way_layout() -> None:
    fit: Any = bm.Model("k | trials(5) ~ 1 + (1 | g)", counts(), family="binomial").fit("ml")
    frame = bm.plot.shrinkage_frame(fit)
    low, high = np.sort(frame[["no_pooling", "population"]].to_numpy(), axis=1).T
    assert frame["partial_pooling"].between(low, high).all()


def test_a_lognormal_response_is_shrunk_as_its_logarithm_is() -> None:
    data = bm.load_data("sleepstudy").assign(log=lambda d: np.log(d["Reaction"]))
    lognormal: Any = bm.Model("Reaction ~ Days + (Days | Subject)", data, family="lognormal").fit("ml")
    normal: Any = bm.Model("log ~ Days + (Days | Subject)", data).fit("ml")
    np.testing.assert_allclose(
        wide(bm.plot.shrinkage_frame(lognormal)), wide(bm.plot.shrinkage_frame(normal)), **OPTIMISED
    )


def test_gaussian_with_another_link_is_each_groups_curve() -> None:
    data = bm.load_data("sleepstudy")
    fit: Any = bm.Model("Reaction ~ 1 + (1 | Subject)", data, link="log").fit("ml")
    means = data.groupby("Subject", observed=True)["Reaction"].mean()
    own = wide(bm.plot.shrinkage_frame(fit))["Intercept"]
    np.testing.assert_allclose(own[means.index], np.log(means), **SOLVED)
