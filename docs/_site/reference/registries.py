"""What may be given by name? Tables of families, links, priors, covariances, degrees of freedom and data sets."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from dataclasses import fields
from importlib import import_module

import bayesmixed as bm
from bayesmixed.covariance import STRUCTURES
from bayesmixed.degrees.methods import METHODS
from bayesmixed.families import FAMILIES
from bayesmixed.families.links import LINKS
from bayesmixed.priors import PRESETS

from .members import first_line


def pages() -> dict[str, str]:
    """The tables, by path below docs/."""
    return {
        "reference/families.md": _families(),
        "reference/priors.md": _priors(),
        "reference/covariances.md": _covariances(),
        "reference/degrees-of-freedom.md": _degrees(),
        "reference/data-sets.md": _data(),
    }


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; bars in cells are escaped, once where a docstring escapes them already."""
    lines = [head, ["---"] * len(head), *([re.sub(r"\\?\|", r"\\|", cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def code(names: Iterable[str]) -> str:
    """Names as code, one after the other."""
    return ", ".join(f"`{name}`" for name in names)


def _families() -> str:
    rows = [
        (
            f"`{name}`",
            first_line(kind),
            kind.support,
            code(kind.links),
            "; ".join(f"`{other.name}` ({other.role})" for other in kind.others),
            kind.weights,
        )
        for name, kind in FAMILIES.items()
    ]
    links = [
        (f"`{name}`", first_line(type(link)).rstrip("."), code(n for n, kind in FAMILIES.items() if name in kind.links))
        for name, link in LINKS.items()
    ]
    head = ("Name", "What it is", "Takes", "Links, the default first", "Parameters besides mu", "Weights")
    return f"""# Families and links

`bm.Model(..., family="gamma", link="log")`. Weights: [what they mean](../guide/weights.md). A distribution that is not
here can be made of any of NumPyro's, by [`bm.families.custom`](api/families).

{table(head, rows)}

## Links

{table(("Name", "What it is", "Families"), links)}

`bm.links.logit(guess=0.5, lapse=0.02)`, and likewise `probit`, `cloglog` and `cauchit`, has asymptotes for
psychophysics.
"""


def _priors() -> str:
    presets = "\n\n".join(f'### `"{name}"`\n\n{_paragraphs(rule)}' for name, rule in PRESETS.items())
    values = [
        (f"`bm.priors.{name}{_signature(kind)}`", first_line(kind))
        for name, kind in vars(bm.priors).items()
        if inspect.isclass(kind) and issubclass(kind, bm.priors.Prior) and kind is not bm.priors.Prior
    ]
    return f"""# Priors

`bm.Model(..., priors=...)` takes the name of a preset, a function `(Design, Family) -> Priors`, or a dict by parameter
that is laid over the default; `model.prior_summary()` says what they mean in the response's units.

## Presets

{presets}

## Distributions

Values by which a dict says a prior; NumPyro's own distributions are taken as well.

{table(("Value", "What it is"), values)}
"""


def _covariances() -> str:
    rows = []
    for name, kind in STRUCTURES.items():
        options = ", ".join(f"{field.name}={getattr(kind, field.name)!r}" for field in fields(kind))  # type: ignore[arg-type]
        numbers = ", ".join(str(kind.n_theta(k)) for k in (1, 2, 3, 4))
        rows.append(
            (f"`{name}`", first_line(import_module(type(kind).__module__)), f"`{options}`" * bool(options), numbers)
        )
    head = ("Name", "What it is", "Options", "Parameters of 1, 2, 3, 4 columns")
    return f"""# Covariance structures

`(x | g)` is unstructured and `(x || g)` diagonal; others are named before the bar, as in `cs(0 + f | g)`.

{table(head, rows)}
"""


def _degrees() -> str:
    rows = [
        (f'`"{name}"`', first_line(import_module(f"bayesmixed.degrees.{module}"))) for name, module in METHODS.items()
    ]
    return f"""# Degrees of freedom

`ddf=` of `fit.summary`, `bm.anova`, `bm.hypothesis`, `bm.confint`, `bm.emmeans` and others: a name or a number.
[Which one when](../guide/which-p-value.md).

{table(("Name", "What it is"), rows)}
"""


def _data() -> str:
    known = bm.list_data().sort_values("name", key=lambda names: names.str.lower())
    rows = [
        (f"`{r['name']}`", f"**{r['title']}.** {r['description']}", f"{r['rows']:,}", r["citation"], r["licence"])
        for r in known[known["shipped"]].to_dict("records")
    ]
    others = [
        (f"`{r['name']}`", f"**{r['title']}.** {r['description']}", f"{r['rows']:,}", r["citation"], r["source"])
        for r in known[~known["shipped"]].to_dict("records")
    ]
    return f"""# Data sets

`bm.load_data("sleepstudy")`; `bm.list_data()` has this table as a DataFrame, with sources.

{table(("Name", "What it is", "Rows", "Study", "Licence"), rows)}

## Read from a folder of yours

Larger ones are not shipped: they are read from the folder that the environment variable `BAYESMIXED_DATA` names, and
the message of `bm.load_data` has the line that exports them from R.

{table(("Name", "What it is", "Rows", "Study", "Source"), others)}
"""


def _paragraphs(value: object) -> str:
    """What a docstring says before its first section, as Markdown."""
    text = inspect.getdoc(value) or ""
    kept: list[str] = []
    for paragraph in text.split("\n\n"):
        if "\n---" in paragraph:
            break
        kept.append(" ".join(paragraph.split()).replace("``", "`"))
    return "\n\n".join(kept)


def _signature(kind: type) -> str:
    parameters = [str(p).split(":")[0] for p in inspect.signature(kind).parameters.values()]
    return f"({', '.join(parameters)})"
