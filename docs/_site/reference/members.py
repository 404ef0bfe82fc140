"""What can be asked of a class, and which classes of ours does a function return?"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import cached_property
from importlib import import_module
from types import ModuleType
from typing import Any

from numpydoc.docscrape import NumpyDocString

PACKAGE = "bayesmixed"
USUAL = {  # where a class says nothing of its own
    "title": "What the page is headed by.",
    "notes": "What is said below the table, in words.",
    "frame": "The numbers as a tidy DataFrame.",
}
NAME = re.compile(r"[A-Za-z_]\w*")


def members(kind: type) -> dict[str, str]:
    """Public members of a class by name, inherited ones too, and the directive that documents each.

    Fields first, as its class lists them, then properties and methods in the order of the source, base classes last.
    """
    found = {name: "autoattribute" for name in _fields(kind)}
    for each in _ours(kind):
        for name, member in vars(each).items():
            if not name.startswith("_") and name not in found:
                directive = _directive(member)
                if directive:
                    found[name] = directive
    return found


def on_field(kind: type, name: str) -> str:
    """What the docstring of a dataclass, or of one that it is made of, says of a field."""
    for each in _ours(kind):
        read = NumpyDocString(inspect.cleandoc(each.__doc__ or ""))
        for part in ("Attributes", "Parameters"):
            for parameter in read[part]:
                if name in (one.strip() for one in parameter.name.split(",")):
                    return " ".join(parameter.desc)
    return USUAL.get(name, "")


def on_docstring(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """What Sphinx calls with each docstring: classes lose the list of what the table below them has."""
    if what == "class" and "Attributes" in lines:
        start = lines.index("Attributes")
        ends = [i - 1 for i in range(start + 2, len(lines)) if set(lines[i]) == {"-"}]
        del lines[start : ends[0] if ends else len(lines)]


def returned(function: Callable[..., Any]) -> list[type]:
    """The classes of this package in what a function says that it returns."""
    text = str(inspect.signature(function).return_annotation)
    scope = _scope(inspect.unwrap(function))
    found = [scope.get(name) for name in NAME.findall(text)]
    return [kind for kind in dict.fromkeys(found) if isinstance(kind, type) and kind.__module__.startswith(PACKAGE)]


def public(module: ModuleType) -> dict[str, Any]:
    """Classes and functions of ours that a module offers, by name."""
    listed = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    found = {name: getattr(module, name) for name in listed}
    return {name: value for name, value in found.items() if _is_ours(value, module)}


def path(kind: Any) -> str:
    """Where a class or function is defined, with its name."""
    return f"{kind.__module__}.{kind.__qualname__}"


def first_line(value: Any) -> str:
    """The first sentence of its documentation, as one line of Markdown."""
    text = inspect.getdoc(value) or ""
    return " ".join(text.split("\n\n")[0].split()).replace("|", "\\|").replace("``", "`")


def _is_ours(value: Any, module: ModuleType) -> bool:
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        return False
    return value.__module__ == module.__name__ or value.__module__.startswith(f"{module.__name__}.")


def _ours(kind: type) -> Iterator[type]:
    return (each for each in kind.__mro__ if each.__module__.startswith(PACKAGE))


def _fields(kind: type) -> list[str]:
    return [field.name for field in fields(kind) if not field.name.startswith("_")] if is_dataclass(kind) else []


def _directive(member: Any) -> str:
    if isinstance(member, property | cached_property):
        return "autoproperty"
    if inspect.isfunction(member) or isinstance(member, classmethod | staticmethod):
        return "automethod"
    return ""


def _scope(function: Callable[..., Any]) -> dict[str, Any]:
    """Names as the module of a function sees them, those that it imports for its annotations alone included."""
    module = import_module(function.__module__)
    source = inspect.getsource(module)
    scope = dict(vars(module))
    pattern = re.compile(r"^    from (\.+)([\w.]*) import (.+)$", re.MULTILINE)
    for dots, name, imported in pattern.findall(source):
        package = module.__package__ if len(dots) == 1 else module.__package__.rsplit(".", len(dots) - 1)[0]
        home = import_module(f"{package}.{name}" if name else package)
        scope |= {each.strip(): getattr(home, each.strip(), None) for each in imported.split(",")}
    return scope
