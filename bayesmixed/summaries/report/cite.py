"""What must a paper cite that reports a fit? The software, the data's study, the papers of the methods; as BibTeX."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from importlib.metadata import PackageNotFoundError, metadata
from typing import TYPE_CHECKING

import pandas as pd

from ...citations.paper import Paper
from ...citations.papers import PAPERS
from ...citations.studies import study
from ...degrees.methods import reference
from ...errors import BayesMixedError, FitError, with_known_options
from ...fits.base import is_fit
from ..variance.residual_variance import Options
from ..variance.variances import variances
from .software import own_version

if TYPE_CHECKING:
    from ...fits.base import Fit

SOFTWARE, DATA, METHOD = "software", "data", "method"


@dataclass(frozen=True, repr=False)
class Citations:
    """Works to cite; prints as BibTeX.

    Attributes
    ----------
    papers
        Each work after its role: "software", "data" or "method".
    """

    papers: tuple[tuple[str, Paper], ...]

    @property
    def bibtex(self) -> str:
        """One BibTeX entry per work."""
        return "\n\n".join(paper.bibtex for _, paper in self.papers)

    @property
    def frame(self) -> pd.DataFrame:
        """One row per work: `role` ("software", "data", "method"), `key`, `name` (as in a sentence), `text`, `doi`."""
        rows = [(role, paper.key, paper.name, paper.text, paper.doi) for role, paper in self.papers]
        return pd.DataFrame(rows, columns=["role", "key", "name", "text", "doi"])

    def of(self, role: str) -> list[Paper]:
        """The works of one role."""
        return [paper for found, paper in self.papers if found == role]

    def __str__(self) -> str:
        return self.bibtex

    __repr__ = __str__

    def _repr_html_(self) -> str:
        works = "".join(f"<li>{escape(paper.text)}</li>" for _, paper in self.papers)
        entries = f"<details><summary>BibTeX</summary><pre>{escape(self.bibtex)}</pre></details>"
        return f'<div class="bayesmixed"><ul>{works}</ul>{entries}</div>'


@with_known_options
def cite(fit: Fit | None = None, *, ddf: str | float | None = None) -> Citations:
    """What to cite beside a fit, as BibTeX.

    Parameters
    ----------
    fit
        Any fit; without one, the software alone.
    ddf
        How coefficients of point fits are judged, as in `bm.report`.

    Returns
    -------
    Citations
        Prints as BibTeX entries (``print(bm.cite(fit), file=open("fit.bib", "w"))``): this package with its version,
        the study of the data where the table came from `bm.load_data`, and the papers of the engine, of degrees of
        freedom, and of the shares of variance that `bm.report` states. ``frame`` has them as a table.

    Raises
    ------
    FitError
        For what is no fit; degrees of freedom that do not apply to it, and any for draws.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")
    >>> bm.cite(fit).frame["name"].tolist()[1:4]
    ['Davies & Goldsmith, 1972', 'Bates et al., 2015', 'Patterson & Thompson, 1971']
    """
    if fit is None:
        return Citations(((SOFTWARE, software()),))
    if not is_fit(fit):
        raise FitError(f'cite is of a fit, not of {fit!r}: write bm.cite(model.fit("reml")).', topic="needs-a-fit")
    return works(fit, ddf, shares=_has_shares(fit))


def works(fit: Fit, ddf: str | float | None, *, shares: bool) -> Citations:
    """What `cite` returns, `shares` saying whether shares of variance are stated."""
    source = study(fit.model.frame.attrs)
    found = [(SOFTWARE, software()), *([(DATA, source)] if source else [])]
    keys = [*fit.engine.papers(fit.model), *_of_tests(fit, ddf), *(["nakagawa2017"] if shares else [])]
    return Citations((*found, *((METHOD, PAPERS[key]) for key in dict.fromkeys(keys))))


def software() -> Paper:
    """The package itself, in the version that runs."""
    try:
        said = metadata(__name__.partition(".")[0])
        addresses = dict(line.split(", ", 1) for line in said.get_all("Project-URL") or [])
        summary = str(said["Summary"])
    except PackageNotFoundError:  # run from a checkout that is not installed
        addresses, summary = {}, "mixed models with lme4-style formulas in Python"
    name, version = own_version()
    return Paper(
        name,
        (f"The {name} developers",),
        "",
        f"{name}: {summary[0].lower()}{summary[1:]}",
        kind="misc",
        note=f"Version {version}",
        url=addresses.get("Repository", ""),
    )


def _of_tests(fit: Fit, ddf: str | float | None) -> tuple[str, ...]:
    if fit.sampled and ddf is None:
        return ()
    return reference(fit, ddf).papers if len(fit.coefficients) else ()


def _has_shares(fit: Fit) -> bool:
    try:
        variances(fit, Options())
    except BayesMixedError:  # links whose distribution has no variance
        return False
    return True
