"""Where a search begins: coefficients without random effects, variances from moments of the scores, the joint mode."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...errors import FitError
from ...families import Gaussian, Observed
from ...families.links import Identity
from ..linear.information import block_information, inverse
from ..working.blocks import Block
from .approximation import Curved, LaplaceLikelihood
from .mode import MAX_STEPS, Mode, Prior

LEAST, MOST = 0.1, 30.0  # sds to start from, in units of what one row tells or of the predictor, as is wider
ROUGH = 3  # Newton steps: a start needs no digits
POOR = 2.0  # deviance per parameter that another start must be better by
WILD = 0.5  # deviance per row by which it is where rows are so far off that there may be several maxima
NEAR = 40.0  # deviance above the best start from which another maximum may still be as good
ROUNDS = 3  # of coefficients and dispersion in turn, without random effects
STEP = 1e-3  # of the difference that gives the curvature in the coordinate of a dispersion parameter


def start(
    likelihood: LaplaceLikelihood, theta: np.ndarray | None = None, prior: Prior | None = None
) -> tuple[np.ndarray, Mode]:
    """x to start from and the joint mode of (u, beta) there; `theta` (working) replaces that of the moments.

    A normal `prior` of the coefficients keeps them from running off where predictors separate the responses.

    Raises
    ------
    FitError
        Where no start inside the domain of the link is found.
    """
    found = starts(likelihood, theta, prior)
    return found.x, found.mode


@dataclass(frozen=True)
class Starts:
    """`x` to start from, the joint `mode` of (u, beta) there, and `others` where the first guess was poor.

    A log-likelihood that is not concave may have several maxima then, and a guess from fixed effects alone, whose few
    far rows have all the say, may be on the way to none of those worth having.
    """

    x: np.ndarray
    mode: Mode
    others: tuple[np.ndarray, ...] = ()


def starts(likelihood: LaplaceLikelihood, theta: np.ndarray | None = None, prior: Prior | None = None) -> Starts:
    """All starts; see `start`."""
    x, mode = _by_scores(likelihood, theta, prior)
    if mode.curved or likelihood.rows.family.discrete or not likelihood.rows.blocks:
        return Starts(x, mode)
    second = _by_responses(likelihood, theta, prior)
    first, reached = _deviance(likelihood, x), np.inf if second is None else _deviance(likelihood, second[0])
    if second is None or not reached < first - POOR * len(x):
        return Starts(x, mode)
    wild = theta is None and reached < first - WILD * likelihood.rows.n
    others = _one_column_each(likelihood, second[0]) if wild else []
    return Starts(*second, tuple(x for x in others if _deviance(likelihood, x) < reached + NEAR))


def _by_scores(likelihood: LaplaceLikelihood, theta: np.ndarray | None, prior: Prior | None) -> tuple[np.ndarray, Mode]:
    """Coefficients without random effects, sds by the moments of the scores there."""
    beta, dispersion = _without_effects(likelihood, prior)
    if theta is None:
        theta = _moments(likelihood, beta, dispersion)
    x = np.concatenate([theta, beta, likelihood.working_dispersion(dispersion)])
    # without effects and dispersion Newton's steps end at the optimum itself
    mode = likelihood.mode(x, free=True, prior=prior, limit=ROUGH if len(x) > likelihood.p else MAX_STEPS)
    if np.all(np.isfinite(mode.beta)):
        x[likelihood.coefficients] = mode.beta
    return x, mode


def _by_responses(
    likelihood: LaplaceLikelihood, theta: np.ndarray | None, prior: Prior | None
) -> tuple[np.ndarray, Mode] | None:
    """What a linear mixed model of the responses on the predictor's scale says; None where that has no mode."""
    rows = likelihood.rows
    weights = rows.observed.weights if rows.family.weights == "precision" else None
    seen = Observed(rows.family.link.forward(_inside(likelihood, rows.observed.y)), weights)
    linear = replace(
        likelihood,
        rows=replace(rows, family=Gaussian(Identity()), observed=seen, eta_range=(-np.inf, np.inf)),
        held={},
        _last=[],
    )
    beta, dispersion = _without_effects(linear, None)
    theta = _moments(linear, beta, dispersion) if theta is None else theta
    for _ in range(ROUNDS):
        mode = linear.mode(np.concatenate([theta, beta, linear.working_dispersion(dispersion)]), free=True)
        if not np.all(np.isfinite(mode.eta)):
            return None
        beta, dispersion = mode.beta, Gaussian().start(seen, mode.eta)
    mu = rows.family.link.inverse(mode.eta)
    values = rows.family.start(rows.observed, mu) | dict(likelihood.held)
    x = np.concatenate([theta, beta, likelihood.working_dispersion(values)])
    mode = likelihood.mode(x, mode.u, free=True, prior=prior, limit=ROUGH)
    if not np.all(np.isfinite(mode.beta)):
        return None
    x[likelihood.coefficients] = mode.beta
    return x, mode


def _one_column_each(likelihood: LaplaceLikelihood, x: np.ndarray) -> list[np.ndarray]:
    """Starts in which one column of effects varies widely and the others little: far rows are explained by one."""
    theta = likelihood.theta
    columns = [(j, i) for j in theta.order for i in range(theta.k(j))]
    found = []
    for wide in columns if len(columns) > 1 else ():
        sds = {j: np.full(theta.k(j), LEAST) for j in theta.order}
        sds[wide[0]][wide[1]] = 1.0
        found.append(np.concatenate([theta.start(sds), x[theta.size :]]))
    return found


