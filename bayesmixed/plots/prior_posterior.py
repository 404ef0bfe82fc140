"""What the data added to the priors: each parameter's prior and posterior density on one axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from ..describe import implied
from ..errors import with_known_options
from ..parameters.names import TermNames, term_names
from ..priors.origin import origins, stated_rows
from .drawing import canvas, marks, theme
from .drawing.kernel_density import POINTS, kernel_density
from .drawing.picture import Picture, picture
from .shown.drawn import BOUNDS, chosen, refuse_point_fit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..covariance import Values
    from ..fits.base import Fit
    from ..model import Model

PANEL_HEIGHT = 1.15  # inches
_PER_ROW = 3
_MOST_TIMES = 8.0  # ranges of the posterior that a panel shows at most: a vague prior would squeeze it to a line
_PROBABILITIES = ndtr(np.linspace(-6, 6, 2401))
_NAME_LENGTH = 30


@with_known_options
def prior_posterior(fit: Fit, parameters: str | Sequence[str] | None = None, *, ax: Any = None) -> Picture:
    """Draw the prior and the posterior density of every parameter, one panel each.

    Parameters
    ----------
    fit
        A fit with draws, whose priors are the model's.
    parameters
        Names as ``print(model)`` gives its priors, such as ``"Days"`` or ``"1|Subject_sigma"``; None for all.
    ax
        One Axes per parameter; None for a new figure.

    Returns
    -------
    Picture
        One panel per parameter, with `prior_posterior_frame`. A panel holds the posterior, and the prior as far as
        eight times the posterior's range; a flat prior has no density and the panel says so.

    Raises
    ------
    FitError
        If the fit has no draws or no such parameter.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
    >>> [ax.get_title() for ax in bm.plot.prior_posterior(model.fit("laplace", seed=1))]
    ['Intercept_centered', '1|Batch_sigma', 'sigma']
    """
    frame = prior_posterior_frame(fit, parameters)
    names = list(dict.fromkeys(frame["parameter"]))
    with canvas.style(ax):
        axes = canvas.panels(len(names), ax, PANEL_HEIGHT, per_row=_PER_ROW, share=False, choose="parameters")
        for panel, name in zip(axes, names, strict=True):
            _panel(panel, frame[frame["parameter"] == name])
            panel.set_title(theme.wrapped(name, _NAME_LENGTH))
        if len(axes):
            axes[0].set_ylabel("density")
            entries = [("dashes", canvas.ink(axes[0]), "prior"), ("line", theme.ESTIMATE, f"posterior ({fit.label})")]
            marks.legend(axes[0], entries, outside=ax is None)
    return picture(axes, frame)


@with_known_options
def prior_posterior_frame(fit: Fit, parameters: str | Sequence[str] | None = None) -> pd.DataFrame:
    """What `prior_posterior` draws: two densities along a grid of values per parameter.

    Parameters
    ----------
    fit, parameters
        As in `prior_posterior`.

    Returns
    -------
    DataFrame
        parameter, value, prior, posterior (densities). The posterior is a kernel estimate. The prior of a number
        comes from its quantiles; that of correlations, and of sds whose block has one prior or one stated at the means
        of its columns, is a kernel estimate of 10,000 draws for the columns as typed; a flat one is missing.

    Raises
    ------
    FitError
        If the fit has no draws or no such parameter.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
    >>> frame = bm.plot.prior_posterior_frame(model.fit("laplace", seed=1), "sigma")
    >>> bool(frame["posterior"].max() > 3 * frame["prior"].max())
    True
    """
    refuse_point_fit(fit, "prior_posterior")
    pairs = _pairs(fit)
    names = chosen(parameters, list(dict.fromkeys([*pairs, *map(_prior_of, pairs)])), list(pairs))
    kept = [name for name in pairs if name in names or _prior_of(name) in names]
    return pd.concat([_tidy(name, pairs[name]) for name in kept], ignore_index=True)


@dataclass(frozen=True)
class _Pair:
    """Posterior draws (n,) of one number within (low, high); its prior as quantiles at `_PROBABILITIES`, or draws."""

    posterior: np.ndarray
    low: float
    high: float
    quantiles: np.ndarray | None = None
    draws: np.ndarray | None = None


def _prior_of(name: str) -> str:
    """The name of the prior that a panel belongs to: a correlation's pair of columns is in brackets."""
    return name.split(" [")[0]


def _pairs(fit: Fit) -> dict[str, _Pair]:
    model, found = fit.model, _coefficients(fit)
    drawn = implied.draw(model)
    flat = fit.parameters.flat()
    for j, (named, A) in enumerate(zip(term_names(model.design), origins(model), strict=True)):
        structure, factors = model.covariances[j], drawn.factors[j]
        posterior = flat.block(j, structure)
        prior = None if factors is None else structure.values(factors)
        found |= _sds(model, named, posterior.sds[0], prior, A is not None)
        found |= _shapes(named, model.design.groups[j].columns, posterior, prior)
    for name, values in flat.dispersion.items():
        if name in model.priors:
            bounds = model.family.parameter(name).bounds
            found[name] = _Pair(values.ravel(), *bounds, quantiles=_quantiles(model, name))
    return found


