"""Which posteriors are sampled by both sides, on which data, how often, and what ours must reach."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from cases import insteval
from generalized_cases import contraception, verbagg

import bayesmixed as bm

SHARE = 0.1  # of InstEval's rows
SEED = 1


@dataclass(frozen=True)
class PosteriorCase:
    """One model on one table; processes are started anew `rounds` times, and fit `warm` times more after the first.

    `targets` are the ratios of effective draws per second that ours must reach: cold, cached, warm. `spelling` is
    bambi's formula where it differs.
    """

    name: str
    title: str
    formula: str
    table: Callable[[], pd.DataFrame]
    rounds: int
    warm: int
    targets: tuple[float, float, float] = (1.0, 1.0, 1.0)
    family: str = "gaussian"
    spelling: str = ""

    def written(self, peer: str) -> str:
        """The formula as this side reads it."""
        return self.spelling if peer == "bambi" and self.spelling else self.formula

    def factors(self, table: pd.DataFrame) -> list[str]:
        """The columns that both sides must treat as categorical."""
        return [name for name in table.columns if isinstance(table[name].dtype, pd.CategoricalDtype)]


def linear_cases() -> list[PosteriorCase]:
    """Linear mixed models, the quick ones first."""
    slopes = "Reaction ~ Days + (Days | Subject)"
    machines = "score ~ Machine + (Machine | Worker)"
    growth = "math ~ year + female + (year | childid) + (1 | schoolid)"
    nested, crossed = "strength ~ 1 + (1 | batch/cask)", "diameter ~ 1 + (1 | plate) + (1 | sample)"
    ratings = "y ~ service + (1 | s) + (1 | d)"
    return [
        PosteriorCase("sleepstudy", "sleepstudy, slopes", slopes, _shipped("sleepstudy"), 3, 3, (8.0, 10.0, 40.0)),
        PosteriorCase("machines", "Machines, a column per machine", machines, _shipped("Machines"), 1, 2),
        PosteriorCase("pastes", "Pastes, nested", nested, _shipped("Pastes"), 1, 2),
        PosteriorCase("penicillin", "Penicillin, crossed", crossed, _shipped("Penicillin"), 1, 2),
        PosteriorCase("egsingle", "egsingle, three levels", growth, egsingle, 1, 1),
        PosteriorCase("insteval", "InstEval, a tenth of its rows", ratings, tenth_of_insteval, 1, 1),
    ]


def generalized_cases() -> list[PosteriorCase]:
    """Generalized linear mixed models, the quick ones first."""
    herds = ("prop(incidence, size) ~ period + (1 | herd)", _shipped("cbpp"))
    women = ("use ~ age + urban + livch + (1 | district)", contraception)
    items = ("r2 ~ Anger + Gender + btype + situ + (1 | id) + (1 | item)", verbagg)
    few, many = (3.0, 3.0, 5.0), (5.0, 5.0, 5.0)
    other = "p(incidence, size) ~ period + (1 | herd)"
    return [
        PosteriorCase("cbpp", "cbpp, binomial", *herds, 3, 3, few, "binomial", other),
        PosteriorCase("contraception", "Contraception, binary", *women, 1, 2, few, "bernoulli"),
        PosteriorCase("verbagg", "VerbAgg, binary", *items, 1, 1, many, "bernoulli"),
    ]


# Kind of model -> its cases, the file of its results, and what the page calls it.
KINDS = {
    "linear": (linear_cases, "posterior", "linear mixed models"),
    "generalized": (generalized_cases, "posterior_generalized", "generalized linear mixed models"),
}


def egsingle() -> pd.DataFrame:
    """7,230 scores of 1,721 children in 60 schools, from BAYESMIXED_DATA or the reference data."""
    folders = [os.environ.get("BAYESMIXED_DATA"), Path(__file__).parents[2] / "shared" / "reference" / "data"]
    for folder in filter(None, folders):
        os.environ["BAYESMIXED_DATA"] = str(folder)
        try:
            return bm.load_data("egsingle")[["math", "year", "female", "childid", "schoolid"]]
        except bm.errors.DataError:
            continue
    return bm.load_data("egsingle")  # raises, saying how to get the file


def tenth_of_insteval() -> pd.DataFrame:
    """7,342 of the 73,421 ratings, drawn with a fixed seed; students and lecturers that are left out are no levels."""
    table = insteval().sample(frac=SHARE, random_state=SEED)
    return table[["y", "s", "d", "service"]].apply(
        lambda column: column.cat.remove_unused_categories() if column.dtype == "category" else column
    )


def _shipped(name: str) -> Callable[[], pd.DataFrame]:
    return lambda: bm.load_data(name)
