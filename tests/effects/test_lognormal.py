"""Contrasts of a log-normal model are ratios: exp of what the normal model of the logarithm says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import stdtrit

import bayesmixed as bm

SAME = 1e-6  # relative: two searches of one optimum
DRAWN = 0.02  # relative: the median of 1000 draws beside the maximum


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    n, g = 300, np.repeat(np.arange(15), 20)
    d = pd.DataFrame({"f": rng.choice(list("abc"), n), "x": rng.normal(size=n), "g": g})
    eta = d["f"].map({"a": 0.0, "b": 0.19, "c": 0.4}) + 0.3 * d["x"] + 0.3 * rng.normal(size=15)[g]
    return d.assign(y=np.exp(eta + 0.2 * rng.normal(size=n)))


@pytest.fixture(scope="module")
def fits(table: pd.DataFrame) -> tuple:
    model = bm.Model("y ~ f + x + (1 | g)", table, family="lognormal")
    return model.fit("reml"), bm.Model("log(y) ~ f + x + (1 | g)", table).fit("reml")


def test_contrasts_on_the_response_scale_are_ratios(fits: tuple):
    lognormal, normal = fits
    ratios = bm.emmeans(lognormal, "f", scale="response").contrast()
    logs = bm.emmeans(normal, "f").contrast().frame
    assert ratios.frame["contrast"].tolist() == ["a / b", "a / c", "b / c"]
    for name in ("estimate", "lower", "upper"):
        np.testing.assert_allclose(ratios.frame[name], np.exp(logs[name]), rtol=SAME)
    np.testing.assert_allclose(ratios.frame["se"], ratios.frame["estimate"] * logs["se"], rtol=SAME)
    np.testing.assert_allclose(ratios.frame["statistic"], logs["statistic"], rtol=SAME)
    assert "Contrasts: ratios; tests and limits are of their logarithms." in str(ratios)
    means = bm.emmeans(lognormal, "f", scale="response").frame["estimate"].to_numpy()
    assert ratios.frame["estimate"].iloc[0] == pytest.approx(means[0] / means[1], rel=SAME)


def test_the_scale_of_the_predictor_is_the_logarithm(fits: tuple):
    """Nothing that is a logarithm says that it is the response."""
    lognormal, normal = fits
    for made in (
        bm.emmeans(lognormal, "f"),
        bm.emmeans(lognormal, "f").contrast(),
        bm.slopes(lognormal, "x", scale="link"),
    ):
        assert "Scale: link (log)." in str(made) and "Scale: response" not in str(made)
    assert "on the log scale" in bm.report(lognormal).estimates
    assert "Scale: response." in str(bm.emmeans(normal, "f").contrast())


def test_ratios_of_medians(fits: tuple):
    lognormal, _ = fits
    found, table = bm.odds_ratios(lognormal), lognormal.coefficients
    assert found.title == "Ratios of medians" and "asymptotes" not in str(found)
    np.testing.assert_allclose(found.frame["estimate"], np.exp(table["estimate"]), rtol=SAME)
    t = stdtrit(found.frame["df"].to_numpy(), 0.975)
    np.testing.assert_allclose(found.frame["upper"], np.exp(table["estimate"] + t * table["se"]), rtol=SAME)
    ratio, columns = bm.comparisons(lognormal, "f", comparison="ratio").frame, ["estimate", "df", "p", "lower", "upper"]
    np.testing.assert_allclose(ratio[columns], found.frame[columns].iloc[1:3], rtol=SAME)
    averages = bm.comparisons(lognormal, "f", comparison="ratio", newdata="data", average=True)
    assert "df" not in averages.frame and "z, not t with" in str(averages)  # of averages it is no linear function


def test_draws_give_the_same_ratios(fits: tuple, table: pd.DataFrame):
    lognormal, _ = fits
    post = lognormal.model.fit("laplace", seed=1)
    for verb in (bm.odds_ratios, lambda fit: bm.emmeans(fit, "f", scale="response").contrast()):
        np.testing.assert_allclose(verb(post).frame["estimate"], verb(lognormal).frame["estimate"], rtol=DRAWN)


def test_a_log_link_stays_ratios_of_means(table: pd.DataFrame):
    gamma = bm.Model("y ~ f + x + (1 | g)", table, family="gamma").fit("ml")
    assert bm.odds_ratios(gamma).title == "Ratios of means"


def test_equal_precision_weights_are_one_model_with_equal_means(table: pd.DataFrame, fits: tuple):
    """sigma^2 / w is what the means depend on: with weights of 4 they were 5 percent too large."""
    plain, weighted = (
        bm.Model("y ~ f + x + (1 | g)", table.assign(w=4.0), family="lognormal", weights=w).fit("reml")
        for w in (None, "w")
    )
    new = table[:5].assign(w=4.0)
    for ask in (
        lambda fit: fit.predict(new),
        lambda fit: fit.predict_draws(new, draws=5, seed=1).values,
        lambda fit: bm.predictions(fit, "x").frame[["estimate", "se", "lower", "upper"]],
        lambda fit: bm.comparisons(fit, "x").frame[["estimate", "se"]],
        lambda fit: bm.slopes(fit, "x", newdata="data", average=True).frame[["estimate", "se"]],
    ):
        np.testing.assert_allclose(ask(weighted), ask(plain), rtol=SAME)


def test_means_of_rows_know_their_own_weights(table: pd.DataFrame):
    data = table.assign(w=np.random.default_rng(1).uniform(0.2, 5, len(table)))
    fit = bm.Model("y ~ f + x + (1 | g)", data, family="lognormal", weights="w").fit("reml")
    np.testing.assert_allclose(fit.predict(data)["estimate"], fit.fitted(), rtol=SAME)
    eta = fit.predict(data, scale="link")["estimate"]
    np.testing.assert_allclose(fit.fitted(), np.exp(eta + fit.sigma**2 / (2 * data["w"])), rtol=SAME)
