"""Is a predictor text because a few of its values are no numbers?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import BayesMixedWarning, warn
from ...formula.variables import columns_in
from .text import NUMBER

if TYPE_CHECKING:
    import pandas as pd

    from ...formula.formula import Formula

MOSTLY = 0.5  # of the values: from here on it is a column of numbers with something else in it


def warn_of_text(formula: Formula, table: pd.DataFrame) -> None:
    """Warn of columns of a formula, grouping factors apart, that are numbers but for some of their values.

    They would be taken for factors, with a level for every number.
    """
    bars = [bar for side in formula.predictors.values() for bar in side.bars]
    grouping = {name for bar in bars for atom in bar.factor for name in columns_in(atom)}
    for name in dict.fromkeys(formula.variables()):
        if name not in table.columns or name in grouping or table[name].dtype.kind not in "OTU":
            continue
        values = table[name].dropna().astype(str).str.strip()
        odd = values[~values.map(lambda value: bool(NUMBER.fullmatch(value)))]
        if 0 < len(odd) < MOSTLY * len(values):
            told = BayesMixedWarning(
                f"Column {name!r} is text, a factor: {len(values) - len(odd)} of its {len(values)} values are numbers, "
                f"{odd.iloc[0]!r} is none. If that stands for a missing value, add --na {odd.iloc[0]!r}.",
                topic="mistaken-column",
            )
            warn(told)
