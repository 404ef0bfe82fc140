"""Whether a restructuring changed a number: some 400 fits written before it and after, then compared. See README.md."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # sums in one order; before NumPy is imported

import argparse
import hashlib
import json
import math
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from report import table
from witness_cases import Case, cases

import bayesmixed as bm

SEED = 11
FIRST = 3  # draws written of every variable
LINES = 12  # fits named a column
SMALL = 1e-6  # of the largest number of its column and fit: differences of what is smaller are taken beside that
POINT = ("loglik", "criterion", "deviance", "aic", "bic", "n_parameters")


def main() -> None:
    """Write the records of all fits, or compare two files of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    write = verbs.add_parser("write", help="fit and append a JSON line per fit; fits that are there are not repeated")
    write.add_argument("file", type=Path)
    write.add_argument("--only", default="", help="fits whose name contains this")
    write.add_argument("--quick", action="store_true", help="without NUTS")
    compare = verbs.add_parser("compare", help="a table: per column how many numbers agree, and the worst fit")
    compare.add_argument("before", type=Path)
    compare.add_argument("after", type=Path)
    compare.add_argument("--only", default="", help="fits whose name contains this")
    options = parser.parse_args()
    if options.verb == "write":
        written(options)
    else:
        raise SystemExit(compared(read(options.before), read(options.after), options.only))


def written(options: argparse.Namespace) -> None:
    """Append what is missing in the file."""
    print(f"bayesmixed of {Path(bm.__file__).parents[1]}", flush=True)
    done, begin = set(read(options.file)), time.perf_counter()
    chosen = [case for case in cases() if options.only in case.name and not (options.quick and case.slow)]
    with options.file.open("a", encoding="utf-8") as file:
        for number, case in enumerate(chosen, 1):
            if case.name not in done:
                record = recorded(case)
                file.write(json.dumps(record) + "\n")
                file.flush()
                said = record.get("error", "")
                print(f"{number}/{len(chosen)} {case.name} {record['seconds']:.2f} s {said}", flush=True)
    print(f"{time.perf_counter() - begin:.0f} s")


def read(path: Path) -> dict[str, dict[str, Any]]:
    """Records by name of their fit."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {record["name"]: record for record in map(json.loads, lines)}


def recorded(case: Case) -> dict[str, Any]:
    """All that is written of one fit: numbers by column and label."""
    begin = time.perf_counter()
    record: dict[str, Any] = {"name": case.name}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fit = case.model().fit(case.engine, seed=SEED, progress=False)
        except Exception as error:
            record["error"] = words(error)
        else:
            for column, numbers in columns(fit, case.asked).items():
                record[column] = answered(numbers)
    return record | {"seconds": round(time.perf_counter() - begin, 3)}


def words(error: Exception) -> str:
    """The class of an error and the first line of what it says."""
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"


def answered(numbers: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a question gives, or the error that it raises."""
    try:
        return numbers()
    except Exception as error:
        return {"error": words(error)}


def columns(fit: Any, asked: tuple[str, ...]) -> dict[str, Callable[[], dict[str, Any]]]:
    """Questions to a fit by column of the table."""
    every = {
        "coefficients": lambda: of_frame(fit.coefficients),
        "vcov": lambda: of_frame(fit.vcov()),
        "sds": lambda: of_frame(fit.varcorr()),
        "dispersion": lambda: {"sigma": fit.sigma} | of_frame(bm.side_by_side(fit)),
        "effects": lambda: effects(fit),
        "predictions": lambda: predictions(fit),
        "simulated": lambda: digest(fit.simulate(2, seed=SEED)),
        "residuals": lambda: residuals(fit),
    }
    if fit.sampled:
        every |= {"draws": lambda: draws(fit), "status": lambda: status(fit)}
    else:
        every |= {
            "loglik": lambda: {name: float(getattr(fit, name)) for name in POINT},
            "theta": lambda: {str(i): float(value) for i, value in enumerate(fit.theta)},
            "leverage": lambda: digest(fit.leverage()),
            "status": lambda: status(fit),
        }
    return every | {name: lambda name=name: ASKED[name](fit) for name in asked if suits(name, fit)}


