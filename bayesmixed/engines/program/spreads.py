"""How the sds of one bar are sampled: each from a prior of its own, or all from one prior of the block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...priors.distributions import BlockPrior, Kind
from .vectors import VectorSite, sample, sample_vector, vector_sites

if TYPE_CHECKING:
    from ...parameters.names import TermNames
    from ...priors import Priors

# Of the log of an sd of which the rows say nothing. Towards zero it goes further, but its upper end is about as sharp,
# and the metric's floor trebles it: with 1 steps were half as long, and some diverged.
UNKNOWN = 0.3


class Spread(ABC):
    """The sites that make the sds (m,) of a bar. `scale` is sigma, or 1 in a model whose effects have no scale."""

    @abstractmethod
    def sample(self, scale: Any, priors: dict[str, Any]) -> Any:
        """Inside a program: the sds (k,)."""

    @property
    @abstractmethod
    def kinds(self) -> dict[str, Kind]:
        """The kind of prior of each site."""

    @abstractmethod
    def values_at(self, sds: np.ndarray, scale: float) -> dict[str, np.ndarray]:
        """Values of the sites at which the sds are `sds` (k,)."""

    @abstractmethod
    def rough_scales(self, n_levels: int, reliability: np.ndarray) -> dict[str, np.ndarray]:
        """About how uncertain the unconstrained sites are after `n_levels` effects were seen.

        `reliability` (k,) is the share of the effects' variance that the rows explain.
        """

    @abstractmethod
    def meanings(self, columns: Sequence[str], factor: str) -> dict[str, str]:
        """What the sites mean, in words."""


@dataclass(frozen=True)
class SeparateSds(Spread):
    """Every sd has a prior of its own; those of one kind share a vector site."""

    sites: tuple[VectorSite, ...]
    n_columns: int

    @property
    def kinds(self) -> dict[str, Kind]:
        return {site.name: site.kind for site in self.sites}

    def sample(self, scale: Any, priors: dict[str, Any]) -> Any:
        return sample_vector(self.sites, self.n_columns, priors)

    def values_at(self, sds: np.ndarray, scale: float) -> dict[str, np.ndarray]:
        return {site.name: sds[list(site.members)] for site in self.sites}

    def rough_scales(self, n_levels: int, reliability: np.ndarray) -> dict[str, np.ndarray]:
        return {site.name: _log_sd_error(n_levels, reliability[list(site.members)]) for site in self.sites}

    def meanings(self, columns: Sequence[str], factor: str) -> dict[str, str]:
        return {site.name: f"sds of ({', '.join(columns[i] for i in site.members)} | {factor})" for site in self.sites}


@dataclass(frozen=True)
class JointSds(Spread):
    """The sds are computed from the parts of one prior of the block; `parts` are part, site and kind."""

    prior: type[BlockPrior]
    parts: tuple[tuple[str, str, Kind], ...]
    n_columns: int
    correlated: bool

    @property
    def kinds(self) -> dict[str, Kind]:
        return {site: kind for _, site, kind in self.parts}

    def sample(self, scale: Any, priors: dict[str, Any]) -> Any:
        return self.prior.sds({part: sample(site, kind, priors) for part, site, kind in self.parts}, scale)

    def values_at(self, sds: np.ndarray, scale: float) -> dict[str, np.ndarray]:
        values = self.prior.parts_at(sds, scale, self.correlated)
        return {site: values[part] for part, site, _ in self.parts}

    def rough_scales(self, n_levels: int, reliability: np.ndarray) -> dict[str, np.ndarray]:
        values = self.values_at(np.ones(self.n_columns), 1.0)  # for their sizes
        return {
            site: np.full(values[site].size - kind.prior.determined, np.min(_log_sd_error(n_levels, reliability)))
            for _, site, kind in self.parts
        }

    def meanings(self, columns: Sequence[str], factor: str) -> dict[str, str]:
        bar = f"({', '.join(columns)} | {factor})"
        return {site: f"{part} of the {self.prior.label} prior of the sds of {bar}" for part, site, _ in self.parts}


def spread(names: TermNames, again: str, chosen: Priors, priors: dict[str, Any]) -> Spread:
    """The spread of the bar called `names`, `again` setting further bars of one tag apart; fills `priors`."""
    if names.covariance not in chosen:
        sites = vector_sites(names.all_sds + again, names.sds, range(len(names.sds)), chosen, priors)
        return SeparateSds(sites, len(names.sds))
    block, k, correlated = chosen.block(names.covariance), len(names.sds), bool(names.shapes)
    parts = []
    for part, prior in block.parts(k, correlated).items():
        site = f"{names.covariance}_{part}"
        priors[site] = prior.values
        parts.append((part, site, prior.kind))
    return JointSds(type(block), tuple(parts), k, correlated)


def _log_sd_error(n_levels: int, reliability: np.ndarray) -> np.ndarray:
    """Standard error (k,) of the logs of sds from that many effects, at most `UNKNOWN`.

    The information about the log of an sd in values of variance sd^2 / reliability, of which the rest is noise, is
    2 reliability^2 each.
    """
    return np.asarray(1 / np.sqrt(1 / UNKNOWN**2 + 2 * n_levels * reliability**2))
