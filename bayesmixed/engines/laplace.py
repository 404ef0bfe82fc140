"""An approximate posterior in a second: Laplace's, its hyperparameters corrected by importance weights.

What can be told; how it fits is in `importance/` and loaded when it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import FitError
from ..prediction.seeds import is_whole
from .base import Engine, of_correlations

if TYPE_CHECKING:
    from ..fits.draws import DrawsFit
    from ..model import Model


@dataclass(frozen=True)
class Laplace(Engine):
    """Draws from an approximation of the posterior under the model's priors, with a diagnosis of how good it is.

    Effects are integrated out of the posterior of the hyperparameters (standard deviations, correlations, dispersion,
    and coefficients where they are not integrated out as well): exactly in linear models, by quadrature with one
    grouping factor, else by Laplace's approximation. Proposals come in rounds: from a t distribution about the mode of
    that *marginal* posterior, then from t distributions fitted to the weighted proposals so far, in coordinates in
    which coefficients are normal scores given the standard deviations. They end when no weight asks for more than two
    draws.
    `draws` of them are drawn with replacement, so that skewed and heavy-tailed posteriors of standard deviations come
    out right. Effects are then drawn given the hyperparameters: exactly in linear models, else from the normal
    distribution about their mode.

    Parameters
    ----------
    draws
        Draws kept, one chain.
    pool
        Proposals per draw at most; about two are enough where the weights are even.
    maxiter
        Limit of iterations of the search for the mode. One that ends there without it is an error.

    Raises
    ------
    FitError
        Options that are no positive whole numbers; a posterior whose mode cannot be found.
    ModelError
        A flat prior of a standard deviation that leaves the posterior improper.

    Notes
    -----
    `status.pareto_k` is the Pareto shape of the weights (below 0.7 the hyperparameters can be trusted),
    `status.ess_weights` how many independent draws they are worth, `status.distinct_draws` how many proposals the draws
    have, `status.effect_shift` how far the mean of an effect
    is from its mode, in conditional standard deviations. ``idata.sample_stats["log_weight_proposal"]`` has the log
    weight that each draw's proposal had; the draws themselves are equally weighted.

    References
    ----------
    Tierney & Kadane (1986), J. Am. Stat. Assoc. 81, 82-86; Rue, Martino & Chopin (2009), J. R. Stat. Soc. B 71,
    319-392; Vehtari, Simpson, Gelman, Yao & Gabry (2024), J. Mach. Learn. Res. 25(72).

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
    >>> fit = model.fit(bm.Laplace(draws=400), seed=1)
    >>> bool(fit.status.pareto_k < 0.7), fit.idata.posterior.sizes["draw"]
    (True, 400)
    """

    draws: int = 1000
    pool: int = 4
    maxiter: int | None = None

    name = "laplace"
    label = "Laplace"
    heading = "Laplace approximation of the posterior"

    def __post_init__(self) -> None:
        for name in ("draws", "pool", *(["maxiter"] if self.maxiter is not None else [])):
            value = getattr(self, name)
            if not is_whole(value) or value < 1:
                raise FitError(f"{name} must be a whole number, at least 1, not {value!r}.", topic="whole-number")

    def words(self, model: Model) -> str:
        return f"a Laplace approximation of the posterior with importance weights ({self.draws} draws)"

    def papers(self, model: Model) -> tuple[str, ...]:
        return "tierney1986", "vehtari2024", *of_correlations(model)

    def fit(self, model: Model, *, seed: int | None = None, progress: bool | None = None) -> DrawsFit:
        from .importance.fit import fit_by_importance

        return fit_by_importance(self, model, seed, progress)
