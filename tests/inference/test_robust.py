"""Cluster-robust tests: the dense formulas of Pustejovsky & Tipton (2018), clubSandwich, classical sandwiches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import sqrtm

import bayesmixed as bm
from bayesmixed.degrees.robust import robust
from bayesmixed.errors import FitError
from bayesmixed.likelihood.at import laplace_of
from bayesmixed.likelihood.small_sample.cluster_scores import cluster_scores

HERE = Path(__file__).resolve().parent
IDENTITY = 1e-8  # relative: the same algebra by dense matrices, whose square roots lose some digits
UNITS = 1e-6  # relative: two searches end at variances that differ by this
CLUB = 1e-5  # relative: optimizers of lme4 and nlme end there
DIFFERENCE, SLOPES = 1e-5, 1e-5  # of the parameters; what central differences of a log-likelihood are good to
FLAT = 1e-2  # slopes of the deviance where a search ended, in units of a standard error
DRAWN = 0.12  # of standard errors of 400 clusters: about three times their own error
KINDS = ("CR0", "CR2")


@pytest.fixture(scope="module")
def schools() -> pd.DataFrame:
    return pd.read_csv(HERE / "unbalanced_schools.csv")


def fit_of(table: pd.DataFrame, formula: str, engine: str = "reml", **options: Any) -> Any:
    return bm.Model(formula, table, **options).fit(engine)


def dense(fit: Any, cluster: np.ndarray, row: np.ndarray) -> dict[str, tuple[float, float]]:
    """CR0's and CR2's variance of row'beta, and the degrees of freedom of the quadratic form, from n x n matrices."""
    design, used = fit.model.design, fit.model.design.used
    X, y, g = design.mu.X[used], design.response.y[used], cluster[used]
    weights = np.ones(len(y)) if design.weights is None else design.weights[used]
    V = np.diag(fit.sigma**2 / weights)
    for j, term in enumerate(design.groups):
        Z = term.Z[used] @ fit.parameters.factor(j)[0, 0]
        V += (Z @ Z.T) * (term.codes[used][:, None] == term.codes[used])
    W = np.linalg.inv(V)
    C = np.linalg.inv(X.T @ W @ X)
    H, e, found = X @ C @ X.T @ W, y - X @ fit.beta, {}
    for kind in KINDS:
        vectors = []
        for level in np.unique(g):
            at = np.flatnonzero(g == level)
            Vg, Xg = V[np.ix_(at, at)], X[at]
            A = np.eye(len(at))
            if kind == "CR2":
                D = np.linalg.cholesky(Vg).T
                B = D @ (Vg - Xg @ C @ Xg.T) @ D.T
                A = D.T @ np.linalg.pinv(np.real(sqrtm(B))) @ D
            p = (np.eye(len(y)) - H)[at].T @ A.T @ np.linalg.inv(Vg) @ Xg @ C @ row
            vectors.append(p)
        P = np.column_stack(vectors)
        variance, inner = float(np.sum((P.T @ y) ** 2)), P.T @ V @ P
        assert np.allclose(P.T @ y, P.T @ e)
        found[kind] = (variance, float(np.trace(inner) ** 2 / np.sum(inner**2)))
    return found


@pytest.mark.parametrize(
    ("formula", "options"),
    [
        ("y ~ x + treated + (x | school)", {}),
        ("y ~ x + treated + (1 | school) + (x || room)", {}),
        ("y ~ x * treated + (1 | school)", {"weights": "w"}),
        ("y ~ x + treated + (1 | school)", {"weights": "without"}),
        ("y ~ x + treated", {"weights": "w"}),
        ("y ~ x + school + (1 | room)", {}),  # the fixed part explains clusters wholly: B is singular
    ],
)
def test_both_are_the_dense_formulas(schools: pd.DataFrame, formula: str, options: dict[str, Any]) -> None:
    table = schools.assign(without=np.where(np.arange(len(schools)) % 11 == 3, 0.0, schools["w"]))
    fit = fit_of(table, formula, **options)
    row = np.zeros(len(fit.beta))
    row[:3] = 0.3, 1.0, -2.0
    if "school" in formula.split("(")[0]:
        row[:3] = 0.0, 1.0, 0.0  # what is between clusters has no robust variance then
    expected = dense(fit, schools["school"].to_numpy(), row)
    for kind in KINDS:
        reference = robust(fit, kind, "school")
        assert reference.covariance(row[None])[0, 0] == pytest.approx(expected[kind][0], rel=IDENTITY)
    assert robust(fit, "CR2", "school").df(row[None])[0] == pytest.approx(expected["CR2"][1], rel=IDENTITY)