def _coefficients(fit: Fit) -> dict[str, _Pair]:
    model, flat = fit.model, fit.parameters.flat()
    values: dict[str, np.ndarray] = {}
    for predictor in model.design.predictors.values():
        stated = flat.coefficients[predictor.name][0] @ stated_rows(predictor, model.design.used, model.priors).T
        names = [name if name in model.priors else f"{name}_centered" for name in predictor.names]
        values |= dict(zip(names, stated.T, strict=True))
    return {
        name: _Pair(draws, *BOUNDS["fixed"], quantiles=_quantiles(model, name))
        for name, draws in values.items()
        if name in model.priors
    }


def _sds(model: Model, named: TermNames, sds: np.ndarray, prior: Values | None, moved: bool) -> dict[str, _Pair]:
    """Of columns as typed: the prior is drawn where it is one of the block, or stated for columns `moved`."""
    by_draws = moved or named.covariance in model.priors
    drawn = None if prior is None else prior.sds
    return {
        name: _Pair(
            sds[:, i],
            *BOUNDS["sd"],
            quantiles=None if by_draws else _quantiles(model, name),
            draws=drawn[:, i] if by_draws and drawn is not None else None,
        )
        for i, name in enumerate(named.sds)
    }


def _shapes(named: TermNames, columns: Sequence[str], posterior: Values, prior: Values | None) -> dict[str, _Pair]:
    found = {}
    for place, (name, shape) in enumerate(zip(named.shapes, named.free.shapes, strict=True)):
        numbers = shape.numbers(shape.stated(posterior.shapes[place]), columns)
        drawn = {} if prior is None else shape.numbers(shape.stated(prior.shapes[place]), columns)
        for at, values in numbers.items():
            label = name if len(numbers) == 1 else f"{name} [{', '.join(at)}]"
            found[label] = _Pair(values[0], *BOUNDS["cor"], draws=drawn.get(at))
    return found


def _quantiles(model: Model, name: str) -> np.ndarray | None:
    prior = model.priors.distribution(name)
    return np.asarray(prior.quantile(_PROBABILITIES), dtype=float) if prior.proper else None


def _tidy(name: str, pair: _Pair) -> pd.DataFrame:
    low, high = _window(pair)
    value = np.linspace(low, high, 2 * POINTS)
    known, density = kernel_density(pair.posterior, pair.low, pair.high)
    columns: Mapping[str, Any] = {
        "parameter": name,
        "value": value,
        "prior": _prior_density(pair, value),
        "posterior": np.interp(value, known, density, left=0.0, right=0.0),
    }
    return pd.DataFrame(columns)


def _window(pair: _Pair) -> tuple[float, float]:
    """The posterior with a margin, and the central 95 % of the prior as far as it is not many times wider."""
    if np.isfinite(pair.high - pair.low):
        return pair.low, pair.high
    first, last = float(pair.posterior.min()), float(pair.posterior.max())
    span = (last - first) or 1.0
    low, high = first - 0.1 * span, last + 0.1 * span
    ends = _central(pair)
    if ends is not None:
        reach = (_MOST_TIMES - 1) / 2 * span
        low, high = min(low, max(ends[0], first - reach)), max(high, min(ends[1], last + reach))
    return max(low, pair.low), min(high, pair.high)


def _central(pair: _Pair) -> tuple[float, float] | None:
    if pair.quantiles is not None:
        low, high = np.interp([0.025, 0.975], _PROBABILITIES, pair.quantiles)
    elif pair.draws is not None:
        low, high = np.quantile(pair.draws, [0.025, 0.975])
    else:
        return None
    return float(low), float(high)


def _prior_density(pair: _Pair, value: np.ndarray) -> np.ndarray:
    if pair.quantiles is not None:
        places, first = np.unique(pair.quantiles, return_index=True)
        density = np.gradient(_PROBABILITIES[first], places)
        return np.interp(value, places, density)
    if pair.draws is None:
        return np.full(len(value), np.nan)
    near = pair.draws[(pair.draws >= value[0]) & (pair.draws <= value[-1])]
    if len(near) < 2:
        return np.zeros(len(value))
    known, density = kernel_density(near, value[0], value[-1])
    return np.interp(value, known, density, left=0.0, right=0.0) * len(near) / len(pair.draws)


def _panel(ax: Axes, rows: pd.DataFrame) -> None:
    value = rows["value"]
    ax.fill_between(value, 0, rows["posterior"], color=theme.INTERVAL_MANY, lw=0, zorder=1)
    ax.plot(value, rows["posterior"], color=theme.ESTIMATE, lw=theme.LINE, zorder=2)
    ax.plot(value, rows["prior"], color=canvas.ink(ax), lw=1.0, ls=marks.DASHES, zorder=3)
    if rows["prior"].isna().all():
        ax.text(0.98, 0.9, "flat prior", transform=ax.transAxes, ha="right", fontsize=8)
    ax.set_yticks([])
    ax.set_ylim(0, 1.08 * max(rows["posterior"].max(), np.nan_to_num(rows["prior"]).max()))
    ax.set_xlim(value.iloc[0], value.iloc[-1])
    ax.spines["left"].set_visible(False)
    ax.locator_params(axis="x", nbins=4)
