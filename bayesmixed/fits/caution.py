"""Does a fit doubt itself? What its status says against its estimates, in one line that travels with the answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..messages import retold

if TYPE_CHECKING:
    from .base import Fit


def caution(*fits: Fit) -> tuple[str, ...]:
    """One line per fit whose estimates are in doubt, none where nothing speaks against them.

    A fit on the boundary and one that took longer than it should are found out about, but not doubted.
    """
    lines = [_line(fit.status.doubts) for fit in fits if fit.status.doubts]
    return tuple(dict.fromkeys(lines))


def with_caution(notes: Sequence[str], fit: Any) -> tuple[str, ...]:
    """Notes of an answer that is computed from a fit, what speaks against the fit first."""
    return (*caution(fit), *notes)


def _line(doubts: Sequence[str]) -> str:
    first = doubts[0].split(". ")[0].rstrip(".")  # what is wrong; the remedy that follows is in the status
    rest = len(doubts) - 1
    more = f" and {rest} more doubt{'s' * (rest > 1)}" if rest else ""
    return retold(doubts[0], f"Caution: {first}{more} (fit.status.problems says what to do).")
