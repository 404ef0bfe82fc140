"""What must a paper say of a fitted model? The paragraph, from the fit alone."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from ...degrees.methods import reference
from ...errors import BayesMixedError, FitError, with_known_options
from ...fits.base import is_fit
from ...page import Page, Printed, Section
from ..variance.residual_variance import Options
from ..variance.slopes_share import over_rows
from ..variance.variances import Variances, variances
from . import fitting, structure
from .cite import DATA, METHOD, Citations, works
from .estimates import dispersion, fixed_effects, spreads
from .software import versions
from .words import listed

if TYPE_CHECKING:
    from ...fits.base import Fit

WIDTH = 88
_LIMITS = (0.025, 0.975)


@dataclass(frozen=True, repr=False)
class Report(Printed):
    """A report in paragraphs; printing it wraps the lines.

    Attributes
    ----------
    model, fitting
        What was analysed with which model, and how it was fitted.
    estimates, variance
        What was found, and how much of the variance it explains.
    software
        With which versions.
    references
        What to cite, by name; `bm.cite` has the BibTeX.
    """

    model: str
    fitting: str
    estimates: str
    variance: str
    software: str
    references: str

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The paragraphs in order, without those that have nothing to say."""
        every = (self.model, self.fitting, self.estimates, self.variance, self.software, self.references)
        return tuple(text for text in every if text)

    @property
    def text(self) -> str:
        """All of it, a line per paragraph."""
        return "\n".join(self.paragraphs)

    @property
    def page(self) -> Page:
        """A section per paragraph."""
        return Page(tuple(Section("", lines=(text,)) for text in self.paragraphs))

    def __str__(self) -> str:
        return "\n\n".join(
            fill(text, WIDTH, break_long_words=False, break_on_hyphens=False) for text in self.paragraphs
        )

    __repr__ = __str__


@with_known_options
def report(fit: Fit, *, ddf: str | float | None = None) -> Report:
    """The paragraph that a paper needs, as text.

    Parameters
    ----------
    fit
        Any fit.
    ddf
        How coefficients of point fits are judged, as in `bm.emmeans`: by Satterthwaite's degrees of freedom in linear
        mixed models by ML or REML.

    Returns
    -------
    Report
        Prints as paragraphs: the model (family, link, coding of predictors, random effects as "by-Subject intercepts
        and slopes for Days", rows and levels); how it was fitted, with priors and what went wrong; estimates with 95 %
        intervals, of point fits with tests; ICC and R2, with the approximations behind them; software and versions;
        what to cite, of which `bm.cite` has the BibTeX. `text` is one string, and each paragraph a field.

    Raises
    ------
    FitError
        For anything but a fit; degrees of freedom that do not apply to it, and any for draws.

    References
    ----------
    Barr, Levy, Scheepers & Tily (2013), J. Mem. Lang. 68, 255-278, on saying which random slopes there are; Meteyard &
    Davies (2020), J. Mem. Lang. 112, 104092, table 5, on what reports leave out.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> print(bm.report(fit).fitting)
    It was fitted by restricted maximum likelihood (REML).
    """
    if not is_fit(fit):
        raise FitError(f'report is of a fit, not of {fit!r}: write bm.report(model.fit("reml")).', topic="needs-a-fit")
    if ddf is not None:
        reference(fit, ddf)
    shares = _variance(fit)
    return Report(
        model=" ".join(structure.sentences(fit.model)),
        fitting=" ".join(fitting.sentences(fit)),
        estimates=" ".join(filter(None, [fixed_effects(fit, ddf), spreads(fit), dispersion(fit)])),
        variance=shares,
        software=f"Software: {versions(fit)}.",
        references=_references(works(fit, ddf, shares=bool(shares))),
    )


def _references(cited: Citations) -> str:
    """What to cite, as names; the entries are `bm.cite`'s."""
    parts = [
        f"{'; '.join(paper.name for paper in cited.of(role))} for the {words}"
        for role, words in ((DATA, "data"), (METHOD, "methods"))
        if cited.of(role)
    ]
    return f"To cite: {listed(['this software', *parts])}. As BibTeX: bm.cite(fit)."


def _variance(fit: Fit) -> str:
    try:
        found = variances(fit, Options())
    except BayesMixedError:  # links whose distribution has no variance
        return ""
    scale = fit.model.family.scale
    where = "" if scale == "identity" else f" on the {scale} scale"
    interval = ", posterior means with 95 % credible intervals" if fit.sampled else ""
    opening = f"Shares of variance{where} (Nakagawa, Johnson & Schielzeth, 2017{interval}): {_shares(fit, found)}."
    others = (
        f"By the {name} approximation instead: {_shares(fit, other)}." for name, other in found.approximated().items()
    )
    return " ".join(filter(None, [opening, _over_rows(fit, found), *found.notes, *others]))


def _shares(fit: Fit, found: Variances) -> str:
    """R2 and, with random effects, the ICC, of draws with intervals."""
    if not fit.model.design.groups:
        return f"R2 {_interval(found.marginal)}"
    explained = f"conditional R2 {_interval(found.conditional)} and marginal R2 {_interval(found.marginal)}"
    return f"adjusted ICC {_interval(found.adjusted)}, {explained}"


def _interval(shares: np.ndarray) -> str:
    if len(shares) == 1:
        return f"{shares[0]:.2f}"
    lower, upper = np.quantile(shares, _LIMITS)
    return f"{shares.mean():.2f} [{lower:.2f}, {upper:.2f}]"


def _over_rows(fit: Fit, found: Variances) -> str:
    ends = over_rows(fit, found)
    if ends is None:
        return ""
    return (
        "With random slopes these are shares of variances averaged over the rows; at single rows the adjusted ICC is "
        f"{ends[0]:.2f} to {ends[1]:.2f}."
    )
