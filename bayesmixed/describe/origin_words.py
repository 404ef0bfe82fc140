"""What to say of the columns that priors refer to: where they are centred, and where zero is far from the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..messages import Told
from ..page import told
from ..parameters.names import TermNames, term_names
from ..priors.default import column_spreads
from ..priors.origin import constant_column, origins, stated_rows

if TYPE_CHECKING:
    from ..design.design import GroupTerm
    from ..model import Model


def origin_notes(model: Model) -> list[str]:
    """One sentence or two per bar whose priors could be mistaken; empty where there is nothing to say."""
    places = zip(model.design.groups, term_names(model.design), model.covariances, origins(model), strict=True)
    found = _fixed(model)
    for term, named, structure, A in places:
        if A is not None:
            found.append(_centred(term, named, model))
        elif far := _far(term, model):
            movable = constant_column(term, structure, model.design) is not None
            found.append(_typed(term, named, far, movable))
    return found


def _fixed(model: Model) -> list[str]:
    """Coefficients whose priors speak of the mean of something else, the intercept apart."""
    names: list[str] = []
    for predictor in model.design.predictors.values():
        shared = np.count_nonzero(stated_rows(predictor, model.design.used, model.priors), axis=1) > 1
        others = zip(predictor.coefficients, predictor.names, shared, strict=True)
        names += [name for column, name, other in others if other and column != "Intercept"]
    if not names:
        return []
    shown = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
    return [
        Told(
            "origin-of-priors",
            f"  The priors of {shown} are those at the mean of what they interact with (of a polynomial: at the "
            "mean); a coefficient named in priors= is the one as typed.",
        )
    ]


def _centred(term: GroupTerm, named: TermNames, model: Model) -> str:
    at = constant_column(term, model.covariances[model.design.groups.index(term)], model.design)
    assert at is not None  # the caller's condition
    means = term.Z[model.design.used].mean(axis=0)
    spreads = column_spreads(term.Z[model.design.used])
    others = [j for j, made_of in enumerate(term.variables) if j != at and len(made_of) == 1]
    shown = [f"{term.columns[j]} = {told(float(means[j]), float(spreads[j]))}" for j in others[:3]]
    where = ", ".join(shown) + (", ..." if len(others) > 3 else "")
    names = " and ".join((named.sds[at], *named.shapes))
    return Told("origin-of-priors", f"  The priors of {names} are those of {term.factor}'s line at the mean, {where}.")


def _far(term: GroupTerm, model: Model) -> list[tuple[str, float, float]]:
    """Name, mean and spread of columns whose zero lies further from the data's mean than they are spread."""
    Z = term.Z[model.design.used]
    means, spreads = Z.mean(axis=0), column_spreads(Z)
    varying = np.ptp(Z, axis=0) > 0
    shown = zip(term.columns, means, spreads, varying, strict=True)
    return [(str(n), float(m), float(s)) for n, m, s, v in shown if v and abs(m) > s]


def _typed(term: GroupTerm, named: TermNames, far: list[tuple[str, float, float]], movable: bool) -> str:
    name, mean, spread = far[0]
    bar = f"({', '.join(term.columns)} | {term.factor})"
    remedy = "bm.priors.centered(...) states them at the means" if movable else f"centre {name}, if zero means nothing"
    return Told(
        "origin-of-priors",
        f"  The priors of {bar} are stated where {name} is 0, and {name} has mean {told(mean, spread)} and "
        f"spread {spread:.3g}: they depend on what it is counted from ({remedy}).",
    )
