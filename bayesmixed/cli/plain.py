"""How values read as JSON: all digits of a number, NaN as null, infinite ones as the text "inf"."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from math import isinf, isnan
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import pandas as pd


def print_json(content: Mapping[str, Any]) -> None:
    """One JSON object on standard output."""
    click.echo(json.dumps(plain(content), indent=2, ensure_ascii=False, allow_nan=False))


def plain(value: Any) -> Any:
    """Dicts, lists, numbers and texts that JSON has.

    >>> plain({"se": float("nan"), "limits": (0.1, float("inf"))})
    {'se': None, 'limits': [0.1, 'inf']}
    """
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # arrays and numbers of NumPy
        return plain(value.tolist())
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float):
        return None if isnan(value) else str(value) if isinf(value) else value
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    return None if value != value else str(value)  # what is missing of another type; dates and intervals as text


def records(table: pd.DataFrame, index: str | None = None) -> list[dict[str, Any]]:
    """A dict per row; row labels under the name `index`."""
    rows = table.to_dict("records")
    labels = [{} if index is None else {index: label} for label in table.index]
    return [
        {**label, **{str(name): value for name, value in row.items()}} for label, row in zip(labels, rows, strict=True)
    ]
