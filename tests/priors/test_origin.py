"""The default priors know no origin of x: the same densities and posteriors wherever a column is counted from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.engines.program import build_program
from bayesmixed.errors import ModelError
from bayesmixed.likelihood.penalty.penalty import penalty
from bayesmixed.likelihood.posterior.log_posterior import log_posterior
from bayesmixed.likelihood.working.coordinates import Natural
from bayesmixed.priors import HalfNormal, Normal
from bayesmixed.priors.origin import origins, stated_rows

# Densities of the same model written with other columns: the digits that x + 2000 leaves of its own spread.
SHIFTED = 1e-8
MONTE_CARLO = 4.5  # standard errors
SLEEP = bm.load_data("sleepstudy")
RNG = np.random.default_rng(5)
TABLE = SLEEP.assign(
    z=RNG.normal(size=180),
    f=np.where(RNG.random(180) < 0.4, "a", "b"),
    item=np.tile([f"i{i}" for i in range(9)], 20),
    count=RNG.poisson(3.0, 180),
    yes=RNG.random(180) < 0.6,
)
FORMULAS = {
    "line": "Reaction ~ Days + (Days | Subject)",
    "several bars": "Reaction ~ Days + z + (Days + z | Subject) + (Days | item)",
    "interaction": "Reaction ~ Days * f + (Days * f | Subject)",
    "polynomial": "Reaction ~ Days + I(Days**2) + (Days + I(Days**2) | Subject)",
    "means of cells": "Reaction ~ 0 + f + f:Days + (Days | Subject)",
    "two bars of a factor": "Reaction ~ Days + (Days | Subject) + (0 + z | Subject)",
}


def moved(shift: float, scale: float = 1.0) -> pd.DataFrame:
    return TABLE.assign(Days=scale * TABLE["Days"] + shift)


def sites(program: Any, seed: int) -> dict[str, np.ndarray]:
    """Values of all sites, drawn from the priors."""
    from numpyro import handlers

    with bm.x64():
        trace = handlers.trace(handlers.seed(program.function, seed)).get_trace(**program.data)
    return {n: np.asarray(s["value"]) for n, s in trace.items() if s["type"] == "sample" and not s["is_observed"]}


def log_density(program: Any, values: dict[str, np.ndarray]) -> float:
    from numpyro.infer.util import log_density as joint

    with bm.x64():
        return float(joint(program.function, (), program.data, values)[0])


def told(model: bm.Model) -> str:
    """What print(model) says, in one line."""
    return " ".join(str(model).split())


# ---- densities


@pytest.mark.parametrize(
    ("name", "collapsed"), [(name, False) for name in FORMULAS] + [("line", "auto"), ("interaction", "auto")]
)
def test_the_sampled_density_is_the_same_at_every_origin(name: str, collapsed: Any) -> None:
    """Sites are what columns are about their means: equal values are equal parameters at every origin of Days."""
    far = 50.0 if name == "polynomial" else 2000.0
    here, there = (build_program(bm.Model(FORMULAS[name], moved(shift)), collapsed) for shift in (0.0, far))
    for seed in (1, 2):
        values = sites(here, seed)
        assert log_density(there, values) == pytest.approx(log_density(here, values), rel=SHIFTED)


@pytest.mark.parametrize("family", ["gaussian", "poisson", "bernoulli"])
@pytest.mark.parametrize("bars", ["(Days | Subject)", "(Days + z | Subject) + (Days | item)"])
def test_the_laplace_posterior_is_the_same_at_every_origin(family: str, bars: str) -> None:
    left = {"gaussian": "Reaction", "poisson": "count", "bernoulli": "yes"}[family]
    here, there = (
        log_posterior(bm.Model(f"{left} ~ z + {bars}", moved(shift), family=family)) for shift in (0.0, 300.0)
    )
    psi = np.random.default_rng(1).normal(0.0, 0.3, size=(3, here.space.dimension))
    psi[:, :2] -= 1.0
    np.testing.assert_allclose(there.values(psi), here.values(psi), rtol=1e-7)


def test_draws_and_tables_keep_the_columns_as_typed() -> None:
    """Sigma = A Sigma_c A' with the means in A: the sd of a slope is the same, that of the intercept is at zero."""
    model = bm.Model(FORMULAS["line"], moved(100.0))
    (A,) = origins(model)
    assert A is not None
    np.testing.assert_allclose(A, [[1.0, -104.5], [0.0, 1.0]])
    fit = model.fit(bm.Laplace(draws=200), seed=1)
    sds, corrs = fit.parameters.sds[0][0], fit.parameters.corrs[0]
    assert corrs is not None
    covariance = sds[:, :, None] * corrs[0] * sds[:, None, :]
    at_mean = np.linalg.inv(A) @ covariance @ np.linalg.inv(A).T
    assert np.median(np.sqrt(at_mean[:, 0, 0])) < 60 < np.median(sds[:, 0])
    intercepts = fit.coef()["Subject"]["Intercept"] + 100 * fit.coef()["Subject"]["Days"]
    reml = bm.Model(FORMULAS["line"], SLEEP).fit("reml").coef()["Subject"]["Intercept"]
    np.testing.assert_allclose(intercepts, reml, atol=12.0)  # lines at day 0, whatever their label


