"""The hypotheses of types I, II and III: for each term the rows L of L beta = 0, as lmerTest and SAS have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...effects.rows.used_columns import row_counts
from ...errors import FitError
from .contained import containing, droppable
from .estimable import sequential, type_three
from .indicators import INTERCEPT, FixedPart, FixedTerm, fixed_part

if TYPE_CHECKING:
    from ...model import Model


def hypotheses(model: Model, kind: int) -> dict[str, np.ndarray]:
    """Rows (m, p) on the coefficients of the mean by term, without the intercept; m = 0 where nothing can be tested.

    Type I adjusts a term for those before it, type II for all that do not contain it, type III takes SAS's estimable
    functions (`estimable.type_three`). All three are the same whatever contrasts the model has. The rows are those of
    treatment contrasts with the first level as reference: of several that span the same hypothesis, Satterthwaite's
    degrees of freedom depend a little on which.

    Parameters
    ----------
    kind
        1, 2 or 3.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("distance ~ age * Sex + (1 | Subject)", bm.load_data("Orthodont"))
    >>> {name: (rows.round(2) + 0.0).tolist() for name, rows in hypotheses(model, 3).items()}
    {'age': [[0.0, 1.0, 0.0, 0.5]], 'Sex': [[0.0, 0.0, 1.0, 0.0]], 'age:Sex': [[0.0, 0.0, 0.0, 1.0]]}
    """
    part = _told_apart(fixed_part(model, _root_weights(model)))
    make = {1: _first, 2: _second, 3: _third}[kind]
    return _on_coefficients(part, {term.name: make(part, term) for term in part.tested})


def in_order(model: Model, root: np.ndarray) -> dict[str, np.ndarray]:
    """Rows (m, p) by term of what it explains after those before it, in units of what is known of it: nlme's sequence.

    With R the Cholesky factor of the information (F F')^-1 of the coefficients, F = `root` (p, q), these are a term's
    rows of R, estimated independently with variance 1 (Pinheiro & Bates 2000, section 2.4.2).
    """
    upper = np.linalg.qr(root.T, mode="r")  # of the covariance
    information = np.linalg.inv(upper)
    R: np.ndarray = np.linalg.qr(information.T, mode="r")  # type: ignore[assignment]
    return {name: R[list(at)] for name, at in model.design.mu.terms.items() if name != INTERCEPT}


def deletions(model: Model) -> dict[str, np.ndarray]:
    """Rows (m, p) by term that can be dropped alone: what it adds to all others."""
    part = _told_apart(fixed_part(model, _root_weights(model)))
    return _on_coefficients(part, {term.name: _marginal(part, term) for term in droppable(part.tested)})


def _on_coefficients(part: FixedPart, rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: c @ part.R for name, c in rows.items()}


def _told_apart(part: FixedPart) -> FixedPart:
    """The same, if the terms one after the other share out all columns of the model: none lost, none counted twice."""
    found = sum(len(_first(part, term)) for term in part.terms)
    if found != len(part.R):
        raise FitError(
            f"Rounding hides which terms are which: {found} of {len(part.R)} columns of the fixed part can be told "
            "apart. Centre the numeric columns, as in scale(x), or count dates from a later start.",
            topic="rounding",
        )
    return part


def _first(part: FixedPart, term: FixedTerm) -> np.ndarray:
    return sequential(term, part.terms[: part.terms.index(term)])


def _second(part: FixedPart, term: FixedTerm) -> np.ndarray:
    above = containing(term, part.terms)
    if len(part.tested) == 1:
        return _first(part, term)
    return sequential(term, _without(part, term, above)) if above else _marginal(part, term)


def _third(part: FixedPart, term: FixedTerm) -> np.ndarray:
    if len(part.tested) == 1:
        return _first(part, term)
    above = containing(term, part.terms)
    return type_three(term, _without(part, term, above), above)


def _marginal(part: FixedPart, term: FixedTerm) -> np.ndarray:
    return type_three(term, _without(part, term, ()), ())


def _without(part: FixedPart, term: FixedTerm, above: tuple[FixedTerm, ...]) -> list[FixedTerm]:
    gone = {term.name, *(other.name for other in above)}
    return [other for other in part.terms if other.name not in gone]


def _root_weights(model: Model) -> np.ndarray | None:
    """Roots of what rows count in sums of squares: frequencies, trials, and a linear model's weights without bars.

    With bars, cross-products are of plain rows, as lmerTest's: there weights are in the covariance alone.
    """
    design = model.design
    if model.linear:
        return None if design.groups or design.weights is None else np.sqrt(design.weights)
    counts = np.ones(design.n_rows)
    frequencies = row_counts(model)
    if frequencies is not None:
        counts[design.used] *= frequencies
    return np.sqrt(counts if design.trials is None else counts * design.trials)
