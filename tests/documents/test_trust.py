"""The committed comparison with lme4 and glmmTMB has every reference model, and no deviation beyond the tolerances."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import result_names

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"
LATER = ("zi", "hurdle", "zinb", "disp")  # models of parameters that have no formula yet


def rows(kind: str) -> list[list[str]]:
    """Cells of the table under a heading."""
    text = (RESULTS / "references.md").read_text(encoding="utf-8")
    section = text.split(f"## {kind}", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


@pytest.mark.parametrize(
    ("kind", "prefix", "loglik"), [("Linear mixed", "lmm_", 1e-6), ("Generalized linear mixed", "glmm_", 1e-5)]
)
def test_every_reference_model_is_in_the_table_and_within_the_tolerance(kind: str, prefix: str, loglik: float) -> None:
    found = rows(kind)
    wanted = {name.removeprefix(prefix) for name in result_names(prefix) if name.rsplit("_", 1)[-1] not in LATER}
    assert wanted <= {row[0].split(":")[0] for row in found}
    for row in found:
        assert float(row[4]) > -loglik, row
        assert float(row[5]) < 1e-4, row
