"""What a set of priors implies together: how far apart groups are, and their share of the variance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .default import rows_used
from .names import TermNames, term_names

if TYPE_CHECKING:
    from ..formula.design import GroupTerm
    from ..model import Model
    from .table import Priors

DRAWS = 4000  # quantiles at 5 and 95 % are then good to about 4 % of the spread
SEED = 20


@dataclass(frozen=True)
class Block:
    """Prior draws of one block: sds (draws, k) and the Cholesky factor of its covariance (draws, k, k)."""

    sds: np.ndarray
    factor: np.ndarray


@dataclass(frozen=True)
class Implied:
    """One implied quantity of a grouping factor: its draws (draws,), or the parameters whose flat prior leaves none.

    `quantity` is "spread", the sd of the factor's effect on a typical row (the root of the mean over rows of
    z' Sigma z), or "share", that variance as a share of the variance that fixed effects leave.
    """

    factor: str
    quantity: str
    draws: np.ndarray | None
    flat: tuple[str, ...] = ()

    def quantiles(self, p: Sequence[float]) -> list[float]:
        """The values below which shares `p` of the draws lie; NaN where there are no draws."""
        return [float("nan")] * len(p) if self.draws is None else [float(q) for q in np.quantile(self.draws, p)]


def implied(model: Model) -> list[Implied]:
    """Spread and share of variance of every grouping factor, in the order of the formula."""
    design, names = model.design, term_names(model.design.groups)
    scale = _scale(model)
    found: dict[str, np.ndarray | None] = {}
    flat: dict[str, tuple[str, ...]] = {}
    for group, named in zip(design.groups, names, strict=True):
        improper = improper_parts(model.priors, named)
        flat[group.factor] = tuple(dict.fromkeys((*flat.get(group.factor, ()), *improper)))
        variance = None if flat[group.factor] else _variance(block_draws(model, named), group, rows_used(design))
        earlier = found.get(group.factor, 0.0)
        found[group.factor] = None if variance is None or earlier is None else earlier + variance
    return [row for factor in found for row in _of_factor(factor, found, flat, scale, model)]


def block_draws(model: Model, named: TermNames) -> Block:
    """Draws of a block whose priors are proper; the same draws at every call."""
    priors, k = model.priors, len(named.sds)
    if named.covariance in priors:
        block = priors.block(named.covariance)
        parts = block.parts(k, named.correlation is not None)
        drawn = {name: _draw(part_prior, f"{named.covariance}_{name}", k) for name, part_prior in parts.items()}
    ...
