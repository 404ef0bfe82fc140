"""Parameter values that a user states by name: which a model needs, whether they are possible, and as draws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..covariance import CORRELATION, Covariance, Shape, Values
from ..design.design import Design
from ..errors import ModelError, nearest
from ..families import Family, FamilyParameter
from ..parameters.names import TermNames, canonical, structure_of, term_names
from ..parameters.values import Parameters, compact, principal_root

ROUNDING = 1e-8  # how far a correlation matrix may be from symmetric, of unit diagonal, without negative eigenvalues


def stated(design: Design, family: Family, params: Mapping[str, Any]) -> Parameters:
    """The values of `params` as one draw, random effects zero.

    Raises
    ------
    ModelError
        Parameters that are missing (with the whole dict), unknown or impossible.
    """
    if not isinstance(params, Mapping):
        raise ModelError(
            f'params must be a dict such as {{"Intercept": 0.0, "sigma": 1.0}}, not {params!r}.',
            topic="stated-parameters",
        )
    needed = needed_names(design, family)
    given = _spread_terms(design, _spelled(params, [*needed, *_vectors(design)]))
    unknown = [name for name in given if name not in needed]
    if unknown:
        raise ModelError(_unknown(design, unknown[0], needed), topic="stated-parameters")
    missing = [name for name in needed if name not in given]
    if missing:
        raise ModelError(_missing(missing, needed | given), topic="stated-parameters")
    values = {name: given[name] for name in needed}
    return _parameters(design, family, values)


def needed_names(design: Design, family: Family) -> dict[str, float]:
    """Every parameter of a model by name, with a value that is possible for it.

    Raises
    ------
    ModelError
        Where two have one name.
    """
    named = term_names(design)
    found = [(name, 0.0) for name in design.coefficients]
    found += [(sd, 1.0) for names in named for sd in names.sds]
    found += [(shape, 0.0) for names in named for shape in names.shapes]
    found += [(each.name, float(each.value(0.0))) for each in _plain_parameters(design, family)]
    twice = [name for name, count in Counter(name for name, _ in found).items() if count > 1]
    if twice:
        raise ModelError(
            f"Two parameters are called {twice[0]!r}: rename the column {twice[0]!r} in the table.", topic="name-taken"
        )
    return dict(found)


def _plain_parameters(design: Design, family: Family) -> list[FamilyParameter]:
    """The family's parameters besides the mean that have no predictor."""
    return [parameter for parameter in family.others if parameter.name not in design.predictors]


def _spelled(params: Mapping[str, Any], known: list[str]) -> dict[str, Any]:
    """The same with the names of interactions as the model has them: b:a for a:b."""
    spelling = {canonical(name): name for name in known}
    return {spelling.get(canonical(str(name)), str(name)): value for name, value in params.items()}


def _vectors(design: Design) -> dict[str, list[str]]:
    """Coefficients of each term that has a name of its own: a factor's, those of poly()."""
    every = design.predictors.values()
    terms = {f"{p.prefix}{name}": [p.names[j] for j in at] for p in every for name, at in p.terms.items()}
    return {name: columns for name, columns in terms.items() if columns and columns != [name]}


