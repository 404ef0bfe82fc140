"""Where many criteria of one layout have their minima: the search of `boundary_search`, all members side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np

from ...covariance import Edge
from ...likelihood.boundary import ACCEPT, SNAP, SNAP_LOSS, Direction, leave, worst_direction
from ...likelihood.criteria.criterion import Criterion
from ...likelihood.working.theta import Theta
from .boundary_search import LOWER, MAX_DEPARTURES, search, turned_factors
from .gradient_methods import BFGS
from .optimizer import HUGE
from .second_look import NEAR, covariances, largest, mirrored
from .together import Evaluate, minimise_together

T = TypeVar("T")
Value = Callable[[np.ndarray], float]

ZERO = 1e-6  # of an element of theta: on a boundary, which is snapped to, one is zero
LOOKS = 3  # times another start is tried of members that the last one moved


class Criteria(Protocol):
    """Criteria of x (b, m) for some members (b,)."""

    @property
    def theta(self) -> Theta:
        """The layout of theta, with which x begins."""

    def values(self, x: np.ndarray, members: np.ndarray) -> np.ndarray:
        """The criteria (b,)."""

    def values_and_gradients(self, x: np.ndarray, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The criteria (b,) and their gradients (b, m)."""

    def one(self, member: int) -> Criterion | None:
        """The criterion of one member alone, for a search that did not end well; None where that is left as it is."""


@dataclass(frozen=True)
class ManyFound:
    """Where the searches ended: `x` (B, m), `values` (B,), whether each `converged` (B,)."""

    x: np.ndarray
    values: np.ndarray
    converged: np.ndarray


def search_many(criteria: Criteria, start: np.ndarray, metric: np.ndarray) -> ManyFound:
    """The minimum of each member, or the lower one of two where a second look at a boundary finds another.

    Parameters
    ----------
    criteria
        Of all members, with factors that are linear in theta: on the boundary some element of theta is zero.
    start
        x (B, m), inside the space.
    metric
        A guess of the inverse Hessian (m, m) of every member.
    """
    found = _descended(criteria, np.arange(len(start)), start, metric)
    again = np.flatnonzero(found.converged)
    for _ in range(LOOKS if criteria.theta.size else 0):
        owners, others = _other_starts(criteria.theta, found.x, start, again)
        if not len(owners):
            break
        again = _taken(found, _descended(criteria, owners, others, metric), owners)
    for i in np.flatnonzero(~found.converged):
        _search_alone(criteria, int(i), found)
    return found


def _descended(criteria: Criteria, members: np.ndarray, start: np.ndarray, metric: np.ndarray) -> ManyFound:
    """Minimise; exact zeros where they cost nothing; leave those that are only stationary by symmetry."""
    found = ManyFound(start.copy(), np.full(len(start), np.inf), np.zeros(len(start), dtype=bool))
    pending, first = np.arange(len(start)), start
    for _ in range(MAX_DEPARTURES):
        if not len(pending):
            break
        own = members[pending]
        optima = minimise_together(_of_members(criteria, own), first, metric)
        x, values = _snapped(criteria, own, optima.x, optima.values)
        edges = _edges(criteria, own, x)
        found.x[pending], found.values[pending] = x, values
        inside = np.array([edge is None for edge in edges], dtype=bool)
        stays = np.array([edge is None or edge.slope >= ACCEPT for edge in edges], dtype=bool)
        near = (values < HUGE) & (optima.decrease < 1e-6)
        found.converged[pending] = near & stays & (optima.curved_up | ~inside)
        left = np.flatnonzero(~stays)
        first = _left(criteria, own[left], x[left], [edges[i] for i in left])
        pending = pending[left]
    return found


def _of_members(criteria: Criteria, members: np.ndarray) -> Evaluate:
    return lambda x, some: criteria.values_and_gradients(x, members[some])


def _taken(found: ManyFound, second: ManyFound, owners: np.ndarray) -> np.ndarray:
    """Put what is lower in place; the members that have moved."""
    moved = []
    for i, x, value, converged in zip(owners, second.x, second.values, second.converged, strict=True):
        if converged and value < found.values[i] - LOWER:
            found.x[i], found.values[i] = x, value
            moved.append(i)
    return np.unique(np.array(moved, dtype=int))


def _search_alone(criteria: Criteria, member: int, found: ManyFound) -> None:
    """The search of one member, which sees what arrays do not, from where it ended."""
    criterion = criteria.one(member)
    if criterion is None:
        return
    optimum, edge = search(criterion, found.x[member], BFGS())
    found.x[member], found.values[member] = optimum.x, optimum.value
    found.converged[member] = optimum.converged and (edge is None or edge.slope >= ACCEPT)


def _near_boundary(x: np.ndarray, near: float = SNAP) -> np.ndarray:
    """Members (b,) of which some element of theta (b, m) is small: only these have an edge so near."""
    return np.flatnonzero(np.any(np.abs(x) < near, axis=1))


