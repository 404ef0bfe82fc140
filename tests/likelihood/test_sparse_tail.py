"""Sparse factors of the tail against dense ones: the same algebra, whatever the order of elimination."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from simulated import crossed, nested

import bayesmixed as bm
from bayesmixed.likelihood.at import laplace_of, likelihood_of
from bayesmixed.likelihood.elimination import choice as storing
from bayesmixed.likelihood.elimination import ordering
from bayesmixed.likelihood.elimination.fronts import factorise, fronts
from bayesmixed.likelihood.elimination.ordering import elimination
from bayesmixed.likelihood.prediction_errors import joint_errors
from bayesmixed.prediction.predict import PredictionRequest

IDENTITY = 1e-9  # relative: both sides are the same algebra in float64
GRADIENT = 1e-5  # of central differences with step 1e-5
LME4 = 2e-6  # of a deviance: its search stops at 1e-6 of the log-likelihood
OPTIMUM = 1e-7  # two searches for one optimum
ROOT = {"fronts alone": 1.0, "fronts and a dense root": 4e-7, "a dense root alone": 0.0}  # seconds a cube of it


def local(n: int = 600, seed: int = 5) -> pd.DataFrame:
    """Pupils, rooms and teachers of a town's schools: each school crossed in itself, a few pupils move."""
    rng = np.random.default_rng(seed)
    school = rng.integers(0, 12, n)
    at = np.where(rng.uniform(size=n) < 0.05, rng.integers(0, 12, n), school)
    pupil, teacher, room = (10 * school + rng.integers(0, 10, n), 5 * at + rng.integers(0, 5, n), at * 2)
    room = room + rng.integers(0, 2, n)
    x = rng.normal(size=n)
    effects = rng.normal(size=120)[pupil] + 0.6 * rng.normal(size=60)[teacher] + 0.4 * rng.normal(size=24)[room] * x
    eta = 0.5 + 0.3 * x + 0.6 * effects
    return pd.DataFrame(
        {
            "a": pupil.astype(str),
            "b": teacher.astype(str),
            "c": room.astype(str),
            "x": x,
            "y": eta + rng.normal(size=n),
            "yes": (rng.uniform(size=n) < 1 / (1 + np.exp(-eta))).astype(float),
            "count": rng.poisson(np.exp(0.5 * eta)),
        }
    )


