"""What does the reference say? A page per public name from its docstring, and a page per group that lists them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import bayesmixed as bm

from . import groups
from .groups import GROUPS, Group
from .members import first_line, members, on_field, path, public, returned

MODULE_LISTS = ("errors", "families", "links", "priors", "covariance")


def pages() -> dict[str, str]:
    """The index, a page per group and a page per name, by path below docs/."""
    made = {"reference/index.md": _index()}
    shown: dict[type, str] = {}  # classes that are returned, and the page that documents them
    for group in GROUPS:
        names = _names(group)
        made[f"reference/{group.slug}.md"] = _group(group, names)
        for name in names:
            made[f"reference/api/{name}.rst"] = _page(name, shown)
    return made


def _names(group: Group) -> list[str]:
    """Names of a group below `bm.`, those of a module of functions one by one."""
    return [f"plot.{name}" for name in groups.plots()] if group.names == ("plot",) else list(group.names)


def _value(name: str) -> Any:
    return getattr(bm.plot, name.removeprefix("plot.")) if name.startswith("plot.") else groups.value(name)


def _index() -> str:
    rows = [f"| [{group.title}]({group.slug}.md) | {group.about} | {_listed(group)} |" for group in GROUPS]
    toc = "\n".join(group.slug for group in GROUPS)
    return f"""# Reference

Every public name, by what it is for. `bm` is `import bayesmixed as bm`.

| Group | What it is for | Names |
|---|---|---|
{chr(10).join(rows)}

What models take by name: [families and links](families.md), [priors](priors.md),
[covariance structures](covariances.md), [degrees of freedom](degrees-of-freedom.md), [data sets](data-sets.md).

```{{toctree}}
:hidden:

{toc}
families
priors
covariances
degrees-of-freedom
data-sets
```
"""


def _listed(group: Group) -> str:
    names = _names(group)
    return ", ".join(f"[{name}](api/{name})" for name in names)


def _group(group: Group, names: list[str]) -> str:
    rows = [f"| [`{_called(name)}`](api/{name}) | {first_line(_value(name))} |" for name in names]
    toc = "\n".join(f"api/{name}" for name in names)
    return f"""# {group.title}

{group.about}

| Name | What it is |
|---|---|
{chr(10).join(rows)}

```{{toctree}}
:hidden:

{toc}
```
"""


def _called(name: str) -> str:
    """As a user writes it; fits are made by engines and have no name of their own."""
    return name if name in groups.FITS else f"bm.{name}"


def _page(name: str, shown: dict[type, str]) -> str:
    value = _value(name)
    if inspect.isclass(value):
        lines = _class(path(value) if name in groups.FITS else f"{bm.__name__}.{name}", value)
    elif inspect.ismodule(value):
        lines = _module(name, value)
    else:
        lines = _function(name, value, shown)
    return "\n".join([_called(name), "=" * 60, "", *lines, ""])


def _function(name: str, function: Any, shown: dict[type, str]) -> Iterator[str]:
    yield f".. autofunction:: {bm.__name__}.{name}"
    kinds = [kind for kind in returned(function) if kind not in groups.FITS.values()]
    if not kinds:
        return
    yield from ("", "What it returns", "-" * 40)
    for kind in kinds:
        if kind in shown:
            yield from ("", f":doc:`{kind.__name__} <{shown[kind]}>`, as documented there.")
            continue
        shown[kind] = name
        yield ""
        yield from _class(path(kind), kind)


def _class(where: str, kind: type) -> Iterator[str]:
    """The class, a table of its members, and each of them."""
    found = members(kind)
    yield from (f".. autoclass:: {where}", "")
    if not found:
        return
    yield from (".. rubric:: What can be asked of it", "", ".. list-table::", "   :class: members", "")
    for member, directive in found.items():
        yield f"   * - :py:attr:`~{where}.{member}`"
        yield f"     - {_said(kind, member, directive)}"
    for member, directive in found.items():
        yield from ("", f".. {directive}:: {where}.{member}")
        if directive == "autoattribute":
            yield from ("   :no-value:", "", f"   {_said(kind, member, directive)}")
        elif not inspect.getdoc(getattr(kind, member)):
            yield from ("", f"   {_said(kind, member, directive)}")


def _said(kind: type, member: str, directive: str) -> str:
    """The first sentence on a member, as one line of reStructuredText."""
    own = None if directive == "autoattribute" else inspect.getdoc(getattr(kind, member))
    text = own or on_field(kind, member)
    return " ".join(text.split("\n\n")[0].split())


def _module(name: str, module: Any) -> Iterator[str]:
    yield from (inspect.getdoc(module) or "").splitlines()
    for member, value in public(module).items():
        directive = "autoclass" if inspect.isclass(value) else "autofunction"
        yield from ("", f".. {directive}:: {module.__name__}.{member}")
