"""Whether NUTS is calibrated on small mixed models, and whether the check finds a wrong program: see README.md."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from machine import machine

import bayesmixed as bm
from bayesmixed.engines import Engine

RESULTS = Path(__file__).parent / "results"
REPLICATES = 300  # half of them where every effect is sampled, which costs ten times as much
SEED = 20260
LEVEL = 0.05  # of a case, all its quantities together
SHORT = {"chains": 1, "tune": 300, "draws": 300, "target_accept": 0.9}
EXPLICIT = {"chains": 1, "draws": 500}  # dozens of unknowns: the metric of the point fit is better than a learnt one


@dataclass(frozen=True)
class Case:
    """One model, one route, whether the program is right, and the priors ("default", or `kind` in words)."""

    name: str
    title: str
    formula: str
    table: Callable[[], pd.DataFrame]
    collapsed: str | bool
    priors: str = "default"
    wrong: bool = False

    def model(self) -> bm.Model:
        """The model, its priors as numbers."""
        return bm.Model(self.formula, self.table(), priors=PRIORS[self.priors])

    def replicates(self, n: int) -> int:
        """How many of `n` replicates this case is worth."""
        return n // 2 if self.collapsed is False else n

    def engine(self) -> Engine:
        """A short run of one chain by this route, of the wrong program where that is asked for."""
        right = bm.NUTS(collapsed=self.collapsed, **(EXPLICIT if self.collapsed is False else SHORT))
        return DoubledSds.of(self.model(), right) if self.wrong else right


@dataclass(frozen=True)
class DoubledSds(Engine):
    """A wrong program: its effects have twice the sd that the prior speaks of and that it reports.

    The posterior of b ~ Normal(0, (2 sd)^2) is that of a right program in `wide`, whose sds have priors of twice the
    scale, with the sds halved afterwards.
    """

    wide: bm.Model
    right: bm.NUTS

    name = "doubled"
    label = "NUTS, sds doubled"

    @classmethod
    def of(cls, model: bm.Model, right: bm.NUTS) -> DoubledSds:
        """For models whose sds have priors with a scale or a rate."""

        def twice(name: str, prior: Any) -> Any:
            if not name.endswith("_sigma"):
                return prior
            scale, rate = getattr(prior, "scale", None), getattr(prior, "rate", None)
            return replace(prior, scale=2 * scale) if rate is None else replace(prior, rate=rate / 2)

        return cls(model.replace(priors={name: twice(name, prior) for name, prior in model.priors.items()}), right)

    def fit(self, model: bm.Model, *, seed: int | None = None, progress: bool | None = None) -> Any:
        """As `NUTS.fit`."""
        fit = self.right.fit(self.wide.with_response(model.design.response.y), seed=seed, progress=progress)
        return replace(fit, natural=fit.natural | {"sds": tuple(sds / 2 for sds in fit.natural["sds"])})


def gentle(design: Any, family: Any) -> bm.priors.Priors:
    """sds and sigma that are neither tiny nor huge: where effects are sampled, the extremes of the default prior would
    test the sampler's patience rather than the program."""
    base = bm.priors.PRESETS["boundary_avoiding"](design, family)
    return bm.priors.Priors.of({**base, "sigma": bm.priors.Gamma(4.0, 8.0 / base["sigma"].scale)}, "gentle")


def student(design: Any, family: Any) -> bm.priors.Priors:
    """The default with a Student-t intercept, which keeps it sampled."""
    base = bm.priors.PRESETS["default"](design, family)
    normal = base["Intercept_centered"]
    return bm.priors.Priors.of({**base, "Intercept_centered": bm.priors.StudentT(3.0, normal.loc, normal.scale)}, "")


PRIORS: dict[str, Any] = {"default": "default", "default, Student-t intercept": student, "gentle": gentle}


