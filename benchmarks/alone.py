"""What one engine answers in a process of its own, on one thread."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

Record = dict[str, Any]
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
LIMIT = 300  # seconds


def run(command: list[str], threads: tuple[str, ...] = THREADS) -> Record:
    """The JSON line that a command prints last, or why there is none; the variables `threads` are set to 1."""
    alone = os.environ | dict.fromkeys(threads, "1")
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=alone, check=False, timeout=LIMIT)
    except (OSError, subprocess.TimeoutExpired) as failure:
        return {"failure": str(failure)[:160]}
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        return {"failure": (done.stderr.strip().splitlines() or ["no answer"])[-1][:160]}
    found: Record = json.loads(lines[-1])
    return found
