"""Contrasts: R's matrices, coefficient names that say which level a column is about, and matrices of one's own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayesmixed.design.columns.contrasts import contrast, polynomial
from bayesmixed.errors import DataError

from .tables import design, table

LEVELS = np.array(["a", "b", "c"], dtype=object)
PRINTED = 1e-10  # numbers below were printed by R with 10 digits or more


def test_named_contrasts_are_those_of_r() -> None:
    assert contrast("treatment", LEVELS, where="f").matrix.tolist() == [[0, 0], [1, 0], [0, 1]]
    assert contrast("sum", LEVELS, where="f").matrix.tolist() == [[1, 0], [0, 1], [-1, -1]]
    assert contrast("contr.helmert", LEVELS, where="f").matrix.tolist() == [[-1, -1], [1, -1], [0, 2]]
    # contr.poly(4)
    expected = [[-0.6708203932, 0.5, -0.2236067977], [-0.2236067977, -0.5, 0.6708203932]]
    np.testing.assert_allclose(polynomial(np.arange(4)).matrix[:2], expected, atol=PRINTED)


@pytest.mark.parametrize(
    ("spec", "labels", "r_labels"),
    [
        ("treatment", ["b", "c"], ["b", "c"]),
        ("sum", ["a", "b"], ["1", "2"]),
        ("helmert", ["b", "c"], ["1", "2"]),
        ("poly", [".L", ".Q"], [".L", ".Q"]),
        (np.array([[0, 0], [1, 0], [1, 1]]), ["1", "2"], ["1", "2"]),
        (pd.DataFrame({"up": [0, 1, 1], "top": [0, 0, 1]}), ["up", "top"], ["up", "top"]),
    ],
    ids=["treatment", "sum", "helmert", "poly", "array", "table"],
)
def test_columns_are_named_after_what_they_contrast(spec: object, labels: list[str], r_labels: list[str]) -> None:
    trained = design("z ~ f * x + (f | g)", contrasts={"f": spec})
    assert trained.mu.coefficients[1:3] == tuple(f"f[{label}]" for label in labels)
    assert trained.mu.r_names[1:3] == tuple(f"f{label}" for label in r_labels)
    assert trained.mu.coefficients[4:] == tuple(f"f[{label}]:x" for label in labels)
    assert trained.groups[0].columns == ("Intercept", *trained.mu.coefficients[1:3])
    np.testing.assert_array_equal(trained.encoding.apply(table()).mu.X, trained.mu.X)


def test_rows_of_a_table_are_found_by_level() -> None:
    spec = pd.DataFrame({"c_only": [1, 0, 0], "b_only": [0, 1, 0]}, index=["c", "b", "a"])
    X = design("z ~ f", contrasts={"f": spec}).mu.X
    np.testing.assert_array_equal(X[:, 1:], np.column_stack([table().f == "c", table().f == "b"]))


def test_contrasts_inside_the_formula_equal_the_argument() -> None:
    inside = [design(f"z ~ C(f, {spec})").mu.X for spec in ("contr.sum", "Sum", '"sum"')]
    for X in inside:
        np.testing.assert_array_equal(X, design("z ~ f", contrasts={"f": "sum"}).mu.X)


def test_treatment_takes_a_reference_by_name_or_place() -> None:
    for spec in (
        'Treatment("b")',
        'contr.treatment(base = "b")',
        "contr.treatment(base = 2)",
        'Treatment(reference="b")',
    ):
        assert design(f"z ~ C(f, {spec})").mu.coefficients[1].endswith("[a]")
    np.testing.assert_array_equal(design('z ~ relevel(f, "b")').mu.X, design('z ~ C(f, Treatment("b"))').mu.X)


def test_a_matrix_may_come_from_the_namespace() -> None:
    spec = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    X = design("z ~ C(f, steps)", namespace={"steps": spec}).mu.X
    np.testing.assert_array_equal(X, design("z ~ f", contrasts={"f": spec}).mu.X)


def test_declared_order_is_kept_and_unused_levels_are_dropped() -> None:
    data = table().assign(f=lambda d: pd.Categorical(d.f, categories=["z", "c", "a", "b"]))
    assert design("x ~ f + (1 | f)", data).mu.coefficients == ("Intercept", "f[a]", "f[b]")
    assert design("x ~ 1 + (1 | f)", data).groups[0].levels.tolist() == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"h": "summ"}, "Did you mean 'sum'"),
        ({"q": "sum"}, "no factor 'q'"),
        ({"h": np.eye(2)}, "shape"),
        ({"h": np.ones((2, 1))}, "dependent"),
    ],
)
def test_contrasts_that_do_not_fit_are_explained(spec: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        design("z ~ h", contrasts=spec)
