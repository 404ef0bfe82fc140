"""What a set of priors implies together: how far apart groups are, and their share of the variance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..covariance import Covariance, Values
from ..parameters.names import TermNames, term_names
from ..priors.origin import origins, stated_rows, to_typed
from ..priors.priors import Priors
from ..priors.shapes import shape_prior

if TYPE_CHECKING:
    from ..design.design import GroupTerm
    from ..model import Model

DRAWS = 10_000  # the 5 % and 95 % points of a spread then move by about 2 % from seed to seed
SEED = 1


@dataclass(frozen=True)
class Drawn:
    """Draws from the priors: sigma (draws,), and per bar the `sds` (draws, m) that they speak of.

    `factors` (draws, k, k) are roots of the covariances of columns as typed.

    None where a prior is flat, so that nothing can be drawn; `flat` names those parameters per bar. `sigma` is also
    None in a model without scale.
    """

    sigma: np.ndarray | None
    sds: tuple[np.ndarray | None, ...]
    factors: tuple[np.ndarray | None, ...]
    flat: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Implied:
    """One implied quantity of a grouping factor: its draws (draws,), or the parameters whose flat prior leaves none.

    `quantity` is "spread", the sd of the factor's effect on a typical row (the root of the mean of z' Sigma z over
    rows), or "share", its square as a share of the variance that the fixed effects leave (the ICC of one intercept).
    "response" belongs to no factor: the sd over rows that the response would have.
    """

    factor: str
    quantity: str
    draws: np.ndarray | None
    flat: tuple[str, ...] = ()

    def quantiles(self, p: Sequence[float]) -> list[float]:
        """The values below which shares `p` of the draws lie; NaN where there are no draws."""
        return [float("nan")] * len(p) if self.draws is None else [float(q) for q in np.quantile(self.draws, p)]


def draw(model: Model) -> Drawn:
    """Draws from the priors of sigma and of every bar; the same at every call."""
    rng = np.random.default_rng(SEED)
    sigma = _sigma(model, rng)
    flat_scale = ("sigma",) if model.has_scale and sigma is None else ()
    sds, factors, flat = [], [], []
    bars = zip(term_names(model.design), model.covariances, origins(model), strict=True)
    for named, structure, A in bars:
        flat.append(_flat(model.priors, named, flat_scale))
        drawn = None if flat[-1] else _block(model.priors, structure, named, sigma, rng)
        sds.append(None if drawn is None else drawn[0])
        factors.append(None if drawn is None else to_typed(A, drawn[1]))
    return Drawn(sigma, tuple(sds), tuple(factors), tuple(flat))


def implied(model: Model, drawn: Drawn) -> list[Implied]:
    """Spread and share of variance of every grouping factor, in the order of the formula."""
    factors = list(dict.fromkeys(group.factor for group in model.design.mu.groups))
    at = zip(model.design.positions("mu"), model.design.mu.groups, strict=True)
    bars = [(group, drawn.factors[j], drawn.flat[j]) for j, group in at]
    flat = {f: tuple(n for group, _, names in bars if group.factor == f for n in names) for f in factors}
    used = model.design.used
    variances: dict[str, np.ndarray] = {}
    for group, factor, _ in bars:
        if factor is not None and not flat[group.factor]:
            variances[group.factor] = variances.get(group.factor, np.zeros(DRAWS)) + _variance(group, factor, used)
    found = [Implied(f, "spread", np.sqrt(variances[f]) if f in variances else None, flat[f]) for f in factors]
    return found + (_shares(model, drawn, variances, flat) if model.has_scale else [])


def _shares(
    model: Model, drawn: Drawn, variances: dict[str, np.ndarray], flat: dict[str, tuple[str, ...]]
) -> list[Implied]:
    improper = [name for names in flat.values() for name in names]
    if drawn.sigma is None or improper:
        improper += ["sigma"] if drawn.sigma is None else []
        return [Implied(f, "share", None, tuple(dict.fromkeys(improper))) for f in flat]
    total = _residual(model, drawn.sigma) + sum(variances.values())
    return [Implied(f, "share", variances[f] / total) for f in flat] + _response(model, total)


def _response(model: Model, total: np.ndarray) -> list[Implied]:
    """The sd over rows that the response would have; nothing where a slope has a flat prior.

    `total` (draws,) is the variance that the fixed effects leave.
    """
    slopes = [name for name in model.coefficients if name != "Intercept"]
    if any(name not in model.priors or not model.priors[name].proper for name in slopes):
        return []
    rng = np.random.default_rng(SEED + 1)
    typed = np.linalg.inv(stated_rows(model.design.mu, model.design.used, model.priors))
    columns = model.design.mu.X[model.design.used] @ typed
    for j, name in enumerate(model.coefficients):
        if name in slopes:
            drawn = model.priors.distribution(name).draw(rng, DRAWS)
            total = total + drawn**2 * np.var(columns[:, j])
    return [Implied("", "response", np.sqrt(total))]


def _residual(model: Model, sigma: np.ndarray) -> np.ndarray:
    weights = model.design.weights
    return sigma**2 * (1.0 if weights is None else float(np.mean(1 / weights[model.design.used])))


def _sigma(model: Model, rng: np.random.Generator) -> np.ndarray | None:
    if not model.has_scale:
        return None
    if "sigma" in model.constants:
        return np.full(DRAWS, model.constants["sigma"])
    prior = model.priors.distribution("sigma")
    return prior.draw(rng, DRAWS) if prior.proper else None


def _flat(priors: Priors, named: TermNames, flat_scale: tuple[str, ...]) -> tuple[str, ...]:
    """Parameters of a bar, sigma included where its sds are relative to it, that have a flat prior."""
    if named.covariance in priors:
        return flat_scale
    return tuple(name for name in named.sds if not priors[name].proper)


def _block(
    priors: Priors, structure: Covariance, named: TermNames, sigma: np.ndarray | None, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draws of the sds (draws, m) of a bar and of the Cholesky factor (draws, k, k) of the covariance stated."""
    if named.covariance in priors:
        block = priors.block(named.covariance)
        drawn = block.parts(len(named.sds), bool(named.shapes))
        parts = {name: part.draw(rng, DRAWS) for name, part in drawn.items()}
        sds = block.sds(parts, 1.0 if sigma is None else sigma[:, None])
    else:
        sds = np.column_stack([priors.distribution(name).draw(rng, DRAWS) for name in named.sds])
    priors_of_shapes = [shape_prior(priors, named, place) for place in range(len(named.shapes))]
    shapes = tuple(prior.draw(rng, DRAWS) for prior in priors_of_shapes if prior is not None)
    return sds, structure.factor_from(Values(sds, shapes), len(named.effects), np)


def _variance(group: GroupTerm, factor: np.ndarray, used: np.ndarray) -> np.ndarray:
    """The mean over rows of z' Sigma z (draws,), with Sigma = factor factor'."""
    Z = group.Z[used]
    return np.einsum("dij,ik,dkj->d", factor, Z.T @ Z / len(Z), factor)
