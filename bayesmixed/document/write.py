"""How is a fit one page: report, diagnosis, tables and pictures below a list of contents, with nothing to fetch?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from ..page.files import HTML, checked
from ..page.html import document
from ..summaries.report.software import versions
from .parts import Part, parts
from .style import STYLE

if TYPE_CHECKING:
    from ..fits.base import Fit


def to_html(fit: Fit, path: str | Path) -> Path:
    """Write the page that `Fit.to_html` describes and return its path."""
    target = checked(path, 'fit.to_html("fit.html")', *HTML, "")
    target.write_text(page(fit), encoding="utf-8")
    return target


def page(fit: Fit) -> str:
    """The page as one text."""
    formula, shown = fit.model.formula.line, [part for part in parts(fit) if part.body]
    anchors = list(_anchors(shown))
    body = (
        f"<header><h1><code>{escape(formula)}</code></h1><p>{escape(_heading(fit))}</p></header>"
        f"{_contents(shown, anchors)}<main>{''.join(map(_section, shown, anchors))}</main>"
        f"<footer><p>Written {_now()} with {escape(versions(fit))}.</p></footer>"
    )
    return document(f"{formula}, {fit.label}", body, STYLE)


def _heading(fit: Fit) -> str:
    counts = {term.factor: term.n_levels for term in fit.model.design.groups}
    groups = "".join(f", {n} levels of {factor}" for factor, n in counts.items())
    return f"{fit.label} fit of {fit.n_obs} rows{groups}"


def _now() -> str:
    at = datetime.now().astimezone()
    return f'<time datetime="{at.isoformat(timespec="minutes")}">{at:%Y-%m-%d %H:%M %z}</time>'


def _contents(shown: Sequence[Part], anchors: Sequence[str]) -> str:
    links = "".join(
        f'<li><a href="#{anchor}">{escape(part.heading)}</a></li>' for part, anchor in zip(shown, anchors, strict=True)
    )
    return f'<nav aria-label="Contents"><ol>{links}</ol></nav>'


def _section(part: Part, anchor: str) -> str:
    return f'<section id="{anchor}"><h2>{escape(part.heading)}</h2>{part.body}</section>'


def _anchors(shown: Sequence[Part]) -> Iterator[str]:
    """Names of the sections within the page: their headings in letters that addresses may have."""
    for i, part in enumerate(shown, 1):
        words = re.sub(r"[^a-z0-9]+", "-", part.heading.lower()).strip("-")
        yield f"{words}-{i}" if words else f"part-{i}"