def test_clubsandwich(schools: pd.DataFrame) -> None:
    """r_clubsandwich.R: standard errors, Satterthwaite's df, approximate Hotelling's T^2 (HTZ)."""
    said = json.loads((HERE / "r_clubsandwich.json").read_text("utf-8"))["fits"]
    fits = {
        "slopes": fit_of(schools, "y ~ x + treated + (x | school)"),
        "nested": fit_of(schools, "y ~ x + treated + (1 | school) + (1 | room)", "ml"),
        "weighted": fit_of(schools, "y ~ x * treated + (1 | school)", weights="w"),
    }
    for name, fit in fits.items():
        texts = [f"{coefficient} = 0" for coefficient in fit.fixef().index[1:]]
        for kind in KINDS:
            frame = bm.hypothesis(fit, vcov=kind, cluster="school").frame
            np.testing.assert_allclose(frame["se"], said[name][kind]["se"], rtol=CLUB)
        found = bm.hypothesis(fit, texts, vcov="CR2", cluster="school")
        theirs = said[name]["CR2"]
        np.testing.assert_allclose(found.frame["df"], theirs["df"][1:], rtol=CLUB)
        np.testing.assert_allclose(
            [found.joint.statistic, found.joint.num_df, found.joint.den_df],
            [theirs["F"], theirs["num_df"], theirs["den_df"]],
            rtol=CLUB,
        )


def test_clusters_of_one_row_are_the_classical_sandwiches(schools: pd.DataFrame) -> None:
    """White (1980) and MacKinnon & White's (1985) HC2."""
    fit = fit_of(schools, "y ~ x + treated")
    X, e = fit.model.design.mu.X, fit.residuals().to_numpy()
    C = np.linalg.inv(X.T @ X)
    h = np.einsum("ij,jk,ik->i", X, C, X)
    for kind, squares in (("CR0", e**2), ("CR2", e**2 / (1 - h))):
        expected = C @ (X.T * squares) @ X @ C
        np.testing.assert_allclose(robust(fit, kind, np.arange(len(e))).covariance(np.eye(3)), expected, rtol=IDENTITY)


def test_a_balanced_design_gives_the_models_own_errors_and_the_classical_df() -> None:
    fit = fit_of(bm.load_data("sleepstudy"), "Reaction ~ Days + (Days | Subject)")
    frame = bm.hypothesis(fit, vcov="CR2", cluster="Subject").frame
    np.testing.assert_allclose(frame["se"], fit.coefficients["se"], rtol=UNITS)
    np.testing.assert_allclose(frame["df"], 17, rtol=UNITS)
    without = fit_of(bm.load_data("sleepstudy"), "Reaction ~ Days + (1 | Subject)")  # the slopes that it leaves out
    robust_se = bm.hypothesis(without, "Days = 0", vcov="CR2", cluster="Subject").frame["se"]
    np.testing.assert_allclose(robust_se, fit.coefficients["se"]["Days"], rtol=UNITS)


def test_a_joint_test_of_one_row_is_the_square_of_its_t(schools: pd.DataFrame) -> None:
    fit = fit_of(schools, "y ~ x + treated + (1 | school)")
    for kind in KINDS:
        found = bm.hypothesis(fit, ["treated = 0", "3*treated = 0"], vcov=kind, cluster="school")
        assert found.joint.statistic == pytest.approx(found.frame["statistic"].iloc[0] ** 2, rel=IDENTITY)
        assert found.joint.p == pytest.approx(found.frame["p"].iloc[0], rel=IDENTITY)


