"""Which fits the witness compares: models by name, and which engines fit each."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import bayesmixed as bm

REFERENCE = Path(os.environ.get("BAYESMIXED_REFERENCE", Path(__file__).resolve().parents[2] / "shared" / "reference"))
ROWS = 4_000  # of a reference table
SLOW = ("lmm_yu_example2_surrogate", "glmm_contraception_nested", "glmm_contraception")  # seconds a fit
LATER = ("zi", "hurdle", "zinb", "disp")  # predictors of other parameters
FAMILIES = {"Gamma": "gamma", "nbinom2": "negbinomial", "nbinom1": "negbinomial1"}  # R's names where they differ
PRESETS = ("default", "cautious", "flat", "brms", "rstanarm", "bambi", "boundary_avoiding")
SUMS = {"lmm_cake_sum_contrasts": {"recipe": "sum"}, "lmm_orthodont_sum": {"Sex": "sum"}}
HELMERT = {"lmm_oats_helmert": {"Variety": "helmert"}}


@dataclass(frozen=True)
class Case:
    """One fit: its name, the model when it is needed, an engine, and what is asked besides the usual questions."""

    name: str
    model: Callable[[], bm.Model]
    engine: Any
    asked: tuple[str, ...] = ()

    @property
    def slow(self) -> bool:
        """Whether the fit compiles a program of NUTS."""
        return isinstance(self.engine, bm.NUTS)


def cases() -> Iterator[Case]:
    """All fits, the quick ones first."""
    yield from linear()
    yield from generalized()
    yield from links()
    yield from presets()
    yield from reference()
    yield from nuts()


def laplace() -> bm.Laplace:
    """A short run of it."""
    return bm.Laplace(draws=50)


def sampler(**options: Any) -> bm.NUTS:
    """A short run of it: the first draws are what an order of operations would change."""
    return bm.NUTS(draws=40, tune=40, chains=1, **options)


def built(formula: str, table: Callable[[], pd.DataFrame] | str, **options: Any) -> Callable[[], bm.Model]:
    """The model when it is called for; a text is the name of a data set."""

    def model() -> bm.Model:
        data = bm.load_data(table) if isinstance(table, str) else table()
        chosen = {name: value(data) if callable(value) else value for name, value in options.items()}
        return bm.Model(formula, data, **chosen)

    return model


LINEAR: dict[str, Callable[[], bm.Model]] = {
    "sleep": built("Reaction ~ Days + (Days | Subject)", "sleepstudy"),
    "sleep-bars": built("Reaction ~ Days + (Days || Subject)", "sleepstudy"),
    "sleep-diag": built("Reaction ~ Days + diag(Days | Subject)", "sleepstudy"),
    "sleep-1": built("Reaction ~ Days + (1 | Subject)", "sleepstudy"),
    "sleep-two": built("Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)", "sleepstudy"),
    "sleep-weights": built(
        "Reaction ~ Days + (Days | Subject)",
        "sleepstudy",
        weights=lambda d: np.resize([1.0, 2.0, 4.0], len(d)),
        offset=lambda d: 5.0 * d["Days"].to_numpy(),
    ),
    "sleep-sigma": built("Reaction ~ Days + (Days | Subject)", "sleepstudy", constants={"sigma": 25.0}),
    "sleep-poly": built("Reaction ~ poly(Days, 2) + offset(2 * Days) + (1 | Subject)", "sleepstudy"),
    "sleep-spline": built("Reaction ~ bs(Days, df=4) + (scale(Days) | Subject)", "sleepstudy"),
    "sleep-missing": built(
        "Reaction ~ Days + (Days | Subject)",
        lambda: bm.load_data("sleepstudy").assign(
            Reaction=lambda d: d["Reaction"].where(~d.index.isin([2, 49, 50, 119]))
        ),
    ),
    "dyestuff": built("Yield ~ 1 + (1 | Batch)", "Dyestuff"),
    "dyestuff2": built("Yield ~ 1 + (1 | Batch)", "Dyestuff2"),
    "orthodont": built("distance ~ age * Sex + (age | Subject)", "Orthodont", contrasts={"Sex": "sum"}),
    "machines": built("score ~ Machine + (Machine | Worker)", "Machines"),
    "machines-cells": built("score ~ Machine + (0 + Machine | Worker)", "Machines"),
    "machines-nested": built("score ~ Machine + (1 | Worker/Machine)", "Machines", contrasts={"Machine": "helmert"}),
    "pastes": built("strength ~ 1 + (1 | batch/cask)", "Pastes"),
    "penicillin": built("diameter ~ 1 + (1 | plate) + (1 | sample)", "Penicillin"),
    "warpbreaks": built("breaks ~ wool + (1 | tension) + (1 | wool:tension)", "warpbreaks"),
    "crossed": built("y ~ x + (x | a) + (1 | b)", lambda: crossed()),
    "crossed-diag": built("y ~ x + diag(x | a) + (x | b) + (1 | c)", lambda: crossed()),
    "meta": built("y ~ 1 + (1 | trial)", lambda: meta(), weights="1/s^2", constants={"sigma": 1.0}),
    "fixed": built("Reaction ~ Days", "sleepstudy"),
    "log": built("log(Reaction) ~ Days + (Days | Subject)", "sleepstudy"),
}


def linear() -> Iterator[Case]:
    """Every linear model by every engine but NUTS."""
    asked = {
        "sleep": ("loo", "loglik_at", "simulate_new", "icc", "r2", "comparisons", "saved", "predictive", "checks"),
        "machines": ("emmeans", "icc", "saved"),
        "orthodont": ("emmeans", "slopes", "loglik_at"),
        "crossed": ("loo", "loglik_at", "r2", "pooling", "saved"),
        "sleep-bars": ("loglik_at", "pooling", "saved"),
    }
    for name, model in LINEAR.items():
        engines = {
            "ml": "ml",
            "reml": "reml",
            "map": "map",
            "map-reml": bm.MAP(criterion="reml"),
            "map-model": bm.MAP(priors="model"),
            "laplace": laplace(),
        }
        for engine, value in engines.items():
            yield Case(f"{name}/{engine}", model, value, asked.get(name, ()))
    yield Case("sleep/map-model-reml", LINEAR["sleep"], bm.MAP(criterion="reml", priors="model"))
    given = {"Days": bm.priors.Normal(0.0, 5.0), "covariance": "boundary_avoiding"}
    yield Case("sleep/map-dict", LINEAR["sleep"], bm.MAP(priors=given))
    yield Case("sleep/ml-start", LINEAR["sleep"], bm.ML(start=[1.0, 0.1, 0.5]))
    yield Case("sleep/ml-optimizer", LINEAR["sleep"], bm.ML(optimizer="L-BFGS-B"))


CBPP = "prop(incidence, size) ~ period + (1 | herd)"
GENERALIZED: dict[str, Callable[[], bm.Model]] = {
    "cbpp": built(CBPP, "cbpp", family="binomial"),
    "cbpp-cbind": built("cbind(incidence, size - incidence) ~ period + (1 | herd)", "cbpp", family="binomial"),
    "cbpp-share": built(
        "share ~ period + (1 | herd)",
        lambda: bm.load_data("cbpp").assign(share=lambda d: d["incidence"] / d["size"]),
        family="binomial",
        weights="size",
    ),
    "cbpp-fixed": built("prop(incidence, size) ~ period", "cbpp", family="binomial"),
    "slopes": built("y ~ x + (x | g)", lambda: counts("poisson"), family="poisson"),
    "slopes-bars": built("y ~ x + (x || g)", lambda: counts("poisson"), family="poisson"),
    "exposure": built("y ~ x + offset(log(t)) + (1 | g)", lambda: counts("poisson"), family="poisson"),
    "weighted": built(
        "y ~ x + (1 | g)", lambda: counts("poisson"), family="poisson", weights=lambda d: np.resize([1.0, 2.0], len(d))
    ),
    "nested": built("y ~ x + (1 | g/h)", lambda: counts("bernoulli"), family="bernoulli"),
    "crossed-glm": built("y ~ x + (x | g) + (1 | k)", lambda: counts("bernoulli"), family="bernoulli"),
    "epil": built("y ~ trt * lbase + (1 | subject)", "epil", family="negbinomial"),
    "guess": built(
        "y ~ x + (1 | g)", lambda: counts("bernoulli"), family="bernoulli", link=bm.links.logit(guess=0.1, lapse=0.02)
    ),
    "alpha-held": built(
        "y ~ x + (1 | g)", lambda: counts("negbinomial"), family="negbinomial", constants={"alpha": 2.0}
    ),
    "custom": built("y ~ x + (1 | g)", lambda: counts("gamma"), family=lambda _: weibull(), priors=lambda _: SHAPE),
    "normal-log": built("y ~ x + (1 | g)", lambda: counts("gamma"), family="gaussian", link="log"),
    "student-slopes": built("y ~ x + (x | g)", lambda: counts("student"), family="student"),
}
SHAPE = {"shape": bm.priors.HalfNormal(2.0)}
ONE_FACTOR = ("cbpp", "slopes", "slopes-bars", "nested", "epil", "guess", "student-slopes")


def generalized() -> Iterator[Case]:
    """Every generalized model by every engine but NUTS, by quadrature where it has one grouping factor."""
    asked = {
        "cbpp": ("loo", "loglik_at", "simulate_new", "icc", "r2", "comparisons", "odds", "saved", "predictive"),
        "slopes": ("loo", "loglik_at", "icc", "pooling", "saved"),
        "crossed-glm": ("loo", "loglik_at"),
        "epil": ("r2", "slopes", "checks"),
    }
    for name, model in GENERALIZED.items():
        engines = {"ml": "ml", "map": "map", "map-model": bm.MAP(priors="model"), "laplace": laplace()}
        if name in ONE_FACTOR:
            engines |= {f"ml-{k}": bm.ML(quadrature=k) for k in (0, 5, 9)}
        for engine, value in engines.items():
            yield Case(f"{name}/{engine}", model, value, asked.get(name, ()))
    yield Case("cbpp/map-5", GENERALIZED["cbpp"], bm.MAP(quadrature=5))
    yield Case("cbpp/reml", GENERALIZED["cbpp"], "reml")  # an error, with its words
    yield Case("crossed-glm/ml-5", GENERALIZED["crossed-glm"], bm.ML(quadrature=5))  # another


def of_family(name: str, link: str | None = None, **options: Any) -> Callable[[], bm.Model]:
    """A model with intercepts for a response that this family may have."""
    left = "prop(y, n)" if name in ("binomial", "betabinomial") else "y"
    return built(f"{left} ~ x + (1 | g)", lambda: counts(name, gentle=True), family=name, link=link, **options)


def links() -> Iterator[Case]:
    """Every family with each of its links by ML; with its default link by the other engines."""
    for name, kind in bm.families.FAMILIES.items():
        for link in kind.links:
            yield Case(f"{name}-{link}/ml", of_family(name, link), "ml")
        others = {"ml-0": bm.ML(quadrature=0), "ml-9": bm.ML(quadrature=9), "map": "map", "laplace": laplace()}
        for engine, value in others.items():
            yield Case(f"{name}/{engine}", of_family(name), value, ("loo",) if engine == "laplace" else ())


def presets() -> Iterator[Case]:
    """Every preset of priors, in what they say before data, by MAP and by Laplace's posterior."""
    bases = {
        "sleep": ("Reaction ~ Days + (Days | Subject)", "sleepstudy", {}),
        "cbpp": (CBPP, "cbpp", {"family": "binomial"}),
    }
    for preset in PRESETS:
        for name, (formula, data, options) in bases.items():
            model = built(formula, data, priors=preset, **options)
            yield Case(f"{name}-{preset}/map-model", model, bm.MAP(priors="model"), ("prior_predictive",))
            yield Case(f"{name}-{preset}/laplace", model, laplace())


