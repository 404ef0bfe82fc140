"""Are the log-likelihoods of these fits densities of the same data, each at its maximum?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...design.design import Design
from ...errors import FitError, brief
from ...fits.base import is_fit
from ...fits.point import PointFit
from .rows import common_order, refuse_different_rows


def refuse_other_than_likelihoods(fits: Sequence[Any], verb: str, several: bool = True) -> None:
    """Raise a FitError for anything but fits, for draws, and for penalised estimates.

    `verb` is the function asked, `several` whether it takes more than one.
    """
    for fit in fits:
        if not is_fit(fit):
            raise FitError(
                f"{verb} takes {'fits' if several else 'a fit'}, {_instead(fit, verb, several)}", topic="needs-a-fit"
            )
    if any(fit.sampled for fit in fits):
        raise FitError(
            f"{verb} compares maximised likelihoods, and draws have none. Of draws of every model: "
            "bm.loo_compare(one, other). " + 'Or fit by maximum likelihood: fit.model.fit("ml").',
            topic="needs-a-maximum",
        )
    for fit in fits:
        if fit.engine.regularised:
            raise FitError(
                f"{verb} compares maximised likelihoods; {fit.label} maximises a likelihood times a penalty, so that "
                'ratios of it follow no chi-squared law. Fit by maximum likelihood: fit.model.fit("ml").',
                topic="needs-a-maximum",
            )


def _instead(value: Any, verb: str, several: bool) -> str:
    if isinstance(value, list | tuple):
        starred = f"put a star before it, bm.{verb}(*fits)" if several else f"bm.{verb}(fit) of one after the other"
        return f"not a list: {starred}."
    if hasattr(value, "fit") and hasattr(value, "formula"):
        return f'not models: bm.{verb}(model.fit("reml")).'
    return f'such as model.fit("ml"), not {brief(value)}.'


def refuse_different_data(fits: Sequence[PointFit], names: Sequence[str]) -> None:
    """Raise a FitError where rows, responses, kinds of density or the integral over the effects differ."""
    _refuse_same_object(fits)
    _refuse_different_responses(fits)
    refuse_different_rows(fits, names)
    _refuse_different_values(fits, names)
    _refuse_different_measures(fits)
    _refuse_different_integrals(fits)


def _refuse_same_object(fits: Sequence[PointFit]) -> None:
    if len({id(fit) for fit in fits}) < len(fits):
        raise FitError(
            "The same fit is there twice: a comparison takes fits of different models, such as fit and "
            'fit.model.replace(formula=". ~ . - x").fit("ml"). bm.anova(fit) tests the terms of one.',
            topic="needs-several-fits",
        )


def _refuse_different_responses(fits: Sequence[PointFit]) -> None:
    """Responses of other names may still be the same successes of the same trials."""
    names = list(dict.fromkeys(_response(fit) for fit in fits))
    if len(names) > 1 and not all(_same_values(fits[0], fit) for fit in fits[1:]):
        raise FitError(
            f"The models have different responses ({', '.join(names)}): their likelihoods are densities of different "
            "things and do not compare. To compare a model of log(y) with one of y, fit the former as "
            'bm.Model("y ~ ...", data, family="lognormal").',
            topic="different-data",
        )


def _response(fit: PointFit) -> str:
    response = fit.model.design.response
    assert response is not None  # fitted
    return response.name


def _refuse_different_values(fits: Sequence[PointFit], names: Sequence[str]) -> None:
    for fit, name in zip(fits[1:], names[1:], strict=True):
        if not _same_values(fits[0], fit):
            raise FitError(
                f"The values of the response {_response(fit)!r} differ between {names[0]} and {name}: fit both models "
                "to one table, its rows in one order.",
                topic="different-data",
            )


def _same_values(one: PointFit, other: PointFit) -> bool:
    """Whether the responses, and their trials where there are such, are the same row for row."""
    rows, designs = common_order(one.model, other.model), (one.model.design, other.model.design)
    if rows is None:
        return False
    (y, trials), (z, others) = (_observed(design, at) for design, at in zip(designs, rows, strict=True))
    return np.array_equal(y, z) and np.array_equal(trials, others)


def _observed(design: Design, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Response and trials (n,), 1 where there are none."""
    assert design.response is not None  # fitted
    return design.response.y[rows], np.ones(len(rows)) if design.trials is None else design.trials[rows]


def _refuse_different_measures(fits: Sequence[PointFit]) -> None:
    """Probabilities against densities; rows that are counted by weights against rows that are not."""
    families = [fit.model.family for fit in fits]
    if len({family.discrete for family in families}) > 1:
        which = {family.discrete: family.name for family in families}
        raise FitError(
            f"{which[True]} gives probabilities and {which[False]} densities of the same response: their likelihoods "
            "do not compare. Take families of one kind.",
            topic="not-comparable",
        )
    counted = [_counted(fit) for fit in fits]
    for fit, weights in zip(fits[1:], counted[1:], strict=True):
        rows_a, rows_b = common_order(fits[0].model, fit.model) or (slice(None), slice(None))
        if not np.array_equal(counted[0][rows_a], weights[rows_b]):
            raise FitError(
                "The weights say how often each row counts, and they differ between the models: these are likelihoods "
                "of different data. Give both models the same weights=.",
                topic="different-data",
            )


def _counted(fit: PointFit) -> np.ndarray:
    """How often each row (n,) counts: 1 where weights are precisions, or there are none."""
    design, weights = fit.model.design, fit.model.design.weights
    return np.ones(design.n_rows) if weights is None or fit.model.family.weights == "precision" else weights


def _refuse_different_integrals(fits: Sequence[PointFit]) -> None:
    nodes = {fit.engine.quadrature for fit in fits if not fit.model.linear and fit.model.design.groups}
    if len(nodes) > 1:
        raise FitError(
            f"The effects were integrated out by {' and '.join(map(str, sorted(nodes)))} nodes: approximations of "
            f"different accuracy, whose difference is no likelihood ratio. Fit all with one number of nodes, such as "
            f'model.fit(bm.ML(quadrature={max(nodes)})), or Laplace\'s, model.fit("ml").',
            topic="not-comparable",
        )