@pytest.fixture(params=ROOT)
def forced(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Fronts whatever the size of the tail, under several guesses of what a dense root costs."""
    monkeypatch.setattr(storing, "QUICK", -1.0)
    monkeypatch.setattr(storing, "SLOW", np.inf)
    monkeypatch.setattr(storing, "AFFORDED", np.inf)
    monkeypatch.setattr(storing, "GAIN", np.inf)
    monkeypatch.setattr(ordering, "FACTORED", ROOT[request.param])
    monkeypatch.setattr(ordering, "CALLS", 0.0)
    return monkeypatch


def both(formula: str, table: pd.DataFrame, forced: pytest.MonkeyPatch, **options: object) -> tuple[bm.Model, bm.Model]:
    """The model with fronts, and with dense components."""
    sparse_one = bm.Model(formula, table, **options)  # type: ignore[arg-type]
    formed = likelihood_of(sparse_one) if sparse_one.has_scale else laplace_of(sparse_one)
    forced.setattr(storing, "QUICK", np.inf)
    dense_one = bm.Model(formula, table, **options)  # type: ignore[arg-type]
    other = likelihood_of(dense_one) if dense_one.has_scale else laplace_of(dense_one)
    tails = [one.tail if hasattr(one, "tail") else one.pattern.tail for one in (formed, other)]
    assert [hasattr(tail.storage, "fronts") for tail in tails] == [True, False]
    return sparse_one, dense_one


DESIGNS = {
    "two crossed factors": ("y ~ x + (1 | a) + (1 | b)", local),
    "three crossed factors": ("y ~ x + (1 | a) + (1 | b) + (1 | c)", local),
    "vector-valued bars": ("y ~ x + (x | a) + (x || b) + (x | c)", local),
    "bars of unequal width": ("y ~ 0 + x + (1 | a) + (x | b) + (0 + x | c)", local),
    "crossed without gaps": ("y ~ x + (x | a) + (x | b) + (1 | c)", crossed),
    "nested": ("y ~ x + (x | school / room)", nested),
    "interactions of factors": ("y ~ 1 + (1 | a:c) + (1 | a) + (1 | b:c) + (1 | b)", local),
}


@pytest.mark.parametrize("design", DESIGNS)
def test_linear_models_are_the_same_with_fronts_and_dense_components(design: str, forced: pytest.MonkeyPatch) -> None:
    formula, table = DESIGNS[design]
    ours, theirs = (likelihood_of(model) for model in both(formula, table(), forced))
    theta = ours.start() + 0.1
    for reml in (False, True):
        a, b = (one.value_and_gradient(theta, one.solve(theta, invert=True), reml=reml) for one in (ours, theirs))
        assert a[0] == pytest.approx(b[0], rel=IDENTITY)
        np.testing.assert_allclose(a[1], b[1], rtol=IDENTITY, atol=IDENTITY * np.abs(b[1]).max())
    a, b = (one.solve(theta, invert=True) for one in (ours, theirs))
    for j, modes in theirs.modes(b).items():
        np.testing.assert_allclose(ours.modes(a)[j], modes, rtol=IDENTITY, atol=IDENTITY)
    for j, spread in theirs.conditional_covariances(b).items():
        np.testing.assert_allclose(ours.conditional_covariances(a)[j], spread, rtol=IDENTITY, atol=IDENTITY)
    np.testing.assert_allclose(a.U_inverse, b.U_inverse, rtol=IDENTITY, atol=IDENTITY)
    for found, expected in zip(ours.fixed_products(a), theirs.fixed_products(b), strict=True):
        np.testing.assert_allclose(found, expected, rtol=IDENTITY, atol=IDENTITY)


@pytest.mark.parametrize("design", ["three crossed factors", "vector-valued bars"])
def test_the_gradient_is_the_derivative(design: str, forced: pytest.MonkeyPatch) -> None:
    formula, table = DESIGNS[design]
    likelihood = likelihood_of(both(formula, table(), forced)[0])
    theta = likelihood.start() + 0.1
    _, gradient = likelihood.value_and_gradient(theta, likelihood.solve(theta, invert=True), reml=True)

    def value(at: np.ndarray) -> float:
        return likelihood.criterion(likelihood.solve(at), reml=True)

    numeric = np.array([(value(theta + h) - value(theta - h)) / 2e-5 for h in 1e-5 * np.eye(len(theta))])
    np.testing.assert_allclose(gradient, numeric, rtol=GRADIENT, atol=GRADIENT * np.abs(numeric).max())


@pytest.mark.parametrize("method", ["ml", "reml", "map"])
def test_fits_and_what_follows_from_them_are_the_same(method: str, forced: pytest.MonkeyPatch) -> None:
    """The criterion, prediction errors on rows seen and new, leverages, and draws of the effects."""
    table = local()
    ours, theirs = (model.fit(method) for model in both("y ~ x + (1 | a) + (1 | b) + (1 | c)", table, forced))
    assert ours.criterion == pytest.approx(theirs.criterion, abs=OPTIMUM)
    assert ours.status.singular == theirs.status.singular
    errors = [joint_errors(fit.model, theirs.theta, theirs.parameters) for fit in (ours, theirs)]
    new = table.assign(a=table["a"][::-1].to_numpy(), c=table["c"].sample(frac=1, random_state=1).to_numpy())
    for rows in (None, new):
        design = PredictionRequest(newdata=rows).design(theirs.model, [0, 1, 2], observed=False)
        a, b = (error.variance(design, [0, 1, 2]) for error in errors)
        np.testing.assert_allclose(a, b, rtol=IDENTITY, atol=IDENTITY)
    np.testing.assert_allclose(ours.leverage(), theirs.leverage(), atol=1e-4)
    draws = errors[0].draw(4000, np.random.default_rng(1))
    for j, spread in enumerate(theirs.b_covariances):
        variance = draws.b[j][0, :, :, 0].var(axis=0)  # beta's share makes it larger
        assert np.all(variance > 0.85 * spread[:, 0, 0])  # 4 Monte Carlo standard errors of a variance are 9 %


GENERALIZED = {
    "crossed": ("yes ~ x + (1 | a) + (1 | b)", "bernoulli"),
    "vector-valued": ("count ~ x + (x | a) + (x | b) + (1 | c)", "poisson"),
    "observation level": ("count ~ x + (1 | a) + (1 | b) + (1 | row)", "poisson"),
}


@pytest.mark.parametrize("case", GENERALIZED)
def test_generalized_models_are_the_same_with_fronts_and_dense_components(
    case: str, forced: pytest.MonkeyPatch
) -> None:
    formula, family = GENERALIZED[case]
    table = local().assign(row=lambda t: np.arange(len(t)).astype(str))
    ours, theirs = (laplace_of(model) for model in both(formula, table, forced, family=family, check="warn"))
    x = np.full(ours.theta.size + ours.p, 0.4)
    curved = [one.curved(x, one.mode(x)) for one in (ours, theirs)]
    a, b = (one.deviance(at) for one, at in zip((ours, theirs), curved, strict=True))
    assert a == pytest.approx(b, rel=IDENTITY)
    a, b = (one.gradient(x, at) for one, at in zip((ours, theirs), curved, strict=True))
    np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-8 * np.abs(b).max())
    free = [one.mode(x, free=True) for one in (ours, theirs)]
    np.testing.assert_allclose(free[0].beta, free[1].beta, rtol=1e-7)


def test_a_collapsed_density_asks_nothing_of_how_the_tail_is_kept(forced: pytest.MonkeyPatch) -> None:
    """The partial route's sums over the tail's own cross-products: the same matrix from either storage."""
    tails = [likelihood_of(model).tail for model in both("y ~ x + (x | a) + (x | b) + (1 | c)", local(), forced)]
    whole = []
    for tail in tails:
        assert tail is not None
        rows, columns, values = tail.storage.elements(tail.direct)
        whole.append(sparse.coo_array((values, (rows, columns)), shape=(tail.n_columns,) * 2).toarray())
    np.testing.assert_allclose(whole[0], whole[1], rtol=IDENTITY, atol=IDENTITY)
    np.testing.assert_allclose(whole[0], whole[0].T, rtol=IDENTITY, atol=IDENTITY)


def test_the_factor_that_leaves_least_is_eliminated(monkeypatch: pytest.MonkeyPatch) -> None:
    """60 levels of one column leave 120 columns; 40 levels of three leave 60: the same likelihood either way."""
    rng = np.random.default_rng(2)
    table = pd.DataFrame({"a": rng.integers(0, 60, 900), "b": rng.integers(0, 40, 900), "c": rng.integers(0, 4, 900)})
    table = table.assign(x=rng.normal(size=900), z=rng.normal(size=900), y=rng.normal(size=900), n=rng.poisson(2, 900))
    formula = "y ~ x + (1 | a) + (x + z | b) + (1 | c)"
    usual, counts = bm.Model(formula, table), bm.Model("n" + formula[1:], table, family="poisson")
    likelihood, laplace = likelihood_of(usual), laplace_of(counts)
    monkeypatch.setattr(storing, "SLOW", 0.0)
    monkeypatch.setattr(storing, "GAIN", 1.0)
    turned, turned_counts = bm.Model(formula, table), bm.Model("n" + formula[1:], table, family="poisson")
    other, other_laplace = likelihood_of(turned), laplace_of(turned_counts)
    assert [one.blocks[0].factor for one in (likelihood, other)] == ["a", "b"]
    assert [one.rows.blocks[0].factor for one in (laplace, other_laplace)] == ["a", "b"]
    theta = likelihood.start() + 0.1
    a, b = (one.value_and_gradient(theta, one.solve(theta, invert=True), reml=True) for one in (likelihood, other))
    assert a[0] == pytest.approx(b[0], rel=IDENTITY)
    np.testing.assert_allclose(a[1], b[1], rtol=IDENTITY, atol=IDENTITY * np.abs(b[1]).max())
    x = np.full(laplace.theta.size + laplace.p, 0.3)
    curved = [one.curved(x, one.mode(x)) for one in (laplace, other_laplace)]
    assert laplace.deviance(curved[0]) == pytest.approx(other_laplace.deviance(curved[1]), rel=IDENTITY)
    a, b = laplace.gradient(x, curved[0]), other_laplace.gradient(x, curved[1])
    np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-8 * np.abs(b).max())


def test_a_large_and_nearly_empty_tail_is_factorised_by_its_pattern() -> None:
    """Pupils, teachers, and teachers by schools, one row for most of the latter: 3,191 effects remain.

    The deviance is that of lme4 1.1.31, lmer(y ~ 1 + (1 | te) + (1 | te:sch) + (1 | sch:st), REML = FALSE).
    """
    rng = np.random.default_rng(1)
    n = 20_000
    school, pupil = rng.integers(0, 50, 5000), rng.integers(0, 5000, n)
    table = pd.DataFrame({"st": pupil, "sch": school[pupil], "te": rng.integers(0, 2000, n)})
    table["y"] = rng.normal(size=n) + rng.normal(size=2000)[table["te"]]
    table = table[(table["te"] < 1000) & (table["st"] < 2500)]
    fit = bm.Model("y ~ 1 + (1 | te) + (1 | te:sch) + (1 | sch:st)", table).fit("ml")
    tail = likelihood_of(fit.model).tail
    assert tail is not None and tail.n_columns == 3191 and tail.storage.size < 10_000
    assert fit.criterion == pytest.approx(15941.5174806, abs=LME4) and fit.status.converged


def test_a_level_that_meets_everyone_is_not_eliminated_first() -> None:
    """Every fourth row belongs to one level of the largest factor, which would join all others: another goes first.

    The deviance is that of lme4 1.1.31, lmer(y ~ 1 + (1 | a) + (1 | b) + (1 | c), REML = FALSE), on this table.
    """
    rng = np.random.default_rng(4)
    n = 6000
    town = rng.integers(0, 60, n)
    a = np.where(rng.uniform(size=n) < 0.25, 0, 1 + 40 * town + rng.integers(0, 40, n))
    table = pd.DataFrame({"a": a, "b": 25 * town + rng.integers(0, 25, n), "c": 3 * town + rng.integers(0, 3, n)})
    table["y"] = rng.normal(size=n) + rng.normal(size=2401)[a] + rng.normal(size=1500)[table["b"]]
    model = bm.Model("y ~ 1 + (1 | a) + (1 | b) + (1 | c)", table)
    likelihood = likelihood_of(model)
    assert likelihood.blocks[0].factor == "b" and hasattr(likelihood.tail.storage, "fronts")
    assert model.fit("ml").criterion == pytest.approx(21016.202941074, abs=LME4)


@pytest.mark.parametrize("seed", range(3))
def test_fronts_factorise_any_sparse_matrix(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logarithm of the determinant, solutions, roots and the entries of the inverse, levels of one to three columns."""
    monkeypatch.setattr(ordering, "FACTORED", 1e-9)
    rng = np.random.default_rng(seed)
    n = 150
    ends = rng.integers(0, n, (2, 190))
    ends = ends[:, ends[0] != ends[1]]
    graph = sparse.coo_array((np.ones(ends.shape[1]), tuple(ends)), shape=(n, n)).tocsr()
    graph = sparse.csr_array(((graph + graph.T) > 0).astype(float))
    widths = rng.integers(1, 4, n)
    first = np.cumsum(widths) - widths
    level = np.repeat(np.arange(n), widths)
    met = (graph.toarray() + np.eye(n))[level][:, level] > 0
    matrix = np.where(met, rng.normal(size=met.shape), 0.0)
    matrix = matrix + matrix.T + np.diag(2 * np.abs(matrix).sum(axis=0) + 2 * np.abs(matrix).sum(axis=1))
    found = elimination(graph, widths, np.inf)
    assert found is not None and len(found.fronts) > 10 and len(found.root) > 0
    laid = fronts(found, first, widths)
    rows, columns = np.nonzero(met)
    filled = laid.template.copy()
    filled[laid.position(rows, columns)] = matrix[rows, columns]
    factored, inverse = factorise(laid, filled), np.linalg.inv(matrix)
    assert factored.log_det == pytest.approx(np.linalg.slogdet(matrix)[1], rel=IDENTITY)
    entries = factored.inverted()[laid.position(rows, columns)]
    np.testing.assert_allclose(entries, inverse[rows, columns], rtol=IDENTITY, atol=IDENTITY)
    right = rng.normal(size=(len(level), 3))
    np.testing.assert_allclose(factored.solve(right), inverse @ right, rtol=IDENTITY, atol=IDENTITY)
    white, roots = factored.whitened(right), factored.coloured(np.eye(len(level)))
    np.testing.assert_allclose(white.T @ white, right.T @ inverse @ right, rtol=IDENTITY, atol=IDENTITY)
    np.testing.assert_allclose(roots @ roots.T, inverse, rtol=IDENTITY, atol=IDENTITY)
    filled = laid.template.copy()
    filled[laid.position(rows, columns)] = (matrix - 2 * np.diag(np.diag(matrix)))[rows, columns]
    with pytest.raises(np.linalg.LinAlgError):
        factorise(laid, filled)
