"""How the study behind a data set is cited, from the sentence that its table carries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .paper import Paper

_PARTS = re.compile(r"(?P<who>[^:]+?)(?:, eds)? \((?P<year>\d{4})\)\. (?P<title>.+?[.?]) (?P<where>.+?)\.?$")
_AUTHOR = re.compile(r"[^,]+, (?:[A-Z]\.(?:[ -])?)+")


def study(facts: Mapping[Any, Any]) -> Paper | None:
    """The study that a table names in its `attrs` ("name", "citation"), as tables of `load_data` do; else None.

    >>> found = study({"name": "own", "citation": "Abel, A. B. and Bell, C. (2020). On it. J. It 3, 5-9."})
    >>> found.key, found.authors, found.year, found.title, found.journal
    ('own', ('Abel, A. B.', 'Bell, C.'), '2020', 'On it', 'J. It 3, 5-9')
    """
    name, citation = facts.get("name"), facts.get("citation")
    if not (isinstance(name, str) and isinstance(citation, str) and citation):
        return None
    found = _PARTS.match(citation) if ";" not in citation else None
    authors = tuple(text.strip() for text in _AUTHOR.findall(found["who"].replace(" and ", ", "))) if found else ()
    if found is None or not authors:  # several works, a simulation, a manual: as the table says it
        return Paper(name, (f"Data set {name}",), "", citation.rstrip("."), kind="misc")
    return Paper(name, authors, found["year"], found["title"].rstrip("."), found["where"], kind="misc")
