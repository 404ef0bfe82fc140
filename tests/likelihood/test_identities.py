"""The linear mixed model likelihood against a dense normal density, and the laws it must obey."""

from __future__ import annotations

import numpy as np
import pytest
from simulated import crossed, nested

import bayesmixed as bm
from bayesmixed.likelihood.at import likelihood_of
from bayesmixed.likelihood.linear.likelihood import linear_likelihood

IDENTITY = 1e-9  # relative: both sides are the same algebra in float64
GRADIENT = 1e-5  # of central differences with step 1e-5
OPTIMUM = 1e-7  # two searches for one optimum
ESTIMATE = 1e-5  # relative, of estimates at those optima

FORMULAS = [
    "y ~ x + (1 | a)",
    "y ~ x + (x | a)",
    "y ~ x + (x || a) + (1 | b)",
    "y ~ x + (x | a) + (x | b) + (1 | c)",
    "y ~ 1 + (1 | a) + (0 + x | a) + (1 | b)",
    "y ~ 0 + x + (c | b)",
    "y ~ x + (1 | c/b)",
    "y ~ x",
]


def dense_deviance(model: bm.Model, theta: np.ndarray, reml: bool) -> float:
    """The profiled criterion from the n x n marginal covariance, nothing clever."""
    factors = likelihood_of(model).theta.factors(theta)
    design = model.design
    V = np.eye(design.n_rows) if design.weights is None else np.diag(1 / design.weights)
    for j, term in enumerate(design.groups):
        rows = term.Z @ factors[j]
        V += (rows @ rows.T) * (term.codes[:, None] == term.codes[None, :])
    X, y = design.mu.X, design.response.y - design.mu.offset
    information = X.T @ np.linalg.solve(V, X)
    e = y - X @ np.linalg.solve(information, X.T @ np.linalg.solve(V, y))
    rss, df = e @ np.linalg.solve(V, e), len(y) - X.shape[1] * reml
    value = np.linalg.slogdet(V)[1] + df * (1 + np.log(2 * np.pi * rss / df))
    return value + np.linalg.slogdet(information)[1] * reml


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("formula", FORMULAS)
def test_penalised_least_squares_is_the_marginal_normal_density(formula: str, reml: bool) -> None:
    table = crossed()
    weights = np.random.default_rng(3).uniform(0.5, 2.0, len(table))
    for model in (bm.Model(formula, table), bm.Model(formula, table, weights=weights, offset="2 * x")):
        theta = model.fit("ml").theta + 0.3
        ours = -2 * model.loglik_at(theta=theta, reml=reml)
        assert ours == pytest.approx(dense_deviance(model, theta, reml), rel=IDENTITY)


@pytest.mark.parametrize("sigma", [None, 0.8])
@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("formula", FORMULAS[:-1])
def test_the_gradient_is_the_derivative(formula: str, reml: bool, sigma: float | None) -> None:
    likelihood = likelihood_of(bm.Model(formula, crossed()))
    theta = likelihood.start() + 0.1

    def value(at: np.ndarray) -> float:
        return likelihood.criterion(likelihood.solve(at), reml=reml, sigma=sigma)

    solution = likelihood.solve(theta, invert=True)
    _, gradient = likelihood.value_and_gradient(theta, solution, reml=reml, sigma=sigma)
    steps = 1e-5 * np.eye(len(theta))
    numeric = np.array([(value(theta + h) - value(theta - h)) / 2e-5 for h in steps])
    np.testing.assert_allclose(gradient, numeric, rtol=GRADIENT, atol=GRADIENT * np.abs(numeric).max())


def test_loglik_at_the_estimates_is_the_fit() -> None:
    fit = bm.Model("y ~ x + (x | a) + (1 | b)", crossed()).fit("ml")
    given = fit.model.loglik_at(theta=fit.theta, beta=fit.fixef(), sigma=fit.sigma)
    assert given == pytest.approx(fit.loglik, rel=IDENTITY)
    assert fit.model.loglik_at(theta=fit.theta) == pytest.approx(fit.loglik, rel=IDENTITY)
    assert fit.model.loglik_at(theta=fit.theta, beta=fit.fixef() + 0.1, sigma=fit.sigma) < fit.loglik
    assert fit.model.loglik_at(theta=-fit.theta) == -np.inf


def test_nesting_is_two_bars() -> None:
    slash = bm.Model("y ~ x + (1 | school/room)", nested()).fit("reml")
    bars = bm.Model("y ~ x + (1 | school) + (1 | school:room)", nested()).fit("reml")
    assert slash.criterion == pytest.approx(bars.criterion, abs=OPTIMUM)
    np.testing.assert_allclose(slash.theta, bars.theta, rtol=ESTIMATE)


