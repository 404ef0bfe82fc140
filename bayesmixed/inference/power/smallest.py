"""Which is the smallest size that reaches a wanted power?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...messages import Told
from ...page import Page, Printed, Section


@dataclass(frozen=True, eq=False, repr=False)
class Smallest(Printed):
    """The smallest sizes that reach a power. Printing gives sentences; notebooks get HTML.

    `frame` has a row per setting of everything else: these columns, and `size`, NaN where none that was simulated is
    large enough.
    """

    frame: pd.DataFrame
    title: str
    lines: tuple[str, ...]

    @property
    def page(self) -> Page:
        """The page that is printed."""
        return Page((Section(self.title, None, self.lines),))


def smallest_of(frame: pd.DataFrame, sizes: Sequence[str], along: str, power: float) -> Smallest:
    """By rows of a power table, along one of the columns in `sizes`."""
    others = [name for name in [*sizes, "test"] if name != along]
    found, lines = [], []
    shown = [name for name in others if frame[name].astype(str).nunique() > 1]
    for _, own in frame.groupby([frame[name].astype(str) for name in others], sort=False):
        first, curve = own.iloc[0], own.dropna(subset=["power"]).sort_values(along)
        whole = bool(pd.api.types.is_integer_dtype(frame[along]))
        size, words = _reached(curve[along].to_numpy(dtype=float), curve["power"].to_numpy(), power, whole, along)
        found.append({**{name: first[name] for name in others}, "size": size})
        setting = ", ".join(f"{name} {_text(first[name])}" for name in shown)
        lines.append(f"{setting}: {words}" if setting else words[0].upper() + words[1:])
    table = pd.DataFrame(found)
    if table["size"].notna().all() and pd.api.types.is_integer_dtype(frame[along]):
        table["size"] = table["size"].astype(int)
    return Smallest(table, f"Smallest {along} for a power of {power:g}:", tuple(lines))


def monotone(values: np.ndarray) -> np.ndarray:
    """The nearest sequence that does not fall: means of neighbours that violate the order.

    Ayer, Brunk, Ewing, Reid & Silverman (1955), Ann. Math. Stat. 26, 641-647.

    >>> monotone(np.array([0.2, 0.5, 0.4, 0.9])).tolist()
    [0.2, 0.45, 0.45, 0.9]
    """
    blocks: list[tuple[float, int]] = []
    for value in values:
        blocks.append((float(value), 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (b, m), (a, k) = blocks.pop(), blocks.pop()
            blocks.append(((a * k + b * m) / (k + m), k + m))
    return np.repeat([mean for mean, _ in blocks], [count for _, count in blocks])


def _reached(x: np.ndarray, power: np.ndarray, wanted: float, whole: bool, along: str) -> tuple[float, str]:
    """The size, and the sentence that says it."""
    if not len(x):
        return np.nan, "no replicate could be used."
    steps = monotone(power)
    above = np.flatnonzero(steps >= wanted)
    if not len(above):
        return np.nan, (
            Told(
                "smallest-size",
                f"not reached: power is {steps[-1]:.2f} at {x[-1]:g}, the largest {along} simulated. Ask for larger "
                "ones.",
            )
        )
    i = int(above[0])
    if i == 0:
        return float(x[0]), (
            Told(
                "smallest-size",
                f"{x[0]:g}, the smallest {along} simulated, has power {steps[0]:.2f} already: ask for smaller ones.",
            )
        )
    share = (wanted - steps[i - 1]) / (steps[i] - steps[i - 1])
    size = x[i - 1] + share * (x[i] - x[i - 1])
    size = float(np.ceil(size - 1e-9)) if whole else float(size)
    return size, Told(
        "smallest-size", f"{size:.4g}: power is {steps[i - 1]:.2f} at {x[i - 1]:g} and {steps[i]:.2f} at {x[i]:g}."
    )


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