def _snapped(
    criteria: Criteria, members: np.ndarray, x: np.ndarray, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """See `boundary.snap`: one trial of every member at a time."""
    best, reference = x.copy(), values.copy()
    trials: list[list[Edge]] = [[] for _ in x]
    for i in _near_boundary(x[:, : criteria.theta.size]):
        near = [[edge for edge in group if 0 < edge.distance < SNAP] for group in criteria.theta.edges(x[i])]
        trials[i] = sorted((each[0] for each in near if each), key=lambda edge: (edge.distance, edge.positions))
    for turn in range(max(map(len, trials), default=0)):
        some = np.array([i for i, each in enumerate(trials) if len(each) > turn])
        moved = np.array([trials[i][turn].at(best[i]) for i in some])
        tried = _safe_values(criteria, moved, members[some])
        taken = tried <= reference[some] + SNAP_LOSS
        best[some[taken]] = moved[taken]
        reference[some[taken]] = np.minimum(tried[taken], reference[some[taken]])
    changed = np.flatnonzero(np.any(best != x, axis=1))
    if len(changed):
        reference[changed] = _safe_values(criteria, best[changed], members[changed])
    return best, reference


def _edges(criteria: Criteria, members: np.ndarray, x: np.ndarray) -> list[Direction | None]:
    """The worst direction of each member that is on the boundary."""
    theta = criteria.theta
    edged = [int(i) for i in _near_boundary(x[:, : theta.size], ZERO)]
    found: list[Direction | None] = [None] * len(x)
    asked = [lambda value, one=x[i]: worst_direction(value, theta, one) for i in edged]
    for i, answer in zip(edged, _asked(criteria, members[edged], asked), strict=True):
        found[i] = answer
    return found


def _left(criteria: Criteria, members: np.ndarray, x: np.ndarray, edges: Sequence[Direction | None]) -> np.ndarray:
    """Starts off the boundary."""
    theta = criteria.theta
    pairs = [(one, edge) for one, edge in zip(x, edges, strict=True) if edge is not None]
    asked = [lambda value, one=one, edge=edge: leave(value, theta, one, edge) for one, edge in pairs]
    return np.array(_asked(criteria, members, asked)).reshape(x.shape)


def _other_starts(theta: Theta, x: np.ndarray, start: np.ndarray, members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where a lower minimum may be found, and whose: a search from there is as cheap as the looks of a single one.

    That is from other factors of the same covariances (see `boundary_search`), and from the other side of a boundary
    (see `second_look`).
    """
    owners, others = [], []
    for i in members[_near_boundary(x[members, : theta.size])]:
        turned = turned_factors(theta, x[i])
        if turned is not None:
            owners.append(i)
            others.append(turned)
    for i in members[_doubtful(theta, x[members, : theta.size])]:
        usual = largest(covariances(theta, start[i]))
        owners.append(i)
        others.append(mirrored(theta, x[i], covariances(theta, x[i]), usual))
    return np.array(owners, dtype=int), np.array(others)


def _doubtful(theta: Theta, x: np.ndarray) -> np.ndarray:
    """Members whose blocks are doubtful: see `second_look.doubtful`."""
    blocks = []
    for j in range(len(theta.covariances)):
        elements = np.array([theta.factor(one, j) for one in np.eye(theta.size)])
        Lambda = np.einsum("mij,bm->bij", elements, x)
        blocks.append(Lambda @ Lambda.transpose(0, 2, 1))
    most = np.max([np.diagonal(each, axis1=1, axis2=2).max(axis=1) for each in blocks], axis=0)
    seen = np.zeros(len(x), dtype=bool)
    for j, each in enumerate(blocks):
        if theta.k(j) > 1 and theta.covariances[j].correlated:
            seen |= np.linalg.eigvalsh(each)[:, 0] <= NEAR**2 * most
    return np.flatnonzero(seen)


def _asked(criteria: Criteria, members: np.ndarray, questions: Sequence[Callable[[Value], T]]) -> list[T]:
    """What functions of a member's values answer, whose points depend on no value: all are evaluated at once."""
    asked = [_Points() for _ in questions]
    for question, points in zip(questions, asked, strict=True):
        question(points)
    every = [x for points in asked for x in points.known]
    owners = np.repeat(members, [len(points.known) for points in asked])
    values = iter(_safe_values(criteria, np.array(every), owners).tolist() if every else ())
    return [question(lambda x: next(values)) for question in questions]


@dataclass
class _Points:
    """A value that is not known yet: it remembers where it was asked."""

    known: list[np.ndarray] = field(default_factory=list)

    def __call__(self, x: np.ndarray) -> float:
        self.known.append(x)
        return 0.0


def _safe_values(criteria: Criteria, x: np.ndarray, members: np.ndarray) -> np.ndarray:
    try:
        with np.errstate(all="ignore"):
            values = criteria.values(x, members)
    except np.linalg.LinAlgError:
        if len(x) == 1:
            return np.array([np.inf])
        half = len(x) // 2
        parts = [_safe_values(criteria, x[some], members[some]) for some in (slice(half), slice(half, None))]
        return np.concatenate(parts)
    return np.where(np.isfinite(values), values, np.inf)
