"""How long a fresh process takes to import bayesmixed and make a first ML fit, beyond importing pandas and SciPy."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

BASELINE = "import pandas, scipy"
FIRST_FIT = """
import bayesmixed as bm
bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
"""
ROUNDS = 7


def startup() -> dict[str, float]:
    """Median seconds of both programs, run in turn so that a busy machine slows both, and their difference."""
    seconds(FIRST_FIT)  # fills the caches of compiled files and of the disk
    pairs = [(seconds(BASELINE), seconds(FIRST_FIT)) for _ in range(ROUNDS)]
    baseline = statistics.median(pair[0] for pair in pairs)
    ours = statistics.median(pair[1] for pair in pairs)
    return {"baseline": baseline, "first_fit": ours, "beyond": ours - baseline}


def seconds(program: str) -> float:
    """Wall time of one fresh interpreter."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return time.perf_counter() - begin


if __name__ == "__main__":
    print(startup())
