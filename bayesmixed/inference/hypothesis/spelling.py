"""Under which names a text may mention a coefficient: ours, R's, an interaction's parts in another order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import permutations
from typing import TYPE_CHECKING

from ...errors import FitError, nearest

if TYPE_CHECKING:
    from ...design.design import Design

PARTS = 4  # of an interaction whose order may be changed: 24 orders
OTHER_PARAMETERS = "Of sds, correlations and sigma bm.confint(fit) gives limits, bm.drop1(fit, random=True) tests."
# what a reader takes for one name: an identifier, brackets and parentheses that follow it at once, colons between
_CHUNK = re.compile(r"[^\W\d][\w.]*(?:\((?:[^()]|\([^()]*\))*\)|\[[^\[\]]*\]|:[^\W\d][\w.]*)*", re.UNICODE)
_CALL = re.compile(r"([^\W\d][\w.]*)\s*\(")


@dataclass(frozen=True)
class Spellings:
    """`names` (N,) of the coefficients as we write them; `others` are further spellings and the position they mean.

    `terms` are names of terms with the coefficients that they have; the last `left_out` names are of columns left out
    of the fit; `references` name what would be the coefficients of the levels that factors are compared with.
    """

    names: tuple[str, ...]
    others: dict[str, int]
    terms: dict[str, tuple[str, ...]]
    left_out: int = 0
    references: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, design: Design) -> Spellings:
        """Those of a design, the columns left out of the fit after those of all predictors."""
        names = (*design.coefficients, *design.mu.aliased)
        others: dict[str, int] = {}
        for position, name in enumerate(names):
            for turned in _turned(name):
                others.setdefault(turned, position)
        for position, name in enumerate(design.mu.r_names):
            others.setdefault(name, position)
        terms = {
            f"{predictor.prefix}{term}": tuple(predictor.names[j] for j in columns)
            for predictor in design.predictors.values()
            for term, columns in predictor.terms.items()
        }
        others = {text: at for text, at in others.items() if text not in names}
        return cls(names, others, terms, len(design.mu.aliased), _references(design))

    @cached_property
    def _by_first_letter(self) -> dict[str, list[tuple[str, int]]]:
        """Spellings that begin alike, longest first: x[1]:z before x[1]."""
        every = [*((name, at) for at, name in enumerate(self.names)), *self.others.items()]
        found: dict[str, list[tuple[str, int]]] = {}
        for name, at in sorted(every, key=lambda pair: -len(pair[0])):
            found.setdefault(name.lstrip()[:1], []).append((name, at))
        return found

    def read(self, text: str, start: int) -> tuple[int, int] | None:
        """The coefficient that `text` names at `start`, and where its name ends; None where there is none."""
        for name, position in self._by_first_letter.get(text[start : start + 1], ()):
            found = _pattern(name).match(text, start)
            if found:
                return position, found.end()
        return None

    def exact(self, name: str) -> int:
        """The coefficient of this very name, as in backticks or in the columns of a table.

        Raises
        ------
        FitError
            There is none.
        """
        if name in self.names:
            return self.names.index(name)
        if name in self.others:
            return self.others[name]
        found = self.read(name, 0)
        if found is not None and found[1] == len(name):
            return found[0]
        raise self.unknown(name)

    def unknown(self, name: str) -> FitError:
        """What to answer a name that names no coefficient."""
        if name in self.terms:
            some, rest = self.terms[name][:8], len(self.terms[name][8:])
            more = f" and {rest} more" if rest else ""
            return FitError(
                f"{name!r} is a term with {len(self.terms[name])} coefficients, not one of them: "
                f"{', '.join(some)}{more}. bm.anova(fit) tests whole terms.",
                topic="no-such-coefficient",
            )
        if name in self.references:
            factor = self.references[name]
            return FitError(
                f"{name} has no coefficient: it is the level that the others of {factor} are compared with, and zero "
                f'by definition. bm.emmeans(fit, "{factor}").contrast() compares all levels.',
                topic="no-such-coefficient",
            )
        close = nearest(name, [*self.names, *self.others], "Coefficients")
        if close.startswith("Did"):
            return FitError(f"No coefficient is called {name!r}. {close}", topic="no-such-coefficient")
        known = nearest(name, self.names, "Coefficients")
        return FitError(f"No coefficient is called {name!r}. {known} {OTHER_PARAMETERS}", topic="no-such-coefficient")

    def not_found(self, text: str, start: int) -> FitError:
        """The same for what stands at `start` of a text; a call is told to be no linear function."""
        chunk = _CHUNK.match(text, start)
        if chunk is None:
            return FitError(
                f"Cannot read {text!r} from {text[start:]!r} on: a coefficient or number must stand there.",
                topic="hypothesis-text",
            )
        call = _CALL.match(text, start)
        if call is None or any(name.startswith(f"{call[1]}(") for name in (*self.names, *self.others, *self.terms)):
            return self.unknown(chunk[0])
        return FitError(
            f"{call[1]}(...) in {text!r} is no linear function of the coefficients. Hypotheses are sums of numbers and "
            f"of numbers times coefficients: {', '.join(self.names[:8])}. {OTHER_PARAMETERS}",
            topic="hypothesis-text",
        )


def _references(design: Design) -> dict[str, str]:
    """Where all levels of a factor but one have a coefficient of their own, what that one's would be called."""
    found = {}
    for name, state in design.encoding.states.items():
        own = [f"{name}[{level}]" for level in state.get("levels", ())]
        without = [text for text in own if text not in design.mu.names]
        if len(without) == 1 and len(own) > 1:
            found[without[0]] = name
    return found


@lru_cache(maxsize=4096)
def _pattern(name: str) -> re.Pattern[str]:
    """The name with blanks between its characters as one likes, not followed by what would make it another name."""
    body = r"\s*".join(re.escape(letter) for letter in name if not letter.isspace())
    word = r"(?![\w.])" if re.match(r"[\w.]", name[-1:]) else ""
    return re.compile(body + word + r"(?!\s*[\[(:])")


def _turned(name: str) -> list[str]:
    """The name with the parts of its interaction in every order, its own left out."""
    parts = _parts(name)
    if not 1 < len(parts) <= PARTS:
        return []
    return [":".join(order) for order in permutations(parts) if list(order) != parts]


def _parts(name: str) -> Sequence[str]:
    """Split at colons that stand in no bracket.

    >>> _parts("f[a:b]:x")
    ['f[a:b]', 'x']
    """
    found, depth = [""], 0
    for letter in name:
        depth += (letter in "([") - (letter in ")]")
        if letter == ":" and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return found
