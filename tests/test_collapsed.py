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
from bayesmixed.likelihood import tail
from bayesmixed.priors import Flat, Normal, StudentT

IDENTITY = 1e-9  # per 100 rows: the same density by two routes in float64
DRAWS = 4000

CASES: list[tuple[str, Any, dict[str, Any]]] = [
    ("y ~ x + (x | a)", crossed(120), {}),
    ("y ~ x + (x | a) + (x || b) + (1 | c)", crossed(120), {}),
    ("y ~ x + (1 | a) + (0 + x | a) + (1 | b)", crossed(120), {"weights": np.linspace(0.5, 2, 120), "offset": "3 * x"}),
    ("y ~ 0 + c + (c | b)", crossed(120), {}),
    ("y ~ x + (x | school/room)", nested(), {}),
    ("y ~ x", crossed(120), {"constants": {"sigma": 0.9}}),
    ("y ~ x + (1 | a)", crossed(120), {"priors": {"Intercept_centered": StudentT(3, 1, 2)}}),
    ("y ~ x + (1 | a)", crossed(120), {"priors": {"Intercept": Normal(1, 2), "b": StudentT(3, 0, 1)}}),
]
IDS = [f"{formula} {list(options)}" for formula, _, options in CASES]


def given(model: bm.Model, program: Any, seed: int = 3) -> dict[str, Any]:
    """Some sds, correlations, sigma, and values of the coefficients that stay sampled."""
    rng = np.random.default_rng(seed)
    factors = [np.tril(rng.normal(size=(g.Z.shape[1],) * 2)) + np.eye(g.Z.shape[1]) for g in model.design.groups]
    factors = [np.diag(np.diag(F)) if c.name == "diag" else F for F, c in zip(factors, model.covariances, strict=True)]
    kept = np.zeros(len(model.coefficients))
    kept[list(program.function.layout.kept)] = rng.normal(size=len(program.function.layout.kept))
    return {"factors": tuple(factors), "sigma": model.constants.get("sigma", 1.3), "kept": kept}


def marginal(model: bm.Model, program: Any, found: dict[str, Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and covariance of y, all dense, and the joint covariance with the centred coefficients."""
    design, normal = model.design, program.data["normal"]
    X = design.mu.X @ program.data["gram"]["uncentring"]
    V = np.diag(found["sigma"] ** 2 / (np.ones(design.n_rows) if design.weights is None else design.weights))
    for group, F in zip(design.groups, found["factors"], strict=True):
        rows = group.Z @ F
        V += (rows @ rows.T) * (group.codes[:, None] == group.codes)
    free = list(program.function.layout.integrated)
    mean = design.mu.offset + X @ found["kept"] + X[:, free] @ normal["mean"][free]
    spread = X[:, free] / np.sqrt(normal["precision"][free])
    return mean, V + spread @ spread.T, (X[:, free] / normal["precision"][free]).T


@pytest.fixture(params=[0.0, np.inf], ids=["dense coupling", "sparse coupling"])
def coupling(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of summing over the pairs of levels that meet."""
    monkeypatch.setattr(tail, "SPARSE_SHARE", request.param)


@pytest.mark.usefixtures("coupling")
@pytest.mark.parametrize(("formula", "table", "options"), CASES, ids=IDS)
def test_the_collapsed_density_is_the_normal_density_with_everything_integrated(
    formula: str, table: Any, options: dict[str, Any]
) -> None:
    import jax

    model = bm.Model(formula, table, **options)
    program = build_program(model, "full")
    found = given(model, program)
    with bm.x64():
        layout, data = program.function.layout, program.data
        compiled = jax.jit(density.log_density, static_argnums=0)
        ours = float(compiled(layout, data["gram"], data["normal"], found))
    mean, V, _ = marginal(model, program, found)
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
            data = program.data
            values.append(float(density.log_density(program.function.layout, data["gram"], data["normal"], found)))
    assert values[0] - values[1] == pytest.approx(2 * (np.log(1e5) + 0.5 * np.log(2 * np.pi)), abs=1e-6)


@pytest.mark.usefixtures("coupling")
@pytest.mark.parametrize(("formula", "table", "options"), CASES[1:5], ids=IDS[1:5])
def test_coefficients_and_effects_are_drawn_from_their_exact_conditional(
    formula: str, table: Any, options: dict[str, Any]
) -> None:
    """Fitted values drawn given the data have the moments of the dense normal conditional."""
    import jax

    model = bm.Model(formula, table, **options)
    program = build_program(model, "full")
    found = given(model, program)
    with bm.x64():
        layout, data = program.function.layout, program.data
        keys = jax.random.split(jax.random.PRNGKey(1), DRAWS)
        drawn = jax.jit(jax.vmap(lambda key: density.draw(layout, data["gram"], data["normal"], found, key)))
        beta, effects = drawn(keys)
        beta, effects = np.asarray(beta), [np.asarray(b) for b in effects]
    fitted = beta @ model.design.mu.X.T + model.design.mu.offset
    for group, b in zip(model.design.groups, effects, strict=True):
        fitted += np.einsum("dnk,nk->dn", b[:, group.codes], group.Z)
    mean, V, _ = marginal(model, program, found)
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
    assert build_program(model).route.startswith("explicit")
    with pytest.raises(bm.errors.FitError, match=r"effects remain beside the largest factor"):
        build_program(model, "full")


def test_only_numbers_change_between_fits_of_one_structure() -> None:
    """The static part is equal for another response, other priors of the same kinds: nothing is compiled again."""
    table = crossed()
    first = build_program(bm.Model("y ~ x + (x | a)", table))
    other = build_program(bm.Model("y ~ x + (x | a)", table.assign(y=table["y"] * 2 + 1), priors={"b": Normal(0, 9)}))
    assert first.function == other.function and hash(first.function) == hash(other.function)
