"""Tests of terms have the numbers of lmerTest, pbkrtest, nlme and aov."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import load_reference_frame, load_result
from judged import WITH_TERMS, reference_fit
from unbalanced import fitted, made_up, terms_of

import bayesmixed as bm
from bayesmixed.inference.terms.anova import deletions_of

F_VALUE = 1e-5  # relative: both programs' optima
DDF = 1e-4  # relative: lmerTest differentiates numerically
RTERMS: dict[str, Any] = json.loads((Path(__file__).parent / "r_terms.json").read_text())
ROMAN = {1: "I", 2: "II", 3: "III"}
NAMES = {"rows": "rows", "num_df": "NumDF", "den_df": "DenDF", "statistic": "F value"}
IN_R = {
    "crossed": ("y ~ a * b + x + (1 | g)",),
    "covariates": ("y ~ a * x + b * x + (1 | g)",),
    "one_empty": ("y ~ a * b + x + (1 | g)", "one empty"),
    "four_empty": ("y ~ a * b * c + (1 | g)", "four empty"),
    "cellmeans": ("y ~ 0 + a + (1 | g)",),
    "poly": ("y ~ poly(x, 2) * b + z + (1 | g)",),
    "slopes": ("y ~ a * b + (x | g)",),
    "weighted": ("y ~ a * b + x + (1 | g)", "all", "z + 1"),
}


def agree(found: pd.DataFrame, theirs: dict[str, Any]) -> None:
    listed = {name: np.atleast_1d(values) for name, values in theirs.items()}
    assert list(found.index) == list(listed["rows"])
    assert found["num_df"].tolist() == listed["num_df"].tolist()
    np.testing.assert_allclose(found["statistic"], listed["statistic"], rtol=F_VALUE)
    np.testing.assert_allclose(found["den_df"], listed["den_df"], rtol=DDF)


@pytest.mark.parametrize("name", WITH_TERMS)
def test_published_data_have_lmertests_tables(name: str) -> None:
    """Balanced and unbalanced designs, treatment, sum, Helmert and polynomial contrasts, all three types."""
    for kind, roman in ROMAN.items():
        theirs = load_result(f"lmm_{name}")["extras"]["ddf"]["Satterthwaite"][f"anova_type_{roman}"]
        found = bm.anova(reference_fit(name), type=kind).frame
        agree(found, {ours: theirs[other] for ours, other in NAMES.items()})
        np.testing.assert_allclose(found["p"], theirs["Pr(>F)"], rtol=1e-3)


@pytest.mark.parametrize("kind", [1, 2, 3])
@pytest.mark.parametrize("name", IN_R)
def test_made_up_data_have_lmertests_tables(name: str, kind: int) -> None:
    """Unequal cells, covariates, empty cells, weights, cell means."""
    fit, theirs = fitted(*IN_R[name]), RTERMS[name][str(kind)]
    found = terms_of(fit, kind)
    if (name, kind) == ("poly", 2):  # lmerTest takes poly(x, 2) for a factor, which then contains b
        found, theirs = found.drop("b"), {key: np.delete(values, 1) for key, values in theirs.items()}
    agree(found, theirs)


@pytest.mark.parametrize("name", [name for name in IN_R if name != "four_empty"])
def test_terms_dropped_one_at_a_time_agree_with_lmertest(name: str) -> None:
    """Its `drop1`, of the terms that no other contains."""
    agree(deletions_of(fitted(*IN_R[name])).frame, RTERMS[name]["drop1"])


def test_twenty_four_mice_have_the_ordinary_table() -> None:
    """`aov`'s F of 108.1 on 4 and 1195 when the mice are ignored, from ML and REML alike."""
    record = load_result("lm_yu_example1")
    model = bm.Model(record["formula"], load_reference_frame(record["dataset"]))
    for method in ("ml", "reml"):
        row = bm.anova(model.fit(method)).frame.loc["treatment_idx"]
        assert (row["num_df"], row["den_df"], round(row["statistic"], 1)) == (4, 1195, 108.1)


