"""How NUTS does at its defaults on every mixed model of the reference collection: see README.md."""

from __future__ import annotations

import argparse
import json
import os
import re
import time
import warnings
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from machine import machine
from report import missing, table

import bayesmixed as bm
from bayesmixed.data.catalogue import column
from bayesmixed.data.reading import read_table
from bayesmixed.fits.convergence import convergence

RESULTS = Path(__file__).parent / "results"
SEED = 1
ROWS = 10_000
DIVERGENCES = 1.0  # per 1,000 draws
RHAT, RHAT_LEVELS = 1.01, 1.02
# Kind of model -> how the files of results begin, and what the page calls it.
KINDS = {
    "linear": ("lmm_", "convergence", "linear mixed models"),
    "generalized": ("glmm_", "convergence_generalized", "generalized linear mixed models"),
}
LATER = ("zi", "hurdle", "zinb", "disp")  # predictors of other parameters
FAMILIES = {"Gamma": "gamma", "nbinom2": "negbinomial", "nbinom1": "negbinomial1"}  # R's names where they differ
CONTRASTS = {
    "lmm_cake_sum_contrasts": {"recipe": "sum"},
    "lmm_oats_helmert": {"Variety": "helmert"},
    "lmm_orthodont_sum": {"Sex": "sum"},
}


