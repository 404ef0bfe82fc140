"""Intervals of every parameter of a fit: by its profile likelihood, by standard errors, or of draws."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..engines.machine.blas import blas_threads
from ..engines.ml import tail_columns
from ..errors import FitError, brief, checked_level, nearest, with_known_options
from ..fits.base import is_fit
from ..fits.caution import with_caution
from ..fits.tables import scalar_table
from ..messages import Told
from .bootstrap.bootstrap import bootstrap
from .intervals import Intervals
from .profile.likelihood_fit import from_the_best, maximum_likelihood
from .profile.parameters import chosen, left_out, parameters
from .profile.profile import doubts, intervals, limit_curves, warn_of_doubts
from .wald import wald

if TYPE_CHECKING:
    from ..fits.base import Fit
    from ..fits.draws import DrawsFit


SEED = 1  # of replicates, for which bm.bootstrap takes any other


@with_known_options(
    nsim="bm.bootstrap(fit, n=1000, seed=1).confint() has replicates as you want them.",
    seed="bm.bootstrap(fit, n=1000, seed=1).confint() has replicates of your own seed.",
)
def confint(
    fit: Fit,
    method: str | None = None,
    *,
    level: float = 0.95,
    which: str | Sequence[str] | None = None,
    ddf: str | float | None = None,
) -> Intervals:
    """Intervals of coefficients, sds, correlations and dispersion.

    Parameters
    ----------
    fit
        Any fit. The model of a REML fit is refitted by ML for "profile".
    method
        Of point fits "profile" (the default): where the likelihood, maximised over everything else, has fallen as far
        as a normal quantile says; "wald": estimate +- quantile x standard error; or "bootstrap": quantiles of 1,000
        parametric replicates, always the same. Of draws "equal-tailed" (the
        default): quantiles; or "hdi": the shortest interval that holds so many of the draws.
    level
        Coverage.
    which
        Parameters as `bm.side_by_side` names them; None for all that are estimated.
    ddf
        Degrees of freedom of Wald intervals of coefficients, a method's name or a number: by default Satterthwaite's
        in linear mixed models, normal quantiles elsewhere ("asymptotic": lme4's ``confint(method = "Wald")``).

    Returns
    -------
    Intervals
        `.frame`: lower, upper, kind by parameter. kind is the method, but for profiles "boundary" where a limit is the
        end of the parameter (0, a correlation of 1 or -1), "endless" where there is none however far one looks, and
        "failed" where it was not found; and for Wald intervals "none" where there is no standard error.

    Raises
    ------
    FitError
        An unknown method or parameter, a parameter held by ``constants=``, a level outside (0, 1), a method that does
        not fit the fit.

    Notes
    -----
    A profile limit takes two or three searches of everything else, found by root finding on zeta; `bm.profile` gives
    the whole curve. Equal-tailed limits do not change when a parameter is transformed, shortest ones do.

    References
    ----------
    Venzon & Moolgavkar (1988), Appl. Stat. 37, 87-94; Bates, Mächler, Bolker & Walker (2015), J. Stat. Softw. 67(1).

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> bm.confint(fit, which=["Days", "sd(Days | Subject)"]).frame.round(2)
                        lower  upper     kind
    Days                 7.36  13.58  profile
    sd(Days | Subject)   3.80   8.75  profile
    >>> bm.confint(fit, "wald", which="Days").frame.round(2)
          lower  upper  kind
    Days   7.21  13.73  wald
    """
    if not is_fit(fit):
        own = " It has limits of its own: .confint(level=0.9)." if hasattr(fit, "confint") else ""
        raise FitError(f'confint takes a fit, such as model.fit("ml"), not {brief(fit)}.{own}', topic="needs-a-fit")
    checked_level(level, "confint")
    known = OF_DRAWS if fit.sampled else OF_POINTS
    name = next(iter(known)) if method is None else method
    if not isinstance(name, str) or name not in known:
        other = OF_POINTS if fit.sampled else OF_DRAWS
        kinds = ("draws", "point fits") if fit.sampled else ("point fits", "draws")
        said = f"that is for {kinds[1]}; of {kinds[0]} it is" if name in list(other) else "it is"
        raise FitError(
            f"confint: method={name!r}: {said} {_or(known)}. {_meant(fit, name, (*known, *other))}".strip(),
            topic="unknown-option",
        )
    if ddf is not None and name != "wald":
        raise FitError(
            f'confint: ddf= is for Wald intervals: bm.confint(fit, "wald", ddf={ddf!r}).', topic="options-together"
        )
    return known[name](fit, level, which, ddf)


def _meant(fit: Fit, name: Any, methods: Sequence[str]) -> str:
    """What to write in place of a method that is none: one nearly called so, or the parameter of that name."""
    labels = [each.label for each in parameters(fit)]
    if name in labels or (isinstance(name, list | tuple) and set(name) <= set(labels)):
        return f"Parameters are chosen by which={name!r}."
    if isinstance(name, int | float):
        return f"A coverage is level={name}."
    likely = "" if name in methods else nearest(str(name), methods)
    return likely if likely.startswith("Did") else ""


def _or(names: Iterable[str]) -> str:
    *some, last = map(repr, names)
    return f"{', '.join(some)} or {last}"


def _profiled(fit: Any, level: float, which: Any, ddf: Any) -> Intervals:
    ml, notes = maximum_likelihood(fit, "confint")
    chosen(which, parameters(ml), "confint")  # before anything is computed
    with blas_threads(tail_columns(ml.model)):
        ml, curves, met = from_the_best(ml, lambda place: limit_curves(place, which, level))
    warn_of_doubts(curves)
    title = f"Profile likelihood limits, {100 * level:g} %"
    notes = with_caution((*notes, *met, *doubts(curves), *left_out(which, parameters(ml))), ml)
    return intervals([curve.interval(level) for curve in curves], title, notes)


def _wald(fit: Any, level: float, which: Any, ddf: Any) -> Intervals:
    wanted = chosen(which, parameters(fit), "confint", alone=False)
    found = wald(fit, wanted, level, ddf)
    return Intervals(f"Wald limits, {100 * level:g} %", found.table, with_caution(found.notes, fit))


def _bootstrapped(fit: Any, level: float, which: Any, ddf: Any) -> Intervals:
    chosen(which, parameters(fit), "confint")  # before anything is drawn
    found = bootstrap(fit, seed=SEED).confint(level=level, which=which)
    how = f"bm.bootstrap(fit, seed={SEED}).confint(level={level:g}); other kinds and numbers of replicates: ask that."
    return Intervals(found.title, found.table, with_caution((Told("monte-carlo", how), *found.notes), fit))


def _equal_tailed(fit: Any, level: float, which: Any, ddf: Any) -> Intervals:
    def limits(draws: np.ndarray) -> tuple[float, float]:
        low, high = np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2])
        return float(low), float(high)

    title = f"Equal-tailed posterior intervals, {100 * level:g} %"
    return _of_draws(fit, which, limits, "equal-tailed", title)


def _shortest(fit: Any, level: float, which: Any, ddf: Any) -> Intervals:
    title = f"Highest-density posterior intervals, {100 * level:g} %"
    return _of_draws(fit, which, lambda draws: shortest(draws, level), "hdi", title)


def shortest(draws: np.ndarray, level: float) -> tuple[float, float]:
    """The shortest interval that holds a share `level` of the draws (n,): of one peak that of highest density.

    >>> shortest(np.arange(11.0) ** 2, 0.5)
    (0.0, 25.0)
    """
    ordered = np.sort(np.asarray(draws, dtype=float))
    inside = min(max(int(np.ceil(level * len(ordered))), 1), len(ordered))
    widths = ordered[inside - 1 :] - ordered[: len(ordered) - inside + 1]
    first = int(np.argmin(widths))
    return float(ordered[first]), float(ordered[first + inside - 1])


def _of_draws(
    fit: DrawsFit, which: Any, limits: Callable[[np.ndarray], tuple[float, float]], kind: str, title: str
) -> Intervals:
    wanted = chosen(which, parameters(fit), "confint", alone=False)
    values = scalar_table(fit.model.design, fit.parameters)["values"]
    draws = [np.ravel(values.iloc[each.place]) for each in wanted]
    ends = np.array([limits(each[np.isfinite(each)]) if np.isfinite(each).any() else (np.nan,) * 2 for each in draws])
    table = pd.DataFrame(
        {"estimate": [float(np.mean(each)) for each in draws], "lower": ends[:, 0], "upper": ends[:, 1], "kind": kind},
        index=[each.label for each in wanted],
    )
    return Intervals(title, table, with_caution((Told("limits", "Estimate: posterior mean."),), fit))


_Way = Callable[[Any, float, Any, Any], Intervals]
OF_POINTS: dict[str, _Way] = {"profile": _profiled, "wald": _wald, "bootstrap": _bootstrapped}
OF_DRAWS: dict[str, _Way] = {"equal-tailed": _equal_tailed, "hdi": _shortest}
