"""Modes and optima that huge or opposite terms hide: each is found, recognised as one, and not crept to.

Reference log-likelihoods are of glmmTMB 1.1.5 on the same data, or dense Laplace approximations written out here.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

import bayesmixed as bm
from bayesmixed.families import Observed
from bayesmixed.likelihood.at import laplace_of

LOGLIK = 1e-5  # what other programs' optima of generalized models differ by
DENSE = 1e-8  # a dense Laplace approximation
REFERENCE = 1e-4  # log-likelihoods of counts near 1e7 in glmmTMB are sums of terms of 1e8
SE = 1e-3  # relative: what other programs' standard errors differ by
EXACT = 1e-11  # relative: densities against arithmetic of 60 digits
SAME = 1e-4  # log-likelihoods of counts near 1e9, whose predictor's last digit moves each by 1e-6
FEW = 25  # Newton steps from zero effects, each at least as good as doubling the predictor: creeping took 200


def far_row(seed: int, far: float) -> pd.DataFrame:
    """Sixty rows in ten groups, the last group one row far from all others."""
    r, n = np.random.default_rng(seed), 60
    g = np.r_[r.integers(0, 9, n - 1), 9]
    z = r.exponential(size=n)
    z[-1] = 4
    y = np.exp(1 + 0.4 * r.normal(size=10)[g]) + 0.25 * r.normal(size=n)
    y[-1] = far
    return pd.DataFrame({"y": y, "z": z, "g": g})


def dense_laplace(d: pd.DataFrame, theta: list[float], beta: float, sigma: float, link: str) -> float:
    """Laplace's log-likelihood of `y ~ 1 + (z || g)`, normal responses; derivatives of the mean written out."""
    y, levels = d["y"].to_numpy(), np.unique(d["g"], return_inverse=True)[1]
    G = np.eye(levels.max() + 1)[levels]
    Z = np.column_stack([theta[0] * G, theta[1] * G * d["z"].to_numpy()[:, None]])
    mean = {"log": np.exp, "inverse": lambda eta: 1 / eta}[link]
    slopes = {"log": lambda mu: (mu, mu), "inverse": lambda mu: (-(mu**2), 2 * mu**3)}[link]

    def parts(u: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        mu = mean(beta + Z @ u)
        e, (first, second) = y - mu, slopes(mu)
        V = (first**2 - e * second) / sigma**2
        value = np.sum((e / sigma) ** 2) + u @ u
        return value, u - Z.T @ (e * first) / sigma**2, Z.T @ (V[:, None] * Z) + np.eye(len(u))

    def bounded(u: np.ndarray) -> tuple[float, np.ndarray]:
        eta = beta + Z @ u
        outside = np.max(eta) > 20 or (link == "inverse" and np.min(eta) <= 0)
        return (1e30, u) if outside else (parts(u)[0], 2 * parts(u)[1])

    u = minimize(bounded, np.zeros(Z.shape[1]), jac=True, method="BFGS", options={"gtol": 1e-9}).x
    for _ in range(5):
        u = u - np.linalg.solve(*parts(u)[:0:-1])
    value, _, M = parts(u)
    return float(-0.5 * (len(y) * np.log(2 * np.pi * sigma**2) + value + np.linalg.slogdet(M)[1]))


def five(y: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"y": y, "z": [2, 0.5, 0.2, 0.3, 0.6], "g": list("abbcc")})


@pytest.mark.parametrize(
    ("y", "link", "theta", "beta", "sigma"),
    [
        ([72, 2.5, 2.6, 2.4, 2.7], "log", [0.35, 0.43], 0.9, 0.26),  # -14.15691
        ([300, 2.5, 2.6, 2.4, 2.7], "log", [0.6, 0.8], 0.9, 0.1),
        ([0.4, 20.5, 21.6, 19.4, 20.7], "inverse", [0.05, 0.3], 0.05, 0.02),
    ],
)
def test_a_mode_whose_rows_curve_by_very_different_amounts_is_found_in_few_steps(
    y: list[float], link: str, theta: list[float], beta: float, sigma: float
) -> None:
    d = five(y)
    model = bm.Model("y ~ 1 + (z || g)", d, family="gaussian", link=link, check="warn")
    found = model.loglik_at(theta=theta, beta=[beta], dispersion={"sigma": sigma})
    assert found == pytest.approx(dense_laplace(d, theta, beta, sigma, link), abs=DENSE)
    likelihood = laplace_of(model)
    x = likelihood.joined(likelihood.theta.working(np.array(theta)), np.array([beta]), {"sigma": sigma})
    assert likelihood.mode(x).steps <= FEW


