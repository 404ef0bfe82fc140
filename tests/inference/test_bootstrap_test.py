"""Likelihood-ratio tests by simulation: pbkrtest's p-values, exact laws, arithmetic, and what is refused."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from conftest import load_reference_frame, load_result
from scipy import stats

import bayesmixed as bm
from bayesmixed.errors import FitError
from bayesmixed.inference.bootstrap.ratio_result import ENOUGH, BootstrapTest

MONTE_CARLO = 4.0  # combined Monte Carlo standard errors
REFERENCES = [
    ("lmm_yu_example1", 400),
    ("pb_cake_interaction", 400),
    ("glmm_cbpp", 100),
    ("glmm_waterlick_surrogate", 100),
]


@cache
def fitted(dataset: str, formula: str, family: str = "gaussian", method: str = "ml") -> Any:
    return bm.Model(formula, load_reference_frame(dataset), family=family).fit(method)


@pytest.mark.parametrize(("name", "n"), REFERENCES)
def test_p_is_that_of_pbkrtest(name: str, n: int) -> None:
    record = load_result(name)
    theirs, family = record["extras"]["parametric_bootstrap"], record.get("family") or "gaussian"
    full, reduced = (fitted(record["dataset"], theirs[key], family) for key in ("large", "small"))
    test = bm.bootstrap_test(full, reduced, n, seed=1)
    assert test.statistic == pytest.approx(theirs["table"]["stat"][0], abs=2e-4)  # glmer stops early
    assert test.frame.loc["LRT", "p"] == pytest.approx(theirs["table"]["p.value"][0], rel=1e-4)
    error = np.hypot(max(test.p_error, 1 / n), theirs["monte_carlo_se"])
    assert abs(test.p - theirs["p_PB"]) < MONTE_CARLO * error


def test_a_variance_has_the_p_of_its_exact_law() -> None:
    full, reduced = fitted("Dyestuff", "Yield ~ 1 + (1 | Batch)"), fitted("Dyestuff", "Yield ~ 1")
    test = bm.bootstrap_test(full, reduced, 2000, seed=1)
    exact = bm.anova(reduced, full).tests["exact"].iloc[-1]
    assert abs(test.p - exact) < MONTE_CARLO * np.sqrt(2 * exact / 2000)
    assert test.boundary > 0.5
    assert "on the boundary" in str(test)


def test_the_order_of_the_models_does_not_matter_and_reml_is_refitted() -> None:
    formulas = "Reaction ~ Days + (Days | Subject)", "Reaction ~ Days + (Days || Subject)"
    ml = [fitted("sleepstudy", formula) for formula in formulas]
    reml = [fitted("sleepstudy", formula, method="reml") for formula in formulas]
    test = bm.bootstrap_test(*ml, 100, seed=1)
    assert bm.bootstrap_test(*ml[::-1], 100, seed=1).p == test.p
    restricted = bm.bootstrap_test(*reml, 100, seed=1)
    assert restricted.ratios == pytest.approx(test.ratios, abs=1e-5)
    assert "refitted by ML" in str(restricted)


def test_a_sequential_test_stops_at_the_same_replicate_whatever_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    fits = [fitted("sleepstudy", f"Reaction ~ Days + (Days {bar} Subject)") for bar in ("|", "||")]
    test = bm.bootstrap_test(*fits, 1000, seed=1, sequential=True)
    assert test.stopped
    assert test.exceedances == ENOUGH
    assert test.p == ENOUGH / len(test.ratios)
    monkeypatch.setattr("bayesmixed.inference.bootstrap.ratio_test.SOME", 10)
    assert len(bm.bootstrap_test(*fits, 1000, seed=1, sequential=True).ratios) == len(test.ratios)


def test_a_ratio_below_zero_is_fitted_again_from_the_smaller_model() -> None:
    fits = [fitted("Machines", f"score ~ Machine + ({bar} Worker)") for bar in ("Machine |", "Machine ||")]
    test = bm.bootstrap_test(*fits, 60, seed=1)
    assert np.all(test.ratios >= 0)
    assert test.failed == 0


def invented(ratios: list[float], statistic: float, df: int, sequential: bool = False) -> BootstrapTest:
    return BootstrapTest(statistic, df, np.array(ratios), 0.01, 0, 0.0, sequential, "", (), ())


def test_versions_of_p_by_hand() -> None:
    ratios = [0.0, 1.0, 2.0, 3.0, 9.0]  # mean 3, variance 12.5
    test = invented(ratios, 3.0, 2)
    assert test.p == (1 + 2) / (1 + 5)
    frame = test.frame
    assert frame.loc["Bartlett", "p"] == pytest.approx(stats.chi2.sf(2.0, 2))
    assert frame.loc["gamma", "p"] == pytest.approx(stats.gamma.sf(3.0, 9 / 12.5, scale=12.5 / 3))
    assert frame.loc["F", "den_df"] == pytest.approx(2 * 1.5 / 0.5)
    assert frame.loc["F", "p"] == pytest.approx(stats.f.sf(1.5, 2, 6.0))
    small = invented([0.0, 0.0, 0.5], 1.0, 1).frame
    assert np.isnan(small.loc["F", "p"])
    assert invented([0.0, 0.0], 0.0, 1).p == 1.0


def test_what_has_no_likelihood_ratio_is_refused() -> None:
    days = fitted("sleepstudy", "Reaction ~ Days + (1 | Subject)")
    other = fitted("sleepstudy", "Reaction ~ 1 + (0 + Days | Subject)")
    with pytest.raises(FitError, match="nested"):
        bm.bootstrap_test(days, other, 10)
    with pytest.raises(FitError, match="twice"):
        bm.bootstrap_test(days, days, 10)
    with pytest.raises(FitError, match="likelihood"):
        bm.bootstrap_test(days, days.model.fit("map"), 10)
    with pytest.raises(FitError, match="at least 2"):
        bm.bootstrap_test(fitted("sleepstudy", "Reaction ~ Days + (Days | Subject)"), days, 1)
    with pytest.raises(FitError, match="rows"):
        bm.bootstrap_test(
            fitted("Dyestuff", "Yield ~ 1"), bm.Model("Yield ~ 1", bm.load_data("Dyestuff")[:20]).fit("ml")
        )


def test_limits_of_confint_are_those_of_a_bootstrap() -> None:
    fit = fitted("sleepstudy", "Reaction ~ Days + (1 | Subject)")
    found = bm.confint(fit, "bootstrap", which=["Days"], level=0.9)
    assert found.frame.loc["Days"].tolist() == bm.bootstrap(fit, seed=1).confint(level=0.9).frame.loc["Days"].tolist()
    assert "bm.bootstrap(fit, seed=1)" in str(found)
