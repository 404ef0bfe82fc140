"""The text of a whole script: what it says of itself, its model, and what its draws are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...families import observed
from ...interop.naming import observed_dataset, posterior_dataset
from ...parameters.values import Parameters, compact
from .assemble import Body, body, explicit_lines
from .collapsed import collapsed_lines
from .frame import COORDS, FRAME
from .scope import quoted
from .text import Script

if TYPE_CHECKING:
    import xarray as xr

    from ...model import Model


def script(model: Model, collapsed: bool) -> Script:
    """The script of a model and its arrays; every effect is sampled, or all are integrated out."""
    posterior, seen = posterior_dataset(model, _any_point(model)), _observed_rows(model)
    parts = body(model, map(str, posterior.data_vars))
    written = collapsed_lines(parts) if collapsed else explicit_lines(parts)
    response = quoted(str(next(iter(seen.data_vars))))
    imports, definitions = _imports_first(written.definitions.strip())
    dims = {str(name): [str(dim) for dim in values.dims[2:]] for name, values in posterior.data_vars.items()}
    text = FRAME.format(
        title=_in_docstring(model.formula.line),
        about=_in_docstring(_about(model, parts)),
        imports=imports,
        definitions=f"\n\n\n{definitions}" if definitions else "",
        model=_indented(written.model),
        after=f"\n\n{written.after.strip()}\n" if written.after else "",
        draws=written.draws,
        dims="\n".join(f"    {quoted(name)}: [{', '.join(map(quoted, found))}]," for name, found in dims.items()),
        observed=f"{response}: {_as_written(model, parts)}",
        rows=f'{response}: ["__obs__"]',
        mark=quoted(COORDS),
    )
    return Script(text, parts.scope.arrays | _coordinates(posterior, seen))


def _any_point(model: Model) -> Parameters:
    """Parameters of the right shapes: what draws of them are called is asked."""
    design = model.design
    pairs = zip(design.groups, model.covariances, strict=True)
    factors = [compact(np.eye(len(group.columns)), structure) for group, structure in pairs]
    return Parameters.point(
        {name: np.zeros(len(predictor.coefficients)) for name, predictor in design.predictors.items()},
        factors,
        [np.zeros((group.n_levels, len(group.columns))) for group in design.groups],
        dict.fromkeys(model.dispersion, 1.0),
    )


def _observed_rows(model: Model) -> xr.Dataset:
    """The response of the rows that say something."""
    return observed_dataset(model).isel(__obs__=np.flatnonzero(model.design.used))


def _coordinates(*datasets: xr.Dataset) -> dict[str, np.ndarray]:
    every = {str(dim): labels.to_numpy() for data in datasets for dim, labels in data.coords.items()}
    return {f"{COORDS}{dim}": labels for dim, labels in every.items() if dim not in ("chain", "draw")}


def _as_written(model: Model, parts: Body) -> str:
    """The response as the left side of the formula has it."""
    response = model.design.response
    assert response is not None  # the likelihood has asked for it
    y = parts.scope.array(response.name, observed(model.design, model.design.used).y, "")
    if not response.proportion:
        return y
    return f"{y} / {parts.scope.array('trials', observed(model.design, model.design.used).trials, '')}"


def _imports_first(text: str) -> tuple[str, str]:
    """The lines at the head of what stands above the model that import something, and the rest."""
    lines = text.splitlines(keepends=True)
    last = next((i for i, line in enumerate(lines) if not line.startswith(("from ", "import "))), len(lines))
    return "".join(lines[:last]), "".join(lines[last:]).strip()


def _about(model: Model, parts: Body) -> str:
    """The model in words, and what the file of arrays holds."""
    family, scope = model.family, parts.scope
    words = f"{family.words or family.name} responses, {family.link.words} link, {int(model.design.used.sum())} rows"
    lines = [
        f"A Bayesian model of {words}: what bayesmixed fits, as a NumPyro program by itself.",
        "Run it as it is, or import `model`, `sample` and `to_arviz` from it after numpyro.enable_x64(). Its arrays",
        'are in the file of the same name that ends in .npz; bayesmixed\'s model.code("name.py") writes both. It holds',
        "",
    ]
    width = max(map(len, scope.arrays))
    for name, values in scope.arrays.items():
        shape = " x ".join(map(str, values.shape))
        lines.append(f"    {name:<{width}}  {shape:<9}  {scope.about[name]}")
    return "\n".join([*lines, "", 'and, as "coords ...", the labels of levels, columns and rows.'])


def _indented(lines: list[str]) -> str:
    return "\n".join(f"    {line}" if line else "" for line in lines)


def _in_docstring(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
