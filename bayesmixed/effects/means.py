"""The mean of the response at given rows, with its derivative in the coefficients or its draws, and averages of it.

Conditional means set the random effects to zero. Population means integrate over them: z'b of one row is normal with
variance z' Sigma z summed over the terms, so that one integral over a standard normal serves any number of terms and
slopes (Zeger, Liang & Albert 1988, Biometrics 44, 1049-1060). It is taken by the trapezoidal rule, whose error falls
exponentially with the step for analytic functions (Trefethen & Weideman 2014, SIAM Review 56, 385-458): a logit, whose
poles lie pi / sd from the axis, needs steps in proportion to 1 / sd, and Gauss-Hermite rules far more nodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from ..errors import FitError, nearest
from ..families import Family
from ..formula.design import Design
from ..formula.variables import columns_in
from ..prediction.responses import location, mean_response
from ..prediction.rows import encode, take_rows
from .estimable import not_estimable
from .grid import Rows
from .quantities import Linearised, Quantities, Sampled

if TYPE_CHECKING:
    from ..fits.base import Fit
    from ..fits.point import PointFit
    from ..model import Model

KINDS = ("conditional", "population")
SCALES = ("response", "link")
STEPS = (0.05, 0.5)  # least and greatest, times 1 / sd between: errors below 1e-8 up to an sd of 10
TAIL, FARTHEST = 9.0, 20.0  # nodes reach to TAIL + sd, where exp(sd z) times the density ends, at most so much beyond
CHUNK = 2**21  # draws x rows at once
MAX_BYTES = 4e9  # of draws x quantities
STEP = 2.0**-17  # of mu, relative: eps^(1/3)


@dataclass(frozen=True)
class Question:
    """On which `scale` and of which `kind` the means are."""

    scale: str = "response"
    kind: str = "conditional"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise FitError(f"kind={self.kind!r} is not an option. {nearest(str(self.kind), KINDS)}")
        if self.scale not in SCALES:
            raise FitError(f"scale={self.scale!r} is not an option. {nearest(str(self.scale), SCALES)}")
        if self.kind == "population" and self.scale == "link":
            raise FitError('kind="population" averages responses over the random effects: use scale="response".')

    def notes(self, fit: Fit) -> tuple[str, ...]:
        """What the numbers are and what their standard errors leave out, in words."""
        model = fit.model
        name = model.family.link.name
        scale = f"Scale: link ({name})." if self.scale == "link" and name != "identity" else "Scale: response."
        if not model.design.groups:
            return (scale,)
        errors = () if has_draws(fit) else (self.errors(model),)
        if self.kind == "population":
            return (scale, "Random effects: population-averaged, integrated over their distribution.", *errors)
        if model.family.link.name == "identity":
            return (scale, *errors)
        return (scale, "Random effects: conditional, for a group whose effects are zero.", *errors)

    def errors(self, model: Model) -> str:
        """What the standard errors of point fits leave out."""
        if model.has_scale:
            return "Standard errors: variance parameters held at their estimates."
        if self.kind == "population":
            return "Standard errors: of the coefficients; the spread of the random effects held at its estimate."
        return "Standard errors: of fit.vcov(), where the variance parameters count as estimated."


def means(fit: Fit, rows: Rows, question: Question) -> Quantities:
    """The quantities that `rows` ask for: weighted averages of means; NaN where the data do not determine them."""
    design = evaluated(fit.model, rows, question)
    values = Values.of(fit)
    m = len(rows.keys)
    size = 8.0 * m * (values.n_draws if values.sampled else values.beta.shape[1])
    if size > MAX_BYTES:
        raise FitError(
            f"{m:,} quantities of {values.n_draws:,} draws take {size / 1e9:.1f} GB: give fewer rows in newdata=, or "
            "average over them, average=True or by=."
        )
    found = np.zeros((values.n_draws, m))
    jacobian = np.zeros((m, values.beta.shape[1]))
    for first in range(0, design.n_rows, step := max(1, CHUNK // values.n_draws)):
        part = slice(first, min(first + step, design.n_rows))
        mean, slope = values.means(take_rows(design, part), question)
        _refuse_infinite(mean, fit.model, question)
        shares, cells = rows.weights[part], rows.cells[part]
        _add(found, cells, shares * mean)
        if not values.sampled:
            np.add.at(jacobian, cells, (shares * slope[0])[:, None] * design.mu.X[part])
    found[:, not_estimable(fit.model, rows, linear=question.scale == "link")] = np.nan
    return Sampled(found) if values.sampled else Linearised(found[0], jacobian, covariance_root(fit))


def evaluated(model: Model, rows: Rows, question: Question) -> Design:
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
    return replace(design, predictors=design.predictors | {"mu": replace(design.mu, offset=rows.offset)})


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
class Values:
    """The parameters behind means: `beta` (D, p), per term a factor (D, k, k), dispersion (D, 1)."""

    family: Family
    beta: np.ndarray
    factors: tuple[np.ndarray, ...]
    dispersion: Mapping[str, np.ndarray]
    sampled: bool

    @classmethod
    def of(cls, fit: Fit) -> Values:
        """Those of a fit."""
        flat = fit.parameters.flat()
        factors = tuple(flat.factor(j)[0] for j in range(len(flat.b)))
        dispersion = {name: value.reshape(-1, 1) for name, value in flat.dispersion.items()}
        return cls(fit.model.family, flat.beta[0], factors, dispersion, has_draws(fit))

    @property
    def n_draws(self) -> int:
        """Number of draws; 1 for a point fit."""
        return len(self.beta)

    def means(self, design: Design, question: Question) -> tuple[np.ndarray, np.ndarray]:
        """The mean (D, n) at the rows of a design and its derivative in the linear predictor."""
        eta = self.beta @ design.mu.X.T + design.mu.offset
        if question.scale == "link":
            return eta, np.ones_like(eta)
        if question.kind == "conditional" or not design.groups:
            return self.response(eta), self.response_slope(eta)
        sd = np.sqrt(self.variance(design))
        mean, slope = np.zeros_like(eta), np.zeros_like(eta)
        for node, weight in zip(*_nodes(float(sd.max(initial=0.0))), strict=True):
            mean += weight * self.response(eta + sd * node)
            if not self.sampled:
                slope += weight * self.response_slope(eta + sd * node)
        return mean, slope

    def response(self, eta: np.ndarray) -> np.ndarray:
        """E(y) at linear predictors (D, n)."""
        return mean_response(self.family, eta, dict(self.dispersion))

    def response_slope(self, eta: np.ndarray) -> np.ndarray:
        """d E(y) / d eta (D, n)."""
        mu = location(self.family, eta)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            steps = self.family.link.mean_steps(np.clip(eta, *self.family.eta_range))[1]
        dispersion: dict[str, Any] = dict(self.dispersion)
        if np.array_equal(self.family.mean(mu, dispersion), mu, equal_nan=True):
            return steps
        h = STEP * np.maximum(np.abs(mu), STEP)
        return steps * (self.family.mean(mu + h, dispersion) - self.family.mean(mu - h, dispersion)) / (2 * h)

    def variance(self, design: Design) -> np.ndarray:
        """Variance (D, n) of z'b at each row."""
        total = np.zeros((self.n_draws, design.n_rows))
        for term, factor in zip(design.groups, self.factors, strict=True):
            total += np.sum((term.Z @ factor) ** 2, axis=-1)
        return total


def has_draws(fit: Fit) -> bool:
    """Whether the uncertainty of a fit is in its draws.

    Raises
    ------
    FitError
        Something that is no fit.
    """
    if not hasattr(fit, "parameters") or not hasattr(fit, "model"):
        raise FitError(f'This takes a fit, such as model.fit("reml"), not {type(fit).__name__}.')
    return not hasattr(fit, "loglik")


def covariance_root(fit: Fit) -> np.ndarray:
    """F (p, p) with F F' the covariance of the coefficients of a point fit."""
    return cast("PointFit", fit).beta_root


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


def _refuse_infinite(found: np.ndarray, model: Model, question: Question) -> None:
    if question.kind == "population" and np.isinf(found).any():
        raise FitError(
            f"With the {model.family.link.name} link and normal random effects the population mean is not finite: use "
            'kind="conditional".'
        )
