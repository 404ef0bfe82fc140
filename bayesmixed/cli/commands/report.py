"""``bayesmixed report``: the paragraphs for a paper, or the whole page, of a saved fit."""

from __future__ import annotations

from dataclasses import asdict

import click

from ..command import Given, command_of, json_option
from ..ending import note
from ..outputs import target
from ..saved import fit_argument, fit_of


def _run(given: Given) -> None:
    page = None if given["html"] is None else target(given["html"], "--html", [".html", ".htm"])
    bib = None if given["bib"] is None else target(given["bib"], "--bib", [".bib"])
    fit = fit_of(given["fit"])
    if bib is not None:
        from ...summaries.report.cite import cite

        bib.write_text(f"{cite(fit, ddf=given['ddf'])}\n", encoding="utf-8")
        note(f"Wrote {bib}")
    if page is not None:
        note(f"Wrote {fit.to_html(page)}")
    from ...page import wrapped
    from ...summaries.report.write_up import report

    found = report(fit, ddf=given["ddf"])
    if not given["as_json"]:
        click.echo("\n\n".join("\n".join(wrapped(paragraph)) for paragraph in found.paragraphs))
        return
    from ..content import of_model
    from ..plain import print_json

    print_json(of_model(fit.model) | {"method": fit.engine.name, "report": asdict(found)})


command = command_of(
    "report",
    _run,
    [
        fit_argument(),
        click.Option(
            ["--html"],
            metavar="PAGE.html",
            type=click.Path(),
            help="Also write one page with report, tables and pictures.",
        ),
        click.Option(["--bib"], metavar="FILE.bib", type=click.Path(), help="Also write what to cite, as BibTeX."),
        click.Option(
            ["--ddf"], metavar="METHOD", help="How coefficients are tested: satterthwaite, kenward-roger, ..."
        ),
        json_option(),
    ],
    says="Print what a paper must say of a saved fit.",
    examples=["bayesmixed report fit.nc", "bayesmixed report fit.nc --html fit.html"],
)
