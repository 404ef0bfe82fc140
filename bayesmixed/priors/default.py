"""Which priors a model has when the user gives none: proper, visible, scaled to data and link."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..design.design import Design, GroupTerm, Predictor
from ..errors import ModelError
from ..families import Family, FamilyParameter, Link
from ..parameters.names import structure_of, term_names
from .centring import spans_constant, stated_spreads, triangular
from .distributions import Gamma, HalfNormal, HalfStudentT, InverseGamma, Lomax, Normal, Prior, StudentT, Uniform
from .origin import constant_column
from .priors import Priors
from .shapes import usual


def default(design: Design, family: Family) -> Priors:
    """The default table: weakly informative in the response's units.

    With m and s the location and spread of the response on the link scale, s_x the spread of a column and k the
    number of columns that all bars of a factor have together: Normal(m, 2.5 s) for the intercept at centred columns,
    Normal(0, 2.5 s / s_x) for slopes, half-Normal(s / (sqrt(k) s_z)) for sds where the link is the identity, so that
    a factor as a whole varies about as much as the response, half-Student-t(3, 0, s / (sqrt(k) s_z)) under other
    links, LKJ(2) for correlations, half-Student-t(3, 0, sd(y)) for sigma. Sds and correlations of a correlated bar
    are those for columns centred at their means. m and s come from the response, which is so used twice, weakly. Of a
    gamma's shape, a negative binomial's size and an inverse Gaussian's lambda over the mean, the coefficient of
    variation 1/sqrt(.) is half-Normal(0, 1), which makes them inverse-Gamma(1/2, 1/2 mean); of the excess variance
    phi of "negbinomial1", sqrt(phi / mean) is; of a precision phi, 1/sqrt(1 + phi) is uniform.

    A sigma with a predictor is Student-t(3, log sd(y), 2.5) on the scale of its logarithm, slopes Normal(0, 1 / s_x).
    A probability is uniform. A family of the user's own may have parameters of which no rule says anything: their
    priors must be given.
    """
    return Priors.of(_table(design, family, HalfNormal if family.link.linear else _heavy), "default")


def cautious(design: Design, family: Family) -> Priors:
    """The default with half-Student-t(3) sds whatever the link: room for factors that vary more than the response."""
    return Priors.of(_table(design, family, _heavy), "cautious")


def _heavy(scale: float) -> Prior:
    return HalfStudentT(3.0, scale)


def _table(design: Design, family: Family, of_sd: Callable[[float], Prior]) -> dict[str, Prior]:
    m, s = location_and_scale(design, family)
    chosen: dict[str, Prior] = _coefficients(design.mu, design.used, Normal(m, 2.5 * s), 2.5 * s)
    names = term_names(design)
    for group, named in zip(design.groups, names, strict=True):
        shared = s / np.sqrt(columns_of(design, group.factor))
        spreads = named.free.of_sds(_bar_spreads(group, design))
        chosen |= {sd: of_sd(float(shared / s_z)) for sd, s_z in zip(named.sds, spreads, strict=True)}
    chosen |= {name: usual(s) for named in names for name, s in zip(named.shapes, named.free.shapes, strict=True)}
    for parameter in family.others:
        if parameter.name in design.predictors:
            chosen |= _predicted(parameter, design, family)
        elif parameter.rule in RULES:
            chosen[parameter.name] = RULES[parameter.rule](response_used(design, family), family)
    return chosen


def _predicted(parameter: FamilyParameter, design: Design, family: Family) -> dict[str, Prior]:
    """Of the coefficients of a parameter with a log link: about its scale, a column multiplies by e or so."""
    centre = 0.0
    if parameter.role == "scale":
        centre = float(parameter.working(_response_spread(response_used(design, family), family)))
    predictor = design.predictors[parameter.name]
    return _coefficients(predictor, design.used, StudentT(3.0, centre, 2.5), 1.0)


def columns_of(design: Design, factor: str) -> int:
    """How many columns all bars of a factor have together."""
    return sum(group.Z.shape[1] for group in design.groups if group.factor == factor)


def location_and_scale(design: Design, family: Family) -> tuple[float, float]:
    """m and s: centre and spread of the response on the link scale, offset taken out."""
    m, s = _place(family.link)(response_used(design, family), family)
    return m, s if s > 0 and np.isfinite(s) else 1.0


def _place(link: Link) -> Callable[[Used, Family], tuple[float, float]]:
    """The rule for m and s."""
    if link.linear:
        return _identity
    if link.multiplicative:
        return _log
    return _probability if np.isfinite(link.range[1]) else _linearised


class Used(NamedTuple):
    """The rows of positive weight: `y` (n,), of successes their share, on the scale mu has; and their `weights`."""

    y: np.ndarray
    offset: np.ndarray
    weights: np.ndarray | None

    @property
    def mean(self) -> float:
        """The mean response."""
        return float(np.average(self.y, weights=self.weights))

    @property
    def mean_offset(self) -> float:
        """The mean offset."""
        return float(np.average(self.offset, weights=self.weights))


def response_used(design: Design, family: Family) -> Used:
    """The response of the rows used; of lognormal responses their logarithm.

    Weights are trials times frequencies; precisions do not change where the response is.
    """
    if design.response is None:
        raise ModelError(
            "Priors are scaled to the response, and this design has none: build it from a full table.",
            topic="no-response",
        )
    used = design.used
    y, weights = family.normalised(design.response.y[used]), None
    if family.weights == "frequency" and design.weights is not None:
        weights = design.weights[used]
    if design.trials is not None:
        y = y / design.trials[used]
        weights = design.trials[used] * (1.0 if weights is None else weights)
    return Used(y, design.mu.offset[used], weights)


def _identity(used: Used, family: Family) -> tuple[float, float]:
    return used.mean - used.mean_offset, spread(used.y - used.offset)


def _log(used: Used, family: Family) -> tuple[float, float]:
    w = np.ones(len(used.y)) if used.weights is None else used.weights
    total = float(w @ used.y)
    return float(np.log(total if total > 0 else 0.5) - np.log(w @ np.exp(used.offset))), 1.0


def _probability(used: Used, family: Family) -> tuple[float, float]:
    return float(family.link.forward(np.float64(_inside(used, family)))) - used.mean_offset, 1.0


def _linearised(used: Used, family: Family) -> tuple[float, float]:
    """A link without a rule of its own: g(mean) and sd(y) |g'(mean)|."""
    centre = np.float64(_inside(used, family))
    m = float(family.link.forward(centre)) - used.mean_offset
    return m, spread(used.y) * abs(float(family.link.slope(centre)))


