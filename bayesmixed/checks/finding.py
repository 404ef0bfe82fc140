"""What a check found: where, what it means, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

SERIOUS, WARNING, NOTE = "serious", "warning", "note"


@dataclass(frozen=True)
class Finding:
    """One thing that a check found.

    `check` names the check ("singularity"), `what` the finding in one line with the names it concerns, `words` what
    it means, `remedy` what to do or type, `severity` is "serious" (do not report these numbers), "warning" (read this
    before you do) or "note". `topic` is the name under which the page of messages explains it.
    """

    check: str
    what: str
    words: str
    remedy: str
    severity: str = WARNING
    topic: str = ""


def findings_table(findings: Sequence[Finding]) -> pd.DataFrame:
    """One row per finding: check, severity, what, words, remedy."""
    columns = ["check", "severity", "what", "words", "remedy"]
    return pd.DataFrame([{name: getattr(found, name) for name in columns} for found in findings], columns=columns)


def listed(names: Sequence[str], most: int = 6) -> str:
    """Names as a sentence has them.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    names = [*names[:most], f"{len(names) - most} more"] if len(names) > most else list(names)
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def combination(coefficients: Sequence[float], names: Sequence[str]) -> str:
    """A weighted sum as text, weights of three digits, zeros left out.

    >>> combination([0.99, -0.12, 0.0], ["Intercept", "Days", "x"])
    '0.99*Intercept - 0.12*Days'
    """
    text = ""
    for value, name in zip(coefficients, names, strict=True):
        if value == 0:
            continue
        sign = " - " if value < 0 else " + "
        text += (sign if text else sign.strip(" +")) + f"{abs(value):.3g}*{name}"
    return text
