"""Whether draws can be trusted: divergences, R-hat, effective sizes, energy, tree depth, each with its remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from ..fits.status import DrawsStatus
from ..interop import arviz as seam

if TYPE_CHECKING:
    from .nuts import NUTS

RHAT_LIMIT = 1.01  # Vehtari et al. (2021, Bayesian Analysis 16, 667-718)
RHAT_LIMIT_EFFECTS = 1.02  # hundreds of level effects: the largest of them exceeds 1.01 by chance
ESS_PER_CHAIN = 100  # Vehtari et al. (2021): below it R-hat itself is unreliable
BFMI_LIMIT = 0.3  # Betancourt (2016, arXiv:1604.00695)


def draws_status(route: str, posterior: xr.Dataset, stats: xr.Dataset, engine: NUTS) -> DrawsStatus:
    """The state of a fit by NUTS, with what is wrong in words.

    Parameters
    ----------
    route
        How effects were treated, e.g. "explicit".
    posterior, stats
        Draws (chain, draw, ...) and sample statistics (chain, draw).
    engine
        The options used, which the remedies speak of.
    """
    free = posterior[[name for name in posterior.data_vars if float(posterior[name].std()) > 0]]
    rhat, bulk = seam.rhat(free), seam.ess(free, "bulk")
    tail, bfmi = seam.ess(free, "tail"), seam.bfmi(stats["energy"])
    divergences = int(stats["diverging"].sum())
    problems = [
        *_divergences(divergences, stats, engine),
        *_mixing(rhat, engine),
        *_sizes(bulk, tail, stats.sizes["chain"], engine),
        *_energy(float(np.min(bfmi))),
        *_depth(stats, engine),
    ]
    return DrawsStatus(
        route=route,
        divergences=divergences,
        max_rhat=_largest(rhat),
        min_ess_bulk=_smallest(bulk),
        min_ess_tail=_smallest(tail),
        min_bfmi=float(np.min(bfmi)),
        problems=tuple(problems),
    )


def _largest(found: xr.Dataset) -> float:
    return max((float(values.max()) for values in found.data_vars.values()), default=float("nan"))


def _smallest(found: xr.Dataset) -> float:
    return min((float(values.min()) for values in found.data_vars.values()), default=float("nan"))


def _divergences(count: int, stats: xr.Dataset, engine: NUTS) -> list[str]:
    # Up to one in a thousand says nothing about the posterior's shape.
    if count <= stats["diverging"].size // 1000:
        return []
    higher = min(0.99, round(1 - (1 - engine.target_accept) / 4, 3))
    return [
        f"{count} of {stats['diverging'].size} draws diverged: part of the posterior may be missing. Use "
        f"bm.NUTS(target_accept={higher:g}); if some remain, bm.NUTS(centered={engine.centered is False}) or "
        "tighter priors on sds."
    ]


def _mixing(rhat: xr.Dataset, engine: NUTS) -> list[str]:
    limits = {name: RHAT_LIMIT_EFFECTS if _is_effect(values) else RHAT_LIMIT for name, values in rhat.items()}
    bad = [str(name) for name, values in rhat.items() if not float(values.max()) < limits[name]]
    if not bad:
        return []
    return [
        f"R-hat of {_listed(bad)} is {_largest(rhat[bad]):.3f}: the chains have not found the same distribution. "
        f"Run longer: bm.NUTS(tune={2 * _tuned(engine)}, draws={2 * engine.draws})."
    ]


def _is_effect(values: xr.DataArray) -> bool:
    return any(str(dim).endswith("__factor_dim") for dim in values.dims)


def _sizes(bulk: xr.Dataset, tail: xr.Dataset, chains: int, engine: NUTS) -> list[str]:
    low = {name for found in (bulk, tail) for name, values in found.items() if values.min() < ESS_PER_CHAIN * chains}
    if not low:
        return []
    return [
        f"The effective sample size of {_listed(sorted(map(str, low)))} is below {ESS_PER_CHAIN} per chain: means are "
        f"rough and interval ends rougher. Draw more: bm.NUTS(draws={4 * engine.draws})."
    ]


def _energy(smallest: float) -> list[str]:
    if not smallest < BFMI_LIMIT:
        return []
    return [
        f"BFMI is {smallest:.2f}, below {BFMI_LIMIT:g}: the sampler crosses energies slowly and may miss tails. "
        "Use the other parameterisation, bm.NUTS(centered=True or False), or tighter priors on sds."
    ]


def _depth(stats: xr.Dataset, engine: NUTS) -> list[str]:
    share = float((stats["tree_depth"] >= engine.max_tree_depth).mean())
    # Below 1 % the cost is negligible.
    if share <= 0.01:
        return []
    return [
        f"{100 * share:.0f} % of the draws reached the largest tree depth: slow, not wrong. Use "
        f"bm.NUTS(max_tree_depth={engine.max_tree_depth + 2}), and rescale columns of very different sizes."
    ]


def _tuned(engine: NUTS) -> int:
    return engine.tune if isinstance(engine.tune, int) else 1000


def _listed(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