def test_double_bar_is_a_diagonal_block_and_separate_bars() -> None:
    double = bm.Model("y ~ x + (x || a)", crossed()).fit("ml")
    diagonal = bm.Model("y ~ x + diag(1 + x | a)", crossed()).fit("ml")
    separate = bm.Model("y ~ x + (1 | a) + (0 + x | a)", crossed()).fit("ml")
    assert double.criterion == pytest.approx(diagonal.criterion, abs=OPTIMUM)
    assert double.criterion == pytest.approx(separate.criterion, abs=OPTIMUM)
    np.testing.assert_allclose(double.theta, separate.theta, rtol=ESTIMATE)


def test_row_order_level_names_term_order_and_code_types_do_not_matter() -> None:
    table = crossed()
    reference = bm.Model("y ~ x + (x | a) + (1 | b)", table).fit("reml")
    shuffled = table.sample(frac=1, random_state=4)
    renamed = table.assign(a="level " + table["a"], b=table["b"].astype(int) * 7)
    others = [
        bm.Model("y ~ x + (x | a) + (1 | b)", shuffled),
        bm.Model("y ~ x + (x | a) + (1 | b)", renamed),
        bm.Model("y ~ (1 | b) + (x | a) + x", table),
    ]
    for model in others:
        fit = model.fit("reml")
        assert fit.criterion == pytest.approx(reference.criterion, abs=OPTIMUM)
        np.testing.assert_allclose(fit.fixef()[["Intercept", "x"]], reference.fixef(), rtol=ESTIMATE)
        assert sorted(fit.theta) == pytest.approx(sorted(reference.theta), rel=1e-4)


def test_scaling_the_response_scales_beta_and_sigma_and_leaves_theta() -> None:
    table = crossed()
    fit = bm.Model("y ~ x + (x | a)", table).fit("ml")
    scaled = bm.Model("y ~ x + (x | a)", table.assign(y=1e4 * table["y"])).fit("ml")
    np.testing.assert_allclose(scaled.fixef(), 1e4 * fit.fixef(), rtol=ESTIMATE)
    np.testing.assert_allclose(scaled.theta, fit.theta, rtol=ESTIMATE)
    assert scaled.sigma == pytest.approx(1e4 * fit.sigma, rel=ESTIMATE)


@pytest.mark.parametrize("method", ["ml", "reml"])
def test_shifting_response_or_covariate_by_a_million_changes_nothing_else(method: str) -> None:
    """The raw cross-products would lose six to sixteen digits here."""
    table = crossed()
    fit = bm.Model("y ~ x + (x | a) + (1 | b)", table).fit(method)
    high = bm.Model("y ~ x + (x | a) + (1 | b)", table.assign(y=table["y"] + 1e6)).fit(method)
    assert high.loglik == pytest.approx(fit.loglik, abs=1e-6)
    assert high.fixef()["x"] == pytest.approx(fit.fixef()["x"], rel=1e-6)
    np.testing.assert_allclose(high.theta, fit.theta, atol=1e-5)
    far = bm.Model("y ~ x + (x | a) + (1 | b)", table.assign(x=table["x"] + 1e6)).fit(method)
    assert far.loglik == pytest.approx(fit.loglik, abs=1e-5)
    assert far.fixef()["x"] == pytest.approx(fit.fixef()["x"], rel=1e-5)
    assert far.sigma == pytest.approx(fit.sigma, rel=1e-5)
    np.testing.assert_allclose(far.fitted(), fit.fitted(), atol=1e-4)


def test_precision_weights_of_two_halve_the_variance_not_repeat_the_row() -> None:
    table = crossed()
    fit = bm.Model("y ~ x + (1 | a)", table).fit("ml")
    heavy = bm.Model("y ~ x + (1 | a)", table, weights=np.full(len(table), 4.0)).fit("ml")
    assert heavy.loglik == pytest.approx(fit.loglik, abs=OPTIMUM)
    assert heavy.sigma == pytest.approx(2 * fit.sigma, rel=ESTIMATE)


def test_rows_of_weight_zero_are_fitted_as_absent_and_predicted_as_present() -> None:
    table = crossed()
    weights = np.where(np.arange(len(table)) < 40, 0.0, 1.0)
    fit = bm.Model("y ~ x + (1 | b)", table, weights=weights).fit("reml")
    absent = bm.Model("y ~ x + (1 | b)", table[40:]).fit("reml")
    assert fit.criterion == pytest.approx(absent.criterion, abs=OPTIMUM)
    assert (fit.n_obs, fit.bic) == (absent.n_obs, pytest.approx(absent.bic))
    np.testing.assert_allclose(fit.fitted(), absent.predict(table)["estimate"], atol=1e-6)


@pytest.mark.parametrize("method", ["ml", "reml", "map", bm.Laplace(draws=50, pool=2)], ids=str)
def test_a_lognormal_response_is_the_normal_model_of_its_logarithm(method: object) -> None:
    """The same estimates; log L less the sum of the logarithms, rows of weight zero left out."""
    table = crossed()
    table = table.assign(amount=np.exp(0.3 * table["y"]), log=0.3 * table["y"])
    weights = np.where(np.arange(len(table)) < 5, 0.0, 2.0)
    options = {"priors": "flat", "weights": weights}
    amounts = bm.Model("amount ~ x + (x | a)", table, family="lognormal", **options).fit(method, seed=1)
    logs = bm.Model("log ~ x + (x | a)", table, **options).fit(method, seed=1)
    np.testing.assert_allclose(amounts.fixef(), logs.fixef(), rtol=ESTIMATE)
    np.testing.assert_allclose(amounts.varcorr()["sd"], logs.varcorr()["sd"], rtol=ESTIMATE)
    if hasattr(logs, "loglik"):
        assert amounts.loglik == pytest.approx(logs.loglik - table["log"][5:].sum(), abs=OPTIMUM)


