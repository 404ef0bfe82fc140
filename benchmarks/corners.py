"""Corners that were slow once: sparse crossed designs, diagnoses, groups left out, Laplace's posterior beside NUTS.

CPU seconds of this process (one BLAS thread); R's are user seconds of the call alone. See README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from machine import machine
from report import table

import bayesmixed as bm

RESULTS = Path(__file__).parent / "results" / "corners"
MODULE = "lme4"


def main() -> None:
    """Time every case once, then write results/corners.json and .md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", nargs="*", help="only these cases")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    records = []
    for name, case in CASES.items():
        if not options.case or name in options.case:
            records.append({"case": name} | case())
            print(json.dumps(records[-1]), flush=True)
    facts = {**machine(), "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "command": "`make bench-corners`"}
    RESULTS.with_suffix(".json").write_text(json.dumps({"machine": facts, "records": records}, indent=1) + "\n")
    RESULTS.with_suffix(".md").write_text(markdown(facts, records), encoding="utf-8")
    print(markdown(facts, records))


def cpu(call: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of a call, and what it gave."""
    begin = time.process_time()
    found = call()
    return time.process_time() - begin, found


def lmer(formula: str, data: pd.DataFrame) -> float | None:
    """User seconds of lmer by ML on the table; None without R or lme4."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        data.to_csv(path, index=False)
        factors = ",".join(f'"{name}"' for name in data.columns if name not in ("y", "x", "ses"))
        code = (
            f'suppressMessages(library({MODULE})); d <- read.csv("{path}"); for (v in c({factors})) '
            f"d[[v]] <- factor(d[[v]]); t <- system.time(lmer({formula}, d, REML = FALSE)); cat(t[[1]])"
        )
        run = subprocess.run(["Rscript", "-e", code], capture_output=True, text=True)
    return float(run.stdout) if run.returncode == 0 and run.stdout else None


def towns(part: bool) -> pd.DataFrame:
    """Pupils in schools, teachers everywhere: 20,000 rows, or the rows of half of the teachers and pupils."""
    rng, n = np.random.default_rng(1), 20_000
    school, pupil = rng.integers(0, 50, 5000), rng.integers(0, 5000, n)
    d = pd.DataFrame({"st": pupil, "sch": school[pupil], "te": rng.integers(0, 2000, n)})
    d["y"] = rng.normal(size=n) + rng.normal(size=2000)[d["te"]]
    return d[(d["te"] < 1000) & (d["st"] < 2500)].reset_index(drop=True) if part else d


def fitted(formula: str, data: pd.DataFrame, peer: bool = True) -> dict[str, Any]:
    """ML beside lmer; factors are what bars name."""
    typed = data.assign(**{name: data[name].astype(str) for name in ("st", "sch", "te") if name in data})
    ours, _ = cpu(lambda: bm.Model(formula, typed).fit("ml"))
    return {"what": f"ML, `{formula}`", "rows": len(data), "ours": ours, "peer": lmer(formula, data) if peer else None}


def crossed(family: str) -> pd.DataFrame:
    """40 subjects by 20 items, a by b within both."""
    rng = np.random.default_rng(2)
    d = pd.DataFrame([(s, i) for s in range(40) for i in range(20)], columns=["subj", "item"])
    d["a"], d["b"] = (d["subj"] + d["item"]) % 2 - 0.5, (d["item"] // 2 + d["subj"] // 2) % 2 - 0.5
    eta = 0.4 * d["a"] + 0.5 * rng.normal(size=40)[d["subj"]] + 0.5 * rng.normal(size=20)[d["item"]]
    d["y"] = rng.random(800) < 1 / (1 + np.exp(-eta)) if family == "bernoulli" else eta + rng.normal(size=800)
    return d.assign(y=d["y"].astype(float), subj=d["subj"].astype(str), item=d["item"].astype(str))


def diagnosed(family: str) -> dict[str, Any]:
    """`diagnose` of a maximal model beside its fit."""
    model = bm.Model("y ~ a * b + (a * b | subj) + (a * b | item)", crossed(family), family=family)
    alone, fit = cpu(lambda: model.fit("ml"))
    whole, _ = cpu(lambda: str(bm.diagnose(fit, progress=False)))
    return {"what": f"diagnose, maximal {family}; beside: the fit", "rows": 800, "ours": whole, "peer": alone}


def left_out() -> dict[str, Any]:
    """`loo(by=)` of 4,000 draws beside the NUTS fit that gave them."""
    rng = np.random.default_rng(3)
    g = rng.integers(0, 60, 1934)
    d = pd.DataFrame({"g": g.astype(str), "x": rng.normal(size=1934)})
    d["y"] = (rng.random(1934) < 1 / (1 + np.exp(-0.5 * d["x"] - 0.7 * rng.normal(size=60)[g]))).astype(int)
    sampling, fit = cpu(lambda: bm.Model("y ~ x + (1 | g)", d, family="bernoulli").fit("nuts", seed=1, progress=False))
    ours, _ = cpu(lambda: bm.loo(fit, by="g"))
    return {"what": "loo(by=) of 60 groups, binary, 4,000 draws; beside: NUTS", "rows": 1934, "ours": ours,
            "peer": sampling}  # fmt: skip


def posterior(what: str, model: bm.Model) -> dict[str, Any]:
    """The Laplace posterior beside NUTS at its defaults, compiling included."""
    ours, fit = cpu(lambda: model.fit(bm.Laplace(), seed=1, progress=False))
    nuts, _ = cpu(lambda: model.fit("nuts", seed=1, progress=False))
    return {"what": f"Laplace posterior, {what} (k {fit.status.pareto_k:.2f}); beside: NUTS", "rows": model.n_obs,
            "ours": ours, "peer": nuts}  # fmt: skip


def crossed_binary() -> bm.Model:
    """30 subjects by 20 items."""
    rng = np.random.default_rng(4)
    s, i = np.repeat(np.arange(30), 20), np.tile(np.arange(20), 30)
    eta = rng.normal(size=30)[s] + 0.7 * rng.normal(size=20)[i]
    y = (rng.random(600) < 1 / (1 + np.exp(-eta))).astype(int)
    return bm.Model("y ~ 1 + (1 | s) + (1 | i)", pd.DataFrame({"y": y, "s": s, "i": i}), family="bernoulli")


def sites(bar: str) -> bm.Model:
    """521 overdispersed counts at 130 sites."""
    rng = np.random.default_rng(5)
    site = np.r_[np.repeat(np.arange(130), 4), 0]
    x = rng.normal(size=521)
    mu = np.exp(0.5 + (0.4 + 0.2 * rng.normal(size=130)[site]) * x + 0.8 * rng.normal(size=130)[site])
    y = rng.poisson(mu * rng.gamma(1.5, 1 / 1.5, 521))
    data = pd.DataFrame({"y": y, "x": x, "site": site.astype(str)})
    return bm.Model(f"y ~ x + {bar}", data, family="negbinomial")


def schools() -> bm.Model:
    """400 schools of 18 pupils, a slope each."""
    rng = np.random.default_rng(6)
    school = np.repeat(np.arange(400), 18)
    ses = rng.normal(size=7200)
    slope = 2 + 0.5 * rng.normal(size=400)
    y = 12 + 2 * rng.normal(size=400)[school] + slope[school] * ses + 6 * rng.normal(size=7200)
    return bm.Model("y ~ ses + (ses | school)", pd.DataFrame({"y": y, "ses": ses, "school": school.astype(str)}))


def patients() -> bm.Model:
    """294 patients, 7 visits, binary, sd 4: as in the toenail trial."""
    rng = np.random.default_rng(7)
    p, month = np.repeat(np.arange(294), 7), np.tile(np.array([0, 1, 2, 3, 6, 9, 12.0]), 294)
    eta = -1.6 - 0.4 * month + 4 * rng.normal(size=294)[p]
    y = (rng.random(len(p)) < 1 / (1 + np.exp(-eta))).astype(int)
    return bm.Model("y ~ month + (1 | p)", pd.DataFrame({"y": y, "month": month, "p": p}), family="bernoulli")


def sampled(what: str, model: bm.Model) -> dict[str, Any]:
    """NUTS at its defaults, with what it says of itself."""
    ours, fit = cpu(lambda: model.fit("nuts", seed=1, progress=False))
    s = fit.status
    said = f"divergences {s.divergences}, R-hat {s.max_rhat:.3f}, bulk ESS {s.min_ess_bulk:.0f}"
    return {"what": f"NUTS, {what} ({said})", "rows": model.n_obs, "ours": ours, "peer": None}


def epil() -> bm.Model:
    """59 patients, four visits."""
    d = bm.load_data("epil")
    d = d.assign(Base=d["lbase"], Age=d["lage"], Visit=(d["period"].astype(int) - 2.5) / 5)
    return bm.Model("y ~ Base * trt + Age + Visit + (Visit | subject)", d, family="negbinomial")


CASES: dict[str, Callable[[], dict[str, Any]]] = {
    "sparse": lambda: fitted("y ~ 1 + (1 | te) + (1 | te:sch) + (1 | sch:st)", towns(part=True)),
    "crossed": lambda: fitted("y ~ 1 + (1 | te) + (1 | sch) + (1 | st)", towns(part=False)),
    "diagnose_linear": lambda: diagnosed("gaussian"),
    "diagnose_binary": lambda: diagnosed("bernoulli"),
    "loo_by": left_out,
    "laplace_crossed": lambda: posterior("crossed binary", crossed_binary()),
    "laplace_sites": lambda: posterior("negative binomial at sites", sites("(1 | site)")),
    "laplace_schools": lambda: posterior("400 schools with slopes", schools()),
    "laplace_patients": lambda: posterior("binary, 294 patients", patients()),
    "nuts_epil": lambda: sampled("epil, negative binomial with slopes", epil()),
    "nuts_sites": lambda: sampled("negative binomial at sites with slopes", sites("(x | site)")),
}


def markdown(facts: dict[str, Any], records: list[dict[str, Any]]) -> str:
    """The whole page."""
    rows = [
        [r["what"].replace("|", "\\|"), str(r["rows"]), f"{r['ours']:.2f}", *_beside(r["ours"], r["peer"])]
        for r in records
    ]
    parts = [
        "# Corners that were slow once",
        "\n".join(f"- {name}: {value}" for name, value in facts.items()),
        "CPU seconds, each case once in one process; beside linear fits is lmer (user seconds of the call), else what "
        "the line names.",
        table(["what", "rows", "ours, s", "beside, s", "ratio"], rows),
    ]
    return "\n\n".join(parts) + "\n"


def _beside(ours: float, peer: float | None) -> list[str]:
    return ["", ""] if peer is None else [f"{peer:.2f}", f"{peer / ours:.2f}"]


if __name__ == "__main__":
    main()
