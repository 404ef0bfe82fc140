"""What does a report of a fault need to say of the machine and of the software?"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

import pandas as pd

from .engines.machine import compilation_cache
from .page import Page, Printed, Section

NEEDED = "needed"
# Brought by what is needed, of versions of their own, and where faults have been.
BROUGHT = ("jaxlib", "arviz-base", "arviz-stats", "arviz-plots")
FOR_DEVELOPERS = ("test", "docs", "bench", "dist", "quickstart", "all")  # extras that say nothing of a user's fit
SETTINGS = re.compile(r"BAYESMIXED_|JAX_|XLA_|(OMP|OPENBLAS|MKL|BLIS|VECLIB_MAXIMUM|NUMEXPR)_.*THREADS|OPENBLAS_CORE")
PACKAGE = __name__.partition(".")[0]


@dataclass(frozen=True, repr=False)
class Versions(Printed):
    """What `show_versions` found: prints, and has `frame`, one row per fact: part, name, value."""

    frame: pd.DataFrame

    @property
    def page(self) -> Page:
        """What is printed."""
        parts = self.frame.groupby("part", sort=False)
        tables = (facts[["name", "value"]].set_axis([str(part), ""], axis=1) for part, facts in parts)
        return Page(tuple(Section("", table, index=False) for table in tables))


def show_versions() -> Versions:
    """What to paste into the report of a fault: system, versions, linear algebra and its threads, settings.

    Nothing is loaded for it but NumPy, pandas and SciPy's linear algebra: what JAX computes on is told where JAX is
    in use already, after a fit by NUTS, say.

    Returns
    -------
    Versions
        Prints as a page; ``frame`` has the columns ``part``, ``name`` and ``value``, all texts.

    Notes
    -----
    Environment variables are told where they set threads, JAX or bayesmixed; no other, and no name of a file but that
    of the folder of compiled programs.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> found = bm.show_versions()
    >>> found.frame.loc[found.frame["name"] == "bayesmixed", "value"].item() == bm.__version__
    True
    """
    parts = {
        "System": _system(),
        "Packages that are needed": _packages(lambda extra: extra == NEEDED),
        "Packages for more": _packages(lambda extra: extra not in (NEEDED, *FOR_DEVELOPERS)),
        "Linear algebra": _linear_algebra(),
        "Settings": _settings(),
    }
    rows = [(part, name, value) for part, facts in parts.items() for name, value in facts]
    return Versions(pd.DataFrame(rows, columns=["part", "name", "value"]))


def _system() -> Iterator[tuple[str, str]]:
    yield PACKAGE, import_module(PACKAGE).__version__
    yield "Python", f"{platform.python_version()} ({platform.python_implementation()})"
    yield "platform", platform.platform()
    yield "processors", f"{os.cpu_count()}, of which this process may use {_usable()}"


def _usable() -> int | None:
    """Processors that the process may run on; where the system cannot tell, those that there are."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux alone has it
    return len(affinity(0)) if affinity else os.cpu_count()


def _packages(wanted: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    extras = _extras()
    names = [name for name, extra in extras.items() if wanted(extra)]
    if wanted(NEEDED):
        names += [name for name in BROUGHT if _version(name)]
    for name in names:
        asked = f" (extra {extras[name]!r})" if extras.get(name, NEEDED) != NEEDED else ""
        yield name, _version(name) or f"not installed{asked}"


def _extras() -> dict[str, str]:
    """Package -> the extra that brings it, `NEEDED` where none has to be asked for, as pyproject.toml says."""
    try:
        lines = requires(PACKAGE) or []
    except PackageNotFoundError:  # run from a folder: these are sure to be needed
        lines = ["numpy", "scipy", "pandas", "jax", "numpyro", "arviz"]
    found: dict[str, str] = {}
    for line in lines:
        name = re.match(r"[\w.-]+", line)
        extra = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", line)
        asked = extra.group(1) if extra else NEEDED
        if name and (name.group() not in found or found[name.group()] in FOR_DEVELOPERS):
            found[name.group()] = asked
    return found


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _linear_algebra() -> Iterator[tuple[str, str]]:
    import scipy.linalg  # noqa: F401  (its BLAS must be loaded to be found)
    from threadpoolctl import threadpool_info

    for library in threadpool_info():
        of = next((name for name in ("numpy", "scipy") if f"{name}.libs" in library["filepath"]), "")
        facts = [library.get("version"), library.get("architecture"), f"{library['num_threads']} threads"]
        yield library["internal_api"] + (f" of {of}" if of else ""), ", ".join(filter(None, facts))
    jax: Any = sys.modules.get("jax")
    yield "JAX computes on", ", ".join(str(device) for device in jax.devices()) if jax else "not in use yet"


def _settings() -> Iterator[tuple[str, str]]:
    yield "compiled programs are kept", compilation_cache.folder_in_use() or "no"
    for name in sorted(os.environ):
        if SETTINGS.match(name):
            yield name, os.environ[name]
