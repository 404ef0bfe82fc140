"""How well a model predicts rows, or whole groups, that it has not seen: leave-one-out from one set of draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...errors import FitError
from ...fits.base import is_fit
from ...messages import Told
from ...page import Page, Printed, Section, number
from ...parameters.values import Parameters
from ...prediction import pointwise
from ...prediction.rows_by import RowsBy, rows_by
from ...prediction.thinning import kept_draws
from ..finding import listed
from .integrated import how_integrated, integrated_log_likelihood, own_levels

if TYPE_CHECKING:
    from ...fits.draws import DrawsFit
    from ...model import Model

CHUNK = 2**21  # draws x rows held at once (16 MiB; ArviZ holds several such arrays)
# Of responses simulated from fits to sleepstudy and cbpp (20 each) rows had a p_loo of at most 0.78 of the number of
# parameters, and their 15 to 18 groups, so few that it scatters, of 0.66 to 1.28 of it.
FEW_GROUPS = 1.5
VERY_BAD = 1.0  # a Pareto k from which not even the mean of the importance weights is finite


@dataclass(frozen=True, eq=False, repr=False)
class LeaveOneOut(Printed):
    """The result of `loo`; printing gives a page.

    Attributes
    ----------
    elpd, se
        Sum over what was left out of the log predictive density, and its standard error.
    p_loo
        Effective number of parameters: the log density with a row's own part in the draws, less that without. Above
        `n_parameters` it suggests that the model is misspecified (Vehtari, Gelman & Gabry 2017).
    n_parameters
        How many there are: coefficients, of covariances and of the distribution, and random effects that are not
        integrated out.
    frame
        One row per row of the data, or level, left out: elpd, p_loo, pareto_k; with ``by=`` also rows.
    good_k
        Importance sampling can be trusted where pareto_k is at most this.
    formula, family, method
        What was fitted and how.
    draws
        How many draws it rests on.
    by, integrated
        What was left out whole, None for single rows; how its effects were integrated out.
    model
        The model, whose response others are compared on.
    elpd_data
        ArviZ's own result, for `az.compare`, `az.plot_khat` and the like.
    """

    frame: pd.DataFrame
    good_k: float
    formula: str
    family: str
    method: str
    draws: int
    by: str | None
    integrated: str | None
    n_parameters: int
    elpd_data: Any = field(repr=False)
    model: Model = field(repr=False)

    @property
    def elpd(self) -> float:
        """Sum of the log predictive densities."""
        return float(self.frame["elpd"].sum())

    @property
    def se(self) -> float:
        """Standard error of `elpd`: sqrt(n) times the standard deviation of its terms."""
        return float(np.sqrt(len(self.frame) * self.frame["elpd"].var()))

    @property
    def p_loo(self) -> float:
        """Effective number of parameters."""
        return float(self.frame["p_loo"].sum())

    @property
    def bad(self) -> pd.Index:
        """Labels of what the draws cannot leave out: pareto_k above `good_k`."""
        return self.frame.index[self.frame["pareto_k"] > self.good_k]

    @property
    def misspecified(self) -> bool:
        """Whether `p_loo` is above the number of parameters (of whole groups clearly): the model may miss something."""
        return self.p_loo > self.n_parameters * (1.0 if self.by is None else FEW_GROUPS)

    @property
    def link(self) -> str:
        """The link, with its asymptotes."""
        return f"link {self.model.family.link.words}"

    @property
    def page(self) -> Page:
        """The page that is printed."""
        estimates = pd.DataFrame(
            {"Estimate": [number(self.elpd, 2), number(self.p_loo, 2)], "SE": [number(self.se, 2), ""]},
            index=["elpd", "p_loo"],
        )
        lines = tuple(_advice(self))
        return Page(
            (Section(_heading(self), estimates), Section("", None, tuple(_facts(self))), Section("", None, lines))
        )


def loo(fit: DrawsFit, by: Any = None, *, draws: int | None = None, seed: int | None = None) -> LeaveOneOut:
    """Leave-one-out cross-validation without refitting, by Pareto-smoothed importance sampling (ArviZ).

    Which question do you ask? ``loo(fit)`` leaves out one row at a time and keeps the other rows of its level: how
    well is a further response of a subject that we *know* predicted? ``loo(fit, by="Subject")`` leaves out all rows
    of a subject together, and integrates its random effects out: how well is a *new* subject predicted? Take the
    one that the model is for. Both can tell models apart that differ in what varies between groups, and they may prefer
    different ones. Leaving out groups is no remedy for large Pareto k of rows: it answers the other question.

    Parameters
    ----------
    fit
        A fit with draws: by NUTS, or Laplace's.
    by
        None for single rows; or a grouping factor, a column of the model's table, or one value per row used. Effects
        of levels that occur in one of these groups alone are integrated out, those of other factors, which other
        groups know too, stay as drawn.
    draws
        Draws per chain, evenly spaced; all by default.
    seed
        Only where more than three effects of a group of responses that are not normal are integrated out, which is
        done by sampling.

    Returns
    -------
    LeaveOneOut
        Prints as a page; `frame` holds what each row or level adds, and Pareto's k.

    Raises
    ------
    FitError
        For a point fit; for a column that does not exist, or that has one level.

    Notes
    -----
    Log-likelihoods are taken a few rows at a time, so that memory does not grow with rows x draws.

    References
    ----------
    Vehtari, Gelman & Gabry (2017), Statistics and Computing 27, 1413-1432; Merkle, Furr & Rabe-Hesketh (2019),
    Psychometrika 84, 802-829, for leaving out groups; Vehtari et al. (2024), J. Mach. Learn. Res. 25(72), for k.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("laplace", seed=1)
    >>> rows, batches = bm.loo(fit), bm.loo(fit, by="Batch")
    >>> len(rows.frame), len(batches.frame), rows.elpd > batches.elpd
    (30, 6, True)
    """
    _needs_draws(fit)
    model, parameters = fit.model, fit.parameters
    parameters = parameters.take(kept_draws(parameters.beta.shape[1], draws))
    rows = pointwise.observed_rows(model)
    groups = None if by is None else rows_by(model, by)
    members, labels = _left_out(model, rows, groups)
    blocks = _rows(model, parameters, rows)
    if groups is not None:
        blocks = integrated_log_likelihood(model, parameters, members, seed)
    found, frame = _smoothed(fit, blocks, labels)
    if groups is not None:
        frame.insert(0, "rows", [len(of) for of in members])
    return LeaveOneOut(
        frame=frame,
        good_k=found.good_k,
        formula=model.formula.line,
        family=model.family.name,
        method=fit.label,
        draws=parameters.n_draws,
        by=None if groups is None else groups.name,
        integrated=None if groups is None else how_integrated(model, members),
        n_parameters=_n_parameters(model, members),
        elpd_data=found.elpd_data,
        model=model,
    )


def _needs_draws(fit: Any) -> None:
    if not is_fit(fit):
        raise FitError(
            f'loo takes a fit with draws, such as model.fit("nuts", seed=1), not {type(fit).__name__}.',
            topic="needs-draws",
        )
    if fit.parameters.n_draws < 2:
        raise FitError(
            f"Leave-one-out needs draws, and {fit.label} gives estimates. First call "
            'fit = model.fit("nuts", seed=1), or model.fit("laplace", seed=1), then bm.loo(fit). Point fits are '
            "compared by fit.aic.",
            topic="needs-draws",
        )


def _left_out(model: Model, rows: np.ndarray, groups: RowsBy | None) -> tuple[list[np.ndarray], pd.Index]:
    """Rows left out together, and their names."""
    if groups is None:
        return [], model.design.index[rows]
    members = groups.members(rows)
    there = [j for j, of in enumerate(members) if len(of)]
    if len(there) < 2:
        raise FitError(
            f"by={groups.name!r} has one level: without it there would be no data. Take one with several.",
            topic="single-level",
        )
    return [members[j] for j in there], pd.Index(groups.levels[there], name=groups.name)


def _n_parameters(model: Model, members: list[np.ndarray]) -> int:
    """Coefficients, parameters of covariances and of the distribution, and effects that are not integrated out."""
    terms = list(zip(model.covariances, model.design.groups, strict=True))
    fixed = len(model.design.coefficients) + sum(covariance.n_theta(term.Z.shape[1]) for covariance, term in terms)
    free = len(model.free)
    if members:
        kept = [int(np.sum(own < 0)) for own in own_levels(model, members)]
    else:
        kept = [term.n_levels for _, term in terms]
    return fixed + free + sum(n * term.Z.shape[1] for n, (_, term) in zip(kept, terms, strict=True))


def _rows(model: Model, parameters: Parameters, rows: np.ndarray) -> Iterator[np.ndarray]:
    step = max(1, CHUNK // parameters.n_draws)
    for first in range(0, len(rows), step):
        yield pointwise.log_likelihood(model, parameters, rows[first : first + step])


def _smoothed(fit: DrawsFit, blocks: Iterator[np.ndarray], labels: pd.Index) -> tuple[Any, pd.DataFrame]:
    import xarray as xr

    from ...interop import arviz

    def labelled() -> Iterator[xr.DataArray]:
        first = 0
        for block in blocks:
            names = np.asarray(labels[first : first + block.shape[2]])
            names = names.astype(str) if names.dtype == object else names
            yield xr.DataArray(block, {"__obs__": names}, ("chain", "draw", "__obs__"))
            first += block.shape[2]

    found = arviz.leave_one_out(labelled(), arviz.efficiency(fit.idata))
    return found, pd.DataFrame({"elpd": found.elpd, "p_loo": found.p, "pareto_k": found.pareto_k}, index=labels)


def _heading(found: LeaveOneOut) -> str:
    return f"Leaving out {'one row' if found.by is None else f'one level of {found.by}'} at a time"


def _facts(found: LeaveOneOut) -> list[str]:
    k = found.frame["pareto_k"]
    bad, worst = int(((k > found.good_k) & (k <= VERY_BAD)).sum()), int((k > VERY_BAD).sum())
    effects = "as drawn: rows of levels that are known" if found.by is None else f"integrated out ({found.integrated})"
    counting = ", random effects counted" if found.by is None and found.model.design.groups else ""
    left = len(found.frame)
    counted = f"{left} rows" if found.by is None else f"{left} levels, {int(found.frame['rows'].sum())} rows"
    return [
        f"  formula:  {found.formula} ({found.method}, {found.family})",
        f"  left out: {counted}; {found.draws} draws",
        f"  effects:  {effects}",
        f"  p_loo:    of {found.n_parameters} parameters{counting}",
        f"  Pareto k: {left - bad - worst} good (at most {found.good_k:.2f}), {bad} bad, {worst} very bad (above 1)",
    ]


def _advice(found: LeaveOneOut) -> list[str]:
    bad = found.bad
    lines: list[str] = [
        Told(
            "leave-one-out",
            "elpd is the sum of log predictive densities: higher predicts better. bm.loo_compare(...) compares models.",
        )
    ]
    if len(bad):
        worst = found.frame["pareto_k"].sort_values(ascending=False).index[: len(bad)]
        one = "row" if found.by is None else f"level of {found.by}"
        many = "rows" if found.by is None else f"levels of {found.by}"
        these = f"this {one}" if len(bad) == 1 else f"these {many}"
        lines.append(
            Told(
                "importance-sampling",
                f"Importance sampling is unreliable for {these}: {listed([str(label) for label in worst])}. elpd is "
                "uncertain, and usually too high.",
            )
        )
        lines.append(_remedy(found, len(bad) == 1))
    if found.misspecified:
        line = Told(
            "effective-parameters",
            f"p_loo is above the number of parameters, {found.n_parameters}, which suggests that the model is "
            f"misspecified. {found.model.family.wider}",
        )
        lines.append(line.rstrip())
    return lines


def _remedy(found: LeaveOneOut, one: bool) -> str:
    factors = list(dict.fromkeys(term.factor for term in found.model.design.groups))
    refit = f"refit without {'it' if one else 'them'}, and see what the rest predicts"
    remedy = f"Look at these data first, since the model may miss something there; then {refit}."
    if found.by is None and factors:
        remedy += f' (bm.loo(fit, by="{factors[0]}") asks another question, about new levels: it is no remedy.)'
    return Told("importance-sampling", remedy)
