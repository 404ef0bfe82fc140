"""A fit as one self-contained page: report, tables and pictures, with nothing to fetch."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import BayesMixedError, FitError
from .summaries.report.write_up import report
from .summaries.variance.icc import icc
from .summaries.variance.r2 import r2

if TYPE_CHECKING:
    from .fits.base import Fit

MOST_FACTORS = 3  # grouping factors with pictures
MOST_LEVELS = 200  # of a factor whose coefficients are listed

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; border-bottom: 1px solid #ccc; }
h4 { margin: 1.2rem 0 0.3rem; } code { overflow-wrap: anywhere; }
div.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.9rem; }
th, td { padding: 0.15rem 0.7rem; text-align: right; border-bottom: 1px solid #eee; }
img { max-width: 100%; height: auto; }
@media print { body { margin: 0; max-width: none; } h2, img, table { break-inside: avoid; } }
"""


def to_html(fit: Fit, path: str | Path) -> Path:
    """Write the page that `Fit.to_html` describes and return its path."""
    target = Path(path)
    if target.is_dir() or not target.parent.is_dir():
        missing = f"{str(target)!r} is a folder" if target.is_dir() else f"There is no folder {str(target.parent)!r}"
        raise FitError(f'{missing}. Give a file in a folder that exists, e.g. fit.to_html("fit.html").', topic="path")
    target.write_text(page(fit), encoding="utf-8")
    return target


def page(fit: Fit) -> str:
    """The page as one text."""
    formula = fit.model.formula.line
    parts = [f"<h1><code>{escape(formula)}</code>, {escape(fit.label)}</h1>"]
    for heading, body in _sections(fit):
        parts.append(f'<h2>{escape(heading)}</h2><div class="wide">{body}</div>')
    head = f'<meta charset="utf-8"><title>{escape(formula)}</title><style>{_STYLE}</style>'
    view = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}{view}</head><body>{"".join(parts)}</body></html>\n'


def _sections(fit: Fit) -> Iterator[tuple[str, str]]:
    yield "Report", report(fit)._repr_html_()
    yield "Summary", fit.summary()._repr_html_()
    shares = "".join(_shares(fit))
    if shares:
        yield "Shares of variance", shares
    yield from _pictures(fit)
    for factor, table in fit.coef().items():
        cut = len(table) > MOST_LEVELS
        body = table.head(MOST_LEVELS).to_html(border=0, float_format=lambda value: f"{value:.4g}")
        note = f"<p>The first {MOST_LEVELS} of {len(table)} levels; fit.coef() has all.</p>" if cut else ""
        yield f"Coefficients per level of {factor} (fixed plus random effects)", body + note
    yield "Model", fit.model._repr_html_()


def _shares(fit: Fit) -> Iterator[str]:
    try:
        if fit.model.design.groups:
            yield icc(fit)._repr_html_()
        yield r2(fit)._repr_html_()
    except BayesMixedError as error:  # links whose distribution has no variance
        yield f"<p>{escape(str(error))}</p>"


def _pictures(fit: Fit) -> Iterator[tuple[str, str]]:
    """Shrinkage and random effects per grouping factor; a line in their place where matplotlib is missing."""
    from .plots import caterpillar, shrinkage
    from .plots.drawing.picture import png

    factors = list(dict.fromkeys(term.factor for term in fit.model.design.groups))
    for factor in factors[:MOST_FACTORS]:
        for heading, drawing in (("Shrinkage", shrinkage), ("Random effects", caterpillar)):
            if drawing is shrinkage and not fit.model.has_scale:
                continue  # there is nothing to draw an arrow from
            try:
                data = b64encode(png(drawing, fit, factor)).decode()
            except BayesMixedError as error:
                yield f"{heading} of {factor}", f"<p>{escape(str(error))}</p>"
                continue
            alternative = f"{heading} of {factor}"
            yield alternative, f'<img alt="{escape(alternative)}" src="data:image/png;base64,{data}">'
