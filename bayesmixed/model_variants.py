"""Models made of another one without reading its table again: with another response, other rows, or from a file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import DataError
from .model_parts import check_response

if TYPE_CHECKING:
    import pandas as pd

    from .design.design import Design
    from .model import Model


def exchanged(model: Model, y: Any) -> Model:
    """The same model for another response `y` (n,) of the rows used; its priors stay the numbers they are."""
    response = model.design.response
    if response is None:
        raise DataError("The formula has no response to exchange. Write it as 'y ~ x + (1 | g)'.", topic="no-response")
    values = np.array(y, dtype=float)
    if values.shape != response.y.shape:
        raise DataError(
            f"with_response takes one number per row used ({len(response.y)}), not shape {values.shape}.",
            topic="given-values",
        )
    if model.design.weights is not None:
        absent = (model.design.weights == 0) & np.isnan(values)
        values[absent] = model.design.written(response.y)[absent]
    y = model.design.read(values)
    design = replace(model.design, response=replace(response, y=y))
    check_response(design, model.family)
    plain = response.name in model.frame
    changed = {
        "arguments": replace(model.arguments, data=None, priors=model.priors),
        "design": design,
        "frame": model.frame.assign(**{response.name: values}) if plain else model.frame,
        "priors": model.priors,
    }
    return _with(model, changed)


def restored(model: Model, n_dropped: int, asked: Any) -> Model:
    """`model` as it was before it was stored: rows that were dropped are counted, not kept.

    Its priors stay the numbers they are; `asked` is what the user gave for them, which `replace` resolves anew.
    """
    changed = {
        "arguments": replace(model.arguments, priors=asked),
        "design": replace(model.design, n_dropped=n_dropped),
    }
    if model.arguments.priors is not None:
        changed["priors"] = model.priors
    return _with(model, changed)


def with_design(model: Model, design: Design, frame: pd.DataFrame) -> Model:
    """The same formula, family and priors on other rows of its columns; levels, centres and contrasts stay."""
    changed = {
        "arguments": replace(model.arguments, data=None, priors=model.priors),
        "design": design,
        "frame": frame,
        "priors": model.priors,
    }
    return _with(model, changed)


def _with(model: Model, changed: dict[str, Any]) -> Model:
    other = object.__new__(type(model))
    other.__dict__.update(model.__dict__ | changed)
    return other
