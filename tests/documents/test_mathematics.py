"""The equations of docs/how, evaluated as they stand there with whole matrices, are what the package computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize
from scipy.special import expit, gammaln, log_expit

import bayesmixed as bm

SAME = 1e-9  # relative, of one number computed in two ways
STEP = 1e-4  # of differences, whose error is near 1e-7
DIFFERENCES = 1e-5  # relative, of derivatives by differences


def dense(fit: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X, Z with all levels of all terms, and the block-diagonal Lambda (relative to sigma where there is one)."""
    design = fit.model.design
    Zs, Ls = [], []
    for term, factor in zip(design.groups, fit.factors, strict=True):
        L, k = term.n_levels, term.Z.shape[1]
        Z = np.zeros((len(term.codes), L * k))
        for j in range(k):
            Z[np.arange(len(term.codes)), term.codes * k + j] = term.Z[:, j]
        Zs.append(Z)
        Ls.append(np.kron(np.eye(L), factor))
    size = sum(len(each) for each in Ls)
    Lambda, at = np.zeros((size, size)), 0
    for each in Ls:
        Lambda[at : at + len(each), at : at + len(each)] = each
        at += len(each)
    return design.mu.X, np.hstack(Zs), Lambda


@pytest.fixture(scope="module")
def sleep() -> Any:
    return bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")


@pytest.fixture(scope="module")
def cbpp() -> Any:
    data = bm.load_data("cbpp")
    return bm.Model("cbind(incidence, size - incidence) ~ period + (1 | herd)", data, family="binomial").fit("ml")


@pytest.mark.parametrize("reml", [False, True])
def test_criteria_of_penalised_least_squares(reml: bool) -> None:
    data = bm.load_data("sleepstudy")
    w, theta = np.resize([1.0, 2.0, 4.0], len(data)), np.array([0.9, 0.1, 0.3])
    model = bm.Model("Reaction ~ Days + (Days | Subject)", data, weights=w)
    X, Z, _ = dense(model.fit("ml"))
    Lambda = np.kron(np.eye(18), np.array([[0.9, 0.0], [0.1, 0.3]]))
    y, (n, p) = data["Reaction"].to_numpy(), X.shape
    root = np.sqrt(w)[:, None]
    Xw, Zw, yw = root * X, root * Z, root[:, 0] * y
    M = Lambda.T @ Zw.T @ Zw @ Lambda + np.eye(len(Lambda))
    V = np.diag(1 / w) + Z @ Lambda @ Lambda.T @ Z.T
    A = np.vstack([np.hstack([Xw, Zw @ Lambda]), np.hstack([np.zeros((len(Lambda), p)), np.eye(len(Lambda))])])
    solved, *_ = np.linalg.lstsq(A, np.append(yw, np.zeros(len(Lambda))), rcond=None)
    r2 = float(np.sum((np.append(yw, np.zeros(len(Lambda))) - A @ solved) ** 2))
    e = y - X @ solved[:p]
    logdet = np.linalg.slogdet(M)[1]
    RX = np.linalg.slogdet(X.T @ np.linalg.solve(V, X))[1]
    assert np.linalg.slogdet(V)[1] == pytest.approx(logdet - np.sum(np.log(w)), rel=SAME)
    assert e @ np.linalg.solve(V, e) == pytest.approx(r2, rel=SAME)
    df = n - p if reml else n
    D = logdet + (RX if reml else 0) + df * (1 + np.log(2 * np.pi * r2 / df)) - np.sum(np.log(w))
    assert -2 * model.loglik_at(theta=theta, reml=reml) == pytest.approx(D, rel=SAME)
    sigma = 20.0
    D = logdet + (RX if reml else 0) + df * np.log(2 * np.pi * sigma**2) + r2 / sigma**2 - np.sum(np.log(w))
    assert -2 * model.loglik_at(theta=theta, sigma=sigma, reml=reml) == pytest.approx(D, rel=SAME)


