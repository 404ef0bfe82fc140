"""The collapsed script's density is that of the explicit one, its effects integrated out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scripts import namespace, our_sites, point

import bayesmixed as bm
from bayesmixed.engines.program import build_program

SAME = 1e-9
SLEEP = bm.load_data("sleepstudy")
SOME = SLEEP[SLEEP["Subject"].astype(str).isin(["308", "309", "310", "330"])]
WEIGHTS = np.linspace(0.5, 2.0, len(SOME))
MODELS: dict[str, Any] = {
    "an intercept and a slope": lambda: bm.Model("Reaction ~ Days + (Days | Subject)", SOME),
    "precisions": lambda: bm.Model("Reaction ~ Days + (Days || Subject)", SOME, weights=WEIGHTS),
    "logarithms": lambda: bm.Model("Reaction ~ Days + (1 | Subject)", SOME, family="lognormal"),
    "two factors": lambda: bm.Model("Reaction ~ 1 + (1 | Subject) + (1 | Days)", SOME),
    "many columns": lambda: bm.Model("Reaction ~ Days + (0 + poly(Days, 5) || Subject)", SOME),
    "a predictor of sigma": lambda: bm.Model(bm.Formula("Reaction ~ Days + (1 | Subject)", "sigma ~ Days"), SOME),
}


def gaussian_integral(function: Any, size: int) -> float:
    """log of the integral of exp(function) over (size,), a quadratic function: from its value and derivatives at 0."""
    import jax

    with bm.x64():
        parts = jax.jit(lambda at: (function(at), jax.grad(function)(at), jax.hessian(function)(at)))(np.zeros(size))
        value, slope, bend = float(parts[0]), np.asarray(parts[1]), -np.asarray(parts[2])
    step = np.linalg.solve(bend, slope)
    return value + 0.5 * slope @ step + 0.5 * size * np.log(2 * np.pi) - 0.5 * np.linalg.slogdet(bend)[1]


def density(script: Any, sites: dict[str, Any]) -> Any:
    from numpyro.infer.util import log_density

    return log_density(namespace(script)["model"], (script.data,), {}, sites)[0]


QUICK = ("logarithms",)
SOME_SLOW = [pytest.param(what, marks=[] if what in QUICK else [pytest.mark.slow]) for what in MODELS]


@pytest.mark.parametrize("what", SOME_SLOW)
def test_effects_are_integrated_out_exactly(what: str) -> None:
    model = MODELS[what]()
    explicit, collapsed = model.code(), model.code(collapsed=True)
    sites = point(explicit).sites
    rest = {name: value for name, value in sites.items() if "_u" not in name}
    effects = {name: value for name, value in sites.items() if "_u" in name}
    sizes = np.cumsum([value.size for value in effects.values()])

    def joint(u: Any) -> Any:
        parts = zip(effects.items(), sizes, strict=True)
        given = {name: u[end - value.size : end].reshape(value.shape) for (name, value), end in parts}
        return density(explicit, rest | given)

    with bm.x64():
        found = float(density(collapsed, rest))
    assert found == pytest.approx(gaussian_integral(joint, int(sizes[-1])), rel=SAME)


@pytest.mark.slow
def test_our_collapsed_program_integrates_the_coefficients_too() -> None:
    from numpyro.infer.util import log_density

    model = MODELS["an intercept and a slope"]()
    script = model.code(collapsed=True)
    explicit = point(model.code()).sites
    sites = point(script).sites
    program = build_program(model, "full")
    values = our_sites(model, sites | {name: v for name, v in explicit.items() if name.endswith("_u")})
    kept = {name: values[name] for name in program.sites}

    def joint(beta: Any) -> Any:
        return density(script, sites | {"Intercept_centered": beta[0], "Days": beta[1]})

    with bm.x64():
        ours = float(log_density(program.function, (), program.data, kept)[0])
    assert ours == pytest.approx(gaussian_integral(joint, 2), rel=SAME)


@pytest.mark.slow
def test_effects_drawn_afterwards_have_the_mean_and_spread_of_their_conditional() -> None:
    """Given all else u is normal about the maximum of the explicit density."""
    import jax

    model = bm.Model("Reaction ~ Days + (1 | Subject)", SOME)
    script, explicit = model.code(collapsed=True), model.code()
    found, made = point(script), namespace(script)
    with bm.x64():
        keys = jax.random.split(jax.random.PRNGKey(2), 4000)
        draw = jax.vmap(lambda key: made["effects"](key, found.sites, script.data)["1|Subject"])
        drawn = np.asarray(draw(keys))
        joint = lambda u: density(explicit, found.sites | {"Subject_u": u})  # noqa: E731
        bend = -np.asarray(jax.hessian(joint)(np.zeros(4)))
        middle = np.linalg.solve(bend, np.asarray(jax.grad(joint)(np.zeros(4))))
    sd = found.sites["1|Subject_sigma"]
    spread = sd * np.sqrt(np.diag(np.linalg.inv(bend)))
    assert np.all(np.abs(drawn.mean(axis=0) - sd * middle) < 4 * spread / np.sqrt(4000))
    np.testing.assert_allclose(drawn.std(axis=0), spread, rtol=0.06)


@pytest.mark.parametrize(
    ("formula", "options", "said"),
    [
        ("Reaction ~ Days + (1 | Subject)", {"family": "gamma"}, "gamma with a log link"),
        ("Reaction ~ Days + (1 | Subject)", {"link": "log"}, "gaussian with a log link"),
        ("Reaction ~ Days", {}, "no random effects"),
    ],
)
def test_what_cannot_be_collapsed_is_refused(formula: str, options: Any, said: str) -> None:
    with pytest.raises(bm.errors.ModelError, match=said):
        bm.Model(formula, SLEEP, **options).code(collapsed=True)


def test_what_would_not_fit_is_refused_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bayesmixed.engines.code.collapsed.MOST", 1000)
    with pytest.raises(bm.errors.ModelError, match="180 rows x 36 effects"):
        bm.Model("Reaction ~ Days + (Days | Subject)", SLEEP).code(collapsed=True)
