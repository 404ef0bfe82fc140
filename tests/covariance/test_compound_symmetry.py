"""Compound symmetry: two columns, two intercepts, glmmTMB, both ends of the correlation's range, every engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.covariance import CompoundSymmetry, structure
from bayesmixed.engines.program import build_program
from bayesmixed.errors import FormulaError, ModelError
from bayesmixed.likelihood.at import likelihood_of
from bayesmixed.likelihood.criteria.profiled import ProfiledCriterion
from bayesmixed.likelihood.posterior.log_posterior import log_posterior

IDENTITY = 1e-8  # two searches of one criterion
LOGLIK, SDS, FIXED = 1e-6, 1e-4, 1e-5  # linear mixed models against reference fits
RESULTS = Path(__file__).parents[1] / "reference" / "results" / "cov_orthodont_structures.json"
CS, HOMCS = "cs(0 + Machine | Worker)", "homcs(0 + Machine | Worker)"
BOTH = pytest.mark.parametrize("name", ["cs", "homcs"])


def machines(bar: str, **options: Any) -> bm.Model:
    return bm.Model(f"score ~ Machine + {bar}", bm.load_data("Machines"), **options)


def apart(kind: str) -> pd.DataFrame:
    """Levels whose columns sum to zero, whose columns agree, or that have no effects at all."""
    rng = np.random.default_rng(1)
    g, c = np.repeat(np.arange(30), 12), np.tile(np.repeat(np.arange(3), 4), 30)
    effects = rng.normal(size=(30, 3))
    together = np.broadcast_to(effects[:, :1], effects.shape)
    chosen = {"opposed": effects - effects.mean(axis=1, keepdims=True), "alike": together, "none": 0 * effects}[kind]
    frame = pd.DataFrame({"y": rng.normal(size=360), "g": g.astype(str), "c": np.array(list("abc"))[c]})
    noise = frame["y"] - frame.groupby(["g", "c"])["y"].transform("mean")  # nothing between the columns of a level
    return frame.assign(y=2 * chosen[g, c] + noise.to_numpy())


@pytest.mark.parametrize("method", ["ml", "reml", "map"])
def test_two_columns_are_unstructured(method: str) -> None:
    sleep = bm.load_data("sleepstudy")
    ours, us = (bm.Model(f"Reaction ~ Days + {name}(Days | Subject)", sleep).fit(method) for name in ("cs", "us"))
    assert ours.criterion == pytest.approx(us.criterion, abs=IDENTITY)
    np.testing.assert_allclose(ours.parameters.covariance(0), us.parameters.covariance(0), rtol=SDS)
    assert ours.n_parameters == us.n_parameters


@pytest.mark.parametrize("method", ["ml", "reml"])
def test_a_common_sd_and_a_positive_correlation_are_two_intercepts(method: str) -> None:
    hom = machines("cs(0 + Machine | Worker, hom=True)").fit(method)
    two = machines("(1 | Worker) + (1 | Worker:Machine)").fit(method)
    assert hom.loglik == pytest.approx(two.loglik, abs=IDENTITY)
    sd, rho = hom.theta
    (between,), (within,) = (sds[0, 0] for sds in two.parameters.sds)
    assert (hom.sigma * sd) ** 2 == pytest.approx(between**2 + within**2, rel=SDS)
    assert rho == pytest.approx(between**2 / (between**2 + within**2), rel=SDS)


def test_two_names_mean_one_structure() -> None:
    named, asked = machines(HOMCS), machines("cs(0 + Machine | Worker, hom=True)")
    assert named.covariances == asked.covariances == (CompoundSymmetry(hom=True),)
    assert asked.design.groups[0].text == "cs(0 + Machine | Worker, hom=True)"
    assert structure("cs", (("hom", True),)) == CompoundSymmetry(hom=True)


def test_glmmtmb_agrees() -> None:
    reference = next(fit for fit in json.loads(RESULTS.read_text())["fits"] if fit["label"] == "cs")
    data = bm.load_data("Orthodont").assign(fage=lambda d: d["age"].astype(int).astype(str))
    formula = "distance ~ age * Sex + cs(0 + fage | Subject)"
    fit = bm.Model(formula, data, constants={"sigma": reference["sigma"]}).fit("ml")
    assert fit.status.converged and fit.n_parameters == reference["df"]
    assert fit.loglik == pytest.approx(reference["logLik"], abs=LOGLIK)
    table = fit.varcorr().set_index("name")
    names = [f"fage[{age}]" for age in (8, 10, 12, 14)]
    np.testing.assert_allclose(table.loc[names, "sd"], reference["random"][0]["sd"], rtol=SDS)
    assert table["rho"].dropna().tolist() == [pytest.approx(reference["random"][0]["cor"][0][1], rel=SDS)]
    scale = np.maximum(np.abs(reference["fixed"]["estimate"]), reference["fixed"]["se"])
    np.testing.assert_allclose((fit.fixef() - reference["fixed"]["estimate"]) / scale, 0, atol=FIXED)


@BOTH
def test_the_gradient_is_that_of_differences(name: str) -> None:
    likelihood = likelihood_of(machines(f"{name}(0 + Machine | Worker)"))
    x = likelihood.start() + np.random.default_rng(2).normal(scale=0.2, size=likelihood.theta.size)
    criterion = ProfiledCriterion(likelihood, True, None)
    _, gradient = criterion.value_and_gradient(x)
    steps = 1e-5 * np.eye(len(x))
    differences = [(criterion.value(x + h) - criterion.value(x - h)) / 2e-5 for h in steps]
    np.testing.assert_allclose(gradient, differences, rtol=1e-5, atol=1e-5)


@BOTH
@pytest.mark.parametrize(("kind", "end"), [("opposed", -0.5), ("alike", 1.0)])
def test_both_ends_of_the_range_are_reached_exactly_and_proved(name: str, kind: str, end: float) -> None:
    model = bm.Model(f"y ~ c + {name}(0 + c | g)", apart(kind))
    for method in ("ml", "reml"):
        fit = model.fit(method)
        assert fit.status.converged and fit.status.singular
        assert fit.theta[-1] == pytest.approx(end, abs=1e-12)
        assert fit.status.boundary_slope is not None and fit.status.boundary_slope > 0
        inside = fit.theta.copy()
        inside[-1] *= 0.99
        assert fit.loglik > model.loglik_at(theta=inside, reml=method == "reml")
    assert not model.fit("map").status.singular


@BOTH
def test_no_effects_at_all_are_found(name: str) -> None:
    fit = bm.Model(f"y ~ c + {name}(0 + c | g)", apart("none")).fit("ml")
    assert fit.status.converged
    np.testing.assert_allclose(fit.parameters.sds[0], 0.0, atol=1e-12)


def test_theta_outside_the_range_has_no_likelihood() -> None:
    model = machines(HOMCS)
    assert np.isfinite(model.loglik_at(theta=[1.0, 0.5]))
    assert model.loglik_at(theta=[1.0, 1.2]) == model.loglik_at(theta=[1.0, -0.51]) == -np.inf
    assert model.loglik_at(theta=[-1.0, 0.5]) == -np.inf


def test_the_penalty_is_minus_three_logs_of_free_sds_and_that_of_the_correlation() -> None:
    sds, rho = np.array([0.5, 1.5, 2.0]), 0.3
    of_rho = -1.5 * (np.log(1 - rho) + np.log(1 + 2 * rho))
    for kind, own in ((CompoundSymmetry(), sds), (CompoundSymmetry(hom=True), sds[:1])):
        factor = kind.factor(kind.of_reported(np.append(own, rho), 3), 3)
        assert kind.boundary_penalty(factor)[0] == pytest.approx(-3 * np.sum(np.log(own)) + of_rho)


def test_the_correlation_has_a_beta_on_its_range_unless_another_is_given() -> None:
    assert machines(CS).priors["Worker_rho"] == bm.priors.Beta(2.0, 2.0, -0.5, 1.0)
    assert machines(CS, priors="flat").priors["Worker_rho"] == bm.priors.Uniform(-0.5, 1.0)
    positive = bm.priors.Uniform(0.0, 1.0)
    assert machines(CS, priors={"rho": positive}).priors["Worker_rho"] == positive
    assert machines(CS).fit(bm.MAP(priors="model")).status.converged


@BOTH
def test_the_density_of_laplace_is_that_of_the_program(name: str) -> None:
    from numpyro.infer.util import potential_energy

    model = machines(f"{name}(0 + Machine | Worker)")
    posterior, program, gaps = log_posterior(model), build_program(model), []
    psi = 0.3 * np.random.default_rng(1).standard_normal((4, posterior.space.dimension))
    m, unit = posterior.space.sizes[0][0], posterior.space.coordinates.dispersion["sigma"].unit
    term = program.function.terms[0]
    with bm.x64():
        for point, value in zip(psi, posterior.values(psi), strict=True):
            sites = {site.name: point[:m][list(site.members)] for site in term.spread.sites}
            sites |= {term.shapes[0][0]: np.asarray(point[m]), "sigma": np.asarray(point[-1] + np.log(unit))}
            gaps.append(value + float(potential_energy(program.function, (), program.data, sites)))
    np.testing.assert_allclose(gaps, gaps[0], atol=IDENTITY * (1 + abs(gaps[0])))


@pytest.mark.parametrize("method", [bm.Laplace(draws=200), bm.NUTS(draws=100, tune=200, chains=2)], ids=str)
def test_draws_have_one_correlation_and_come_back_from_disk(method: Any, tmp_path: Path) -> None:
    fit = machines(CS).fit(method, seed=1)
    rho = fit.idata.posterior["Worker_rho"].to_numpy()
    assert rho.ndim == 2 and np.all((rho > -0.5) & (rho < 1))
    assert fit.varcorr()["rho"].notna().sum() == 1
    back = bm.load(fit.save(tmp_path / "fit.nc"))
    np.testing.assert_allclose(back.parameters.covariance(0), fit.parameters.covariance(0), rtol=1e-10)


def test_generalized_models_take_it() -> None:
    data = bm.load_data("Machines").assign(score=lambda d: d["score"].round())
    bars = (HOMCS, "(1 | Worker) + (1 | Worker:Machine)")
    hom, two = (bm.Model(f"score ~ Machine + {bar}", data, family="poisson").fit("ml") for bar in bars)
    assert hom.loglik == pytest.approx(two.loglik, abs=1e-5)


def test_responses_are_simulated_from_a_stated_correlation() -> None:
    data, formula = bm.load_data("Machines"), f"score ~ Machine + {HOMCS}"
    params = {"Intercept": 50, "Machine[B]": 0, "Machine[C]": 0, "sigma": 0.1, "Worker_sigma": 2.0, "Worker_rho": -0.5}
    y = np.asarray(bm.simulate(formula, data, params, n=200, seed=1))
    means = pd.DataFrame(y.T - 50).groupby(data["Worker"].to_numpy()).mean()
    assert float(np.abs(means.to_numpy()).max()) < 0.2  # the effects of a worker sum to zero
    with pytest.raises(ModelError, match=r"params\['Worker_rho'\] must be between -0.5 and 1, not 2"):
        bm.simulate(formula, data, params | {"Worker_rho": 2.0})


def test_errors_say_what_to_type() -> None:
    with pytest.raises(FormulaError, match=r"cs\(\) in front of a bar has no option 'homo'.*hom=False"):
        machines("cs(0 + Machine | Worker, homo=True)")
    with pytest.raises(FormulaError, match=r"hom=2.0 of cs\(\) in front of a bar must be True or False.*hom=False"):
        machines("cs(0 + Machine | Worker, hom=2)")
    with pytest.raises(FormulaError, match=r"has no option 'hom'. It has none: write us\(x \| g\)"):
        machines("us(0 + Machine | Worker, hom=True)")
    with pytest.raises(FormulaError, match="an option is True, False, a number or a text in quotes"):
        machines("cs(0 + Machine | Worker, hom=score)")
    with pytest.raises(ModelError, match='priors="rstanarm" has no rule for cs'):
        machines(CS, priors="rstanarm")
    with pytest.raises(ModelError, match=r"'Worker_rho' lies between -0.5 and 1, but Normal\(0, 1\) reaches beyond"):
        machines(CS, priors={"Worker_rho": bm.priors.Normal(0, 1)})
