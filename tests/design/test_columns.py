"""The columns of terms are R's: coding, order, names, aliasing; in bars they have full rank."""

from __future__ import annotations

import logging
import warnings

import numpy as np
import pandas as pd
import pytest
from formulaic import model_matrix
from hypothesis import given, settings
from hypothesis import strategies as st

from bayesmixed.design.columns.rank import independent
from bayesmixed.errors import BayesMixedWarning

from .tables import R, design, fingerprint, table

PRINTED = 1e-11  # R prints 15 significant digits; sums of 24 rows lose a few more
EXTRAPOLATED = 1e-9  # beyond the boundary knots polynomial pieces cancel large numbers


@pytest.mark.parametrize("case", R["cases"], ids=lambda case: case["formula"])
@pytest.mark.filterwarnings("ignore::bayesmixed.errors.BayesMixedWarning")
def test_fixed_columns_are_those_of_model_matrix(case: dict) -> None:
    ours = design(f"y ~ {case['formula']}")
    kept = [case["names"].index(name) for name in ours.mu.r_names]
    assert len(kept) + len(ours.mu.aliased) == len(case["names"])
    np.testing.assert_allclose(fingerprint(ours.mu.X), np.array(case["sums"])[kept], rtol=PRINTED, atol=PRINTED)
    if case["new"] is not None:
        new = ours.encoding.apply(table("new")).mu.X
        np.testing.assert_allclose(fingerprint(new), np.array(case["new"])[kept], rtol=EXTRAPOLATED, atol=EXTRAPOLATED)


@pytest.mark.parametrize("case", R["bars"], ids=lambda case: case["bar"])
def test_bars_have_the_columns_levels_and_codes_of_lme4(case: dict) -> None:
    (term,) = design(f"y ~ 1 + {case['bar']}").groups
    assert list(term.r_columns) == case["columns"]
    assert [str(level) for level in term.levels] == case["levels"]
    assert term.codes.tolist() == case["codes"]
    assert term.codes.dtype == np.int32


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        ("y ~ f * x", ["Intercept", "f[b]", "f[c]", "x", "f[b]:x", "f[c]:x"]),
        ("y ~ oo", ["Intercept", "oo[.L]", "oo[.Q]", "oo[.C]"]),
        ("y ~ ordered(g)", ["Intercept", *(f"ordered(g)[{p}]" for p in (".L", ".Q", ".C", "^4", "^5"))]),
        ("y ~ poly(x, 2)", ["Intercept", "poly(x, 2)[1]", "poly(x, 2)[2]"]),
        ("y ~ h / I(x > 0)", ["Intercept", "h[v]", "h[u]:I(x > 0)[True]", "h[v]:I(x > 0)[True]"]),
        ("y ~ factor(k)", ["Intercept", "factor(k)[2]", "factor(k)[3]", "factor(k)[4]"]),
        ("y ~ 0 + h:f", [f"h[{h}]:f[{f}]" for f in "abc" for h in "uv"]),
    ],
)
@pytest.mark.filterwarnings("ignore::bayesmixed.errors.BayesMixedWarning")
def test_names_put_the_level_in_brackets(formula: str, names: list[str]) -> None:
    mu = design(formula).mu
    assert [*mu.coefficients, *mu.aliased] == names


def test_terms_point_at_their_columns() -> None:
    mu = design("z ~ f * x + h").mu
    assert mu.terms == {"Intercept": (0,), "f": (1, 2), "x": (3,), "h": (4,), "f:x": (5, 6)}


def test_interaction_cells_in_a_bar_leave_no_room_for_an_intercept() -> None:
    for bar in ("(f:h | g)", "(1 + f:h | g)", "(0 + f:h | g)"):
        (term,) = design(f"z ~ 1 + {bar}").groups
        assert term.columns == tuple(f"f[{f}]:h[{h}]" for h in "uv" for f in "abc")


def test_bars_do_not_repeat_a_slope_that_r_would_repeat() -> None:
    (term,) = design("z ~ 1 + (0 + x + x:f | g)").groups
    assert term.columns == ("x", "x:f[b]", "x:f[c]")


