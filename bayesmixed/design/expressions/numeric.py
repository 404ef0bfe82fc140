"""The numeric functions a formula may call, row by row: R's names and numpy's."""

from __future__ import annotations

from collections.abc import Callable
from math import e
from typing import Any

import numpy as np


def _log(x: Any, base: float = e) -> Any:
    return np.log(x) if base == e else np.log(x) / np.log(base)


def _round(x: Any, digits: float = 0) -> Any:
    return np.round(x, int(digits))


def _power(x: Any, exponent: Any) -> Any:
    return np.power(x, exponent)


def _extreme(function: Callable[..., Any]) -> Callable[..., Any]:
    def among(*values: Any) -> Any:
        result = values[0]
        for value in values[1:]:
            result = function(result, value)
        return result

    return among


def _one(function: Callable[..., Any]) -> Callable[[Any], Any]:
    """A NumPy function of one argument, so that a formula cannot reach its `out=` and `where=`."""
    return lambda x: function(x)


def _from_scipy(name: str) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        import scipy.special

        return getattr(scipy.special, name)(x)

    return function


NUMERIC: dict[str, Callable[..., Any]] = {
    "exp": _one(np.exp),
    "expm1": _one(np.expm1),
    "sqrt": _one(np.sqrt),
    "square": _one(np.square),
    "power": _power,
    "log": _log,
    "log2": _one(np.log2),
    "log10": _one(np.log10),
    "log1p": _one(np.log1p),
    "abs": _one(np.abs),
    "sign": _one(np.sign),
    "floor": _one(np.floor),
    "ceiling": _one(np.ceil),
    "ceil": _one(np.ceil),
    "trunc": _one(np.trunc),
    "round": _round,
    "pmin": _extreme(np.minimum),
    "pmax": _extreme(np.maximum),
    "minimum": _extreme(np.minimum),
    "maximum": _extreme(np.maximum),
    "qlogis": _from_scipy("logit"),
    "logit": _from_scipy("logit"),
    "plogis": _from_scipy("expit"),
    "inv_logit": _from_scipy("expit"),
    "qnorm": _from_scipy("ndtri"),
    "probit": _from_scipy("ndtri"),
    "pnorm": _from_scipy("ndtr"),
}
for _function in ("sin", "cos", "tan"):
    NUMERIC[_function] = _one(getattr(np, _function))
    NUMERIC[f"{_function}h"] = _one(getattr(np, f"{_function}h"))
    for _suffix in ("", "h"):  # R's asin is numpy's arcsin
        NUMERIC[f"a{_function}{_suffix}"] = _one(getattr(np, f"arc{_function}{_suffix}"))
        NUMERIC[f"arc{_function}{_suffix}"] = NUMERIC[f"a{_function}{_suffix}"]
