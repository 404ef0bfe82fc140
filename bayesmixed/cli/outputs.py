"""Where does a command write: is that possible, and what is each file called?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import DataError


def target(name: str, option: str, ends: Sequence[str]) -> Path:
    """The path typed, its end added where it has none.

    Raises
    ------
    DataError
        A folder, a file in one that does not exist, a name that says that it is something else.
    """
    path = Path(name)
    if path.is_dir():
        raise DataError(
            f"{option} {name!r} is a folder: name a file in it, {str(path / ('fit' + ends[0]))!r}.", topic="path"
        )
    if not path.parent.is_dir():
        raise DataError(
            f"{option} {name!r}: there is no folder {str(path.parent)!r}. Make it first: mkdir -p {path.parent}",
            topic="path",
        )
    if not path.suffix:
        return path.with_name(path.name + ends[0])
    if path.suffix.lower() not in ends:
        raise DataError(
            f"{option} writes {' or '.join(ends)}, which {path.name!r} does not say: name it {path.stem + ends[0]!r}.",
            topic="path",
        )
    return path


def one_each(path: Path, methods: Sequence[str]) -> dict[str, Path]:
    """A path per method: the path itself for one, else with the method in the name.

    >>> {method: path.name for method, path in one_each(Path("fit.nc"), ["reml", "nuts"]).items()}
    {'reml': 'fit-reml.nc', 'nuts': 'fit-nuts.nc'}
    """
    if len(methods) == 1:
        return {methods[0]: path}
    return {method: path.with_name(f"{path.stem}-{method}{path.suffix}") for method in methods}
