"""The density of a script is ours, at random points: of every family, link, covariance structure and prior."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scripts import our_log_density, point

import bayesmixed as bm
from bayesmixed.covariance import STRUCTURES
from bayesmixed.families import FAMILIES, Family, family

SAME = 1e-9  # relative: the same sums in float64 by other routes
SHAPE = {"sigma": 0.8, "nu": 5.0, "alpha": 2.5, "lam": 3.0, "phi": 4.0}
SLEEP = bm.load_data("sleepstudy")


def agrees(model: bm.Model, seed: int = 1) -> None:
    found = point(model.code(), seed)
    assert np.isfinite(found.log_density)
    assert found.log_density == pytest.approx(our_log_density(model, found.sites), rel=SAME)


@cache
def table() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    n = 24
    return pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "f": np.resize(list("abc"), n),
            "g": np.repeat(list("pqrs"), 6),
            "trials": np.resize([1.0, 4.0, 25.0], n),
            "w": rng.uniform(0.5, 2.0, n),
        }
    )


def responses(kind: Family) -> pd.DataFrame:
    """The table with responses of a family; means in the middle of what it allows."""
    data = table()
    low, high = max(kind.mean_range[0], kind.link.range[0]), min(kind.mean_range[1], kind.link.range[1])
    low, high = (low if np.isfinite(low) else -1.5), (high if np.isfinite(high) else 3.0)
    mu = np.linspace(low, high, len(data) + 2)[1:-1]
    trials = data["trials"].to_numpy() if kind.takes_trials else None
    given = {name: SHAPE[name] for name in kind.dispersion}
    return data.assign(y=kind.draw(np.random.default_rng(5), mu, given, None, trials))


def model_of(kind: Family, **options: Any) -> bm.Model:
    left = "prop(y, trials)" if kind.takes_trials else "y"
    data = responses(kind)
    if np.isfinite(kind.eta_range).any():
        options["priors"] = inside(kind)
    return bm.Model(f"{left} ~ x + (1 | g)", data, family=kind, **options)


def inside(kind: Family) -> dict[str, Any]:
    """Priors of predictors that stay in the domain of a link or of the means."""
    low, high = kind.eta_range
    middle = (low + high) / 2 if np.isfinite(high - low) else low + 1 if np.isfinite(low) else high - 1
    given = {name: bm.priors.HalfNormal(1) for name in kind.dispersion}
    narrow = {"x": bm.priors.Normal(0, 0.01), "1|g_sigma": bm.priors.HalfNormal(0.01)}
    return given | narrow | {"Intercept_centered": bm.priors.Normal(middle, 0.01)}


@pytest.mark.parametrize("name", FAMILIES)
def test_of_every_family(name: str) -> None:
    agrees(model_of(family(name)))


def links() -> Iterator[Any]:
    for name, kind in FAMILIES.items():
        yield from (pytest.param(family(name, chosen), id=f"{name}-{chosen}") for chosen in kind.links[1:])


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(links()))
def test_of_every_family_with_every_link(kind: Family) -> None:
    agrees(model_of(kind))


@pytest.mark.parametrize("name", ["gaussian", "gamma"])
def test_with_weights_that_are_precisions_or_frequencies(name: str) -> None:
    """A row of weight zero is absent."""
    agrees(model_of(family(name), weights=np.where(table()["x"] > 1, 0.0, table()["w"])))


@pytest.mark.parametrize("chosen", [bm.links.logit(0.5, 0.02), bm.links.probit(0.25, 0.0)], ids=lambda one: one.name)
def test_with_asymptotes(chosen: Any) -> None:
    agrees(model_of(family("binomial", chosen)))


@pytest.mark.parametrize("name", STRUCTURES)
def test_of_every_covariance_structure(name: str) -> None:
    agrees(bm.Model(f"y ~ x + {name}(0 + f | g)", responses(family("gaussian")), check="warn"))


FORMULAS = {
    "an intercept and a slope": "Reaction ~ Days + (Days | Subject)",
    "without a correlation": "Reaction ~ Days + (Days || Subject)",
    "two bars on one factor": "Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)",
    "an interaction": "Reaction ~ Days * late + (1 | Subject)",
    "a factor with three levels": "Reaction ~ Days * third + (1 | Subject)",
    "a polynomial": "Reaction ~ poly(Days, 3) + (1 | Subject)",
    "a square": "Reaction ~ Days + I(Days**2) + (1 | Subject)",
    "no intercept": "Reaction ~ 0 + third + Days + (0 + third | Subject)",
    "no effects": "Reaction ~ Days",
    "no coefficients": "Reaction ~ 0 + (1 | Subject)",
    "an offset": "Reaction ~ Days + offset(2 * Days) + (1 | Subject)",
    "many columns in a bar": "Reaction ~ Days + (poly(Days, 2) * late | Subject)",
    "nested factors": "Reaction ~ Days + (1 | Subject / late)",
}


@pytest.mark.parametrize("what", FORMULAS)
def test_of_every_kind_of_term(what: str) -> None:
    agrees(sleep(FORMULAS[what]))


def sleep(formula: Any, **options: Any) -> bm.Model:
    late = np.where(SLEEP["Days"] > 4, "late", "early")
    return bm.Model(formula, SLEEP.assign(late=late, third=np.resize(list("abc"), len(SLEEP))), **options)


PRIORS = {
    "named": {"Days": bm.priors.StudentT(3, 0, 20), "sigma": bm.priors.Exponential(0.02)},
    "the intercept as typed": {"Intercept": bm.priors.Normal(250, 50)},
    "of two kinds in one term": {"third[b]": bm.priors.Laplace(0, 20), "third[c]": bm.priors.Cauchy(0, 20)},
    "as typed": bm.priors.as_typed(),
    "rstanarm": "rstanarm",
    "rstanarm at the means": bm.priors.centered("rstanarm"),
    "brms": "brms",
    "flat": "flat",
    "cautious": "cautious",
    "boundary_avoiding": "boundary_avoiding",
}


@pytest.mark.parametrize("what", PRIORS)
def test_with_priors(what: str) -> None:
    agrees(sleep("Reaction ~ Days + third + (Days | Subject)", priors=PRIORS[what]))


def test_with_columns_that_have_the_names_of_what_a_script_makes() -> None:
    """The centred slope of Days, the plate of the rows."""
    rng = np.random.default_rng(8)
    table = SLEEP.assign(Days_centered=rng.normal(size=len(SLEEP)), rows=rng.normal(size=len(SLEEP)))
    agrees(bm.Model("Reaction ~ Days * rows + Days_centered + (1 | Subject)", table))


def test_with_a_predictor_of_sigma() -> None:
    agrees(sleep(bm.Formula("Reaction ~ Days + (1 | Subject)", "sigma ~ Days + late")))


def test_with_a_constant() -> None:
    agrees(sleep("Reaction ~ Days + (1 | Subject)", constants={"sigma": 25.0}))
