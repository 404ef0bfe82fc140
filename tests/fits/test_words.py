"""What printed pages say: which edge a fit is on, what a success is, headings that can be told apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.fits.convergence import rhat_text

GROUPS, ROWS = 8, 5


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    x, u = np.tile(np.arange(float(ROWS)), GROUPS), np.repeat(rng.normal(size=GROUPS), ROWS)
    z = x + u * (3 + x) + 2 * rng.normal(size=len(x))  # intercepts and slopes of one u: correlation 1
    answer = np.where(rng.normal(size=len(x)) + u > 0, "yes", "no")
    return pd.DataFrame({"x": x, "g": np.repeat(list("abcdefgh"), ROWS), "z": z, "answer": answer})


def test_a_singular_fit_says_which_edge_it_is_on(table: pd.DataFrame) -> None:
    line = bm.Model("z ~ x + (x | g)", table).fit("ml")
    what = "in (1 + x | g) the correlation of Intercept and x is +1."
    assert what in line.status.problems[0]
    assert bm.report(line).fitting.endswith(f"The fit is singular: {what}")
    zero = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff2")).fit("ml")
    assert "in (1 | Batch) the sd of Intercept is 0." in zero.status.problems[0]


@pytest.mark.parametrize("size", [5e4, 1e-4])
@pytest.mark.parametrize("varies", [True, False])
def test_status_table_and_diagnosis_agree_on_a_column_of_any_size(size: float, varies: bool) -> None:
    """An sd per dollar is tiny where incomes are large, and no less an sd."""
    rng = np.random.default_rng(8)
    g = np.repeat(np.arange(24), 10)
    income = 1 + 0.5 * rng.normal(size=240)
    y = income + rng.normal(size=24)[g] + rng.normal(size=240) + varies * 1.5 * rng.normal(size=24)[g] * income
    table = pd.DataFrame({"y": y, "income": size * income, "g": g})
    if not varies:  # slopes differ less than chance would make them
        residual = table["y"] - np.polyval(np.polyfit(income, y, 1), income)
        own = [np.polyfit(income[g == j], residual[g == j], 1)[0] for j in range(24)]
        table["y"] -= np.array(own)[g] * (income - 1)
    fit: Any = bm.Model("y ~ income + (income || g)", table).fit("reml")
    sd = float(fit.varcorr()["sd"].iloc[1])
    assert (sd > 0) is varies
    assert ("the sd of income is 0" in " ".join(fit.status.problems)) is not varies
    assert fit.status.singular_scaled is not varies
    assert any(found.what == "income|g: sd 0" for found in bm.diagnose(fit, refit=False).findings) is not varies
    assert ("singular" in bm.report(fit).fitting) is not varies


def test_a_fit_of_two_levels_says_which_is_the_success(table: pd.DataFrame) -> None:
    fit = bm.Model("answer ~ x + (1 | g)", table, family="bernoulli").fit("ml")
    assert "Family: bernoulli (logit), of answer = 'yes'" in str(fit)


def test_long_names_above_correlations_are_numbers_that_the_rows_explain() -> None:
    fit = bm.Model("angle ~ recipe * temp + (1 | recipe:replicate)", bm.load_data("cake")).fit("reml")
    page = str(fit)
    assert "(2) recipe[B]" in page and "(3) recipe[C]" in page
    assert "(1) Intercept" in page and ".." not in page


def test_a_report_states_problems_and_leaves_remedies_to_diagnose() -> None:
    model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
    fit: Any = model.fit(bm.NUTS(draws=50, tune=50, chains=2), seed=1)
    problem = "2 of 100 draws diverged: part of the posterior may be missing. Use bm.NUTS(target_accept=0.95)."
    worse = cast(Any, replace(fit, status=replace(fit.status, divergences=2, max_rhat=1e12, problems=(problem,))))
    said = bm.report(worse).fitting
    assert "there were 2 divergences" in said and "R-hat was above 100" in said
    assert "part of the posterior may be missing (bm.diagnose(fit) says what to do)." in said
    assert "target_accept" not in said
    found = bm.diagnose(worse).findings[0]
    assert found.remedy == "Use bm.NUTS(target_accept=0.95)" and not found.words
    assert str(bm.diagnose(worse)).count("target_accept") == 1


def test_chains_with_nothing_in_common_have_no_number_of_sixteen_digits() -> None:
    assert rhat_text(9863944627761746.0) == "above 100" and rhat_text(1.0034) == "1.003"


def test_fits_of_different_formulas_and_links_are_told_apart(table: pd.DataFrame) -> None:
    model = bm.Model("z ~ x + (1 | g)", table)
    beside = str(bm.side_by_side(model.fit("ml"), model.replace(formula="z ~ 1 + (1 | g)").fit("ml")))
    assert "\nML: z ~ x + (1 | g)\nML #2: z ~ 1 + (1 | g)\n" in beside
    answers = bm.Model("answer ~ x + (1 | g)", table, family="bernoulli")
    few = bm.Laplace(draws=100, pool=2)
    logit, guessed = answers.fit(few, seed=1), answers.replace(link=bm.links.logit(guess=0.05)).fit(few, seed=1)
    names = set(bm.loo_compare(logit, guessed).frame.index)
    assert names == {f"answer ~ x + (1 | g), link logit{more}" for more in ("", " between 0.05 and 1")}
    assert set(bm.loo_compare({"plain": logit, "guess": guessed}).frame.index) == {"plain", "guess"}
    assert set(bm.loo_compare(logit, guessed, labels=["a", "b"]).frame.index) == {"a", "b"}
    with pytest.raises(bm.errors.FitError, match="labels= takes 2 different names"):
        bm.loo_compare(logit, guessed, labels=["a"])


def test_a_mean_that_is_no_probability_is_not_called_p(table: pd.DataFrame) -> None:
    found = bm.inverse_predict(bm.Model("z ~ x + (1 | g)", table).fit("ml"), 5, "x")
    assert list(found.frame)[:2] == ["value", "estimate"] and "mean response is the value" in str(found)


def test_a_boundary_is_said_to_be_checked_locally_with_limits_of_both_kinds(table: pd.DataFrame) -> None:
    """Dyestuff2's deviance rises by 1 at an sd of 0.971 and by 3.84 at 2.08; a correlation of one has some too."""
    zero = str(bm.diagnose(bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff2")).fit("ml")))
    said = " ".join(zero.split())
    assert "Profile limits for the sd: 0.971 (deviance +1), 2.08 (+3.84, at zero about a 97.5 %" in said
    assert "No small step off the boundary raises the likelihood" in said
    line = " ".join(str(bm.diagnose(bm.Model("z ~ x + (x | g)", table).fit("ml"))).split())
    assert "around that: " in line and "97.5 % one-sided" in line and "No small step off the boundary" in line
