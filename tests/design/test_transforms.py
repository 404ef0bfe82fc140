"""Transforms remember the training data: R's values there, and the same functions on new rows."""

from __future__ import annotations

import numpy as np
import pytest

from bayesmixed.errors import BayesMixedWarning, FormulaError

from .tables import design, table

EXACT = 1e-12  # one rounding per operation
CALLS = [
    "scale(x)",
    "center(x)",
    "standardize(x)",
    "poly(x, 3)",
    "poly(log(z), 2)",
    "bs(x, df = 5)",
    "ns(scale(x), df = 4)",
    "I(x - mean(x))",
    "cut(x, 3)",
    "I((x - min(x)) / (max(x) - min(x)))",
    "I(x > median(x))",
    "interaction(f, h)",
    "factor(k)",
    "I(x / sd(x))",
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.filterwarnings("ignore::bayesmixed.errors.BayesMixedWarning")
def test_training_rows_alone_give_their_training_columns(call: str) -> None:
    trained = design(f"z ~ {call}")
    some = [3, 7, 20]
    np.testing.assert_allclose(trained.encoding.apply(table().iloc[some]).mu.X, trained.mu.X[some], atol=EXACT)


def test_scale_uses_the_divisor_of_r() -> None:
    x = table()["x"]
    np.testing.assert_allclose(design("z ~ scale(x)").mu.X[:, 1], (x - x.mean()) / x.std(ddof=1), atol=EXACT)
    np.testing.assert_allclose(design("z ~ center(x)").mu.X[:, 1], x - x.mean(), atol=EXACT)


def test_polynomials_are_orthonormal_and_survive_large_origins() -> None:
    data = table().assign(year=lambda d: 2000 + d.k + d.g)
    P = design("z ~ poly(year, 3)", data).mu.X[:, 1:]
    np.testing.assert_allclose(P.T @ P, np.eye(3), atol=1e-10)
    np.testing.assert_allclose(P.sum(axis=0), 0, atol=1e-10)
    shifted = design("z ~ poly(year, 3)", data.assign(year=data.year - 2000)).mu.X[:, 1:]
    np.testing.assert_allclose(P, shifted, atol=1e-10)


def test_natural_splines_are_linear_beyond_the_boundary() -> None:
    trained = design("z ~ ns(x, df = 4)")
    beyond = table().iloc[:3].assign(x=[10.0, 11.0, 12.0])
    X = trained.encoding.apply(beyond).mu.X
    np.testing.assert_allclose(np.diff(X, n=2, axis=0), 0, atol=EXACT)


def test_b_splines_sum_to_one_and_warn_beyond_the_boundary() -> None:
    trained = design("z ~ 0 + bs(x, df = 6, intercept = TRUE)")
    np.testing.assert_allclose(trained.mu.X.sum(axis=1), 1, atol=EXACT)
    with pytest.warns(BayesMixedWarning, match="boundary"):
        trained.encoding.apply(table().assign(x=99.0))


def test_numpy_and_r_spellings_are_one_function() -> None:
    np.testing.assert_array_equal(design("x ~ log(z)").mu.X, design("x ~ np.log(z)").mu.X)
    np.testing.assert_array_equal(design("x ~ I(z^2)").mu.X, design("x ~ I(z**2)").mu.X)


def test_a_missing_number_in_new_rows_is_a_missing_prediction() -> None:
    trained = design("z ~ poly(x, 2) + log(z) + I(x > 0) + f")
    X = trained.encoding.apply(table().iloc[:2].assign(x=[np.nan, 1.0])).mu.X
    assert np.isnan(X[0, [1, 2, 4]]).all() and np.isfinite(X[1]).all() and np.isfinite(X[0, [0, 3]]).all()


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("z ~ poly(x, 30)", "different values"),
        ("z ~ poly(x, 0)", "degree must be a number from 1"),
        ("z ~ scale(I(x * 0))", "constant"),
        ("z ~ bs(x, df = 1)", "df must be at least 3"),
        ("z ~ ns(x, knots = 100)", "between the boundary knots"),
        ("z ~ scale(x, size = 2)", "unexpected keyword"),
        ("z ~ exp(x, z)", "wrong arguments"),
    ],
)
def test_wrong_options_name_the_call(formula: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message) as caught:
        design(formula)
    assert formula.split("~ ")[1].split("(")[0] in str(caught.value)
