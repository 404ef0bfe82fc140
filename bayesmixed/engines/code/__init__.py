"""A model as the text of a NumPyro script that needs nothing of this package."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

from ..machine.x64 import x64
from .script import script
from .text import Script

if TYPE_CHECKING:
    from ...model import Model


def code(model: Model, path: str | PathLike[str] | None = None, *, collapsed: bool = False) -> Script:
    """The script of `Model.code`; written to `path`, with its arrays beside it, where one is given."""
    with x64():
        found = script(model, collapsed)
    if path is not None:
        found.save(path)
    return found