def cases() -> list[Case]:
    """Correlated slopes, nested, crossed, few and many groups, by every route each allows; then wrong programs."""
    slopes = ("sleepstudy, 18 subjects, correlated slopes", "Reaction ~ Days + (Days | Subject)", sleepstudy)
    nested = ("Pastes, 30 casks in 10 batches", "strength ~ 1 + (1 | batch/cask)", pastes)
    crossed = ("Penicillin, 24 plates x 6 samples", "diameter ~ 1 + (1 | plate) + (1 | sample)", penicillin)
    few = ("5 groups of 8 rows", "y ~ x + (1 | g)", lambda: grouped(5, 8))
    many = ("50 groups of 6 rows, correlated slopes", "y ~ x + (x | g)", lambda: grouped(50, 6))
    return [
        Case("slopes_collapsed", *slopes, "full"),
        Case("slopes_student", *slopes, "full", "default, Student-t intercept"),
        Case("slopes_explicit", *slopes, False, "gentle"),
        Case("nested_collapsed", *nested, "full"),
        Case("nested_partial", *nested, "partial", "gentle"),
        Case("nested_explicit", *nested, False, "gentle"),
        Case("crossed_collapsed", *crossed, "full"),
        Case("crossed_partial", *crossed, "partial", "gentle"),
        Case("crossed_explicit", *crossed, False, "gentle"),
        Case("few_collapsed", *few, "full"),
        Case("few_explicit", *few, False, "gentle"),
        Case("many_collapsed", *many, "full"),
        Case("many_explicit", *many, False, "gentle"),
        Case("wrong_slopes_collapsed", *slopes, "full", wrong=True),
        Case("wrong_few_collapsed", *few, "full", wrong=True),
        Case("wrong_few_explicit", *few, False, "gentle", wrong=True),
    ]


def sleepstudy() -> pd.DataFrame:
    """180 rows."""
    return bm.load_data("sleepstudy")


def pastes() -> pd.DataFrame:
    """60 rows."""
    return bm.load_data("Pastes")


def penicillin() -> pd.DataFrame:
    """144 rows."""
    return bm.load_data("Penicillin")


def grouped(groups: int, rows: int) -> pd.DataFrame:
    """Intercepts and slopes of sd 1 and 0.5 for `groups` groups, noise 1; a calibration uses its rows and its scale."""
    rng = np.random.default_rng(groups)
    g = np.repeat(np.arange(groups), rows)
    x = rng.standard_normal(len(g))
    y = 1 + 0.5 * x + rng.standard_normal(groups)[g] + 0.5 * rng.standard_normal(groups)[g] * x
    return pd.DataFrame({"g": g, "x": x, "y": y + rng.standard_normal(len(g))})


def main() -> None:
    """Calibrate every case, then write results/calibration.json, .md and a picture of a right and a wrong program."""
    options = arguments()
    began = time.perf_counter()
    run: dict[str, Any] = {
        "machine": {**machine(), "sampler": ", ".join(f"{name} {version(name)}" for name in ("jax", "numpyro"))},
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "command": "make calibration",
        "replicates": options.n,
        "seed": options.seed,
    }
    records = [calibrated(case, options) for case in cases() if not options.case or case.name in options.case]
    write({**run, "seconds": time.perf_counter() - began, "records": records}, options.output)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=REPLICATES, help="replicates per case")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--case", nargs="*", help="only these cases: " + ", ".join(case.name for case in cases()))
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for what is written")
    return parser.parse_args()


def calibrated(case: Case, options: argparse.Namespace) -> dict[str, Any]:
    """The record of one case: route, counts, p-values and coverage of every quantity."""
    model, engine = case.model(), case.engine()
    route = engine.fit(model, seed=options.seed, progress=False).status.route
    result = bm.sbc(model, n=case.replicates(options.n), seed=options.seed, method=engine)
    print(f"{case.name}: {route}\n{result}\n", flush=True)
    if case.name in ("slopes_collapsed", "wrong_slopes_collapsed"):
        picture(result, options.output / f"{case.name}.png")
    uniform = result.uniformity()
    return {
        "case": case.name,
        "title": case.title,
        "formula": case.formula,
        "route": route,
        "priors": case.priors,
        "wrong": case.wrong,
        "ranked": result.used,
        "failures": result.failures["reason"].value_counts().to_dict(),
        "divergent": int((result.divergences > 0).sum()),
        "draws": float(result.ranks["draws"].median()),
        "fewest_draws": int(result.ranks["draws"].min()),
        "seconds": result.seconds,
        "uniformity": uniform.to_dict("records"),
        "coverage": result.coverage().to_dict("records"),
    }


def picture(result: Any, path: Path) -> None:
    """The ranks of one case."""
    import matplotlib

    matplotlib.use("agg")
    path.parent.mkdir(parents=True, exist_ok=True)
    bm.plot.calibration(result)[0].figure.savefig(path, dpi=80)


