"""How large an answer may be, and what is said before anything larger is allocated."""

from __future__ import annotations

from pathlib import Path

from ..errors import FitError

MAX_BYTES = 4e9  # of what a call returns or holds at once
HELD_BESIDE = 1e9  # of replicates that are held beside what is made of them
SMALL = 1e7  # of what is there on any machine, so that it need not be asked
CONTAINER = Path("/sys/fs/cgroup/memory.max")  # where Linux says how much a container may have


def at_hand() -> float:
    """Bytes that this process can still have: what the machine has free, less where a container allows less.

    >>> at_hand() > 1e6
    True
    """
    import psutil

    free = float(psutil.virtual_memory().available)
    allowed = CONTAINER.read_text().strip() if CONTAINER.is_file() else "max"
    return min(free, float(allowed) - psutil.Process().memory_info().rss) if allowed.isdigit() else free


def refuse_too_large(count: float, each: float, what: str, remedy: str, limit: float | None = None) -> None:
    """Raise where `count` items of `each` float64 numbers would take more than `limit` bytes.

    Parameters
    ----------
    count, each
        How many items, and numbers in one.
    what
        What they are, with the verb: "100 draws of 7 rows are".
    remedy
        What to do instead; "{most}" in it becomes how many items fit.
    limit
        In bytes, `MAX_BYTES` if None; never more than there is at hand.

    Raises
    ------
    FitError
        With the size and the remedy.
    """
    size, limit = 8.0 * count * each, MAX_BYTES if limit is None else limit
    if size > SMALL:
        limit = min(limit, at_hand())
    if size > limit:
        most = max(1, int(limit / (8.0 * each)))
        raise FitError(f"{what} {size / 1e9:.1f} GB{remedy.format(most=most)}", topic="memory")
