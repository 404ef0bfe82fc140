"""How tokens become an expression tree, with exactly R's precedence (R's ``?Syntax``)."""

from __future__ import annotations

from .caret import Refusal, pointing_into
from .syntax import Argument, Binary, Call, Name, Node, Number, Parenthesis, String, Unary
from .tokens import Token, tokenize

_BINARY = {"|": 1, "||": 1, "&": 2, "&&": 2, "<": 4, "<=": 4, ">": 4, ">=": 4, "==": 4, "!=": 4}
_BINARY |= {"+": 5, "-": 5, "*": 6, "/": 6, "%in%": 7, "%%": 7, "%/%": 7, ":": 8, "^": 10}
_PREFIX = {"!": 3, "-": 9, "+": 9}
_COMPARISON = 4
_DEEPEST = 100  # levels; Python's own limit of 1000 frames allows three of ours per level with room to spare


def parse(text: str) -> Node:
    """The tree of a formula: ``Binary("~", left, right)``, or ``Unary("~", right)`` when it is one-sided.

    Nothing is evaluated.

    Raises
    ------
    FormulaError
        With the line and a caret under the spot.

    Examples
    --------
    >>> parse("y ~ -x^2")
    Binary(operator='~', left=Name(identifier='y'), right=Unary(operator='-', operand=Binary(operator='^', \
left=Name(identifier='x'), right=Number(value=2.0, text='2'))))
    """
    with pointing_into(text):
        return _checked(_Parser(tokenize(text)).formula())


def parse_expression(text: str) -> Node:
    """The tree of an expression without ``~``, such as an offset or weights: ``log(hours)``.

    Raises
    ------
    FormulaError
        As `parse`.
    """
    with pointing_into(text):
        return _checked(_Parser(tokenize(text)).alone())