def test_reml_is_the_density_of_error_contrasts() -> None:
    model = bm.Model("y ~ x + (1 | a)", crossed(80))
    theta, design = np.array([0.7]), model.design
    V = np.eye(80)
    V += theta[0] ** 2 * (design.groups[0].codes[:, None] == design.groups[0].codes)
    X = design.mu.X
    contrasts = np.linalg.svd(X)[0][:, X.shape[1] :]
    k, small = contrasts.T @ design.response.y, contrasts.T @ V @ contrasts
    df = 80 - X.shape[1]
    rss = k @ np.linalg.solve(small, k)
    value = np.linalg.slogdet(small)[1] + df * (1 + np.log(2 * np.pi * rss / df)) + np.linalg.slogdet(X.T @ X)[1]
    assert -2 * model.loglik_at(theta=theta, reml=True) == pytest.approx(value, rel=IDENTITY)


def test_all_theta_zero_is_ordinary_regression() -> None:
    table = crossed()
    mixed = bm.Model("y ~ x + (x | a) + (1 | b)", table)
    plain = bm.Model("y ~ x", table).fit("ml")
    assert mixed.loglik_at(theta=np.zeros(4)) == pytest.approx(plain.loglik, rel=IDENTITY)


def test_a_fixed_sigma_is_not_estimated_and_not_counted() -> None:
    table = crossed()
    free = bm.Model("y ~ x + (1 | a)", table).fit("ml")
    held = bm.Model("y ~ x + (1 | a)", table, constants={"sigma": free.sigma}).fit("ml")
    assert held.loglik == pytest.approx(free.loglik, abs=OPTIMUM)
    assert held.n_parameters == free.n_parameters - 1
    assert bm.Model("y ~ x + (1 | a)", table, constants={"sigma": 3.0}).fit("ml").loglik < free.loglik


def test_cross_products_of_disjoint_rows_add_up() -> None:
    """A table may be streamed: each part conditioned in the basis of the first, the grams summed."""
    from bayesmixed.likelihood.working.blocks import blocks
    from bayesmixed.likelihood.working.gram import gram

    model = bm.Model("y ~ x + (x | a) + (1 | b)", crossed())
    found = blocks(model.design.groups)
    Z = [np.column_stack([model.design.groups[j].Z for j in block.terms]) for block in found]
    W = np.column_stack([model.design.mu.X, model.design.response.y])
    whole = gram(found, Z, W, None)

    def part(rows: slice) -> object:
        from dataclasses import replace

        return gram([replace(b, codes=b.codes[rows]) for b in found], [z[rows] for z in Z], W[rows], None)

    summed = part(slice(0, 100)) + part(slice(100, None))
    for ours, theirs in zip((*summed.zz, *summed.zw), (*whole.zz, *whole.zw), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=IDENTITY, atol=IDENTITY)
    for pair, cross in whole.cross.items():
        np.testing.assert_allclose(summed.cross[pair].values, cross.values, rtol=IDENTITY, atol=IDENTITY)


def test_dense_products_and_the_sparse_pattern_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    from bayesmixed.likelihood.elimination import tail

    model = bm.Model("y ~ x + (x | a) + (x | b) + (1 | c)", crossed())
    sparse = linear_likelihood(model.design, model.covariances)
    monkeypatch.setattr(tail, "MAX_PATTERN", 0)
    dense = linear_likelihood(model.design, model.covariances)
    assert sparse.tail.pattern is not None and dense.tail.pattern is None
    theta = sparse.start() + 0.1
    for reml in (False, True):
        ours, theirs = (
            one.value_and_gradient(theta, one.solve(theta, invert=True), reml=reml) for one in (dense, sparse)
        )
        assert ours[0] == pytest.approx(theirs[0], rel=IDENTITY)
        np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-8, atol=1e-8)


def test_nested_factors_fall_apart_into_small_components() -> None:
    model = bm.Model("y ~ x + (1 | school/room)", nested(schools=40))
    batches = likelihood_of(model).tail.storage.batches
    assert sum(batch.count for batch in batches) == 40
    assert max(batch.size for batch in batches) == 1


def test_a_tail_too_large_for_memory_is_refused_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    from bayesmixed.likelihood.elimination import choice as storing

    monkeypatch.setattr(storing, "MAX_DENSE_BYTES", 100)
    with pytest.raises(bm.errors.FitError, match="12 crossed random effects"):
        bm.Model("y ~ (1 | a) + (1 | b)", crossed()).fit("ml")