def suits(name: str, fit: Any) -> bool:
    """Whether a question is one for draws, for points or for both."""
    return fit.sampled if name in ("loo", "loo_by", "predictive") else not fit.sampled if name == "loglik_at" else True


def effects(fit: Any) -> dict[str, Any]:
    """Random effects, their sds and their sums with the fixed ones."""
    found: dict[str, Any] = {}
    for kind in ("ranef", "ranef_sd", "coef"):
        for factor, frame in getattr(fit, kind)().items():
            for name in frame.columns:
                found |= {f"{kind} {factor} {name} {key}": v for key, v in digest(frame[name].to_numpy()).items()}
    return found


def predictions(fit: Any) -> dict[str, Any]:
    """Means with both intervals, population means on the link scale, a few draws, five rows as new data."""
    found = {}
    rows = fit.model.frame.iloc[:5]
    asked = {
        "fitted": lambda: fit.fitted(),
        "confidence": lambda: fit.predict(interval="confidence"),
        "population": lambda: fit.predict(re="none", scale="link", interval="confidence"),
        "prediction": lambda: fit.predict(interval="prediction", seed=SEED),
        "new": lambda: fit.predict(rows, new_levels="sample", interval="confidence", seed=SEED),
        "draws": lambda: fit.predict_draws(draws=5, seed=SEED),
        "observation": lambda: fit.predict_draws(scale="observation", draws=5, seed=SEED),
    }
    for name, ask in asked.items():
        numbers = answered(lambda ask=ask: digest(np.asarray(ask(), dtype=float)))
        found |= {f"{name} {key}": value for key, value in numbers.items()}
    return found


def residuals(fit: Any) -> dict[str, Any]:
    """Every kind."""
    found = {}
    for kind in ("response", "pearson", "deviance", "quantile"):
        numbers = answered(lambda kind=kind: digest(fit.residuals(kind, seed=SEED).to_numpy()))
        found |= {f"{kind} {key}": value for key, value in numbers.items()}
    return found


def status(fit: Any) -> dict[str, Any]:
    """Numbers of the status, and its problems in words (texts are compared too)."""
    facts = {name: getattr(fit.status, name, None) for name in STATUS}
    numbers = {name: float(value) for name, value in facts.items() if isinstance(value, bool | int | float | np.number)}
    return numbers | {"route": str(facts["route"]), "problems": " ".join(map(str, fit.status.problems))}


STATUS = (
    "converged singular evaluations gradient_norm route divergences max_rhat min_ess_bulk min_ess_tail min_bfmi "
    "pareto_k ess_weights distinct_draws effect_shift"
).split()


def draws(fit: Any) -> dict[str, Any]:
    """Every variable of the posterior and of the sampler: mean, sd, the first draws, all bits."""
    found = {}
    for group in ("posterior", "sample_stats"):
        data = fit.idata[group]
        for name in sorted(map(str, data.data_vars)):
            values = np.asarray(data[name].values, dtype=float)
            first = values[0, :FIRST].reshape(-1)[: 4 * FIRST]
            numbers = digest(values) | {f"draw {i}": float(value) for i, value in enumerate(first)}
            found |= {f"{name} {key}": value for key, value in numbers.items()}
    return found


def leave_out(fit: Any, **options: Any) -> dict[str, Any]:
    """Expected log predictive density, and its terms."""
    found = bm.loo(fit, **options)
    return {"elpd": found.elpd, "p_loo": found.p_loo} | of_frame(found.frame.reset_index(drop=True))


def loo_by(fit: Any) -> dict[str, Any]:
    """Leaving out levels of the first grouping factor."""
    return leave_out(fit, by=next(iter(fit.ranef())), seed=SEED)


