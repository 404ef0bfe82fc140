"""How far are estimates from lme4's and glmmTMB's? Every reference model of `tests/reference`, its largest deviations.

    make references

Fits the models as the tests do, with the references that they compare with, and writes `results/references.md`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from machine import machine

TESTS = Path(__file__).resolve().parents[1] / "tests"
RESULTS = Path(__file__).resolve().parent / "results"
sys.path[:0] = [str(TESTS), str(TESTS / "reference")]

import test_generalized as generalized  # noqa: E402
import test_lme4 as linear  # noqa: E402
from conftest import load_result  # noqa: E402

ZERO = 1e-2  # sds of generalized models below this are counted as zero: glmmTMB stops near the boundary


@dataclass(frozen=True)
class Deviation:
    """One fit beside one reference.

    `loglik` ours less theirs; `coefficient` the largest difference in standard errors; `se` and `sd` the largest
    relative differences, NaN where the reference has none.
    """

    model: str
    what: str
    formula: str
    rows: int
    reference: str
    loglik: float
    coefficient: float
    se: float
    sd: float


def linear_deviations() -> list[Deviation]:
    """Linear models by ML and REML beside lmer (without groups beside lm)."""
    found = []
    for name, estimator in _arguments(linear.cases()):
        ours, theirs = linear.fitted_model(name, estimator), linear.reference_fit(name, estimator)
        found.append(_deviation(name.removeprefix("lmm_"), estimator, ours, theirs, np.sqrt(linear.ml_scale(theirs))))
    return found


def generalized_deviations() -> list[Deviation]:
    """Generalized models by Laplace's approximation: the better of the references, standard errors of glmmTMB."""
    found = []
    for name, family, link, formula in _arguments(generalized.cases()):
        ours = generalized.fitted_model(name, family, link, formula)
        candidates = generalized.matching(name, family, link, formula)
        best = max(candidates, key=lambda entry: entry["logLik"])
        errors = next((e for e in candidates if "glmmTMB" in e["engine"] and e.get("pdHess", True)), None)
        kind = f"{ours.model.family.name} ({link})"
        found.append(_deviation(name.removeprefix("glmm_"), kind, ours, best, 1.0, errors))
    return found


def _arguments(cases: list[Any]) -> list[tuple[str, ...]]:
    return [case.values for case in cases]


def _deviation(
    model: str, what: str, ours: Any, theirs: dict[str, Any], scale: float, errors: dict[str, Any] | None = None
) -> Deviation:
    estimate = np.array(theirs["fixed"]["estimate"], float)
    se = ours.coefficients["se"].to_numpy()
    standard = theirs if errors is None and what in ("ML", "REML", "OLS") else errors
    known = None if standard is None else np.array(standard["fixed"]["se"], float) * scale
    return Deviation(
        model,
        what,
        ours.model.formula.text,
        ours.n_obs,
        theirs["engine"].split("::")[-1],
        ours.loglik - theirs["logLik"],
        float(np.max(np.abs(ours.fixef().to_numpy() - estimate) / se)),
        float("nan") if known is None else float(np.max(np.abs(se / known - 1))),
        _sds(ours, theirs),
    )


def _sds(ours: Any, theirs: dict[str, Any]) -> float:
    """Largest relative difference of standard deviations, of those that are not zero."""
    table = ours.varcorr()
    residual = table["group"] == "Residual"
    floor = ours.sigma * 1e-3 if residual.any() else ZERO
    found = [abs(ours.sigma / theirs["sigma"] - 1)] if residual.any() and _has_sigma(theirs) else []
    for block in theirs.get("random") or []:
        group = linear.same_group(table.loc[~residual, "group"].unique(), block["group"].split(".")[0])
        for name, sd in zip(block["terms"], block["sd"], strict=True):
            if sd > floor:
                column = linear.our_column(ours, group, name)
                sds = table.loc[(table["group"] == group) & (table["name"] == column), "sd"]
                found.append(float(np.min(np.abs(sds / sd - 1))))
    return max(found, default=float("nan"))


def _has_sigma(theirs: dict[str, Any]) -> bool:
    """lm's sigma has another divisor than our ML."""
    return theirs["engine"] == "lme4::lmer"


def table(deviations: list[Deviation]) -> str:
    """A row per fit."""
    head = ["model", "fit", "rows", "reference", "log-likelihood", "coefficients, se", "their se", "sds"]
    rows = [_cells(d) for d in deviations]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *rows])


def _cells(d: Deviation) -> list[str]:
    formula = d.formula.replace("|", "\\|")
    numbers = [f"{d.loglik:+.1e}", *(_shown(x) for x in (d.coefficient, d.se, d.sd))]
    return [f"{d.model}: `{formula}`", d.what, f"{d.rows:,}", d.reference, *numbers]


def _shown(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.0e}"


def verdict(deviations: list[Deviation], name: str) -> str:
    """One line: the largest of each."""
    loglik = [d.loglik for d in deviations]
    worst = max(np.nan_to_num([d.sd for d in deviations]))
    return (
        f"- {name}, {len(deviations)} fits: log-likelihoods from {min(loglik):+.1e} to {max(loglik):+.1e} of theirs; "
        f"coefficients within {max(d.coefficient for d in deviations):.0e} standard errors; standard errors within "
        f"{np.nanmax([d.se for d in deviations]):.0e} and sds within {worst:.0e} of their size"
    )


def page(linear_ones: list[Deviation], generalized_ones: list[Deviation], seconds: float) -> str:
    """The whole page."""
    facts = {**machine(), "references": versions(), "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"}
    facts["command"] = f"`make references` ({seconds:.0f} s)"
    return f"""# Estimates beside lme4 and glmmTMB

{chr(10).join(f"- {name}: {value}" for name, value in facts.items())}

Every model of `tests/reference` that both sides maximise by the same criterion. Log-likelihood: ours less theirs, so
that a positive number means that theirs stops below the maximum. Coefficients: the largest difference, in standard
errors. Their standard errors and sds (the residual's among them, zeros left out): the largest relative differences.

{verdict(linear_ones, "Linear models, ML and REML")}
{verdict(generalized_ones, "Generalized models, Laplace's approximation")}

## Linear mixed models

{table(linear_ones)}

## Generalized linear mixed models

The reference is glmer or glmmTMB, whichever has the higher likelihood; glmer for canonical links alone, since it
maximises another criterion elsewhere. Standard errors are glmmTMB's, where it has them.

{table(generalized_ones)}
"""


def versions() -> str:
    """Engines of the reference collection."""
    names = ["lmm_sleepstudy_slope", "glmm_cbpp"]
    found = {f"{e['engine'].split('::')[0]} {e['version']}" for name in names for e in load_result(name)["fits"]}
    return ", ".join(sorted(entry for entry in found if entry.startswith(("lme4", "glmmTMB"))))


if __name__ == "__main__":
    started = perf_counter()
    text = page(linear_deviations(), generalized_deviations(), perf_counter() - started)
    (RESULTS / "references.md").write_text(text, encoding="utf-8")
    print(text)
