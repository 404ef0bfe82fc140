"""MAP: penalised maximum likelihood, by default with a penalty that keeps covariances from being singular.

What can be told; how it fits is in `maximum/` and loaded when it does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import FitError
from ..priors import Priors, resolve
from ..priors.from_numpyro import as_prior
from ..priors.narrowed import given_in
from ..priors.presets import flat
from .base import Engine
from .ml import check_identifiable

if TYPE_CHECKING:
    from ..fits.point import PointFit
    from ..likelihood.penalty.penalty import Penalty
    from ..model import Model
    from .search.optimizer import Optimizer

CRITERIA = ("ml", "reml")
BOUNDARY_AVOIDING = "boundary_avoiding"
BESIDE = "covariance"  # the key of a dict that keeps the default penalty beside its priors


@dataclass(frozen=True)
class MAP(Engine):
    """Regularised fits: the mode of likelihood times priors, never singular by accident.

    Minimises the deviance (or REML criterion) minus twice the log prior density, on the natural scale of standard
    deviations and correlations and without Jacobians, so that flat priors give ML (or REML).

    Parameters
    ----------
    criterion
        "ml", or "reml": coefficients are integrated out, against their priors where these are normal.
    priors
        - "boundary_avoiding": -3 log of every diagonal element of each relative Cholesky factor, a Wishart with k + 2.5
          degrees of freedom and infinite scale on the relative covariance of k columns (blme's default); everything
          else flat. Zero sds and perfect correlations are excluded. It needs levels enough to keep sds from infinity:
          where it lacks them `status` says so.
        - "model": the model's priors.
        - a dict of distributions by parameter name, as in ``Model(priors=)``; what it does not name has none.
          ``"covariance": "boundary_avoiding"`` keeps the default penalty beside them.
    quadrature
        As in `ML`, from 1 on.
    start, optimizer, maxiter
        As in `ML`; a start on the boundary is moved inside.

    Raises
    ------
    FitError
        An unknown option; "reml" of a model without REML, or with a coefficient's prior that is neither normal nor
        flat.
    ModelError
        A dict that names no parameter of the model, with the known names.

    References
    ----------
    Chung, Rabe-Hesketh, Dorie, Gelman & Liu (2013), Psychometrika 78, 685-709; Dorie, blme 1.0-5.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff2"))
    >>> ml, regularised = model.fit("ml"), model.fit(bm.MAP(criterion="reml"))
    >>> [float(fit.varcorr()["sd"].iloc[0].round(3)) for fit in (ml, regularised)]
    [0.0, 1.489]
    """

    criterion: str = "ml"
    priors: str | Mapping[str, Any] = BOUNDARY_AVOIDING
    quadrature: int = 1
    start: Sequence[float] | None = None
    optimizer: str | Optimizer | None = None
    maxiter: int | None = None

    name = "map"
    label = "MAP"
    regularised = True

    def __post_init__(self) -> None:
        if self.criterion not in CRITERIA:
            raise FitError(f'criterion must be "ml" or "reml", not {self.criterion!r}.', topic="engine-option")
        if not isinstance(self.quadrature, int | np.integer) or self.quadrature < 0:
            raise FitError(
                f"quadrature must be 0, 1 or a number of nodes, not {self.quadrature!r}.", topic="engine-option"
            )
        if isinstance(self.priors, Mapping):
            object.__setattr__(self, "priors", {str(key): _value(key, value) for key, value in self.priors.items()})
        elif self.priors not in (BOUNDARY_AVOIDING, "model"):
            raise FitError(
                'priors must be "boundary_avoiding", "model" or a dict of distributions by parameter name, not '
                f'{self.priors!r}. A preset goes to the model: Model(..., priors="flat").fit(bm.MAP(priors="model")).',
                topic="engine-option",
            )

    def fit(self, model: Model, *, seed: int | None = None, progress: bool | None = None) -> PointFit:
        from .maximum.penalised import fit_penalised

        if model.linear:
            check_identifiable(model)
        return fit_penalised(model, self)

    @property
    def restricted(self) -> bool:
        return self.criterion == "reml"

    def for_part(self, whole: Model, part: Model) -> MAP:
        if not isinstance(self.priors, Mapping):
            return self
        words = {key: value for key, value in self.priors.items() if isinstance(value, str)}
        return replace(self, priors=given_in(self._resolved(whole), part.design, part.family) | words)

    def words(self, model: Model) -> str:
        restricted = "restricted " if self.restricted else ""
        return f"maximum a posteriori (penalised {restricted}maximum likelihood){self.integral(model)}"

    def papers(self, model: Model) -> tuple[str, ...]:
        return *super().papers(model), *(() if self.priors == "model" else ("chung2013",))

    def priors_used(self, model: Model) -> str:
        """Which priors the fit has, in words."""
        if self.priors == "model":
            return "the model's"
        default = "boundary-avoiding on each relative covariance, -3 log of its factor's diagonal"
        if isinstance(self.priors, str):
            return default
        words = [f"{name} ~ {prior.describe()}" for name, prior in self.priors.items() if not isinstance(prior, str)]
        return "; ".join([*words, default] if BESIDE in self.priors else words) or "none"

    def prior_precision(self, model: Model, beta: np.ndarray) -> np.ndarray | None:
        every, mean = self.penalty(model).coefficients, model.design.places["mu"]
        coefficients = None if every is None else every.within(mean)
        return None if coefficients is None else coefficients.curvature(beta)

    def penalty(self, model: Model) -> Penalty:
        """What is added to the deviance or REML criterion of `model`."""
        from ..likelihood.penalty.penalty import boundary_avoiding, penalty

        if self.priors == BOUNDARY_AVOIDING:
            return boundary_avoiding(model)
        if not isinstance(self.priors, Mapping):
            return penalty(model, model.priors)
        resolved = self._resolved(model)
        found = penalty(model, resolved.without(*(n for n in resolved if resolved.sources[n] != "user")))
        return found + boundary_avoiding(model) if BESIDE in self.priors else found

    def _resolved(self, model: Model) -> Priors:
        """The priors named as numbers, those of the other parameters flat."""
        assert isinstance(self.priors, Mapping)
        given = {key: value for key, value in self.priors.items() if not isinstance(value, str)}
        return resolve(given, model.design, model.family, model.covariances, model.constants, base=flat)


def _value(key: Any, value: Any) -> Any:
    """A prior, or the word that keeps the default penalty."""
    if not isinstance(value, str):
        return as_prior(value, str(key))
    if key == BESIDE and value == BOUNDARY_AVOIDING:
        return value
    raise FitError(
        f'The prior of {key!r} cannot be {value!r}: the only word is "{BESIDE}": "{BOUNDARY_AVOIDING}".',
        topic="prior-form",
    )