def laplace_pieces(fit: Any, beta: np.ndarray, sd: float) -> dict[str, Any]:
    """Mode and curvature of the binomial model, as docs/how/laplace.md has them."""
    X, Z, _ = dense(fit)
    data = bm.load_data("cbpp")
    y, trials = data["incidence"].to_numpy(), data["size"].to_numpy()
    ZL = sd * Z
    constant = np.sum(gammaln(trials + 1) - gammaln(y + 1) - gammaln(trials - y + 1))

    def log_f(eta: np.ndarray) -> np.ndarray:
        return y * log_expit(eta) + (trials - y) * log_expit(-eta)

    u = np.zeros(ZL.shape[1])
    for _ in range(50):
        mu = expit(X @ beta + ZL @ u)
        V = trials * mu * (1 - mu)
        M = ZL.T @ (V[:, None] * ZL) + np.eye(len(u))
        u = u + np.linalg.solve(M, ZL.T @ (y - trials * mu) - u)
    eta = X @ beta + ZL @ u
    mu = expit(eta)
    V = trials * mu * (1 - mu)
    M = ZL.T @ (V[:, None] * ZL) + np.eye(len(u))
    D = -2 * (np.sum(log_f(eta)) + constant) + u @ u + np.linalg.slogdet(M)[1]
    dV = trials * mu * (1 - mu) * (1 - 2 * mu)
    return {"X": X, "ZL": ZL, "Z": Z, "u": u, "eta": eta, "V": V, "M": M, "D": D, "g": y - trials * mu,
            "dV": dV, "log_f": log_f, "constant": constant}  # fmt: skip


def test_laplace_deviance_and_its_gradient(cbpp: Any) -> None:
    beta, sd = cbpp.beta + 0.1, 0.8
    at = laplace_pieces(cbpp, beta, sd)
    assert -2 * cbpp.model.loglik_at(theta=[sd], beta=beta) == pytest.approx(at["D"], rel=SAME)
    h = np.einsum("ij,jk,ik->i", at["ZL"], np.linalg.inv(at["M"]), at["ZL"])
    t = h * at["dV"]
    a = np.linalg.solve(at["M"], at["ZL"].T @ t)
    kappa = -2 * at["g"] + t - at["V"] * (at["ZL"] @ a)
    by_beta = at["X"].T @ kappa
    dz = at["Z"]
    by_sd = kappa @ (dz @ at["u"]) + 2 * np.sum(
        at["V"] * np.einsum("ij,jk,ik->i", at["ZL"], np.linalg.inv(at["M"]), dz)
    ) + at["g"] @ (dz @ a)  # fmt: skip
    for j in range(len(beta)):
        step = STEP * np.eye(len(beta))[j]
        ends = [laplace_pieces(cbpp, beta + sign * step, sd)["D"] for sign in (1, -1)]
        assert by_beta[j] == pytest.approx((ends[0] - ends[1]) / (2 * STEP), rel=DIFFERENCES)
    ends = [laplace_pieces(cbpp, beta, sd + sign * STEP)["D"] for sign in (1, -1)]
    assert by_sd == pytest.approx((ends[0] - ends[1]) / (2 * STEP), rel=DIFFERENCES)


@pytest.mark.parametrize("nodes", [1, 9])
def test_adaptive_quadrature(cbpp: Any, nodes: int) -> None:
    beta, sd = cbpp.beta, 0.7
    at = laplace_pieces(cbpp, beta, sd)
    z, w = np.polynomial.hermite_e.hermegauss(nodes)
    w = w / np.sum(w)
    codes = cbpp.model.design.groups[0].codes
    total = at["constant"]
    for level in range(len(at["u"])):
        rows, half = codes == level, at["M"][level, level] ** -0.5
        u = at["u"][level] + half * z
        eta = np.where(rows[:, None], (at["X"] @ beta)[:, None] + sd * u, 0.0)
        log = np.array([np.sum(at["log_f"](eta[:, j])[rows]) for j in range(nodes)])
        terms = w * np.exp(log - 0.5 * u**2 + 0.5 * z**2)
        total += np.log(half) + np.log(np.sum(terms))
    assert cbpp.model.loglik_at(theta=[sd], beta=beta, quadrature=nodes) == pytest.approx(total, rel=SAME)


