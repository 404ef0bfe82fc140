"""Chains start in scales that do not cut off what the rows say little of: slopes, correlation, overdispersion."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import halfnorm

import bayesmixed as bm
from bayesmixed.engines.program import build_program
from bayesmixed.engines.program.spreads import UNKNOWN, _log_sd_error
from bayesmixed.engines.sampler.chain_start import DISPERSION, SHAPE, site_scales
from bayesmixed.engines.sampler.generalized_start import generalized_start

DEPTH = 5.5  # doublings; with the scales of effects that a singular fit leaves they were 8
ERRORS = 5.0  # standard errors between two means of draws, the worst of four
# Mean and sd of log alpha, of the roots of both sds, and of the correlation, by 4,000 draws of 255 steps each in a
# metric that knew nothing of the effects' scales; effective sizes 1,436 to 3,795.
EPIL = np.array([[2.025, 0.715, 0.505, 0.003], [0.250, 0.048, 0.209, 0.406]])
EFFECTIVE = 100  # of 500 draws, at least


@pytest.fixture(scope="module")
def epil() -> bm.Model:
    """Seizures of 59 patients at four visits (Breslow & Clayton 1993); ML has a correlation of -0.95 and more."""
    data = bm.load_data("epil")
    data = data.assign(Base=np.log(data["base"] / 4), Age=np.log(data["age"]), Visit=(2 * data["period"] - 5) / 10)
    return bm.Model("y ~ Base * trt + Age + Visit + (Visit | subject)", data, family="negbinomial")


def scales(model: bm.Model) -> tuple[Any, dict[str, np.ndarray]]:
    start = generalized_start(model)
    program = build_program(model, "auto", start.centering())
    return start, site_scales(start, program.function, program.data)


def test_short_trees_cross_the_posterior_of_a_singular_fit(epil: bm.Model) -> None:
    fit = epil.fit(bm.NUTS(draws=250, chains=2), seed=1, progress=False)
    assert fit.status.divergences == 0 and fit.status.mean_tree_depth < DEPTH and not fit.status.warmup
    p = fit.parameters
    found = np.stack(
        [np.log(p.dispersion["alpha"]), *np.moveaxis(np.sqrt(p.sds[0]), -1, 0), p.corrs[0][..., 1, 0]], axis=-1
    )
    np.testing.assert_array_less(np.abs(found.mean(axis=(0, 1)) - EPIL[0]), ERRORS * EPIL[1] / np.sqrt(EFFECTIVE))


def test_what_the_rows_say_nothing_of_is_measured_by_its_prior(epil: bm.Model) -> None:
    start, found = scales(epil)
    assert np.array_equal(start.reliability[0], [0.0, 0.0])
    assert np.array_equal(found["subject_u"], np.ones((59, 2)))
    assert found["subject_sigma"] == pytest.approx(UNKNOWN)
    assert found["subject_corr"] == pytest.approx(SHAPE) and found["alpha"] == DISPERSION


def test_the_log_of_an_sd_has_the_information_of_noisy_effects() -> None:
    """Of v_i ~ N(0, sd^2 + noise^2) about log sd: 2 reliability^2 each, by differences of the expected log density."""
    sd, noise, levels, h = 0.7, 0.4, 30, 1e-3
    total = sd**2 + noise**2

    def expected(log_sd: float) -> float:
        variance = np.exp(2 * log_sd) + noise**2
        return -levels * (np.log(variance) + total / variance) / 2

    at = np.log(sd)
    information = -(expected(at + h) - 2 * expected(at) + expected(at - h)) / h**2
    assert _log_sd_error(levels, np.array([sd**2 / total]))[0] == pytest.approx(
        1 / np.sqrt(1 / UNKNOWN**2 + information), rel=1e-5
    )


def test_counts_without_overdispersion_start_where_the_prior_is() -> None:
    """ML's alpha is 1e5 or more; 1 / sqrt(alpha) is half-normal, and its 10 % quantile 0.126."""
    rng = np.random.default_rng(6)
    site = np.repeat(np.arange(130), 4)
    y = rng.poisson(np.exp(0.2 + 0.8 * rng.normal(size=130)[site]))
    model = bm.Model("y ~ 1 + (1 | site)", pd.DataFrame({"y": y, "site": site}), family="negbinomial")
    assert model.fit("ml").dispersion["alpha"] > 1e5
    assert generalized_start(model).dispersion["alpha"] == pytest.approx(1 / halfnorm.ppf(0.1) ** 2)
