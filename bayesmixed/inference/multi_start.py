"""Do other starts and other optimizers end at the same maximum?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ..engines.search.optimizer import Optimizer
from ..engines.search.optimizers import optimizer_of
from ..errors import BayesMixedError, FitError, with_known_options
from ..fits import tables
from ..fits.maximised import maximised
from ..fits.point import PointFit
from ..fits.told_apart import numbered
from ..likelihood.at import effects_unit
from ..messages import Told
from ..page import SCIENTIFIC, Page, Printed, Section, column, listed
from ..prediction.seeds import is_whole, whole_seed
from ..priors.default import column_spreads
from .lrt.refits import fitted_quietly, layout

AGREE = 1e-4  # of a log-likelihood: less is where a search happens to stop
FURTHER = ("Nelder-Mead", "COBYQA")  # they share no step with the default method, which follows the gradient
SMALL = 1e-3  # of what sds are measured in: from zero a start is moved up
UP = 0.5  # to that
GIVEN = "the fit"
ROUNDED = 1e-6  # of a log-likelihood: less prints as 0
MOST = 5  # parameters on a page


@dataclass(frozen=True, eq=False, repr=False)
class Searches(Printed):
    """What `multi_start` returns. Printing gives a page; notebooks get HTML.

    Attributes
    ----------
    frame
        One row per search, the fit itself first: optimizer, loglik (of penalised fits also objective, what was
        maximised), a column per parameter, evaluations, seconds (NaN of the fit, which is not timed), converged. A
        search that broke down has no values.
    fits
        The fits by the names of the rows, without those that broke down.
    best
        The fit that was given, where none is higher by more than 1e-4; else the highest, converged or not.
    agree
        Whether every search ended within 1e-4 of the highest.
    notes
        In words whether they agree, and what broke down.
    """

    frame: pd.DataFrame
    fits: dict[str, PointFit]
    best: PointFit
    agree: bool
    title: str
    notes: tuple[str, ...]

    @property
    def shown(self) -> list[str]:
        """The parameters that are printed: covariances and dispersion, as long as they fit a page."""
        table = tables.scalar_table(self.best.model.design, self.best.parameters)
        return [str(name) for name in table["label"][table["kind"] != "fixed"]][:MOST]

    @property
    def page(self) -> Page:
        """The page that is printed."""
        top = self.frame["objective" if "objective" in self.frame else "loglik"]
        shown = pd.DataFrame(index=self.frame.index)
        shown["logLik"] = column(self.frame["loglik"], 4)
        shown["below best"] = ["" if pd.isna(v) else f"{v:.1e}" if v >= ROUNDED else "0" for v in top.max() - top]
        for name in self.shown:
            shown[name] = column(self.frame[name], _digits(self.frame[name]))
        shown["evaluations"] = ["" if pd.isna(v) else f"{v:.0f}" for v in self.frame["evaluations"]]
        shown["seconds"] = column(self.frame["seconds"], 2)
        shown["converged"] = ["yes" if value else "no" for value in self.frame["converged"]]
        return Page((Section(self.title, shown, self.notes),))


@with_known_options
def multi_start(
    fit: Any, n: int = 8, optimizers: Sequence[str | Optimizer] | None = None, *, seed: int | None = 1
) -> Searches:
    """Search for the maximum again, from other starts and by other optimizers.

    A search shows that its end is *a* maximum, not that no other is higher. Here the default method starts from `n`
    other places (standard deviations times exp(N(0, 1)), correlations at random), and two methods that use values of
    the criterion alone start where the default one does. Where all end at one log-likelihood, that is the maximum as
    far as searches can show it; where their estimates differ all the same, the likelihood is flat there.

    Parameters
    ----------
    fit
        A fit by ML, REML or MAP.
    n
        Number of other starts.
    optimizers
        Other optimizers, by name or as values; by default "Nelder-Mead" and "COBYQA".
    seed
        Same seed, same starts; start i depends on the seed and i alone.

    Returns
    -------
    Searches
        Prints as a table; `frame` has it by search, `best` the best fit, `agree` whether all ended there.

    Raises
    ------
    FitError
        For draws; for a model without random effects, whose covariance parameters nothing searches for.

    Notes
    -----
    Fixed effects and dispersion of generalized models start from the fit without random effects in every search.

    References
    ----------
    The comparison is that of lme4's ``allFit``. Nelder & Mead (1965), Comput. J. 7, 308-313; Ragonneau & Zhang (2023),
    COBYQA, https://www.cobyqa.com.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")
    >>> found = bm.multi_start(fit, 2, seed=1)
    >>> found.agree, found.frame["loglik"].round(3).tolist()
    (True, [-159.827, -159.827, -159.827, -159.827, -159.827])
    """
    _refuse(fit, n)
    further = [optimizer_of(given) for given in (FURTHER if optimizers is None else _several(optimizers))]
    engines = [
        *(replace(fit.engine, start=start, optimizer=None, maxiter=None) for start in _starts(fit, int(n), seed)),
        *(replace(fit.engine, start=None, optimizer=each, maxiter=None) for each in further),
    ]
    names = numbered([*(f"start {i + 1}" for i in range(int(n))), *(each.name for each in further)])
    fits, rows, broken = {GIVEN: fit}, {GIVEN: _row(fit, np.nan)}, []
    for name, engine in zip(names, engines, strict=True):
        began = time.perf_counter()
        try:
            fits[name] = fitted_quietly(fit.model, engine)
        except (BayesMixedError, np.linalg.LinAlgError) as problem:
            broken.append(Told("broke-down", f"{name} broke down: {problem}"))
            rows[name] = {"optimizer": _optimizer(engine), "converged": False}
            continue
        rows[name] = _row(fits[name], time.perf_counter() - began)
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=list(rows[GIVEN]))
    frame["converged"] = frame["converged"].astype(bool)
    heights = {name: each.criterion / -2 for name, each in fits.items()}
    highest = max(heights, key=lambda name: heights[name])
    best = fit if heights[highest] - heights[GIVEN] <= AGREE else fits[highest]
    agree = not broken and bool(min(heights.values()) >= heights[highest] - AGREE)
    title = f"{len(rows)} searches for the maximum, {fit.engine.words(fit.model)}:"
    return Searches(frame, fits, best, agree, title, (*_words(frame, heights, fits), *broken))


def _refuse(fit: Any, n: int) -> None:
    maximised(
        fit,
        "multi_start",
        'multi_start searches for a maximum, and draws have none: bm.multi_start(fit.model.fit("ml")). Whether '
        "chains agree is in fit.status.max_rhat.",
    )
    if not is_whole(n) or n < 0:
        raise FitError(f"n must be a whole number of starts, not {n!r}.", topic="whole-number")
    if not all(hasattr(fit.engine, option) for option in ("start", "optimizer", "maxiter")):
        raise FitError(
            f"{fit.label} takes no start and no optimizer, so that there is nothing to search otherwise.",
            topic="nothing-to-search",
        )
    if layout(fit.model).size == 0:
        raise FitError(
            "This model has no covariance parameters of random effects to start elsewhere.", topic="nothing-to-search"
        )


def _several(given: Any) -> Sequence[str | Optimizer]:
    return [given] if isinstance(given, str) or not hasattr(given, "__iter__") else list(given)


def _starts(fit: PointFit, n: int, seed: int | None) -> list[list[float]]:
    """theta (m,) of n starts about the estimates."""
    theta, unit = layout(fit.model), effects_unit(fit.model)
    found = []
    for child in np.random.SeedSequence(whole_seed(seed)).spawn(n):
        rng = np.random.default_rng(child)
        roots = []
        for term, factor in zip(fit.model.design.groups, fit.factors, strict=True):
            measure = unit / column_spreads(term.Z)
            sds = np.linalg.norm(factor, axis=1)
            sds = np.where(sds > SMALL * measure, sds, UP * measure) * np.exp(rng.standard_normal(len(sds)))
            rows = np.tril(rng.standard_normal((len(sds), len(sds))))
            roots.append(sds[:, None] * rows / np.linalg.norm(rows, axis=1, keepdims=True))
        found.append([float(value) for value in theta.reported_of(roots)])
    return found


def _optimizer(engine: Any) -> str:
    return optimizer_of(engine.optimizer).name


def _row(fit: PointFit, seconds: float) -> dict[str, Any]:
    table = tables.scalar_table(fit.model.design, fit.parameters)
    values = {label: float(value[0, 0]) for label, value in zip(table["label"], table["values"], strict=True)}
    penalised = {"objective": fit.criterion / -2} if fit.engine.regularised else {}
    status = fit.status
    return {
        "optimizer": _optimizer(fit.engine),
        "loglik": fit.loglik,
        **penalised,
        **values,
        "evaluations": status.evaluations,
        "seconds": seconds,
        "converged": status.converged,
    }


def _digits(values: pd.Series) -> int:
    """Decimals that show four digits of the largest."""
    largest = float(values.abs().max())
    if not 0 < largest < np.inf:
        return 3
    found = 3 - int(np.floor(np.log10(largest)))
    return max(found, 1) if found <= 8 else SCIENTIFIC


def _words(frame: pd.DataFrame, heights: dict[str, float], fits: dict[str, PointFit]) -> list[str]:
    """Whether the searches agree, which do not and why, and how flat it is where they do."""
    top = max(heights.values())
    there = [name for name, height in heights.items() if height >= top - AGREE]
    lower = [name for name in heights if name not in there]
    other = [name for name in lower if fits[name].status.converged]
    stopped = [name for name in lower if not fits[name].status.converged]
    known = any(fits[name].status.converged for name in there)
    notes = [_agreement(frame, heights, there, fits[GIVEN].engine.regularised)]
    if GIVEN in lower:
        other, stopped = ([name for name in names if name != GIVEN] for names in (other, stopped))
        instead = ": use .best in its place" if known else ""
        notes.append(Told("better-optimum", f"The fit is {top - heights[GIVEN]:.4g} below the best{instead}."))
    if not known:
        rising = "Where it goes on rising there may be no maximum at all: bm.diagnose(fit) says why."
        notes.append(Told("no-maximum", f"The highest did not converge: {listed(there)}. {rising}"))
    if other:
        below = f"lower by up to {top - min(heights[name] for name in other):.4g}: {listed(other)}"
        several = f"Another maximum, {below}. The likelihood has several; the start matters."
        notes.append(Told("several-maxima", several))
    if stopped:
        below = f"lower by up to {top - min(heights[name] for name in stopped):.4g}: {listed(stopped)}"
        method = " That says something of the method, nothing of the fit." if known else ""
        notes.append(Told("several-maxima", f"Stopped before a maximum, {below}.{method}"))
    return [*notes, *_flat(frame.loc[there], fits[there[0]])]


def _agreement(frame: pd.DataFrame, heights: dict[str, float], there: list[str], penalised: bool) -> Told:
    """How many of the searches ended at the highest."""
    if len(there) < len(frame):
        agree = f"{len(there)} of {len(frame)} agree on the highest (within 1e-4): {listed(there)}."
    else:
        what = "penalised log-likelihoods" if penalised else "log-likelihoods"
        spread = max(heights.values()) - min(heights.values())
        agree = f"All agree: their {what} are within 1e-4 (the lowest is {spread:.1e} below the highest)."
    return Told("several-maxima", agree)


def _flat(frame: pd.DataFrame, fit: PointFit) -> list[str]:
    """How far the estimates of searches that agree are apart."""
    names = [name for name in tables.scalar_table(fit.model.design, fit.parameters)["label"] if name in frame]
    values = frame[names].astype(float)
    sizes = values.abs().max().replace(0.0, np.nan)
    apart = ((values.max() - values.min()) / sizes).dropna()
    if len(values) < 2 or apart.empty:
        return []
    worst = str(apart.idxmax())
    return [Told("several-maxima", f"Their estimates differ most in {worst}, by {apart[worst]:.1e} of its size.")]