def test_the_slope_in_a_variance_at_zero() -> None:
    """docs/how/boundary.md: at theta = 0 of Dyestuff the gradient is zero, the slope in the variance is not."""
    data = bm.load_data("Dyestuff")
    model = bm.Model("Yield ~ 1 + (1 | Batch)", data)
    X, Z, _ = dense(model.fit("ml"))
    y, n = data["Yield"].to_numpy(), len(data)
    e = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    slope = sum(Z[:, j] @ Z[:, j] - n / (e @ e) * (Z[:, j] @ e) ** 2 for j in range(Z.shape[1]))

    def D(theta: float) -> float:
        return float(-2 * model.loglik_at(theta=[theta]))

    assert slope < 0
    assert (D(1e-3) - D(0.0)) / 1e-6 == pytest.approx(slope, rel=1e-3)
    assert D(0.0) == pytest.approx(332.73, abs=0.01)
    assert model.fit("ml").deviance == pytest.approx(327.33, abs=0.01)


def marginal(fit: Any, gamma: np.ndarray) -> np.ndarray:
    """V of sleepstudy for gamma = (variance of intercepts, covariance, variance of slopes, sigma^2)."""
    _, Z, _ = dense(fit)
    Sigma = np.array([[gamma[0], gamma[1]], [gamma[1], gamma[2]]])
    return gamma[3] * np.eye(len(Z)) + Z @ np.kron(np.eye(18), Sigma) @ Z.T


def test_satterthwaite(sleep: Any) -> None:
    X = dense(sleep)[0]
    y, Sigma = sleep.model.design.response.y, sleep.sigma**2 * sleep.factors[0] @ sleep.factors[0].T
    gamma = np.array([Sigma[0, 0], Sigma[0, 1], Sigma[1, 1], sleep.sigma**2])

    def parts(at: np.ndarray) -> tuple[float, np.ndarray]:
        V = marginal(sleep, at)
        C = np.linalg.inv(X.T @ np.linalg.solve(V, X))
        e = y - X @ (C @ X.T @ np.linalg.solve(V, y))
        return np.linalg.slogdet(V)[1] - np.linalg.slogdet(C)[1] + e @ np.linalg.solve(V, e), C

    steps = 1e-3 * np.diag([gamma[0], 50.0, gamma[2], gamma[3]])
    H = np.array([[
        (parts(gamma + a + b)[0] - parts(gamma + a - b)[0] - parts(gamma - a + b)[0] + parts(gamma - a - b)[0])
        / (4 * np.max(a) * np.max(b)) for b in steps] for a in steps])  # fmt: skip
    C = parts(gamma)[1]
    for j, name in enumerate(sleep.fixef().index):
        g = np.array([(parts(gamma + a)[1][j, j] - parts(gamma - a)[1][j, j]) / (2 * np.max(a)) for a in steps])
        df = 2 * C[j, j] ** 2 / (g @ (2 * np.linalg.inv(H)) @ g)
        found = bm.hypothesis(sleep, f"{name} = 0", ddf="satterthwaite").frame["df"].iloc[0]
        assert found == pytest.approx(df, rel=1e-3)


