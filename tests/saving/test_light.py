"""Loading a saved fit loads none of what fits: no engine's machinery, no JAX, none of SciPy's parts.

They are named in full, `scipy.special.ndtr`, where a loaded fit reaches: SciPy imports a part when it is first named.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import bayesmixed as bm

NOT_NEEDED = ("jax", "arviz", "matplotlib", "scipy.linalg", "scipy.special", "bayesmixed.likelihood.linear")
PROGRAM = "import sys, bayesmixed as bm; bm.load(sys.argv[1]); print([n for n in {names} if n in sys.modules])"


def test_a_saved_fit_is_loaded_without_what_fits(tmp_path: Path) -> None:
    path = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml").save(tmp_path / "fit.nc")
    command = [sys.executable, "-c", PROGRAM.format(names=NOT_NEEDED), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
