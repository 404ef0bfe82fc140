"""What ``. ~ . - x`` makes of a formula: R's ``update``, bars and offsets kept."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import FormulaError
from .formula import Formula
from .parser import parse, parse_expression
from .parts import RightSide
from .syntax import Argument, Binary, Call, Name, Node, Number, Parenthesis, Unary, deparse, names
from .terms import summands


def updated(old: Formula, text: str) -> str:
    """The text of a formula in which ``.`` stands for what `old` has on that side; without one, `text` itself.

    On the right a ``.`` that is added is all of the old side, bars and offsets included. Inside a product or a bar it
    is the fixed terms, and the bars and offsets stay.

    Raises
    ------
    FormulaError
        Where the text cannot be read, or removes what is not there.

    Examples
    --------
    >>> old = Formula("y ~ a + x + (x | g)")
    >>> updated(old, ". ~ . - x"), updated(old, "log(.) ~ . + b"), updated(old, ". ~ .^2")
    ('y ~ a + (1 + x | g)', 'log(y) ~ a + x + b + (1 + x | g)', 'y ~ a + x + a:x + (1 + x | g)')
    """
    tree = parse(text)
    left, right = (tree.left, tree.right) if isinstance(tree, Binary) else (None, tree.operand)  # type: ignore[union-attr]  # `parse` gives no other
    if not any(name.identifier == "." for side in (left, right) if side is not None for name in names(side)):
        return text
    response = old.response if left is None else deparse(_filled(left, lambda: _response(old, text)))
    found = Formula(f"~ {_right(old.predictors['mu'], right)}").predictors["mu"]
    return f"{'' if response is None else response + ' '}~ {written(found)}"


def written(side: RightSide) -> str:
    """A right side as text, in the order of its terms."""
    parts = [*(term.name for term in side.terms), *_apart(side)]
    lead = [] if side.intercept and (side.terms or side.offsets) else ["1" if side.intercept else "0"]
    return " + ".join([*lead, *parts])


def _response(old: Formula, text: str) -> Node:
    if old.response_node is None:
        raise FormulaError(
            f"`.` on the left of {text} stands for a response, and {old} has none: name the column", topic="dot"
        )
    return old.response_node


def _right(old: RightSide, right: Node) -> str:
    if not any(name.identifier == "." for name in names(right)):
        return deparse(right)
    parts = summands(right)
    apart = () if any(_is_dot(node) for _, node in parts) else _apart(old)  # what no dot brings along
    text = ""
    for added, node in parts:
        piece = Parenthesis(parse_expression(written(old))) if _is_dot(node) else _filled(node, lambda: _fixed(old))
        before, text = text, f"{text} {'+' if added else '-'} {deparse(piece)}".removeprefix(" + ").strip()
        if not added and before and Formula(f"~ {before}") == Formula(f"~ {text}"):
            there = ", ".join(term.name for term in old.terms) or "none"
            raise FormulaError(f"there is no {deparse(piece)} to remove; terms of the formula: {there}", topic="update")
    return " + ".join([text, *apart])


def _apart(side: RightSide) -> tuple[str, ...]:
    return (*(f"offset({deparse(node)})" for node in side.offsets), *(bar.text for bar in side.bars))


def _is_dot(node: Node) -> bool:
    return isinstance(node, Name) and node.identifier == "."


def _fixed(side: RightSide) -> Node:
    """The fixed terms of a side as one operand."""
    if not side.terms:
        return Number(1.0)
    whole = parse_expression(" + ".join(term.name for term in side.terms))
    return whole if isinstance(whole, Name | Call) else Parenthesis(whole)


def _filled(node: Node, value: Callable[[], Node]) -> Node:
    """`node` with every ``.`` replaced."""
    match node:
        case Name("."):
            return value()
        case Parenthesis(inner):
            filled = _filled(inner, value)
            return filled if isinstance(filled, Parenthesis) else Parenthesis(filled)
        case Unary(operator, operand):
            return Unary(operator, _filled(operand, value))
        case Binary(operator, left, right):
            return Binary(operator, _filled(left, value), _filled(right, value))
        case Call(function, arguments):
            return Call(function, tuple(Argument(_filled(a.value, value), a.keyword) for a in arguments))
    return node
