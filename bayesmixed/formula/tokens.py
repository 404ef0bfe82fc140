"""How the text of a formula is cut into tokens, each with its place in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .caret import Refusal

PACKAGES = ("base", "stats", "splines", "lme4")  # R packages whose functions may be called as splines::ns(x)

Kind = Literal["name", "number", "string", "operator", "end"]


@dataclass(frozen=True)
class Token:
    """A piece of the text from `position` up to `end`; `value` is a name or string without its quotes."""

    kind: Kind
    value: str
    position: int
    end: int


def tokenize(text: str) -> list[Token]:
    """Cut `text` into tokens; the last one has kind "end" and sits right after the last real one.

    ``**`` becomes ``^``; spaces, line breaks and comments (``#`` to the end of the line) fall away.

    Raises
    ------
    Refusal
        At a character or operator that formulas do not have, or a quote that is never closed.

    Examples
    --------
    >>> [token.value for token in tokenize("y ~ a**2 # note")]
    ['y', '~', 'a', '^', '2', '']
    """
    tokens = list(_scan(text))
    end = tokens[-1].end if tokens else 0
    return [*tokens, Token("end", "", end, end)]


_SPACE = re.compile(r"(?:\s+|#[^\n]*)+")
_NUMBER = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?L?")
_NAME = re.compile(rf"(?:(?:{'|'.join(PACKAGES)})::)?(?:[^\W\d]|\.(?!\d))[\w.]*")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`", re.DOTALL)
_OPERATOR = re.compile(
    r"\|{3,}|\|>|\|\||&&|\*\*|<<-|<-|->|<=|>=|==|!=|:::|::|:=|%[^%\s]*%"
    r"|[-+*/^:()\[\]{},~=<>!&|$@?;\\%]"
)
_KNOWN = frozenset("|| && <= >= == != %in% %% %/% + - * / ^ : ( ) , ~ = < > ! & |".split())


def _scan(text: str) -> Iterator[Token]:
    position = 0
    while position < len(text):
        if space := _SPACE.match(text, position):
            position = space.end()
            continue
        token = _token(text, position)
        yield token
        position = token.end


def _token(text: str, position: int) -> Token:
    if text[position] in "\"'`":
        return _quoted(text, position)
    if found := _NUMBER.match(text, position):
        return Token("number", found.group(), position, found.end())
    if found := _NAME.match(text, position):
        return Token("name", found.group(), position, found.end())
    if found := _OPERATOR.match(text, position):
        return _operator(found.group(), position)
    raise Refusal(_strange(text[position]), position, topic="characters")


def _quoted(text: str, position: int) -> Token:
    quote = text[position]
    found = _QUOTED.match(text, position)
    if found is None:
        what = "backtick" if quote == "`" else "quote"
        raise Refusal(
            f"this {what} is never closed: write a second {quote} where the text ends", position, topic="characters"
        )
    inside = found.group()[1:-1]
    if quote != "`":
        return Token("string", _unescape(inside, position + 1), position, found.end())
    if not inside:
        raise Refusal("there is no name between these backticks: write `my col`", position, topic="characters")
    return Token("name", re.sub(r"\\([\\`])", r"\1", inside), position, found.end())


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'", "`": "`"}


def _unescape(inside: str, start: int) -> str:
    def replace(found: re.Match[str]) -> str:
        letter = found.group(1)
        if letter not in _ESCAPES:
            raise Refusal(
                f"\\{letter} has no meaning: write \\\\ for a backslash", start + found.start(), topic="characters"
            )
        return _ESCAPES[letter]

    return re.sub(r"\\(.)", replace, inside, flags=re.DOTALL)


def _operator(operator: str, position: int) -> Token:
    end = position + len(operator)
    if operator == "**":
        return Token("operator", "^", position, end)
    if operator not in _KNOWN:
        raise Refusal(_refused(operator), position, topic="characters")
    return Token("operator", operator, position, end)


_REMEDIES = {
    "$": "write the column's name alone (x, not d$x) and give the table as the data",
    "@": "write the column's name alone and give the table as the data",
    "[": "select rows of the table beforehand and name the column alone (scale(x), not scale(x)[, 1]); write a "
    'list of numbers as c(1, 2), and one level of a factor as I(f == "a")',
    "{": "write arithmetic as I(x + 1)",
    "::": "write the function without its package (only base, stats, splines and lme4 may stand before ::)",
    "<-": "paste the formula only, without the assignment (a comparison with a negative number is x < -1)",
    "->": "paste the formula only, without the assignment",
    ":=": "paste the formula only, without the assignment",
    "|>": "paste the formula only, without the pipe",
    "|||": "write (x | g) for correlated effects, (x || g) for uncorrelated ones",
    ";": "give each further formula as a text of its own",
}
_REMEDIES |= {"]": _REMEDIES["["], "}": _REMEDIES["{"], ":::": _REMEDIES["::"], "<<-": _REMEDIES["<-"]}


def _refused(operator: str) -> str:
    kind = "|||" if operator.startswith("|||") else operator
    otherwise = "make a column of it beforehand and name that column"
    return f"`{operator}` cannot stand in a formula: {_REMEDIES.get(kind, otherwise)}"


_LOOKALIKES = {"~": "∼˜～〜", "-": "−–—‐‑", "*": "×∗⋅·", "|": "∣｜│", "(": "（", ")": "）", "+": "＋"}
_LOOKALIKES |= {'"': "“”„«»", "'": "‘’‚"}


def _strange(letter: str) -> str:
    for meant, lookalikes in _LOOKALIKES.items():
        if letter in lookalikes:
            return f"`{letter}` (U+{ord(letter):04X}) only looks like `{meant}`: type {meant}"
    shown = letter if letter.isprintable() else f"U+{ord(letter):04X}"
    return f"`{shown}` cannot stand in a formula: a column whose name has such a character goes in `backticks`"
