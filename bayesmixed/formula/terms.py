"""How ``+ : * / ^ - %in% 0 1`` expand into terms: R's ``terms()``, quirks of the intercept included.

Chambers and Hastie (1992), *Statistical Models in S*, section 2.4. A term is a set of atoms, held as
the bits of an integer in order of first appearance, so that products are unions and labels sort themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NoReturn, TypeAlias

from .caret import Refusal
from .parts import Term
from .syntax import Binary, Call, Name, Node, Number, Parenthesis, String, Unary, deparse, names

Summand: TypeAlias = tuple[bool, Node]  # added (or removed), what
_Masks: TypeAlias = dict[int, None]  # a set that keeps its order

CONDITIONS = ("==", "!=", "<", "<=", ">", ">=", "&", "&&")
_MOST_POWERS = 100  # no sum has terms of more atoms that stay below the next limit
_LARGEST = 500_000  # pairs of terms in one product: `.^2` over 700 columns passes, an exponential one does not


def summands(node: Node) -> list[Summand]:
    """What a sum adds and removes, left to right: ``a + b - c`` gives +a, +b, -c."""
    backwards: list[Summand] = []
    while isinstance(node, Binary) and node.operator in ("+", "-"):
        backwards.append((node.operator == "+", node.right))
        node = node.left
    if isinstance(node, Unary) and node.operator in ("+", "-"):
        backwards.append((node.operator == "+", node.operand))
    else:
        backwards.append((True, node))
    return backwards[::-1]


def expand_terms(parts: Sequence[Summand], *, by_degree: bool = True) -> tuple[bool, tuple[Term, ...]]:
    """Whether there is an intercept, and the distinct terms of a sum.

    Parameters
    ----------
    parts
        The `summands` of a right side, without bars and offsets.
    by_degree
        Main effects first, then two-way interactions and so on, as R orders them; else as they come.

    Raises
    ------
    Refusal
        At a number other than 0 and 1, a comparison, a power that is no whole number, an unknown construct.

    Examples
    --------
    >>> from bayesmixed.formula.parser import parse_expression
    >>> intercept, terms = expand_terms(summands(parse_expression("a:b + c/b - 1")))
    >>> intercept, [term.name for term in terms]
    (False, ['c', 'a:b', 'b:c'])
    """
    algebra = _Algebra()
    masks: Iterable[int] = algebra.sum(parts)
    if by_degree:
        masks = sorted(masks, key=int.bit_count)
    return algebra.intercept, tuple(algebra.term(mask) for mask in masks if mask)


class _Algebra:
    """R's EncodeVars: the atoms met so far, and the state of the intercept."""

    def __init__(self) -> None:
        self.atoms: list[Node] = []
        self.bits: dict[str, int] = {}
        self.intercept = True
        self.adding = True  # flips below each minus: `x - (-1)` keeps the intercept

    def term(self, mask: int) -> Term:
        found = []
        while mask:
            lowest = mask & -mask
            found.append(self.atoms[lowest.bit_length() - 1])
            mask ^= lowest
        return Term(tuple(found))

    def sum(self, parts: Sequence[Summand]) -> _Masks:
        total: _Masks = {}
        for added, node in parts:
            if added:
                total |= self.encode(node)
                continue
            self.adding = not self.adding
            gone = self.encode(node)
            self.adding = not self.adding
            total = {mask: None for mask in total if mask not in gone}
        return total

    def encode(self, node: Node) -> _Masks:
        match node:
            case Parenthesis(Binary(operator) as comparison) if operator in CONDITIONS:
                return {self.bit(comparison): None}  # `y ~ (x > 2)` is a two-level factor, as in R
            case Parenthesis(inner):
                return self.encode(inner)
            case Binary("+" | "-") | Unary("+" | "-"):
                return self.sum(summands(node))
            case Binary(":" | "*" | "/" | "%in%"):
                return self.product(node)
            case Binary("^", base, power):
                return self.power(base, power, node.position)
            case Number():
                return self.constant(node)
        return {self.bit(atom_of(node)): None}

    def constant(self, number: Number) -> _Masks:
        if number.value not in (0.0, 1.0):
            raise Refusal(
                f"`{deparse(number)}` is not a term: only 1 and 0 (with and without intercept) stand alone; "
                "write a known part as offset(...), arithmetic as I(...)",
                number.position,
                topic="operators",
            )
        self.intercept = self.adding == (number.value == 1.0)
        return {}

    def product(self, node: Node) -> _Masks:
        factors: list[tuple[str, Node, int]] = []
        while isinstance(node, Binary) and node.operator in _JOINED:
            _refuse_membership(node)
            factors.append((node.operator, node.right, node.position))
            node = node.left
        joined = self.factor(node)
        for operator, right, position in reversed(factors):
            joined = _JOINED[operator](joined, self.factor(right), position)
        return joined

    def factor(self, node: Node) -> _Masks:
        if isinstance(node, Number):
            raise Refusal(
                f"a number has no interactions: leave out `{deparse(node)}`, or write arithmetic as I(...)",
                node.position,
                topic="operators",
            )
        return self.encode(node)

    def power(self, base: Node, power: Node, position: int) -> _Masks:
        if not (isinstance(power, Number) and power.value >= 1 and power.value.is_integer()):
            raise Refusal(
                "outside calls `^` crosses terms and takes a whole number: write (a + b)^2, arithmetic as I(x^2)",
                position,
                topic="operators",
            )
        first = reached = self.factor(base)
        for _ in range(int(min(power.value, _MOST_POWERS)) - 1):
            before, reached = reached, _interact(first, reached, position)
            if list(reached) == list(before):
                break
        return reached

    def bit(self, atom: Node) -> int:
        name = deparse(atom)
        if name not in self.bits:
            self.bits[name] = 1 << len(self.bits)
            self.atoms.append(atom)
        return self.bits[name]