def _inside(used: Used, family: Family) -> float:
    """The mean response, moved inside what the link reaches by 1 / (2n): of a probability, a count or an sd."""
    low, high = family.link.range
    unit = 1.0 if family.discrete or np.isfinite(high) else spread(used.y)
    margin = unit / (2 * len(used.y))
    return min(max(used.mean, low + margin), high - margin)


def column_spreads(columns: np.ndarray) -> np.ndarray:
    """s_x of each column (n, p) -> (p,): sd of a column of many values, range of two values, 1 of a constant."""
    return np.array([_column_spread(column) for column in columns.T])


def _column_spread(column: np.ndarray) -> float:
    low, high = column.min(), column.max()
    if low == high:
        return 1.0
    if np.all((column == low) | (column == high)):
        return float(high - low)
    return float(np.std(column, ddof=1))


def spread(y: np.ndarray) -> float:
    """sd with n - 1 of a response (n,), 0 for a single row."""
    return float(np.std(y, ddof=1)) if len(y) > 1 else 0.0


def _coefficients(predictor: Predictor, used: np.ndarray, level: Prior, sd: float) -> dict[str, Prior]:
    """`level` is the prior of the predictor itself, `sd` that of what one spread of a column adds to it."""
    X, prefix = predictor.X[used], predictor.prefix
    chosen: dict[str, Prior] = {f"{prefix}Intercept_centered": level} if predictor.has_intercept else {}
    constant = np.zeros(X.shape[1], dtype=bool) if predictor.has_intercept else spans_constant(X)
    spreads = column_spreads(X)
    if predictor.has_intercept or constant.any():
        T = triangular(X, predictor.coefficients, predictor.variables)
        spreads = stated_spreads(X, T, predictor.coefficients, spreads)
    for j, (name, s_x) in enumerate(zip(predictor.coefficients, spreads, strict=True)):
        if name != "Intercept":
            chosen[f"{prefix}{name}"] = level if constant[j] else Normal(0.0, sd / s_x)
    return chosen


def _bar_spreads(term: GroupTerm, design: Design) -> np.ndarray:
    """s_z (k,) of a bar's columns: about their means where the bar is correlated and has a constant among them."""
    Z = term.Z[design.used]
    if constant_column(term, structure_of(term), design) is None:
        return column_spreads(Z)
    return stated_spreads(Z, triangular(Z, term.columns, term.variables), term.columns, column_spreads(Z))


def _scale(used: Used, family: Family) -> Prior:
    return HalfStudentT(3.0, _response_spread(used, family))


def _response_spread(used: Used, family: Family) -> float:
    found = spread(used.y - used.offset if family.link.linear else used.y)
    return found if found > 0 else 1.0


def _variation(used: Used, family: Family) -> Prior:
    return InverseGamma(0.5, 0.5)


def _variation_of_the_mean(used: Used, family: Family) -> Prior:
    return InverseGamma(0.5, 0.5 * used.mean)


def _excess(used: Used, family: Family) -> Prior:
    return Gamma(0.5, 0.5 / max(used.mean, 0.5 / len(used.y)))


def _precision(used: Used, family: Family) -> Prior:
    return Lomax(0.5, 1.0)


# by what parameters say of themselves: their rule, or their role
RULES: dict[str, Callable[[Used, Family], Prior]] = {
    "scale": _scale,
    "tails": lambda used, family: Gamma(2.0, 0.1),
    "variation": _variation,
    "size": _variation,
    "variation of the mean": _variation_of_the_mean,
    "excess variance": _excess,
    "precision": _precision,
    "probability": lambda used, family: Uniform(0.0, 1.0),
}
