"""A script as a text that carries its arrays: it prints as it is, and is saved with them beside it."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from types import MappingProxyType

import numpy as np

from ...page.files import checked
from .frame import COORDS


class Script(str):
    """The text of a script; `arrays` are those that it reads, by name.

    Notebooks show it as Python. `save` writes both.
    """

    arrays: Mapping[str, np.ndarray]

    def __new__(cls, text: str, arrays: Mapping[str, np.ndarray]) -> Script:
        made = super().__new__(cls, text)
        made.arrays = MappingProxyType(dict(arrays))
        return made

    @property
    def data(self) -> dict[str, np.ndarray]:
        """Those that `model` takes: labels left out."""
        return {name: values for name, values in self.arrays.items() if not name.startswith(COORDS)}

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        return f"```python\n{self}```"

    def save(self, path: str | PathLike[str]) -> None:
        """Write the script to `path`, and its arrays beside it under the same name with the ending ".npz".

        Parameters
        ----------
        path
            Of the script, which ends in ".py"; what is there is written over.

        Raises
        ------
        FitError
            For a folder, a file in one that does not exist, or a name with another ending.
        """
        place = checked(path, 'model.code("model.py")', ".py", "")
        place.write_text(self, encoding="utf-8")
        np.savez_compressed(place.with_suffix(".npz"), **dict(self.arrays))  # type: ignore[arg-type]  # no name is that of an option of savez
