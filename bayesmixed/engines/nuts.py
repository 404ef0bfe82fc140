"""The posterior by NumPyro's No-U-Turn sampler, started from the point fit, chains on threads.

What can be told; how it fits is in `sampler/` and `program/` and loaded when it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import FitError, nearest
from ..prediction.seeds import is_whole
from .base import Engine, of_correlations

if TYPE_CHECKING:
    from ..fits.draws import DrawsFit
    from ..model import Model

ROUTES = ("auto", "full", "partial", False)
CHAIN_METHODS = ("auto", "threads", "sequential", "vectorized")


@dataclass(frozen=True)
class NUTS(Engine):
    """Draws from the posterior under the model's priors.

    Parameters
    ----------
    draws, chains
        Kept draws per chain, and chains.
    tune
        Warm-up iterations per chain. "auto" is a short warm-up with the metric held as the curvature at the point fit
        gives it. Where R-hat or energies say that the chains were too short, they are run again several times as
        long, one in so many draws kept; where draws diverge, after a longer warm-up that adapts the metric and aims
        at a higher acceptance. `status.warmup` tells. A number is a warm-up of that length that adapts.
    target_accept
        Acceptance the step size aims at; higher means smaller steps and fewer divergences.
    max_tree_depth
        Limit of doublings per draw.
    collapsed
        "full" integrates effects and coefficients with a normal or flat prior out exactly, and draws them
        afterwards; "partial" does so for the effects of the largest grouping factor and samples the others; False
        samples everything; "auto" takes the first that is possible ("full" with at most 256 effects beside those of
        the largest factor). `status.route` says which was taken.
    centered
        Sample effects themselves (True), spherical ones that are scaled by their sds (False), or per column
        as far between the two as its rows say more than the prior ("auto").
    chain_method
        "threads" runs chains side by side, "sequential" one after another with the same draws, "vectorized" all in
        one call; "auto" is "threads" on a CPU and "vectorized" on an accelerator.
    start
        A point fit of the same model to start from; "auto" makes one by ML.
    dtype
        "float64" or "float32".

    References
    ----------
    Hoffman & Gelman (2014), J. Mach. Learn. Res. 15, 1593-1623; Betancourt (2017), arXiv:1701.02434.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
    >>> fit = model.fit(bm.NUTS(draws=100, tune=100, chains=2), seed=1)
    >>> fit.idata.posterior["sigma"].shape
    (2, 100)
    """

    draws: int = 1000
    tune: int | str = "auto"
    chains: int = 4
    target_accept: float = 0.8
    max_tree_depth: int = 10
    collapsed: str | bool = "auto"
    centered: str | bool = "auto"
    chain_method: str = "auto"
    start: Any = "auto"
    dtype: str = "float64"

    name = "nuts"
    label = "NUTS"

    def __post_init__(self) -> None:
        _check(self)

    def words(self, model: Model) -> str:
        chains = f"{self.chains} chain{'' if self.chains == 1 else 's'}"
        return f"Hamiltonian Monte Carlo (NUTS; {chains} of {self.draws} draws after warm-up)"

    def papers(self, model: Model) -> tuple[str, ...]:
        return "hoffman2014", "phan2019", "vehtari2021", *of_correlations(model)

    def fit(self, model: Model, *, seed: int | None = None, progress: bool | None = None) -> DrawsFit:
        from .sampler.fit import fit_by_sampling

        return fit_by_sampling(self, model, seed, progress)


def _check(engine: NUTS) -> None:
    for name, least in (("draws", 1), ("chains", 1), ("max_tree_depth", 1)):
        value = getattr(engine, name)
        if not is_whole(value) or value < least:
            raise FitError(f"{name} must be a whole number, at least {least}, not {value!r}.", topic="whole-number")
    if engine.tune != "auto" and not (is_whole(engine.tune) and int(engine.tune) >= 10):
        raise FitError(
            f'tune must be "auto" or a whole number, at least 10, not {engine.tune!r}.', topic="engine-option"
        )
    if not 0 < engine.target_accept < 1:
        raise FitError(
            f"target_accept must be between 0 and 1, not {engine.target_accept!r}. Try 0.9.", topic="engine-option"
        )
    options = {
        "collapsed": ROUTES,
        "centered": ("auto", True, False),
        "chain_method": CHAIN_METHODS,
        "dtype": ("float64", "float32"),
    }
    for name, allowed in options.items():
        value = getattr(engine, name)
        if value not in allowed:
            raise FitError(
                f"{name}={value!r} is not available. {nearest(str(value), map(str, allowed), 'Options')}",
                topic="unknown-option",
            )