def _deviance(likelihood: LaplaceLikelihood, x: np.ndarray) -> float:
    """Laplace's deviance; +inf where there is no mode."""
    try:
        return likelihood.deviance(likelihood.curved(x, likelihood.mode(x)))
    except np.linalg.LinAlgError:
        return np.inf


def metric(likelihood: LaplaceLikelihood, x: np.ndarray, joint: Curved, curved: Curved) -> np.ndarray:
    """A guess of the inverse Hessian of the deviance at x.

    Coefficients by the curvature of the joint mode, theta by expected information one factor at a time,
    dispersion by a difference of gradients. `joint` is the approximation with beta free, `curved` that with beta held.
    """
    full = np.zeros((len(x), len(x)))
    theta, fixed = likelihood.theta, likelihood.coefficients
    for block, A in zip(likelihood.rows.blocks, joint.gram.zz, strict=True):
        where = theta.positions(block)

        def factor(part: np.ndarray, block: Block = block, where: np.ndarray = where) -> np.ndarray:
            moved = x.copy()
            moved[where] = part
            return theta.block_factor(moved, block)

        full[np.ix_(where, where)] = inverse(block_information(A, factor, x[where], np.inf))
    full[fixed, fixed] = 0.5 * joint.solution.U_inverse
    gradient = likelihood.gradient(x, curved) if likelihood.free else x
    for i in range(fixed.stop, len(x)):
        moved = x.copy()
        moved[i] += STEP
        mode = likelihood.mode(moved, curved.mode.u)
        slope = likelihood.gradient(moved, likelihood.curved(moved, mode))[i] - gradient[i]
        full[i, i] = 1 / max(abs(slope) / STEP, 1e-2)
    return full


def _without_effects(likelihood: LaplaceLikelihood, prior: Prior | None) -> tuple[np.ndarray, dict[str, float]]:
    """Coefficients (p,) in the working basis and dispersion of the model without random effects, roughly."""
    rows = likelihood.rows
    family, seen = rows.family, rows.observed
    beta = _constant(likelihood)
    dispersion = dict(likelihood.held)
    for _ in range(ROUNDS):
        mu = family.link.inverse(rows.offset + rows.Q @ beta)
        dispersion |= {k: v for k, v in family.start(seen, mu).items() if k not in likelihood.held}
        x = np.concatenate([np.zeros(likelihood.theta.size), beta, likelihood.working_dispersion(dispersion)])
        mode = likelihood.mode(x, free=True, prior=prior, limit=ROUGH)
        if not np.all(np.isfinite(mode.beta)):
            break
        beta = mode.beta
        if not likelihood.free:
            break
    return beta, dispersion


def _constant(likelihood: LaplaceLikelihood) -> np.ndarray:
    """Coefficients whose predictor is nearly the link of the mean response, inside the link's domain."""
    rows = likelihood.rows
    y, weights, trials = rows.observed
    mean = float(np.average(y, weights=weights)) if trials is None else float(np.sum(y) / np.sum(trials))
    inside = float(_inside(likelihood, np.float64(mean)))
    target = float(rows.family.link.forward(np.float64(inside))) - rows.offset
    beta = rows.Q.T @ target / (rows.n * rows.unit**2)
    lowest, highest = rows.family.eta_range
    eta = rows.offset + rows.Q @ beta
    if rows.p and not (np.min(eta) > lowest and np.max(eta) < highest):
        raise FitError(
            f"No starting point keeps the predictor inside the domain of the {rows.family.link.name} link "
            f"({lowest:g} to {highest:g}): the model has no intercept, or an offset leaves it. Add an intercept, or "
            f"use the link {rows.family.links[0]!r}.",
            topic="outside-the-link",
        )
    return beta


def _inside(likelihood: LaplaceLikelihood, mean: Any) -> Any:
    """Means moved inside the range of family and link, by a share of the response's spread or of the range."""
    rows = likelihood.rows
    y = rows.observed.y
    low, high = rows.family.mean_range
    low, high = max(low, rows.family.link.range[0]), min(high, rows.family.link.range[1])
    spread = float(np.std(y)) + 1e-3 * abs(float(np.mean(y))) or 1.0
    margin = (spread if not np.isfinite(high - low) else high - low) / (2 * rows.n + 2)
    return np.clip(mean, low + margin, high - margin)


def _moments(likelihood: LaplaceLikelihood, beta: np.ndarray, dispersion: dict[str, float]) -> np.ndarray:
    """A working theta from E[(Z'g)^2] = A + tau^2 A^2 per level, A = Z'VZ, term by term."""
    rows = likelihood.rows
    if not rows.blocks:
        return np.zeros(0)
    eta = rows.offset + rows.Q @ beta
    found = rows.family.derivatives(rows.observed, eta, dispersion, 2)
    V = np.maximum(found.V, 0.0)
    unit = 1 / (rows.unit * np.sqrt(float(np.mean(V)) or 1.0))
    least, most = LEAST * min(unit, 1.0), MOST * max(unit, 1.0)
    taus: dict[int, np.ndarray] = {}
    for block, block_rows in zip(rows.blocks, rows.block_rows, strict=True):
        score = block_rows.sums(found.g)
        A = np.diagonal(block_rows.products(V), axis1=1, axis2=2)
        information = np.sum(A**2, axis=0)
        variance = np.sum(score**2 - A, axis=0) / np.where(information > 0, information, 1.0)
        sds = np.clip(np.sqrt(np.maximum(variance, 0.0)), least, most)
        taus |= {j: sds[columns] for j, columns in zip(block.terms, block.slices, strict=True)}
    return likelihood.theta.start(taus)