@pytest.mark.parametrize("kind", KINDS)
def test_unit_order_and_names_do_not_matter(schools: pd.DataFrame, kind: str) -> None:
    formula = "y ~ x + treated + (x | school) + (1 | room)"
    plain = bm.hypothesis(fit_of(schools, formula), vcov=kind, cluster="school").frame
    mixed = schools.assign(y=1000 * schools["y"], district=schools["school"].map(lambda s: 9 - int(s[1:])))
    mixed = mixed.sample(frac=1.0, random_state=1)
    other = bm.hypothesis(fit_of(mixed, formula), vcov=kind, cluster="district").frame
    np.testing.assert_allclose(other[["df", "statistic"]], plain[["df", "statistic"]], rtol=UNITS)
    np.testing.assert_allclose(other["se"], 1000 * plain["se"], rtol=UNITS)


def test_clusters_by_name_by_label_and_as_an_interaction_are_the_same(schools: pd.DataFrame) -> None:
    table = schools.assign(city=schools["school"].str[1:].astype(int) // 3, number=schools["school"].str[1:])
    fit = fit_of(table.assign(y=schools["y"].where(schools.index != 5)), "y ~ x + treated + (1 | school)")
    expected = bm.hypothesis(fit, vcov="CR2", cluster="school").frame
    given = schools["school"].sample(frac=1.0, random_state=2)  # a Series by its labels, all rows of the table
    for cluster in ("city:number", schools["school"].drop(5).to_numpy(), given):
        pd.testing.assert_frame_equal(bm.hypothesis(fit, vcov="CR2", cluster=cluster).frame, expected)


def poisson(n: int = 120, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"g": rng.integers(0, 12, n), "x": rng.normal(size=n)})
    table["room"] = table["g"] * 10 + rng.integers(0, 3, n)
    table["y"] = rng.poisson(np.exp(0.5 + 0.3 * table["x"] + rng.normal(scale=0.6, size=12)[table["g"]]))
    return table


@pytest.mark.parametrize(
    ("formula", "family", "nodes"),
    [("y ~ x + (x | g)", "poisson", 1), ("y ~ x + (1 | g) + (1 | room)", "negbinomial", 1),
     ("y ~ x + (1 | g)", "negbinomial", 5), ("y ~ x + (1 | g/room)", "poisson", 3)],
)  # fmt: skip
def test_scores_of_clusters_are_slopes_of_their_own_likelihood_and_add_up(
    formula: str, family: str, nodes: int
) -> None:
    table = poisson()
    fit = bm.Model(formula, table, family=family).fit(bm.ML(quadrature=nodes))
    likelihood, x = laplace_of(fit.model), fit.curvature.x
    cluster = table["g"].to_numpy() // 4
    scores = cluster_scores(likelihood, x, [np.flatnonzero(cluster == c) for c in range(3)], nodes)
    by_coefficient = scores[:, likelihood.coefficients] @ likelihood.rows.R
    at = {"theta": fit.theta, "dispersion": fit.dispersion, "quadrature": nodes}
    for c in range(3):
        part = bm.Model(formula, table[cluster == c], family=family)
        for j in range(2):
            step = DIFFERENCE * np.eye(2)[j]
            ends = [part.loglik_at(beta=fit.beta + sign * step, **at) for sign in (1, -1)]
            slope = -(ends[0] - ends[1]) / DIFFERENCE
            assert slope == pytest.approx(by_coefficient[c, j], rel=SLOPES, abs=SLOPES)
    finer = cluster_scores(likelihood, x, [np.flatnonzero(table["g"] == g) for g in range(12)], nodes)
    np.testing.assert_allclose(finer.sum(axis=0), scores.sum(axis=0), atol=SLOPES)
    assert np.max(np.abs(finer.sum(axis=0))) < FLAT


