"""The mean of the response at given rows, with its derivative in the coefficients or its draws, and averages of it.

Conditional means set the random effects to zero. Population means integrate over them: z'b of one row is normal with
variance z' Sigma z summed over the terms, so that one integral over a standard normal serves any number of terms and
slopes (Zeger, Liang & Albert 1988, Biometrics 44, 1049-1060). It is taken by the trapezoidal rule, whose error falls
exponentially with the step for analytic functions (Trefethen & Weideman 2014, SIAM Review 56, 385-458): a logit, whose
poles lie pi / sd from the axis, needs steps in proportion to 1 / sd, and Gauss-Hermite rules far more nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...degrees.methods import reference
from ...design.design import Design
from ...errors import FitError, nearest
from ...families import Family
from ...fits.base import is_fit
from ...fits.caution import with_caution
from ...formula.variables import columns_in
from ...messages import Told
from ...parameters.predicted import predicted
from ...parameters.values import Parameters
from ...prediction.estimable import Dropped, full_columns
from ...prediction.memory import refuse_too_large
from ...prediction.new_rows import encode, mean_inverse_weight, take_rows
from ...prediction.responses import location, mean_response
from ..limits import limits_of
from ..quantities import Linearised, Quantities, Sampled
from ..rows.grid import EffectRows
from .ambiguity import Ambiguity

if TYPE_CHECKING:
    from ...degrees.reference import Reference
    from ...fits.base import Fit
    from ...model import Model

KINDS = ("conditional", "population")
SCALES = ("response", "link")
STEPS = (0.05, 0.5)  # least and greatest, times 1 / sd between: errors below 1e-8 up to an sd of 10
TAIL, FARTHEST = 9.0, 20.0  # nodes reach to TAIL + sd, where exp(sd z) times the density ends, at most so much beyond
CHUNK = 2**21  # draws x rows at once
STEP = 2.0**-17  # of mu, relative: eps^(1/3)
BEND = 1e-5  # of eta: the same, for the second derivative, which only standard errors of slopes use
SHIFT = 0.1  # of eta, at most


@dataclass(frozen=True)
class Question:
    """On which `scale` and of which `kind` the means are, and what they are judged by (`ddf`, as in `emmeans`)."""

    scale: str = "response"
    kind: str = "conditional"
    ddf: str | float | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise FitError(
                f"kind={self.kind!r} is not an option. {nearest(str(self.kind), KINDS)}", topic="unknown-option"
            )
        if self.scale not in SCALES:
            raise FitError(
                f"scale={self.scale!r} is not an option. {nearest(str(self.scale), SCALES)}", topic="unknown-option"
            )
        if self.kind == "population" and self.scale == "link":
            raise FitError(
                'kind="population" averages responses over the random effects: use scale="response".',
                topic="options-together",
            )

    def notes(self, fit: Fit) -> tuple[str, ...]:
        """What speaks against the fit, what the numbers are and what their standard errors leave out, in words."""
        return with_caution(self._notes(fit), fit)

    def _notes(self, fit: Fit) -> tuple[str, ...]:
        model = fit.model
        linked = self.scale == "link" and not model.family.linear
        words = f"link ({model.family.scale})" if linked else "response"
        scale = Told("scale-of-effects", f"Scale: {words}.")
        if not model.design.mu.groups:
            return (scale,)
        errors = () if fit.sampled else (reference(fit, self.ddf).errors or self.errors(model),)
        if self.kind == "population":
            return (
                scale,
                Told(
                    "random-effects-in-means",
                    "Random effects: population-averaged, integrated over their distribution.",
                ),
                *errors,
            )
        if model.family.linear:
            return (scale, *errors)
        return (
            scale,
            Told("random-effects-in-means", "Random effects: conditional, for a group whose effects are zero."),
            *errors,
        )

    def linear(self, model: Model) -> bool:
        """Whether the means are linear functions of the coefficients."""
        return self.scale == "link" or model.family.linear

    def spread(self, model: Model) -> bool:
        """Whether the means depend on the spread of the random effects, hence on the columns of their bars."""
        return self.kind == "population" and model.family.scale != "identity"

    def errors(self, model: Model) -> str:
        """What the standard errors of point fits leave out."""
        if model.has_scale:
            return Told("standard-errors", "Standard errors: variance parameters held at their estimates.")
        if self.kind == "population":
            return Told(
                "standard-errors",
                "Standard errors: of the coefficients; the spread of the random effects held at its estimate.",
            )
        return Told(
            "standard-errors", "Standard errors: of fit.vcov(), where the variance parameters count as estimated."
        )


def means(fit: Fit, rows: EffectRows, question: Question) -> Quantities:
    """The quantities that `rows` ask for: weighted averages of means; NaN where the data do not determine them."""
    model, design = fit.model, evaluated(fit.model, rows, question)
    moved = Dropped.of(model).moved(full_columns(model, rows.table)) if model.design.mu.aliased else None

    def part(values: MeanValues, where: slice, shift: np.ndarray | float) -> Piece:
        mean, slope = values.means(take_rows(design, where), question, shift)
        refuse_infinite(mean, model, question)
        return Piece(mean, ((slope, design.mu.X[where], None if moved is None else moved[where]),))

    found = averages(fit, rows, part, moved, question)
    if not isinstance(found, Linearised):
        return found
    return replace(found, limits=limits_of(MeanValues.of(fit, found.reference), rows, question, design, found))


@dataclass(frozen=True)
class Piece:
    """Numbers (D, n) of some rows, and their derivative in the coefficients as a sum of `terms`.

    A term is a factor (D, n), the columns (n, p) that it multiplies, and those rows' movements (n, a).
    """

    values: np.ndarray
    terms: tuple[tuple[np.ndarray, np.ndarray, np.ndarray | None], ...]


Part = Callable[["MeanValues", slice, np.ndarray | float], Piece]


def averages(fit: Fit, rows: EffectRows, part: Part, moved: np.ndarray | None, question: Question) -> Quantities:
    """Weighted averages of numbers by row, which `part` gives for values, a slice and a shift of the predictor."""
    judged_by = None if fit.sampled else reference(fit, question.ddf)
    values, m = MeanValues.of(fit, judged_by), len(rows.keys)
    refuse_too_large(
        m,
        values.n_draws if values.sampled else values.beta.shape[1],
        f"{m:,} quantities of {values.n_draws:,} draws take",
        ": give fewer rows in newdata=, or average over them, average=True or by=.",
    )
    found = np.zeros((values.n_draws, m))
    jacobian = np.zeros((m, values.beta.shape[1]))
    n = len(rows.cells)
    for first in range(0, n, step := max(1, CHUNK // values.n_draws)):
        where = slice(first, min(first + step, n))
        piece = part(values, where, 0.0)
        shares, cells = rows.weights[where], rows.cells[where]
        _add(found, cells, shares * piece.values)
        for factor, columns, _ in () if values.sampled else piece.terms:
            np.add.at(jacobian, cells, (shares * factor[0])[:, None] * columns)
    ambiguity = None if moved is None else _ambiguity(values.middle(), rows, part, moved)
    if judged_by is None:
        return Sampled(found, ambiguity=ambiguity)
    root, linear = judged_by.root[: jacobian.shape[1]], question.linear(fit.model)
    return Linearised(found[0], jacobian, root, judged_by, linear, ambiguity)


def _ambiguity(values: MeanValues, rows: EffectRows, part: Part, moved: np.ndarray) -> Ambiguity:
    """How the averages move where columns were dropped, at predictors shifted a little in that direction.

    At the estimates themselves two rows that move apart may move as fast by chance, and their average seem to rest.
    """
    m, (n, a) = len(rows.keys), moved.shape
    shift = SHIFT * np.tanh(moved @ (1 + np.arange(a) / np.pi))
    piece = part(values, slice(0, n), shift)
    slopes, sizes = np.zeros((m, a)), np.zeros(m)
    for factor, _, movement in piece.terms:
        assert movement is not None
        each = (rows.weights * factor[0])[:, None] * movement
        np.add.at(slopes, rows.cells, each)
        np.add.at(sizes, rows.cells, np.linalg.norm(each, axis=1))
    return Ambiguity(np.bincount(rows.cells, rows.weights * piece.values[0], m), slopes, sizes)


def evaluated(model: Model, rows: EffectRows, question: Question) -> Design:
    """The rows as a design: bars only where their columns matter, the offset as the rows say."""
    table, factors = rows.table, None if question.kind == "population" else ()
    if factors is None:
        table = with_groups(model, table)
    trained = model.design.encoding.offset
    again = 0.0 if trained is not None and trained.text is None and rows.offset is not None else None
    design = encode(
        model, table, unseen="population", offset=again, weights=None, observed=False, factors=factors
    )  # fmt: skip
    if rows.offset is None:
        return design
    return design.with_predictor(replace(design.mu, offset=rows.offset))


def with_groups(model: Model, table: pd.DataFrame) -> pd.DataFrame:
    """The table with the columns of grouping factors where it lacks them, at any level: only slopes' columns matter."""
    bars = model.design.encoding.formula.predictors["mu"].bars
    needed = {name for bar in bars for atom in bar.factor for name in columns_in(atom)}
    lacking = [name for name in model.frame.columns if name in needed and name not in table]
    if not lacking:
        return table
    filled = model.frame[lacking].iloc[np.zeros(len(table), int)]
    return pd.concat([table, filled.set_axis(table.index)], axis=1)


