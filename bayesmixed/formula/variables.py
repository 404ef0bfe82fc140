"""Which columns an expression needs."""

from __future__ import annotations

from collections.abc import Iterator

from .syntax import Binary, Call, Name, Node, Parenthesis, Unary

CONSTANTS = frozenset("pi np.pi TRUE FALSE T F True False Inf NaN NA NULL None".split())


def columns_in(node: Node) -> Iterator[str]:
    """The names in `node` that may be columns, in order of appearance, repeats included.

    Inside calls ``pi``, ``TRUE``, ``T`` and their like are constants and are left out; standing alone,
    as a term or a grouping factor, ``T`` is a column. What follows the factor in ``C(f, contr.sum)``
    names a contrast. ``.`` is no column.

    Examples
    --------
    >>> from bayesmixed.formula.parser import parse_expression
    >>> list(columns_in(parse_expression("ifelse(a > pi, b, T)")))
    ['a', 'b']
    """
    waiting = [(node, False)]
    while waiting:
        current, inside = waiting.pop()
        match current:
            case Name(identifier):
                if identifier != "." and not (inside and identifier in CONSTANTS):
                    yield identifier
            case Parenthesis(inner) | Unary(_, inner):
                waiting.append((inner, inside))
            case Binary(_, left, right):
                waiting += [(right, inside), (left, inside)]
            case Call(function, arguments):
                kept = arguments[:1] if function in ("C", "stats::C") else arguments
                waiting.extend((argument.value, True) for argument in reversed(kept))
