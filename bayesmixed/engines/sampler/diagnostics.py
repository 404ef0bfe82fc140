"""Whether draws can be trusted: divergences, R-hat, effective sizes, energy, tree depth, each with its remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from ...fits.convergence import FEWEST_DRAWS, Convergence, bfmi, convergence, rhat_text
from ...fits.status import DrawsStatus
from ...messages import Told
from ..remedies import TUNED, call, higher_acceptance

if TYPE_CHECKING:
    from ..nuts import NUTS

RHAT_LIMIT = 1.01  # Vehtari et al. (2021, Bayesian Analysis 16, 667-718)
RHAT_LIMIT_EFFECTS = 1.02  # hundreds of level effects: the largest of them exceeds 1.01 by chance
ESS_PER_CHAIN = 100  # Vehtari et al. (2021): below it R-hat itself is unreliable
BFMI_LIMIT = 0.3  # Betancourt (2016, arXiv:1604.00695)
RHAT_JUDGES, RHAT_COARSE = 2000, 1.1  # fewer draws than the first scatter R-hat by more than its limit allows
DEPTH_SHARE = 0.01  # of draws at the largest tree depth: below it the cost is negligible


@dataclass(frozen=True)
class Judged(Convergence):
    """Of one variable, flat; `elements` (m,) are the positions of its scalars among those that differ from another."""

    elements: np.ndarray


Found = dict[str, Judged]


def draws_status(route: str, posterior: xr.Dataset, stats: xr.Dataset, engine: NUTS, sampled: str = "") -> DrawsStatus:
    """The state of a fit by NUTS, with what is wrong in words.

    Parameters
    ----------
    route
        How effects were treated, e.g. "explicit".
    posterior, stats
        Draws (chain, draw, ...) and sample statistics (chain, draw).
    engine
        The options used, which the remedies speak of.
    sampled
        The route as a sentence.
    """
    found = every_convergence(posterior)
    energy = bfmi(stats["energy"].to_numpy())
    divergences = int(stats["diverging"].sum())
    depth = stats["tree_depth"].to_numpy()
    limits = {str(n): RHAT_LIMIT_EFFECTS if is_effect(v) else RHAT_LIMIT for n, v in posterior.data_vars.items()}
    problems = [
        *_judged(found, stats.sizes["draw"]),
        *_divergences(divergences, stats, route, engine),
        *_mixing(found, limits, posterior, engine),
        *_sizes(found, stats.sizes["chain"], posterior, engine),
        *_energy(float(np.min(energy)), route, engine),
        *_depth(float(np.mean(depth >= engine.max_tree_depth)), engine),
    ]
    return DrawsStatus(
        route=route,
        divergences=divergences,
        max_rhat=_largest(found),
        min_ess_bulk=_smallest([each.ess_bulk for each in found.values()]),
        min_ess_tail=_smallest([each.ess_tail for each in found.values()]),
        min_bfmi=float(np.min(energy)),
        problems=tuple(problems),
        mean_tree_depth=float(np.mean(depth)),
        share_at_max_depth=float(np.mean(depth >= engine.max_tree_depth)),
        sampled=sampled,
    )


def doubts(status: DrawsStatus, engine: NUTS) -> str:
    """What about the draws a longer warm-up may mend, in words; empty where nothing is wrong."""
    total = engine.chains * engine.draws
    found = []
    if status.divergences > total // 1000:
        found.append(f"{status.divergences} of {total} draws diverged")
    if status.min_bfmi < BFMI_LIMIT:
        found.append(f"BFMI was {status.min_bfmi:.2f}")
    if status.max_rhat > (RHAT_LIMIT if total >= RHAT_JUDGES else RHAT_COARSE):
        found.append(f"R-hat was {rhat_text(status.max_rhat)}")
    return " and ".join(found)


def every_convergence(posterior: xr.Dataset) -> Found:
    """R-hat and sizes by variable, flat; constants, and the mirrored half of correlation matrices, left out."""
    arrays = {str(name): _different(values) for name, values in posterior.data_vars.items()}
    effects = {str(name) for name, values in posterior.data_vars.items() if is_effect(values)}
    together = [name for name in arrays if name not in effects]  # a call for each of many scalars would cost more
    each = {name: convergence(arrays[name]) for name in effects}
    if together:
        joined = convergence(np.concatenate([arrays[name] for name in together], axis=2))
        ends = np.cumsum([arrays[name].shape[2] for name in together])
        for name, end in zip(together, ends, strict=True):
            each[name] = _part(joined, slice(end - arrays[name].shape[2], end))
    found = {name: _varying(each[name]) for name in arrays}
    return {name: judged for name, judged in found.items() if judged.rhat.size}


def is_effect(values: xr.DataArray) -> bool:
    """Whether a variable holds the effects of levels."""
    return any(str(dim).endswith("__factor_dim") for dim in values.dims)


def _different(values: xr.DataArray) -> np.ndarray:
    """Draws (chains, draws, m) of a variable, a correlation matrix by what is below its diagonal."""
    array = values.to_numpy()
    if str(values.dims[-1]).endswith("_effect_bis"):
        return array[..., *np.tril_indices(array.shape[-1], -1)]
    return array.reshape(*array.shape[:2], -1)


def _varying(each: Convergence) -> Judged:
    """Without constants, which have no R-hat, yet a size: draws that are not finite have neither and must be seen."""
    kept = np.flatnonzero(~np.isnan(each.rhat) | np.isnan(each.ess_bulk))
    return Judged(each.rhat[kept], each.ess_bulk[kept], each.ess_tail[kept], kept)


def _element(name: str, values: xr.DataArray, place: int) -> str:
    """What one scalar of a variable is called: ``1|Subject[308]``, ``Subject_corr[Intercept, Days]``."""
    shape, dims = values.shape[2:], [str(dim) for dim in values.dims[2:]]
    if not shape:
        return name
    at = np.unravel_index(place, shape)
    if dims[-1].endswith("_effect_bis"):
        row, column = np.tril_indices(shape[-1], -1)
        at = (column[place], row[place])
    labels = [values.coords[dim].to_numpy()[i] if dim in values.coords else i for dim, i in zip(dims, at, strict=True)]
    return f"{name}[{', '.join(map(str, labels))}]"


def _part(each: Convergence, which: slice) -> Convergence:
    return Convergence(each.rhat[which], each.ess_bulk[which], each.ess_tail[which])


def _largest(found: Found) -> float:
    return float(np.max(np.concatenate([each.rhat for each in found.values()]))) if found else float("nan")


def _smallest(sizes: list[np.ndarray]) -> float:
    return float(np.min(np.concatenate(sizes))) if sizes else float("nan")


def _judged(found: Found, draws: int) -> list[str]:
    if draws < FEWEST_DRAWS:
        few = f"{draws} draws per chain cannot be judged: R-hat needs at least {FEWEST_DRAWS}. Draw more, e.g. 1000."
        return [Told("too-few-draws", few)]
    broken = [name for name, each in found.items() if np.isnan(each.ess_bulk).any()]
    if not broken:
        return []
    return [
        Told(
            "draws-not-finite",
            f"Draws of {_listed(broken)} are not finite: nothing that uses them can be trusted. Rescale columns of "
            "huge or tiny values, or give tighter priors.",
        )
    ]


def _divergences(count: int, stats: xr.Dataset, route: str, engine: NUTS) -> list[str]:
    # Up to one in a thousand says nothing about the posterior's shape.
    if count <= stats["diverging"].size // 1000:
        return []
    higher, easier = higher_acceptance(engine.target_accept, type(engine).target_accept), _easier(route, engine)
    smaller = "" if higher is None else f"{call(engine, target_accept=higher)}; if some remain, "
    return [
        Told(
            "divergences",
            f"{count} of {stats['diverging'].size} draws diverged: part of the posterior may be missing. Use "
            f"{smaller}{easier}.",
        )
    ]


def _mixing(found: Found, limits: dict[str, float], posterior: xr.Dataset, engine: NUTS) -> list[str]:
    over = {name: np.where(each.rhat >= limits[name], each.rhat, np.nan) for name, each in found.items()}
    bad = _worst_first(found, {name: -rhat for name, rhat in over.items()}, posterior)
    if not bad:
        return []
    named = _listed([f"{element} is {rhat_text(-value)}" for element, value in bad])
    return [
        Told(
            "r-hat",
            f"R-hat of {named}: the chains have not found the same distribution. Run longer: "
            f"{call(engine, tune=2 * _tuned(engine), draws=2 * engine.draws)}.",
        )
    ]


def _sizes(found: Found, chains: int, posterior: xr.Dataset, engine: NUTS) -> list[str]:
    least, sizes = ESS_PER_CHAIN * chains, {}
    for name, each in found.items():
        smaller = np.minimum(each.ess_bulk, each.ess_tail)
        sizes[name] = np.where(smaller < least, smaller, np.nan)
    low = _worst_first(found, sizes, posterior)
    if not low:
        return []
    named = _listed([f"{element} is {size:.0f}" for element, size in low])
    return [
        Told(
            "effective-sizes",
            f"The effective sample size of {named}, below {ESS_PER_CHAIN} per chain: means are rough and interval ends "
            f"rougher. Draw more: {call(engine, draws=4 * engine.draws)}.",
        )
    ]


def _worst_first(found: Found, values: dict[str, np.ndarray], posterior: xr.Dataset) -> list[tuple[str, float]]:
    """Of each variable the element with the smallest value, and that value; variables without one (NaN) left out."""
    worst = []
    for name, each in found.items():
        if not np.isnan(values[name]).all():
            place = int(np.nanargmin(values[name]))
            value = float(values[name][place])
            worst.append((_element(name, posterior[name], int(each.elements[place])), value))
    return sorted(worst, key=lambda pair: pair[1])


def _energy(smallest: float, route: str, engine: NUTS) -> list[str]:
    if not smallest < BFMI_LIMIT:
        return []
    return [
        Told(
            "energy",
            f"BFMI is {smallest:.2f}, below {BFMI_LIMIT:g}: the sampler crosses energies slowly and may miss tails. "
            f"Use a longer warm-up, {call(engine, tune=2 * _tuned(engine))}, or {_easier(route, engine)}.",
        )
    ]


def _easier(route: str, engine: NUTS) -> str:
    """What makes the posterior easier to cross; effects that are integrated out have no parameterisation."""
    if "full" in route:
        return "tighter priors on sds"
    return f"the other parameterisation, {call(engine, centered=engine.centered is False)}, or tighter priors on sds"


def _depth(share: float, engine: NUTS) -> list[str]:
    if share <= DEPTH_SHARE:
        return []
    return [
        Told(
            "tree-depth",
            f"{100 * share:.0f} % of the draws reached the largest tree depth: slow, not wrong. Use "
            f"{call(engine, max_tree_depth=engine.max_tree_depth + 2)}, and rescale columns of very different sizes.",
        )
    ]


def _tuned(engine: NUTS) -> int:
    return engine.tune if isinstance(engine.tune, int) else TUNED


def _listed(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
