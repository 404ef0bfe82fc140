"""Counts that vary more than their family says are part of a diagnosis; counts that do not raise no alarm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.checks.diagnosis.overdispersion import RARE, dispersion

IDENTITY = 1e-9  # relative: the same sums in another order
SAME_FIT = 1e-3  # of an AIC: two searches of one optimum from different starts
SIMULATIONS = 60
ALARMS = 4  # of 60 at the nominal 1 %: 0.6 expected, more than 4 in one of 1,600 series


def counts(seed: int, mean: float = 3.0, shape: float | None = None, levels: int = 30, rows: int = 10) -> pd.DataFrame:
    """Poisson counts by level, with a gamma factor of a `shape` for every row where one is given."""
    rng = np.random.default_rng(seed)
    g, x = np.repeat(np.arange(levels), rows), rng.normal(size=levels * rows)
    mu = mean * np.exp(0.3 * x + 0.5 * rng.normal(size=levels)[g])
    mu = mu if shape is None else mu * rng.gamma(shape, 1 / shape, len(mu))
    return pd.DataFrame({"y": rng.poisson(mu), "x": x, "g": g})


def shares(seed: int, precision: float | None = None, trials: int = 12) -> pd.DataFrame:
    """Binomial successes by level, the probabilities of rows beta distributed where a `precision` is given."""
    rng = np.random.default_rng(seed)
    g, x = np.repeat(np.arange(40), 5), rng.normal(size=200)
    p = 1 / (1 + np.exp(1.5 - 0.5 * x - 0.8 * rng.normal(size=40)[g]))
    p = p if precision is None else rng.beta(p * precision, (1 - p) * precision)
    return pd.DataFrame({"s": rng.binomial(trials, p), "n": trials, "x": x, "g": g})


@pytest.fixture(scope="module")
def wide() -> Any:
    """A Poisson fit of counts that vary about five times as much."""
    return bm.Model("y ~ x + (1 | g)", counts(1, mean=4.0, shape=1.0), family="poisson").fit("ml")


def findings(fit: Any, **options: Any) -> list[Any]:
    return [found for found in bm.diagnose(fit, **options).findings if found.check == "dispersion"]


def test_the_ratio_is_pearsons_statistic_over_rows_less_what_effects_take_up(wide: Any) -> None:
    found = dispersion(wide)
    freedom = len(wide.model.frame) - wide.leverage().sum()
    assert found is not None
    assert found.ratio == pytest.approx(np.sum(wide.residuals("pearson") ** 2) / freedom, rel=IDENTITY)
    assert found.ratio > 4 and found.p <= RARE


def test_diagnose_says_how_much_and_sets_the_wider_models_aic_beside(wide: Any) -> None:
    (finding,) = findings(wide)
    assert f"{dispersion(wide).ratio:.2f} times as much as the poisson family implies" in finding.what  # type: ignore[union-attr]
    assert 'family="negbinomial"' in finding.remedy and "(1 | obs)" in finding.remedy
    frame = wide.model.frame
    table = pd.DataFrame(counts(1, mean=4.0, shape=1.0)).assign(obs=np.arange(len(frame)))
    rivals = {
        'family="negbinomial"': bm.Model("y ~ x + (1 | g)", table, family="negbinomial"),
        "(1 | obs)": bm.Model("y ~ x + (1 | g) + (1 | obs)", table, family="poisson"),
    }
    for label, model in rivals.items():
        said = float(finding.words.split(f"{label} ")[1].split(",")[0].rstrip("."))
        assert said == pytest.approx(model.fit("ml").aic, abs=0.05 + SAME_FIT)  # one decimal
    (short,) = findings(wide, refit=False)
    assert "AIC" not in short.words


def test_successes_out_of_trials_and_draws_are_judged_too() -> None:
    model = bm.Model("prop(s, n) ~ x + (1 | g)", shares(1, precision=3.0), family="binomial")
    (finding,) = findings(model.fit("ml"))
    assert "overdispersed" in finding.what and 'family="betabinomial"' in finding.remedy and "AIC" in finding.words
    assert findings(model.fit(bm.Laplace(draws=100), seed=1))


def test_models_that_allow_for_it_are_not_reported(wide: Any) -> None:
    table = counts(1, mean=4.0, shape=1.0).assign(obs=np.arange(300))
    wider = bm.Model("y ~ x + (1 | g)", table, family="negbinomial").fit("ml")
    by_row = bm.Model("y ~ x + (1 | g) + (1 | obs)", table, family="poisson").fit("ml")
    assert dispersion(wider) is None and dispersion(by_row) is None
    yes = table.assign(yes=(table["y"] > 2).astype(int))
    assert dispersion(bm.Model("yes ~ x + (1 | g)", yes, family="bernoulli").fit("ml")) is None


def test_a_row_of_weight_two_counts_as_two_rows() -> None:
    table = counts(3)
    once = bm.Model("y ~ x", table.assign(w=1 + table["g"] % 2), family="poisson", weights="w").fit("ml")
    twice = bm.Model("y ~ x", pd.concat([table, table[table["g"] % 2 == 1]]), family="poisson").fit("ml")
    one, two = dispersion(once), dispersion(twice)
    assert one is not None and two is not None and one.ratio == pytest.approx(two.ratio, rel=1e-6)  # two searches


@pytest.mark.parametrize("kind", ["counts", "small", "pairs", "successes"])
def test_false_alarms_are_as_rare_as_they_should_be(kind: str) -> None:
    alarms = 0
    for seed in range(SIMULATIONS):
        if kind == "successes":
            model = bm.Model("prop(s, n) ~ x + (1 | g)", shares(seed, trials=3), family="binomial")
        else:
            sizes: dict[str, Any] = {"counts": {}, "small": {"mean": 0.2}, "pairs": {"levels": 60, "rows": 2}}
            model = bm.Model("y ~ x + (1 | g)", counts(seed, **sizes[kind]), family="poisson")
        found = dispersion(model.fit("ml"))  # type: ignore[arg-type]
        alarms += found is not None and found.p <= RARE
    assert alarms <= ALARMS