@pytest.mark.parametrize("name", FORMULAS)
def test_laplaces_draws_are_the_same_under_shifts_and_scales(name: str) -> None:
    """The same seed: equal densities make equal draws."""
    quantities = []
    for shift, scale in ((0.0, 1.0), (50.0, 24.0)):
        fit = bm.Model(FORMULAS[name], moved(shift, scale)).fit(bm.Laplace(draws=200), seed=3, progress=False)
        last = "I(Days^2)" if name == "polynomial" else "Days:f[b]" if name == "interaction" else "Days"
        power = scale ** (2 if name == "polynomial" else 1)
        at = fit.model.design.groups[0].columns.index(last)
        sds = fit.parameters.sds[0][0][:, at] * power
        slope = "f[b]:Days" if name == "means of cells" else last
        mean, sd = fit.coefficients.loc[slope, ["mean", "sd"]] * power
        quantities.append([mean, sd, sds.mean(), sds.std(), fit.sigma])
    np.testing.assert_allclose(quantities[1], quantities[0], rtol=1e-3)


def test_nuts_posterior_is_the_same_at_every_origin() -> None:
    quantities = []
    for shift, scale in ((0.0, 1.0), (2000.0, 24.0)):
        draws = bm.Model(FORMULAS["line"], moved(shift, scale)).fit("nuts", seed=3, progress=False).idata.posterior
        found = [draws["Days|Subject_sigma"] * scale, draws["sigma"], draws["Days"] * scale]
        quantities.append([np.asarray(values).ravel() for values in found])
    for here, there in zip(*quantities, strict=True):
        error = np.sqrt((here.var() + there.var()) / (0.25 * len(here)))  # a draw is worth a quarter of one at least
        assert abs(here.mean() - there.mean()) < MONTE_CARLO * error


def test_map_under_the_models_priors_is_the_same_at_every_origin() -> None:
    here, there = (bm.Model(FORMULAS["line"], moved(shift)).fit(bm.MAP(priors="model")) for shift in (0.0, 2000.0))
    assert there.criterion == pytest.approx(here.criterion, rel=1e-7)
    assert there.varcorr().loc[1, "sd"] == pytest.approx(here.varcorr().loc[1, "sd"], rel=1e-4)


def test_slopes_of_the_moved_penalty_are_its_differences() -> None:
    model = bm.Model(FORMULAS["several bars"], moved(3.0))
    added = penalty(model, model.priors)
    rng = np.random.default_rng(2)
    sizes = [len(term.columns) for term in model.design.groups]
    factors = tuple(np.tril(rng.normal(size=(k, k))) + 2 * np.eye(k) for k in sizes)
    natural = Natural(factors, np.zeros(len(model.coefficients)), {"sigma": 20.0})
    _, slopes = added.value_and_slopes(natural)
    for j, F in enumerate(factors):
        for at in np.ndindex(F.shape):
            ends = []
            for step in (1e-5, -1e-5):
                changed = [G.copy() for G in factors]
                changed[j][at] += step
                ends.append(added.value_and_slopes(Natural(tuple(changed), natural.beta, natural.dispersion))[0])
            assert slopes.factors[j][at] == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5, abs=1e-6)


