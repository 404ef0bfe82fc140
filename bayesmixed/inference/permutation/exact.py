"""Is a permutation test exact: is what the model has besides the term the same for all that is exchanged?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .exchange import Exchange
from .relabelled import Labelled


def obstacles(labelled: Labelled, exchange: Exchange, by: str) -> list[str]:
    """Why it is only approximate, in words; none where it is exact."""
    design = labelled.model.design
    used = design.used
    found = [f"its effect varies in ({design.groups[j].text})" for j in labelled.bars]
    columns = {name: values[used] for name, values in _columns(labelled)}
    found += [f"{name} differs between them" for name, values in columns.items() if not exchange.alike(values)]
    for term in design.groups:
        if term.factor != by and not exchange.respects(term.codes[used]):
            found.append(f"they lie in different levels of {term.factor}")
    if not found and columns:
        rows = np.unique(np.column_stack(list(columns.values())), axis=0, return_inverse=True)[1]
        found += [] if exchange.alike(rows.ravel()) else ["combinations of the other columns differ between them"]
    return list(dict.fromkeys(found))


def _columns(labelled: Labelled) -> Iterator[tuple[str, np.ndarray]]:
    """What else the model has of each row (n,)."""
    design, mu = labelled.model.design, labelled.model.design.mu
    for j, name in enumerate(mu.coefficients):
        if j not in labelled.tested:
            yield name, mu.X[:, j]
    for what, values in (("the offset", mu.offset), ("the weight", design.weights), ("the size", design.trials)):
        if values is not None:
            yield what, values
    for j, term in enumerate(design.groups):
        if j not in labelled.bars:
            yield from (
                (f"{name} in ({term.text})", column) for name, column in zip(term.columns, term.Z.T, strict=True)
            )
