"""How a random-effect bar reads: ``(columns | factor)``, ``||``, nested factors and named structures."""

from __future__ import annotations

from .caret import Refusal
from .parts import WITH_TWO_BARS, Bar
from .syntax import Argument, Binary, Call, Name, Node, Number, Parenthesis, String, Unary, deparse, names
from .terms import expand_terms, summands

# inside these, `|` is the logical "or"
_LOGICAL = frozenset(
    "I C factor ordered as.factor as.ordered as.numeric as.integer as.double as.logical as.character offset".split()
)
_WORDS = {"True": True, "TRUE": True, "T": True, "False": False, "FALSE": False, "F": False}


def read_bars(node: Node) -> tuple[Bar, ...]:
    """The bars that one summand stands for; none when it is not a bar.

    ``(1 | a/b)`` stands for ``(1 | a)`` and ``(1 | a:b)``; a call around a lone bar names its covariance, and what
    follows the bar by name are options of that.

    Raises
    ------
    Refusal
        At what a bar cannot hold: another bar, an offset, ``.``, a number as its factor, no columns.

    Examples
    --------
    >>> from bayesmixed.formula.parser import parse_expression
    >>> [bar.text for bar in read_bars(parse_expression("(x | a/b)"))]
    ['(1 + x | a)', '(1 + x | a:b)']
    """
    found = _bar_of(strip(node))
    if found is None:
        return ()
    bar, structure, arguments = found
    double = bar.operator == "||"
    if structure and double:
        raise Refusal(f"write {structure}(x | g), with one bar, or (x || g) alone", bar.position, topic="bars")
    _refuse_inside(bar)
    intercept, terms = expand_terms(summands(bar.left))
    if not (intercept or terms):
        raise Refusal("this bar has no columns: write (1 | g) for an intercept per group", bar.position, topic="bars")
    _, factors = expand_terms(summands(bar.right), by_degree=False)
    covariance = structure or (WITH_TWO_BARS if double else "us")
    options = tuple((str(one.keyword), _value(one, structure, bar.position)) for one in arguments)
    return tuple(Bar(intercept, terms, factor.atoms, covariance, double, options) for factor in factors)


def find_bar(node: Node) -> Node | None:
    """The first bar anywhere among the operators of `node` (not inside ordinary calls), if there is one."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if (found := _bar_of(node)) is not None:
            return found[0]
        match node:
            case Parenthesis(inner) | Unary(_, inner):
                waiting.append(inner)
            case Binary(_, left, right):
                waiting += [right, left]
    return None


def strip(node: Node) -> Node:
    """`node` without the parentheses around it."""
    while isinstance(node, Parenthesis):
        node = node.inner
    return node


def _bar_of(node: Node) -> tuple[Binary, str, tuple[Argument, ...]] | None:
    """The bar, the structure named in front of it and the options behind it."""
    match node:
        case Binary("|" | "||"):
            return node, "", ()
        case Call(function, (Argument(argument, None), *options)) if function not in _LOGICAL:
            inner = strip(argument)
            named = all(option.keyword is not None for option in options)
            if named and isinstance(inner, Binary) and inner.operator in ("|", "||"):
                return inner, function, tuple(options)
    return None


def _value(option: Argument, structure: str, position: int) -> bool | float | str:
    """What an option is set to: True, False, a number or a text."""
    match option.value:
        case Name(word) if word in _WORDS:
            return _WORDS[word]
        case Number(value) | String(value):
            return value
        case Unary("-", Number(value)):
            return -value
        case other:
            shown = f"{option.keyword}={deparse(other)}"
            message = f"`{shown}` in {structure}(): an option is True, False, a number or a text in quotes"
            raise Refusal(message, position, topic="bars")


def _refuse_inside(bar: Binary) -> None:
    if isinstance(bar.left, Binary) and bar.left.operator in ("|", "||"):
        message = f"`|{deparse(bar.left.right)}|` is not supported: correlate effects by writing them in one bar"
        raise Refusal(f"{message}, (1 + x | g)", bar.left.position, topic="bars")
    for side in (bar.left, bar.right):
        if (inner := find_bar(side)) is not None:
            raise Refusal("a bar inside a bar has no meaning: write (1 | a) + (1 | b)", inner.position, topic="bars")
        for name in names(side):
            if name.identifier == ".":
                raise Refusal(
                    "`.` stands for columns on the fixed side only: name the columns of a bar",
                    name.position,
                    topic="dot",
                )
    _refuse_factor(bar.right)


def _refuse_factor(factor: Node) -> None:
    waiting = [factor]
    while waiting:
        match waiting.pop():
            case Number() as number:
                raise Refusal(
                    f"`{deparse(number)}` is not a grouping factor: write (1 | g)", number.position, topic="bars"
                )
            case Parenthesis(inner):
                waiting.append(inner)
            case Binary("^", base, _):
                waiting.append(base)
            case Binary("+" | ":" | "*" | "/" | "%in%", left, right):
                waiting += [right, left]
            case Name() | Call():
                pass
            case Binary(operator, position=position) | Unary(operator, position=position):
                raise Refusal(
                    f"`{operator}` cannot stand right of a bar: write (1 | a) or (1 | a:b)", position, topic="bars"
                )
