"""The search of a penalised criterion, and whether what was found is a maximum."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...fits.status import PointStatus
from ...likelihood.boundary import Direction, snap, worst_direction
from ...likelihood.criteria.with_penalty import Added, Penalised
from ...likelihood.penalty.unbounded import unbounded_terms
from ...messages import Told
from .boundary_search import search
from .optimizer import Optimizer, Optimum
from .within_limits import search_limited

if TYPE_CHECKING:
    from ...model import Model

FAR_ENOUGH = 100.0  # of a working coordinate: what a search that runs off is stopped at


@dataclass(frozen=True)
class Found:
    """Where a search ended, its worst direction on the boundary, and the terms whose sds can grow for ever.

    `limits` are the priors on whose limits the optimum lies, in words; `added` is the penalty, then without limits.
    """

    optimum: Optimum
    edge: Direction | None
    unbounded: tuple[int, ...]
    limits: tuple[str, ...]
    added: Added

    def status(self, model: Model, status: PointStatus) -> PointStatus:
        """The state of the fit; where there is no maximum it is not converged, whatever the optimiser says."""
        if self.limits:
            return replace(status, problems=(Told("bound-of-a-prior", _on_limits(self.limits)), *status.problems))
        if not self.unbounded:
            return status
        groups = model.design.groups
        problems = tuple(Told("no-maximum", _without_bound(groups[j].text, groups[j].n_levels)) for j in self.unbounded)
        return replace(status, converged=False, problems=problems)


def minimise_penalised(criterion: Penalised, start: np.ndarray, optimizer: Optimizer, *, exact: bool = False) -> Found:
    """Search from `start`, then ask whether any sd can grow for ever.

    That depends on levels and fixed effects alone, so it is asked at the start, where everything else is moderate. An
    optimum far out is one where the criterion is `exact`, no approximation that fails there.
    """
    first, added = _inside(criterion, start), criterion.added
    optimum, edge = search(criterion, first, optimizer)
    criterion.value(first)  # iterations that start where the last ended are brought back from where the search went
    settled = exact and optimum.converged
    terms = unbounded_terms(criterion.value, added.coordinates, first, optimum.x, added.penalty.unbounded, settled)
    if terms:
        return Found(_back(criterion, optimum, first), edge, tuple(terms), (), added)
    if optimum.converged or not added.penalty.limits(added.coordinates.natural(first)):
        return Found(optimum, edge, (), (), added)
    return _limited(criterion, Found(optimum, edge, (), (), added))


def _limited(criterion: Penalised, stopped: Found) -> Found:
    """The optimum within the limits of the priors' supports, at one of which a search `stopped`."""
    opened = Penalised(criterion.base, criterion.added.opened())
    x, added = stopped.optimum.x, criterion.added
    found = search_limited(opened.value_and_gradient, x, opened.metric(x), added.coordinates, added.penalty)
    optimum = replace(found.optimum, evaluations=found.optimum.evaluations + stopped.optimum.evaluations)
    if not found.priors or optimum.value > stopped.optimum.value + 1e-9 * (1 + abs(stopped.optimum.value)):
        return stopped
    x = snap(opened.value, opened.theta, optimum.x)
    edge = worst_direction(opened.value, opened.theta, x)
    return Found(replace(optimum, x=x, value=opened.value(x)), edge, (), found.priors, opened.added)


def _inside(criterion: Penalised, x: np.ndarray) -> np.ndarray:
    """A start off the boundary, where a zero is stationary whatever the prior, and inside every prior's support."""
    added = criterion.added
    x = added.coordinates.interior(x)
    if np.isfinite(criterion.value(x)):
        return x
    return added.coordinates.at(added.penalty.inside(added.coordinates.natural(x)))


def _back(criterion: Penalised, optimum: Optimum, first: np.ndarray) -> Optimum:
    """A point on the way of a search that ran off, near enough for estimates that can be looked at."""
    way = optimum.x - first
    share = min(1.0, FAR_ENOUGH / max(float(np.max(np.abs(way))), 1e-300))
    x = next((x for x in (first + share * way, first) if np.isfinite(criterion.value(x))), first)
    value, gradient = criterion.value_and_gradient(x)
    return replace(optimum, x=x, value=value, gradient=gradient)


def _on_limits(priors: tuple[str, ...]) -> str:
    one = len(priors) == 1
    return (
        f"The estimate lies on the bound of the prior{'' if one else 's'} of {'; of '.join(priors)}: the likelihood "
        f"rises beyond {'it' if one else 'them'}. The other estimates are the best ones with "
        f"{'it' if one else 'these'} held there; standard errors ignore the bound. Widen the prior, or use one without "
        "bounds, such as bm.priors.Normal, bm.priors.HalfNormal for an sd."
    )


def _without_bound(term: str, levels: int) -> str:
    return (
        f"The penalised criterion has no maximum: it improves without end as a standard deviation of {term} grows. The "
        f"penalty keeps it from zero, and the {levels} levels, less what fixed effects or levels without variation "
        'take away, do not keep it from infinity. Use proper priors, bm.MAP(priors="model"), or make the term fixed.'
    )
