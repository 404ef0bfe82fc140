"""What does a fit lose without each of its terms, or without each of its random effects?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from ..degrees.methods import reference
from ..errors import BayesMixedError, FitError, nearest, with_known_options
from ..fits.point import PointFit
from ..formula.formula import Formula
from ..messages import Told, retold
from ..page import Page, Printed, Section, column, probability
from .lrt.comparable import refuse_other_than_likelihoods
from .lrt.compare import p_values, shown_p
from .lrt.nested import nesting
from .lrt.ratio import RatioTest, laws_in_words, ratio_test
from .lrt.reductions import Reduction, without_effects, without_terms
from .lrt.refits import by_ml, engine_without_start, fitted_quietly, on_the_same_rows
from .terms.anova import deletions_of, not_dropped

COLUMNS = ["statistic", "df", "p"]
TESTS = ("F", "chisq")


@dataclass(frozen=True, eq=False, repr=False)
class DroppedTerms(Printed):
    """What `drop1` returns. Printing gives a page; notebooks get HTML.

    Attributes
    ----------
    frame
        One row per term or effect that was left out: statistic (chi-squared, or F), df, p.
    tests
        Of likelihood ratios the p-values side by side, as of `anova`, with aic and loglik without the term; of F tests
        num_df and den_df.
    full
        The fit with all terms that the ratios are against; None for F tests.
    notes
        What was refitted, which laws p-values are of, what is doubtful.
    """

    frame: pd.DataFrame
    tests: pd.DataFrame
    title: str
    notes: tuple[str, ...] = ()
    full: PointFit | None = field(default=None, compare=False)

    @property
    def page(self) -> Page:
        """The page that is printed."""
        shown = pd.DataFrame(index=self.frame.index)
        if self.full is not None:
            shown["AIC"] = column(self.tests["aic"], 2)
        F = self.full is None and not bool(np.isinf(self.tests["den_df"]).any())
        df = ["" if pd.isna(df) or not df else f"{df:g}" for df in self.frame["df"]]
        if F:
            den_df = self.tests["den_df"]
            shown["num_df"], shown["den_df"] = df, column(den_df, 0 if np.all(den_df.dropna() % 1 == 0) else 1)
        shown["F" if F else "chisq"] = column(self.frame["statistic"], 3)
        if not F:
            shown["df"] = df
        if self.full is None:
            shown["p"] = [probability(p) for p in self.frame["p"]]
        else:
            for name, heading in shown_p(self.tests).items():
                shown[heading] = [probability(p) for p in self.tests[name]]
        return Page((Section(self.title, shown, self.notes),))


@with_known_options(
    scope="Every term that no other contains is tested; bm.anova(small, large) tests what you choose.",
    type="Each term is adjusted for all others; bm.anova(fit, type=2) has types.",
)
def drop1(
    fit: Any, *, random: bool = False, test: str | None = None, ddf: Any = None, seed: int | None = 1
) -> DroppedTerms:
    """Test each term by leaving it out, the others in.

    Parameters
    ----------
    fit
        A fit by ML or REML.
    random
        False for fixed terms that no other contains; True for random effects: each effect of each bar, and the
        correlations of each bar, by the likelihood ratio of the criterion of the fit, REML or ML.
    test
        "chisq": the model is fitted by ML without the term, and the likelihood ratio tested. "F": a Wald test of its
        coefficients, of linear models. By default F where degrees of freedom are known, else chi-squared.
    ddf
        Of F tests: a method for their degrees of freedom, or a number.
    seed
        Of the simulated values of the exact law of one variance.

    Returns
    -------
    DroppedTerms
        Prints as a table; `frame` has statistic, df, p by term. Effects are named as `side_by_side` names them:
        "sd(Days | Subject)" is without that effect and its correlations, "cor(Intercept, Days | Subject)" without these
        alone.

    Raises
    ------
    FitError
        For draws and penalised fits; for a model without such terms.

    Notes
    -----
    Every model is fitted to the rows of `fit`, also where a column with missing values is left out. Under the smaller
    model an sd is at its bound, zero: p is of the mixture that `anova` says.

    References
    ----------
    Kuznetsova, Brockhoff & Christensen (2017), J. Stat. Softw. 82(13), whose ``ranova`` has the naive p.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> bm.drop1(fit, random=True).frame[["statistic", "df"]].round(4).loc["sd(Days | Subject)"].tolist()
    [42.8368, 2.0]
    """
    refuse_other_than_likelihoods([fit], "drop1", several=False)
    if not isinstance(random, bool | np.bool_):
        raise FitError(
            f"random={random!r}: it is True, for all random effects, or False, for fixed terms.", topic="unknown-option"
        )
    if test is not None and test not in TESTS:
        likely = "Did you mean 'chisq'?" if str(test).upper() in ("LRT", "LR") else nearest(str(test), TESTS)
        raise FitError(f"test={test!r} is no test of drop1. {likely}", topic="unknown-option")
    if ddf is not None and (random or test == "chisq"):
        chosen = "random=True" if random else 'test="chisq"'
        raise FitError(
            f"ddf= is of F tests, and {chosen} asks for likelihood ratios: leave one of the two out.",
            topic="options-together",
        )
    if random:
        if test == "F":
            raise FitError(
                'Random effects are tested by likelihood ratios: leave out test="F".', topic="options-together"
            )
        return _ratios(
            fit,
            without_effects(_formula(fit), fit.model.design.mu.groups, fit.model.covariances),
            "random effects",
            seed,
        )
    if test == "F" or ddf is not None or (test is None and _degrees_known(fit)):
        return _without_refits(fit, test, ddf)
    found = _ratios(by_ml(fit), without_terms(_formula(fit)), "fixed terms", seed, refitted=fit.engine.restricted)
    return replace(found, notes=(*not_dropped(fit, found.frame), *found.notes))


def _degrees_known(fit: PointFit) -> bool:
    first = np.eye(len(fit.model.design.coefficients))[:1]
    return bool(np.all(np.isfinite(reference(fit).df(first))))


def _without_refits(fit: PointFit, test: str | None, ddf: Any) -> DroppedTerms:
    """Each term's test in the fit as it is."""
    found = deletions_of(fit, ddf)
    details = found.frame[["num_df", "den_df"]]
    if test == "F" and np.isinf(details["den_df"]).all():
        raise FitError(
            'test="F" needs degrees of freedom, which this fit has none of: use test="chisq".',
            topic="degrees-of-freedom",
        )
    frame = found.frame.rename(columns={"num_df": "df"}).astype({"df": float})
    return DroppedTerms(frame[COLUMNS], details, found.title, found.notes)


