"""ML and REML: what each is called and can be told. How they fit is loaded when one does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import BayesMixedWarning, FitError, ModelError, warn
from .base import Engine

if TYPE_CHECKING:
    from ..fits.point import PointFit
    from ..model import Model
    from .refits.refits import Refitter
    from .search.optimizer import Optimizer


@dataclass(frozen=True)
class ML(Engine):
    """Maximum likelihood.

    Parameters
    ----------
    quadrature
        Nodes per dimension of the integral over the effects of a generalized model (a linear model's is exact whatever
        it is): 1 is Laplace's approximation; k > 1 are adaptive Gauss-Hermite nodes, for one grouping factor with up to
        three columns of effects or a nested pair; 0 takes fixed effects from the joint mode with the random effects,
        fast and a little biased (lme4's nAGQ = 0), their standard errors given the covariance parameters.
    start
        theta to start from, in the order of `fit.theta`; from moments of the data if None.
    optimizer
        A method of SciPy by name, or an `Optimizer`: "BFGS" (also if None), "L-BFGS-B", "TNC" and "SLSQP" follow the
        gradient, "Nelder-Mead" and "COBYQA" use values alone, many more of them. `bm.multi_start` compares several.
    maxiter
        Limit of iterations.

    Raises
    ------
    FitError
        Quadrature over crossed factors or more than three columns, with what is possible instead.

    References
    ----------
    Bates, Mächler, Bolker & Walker (2015), J. Stat. Softw. 67(1), eq. 34; Pinheiro & Bates (1995), J. Comput. Graph.
    Stat. 4, 12-35.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("prop(incidence, size) ~ period + (1 | herd)", bm.load_data("cbpp"), family="binomial")
    >>> [round(model.fit(bm.ML(quadrature=k)).loglik, 4) for k in (0, 1, 25)]
    [-92.0543, -92.0263, -91.9834]
    """

    quadrature: int = 1
    start: Sequence[float] | None = None
    optimizer: str | Optimizer | None = None
    maxiter: int | None = None

    name = "ml"
    label = "ML"

    def words(self, model: Model) -> str:
        return "maximum likelihood" + self.integral(model)

    def fit(self, model: Model, *, seed: int | None = None, progress: bool | None = None) -> PointFit:
        if not isinstance(self.quadrature, int | np.integer) or self.quadrature < 0:
            raise FitError(
                f"quadrature must be 0, 1 or a number of nodes, not {self.quadrature!r}.", topic="engine-option"
            )
        from .generalized.fit import fit_generalized
        from .maximum.linear import fit_linear
        from .search.optimizers import optimizer_of

        optimizer = optimizer_of(self.optimizer, self.maxiter)
        if not model.linear:
            return fit_generalized(model, self, int(self.quadrature), self.start, optimizer)
        check_identifiable(model)
        return fit_linear(model, self, self.start, optimizer)

    def refitter(self, fit: PointFit) -> Refitter:
        from .refits.chosen import quickest

        return quickest(fit)


@dataclass(frozen=True)
class REML(Engine):
    """Restricted maximum likelihood, for models with a normal response and an identity link.

    Parameters
    ----------
    start, optimizer, maxiter
        As in `ML`.

    References
    ----------
    Bates, Mächler, Bolker & Walker (2015), J. Stat. Softw. 67(1), eq. 41.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
    >>> round(model.fit(bm.REML(maxiter=200)).sigma, 2)
    49.51
    """

    start: Sequence[float] | None = None
    optimizer: str | Optimizer | None = None
    maxiter: int | None = None

    name = "reml"
    label = "REML"

    @property
    def restricted(self) -> bool:
        return True

    def words(self, model: Model) -> str:
        return "restricted maximum likelihood (REML)"

    def papers(self, model: Model) -> tuple[str, ...]:
        return *super().papers(model), "patterson1971"

    def fit(self, model: Model, *, seed: int | None = None, progress: bool | None = None) -> PointFit:
        from .maximum.linear import fit_linear
        from .search.optimizers import optimizer_of

        check_identifiable(model)
        return fit_linear(model, self, self.start, optimizer_of(self.optimizer, self.maxiter))

    def refitter(self, fit: PointFit) -> Refitter:
        from .refits.chosen import quickest

        return quickest(fit)


def tail_columns(model: Model) -> int:
    """Random effects that remain when the largest grouping factor is eliminated."""
    sizes: dict[str, tuple[int, int]] = {}
    for term in model.design.groups:
        levels, effects = sizes.get(term.factor, (term.n_levels, 0))
        sizes[term.factor] = (levels, effects + levels * len(term.columns))
    return sum(effects for _, effects in sizes.values()) - max(sizes.values(), default=(0, 0))[1]


def check_identifiable(model: Model) -> None:
    """lme4's stop: as many random effects in a term as rows leave one sigma and the term confounded."""
    if "sigma" not in model.free:
        return
    for term, structure in zip(model.design.groups, model.covariances, strict=True):
        effects = term.n_levels * term.Z.shape[1]
        if effects < model.n_obs or not structure.absorbing:
            continue
        message = (
            f"The term {term.text} has {effects} random effects ({term.n_levels} levels x {term.Z.shape[1]} columns) "
            f"for {model.n_obs} rows: they cannot be told from the residual. "
        )
        if model.arguments.check == "error":
            raise ModelError(
                message + 'Drop a column or the term, or pass check="warn" to fit it all the same.',
                topic="as-many-effects-as-rows",
            )
        message += "Its variance and sigma are not separately identified."
        warn(BayesMixedWarning(message, topic="as-many-effects-as-rows"))
