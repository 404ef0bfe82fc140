"""A model as the text of a NumPyro script that needs nothing of this package."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

from ...errors import ModelError
from ..machine.x64 import x64
from .script import script
from .text import Script

if TYPE_CHECKING:
    from ...model import Model


def code(model: Model, path: str | PathLike[str] | None = None, *, collapsed: bool = False) -> Script:
    """The script of `Model.code`; written to `path`, with its arrays beside it, where one is given."""
    if collapsed:
        raise ModelError(
            "Scripts of collapsed models are not written yet: model.code() samples every effect.",
            topic="not-in-a-script",
        )
    with x64():
        found = script(model)
    if path is not None:
        found.save(path)
    return found
