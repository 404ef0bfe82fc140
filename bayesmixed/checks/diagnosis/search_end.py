"""Did the search end at a maximum, and did any parameter run away on the way there?"""

from __future__ import annotations

import numpy as np

from ...fits.point import PointFit
from ...likelihood.boundary import ACCEPT
from ...messages import topic_of
from ..finding import SERIOUS, WARNING, Finding

CHECK = "convergence"
FLAT = 1e-7  # eigenvalue over the largest one: a direction in which the likelihood says nothing
NO_ERROR = 1e-6  # residual sd over that of the response below which the fit is an interpolation
OTHERS = {"boundary", "identification", "integral"}  # what problems are about that have findings of their own


def convergence(fit: PointFit, explained: bool = False) -> tuple[Finding, ...]:
    """What the status of a point fit says, and dispersion parameters at the end of their range.

    Why the search did not converge may be `explained` by separation.
    """
    dispersion = _dispersion(fit)
    search = [] if explained else _search(fit, flat=not dispersion)
    return (*search, *_boundary(fit), *dispersion, *_approximation(fit))


def _search(fit: PointFit, flat: bool) -> list[Finding]:
    """How the search ended; a `flat` likelihood is worth a word where no dispersion at its limit explains it."""
    status, found = fit.status, []
    if not status.converged:
        what = f"not converged: largest gradient {status.gradient_norm:.2g} after {status.evaluations} evaluations"
        said = [problem for problem in status.problems if topic_of(problem).about not in OTHERS]
        words = " ".join(said) or "The search ended before a maximum was found."
        remedy = "see the other findings first; where there are none, follow the advice above"
        topic = topic_of(said[0]).slug if said else "optimiser-stopped"
        found.append(Finding(CHECK, what, words, remedy, SERIOUS, topic=topic))
    eigenvalues = np.array(status.hessian_eigenvalues)
    if flat and len(eigenvalues) and not np.all(eigenvalues > FLAT * np.max(np.abs(eigenvalues))):
        what = f"flat likelihood: smallest eigenvalue of its Hessian {np.min(eigenvalues):.2g}"
        words = (
            f"In some direction the likelihood does not fall (the largest eigenvalue is {np.max(eigenvalues):.2g}): a "
            "parameter, or a combination of parameters, has no estimate, and standard errors mean nothing."
        )
        remedy = 'give it a prior, model.fit(bm.MAP(priors="model")), or leave a term out'
        found.append(Finding(CHECK, what, words, remedy, SERIOUS, topic="flat-likelihood"))
    return found


def _boundary(fit: PointFit) -> list[Finding]:
    slope = fit.status.boundary_slope
    if slope is None or slope >= ACCEPT:
        return []
    what = f"a variance at zero is not the best estimate: the criterion falls by {-slope:.2g} per unit of it"
    words = "The search stopped on the boundary although leaving it would be better."
    remedy = "start inside: bm.ML(start=...), theta in the order of fit.theta"
    return [Finding(CHECK, what, words, remedy, SERIOUS, topic="stopped-at-the-boundary")]


def _dispersion(fit: PointFit) -> list[Finding]:
    found = []
    for name, limit in fit.model.family.limits.items():
        if name not in fit.model.constants and limit.reached(fit.dispersion[name]):
            what = f"{name} of the {fit.model.family.name} family ran to {fit.dispersion[name]:.3g}"
            words = f"{limit.meaning[0].upper()}{limit.meaning[1:]}."
            remedy = f'use family="{limit.simpler}": the same likelihood with one parameter fewer'
            found.append(Finding(CHECK, what, words, remedy, WARNING, topic="simpler-family"))
    response = fit.model.design.response
    sd = 0.0 if response is None else float(np.std(response.y))
    if "sigma" in fit.dispersion and "sigma" not in fit.model.constants and fit.dispersion["sigma"] < NO_ERROR * sd:
        words = "The model reproduces every observation: nothing is left from which standard errors could come."
        remedy = "leave terms out, or fit more rows"
        found.append(Finding(CHECK, "sigma is 0", words, remedy, SERIOUS, topic="no-residual"))
    return found


def _approximation(fit: PointFit) -> list[Finding]:
    """Whether the integral over the effects is good enough, where the fit has measured it."""
    said = [problem for problem in fit.status.problems if topic_of(problem).about == "integral"]
    if not said:
        return []
    shift, nodes = fit.status.quadrature_shift, fit.engine.quadrature
    size = "" if shift is None else f" by {abs(shift):.2g} in log-likelihood"
    subject = "Laplace's approximation of" if nodes == 1 else f"Quadrature with {nodes} nodes of"
    what = f"{subject} the integral over the effects is off{size}"
    remedy = 'model.fit(bm.ML(quadrature=15)) where there is one grouping factor, or model.fit("nuts", seed=1)'
    if nodes > 1:
        remedy = 'more nodes, or model.fit("nuts", seed=1)'
    return [Finding("quadrature", what, said[0], remedy, WARNING, topic=topic_of(said[0]).slug)]
