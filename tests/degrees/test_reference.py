"""Joint tests do not change with equations that follow from others, nor with the units that rows have."""

import numpy as np
import pytest

import bayesmixed as bm
from bayesmixed.degrees.reference import wald
from bayesmixed.errors import FitError

SAME = 1e-8  # relative: equations are solved in floating point


def test_rows_that_follow_from_others_count_once() -> None:
    for seed in range(200):
        rng = np.random.default_rng(seed)
        root, L, beta = rng.standard_normal((6, 6)), rng.standard_normal((2, 6)), rng.standard_normal(6)
        more = np.vstack([L, 1e6 * (L[0] + L[1]), 1e-6 * L[1]])
        statistic, rank = wald(L @ root, L @ beta)
        again, again_rank = wald(more @ root, more @ beta)
        assert (rank, again_rank) == (2, 2)
        assert again == pytest.approx(statistic, rel=SAME)


def test_a_covariance_that_is_not_known_gives_no_statistic() -> None:
    statistic, rank = wald(np.full((2, 3), np.nan), np.ones(2))
    assert np.isnan(statistic)
    assert rank == 2


def test_degrees_of_freedom_are_read_alike_with_robust_errors() -> None:
    fit = bm.Model("Reaction ~ Days + (1 | Subject)", bm.load_data("sleepstudy")).fit("reml")
    with pytest.raises(FitError, match=r"positive number or a method's name, not \[3\]"):
        bm.hypothesis(fit, "Days = 0", vcov="CR2", cluster="Subject", ddf=[3])
