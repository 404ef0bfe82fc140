"""What varies between the levels of one grouping factor: the columns of all its bars and their effects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...errors import FitError, brief, nearest
from ...fits.base import is_fit
from ...parameters.names import canonical
from ...prediction.included_terms import same_factor

if TYPE_CHECKING:
    from ...design.design import GroupTerm
    from ...fits.base import Fit
    from ...parameters.values import Parameters


@dataclass(frozen=True)
class Varying:
    """One grouping factor of a fit, its bars side by side (K columns in all).

    `terms` are the positions of its bars; `codes` (n,) index `levels` (L,); `Z` (n, K); `effects`
    (chains, draws, L, K) deviations from the fixed part and `sds` (L, K) their conditional or posterior
    standard deviations; `covariance` (K, K) of the effects as estimated (posterior mean for draws).
    """

    factor: str
    terms: tuple[int, ...]
    columns: tuple[str, ...]
    levels: np.ndarray
    codes: np.ndarray
    Z: np.ndarray
    effects: np.ndarray
    sds: np.ndarray
    covariance: np.ndarray

    def chosen(self, columns: str | Iterable[str] | None) -> list[str]:
        """`columns` as a list of names, all for None; ``z:x`` also finds ``x:z``.

        Raises
        ------
        FitError
            If one of them does not vary by this factor.
        """
        names = [columns] if isinstance(columns, str) else list(self.columns if columns is None else columns)
        spelled = {canonical(name): name for name in self.columns}
        names = [name if name in self.columns else spelled.get(canonical(str(name)), name) for name in names]
        for name in names:
            if name not in self.columns:
                raise FitError(
                    f"{name!r} does not vary by {self.factor}. {nearest(name, self.columns, 'Columns')}",
                    topic="no-such-column",
                )
        return names

    def tidy(self, **values: np.ndarray) -> pd.DataFrame:
        """A row per level and column, named by group, level and column, of values (L, K)."""
        L, K = len(self.levels), len(self.columns)
        keys = {
            "group": self.factor,
            "level": np.repeat(self.levels, K),
            "column": np.tile(np.array(self.columns, dtype=object), L),
        }
        return pd.DataFrame(keys | {name: np.broadcast_to(value, (L, K)).ravel() for name, value in values.items()})


def each(fit: Fit, group: str | None) -> list[Varying]:
    """The grouping factor `group` of a fit, or every one for None."""
    return [varying(fit, name) for name in (factors(fit) if group is None else [group])]


def varying(fit: Fit, group: str | None) -> Varying:
    """The grouping factor `group` of a fit; None is the first of the formula.

    Raises
    ------
    FitError
        If the model has no random effects or not that grouping factor.
    """
    factor = _factor(fit, group)
    groups = fit.model.design.mu.groups
    terms = tuple(j for j, term in enumerate(groups) if term.factor == factor)
    parameters = fit.parameters
    return Varying(
        factor=factor,
        terms=terms,
        columns=_distinct([name for j in terms for name in groups[j].columns]),
        levels=groups[terms[0]].levels,
        codes=groups[terms[0]].codes,
        Z=np.hstack([groups[j].Z for j in terms]),
        effects=np.concatenate([parameters.b[j] for j in terms], axis=-1),
        sds=fit.ranef_sd()[factor].to_numpy(),
        covariance=_covariance(parameters, terms),
    )


def factors(fit: Fit) -> list[str]:
    """The grouping factors in the order of the formula.

    Raises
    ------
    FitError
        If there are none.
    """
    if not is_fit(fit):
        raise FitError(
            f'A fit can be drawn, not {brief(fit)}: write model.fit("reml") or model.fit("nuts", seed=1) first.',
            topic="needs-a-fit",
        )
    groups: Sequence[GroupTerm] = fit.model.design.mu.groups
    if not groups:
        raise FitError(
            "There is nothing to draw: the model has no random effects. "
            f"Add a bar to the formula, e.g. {fit.model.formula} + (1 | g).",
            topic="no-random-effects",
        )
    return list(dict.fromkeys(term.factor for term in groups))


def nested(inner: np.ndarray, outer: np.ndarray) -> bool:
    """Whether each level of `inner` occurs within one level of `outer`."""
    known = inner >= 0
    parent = np.full(inner.max(initial=-1) + 1, -1)
    parent[inner[known]] = outer[known]
    return bool(np.all(parent[inner[known]] == outer[known]))


def _factor(fit: Fit, group: str | None) -> str:
    known = factors(fit)
    if group is None:
        return known[0]
    found = next((name for name in known if same_factor(name, str(group))), None)
    if found is None:
        raise FitError(
            f"group={group!r} is not a grouping factor of this model. {nearest(group, known, 'Grouping factors')}",
            topic="no-such-group",
        )
    return found


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """A column that occurs again in a later bar of the factor gets #2, #3, ..."""
    counts: dict[str, int] = {}
    distinct = []
    for name in names:
        counts[name] = counts.get(name, 0) + 1
        distinct.append(name if counts[name] == 1 else f"{name}#{counts[name]}")
    return tuple(distinct)


def _covariance(parameters: Parameters, terms: Sequence[int]) -> np.ndarray:
    blocks = [parameters.covariance(j).mean(axis=(0, 1)) for j in terms]
    size = sum(len(block) for block in blocks)
    covariance, at = np.zeros((size, size)), 0
    for block in blocks:
        covariance[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    return covariance
