"""What tells several fits apart: labels, what differs between their models, whether their data are the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import FitError
from ..messages import Told

if TYPE_CHECKING:
    from ..model import Model
    from .base import Fit


def numbered(names: Sequence[str]) -> list[str]:
    """Names of which one that occurs again gets #2, #3, ...

    >>> numbered(["ML", "NUTS", "ML"])
    ['ML', 'NUTS', 'ML #2']
    """
    counts = [list(names[: i + 1]).count(name) for i, name in enumerate(names)]
    return [name if n == 1 else f"{name} #{n}" for name, n in zip(names, counts, strict=True)]


def labelled(labels: str | Sequence[str], n: int) -> list[str]:
    """The labels that a user gives for n fits.

    Raises
    ------
    FitError
        Too few, too many, or one twice.
    """
    given = [labels] if isinstance(labels, str) else [str(label) for label in labels]
    if len(set(given)) != n or len(given) != n:
        what = f"takes {n} different names, one per fit in their order" if n > 1 else "takes one name"
        raise FitError(f"labels= {what}, not {labels!r}.", topic="labels")
    return given


def differences(fits: Sequence[Fit], labels: Sequence[str]) -> tuple[str, ...]:
    """One line per fit with what differs between their models, formulas first; none where nothing does."""
    said = [_said(fits, words) for words in (_formula, _family, _constants, _weights)]
    if len({fit.label for fit in fits}) < len(fits):
        said.append(_said(fits, _priors))
    lines = [", ".join(filter(None, parts)) for parts in zip(*said, strict=True)]
    return tuple(Told("models-apart", f"{label}: {line}") for label, line in zip(labels, lines, strict=True) if line)


def same_data(fits: Sequence[Fit]) -> str:
    """A sentence on responses or rows that differ between fits; empty where all saw the same."""
    designs = [fit.model.design for fit in fits]
    names = list(dict.fromkeys(design.response.name for design in designs if design.response is not None))
    rows = [design.index[design.used] for design in designs]
    seen = [design.response.y[design.used] for design in designs if design.response is not None]
    if len(names) > 1:
        said, what = f"The responses differ ({', '.join(names)}): estimates are of different things", "responses"
    elif not all(rows[0].equals(other) for other in rows[1:]):
        said, what = "The rows differ", "rows"
    elif not all(np.array_equal(seen[0], other) for other in seen[1:]):
        said, what = "The values of the response differ", "data"
    else:
        return ""
    likelihoods = sum(not fit.sampled for fit in fits) > 1
    more = f" Log-likelihoods of different {what} do not compare." if likelihoods else ""
    return Told("different-data", f"{said}.{more}")


def _said(fits: Sequence[Fit], words: Callable[[Fit], str]) -> list[str]:
    """What each fit's `words` are, where they differ."""
    found = [words(fit) for fit in fits]
    return found if len(set(found)) > 1 else [""] * len(fits)


def _formula(fit: Fit) -> str:
    return fit.model.formula.line


def _family(fit: Fit) -> str:
    return family_words(fit.model)


def family_words(model: Model) -> str:
    """Family and link with its asymptotes: bernoulli (logit between 0.04 and 0.96)."""
    return f"{model.family.name} ({model.family.link.words})"


def _constants(fit: Fit) -> str:
    return ", ".join(f"{name} = {value:g}" for name, value in fit.model.constants.items())


def _weights(fit: Fit) -> str:
    given = fit.model.arguments.weights
    return "" if given is None else f"weights {given}" if isinstance(given, str) else "weights"


def _priors(fit: Fit) -> str:
    if not fit.sampled:
        return ""
    given: Any = fit.model.arguments.priors
    if isinstance(given, Mapping):
        return f"priors of {', '.join(map(str, given))} given"
    return f"priors {'default' if given is None else getattr(given, '__name__', given)}"
