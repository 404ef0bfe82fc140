"""What is wrong with a fit, what does it mean, and what to do: singularity, convergence, separation, columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

import pandas as pd

from ...engines.machine.progress import progress_bar
from ...engines.map import MAP
from ...errors import FitError
from ...fits.base import Fit, is_fit
from ...fits.draws import DrawsFit
from ...fits.point import PointFit
from ...fits.side_by_side import SideBySide, side_by_side
from ...likelihood.identified import unidentified
from ...messages import retold
from ...page import Page, Printed, Section, column, number
from ...priors import Normal
from ..finding import NOTE, SERIOUS, WARNING, Finding, findings_table
from ..singular import singularity as singular
from ..singular.simpler import SAME, Simpler, simpler_formulas
from .identification import identification
from .overdispersion import dispersion, overdispersed
from .sampling import sampled
from .scaling import scaling
from .search_end import convergence
from .separation import Separation, prior_names, separated, separation
from .separation_within import ForetoldWithin, separation_within, within
from .work import Work

SHOWN = 6  # simpler formulas in the printed table: those of lowest AIC
PROFILES, FORMULAS = 1.0, 2.5  # times the work of the fit that profiles and simpler formulas may take
SETTING_UP = 2  # evaluations per parameter that take as long as what a fit does besides its search
LEAST = 60  # evaluations that either may take all the same
WAIT = 1.0  # seconds before progress is shown


@dataclass(frozen=True, repr=False)
class Diagnosis(Printed):
    """What `bm.diagnose` found; printing gives a page, notebooks get HTML.

    Attributes
    ----------
    fit
        What was diagnosed.
    findings
        What was found, the serious ones first.
    profile
        The sds at which the deviance has risen by 1 and by 3.84, for every direction at zero.
    simpler
        The simpler formulas that were fitted; None where none were.
    separation, within
        Which predictors foretell the response, in all rows or within every level of a group; None where none do.
    refit
        Whether models were fitted anew.
    """

    fit: Fit
    findings: tuple[Finding, ...]
    profile: pd.DataFrame
    simpler: Simpler | None
    separation: Separation | None
    refit: bool = True
    within: ForetoldWithin | None = None

    @property
    def clean(self) -> bool:
        """Whether nothing was found that asks for more than a look: no finding but notes."""
        return all(found.severity == NOTE for found in self.findings)

    @property
    def table(self) -> pd.DataFrame:
        """One row per finding: check, severity, what, words, remedy."""
        return findings_table(self.findings)

    @cached_property
    def map(self) -> PointFit:
        """The same model by MAP, fitted when first asked for: boundary-avoiding, weak priors where data separate.

        The model's own priors where these leave the criterion without a maximum.
        """
        if self.fit.engine.regularised:
            return cast(PointFit, self.fit)
        criterion = "reml" if self.fit.engine.restricted else "ml"
        found = cast(PointFit, self.fit.model.fit(MAP(criterion, self._priors())))
        if found.status.converged or criterion == "reml":
            return found
        return cast(PointFit, self.fit.model.fit(MAP(priors="model")))

    def _priors(self) -> str | dict[str, Any]:
        if self.within is not None:
            return "model"  # keeps sds from infinity too
        if self.separation is None:
            return "boundary_avoiding"
        sds = prior_names(self.fit.model, self.separation)
        weak: dict[str, Any] = {name: Normal(0, sd) for name, sd in sds.items()}
        return weak | ({"covariance": "boundary_avoiding"} if self.fit.model.design.groups else {})

    @property
    def comparison(self) -> SideBySide:
        """The fit beside its MAP fit: fixed effects, sds, correlations, log-likelihoods."""
        return side_by_side(self.fit) if self.map is self.fit else side_by_side(self.fit, self.map)

    @cached_property
    def page(self) -> Page:
        """The page that is printed."""
        return Page(tuple(_sections(self)))


def diagnose(fit: Fit, *, refit: bool = True, progress: bool | None = None) -> Diagnosis:
    """Check a fit and say in words what is wrong, what it means and what to do.

    Parameters
    ----------
    fit
        Any fit. Point fits are checked for convergence, variances at zero and correlations of +-1, draws for what
        their status says and sds that reach zero; the model behind either for complete and quasi-complete separation,
        near-collinear and badly scaled columns, and grouping factors with few levels or few rows.
    refit
        Whether a singular fit is compared with simpler formulas and with MAP, a fit of overdispersed counts with models
        that allow for that. With it a diagnosis takes up to about five times as long as the fit.
    progress
        Whether to show how far it is, once it takes longer than a second; in a terminal or notebook if None.

    Returns
    -------
    Diagnosis
        Prints as a page. `findings`, `table`, `profile`, `simpler`, `map` and `comparison` hold the same as data.

    Raises
    ------
    FitError
        For anything but a fit.

    References
    ----------
    Bates, Kliegl, Vasishth & Baayen (2015), arXiv:1506.04967 (principal components of random effects); Konis (2007)
    (separation by linear programming); Fox & Monette (1992), JASA 87, 178-183 (variance inflation of terms).

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff2")).fit("ml")
    >>> found = bm.diagnose(fit)
    >>> found.findings[0].what
    'Intercept|Batch: sd 0'
    >>> found.simpler.same
    'Yield ~ 1'
    >>> round(float(found.map.varcorr()["sd"].iloc[0]), 2)
    1.25
    """
    if not is_fit(fit):
        raise FitError(f'diagnose takes a fit, such as model.fit("ml"), not {type(fit).__name__}.', topic="needs-a-fit")
    model = fit.model
    found = separated(model)
    inside = within(model) if found is None else None
    in_levels = separation_within(fit, inside)
    inside = inside if in_levels else None
    explained = () if inside is None else inside.factors
    spread = overdispersed(fit, dispersion(fit), refit)
    bars = identification(unidentified(model), [term.text for term in model.design.groups])
    after = (*bars, *in_levels, *separation(model, found, explained), *spread, *scaling(model))
    if fit.sampled:
        findings = (*sampled(cast(DrawsFit, fit), refit), *after)
        return Diagnosis(fit, _by_severity(findings), pd.DataFrame(), None, found, refit, inside)
    return _point(cast(PointFit, fit), found, inside, after, refit, progress)


def _by_severity(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda found: (SERIOUS, WARNING, NOTE).index(found.severity)))


def _point(
    fit: PointFit,
    found: Separation | None,
    inside: ForetoldWithin | None,
    after: Sequence[Finding],
    refit: bool,
    progress: bool | None,
) -> Diagnosis:
    endless = inside is not None and not fit.status.converged  # what is at zero is so where the search gave up
    comparable = refit and found is None and fit.model.arguments.data is not None
    own = fit.status.evaluations + SETTING_UP * fit.n_parameters
    profiles, formulas = (max(LEAST, share * own) for share in (PROFILES, FORMULAS))
    simpler = None
    with progress_bar(progress, int(profiles + formulas), delay=WAIT) as bar:
        work = Work(profiles, progress=bar)
        at_zero, profile, terms = singular.NOTHING if endless else singular.singularity(fit, work)
        if comparable and terms:
            bar.say("simpler formulas")
            simpler = simpler_formulas(fit, terms, Work(formulas, progress=bar))
    findings = (*convergence(fit, explained=found is not None or inside is not None), *at_zero, *after)
    return Diagnosis(fit, _by_severity(findings), profile, simpler, found, refit, inside)


def _sections(diagnosis: Diagnosis) -> list[Section]:
    fit, findings = diagnosis.fit, diagnosis.findings
    title = f"Diagnosis of {fit.model.formula.line} ({fit.label})"
    if not findings:
        return [Section(title, lines=("  " + _nothing(fit),))]
    sections = [Section(title, _overview(findings), index=False)]
    at_zero = not fit.sampled and any(found.check == singular.CHECK for found in findings)
    advised = at_zero and diagnosis.separation is None
    comparable = diagnosis.refit and not fit.engine.regularised
    for found in findings:
        lines = [f"  {found.words}"] if found.words else []
        lines += [] if advised and found.check == singular.CHECK else [f"  What to do: {found.remedy}."]
        told = (*lines[:-1], *(retold(found, line) for line in lines[-1:]))
        sections.append(Section(f"{found.check}: {found.what}", lines=told))
    if advised:
        advice = tuple(f"  {text}" for text in singular.advice(cast(PointFit, fit), diagnosis.simpler, comparable))
        sections.append(Section("What to do about variances at zero", lines=advice))
        sections += [] if diagnosis.simpler is None else [_formulas(diagnosis.simpler)]
    endless = diagnosis.separation is not None or (diagnosis.within is not None and not fit.sampled)
    return [*sections, _beside(diagnosis)] if comparable and (at_zero or endless) else sections


def _nothing(fit: Fit) -> str:
    rest = "no separation, columns and groups are fine."
    if fit.sampled:
        return f"Nothing to report: no sampling problem was detected, no sd reaches zero, {rest}"
    gradient = cast(PointFit, fit).status.gradient_norm
    return f"Nothing to report: converged (largest gradient {gradient:.1g}), no variance at zero, {rest}"


def _overview(findings: Sequence[Finding]) -> pd.DataFrame:
    rows = [{"severity": found.severity, "check": found.check, "found": found.what} for found in findings]
    return pd.DataFrame(rows)


def _formulas(simpler: Simpler) -> Section:
    table = simpler.table
    chosen = table["formula"].isin([simpler.same, simpler.nearest]) | (table["difference"] == 0.0)
    best = table.index.isin(table["AIC"].nsmallest(SHOWN).index)
    table = table[chosen | best]
    shown = pd.DataFrame(
        {
            "formula": table["formula"],
            "parameters": [str(n) for n in table["parameters"]],
            "log-likelihood": column(table["loglik"], 3),
            "loss": ["0" if abs(v) < SAME else number(-v, 3) for v in table["difference"]],
            "AIC": column(table["AIC"], 1),
        }
    )
    return Section("Simpler formulas, fitted the same way", shown, index=False)


def _beside(diagnosis: Diagnosis) -> Section:
    (table,) = diagnosis.comparison.page.sections
    problems = tuple(f"  MAP: {problem}" for problem in diagnosis.map.status.problems)
    words = ", ".join(diagnosis.map.engine.priors_used(diagnosis.fit.model).split("; "))  # type: ignore[attr-defined]
    heading = f"{diagnosis.fit.label} beside MAP (priors: {words})"
    return replace(table, heading=heading, lines=(*table.lines, *problems))
