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
from calibration_report import AGAIN, markdown
from machine import machine

import bayesmixed as bm
from bayesmixed.engines import Engine

RESULTS = Path(__file__).parent / "results"
REPLICATES = 300  # half of them where every effect is sampled though none need be, which costs ten times as much
SEED = 20260
SHORT = {"chains": 1, "tune": 300, "draws": 300, "target_accept": 0.9}
FEW, SMALL = (20, 4), (15, 8)  # groups and rows of each, of the generalized models
EXPLICIT = {"chains": 1, "draws": 500}  # dozens of unknowns: the metric of the point fit is better than a learnt one


@dataclass(frozen=True)
class Case:
    """One model, one route, whether the program is right, and the priors ("default", or `kind` in words).

    An `approximate` program is reported, not judged.
    """

    name: str
    title: str
    formula: str
    table: Callable[[], pd.DataFrame]
    collapsed: str | bool
    priors: str = "default"
    wrong: bool = False
    family: str = "gaussian"
    approximate: bool = False

    def model(self) -> bm.Model:
        """The model, its priors as numbers."""
        return bm.Model(self.formula, self.table(), priors=PRIORS[self.priors], family=self.family)

    def replicates(self, n: int) -> int:
        """How many of `n` replicates this case is worth."""
        return n // 2 if self.collapsed is False and self.family == "gaussian" else n

    def engine(self) -> Engine:
        """A short run of one chain by this route, of the wrong program where that is asked for; or Laplace's draws."""
        if self.approximate:
            return bm.Laplace(draws=500)
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
        halves = tuple(factor / 2 for factor in fit.parameters.factors)
        return replace(fit, parameters=replace(fit.parameters, factors=halves))


def gentle(design: Any, family: Any) -> bm.priors.Priors:
    """Sds and sigma that are neither tiny nor huge.

    Where effects are sampled, the extremes of the default prior would test the sampler's patience, not the program.
    """
    base = bm.priors.PRESETS["boundary_avoiding"](design, family)
    return bm.priors.Priors.of({**base, "sigma": bm.priors.Gamma(4.0, 8.0 / base["sigma"].scale)}, "gentle")


def student(design: Any, family: Any) -> bm.priors.Priors:
    """The default with a Student-t intercept, which keeps it sampled."""
    base = bm.priors.PRESETS["default"](design, family)
    normal = base["Intercept_centered"]
    return bm.priors.Priors.of({**base, "Intercept_centered": bm.priors.StudentT(3.0, normal.loc, normal.scale)}, "")


MODERATE = {"Intercept": bm.priors.Normal(0, 1), "b": bm.priors.Normal(0, 0.5), "sd": bm.priors.HalfNormal(0.5)}
PRIORS: dict[str, Any] = {
    "default": "default",
    "default, Student-t intercept": student,
    "gentle": gentle,
    "moderate": MODERATE,
}


def linear_cases() -> list[Case]:
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


def generalized_cases() -> list[Case]:
    """Few binary rows per level, and counts, by NUTS and by the approximation."""
    binary = (f"binary, {FEW[0]} groups of {FEW[1]} rows", "y ~ x + (1 | g)", lambda: counted(*FEW))
    counts = (f"counts, {SMALL[0]} groups of {SMALL[1]} rows", "y ~ x + (1 | g)", lambda: counted(*SMALL))
    return [
        Case("bernoulli_nuts", *binary, False, "moderate", family="bernoulli"),
        Case("poisson_nuts", *counts, False, "moderate", family="poisson"),
        Case("bernoulli_laplace", *binary, False, "moderate", family="bernoulli", approximate=True),
        Case("poisson_laplace", *counts, False, "moderate", family="poisson", approximate=True),
    ]


# Kind of model -> its cases, the file of its results, and what the page calls it.
KINDS = {
    "linear": (linear_cases, "calibration", "NUTS on linear mixed models"),
    "generalized": (
        generalized_cases,
        "calibration_generalized",
        "NUTS and of Laplace's posterior on generalized linear mixed models",
    ),
}


