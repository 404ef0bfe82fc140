"""Did a parameter run to a limit: a coefficient to infinity, a dispersion to a simpler family? From estimates alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...families import Family
from ...fits.status import PointStatus
from ...messages import Told, topic_of
from ...priors.default import column_spreads

if TYPE_CHECKING:
    from ...model import Model

EDGE = 1e-6  # of the mean from its bound: a coefficient that takes a unit column there has left every data set
INFINITE = 1e12  # what rounding makes of infinity, where a link is a tangent
FARTHEST = 300.0  # |eta| that counts as there for links whose tails are too heavy to come so near (cauchit)
FLAT = 1e-6  # eigenvalue of the Hessian over the largest one
SURE = 4.0  # estimate over standard error that a coefficient with data behind it has


def without_maximum(
    status: PointStatus, model: Model, beta: np.ndarray, covariance: np.ndarray, penalised: Collection[str] = ()
) -> PointStatus:
    """The state of a fit whose coefficients `beta` (p,) run to infinity: not converged, and why; else as it is.

    Cheap: a coefficient that takes the mean of a unit column (one sd, or the range of two values) to within 1e-6 of
    its bound, along which the likelihood is flat. `bm.diagnose` settles the question. Coefficients with priors
    (`penalised`, by name) may be far out and little sure; for them only a flat criterion counts.
    """
    names = _running(status, model, beta, covariance, penalised)
    if not names:
        return status
    word = "coefficient" if len(names) == 1 else "coefficients"
    problem = (
        f"The likelihood has no maximum: the {word} of {', '.join(names)} went off to infinity, as happens where "
        "predictors separate the responses (all successes or failures, all counts zero). bm.diagnose(fit) says which "
        'and proposes weak priors; model.fit("nuts", seed=1) uses the default ones.'
    )
    others = (other for other in status.problems if topic_of(other).about != "search")
    return replace(status, converged=False, problems=(Told("no-maximum", problem), *others))


def at_limits(status: PointStatus, model: Model, dispersion: Mapping[str, float]) -> PointStatus:
    """The state of a fit whose dispersion parameters say that a simpler family fits as well; else as it is."""
    said = [
        Told(
            "simpler-family",
            f"{name} ran to {dispersion[name]:.3g}: {limit.meaning}. "
            f'Use family="{limit.simpler}", the same likelihood with one parameter fewer.',
        )
        for name, limit in model.family.limits.items()
        if name not in model.constants and limit.reached(dispersion[name])
    ]
    return replace(status, problems=(*status.problems, *said)) if said else status


def reaches(family: Family) -> list[float]:
    """The |eta| at which a mean is within 1e-6 of each bound that only eta = +-infinity attains."""
    low = max(family.mean_range[0], family.link.range[0])
    high = min(family.mean_range[1], family.link.range[1])
    found = []
    for bound, inside in ((low, low + EDGE), (high, high - EDGE)):
        with np.errstate(divide="ignore", invalid="ignore"):
            if np.isfinite(bound) and abs(family.link.forward(np.float64(bound))) > INFINITE:
                found.append(min(abs(float(family.link.forward(np.float64(inside)))), FARTHEST))
    return found


def _running(
    status: PointStatus, model: Model, beta: np.ndarray, covariance: np.ndarray, penalised: Collection[str]
) -> list[str]:
    """Names of the coefficients; the intercept, which moves with the others, is not one of them."""
    far = reaches(model.family) if model.family.discrete else []
    if not far or not len(beta):
        return []
    sizes = np.abs(beta) * column_spreads(model.design.mu.X[model.design.used])
    eigenvalues = np.array(status.hessian_eigenvalues)
    flat = not len(eigenvalues) or not np.min(eigenvalues) > FLAT * np.max(np.abs(eigenvalues))
    variances = np.diag(covariance)
    sure = (beta**2 > SURE**2 * variances) & (variances > 0) | np.isin(model.coefficients, list(penalised))
    running = (sizes > min(far)) & flat | (sizes > max(far)) & ~sure
    return [name for name, runs in zip(model.coefficients, running, strict=True) if runs and name != "Intercept"]
