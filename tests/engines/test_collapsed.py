"""The collapsed Gaussian density against a dense normal one, its exact draws, and its posterior beside the explicit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from simulated import crossed, nested

import bayesmixed as bm
from bayesmixed.engines.program import build_program
from bayesmixed.engines.program.collapsed import MAX_TAIL
from bayesmixed.likelihood import collapsed as density
from bayesmixed.likelihood.elimination import tail
from bayesmixed.priors import Flat, Normal, StudentT

IDENTITY = 1e-9  # per 100 rows: the same density by two routes in float64
DRAWS = 4000
STEP = 1e-5  # of the differences: their error is of order 1e-10 of the third derivative

CASES: list[tuple[str, Any, dict[str, Any]]] = [
    ("y ~ x + (x | a)", crossed(120), {}),
    ("y ~ x + (x | a) + (x || b) + (1 | c)", crossed(120), {}),
    ("y ~ x + (1 | a) + (0 + x | a) + (1 | b)", crossed(120), {"weights": np.linspace(0.5, 2, 120), "offset": "3 * x"}),
    ("y ~ 0 + c + (c | b)", crossed(120), {}),
    ("y ~ x + (x | school/room)", nested(), {}),
    ("y ~ x", crossed(120), {"constants": {"sigma": 0.9}}),
    ("y ~ x + (1 | a)", crossed(120), {"priors": {"Intercept_centered": StudentT(3, 1, 2)}}),
    ("y ~ x + (1 | a)", crossed(120), {"priors": {"Intercept": Normal(1, 2), "b": StudentT(3, 0, 1)}}),
    ("y ~ x + (1 | a) + (x | b)", crossed(120), {"priors": {"Intercept_centered": StudentT(3, 1, 2)}}),
]
SEVERAL_FACTORS = (1, 2, 4, 8)  # of the cases: those with something left for the partial route to sample


def routed(*cases: int) -> list[Any]:
    """These cases on the full route, and on the partial one where it exists."""
    pairs = [(i, "full") for i in cases] + [(i, "partial") for i in cases if i in SEVERAL_FACTORS]
    return [pytest.param(*CASES[i], route, id=f"{CASES[i][0]} {list(CASES[i][2])} {route}") for i, route in pairs]


def given(model: bm.Model, program: Any, seed: int = 3) -> dict[str, Any]:
    """Some sds, correlations, sigma, and values of the coefficients and effects that stay sampled."""
    rng = np.random.default_rng(seed)
    groups, layout = model.design.groups, program.function.layout
    factors = [np.tril(rng.normal(size=(g.Z.shape[1],) * 2)) + np.eye(g.Z.shape[1]) for g in groups]
    factors = [np.diag(np.diag(F)) if c.name == "diag" else F for F, c in zip(factors, model.covariances, strict=True)]
    kept = np.zeros(len(model.coefficients))
    kept[list(layout.kept)] = rng.normal(size=len(layout.kept))
    sampled = [term.effect_site is not None for term in program.function.terms]
    effects = [
        rng.normal(size=(g.n_levels, g.Z.shape[1])) if on else None for g, on in zip(groups, sampled, strict=True)
    ]
    return {
        "factors": tuple(factors),
        "sigma": model.constants.get("sigma", 1.3),
        "kept": kept,
        "effects": tuple(effects),
    }


def normal_priors(model: bm.Model, free: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Means and sds of the free coefficients' priors."""
    raw = "Intercept" if "Intercept" in model.priors else "Intercept_centered"
    priors = [model.priors[raw if model.coefficients[j] == "Intercept" else model.coefficients[j]] for j in free]
    return np.array([prior.loc for prior in priors]), np.array([prior.scale for prior in priors])


