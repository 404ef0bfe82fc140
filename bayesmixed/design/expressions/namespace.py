"""What a function of the user's, from ``namespace=``, gives to a formula."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import DataError


def returned(function: Callable[..., Any], text: str, *arguments: Any, **options: Any) -> np.ndarray:
    """The function's value as an array of numbers or text.

    Exceptions of the function's own pass as they are, with the place in the formula added.

    Raises
    ------
    DataError
        It returned something else, None for example.
    """
    try:
        result = function(*arguments, **options)
    except Exception as problem:
        problem.add_note(f"raised by `{text}` in the formula")
        raise
    values = np.asarray(result.to_numpy() if hasattr(result, "to_numpy") else result)
    scalar_text = values.ndim == 0 and values.dtype.kind not in "biuf"
    if values.dtype.kind not in "biufOUS" or scalar_text:
        raise DataError(
            f"`{text}` returned a {type(result).__name__}: it must return one number or text per row.",
            topic="namespace",
        )
    return values
