"""Where does code in a sentence lead? `bm.anova(fit)`, `fit.predict` and `model.replace` lead to their reference."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes

CALLED = re.compile(r"^(?P<owner>bm|fit|post|model)\.(?P<name>\w+(?:\.\w+)*)(?:\(.*\))?$", re.DOTALL)
OWNERS = {
    "bm": ("bayesmixed",),
    "fit": ("bayesmixed.fits.point.PointFit", "bayesmixed.fits.draws.DrawsFit"),
    "post": ("bayesmixed.fits.draws.DrawsFit",),
    "model": ("bayesmixed.Model",),
}


def link(app: Any, doctree: nodes.document, docname: str) -> None:
    """Make links of the literals of a page that name something public, but for those in links and headings."""
    known = app.env.get_domain("py").objects
    for literal in list(doctree.findall(nodes.literal)):
        if any(isinstance(parent, nodes.reference | nodes.title | nodes.rubric) for parent in _parents(literal)):
            continue
        found = next((known[name] for name in _names(literal.astext()) if name in known), None)
        if found is None or found.docname == docname:
            continue
        address = app.builder.get_relative_uri(docname, found.docname) + f"#{found.node_id}"
        reference = nodes.reference("", "", refuri=address, internal=True)
        literal.replace_self(reference)
        reference += literal


def _names(text: str) -> Iterator[str]:
    """Full names that a literal may stand for."""
    match = CALLED.match(text.strip())
    if match:
        yield from (f"{owner}.{match['name']}" for owner in OWNERS[match["owner"]])


def _parents(node: nodes.Node) -> Iterator[nodes.Node]:
    while node.parent is not None:
        node = node.parent
        yield node
