"""A Design is a function of what the table says: not of its library, row order, spare columns or spelling."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayesmixed.design.build import build_design
from bayesmixed.design.design import Design
from bayesmixed.design.grouping import resolve
from bayesmixed.errors import DataError
from bayesmixed.formula.formula import Formula
from bayesmixed.interop.json import from_plain, to_plain
from bayesmixed.parameters.values import Parameters

from .tables import design, table

FORMULA = "y ~ poly(x, 2) * f + offset(z) + (1 + x | g) + (0 + b | g) + (1 | g:h)"


def assert_same(one: Design, other: Design) -> None:
    """Equal numbers, names and levels."""
    np.testing.assert_array_equal(one.mu.X, other.mu.X)
    np.testing.assert_array_equal(one.mu.offset, other.mu.offset)
    assert (one.mu.coefficients, one.mu.r_names, one.mu.terms) == (
        other.mu.coefficients,
        other.mu.r_names,
        other.mu.terms,
    )
    for a, b in zip(one.groups, other.groups, strict=True):
        np.testing.assert_array_equal(a.codes, b.codes)
        np.testing.assert_array_equal(a.Z, b.Z)
        assert (a.factor, a.columns, a.covariance, a.levels.tolist()) == (
            b.factor,
            b.columns,
            b.covariance,
            b.levels.tolist(),
        )


def test_arrays_have_the_promised_shapes_and_types() -> None:
    trained = design(FORMULA)
    n, mu = 24, trained.mu
    assert mu.X.shape == (n, len(mu.coefficients)) and mu.X.dtype == mu.offset.dtype == float
    assert trained.response is not None and trained.response.y.dtype == float and trained.response.name == "y"
    assert [term.factor for term in trained.groups] == ["g", "g", "g:h"]
    assert trained.groups[0].codes is trained.groups[1].codes
    for term in trained.groups:
        assert term.codes.dtype == np.int32 and term.Z.shape == (n, len(term.columns)) and term.Z.dtype == float


def test_encoding_the_training_rows_gives_the_training_design() -> None:
    trained = design(FORMULA)
    new = trained.encoding.apply(table().drop(columns="y"))
    assert new.response is None
    assert_same(trained, new)


def test_the_input_is_never_changed() -> None:
    data = table()
    data.loc[3, "x"] = np.nan
    before = data.copy(deep=True)
    built, frame = build_design(Formula(FORMULA), data)
    frame.loc[0, "y"] = -1
    built.mu.X[:] = 0
    pd.testing.assert_frame_equal(data, before)


@pytest.mark.parametrize("library", ["polars", "lazy", "pyarrow"])
def test_every_table_library_gives_the_same_design(library: str) -> None:
    pl = pytest.importorskip("polars")
    data = table()
    data.loc[5, "x"] = np.nan
    columns = {name: data[name].tolist() for name in ("x", "y", "z", "g", "h", "f", "b")}
    columns["x"][5] = None
    columns["f"] = pl.Series(columns["f"], dtype=pl.Enum(["c", "a", "b"]))
    other = pl.DataFrame(columns)
    if library == "pyarrow":
        pytest.importorskip("pyarrow")
        other = other.with_columns(pl.col("f").cast(pl.String)).to_arrow()
        data["f"] = data["f"].astype(str)
    else:
        data["f"] = data["fc"]
    other = other.lazy() if library == "lazy" else other
    mine, theirs = design(FORMULA, data), design(FORMULA, other)
    assert_same(mine, theirs)
    assert_same(mine.encoding.apply(data[:5]), theirs.encoding.apply(other.slice(0, 5)))


@pytest.mark.parametrize("dtype", ["str", "category", "object", "string", "float", "Int64"])
def test_levels_of_a_grouping_factor_may_come_in_any_type(dtype: str) -> None:
    data = table()
    data["g"] = data["g"].astype(dtype) if dtype != "object" else pd.Series(data["g"].tolist(), dtype=object)
    np.testing.assert_array_equal(design(FORMULA, data).groups[0].codes, design(FORMULA).groups[0].codes)


def test_levels_keep_the_values_of_the_data() -> None:
    assert design("y ~ 1 + (1 | g)").groups[0].levels.tolist() == [1, 2, 3, 4, 5, 6]
    assert design("y ~ 1 + (1 | factor(g))").groups[0].factor == "factor(g)"
    assert design("y ~ 1 + (1 | factor(g))").groups[0].levels.tolist() == [1, 2, 3, 4, 5, 6]
    assert design("y ~ 1 + (1 | b)").groups[0].levels.tolist() == [False, True]
    assert design("y ~ 1 + (1 | g:h)").groups[0].levels.tolist()[:2] == ["1:u", "2:v"]


def test_numbers_sort_as_numbers_and_text_as_text() -> None:
    data = table().assign(g=lambda d: d.g * 5)
    assert design("y ~ 1 + (1 | g)", data).groups[0].levels.tolist() == [5, 10, 15, 20, 25, 30]
    data["g"] = data["g"].astype(str)
    assert design("y ~ 1 + (1 | g)", data).groups[0].levels.tolist() == sorted(map(str, range(5, 31, 5)))


def test_rows_may_come_in_any_order() -> None:
    order = np.random.default_rng(0).permutation(24)
    trained, shuffled = design("y ~ f * h + (f | g:h)"), design("y ~ f * h + (f | g:h)", table().iloc[order])
    np.testing.assert_array_equal(trained.mu.X[order], shuffled.mu.X)
    np.testing.assert_array_equal(trained.groups[0].codes[order], shuffled.groups[0].codes)
    assert shuffled.index.tolist() == order.tolist()


def test_a_permuted_interaction_is_the_same_grouping_factor() -> None:
    terms = design("y ~ 1 + (1 | g:h) + (0 + x | h:g)").groups
    assert [term.factor for term in terms] == ["g:h", "g:h"] and terms[0].codes is terms[1].codes
    assert resolve("h:g", ["g", "g:h"]) == "g:h"
    with pytest.raises(DataError, match="Did you mean 'g:h'"):
        resolve("g:hh", ["g:h"])


def test_rows_with_missing_values_in_used_columns_are_dropped_once() -> None:
    data = table()
    data.loc[2, "x"], data.loc[[2, 5], "f"], data.loc[7, "k"] = np.nan, None, np.nan
    weights = np.ones(24)
    weights[9] = np.nan
    built, frame = build_design(Formula("y ~ x + (1 | f)"), data, weights=weights)
    kept = [i for i in range(24) if i not in (2, 5, 9)]
    assert built.n_dropped == 3 and built.index.tolist() == frame.index.tolist() == kept
    assert list(frame.columns) == ["y", "x", "f"] and built.n_rows == len(frame) == 21


def test_weights_and_offsets_are_columns_expressions_or_arrays() -> None:
    z = table()["z"].to_numpy()
    for form in ("z", "z + 0", z, table()["z"], z.tolist()):
        np.testing.assert_array_equal(design("y ~ x", weights=form).weights, z)
        np.testing.assert_array_equal(design("y ~ x + offset(x)", offset=form).mu.offset, z + table()["x"])
    zero = np.where(np.arange(24) == 3, 0.0, 1.0)
    assert design("y ~ x", weights=zero).n_rows == 24


def test_arrays_are_asked_for_again_on_new_rows() -> None:
    encoding = design("y ~ x", offset=table()["z"].to_numpy()).encoding
    with pytest.raises(DataError, match="offset was given as an array.*pass offset="):
        encoding.apply(table()[:3])
    assert encoding.apply(table()[:3], offset=[1, 2, 3]).mu.offset.tolist() == [1, 2, 3]
    assert encoding.apply(table()[:2], offset=0.5).mu.offset.tolist() == [0.5, 0.5]
    by_name = design("y ~ x", offset="log(z)").encoding.apply(table()[:3])
    np.testing.assert_array_equal(by_name.mu.offset, np.log(table()["z"][:3]))


def test_levels_that_training_did_not_have() -> None:
    encoding = design("y ~ f + (1 | g) + (1 | g:h)").encoding
    new = table()[:3].assign(g=[9, None, 1], h=["u", "u", "v"])
    with pytest.raises(DataError, match=r"'g' has no level 9.0 in the training data \(1 rows with new levels: 0\)"):
        encoding.apply(new)
    population = encoding.apply(new, unseen="population")
    assert population.groups[0].codes.tolist() == [-1, -1, 0]
    assert population.groups[1].codes.tolist() == [-1, -1, -1]  # 1:v was never observed
    with pytest.raises(DataError, match="'g:h' has no level '1:v'"):
        encoding.apply(new[2:])
    with pytest.raises(DataError, match="`f` has the level 'q' .*Known: a, b, c"):
        encoding.apply(new[2:].assign(f="q"), unseen="population")


def test_a_missing_column_says_which_term_needs_it() -> None:
    encoding = design("y ~ x + log(z) + (1 | g)").encoding
    for column, term in (("x", "`x`"), ("z", r"`log\(z\)`"), ("g", r"`\(1 \| g\)`")):
        with pytest.raises(DataError, match=f"no column '{column}' in the new data; .*{term} needs it"):
            encoding.apply(table().drop(columns=column))


def test_a_dot_stands_for_the_columns_not_otherwise_used() -> None:
    data = table()[["y", "x", "f", "g", "z", "k"]]
    assert design("y ~ . + (1 | g)", data, weights="k", offset="z").mu.coefficients == (
        "Intercept",
        "x",
        "f[b]",
        "f[c]",
    )


def test_each_parameter_has_its_predictor() -> None:
    built, _ = build_design(Formula("y ~ x + (1 | g)", "sigma ~ f + (1 | h)"), table())
    assert built.predictors["sigma"].coefficients == ("Intercept", "f[b]", "f[c]")
    assert [(name, term.factor) for name, each in built.predictors.items() for term in each.groups] == [
        ("mu", "g"),
        ("sigma", "h"),
    ]
    assert [term.factor for term in built.groups] == ["g", "h"]
    assert built.positions("mu") == range(1) and built.positions("sigma") == range(1, 2)


def test_a_bar_adds_to_its_own_predictor_alone() -> None:
    built, _ = build_design(Formula("y ~ x + (x | g)", "sigma ~ f + (1 | h)"), table())
    rng, draws = np.random.default_rng(1), 3
    g, h = built.groups
    values = Parameters(
        coefficients={name: rng.normal(size=(1, draws, each.X.shape[1])) for name, each in built.predictors.items()},
        factors=(np.ones((1, draws, 2, 2)), np.ones((1, draws, 1))),
        b=(rng.normal(size=(1, draws, g.n_levels, 2)), rng.normal(size=(1, draws, h.n_levels, 1))),
        dispersion={},
    )
    eta = built.eta(values)
    of_g = np.sum(values.b[0][0][:, g.codes] * g.Z, axis=2)
    of_h = np.sum(values.b[1][0][:, h.codes] * h.Z, axis=2)
    fixed = {name: values.coefficients[name][0] @ each.X.T for name, each in built.predictors.items()}
    np.testing.assert_allclose(eta["mu"], fixed["mu"] + of_g)
    np.testing.assert_allclose(eta["sigma"], fixed["sigma"] + of_h)
    np.testing.assert_allclose(built.eta(values, [1])["mu"], fixed["mu"])
    assert built.eta(values)["mu"].shape == (draws, built.n_rows)


def test_a_draw_at_a_row_of_its_own_is_the_diagonal_of_all_draws_at_all_rows() -> None:
    built, _ = build_design(Formula("y ~ x + (x | g)"), table())
    rng, n = np.random.default_rng(2), built.n_rows
    (g,) = built.groups
    values = Parameters(
        {"mu": rng.normal(size=(1, n, 2))}, (np.ones((1, n, 2, 2)),), (rng.normal(size=(1, n, g.n_levels, 2)),), {}
    )
    np.testing.assert_allclose(built.addends(values, [0]).sum(axis=1), np.diag(built.eta(values)["mu"]))


@pytest.mark.parametrize(
    "values",
    [
        [1, 2, 3] * 8,
        ["1", "2", "3"] * 8,
        [True, False] * 12,
        [0.5, 1e-300, np.pi] * 8,
        pd.date_range("2020-01-01", periods=3).tolist() * 8,
        pd.cut(np.arange(24) % 7, 3),
    ],
    ids=["int", "text", "bool", "float", "time", "interval"],
)
def test_json_keeps_every_number_and_the_type_of_levels(values: Any) -> None:
    trained = design(FORMULA, table().assign(g=values, x=lambda d: d.x / 3), weights="z")
    levels, X = trained.groups[0].levels, trained.mu.X
    read_levels, read_X = from_plain(json.loads(json.dumps(to_plain([levels, X]))))
    assert [type(level) for level in read_levels.tolist()] == [type(level) for level in levels.tolist()]
    assert read_levels.tolist() == levels.tolist()
    np.testing.assert_array_equal(read_X, X)


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(3, 27, name="row"),
        pd.Index([f"r{i}" for i in range(24)]),
        pd.date_range("2020", periods=24, tz="UTC"),
        pd.MultiIndex.from_product([list("ab"), range(12)], names=["a", "b"]),
        pd.Index(np.arange(24) / 7),
    ],
    ids=["range", "text", "time", "multi", "float"],
)
def test_json_keeps_row_labels(index: pd.Index) -> None:
    kept = design("y ~ x", table().set_axis(index)).index
    read = from_plain(json.loads(json.dumps(to_plain(kept))))
    pd.testing.assert_index_equal(read, index, exact="equiv", check_freq=False)


def test_functions_of_ones_own_are_named_so_that_a_file_can_ask_for_them() -> None:
    def cube(x: np.ndarray) -> np.ndarray:
        return x**3

    trained = design("y ~ poly(cube(x), 2)", namespace={"cube": cube, "unused": cube})
    assert trained.encoding.own_names == ("cube",)


def test_a_column_may_be_called_like_a_call() -> None:
    data = table().assign(**{"scale(x)": lambda d: d.z})
    X = design("y ~ `scale(x)` + scale(x)", data).mu.X
    np.testing.assert_array_equal(X[:, 1], data.z)
    assert not np.array_equal(X[:, 2], data.z)


def test_new_data_may_have_no_rows_or_no_columns() -> None:
    encoding = design("y ~ f * x + (1 | g:h) + (x | g)").encoding
    assert encoding.apply(table()[:0]).mu.X.shape == (0, 6)
    constant = design("y ~ 1").encoding
    assert constant.apply(pd.DataFrame(index=[5, 6])).mu.X.tolist() == [[1.0], [1.0]]


def test_new_rows_keep_their_labels() -> None:
    labels = ["p", "q"]
    assert design("y ~ x").encoding.apply(table()[:2].set_axis(labels)).index.tolist() == labels