@dataclass(frozen=True)
class MeanValues:
    """What means are made of: draws (1, D) of the parameters, and a row's `weight`.

    That is the precision weight of a row whose residual variance is the mean of the fit's.
    """

    family: Family
    parameters: Parameters
    sampled: bool
    weight: float = 1.0

    @classmethod
    def of(cls, fit: Fit, judged_by: Reference | None = None) -> MeanValues:
        """Those of a fit; of a point fit with the coefficients that its reference tests."""
        parameters = fit.parameters.flat()
        if judged_by is not None and judged_by.beta is not None:
            places = fit.model.design.places
            tested = {name: judged_by.beta[places[name]][None, None] for name in parameters.coefficients}
            parameters = replace(parameters, coefficients=tested)
        return cls(fit.model.family, parameters, fit.sampled, 1 / mean_inverse_weight(fit.model))

    @property
    def beta(self) -> np.ndarray:
        """Coefficients (D, p)."""
        return self.parameters.beta[0]

    @property
    def dispersion(self) -> dict[str, Any]:
        """Dispersion parameters (D, 1); those with a predictor are not among them, on which no mean depends.

        Raises
        ------
        FitError
            For a family whose mean depends on a parameter that has a predictor.
        """
        return self._known(self.parameters.dispersion_by_row())

    def _known(self, dispersion: dict[str, Any]) -> dict[str, Any]:
        if self.family.spread_in_mean and not dispersion:
            raise FitError(
                f"The mean of the {self.family.name} family depends on its sigma, which has a predictor here: ask for "
                'scale="link", or for predictions of rows, fit.predict(newdata).',
                topic="mean-of-the-response",
            )
        return dispersion

    @property
    def n_draws(self) -> int:
        """Number of draws; 1 for a point fit."""
        return len(self.beta)

    @cached_property
    def factors(self) -> tuple[np.ndarray, ...]:
        """Per group term a root (D, k, k) of its covariance."""
        return tuple(self.parameters.principal_root(j)[0] for j in range(len(self.parameters.b)))

    def middle(self) -> MeanValues:
        """One draw in the middle of all, which carries a derivative."""
        return replace(self, parameters=self.parameters.mean(), sampled=False)

    def means(
        self, design: Design, question: Question, shift: np.ndarray | float = 0.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """The mean (D, n) at the rows of a design, predictors shifted, and its derivative in the linear predictor."""
        found = predicted(self.family, design, self.parameters, ())
        eta, dispersion = found.eta + shift, found.dispersion
        if question.scale == "link":
            return eta, np.ones_like(eta)
        if question.kind == "conditional" or not design.mu.groups:
            return self.response(eta, dispersion), self.response_slope(eta, dispersion)
        sd = np.sqrt(self.variance(design))
        mean, slope = np.zeros_like(eta), np.zeros_like(eta)
        for node, weight in zip(*_nodes(float(sd.max(initial=0.0))), strict=True):
            mean += weight * self.response(eta + sd * node, dispersion)
            if not self.sampled:
                slope += weight * self.response_slope(eta + sd * node, dispersion)
        return mean, slope

    def rates(
        self, design: Design, direction: Design, question: Question, shift: np.ndarray | float = 0.0
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """How fast the mean (D, n) changes as the rows move in a `direction`, whose columns are their rates.

        Also its derivatives in the predictor and in the predictor's rate.
        """
        rate = direction.eta(self.parameters, ())["mu"]
        one, zero = np.ones_like(rate), np.zeros_like(rate)
        if question.scale == "link":
            return rate, zero, one
        found = predicted(self.family, design, self.parameters, ())
        eta, dispersion = found.eta + shift, found.dispersion
        if question.kind == "conditional" or not design.mu.groups:
            slope = self.response_slope(eta, dispersion)
            return slope * rate, zero if self.sampled else self.response_curvature(eta, dispersion) * rate, slope
        sd = np.sqrt(self.variance(design))
        widening = np.divide(self.covariance(design, direction), sd, out=np.zeros_like(sd), where=sd > 0)
        total, by_eta, by_rate = zero, np.zeros_like(rate), np.zeros_like(rate)
        for node, weight in zip(*_nodes(float(sd.max(initial=0.0))), strict=True):
            slope, along = weight * self.response_slope(eta + sd * node, dispersion), rate + widening * node
            total, by_rate = total + slope * along, by_rate + slope
            if not self.sampled:
                by_eta += weight * self.response_curvature(eta + sd * node, dispersion) * along
        return total, by_eta, by_rate

    def response(self, eta: np.ndarray, dispersion: dict[str, Any] | None = None) -> np.ndarray:
        """E(y) at linear predictors (D, n), by default for rows that share each dispersion parameter."""
        each = self.dispersion if dispersion is None else self._known(dispersion)
        return mean_response(self.family, eta, each, np.array(self.weight))

    def response_slope(self, eta: np.ndarray, dispersion: dict[str, Any] | None = None) -> np.ndarray:
        """d E(y) / d eta (D, n)."""
        each = self.dispersion if dispersion is None else self._known(dispersion)
        mu = location(self.family, eta)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            steps = self.family.link.mean_steps(np.clip(eta, *self.family.eta_range))[1]
        weight = self.weight if self.family.weights == "precision" else None
        if np.array_equal(self.family.mean(mu, each, weight), mu, equal_nan=True):
            return steps
        h = STEP * np.maximum(np.abs(mu), STEP)
        return steps * (self.family.mean(mu + h, each, weight) - self.family.mean(mu - h, each, weight)) / (2 * h)

    def response_curvature(self, eta: np.ndarray, dispersion: dict[str, Any]) -> np.ndarray:
        """d2 E(y) / d eta2 (D, n)."""
        h = BEND * np.maximum(np.abs(eta), 1.0)
        with np.errstate(invalid="ignore"):  # infinite on both sides
            return (self.response_slope(eta + h, dispersion) - self.response_slope(eta - h, dispersion)) / (2 * h)

    def variance(self, design: Design) -> np.ndarray:
        """Variance (D, n) of z'b at each row."""
        return self.covariance(design, design)

    def covariance(self, design: Design, other: Design) -> np.ndarray:
        """Covariance (D, n) of z'b at each row with that at the same row of another design."""
        total = np.zeros((self.n_draws, design.n_rows))
        factors = [self.factors[j] for j in design.positions("mu")]
        for term, beside, factor in zip(design.mu.groups, other.mu.groups, factors, strict=True):
            total += np.sum((term.Z @ factor) * (beside.Z @ factor), axis=-1)
        return total


def check_fit(fit: Any, ddf: str | float | None = None) -> None:
    """Raise a FitError for something that is no fit, and for degrees of freedom that it does not take."""
    if not is_fit(fit):
        raise FitError(f'This takes a fit, such as model.fit("reml"), not {type(fit).__name__}.', topic="needs-a-fit")
    if ddf is not None:
        reference(fit, ddf)


def _nodes(sd: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of the standard normal distribution, for functions of sd times it."""
    step = float(np.clip(STEPS[1] / max(sd, STEPS[0]), *STEPS))
    half = np.ceil((TAIL + min(sd, FARTHEST)) / step)
    nodes = step * np.arange(-half, half + 1)
    weights = np.exp(-(nodes**2) / 2)
    return nodes, weights / weights.sum()


def _add(total: np.ndarray, cells: np.ndarray, values: np.ndarray) -> None:
    """total[:, cells] += values, cells repeated."""
    order = np.argsort(cells, kind="stable")
    found, starts = np.unique(cells[order], return_index=True)
    total[:, found] += np.add.reduceat(values[:, order], starts, axis=1)


def refuse_infinite(found: np.ndarray, model: Model, question: Question) -> None:
    """Stop where means over the random effects are not finite."""
    if question.kind == "population" and np.isinf(found).any():
        raise FitError(
            f"With the {model.family.link.name} link and normal random effects the population mean is not finite: use "
            'kind="conditional".',
            topic="mean-of-the-response",
        )
