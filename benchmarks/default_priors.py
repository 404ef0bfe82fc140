"""What the default priors let the data be, and how far another default would move every posterior: see README.md."""

from __future__ import annotations

import argparse
import json
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from convergence import KINDS, LATER, every_model, shortened
from machine import machine
from report import table

import bayesmixed as bm
from bayesmixed.parameters.names import term_names
from bayesmixed.priors.default import column_spreads, location_and_scale

RESULTS = Path(__file__).parent / "results" / "default_priors"
DRAWS, SEED = 2000, 1
MOVED = 0.1  # posterior sds: shifts beyond it are named


def main() -> None:
    """Fit every reference model under both priors, then write results/default_priors.json and .md."""
    options = arguments()
    records = []
    for begins, _, _ in KINDS.values():
        for name in sorted(path.stem for path in (options.reference / "results").glob(f"{begins}*.json")):
            if (not options.case or name in options.case) and name.rsplit("_", 1)[-1] not in LATER:
                for record, model in every_model(name, options.reference):
                    records.append(record | compared(model))
                    print(json.dumps(records[-1]), flush=True)
    facts = {**machine(), "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "command": "`make study-priors`"}
    write({"machine": facts, "predictive": predictive(), "records": records})


def arguments() -> argparse.Namespace:
    """The command line."""
    beside = Path(__file__).parents[2] / "shared" / "reference"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", nargs="*", help="only these models, e.g. lmm_pastes_nested")
    parser.add_argument("--reference", type=Path, default=beside, help="the reference collection")
    return parser.parse_args()


def separate(design: Any, family: Any) -> Any:
    """The rule that the default replaced: half-Student-t(3, 0, s / s_z) for every sd alone, at zero of its column."""
    _, s = location_and_scale(design, family)
    chosen = dict(bm.priors.PRESETS["cautious"](design, family))
    for group, named in zip(design.groups, term_names(design), strict=True):
        spreads = column_spreads(group.Z[design.used])
        chosen |= {sd: bm.priors.HalfStudentT(3.0, s / s_z) for sd, s_z in zip(named.sds, spreads, strict=True)}
    return bm.priors.Priors.of(chosen, "separate", centered=False)


def compared(model: bm.Model) -> dict[str, Any]:
    """Largest shift and change of width of coefficients, and of sds and dispersion, in posterior sds of the default."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", bm.errors.BayesMixedWarning)
            new, old = (
                model.replace(priors=priors).fit(bm.Laplace(draws=DRAWS), seed=SEED, progress=False)
                for priors in (None, separate)
            )
    except bm.errors.BayesMixedError as error:
        return {"missing": str(error)}
    found: dict[str, Any] = {"k": max(new.status.pareto_k, old.status.pareto_k)}
    for what, (a, b) in {"fixed": (coefficients(new), coefficients(old)), "sds": (spreads(new), spreads(old))}.items():
        shift = (b.mean(axis=0) - a.mean(axis=0)) / a.std(axis=0)
        at = int(np.argmax(np.abs(shift))) if shift.size else 0
        found[what] = float(shift[at]) if shift.size else 0.0
        found[f"{what}_width"] = float(b.std(axis=0)[at] / a.std(axis=0)[at]) if shift.size else 1.0
    return found


def coefficients(fit: Any) -> np.ndarray:
    """Draws (draws, p) of the fixed effects."""
    return fit.parameters.beta[0]


def spreads(fit: Any) -> np.ndarray:
    """Draws of sds of every bar and of dispersion."""
    parameters = fit.parameters
    return np.column_stack([*(sd[0] for sd in parameters.sds), *(v.ravel() for v in parameters.dispersion.values())])


def predictive() -> list[dict[str, Any]]:
    """What both rules imply for sleepstudy (sd of a subject's effect, ICC) and cbpp (incidence of a whole data set)."""
    sleep, cbpp, rows = bm.load_data("sleepstudy"), bm.load_data("cbpp"), []
    for title, priors in {"default": None, "cautious": "cautious", "replaced": separate}.items():
        line = bm.Model("Reaction ~ Days + (Days | Subject)", sleep, priors=priors)
        found = line.prior_predictive(4000, seed=SEED)
        sd = found.prior_predictive["Reaction"].to_numpy()[0].std(axis=1)
        from bayesmixed.describe.implied import draw, implied

        spread, share = (np.quantile(i.draws, [0.05, 0.5, 0.95]) for i in implied(line, draw(line))[:2])
        disease = bm.Model("prop(incidence, size) ~ period + (1 | herd)", cbpp, family="binomial", priors=priors)
        cases = disease.prior_predictive(4000, seed=SEED).prior_predictive
        incidence = cases[next(iter(cases.data_vars))].to_numpy()[0].sum(axis=1) / cbpp["size"].sum()
        rows.append(
            {
                "priors": title,
                "spread": spread.tolist(),
                "share": share.tolist(),
                "sd": np.quantile(sd, [0.05, 0.5, 0.95]).tolist(),
                "extreme": float(np.mean((incidence < 0.05) | (incidence > 0.95))),
            }
        )
    return rows


def write(run: dict[str, Any]) -> None:
    """Both files of results."""
    RESULTS.with_suffix(".json").write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    RESULTS.with_suffix(".md").write_text(markdown(run), encoding="utf-8")
    print(markdown(run))


def markdown(run: dict[str, Any]) -> str:
    """The whole page."""
    measured = [record for record in run["records"] if "fixed" in record]
    moved = [r for r in measured if max(abs(r["fixed"]), abs(r["sds"])) > MOVED]
    parts = [
        "# The default priors beside the rule that they replaced",
        "\n".join(f"- {name}: {value}" for name, value in run["machine"].items()),
        "The rule replaced: half-Student-t(3, 0, s / s_z) for every sd by itself, sds and correlations stated where "
        "columns are zero as typed. What each lets be before any data (5, 50 and 95 %):",
        table(
            ["priors", "sleepstudy: sd of a subject's effect (data 56 ms)", "its share of the variance",
             "sd of the response", "cbpp: incidence below 5 % or above 95 %"],
            [[r["priors"], *(_three(r[key]) for key in ("spread", "share", "sd")), f"{r['extreme']:.0%}"]
             for r in run["predictive"]],
        ),
        f"Posteriors of the reference models by Laplace's approximation with importance weights ({DRAWS:,} draws, seed "
        f"{SEED}): the largest shift from the default to the rule replaced, in posterior sds of the default, and the "
        f"ratio of sds of that parameter. **{len(moved)} of {len(measured)} move by more than {MOVED} sd.** The Monte "
        "Carlo error of a shift is about 0.03.",
        table(
            ["model", "fixed: shift", "ratio of sds", "sds and dispersion: shift", "ratio of sds", "Pareto k"],
            [_row(record) for record in measured],
        ),
        "\n".join(f"- {shortened(r)}: {r['missing']}" for r in run["records"] if "missing" in r),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _three(values: list[float]) -> str:
    return " / ".join(f"{value:.3g}" for value in values)


def _row(r: dict[str, Any]) -> list[str]:
    formula = r["formula"].replace("|", "\\|")
    numbers = [f"{r['fixed']:+.2f}", f"{r['fixed_width']:.2f}", f"{r['sds']:+.2f}", f"{r['sds_width']:.2f}"]
    return [f"{shortened(r)}: `{formula}`", *numbers, f"{r['k']:.2f}"]


if __name__ == "__main__":
    main()
