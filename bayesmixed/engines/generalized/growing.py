"""Does the likelihood of a generalized fit keep growing as an sd grows?

Where the responses are foretold without error within every level (`likelihood.foretold`), coefficients and sds that
grow together only take noise away that the data do not show. Laplace's approximation and Gauss-Hermite nodes see such
an integrand as they like, so that a search ends anywhere; the geometry decides, and where an integral can be had that
does not depend on shapes, it may acquit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import ndtri

from ...fits.status import PointStatus
from ...likelihood.foretold import Foretold, foretold
from ...likelihood.laplace.approximation import LaplaceLikelihood
from ...likelihood.quadrature.adaptive import Likelihood, integrate
from ...likelihood.quadrature.level_sets import EVALUATIONS, applies, level_set_loglik
from ...likelihood.quadrature.placing import Grid, Placement
from ...messages import Told, topic_of

if TYPE_CHECKING:
    from ...model import Model

SPREAD = 0.84  # a probability; its distance from 1/2 on the link's scale is about the sd of a row's own noise
LARGE = 2.0  # sds of that noise from which an effect's sd is suspected (logit: 3.3)
LARGER = 4.0  # the same where no integral can acquit
FAR = (2.0, 4.0, 8.0)  # what the parameters are multiplied by
LEVEL = 1e-2  # of the log-likelihood: a smaller fall is none
POINTS = 1024  # quasi-random ones, of an integral over several columns of one factor
COSTLY = 20_000_000  # evaluations of a row's density (about half a second) that the acquittal may take
PER_COEFFICIENT = 40  # evaluations of the simplex search far out


@dataclass(frozen=True)
class Growing:
    """Terms (texts and factors) whose sds, `sizes` on the link's scale, can grow for ever."""

    terms: tuple[str, ...]
    factors: tuple[str, ...]
    sizes: tuple[float, ...]

    def added(self, status: PointStatus) -> PointStatus:
        """The state of the fit: not converged, and why."""
        mistaken = {"search", "maximum", "integral"}
        others = tuple(problem for problem in status.problems if topic_of(problem).about not in mistaken)
        return replace(status, converged=False, problems=(Told("no-maximum", self._words()), *others))

    def _words(self) -> str:
        names, factors = " and ".join(self.terms), " and ".join(dict.fromkeys(self.factors))
        sizes = " and ".join(f"{size:.3g}" for size in self.sizes)
        one = len(self.terms) == 1
        return (
            f"The likelihood has no maximum: it keeps growing as the sd{'' if one else 's'} of {names} "
            f"grow{'s' if one else ''} (the search stopped at {sizes} on the scale of the link) and the coefficients "
            f"with {'it' if one else 'them'}, because within every level of {factors} the responses are predicted "
            "without error. bm.diagnose(fit) says by which predictors. Priors make the estimates finite: "
            'model.fit(bm.MAP(priors="model")), or the posterior under the default ones, model.fit("nuts", seed=1).'
        )


def growing(model: Model, likelihood: LaplaceLikelihood, x: np.ndarray) -> Growing | None:
    """The terms whose sds the likelihood pushes up from x without end; None where it has a maximum."""
    if not likelihood.rows.blocks or not likelihood.rows.family.discrete:
        return None
    noise = _noise(model)
    sizes = [_sizes(model, likelihood, x, j) for j in range(len(model.design.mu.groups))]
    if max((float(np.max(size)) for size in sizes), default=0.0) < LARGE * noise:
        return None
    found = foretold(model.design, model.family)
    if found is None:
        return None
    large = [j for j, (size, can) in enumerate(zip(sizes, found.columns, strict=True))
             if np.any(size[can] > LARGE * noise)]  # fmt: skip
    if not large or not _confirmed(likelihood, x, found, [float(np.max(sizes[j])) / noise for j in large]):
        return None
    groups = [model.design.mu.groups[j] for j in large]
    tops = tuple(float(np.max(sizes[j])) for j in large)
    return Growing(tuple(term.text for term in groups), tuple(term.factor for term in groups), tops)


def _noise(model: Model) -> float:
    """About the sd of a row's own noise on the scale of the link: of counts under a log link that of one event."""
    link = model.family.link
    if not model.family.binary:
        return 1.0
    low, high = max(0.0, link.range[0]), min(1.0, link.range[1])
    ends = link.forward(low + (high - low) * np.array([0.5, SPREAD]))
    return abs(float(ends[1] - ends[0]))


