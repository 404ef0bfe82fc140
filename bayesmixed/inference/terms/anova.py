"""The analysis of variance of one fit: every fixed term tested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...degrees.methods import reference
from ...errors import BayesMixedWarning, FitError, warn
from ...messages import Told
from ...page import listed
from .empty_cells import empty_cells_note
from .hypotheses import deletions, hypotheses, in_order
from .indicators import INTERCEPT
from .table import TermTests, blank, law, tested

if TYPE_CHECKING:
    from ...degrees.reference import Reference
    from ...fits.point import PointFit

TYPES = {1: "I", 2: "II", 3: "III"}
MEANING = {
    1: "type I: each term adjusted for those before it",
    2: "type II: each term adjusted for all that do not contain it",
    3: "type III: each term adjusted for all others (SAS's estimable functions)",
}


def anova_of(fit: PointFit, type: Any = None, ddf: str | float | None = None) -> TermTests:
    """Tests of the terms of a point fit's mean, without the intercept.

    Parameters
    ----------
    type
        1, 2 or 3 (or "I", "II", "III"); None for 3, and for 1 where degrees of freedom are counted by terms.
    ddf
        A method for denominator degrees of freedom, or a number; None for the default of the fit.

    Raises
    ------
    FitError
        An unknown type, a model without terms, a method that does not apply to the fit.

    Warns
    -----
    BayesMixedWarning
        Type III with empty cells, which it names.
    """
    asked = None if type is None else _kind(type)
    _refuse(fit)
    judged = reference(fit, ddf)
    kind = asked or (1 if judged.by_term else 3)
    rows = _rows_by_term(fit, kind, judged, ddf) if judged.by_term else hypotheses(fit.model, kind)
    frame, doubts = tested(fit, rows, judged)
    empty = empty_cells_note(fit.model) if kind == 3 else ""
    if empty:
        warn(BayesMixedWarning(empty, topic="empty-cells"))
    meaning = Told("types-of-hypotheses", f"Hypotheses of {MEANING[kind]}.")
    notes = (meaning, *_notes(fit, judged), *([empty] if empty else []), *doubts, *_untested(fit, frame))
    title = f"Analysis of variance, type {TYPES[kind]} ({fit.label}): {law(judged)}"
    return TermTests(title, frame, notes, _residual(fit, judged))


def deletions_of(fit: PointFit, ddf: str | float | None = None) -> TermTests:
    """Tests of the terms that can be dropped alone, each adjusted for all others.

    Raises
    ------
    FitError
        A model without terms, a method that does not apply to the fit.
    """
    _refuse(fit)
    judged = reference(fit, ddf)
    frame, doubts = tested(fit, deletions(fit.model), judged)
    notes = (*not_dropped(fit, frame), *_notes(fit, judged), *doubts, *_blank(frame))
    return TermTests(f"Terms dropped one at a time ({fit.label}): {law(judged)}", frame, notes)


def not_dropped(fit: PointFit, frame: Any) -> tuple[str, ...]:
    """Which terms of the mean have no row in the table, in a sentence."""
    kept = [name for name in fit.model.design.mu.terms if name not in {INTERCEPT, *frame.index}]
    return (Told("not-tested", f"Not dropped, because other terms contain them: {listed(kept)}."),) if kept else ()


def _kind(type: Any) -> int:
    known: dict[Any, int] = {1: 1, 2: 2, 3: 3} | {name: kind for kind, name in TYPES.items()}
    text = type.strip().upper().removeprefix("TYPE").strip() if isinstance(type, str) else type
    text = int(text) if isinstance(text, str) and text.isdigit() else text
    try:
        found = None if isinstance(text, bool) else known.get(text)
    except TypeError:  # not hashable
        found = None
    if found is None:
        raise FitError(
            f"type={type!r} is not a type of hypothesis: use 1 (each term after those before it), 2 (after all that do "
            "not contain it) or 3 (SAS's estimable functions).",
            topic="unknown-option",
        )
    return found


def _rows_by_term(fit: PointFit, kind: int, judged: Reference, ddf: Any) -> dict[str, np.ndarray]:
    if kind == 2:
        raise FitError(
            f"ddf={ddf!r} counts degrees of freedom for terms in their order, which type=2 does not keep: use type=1, "
            'or ddf="satterthwaite".',
            topic="degrees-of-freedom",
        )
    return in_order(fit.model, judged.root[fit.model.design.places["mu"]]) if kind == 1 else hypotheses(fit.model, kind)


def _refuse(fit: PointFit) -> None:
    if fit.sampled:
        raise FitError(
            "F and chi^2 are of estimates, and draws have none. Of draws: bm.hypothesis(fit) gives probabilities, "
            "bm.loo_compare compares models with and without a term. Or fit by maximum likelihood: "
            'fit.model.fit("ml").',
            topic="needs-a-maximum",
        )
    if not fit.model.design.encoding.formula.predictors["mu"].terms:
        raise FitError(
            f"The model {fit.model.formula} has no fixed terms to test. bm.hypothesis(fit) tests its coefficients, "
            "the intercept among them; bm.drop1(fit, random=True) its random effects.",
            topic="nothing-to-test",
        )


def _notes(fit: PointFit, judged: Reference) -> tuple[str, ...]:
    others = [name for name in fit.model.design.predictors if name != "mu"]
    of_mean = Told(
        "not-tested", f"Terms of the mean only; bm.hypothesis(fit) tests the coefficients of {listed(others)}."
    )
    penalised = Told(
        "normal-reference",
        f"{fit.label} adds a penalty to the likelihood: p-values of its estimates are no more than a rough guide.",
    )
    return (*judged.notes, *([of_mean] if others else []), *([penalised] if fit.engine.regularised else []))


def _untested(fit: PointFit, frame: Any) -> tuple[str, ...]:
    """Terms of which nothing can be tested, and columns that no term has for its own."""
    shared = len(fit.beta) - fit.model.design.mu.has_intercept - int(frame["num_df"].sum())
    common = (
        Told("not-tested", "One column belongs to several terms at once, and no test speaks of it; those of type=1 do.")
        if shared == 1
        else Told(
            "not-tested",
            f"{shared} columns belong to several terms at once, and no test speaks of them; those of type=1 do.",
        )
    )
    return (*_blank(frame), *([common] if shared > 0 else []))


def _blank(frame: Any) -> tuple[str, ...]:
    names = blank(frame)
    which = "it" if len(names) == 1 else "each"
    words = Told(
        "not-tested", f"{listed(list(names))}: nothing to test, since the data cannot tell {which} from other terms."
    )
    return (words,) if names else ()


def _residual(fit: PointFit, judged: Reference) -> tuple[float, float] | None:
    """Degrees of freedom and sum of squares of the residuals where the table is the ordinary one."""
    df = fit.n_obs - len(fit.beta)
    if fit.model.design.groups or not fit.model.has_scale or not df or "sigma" in fit.model.constants:
        return None
    any_row = np.zeros((1, len(fit.model.design.coefficients)))
    any_row[0, 0] = 1.0
    if judged.df(any_row)[0] != df:
        return None
    return float(df), fit.sigma**2 * (df if fit.engine.restricted else fit.n_obs)
