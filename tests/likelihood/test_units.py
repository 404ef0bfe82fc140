"""No number of a generalized fit depends on the unit of its response or columns but by the power that it must."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.priors.default import location_and_scale

LOGLIK = 1e-5  # what other programs' optima of generalized models differ by
ESTIMATE = 1e-4  # of a standard error: where two searches of one likelihood stop
SE = 2e-4  # relative: the Hessian is known to 1e-4
N = 500

# By family and link: the powers of the response's unit in eta and in the dispersion parameters.
CASES = {
    ("gamma", "inverse"): (-1, {"alpha": 0}),
    ("gamma", "log"): (0, {"alpha": 0}),
    ("gamma", "identity"): (1, {"alpha": 0}),
    ("inverse_gaussian", "1/mu^2"): (-2, {"lam": 1}),
    ("inverse_gaussian", "inverse"): (-1, {"lam": 1}),
    ("gaussian", "inverse"): (-1, {"sigma": 1}),
    ("gaussian", "log"): (0, {"sigma": 1}),
    ("gaussian", "sqrt"): (0.5, {"sigma": 1}),
    ("gaussian", "1/mu^2"): (-2, {"sigma": 1}),
    ("student", "identity"): (1, {"sigma": 1, "nu": 0}),
}


def data(family: str, unit: float) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    g, x = np.repeat(np.arange(25), 20), rng.normal(size=N)
    eta = 0.5 + 0.03 * rng.normal(size=25)[g] + 0.02 * x
    y = {
        "gamma": lambda: rng.gamma(20, 1 / eta / 20),
        "gaussian": lambda: 1 / eta + 0.1 * rng.normal(size=N),
        "inverse_gaussian": lambda: rng.wald(1 / np.sqrt(eta), 20.0),
        "student": lambda: 1 / eta + 0.1 * rng.standard_t(4, size=N),
    }[family]()
    return pd.DataFrame({"y": unit * y, "x": x, "g": g})


@cache
def fitted(family: str, link: str, unit: float) -> bm.fits.PointFit:
    return bm.Model("y ~ x + (1 | g)", data(family, unit), family=family, link=link).fit("ml")


@pytest.mark.parametrize("unit", [1e-6, 1e6, 1e10])
@pytest.mark.parametrize(("family", "link"), list(CASES))
def test_a_fit_in_another_unit_is_the_same_fit(family: str, link: str, unit: float) -> None:
    power, powers = CASES[family, link]
    one, other = fitted(family, link, 1.0), fitted(family, link, unit)
    assert one.status.converged and other.status.converged
    assert not one.status.problems and not other.status.problems  # an sd of 1e-7 is not one of zero
    assert other.loglik + N * np.log(unit) == pytest.approx(one.loglik, abs=LOGLIK)
    errors, scale = np.sqrt(np.diag(one.vcov())), unit**power
    assert np.sqrt(np.diag(other.vcov())) == pytest.approx(scale * errors, rel=SE)
    shift = np.array([np.log(unit) if link == "log" else 0.0, 0.0])
    assert np.max(np.abs(other.beta / scale - shift - one.beta) / errors) < ESTIMATE
    assert other.theta / scale == pytest.approx(one.theta, rel=10 * ESTIMATE)
    for name, exponent in powers.items():
        assert other.dispersion[name] / unit**exponent == pytest.approx(one.dispersion[name], rel=10 * ESTIMATE)


@pytest.mark.parametrize(("family", "link"), [("gamma", "inverse"), ("inverse_gaussian", "1/mu^2")])
def test_default_priors_follow_a_small_unit(family: str, link: str) -> None:
    power = CASES[family, link][0]
    places = [location_and_scale(m.design, m.family) for m in (fitted(family, link, u).model for u in (1.0, 1e-6))]
    assert np.divide(places[1], 1e-6**power) == pytest.approx(places[0], rel=1e-9)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_penalised_fits_and_other_nodes_have_no_unit_either(unit: float) -> None:
    for engine in (bm.MAP(), bm.ML(quadrature=5)):
        one, other = (
            bm.Model("y ~ x + (1 | g)", data("gamma", u), family="gamma", link="inverse").fit(engine) for u in (1, unit)
        )
        assert one.status.converged and other.status.converged
        assert np.sqrt(np.diag(other.vcov())) * unit == pytest.approx(np.sqrt(np.diag(one.vcov())), rel=SE)


@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_a_column_in_another_unit_is_not_called_zero(family: str) -> None:
    rng = np.random.default_rng(5)
    g, z = np.repeat(np.arange(30), 12), rng.normal(size=360)
    eta = 1 + (0.3 * rng.normal(size=30)[g] + 0.2) * z
    y = rng.poisson(np.exp(eta)) if family == "poisson" else eta + 0.5 * rng.normal(size=360)
    for unit in (1e-7, 1e7):
        fit = bm.Model("y ~ z + (0 + z | g)", pd.DataFrame({"y": y, "z": unit * z, "g": g}), family=family).fit("ml")
        assert fit.status.converged and not fit.status.problems


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_limits_of_priors_are_reached_in_any_unit(unit: float) -> None:
    rng = np.random.default_rng(2)
    g, x = np.repeat(np.arange(20), 10), rng.normal(size=200)
    y = 1 + 0.5 * x + 0.4 * rng.normal(size=20)[g] + 0.5 * rng.normal(size=200)
    fits = []
    for c in (1.0, unit):
        priors = {"x": bm.priors.Uniform(-0.2 * c, 0.2 * c), "sd": bm.priors.Uniform(0.0, 0.3 * c)}
        fits.append(bm.Model("y ~ x + (1 | g)", pd.DataFrame({"y": c * y, "x": x, "g": g})).fit(bm.MAP(priors=priors)))
    one, other = fits
    assert one.status.converged and other.status.converged
    assert other.beta[1] == pytest.approx(0.2 * unit, rel=1e-6)  # the data say 0.5
    assert other.loglik + 200 * np.log(unit) == pytest.approx(one.loglik, abs=LOGLIK)
