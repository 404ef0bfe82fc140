"""What speaks against a fit travels with every answer made of it; so do degrees of freedom."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmixed as bm
from bayesmixed.fits.caution import caution
from bayesmixed.messages import Told

FEW = 2e-3  # relative: a reference to two digits or more
ALGEBRA = 1e-12
OPTIMUM = 1e-5  # relative: what the end of a search leaves of degrees of freedom


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


def test_tests_of_linear_mixed_models_have_satterthwaites_degrees_of_freedom(machines: Any) -> None:
    """In a balanced one-way layout 54 - 6 - 2 of residuals, exactly."""
    for answer in (bm.emmeans(machines, "Machine").contrast(adjust="none"), bm.comparisons(machines, "Machine")):
        np.testing.assert_allclose(answer.frame["df"], 46, rtol=OPTIMUM)
        np.testing.assert_allclose(answer.frame["p"], 2 * stats.t.sf(abs(answer.frame["statistic"]), 46), rtol=1e-4)
        assert "Limits: 95 %, t with Satterthwaite's degrees of freedom." in str(answer)
    given = bm.emmeans(machines, "Machine", ddf=10).contrast(adjust="none").frame
    np.testing.assert_allclose(given["p"], 2 * stats.t.sf(abs(given["statistic"]), 10), rtol=ALGEBRA)
    half = (given["upper"] - given["lower"]) / 2
    np.testing.assert_allclose(half, stats.t.ppf(0.975, 10) * given["se"], rtol=ALGEBRA)
    normal = bm.comparisons(machines, "Machine", ddf="asymptotic")
    assert "df" not in normal.frame and "takes variances as known" in str(normal)
    assert str(bm.comparisons(machines, "Machine", ddf=np.inf)) == str(normal)
    np.testing.assert_allclose(normal.frame["p"], 2 * stats.norm.sf(abs(normal.frame["statistic"])), rtol=ALGEBRA)


def test_pairs_of_nine_subjects_have_no_normal_p() -> None:
    """Stools T1 and T2: Tukey's p is 5.6125e-07 by R's emmeans with 24 degrees of freedom, 3.9e-13 by the normal.

    Effort to arise from four stools, Wretenberg, Arborelius & Lindberg (1993), Ergonomics 36, 1127-1139: ergoStool of
    R's nlme.
    """
    efforts = [7, 11, 8, 7, 8, 11, 8, 7, 7, 11, 10, 9, 9, 13, 10, 8, 9, 11, 11, 10]
    efforts += [7, 14, 13, 9, 8, 12, 12, 11, 12, 15, 12, 10, 10, 14, 13, 12]
    table = pd.DataFrame({"effort": efforts, "stool": 9 * ["T1", "T2", "T3", "T4"], "who": np.repeat(np.arange(9), 4)})
    stools = bm.Model("effort ~ stool + (1 | who)", table).fit("reml")
    for ddf, smallest in ((None, 5.6125e-7), ("asymptotic", 3.9e-13)):
        pairs = bm.emmeans(stools, "stool", ddf=ddf).contrast().frame
        assert pairs["p"].min() == pytest.approx(smallest, rel=FEW)


def test_what_a_reference_changes_is_no_estimate(machines: Any) -> None:
    columns = ["estimate", "se", "statistic"]
    own, normal = (bm.emmeans(machines, "Machine", ddf=ddf).contrast().frame for ddf in (None, np.inf))
    pd.testing.assert_frame_equal(own[columns], normal[columns])
    assert ((own["upper"] > normal["upper"]) & (own["p"] > normal["p"])).all()


def test_functions_that_are_not_linear_stay_asymptotic_and_say_so(machines: Any) -> None:
    ratio = bm.comparisons(machines, "Machine", comparison="ratio")
    assert "df" not in ratio.frame and "z, not t with Satterthwaite's degrees of freedom" in str(ratio)
    np.testing.assert_allclose(ratio.frame["p"], 2 * stats.norm.sf(abs(ratio.frame["statistic"])), rtol=ALGEBRA)
    given = bm.comparisons(machines, "Machine", comparison="ratio", ddf=46).frame  # a number is for all
    np.testing.assert_allclose(given["p"], 2 * stats.t.sf(abs(given["statistic"]), 46), rtol=ALGEBRA)


def test_ml_fits_have_degrees_of_freedom_map_fits_a_warning_and_generalized_models_neither() -> None:
    model = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))
    assert bm.slopes(model.fit("ml"), "Days").frame["df"][0] == pytest.approx(18, rel=OPTIMUM)
    penalised = bm.slopes(model.fit("map"), "Days")
    assert "df" not in penalised.frame and "with few groups p is too small" in str(penalised)
    herds = bm.Model("prop(incidence, size) ~ period + (1 | herd)", bm.load_data("cbpp"), family="binomial").fit("ml")
    periods = bm.comparisons(herds, "period")
    assert periods.frame["p"].notna().all() and "df" not in periods.frame and "too small" not in str(periods)


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
    slow = saying(Told("tree-depth", "30 % of the draws reached the largest tree depth: slow, not wrong. Use more."))
    assert "Caution" not in str(bm.icc(slow))
