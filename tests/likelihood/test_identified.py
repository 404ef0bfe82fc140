"""Bars that no response could determine are named; everything that is determined, however badly scaled, is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.likelihood.identified import unidentified

FLAT = 1e-7  # log-likelihood: rounding of sums over 240 rows


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(24), 10)
    table = pd.DataFrame({"g": g, "x": rng.normal(size=240), "f": np.tile(list("abcde"), 48)})
    table["y"] = 1 + table["x"] + rng.normal(size=24)[g] + rng.normal(size=240)
    table["name"] = "L" + table["g"].astype(str)
    table["h"], table["u"] = rng.integers(0, 9, 240), rng.normal(size=24)[g]
    table["year"], table["when"] = 2010 + rng.integers(0, 5, 240), 1.6e9 + 1e5 * rng.normal(size=240)
    table["big"], table["row"], table["k"] = g // 3, np.arange(240), rng.poisson(3, 240)
    return table


@pytest.mark.parametrize(
    ("right", "bars"),
    [
        ("factor(g) + (1 | g)", ["(1 | g)"]),
        ("name + (1 | g) + (1 | h)", ["(1 | g)"]),
        ("poly(u, 23) + (1 | g)", ["(1 | g)"]),
        ("factor(g) * x + (x | g)", ["(1 + x | g)"]),
        ("factor(g):x + (x | g)", ["(1 + x | g)"]),
        ("factor(big) + (1 | big/g)", ["(1 | big)"]),
        ("x + (1 | g) + (1 | g)", ["(1 | g)", "(1 | g)"]),
        ("x + (x | g) + (0 + x | g)", ["(1 + x | g)", "(0 + x | g)"]),
        ("(1 | g) + (f || g)", ["(1 | g)", "(1 + f || g)"]),
        ("(1 | g) + (0 + f | g)", ["(1 | g)", "(0 + f | g)"]),
        ("(1 | g) + (1 | name)", ["(1 | g)", "(1 | name)"]),
        ("(x + I(2 * x) | g)", ["(1 + x + I(2 * x) | g)"]),
    ],
)
def test_bars_that_no_data_determine_are_named(data: pd.DataFrame, right: str, bars: list[str]) -> None:
    model = bm.Model(f"y ~ {right}", data)
    (found,) = unidentified(model)
    assert [model.design.groups[j].text for j in found.terms] == bars
    assert all(bar in found.why for bar in bars)


@pytest.mark.parametrize(
    "right",
    [
        "x + (x | g)", "(1 | g) + (0 + x | g)", "(1 | g) + (1 | h) + (1 | g:h)", "u + (u | g)", "f + (f || g)",
        "(year + I(year^2) | g)", "(1 | g) + (0 + year | g)", "(1 | g) + (0 + when | g)", "when + (when || g)",
        "factor(big) + (1 | g)", "poly(u, 20) + (1 | g)",
    ],
)  # fmt: skip
def test_bars_that_are_determined_are_not(data: pd.DataFrame, right: str) -> None:
    assert unidentified(bm.Model(f"y ~ {right}", data)) == ()


def test_a_level_per_row_is_the_residual_where_there_is_one(data: pd.DataFrame) -> None:
    normal = bm.Model("y ~ (1 | row)", data, check="warn")
    assert "a level per row, as the residual has" in unidentified(normal)[0].why
    assert unidentified(normal.replace(constants={"sigma": 1.0})) == ()
    assert unidentified(normal.replace(weights=1 + data["x"] ** 2)) == ()  # unequal: the residual's is another shape
    assert unidentified(bm.Model("k ~ (1 | row)", data, family="poisson")) == ()


@pytest.mark.parametrize(
    ("right", "thetas"),
    [
        ("factor(g) + (1 | g)", ([0.1], [3.0])),
        ("x + (1 | g) + (1 | g)", ([0.8, 0.6], [1.0, 0.0])),
        ("x + (x || g) + (0 + x | g)", ([0.5, 0.3, 0.4], [0.5, 0.5, 0.0])),
    ],
)
def test_the_criterion_is_flat_where_a_bar_is_not_identified(data: pd.DataFrame, right: str, thetas: Any) -> None:
    model = bm.Model(f"y ~ {right}", data)
    first, second = (model.loglik_at(theta=theta, reml=True) for theta in thetas)
    assert first == pytest.approx(second, abs=FLAT)


@pytest.mark.parametrize("method", ["reml", "ml", "map", bm.Laplace(draws=20)])
def test_the_status_and_the_diagnosis_of_every_fit_name_them(data: pd.DataFrame, method: Any) -> None:
    fit: Any = bm.Model("y ~ factor(big) + (1 | big)", data).fit(method, seed=1)
    said = [text for text in fit.status.problems if text.startswith("Not identified: (1 | big): the fixed effects")]
    assert len(said) == 1 and said[0].endswith("Leave the bar or the fixed effects of big out.")
    findings = [found for found in bm.diagnose(fit).findings if found.check == "identification"]
    assert [found.severity for found in findings] == ["serious"]
    assert not any(found.check == "sampling" for found in bm.diagnose(fit).findings)
    assert fit.sampled or not any(found.check == "singularity" for found in bm.diagnose(fit).findings)


def test_both_bars_are_named_where_two_share_a_column(data: pd.DataFrame) -> None:
    fit: Any = bm.Model("y ~ x + (x | g) + (0 + x | g)", data).fit("reml")
    assert "(1 + x | g) and (0 + x | g): both describe x by g." in fit.status.problems[0]
    assert "(1 + x | g) and (0 + x | g): not identified" in str(bm.diagnose(fit))
    assert "Caution: Not identified" in str(bm.icc(fit))
    assert bm.report(fit).fitting.endswith("Not identified: (1 + x | g) and (0 + x | g): both describe x by g.")


def test_a_row_for_each_effect_of_one_sd_is_the_residual_and_of_unequal_sds_is_not() -> None:
    growth = bm.load_data("Orthodont").assign(f=lambda d: d["age"].astype(int).astype(str))
    common = bm.Model("distance ~ age + cs(0 + f | Subject, hom=True)", growth)
    (found,) = unidentified(common)
    assert "an effect of its own" in found.why and "(1 | Subject)" in found.remedy
    assert found.why in common.fit("ml").status.problems[0]
    assert unidentified(common.replace(constants={"sigma": 0.5})) == ()
    assert unidentified(bm.Model("distance ~ age + cs(0 + f | Subject)", growth)) == ()
    two = growth[growth["age"] < 11]
    assert (
        len(unidentified(bm.Model("distance ~ Sex + cs(0 + f | Subject)", two))) == 1
    )  # four parameters, three moments
    assert unidentified(bm.Model("distance ~ Sex + cs(0 + f | Subject, hom=True)", pd.concat([growth, growth]))) == ()


def test_one_sd_and_one_correlation_of_a_row_each_leave_the_likelihood_flat() -> None:
    growth = bm.load_data("Orthodont").assign(f=lambda d: d["age"].astype(int).astype(str))
    model = bm.Model("distance ~ age + homcs(0 + f | Subject)", growth)
    # sd^2 rho is the covariance, sd^2 + sigma^2 the variance: 3 and 5 in both
    values = [
        model.loglik_at(theta=[sd / sigma, 3 / sd**2], sigma=sigma) for sd, sigma in ((2.0, 1.0), (1.8, 1.76**0.5))
    ]
    assert values[0] == pytest.approx(values[1], abs=FLAT)
