"""What a calibration found: ranks, their uniformity, coverage of intervals, failures, and all of it in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import binom

from ...errors import FitError
from ...messages import Told
from ...page import Page, Printed, Section, probability
from .replicate import Failure, ReplicateRanks
from .uniform import p_value

if TYPE_CHECKING:
    from ...engines.base import Engine
    from ...model import Model

LEVELS = (0.5, 0.8, 0.9, 0.95)
LIMIT = 0.05  # of the adjusted p-values: one calibration in twenty of a right program is flagged
CLEAR = 3.0  # standard errors from which a mean or spread of positions is put into words


@dataclass(frozen=True, eq=False, repr=False)
class Calibration(Printed):
    """The result of `sbc`.

    Attributes
    ----------
    formula, method
        What was calibrated.
    n, seed, seconds
        Replicates asked for, the seed that repeats them, and the time they took.
    ranks
        One row per replicate and quantity: replicate, quantity, true, rank, draws (the rank is between 0 and it),
        position (in (0, 1), uniform where the rank is).
    failures
        Replicates without ranks: replicate, stage ("simulating" or "fitting"), reason.
    divergences
        Divergent transitions per fitted replicate, by replicate.
    warned
        Whether the status of a fitted replicate named a problem, by replicate. Short chains often do.
    """

    formula: str
    method: str
    n: int
    seed: int
    seconds: float
    ranks: pd.DataFrame = field(repr=False)
    failures: pd.DataFrame = field(repr=False)
    divergences: pd.Series = field(repr=False)
    warned: pd.Series = field(repr=False)

    @property
    def quantities(self) -> list[str]:
        """What was ranked, in order."""
        return list(self.ranks["quantity"].unique())

    @property
    def used(self) -> int:
        """Replicates with ranks."""
        return len(self.divergences)

    @property
    def calibrated(self) -> bool:
        """Whether no quantity's ranks depart from uniform at the 5 % level, all quantities taken together."""
        return bool((self.uniformity()["adjusted"] >= LIMIT).all())

    def positions(self, quantity: str) -> np.ndarray:
        """Positions (used,) of one quantity."""
        return self.ranks.loc[self.ranks["quantity"] == quantity, "position"].to_numpy()

    def uniformity(self) -> pd.DataFrame:
        """One row per quantity: is it ranked uniformly?

        Returns
        -------
        DataFrame
            quantity; p, the exact p-value of the simultaneous envelope of its distribution function; adjusted, p
            after Holm's adjustment for the number of quantities; reading, what a departure looks like.
        """
        values = [self.positions(quantity) for quantity in self.quantities]
        p = np.array([p_value(each) for each in values])
        adjusted = holm(p)
        reading = [_reading(each) if a < LIMIT else "uniform" for each, a in zip(values, adjusted, strict=True)]
        return pd.DataFrame({"quantity": self.quantities, "p": p, "adjusted": adjusted, "reading": reading})

    def coverage(self, levels: Sequence[float] = LEVELS) -> pd.DataFrame:
        """How often central intervals hold the true value.

        Parameters
        ----------
        levels
            Nominal coverages.

        Returns
        -------
        DataFrame
            quantity, nominal, observed; lower and upper, between which the observed share of a calibrated quantity
            lies in 95 % of calibrations (binomial).
        """
        rows = []
        for quantity in self.quantities:
            distance = np.abs(self.positions(quantity) - 0.5)
            for level in levels:
                limits = np.asarray(binom.ppf([0.025, 0.975], self.used, level)) / self.used
                rows.append((quantity, level, np.mean(distance < level / 2), *limits))
        return pd.DataFrame(rows, columns=["quantity", "nominal", "observed", "lower", "upper"])

    @property
    def page(self) -> Page:
        """The page that is printed."""
        return _page(self)

    def __repr__(self) -> str:
        verdict = "ranks uniform" if self.calibrated else "ranks not uniform"
        return f"Calibration({self.formula!r}, {self.method}, {self.used} of {self.n} replicates: {verdict})"


def calibration(
    model: Model, engine: Engine, seed: int, outcomes: Sequence[ReplicateRanks | Failure], seconds: float
) -> Calibration:
    """Collect the outcomes of all replicates."""
    ranked = {i: found for i, found in enumerate(outcomes) if isinstance(found, ReplicateRanks)}
    failed = [(i, found.stage, found.reason) for i, found in enumerate(outcomes) if isinstance(found, Failure)]
    if not ranked:
        raise FitError(
            f"None of {len(outcomes)} replicates has ranks. The first failed {failed[0][1]}: {failed[0][2]}",
            topic="replicates-failed",
        )
    return Calibration(
        formula=model.formula.line,
        method=_call(engine),
        n=len(outcomes),
        seed=seed,
        seconds=seconds,
        ranks=pd.concat([_tidy(i, found) for i, found in ranked.items()], ignore_index=True),
        failures=pd.DataFrame(failed, columns=["replicate", "stage", "reason"]),
        divergences=pd.Series({i: found.divergences for i, found in ranked.items()}, name="divergences"),
        warned=pd.Series({i: found.warned for i, found in ranked.items()}, name="warned", dtype=bool),
    )


