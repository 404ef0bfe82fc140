"""eta = X beta + offset + Z b for draws of the parameters, rows of a design, and a choice of random effects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ..design.design import Design, GroupTerm
from ..errors import FitError, nearest
from ..parameters.values import Parameters


def linear_predictor(design: Design, parameters: Parameters, terms: Sequence[int]) -> np.ndarray:
    """eta (draws, n); `terms` are the positions of the group terms that are included.

    A code of -1 (a level without an effect) contributes nothing.
    """
    flat = parameters.flat()
    mu = design.mu
    eta = flat.beta[0] @ mu.X.T + mu.offset
    for j in terms:
        eta += group_contribution(design.groups[j], flat.b[j][0])
    return eta


def group_contribution(term: GroupTerm, b: np.ndarray) -> np.ndarray:
    """Z b (draws, n) of one term for b (draws, L, k)."""
    rows = np.einsum("dnk,nk->dn", b[:, np.maximum(term.codes, 0)], term.Z)
    return np.where(term.codes >= 0, rows, 0.0)


def included_terms(groups: Sequence[GroupTerm], re: str | Sequence[str]) -> list[int]:
    """Positions of the group terms that ``re`` names: "all", "none" or a list of grouping factors."""
    if isinstance(re, str):
        if re == "all":
            return list(range(len(groups)))
        if re == "none":
            return []
        re = [re]
    if re is None or not all(isinstance(name, str) for name in re):
        raise FitError(f're={re!r} is not an option: use "all", "none" or a list of grouping factors.')
    known = {term.factor for term in groups}
    wanted = set()
    for name in map(str, re if isinstance(re, Iterable) else [re]):
        found = next((f for f in known if same_factor(f, name)), None)
        if found is None:
            raise FitError(f're={name!r} is not a grouping factor; use "all", "none" or a list. {nearest(name, known)}')
        wanted.add(found)
    return [j for j, term in enumerate(groups) if term.factor in wanted]


def same_factor(a: str, b: str) -> bool:
    """Whether two names of a grouping factor agree up to the order of an interaction: a:b, b:a."""
    return a == b or sorted(part.strip() for part in a.split(":")) == sorted(part.strip() for part in b.split(":"))
