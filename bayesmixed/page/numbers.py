"""How is a number written: in a column, in a sentence, as a p-value?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import floor, isfinite, log10
from sys import float_info

import pandas as pd

SCIENTIFIC = -1  # in place of a number of decimals
HUGE = 1e8  # from which on fixed decimals are not read
WIDEST = 11  # digits of a number with fixed decimals
NOISE = 1e-12  # of the largest number of a column: what rounding leaves of zero


def number(value: float, digits: int = 3) -> str:
    """A number at a fixed number of decimals, blank where it is not one; very small or large ones in scientific form.

    >>> number(24.74045), number(float("nan")), number(1.5e-7)
    ('24.740', '', '1.50e-07')
    """
    if value is None or pd.isna(value):
        return ""
    if value != 0 and (abs(value) < 10 ** -(digits + 1) or abs(value) >= 1e8):
        return f"{value:.2e}"
    return f"{value:.{digits}f}"


def told(value: float, spread: float = float("nan")) -> str:
    """A number in a sentence: four digits, and as many more as show a hundredth of what it is measured in.

    That is `spread`, such as the standard deviation of the column whose mean it is, where one is given, else 1.

    >>> told(2018.46, 3.2), told(2018.46), told(0.71134), told(50123.4567, 5000.0)
    ('2018.46', '2018.46', '0.7113', '50123')
    """
    if not (0 < abs(value) < 1e15):
        return f"{value:.4g}"
    whole = floor(log10(abs(value))) + 1
    decimals = 2 - floor(log10(spread)) if 0 < spread < float("inf") else 2 if whole > 3 else 0
    decimals = max(decimals, 2) if whole == 4 else decimals  # a year
    return f"{value:.{min(15, max(4, whole + decimals, whole if whole < 8 else 0))}g}"


def probability(p: float, digits: int = 4) -> str:
    """A p-value at a fixed number of decimals; one that these would show as zero in scientific form.

    Computed ones that are exactly zero lie below the smallest number there is.

    >>> probability(0.0123), probability(1.36e-5), probability(0.0), probability(float("nan"))
    ('0.0123', '1.36e-05', '<2e-308', '')
    """
    if p is None or pd.isna(p):
        return ""
    if p < float_info.min:
        return f"<{float_info.min:.0e}"
    return f"{p:.2e}" if p < 10.0**-digits else f"{p:.{digits}f}"


def places(values: Iterable[float], least: int = 3, most: int = 8) -> int:
    """Decimals at which the smallest of `values` keeps two significant digits, at least `least`.

    `SCIENTIFIC` where that takes more than `most`, or more digits than are read. Zeros, and what rounding leaves of
    them, do not matter.

    >>> places([24.7, 0.0052]), places([24.7, 0.066, 0.0]), places([3e4, 2e-7])
    (4, 3, -1)
    """
    sizes = [abs(value) for value in values if isfinite(value)]
    largest = max(sizes, default=0.0)
    sizes = [size for size in sizes if size > NOISE * largest]
    if not sizes:
        return least
    needed = max(least, 1 - floor(log10(min(sizes))))
    return needed if needed <= most and needed + floor(log10(largest)) < WIDEST else SCIENTIFIC


def column(values: Iterable[float], digits: int = 3) -> list[str]:
    """Numbers in one format: all with `digits` decimals, or all in scientific form where one is huge; blank if NaN.

    What is below the last decimal prints as zero: `digits` should come from errors, by `places`.

    >>> column([24.74045, float("nan"), -2.678e-13], 2), column([0.5, 3e9])
    (['24.74', '', '0.00'], ['5.00e-01', '3.00e+09'])
    """
    known = [float("nan") if value is None or pd.isna(value) else float(value) for value in values]
    huge = any(isfinite(value) and abs(value) >= HUGE for value in known)
    form = "{:.2e}" if huge or digits == SCIENTIFIC else f"{{:z.{digits}f}}"
    return ["" if value != value else form.format(value) for value in known]


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
