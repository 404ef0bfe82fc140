"""The ways to find degrees of freedom by name, and the one that a fit is judged by unless another is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

import numpy as np

from ..errors import FitError, nearest
from .reference import Fixed, Reference

if TYPE_CHECKING:
    from ..fits.base import Fit
    from ..fits.point import PointFit

# name -> module of this folder whose function `reference(fit)` makes it
METHODS = {
    "asymptotic": "asymptotic",
    "between-within": "between_within",
    "containment": "containment",
    "kenward-roger": "kenward_roger",
    "residual": "residual",
    "satterthwaite": "satterthwaite",
}
# what other programs call them
ELSEWHERE = dict.fromkeys(("z", "inf", "wald", "normal", "chisq"), "Did you mean 'asymptotic'?") | {
    "lme4": "lme4 gives no p-values: fit.summary() has its table; here it is one of " + ", ".join(METHODS) + ".",
    "t": "Did you mean 'satterthwaite'?",
    "bw": "Did you mean 'between-within'?",
}

# what was made, for as long as its fit lives: a reference must not hold the fit
_made: WeakKeyDictionary[PointFit, dict[str, Reference]] = WeakKeyDictionary()


def reference(fit: Fit, ddf: str | float | None = None) -> Reference:
    """What linear functions of a fit's coefficients are referred to.

    Parameters
    ----------
    ddf
        A method's name or a number of degrees of freedom; None for the default of the fit (`default`).

    Raises
    ------
    FitError
        Unknown names, numbers that are not positive, methods that do not apply to the fit.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> reference(fit, 17).df(np.array([[0.0, 1.0]]))
    array([17.])
    """
    if fit.sampled:
        raise FitError(
            "ddf= gives tests and limits of estimates their degrees of freedom. Draws need none: their limits are "
            "quantiles, which know that the variances are uncertain. Leave ddf out.",
            topic="degrees-of-freedom",
        )
    point = cast("PointFit", fit)
    name = default(point) if ddf is None else ddf
    if not isinstance(name, str):
        value = number(name)
        if np.isfinite(value):
            return Fixed(point.coefficient_root, f"t with {value:g} degrees of freedom", value)
        name = "asymptotic"
    if name not in METHODS:
        raise FitError(
            f"ddf={name!r} is not an option. {_nearest(name)} Or a number of degrees of freedom.",
            topic="degrees-of-freedom",
        )
    known = _made.setdefault(point, {})
    if name not in known:
        known[name] = _maker(name)(point)
    return known[name]


def default(fit: PointFit) -> str:
    """The method of a fit for which none is asked.

    Of linear models fitted by ML or REML whose sigma is estimated Satterthwaite's, residual degrees of freedom without
    bars; the normal distribution for all others.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> sleepstudy = bm.load_data("sleepstudy")
    >>> formulas = ["Reaction ~ Days + (Days | Subject)", "Reaction ~ Days"]
    >>> [default(bm.Model(formula, sleepstudy).fit("reml")) for formula in formulas]
    ['satterthwaite', 'residual']
    """
    model = fit.model
    if not model.linear or fit.engine.regularised or "sigma" in model.constants:
        return "asymptotic"
    if model.design.groups:
        return "satterthwaite"
    return "residual" if model.has_scale else "asymptotic"


def _nearest(name: str) -> str:
    """The method that is meant: by its first letters, its initials, or nearly all of its letters."""
    short = name.lower().strip(" .")
    if short.isdigit():
        return f"Did you mean ddf={short}?"
    if short in ELSEWHERE:
        return ELSEWHERE[short]
    for known in METHODS:
        if short and (known.startswith(short) or short == "".join(word[0] for word in known.split("-"))):
            return f"Did you mean {known!r}?"
    return nearest(short, METHODS)


def _maker(name: str) -> Callable[[Any], Reference]:
    found: Callable[[Any], Reference] = import_module(f".{METHODS[name]}", __package__).reference
    return found


def number(ddf: Any) -> float:
    """Degrees of freedom given as a number, infinite ones too.

    Raises
    ------
    FitError
        For what is no positive number.
    """
    try:
        value = float(ddf)
    except (TypeError, ValueError):
        value = np.nan
    if isinstance(ddf, bool) or not value > 0:
        raise FitError(f"ddf must be a positive number or a method's name, not {ddf!r}.", topic="degrees-of-freedom")
    return value