def _refuse_membership(node: Binary) -> None:
    values = node.right.inner if isinstance(node.right, Parenthesis) else node.right
    if node.operator == "%in%" and (
        isinstance(values, String) or (isinstance(values, Call) and values.function == "c")
    ):
        raise Refusal(f"`%in%` a list is a condition: write I({deparse(node)})", node.position, topic="operators")


def _interact(left: _Masks, right: _Masks, position: int) -> _Masks:
    if len(left) * len(right) > _LARGEST:
        raise Refusal(
            f"this product has {len(left)} x {len(right)} terms: cross fewer columns",
            position,
            topic="too-many-columns",
        )
    return {one | other: None for one in left for other in right}


def _cross(left: _Masks, right: _Masks, position: int) -> _Masks:
    return left | right | _interact(left, right, position)


def _nest(left: _Masks, right: _Masks, position: int) -> _Masks:
    return left | _within(right, left, position)


def _within(left: _Masks, right: _Masks, position: int) -> _Masks:
    around = 0
    for mask in right:
        around |= mask
    return {around | mask: None for mask in left}


_JOINED = {":": _interact, "*": _cross, "/": _nest, "%in%": _within}

_UNSUPPORTED = {
    "gr": "write the grouping factor alone, as in (1 | g)",
    "mm": "multiple membership is not supported",
    "s": "smooths are not supported; write bs(x, df = 5), ns(x, df = 5) or poly(x, 2)",
    "t2": "smooths are not supported; write bs(x, df = 5), ns(x, df = 5) or poly(x, 2)",
    "te": "smooths are not supported; write bs(x, df = 5), ns(x, df = 5) or poly(x, 2)",
    "ti": "smooths are not supported; write bs(x, df = 5), ns(x, df = 5) or poly(x, 2)",
    "gp": "Gaussian processes are not supported",
    "mo": "monotonic effects are not supported; an ordered column gets polynomial contrasts",
    "me": "measurement error is not supported",
    "mi": "imputation within the model is not supported",
    "Error": "write error strata as bars, such as (1 | block)",
}


def atom_of(node: Node) -> Node:
    """`node` itself, if it can be an atom of a term: a column or a call.

    Raises
    ------
    Refusal
        For everything else, and for functions that bayesmixed does not have.
    """
    match node:
        case Name() | Binary("%%" | "%/%"):
            return _without_dot(node)  # a column computed from others, as in R
        case Call("offset"):
            raise Refusal(
                "offset(...) is only ever added: write it as a term of its own, outside bars",
                node.position,
                topic="offset",
            )
        case Call(function) if function in _UNSUPPORTED:
            raise Refusal(
                f"{function}(...) is refused: {_UNSUPPORTED[function]}", node.position, topic="refused-function"
            )
        case Call():
            return _without_dot(node)
        case String(value):
            raise Refusal(
                f"a quoted text is not a column: write {deparse(Name(value))}", node.position, topic="characters"
            )
        case Binary("|" | "||"):
            raise Refusal(
                f"a bar stands in parentheses of its own: write ({deparse(node)})", node.position, topic="bars"
            )
        case Binary(operator, left, right) if operator in CONDITIONS:
            _refuse_condition(operator, left, right, node)
        case Binary(operator) | Unary(operator):
            raise Refusal(
                f"`{operator}` only works inside calls: write I({deparse(node)})", node.position, topic="operators"
            )
    raise TypeError(f"not a formula node: {node!r}")


def _refuse_condition(operator: str, left: Node, right: Node, node: Binary) -> NoReturn:
    last, first = summands(left)[-1][1], summands(right)[0][1]  # what stands next to the operator
    meant = f"I({deparse(Binary(operator, last, first))})"
    if operator in ("&", "&&"):
        meant += f", or {deparse(last)}:{deparse(first)} for an interaction"
    raise Refusal(f"`{operator}` only works inside calls: write {meant}", node.position, topic="operators")


def _without_dot(node: Node) -> Node:
    for name in names(node):
        if name.identifier == "." and not isinstance(node, Name):
            raise Refusal(
                "`.` stands for columns only as a term: name the column inside a call", name.position, topic="dot"
            )
    return node
