"""Which numbers of a model are ranked: every parameter of the population, some effects, the log-likelihood."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...families import observed
from ...parameters.names import term_names
from ...parameters.predicted import predicted
from ...parameters.values import Parameters

if TYPE_CHECKING:
    from ...model import Model

CHUNK = 2**21  # draws x rows x columns held at once (16 MiB)
LOG_LIKELIHOOD = "log-likelihood"


def scalars(model: Model, parameters: Parameters) -> dict[str, np.ndarray]:
    """Arrays (chains, draws) by name.

    Fixed effects by coefficient; "1|Subject_sigma"; "Subject_corr[Intercept, Days]" for each pair; free dispersion
    parameters; of each bar the effects of its first level, "1|Subject[308]".
    """
    found = {name: parameters.stacked[..., j] for j, name in enumerate(model.design.coefficients)}
    groups, names = model.design.groups, term_names(model.design)
    blocks = [parameters.block(j, structure) for j, structure in enumerate(model.covariances)]
    for named, values in zip(names, blocks, strict=True):
        found |= {sd: values.sds[..., k] for k, sd in enumerate(named.sds)}
    for group, named, values in zip(groups, names, blocks, strict=True):
        for name, shape, value in zip(named.shapes, named.free.shapes, values.shapes, strict=True):
            numbers = shape.numbers(shape.stated(value), group.columns)
            found |= {f"{name}[{', '.join(at)}]" if at else name: each for at, each in numbers.items()}
    found |= {name: value for name, value in parameters.dispersion.items() if name not in model.constants}
    for j, named in enumerate(names):
        effects = parameters.b[j][..., 0, :]
        found |= {f"{name}[{groups[j].levels[0]}]": effects[..., k] for k, name in enumerate(named.effects)}
    return found


def log_likelihood(model: Model, parameters: Parameters) -> np.ndarray:
    """log p(y | parameters, effects) of the model's response for every draw, (chains * draws,)."""
    flat, design = parameters.flat(), model.design
    used = design.used
    if design.response is None:
        return np.zeros(flat.n_draws)
    seen = observed(design, used)
    wide = design.n_rows * max([1, *(group.Z.shape[1] for group in design.groups)])
    step = max(1, CHUNK // wide)
    sums = []
    for first in range(0, flat.n_draws, step):
        part = flat.take(slice(first, first + step))
        found = predicted(model.family, design, part).at(used)
        with np.errstate(over="ignore"):  # -inf for draws that are far off
            sums.append(model.family.log_density(seen, found.eta, found.dispersion).sum(axis=1))
    return np.concatenate(sums)