def test_a_coefficient_that_the_user_names_is_the_one_as_typed() -> None:
    model = bm.Model("Reaction ~ Days * f + (1 | Subject)", moved(2000.0), priors={"f[b]": Normal(0.0, 5.0)})
    C = stated_rows(model.design.mu, model.design.used, model.priors)
    at = model.coefficients.index
    np.testing.assert_array_equal(C[at("f[b]")], np.eye(4)[at("f[b]")])
    share = float((TABLE["f"] == "b").mean())
    assert C[at("Days"), at("Days:f[b]")] == pytest.approx(share, abs=0.02)  # the slope at the average f
    np.testing.assert_allclose(C[at("Intercept")], model.design.mu.X.mean(axis=0))
    assert "priors of Days are those at the mean" in told(model)


# ---- what depends on the origin, and says so


@pytest.mark.parametrize("preset", ["brms", "rstanarm", "bambi"])
def test_presets_of_other_packages_keep_columns_as_typed_unless_asked(preset: str) -> None:
    typed = bm.Model(FORMULAS["line"], SLEEP, priors=preset)
    chosen = typed.replace(priors=bm.priors.centered(preset))
    assert origins(typed) == (None,) and origins(chosen)[0] is not None
    assert dict(typed.priors) == dict(chosen.priors)


def test_what_a_users_dict_names_is_as_typed_unless_asked() -> None:
    given = {"1|Subject_sigma": HalfNormal(20.0), "Intercept": Normal(250.0, 10.0)}
    typed = bm.Model(FORMULAS["several bars"], TABLE, priors=given)
    subject, item = origins(typed)
    assert subject is None and item is not None  # a bar that nobody named keeps the default's place
    assert "(Intercept, Days, z | Subject) are stated where Days is 0" in told(typed)
    chosen = typed.replace(priors=bm.priors.centered(given))
    assert origins(chosen)[0] is not None and "at the mean, Days = 4.5, z = " in told(chosen)
    assert origins(typed.replace(priors=bm.priors.as_typed())) == (None, None)


@pytest.mark.parametrize("bar", ["(Days || Subject)", "(0 + Days | Subject)", "(0 + Days + z | Subject)"])
def test_bars_that_have_an_origin_say_where_it_is_when_it_is_far(bar: str) -> None:
    far, near = (told(bm.Model(f"Reaction ~ Days + {bar}", moved(shift))) for shift in (2000.0, -4.5))
    assert "are stated where Days is 0, and Days has mean 2004" in far and "are stated where" not in near


def test_where_priors_are_stated_is_stored_with_a_fit(tmp_path: Any) -> None:
    for priors in (None, "brms", bm.priors.centered("brms"), bm.priors.as_typed({"Days": Normal(0.0, 20.0)})):
        model = bm.Model(FORMULAS["line"], SLEEP, priors=priors)
        loaded = bm.load(model.fit("ml").save(tmp_path / "fit.nc")).model
        assert loaded.priors == model.priors
        assert loaded.replace(data=moved(1.0)).priors.centered == model.priors.centered


def test_priors_laid_over_those_of_another_package_keep_its_columns(tmp_path: Any) -> None:
    typed = bm.Model(FORMULAS["line"], SLEEP, priors="brms")
    changed = typed.replace(priors=typed.priors | {"Days": Normal(0.0, 10.0), "corr": bm.priors.LKJ(3.0)})
    assert not changed.priors.centered and changed.priors["Days"] == Normal(0.0, 10.0)
    assert changed.priors["1|Subject_sigma"] == typed.priors["1|Subject_sigma"]
    loaded = bm.load(changed.fit("ml").save(tmp_path / "fit.nc")).model
    assert loaded.replace(data=moved(1.0)).priors == changed.replace(data=moved(1.0)).priors

    decov = typed.replace(priors="rstanarm")
    assert decov.replace(priors=decov.priors | {"Days": Normal(0.0, 10.0)}).priors["Subject_cov"] == bm.priors.Decov()
    with pytest.raises(ModelError, match="Give all of them: 1|Subject_sigma, Days|Subject_sigma, Subject_corr"):
        decov.replace(priors=decov.priors | {"sd": HalfNormal(30.0)})
