"""Fits on disk: one NetCDF file with JSON inside, readable without this package; nothing is pickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def save(fit: Any, path: str | Path) -> Path:
    raise NotImplementedError


def load(path: str | Path) -> Any:
    raise NotImplementedError
