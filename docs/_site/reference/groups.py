"""Which public name belongs to which group of the reference? The groups are those of the verbs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import bayesmixed as bm
from bayesmixed.fits.draws import DrawsFit
from bayesmixed.fits.point import PointFit


@dataclass(frozen=True)
class Group:
    """A group of names: `slug` of its page, `title`, what they are for, and the names below `bm.`."""

    slug: str
    title: str
    about: str
    names: tuple[str, ...]


GROUPS = (
    Group(
        "model",
        "Model",
        "A formula and a table become an immutable model; printing it shows what it is.",
        ("Model", "Formula", "Program", "x64", "compilation_cache"),
    ),
    Group(
        "engines",
        "Engines",
        '`model.fit("reml")` takes an engine by name, `model.fit(bm.ML(quadrature=9))` by a value with options.',
        ("ML", "REML", "MAP", "Laplace", "NUTS"),
    ),
    Group(
        "fits",
        "Fits",
        "What `model.fit` returns: `PointFit` of ML, REML and MAP, `DrawsFit` of Laplace and NUTS. "
        "Both answer the same questions.",
        ("PointFit", "DrawsFit", "side_by_side"),
    ),
    Group(
        "checks",
        "Checks",
        "Is the fit what it seems, does the model resemble the data, are the draws right?",
        ("diagnose", "pp_check", "residual_checks", "loo", "loo_compare", "sbc"),
    ),
    Group(
        "tests",
        "Tests and intervals",
        "Tests of terms and hypotheses, profiles and limits, bootstrap, exchanged labels, other structures.",
        (
            "anova",
            "drop1",
            "hypothesis",
            "profile",
            "confint",
            "bootstrap",
            "bootstrap_test",
            "permutation_test",
            "multi_start",
            "maximal",
            "simplify",
            "influence",
        ),
    ),
    Group("design", "Design", "Data from stated numbers, and how large a study must be.", ("simulate", "power")),
    Group(
        "effects",
        "Effects",
        "What the fit says on the scale of the response.",
        ("predictions", "comparisons", "slopes", "emmeans", "inverse_predict", "odds_ratios"),
    ),
    Group(
        "summaries",
        "Summaries",
        "Shares of variance, pooling, ranks, and the paragraph for the paper.",
        ("icc", "r2", "pooling", "ranks", "report", "cite"),
    ),
    Group(
        "plots",
        "Plots",
        "Pictures of fits and of checks; `bm.plot.NAME_frame` gives what `bm.plot.NAME` draws. "
        "[All of them at a glance](../guide/gallery).",
        ("plot",),
    ),
    Group(
        "files",
        "Data and files",
        "Classic data sets; fits on disk; what is installed, for a report of a fault.",
        ("load_data", "list_data", "load", "show_versions"),
    ),
    Group(
        "modules",
        "Modules",
        "Values that models take, and what can go wrong.",
        ("families", "links", "priors", "covariance", "errors"),
    ),
)
FITS: dict[str, Any] = {"PointFit": PointFit, "DrawsFit": DrawsFit}  # made by engines, not by users


def grouped() -> list[str]:
    """Every name in every group."""
    return [name for group in GROUPS for name in group.names]


def missing() -> list[str]:
    """Public names that no group has."""
    return sorted(set(bm.__all__) - set(grouped()))


def value(name: str) -> Any:
    """What a name of a group stands for."""
    return FITS[name] if name in FITS else getattr(bm, name)


def plots() -> Iterator[str]:
    """Names below `bm.plot` that draw, in the order in which the gallery has them, then those that give frames."""
    names = [name for name in bm.plot.__all__ if name.islower() and not name.endswith("_frame")]
    return iter(names)