def loglik_at(fit: Any) -> dict[str, Any]:
    """The likelihood away from its maximum."""
    theta, fixed = 0.8 * np.asarray(fit.theta) + 0.05, {}
    if not fit.model.has_scale:
        fixed = {"beta": fit.fixef().to_numpy()}
    return {"at": fit.model.loglik_at(theta=theta, **fixed)}


def saved(fit: Any) -> dict[str, Any]:
    """What a fit answers after it was written and read again."""
    with tempfile.TemporaryDirectory() as folder:
        path = fit.save(Path(folder) / "fit.nc")
        again = bm.load(path)
        return of_frame(again.coefficients) | {f"sds {k}": v for k, v in of_frame(again.varcorr()).items()}


def prior_predictive(fit: Any) -> dict[str, Any]:
    """Draws of the priors and of responses."""
    found = fit.model.prior_predictive(20, seed=SEED)
    numbers = {}
    for group in ("prior", "prior_predictive"):
        for name in sorted(map(str, found[group].data_vars)):
            numbers |= {f"{name} {k}": v for k, v in digest(found[group][name].values).items()}
    return numbers


def predictive(fit: Any) -> dict[str, Any]:
    """Log-likelihood by row and draw, and replicated responses."""
    found = {}
    for data in (fit.log_likelihood()["log_likelihood"], fit.posterior_predictive(SEED)["posterior_predictive"]):
        for name in map(str, data.data_vars):
            found |= {f"{len(found)} {name} {k}": v for k, v in digest(data[name].values).items()}
    return found


def first_factor(fit: Any) -> str:
    """The first categorical or, in want of one, numeric column of the right side that is not a grouping factor."""
    groups, frame = set(fit.ranef()), fit.model.frame
    right = str(fit.model.formula).split("~", 1)[1]
    names = [name for name in frame.columns if name not in groups and str(name) in right]
    return str(sorted(names, key=lambda name: pd.api.types.is_numeric_dtype(frame[name]))[0])


ASKED: dict[str, Callable[[Any], dict[str, Any]]] = {
    "loo": leave_out,
    "loo_by": loo_by,
    "loglik_at": loglik_at,
    "simulate_new": lambda fit: digest(fit.simulate(3, re="all", seed=SEED)),
    "icc": lambda fit: of_frame(bm.icc(fit).frame),
    "r2": lambda fit: of_frame(bm.r2(fit).frame),
    "pooling": lambda fit: of_frame(bm.pooling(fit).frame),
    "comparisons": lambda fit: of_frame(bm.comparisons(fit, first_factor(fit)).frame),
    "slopes": lambda fit: of_frame(bm.slopes(fit, "lbase" if "lbase" in fit.model.frame else "age").frame),
    "emmeans": lambda fit: of_frame(bm.emmeans(fit, first_factor(fit)).frame),
    "odds": lambda fit: of_frame(bm.odds_ratios(fit).frame),
    "checks": lambda fit: of_frame(bm.residual_checks(fit, seed=SEED).frame),
    "saved": saved,
    "prior_predictive": prior_predictive,
    "predictive": predictive,
}


def of_frame(frame: pd.DataFrame) -> dict[str, Any]:
    """Numbers of a table by column and row."""
    found = {}
    for j, name in enumerate(frame.columns):
        for i, value in enumerate(frame.iloc[:, j]):
            if isinstance(value, bool | int | float | np.number):
                found[f"{name} {frame.index[i]}"] = float(value)
    return found


def digest(values: Any) -> dict[str, Any]:
    """Mean, sd and a hash of the bits of an array."""
    array = np.ascontiguousarray(values, dtype=float)
    bits = hashlib.blake2b((array + 0.0).tobytes(), digest_size=8).hexdigest()
    with np.errstate(all="ignore"):
        return {"mean": float(array.mean()), "sd": float(array.std()), "bits": bits} if array.size else {"bits": bits}


