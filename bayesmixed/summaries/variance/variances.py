"""Of what the response's variance on the link scale is made: fixed effects, each grouping factor, the distribution.

Nakagawa, Johnson & Schielzeth (2017), J. R. Soc. Interface 14: 20170213; random slopes by the mean of z' Sigma z over
the rows: Johnson (2014), Methods Ecol. Evol. 5, 944-946. A row of frequency weight w counts as the w it stands for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ...errors import FitError
from ...fits.base import is_fit
from ...messages import Told
from ...parameters.values import Parameters
from ...prediction.new_rows import responses_per_row
from .counted import mean_square
from .residual_variance import Options, distribution_variance

if TYPE_CHECKING:
    from ...fits.base import Fit
    from ...model import Model

_ROUNDING = 1e-9  # relative: weights divided by their mean sum to their number up to this


@dataclass(frozen=True)
class Variances:
    """Components (draws,) each: of the fixed part, by grouping factor, and residual.

    A factor with a level per row (an observation-level effect) of a generalized model counts as residual and is named
    in `rowwise`; `notes` say what the residual variance is; `others` are what it is by other approximations.
    """

    fixed: np.ndarray
    by_factor: dict[str, np.ndarray]
    residual: np.ndarray
    rowwise: tuple[str, ...]
    notes: tuple[str, ...]
    others: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def random(self) -> np.ndarray:
        """Sum (draws,) over the grouping factors."""
        return np.sum(list(self.by_factor.values()), axis=0) if self.by_factor else np.zeros_like(self.fixed)

    @property
    def unexplained(self) -> np.ndarray:
        """Random and residual variance (draws,)."""
        return self.random + self.residual

    @property
    def total(self) -> np.ndarray:
        """All variance (draws,)."""
        return self.fixed + self.unexplained

    @property
    def adjusted(self) -> np.ndarray:
        """The adjusted ICC (draws,) of all factors together."""
        return share(self.random, self.unexplained)

    @property
    def marginal(self) -> np.ndarray:
        """Nakagawa's R2 (draws,) of the fixed effects."""
        return share(self.fixed, self.total)

    @property
    def conditional(self) -> np.ndarray:
        """Nakagawa's R2 (draws,) of fixed and random effects."""
        return share(self.fixed + self.random, self.total)

    def approximated(self) -> dict[str, Variances]:
        """The components with the residual variance of each other approximation."""
        return {name: replace(self, residual=residual, others={}) for name, residual in self.others.items()}


def share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Shares (draws,) of a variance; NaN of none."""
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)


def variances(fit: Fit, options: Options) -> Variances:
    """The components of a fit's variance, one value per draw (one for a point fit)."""
    if not is_fit(fit):
        raise FitError(
            f'Shares of variance are of a fit, not of {fit!r}: write model.fit("reml") first.', topic="needs-a-fit"
        )
    model, flat = fit.model, fit.parameters.flat()
    by_factor: dict[str, np.ndarray] = {}
    for j, term in enumerate(model.design.mu.groups):
        by_factor[term.factor] = by_factor.get(term.factor, 0.0) + _term_variance(model, flat, j)
    rowwise = tuple(name for name in by_factor if _is_rowwise(model, name))
    found = distribution_variance(fit, options)
    residual, others, notes = found.variance, dict(found.others), found.notes
    for name in rowwise:
        own = by_factor.pop(name)
        residual, others = residual + own, {other: value + own for other, value in others.items()}
    if rowwise:
        notes = (
            *notes,
            Told("shares-of-variance", f"{', '.join(rowwise)} has a level per row: its variance counts as residual."),
        )
    return Variances(_fixed_variance(model, flat.beta[0]), by_factor, residual, rowwise, notes, others)


def _fixed_variance(model: Model, beta: np.ndarray) -> np.ndarray:
    """Variance (draws,) over the responses of x'beta, offset left out, with n - 1 as `performance` has it."""
    X, counts = model.design.mu.X, responses_per_row(model)
    total = float(counts.sum())
    if X.shape[1] == 0 or total <= 1:
        return np.zeros(len(beta))
    centred = X - counts @ X / total
    return np.einsum("dp,pq,dq->d", beta, (counts[:, None] * centred).T @ centred / (total - 1), beta)


def _term_variance(model: Model, flat: Parameters, j: int) -> np.ndarray:
    """Mean over the responses of z' Sigma z (draws,) = trace(Sigma E[z z'])."""
    squares = mean_square(model.design.mu.groups[j].Z, responses_per_row(model))
    return np.einsum("dkl,kl->d", flat.covariance(j)[0], squares)


def _is_rowwise(model: Model, factor: str) -> bool:
    """Whether the factor has a level per row of the fit, and each row is one response."""
    codes = next(term.codes for term in model.design.mu.groups if term.factor == factor)
    counts = responses_per_row(model)
    levels = len(np.unique(codes[(counts > 0) & (codes >= 0)]))
    return not model.linear and levels == model.n_obs and counts.sum() <= levels * (1 + _ROUNDING)
