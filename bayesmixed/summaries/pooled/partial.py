"""What does the model say of each group: fixed plus random effects, with their uncertainty together?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ...design.design import Design, GroupTerm
from .varying_columns import Within

if TYPE_CHECKING:
    from ...fits.base import Fit


def partial_rows(fit: Fit, of: Within) -> list[dict[str, Any]]:
    """Per level and coefficient of `of` the partially pooled estimate, in the order of `of.levels`, then `of.names`."""
    design = _asked(fit, of)
    terms = [j for j, term in enumerate(design.mu.groups) if term.factor == of.factor]
    values = design.eta(fit.parameters, terms)["mu"]
    errors = fit.prediction_errors
    if errors is None:
        estimate, se = values.mean(axis=0), values.std(axis=0, ddof=1)
        lower, upper = np.quantile(values, (0.025, 0.975), axis=0)
    else:
        estimate, se = values[0], np.sqrt(errors.variance(design, terms))
        lower, upper = estimate - ndtri(0.975) * se, estimate + ndtri(0.975) * se
    table, at = [], 0
    for level, own in zip(of.levels, of.rows, strict=True):
        for name in of.names:
            row = {"pooling": "partial", "level": level, "coefficient": name, "estimate": estimate[at], "se": se[at]}
            table.append(row | {"lower": lower[at], "upper": upper[at], "n": len(own), "note": ""})
            at += 1
    return table


def _asked(fit: Fit, of: Within) -> Design:
    """Rows (levels x names) whose linear predictor is one coefficient of one level, between-group columns carried."""
    design, L, K = fit.model.design, len(of.levels), len(of.names)
    level, name = np.repeat(np.arange(L), K), np.tile(np.array(of.names, dtype=object), L)
    X = np.zeros((L * K, len(fit.model.coefficients)))
    for j, coefficient in enumerate(fit.model.coefficients):
        X[name == coefficient, j] = 1.0
        if of.hosts.get(coefficient) is not None:
            at = name == of.hosts[coefficient]
            X[at, j] = of.multiples[coefficient][level[at]]
    position = np.tile(np.arange(K), L)
    groups = tuple(_term(term, of.carry.get(j), level, position) for j, term in enumerate(design.mu.groups))
    mu = replace(design.mu, X=X, offset=np.zeros(L * K), groups=groups)
    index = pd.RangeIndex(L * K)
    return replace(design, response=None, predictors={"mu": mu}, weights=None, trials=None, index=index)


def _term(term: GroupTerm, carry: np.ndarray | None, level: np.ndarray, position: np.ndarray) -> GroupTerm:
    """What the effects of a level's columns add to each of its coefficients; nothing for another factor's."""
    if carry is None:
        return replace(term, codes=np.zeros(len(level), dtype=np.int32), Z=np.zeros((len(level), len(term.columns))))
    return replace(term, codes=level.astype(np.int32), Z=carry[position])