def test_kenward_roger() -> None:
    """Unbalanced, so that nothing is a whole number; one row and two."""
    data = bm.load_data("sleepstudy").drop(index=[3, 4, 20, 21, 22, 60, 100, 101, 150])
    fit = bm.Model("Reaction ~ Days + (Days | Subject)", data).fit("reml")
    X, Z, _ = dense(fit)
    Sigma = fit.sigma**2 * fit.factors[0] @ fit.factors[0].T
    V = fit.sigma**2 * np.eye(len(Z)) + Z @ np.kron(np.eye(18), Sigma) @ Z.T
    kinds = [np.array(each, float) for each in ([[1, 0], [0, 0]], [[0, 1], [1, 0]], [[0, 0], [0, 1]])]
    G = [Z @ np.kron(np.eye(18), each) @ Z.T for each in kinds] + [np.eye(len(Z))]
    Vi = np.linalg.inv(V)
    Phi = np.linalg.inv(X.T @ Vi @ X)
    P = [-X.T @ Vi @ g @ Vi @ X for g in G]
    Q = [[X.T @ Vi @ g @ Vi @ h @ Vi @ X for h in G] for g in G]
    info = np.array([[0.5 * (np.trace(Vi @ G[r] @ Vi @ G[s]) - 2 * np.trace(Phi @ Q[r][s])
                             + np.trace(Phi @ P[r] @ Phi @ P[s])) for s in range(4)] for r in range(4)])  # fmt: skip
    W = np.linalg.inv(info)
    bias = sum(W[r, s] * (Q[r][s] - P[r] @ Phi @ P[s]) for r in range(4) for s in range(4))
    PhiA = Phi + 2 * Phi @ bias @ Phi
    for L in (np.array([[0.0, 1.0]]), np.eye(2)):
        l = len(L)  # noqa: E741  (as in the paper)
        Theta = L.T @ np.linalg.inv(L @ Phi @ L.T) @ L
        traces = [np.trace(Theta @ Phi @ p @ Phi) for p in P]
        A1 = sum(W[r, s] * traces[r] * traces[s] for r in range(4) for s in range(4))
        A2 = sum(W[r, s] * np.trace(Theta @ Phi @ P[r] @ Phi @ Theta @ Phi @ P[s] @ Phi)
                 for r in range(4) for s in range(4))  # fmt: skip
        B, g = (A1 + 6 * A2) / (2 * l), ((l + 1) * A1 - (l + 4) * A2) / ((l + 2) * A2)
        k = 3 * l + 2 * (1 - g)
        c1, c2, c3 = g / k, (l - g) / k, (l + 2 - g) / k
        E = 1 / (1 - A2 / l)
        v = 2 / l * (1 + c1 * B) / ((1 - c2 * B) ** 2 * (1 - c3 * B))
        rho = v / (2 * E**2)
        m = 4 + (l + 2) / (l * rho - 1)
        scaling = m / (E * (m - 2))
        beta = fit.beta
        F = scaling * (L @ beta) @ np.linalg.solve(L @ PhiA @ L.T, L @ beta) / l
        found = reference_test(fit, L)
        assert found.den_df == pytest.approx(m, rel=1e-6)
        assert found.statistic == pytest.approx(F, rel=1e-6)
        if l == 1:
            assert m == pytest.approx(2 / A2, rel=1e-9) and scaling == pytest.approx(1, rel=1e-9)


def reference_test(fit: Any, L: np.ndarray) -> Any:
    from bayesmixed.degrees.kenward_roger import reference

    return reference(fit).test(L, L @ fit.beta)


def test_intervals_of_predictions(sleep: Any) -> None:
    X, Z, Lambda = dense(sleep)
    ZL = Z @ Lambda
    N = np.linalg.inv(np.block([[X.T @ X, X.T @ ZL], [ZL.T @ X, ZL.T @ ZL + np.eye(ZL.shape[1])]]))
    rows = np.hstack([X, ZL])
    se = sleep.sigma * np.sqrt(np.einsum("ij,jk,ik->i", rows, N, rows))
    table = sleep.predict(interval="confidence")
    half = (table["upper"] - table["lower"]) / 2
    np.testing.assert_allclose(half, stats.norm.ppf(0.975) * se, rtol=1e-8)


def test_penalty_of_map_and_lkj() -> None:
    fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("map")
    penalty = -3 * np.sum(np.log(np.diag(fit.factors[0])))
    assert fit.criterion - fit.deviance == pytest.approx(penalty, rel=1e-6)
    inside = stats.beta(2, 2).ppf([0.025, 0.975]) * 2 - 1  # density proportional to 1 - rho^2 on (-1, 1)
    assert np.allclose(inside, [-0.81, 0.81], atol=0.005)


def test_the_optimum_is_that_of_the_written_criterion(cbpp: Any) -> None:
    found = minimize(lambda x: laplace_pieces(cbpp, x[:4], x[4])["D"], [*cbpp.beta, 0.6], method="BFGS")
    assert found.fun == pytest.approx(cbpp.deviance, abs=1e-5)
