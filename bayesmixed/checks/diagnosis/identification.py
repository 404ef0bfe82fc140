"""Which bars could no data determine, because other columns of the model hold the same effects?"""

from __future__ import annotations

from collections.abc import Sequence

from ...likelihood.identified import Unidentified
from ..finding import SERIOUS, Finding

CHECK = "identification"


def identification(found: Sequence[Unidentified], texts: Sequence[str]) -> tuple[Finding, ...]:
    """One finding for each; `texts` are those of the model's bars."""
    return tuple(_finding(one, [texts[j] for j in one.terms]) for one in found)


def _finding(one: Unidentified, bars: Sequence[str]) -> Finding:
    what = f"{' and '.join(bars)}: not identified"
    why = one.why if one.why.startswith(tuple(bars)) else f"{one.why[0].upper()}{one.why[1:]}"
    return Finding(CHECK, what, f"{why}. {one.meaning}.", one.remedy, SERIOUS, topic="not-identified")