def test_double_bar_has_the_columns_of_the_expanded_left_side_and_a_diagonal() -> None:
    (term,) = design("z ~ 1 + (f || g)").groups
    assert term.covariance == "diag" and term.columns == ("Intercept", "f[b]", "f[c]")


def test_later_dependent_columns_are_dropped_and_named() -> None:
    data = table().assign(twice=lambda d: 2 * d.x)
    with pytest.warns(BayesMixedWarning, match="twice"):
        mu = design("y ~ x + twice + z", data.assign(y=data.z)).mu
    assert mu.coefficients == ("Intercept", "x", "z") and mu.aliased == ("twice",) and mu.terms["twice"] == ()


@pytest.mark.parametrize("shift", [1e6, 1e8])
def test_a_shifted_column_is_never_dropped(shift: float) -> None:
    data = table().assign(far=lambda d: d.x + shift)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for formula in ("z ~ far", "z ~ 0 + f + far", "z ~ 0 + far + x", "z ~ far + I(far^2)"):
            if shift < 1e8 or "^2" not in formula:  # the square of 1e8 keeps no digit of its curvature
                assert design(formula, data).mu.aliased == ()


def test_rank_decisions_do_not_depend_on_units() -> None:
    rng = np.random.default_rng(1)
    X = np.column_stack([np.ones(50), rng.normal(size=(50, 3))])
    X = np.column_stack([X, X[:, 1] + X[:, 2], rng.normal(size=50)])
    for units in (1.0, 1e-9, 1e9):
        assert independent(X * [1, 1, units, 1, 1, 1 / units], 1).tolist() in ([0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 5])
    assert independent(X, 1).tolist() == [0, 1, 2, 3, 5]


def test_importing_formulae_leaves_no_log_handler() -> None:
    design("z ~ f:x")
    assert logging.getLogger("formulae").handlers == []


categorical = st.lists(st.sampled_from(["f", "h", "fc", "b"]), min_size=1, max_size=3, unique=True).map(":".join)
hierarchical = st.lists(st.sampled_from(["x", "k", "f", "h", "b"]), min_size=1, max_size=3, unique=True).map("*".join)
sides = st.lists(st.one_of(categorical, hierarchical), min_size=1, max_size=3, unique=True)


@given(sides, st.booleans(), st.integers(0, 2**16))
@settings(deadline=None, derandomize=True, max_examples=40)
def test_fixed_columns_span_what_formulaic_spans(side: list[str], intercept: bool, seed: int) -> None:
    """An independent implementation codes differently in redundant formulas, yet the space is the same.

    Formulas with numbers are closed under margins here: R takes the margin f:h of f:h:b as present once
    x:f:h is, and so do we (the R cases above have that formula).
    """
    rng = np.random.default_rng(seed)
    n = 80
    data = pd.DataFrame({"x": rng.normal(size=n), "z": rng.normal(size=n), "k": rng.integers(0, 9, n).astype(float)})
    data["f"], data["h"], data["b"] = rng.choice(list("abc"), n), rng.choice(list("uv"), n), rng.random(n) < 0.5
    data["fc"] = pd.Categorical(rng.choice(list("pqr"), n), categories=list("rqp"))
    data.loc[:2, "f"], data.loc[:1, "h"], data.loc[:2, "fc"] = ["a", "b", "c"], ["u", "v"], ["p", "q", "r"]
    data.loc[:1, "b"], data["y"] = [True, False], 0.0
    right = " + ".join(["1" if intercept else "0", *side])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BayesMixedWarning)
        ours = design(f"y ~ {right}", data).mu
    theirs = np.asarray(model_matrix(right, data.assign(b=data.b.astype(str)), output="numpy"), dtype=float)
    rank = np.linalg.matrix_rank(theirs)
    assert ours.X.shape[1] == np.linalg.matrix_rank(ours.X) == rank
    assert np.linalg.matrix_rank(np.column_stack([ours.X, theirs])) == rank
