"""How the right side of ``~`` falls apart into an intercept, terms, bars and offsets."""

from __future__ import annotations

from collections.abc import Iterator

from .bars import find_bar, read_bars, strip
from .caret import Refusal
from .parts import Bar, RightSide
from .syntax import Argument, Binary, Call, Node, Parenthesis, Unary, deparse, names
from .terms import CONDITIONS, Summand, atom_of, expand_terms, summands


def read_right_side(node: Node) -> RightSide:
    """Terms, bars and offsets of one predictor; ``.`` stays an atom until its columns are known.

    Offsets are kept as the expression inside ``offset(...)``.

    Raises
    ------
    Refusal
        At what has no meaning, with its place.

    Examples
    --------
    >>> from bayesmixed.formula.parser import parse_expression
    >>> side = read_right_side(parse_expression("a * b + offset(log(h)) + (1 | g)"))
    >>> side.intercept, [term.name for term in side.terms], [bar.text for bar in side.bars]
    (True, ['a', 'b', 'a:b'], ['(1 | g)'])
    """
    _refuse_bare_bar(node)
    fixed: list[Summand] = []
    bars: list[Bar] = []
    offsets: list[Node] = []
    for added, summand in _opened(node):
        if found := read_bars(summand):
            _count(bars, found, added, summand)
        elif (offset := _offset(summand)) is not None:
            _count_offset(offsets, offset, added)
        else:
            _refuse_bar_inside(summand)
            fixed.append((added, summand))
    intercept, terms = expand_terms(fixed)
    dot = any(name.identifier == "." for _, part in fixed for name in names(part))
    return RightSide(intercept, terms, tuple(bars), tuple(offsets), dot)


def _refuse_bare_bar(node: Node) -> None:
    if isinstance(node, Binary) and node.operator in ("|", "||"):
        raise Refusal(
            f"a bar needs parentheses around it: write {_with_parentheses(node)}", node.position, topic="bars"
        )


def _with_parentheses(bar: Binary) -> str:
    """To R everything before the bar belongs to it; most who forget the parentheses mean the last term only."""
    match bar.left:
        case Binary("+", rest, last):
            return f"{deparse(rest)} + ({deparse(last)} {bar.operator} {deparse(bar.right)}), or ({deparse(bar)})"
    return f"({deparse(bar)})"


def _opened(node: Node) -> Iterator[Summand]:
    """The summands, those inside parentheses that hold bars included."""
    for added, summand in summands(node):
        inner = strip(summand)
        sum_inside = isinstance(inner, Binary | Unary) and inner.operator in ("+", "-")
        if sum_inside and find_bar(inner) is not None:
            yield from ((added == within, part) for within, part in _opened(inner))
        else:
            yield added, summand


def _count(bars: list[Bar], found: tuple[Bar, ...], added: bool, summand: Node) -> None:
    if added:
        bars.extend(found)
        return
    for bar in found:
        same = [known for known in bars if _meaning(known) == _meaning(bar)]
        if not same:
            there = ", ".join(known.text for known in bars) or "none"
            raise Refusal(
                f"there is no bar {bar.text} to remove; bars before it: {there}", _position(summand), topic="bars"
            )
        bars.remove(same[0])


def _meaning(bar: Bar) -> tuple[object, ...]:
    columns = frozenset(term.key for term in bar.terms)
    return (bar.covariance, bar.options), bar.intercept, columns, frozenset(deparse(atom) for atom in bar.factor)


def _offset(summand: Node) -> Call | None:
    inner = strip(summand)
    return inner if isinstance(inner, Call) and inner.function == "offset" else None


def _count_offset(offsets: list[Node], call: Call, added: bool) -> None:
    match call.arguments:
        case (Argument(value, None),):
            pass
        case _:
            raise Refusal("offset(...) takes one expression: write offset(log(hours))", call.position, topic="offset")
    for name in names(value):
        if name.identifier == ".":
            raise Refusal(
                "`.` stands for columns only as a term: name the column of an offset", name.position, topic="offset"
            )
    if added:
        offsets.append(value)
    elif value in offsets:
        offsets.remove(value)
    else:
        raise Refusal(f"there is no offset({deparse(value)}) to remove: leave it out", call.position, topic="offset")


def _refuse_bar_inside(summand: Node) -> None:
    if isinstance(summand, Binary) and summand.operator in CONDITIONS:
        # it binds weaker than `+`, so that the bars after it would be taken for a part of the condition
        atom_of(summand)
    bar = find_bar(summand)
    if bar is not None:
        message = "a bar is only ever added: write x + (1 | g); columns that vary by group go inside the bar"
        raise Refusal(message, _position(bar), topic="bars")


def _position(node: Node) -> int:
    return node.inner.position if isinstance(node, Parenthesis) else node.position
