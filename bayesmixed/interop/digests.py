"""Is what was read what was written? Fingerprints of a whole file, of a text, and of values however they are stored."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

SIZE = 16  # bytes of a digest: damage is chance, not intent
SEAL = b"\nbayesmixed blake2b "  # before the digest of a file, behind its last byte: readers of HDF5 stop before it
PIECE = 2**20  # bytes read at a time


def seal(path: Path) -> None:
    """Write the digest of a file behind its end."""
    found = _of_bytes(path, path.stat().st_size)
    with path.open("ab") as file:
        file.write(SEAL + found.encode())


def broken(path: Path) -> bool:
    """Whether a file with a seal is not what was sealed; one whose seal another program removed is not judged."""
    length = len(SEAL) + 2 * SIZE
    before = path.stat().st_size - length
    if before < 0:
        return False
    with path.open("rb") as file:
        file.seek(before)
        last = file.read(length)
    return last.startswith(SEAL) and last[len(SEAL) :].decode("latin-1") != _of_bytes(path, before)


def _of_bytes(path: Path, count: int) -> str:
    found = blake2b(digest_size=SIZE)
    with path.open("rb") as file:
        while count > 0 and (piece := file.read(min(PIECE, count))):
            found.update(piece)
            count -= len(piece)
    return found.hexdigest()


def of_text(text: str) -> str:
    """The digest of a text.

    >>> of_text("y ~ x") == of_text("y ~ x"), of_text("y ~ x") == of_text("y ~ z")
    (True, False)
    """
    return blake2b(text.encode(), digest_size=SIZE).hexdigest()


def of_dataset(data: xr.Dataset) -> str:
    """The digest of every variable and coordinate: name, dimensions, values and texts said of it.

    Numbers are taken as 64-bit, texts as UTF-8 and every missing number as one NaN: a file may come back in other
    widths, and through other versions of what reads it, and still hold the same.
    """
    found = blake2b(digest_size=SIZE)
    for name in sorted(map(str, data.variables)):
        values = data.variables[name]
        said = sorted((str(key), text) for key, text in values.attrs.items() if isinstance(text, str))
        for text in (name, *map(str, values.dims), *(part for pair in said for part in pair)):
            _add_text(found, text)
        for part in _parts(values.to_numpy()):
            found.update(part)
    return found.hexdigest()


def _parts(values: np.ndarray) -> Iterator[bytes]:
    """The values in one form per kind, each after what tells it from another of the same bytes."""
    yield f"{values.shape}".encode()
    kind = values.dtype.kind
    if kind in "biu":
        yield b"whole" + values.astype("<i8").tobytes()
    elif kind == "f":
        numbers = values.astype("<f8")
        yield b"number" + np.where(np.isnan(numbers), np.nan, numbers).tobytes()
    elif kind in "mM":
        yield b"time" + values.astype(f"{kind}8[ns]").astype("<i8").tobytes()
    else:
        texts = [str(value).encode() for value in values.ravel().tolist()]
        yield b"text" + b"".join(b"%d:" % len(text) + text for text in texts)


def _add_text(found: blake2b, text: str) -> None:
    coded = text.encode()
    found.update(b"%d:" % len(coded) + coded)
