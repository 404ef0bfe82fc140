"""Tests of terms: SAS's rules where lmerTest's depend on the coding, identities, invariances, messages."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from conftest import load_reference_frame
from unbalanced import fitted, made_up, terms_of

import bayesmixed as bm
from bayesmixed.errors import BayesMixedWarning, FitError
from bayesmixed.inference.terms.hypotheses import hypotheses

EXACT = 1e-8  # relative: linear algebra alone
OPTIMUM = 1e-5  # relative: two searches that end at the same optimum


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_contrasts_do_not_matter(kind: int) -> None:
    """F and degrees of freedom of the same model in five codings and with reordered levels of the second factor."""
    formula, table = "y ~ a * b + a * x + (1 | g)", made_up()
    first = bm.anova(bm.Model(formula, table).fit("reml"), type=kind).frame
    matrix = np.array([[1.0, 0.3], [-0.2, 1.0], [0.4, 0.4]])
    for coding in ({"a": "sum", "b": "helmert"}, {"a": "poly", "b": "sum"}, {"a": matrix}, {"a": ("treatment", "a3")}):
        other = bm.anova(bm.Model(formula, table, contrasts=coding).fit("reml"), type=kind).frame
        np.testing.assert_allclose(other, first, rtol=OPTIMUM)


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_rows_names_and_units_do_not_matter(kind: int) -> None:
    """Another order of rows, other names of levels, y times a constant."""
    formula, table = "y ~ a * b + x + (1 | g)", made_up()
    first = bm.anova(fitted(formula), type=kind).frame
    other = table.sample(frac=1, random_state=1).assign(a=lambda t: "level " + t.a, y=lambda t: 1000 * t.y)
    np.testing.assert_allclose(bm.anova(bm.Model(formula, other).fit("reml"), type=kind).frame, first, rtol=OPTIMUM)


def test_balanced_designs_have_one_table() -> None:
    """Orthogonal factors: types I, II and III are the same."""
    cake = bm.Model("angle ~ recipe * temperature + (1 | recipe:replicate)", load_reference_frame("cake")).fit("reml")
    tables = [bm.anova(cake, type=kind).frame for kind in (1, 2, 3)]
    np.testing.assert_allclose(tables[1], tables[0], rtol=EXACT)
    np.testing.assert_allclose(tables[2], tables[0], rtol=EXACT)


def test_one_coefficient_is_its_t_squared() -> None:
    fit = fitted("y ~ x + z + (1 | g)")
    found = bm.anova(fit).frame
    np.testing.assert_allclose(found["statistic"], fit.coefficients["statistic"].iloc[1:] ** 2, rtol=EXACT)


@pytest.mark.parametrize("kind", [1, 2, 3])
@pytest.mark.parametrize("shift", [2e3, 1e6])
def test_shifted_numbers_keep_hypotheses_that_do_not_depend_on_zero(shift: float, kind: int) -> None:
    """x far from zero: what does not speak of x = 0 stays, in a sum and (slopes) beside products of x."""
    table = made_up()
    for formula in ("y ~ a * b + x + (1 | g)", "y ~ z + a * x + (1 | g)"):
        first = bm.anova(fitted(formula), type=kind).frame
        moved = bm.anova(bm.Model(formula, table.assign(x=table.x + shift)).fit("reml"), type=kind).frame
        kept = [name for name in first.index if name != "a" or "a:x" not in first.index or kind == 1]
        np.testing.assert_allclose(moved.loc[kept], first.loc[kept], rtol=1e-9 * shift + OPTIMUM)


def test_without_an_intercept_a_factor_beside_another_is_what_it_is_with_one() -> None:
    """0 + a + b spans what a + b does: SAS's test of a has 2 degrees of freedom, lmerTest's 3 (at b's first)."""
    for kind in (2, 3):
        found, with_one = (terms_of(fitted(f"y ~ {start} + a + b + (1 | g)"), kind) for start in (0, 1))
        np.testing.assert_allclose(found, with_one, rtol=OPTIMUM)
    assert terms_of(fitted("y ~ 0 + a + b + (1 | g)"), 1)["num_df"].tolist() == [3, 1]
    assert "One column belongs to several terms" in str(bm.anova(fitted("y ~ 0 + a + b + (1 | g)")))


@pytest.mark.parametrize("formula", ["y ~ a + a:b + x:a + (1 | g)", "y ~ x:z + x:a + (1 | g)", "y ~ C(a, poly, 1) * b"])
def test_unusual_formulas_test_every_column_once(formula: str) -> None:
    """Terms of type I share out all columns; F of the last term is the same in all types."""
    fit = fitted(formula)
    tables = [terms_of(fit, kind) for kind in (1, 2, 3)]
    assert tables[0]["num_df"].sum() == len(fit.beta) - 1
    for other in tables[1:]:
        assert other["num_df"].iloc[-1] == tables[0]["num_df"].iloc[-1]
        assert other["statistic"].iloc[-1] == pytest.approx(tables[0]["statistic"].iloc[-1], rel=EXACT)


def test_logical_columns_are_factors() -> None:
    """A condition in the formula, a bool column and a factor of two levels are one and the same."""
    table = made_up().assign(flag=lambda t: t.x > 1.5, level=lambda t: np.where(t.x > 1.5, "yes", "no"))
    tables = [
        bm.anova(bm.Model(f"y ~ a * {term} + (1 | g)", table).fit("reml"), type=2).frame
        for term in ("flag", "level", "(x > 1.5)")
    ]
    np.testing.assert_allclose(tables[1], tables[0], rtol=OPTIMUM)
    np.testing.assert_allclose(tables[2], tables[0], rtol=OPTIMUM)


def test_rows_of_weight_zero_are_absent() -> None:
    """Also for which cells are empty."""
    weighted = made_up().assign(w=lambda t: (~((t.a == "a3") & (t.b == "b2"))).astype(float))
    with pytest.warns(BayesMixedWarning, match="rank deficient"):
        fit = bm.Model("y ~ a * b + x + (1 | g)", weighted, weights="w").fit("reml")
    with pytest.warns(BayesMixedWarning, match="a:b = a3:b2"):
        found = bm.anova(fit).frame
    np.testing.assert_allclose(found, terms_of(fitted("y ~ a * b + x + (1 | g)", "one empty"), 3), rtol=OPTIMUM)


def test_empty_cells_are_named_for_type_three_alone() -> None:
    fit = fitted("y ~ a * b * c + (1 | g)", "four empty")
    with pytest.warns(
        BayesMixedWarning, match=r"a:b = a3:b2; no rows with a:b:c = a1:b1:c3, a3:b2:c1, a3:b2:c2 and a3"
    ):
        page = bm.anova(fit)
    assert "Empty cells" in str(page)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "Empty cells" not in str(bm.anova(fit, type=2))


def test_aliased_terms_are_blank() -> None:
    """A column that another one determines: nothing of its term can be tested, in its place type I."""
    table = made_up().assign(twice=lambda t: 2 * t.x)
    with pytest.warns(BayesMixedWarning, match="dropped twice"):
        fit = bm.Model("y ~ x + twice + (1 | g)", table).fit("reml")
    page = bm.anova(fit, type=1)
    assert page.frame["num_df"].tolist() == [1, 0]
    assert np.isnan(page.frame.loc["twice", "statistic"])
    assert "twice: nothing to test" in str(page)


def test_generalized_models_have_wald_tests() -> None:
    """chi^2 = b'V^-1 b of a factor's coefficients, on infinite denominator degrees of freedom."""
    fit = bm.Model("cbind(incidence, size - incidence) ~ period + (1 | herd)", bm.load_data("cbpp"), family="binomial")
    fit = fit.fit("ml")
    page = bm.anova(fit)
    b, V = fit.beta[1:], fit.vcov().to_numpy()[1:, 1:]
    row = page.frame.loc["period"]
    assert row["statistic"] == pytest.approx(b @ np.linalg.solve(V, b), rel=EXACT)
    assert (row["num_df"], row["den_df"]) == (3, np.inf)
    assert "Wald" in page.title and "chisq" in str(page)


def test_a_predictor_of_sigma_is_left_out_and_said_so() -> None:
    table = bm.load_data("Orthodont")
    fit = bm.Model(bm.Formula("distance ~ age * Sex + (1 | Subject)", "sigma ~ Sex"), table).fit("ml")
    page = bm.anova(fit)
    assert page.frame.index.tolist() == ["age", "Sex", "age:Sex"]
    assert "bm.hypothesis(fit) tests the coefficients of sigma" in str(page)


def test_asymptotic_tests_are_the_same_f_without_denominator() -> None:
    fit = fitted("y ~ a * b + x + (1 | g)")
    f, chi2 = bm.anova(fit).frame, bm.anova(fit, ddf="asymptotic").frame
    np.testing.assert_allclose(chi2["statistic"], f["statistic"] * f["num_df"], rtol=EXACT)
    assert np.isinf(chi2["den_df"]).all()


def test_the_page_says_what_it_is() -> None:
    page = bm.anova(fitted("y ~ a * b + x + (1 | g)"), type="II")
    assert list(page.frame.columns) == ["num_df", "den_df", "statistic", "p"]
    assert page.frame.index.name == "term"
    assert "type II" in str(page) and "Satterthwaite" in str(page) and "0.0000" not in str(page)
    assert "<table" in page._repr_html_()


@pytest.mark.parametrize("type", [4, "IV", True, 2.5, [1], "two"])
def test_unknown_types_are_refused(type: Any) -> None:
    with pytest.raises(FitError, match="use 1 .* 2 .* or 3"):
        bm.anova(fitted("y ~ x + z + (1 | g)"), type=type)


@pytest.mark.parametrize("type", ["III", "iii", "type 3", 3.0, np.int64(3)])
def test_types_may_be_written_as_in_sas(type: Any) -> None:
    fit = fitted("y ~ x + z + (1 | g)")
    assert bm.anova(fit, type=type).frame.equals(bm.anova(fit, type=3).frame)


def test_what_has_no_terms_to_test_says_what_to_type() -> None:
    with pytest.raises(FitError, match=r"no fixed terms.*bm\.hypothesis"):
        bm.anova(fitted("y ~ 1 + (1 | g)"))
    with pytest.raises(FitError, match=r"not models"):
        bm.anova(fitted("y ~ x + z + (1 | g)").model)
    with pytest.raises(FitError, match=r"labels= are for several"):
        bm.anova(fitted("y ~ x + z + (1 | g)"), labels="one")
    with pytest.raises(FitError, match=r"ddf='kenward'"):
        bm.anova(fitted("y ~ x + z + (1 | g)"), ddf="kenward")
    draws = fitted("y ~ x + z + (1 | g)").model.fit("laplace", seed=1)
    with pytest.raises(FitError, match=r"bm\.hypothesis.*bm\.loo_compare"):
        bm.anova(draws)
    binomial = bm.Model("incidence ~ period + (1 | herd)", bm.load_data("cbpp"), family="poisson").fit("ml")
    with pytest.raises(FitError, match='ddf="asymptotic"'):
        bm.anova(binomial, ddf="satterthwaite")


def test_hypotheses_of_type_three_average_cells_alike() -> None:
    """Rows say that the unweighted means of a's cells are equal, whatever the numbers of rows."""
    model = fitted("y ~ a * b + (1 | g)").model
    rows = hypotheses(model, 3)["a"] @ np.linalg.pinv(model.design.mu.X)
    frame = model.frame.assign(first=rows[0], second=rows[1])
    sums = frame.groupby(["a", "b"])[["first", "second"]].sum().unstack("b")
    expected = np.array([[-0.5, -0.5, -0.5, -0.5], [0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]])
    np.testing.assert_allclose(sums.to_numpy(), expected, atol=1e-10)


def test_counted_degrees_of_freedom_have_no_type_two() -> None:
    with pytest.raises(FitError, match="type=1"):
        bm.anova(fitted("y ~ a * b + x + (1 | g)"), type=2, ddf="containment")


def test_drop1_is_by_f_where_degrees_of_freedom_are_known() -> None:
    """The same tests as those of type III of what no other term contains; chi-squared for generalized models."""
    fit = fitted("y ~ a * b + x + (1 | g)")
    found, anova = bm.drop1(fit), bm.anova(fit).frame
    assert list(found.frame.columns) == ["statistic", "df", "p"]
    np.testing.assert_allclose(found.frame, anova.loc[["x", "a:b"], ["statistic", "num_df", "p"]], rtol=EXACT)
    assert "Satterthwaite" in str(found)
    wald = bm.drop1(fit, ddf="asymptotic")
    np.testing.assert_allclose(wald.frame["statistic"], found.frame["statistic"] * found.frame["df"], rtol=EXACT)
    assert "chisq" in str(wald)
    binomial = bm.Model("incidence ~ period + (1 | herd)", bm.load_data("cbpp"), family="poisson").fit("ml")
    assert "likelihood-ratio" in str(bm.drop1(binomial))
    with pytest.raises(FitError, match='test="chisq"'):
        bm.drop1(binomial, test="F")


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger", "containment"])
def test_one_way_balanced_designs_have_the_classical_test(ddf: str) -> None:
    """Treatments between groups: the mean square between treatments over that between groups, on 2 and 9."""
    i = np.arange(60)
    table = made_up().iloc[:60].assign(group=(i // 5).astype(str), treatment=(i // 20).astype(str))
    table["y"] += np.array([0.3, -1.2, 0.8, 0.1, 1.1, -0.5, 0.7, -0.9, 1.5, -0.4, 0.6, -1.6])[i // 5]
    means = table.groupby("group")["y"].mean()[[str(k) for k in range(12)]].to_numpy().reshape(3, 4)
    classical = 4 * means.mean(axis=1).var(ddof=1) / means.var(axis=1, ddof=1).mean()
    row = bm.anova(bm.Model("y ~ treatment + (1 | group)", table).fit("reml"), ddf=ddf).frame.loc["treatment"]
    assert (row["num_df"], row["den_df"]) == (2, pytest.approx(9, rel=OPTIMUM))
    assert row["statistic"] == pytest.approx(classical, rel=OPTIMUM)
