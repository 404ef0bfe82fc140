"""What a parsed formula is made of: a small expression tree, and its way back to text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True)
class Name:
    """A column, a constant (``pi``, ``TRUE``) or a namespace entry; `position` is its offset in the text."""

    identifier: str
    position: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True)
class Number:
    """A numeric literal; `text` is the user's spelling (``1e-3``)."""

    value: float
    text: str = field(default="", compare=False)
    position: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True)
class String:
    """A quoted literal."""

    value: str
    position: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True)
class Argument:
    """One argument of a call, with its keyword if it was given by name."""

    value: Node
    keyword: str | None = None


@dataclass(frozen=True)
class Call:
    """A function call; `function` is the name as typed (``log``, ``np.log``, ``as.factor``)."""

    function: str
    arguments: tuple[Argument, ...]
    position: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True)
class Unary:
    """``-x``, ``+x`` or ``!x``."""

    operator: str
    operand: Node
    position: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True)
class Binary:
    """``left operator right``; operators: ``~ + - * / : ^ %in% %% %/% | || & < <= > >= == !=`` (``**`` is ``^``)."""

    operator: str
    left: Node
    right: Node
    position: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True)
class Parenthesis:
    """A bracketed expression, kept so that names read as typed."""

    inner: Node
    position: int = field(default=0, compare=False, repr=False)


Node: TypeAlias = Name | Number | String | Call | Unary | Binary | Parenthesis

_PLAIN_NAME = re.compile(r"(?:[^\W\d]|\.(?!\d))[\w.]*")
_TIGHT = {":", "^", "/", "%%", "%/%"}  # R prints these without spaces


def deparse(node: Node) -> str:
    """The text of an expression as R would print it: ``sin(2 * pi * Time)``, ``I(age^2)``.

    >>> deparse(Binary("^", Name("age"), Number(2.0, "2")))
    'age^2'
    """
    match node:
        case Name(identifier):
            return identifier if _PLAIN_NAME.fullmatch(identifier) else _backticks(identifier)
        case Number(value, text):
            return _number(value, text)
        case String(value):
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case Parenthesis(inner):
            return f"({deparse(inner)})"
        case Unary(operator, operand):
            return f"{operator}{deparse(operand)}"
        case Call(function, arguments):
            return f"{function}({', '.join(_argument(a) for a in arguments)})"
        case Binary():
            return _deparse_chain(node)
    raise TypeError(f"not a formula node: {node!r}")


def _number(value: float, text: str) -> str:
    """A number as R prints it: fixed unless scientific is shorter, so that .50 and 5e-1 are the term 0.5."""
    if text.endswith("L"):
        return f"{value:.0f}L"
    mantissa, _, exponent = f"{value:.14e}".partition("e")
    if not exponent:
        return "Inf"
    mantissa = mantissa.rstrip("0").rstrip(".")
    decimals = max(0, len(mantissa.replace(".", "")) - 1 - int(exponent))
    scientific, fixed = f"{mantissa}e{int(exponent):+03d}", f"{value:.{decimals}f}"
    shown = fixed if len(fixed) <= len(scientific) else scientific
    return shown if float(shown) == value else text or repr(value)


def _deparse_chain(node: Node) -> str:
    # a loop, not a recursion, down the left: sums of thousands of columns are chains that deep
    pieces = []
    while isinstance(node, Binary):
        gap = "" if node.operator in _TIGHT else " "
        pieces.append(f"{gap}{node.operator}{gap}{deparse(node.right)}")
        node = node.left
    return deparse(node) + "".join(reversed(pieces))


def _backticks(identifier: str) -> str:
    return "`" + identifier.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _argument(argument: Argument) -> str:
    text = deparse(argument.value)
    return text if argument.keyword is None else f"{argument.keyword} = {text}"


def names(node: Node) -> Iterator[Name]:
    """Every name an expression refers to, in order of appearance (functions are not names)."""
    waiting = [node]
    while waiting:
        match waiting.pop():
            case Name() as found:
                yield found
            case Parenthesis(inner) | Unary(_, inner):
                waiting.append(inner)
            case Call(_, arguments):
                waiting.extend(argument.value for argument in reversed(arguments))
            case Binary(_, left, right):
                waiting += [right, left]
