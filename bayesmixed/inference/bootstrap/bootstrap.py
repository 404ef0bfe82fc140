"""How would the estimates of a fit vary, had the data been drawn again?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd

from ...errors import FitError, with_known_options
from ...fits.caution import caution
from ...fits.maximised import maximised
from ...fits.point import PointFit
from ...messages import Told
from ...prediction.memory import refuse_too_large
from ...prediction.seeds import is_whole, whole_seed
from ..replicates.refitted import Evaluated, Outcome, Refitted, Statistic, named, refits_of
from ..replicates.run import Done, Task, Workers, run
from .case import CaseRefits, Cases
from .jackknife import left_out
from .kinds import Options, redraw
from .parameters import chosen, estimates, of_refits
from .result import Bootstrap, doubts, percent

CASE = "case"
SOME = 64  # replicates of a part whose fits a function is asked of
CAUTIONS = {
    "wild": (
        Told(
            "wild-bootstrap",
            "The wild bootstrap turns signs, which leaves the squares of residuals nearly as they are: its errors and "
            "limits are for coefficients. Those of sds, correlations and sigma are far too narrow: use another kind.",
        ),
    )
}


@with_known_options
def bootstrap(
    fit: Any,
    n: int = 1000,
    kind: str = "parametric",
    *,
    statistic: Statistic | str | Sequence[str] | None = None,
    re: str = "new",
    resample: Mapping[str, bool] | None = None,
    seed: int | None = None,
    n_jobs: int = 1,
    client: Any = None,
    progress: bool | None = None,
) -> Bootstrap:
    """Replicates of a fit: new data sets of its design, each fitted as it was.

    Replicate i depends on the seed and on i alone, whatever the number of workers. Linear mixed models with one factor,
    or a small second one, are fitted to many responses at a time.

    Parameters
    ----------
    fit
        A fit by ML, REML or MAP.
    n
        Number of replicates.
    kind
        "parametric": new effects and residuals from the fitted model. "residual": the fit's own effects and residuals,
        reflated to the estimated variances, drawn with replacement. "wild": the residuals of each level of the
        outermost factor times one random sign. "case": levels drawn with replacement, with their rows. All but the
        first are for linear mixed models, or nested factors.
    statistic
        A function of a fit that gives a number, a Series or a dict of them; or names of parameters as
        `bm.side_by_side` has them. By default coefficients, sds, correlations and dispersion.
    re
        "new" effects for each parametric replicate, or "all" held as they were estimated.
    resample
        Which levels a case bootstrap draws, such as ``{"school": True, "child": False}``; "rows" are those inside the
        innermost levels. By default the outermost factor alone, in a model without groups the rows.
    seed
        Same seed, same replicates.
    n_jobs
        Processes; a script that asks for several needs ``if __name__ == "__main__":`` around its call.
    client
        A `dask.distributed.Client` whose workers make the replicates.
    progress
        A bar of replicates; by default in a terminal or notebook where it takes long.

    Returns
    -------
    Bootstrap
        Prints estimates, bias, standard errors and limits; `draws` are the replicates, `confint` gives intervals,
        `frame` the table. Replicates that failed are counted and said.

    Raises
    ------
    FitError
        For draws, and for kinds that the model does not allow, with the alternative.

    References
    ----------
    Efron & Tibshirani (1993), An Introduction to the Bootstrap; Carpenter, Goldstein & Rasbash (2003), J. R. Stat. Soc.
    C 52, 431-443; Modugno & Giannerini (2015), Comput. Stat. Data Anal. 86, 13-25.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
    >>> boot = bm.bootstrap(fit, 200, seed=1)
    >>> boot.confint(which="Days").frame.round(1)
          lower  upper        kind
    Days    7.6   13.7  percentile
    """
    point = _checked(fit, n)
    seed, workers = whole_seed(seed), Workers(n_jobs, client, progress)
    asked = statistic if callable(statistic) else None
    task = _task(point, kind, Options(re, resample), asked, seed)
    known = estimates(point) if asked is None else pd.Series(named(asked(point)), name="estimate", dtype=float)
    names = chosen(None if asked is not None else statistic, list(known.index))
    what = f"{n:,} replicates of {len(known)} numbers are"
    refuse_too_large(n, len(known), what, ": at most {most:,} fit, or name some of them, statistic=.")
    several = asked is not None and point.engine.refitter(point).together
    done = run(task, n, workers, batch=SOME if several else None)
    found = _of_refits(point, done) if asked is None else _of_outcomes(done)
    if not len(found.draws):
        why = next(iter(found.failures.values()), "none was made")
        raise FitError(f"None of the {n} replicates could be fitted: {why}.", topic="replicates-failed")
    notes = doubts(n, len(found.draws), found.boundary, done.interrupted, found.failures)
    return Bootstrap(
        draws=found.draws[names],
        estimate=known[names],
        fit=point,
        kind=kind,
        n=n,
        seed=seed,
        failures=found.failures,
        boundary=found.boundary,
        notes=(*notes, *_without_value(found.draws[names]), *CAUTIONS.get(kind, ()), *caution(point)),
        leave_out=cache(partial(left_out, point, asked)),
    )


def _checked(fit: Any, n: Any) -> PointFit:
    found = maximised(
        fit,
        "bootstrap",
        "bootstrap replicates a fit by maximum likelihood; draws have the uncertainty of their parameters already: "
        'fit.coefficients. Or make the fit first: model.fit("ml").',
    )
    if not is_whole(n) or n < 2:
        raise FitError(f"n must be a whole number, at least 2, not {n!r}.", topic="whole-number")
    return found


def _task(fit: PointFit, kind: str, options: Options, statistic: Statistic | None, seed: int) -> Task:
    rows = fit.model.design.n_rows
    if kind == CASE:
        if options.re != "new":
            raise FitError(
                're="all" holds effects, which a case bootstrap has none of: use kind="parametric".',
                topic="bootstrap-kind",
            )
        return CaseRefits(fit, Cases.of(fit, options.resample), seed, rows, statistic)
    drawn, refitter = redraw(fit, kind, options), fit.engine.refitter(fit)
    if statistic is not None:
        return Evaluated(drawn, refitter, statistic, seed, rows)
    return Refitted(drawn, (refitter,), seed, rows)


@dataclass(frozen=True)
class _Found:
    draws: pd.DataFrame
    failures: dict[int, str]
    boundary: float


def _of_refits(fit: PointFit, done: Done) -> _Found:
    (refits,) = refits_of(done.parts)
    draws = of_refits(fit, refits).set_axis(done.numbers, axis=0)
    good = refits.converged
    failures = {int(i): "the fit did not converge" for i in done.numbers[~good]}
    return _Found(draws[good], failures, _share(refits.singular[good]))


def _of_outcomes(done: Done) -> _Found:
    outcomes: list[Outcome] = [one for part in done.parts for one in part]
    used = [one for one in outcomes if one.values is not None]
    draws = pd.DataFrame([one.values for one in used], index=[one.number for one in used], dtype=float)
    failures = {one.number: one.reason for one in outcomes if one.values is None}
    return _Found(draws, failures, _share(np.array([one.singular for one in used])))


def _without_value(draws: pd.DataFrame) -> tuple[str, ...]:
    """Which parameters some replicates do not have: a correlation beside an sd of zero."""
    shares = draws.isna().mean()
    return tuple(
        Told(
            "boundary-replicates",
            f"{name} does not exist in {percent(share)} of the replicates (an sd is 0): limits are of the rest.",
        )
        for name, share in shares[shares > 0].items()
    )


def _share(singular: np.ndarray) -> float:
    return float(np.mean(singular)) if len(singular) else 0.0
