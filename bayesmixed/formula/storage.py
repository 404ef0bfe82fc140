"""How a Design is written as JSON and read back, number for number."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from .design import Design, GroupTerm, Predictor, Response
from .encoding import Encoding
from .plain import from_plain, to_plain

VERSION = 1
_TUPLES = {"coefficients", "r_names", "aliased", "columns", "r_columns"}


def write_design(design: Design) -> str:
    """The design as JSON: floats by their shortest exact form, levels with their types."""
    content = {
        "version": VERSION,
        "response": None if design.response is None else _fields(design.response),
        "predictors": [_fields(predictor) for predictor in design.predictors.values()],
        "groups": [_fields(term) for term in design.groups],
        "weights": to_plain(design.weights),
        "trials": to_plain(design.trials),
        "index": to_plain(design.index),
        "n_dropped": design.n_dropped,
        "encoding": design.encoding.to_dict(),
    }
    return json.dumps(content)


def read_design(text: str, namespace: Mapping[str, Any] | None = None) -> Design:
    """The design that `write_design` wrote.

    Raises
    ------
    DataError
        The formula uses names of the user's own that `namespace` does not have.
    """
    content = json.loads(text)
    response = None if content["response"] is None else _read(Response, content["response"])
    predictors = [_read(Predictor, plain) for plain in content["predictors"]]
    codes: dict[str, Any] = {}
    groups = []
    for plain in content["groups"]:
        term = _read(GroupTerm, plain)
        object.__setattr__(term, "codes", codes.setdefault(term.factor, term.codes))  # one array per factor
        groups.append(term)
    return Design(
        response,
        {predictor.name: predictor for predictor in predictors},
        tuple(groups),
        from_plain(content["weights"]),
        from_plain(content["index"]),
        content["n_dropped"],
        Encoding.from_dict(content["encoding"], namespace),
        from_plain(content["trials"]),
    )


def _fields(part: Response | Predictor | GroupTerm) -> dict[str, Any]:
    return {f.name: to_plain(getattr(part, f.name)) for f in fields(part)}


def _read(kind: Any, plain: dict[str, Any]) -> Any:
    values = {name: from_plain(value) for name, value in plain.items()}
    values |= {name: tuple(values[name]) for name in _TUPLES & values.keys()}
    if "terms" in values:
        values["terms"] = {name: tuple(columns) for name, columns in values["terms"].items()}
    if "variables" in values:
        values["variables"] = tuple(tuple(names) for names in values["variables"])
    if kind is Response and values["levels"] is not None:
        values["levels"] = tuple(values["levels"])
    return kind(**values)