def marginal(model: bm.Model, program: Any, found: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of y, all dense."""
    design, free = model.design, list(program.function.layout.free)
    X = design.mu.X @ program.data["gram"]["uncentring"]
    V = np.diag(found["sigma"] ** 2 / (np.ones(design.n_rows) if design.weights is None else design.weights))
    loc, scale = normal_priors(model, free)
    mean = design.mu.offset + X @ found["kept"] + X[:, free] @ loc
    for group, F, b in zip(design.groups, found["factors"], found["effects"], strict=True):
        if b is None:
            rows = group.Z @ F
            V += (rows @ rows.T) * (group.codes[:, None] == group.codes)
        else:
            mean = mean + (group.Z * b[group.codes]).sum(axis=1)
    spread = X[:, free] * scale
    return mean, V + spread @ spread.T


@pytest.fixture(params=[0.0, np.inf], ids=["dense coupling", "sparse coupling"])
def coupling(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of summing over the pairs of levels that meet."""
    monkeypatch.setattr(tail, "SPARSE_SHARE", request.param)


@pytest.mark.usefixtures("coupling")
@pytest.mark.parametrize(("formula", "table", "options", "route"), routed(*range(len(CASES))))
def test_the_collapsed_density_is_the_normal_density_with_everything_integrated(
    formula: str, table: Any, options: dict[str, Any], route: str
) -> None:
    import jax

    model = bm.Model(formula, table, **options)
    program = build_program(model, route)
    found = given(model, program)
    with bm.x64():
        layout, data = program.function.layout, program.data["gram"]
        ours = float(jax.jit(density.log_density, static_argnums=0)(layout, data, found))
    mean, V = marginal(model, program, found)
    dense = multivariate_normal(mean, V).logpdf(model.design.response.y)
    assert ours == pytest.approx(dense, abs=IDENTITY * max(len(table), 100))


def test_a_flat_prior_is_the_limit_of_wide_ones() -> None:
    """With precision eps the density differs by the normalising constants of the two coefficients."""
    found: dict[str, Any] = {}
    values = []
    for prior in (Flat(), Normal(0, 1e5)):
        model = bm.Model("y ~ x + (1 | a)", crossed(120), priors={"Intercept_centered": prior, "b": prior})
        program = build_program(model, "full")
        found = found or given(model, program)
        with bm.x64():
            values.append(float(density.log_density(program.function.layout, program.data["gram"], found)))
    assert values[0] - values[1] == pytest.approx(2 * (np.log(1e5) + 0.5 * np.log(2 * np.pi)), abs=1e-6)


@pytest.mark.usefixtures("coupling")
@pytest.mark.parametrize(("formula", "table", "options", "route"), routed(1, 7, 8))
def test_the_gradient_is_that_of_the_density(formula: str, table: Any, options: dict[str, Any], route: str) -> None:
    """Central differences along random directions in every argument."""
    import jax
    from jax.flatten_util import ravel_pytree

    model = bm.Model(formula, table, **options)
    program = build_program(model, route)
    with bm.x64():
        layout, data = program.function.layout, program.data["gram"]
        at, unravel = ravel_pytree(given(model, program))
        density_at = jax.jit(lambda x: density.log_density(layout, data, unravel(x)))
        slope = np.asarray(jax.grad(density_at)(at))
        for direction in np.random.default_rng(5).normal(size=(4, len(at))) / np.sqrt(len(at)):
            ends = [float(density_at(at + sign * STEP * direction)) for sign in (1, -1)]
            assert slope @ direction == pytest.approx((ends[0] - ends[1]) / (2 * STEP), rel=1e-6, abs=1e-6)


@pytest.mark.usefixtures("coupling")
@pytest.mark.parametrize(("formula", "table", "options", "route"), routed(1, 2, 3, 4))
def test_coefficients_and_effects_are_drawn_from_their_exact_conditional(
    formula: str, table: Any, options: dict[str, Any], route: str
) -> None:
    """Fitted values drawn given the data have the moments of the dense normal conditional."""
    import jax

    model = bm.Model(formula, table, **options)
    program = build_program(model, route)
    found = given(model, program)
    with bm.x64():
        layout, data = program.function.layout, program.data["gram"]
        keys = jax.random.split(jax.random.PRNGKey(1), DRAWS)
        drawn = jax.jit(jax.vmap(lambda key: density.draw(layout, data, found, key)))
        beta, effects = drawn(keys)
        beta, effects = np.asarray(beta), [np.asarray(b) for b in effects]
    fitted = beta @ model.design.mu.X.T + model.design.mu.offset
    for group, b in zip(model.design.groups, effects, strict=True):
        fitted += np.einsum("dnk,nk->dn", b[:, group.codes], group.Z)
    mean, V = marginal(model, program, found)
    weights = np.ones(len(table)) if model.design.weights is None else model.design.weights
    signal = V - np.diag(found["sigma"] ** 2 / weights)
    gain = np.linalg.solve(V, signal).T
    expected = mean + gain @ (model.design.response.y - mean)
    sds = np.sqrt(np.diag(signal - gain @ signal))
    assert np.max(np.abs(fitted.mean(axis=0) - expected) / sds) < 4.5 / np.sqrt(DRAWS)
    assert np.max(np.abs(fitted.std(axis=0) / sds - 1)) < 4.5 / np.sqrt(2 * DRAWS)


@pytest.mark.parametrize("formula", ["strength ~ 1 + (1 | batch/cask)"])
def test_collapsed_and_explicit_posteriors_agree(formula: str) -> None:
    model = bm.Model(formula, bm.load_data("Pastes"))
    collapsed = model.fit(bm.NUTS(draws=500), seed=1, progress=False)
    explicit = model.fit(bm.NUTS(draws=500, collapsed=False, target_accept=0.95), seed=2, progress=False)
    assert collapsed.status.route.startswith("collapsed") and explicit.status.route.startswith("explicit")
    assert collapsed.status.divergences <= 2 and collapsed.status.max_rhat < 1.02
    ours, theirs = ([*fit.parameters.sds, fit.parameters.beta] for fit in (collapsed, explicit))
    for a, b in zip(ours, theirs, strict=True):
        error = np.hypot(a.std() / np.sqrt(400), b.std() / np.sqrt(200))  # effective sizes, on the low side
        assert np.max(np.abs(a.mean() - b.mean())) < 4 * error


def test_the_route_is_chosen_by_the_tail_and_can_be_forced() -> None:
    small = bm.Model("y ~ x + (x | a)", crossed())
    assert build_program(small).route.startswith("collapsed")
    assert build_program(small, False).route.startswith("explicit")
    rng = np.random.default_rng(1)
    wide = crossed(3000).assign(d=rng.integers(0, MAX_TAIL + 10, 3000), e=rng.integers(0, MAX_TAIL + 20, 3000))
    model = bm.Model("y ~ x + (1 | d) + (1 | e)", wide)
    assert build_program(model).route.startswith("collapsed, partial (266 effects sampled: d")
    with pytest.raises(bm.errors.FitError, match=r"effects remain beside the largest factor"):
        build_program(model, "full")
    with pytest.raises(bm.errors.FitError, match=r"samples the effects of all grouping factors but the largest"):
        build_program(small, "partial")


def test_only_numbers_change_between_fits_of_one_structure() -> None:
    """The static part is equal for another response, other priors of the same kinds: nothing is compiled again."""
    table = crossed()
    first = build_program(bm.Model("y ~ x + (x | a)", table))
    other = build_program(bm.Model("y ~ x + (x | a)", table.assign(y=table["y"] * 2 + 1), priors={"b": Normal(0, 9)}))
    assert first.function == other.function and hash(first.function) == hash(other.function)