def write(run: dict[str, Any], folder: Path) -> None:
    """Both files of results."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "calibration.json").write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    (folder / "calibration.md").write_text(markdown(run), encoding="utf-8")
    print(markdown(run))


def markdown(run: dict[str, Any]) -> str:
    """The whole page."""
    right = [record for record in run["records"] if not record["wrong"]]
    wrong = [record for record in run["records"] if record["wrong"]]
    facts = {**run["machine"], "date": run["date"], "command": f"`{run['command']}` ({run['seconds']:.0f} s)"}
    parts = [
        "# Simulation-based calibration of NUTS",
        "\n".join(f"- {name}: {value}" for name, value in facts.items()),
        introduction(run, right),
        "## Right programs\n\n" + verdicts(right),
        "![ranks of a right program](slopes_collapsed.png)",
        "## A wrong program must fail: effects with twice the sd that it reports\n\n" + verdicts(wrong),
        "![ranks of a wrong program](wrong_slopes_collapsed.png)",
        "## Every quantity\n\n" + quantities(run["records"]),
    ]
    return "\n\n".join(parts) + "\n"


def introduction(run: dict[str, Any], right: list[dict[str, Any]]) -> str:
    """What was done, and the verdict over all right programs."""
    p = [row["p"] for record in right for row in record["uniformity"]]
    if not p:
        return ""
    together = min(1.0, len(p) * min(p))
    flagged = sum(verdict(record) != "uniform" for record in right)
    return (
        f"{run['replicates']} replicates a case (half where every effect is sampled), seed {run['seed']}: parameters "
        "from the priors (numbers, held), a response simulated on the case's own rows, one short chain, true values "
        "ranked among about independent draws. p is exact, of the simultaneous envelope of the ranks' distribution "
        "function; adjusted for the number of quantities of the case (Holm). Default priors reach from effects that "
        "vanish to effects a hundred times the noise; gentle ones (sds Gamma(2.5), sigma Gamma(4)) keep away from both "
        "ends, where chains that sample the effects themselves need far more than a short run.\n\n"
        f"Over all {len(p)} quantities of right programs the smallest p is {min(p):.4f}, {together:.2f} after "
        f"Bonferroni. {flagged} of {len(right)} cases fall below {LEVEL:g}, {LEVEL * len(right):.1f} are expected by "
        "chance."
    )


def verdict(record: dict[str, Any]) -> str:
    """ "uniform", or the quantities that are not."""
    bad = [f"{row['quantity']}: {row['reading']}" for row in record["uniformity"] if row["adjusted"] < LEVEL]
    return "; ".join(bad).replace("|", "\\|") or "uniform"


def verdicts(records: list[dict[str, Any]]) -> str:
    """One row per case."""
    header = [
        "case",
        "priors",
        "route",
        "ranked",
        "failed",
        "diverged",
        "draws",
        "smallest adjusted p",
        "ranks",
        "seconds",
    ]
    rows = [
        [
            record["title"],
            record["priors"],
            record["route"],
            str(record["ranked"]),
            str(sum(record["failures"].values())),
            str(record["divergent"]),
            f"{record['draws']:.0f} (from {record['fewest_draws']})",
            shown(min(row["adjusted"] for row in record["uniformity"])),
            verdict(record),
            f"{record['seconds']:.0f}",
        ]
        for record in records
    ]
    return table(header, rows)


def quantities(records: list[dict[str, Any]]) -> str:
    """One row per case and quantity: p and the shares of central intervals that hold the true value."""
    levels = sorted({row["nominal"] for record in records for row in record["coverage"]})
    rows = []
    for record in records:
        for found in record["uniformity"]:
            shares = {r["nominal"]: r["observed"] for r in record["coverage"] if r["quantity"] == found["quantity"]}
            quantity = found["quantity"].replace("|", "\\|")
            rows.append([record["case"], quantity, shown(found["p"]), *(f"{shares[level]:.3f}" for level in levels)])
    notes = [limits(n, record) for n, record in {record["ranked"]: record for record in records}.items()]
    return (
        "\n".join(notes) + "\n\n" + table(["case", "quantity", "p", *(f"{100 * level:g} %" for level in levels)], rows)
    )


def limits(n: int, record: dict[str, Any]) -> str:
    """Between which shares a calibrated quantity lies."""
    found = {row["nominal"]: (row["lower"], row["upper"]) for row in record["coverage"]}
    spans = ", ".join(f"{100 * level:g} %: {low:.3f} to {high:.3f}" for level, (low, high) in found.items())
    return f"Of {n} replicates, shares of a calibrated quantity lie within {spans} in 95 % of calibrations."


def shown(p: float) -> str:
    """A probability."""
    return "<0.0001" if p < 0.0001 else f"{p:.4f}"


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, ["---"] * len(header), *rows])


if __name__ == "__main__":
    main()
