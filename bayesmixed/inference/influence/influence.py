"""What do the estimates of a fit owe to each of its levels, or to each row?"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import FitError, with_known_options
from ...fits.caution import caution
from ...fits.maximised import maximised
from ...fits.point import PointFit
from ...messages import Told
from ...page import listed
from ..replicates.run import Workers, run
from .left_rows import LeftRows, left_rows
from .one_step import one_step
from .refits import Deletions
from .result import Influence
from .without import Without

SOME = 5  # labels that a note names


@with_known_options
def influence(
    fit: Any,
    by: Any = None,
    *,
    refit: bool = False,
    most: int = 5000,
    n_jobs: int = 1,
    progress: bool | None = None,
) -> Influence:
    """The estimates of a fit without each level of a factor, or without each row.

    Parameters
    ----------
    fit
        A fit by ML, REML or MAP.
    by
        What is left out: the levels of a grouping factor ("Subject") or of a column of the table, or the rows that one
        value per row tells apart; None for single rows.
    refit
        False: one step from the estimates with the variances in their ratios held. In a linear mixed model the
        coefficients are then exactly those of generalized least squares on the other rows, and sigma is the best beside
        them; in others a Newton step with the weights of the fit. True: the model is fitted again without each.
    most
        Refits that are made at most.
    n_jobs, progress
        Of refits, as in `bm.bootstrap`.

    Returns
    -------
    Influence
        Prints the most influential; `frame` has Cook's distance, the change of the log-likelihood and of every
        parameter, `dfbetas` the standardised changes, `estimates` the parameters without each.

    Raises
    ------
    FitError
        For draws, unknown columns, more than `most` refits, and one step where effects are shared between huge levels.

    Notes
    -----
    Changes are the estimate of all data less the one without. Cook's distance is d'C^-1 d / p with the change d of the
    p coefficients of the mean and C their covariance in the fit of all data. With variances held a level that inflates
    its own variance is not seen in that variance: ask for refits of what matters.

    References
    ----------
    Cook (1977), Technometrics 19, 15-18; Belsley, Kuh & Welsch (1980), Regression Diagnostics, for DFBETAS;
    Christensen, Pearson & Johnson (1992), Technometrics 34, 38-45; Nieuwenhuis, te Grotenhuis & Pelzer (2012), R J. 4,
    38-47.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
    >>> by_subject = bm.influence(fit, "Subject")
    >>> by_subject.frame["cook"].nlargest(2).round(3).to_dict()
    {'309': 0.157, '335': 0.137}
    >>> bm.influence(fit, "Subject", refit=True).changes["sd(Days | Subject)"].round(2).nlargest(1).to_dict()
    {'335': 0.86}
    """
    point = _checked(fit)
    rows = left_rows(point.model, by)
    if not refit:
        without, interrupted = one_step(point, rows), False
    else:
        if len(rows.members) > most:
            raise FitError(
                f"refit=True would make {len(rows.members):,} refits, and most={most:,}. Leave refit out for one step "
                f"from the estimates, or ask: most={len(rows.members)}.",
                topic="too-many-refits",
            )
        done = run(Deletions(point, rows), len(rows.members), Workers(n_jobs, None, progress))
        without, interrupted = Without.joined([part for _, part in done.parts]), done.interrupted
        rows = rows.take([i for numbers, _ in done.parts for i in numbers])
    return Influence(point, rows, without, refit, tuple(_notes(point, rows, without, refit, interrupted)))


def _checked(fit: Any) -> PointFit:
    found = maximised(
        fit,
        "influence",
        "influence leaves data out of maximised fits. Of draws, bm.loo(fit) says which rows surprise the model and "
        'which move its posterior much (Pareto k). Or fit by maximum likelihood: fit.model.fit("ml").',
    )
    if not np.all(np.isfinite(found.coefficient_root)):
        raise FitError(
            "influence needs the standard errors of the fit, and it has none: see fit.status.problems.",
            topic="no-standard-errors",
        )
    return found


def _notes(fit: PointFit, rows: LeftRows, without: Without, refit: bool, interrupted: bool) -> list[str]:
    notes = []
    if not refit:
        exact = "exact for the fixed effects at these ratios" if fit.model.linear else "a Newton step for the rest"
        notes.append(
            Told(
                "influence-by-one-step",
                f"Variances held in their ratios: {exact}. refit=True estimates them without each as well.",
            )
        )
    if interrupted:
        notes.append(Told("interrupted", f"Interrupted: {len(rows.members)} were left out, others were not."))
    for reason in dict.fromkeys(without.reasons.values()):
        names = [str(rows.labels[i]) for i, said in without.reasons.items() if said == reason]
        more = f" and {len(names) - SOME} more" if len(names) > SOME else ""
        notes.append(Told("failed-replicates", f"No estimates without {listed(names[:SOME])}{more}: {reason}."))
    if np.any(np.isnan(without.fall) & without.values.notna().any(axis=1)):
        notes.append(
            Told("influence-by-one-step", "loglik: not computed where sigma or another parameter has a predictor.")
        )
    return [*notes, *caution(fit)]
