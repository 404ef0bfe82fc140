"""Effects of up to ten billion residual sds: estimates as from formulas, and words where nothing is left."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.likelihood.at import likelihood_of
from bayesmixed.likelihood.linear.modes import conditional_covariances, log_det_slopes, modes
from bayesmixed.likelihood.linear.orthogonal import solve_orthogonally
from bayesmixed.likelihood.linear.pls import solve

IDENTITY = 1e-9  # of algebraically equal numbers in float64
ESTIMATE = 1e-4  # relative, of sds: as against lme4
LIMIT = 1e-5  # relative: what a residual of 1e-6 of the effects leaves of the limit of zero residual is far below
LEVELS, ROWS = 25, 20

_rng = np.random.default_rng(1)
g = np.repeat(np.arange(LEVELS), ROWS)
a, noise, x = 0.6 * _rng.normal(size=LEVELS), _rng.normal(size=LEVELS * ROWS), _rng.normal(size=LEVELS * ROWS)
s, h = 0.3 * _rng.normal(size=LEVELS), _rng.integers(0, 12, LEVELS * ROWS)
b = 0.4 * _rng.normal(size=12)


def table(mean: np.ndarray, size: float) -> pd.DataFrame:
    return pd.DataFrame({"y": mean + size * noise, "g": g, "x": x, "h": h})


def one_way(y: np.ndarray, reml: bool) -> tuple[float, float]:
    """sds between and within of a balanced one-way layout (Searle, Casella & McCulloch 1992, section 3.7)."""
    means = y.reshape(LEVELS, ROWS).mean(axis=1)
    within = np.sum((y - means[g]) ** 2) / (LEVELS * (ROWS - 1))
    between = ROWS * np.sum((means - means.mean()) ** 2) / (LEVELS - reml)
    return float(np.sqrt((between - within) / ROWS)), float(np.sqrt(within))


@pytest.mark.parametrize("reml", [False, True])
@pytest.mark.parametrize("size", [1e-2, 1e-4, 1e-6, 1e-8, 1e-10])
def test_one_way_layout_as_by_its_formula(size: float, reml: bool) -> None:
    """At 1e-6 the sd between was 0.42 (ML) and 0.48 (REML) for 0.492 and 0.502, not converged."""
    data = table(a[g], size)
    fit = bm.Model("y ~ 1 + (1 | g)", data).fit("reml" if reml else "ml")
    assert fit.status.converged and not fit.status.problems
    np.testing.assert_allclose(fit.varcorr()["sd"], one_way(data["y"].to_numpy(), reml), rtol=ESTIMATE)


@pytest.mark.parametrize("size", [1e-4, 1e-6, 1e-8])
def test_slopes_have_the_covariance_of_the_lines_of_their_levels(size: float) -> None:
    """Without residual the lines are known: their covariance by J levels (ML) or J - 1 (REML) is the estimate."""
    data = table(a[g] + s[g] * x, size)
    for method, less in (("ml", 0), ("reml", 1)):
        fit = bm.Model("y ~ x + (x | g)", data).fit(method)
        known = np.cov(a, s, ddof=less)
        assert fit.status.converged
        np.testing.assert_allclose(fit.varcorr()["sd"][:2], np.sqrt(np.diag(known)), rtol=max(LIMIT, 10 * size))
        assert fit.varcorr()["Intercept"].iloc[1] == pytest.approx(np.corrcoef(a, s)[0, 1], abs=max(LIMIT, 10 * size))


@pytest.mark.parametrize("size", [1e-4, 1e-6, 1e-8])
def test_crossed_factors_have_the_variances_of_their_effects(size: float) -> None:
    """REML without residual: contrasts of the levels of each factor are known, the common level is lost to beta."""
    fit = bm.Model("y ~ 1 + (1 | g) + (1 | h)", table(a[g] + b[h], size)).fit("reml")
    assert fit.status.converged
    known = [np.std(a, ddof=1), np.std(b, ddof=1)]
    np.testing.assert_allclose(fit.varcorr()["sd"][:2], known, rtol=max(LIMIT, 10 * size))


@pytest.mark.parametrize("formula", ["y ~ x + (x | g)", "y ~ x + (x || g)", "y ~ x + (1 | g) + (1 | h)"])
@pytest.mark.parametrize("size", [1e-6, 1e-7, 1e-8])
def test_a_large_effect_beside_one_that_is_absent(size: float, formula: str) -> None:
    """Was 4.8 to 5.9 below the model without x (sd 0.32 for 0.47), converged: one unit for sds of 1e6 and of zero."""
    for seed in (1, 2):
        data = table(a[g], 0.0)
        data["y"] += size * np.random.default_rng(seed).normal(size=len(g))
        fit, without = bm.Model(formula, data).fit("ml"), bm.Model("y ~ x + (1 | g)", data).fit("ml")
        assert fit.status.converged
        assert fit.loglik > without.loglik - 1e-6
        assert fit.varcorr()["sd"].iloc[0] == pytest.approx(np.std(a), rel=ESTIMATE)


def test_one_large_effect_beside_one_of_the_size_of_the_residual() -> None:
    size = 1e-8
    fit = bm.Model("y ~ 1 + (1 | g) + (1 | h)", table(a[g] + 3 * size * b[h], size)).fit("reml")
    scaled = bm.Model("y ~ 1 + (1 | g) + (1 | h)", table(1e3 * size * a[g] + 3 * size * b[h], size)).fit("reml")
    assert fit.status.converged
    np.testing.assert_allclose(fit.varcorr()["sd"][1:], scaled.varcorr()["sd"][1:], rtol=ESTIMATE)
    assert fit.varcorr()["sd"].iloc[0] == pytest.approx(np.std(a, ddof=1), rel=ESTIMATE)


def test_map_has_its_optimum_far_out_and_says_so() -> None:
    """-3 log(tau / sigma) beside (J - 1) log tau^2 + SS / tau^2 + (n - J) log sigma^2 + W / sigma^2."""
    fit = bm.Model("y ~ 1 + (1 | g)", table(a[g], 1e-7)).fit(bm.MAP(criterion="reml"))
    assert fit.status.converged and not fit.status.problems
    n = LEVELS * ROWS
    between = np.sum((a - a.mean()) ** 2) / (LEVELS - 1 - 1.5)
    within = one_way(table(a[g], 1e-7)["y"].to_numpy(), True)[1] * np.sqrt((n - LEVELS) / (n - LEVELS + 1.5))
    np.testing.assert_allclose(fit.varcorr()["sd"], [np.sqrt(between), within], rtol=ESTIMATE)


@pytest.mark.parametrize("method", ["ml", "reml", "map"])
@pytest.mark.parametrize(
    ("formula", "mean", "words"),
    [
        ("y ~ 1 + (1 | g)", lambda: a[g], "The response y does not vary within the levels of g"),
        ("y ~ 1 + (1 | g)", lambda: 1e4 + a[g], "does not vary within the levels of g"),
        ("y ~ x + (x | g)", lambda: a[g] + s[g] * x, r"\(1 \+ x \| g\) explain the response y exactly"),
        ("y ~ x + (1 | g) + (1 | h)", lambda: a[g] + b[h] + 0.5 * x, "explain the response y exactly"),
    ],
)
def test_a_response_that_is_explained_exactly_is_refused(
    formula: str, mean: Callable[[], np.ndarray], words: str, method: str
) -> None:
    with pytest.raises(bm.errors.FitError, match=words) as raised:
        bm.Model(formula, table(mean(), 0.0)).fit(method)
    assert "residual sd is zero" in str(raised.value) and "constants=" in str(raised.value)


def test_a_known_sigma_makes_an_exact_response_fittable() -> None:
    fit = bm.Model("y ~ 1 + (1 | g)", table(a[g], 0.0), constants={"sigma": 0.01}).fit("ml")
    assert fit.status.converged
    assert fit.varcorr()["sd"].iloc[0] == pytest.approx(np.sqrt(np.var(a) - 0.01**2 / ROWS), rel=ESTIMATE)


def test_a_residual_in_the_last_digits_is_said() -> None:
    fit = bm.Model("y ~ 1 + (1 | g)", table(1e3 + a[g], 1e-10)).fit("ml")
    assert "digits" in fit.status.problems[0]


@pytest.mark.parametrize(
    "formula",
    ["y ~ x + (1 | g)", "y ~ x + (x | g) + (1 | h)", "y ~ x + (1 | g) + (x | h)", "y ~ 0 + (1 | g) + (1 | h)"],
)
def test_orthogonal_factors_are_the_elimination(formula: str) -> None:
    """Where neither loses digits both routes give the same solution, gradients, modes and conditional variances."""
    likelihood = likelihood_of(bm.Model(formula, table(a[g] + b[h], 1.0)))
    theta = np.random.default_rng(2).normal(size=likelihood.theta.size)
    factors = likelihood.factors(theta)
    assert likelihood.turned is not None
    plain = solve(likelihood.gram, likelihood.tail, factors, invert=True)
    found = solve_orthogonally(likelihood.turned, likelihood.tail, factors)
    for name in ("rss", "beta", "U", "U_inverse", "log_det_U", "log_det_M"):
        np.testing.assert_allclose(getattr(found, name), getattr(plain, name), rtol=IDENTITY, atol=IDENTITY)
    pairs = [
        (modes(likelihood.gram, plain).b, found.modes().b),
        (modes(likelihood.gram, plain).Ze, found.modes().Ze),
        (conditional_covariances(likelihood.gram, plain), conditional_covariances(likelihood.gram, found)),
        *((log_det_slopes(likelihood.gram, plain, reml), found.log_det_slopes(reml)) for reml in (False, True)),
    ]
    for left, right in pairs:
        for one, other in zip(left, right, strict=True):
            np.testing.assert_allclose(other, one, rtol=1e-8, atol=1e-8)
