"""The NumPyro program: its log density is the conditional density plus the priors, for every parameterisation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special, stats

import bayesmixed as bm
from bayesmixed.engines.program import Program, build_program
from bayesmixed.priors import HalfNormal, HalfStudentT, Normal, StudentT

LOG_DENSITY = 1e-9  # relative: the same sums in float64 twice
SLEEP = bm.load_data("sleepstudy")
N = len(SLEEP)
WEIGHTS = np.linspace(0.5, 2.0, N)
U = np.random.default_rng(1).standard_normal((18, 2))
SDS, RHO, SIGMA = np.array([25.0, 6.0]), 0.3, 24.0
CORRELATION_FACTOR = np.array([[1.0, 0.0], [RHO, np.sqrt(1 - RHO**2)]])
FACTOR = SDS[:, None] * CORRELATION_FACTOR
# Sds and correlations are those of lines at the mean of Days: b = A b_c.
A = np.array([[1.0, -SLEEP["Days"].mean()], [0.0, 1.0]])


def log_density(program: Program, values: dict[str, Any]) -> float:
    from numpyro.infer.util import log_density as joint

    with bm.x64():
        return float(joint(program.function, (), program.data, values)[0])


def conditional(model: bm.Model, intercept: float, slope: float, b: np.ndarray, sigma: float) -> float:
    codes = model.design.groups[0].codes
    days = SLEEP["Days"].to_numpy(float)
    mu = model.design.mu.offset + intercept + slope * days + b[codes, 0] + b[codes, 1] * days
    weights = 1.0 if model.design.weights is None else model.design.weights
    return stats.norm(mu, sigma / np.sqrt(weights)).logpdf(SLEEP["Reaction"]).sum()


def lkj2(rho: float, concentration: float) -> float:
    """log density of the Cholesky factor of a 2 x 2 LKJ: (1 - rho^2)^(c - 1) / B with the Jacobian 1."""
    beta = 2 * concentration - 1
    return (concentration - 1) * np.log(1 - rho**2) - (beta * np.log(2) + special.betaln(concentration, concentration))


def half_t(x: Any, scale: float) -> float:
    return float(np.sum(np.log(2) + stats.t(3, 0, scale).logpdf(x)))


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["unweighted", "weighted"])
def test_log_density_is_conditional_density_plus_priors(weights):
    formula = "Reaction ~ Days + offset(2 * Days) + (Days | Subject)"
    model = bm.Model(formula, SLEEP, weights=weights)
    program = build_program(model, False)
    values = {
        "Intercept_centered": 300.0, "b": np.array([9.0]), "Subject_sigma": SDS,
        "Subject_corr": CORRELATION_FACTOR, "Subject_u": U, "sigma": SIGMA,
    }  # fmt: skip
    p = model.priors
    expected = (
        conditional(model, 300.0 - 9.0 * SLEEP["Days"].mean(), 9.0, U @ FACTOR.T @ A.T, SIGMA)
        + stats.norm(p["Intercept_centered"].loc, p["Intercept_centered"].scale).logpdf(300.0)
        + stats.norm(0, p["Days"].scale).logpdf(9.0)
        + stats.halfnorm(scale=p["1|Subject_sigma"].scale).logpdf(SDS[0])
        + stats.halfnorm(scale=p["Days|Subject_sigma"].scale).logpdf(SDS[1])
        + lkj2(RHO, 2.0)
        + stats.norm.logpdf(U).sum()
        + half_t(SIGMA, p["sigma"].scale)
    )
    assert log_density(program, values) == pytest.approx(expected, rel=LOG_DENSITY)


@pytest.mark.parametrize("power", [0.3, 1.0])
def test_centring_is_a_change_of_variables(power):
    model = bm.Model("Reaction ~ Days + (Days | Subject)", SLEEP)
    spherical = build_program(model, False)
    centred = build_program(model, False, centering=[np.full(2, power)])
    shared = {
        "Intercept_centered": 300.0, "b": np.array([9.0]), "Subject_sigma": SDS,
        "Subject_corr": CORRELATION_FACTOR, "sigma": SIGMA,
    }  # fmt: skip
    rest = SDS ** (1 - power)
    moved = U @ FACTOR.T / rest
    # d(moved) = |factor| / prod(rest) du, once per level.
    jacobian = 18 * (np.log(np.diag(FACTOR)).sum() - np.log(rest).sum())
    assert log_density(centred, shared | {"Subject_b": moved}) == pytest.approx(
        log_density(spherical, shared | {"Subject_u": U}) - jacobian, rel=LOG_DENSITY
    )


def test_raw_intercept_prior_speaks_of_the_intercept_itself():
    model = bm.Model("Reaction ~ Days + (1 | Subject)", SLEEP, priors={"Intercept": Normal(250, 10)})
    program = build_program(model, False)
    values = {
        "Intercept": 251.0, "b": np.array([9.0]), "Subject_sigma": np.array([30.0]),
        "Subject_u": U[:, :1], "sigma": SIGMA,
    }  # fmt: skip
    b = np.column_stack([30.0 * U[:, 0], np.zeros(18)])
    expected = (
        conditional(model, 251.0, 9.0, b, SIGMA)
        + stats.norm(250, 10).logpdf(251.0)
        + stats.norm(0, model.priors["Days"].scale).logpdf(9.0)
        + stats.halfnorm(scale=model.priors["1|Subject_sigma"].scale).logpdf(30.0)
        + stats.norm.logpdf(U[:, 0]).sum()
        + half_t(SIGMA, model.priors["sigma"].scale)
    )
    assert log_density(program, values) == pytest.approx(expected, rel=LOG_DENSITY)


def test_a_constant_is_not_sampled():
    model = bm.Model("Reaction ~ Days + (1 | Subject)", SLEEP, constants={"sigma": SIGMA})
    assert "sigma" not in build_program(model, False).sites
    assert float(build_program(model, False).data["constants"]["sigma"]) == SIGMA


def test_priors_of_several_kinds_make_several_sites():
    data = SLEEP.assign(x=np.sin(np.arange(N)), z=np.cos(np.arange(N)))
    priors = {"x": StudentT(3, 0, 1), "1|Subject_sigma": HalfNormal(30), "Days|Subject_sigma": HalfStudentT(3, 9)}
    program = build_program(bm.Model("Reaction ~ Days + x + z + (Days | Subject)", data, priors=priors), False)
    assert {"b_Normal", "x", "1|Subject_sigma", "Days|Subject_sigma", "Subject_u"} <= set(program.sites)
    values = {
        "Intercept_centered": 300.0, "b_Normal": np.array([9.0, 2.0]), "x": 1.0, "1|Subject_sigma": SDS[0],
        "Days|Subject_sigma": SDS[1], "Subject_corr": CORRELATION_FACTOR, "Subject_u": U, "sigma": SIGMA,
    }  # fmt: skip
    shaped = {k: np.reshape(v, (1,)) if "|" in k or k == "x" else v for k, v in values.items()}
    assert np.isfinite(log_density(program, shaped))


def test_rows_of_weight_zero_are_absent():
    weights = np.where(SLEEP["Days"] < 9, 1.0, 0.0)
    data = build_program(bm.Model("Reaction ~ Days + (1 | Subject)", SLEEP, weights=weights), False).data
    assert len(data["y"]) == data["columns"]["mu"].shape[1] == len(data["codes"][0]) == int(weights.sum())


def test_equal_structures_are_equal_programs():
    doubled = SLEEP.assign(Reaction=2 * SLEEP["Reaction"])
    one, two = (build_program(bm.Model("Reaction ~ Days + (Days | Subject)", d), False) for d in (SLEEP, doubled))
    assert one.function == two.function and hash(one.function) == hash(two.function)
    other = build_program(bm.Model("Reaction ~ Days + (Days || Subject)", SLEEP), False)
    assert other.function != one.function


def test_every_site_has_a_meaning():
    from numpyro import handlers

    program = bm.Model("Reaction ~ Days + (Days | Subject)", SLEEP).program()
    with bm.x64():
        trace = handlers.trace(handlers.seed(program.function, 0)).get_trace(**program.data)
    assert set(program.sites) == {name for name, site in trace.items() if site["type"] == "sample"} - {"y"}
