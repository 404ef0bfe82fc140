"""How one of our functions is called with the arguments of a formula: what goes wrong names the place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...errors import DataError, FormulaError


def called(function: Callable[..., Any], text: str, *arguments: Any, **options: Any) -> Any:
    """The function's value; `text` is the call as the user wrote it.

    Raises
    ------
    FormulaError, DataError
        The function's own complaint, or arguments that it cannot take, after the call's text.
    """
    try:
        return function(*arguments, **options)
    except FormulaError as problem:
        raise FormulaError(f"`{text}`: {problem}", topic=problem.topic or "arguments-in-formula") from None
    except DataError as problem:
        raise DataError(f"`{text}`: {problem}", topic=problem.topic or "arguments-in-formula") from None
    except (TypeError, ValueError, ArithmeticError, LookupError) as problem:
        reason = str(problem).replace("fit_", "").replace("_one.<locals>.", "").replace("<lambda>", text.split("(")[0])
        raise FormulaError(f"`{text}`: wrong arguments ({reason}).", topic="arguments-in-formula") from None
