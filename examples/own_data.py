"""Your own table: read it, fit, question the fit, write a report. Writes own_data.png and own_data.html.

python own_data.py                                            an example table, which it writes first
python own_data.py scores.csv "score ~ week + (week | child)"   yours, in any file that pandas reads as CSV
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

import bayesmixed as bm

EXAMPLE = "reading.csv"
FORMULA = "score ~ week + (week | child)"


def main() -> None:
    """Read, fit, ask, draw."""
    path, formula = asked(sys.argv[1:])
    table = pd.read_csv(path)
    print(f"{path}: {len(table)} rows, columns {', '.join(table.columns)}\n")

    model = bm.Model(formula, table)
    print(model, end="\n\n")
    fit = model.fit("reml")
    print(fit, end="\n\n")
    print(bm.diagnose(fit), end="\n\n")

    factor = next(iter(fit.ranef()))
    slopes = any(len(columns.columns) > 1 for columns in fit.ranef().values())
    drawn = bm.plot.shrinkage(fit) if slopes else bm.plot.caterpillar(fit)
    drawn.savefig("own_data.png", dpi=150, bbox_inches="tight")
    fit.to_html("own_data.html")
    print(f"Wrote own_data.png, how each {factor} differs from the others, and own_data.html, the whole report.")


def asked(given: list[str]) -> tuple[str | Path, str]:
    """The file and the formula typed, or the example where nothing was."""
    if not given:
        return write_example(), FORMULA
    if len(given) != 2 or not Path(given[0]).is_file():
        there = "" if Path(given[0]).is_file() else f"There is no file {given[0]!r}. "
        sys.exit(f'{there}Type the file, then the formula in quotes: python own_data.py scores.csv "{FORMULA}"')
    return given[0], given[1]


def write_example() -> Path:
    """Twelve children read aloud once a week, a table as a spreadsheet would save it."""
    weeks = pd.DataFrame(
        [(f"child{i:02d}", week) for i in range(1, 13) for week in range(8)], columns=["child", "week"]
    )
    truth = {"Intercept": 48, "week": 1.6, "sigma": 3, "1|child_sigma": 7, "week|child_sigma": 0.8}
    truth["child_corr"] = [[1, -0.3], [-0.3, 1]]
    weeks["score"] = bm.simulate(FORMULA, weeks, truth, seed=4)[0].round(1)
    weeks.to_csv(EXAMPLE, index=False)
    return Path(EXAMPLE)


if __name__ == "__main__":
    main()
