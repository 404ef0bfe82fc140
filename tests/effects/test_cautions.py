"""What speaks against a fit travels with every answer made of it; p of linear models wait for degrees of freedom."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmixed as bm
from bayesmixed.fits.caution import caution

FEW = 1e-3  # relative: a reference to three digits
ALGEBRA = 1e-12


@pytest.fixture(scope="module")
def machines() -> Any:
    model = bm.Model("score ~ Machine + (1 | Worker)", bm.load_data("Machines"))
    return model.fit("reml")


@pytest.fixture(scope="module")
def steep() -> Any:
    """Three binary rows a level with an sd of 4: Laplace's approximation is far off."""
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(120), 3)
    x = rng.normal(size=len(g))
    y = (rng.logistic(size=len(g)) < x + 4 * rng.normal(size=120)[g]).astype(int)
    return bm.Model("y ~ x + (1 | g)", pd.DataFrame({"y": y, "x": x, "g": g}), family="bernoulli")


def test_a_linear_model_prints_p_with_degrees_of_freedom_only(machines: Any) -> None:
    for answer in (bm.emmeans(machines, "Machine").contrast(), bm.comparisons(machines, "Machine")):
        assert "p" not in answer.frame and "statistic" in answer.frame
        assert str(answer).count("No p: a linear model's needs degrees of freedom, df=") == 1
    given = bm.emmeans(machines, "Machine", df=10).contrast(adjust="none").frame
    np.testing.assert_allclose(given["p"], 2 * stats.t.sf(abs(given["statistic"]), 10), rtol=ALGEBRA)
    normal = bm.comparisons(machines, "Machine", df=np.inf)
    assert "No p" not in str(normal)
    np.testing.assert_allclose(normal.frame["p"], 2 * stats.norm.sf(abs(normal.frame["statistic"])), rtol=ALGEBRA)


def test_estimates_errors_and_limits_are_the_same_with_and_without_p(machines: Any) -> None:
    columns = ["estimate", "se", "lower", "upper", "statistic"]
    without = bm.emmeans(machines, "Machine").contrast().frame
    pd.testing.assert_frame_equal(
        without[columns], bm.emmeans(machines, "Machine", df=np.inf).contrast().frame[columns]
    )


def test_slopes_of_ml_and_map_wait_too_and_generalized_models_do_not() -> None:
    model = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))
    for method in ("ml", "map"):
        assert "p" not in bm.slopes(model.fit(method), "Days").frame
    herds = bm.Model("prop(incidence, size) ~ period + (1 | herd)", bm.load_data("cbpp"), family="binomial").fit("ml")
    assert bm.comparisons(herds, "period").frame["p"].notna().all()


def test_p_of_a_model_whose_sigma_is_known_are_the_normal_ones() -> None:
    data = bm.load_data("sleepstudy")
    fit = bm.Model("Reaction ~ Days + (1 | Subject)", data, constants={"sigma": 30.0}).fit("ml")
    found = bm.slopes(fit, "Days").frame
    np.testing.assert_allclose(found["p"], 2 * stats.norm.sf(abs(found["statistic"])), rtol=ALGEBRA)


def test_answers_of_a_poor_approximation_repeat_the_caution(steep: Any) -> None:
    fit = steep.fit("ml")
    answers = [
        bm.icc(fit), bm.r2(fit), bm.emmeans(fit, "1"), bm.odds_ratios(fit), bm.predictions(fit, "x"),
        bm.comparisons(fit, "x"), bm.slopes(fit, "x"), bm.inverse_predict(fit, 0.5, "x"),
        bm.slopes(fit, "x", at={"x": [0, 1]}).contrast(),
    ]  # fmt: skip
    for answer in answers:
        said = [line.strip() for line in str(answer).splitlines() if "Caution" in line]
        assert len(said) == 1
        assert said[0].startswith("Caution: Laplace's approximation is inaccurate here: more nodes move")
        assert said[0].endswith("(fit.status.problems says what to do).")
    fine = steep.fit(bm.ML(quadrature=15))
    assert caution(fine) == () and "Caution" not in str(bm.icc(fine))
    both = [float(bm.icc(one).frame.loc["g", "adjusted"]) for one in (fit, fine)]
    assert both[0] < both[1] - 0.05  # what the caution is about


def test_a_search_that_did_not_end_is_a_caution_and_a_boundary_is_none() -> None:
    data = bm.load_data("sleepstudy")
    short = bm.Model("Reaction ~ Days + (Days | Subject)", data).fit(bm.ML(maxiter=1))
    assert "Caution: The optimiser stopped before the optimum" in str(bm.emmeans(short, "1"))
    edge = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff2")).fit("ml")
    assert edge.status.problems and caution(edge) == () and "Caution" not in str(bm.icc(edge))


def test_draws_that_are_doubtful_say_so_and_slow_ones_do_not() -> None:
    model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
    fit: Any = model.fit(bm.Laplace(draws=20), seed=1)

    def saying(*problems: str) -> Any:
        return replace(fit, status=replace(fit.status, problems=problems))

    apart = saying("R-hat of sigma is 1.7: the chains have not found the same distribution. Run longer.", "One more.")
    line = "Caution: R-hat of sigma is 1.7: the chains have not found the same distribution and 1 more doubt (fit."
    assert line in str(bm.r2(apart)) and line in str(bm.emmeans(apart, "1"))
    slow = saying("30 % of the draws reached the largest tree depth: slow, not wrong. Use more.")
    assert "Caution" not in str(bm.icc(slow))
