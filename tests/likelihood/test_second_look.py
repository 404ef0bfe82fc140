"""Of several maxima the higher one: what a second look finds, and a way down that no gradient shows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.covariance.base import echelon

LOGLIK = 1e-5  # absolute: as against other programs


def small(seed: int) -> pd.DataFrame:
    """48 gamma responses in 6 levels of one factor and 8 of another."""
    r = np.random.default_rng(seed)
    n = 48
    x, f = r.normal(size=n), r.choice(list("ab"), n)
    g, m = r.integers(0, 6, n), r.integers(0, 8, n)
    mu = np.exp(r.normal(size=6)[g] * 0.6 * (f == "b") + r.normal(size=8)[m] * 0.3)
    return pd.DataFrame({"x": x, "f": f, "g": g, "m": m, "y": r.gamma(1, mu)})


def test_the_higher_of_two_maxima_of_a_gamma_model() -> None:
    """One is at -43.44506 with a variance of zero in m, the other, the best of many starts, at -43.43430."""
    model = bm.Model("y ~ x + (0 + f | g) + (1 | m)", small(16), family="gamma")
    for method in ("ml", bm.ML(start=[0.0, 0.243474, 0.439260, 0.0])):
        fit = model.fit(method)
        assert fit.status.converged
        assert fit.loglik == pytest.approx(-43.434299, abs=LOGLIK)


def test_a_search_begun_at_the_lower_maximum_ends_at_the_higher() -> None:
    """Best of many starts: -42.66468; from the theta below a search alone stays at -42.9731."""
    model = bm.Model("y ~ x + (x | g) + (1 | m)", small(200), family="gamma")
    fit = model.fit(bm.ML(start=[0.340359, 0.274301, 0.124255, 0.0]))
    assert fit.status.converged
    assert fit.loglik == pytest.approx(-42.664680, abs=LOGLIK)


def test_map_looks_too() -> None:
    model = bm.Model("y ~ x + (x | g) + (1 | m)", small(200), family="gamma")
    flat = bm.MAP(priors={}, start=[0.340359, 0.274301, 0.124255, 0.01])
    assert model.fit(flat).loglik == pytest.approx(-42.664680, abs=LOGLIK)


def hidden() -> pd.DataFrame:
    """104 normal responses whose slopes vary between 4 to 8 levels, their intercepts next to not at all."""
    r = np.random.default_rng(687)
    n, levels, others = int(r.integers(40, 120)), int(r.integers(4, 9)), int(r.integers(4, 10))
    x, _ = r.normal(size=n), r.choice(list("ab"), n)
    g, m = r.integers(0, levels, n), r.integers(0, others, n)
    r.choice(3), r.choice(5)
    sds, rho = r.choice([0, 0.3, 0.6, 1.0], 2), r.choice([-1, -0.5, 0, 0.5, 1])
    factor = np.array([[sds[0], 0], [rho * sds[1], np.sqrt(1 - rho**2) * sds[1]]])
    b = r.normal(size=(levels, 2)) @ factor.T
    fixed = 0.3 * x * r.choice([0, 1])
    mean = fixed + b[g, 0] + b[g, 1] * x + r.normal(size=others)[m] * r.choice([0, 0.3, 0.6])
    return pd.DataFrame({"x": x, "g": g, "m": m, "y": np.clip(mean, -4, 4) + r.normal(size=n)})


def test_a_zero_variance_is_left_by_a_covariance() -> None:
    """At Lambda = [[0, 0], [0, c]] every gradient is zero, -151.01984; by a covariance -151.01963, best of many."""
    fit = bm.Model("y ~ x + (1 + x | g) + (1 | m)", hidden()).fit("ml")
    assert fit.status.converged
    assert fit.loglik == pytest.approx(-151.019626, abs=LOGLIK)


def test_no_second_search_where_nothing_is_near_the_boundary() -> None:
    model = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))
    assert model.fit("ml").status.evaluations < 20


def test_echelon_keeps_the_covariance_and_puts_the_rank_first() -> None:
    r = np.random.default_rng(0)
    for zero in (0, 1, 2):
        factor = np.tril(r.normal(size=(4, 4)))
        factor[zero] = 0.0
        found = echelon(factor)
        np.testing.assert_allclose(found @ found.T, factor @ factor.T, atol=1e-12)
        assert np.allclose(found, np.tril(found)) and np.all(found[:, -1] == 0)
