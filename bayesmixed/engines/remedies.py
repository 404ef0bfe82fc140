"""Which options to type where draws were too few or steps too large: never less than the default or what was given."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from .base import Engine

TUNED = 1000  # warm-up iterations that "auto" stands for in advice
HIGHEST = 0.999  # acceptance: beyond it steps are so small that sampling stands still


def call(engine: Engine, **changes: Any) -> str:
    """The call that makes this engine with options changed, those that were raised above the default kept.

    >>> from bayesmixed.engines import NUTS
    >>> call(NUTS(draws=100, chains=2, target_accept=0.95), tune=200)
    'bm.NUTS(tune=1000, target_accept=0.95)'
    """
    shown = []
    for field in fields(engine):  # type: ignore[arg-type]  # every engine is a dataclass
        value = changes.get(field.name, getattr(engine, field.name))
        least = TUNED if field.name == "tune" else field.default
        if _is_number(value) and _is_number(least):
            value = max(value, least)
            asked = field.name in changes or value > least
        else:
            asked = value != field.default and isinstance(value, str | bool)
        if asked:
            shown.append(f"{field.name}={_text(value)}")
    return f"bm.{type(engine).__name__}({', '.join(shown)})"


def higher_acceptance(target: float, default: float) -> float | None:
    """A quarter of the rejections, of the default's where fewer were accepted; None where there is no more to gain.

    >>> higher_acceptance(0.8, 0.8), higher_acceptance(0.1, 0.8), higher_acceptance(0.995, 0.8)
    (0.95, 0.95, 0.999)
    """
    found = min(HIGHEST, round(1 - (1 - max(target, default)) / 4, 3))
    return found if found > target else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return f"{value:g}" if isinstance(value, float) else str(value)
