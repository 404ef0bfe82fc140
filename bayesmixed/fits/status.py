"""How a fit ended, as data: converged, singular, divergent, and in words what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..design.design import GroupTerm
from ..messages import Told, topic_of
from ..priors.default import column_spreads

if TYPE_CHECKING:
    from ..likelihood.boundary import Direction
    from ..likelihood.identified import Unidentified

SINGULAR = 1e-4  # lme4's rule for a diagonal element of a relative factor


@dataclass(frozen=True)
class Singularity:
    """Terms whose relative factor has a diagonal element below 1e-4, in the user's units and scale-free.

    `words` say of each of the latter what is at its limit: a column in the thousands has an honest tiny element.
    """

    terms: tuple[str, ...]
    scale_free_terms: tuple[str, ...]
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class PointStatus:
    """How a point fit ended: `fit.status`.

    Attributes
    ----------
    converged : bool
        Whether the search ended at a maximum.
    singular : bool
        Whether a covariance is on its boundary by lme4's rule: a diagonal element of a relative factor below 1e-4
        (in a model without scale in the unit of the linear predictor).
    singular_scaled : bool
        The same with each element times its column's scale, so that units do not matter.
    gradient_norm : float
        The largest element of the gradient, in scale-free coordinates.
    evaluations : int
        Of the criterion.
    boundary_slope : float or None
        The smallest derivative of the criterion in a variance that is zero, not negative at a maximum; None where
        none is zero.
    problems : tuple of str
        What is wrong, each with its remedy; empty where nothing is.
    hessian_eigenvalues : tuple of float
        Of the deviance in the same coordinates, parameters on their bound held: positive at a maximum. Empty in a
        linear model, whose criterion is profiled.
    quadrature_shift : float or None
        What a better integral over the effects adds to the log-likelihood at the estimates: than Laplace's for a
        discrete response, than the fit's own nodes where it has several. None where that was not assessed: too costly,
        or too uncertain.
    quadrature_error : float or None
        Of a fit with several nodes a bound on the error of its log-likelihood: the sum of how far each level's integral
        moves.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("ml")
    >>> fit.status.converged, fit.status.singular, fit.status.problems
    (True, False, ())
    """

    converged: bool
    singular: bool
    singular_scaled: bool
    gradient_norm: float
    evaluations: int
    boundary_slope: float | None
    problems: tuple[str, ...]
    hessian_eigenvalues: tuple[float, ...] = ()
    quadrature_shift: float | None = None
    quadrature_error: float | None = None

    @property
    def doubts(self) -> tuple[str, ...]:
        """The problems that make the estimates doubtful: no maximum was found, or not that of the likelihood."""
        ended = not self.converged
        doubts = {text: topic_of(text).doubt for text in self.problems}
        return tuple(text for text, doubt in doubts.items() if (ended if doubt is None else doubt))

    def with_unidentified(self, found: Sequence[Unidentified]) -> PointStatus:
        """The same with what the data could not have determined."""
        return replace(self, problems=(*_unidentified(found), *self.problems)) if found else self

    @classmethod
    def of(
        cls,
        converged: bool,
        singularity: Singularity,
        gradient: np.ndarray,
        evaluations: int,
        edge: Direction | None,
        message: str,
    ) -> PointStatus:
        """Collect the state and put what is wrong into words."""
        return cls(
            converged=converged,
            singular=bool(singularity.terms),
            singular_scaled=bool(singularity.scale_free_terms),
            gradient_norm=float(np.max(np.abs(gradient), initial=0.0)),
            evaluations=evaluations,
            boundary_slope=None if edge is None else edge.slope,
            problems=tuple(_problems(converged, singularity, message)),
        )


@dataclass(frozen=True)
class DrawsStatus:
    """How a fit with draws ended: `fit.status`.

    Attributes
    ----------
    route : str
        What was sampled: everything, or hyperparameters with the effects integrated out.
    divergences : int
        Draws whose trajectory left the surface of the posterior.
    max_rhat : float
        The largest rank-normalised split R-hat of all scalars (Vehtari et al. 2021); NaN without chains.
    min_ess_bulk, min_ess_tail : float
        The smallest effective sample sizes of all scalars, of their centres and of their tails.
    min_bfmi : float
        The smallest energy statistic of the chains (Betancourt 2016).
    problems : tuple of str
        What is wrong, each with its remedy; empty where nothing is.
    mean_tree_depth, share_at_max_depth : float
        Of the sampler's trees, and the share (0 to 1) of draws at the limit; NaN for a method that builds none.
    warmup : str
        Where a second, longer warm-up was needed, that in words, else empty.
    pareto_k, ess_weights : float
        Of draws kept from weighted proposals the Pareto shape of the weights, and how many independent draws they are
        worth; else NaN.
    effect_shift : float
        Of such draws how far an effect's mean is from its mode, in conditional standard deviations: the largest average
        over a grouping factor's levels.
    distinct_draws : int or None
        How many proposals such draws have between them.
    sampled : str
        The route as a sentence.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("laplace", seed=1)
    >>> bool(fit.status.pareto_k < 0.7), fit.status.problems
    (True, ())
    """

    route: str
    divergences: int
    max_rhat: float
    min_ess_bulk: float
    min_ess_tail: float
    min_bfmi: float
    problems: tuple[str, ...]
    mean_tree_depth: float = float("nan")
    share_at_max_depth: float = float("nan")
    warmup: str = ""
    pareto_k: float = float("nan")
    ess_weights: float = float("nan")
    effect_shift: float = float("nan")
    distinct_draws: int | None = None
    sampled: str = ""

    @property
    def chained(self) -> bool:
        """Whether the draws are chains; else they were kept from weighted proposals and R-hat says nothing."""
        return bool(np.isnan(self.ess_weights))

    @property
    def doubts(self) -> tuple[str, ...]:
        """The problems that make the draws doubtful: all but those of time alone."""
        return tuple(text for text in self.problems if topic_of(text).doubt is not False)

    def with_unidentified(self, found: Sequence[Unidentified]) -> DrawsStatus:
        """The same with what the data could not have determined, of which the draws say what the prior says."""
        return replace(self, problems=(*_unidentified(found), *self.problems)) if found else self

    def __eq__(self, other: object) -> bool:
        # what is not available is NaN, and NaN is not equal to itself
        if type(other) is not type(self):
            return NotImplemented
        pairs = zip(astuple(self), astuple(other), strict=True)  # type: ignore[call-overload]  # of the same class
        return all(a == b or (a != a and b != b) for a, b in pairs)

    __hash__ = None  # type: ignore[assignment]  # equal NaNs have different hashes


def _unidentified(found: Sequence[Unidentified]) -> list[str]:
    return [
        Told("not-identified", f"Not identified: {one.why}. {one.meaning}. {one.remedy[0].upper()}{one.remedy[1:]}.")
        for one in found
    ]


def singular_terms(groups: Sequence[GroupTerm], factors: Sequence[np.ndarray]) -> Singularity:
    """The terms that are singular at these relative factors, of models without scale in units of the predictor."""
    raw, scaled, words = [], [], []
    for term, Lambda in zip(groups, factors, strict=True):
        if np.any(np.abs(np.diag(Lambda)) < SINGULAR):
            raw.append(term.text)
        unit_free = Lambda * column_spreads(term.Z)[:, None]
        if np.any(np.abs(np.diag(unit_free)) < SINGULAR):
            scaled.append(term.text)
            words.append(_at_limit(term, unit_free))
    return Singularity(tuple(raw), tuple(scaled), tuple(words))


def _at_limit(term: GroupTerm, Lambda: np.ndarray) -> str:
    """Which sds of a singular term are zero, else which correlation is 1 or -1."""
    norms = np.linalg.norm(Lambda, axis=1)
    zero = [name for name, norm in zip(term.columns, norms, strict=True) if norm < SINGULAR]
    if zero:
        return f"in {term.text} the sd of {' and of '.join(zero)} is 0"
    if len(norms) == 2:
        sign = "-1" if Lambda[0] @ Lambda[1] < 0 else "+1"
        return f"in {term.text} the correlation of {' and '.join(term.columns)} is {sign}"
    return f"in {term.text} the effects of {len(norms)} columns vary in fewer than {len(norms)} directions"


def _problems(converged: bool, singularity: Singularity, message: str) -> list[str]:
    problems: list[str] = []
    if not converged:
        stopped = (
            f"The optimiser stopped before the optimum ({message}). Raise maxiter, rescale columns with huge or tiny "
            'values, or try another optimizer, e.g. bm.ML(optimizer="L-BFGS-B").'
        )
        problems.append(Told("optimiser-stopped", stopped))
    for words in singularity.words:
        singular = (
            f"Boundary fit (lme4: singular): {words}. bm.diagnose(fit) says "
            "how far from it the data allow it to be. Simplify the term, keep it off the boundary with "
            'model.fit("map"), or use the posterior, model.fit("nuts", seed=1).'
        )
        problems.append(Told("boundary", singular))
    return problems
