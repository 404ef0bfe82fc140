"""Fits that a comparison needs besides those it is given: by ML, from another start, of a smaller formula."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...engines import ML
from ...errors import BayesMixedError, FitError
from ...fits.point import PointFit
from ...formula.formula import Formula
from ...formula.variables import columns_in
from ...likelihood.at import heteroscedastic_of, laplace_of, likelihood_of
from ...likelihood.working.theta import Theta
from ...model import Model
from .nested import Nesting


def by_ml(fit: PointFit) -> PointFit:
    """The ML fit of a model that was fitted by REML; an ML fit as it is."""
    if not fit.engine.restricted:
        return fit
    options = {name: getattr(fit.engine, name) for name in ("optimizer", "maxiter")}
    return fitted_quietly(fit.model, ML(**options))


def from_smaller(small: PointFit, large: PointFit, found: Nesting) -> PointFit:
    """The larger model fitted again from the estimates of the smaller one; `large` where no fit starts there."""
    try:
        roots = found.bars.embedded(small.factors, [len(term.columns) for term in large.model.design.groups])
        start = [float(value) for value in layout(large.model).reported_of(roots)]
        return fitted_quietly(large.model, replace(large.engine, start=start))  # type: ignore[type-var]
    except (BayesMixedError, np.linalg.LinAlgError, TypeError):  # TypeError: of an engine that takes no start
        return large


def engine_without_start(engine: Any) -> Any:
    """An engine for another model: a start that was given is of the one it was given for."""
    return engine if getattr(engine, "start", None) is None else replace(engine, start=None)


def on_the_same_rows(model: Model, formula: Formula) -> Model:
    """The model of another formula on the rows that `model` used, whatever values the new formula would not miss.

    Responses, weights and offsets are the model's own, arrays included.
    """
    design, arguments = model.design, model.arguments
    encoding = design.encoding
    proportion = design.response is not None and design.response.proportion
    weights = (encoding.trials, design.trials) if proportion else (encoding.weights, design.weights)
    found = replace(
        arguments,
        formula=formula,
        data=model.frame,
        priors=None,
        contrasts=_contrasts(arguments.contrasts, formula),
        weights=_given(*weights),
        offset=_given(encoding.offset, None),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = Model(**{name: getattr(found, name) for name in found.__dataclass_fields__})
    if arguments.data is None and design.response is not None:  # its response is no column of the table
        return other.with_response(design.written(design.response.y))
    return other


def _contrasts(given: Mapping[str, Any] | None, formula: Formula) -> dict[str, Any] | None:
    """Those of the factors that terms of a formula have: of others they would be a mistake."""
    terms = [term for side in formula.predictors.values() for term in side.terms]
    terms += [term for side in formula.predictors.values() for bar in side.bars for term in bar.terms]
    names = {name for term in terms for atom in term.atoms for name in columns_in(atom)}
    return {name: value for name, value in (given or {}).items() if name in names} or None


def _given(given: Any, values: np.ndarray | None) -> Any:
    if given is None:
        return None
    return given.text if given.text is not None else (given.array if values is None else values)


def layout(model: Model) -> Theta:
    """What `start=` of an engine for that model is laid out by."""
    if model.has_scale:
        return likelihood_of(model).theta
    return heteroscedastic_of(model).rows.theta if model.linear else laplace_of(model).theta


def fitted_quietly(model: Model, engine: Any) -> PointFit:
    """A fit whose warnings are in its status."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: Any = model.fit(engine)
    if found.sampled:
        raise FitError("A likelihood-ratio test needs fits by maximum likelihood.", topic="needs-a-maximum")
    return found
