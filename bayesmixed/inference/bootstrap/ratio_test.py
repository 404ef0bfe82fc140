"""Does a larger model explain more than chance would? By likelihood ratios of data that the smaller one drew."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import FitError, with_known_options
from ...fits.caution import caution
from ...fits.point import PointFit
from ...messages import Told
from ...page import listed
from ...prediction.seeds import is_whole, whole_seed
from ..lrt.comparable import refuse_different_data, refuse_other_than_likelihoods
from ..lrt.law import ZERO
from ..lrt.nested import Nesting, nesting
from ..lrt.ratio import RatioTest, ratio_test
from ..lrt.refits import by_ml
from ..lrt.rows import common_order
from ..replicates.redraw import Parametric
from ..replicates.run import Workers, run
from .ratio_result import ENOUGH, BootstrapTest
from .ratios import RatioReplicates, Ratios
from .result import MANY_FAILED, percent

VERB = "bootstrap_test"
SOME = 64  # replicates of a part of a sequential test


@with_known_options
def bootstrap_test(
    full: Any,
    reduced: Any,
    n: int = 1000,
    *,
    seed: int | None = None,
    sequential: bool = False,
    n_jobs: int = 1,
    client: Any = None,
    progress: bool | None = None,
) -> BootstrapTest:
    """Test a smaller model against a larger one by simulation: the parametric bootstrap of the likelihood ratio.

    New data are drawn from the smaller fit, both models fitted to each, and the share of their likelihood ratios that
    reach the one observed is the p-value: right at the boundary of the space, where the chi-squared law is not, and in
    samples too small for it. Fits by REML are refitted by ML.

    Parameters
    ----------
    full, reduced
        Two nested fits of the same data, in either order: of fixed effects, variances, or both.
    n
        Number of replicates.
    seed
        Same seed, same replicates.
    sequential
        Whether to stop at 50 ratios that reach the one observed: then p is large, and known well enough.
    n_jobs, client, progress
        As in `bm.bootstrap`.

    Returns
    -------
    BootstrapTest
        `frame` has p as counted, and of laws with the simulated moments (Bartlett, gamma, F), which small numbers of
        replicates determine better in the tail; `ratios` the simulated likelihood ratios.

    Raises
    ------
    FitError
        For models that are not nested, different data, penalised fits and draws.

    References
    ----------
    Halekoh & Højsgaard (2014), J. Stat. Softw. 59(9), section 5; Besag & Clifford (1991), Biometrika 78, 301-304.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> data = bm.load_data("Dyestuff")
    >>> full = bm.Model("Yield ~ 1 + (1 | Batch)", data).fit("ml")
    >>> test = bm.bootstrap_test(full, bm.Model("Yield ~ 1", data).fit("ml"), 500, seed=1)
    >>> round(test.statistic, 3), test.p < 0.05
    (5.403, True)
    """
    small, large, found, notes = _nested(full, reduced)
    if not is_whole(n) or n < 2:
        raise FitError(f"n must be a whole number, at least 2, not {n!r}.", topic="whole-number")
    observed = ratio_test(small, large, ("the smaller model", "the larger"))
    if observed.ratio != observed.ratio:
        raise FitError(f"bootstrap_test has no likelihood ratio to test. {' '.join(observed.notes)}", topic="no-test")
    task = _task(small, observed.large, found, whole_seed(seed))

    def enough(parts: list[Ratios]) -> bool:
        return _reached(np.concatenate([part.values for part in parts]), observed.ratio) >= ENOUGH

    done = run(
        task,
        n,
        Workers(n_jobs, client, progress),
        batch=SOME if sequential and task.together else None,
        enough=enough if sequential else None,
    )
    test, made = _test(task, Ratios.joined(done.parts), observed, sequential)
    interrupted = (
        (Told("interrupted", f"Interrupted: {made} of {n} replicates were made."),) if done.interrupted else ()
    )
    return _said(test, (*notes, *observed.notes, *interrupted, *caution(small, task.large)))


def _task(small: PointFit, large: PointFit, found: Nesting, seed: int) -> RatioReplicates:
    places = common_order(small.model, large.model)
    assert places is not None  # nested models have the same rows
    refitters = small.engine.refitter(small), large.engine.refitter(large)
    return RatioReplicates(small, large, Parametric(small), refitters, found, places, seed)


def _test(task: RatioReplicates, ratios: Ratios, observed: RatioTest, sequential: bool) -> tuple[BootstrapTest, int]:
    """The test without its notes, and how many replicates it is of.

    Raises
    ------
    FitError
        Where hardly any could be fitted.
    """
    values, boundary = _used(ratios, observed.ratio, sequential)
    good = np.isfinite(values)
    used = int(np.sum(good))
    if used < 2:
        raise FitError(
            "bootstrap_test: fewer than two of the replicates could be fitted by both models.",
            topic="replicates-failed",
        )
    test = BootstrapTest(
        statistic=float(observed.ratio),
        df=observed.df,
        ratios=values[good],
        naive=observed.naive,
        failed=len(values) - used,
        boundary=float(np.mean(boundary[good])),
        sequential=sequential,
        title=f"Parametric bootstrap of the likelihood ratio, {used} replicates of (1), seed {task.seed}:",
        models=tuple(f"({i + 1}) {fit.model.formula.line}" for i, fit in enumerate((task.small, task.large))),
        notes=(),
    )
    return test, len(values)


def _nested(full: Any, reduced: Any) -> tuple[PointFit, PointFit, Nesting, tuple[str, ...]]:
    """The smaller and the larger fit, by ML, how they are nested, and what was refitted."""
    fits = (reduced, full)
    refuse_other_than_likelihoods(fits, VERB)
    names = tuple(fit.model.formula.line for fit in fits)
    refuse_different_data(fits, names)
    by = [fit for fit in fits if fit.engine.restricted]
    notes = (Told("refitted", "Fitted by REML: refitted by ML, whose likelihood ratios are simulated."),) if by else ()
    small, large = sorted((by_ml(fit) for fit in fits), key=lambda fit: fit.n_parameters)
    found = nesting(small.model, large.model)
    if not found.holds:
        raise FitError(
            f"{VERB} needs nested models: {small.model.formula.line} is no case of {large.model.formula.line}, because "
            f"{found.obstacle}. Compare them by AIC: bm.anova(full, reduced).",
            topic="not-nested",
        )
    if small.n_parameters == large.n_parameters:
        raise FitError(
            f"{VERB}: both fits have {small.n_parameters} parameters, there is nothing to test.", topic="no-test"
        )
    return small, large, found, notes


def _reached(values: np.ndarray, ratio: float) -> int:
    return int(np.sum(values >= ratio - ZERO))


def _used(ratios: Ratios, ratio: float, sequential: bool) -> tuple[np.ndarray, np.ndarray]:
    """The replicates that count: of a sequential test those up to the one that was enough, whatever parts they had."""
    reached = np.cumsum(ratios.values >= ratio - ZERO)
    if not sequential or reached[-1] < ENOUGH:
        return ratios.values, ratios.boundary
    last = int(np.argmax(reached >= ENOUGH)) + 1
    return ratios.values[:last], ratios.boundary[:last]


def _said(test: BootstrapTest, notes: tuple[str, ...]) -> BootstrapTest:
    """The test with what its page says of p, failures and the boundary."""
    counted = (
        f"bootstrap: p as counted, {test.exceedances} of {len(test.ratios)}; Monte Carlo error {test.p_error:.2g}."
    )
    stopped = f" Stopped at {ENOUGH}." if test.stopped else ""
    lines = [Told("monte-carlo", counted + stopped)]
    made = test.failed + len(test.ratios)
    if test.failed:
        lines.append(
            Told(
                "failed-replicates",
                f"{test.failed} of {made} replicates failed ({percent(test.failed / made)}) and do not count.",
            )
        )
    if test.failed > MANY_FAILED * made:
        lines.append(
            Told("failed-replicates", "More than 5 % failed: those that did are no random choice, so p may be wrong.")
        )
    if test.boundary > 0:
        share = percent(test.boundary)
        lines.append(
            Told(
                "boundary-replicates",
                f"{share} of the larger model's fits are on the boundary, where neither chi-squared nor what Bartlett "
                "and F make of it holds: go by the count.",
            )
        )
    missing = [name for name, p in test.frame["p"].items() if p != p]
    if missing:
        lines.append(
            Told(
                "monte-carlo",
                f"No p of {listed([str(name) for name in missing])}: the simulated ratios are smaller than its law's.",
            )
        )
    values = {name: getattr(test, name) for name in test.__dataclass_fields__}
    return BootstrapTest(**(values | {"notes": (*lines, *notes)}))