@pytest.mark.parametrize(
    ("seed", "far", "reference"), [(3, 72, -48.999178), (103, 72, -32.606907), (105, 5000, -61.172711)]
)
def test_the_search_begins_where_a_far_row_does_not_rule_it(seed: int, far: float, reference: float) -> None:
    fit = bm.Model("y ~ z + (z || g)", far_row(seed, far), family="gaussian", link="log").fit("ml")
    assert fit.status.converged
    assert fit.loglik > reference - LOGLIK  # glmmTMB's; for the first and the last there is a higher maximum
    at_estimates = fit.model.loglik_at(theta=fit.theta, beta=fit.beta, dispersion=fit.dispersion)
    assert fit.loglik == pytest.approx(at_estimates, abs=LOGLIK)


def counts(size: float, dispersed: bool, crossed: bool = True) -> pd.DataFrame:
    rng, n = np.random.default_rng(8), 300
    d = pd.DataFrame({"x": rng.normal(size=n), "g": rng.integers(0, 20, n), "h": rng.integers(0, 12, n)})
    eta = np.log(size) + 0.3 * d["x"] + 0.4 * rng.normal(size=20)[d["g"]]
    eta += 0.3 * crossed * rng.normal(size=12)[d["h"]]
    spread = rng.gamma(4, 0.25, n) if dispersed else 1.0
    return d.assign(y=rng.poisson(np.exp(eta) * spread))


@pytest.mark.parametrize(
    ("family", "formula", "reference", "se"),
    [
        ("poisson", "y ~ x + (1 | g)", -2968.815486, 0.08405805),
        ("poisson", "y ~ x + (1 | g) + (1 | h)", -3071.369145, 0.1321886),
        ("negbinomial", "y ~ x + (1 | g) + (1 | h)", -5001.603456, 0.1281126),
    ],
)
def test_counts_near_ten_million_converge_to_the_optimum(
    family: str, formula: str, reference: float, se: float
) -> None:
    d = counts(1e7, family != "poisson", crossed="h" in formula)
    fit = bm.Model(formula, d, family=family).fit("ml")
    assert fit.status.converged and not fit.status.problems
    assert fit.loglik == pytest.approx(reference, abs=REFERENCE)
    assert fit.vcov().iloc[0, 0] ** 0.5 == pytest.approx(se, rel=SE)


@pytest.mark.parametrize("family", ["poisson", "negbinomial"])
def test_the_order_of_rows_does_not_matter_to_counts_near_a_billion(family: str) -> None:
    d = counts(1e9, family != "poisson")
    fits = [bm.Model("y ~ x + (1 | g) + (1 | h)", e, family=family).fit("ml") for e in (d, d[::-1])]
    assert all(fit.status.converged for fit in fits)
    assert fits[0].loglik == pytest.approx(fits[1].loglik, abs=SAME)


@pytest.mark.parametrize(
    ("y", "t", "poisson", "dispersed", "barely"),  # log mean t; shape 30 and 1e12
    [
        (1e9, 20.75, -360574.969400178, -19.955009199573, -360208.281103642),
        (1e7, 16.0, -67076.0080774375, -15.5568968482022, -67075.3877132943),
        (1e7, 12.0, -31343720.2789886, -1704.89567523788, -31343671.8934635),
        (0.0, 16.0, -8886110.52050787, -377.964179831622, -8886071.03926167),
    ],
)
def test_densities_of_large_counts_keep_their_digits(
    y: float, t: float, poisson: float, dispersed: float, barely: float
) -> None:
    """Against decimal arithmetic of 60 digits, log Gamma by Stirling's series from 60 on."""
    seen, eta = Observed(np.array([y])), np.array([t])
    families = bm.families.FAMILIES
    assert float(families["poisson"]().log_density(seen, eta, {})[0]) == pytest.approx(poisson, rel=EXACT)
    for alpha, value in ((30.0, dispersed), (1e12, barely)):
        found = families["negbinomial"]().log_density(seen, eta, {"alpha": alpha})
        assert float(found[0]) == pytest.approx(value, rel=EXACT)