def _tidy(i: int, found: ReplicateRanks) -> pd.DataFrame:
    columns = {"quantity": found.names, "true": found.true, "rank": found.rank}
    frame = pd.DataFrame(columns | {"draws": found.draws, "position": found.position})
    frame.insert(0, "replicate", i)
    return frame


def _call(engine: Any) -> str:
    """The engine as one writes it, options at their defaults left out."""
    options = [f"{f.name}={getattr(engine, f.name)!r}" for f in fields(engine) if getattr(engine, f.name) != f.default]
    return f"{type(engine).__name__}({', '.join(options)})"


def holm(p: np.ndarray) -> np.ndarray:
    """p-values (m,) adjusted for their number. Source: Holm (1979), Scand. J. Statist. 6, 65-70."""
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def _reading(position: np.ndarray) -> str:
    """What a departure looks like: draws that lie to one side, or are too narrow or too wide."""
    n = len(position)
    side = (np.mean(position) - 0.5) * np.sqrt(12 * n)
    spread = (np.var(position) - 1 / 12) * np.sqrt(180 * n)
    if max(abs(side), abs(spread)) < CLEAR:
        return "uneven"
    if abs(side) >= abs(spread):
        return "draws too low" if side > 0 else "draws too high"
    return "draws too narrow" if spread > 0 else "draws too wide"


def _page(result: Calibration) -> Page:
    heading = "Ranks, and shares of central intervals that hold the true value"
    sections = [
        Section("Simulation-based calibration", lines=tuple(_facts(result))),
        Section(heading, _table(result), tuple(_notes(result))),
    ]
    if len(result.failures):
        sections.append(Section("Replicates left out", _reasons(result), index=False))
    return Page(tuple(sections))


def _facts(result: Calibration) -> list[str]:
    draws = result.ranks["draws"]
    fewer = f", {draws.min()} at least" if draws.min() < draws.max() else ""
    divergent = int((result.divergences > 0).sum())
    return [
        f"  formula:    {result.formula}",
        f"  method:     {result.method}",
        f"  replicates: {result.used} of {result.n} ranked (seed {result.seed}, {result.seconds:.0f} s)",
        f"  draws:      {draws.median():.0f} a replicate{fewer}" + f"; {divergent} fits diverged" * (divergent > 0),
    ]


def _table(result: Calibration) -> pd.DataFrame:
    uniform = result.uniformity().set_index("quantity")
    shares = result.coverage().pivot(index="quantity", columns="nominal", values="observed").loc[uniform.index]
    table = pd.DataFrame({name: uniform[name].map(lambda p: probability(p, 3)) for name in ("p", "adjusted")})
    for level in shares.columns:
        table[f"{100 * level:g} %"] = shares[level].map("{:.3f}".format)
    table["ranks"] = uniform["reading"]
    table.index.name = None
    return table


def _notes(result: Calibration) -> list[str]:
    limits = result.coverage().drop_duplicates("nominal").set_index("nominal")[["lower", "upper"]]
    pairs = zip(limits.index, limits["lower"], limits["upper"], strict=True)
    spans = ", ".join(f"{100 * level:g} %: {lower:.3f} to {upper:.3f}" for level, lower, upper in pairs)
    uniform = result.uniformity()
    bad = uniform.loc[uniform["adjusted"] < LIMIT, "quantity"].tolist()
    if bad:
        verdict = Told(
            "calibration",
            f"Not calibrated: the ranks of {', '.join(bad)} are not uniform (adjusted p below {LIMIT:g}). "
            "bm.plot.calibration(result) shows how.",
        )
    else:
        verdict = Told(
            "calibration",
            f"No departure from uniform ranks was found (smallest adjusted p {uniform['adjusted'].min():.2f}).",
        )
    return [
        Told("calibration", f"Shares of a calibrated quantity lie within {spans} in 95 % of calibrations."),
        verdict,
    ]


def _reasons(result: Calibration) -> pd.DataFrame:
    """How many replicates ended for each reason, numbers in it aside."""
    alike = result.failures["reason"].str.replace(r"[-+.\d]+(e[-+]?\d+)?", "#", regex=True)
    rows = [
        {"replicates": str(len(part)), "stage": stage, "reason (the first)": part["reason"].iloc[0][:120]}
        for (stage, _), part in result.failures.groupby(["stage", alike], sort=False)
    ]
    return pd.DataFrame(rows)
