"""How far a better integral than the one a fit used would move it: is Laplace's approximation, are its nodes enough?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...fits.status import PointStatus
from ...likelihood.laplace.approximation import Curved, LaplaceLikelihood
from ...likelihood.quadrature.factoring import MAX_NODES, nested, quadrature
from ...likelihood.quadrature.level_sets import EVALUATIONS, applies, level_set_logs
from ...likelihood.quadrature.sampled import importance
from ...messages import Told

NODES = (9, 7, 5, 4, 3)  # a dimension, the first that is cheap enough
DRAWS = 200
CHEAP = 500_000  # rows x nodes that take about 20 ms
SHARE = 0.5  # rows x nodes per row and evaluation of the fit, that take about a tenth of its time
NEWTON = 10  # nodes that take as long as finding a mode
UNSURE = 0.5  # Monte Carlo error of a log-likelihood from which it says nothing
MOVED = 0.2  # standard errors: what an estimate may move
SHIFTED = 0.04  # log-likelihood per square root of levels: independent errors of so many levels
FINER = 2  # times the nodes of a fit, and one more, that check its integral
LOOSE = 1e-2  # log-likelihood: a bound on the error of a fit's own integral above which it is integrated again, exactly
OFF = 0.2  # log-likelihood: an error of a fit's own integral that the difference of two models would show


# On reference data sets and simulations (largest move in standard errors; shift per square root of levels): cbpp 0.03
# and 0.01, with a level per row 0.12 and 0.003, Contraception 0.04 and 0.02 (nested 0.07 and 0.03), epil 0.02 and
# 0.01; culcita 0.05 and 0.06; seven binary rows a level with an sd of 1, 2, 4: 0.27, 0.31, 4 and 0.09, 0.05, 0.22.


@dataclass(frozen=True)
class Accuracy:
    """What more nodes change at the estimates: the log-likelihood by `shift`, an estimate by up to `move` its error.

    `error` is the shift's Monte Carlo standard error; `move` a Newton step's, None for crossed factors; `levels` of the
    largest factor.
    """

    shift: float
    error: float
    move: float | None
    levels: int

    @property
    def matters(self) -> bool:
        """Whether an estimate or the likelihood moves by more than is negligible, beyond Monte Carlo error."""
        shifted = abs(self.shift) - 2 * self.error > SHIFTED * np.sqrt(self.levels)
        return bool(shifted) or (self.move is not None and self.move > MOVED)

    def added(self, status: PointStatus) -> PointStatus:
        """The status with the shift and, where that matters, what to do."""
        problems = (*status.problems, Told("laplace-inaccurate", self._words())) if self.matters else status.problems
        return replace(status, quadrature_shift=self.shift, problems=problems)

    def _words(self) -> str:
        start = (
            f"Laplace's approximation is inaccurate here: more nodes move the log-likelihood at the estimates by "
            f"{self.shift:+.2f}"
        )
        if self.move is None:
            return (
                f"{start} (Monte Carlo error {self.error:.2f}), and crossed factors have no quadrature. Integrate by "
                'sampling, model.fit("nuts", seed=1).'
            )
        far = "more than a standard error" if self.move > 1 else f"about {self.move:.2f} standard errors"
        return f"{start} and an estimate by {far}. Use model.fit(bm.ML(quadrature=15))."


def accuracy(
    likelihood: LaplaceLikelihood, x: np.ndarray, curved: Curved, hessian: np.ndarray, evaluations: int
) -> Accuracy | None:
    """Of Laplace's optimum of a discrete family, in about a tenth of the fit's time; None where that is not enough.

    Parameters
    ----------
    hessian
        Of the deviance (m, m), zero where parameters are held.
    evaluations
        How many the fit took.
    """
    rows = likelihood.rows
    if not rows.blocks or not rows.family.discrete or rows.family.normal_conditional:
        return None
    allowed, levels = max(CHEAP, SHARE * evaluations * rows.n), rows.blocks[0].n_levels
    if len(rows.blocks) > 1 and not nested(likelihood):
        return _by_draws(likelihood, x, curved, levels) if DRAWS * rows.n <= allowed else None
    nodes = next((nodes for nodes in NODES if rows.n * _cost(likelihood, nodes) <= allowed), None)
    if nodes is None:
        return None
    try:
        loglik, gradient = quadrature(likelihood, nodes).loglik_and_gradient(x, curved)
    except np.linalg.LinAlgError:
        return None
    found = Accuracy(loglik + 0.5 * likelihood.deviance(curved), 0.0, _largest_move(hessian, gradient), levels)
    if not found.matters or not applies(likelihood) or rows.n * EVALUATIONS > allowed:
        return found
    exact = float(level_set_logs(likelihood, x, curved).sum()) + likelihood.constant
    return replace(found, shift=exact + 0.5 * likelihood.deviance(curved))


@dataclass(frozen=True)
class Checked:
    """A fit's own integral beside a finer one at its estimates.

    `shift` is what that adds to the log-likelihood, `move` by how many standard errors an estimate would step.
    `bound` sums over levels how far each one's integral moves, whatever the sign. `nodes` are the fit's.
    """

    nodes: int
    shift: float
    bound: float
    move: float

    @property
    def matters(self) -> bool:
        """Whether the likelihood is off by what a comparison of models would show, or an estimate moves."""
        return self.bound > OFF or self.move > MOVED

    def added(self, status: PointStatus) -> PointStatus:
        """The status with the error and, where it matters, what to do."""
        problems = (*status.problems, Told("quadrature-inaccurate", self._words())) if self.matters else status.problems
        return replace(status, quadrature_shift=self.shift, quadrature_error=self.bound, problems=problems)

    def _words(self) -> str:
        far = "more than a standard error" if self.move > 1 else f"about {self.move:.2f} standard errors"
        more = min(FINER * self.nodes + 1, MAX_NODES)
        return (
            f"Quadrature with {self.nodes} nodes is inaccurate here: a finer integral moves the "
            f"log-likelihood at the estimates by {self.shift:+.2f} (the levels' own errors add up to {self.bound:.2g}) "
            f"and an estimate by {far}. Use more nodes, bm.ML(quadrature={more}), or integrate by sampling, "
            'model.fit("nuts", seed=1).'
        )


def checked(
    likelihood: LaplaceLikelihood, x: np.ndarray, curved: Curved, hessian: np.ndarray, nodes: int, evaluations: int
) -> Checked | None:
    """The error of a fit's own integral with `nodes` a dimension at its optimum; None where a finer one costs too much.

    `hessian` and `evaluations` as in `accuracy`.
    """
    rows = likelihood.rows
    allowed = max(CHEAP, evaluations * rows.n * _cost(likelihood, nodes))
    finer = next((k for k in _finer(nodes) if rows.n * _cost(likelihood, k) <= allowed), None)
    if finer is None:
        return None
    try:
        rules = quadrature(likelihood, nodes), quadrature(likelihood, finer)
        own, better = (rule.logs(x, curved) for rule in rules)
        slopes = [rule.loglik_and_gradient(x, curved)[1] for rule in rules]
    except np.linalg.LinAlgError:
        return None
    if np.abs(better - own).sum() > LOOSE and applies(likelihood) and rows.n * EVALUATIONS <= allowed:
        better = level_set_logs(likelihood, x, curved)
    gaps = better - own
    move = _largest_move(hessian, slopes[1] - slopes[0])
    return Checked(nodes, float(gaps.sum()), float(np.abs(gaps).sum()), move)


def _finer(nodes: int) -> tuple[int, ...]:
    """Numbers of nodes that check a number of them, the surest first."""
    return tuple(k for k in (FINER * nodes + 1, nodes + 4, nodes + 2, nodes + 1) if k <= MAX_NODES)


def _cost(likelihood: LaplaceLikelihood, nodes: int) -> float:
    """Evaluations of a row's density; infinite where the grid is not possible."""
    grids = [float(nodes) ** block.k if block.k <= 3 else np.inf for block in likelihood.rows.blocks]
    return grids[0] if len(grids) == 1 else grids[1] * (grids[0] + NEWTON)


def _by_draws(likelihood: LaplaceLikelihood, x: np.ndarray, curved: Curved, levels: int) -> Accuracy | None:
    try:
        found = importance(likelihood, x, curved, DRAWS)
    except np.linalg.LinAlgError:
        return None
    return Accuracy(found.shift, found.error, None, levels) if found.error <= UNSURE else None


def _largest_move(hessian: np.ndarray, gradient: np.ndarray) -> float:
    """The largest step (standard errors) that a Newton iteration takes for a gradient of the log-likelihood."""
    free = np.flatnonzero(np.diag(hessian))
    part = hessian[np.ix_(free, free)]
    if not len(free) or not np.all(np.isfinite(part)) or np.linalg.eigvalsh(part)[0] <= 0:
        return 0.0
    inverse = np.linalg.inv(part)
    return float(np.max(np.abs(inverse @ (2 * gradient[free])) / np.sqrt(2 * np.diag(inverse))))