def reference() -> Iterator[Case]:
    """Models of the reference collection whose tables are short, by ML and REML; none where it is absent."""
    for path in sorted((REFERENCE / "results").glob("*lmm_*.json")):
        name = path.stem
        if name in SLOW or name.rsplit("_", 1)[-1] in LATER:
            continue
        content = json.loads(path.read_text(encoding="utf-8"))
        for family, link, formula in kinds(content):
            model = referred(name, content["dataset"], formula, family, link)
            if model is not None:
                named = name if name.startswith("lmm_") else f"{name}-{family}-{link}-{len(formula)}"
                yield Case(f"{named}/ml", model, "ml")
                if name.startswith("lmm_"):
                    yield Case(f"{named}/reml", model, "reml")


def kinds(content: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Families, links and formulas of one file of results, of those that we have."""
    if content["id"].startswith("lmm_"):
        return [("gaussian", "identity", content["formula"])]
    found = set()
    for entry in content["fits"]:
        family, text = entry.get("family", ""), re.search(r"formula = (.+?), data", entry.get("call", ""))
        family = FAMILIES.get(family, family)
        if family in bm.families.FAMILIES:
            found.add((family, entry["link"], text.group(1) if text else content["formula"]))
    return sorted(found)


def referred(name: str, dataset: str, formula: str, family: str, link: str) -> Callable[[], bm.Model] | None:
    """The model as the collection describes it; None where its table is long."""
    entry = json.loads((REFERENCE / "data" / "schema.json").read_text(encoding="utf-8"))[dataset]
    path = REFERENCE / "data" / entry["file"]
    data = pd.read_csv(path, keep_default_na=False, na_values=["", "NA"])
    if len(data) > ROWS:
        return None
    for column, facts in entry["columns"].items():
        if facts["type"] in ("factor", "string"):
            levels = facts.get("levels")
            text = data[column].astype(str)
            data[column] = pd.Categorical(text, levels) if isinstance(levels, list) else text.astype("category")
    options: dict[str, Any] = {"contrasts": (SUMS | HELMERT).get(name)}
    if name == "lmm_sleepstudy_subset_na":
        data = data.assign(Reaction=data["Reaction"].where(~data.index.isin([2, 49, 50, 119])))
    if name == "lmm_sleepstudy_weights_offset":
        options |= {"weights": np.resize([1.0, 2.0, 4.0], len(data)), "offset": 5.0 * data["Days"].to_numpy()}
    if name == "glmm_banta_seed":
        data = data[(data["amd"].astype(str) == "clipped") & (data["nutrient"].astype(str) == "1")]
    if name == "glmm_cbpp_olre":
        data = data.assign(obs=np.arange(len(data)).astype(str))
    if name == "glmm_cbpp_proportion":
        data, options["weights"] = data.assign(prop=data["incidence"] / data["size"]), "size"
    if name == "glmm_gasoline_beta":
        data = data.assign(y=data["yield"] / 100)
    return lambda: bm.Model(formula, data, family=family, link=link, **options)


def nuts() -> Iterator[Case]:
    """Every route of NUTS, centred and not, and every family."""
    routes = {
        "sleep": (
            {},
            {"collapsed": False},
            {"collapsed": "full"},
            {"collapsed": "partial"},
            {"collapsed": False, "centered": True},
        ),
        "sleep-bars": ({}, {"collapsed": False, "centered": True}),
        "sleep-weights": ({},),
        "sleep-sigma": ({},),
        "dyestuff": ({"collapsed": False, "centered": True}, {"collapsed": False, "centered": False}),
        "machines-nested": ({}, {"collapsed": False}),
        "crossed": ({}, {"collapsed": "partial"}, {"collapsed": False, "centered": False}),
        "meta": ({},),
        "cbpp": ({}, {"centered": True}, {"centered": False}),
        "slopes": ({}, {"centered": False}),
        "nested": ({},),
        "crossed-glm": ({},),
        "fixed": ({},),
        "custom": ({},),
    }
    for name, options in routes.items():
        for chosen in options:
            label = "-".join(["nuts", *(f"{key}-{str(value).lower()}" for key, value in chosen.items())])
            yield Case(f"{name}/{label}", (LINEAR | GENERALIZED)[name], sampler(**chosen), ("loo", "loo_by"))
    for preset in ("flat", "brms"):
        yield Case(f"dyestuff-{preset}/nuts", built("Yield ~ 1 + (1 | Batch)", "Dyestuff", priors=preset), sampler())
    for name in bm.families.FAMILIES:
        if name != "gaussian":
            yield Case(f"{name}/nuts", of_family(name), sampler())


def weibull() -> Any:
    """A family of a user's own."""

    def make(mu: Any, shape: Any) -> Any:
        import jax.numpy as jnp
        import jax.scipy.special as jsp
        import numpyro.distributions as dist

        return dist.Weibull(mu / jnp.exp(jsp.gammaln(1 + 1 / shape)), shape)

    return bm.families.custom("weibull", make, dispersion=("shape",), support="positive numbers")


def crossed() -> pd.DataFrame:
    """Two crossed factors and one of few levels, a covariate, a response with effects of them."""
    rng = np.random.default_rng(1)
    a, b, c, x = rng.integers(0, 30, 300), rng.integers(0, 12, 300), rng.integers(0, 5, 300), rng.normal(size=300)
    y = 1 + 0.5 * x + rng.normal(size=30)[a] + rng.normal(scale=0.5, size=30)[a] * x + rng.normal(size=12)[b]
    table = {"a": a.astype(str), "b": b.astype(str), "c": c.astype(str), "x": x}
    return pd.DataFrame(table | {"y": y + rng.normal(size=300)})


def meta() -> pd.DataFrame:
    """Estimates of twelve trials with their standard errors."""
    rng = np.random.default_rng(2)
    s = rng.uniform(0.1, 0.5, 12)
    return pd.DataFrame(
        {"trial": np.arange(12), "s": s, "y": -0.5 + rng.normal(scale=0.4, size=12) + s * rng.normal(size=12)}
    )


def counts(family: str, gentle: bool = False) -> pd.DataFrame:
    """Rows of 16 groups with a response that the family may have; `gentle` ones stay inside the domain of any link."""
    rng = np.random.default_rng(7)
    n, groups = 192, 16
    g, x = np.repeat(np.arange(groups), n // groups), rng.uniform(-1, 1, n).round(3)
    k, h, t = rng.integers(0, 10, n), np.tile(np.arange(3), n // 3), rng.uniform(0.5, 2.0, n).round(2)
    scale = 0.3 if gentle else 0.6
    eta = 0.3 * x + rng.normal(scale=scale, size=groups)[g] + (0 if gentle else 0.4 * rng.normal(size=groups)[g] * x)
    trials = rng.integers(4, 12, n)
    y = response(family, rng, eta, trials, gentle)
    labels = {"g": np.char.add("g", g.astype(str)), "k": np.char.add("k", k.astype(str)), "h": h.astype(str)}
    return pd.DataFrame({**labels, "x": x, "t": t, "n": trials, "y": y})


def response(family: str, rng: np.random.Generator, eta: np.ndarray, trials: np.ndarray, gentle: bool) -> np.ndarray:
    """A response drawn by NumPy alone."""
    share = 1 / (1 + np.exp(-(eta - (0.4 if gentle else 0.0))))
    mu, n = np.exp(1.2 + eta), len(eta)
    if family == "bernoulli":
        return rng.binomial(1, share).astype(float)
    if family == "binomial":
        return rng.binomial(trials, share)
    if family == "betabinomial":
        return rng.binomial(trials, rng.beta(6 * share, 6 * (1 - share)))
    if family == "beta":
        return rng.beta(8 * share, 8 * (1 - share))
    if family == "poisson":
        return rng.poisson(mu)
    if family in ("negbinomial", "negbinomial1"):
        return rng.poisson(mu * rng.gamma(3.0, 1 / 3.0, n))
    if family == "lognormal":
        return np.exp(eta + 0.5 * rng.normal(size=n))
    if family == "inverse_gaussian":
        return rng.wald(mu, 12.0)
    if family in ("gaussian", "student") and gentle:
        return 0.45 + 0.1 * eta + 0.05 * (rng.standard_t(5, n) if family == "student" else rng.normal(size=n))
    if family == "student":
        return mu + rng.standard_t(4, n)
    return mu * rng.gamma(5.0, 1 / 5.0, n)