def _formula(fit: PointFit) -> Formula:
    return fit.model.design.encoding.formula


def _ratios(
    full: PointFit, reductions: Sequence[Reduction], what: str, seed: int | None, refitted: bool = False
) -> DroppedTerms:
    """Likelihood-ratio tests of the smaller formulas against a fit, and against a better one where one is found."""
    if not reductions:
        raise FitError(
            f"{_formula(full)} has no {what} to leave out. bm.anova(small, large) compares any two fits.",
            topic="nothing-to-test",
        )
    refitting = [
        Told(
            "refitted", "Fitted by REML; refitted by ML, because REML criteria of different fixed parts do not compare."
        )
    ]
    small, said = _smaller(full, reductions)
    tests: list[RatioTest] = []
    while len(tests) < len(small):
        name, fit = list(small.items())[len(tests)]
        found = ratio_test(fit, full, (f"the model without {name}", "the full model"), 0.0, seed)
        improved = found.large is not full
        full, tests = found.large, [] if improved else [*tests, found]
        if improved:
            said.append(found.notes[0])
    notes = [*(refitting if refitted else []), *said, *(note for found in tests for note in found.notes)]
    notes += laws_in_words(dict(zip(small, tests, strict=True)))
    doubts = [retold(doubt, f"Without {name}: {doubt}") for name, fit in small.items() for doubt in fit.status.doubts]
    notes += [*(retold(doubt, f"The full model: {doubt}") for doubt in full.status.doubts), *doubts]
    criterion = "REML" if full.engine.restricted else "ML"
    title = f"Without one of the {what}, likelihood-ratio tests by {criterion} (AIC with all {full.aic:.2f}):"
    frame = pd.DataFrame(
        [{"statistic": found.ratio, "df": float(found.df), "p": found.p} for found in tests], index=list(small)
    )
    details = p_values(tests, list(small))
    details["aic"], details["loglik"] = [fit.aic for fit in small.values()], [fit.loglik for fit in small.values()]
    return DroppedTerms(frame[COLUMNS], details, title, tuple(dict.fromkeys(notes)), full)


def _smaller(full: PointFit, reductions: Sequence[Reduction]) -> tuple[dict[str, PointFit], list[str]]:
    """The fits without each, by name, and what is said of those that are no smaller models or cannot be fitted."""
    fits: dict[str, PointFit] = {}
    notes: list[str] = []
    for one in reductions:
        try:
            model = on_the_same_rows(full.model, one.formula)
            found = nesting(model, full.model)
            if not found.holds:
                notes.append(
                    Told(
                        "no-test",
                        f"{one.name} has no test: {one.formula.line} is no case of the model, {found.obstacle}.",
                    )
                )
                continue
            if nesting(full.model, model).holds:
                notes.append(
                    Told(
                        "no-test",
                        f"{one.name} has no test: without it the formula is the same model, in another coding.",
                    )
                )
                continue
            fits[one.name] = fitted_quietly(model, engine_without_start(full.engine))
        except (BayesMixedError, np.linalg.LinAlgError) as problem:
            notes.append(Told("no-test", f"{one.name}: the model without it could not be fitted. {problem}"))
    if not fits:
        raise FitError("No smaller model could be fitted. " + " ".join(notes), topic="no-test")
    return fits, notes