def cases() -> list[Case]:
    """Every case."""
    return [case for found, _, _ in KINDS.values() for case in found()]


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


def counted(groups: int, rows: int) -> pd.DataFrame:
    """Responses 0 and 1 in turn: a calibration uses the rows, and priors that are numbers need no scale of y."""
    g = np.repeat(np.arange(groups), rows)
    x = np.random.default_rng(groups).standard_normal(len(g))
    return pd.DataFrame({"g": g, "x": x, "y": np.arange(len(g)) % 2})


def main() -> None:
    """Calibrate every case, then write results/calibration*.json, .md and a picture of a right and a wrong program."""
    options = arguments()
    run: dict[str, Any] = {
        "machine": {**machine(), "sampler": ", ".join(f"{name} {version(name)}" for name in ("jax", "numpyro"))},
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "command": "make calibration",
        "replicates": options.n,
        "seed": options.seed,
    }
    for kind in options.kind:
        found, file, title = KINDS[kind]
        began = time.perf_counter()
        records = [calibrated(case, options) for case in found() if not options.case or case.name in options.case]
        if records:
            seconds = time.perf_counter() - began
            write({**run, "title": title, "seconds": seconds, "records": records}, options.output / file)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=REPLICATES, help="replicates per case")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--kind", nargs="*", default=list(KINDS), choices=list(KINDS), help="only these kinds")
    parser.add_argument("--case", nargs="*", help="only these cases: " + ", ".join(case.name for case in cases()))
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for what is written")
    return parser.parse_args()


def calibrated(case: Case, options: argparse.Namespace) -> dict[str, Any]:
    """The record of one case; a right program that is flagged is tried `AGAIN` times as hard with another seed.

    Every case has a seed of its own, so that chance does not strike several routes of one model at once.
    """
    model, engine = case.model(), case.engine()
    seed, n = options.seed + [each.name for each in cases()].index(case.name), case.replicates(options.n)
    route = getattr(engine.fit(model, seed=seed, progress=False).status, "route", "Laplace")
    result = bm.sbc(model, n=n, seed=seed, method=engine)
    print(f"{case.name}: {route}\n{result}\n", flush=True)
    if case.name in ("slopes_collapsed", "wrong_slopes_collapsed"):
        picture(result, options.output / f"{case.name}.png")
    record = {"case": case.name, "title": case.title, "formula": case.formula, "route": route, "priors": case.priors}
    record |= {"wrong": case.wrong, "approximate": case.approximate} | found(result)
    if not (case.wrong or case.approximate or result.calibrated):
        again = bm.sbc(model, n=AGAIN * n, seed=seed + 1000, method=engine)
        print(f"{case.name}, again\n{again}\n", flush=True)
        record["again"] = found(again)
    return record


def found(result: Any) -> dict[str, Any]:
    """Counts, p-values and coverage of every quantity, as JSON takes them."""
    return {
        "seed": result.seed,
        "ranked": result.used,
        "failures": result.failures["reason"].value_counts().to_dict(),
        "divergent": int((result.divergences > 0).sum()),
        "warned": int(result.warned.sum()),
        "draws": float(result.ranks["draws"].median()),
        "fewest_draws": int(result.ranks["draws"].min()),
        "seconds": result.seconds,
        "uniformity": result.uniformity().to_dict("records"),
        "coverage": result.coverage().to_dict("records"),
    }


def picture(result: Any, path: Path) -> None:
    """The ranks of one case."""
    import matplotlib

    matplotlib.use("agg")
    path.parent.mkdir(parents=True, exist_ok=True)
    bm.plot.calibration(result).savefig(path, dpi=80)


def write(run: dict[str, Any], path: Path) -> None:
    """Both files of results; `path` without suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".json").write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(markdown(run), encoding="utf-8")
    print(markdown(run))


if __name__ == "__main__":
    main()
