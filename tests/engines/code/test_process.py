"""A script as a process of its own, out of reach of this package: it runs, and its posterior is that of NUTS."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bayesmixed as bm
from bayesmixed.fits.convergence import convergence

MONTE_CARLO = 4.0  # standard errors
# What runs a script with the package out of reach; its arguments are the script and what follows.
ALONE = """
import runpy, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "bayesmixed":
            raise ImportError("out of reach")

sys.meta_path.insert(0, Blocked())
found = runpy.run_path(sys.argv[1], run_name=sys.argv[2])
assert "bayesmixed" not in sys.modules
"""


def alone(script: Path, name: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(script), name], capture_output=True, text=True, cwd=script.parent, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_a_script_is_written_with_its_arrays_and_needs_nothing_of_this_package(tmp_path: Path) -> None:
    model = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))
    script = model.code(tmp_path / "sleep.py")
    assert (tmp_path / "sleep.py").read_text("utf-8") == script == model.code()
    with np.load(tmp_path / "sleep.npz") as arrays:
        assert set(arrays) == set(script.arrays)
        assert all(np.array_equal(arrays[name], values) for name, values in script.arrays.items())
    alone(tmp_path / "sleep.py", "imported")


def test_it_prints_and_shows_as_python() -> None:
    script = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).code()
    assert repr(script) == str(script)
    assert script._repr_markdown_().startswith("```python\n")


@pytest.mark.slow
@pytest.mark.parametrize("collapsed", [False, True])
def test_its_posterior_is_ours(tmp_path: Path, collapsed: bool) -> None:
    import arviz as az

    priors = {"1|Batch_sigma": bm.priors.Gamma(3, 0.06)}
    model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"), priors=priors)
    model.code(tmp_path / "yield.py", collapsed=collapsed)
    assert "Intercept" in alone(tmp_path / "yield.py", "__main__")
    theirs = az.from_netcdf(tmp_path / "yield.nc")
    ours = model.fit("nuts", seed=1, progress=False).idata
    assert list(theirs.posterior.data_vars) == list(ours.posterior.data_vars)
    assert set(theirs.sample_stats.data_vars) == set(ours.sample_stats.data_vars)
    for name, values in ours.posterior.data_vars.items():
        assert theirs.posterior[name].dims == values.dims
        for dim in values.dims[2:]:
            np.testing.assert_array_equal(theirs.posterior[dim], ours.posterior[dim])
        same_means(theirs.posterior[name].to_numpy(), values.to_numpy())


def same_means(one: Any, other: Any) -> None:
    """Means of draws (chains, draws, ...) within Monte Carlo error of each other."""
    one, other = (np.reshape(values, (*values.shape[:2], -1)) for values in (one, other))
    errors = [values.std(axis=(0, 1)) / np.sqrt(convergence(values).ess_bulk) for values in (one, other)]
    assert np.all(np.abs(one.mean(axis=(0, 1)) - other.mean(axis=(0, 1))) < MONTE_CARLO * np.hypot(*errors))