def _spread_terms(design: Design, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of whole terms under the names of their coefficients."""
    vectors, found = _vectors(design), dict(given)
    for name in [name for name in given if name in vectors]:
        columns, values = vectors[name], np.atleast_1d(np.asarray(found.pop(name)))
        if values.shape != (len(columns),):
            raise ModelError(
                f"params[{name!r}] must have one number per column: {', '.join(columns)}.", topic="stated-parameters"
            )
        found |= dict(zip(columns, values, strict=True))
    return found


def _unknown(design: Design, name: str, needed: Mapping[str, float]) -> str:
    if name in [f"{each.prefix}{aliased}" for each in design.predictors.values() for aliased in each.aliased]:
        return f"params[{name!r}]: that column is a combination of others in this table and has no coefficient."
    return f"params has {name!r}, which is not a parameter of this model. {nearest(name, needed, 'Parameters')}"


def _missing(missing: list[str], values: Mapping[str, Any]) -> str:
    shown = " and ".join(map(repr, missing)) if len(missing) < 3 else ", ".join(map(repr, missing))
    entries = ", ".join(f'"{name}": {_plain(value)}' for name, value in values.items())
    return f"params lacks {shown}. All that the model has, 0 and 1 standing for what was missing:\nparams={{{entries}}}"


def _plain(value: Any) -> str:
    return repr(value.tolist() if isinstance(value, np.ndarray | np.generic) else value)


def _parameters(design: Design, family: Family, values: Mapping[str, Any]) -> Parameters:
    named = term_names(design)
    every = design.predictors.items()
    coefficients = {key: np.array([_number(name, values[name]) for name in each.names]) for key, each in every}
    factors = [_factor(structure_of(term), names, values) for term, names in zip(design.groups, named, strict=True)]
    dispersion = {each.name: _possible(each, values[each.name]) for each in _plain_parameters(design, family)}
    effects = [np.zeros((term.n_levels, term.Z.shape[1])) for term in design.groups]
    return Parameters.point(coefficients, factors, effects, dispersion)


def _possible(parameter: FamilyParameter, value: Any) -> float:
    number = _number(parameter.name, value)
    if not parameter.inside(number):
        raise ModelError(
            f"params[{parameter.name!r}] must be {parameter.where}, not {number:g}.", topic="stated-parameters"
        )
    return number


def _factor(structure: Covariance, names: TermNames, values: Mapping[str, Any]) -> np.ndarray:
    k = len(names.effects)
    sds = np.array([_number(name, values[name], least=0.0) for name in names.sds])
    shapes = [_shape(name, s, values[name], k) for name, s in zip(names.shapes, names.free.shapes, strict=True)]
    return compact(structure.factor_from(Values(sds, tuple(shapes)), k, np), structure)


def _shape(name: str, shape: Shape, value: Any, k: int) -> Any:
    if shape.support == CORRELATION:
        return principal_root(_correlation(name, value, k))
    number, (low, high) = _number(name, value), shape.ends
    if not low <= number <= high:
        raise ModelError(
            f"params[{name!r}] must be between {low:.4g} and {high:.4g}, not {number:g}.", topic="stated-parameters"
        )
    return np.array(number)


def _number(name: str, value: Any, least: float = -np.inf) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ModelError(f"params[{name!r}] must be a number, not {value!r}.", topic="stated-parameters") from None
    if not np.isfinite(number) or number < least:
        raise ModelError(
            f"params[{name!r}] must be {'0 or more' if least == 0 else 'a finite number'}, not {number:g}.",
            topic="stated-parameters",
        )
    return number


def _correlation(name: str, value: Any, k: int) -> np.ndarray:
    """A correlation matrix (k, k) from a number for all pairs, or a matrix."""
    try:
        matrix = np.array(value, dtype=float)
    except (TypeError, ValueError):
        raise ModelError(
            f"params[{name!r}] must be a number or a matrix, not {value!r}.", topic="stated-parameters"
        ) from None
    if matrix.ndim == 0:
        matrix = np.where(np.eye(k) == 1, 1.0, matrix)
    if matrix.shape != (k, k):
        raise ModelError(
            f"params[{name!r}] must be a number or a matrix ({k}, {k}), not of shape {matrix.shape}.",
            topic="stated-parameters",
        )
    symmetric = np.allclose(matrix, matrix.T, atol=ROUNDING) and np.allclose(np.diag(matrix), 1.0, atol=ROUNDING)
    if not symmetric or np.linalg.eigvalsh(matrix)[0] < -ROUNDING:
        raise ModelError(
            f"params[{name!r}] is not a correlation matrix: it must be symmetric with ones on its diagonal, and no "
            "combination of its columns may have a negative variance.",
            topic="stated-parameters",
        )
    return matrix
