"""What a model is made of: its arguments checked, its formula and table turned into a design, its family chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from .design.build import build_design
from .design.design import Design
from .design.mistaken import surely_mistaken
from .design.response import Takes
from .errors import BayesMixedWarning, DataError, ModelError, nearest, warn
from .families import Family, Link, family, observed
from .formula.formula import Formula
from .parameters.names import structure_of


@dataclass(frozen=True, eq=False)
class ModelArguments:
    """What the user passed to `Model`, kept so that `replace` can make another."""

    formula: str | Formula
    data: Any
    family: str | Family = "gaussian"
    link: str | Link | None = None
    priors: Any = None
    weights: Any = None
    offset: Any = None
    contrasts: Mapping[str, Any] | None = None
    correlation: Any = None
    constants: Mapping[str, float] | None = None
    namespace: Mapping[str, Any] | None = None
    missing: str = "drop"
    check: str = "error"


def parts(arguments: ModelArguments) -> dict[str, Any]:
    """Validate and build everything a Model holds."""
    _check_options(arguments)
    formula = arguments.formula if isinstance(arguments.formula, Formula) else Formula(arguments.formula)
    kind = family(arguments.family, arguments.link)
    check_predictors(formula, kind)
    design, frame = build_design(
        formula,
        arguments.data,
        weights=arguments.weights,
        offset=arguments.offset,
        contrasts=arguments.contrasts,
        namespace=arguments.namespace,
        missing=arguments.missing,
        takes=Takes(kind.name, kind.takes_trials, kind.binary),
    )
    check_response(design, kind)
    for one in surely_mistaken(design):
        told = BayesMixedWarning(f"{one.what}; {one.remedy}.", topic="mistaken-column")
        warn(told)
    return {
        "arguments": arguments,
        "formula": formula,
        "design": design,
        "frame": frame,
        "family": kind,
        "covariances": tuple(structure_of(term) for term in design.groups),
        "constants": _constants(arguments.constants, kind, formula),
    }


def _check_options(arguments: ModelArguments) -> None:
    if arguments.missing not in ("drop", "error"):
        raise ModelError(
            f'missing={arguments.missing!r} is not an option. Use "drop" or "error".', topic="unknown-option"
        )
    if arguments.check not in ("error", "warn"):
        raise ModelError(f'check={arguments.check!r} is not an option. Use "error" or "warn".', topic="unknown-option")
    if arguments.correlation is not None:
        raise ModelError(
            "Residual correlation structures are not available yet. Leave out correlation=.",
            topic="residual-correlation",
        )


def check_predictors(formula: Formula, kind: Family) -> None:
    """Raise a ModelError for a formula of a parameter that cannot have it."""
    for name, side in formula.predictors.items():
        if name == "mu":
            continue
        if name not in kind.dispersion:
            raise ModelError(
                f"The {kind.name} family has no parameter {name!r}, so there is no formula for it. "
                f"{nearest(name, kind.dispersion, 'Its parameters besides the mean')}",
                topic="parameter-formulas",
            )
        if not kind.parameter(name).predicted or not kind.exact:
            raise ModelError(
                f"A formula for {name!r} cannot be fitted yet: of the {kind.name} family with link {kind.link.name} "
                f"only the mean has predictors. Leave out {name} ~ ...",
                topic="parameter-formulas",
            )
        if side.bars:
            raise ModelError(
                f"A formula for {name!r} cannot have random effects yet: effects on both the mean and {name} have no "
                f"exact likelihood. Leave out {side.bars[0].text}, or make {side.bars[0].group} a fixed factor there.",
                topic="parameter-formulas",
            )


def check_response(design: Design, kind: Family) -> None:
    """Refuse a formula without a response, and a response that the family cannot have."""
    response = design.response
    if response is None:
        raise DataError("The formula has no response. Write it as 'y ~ x + (1 | g)'.", topic="no-response")
    kind.check(observed(design), response.name, design.index)
    seen = observed(design, used := design.used)
    if used.any() and kind.says_nothing(seen, design.mu.offset[used]):
        shown = f"{seen.y[0]:g}" if seen.trials is None else "all of its trials" if np.any(seen.y) else "0"
        raise DataError(
            f"The response {response.name!r} is {shown} in every row: there is nothing to model.",
            topic="constant-response",
        )


def _constants(constants: Mapping[str, float] | None, kind: Family, formula: Formula) -> Mapping[str, float]:
    if constants is not None and not isinstance(constants, Mapping):
        raise ModelError(
            f'constants must be a dict such as constants={{"sigma": 0.5}}, not {constants!r}.', topic="constants"
        )
    given = dict(constants or {})
    for name, value in given.items():
        if name not in kind.dispersion:
            raise ModelError(
                f"constants has no parameter {name!r}. {nearest(name, kind.dispersion)}", topic="constants"
            )
        if name in formula.predictors:
            raise ModelError(
                f"{name!r} has a formula, so it cannot be held constant. Leave out constants[{name!r}], or "
                f"{name} ~ ...",
                topic="constants",
            )
        parameter = kind.parameter(name)
        if not (isinstance(value, int | float | np.number) and np.isfinite(value) and parameter.inside(float(value))):
            raise ModelError(f"constants[{name!r}] must be {parameter.where}, not {value!r}.", topic="constants")
    return MappingProxyType({name: float(value) for name, value in given.items()})
