"""Files of earlier versions: point fits held factors relative to sigma, and still load."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import bayesmixed as bm
from bayesmixed.interop import netcdf


@pytest.mark.parametrize("bar", ["(Days | Subject)", "(Days || Subject)"])
def test_relative_factors_are_read_as_absolute_ones(bar: str, tmp_path: Path) -> None:
    fit = bm.Model(f"Reaction ~ Days + {bar}", bm.load_data("sleepstudy")).fit("reml")
    path = fit.save(tmp_path / "fit.nc")
    content, frame, groups = netcdf.read(path)
    estimates = groups["estimates"]
    earlier = estimates.drop_vars([name for name in estimates if str(name).startswith("roots_")])
    for j, Lambda in enumerate(fit.factors):
        earlier[f"factors_{j}"] = ([f"row_{j}", f"column_{j}"], Lambda)
    netcdf.write(path, content, frame, {**groups, "estimates": earlier})
    for now, then in zip(bm.load(path).parameters.factors, fit.parameters.factors, strict=True):
        np.testing.assert_allclose(now, then, rtol=1e-14)


def test_what_is_loaded_is_what_was_saved(tmp_path: Path) -> None:
    fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    again = bm.load(fit.save(tmp_path / "fit.nc"))
    np.testing.assert_array_equal(again.parameters.factors[0], fit.parameters.factors[0])
    np.testing.assert_array_equal(again.parameters.b[0], fit.parameters.b[0])