def test_a_poisson_regression_has_the_classical_sandwich() -> None:
    """Liang & Zeger (1986) with an independent working correlation: what GEE gives."""
    table = poisson()
    fit = bm.Model("y ~ x", table, family="poisson").fit("ml")
    X, mu = fit.model.design.mu.X, fit.fitted().to_numpy()
    C = np.linalg.inv((X.T * mu) @ X)
    scores = pd.DataFrame(X * (table["y"].to_numpy() - mu)[:, None]).groupby(table["g"]).sum().to_numpy()
    found = bm.hypothesis(fit, vcov="CR0", cluster="g")
    np.testing.assert_allclose(found.frame["se"], np.sqrt(np.diag(C @ scores.T @ scores @ C)), rtol=CLUB)
    assert np.all(found.frame["df"] == 11) and "clusters less one" in str(found)


def test_the_sandwich_of_a_mixed_model_covers_the_fixed_and_variance_parameters() -> None:
    """Many clusters from the model itself: the sandwich is near the inverse Hessian."""
    rng = np.random.default_rng(8)
    table = pd.DataFrame({"g": np.repeat(np.arange(400), 5), "x": rng.normal(size=2000)})
    eta = 0.2 + 0.4 * table["x"] + rng.normal(scale=0.7, size=400)[table["g"]]
    table["y"] = rng.poisson(np.exp(eta))
    fit = bm.Model("y ~ x + (1 | g)", table, family="poisson").fit("ml")
    robust_se = bm.hypothesis(fit, vcov="CR0", cluster="g").frame["se"]
    np.testing.assert_allclose(robust_se, fit.coefficients["se"], rtol=DRAWN)


def test_what_has_no_robust_errors(schools: pd.DataFrame) -> None:
    fit = fit_of(schools, "y ~ x + treated + (1 | school) + (1 | room)")
    crossed = schools.assign(week=np.arange(len(schools)) % 5)
    weeks = fit_of(crossed, "y ~ x + (1 | school) + (1 | week)")
    counts = bm.Model("y ~ x + (1 | g)", poisson(), family="poisson").fit("ml")
    spread = bm.Model(bm.Formula("y ~ x + (1 | school)", "sigma ~ treated"), schools).fit("ml")
    for given, options, message in (
        (fit, {"vcov": "CR2", "cluster": "room"}, "'school' crosses 'room', its level s0 lies in 3 of them"),
        (weeks, {"vcov": "CR0", "cluster": "school"}, "'week' crosses 'school', its level 0 lies in 9"),
        (fit, {"vcov": "CR2"}, "needs the clusters: cluster='school' or cluster='room'"),
        (fit, {"cluster": "school"}, 'say which, vcov="CR2"'),
        (fit, {"vcov": "CR3", "cluster": "school"}, "vcov='CR3' is not an option"),
        (fit, {"vcov": "CR2", "cluster": "schol"}, "cluster='schol' is not a column.*Did you mean 'school'"),
        (fit, {"vcov": "CR2", "cluster": [1, 2]}, r"cluster= has shape \(2,\), and the fit has 142 rows"),
        (fit, {"vcov": "CR2", "cluster": np.zeros(142)}, "two clusters or more"),
        (fit, {"vcov": "CR0", "cluster": "school", "ddf": "satterthwaite"}, "does not go with vcov='CR0'"),
        (fit, {"vcov": "CR0", "cluster": "school", "ddf": -1}, "positive number"),
        (counts, {"vcov": "CR2", "cluster": "g"}, 'Use vcov="CR0"'),
        (spread, {"vcov": "CR2", "cluster": "school"}, "one residual variance"),
        (fit.model.fit("map"), {"vcov": "CR2", "cluster": "school"}, "MAP adds a penalty"),
        (fit.model.fit("laplace", seed=1), {"vcov": "CR2", "cluster": "school"}, "leave out vcov="),
    ):
        with pytest.raises(FitError, match=message):
            bm.hypothesis(given, **options)


def test_with_fewer_clusters_than_equations_there_is_no_joint_p(schools: pd.DataFrame) -> None:
    fit = fit_of(schools, "y ~ x * treated")
    for kind in KINDS:
        found = bm.hypothesis(fit, ["x = 0", "treated = 0", "x:treated = 0"], vcov=kind, cluster=schools.index % 2)
        assert np.isnan(found.joint.p) and "too few clusters" in str(found)
