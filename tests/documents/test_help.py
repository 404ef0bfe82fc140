"""Does ``help()`` of every public name say what it does, what it takes, and show it?"""

from __future__ import annotations

import inspect
import pydoc
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import bayesmixed as bm
from bayesmixed.fits.draws import DrawsFit
from bayesmixed.fits.point import PointFit

CLASSES = {"Model": bm.Model, "PointFit": PointFit, "DrawsFit": DrawsFit}
PRIVATE = re.compile(r"(?<![\w.])_[a-z]\w+")


def functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public function and class, by the name that a user types."""
    for name in bm.__all__:
        value = getattr(bm, name)
        if callable(value):
            yield f"bm.{name}", value
    for module in ("plot", "links", "priors", "families", "covariance"):
        for name in getattr(bm, module).__all__:
            value = getattr(getattr(bm, module), name)
            if inspect.isfunction(value) and not name.endswith("_frame"):
                yield f"bm.{module}.{name}", value


def methods() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public method of models and fits."""
    for owner, kind in CLASSES.items():
        for name, member in inspect.getmembers(kind, inspect.isfunction):
            if not name.startswith("_") and name != "coefficient_root_of":
                yield f"{owner}.{name}", member


def of_results() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public method of what verbs return."""
    for value in filter(inspect.isfunction, (getattr(bm, name) for name in bm.__all__)):
        names = re.findall(r"[A-Z]\w+", str(value.__annotations__.get("return")))
        kinds = [getattr(sys.modules[value.__module__], name, None) for name in names]
        for kind in filter(inspect.isclass, kinds):
            for name, member in inspect.getmembers(kind, inspect.isfunction):
                if not name.startswith("_") and member.__module__.startswith("bayesmixed"):
                    yield f"{kind.__name__}.{name}", member


CALLED = dict([*functions(), *methods()])
DESCRIBED = CALLED | dict(of_results())


@pytest.mark.parametrize("name", DESCRIBED)
def test_a_summary_comes_first(name: str) -> None:
    summary = (inspect.getdoc(DESCRIBED[name]) or "").split("\n\n")[0]
    assert 8 < len(summary) <= 120 and "\n" not in summary and summary[-1] in ".?:", summary


@pytest.mark.parametrize("name", DESCRIBED)
def test_every_parameter_is_described(name: str) -> None:
    said = inspect.getdoc(DESCRIBED[name]) or ""
    for parameter in inspect.signature(DESCRIBED[name]).parameters.values():
        if parameter.name != "self":
            assert re.search(rf"(?<!\w){parameter.name}(?!\w)", said), f"{name} says nothing of {parameter.name}"


@pytest.mark.parametrize("name", CALLED)
def test_an_example_shows_how_it_is_called(name: str) -> None:
    """Examples are run as tests with all others of docstrings."""
    assert ">>> " in (inspect.getdoc(CALLED[name]) or "")


@pytest.mark.parametrize("name", CALLED)
def test_what_it_gives_is_said(name: str) -> None:
    value = CALLED[name]
    if not inspect.isclass(value) and inspect.signature(value).return_annotation not in (None, "None"):
        said = inspect.getdoc(value) or ""
        assert "Returns\n-------" in said or len(said.split("\n\n")) <= 2, f"{name} says not what it returns"


@pytest.mark.parametrize("name", [*CALLED, *CLASSES])
def test_help_shows_no_private_name(name: str) -> None:
    shown = pydoc.plain(pydoc.render_doc(CALLED.get(name) or CLASSES[name]))
    described = re.sub(r"`[^`]+`", "", shown)  # an ending of names, `_lower`, is none
    fields = re.compile("__(annotations|match_args|dataclass_[a-z]+)__")  # what Python itself lists of a dataclass
    lines = [line for line in described.splitlines() if not fields.search(line)]
    assert not PRIVATE.findall("\n".join(lines))


@pytest.mark.parametrize("name", ["covariance", "errors", "families", "links", "plot", "priors"])
def test_help_of_a_module_lists_its_public_names(name: str) -> None:
    module = getattr(bm, name)
    assert (module.__doc__ or "").strip()
    for public in module.__all__:
        value = getattr(module, public)
        if callable(value):
            assert inspect.getdoc(value), f"bm.{name}.{public} has no docstring"


def test_help_of_fit_names_every_method_and_option() -> None:
    said = pydoc.plain(pydoc.render_doc(bm.Model.fit))
    for word in ("ml", "reml", "map", "laplace", "nuts", "seed", "progress", "bm.ML(quadrature=9)", "status"):
        assert word in said