class _Parser:
    """One pass over the tokens, by precedence climbing."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.index = 0
        self.level = 0
        self.open_calls: list[Token] = []

    @property
    def next(self) -> Token:
        return self.tokens[self.index]

    def take(self) -> Token:
        token = self.next
        self.index += 1
        return token

    def at(self, *operators: str) -> bool:
        return self.next.kind == "operator" and self.next.value in operators

    def formula(self) -> Node:
        if self.next.kind == "end":
            raise Refusal("the formula is empty: write y ~ x + (1 | g)", 0, topic="formula-text")
        left = None if self.at("~") else self.expression()
        if not self.at("~"):
            raise self.stray(tilde_seen=False)
        tilde = self.take()
        if self.next.kind == "end":
            raise Refusal(
                "nothing stands right of `~`: write ~ 1 for an intercept alone", tilde.position, topic="formula-text"
            )
        right = self.expression()
        if self.next.kind != "end":
            raise self.stray(tilde_seen=True)
        return Unary("~", right, tilde.position) if left is None else Binary("~", left, right, tilde.position)

    def alone(self) -> Node:
        if self.next.kind == "end":
            raise Refusal("the expression is empty", 0, topic="formula-text")
        node = self.expression()
        if self.at("~"):
            raise Refusal(
                "an expression has no `~`: write its right side alone", self.next.position, topic="formula-text"
            )
        if self.next.kind != "end":
            raise self.stray(tilde_seen=True)
        return node

    def expression(self, lowest: int = 1) -> Node:
        self.level += 1
        if self.level > _DEEPEST:
            raise Refusal(
                f"nested deeper than {_DEEPEST} levels: make columns of the inner parts",
                self.next.position,
                topic="formula-text",
            )
        left = self.operand()
        while self.next.kind == "operator" and _BINARY.get(self.next.value, 0) >= lowest:
            left = self.binary(left)
        self.level -= 1
        return left

    def binary(self, left: Node) -> Node:
        token = self.take()
        strength = _BINARY[token.value]
        right = self.expression(strength if token.value == "^" else strength + 1)
        if strength == _COMPARISON and self.next.kind == "operator" and _BINARY.get(self.next.value) == _COMPARISON:
            raise Refusal("comparisons do not chain: write a < b & b < c", self.next.position, topic="operators")
        return Binary(token.value, left, right, token.position)

    def operand(self) -> Node:
        token = self.next
        if token.kind == "operator" and token.value in _PREFIX:
            self.take()
            return Unary(token.value, self.expression(_PREFIX[token.value]), token.position)
        if self.at("("):
            return self.parenthesis()
        if token.kind in ("operator", "end"):
            raise self.no_operand()
        return self.literal(self.take())

    def literal(self, token: Token) -> Node:
        if token.kind == "string":
            return String(token.value, token.position)
        if token.kind == "number":
            return Number(float(token.value.rstrip("L")), token.value, token.position)
        if self.at("("):
            return self.call(token)
        if "::" in token.value and token.end - token.position == len(token.value):
            raise Refusal(
                f"`{token.value}` names a function: write {token.value}(...)",
                token.position,
                topic="arguments-in-formula",
            )
        return Name(token.value, token.position)

    def parenthesis(self) -> Node:
        opening = self.take()
        if self.at(")"):
            raise Refusal(
                "these parentheses are empty: write a term in them or leave them out",
                opening.position,
                topic="formula-text",
            )
        inner = self.expression()
        if self.at(","):
            raise Refusal(
                "a comma belongs in a function call: write c(a, b) for a list", self.next.position, topic="formula-text"
            )
        self.close(opening)
        return Parenthesis(inner, opening.position)

    def close(self, opening: Token) -> None:
        if self.next.kind == "end":
            raise Refusal(
                "this parenthesis is never closed: write `)` where it ends", opening.position, topic="formula-text"
            )
        if not self.at(")"):
            raise self.stray(tilde_seen=True)
        self.take()

    def call(self, name: Token) -> Node:
        if name.end - name.position != len(name.value):
            raise Refusal(
                "a function's name takes no backticks: give it a plain name in the namespace",
                name.position,
                topic="formula-text",
            )
        opening = self.take()
        self.open_calls.append(name)
        arguments: list[Argument] = []
        while not self.at(")"):
            if arguments:
                self.comma(opening)
            arguments.append(self.argument(arguments))
        self.close(opening)
        self.open_calls.pop()
        node = Call(name.value, tuple(arguments), name.position)
        return _refuse_gap(node) if opening.position > name.end else node

    def comma(self, opening: Token) -> None:
        if not self.at(","):
            self.close(opening)
        self.take()

    def argument(self, earlier: list[Argument]) -> Argument:
        follower = self.tokens[min(self.index + 1, len(self.tokens) - 1)]
        if self.next.kind != "name" or (follower.kind, follower.value) != ("operator", "="):
            return Argument(self.expression())
        keyword = self.take()
        if any(argument.keyword == keyword.value for argument in earlier):
            raise Refusal(
                f"{keyword.value} is given twice: keep one of them", keyword.position, topic="arguments-in-formula"
            )
        self.take()
        return Argument(self.expression(), keyword.value)

    def stray(self, tilde_seen: bool) -> Refusal:
        """What to say of a token where the text should have gone on with an operator, or ended."""
        token = self.next
        if self.open_calls and self.at("~"):
            call = self.open_calls[0]
            return Refusal(
                f"paste the formula only, without {call.value}(...) around it", call.position, topic="formula-text"
            )
        if self.at("~"):
            return Refusal(
                "a formula has one `~`: give further formulas as texts of their own",
                token.position,
                topic="formula-text",
            )
        if token.kind == "end":
            return Refusal(
                "a formula needs a `~`: write y ~ x + (1 | g), ~ x if it has no response",
                token.position,
                topic="formula-text",
            )
        if self.at(")"):
            return Refusal(
                "this parenthesis closes nothing: leave it out, or open it before", token.position, topic="formula-text"
            )
        if self.at(","):
            message = "paste the formula only: data, options and further formulas are arguments of their own"
            return Refusal(message, token.position, topic="formula-text")
        if self.at("="):
            what = "write == to compare" if tilde_seen else "write y ~ x, with `~`, and paste the formula only"
            return Refusal(f"`=` only names an argument of a call: {what}", token.position, topic="formula-text")
        return Refusal(
            f"an operator is missing before {_shown(token)}: {self.remedy()}", token.position, topic="formula-text"
        )

    def remedy(self) -> str:
        """What was probably meant where two operands stand side by side."""
        token, before = self.next, self.tokens[self.index - 1]
        if token.kind == before.kind == "name":
            name = f"`{before.value} {token.value}`"
            return f"write `+` there to add a term; a name with a space goes in backticks, {name}"
        if token.kind == "name" and before.value in ("0", "1") and before.end < token.position:
            return f"write `+` there to add a term, ({before.value} | {token.value}) for effects by {token.value}"
        return "write `+` there to add a term"

    def no_operand(self) -> Refusal:
        """What to say of a token where a term should have stood."""
        token, before = self.next, self.tokens[self.index - 1] if self.index else None
        after = before.value if before is not None and before.kind == "operator" else ""
        if self.at("~") and any(earlier.value == "~" for earlier in self.tokens[: self.index]):
            return Refusal(
                "a formula has one `~`: give further formulas as texts of their own",
                token.position,
                topic="formula-text",
            )
        if after in ("|", "||") and not self.at("|", "||"):
            return Refusal("the bar has no grouping factor: write (1 | g)", token.position, topic="bars")
        if self.at("|", "||"):
            return Refusal(
                "nothing stands left of the bar: write (1 | g) for an intercept per group", token.position, topic="bars"
            )
        if token.kind == "end":
            return Refusal(
                f"the formula ends after `{after}`: write the term that should follow",
                token.position,
                topic="formula-text",
            )
        if after:
            return Refusal(
                f"a term is missing between `{after}` and `{token.value}`: write it there",
                token.position,
                topic="formula-text",
            )
        return Refusal(
            f"a term is missing before `{token.value}`: write it there", token.position, topic="formula-text"
        )


def _shown(token: Token) -> str:
    return f"'{token.value}'" if token.kind == "string" else f"`{token.value}`"


def _refuse_gap(call: Call) -> Call:
    # `Days (1 | g)` is a call to R; nobody means it
    match call.arguments:
        case (Argument(Binary("|" | "||")),):
            name = call.function
            message = f"an operator is missing after `{name}`: write {name} + (...)"
            raise Refusal(
                f"{message}, or {name}(...) without the space to call it", call.position, topic="formula-text"
            )
    return call


def _checked(tree: Node) -> Node:
    """The tree, once it is known that walking it level by level stays shallow inside calls."""
    waiting: list[tuple[Node, int, int]] = [(tree, 0, 0)]
    while waiting:
        node, inside, depth = waiting.pop()
        if depth > _DEEPEST:
            raise Refusal(
                f"an expression inside a call goes over {_DEEPEST} levels: make columns of its parts",
                inside,
                topic="formula-text",
            )
        match node:
            case Call(_, arguments, position):
                waiting += [(argument.value, position, depth + 1) for argument in arguments]
            case Parenthesis(inner) | Unary(_, inner):
                waiting.append((inner, inside, depth + bool(depth)))
            case Binary(_, left, right):
                waiting += [(left, inside, depth + bool(depth)), (right, inside, depth + bool(depth))]
    return tree
