"""How far Laplace's approximation of the posterior is from NUTS on public data, beside what it says: see README.md."""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from convergence import frame
from machine import machine
from report import table

import bayesmixed as bm
from bayesmixed.fits.draws import DrawsFit

RESULTS = Path(__file__).parent / "results"
SEED = 1
DRAWS = 4000  # of Laplace: its own Monte Carlo error is a sixtieth of a posterior sd
NUTS = bm.NUTS(draws=2000, chains=4)


@dataclass(frozen=True)
class Case:
    """One model on one table; `table` gives it from the folder of the reference data."""

    name: str
    formula: str
    table: Callable[[Path], pd.DataFrame]
    family: str = "gaussian"
    options: dict[str, Any] = field(default_factory=dict)


def cases() -> list[Case]:
    """Every case: linear ones, then generalized ones, the last with few binary rows per level."""
    verbal = "r2 ~ Anger + Gender + btype + situ + (1 | id) + (1 | item)"
    return [
        Case("Dyestuff", "Yield ~ 1 + (1 | Batch)", data("Dyestuff")),
        Case("Dyestuff2", "Yield ~ 1 + (1 | Batch)", data("Dyestuff2")),
        Case("sleepstudy", "Reaction ~ Days + (Days | Subject)", data("sleepstudy")),
        Case("Pastes", "strength ~ 1 + (1 | batch/cask)", data("Pastes")),
        Case("Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)", data("Penicillin")),
        Case("Machines", "score ~ Machine + (Machine | Worker)", data("Machines")),
        Case("cbpp", "prop(incidence, size) ~ period + (1 | herd)", data("cbpp"), "binomial"),
        Case("cbpp, rows", "prop(incidence, size) ~ period + (1 | herd) + (1 | obs)", with_rows("cbpp"), "binomial"),
        Case("cbpp, maximal", "prop(incidence, size) ~ period + (period | herd)", data("cbpp"), "binomial"),
        Case("epil", "y ~ base + trt + (1 | subject)", data("epil"), "poisson"),
        Case("grouseticks", "TICKS ~ YEAR + (1 | BROOD) + (1 | LOCATION)", data("grouseticks"), "poisson"),
        Case("Contraception", "use ~ age + urban + (1 | district)", data("Contraception"), "bernoulli"),
        Case("Contraception, slopes", "use ~ age + (urban | district)", data("Contraception"), "bernoulli"),
        Case("culcita", "predation ~ ttt + (1 | block)", data("culcita"), "bernoulli"),
        Case("VerbAgg", verbal, data("VerbAgg"), "bernoulli"),
        Case("4 rows a level, sd 1", "y ~ x + (1 | g)", simulated(150, 4, 1.0), "bernoulli"),
        Case("4 rows a level, sd 3", "y ~ x + (1 | g)", simulated(150, 4, 3.0), "bernoulli"),
        Case("4 rows in two factors", "y ~ x + (1 | g) + (1 | h)", simulated(150, 4, 2.0), "bernoulli"),
    ]


def data(name: str) -> Callable[[Path], pd.DataFrame]:
    """A table of the collection."""
    return lambda folder: frame(name, folder)


def with_rows(name: str) -> Callable[[Path], pd.DataFrame]:
    """The same with a factor of one level per row."""
    return lambda folder: frame(name, folder).assign(obs=lambda t: np.arange(len(t)).astype(str))


def simulated(levels: int, each: int, sd: float) -> Callable[[Path], pd.DataFrame]:
    """Binary rows, `each` of every level of g, with effects of this sd; h is crossed with g and has no effect."""

    def make(folder: Path) -> pd.DataFrame:
        rng = np.random.default_rng(levels + each)
        g = np.repeat(np.arange(levels), each)
        x = np.tile(np.linspace(-1, 1, each), levels)
        p = 1 / (1 + np.exp(-(x + sd * rng.standard_normal(levels)[g])))
        y = (rng.random(len(g)) < p).astype(int)
        return pd.DataFrame({"y": y, "x": x, "g": g.astype(str), "h": rng.permutation(g).astype(str)})

    return make


