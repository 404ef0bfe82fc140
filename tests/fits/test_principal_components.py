"""Principal components of a bar's covariance: lme4's rePCA in relative units, all its variance in absolute ones."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import load_result

import bayesmixed as bm

CLOSE = 1e-4  # of an sd: as far as two optimizers end from each other


def test_components_are_those_of_lme4_and_add_up_to_the_variances() -> None:
    fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    (found,) = fit.repca().values()
    assert found["sd"].tolist() == pytest.approx(
        load_result("lmm_sleepstudy_slope")["extras"]["rePCA"]["Subject"]["sdev"], rel=CLOSE
    )
    np.testing.assert_allclose(found["sd_absolute"], found["sd"] * fit.sigma)
    assert np.sum(found["sd_absolute"] ** 2) == pytest.approx(np.sum(fit.varcorr()["sd"][:2] ** 2))
    np.testing.assert_allclose(found["proportion"], found["sd"] ** 2 / np.sum(found["sd"] ** 2))


def test_without_scale_both_are_the_same() -> None:
    model = bm.Model("prop(incidence, size) ~ period + (1 | herd)", bm.load_data("cbpp"), family="binomial")
    fit = model.fit("ml")
    (found,) = fit.repca().values()
    assert found["sd"].tolist() == found["sd_absolute"].tolist() == pytest.approx(fit.varcorr()["sd"].tolist())
