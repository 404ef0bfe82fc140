"""Is this text numbers that were written with decimal commas?"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

_COMMA = re.compile(r"\s*[-+]?(?:\d+|\d{1,3}(?:[. ]\d{3})+)?(?:,\d+)?(?:[eE][-+]?\d+)?\s*")

_MISSING = ("", "na", "nan", "n/a")


def decimal_commas(levels: Any) -> str:
    """What to say of text that holds numbers with decimal commas; empty of any other levels.

    >>> decimal_commas(["1,5", "2"])
    'its text looks like numbers with decimal commas: read the file with pandas.read_csv(path, decimal=",")'
    >>> decimal_commas(["a", "2,5"])
    ''
    """
    texts = [text for text in np.asarray(levels, dtype=object).tolist() if str(text).strip().lower() not in _MISSING]
    if not texts or not all(isinstance(text, str) and text.strip() and _COMMA.fullmatch(text) for text in texts):
        return ""
    if not any("," in text for text in texts):
        return ""
    return 'its text looks like numbers with decimal commas: read the file with pandas.read_csv(path, decimal=",")'
