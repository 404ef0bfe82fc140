"""Of which fit a profile is: that by maximum likelihood, and a better one where the walk meets it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ...engines import ML
from ...errors import FitError
from ...fits.maximised import maximised
from ...fits.point import PointFit
from ...messages import Told
from .ground import Ground
from .parameters import ground
from .points import BETTER, BetterOptimum

T = TypeVar("T")
RESTARTS = 5


def maximum_likelihood(fit: Any, verb: str) -> tuple[PointFit, tuple[str, ...]]:
    """The fit itself, or a REML fit's model fitted by ML, which is said.

    Raises
    ------
    FitError
        What is no fit, draws, penalised fits, and fits at the joint mode, which maximise no likelihood.
    """
    fit = maximised(
        fit,
        verb,
        f"{verb}: draws have no profile. bm.confint(fit) gives their equal-tailed intervals, "
        'bm.confint(fit, method="hdi") those of highest density; model.fit("ml") can be profiled.',
    )
    if fit.engine.regularised:
        raise FitError(
            f"{verb}: {fit.label} maximises the likelihood times a prior, whose profile has no level. Profile the "
            'likelihood: bm.profile(model.fit("ml")). bm.confint(fit, "wald") has limits by standard errors.',
            topic="needs-a-maximum",
        )
    if not fit.model.linear and fit.model.design.groups and fit.engine.quadrature == 0:
        raise FitError(
            f"{verb}: with quadrature=0 the coefficients are not those that maximise the likelihood. Fit by "
            "bm.ML(), Laplace's approximation, or bm.ML(quadrature=9).",
            topic="needs-a-maximum",
        )
    if not fit.engine.restricted:
        return fit, ()
    refitted = ML(start=tuple(fit.theta)).fit(fit.model)
    return refitted, (
        Told("refitted", "Of the model refitted by ML: the REML criterion says nothing of coefficients."),
    )


def from_the_best(fit: PointFit, asked: Callable[[Ground], T]) -> tuple[PointFit, T, tuple[str, ...]]:
    """The answer from the fit, or from a better one that is met while it is looked for, and what was met.

    Raises
    ------
    FitError
        Where the deviance is lower beside the fit, and no fit from there keeps it.
    """
    notes: list[str] = []
    while True:
        place = ground(fit)
        try:
            return fit, asked(place), tuple(notes)
        except BetterOptimum as met:
            better = _from(fit, tuple(place.layout.reported_of(met.factors)))
            if len(notes) == RESTARTS or not better.criterion < fit.criterion - BETTER / 2:
                raise FitError(
                    f"The deviance falls below that of the fit (by {met.fall:.3g}, beside {met.label}), and no search "
                    "from there keeps what it gains: the fit is not at its optimum. bm.diagnose(fit) says more; which= "
                    "asks for other parameters alone.",
                    topic="better-optimum",
                ) from None
            notes.append(
                Told(
                    "better-optimum",
                    f"A better optimum was met beside {met.label}: deviance {better.deviance:.3f} instead of "
                    f"{fit.deviance:.3f}. Everything here is from there; the fit is .fit of bm.profile(fit).",
                )
            )
            fit = better


def _from(fit: PointFit, start: tuple[float, ...]) -> PointFit:
    """A search by our own optimizer, whatever the fit's had missed."""
    return ML(quadrature=fit.engine.quadrature, start=start).fit(fit.model)