def compared(before: dict[str, Any], after: dict[str, Any], only: str) -> int:
    """Print the table; how many columns have a number that is not the same to 1e-6, or a text that is not."""
    names = [name for name in before if name in after and only in name]
    found: dict[str, list[tuple[float, str, str]]] = defaultdict(list)
    for name in names:
        for column, difference, label in differences(before[name], after[name]):
            found[column].append((difference, name, label))
    rows = [row(column, entries) for column, entries in found.items()]
    print(table(["column", "values", "identical", "largest relative difference", "fit", "what"], rows))
    for column, entries in found.items():
        for difference, name, label in worst_by_fit(entries)[:LINES]:
            print(f"- {column}: {name}: {label}: {difference:.1e}")
    seconds = [sum(records[name]["seconds"] for name in names) for records in (before, after)]
    absent = [name for name in before if name not in after and only in name]
    print(f"\n{len(names)} fits compared; {seconds[0]:.0f} s before, {seconds[1]:.0f} s after.")
    print(f"Only before: {len(absent)} {absent[:5]}; only after: {sum(name not in before for name in after)}.")
    return min(1, sum(max(entries)[0] > SMALL for entries in found.values()))


def worst_by_fit(entries: list[tuple[float, str, str]]) -> list[tuple[float, str, str]]:
    """The largest difference of each fit that has one, largest first."""
    worst: dict[str, tuple[float, str, str]] = {}
    for entry in entries:
        if entry[0] > 0:
            worst[entry[1]] = max(entry, worst.get(entry[1], entry))
    return sorted(worst.values(), reverse=True)


def row(column: str, entries: list[tuple[float, str, str]]) -> list[str]:
    """One line of the table."""
    largest, name, label = max(entries)
    same = sum(difference == 0 for difference, _, _ in entries)
    told = (f"{largest:.1e}", name, label.replace("|", "\\|")) if largest else ("0", "", "")
    return [column, str(len(entries)), str(same), *told]


def differences(a: dict[str, Any], b: dict[str, Any]) -> Iterator[tuple[str, float, str]]:
    """(column, relative difference, label) of every value of two records of one fit; inf where one lacks it."""
    for column in dict.fromkeys([*a, *b]):
        if column in ("name", "seconds"):
            continue
        if column == "error":
            yield column, 0.0 if a.get(column) == b.get(column) else math.inf, f"{a.get(column)} -> {b.get(column)}"
            continue
        old, new = a.get(column, {}), b.get(column, {})
        numbers = [abs(v) for v in old.values() if isinstance(v, float) and math.isfinite(v)]
        floor = SMALL * max(numbers, default=0.0)
        for label in dict.fromkeys([*old, *new]):
            kind, value = apart(column, label, old.get(label), new.get(label), floor)
            yield kind, value, label


def apart(column: str, label: str, old: Any, new: Any, floor: float) -> tuple[str, float]:
    """The column of a value and how far two of it are apart: texts count as the same or not."""
    kind = refined(column, label)
    if isinstance(old, str) or isinstance(new, str):
        kind = "bits" if label.endswith("bits") else f"{column} (words)"
        return kind, 0.0 if old == new else (SMALL if kind == "bits" and None not in (old, new) else math.inf)
    if old is None or new is None:
        return kind, 0.0 if old is new else math.inf
    if old == new or (math.isnan(old) and math.isnan(new)):
        return kind, 0.0
    size = max(abs(old), abs(new), floor)
    return kind, abs(old - new) / size if math.isfinite(size) else math.inf


def refined(column: str, label: str) -> str:
    """Estimates and standard errors of the coefficients as columns of their own."""
    if column != "coefficients":
        return column
    first = label.split(" ", 1)[0]
    return {"estimate": "estimates", "mean": "estimates", "se": "standard errors", "sd": "standard errors"}.get(
        first, "limits and diagnostics"
    )


if __name__ == "__main__":
    main()
