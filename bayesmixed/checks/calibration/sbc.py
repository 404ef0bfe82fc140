"""Whether an engine's posteriors are right: are true values, drawn from the prior, ranked uniformly among draws?"""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from ...engines import NUTS, engine
from ...engines.base import Engine
from ...engines.machine.progress import progress_bar
from ...engines.machine.replicates import over_replicates
from ...engines.program.prior_predictive import keys_from, prior_sampler
from ...errors import BayesMixedWarning, FitError, ModelError
from ...prediction.seeds import is_whole, whole_seed
from .replicate import replicate
from .verdict import Calibration, calibration

if TYPE_CHECKING:
    from ...model import Model

# What a name stands for here: ranks need about a hundred independent draws, not thousands.
SHORT: dict[str, Engine] = {"nuts": NUTS(chains=1, tune=300, draws=300, target_accept=0.9)}


def sbc(
    model: Model,
    n: int = 200,
    *,
    seed: int | None = None,
    method: str | Engine = "nuts",
    ranks: int = 99,
    workers: int | None = None,
    progress: bool | None = None,
) -> Calibration:
    """Simulation-based calibration of an engine on a model.

    Each replicate draws parameters from the model's priors, simulates a response on the model's own rows, fits it
    under the same priors (numbers, not scaled anew to the simulated response) and ranks each true value among draws.
    If program and engine are right, every rank is uniform, whatever the priors.

    Parameters
    ----------
    model
        Any model whose priors are proper.
    n
        Replicates. 200 find an sd that is wrong by a third or so; small faults take thousands.
    seed
        Replicate i draws from child i of this seed, whatever `n` and `workers`.
    method
        An engine that gives draws, by name or as a value. "nuts" is here a short run of one chain.
    ranks
        Draws kept per replicate at most; fewer where the chain's effective sample size is smaller.
    workers
        Replicates side by side, one per processor core if None. The result does not depend on it.
    progress
        None shows a bar in a terminal or notebook, True always, False never.

    Returns
    -------
    Calibration
        `ranks`, `coverage()`, `uniformity()`, `failures`; ``print`` gives them in words, ``bm.plot.calibration``
        draws them.

    Raises
    ------
    ModelError
        Where a prior is improper, naming the parameters.
    FitError
        For an engine without draws, or where no replicate could be fitted.

    References
    ----------
    Talts, Betancourt, Simpson, Vehtari & Gelman (2018), arXiv:1804.06788; Modrák et al. (2023), Bayesian Analysis,
    doi:10.1214/23-BA1404 (why the log-likelihood is ranked too).

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
    >>> result = bm.sbc(model, n=20, seed=1)
    >>> sorted(result.ranks["quantity"].unique())
    ['1|Batch[A]', '1|Batch_sigma', 'Intercept', 'log-likelihood', 'sigma']
    """
    _check(model, n, ranks)
    chosen = SHORT.get(str(method).lower()) or engine(method)
    seed = whole_seed(seed)
    sample = prior_sampler(model)
    begin = time.perf_counter()
    with progress_bar(progress, n) as bar, warnings.catch_warnings():
        # Warnings of n fits say nothing that ranks do not; failures are counted.
        warnings.simplefilter("ignore", BayesMixedWarning)
        bar.say("compiling")
        sample(keys_from(np.random.default_rng(seed), 1))
        outcomes = over_replicates(
            lambda i, child: replicate(model, chosen, sample, child, ranks),
            n,
            seed,
            workers=workers,
            on_done=bar.add,
        )
    return calibration(model, chosen, seed, outcomes, time.perf_counter() - begin)


def _check(model: Any, n: Any, ranks: Any) -> None:
    if not hasattr(model, "with_response"):
        inner = ": give its model, bm.sbc(fit.model)" if hasattr(model, "model") else ""
        raise ModelError(f"sbc calibrates a bm.Model, not {type(model).__name__}{inner}.", topic="needs-a-model")
    for name, value in (("n", n), ("ranks", ranks)):
        if not is_whole(value) or value < 1:
            raise FitError(f"{name} must be a whole number, at least 1, not {value!r}.", topic="whole-number")
