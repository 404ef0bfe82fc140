"""Satterthwaite's degrees of freedom: each row's own, from how well its variance is known (lmerTest's)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..engines.machine.blas import blas_threads
from ..engines.ml import tail_columns
from ..errors import FitError
from ..fits.status import singular_terms
from ..likelihood.at import effects_unit, heteroscedastic_of, likelihood_of
from ..likelihood.criteria.with_sigma import NormalPrior, SigmaCriterion
from ..likelihood.criteria.with_sigmas import SigmasCriterion
from ..likelihood.replicated.variances import many_together
from ..likelihood.small_sample.satterthwaite import CovarianceSlopes, with_sigma, with_sigmas
from ..likelihood.working.coordinates import Coordinates
from ..messages import Told
from .reference import DEPENDENT, FTest, Reference

if TYPE_CHECKING:
    from ..fits.point import PointFit

LOST = 1e-12  # of the largest: a singular value that rounding may have made
EXCESS = 1e-6  # of the criterion over its minimum: variance parameters are within a thousandth of a standard error


@dataclass(frozen=True)
class Satterthwaite(Reference):
    """t and F by moments of the estimated variances.

    `known` says how the covariance of the coefficients in `mean` moves; the rest of a row belongs to a predictor of
    sigma, whose estimates are normal in large samples only.
    """

    papers = ("kuznetsova2017",)

    root: np.ndarray
    words: str
    notes: tuple[str, ...]
    known: CovarianceSlopes
    mean: slice

    def df(self, rows: np.ndarray) -> np.ndarray:
        found = self.known.df(rows[:, self.mean])
        others = np.delete(rows, np.arange(rows.shape[1])[self.mean], axis=1)
        return np.where(np.any(others != 0, axis=1), np.inf, found)

    def test(self, rows: np.ndarray, values: np.ndarray) -> FTest:
        turned, sds = independent(rows @ self.root)
        if not len(sds):
            return FTest(np.nan, 0, np.nan)
        statistics = (turned @ values / sds) ** 2
        return FTest(float(np.mean(statistics)), len(sds), together(self.df(turned @ rows)))


def reference(fit: PointFit) -> Satterthwaite:
    """By the observed information of the criterion that the fit has minimised, sigma free unless it is a constant.

    Raises
    ------
    FitError
        For generalized models and for MAP fits, whose estimates are no maximum of the likelihood.
    """
    if not fit.model.linear:
        raise FitError(
            "Satterthwaite's degrees of freedom are for linear mixed models; tests of this model are referred to the "
            'normal distribution: ddf="asymptotic".',
            topic="degrees-of-freedom",
        )
    if fit.engine.regularised:
        raise FitError(
            f"Satterthwaite's degrees of freedom are of estimates that maximise a likelihood, and {fit.engine.label} "
            'adds a penalty to it. Use ddf="asymptotic" or a number, or refit by model.fit("reml").',
            topic="degrees-of-freedom",
        )
    with blas_threads(tail_columns(fit.model)):
        known = _known(fit)
    return Satterthwaite(
        root=fit.coefficient_root,
        words="t with Satterthwaite's degrees of freedom",
        notes=_notes(fit, known),
        known=known,
        mean=fit.model.design.places["mu"],
    )


def independent(half: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """P' (q, r) and the standard errors (q,) of uncorrelated P'L beta, for L (r, P) with LCL' = half half'.

    P are the eigenvectors of LCL' without those of eigenvalue zero; where rows are so unlike in size that eigenvalues
    are lost in rounding, of rows over their standard errors.
    """
    sizes = np.linalg.norm(half, axis=1)
    if not np.all(np.isfinite(sizes)):
        return np.zeros((0, len(half))), np.zeros(0)
    over = np.where(sizes > 0, sizes, 1.0)[:, None]
    units, found, _ = np.linalg.svd(half / over, full_matrices=False)
    rank = int(np.sum(found > DEPENDENT))
    left, sds, _ = np.linalg.svd(half, full_matrices=False)
    if rank and sds[rank - 1] < LOST * sds[0]:
        return (units / over).T[:rank], found[:rank]
    return left.T[:rank], sds[:rank]


def together(df: np.ndarray) -> float:
    """Denominator degrees of freedom of the mean of independent squares of t on `df` (q,): see `many_together`.

    >>> together(np.array([10.0, 10.0])), together(np.array([np.inf, 10.0])), together(np.array([1.0, 10.0]))
    (10.0, 18.0, 2.0)
    """
    return float(many_together(df[None])[0])


def _known(fit: PointFit) -> CovarianceSlopes:
    model, restricted = fit.model, fit.engine.restricted
    if not model.has_scale:
        rows = heteroscedastic_of(model)
        assert fit.curvature is not None  # which such fits keep
        return with_sigmas(SigmasCriterion(rows, restricted, NormalPrior.none(rows.basis), free=False), fit.curvature.x)
    likelihood, held = likelihood_of(model), model.constants.get("sigma")
    criterion = SigmaCriterion(likelihood, restricted, held, NormalPrior.none(likelihood.basis), free=False)
    return with_sigma(criterion, _at(criterion.coordinates(), fit))


def _at(coordinates: Coordinates, fit: PointFit) -> np.ndarray:
    """The coordinates of a fit, the rank of each Lambda in its leading columns: what is zero stands in zero columns."""
    theta = coordinates.theta
    x = theta.working(fit.theta)
    for j in theta.order:
        x = theta.leading(x, j)
    return np.concatenate([x, [c.at(fit.dispersion[name]) for name, c in coordinates.dispersion.items()]])


def _notes(fit: PointFit, known: CovarianceSlopes) -> tuple[str, ...]:
    notes = []
    if known.held:
        unit = effects_unit(fit.model)
        words = singular_terms(fit.model.design.groups, [factor / unit for factor in fit.factors]).words
        notes.append(Told("degrees-in-doubt", f"Held at the boundary, as if known: {'; '.join(words)}."))
    if known.flat:
        notes.append(
            Told(
                "degrees-in-doubt",
                f"In {known.flat} direction(s) of the variance parameters the criterion does not bend: the data do not "
                "tell them apart, and they were left out.",
            )
        )
    if np.isnan(known.excess):
        notes.append(
            Told(
                "degrees-in-doubt",
                "The criterion cannot be evaluated near the estimates, so that degrees of freedom are not known: ask "
                'for others, ddf="containment" or a number.',
            )
        )
    elif known.excess > EXCESS:
        notes.append(
            Told(
                "degrees-in-doubt",
                "The estimates are not at the optimum of the criterion: degrees of freedom there depend on how "
                "variances are written. Fit again with more iterations or another optimizer.",
            )
        )
    return tuple(notes)