def _sizes(model: Model, likelihood: LaplaceLikelihood, x: np.ndarray, j: int) -> np.ndarray:
    """Sds (k,) of a term's effects in the predictor, where its columns are of their root mean square."""
    Z = model.design.mu.groups[j].Z[model.design.used]
    return np.linalg.norm(likelihood.theta.typed(x)[j], axis=1) * np.sqrt(np.mean(Z**2, axis=0))


def _confirmed(likelihood: LaplaceLikelihood, x: np.ndarray, found: Foretold, sizes: Sequence[float]) -> bool:
    """Whether no integral contradicts the geometry: the likelihood farther out is as large as at x, or larger."""
    loglik = _integral(likelihood)
    if loglik is None:
        return max(sizes) > LARGER
    try:
        here, *beyond = (loglik(_scaled(likelihood, x, found, t)) for t in (1.0, *FAR))
    except np.linalg.LinAlgError:
        return True  # so far out that not even a mode is found
    if not np.all(np.isfinite(beyond)) or beyond[-1] > here - LEVEL:
        return True
    return _largest(likelihood, loglik, _scaled(likelihood, x, found, FAR[-1])) > here - LEVEL


def _integral(likelihood: LaplaceLikelihood) -> Callable[[np.ndarray], float] | None:
    """A log-likelihood that does not depend on the integrand's shape, where it is cheap enough."""
    rows = likelihood.rows
    if applies(likelihood) and rows.n * EVALUATIONS * len(FAR) < COSTLY:
        return lambda x: level_set_loglik(likelihood, x, likelihood.curved(x, likelihood.mode(x)))
    if len(rows.blocks) == 1 and rows.n * POINTS * len(FAR) < COSTLY:
        return lambda x: _by_points(likelihood, x)
    return None


def _by_points(likelihood: LaplaceLikelihood, x: np.ndarray) -> float:
    """By quasi-random points of the effects' own distribution, the same for every level and every x."""
    rows, block = likelihood.rows, likelihood.rows.block_rows[0]
    beta, dispersion = likelihood.beside(x)
    z = ndtri(_lattice(POINTS, block.k))
    grid = Grid(z, 0.5 * np.sum(z**2, axis=1) - np.log(POINTS))
    still = np.broadcast_to(np.eye(block.k), (block.n_levels, block.k, block.k))
    placed = Placement(np.zeros((block.n_levels, block.k)), still, np.zeros(block.n_levels))
    fixed = rows.offset + rows.Q @ beta
    density = Likelihood(rows, block, dispersion, (), np.zeros(rows.n))
    found = integrate(density, block, likelihood.factors(x)[0], fixed, placed, grid, slopes=False)
    return float(found.log.sum()) + likelihood.constant


def _lattice(points: int, k: int) -> np.ndarray:
    """Kronecker's sequence (points, k) of the plastic number's generalisation: evenly spread in (0, 1)."""
    root = 2.0
    for _ in range(40):
        root = (1 + root) ** (1 / (k + 1))
    return (0.5 + np.arange(1, points + 1)[:, None] * root ** -np.arange(1.0, k + 1)) % 1.0


def _scaled(likelihood: LaplaceLikelihood, x: np.ndarray, found: Foretold, t: float) -> np.ndarray:
    """x with what can grow multiplied by t: effects in columns that no row holds, coefficients likewise."""
    moved, theta = x.copy(), likelihood.theta
    for j, F in enumerate(theta.typed(x)):
        F[found.columns[j]] *= t
        moved = theta.replaced(moved, j, np.linalg.solve(theta.bases[j], F))
    beta = likelihood.beta(x)
    moved[likelihood.coefficients] = likelihood.rows.R @ (beta + (t - 1) * (found.still @ beta))
    return moved


def _largest(likelihood: LaplaceLikelihood, loglik: Callable[[np.ndarray], float], x: np.ndarray) -> float:
    """The largest log-likelihood with the covariance of x: the ratio of coefficients to sds may be off at x."""
    fixed, p = likelihood.coefficients, likelihood.p
    size = float(np.max(np.abs(x[: fixed.stop]), initial=1.0))

    def falls(share: np.ndarray) -> float:
        moved = x.copy()
        moved[fixed] = x[fixed] + size * share
        try:
            value = loglik(moved)
        except np.linalg.LinAlgError:
            return np.inf
        return -value if np.isfinite(value) else np.inf

    if not p:
        return loglik(x)
    simplex = np.vstack([np.zeros(p), 0.2 * np.eye(p)])
    options: Any = {"initial_simplex": simplex, "maxfev": PER_COEFFICIENT * p, "xatol": 1e-3, "fatol": LEVEL}
    return -float(minimize(falls, np.zeros(p), method="Nelder-Mead", options=options).fun)
