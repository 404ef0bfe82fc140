"""Which data sets are known, and what is known of each: the records of ``catalogue.json``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import DataError

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Column:
    """One column: `type` is "integer", "number", "string" or "factor".

    `levels` is the level order of a factor, the first being the reference; None means the labels
    found in the file, in numeric order.
    """

    type: str
    ordered: bool = False
    levels: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Entry:
    """One data set; `r_object` is where R users find it ("lme4::InstEval"), None for simulations."""

    name: str
    title: str
    description: str
    citation: str
    source: str
    licence: str
    shipped: bool
    rows: int
    columns: dict[str, Column]
    r_object: str | None = None
    note: str = ""


@cache
def catalogue() -> dict[str, Entry]:
    """Every known data set by name, in alphabetical order."""
    records = json.loads((FOLDER / "catalogue.json").read_text(encoding="utf-8"))
    return {name: _entry(name, record) for name, record in records.items()}


def find(name: str) -> Entry:
    """The entry of that name; an unknown one is an error with the nearest names, whatever their case."""
    try:
        return catalogue()[name]
    except (KeyError, TypeError):
        raise DataError(f"Unknown data set {name!r}. {_suggestion(name)}", topic="data-sets") from None


def column(record: dict[str, Any]) -> Column:
    """A column from its JSON record."""
    levels = record.get("levels")
    listed = tuple(levels) if isinstance(levels, list) else None
    return Column(record["type"], record.get("ordered", False), listed)


def _entry(name: str, record: dict[str, Any]) -> Entry:
    columns = {key: column(value) for key, value in record["columns"].items()}
    return Entry(**{**record, "name": name, "columns": columns})


def _suggestion(name: object) -> str:
    lowered = {known.lower(): known for known in catalogue()}
    close = get_close_matches(str(name).lower(), lowered, n=3, cutoff=0.6)
    if close:
        return "Did you mean " + " or ".join(repr(lowered[key]) for key in close) + "?"
    return "bm.list_data() lists the known ones."