@pytest.mark.parametrize(("name", "weights"), [("aov", None), ("aov_weighted", "z + 1")])
def test_linear_models_have_the_sequential_table(name: str, weights: str | None) -> None:
    """R's `anova(lm)`, weighted too: F and p, and the sums of squares on the page."""
    theirs = RTERMS[name]
    page = bm.anova(fitted("y ~ a * b + x", "all", weights, "ml"), type=1)
    np.testing.assert_allclose(page.frame["statistic"], theirs["statistic"][:-1], rtol=1e-7)
    np.testing.assert_allclose(page.frame["p"], theirs["p"][:-1], rtol=1e-6)
    assert all(f"{value:.3f}" in str(page) for value in theirs["squares"])
    assert "Residual" in str(page)


def test_a_slope_contains_no_difference_between_levels() -> None:
    """SAS's rule: Sex is not contained in age:Sex, so its test of type II is adjusted for the slopes."""
    found = bm.anova(reference_fit("orthodont_sex_age"), type=2).frame["statistic"]
    assert found["Sex"] == pytest.approx(0.418336, abs=1e-6)
    assert bm.anova(reference_fit("orthodont_sex_age"), type=1).frame["statistic"]["Sex"] == pytest.approx(9.2921, 1e-4)


@pytest.mark.parametrize("name", ["two_levels", "one_level"])
def test_containment_has_nlmes_sequential_table(name: str) -> None:
    """`anova(lme(method = "ML"))`: F in the order of the formula, degrees of freedom counted by level."""
    formula = {
        "two_levels": "y ~ u + w + b + x + (1 | outer) + (1 | outer:inner)",
        "one_level": "y ~ z + a * x + (1 | g)",
    }
    i = np.arange(90)
    levels = {"outer": (i // 15).astype(str), "inner": (i // 5).astype(str)}
    table = made_up().assign(**levels, u=(i // 15) ** 2 % 5, w=((i // 5) % 4).astype(str))
    theirs = RTERMS["nlme"][name]
    for kind in (None, 1):
        found = bm.anova(bm.Model(formula[name], table).fit("ml"), type=kind, ddf="containment").frame
        agree(found, {key: theirs[key][1:] for key in ("rows", "num_df", "den_df", "statistic")})


def test_twenty_four_mice_by_containment() -> None:
    """The mice counted: F of 5.8945 on 4 and 19, ML as in nlme; between-within is the same but for the intercept."""
    record = load_result("lmm_yu_example1")
    fit = bm.Model(record["formula"], load_reference_frame(record["dataset"])).fit("ml")
    for method in ("containment", "between-within"):
        row = bm.anova(fit, ddf=method).frame.loc["treatment_idx"]
        assert (row["num_df"], row["den_df"]) == (4, 19)
        assert row["statistic"] == pytest.approx(5.894548, rel=F_VALUE)


@pytest.mark.parametrize("name", WITH_TERMS)
def test_published_data_have_pbkrtests_tables(name: str) -> None:
    """Kenward-Roger's scaled F: the same whichever rows span the hypothesis."""
    for kind, roman in ROMAN.items():
        theirs = load_result(f"lmm_{name}")["extras"]["ddf"]["Kenward-Roger"][f"anova_type_{roman}"]
        found = bm.anova(reference_fit(name), type=kind, ddf="kenward-roger").frame
        agree(found, {ours: theirs[other] for ours, other in NAMES.items()})


@pytest.mark.parametrize("name", [name for name in IN_R if name != "weighted"])
def test_made_up_data_have_pbkrtests_tables(name: str) -> None:
    """Type III, unbalanced. Weights pbkrtest leaves out of its derivatives: 488 degrees of freedom in 90 rows."""
    agree(terms_of(fitted(*IN_R[name]), 3, ddf="kenward-roger"), RTERMS[name]["kenward_roger"])


def test_kenward_roger_of_an_ml_fit_is_that_of_the_reml_fit() -> None:
    """The refit's coefficients too, as pbkrtest has it."""
    page = bm.anova(fitted("y ~ a * b + x + (1 | g)", method="ml"), ddf="kenward-roger")
    agree(page.frame, RTERMS["crossed"]["kenward_roger"])
    assert "coefficients, covariance and degrees of freedom are those" in str(page).replace("\n  ", " ")


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_other_contrasts_have_lmertests_tables(kind: int) -> None:
    """Sum and Helmert contrasts, unbalanced: its rows of types I and II are others, for the same F."""
    model = bm.Model("y ~ a * b + x + (1 | g)", made_up(), contrasts={"a": "sum", "b": "helmert"})
    agree(bm.anova(model.fit("reml"), type=kind).frame, RTERMS["sums"][str(kind)])
