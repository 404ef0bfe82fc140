"""Which random effects a prediction includes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..design.design import GroupTerm
from ..errors import FitError, nearest


def included_terms(groups: Sequence[GroupTerm], re: str | Sequence[str]) -> list[int]:
    """Positions of the group terms that ``re`` names: "all", "none" or a list of grouping factors."""
    if isinstance(re, str):
        if re == "all":
            return list(range(len(groups)))
        if re == "none":
            return []
        re = [re]
    if re is None or not all(isinstance(name, str) for name in re):
        raise FitError(
            f're={re!r} is not an option: use "all", "none" or a list of grouping factors.', topic="unknown-option"
        )
    known = {term.factor for term in groups}
    wanted = set()
    for name in map(str, re if isinstance(re, Iterable) else [re]):
        found = next((f for f in known if same_factor(f, name)), None)
        if found is None:
            raise FitError(
                f're={name!r} is not a grouping factor; use "all", "none" or a list. {nearest(name, known)}',
                topic="no-such-group",
            )
        wanted.add(found)
    return [j for j, term in enumerate(groups) if term.factor in wanted]


def same_factor(a: str, b: str) -> bool:
    """Whether two names of a grouping factor agree up to the order of an interaction: a:b, b:a."""
    return a == b or sorted(part.strip() for part in a.split(":")) == sorted(part.strip() for part in b.split(":"))
