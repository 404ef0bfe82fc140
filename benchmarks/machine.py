"""What the times were measured on: processor, cores, memory, system, versions."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("numpy", "scipy", "pandas", "formulae")


def machine() -> dict[str, str]:
    """Facts by name."""
    return {
        "processor": _from_file("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": str(os.cpu_count()),
        "memory": _from_file("/proc/meminfo", "MemTotal"),
        "system": f"{platform.system()} {platform.release()}, {_distribution()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        "blas": _blas(),
        "load before the run": _load(),
    }


def _from_file(path: str, key: str) -> str:
    """The value on the first line that starts with `key`, where the system has such a file."""
    if not Path(path).is_file():
        return ""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "")


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.platform()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _load() -> str:
    """Processes that were already busy: times of a loaded machine are not worth comparing."""
    return f"{os.getloadavg()[0]:.1f} (one-minute average)" if hasattr(os, "getloadavg") else "unknown"


def _blas() -> str:
    """The BLAS libraries that NumPy and SciPy load, with their threads (left as they are by default)."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return "unknown (threadpoolctl is not installed)"
    import numpy.linalg  # noqa: F401
    import scipy.linalg  # noqa: F401

    found = {f"{pool['internal_api']} {pool['version']}, {pool['num_threads']} threads" for pool in threadpool_info()}
    return "; ".join(sorted(found))