def main() -> None:
    """Fit every model once, then write results/convergence.json and .md, and those of generalized models."""
    options = arguments()
    facts = {**machine(), "engine": f"bayesmixed {bm.__version__}, JAX {version('jax')}, NumPyro {version('numpyro')}"}
    run = {"machine": facts, "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "command": "make convergence"}
    for kind in options.kind:
        begins, file, title = KINDS[kind]
        records = []
        for name in sorted(path.stem for path in (options.reference / "results").glob(f"{begins}*.json")):
            if (not options.case or name in options.case) and name.rsplit("_", 1)[-1] not in LATER:
                found = every(name, options.reference)
                records += found
                print(*map(json.dumps, found), sep="\n", flush=True)
        write({**run, "title": title, "records": records}, options.output / file)


def arguments() -> argparse.Namespace:
    """The command line."""
    beside = Path(__file__).parents[2] / "shared" / "reference"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", nargs="*", default=list(KINDS), choices=list(KINDS), help="only these kinds")
    parser.add_argument("--case", nargs="*", help="only these models, e.g. lmm_pastes_nested")
    parser.add_argument(
        "--reference",
        type=Path,
        default=Path(os.environ.get("BAYESMIXED_REFERENCE", beside)),
        help="the folder with data/ and results/ of the reference collection",
    )
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for what is written")
    return parser.parse_args()


def every(name: str, reference: Path) -> list[dict[str, Any]]:
    """A record for every model of one file of results; none where the table is too long."""
    return [one(record, model) for record, model in every_model(name, reference)]


def every_model(name: str, reference: Path) -> list[tuple[dict[str, Any], bm.Model]]:
    """What is known of every model of one file of results, and the model; none where the table is too long."""
    content = json.loads((reference / "results" / f"{name}.json").read_text(encoding="utf-8"))
    data = frame(content["dataset"], reference / "data")
    if len(data) > ROWS:
        return []
    if name.startswith("lmm_"):
        kinds = [("gaussian", "identity", content["formula"])]
    else:
        found = {(entry["family"], entry["link"], formula_of(entry, content)) for entry in content["fits"]}
        kinds = sorted({(FAMILIES.get(f, f), link, text) for f, link, text in found if FAMILIES.get(f, f) in known()})
    singular = any(entry.get("singular") for entry in content["fits"])
    return [(described(name, kind, singular), reference_model(name, kind, data)) for kind in kinds]


def known() -> set[str]:
    """Names of the families there are; lme4's negative binomials carry a number and are glmmTMB's again."""
    return set(bm.families.FAMILIES)


def formula_of(entry: dict[str, Any], content: dict[str, Any]) -> str:
    """The formula of one fit: some files hold several."""
    found = re.search(r"formula = (.+?), data", entry["call"])
    return found.group(1) if found else content["formula"]


def described(name: str, kind: tuple[str, str, str], singular: bool) -> dict[str, Any]:
    """What is known of one model before it is fitted."""
    record = dict(zip(("family", "link", "formula"), kind, strict=True))
    return {"peer": "bayesmixed", "case": name, "singular": singular} | record


def one(record: dict[str, Any], model: bm.Model) -> dict[str, Any]:
    """The record of one model."""
    begin = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", bm.errors.BayesMixedWarning)
            fit = model.fit("nuts", seed=SEED, progress=False)
    except bm.errors.BayesMixedError as error:
        return record | {"missing": str(error)}
    return record | {"seconds": time.perf_counter() - begin} | judged(fit)


def frame(dataset: str, folder: Path) -> pd.DataFrame:
    """A data set of the collection, categories in the order of its schema."""
    entry = json.loads((folder / "schema.json").read_text(encoding="utf-8"))[dataset]
    return read_table(folder / entry["file"], {name: column(value) for name, value in entry["columns"].items()})


def reference_model(name: str, kind: tuple[str, str, str], data: pd.DataFrame) -> bm.Model:
    """The model as the collection describes it."""
    options: dict[str, Any] = {}
    if name == "lmm_sleepstudy_subset_na":
        data = data.assign(Reaction=data["Reaction"].where(~data.index.isin([2, 49, 50, 119])))
    if name == "lmm_sleepstudy_weights_offset":
        options = {"weights": np.resize([1.0, 2.0, 4.0], len(data)), "offset": 5.0 * data["Days"].to_numpy()}
    if name == "glmm_banta_seed":
        data = data[(data["amd"].astype(str) == "clipped") & (data["nutrient"].astype(str) == "1")]
    if name == "glmm_cbpp_olre":
        data = data.assign(obs=np.arange(len(data)).astype(str))
    if name == "glmm_cbpp_proportion":
        data, options = data.assign(prop=data["incidence"] / data["size"]), {"weights": "size"}
    if name == "glmm_gasoline_beta":
        data = data.assign(y=data["yield"] / 100)
    family, link, formula = kind
    return bm.Model(formula, data, family=family, link=link, contrasts=CONTRASTS.get(name), **options)


def judged(fit: Any) -> dict[str, Any]:
    """Route, divergences, largest R-hat of population parameters and of levels, smallest bulk and tail ESS."""
    parameters, status = fit.parameters, fit.status
    below = [c[..., *np.tril_indices(c.shape[-1], -1)] for c in parameters.corrs if c is not None]
    scalars = [values[..., None] for values in parameters.dispersion.values()]
    population = convergence(np.concatenate([parameters.beta, *parameters.sds, *below, *scalars], axis=2))
    levels = [convergence(b) for b in parameters.b]
    return {
        "route": status.route,
        "rows": fit.n_obs,
        "divergences": 1000 * status.divergences / parameters.n_draws,
        "rhat": float(np.nanmax(population.rhat)),
        "rhat_levels": max((float(np.nanmax(each.rhat)) for each in levels), default=float("nan")),
        "ess_bulk": status.min_ess_bulk,
        "ess_tail": status.min_ess_tail,
        "said": [*filter(None, [status.warmup]), *status.problems],
    }


def faults(record: dict[str, Any]) -> list[str]:
    """What is beyond the limits, in words."""
    found = []
    if record["divergences"] > DIVERGENCES:
        found.append("divergences")
    if not record["rhat"] < RHAT:
        found.append("R-hat")
    if not (record["rhat_levels"] < RHAT_LEVELS or np.isnan(record["rhat_levels"])):
        found.append("R-hat of levels")
    return found


def markdown(run: dict[str, Any]) -> str:
    """The whole page."""
    measured = [record for record in run["records"] if "rhat" in record]
    good = sum(not faults(record) for record in measured)
    facts = {**run["machine"], "date": run["date"], "command": f"`{run['command']}`"}
    limits = (
        f"Default priors, seed {SEED}, 4 chains of 1,000 kept draws, models of up to {ROWS:,} rows; (singular) marks "
        "those whose maximum likelihood or REML fit is on the boundary by lme4. Limits: "
        f"{DIVERGENCES:g} divergence per 1,000 draws, R-hat {RHAT} for population parameters and {RHAT_LEVELS} for "
        f"level effects. Seconds include compiling. **{good} of {len(measured)} within the limits.**"
    )
    columns = ["model", "rows", "route", "div. / 1,000", "R-hat", "R-hat, levels", "ESS bulk", "ESS tail", "s", ""]
    parts = [
        f"# NUTS at its defaults on the {run['title']} of the reference collection",
        "\n".join(f"- {name}: {value}" for name, value in facts.items()),
        limits,
        table(columns, [row(record) for record in measured]),
        said(measured),
        missing(run["records"]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def row(record: dict[str, Any]) -> list[str]:
    """One model's line."""
    formula = record["formula"].replace("|", "\\|")
    numbers = [f"{record['divergences']:.2f}", f"{record['rhat']:.4f}", f"{record['rhat_levels']:.4f}"]
    sizes = [f"{record['ess_bulk']:.0f}", f"{record['ess_tail']:.0f}", f"{record['seconds']:.1f}"]
    verdict = ", ".join(faults(record))
    mark = " (singular)" if record["singular"] else ""
    name = f"{shortened(record)}{mark}: `{formula}`"
    return [name, str(record["rows"]), record["route"], *numbers, *sizes, f"**{verdict}**" if verdict else "within"]


def shortened(record: dict[str, Any]) -> str:
    """What a page calls a model."""
    name = re.sub("^g?lmm_", "", record["case"])
    plain = record["family"] == "gaussian" and record["link"] == "identity"
    return name if plain else f"{name}, {record['family']} ({record['link']})"


def said(records: list[dict[str, Any]]) -> str:
    """What the fits told the user."""
    lines = [f"- {shortened(record)}: {words}" for record in records for words in record["said"]]
    return "## What the fits said\n\n" + "\n".join(lines) if lines else ""


def write(run: dict[str, Any], path: Path) -> None:
    """Both files of results; `path` without suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".json").write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(markdown(run), encoding="utf-8")
    print(markdown(run))


if __name__ == "__main__":
    main()
