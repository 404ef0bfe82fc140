"""The text of a hypothesis as linear equations and inequalities of the coefficients.

claims: claim ("," claim)*; claim: sum (("=" | ">" | "<") sum)*; sum: product (("+" | "-") product)*;
product: factor (("*" | "/") factor)*; factor: ("+" | "-") factor | "(" sum ")" | number | name | `name`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from ...errors import FitError
from .spelling import Spellings

EQUAL, GREATER, LESS = "=", ">", "<"
SIGNS = {"==": EQUAL, ">=": GREATER, "<=": LESS, "=": EQUAL, ">": GREATER, "<": LESS}
_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_SIGN = re.compile("|".join(map(re.escape, SIGNS)))


@dataclass(frozen=True)
class Claim:
    """One equation or inequality: `row` (N,) times the coefficients is, or is above or below, `value`."""

    label: str
    row: np.ndarray
    value: float = 0.0
    sign: str = EQUAL


@dataclass(frozen=True)
class Linear:
    """`row` (N,) times the coefficients plus a `constant`."""

    row: np.ndarray
    constant: float

    def plus(self, other: Linear, times: float = 1.0) -> Linear:
        return Linear(self.row + times * other.row, self.constant + times * other.constant)

    def scaled(self, by: float) -> Linear:
        return Linear(self.row * by, self.constant * by)

    @property
    def is_number(self) -> bool:
        return not np.any(self.row)


def read_claims(text: str, spellings: Spellings) -> list[Claim]:
    """The claims of a text; without a comparison that what it says is zero.

    Raises
    ------
    FitError
        Names that name no coefficient, what is no linear function of them, a text that cannot be read.

    Examples
    --------
    >>> (found,) = read_claims("2*a = b + 3", Spellings(("a", "b"), {}, {}))
    >>> found.row, found.value, found.sign
    (array([ 2., -1.]), 3.0, '=')
    """
    return _Reader(text, spellings).claims()


@dataclass
class _Reader:
    """A place in a text, which moves on as it is read."""

    text: str
    spellings: Spellings
    at: int = 0

    def claims(self) -> list[Claim]:
        found = self._claim()
        while self._take(","):
            found += self._claim()
        if self._next():
            raise self._unreadable()
        return found

    def _claim(self) -> list[Claim]:
        left, found = self._side(), []
        while sign := self._sign():
            right = self._side()
            found.append(_between(left, right, sign))
            left = right
        zero = Linear(np.zeros(len(self.spellings.names)), 0.0)
        return found or [_between(left, ("0", zero), EQUAL)]

    def _side(self) -> tuple[str, Linear]:
        """One side of a claim, as it is written and what it says."""
        start = self.at
        found = self._sum()
        return " ".join(self.text[start : self.at].split()), found

    def _sign(self) -> str:
        self._blanks()
        if self.text.startswith(("!=", "≠"), self.at):
            raise FitError(
                f"{self.text!r}: write what is tested, with =; the alternative is that it fails.",
                topic="hypothesis-text",
            )
        found = _SIGN.match(self.text, self.at)
        if not found:
            return ""
        self.at = found.end()
        return SIGNS[found[0]]

    def _sum(self) -> Linear:
        total = self._product()
        while sign := self._take("+", "-"):
            total = total.plus(self._product(), 1.0 if sign == "+" else -1.0)
        return total

    def _product(self) -> Linear:
        total = self._factor()
        while sign := self._take("*", "/"):
            start = self.at
            other = self._factor()
            if sign == "/":
                total = total.scaled(1 / self._divisor(other, start))
            elif total.is_number or other.is_number:
                total = other.scaled(total.constant) if total.is_number else total.scaled(other.constant)
            else:
                raise self._not_linear("a product of coefficients")
        if self._next() == "^":
            raise self._not_linear("a power")
        if self._next().isalnum() or self._next() in ("(", "`", "["):
            raise self._unreadable()
        return total

    def _divisor(self, other: Linear, start: int) -> float:
        if not other.is_number:
            raise self._not_linear("a quotient of coefficients")
        if other.constant == 0:
            raise FitError(
                f"{self.text!r} divides by zero: {self.text[start : self.at].strip()}.", topic="hypothesis-text"
            )
        return other.constant

    def _factor(self) -> Linear:
        if sign := self._take("+", "-"):
            return self._factor().scaled(1.0 if sign == "+" else -1.0)
        self._blanks()
        known = self.spellings.read(self.text, self.at)
        if known is not None:
            self.at = known[1]
            return self._coefficient(known[0])
        if number := _NUMBER.match(self.text, self.at):
            self.at = number.end()
            return Linear(np.zeros(len(self.spellings.names)), float(number[0]))
        if self._take("("):
            inside = self._sum()
            if not self._take(")"):
                raise FitError(f"{self.text!r} lacks a closing parenthesis.", topic="hypothesis-text")
            return inside
        if self._take("`"):
            end = self.text.find("`", self.at)
            if end < 0:
                raise FitError(f"{self.text!r} lacks a closing backtick.", topic="hypothesis-text")
            name, self.at = self.text[self.at : end], end + 1
            return self._coefficient(self.spellings.exact(name))
        raise self.spellings.not_found(self.text, self.at)

    def _coefficient(self, position: int) -> Linear:
        return Linear(np.eye(1, len(self.spellings.names), position)[0], 0.0)

    def _blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def _next(self) -> str:
        self._blanks()
        return self.text[self.at : self.at + 1]

    def _take(self, *signs: str) -> str:
        """The next character if it is one of these."""
        found = self._next()
        if self.text.startswith("**", self.at):
            raise self._not_linear("a power")
        if found not in signs:
            return ""
        self.at += 1
        return found

    def _not_linear(self, what: str) -> FitError:
        return FitError(
            f"{self.text!r} holds {what}: hypotheses are linear, sums of numbers and of numbers times coefficients.",
            topic="hypothesis-text",
        )

    def _unreadable(self) -> FitError:
        rest = self.text[self.at :]
        product = " A product is written with *: 2*x." if rest[:1].isalnum() else ""
        if rest.startswith(("and ", "&", ";", "|", "or ")):
            product = ' Several hypotheses are a list: ["x1 > 0", "x2 > 0"].'
        return FitError(f"Cannot read {self.text!r} from {rest!r} on.{product}", topic="hypothesis-text")


def _between(left: tuple[str, Linear], right: tuple[str, Linear], sign: str) -> Claim:
    """left (sign) right as row (sign) value: coefficients to the left, numbers to the right."""
    label, (first, second) = f"{left[0]} {sign} {right[0]}", (left[1], right[1])
    if first.is_number and not second.is_number:
        first, second, sign = second, first, {GREATER: LESS, LESS: GREATER}.get(sign, EQUAL)
    both = first.plus(second, -1.0)
    if both.is_number:
        raise FitError(
            f"{label!r} says nothing of any coefficient: they cancel or are not there.", topic="hypothesis-text"
        )
    return Claim(label, both.row, 0.0 - both.constant, sign)