def main() -> None:
    """Fit every model by both, then write results/laplace.json and results/laplace.md; earlier cases are kept."""
    options = arguments()
    facts = {**machine(), "engine": f"bayesmixed {bm.__version__}"}
    path = options.output / "laplace.json"
    old = json.loads(path.read_text(encoding="utf-8"))["records"] if path.is_file() and options.case else []
    records = {record["case"]: record for record in old}
    for case in cases():
        if not options.case or case.name in options.case:
            records[case.name] = one(case, options.reference / "data")
            print(json.dumps(records[case.name]), flush=True)
    ordered = [records[case.name] for case in cases() if case.name in records]
    run = {"machine": facts, "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "records": ordered}
    options.output.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    (options.output / "laplace.md").write_text(markdown(run), encoding="utf-8")


def arguments() -> argparse.Namespace:
    """The command line."""
    beside = Path(__file__).parents[2] / "shared" / "reference"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", nargs="*", help="only these, e.g. cbpp; the others keep their earlier numbers")
    default = Path(os.environ.get("BAYESMIXED_REFERENCE", beside))
    parser.add_argument("--reference", type=Path, default=default, help="the folder with data/ of the collection")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for laplace.json and laplace.md")
    return parser.parse_args()


def one(case: Case, folder: Path) -> dict[str, Any]:
    """Differences of posterior means in posterior sds, ratios of sds, and what Laplace's approximation says."""
    model = bm.Model(case.formula, case.table(folder), family=case.family, **case.options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bm.errors.BayesMixedWarning)
        begin = time.perf_counter()
        default = model.fit("laplace", seed=SEED, progress=False)
        seconds = time.perf_counter() - begin
        laplace = model.fit(bm.Laplace(draws=DRAWS), seed=SEED, progress=False)
        begin = time.perf_counter()
        nuts = model.fit(NUTS, seed=SEED, progress=False)
    status = laplace.status
    return {
        "case": case.name,
        "formula": case.formula,
        "family": case.family,
        "rows": model.n_obs,
        "hyperparameters": status.route.rsplit("; ", 1)[1],
        "k": status.pareto_k,
        "ess": default.status.ess_weights,
        "shift": status.effect_shift,
        "seconds": seconds,
        "nuts_seconds": time.perf_counter() - begin,
        "rhat": nuts.status.max_rhat,
        "differences": compared(laplace, nuts),
        "said": list(default.status.problems),
    }


def compared(fit: DrawsFit, truth: DrawsFit) -> dict[str, Any]:
    """Per kind of parameter the largest difference of means in sds and of log sds; of effects also the average."""
    pairs = zip(kinds(fit).items(), kinds(truth).values(), strict=True)
    found: dict[str, Any] = {}
    for (kind, ours), theirs in pairs:
        if not ours.shape[1]:
            continue
        sd = theirs.std(axis=0)
        means, sds = (ours.mean(axis=0) - theirs.mean(axis=0)) / sd, ours.std(axis=0) / sd
        found[kind] = {
            "mean": float(means[np.argmax(np.abs(means))]),
            "average": float(np.mean(np.abs(means))),
            "sd": float(sds[np.argmax(np.abs(np.log(sds)))]),
        }
    return found


def kinds(fit: DrawsFit) -> dict[str, np.ndarray]:
    """Draws (n, m) of the kinds of parameters."""
    flat = fit.parameters.flat()
    below = [c[0][:, *np.tril_indices(c.shape[-1], -1)] for c in flat.corrs if c is not None]
    n = flat.beta.shape[1]
    free = [value[0][:, None] for name, value in flat.dispersion.items() if name not in fit.model.constants]
    nothing = np.zeros((n, 0))
    return {
        "coefficients": flat.beta[0],
        "sds and dispersion": np.concatenate([nothing, *(sd[0] for sd in flat.sds), *free], axis=1),
        "correlations": np.concatenate([nothing, *below], axis=1),
        "effects": np.concatenate([nothing, *(b[0].reshape(n, -1) for b in flat.b)], axis=1),
    }


def markdown(run: dict[str, Any]) -> str:
    """The whole page."""
    facts = {**run["machine"], "date": run["date"], "command": "`make study-laplace`"}
    text = (
        f"Default priors, seed {SEED}. Means: the largest difference, Laplace less NUTS, in posterior standard "
        "deviations; sds: the ratio of standard deviations that is farthest from 1; of effects also the average over "
        f"levels of the absolute difference. Laplace with {DRAWS:,} draws, NUTS with {NUTS.chains} chains of "
        f"{NUTS.draws:,}: differences up to about 0.06, and more where effective samples are few or many effects are "
        "compared, are Monte Carlo error. k and shift are `status.pareto_k` and `status.effect_shift`; weights and "
        'seconds are of `model.fit("laplace")` at its defaults (4,000 proposals).'
    )
    columns = ["model", "rows", "hyper", "k", "weights worth", "shift", "coef. mean", "coef. sd", "sds mean", "sds sd",
               "corr. mean", "effects mean (average)", "effects sd", "s", "NUTS s", "warns"]  # fmt: skip
    parts = [
        "# Laplace's approximation of the posterior against NUTS",
        "\n".join(f"- {name}: {value}" for name, value in facts.items()),
        text,
        table(columns, [row(record) for record in run["records"]]),
        said(run["records"]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def row(record: dict[str, Any]) -> list[str]:
    """One model's line."""
    d = record["differences"]

    def at(kind: str, key: str) -> str:
        return f"{d[kind][key]:.2f}" if kind in d else ""

    effects = f"{at('effects', 'mean')} ({at('effects', 'average')})" if "effects" in d else ""
    name = f"{record['case']}: `{record['formula']}`".replace("|", "\\|")
    return [
        name, str(record["rows"]), record["hyperparameters"].split()[0], f"{record['k']:.2f}", f"{record['ess']:.0f}",
        f"{record['shift']:.2f}", at("coefficients", "mean"), at("coefficients", "sd"),
        at("sds and dispersion", "mean"), at("sds and dispersion", "sd"), at("correlations", "mean"), effects,
        at("effects", "sd"), f"{record['seconds']:.1f}", f"{record['nuts_seconds']:.0f}",
        "yes" if record["said"] else "",
    ]  # fmt: skip


def said(records: list[dict[str, Any]]) -> str:
    """What the fits told the user."""
    lines = [f"- {record['case']}: {words}" for record in records for words in record["said"]]
    return "## What the fits said\n\n" + "\n".join(lines) if lines else ""


if __name__ == "__main__":
    main()
