"""Would a term look as large if its labels had gone to other units?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ...engines import ML, REML
from ...errors import FitError, checked_probability, with_known_options
from ...fits.base import is_fit
from ...fits.caution import caution
from ...fits.maximised import maximised
from ...fits.point import PointFit
from ...messages import Told, retold
from ...page import listed
from ...prediction.rows_by import RowsBy, rows_by
from ...prediction.seeds import is_whole, whole_seed
from ..bootstrap.result import MANY_FAILED
from ..lrt.refits import fitted_quietly
from ..lrt.rows import common_order
from ..replicates.run import Done, Workers, run
from .exact import obstacles
from .exchange import Exchange, exchange
from .relabelled import Labelled
from .replicates import Analysis, Arrangements, PermutedAnalyses, arrangements
from .result import PermutationTest
from .statistics import KINDS, statistic_of


@with_known_options
def permutation_test(
    fit: Any,
    term: str,
    n: int = 1000,
    *,
    by: Any = None,
    statistic: str = "lrt",
    against: Any = None,
    alpha: float = 0.05,
    seed: int | None = None,
    n_jobs: int = 1,
    client: Any = None,
    progress: bool | None = None,
) -> PermutationTest:
    """Test a fixed term by giving its labels to other units: p is the share of arrangements with a larger statistic.

    A term that is constant within the levels of `by`, such as a treatment of whole animals, is exchanged between levels
    as wholes: rows follow their level. One that varies within levels is exchanged between the rows of each. Where there
    are fewer than n arrangements all of them are made.

    Parameters
    ----------
    fit
        A fit by ML, REML or MAP.
    term
        A fixed term of one variable; its interactions go with it and are tested with it.
    n
        Number of arrangements that are drawn.
    by
        A grouping factor, a column or one value per row: what could have had other labels. By default the only grouping
        factor of the model; rows, where it has none.
    statistic
        "lrt": the likelihood ratio against the model without the variable (a REML fit is refitted by ML). "F": of all
        its coefficients, with the covariance of the fit. The name of one of them: its ``|t|``.
    against
        A `bm.Model` of the same rows (or a fit) that is fitted to the same arrangements: how often does it reject? Its
        F is referred to its own default degrees of freedom.
    alpha
        Level at which rejections are counted.
    seed
        Same seed, same arrangements.
    n_jobs, client, progress
        As in `bm.bootstrap`.

    Returns
    -------
    PermutationTest
        `p`, the statistics of the arrangements (`values`), and `p_values`, which each analysis gives by its own
        reference distribution; `frame` has how often those are at most alpha.

    Raises
    ------
    FitError
        For draws, unknown terms, interactions, and models without a constant.

    Notes
    -----
    p = (1 + number at least as large) / (1 + number used), which is exact if the labels could as well have gone
    elsewhere, for instance because they were drawn by lot, and the rest of the fixed part is constant over what is
    exchanged; else the page says that it is approximate, and why.

    References
    ----------
    Fisher (1935), The Design of Experiments, section 21; Phipson & Smyth (2010), Stat. Appl. Genet. Mol. Biol. 9, 39;
    Lee & Braun (2012), Biometrics 68, 486-493.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> data = bm.load_data("Orthodont")
    >>> fit = bm.Model("distance ~ age + Sex + (1 | Subject)", data).fit("reml")
    >>> test = bm.permutation_test(fit, "Sex", 199, by="Subject", statistic="F", seed=1)
    >>> round(test.statistic, 3), test.p, test.exact
    (9.292, 0.01, True)
    """
    point = _checked(fit, n, alpha)
    groups = _by(point, by)
    labelled = Labelled.of(point.model, term)
    used = np.flatnonzero(point.model.design.used)
    exchanged = _exchanged(labelled, groups)
    analyses = {"model": Analysis(statistic_of(point, labelled, statistic), used)}
    if against is not None:
        analyses["against"] = _other(point, labelled, against, term, statistic)
    arranged = arrangements(exchanged, n, whole_seed(seed))
    task = PermutedAnalyses(tuple(analyses.values()), arranged, len(used) * len(analyses))
    done = run(task, arranged.number(n), Workers(n_jobs, client, progress))
    why = obstacles(labelled, exchanged, groups.name)
    notes = [retold(exchanged.words, exchanged.words.format(levels=_levels(groups)))]
    notes += [Told("exchanged-labels", f"Approximate: {listed(why)}.")] if why else []
    return _test(analyses, arranged, done, alpha, (term, notes, not why))


def _checked(fit: Any, n: Any, alpha: Any) -> PointFit:
    found = maximised(
        fit,
        "permutation_test",
        "permutation_test compares estimates of exchanged labels, and draws would have to be made anew for each. "
        'Fit by maximum likelihood: fit.model.fit("ml").',
    )
    if not is_whole(n) or n < 1:
        raise FitError(f"n must be a whole number, at least 1, not {n!r}.", topic="whole-number")
    checked_probability(alpha, "alpha")
    return found


def _by(fit: PointFit, by: Any) -> RowsBy:
    """What labels are exchanged by: what was asked, the only grouping factor, or all rows."""
    if by is not None:
        return rows_by(fit.model, by)
    factors = list(dict.fromkeys(term.factor for term in fit.model.design.groups))
    if len(factors) > 1:
        options = " or ".join(f"by={name!r}" for name in factors)
        raise FitError(
            f"permutation_test: say what could have had other labels, {options}, or another column.",
            topic="exchangeable",
        )
    if factors:
        return rows_by(fit.model, factors[0])
    return RowsBy("", np.zeros(fit.model.design.n_rows, dtype=int), pd.Index(["all rows"]))


def _levels(groups: RowsBy) -> str:
    return f"levels of {groups.name}" if groups.name else "the table"


def _exchanged(labelled: Labelled, groups: RowsBy) -> Exchange:
    used = labelled.model.design.used
    labels = labelled.labels[used]
    return exchange(labels, np.unique(groups.codes[used], return_inverse=True)[1])


def _other(fit: PointFit, labelled: Labelled, against: Any, term: str, statistic: str) -> Analysis:
    """The analysis that is compared: F unless one coefficient was asked for, of the same labels."""
    if is_fit(against) and not against.sampled:
        other: Any = against
    elif hasattr(against, "with_response"):
        other = fitted_quietly(against, REML() if against.linear else ML())
    else:
        raise FitError(
            "against takes a bm.Model of the same rows, or a fit of one by ML or REML.", topic="different-data"
        )
    places = common_order(fit.model, other.model)
    if places is None:
        raise FitError("against must have the same rows: build both models from one table.", topic="different-data")
    own, there = places
    same = Labelled.of(other.model, term).with_labels(labelled.labels[own], there)
    return Analysis(statistic_of(other, same, "F" if statistic in KINDS else statistic), there)


def _test(
    analyses: dict[str, Analysis],
    arranged: Arrangements,
    done: Done,
    alpha: float,
    said: tuple[str, list[str], bool],
) -> PermutationTest:
    term, notes, exact = said
    values = np.concatenate(done.parts)
    statistics = [one.statistic for one in analyses.values()]
    observed = [one.observed() for one in statistics]
    good = np.isfinite(values[:, 0, 0])
    if not np.isfinite(observed[0][0]) or not np.any(good):
        raise FitError(
            "permutation_test: the model could not be fitted to the data, or to no arrangement of labels.",
            topic="replicates-failed",
        )
    enumerated = arranged.every is not None and not done.interrupted
    lines = zip(analyses, statistics, strict=True)
    return PermutationTest(
        statistic=observed[0][0],
        values=values[good, 0, 0],
        p_values=pd.DataFrame(values[good, :, 1], index=np.flatnonzero(good), columns=list(analyses)),
        nominal=tuple(p for _, p in observed),
        alpha=alpha,
        failed=int(np.sum(~good)),
        enumerated=enumerated,
        exact=exact,
        title=f"Permutation test of {term}, {statistics[0].name}:",
        analyses=tuple(f"{name}: {one.fit.model.formula.line} ({one.fit.label}), {one.name}" for name, one in lines),
        notes=(*_made(values, good, enumerated, done.interrupted), *notes, *caution(*(one.fit for one in statistics))),
    )


def _made(values: np.ndarray, good: np.ndarray, enumerated: bool, interrupted: bool) -> list[str]:
    """What is said of the arrangements: how many, and how many failed."""
    made, failed = len(values), int(np.sum(~good))
    every = "All arrangements" if enumerated else "Arrangements drawn at random"
    lines: list[str] = [
        Told(
            "monte-carlo", f"{every}: {made}{', and the data' if enumerated else ''}; p counts the data as one of them."
        )
    ]
    if interrupted:
        lines.append(Told("interrupted", "Interrupted before all were made."))
    if failed:
        lines.append(
            Told(
                "failed-replicates",
                f"{failed} of {made} could not be fitted ({100 * failed / made:.2g} %) and do not count.",
            )
        )
    if failed > MANY_FAILED * made:
        lines.append(
            Told("failed-replicates", "More than 5 % failed: those that did are no random choice, so p may be wrong.")
        )
    if values.shape[1] > 1 and not np.all(np.isfinite(values[good, 1, 0])):
        lines.append(
            Told(
                "failed-replicates",
                f"The other analysis failed in {int(np.sum(~np.isfinite(values[good, 1, 0])))} of them.",
            )
        )
    return lines
