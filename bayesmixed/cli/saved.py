"""Which saved fit was typed?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import DataError, nearest

if TYPE_CHECKING:
    from ..fits.base import Fit

END = ".nc"


def fit_argument(*, several: bool = False) -> click.Argument:
    """The file of a fit, or several."""
    name, number = ("fits", -1) if several else ("fit", 1)
    metavar = "FIT..." if several else "FIT"
    path = click.Path()  # completes the names of files
    return click.Argument([name], metavar=metavar, nargs=number, required=True, type=path, callback=_no_formula)


def _no_formula(_: click.Context, __: click.Parameter, value: Any) -> Any:
    for name in [value] if isinstance(value, str) else value or ():
        if "~" in name and not Path(name).exists():
            raise DataError(
                f'A saved fit is wanted, no formula. First: bayesmixed fit "{name}" TABLE --save fit.nc',
                topic="not-a-saved-fit",
            )
    return value


def fit_of(name: str) -> Fit:
    """The fit in a file that ``fit --save`` or `Fit.save` wrote.

    Raises
    ------
    DataError
        No such file, one that is damaged or no fit.
    """
    path = Path(name)
    if not path.is_file() and not path.with_suffix(END).is_file():
        raise DataError(f"There is no file {name!r}. {_near(path)}".rstrip(), topic="path")
    if path.is_file() and path.suffix.lower() != END:
        raise DataError(
            f"{name!r} is not a saved fit: bayesmixed fit FORMULA TABLE --save fit.nc makes one.",
            topic="not-a-saved-fit",
        )
    from ..saving.files import load

    return load(path)


def _near(path: Path) -> str:
    if path.is_dir():
        return "It is a folder."
    files = [str(path.parent / file.name) for file in path.parent.glob(f"*{END}")] if path.parent.is_dir() else []
    return nearest(str(path), files, "Fits there") if files else "bayesmixed fit FORMULA TABLE --save fit.nc makes one."
