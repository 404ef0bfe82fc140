"""What tests ask of a script: its model at a random point, and our log density and names there."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

import numpy as np

import bayesmixed as bm
from bayesmixed.engines.program import build_program
from bayesmixed.interop.naming import safe
from bayesmixed.parameters.names import term_names

IMPORTED = {"arviz", "jax", "numpy", "numpyro", "pathlib"}


@dataclass(frozen=True)
class Point:
    """Values of a script's sample sites, what it computes of them, and its log density there."""

    sites: dict[str, np.ndarray]
    named: dict[str, np.ndarray]
    log_density: float


def namespace(script: str) -> dict[str, Any]:
    """What executing a script defines; it imports what it may."""
    modules = {
        (node.module if isinstance(node, ast.ImportFrom) else alias.name).split(".")[0]
        for node in ast.walk(ast.parse(script))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert modules <= IMPORTED, modules
    found: dict[str, Any] = {"__name__": "script"}
    exec(compile(script, "script", "exec"), found)
    return found


def point(script: Any, seed: int = 1) -> Point:
    """A random point of the unconstrained space: normal about the priors' means."""
    from numpyro import handlers
    from numpyro.infer.util import log_density

    model, data = namespace(script)["model"], script.data
    with bm.x64():
        draws = handlers.substitute(handlers.seed(model, seed), substitute_fn=_anywhere(np.random.default_rng(seed)))
        trace = handlers.trace(draws).get_trace(data)
        sites = {n: s["value"] for n, s in trace.items() if s["type"] == "sample" and not s["is_observed"]}
        density, _ = log_density(model, (data,), {}, sites)
        named = {n: s["value"] for n, s in trace.items() if s["type"] in ("sample", "deterministic")}
        every = {name: np.asarray(value) for name, value in named.items()}
    return Point({name: every[name] for name in sites}, every, float(density))


def _anywhere(rng: np.random.Generator) -> Any:
    def value(site: dict[str, Any]) -> Any:
        from numpyro.distributions import biject_to

        if site["type"] != "sample" or site["is_observed"]:
            return None
        to_support, kind = biject_to(site["fn"].support), site["fn"]
        shape = to_support.inverse_shape(kind.batch_shape + kind.event_shape)
        middle = np.broadcast_to(_middle(kind, to_support), shape)
        return to_support(middle + 0.3 * rng.standard_normal(shape) * _scale(kind, to_support))

    return value


def _middle(kind: Any, to_support: Any) -> Any:
    """The prior's mean without bounds; zero where it has none."""
    try:
        mean = np.asarray(to_support.inv(kind.mean))
    except (NotImplementedError, AttributeError):
        return 0.0
    return np.where(np.isfinite(mean), mean, 0.0)


def _scale(kind: Any, to_support: Any) -> Any:
    """The prior's sd on the whole line; one where the support has bounds, a logarithm's or a log odds' own scale."""
    from numpyro.distributions.transforms import IdentityTransform

    if not isinstance(getattr(to_support, "base_transform", to_support), IdentityTransform):
        return 1.0
    try:
        sd = np.sqrt(np.asarray(kind.variance))
    except (NotImplementedError, AttributeError):
        return 1.0
    return np.where(np.isfinite(sd), sd, 1.0)


def our_log_density(model: bm.Model, sites: dict[str, np.ndarray]) -> float:
    """That of the package's own program, every site sampled, at the same parameters."""
    from numpyro.infer.util import log_density

    program = build_program(model, False)
    with bm.x64():
        return float(log_density(program.function, (), program.data, our_sites(model, sites))[0])


def our_sites(model: bm.Model, sites: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Values of our program's sites from those of a script."""
    function, found = build_program(model, False).function, {}
    for coefficients, predictor in zip(function.predictors, model.design.predictors.values(), strict=True):
        stated = np.zeros(len(predictor.coefficients))
        for term, positions in predictor.terms.items():
            if positions:
                stated[list(positions)] = _of_term(sites, predictor, term, positions)
        found |= coefficients.values_at(stated)
    found |= {name: sites[name] for name in model.free}
    every = term_names(model.design)
    for i, (names, term) in enumerate(zip(every, function.terms, strict=True)):
        earlier = sum(other.tag == names.tag for other in every[:i])
        effects = sites[f"{names.tag}_u{f'#{earlier + 1}' if earlier else ''}"]
        found |= {term.effect_site: np.reshape(effects, (term.n_levels, term.n_columns))}
        found |= _of_bar(sites, names, term)
    return {name: np.asarray(value) for name, value in found.items()}


def _of_term(sites: dict[str, np.ndarray], predictor: Any, term: str, positions: Any) -> Any:
    whole = safe(f"{predictor.prefix}{term}")
    for name in (f"{whole}_centered#2", whole, f"{whole}_centered"):  # where a column is called so
        if name in sites:
            return sites[name]
    return [sites[safe(predictor.names[j])] for j in positions]


def _of_bar(sites: dict[str, np.ndarray], names: Any, term: Any) -> dict[str, np.ndarray]:
    def of(name: str) -> Any:
        name = safe(name)
        return next(sites[each] for each in (name, f"{name}_centered", f"{name}_cholesky") if each in sites)

    found = {name: of(name) for name in names.shapes}
    joint = [site for site in term.spread.kinds if site.startswith(f"{names.covariance}_")]
    if joint:
        return found | {site: of(site) for site in joint}
    return found | term.spread.values_at(np.array([of(name) for name in names.sds]), 1.0)
