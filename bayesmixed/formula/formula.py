"""What a formula says, before any data: response, predictors, bars and the columns they need."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from ..errors import FormulaError
from .caret import Refusal, pointing_into
from .parser import parse
from .parts import Bar, RightSide
from .rightside import read_right_side
from .syntax import Binary, Name, Node, Parenthesis, Unary, deparse, names
from .variables import columns_in


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Formula:
    """A mixed-model formula in lme4's notation, read but never evaluated.

    Parameters
    ----------
    text
        ``"y ~ x + (1 + x | g)"``; ``"~ x"`` has no response.
    *others
        Formulas of further distributional parameters, each named on its left: ``"sigma ~ z"``.
    nonlinear
        Not available yet: True raises.

    Attributes
    ----------
    text : str
        The main formula as given.
    predictors : dict of str to RightSide
        "mu" first, then the others as given.
    response_node : Node or None
        The left side as an expression tree.

    Raises
    ------
    FormulaError
        Where the text cannot be read; the message shows the line with a caret under the spot.

    Examples
    --------
    >>> formula = Formula("Reaction ~ Days + (Days | Subject)")
    >>> formula.response, formula.terms, formula.groups
    ('Reaction', ('1', 'Days'), ('Subject',))
    >>> formula.bars[0].text
    '(1 + Days | Subject)'
    """

    text: str
    predictors: dict[str, RightSide]
    response_node: Node | None
    _others: tuple[str, ...]
    _trees: dict[str, Node]

    def __init__(self, text: str, *others: str, nonlinear: bool = False) -> None:
        if nonlinear:
            raise FormulaError(
                "nonlinear means are not available: write a mean that is linear in its coefficients", topic="nonlinear"
            )
        response, tree, side = _read_main(text)
        trees, sides = {"mu": tree}, {"mu": side}
        for other in others:
            name, tree, side = _read_other(other, sides)
            trees[name], sides[name] = tree, side
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "predictors", _with_one_spelling(sides))
        object.__setattr__(self, "response_node", response)
        object.__setattr__(self, "_others", others)
        object.__setattr__(self, "_trees", trees)

    @property
    def texts(self) -> tuple[str, ...]:
        """All formulas as text, evenly spaced: ``Formula(*formula.texts) == formula``."""
        return _written(self.response, self._trees)

    @property
    def line(self) -> str:
        """All formulas on one line, for titles.

        >>> Formula("y ~ x", "sigma ~ z").line
        'y ~ x; sigma ~ z'
        """
        return "; ".join(self.texts)

    def of_parameters(self, names: Collection[str]) -> Formula:
        """The formula without those of other parameters than the mean and `names`.

        >>> Formula("y ~ x", "sigma ~ z").of_parameters([]).line
        'y ~ x'
        """
        kept = [text for name, text in zip(self.predictors, self.texts, strict=True) if name == "mu" or name in names]
        return self if len(kept) == len(self.texts) else Formula(*kept)

    @property
    def response(self) -> str | None:
        """The left side as text; None when there is none."""
        return None if self.response_node is None else deparse(self.response_node)

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the fixed terms of the main predictor, "1" first when it has an intercept."""
        side = self.predictors["mu"]
        return (*(["1"] if side.intercept else []), *(term.name for term in side.terms))

    @property
    def bars(self) -> tuple[Bar, ...]:
        """The random-effect terms of the main predictor, in formula order."""
        return self.predictors["mu"].bars

    @property
    def groups(self) -> tuple[str, ...]:
        """The distinct grouping factors of all predictors, in order of appearance."""
        return tuple(dict.fromkeys(bar.group for side in self.predictors.values() for bar in side.bars))

    def variables(self) -> tuple[str, ...]:
        """Every name that may be a column, in order of appearance: response, terms, offsets, bars.

        Constants (``pi``, ``TRUE``) are not among them, terms that were removed (``- x``) neither.
        """
        return tuple(dict.fromkeys(name for node in self._atoms() for name in columns_in(node)))

    def _atoms(self) -> Iterator[Node]:
        if self.response_node is not None:
            yield self.response_node
        for side in self.predictors.values():
            for term in side.terms:
                yield from term.atoms
            yield from side.offsets
            for bar in side.bars:
                for term in bar.terms:
                    yield from term.atoms
                yield from bar.factor

    def expand_dot(self, columns: Sequence[str]) -> Formula:
        """The formula with ``.`` replaced by every one of `columns` that it does not use elsewhere.

        Parameters
        ----------
        columns
            Names of the table's columns, in its order.

        Raises
        ------
        FormulaError
            When no column is left for ``.`` to stand for.

        Examples
        --------
        >>> print(Formula("y ~ . + (1 | g)").expand_dot(["y", "a", "b", "g"]))
        y ~ a + b + (1 | g)
        """
        if not any(name.identifier == "." for tree in self._trees.values() for name in names(tree)):
            return self
        left = self._unused(columns)
        return Formula(*_written(self.response, {n: _replace_dot(tree, left) for n, tree in self._trees.items()}))

    def _unused(self, columns: Sequence[str]) -> list[str]:
        trees = [*self._trees.values(), *([] if self.response_node is None else [self.response_node])]
        used = {name.identifier for tree in trees for name in names(tree)}
        left = [column for column in dict.fromkeys(columns) if column not in used]
        unnamed = [column for column in left if not isinstance(column, str) or not column]
        if unnamed:
            raise FormulaError(
                f"`.` in {self} meets a column named {unnamed[0]!r}: name every column by a text", topic="dot"
            )
        if not left:
            raise FormulaError(f"`.` in {self} stands for no column, all are used already: leave it out", topic="dot")
        return left

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Formula) and self._meaning() == other._meaning()

    def __hash__(self) -> int:
        return hash(self._meaning())

    def _meaning(self) -> tuple[object, ...]:
        return self.response_node, tuple(self.predictors.items())

    def __reduce__(self) -> tuple[type[Formula], tuple[str, ...]]:
        # the text says it all, and pickling a sum of thousands of columns node by node would recurse too deep
        return Formula, (self.text, *self._others)

    def __str__(self) -> str:
        return "\n".join(self.texts)

    def __repr__(self) -> str:
        return f"Formula({', '.join(repr(text) for text in self.texts)})"


