"""Columns far from zero: a date or a wave length may be counted from anywhere, and no standard error feels it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.interop import netcdf

CANCELLED = 1e-5  # of the answer: what rounding leaves where (737000 / 29)^2 = 6e8 of 1e16 cancel
DAY, SECOND = 737000.0, 1.7e9


def table(origin: float = 0.0) -> pd.DataFrame:
    """Two responses over a hundred days counted from `origin`, in ten groups."""
    rng = np.random.default_rng(0)
    g, t = rng.integers(0, 10, 300), rng.integers(0, 100, 300)
    y = 0.01 * t + rng.normal(size=10)[g] + rng.normal(size=300)
    return pd.DataFrame({"g": g, "t": t + origin, "y": y, "success": (y > 0.5).astype(int)})


def bent(origin: float = 0.0) -> Any:
    return bm.Model("y ~ t + I(t**2) + (1 | g)", table(origin)).fit("reml")


@pytest.mark.parametrize(("formula", "origin"), [("y ~ t + I(t**2) + (1 | g)", DAY), ("y ~ t + (1 | g)", SECOND)])
@pytest.mark.parametrize("engine", ["reml", "map"])
def test_standard_errors_are_those_of_predict(formula: str, origin: float, engine: str) -> None:
    """Which computes them from the rows, x'V x never formed."""
    fit = bm.Model(formula, table(origin)).fit(engine)
    limits = fit.predict(pd.DataFrame({"t": [origin + 20]}), re="none", interval="confidence")
    half = (limits["upper"] - limits["lower"])[0] / 2
    for found in (
        bm.emmeans(fit, "1", at={"t": origin + 20}, ddf="asymptotic"),
        bm.predictions(fit, {"t": [origin + 20]}, ddf="asymptotic"),
    ):
        assert (found.frame["upper"] - found.frame["lower"])[0] / 2 == pytest.approx(half, rel=CANCELLED)


@pytest.mark.parametrize("engine", ["ml", "map"])
def test_an_origin_changes_no_standard_error(engine: str) -> None:
    """Of links too, whose covariance comes from the curvature of all parameters."""
    found = []
    for origin in (0.0, DAY):
        model = bm.Model("success ~ t + I(t**2) + (1 | g)", table(origin), family="bernoulli")
        means = bm.predictions(model.fit(engine), {"t": [origin + 3, origin + 90]})
        found.append([*means.frame["se"], *means.contrast().frame["se"]])
    np.testing.assert_allclose(found[1], found[0], rtol=10 * CANCELLED)  # the optima themselves differ by as much


def test_a_loaded_fit_has_the_same_standard_errors(tmp_path: Path) -> None:
    fit = bent(DAY)
    fit.save(tmp_path / "fit.nc")
    pd.testing.assert_frame_equal(bm.emmeans(bm.load(tmp_path / "fit.nc"), "1").frame, bm.emmeans(fit, "1").frame)


def test_a_file_that_holds_the_covariance_alone_is_read(tmp_path: Path) -> None:
    """As files did before the factor was kept."""
    fit = bent()
    path = fit.save(tmp_path / "fit.nc")
    content, frame, groups = netcdf.read(path)
    earlier = groups["estimates"].drop_vars("coefficient_root")
    earlier = earlier.assign(beta_covariance=(["i", "j"], fit.coefficient_covariance))
    netcdf.write(path, content, frame, {**groups, "estimates": earlier})
    pd.testing.assert_frame_equal(bm.load(path).vcov(), fit.vcov(), rtol=CANCELLED)
