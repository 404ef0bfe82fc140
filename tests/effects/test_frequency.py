"""Weight 2 = the row twice: in every mean, percentile and offset that effects are held at or averaged over."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.effects.rows.used_columns import percentiles

OPTIMA = 1e-5  # relative: two searches of one optimum


def rows() -> pd.DataFrame:
    """Counts with an exposure, of which many rows are alike."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"g": rng.integers(0, 12, 600), "x": rng.choice([0.0, 0.0, 0.0, 1.0, 3.0], 600)})
    table["f"], table["effort"] = rng.choice(list("aab"), 600), rng.choice([1.0, 8.0, 8.0], 600)
    table["day"] = pd.Timestamp("2024-05-01") + pd.to_timedelta(rng.integers(0, 4, 600) ** 2, unit="D")
    mean = table["effort"] * np.exp(-0.5 + 0.3 * table["x"] + 0.4 * rng.normal(size=12)[table["g"]])
    return table.assign(c=rng.poisson(mean))


@pytest.fixture(scope="module")
def pair() -> tuple[Any, Any]:
    """One model of the rows, and of each different row once with its number as weight."""
    table = rows()
    once = table.groupby(list(table), observed=True).size().rename("w").reset_index()
    none = once.iloc[:1].assign(w=0, x=1000.0, c=50, effort=1e6)  # weight 0: no row
    formula = "c ~ x * f + offset(log(effort)) + (1 | g)"
    weighted = bm.Model(formula, pd.concat([once, none], ignore_index=True), family="poisson", weights="w")
    return weighted.fit("ml"), bm.Model(formula, table, family="poisson").fit("ml")


@pytest.mark.parametrize(
    "ask",
    [
        lambda fit: bm.emmeans(fit, "f"),
        lambda fit: bm.emmeans(fit, "1", weights="proportional", scale="response"),
        lambda fit: bm.emmeans(fit, "f * x", kind="population"),
        lambda fit: bm.predictions(fit, "x"),
        lambda fit: bm.predictions(fit, newdata="data", average=True),
        lambda fit: bm.comparisons(fit, "f", comparison="ratio"),
        lambda fit: bm.comparisons(fit, "x", newdata="data", average=True),
        lambda fit: bm.slopes(fit, "x", by="f"),
        lambda fit: bm.slopes(fit, "x", newdata="data", average=True),
        lambda fit: bm.inverse_predict(fit, 6.0, "x"),
    ],
)
def test_a_row_of_weight_w_is_w_rows(pair: tuple[Any, Any], ask: Any) -> None:
    weighted, repeated = (ask(fit).frame for fit in pair)
    assert list(weighted) == list(repeated)
    for name in weighted.select_dtypes("number"):
        np.testing.assert_allclose(weighted[name], repeated[name], rtol=OPTIMA, atol=OPTIMA)


def test_numbers_are_held_at_the_mean_of_the_rows(pair: tuple[Any, Any]) -> None:
    table, (fit, _) = rows(), pair
    a, x, f, xf = fit.fixef()[["Intercept", "x", "f[b]", "x:f[b]"]]
    eta = a + table["x"].mean() * x + np.log(table["effort"]).mean()
    exact = [eta, eta + f + table["x"].mean() * xf]
    np.testing.assert_allclose(bm.emmeans(fit, "f").frame["estimate"], exact, rtol=1e-10)
    assert f"Held at the mean: x = {table['x'].mean():.4g}" in str(bm.emmeans(fit, "f"))


def test_dates_are_rows_too() -> None:
    table = rows()
    once = table.groupby(list(table), observed=True).size().rename("w").reset_index()
    start = pd.Timestamp("2024-05-01")
    namespace = {"days": lambda column: (pd.Series(column) - start) / pd.Timedelta("1D")}
    formula = "c ~ days(day) + (1 | g)"
    weighted = bm.Model(formula, once, family="poisson", weights="w", namespace=namespace).fit("ml")
    repeated = bm.Model(formula, table, family="poisson", namespace=namespace).fit("ml")
    for ask in (lambda fit: bm.predictions(fit, "day"), lambda fit: bm.emmeans(fit, "1")):
        ours, theirs = ask(weighted).frame, ask(repeated).frame
        np.testing.assert_allclose(ours["estimate"], theirs["estimate"], rtol=OPTIMA)
    assert list(bm.predictions(weighted, "day").frame["day"]) == list(bm.predictions(repeated, "day").frame["day"])


def test_percentiles_are_those_of_the_rows() -> None:
    rng = np.random.default_rng(1)
    values, counts = rng.normal(size=40), rng.integers(1, 5, 40)
    for percent in (0.0, 5.0, 33.3, 50.0, 95.0, 100.0):
        exact = np.percentile(np.repeat(values, counts), percent)
        assert percentiles(values, counts, (percent,))[0] == pytest.approx(exact, rel=1e-12)


def test_precision_weights_are_no_rows() -> None:
    table = rows().assign(w=lambda t: 1.0 + t["x"])
    fit = bm.Model("c ~ x + (1 | g)", table, weights="w").fit("reml")
    mean = fit.fixef() @ [1.0, table["x"].mean()]
    assert bm.emmeans(fit, "1").frame["estimate"][0] == pytest.approx(mean, rel=1e-10)