def _read_main(text: str) -> tuple[Node | None, Node, RightSide]:
    left, right = _sides(text)
    with pointing_into(text):
        side = read_right_side(right)
        if left is not None:
            _refuse_dot(left)
            _refuse_response_as_term(left, side)
    return left, right, side


def _read_other(text: str, known: dict[str, RightSide]) -> tuple[str, Node, RightSide]:
    left, right = _sides(text)
    with pointing_into(text):
        if not isinstance(left, Name):
            raise Refusal("the left side names one parameter: write sigma ~ z", 0, topic="parameter-formulas")
        if left.identifier in known:
            again = "belongs to the first formula" if left.identifier == "mu" else "has a formula already"
            raise Refusal(
                f"{left.identifier} {again}: each parameter takes one formula",
                left.position,
                topic="parameter-formulas",
            )
        return left.identifier, right, read_right_side(right)


def _sides(text: str) -> tuple[Node | None, Node]:
    if not isinstance(text, str):
        raise FormulaError(
            f"a formula is a text such as 'y ~ x + (1 | g)', not {type(text).__name__}; it stands first, "
            "before the table: Model(formula, data)",
            topic="formula-text",
        )
    tree = parse(text)
    if isinstance(tree, Binary):
        return tree.left, tree.right
    assert isinstance(tree, Unary)
    return None, tree.operand


def _refuse_dot(left: Node) -> None:
    for name in names(left):
        if name.identifier == ".":
            raise Refusal("`.` is not a response: name the column", name.position, topic="dot")


def _refuse_response_as_term(left: Node, side: RightSide) -> None:
    for term in side.terms:
        if term.atoms == (left,):
            message = f"{deparse(left)} is the response and a term at once: leave it out on the right"
            raise Refusal(message, term.atoms[0].position, topic="parameter-formulas")
    for bar in side.bars:
        for term in bar.terms:
            if term.atoms == (left,):
                message = f"{deparse(left)} is the response and a column of {bar.text} at once: leave it out there"
                raise Refusal(message, term.atoms[0].position, topic="parameter-formulas")


def _with_one_spelling(sides: dict[str, RightSide]) -> dict[str, RightSide]:
    """The predictors with ``b:a`` spelled ``a:b`` where that came first: they are one grouping factor."""
    spelled: dict[frozenset[str], tuple[Node, ...]] = {}
    for side in sides.values():
        for bar in side.bars:
            spelled.setdefault(frozenset(deparse(atom) for atom in bar.factor), bar.factor)

    def respell(bar: Bar) -> Bar:
        return replace(bar, factor=spelled[frozenset(deparse(atom) for atom in bar.factor)])

    return {name: replace(side, bars=tuple(map(respell, side.bars))) for name, side in sides.items()}


def _written(response: str | None, trees: dict[str, Node]) -> tuple[str, ...]:
    lefts = {name: f"{name} ~ " for name in trees} | {"mu": "~ " if response is None else f"{response} ~ "}
    return tuple(lefts[name] + deparse(tree) for name, tree in trees.items())


def _replace_dot(node: Node, columns: Sequence[str], leads: bool = True) -> Node:
    """`node` with ``.`` as a sum of columns, in parentheses unless it leads a sum."""
    chain = []
    while isinstance(node, Binary):
        leads = leads and node.operator in ("+", "-")
        chain.append(node)
        node = node.left
    match node:
        case Name("."):
            node = _sum(columns) if leads or len(columns) == 1 else Parenthesis(_sum(columns))
        case Parenthesis(inner):
            node = Parenthesis(_replace_dot(inner, columns))
        case Unary(operator, operand):
            node = Unary(operator, _replace_dot(operand, columns, False))
    for link in reversed(chain):
        node = Binary(link.operator, node, _replace_dot(link.right, columns, False))
    return node


def _sum(columns: Sequence[str]) -> Node:
    total: Node = Name(columns[0])
    for column in columns[1:]:
        total = Binary("+", total, Name(column))
    return total
