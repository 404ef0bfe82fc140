"""A model's program as a drawing, where graphviz is at hand, and as indented words where not."""

from __future__ import annotations

import shutil
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelError
from ..page.files import checked
from .code.script import script
from .machine.x64 import x64

if TYPE_CHECKING:
    from ..model import Model

WORDS = (".txt", "")  # endings of a file that takes words


class Words(str):
    """The relations of a model as text; it prints as it is."""

    def __repr__(self) -> str:
        return str(self)


def graph(model: Model, path: str | PathLike[str] | None = None) -> Any:
    """The drawing or the words of `Model.graph`; written to `path` too, where one is given."""
    place = None if path is None else checked(path, 'model.graph("model.svg")')
    if place is not None and place.suffix in WORDS:
        found = words(model)
        place.write_text(found + "\n", encoding="utf-8")
        return found
    if drawable():
        return _drawn(model, place)
    if place is not None:
        raise ModelError(
            f"A drawing for {place.name} needs graphviz: pip install graphviz, and the program dot "
            '(apt install graphviz, brew install graphviz). model.graph("name.txt") writes words.',
            topic="not-in-a-script",
        )
    return words(model)


def drawable() -> bool:
    """Whether the package graphviz and the program dot are there."""
    try:
        import graphviz  # noqa: F401
    except ImportError:
        return False
    return shutil.which("dot") is not None


def _drawn(model: Model, place: Path | None) -> Any:
    from numpyro.infer import inspect

    with x64():
        function, data = _program(model)
        made = inspect.render_model(function, model_args=(data,), render_distributions=True)
    if place is not None:
        try:
            place.write_bytes(made.pipe(format=place.suffix.lstrip(".")))
        except ValueError as stop:
            raise ModelError(
                f"No drawing can be written to {place.name}: end it in .pdf, .png, .svg or .txt.",
                topic="not-in-a-script",
            ) from stop
    return made


def words(model: Model) -> Words:
    """What is sampled from what, plates indented: NumPyro's relations of the program as lines.

    >>> import bayesmixed as bm
    >>> print(words(bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))))
    Intercept ~ Normal
    sigma ~ FoldedDistribution
    1|Batch_sigma ~ HalfNormal
    levels of Batch (6):
        Batch_u ~ Normal
    rows (30):
        Yield ~ Normal, observed, given Intercept, sigma, 1|Batch_sigma, Batch_u
    """
    from numpyro.infer import inspect

    with x64():
        function, data = _program(model)
        found = inspect.get_model_relations(function, model_args=(data,))
        sizes = _plate_sizes(function, data)
    within = {site: plate for plate, sites in found["plate_sample"].items() for site in sites}
    lines: list[str] = []
    for site, parents in found["sample_sample"].items():
        plate = within.get(site)
        if plate is not None and f"{plate} ({sizes[plate]}):" not in lines:
            lines.append(f"{plate} ({sizes[plate]}):")
        given = [parent for parent in parents if parent != site]
        text = f"{site} ~ {found['sample_dist'][site]}" + (", observed" if site in found["observed"] else "")
        text += f", given {', '.join(given)}" if given else ""
        lines.append(f"    {text}" if plate is not None else text)
    return Words("\n".join(lines))


def _program(model: Model) -> tuple[Any, dict[str, Any]]:
    """The model of the script, without the sites that only name what was computed, and what it takes."""
    from numpyro import handlers

    made = script(model, collapsed=False)
    namespace: dict[str, Any] = {"__name__": "script"}
    exec(compile(made, "model.code()", "exec"), namespace)
    return handlers.block(namespace["model"], hide_fn=lambda site: site["type"] == "deterministic"), made.data


def _plate_sizes(function: Any, data: dict[str, Any]) -> dict[str, int]:
    from numpyro import handlers
    from numpyro.infer.initialization import init_to_uniform

    seeded = handlers.substitute(handlers.seed(function, 0), substitute_fn=init_to_uniform)
    trace = handlers.trace(seeded).get_trace(data)
    return {name: int(site["args"][0]) for name, site in trace.items() if site["type"] == "plate"}
