"""What an expression is worth on a table: only columns, listed functions and `namespace=` can be reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from keyword import iskeyword
from typing import Any

import numpy as np
import pandas as pd

from ...errors import DataError, FormulaError
from ...formula.syntax import Argument, Binary, Call, Name, Node, Number, Parenthesis, String, Unary, deparse
from ..columns.factors import Factor, as_factor, drop_unused, logical, recode
from ..columns.series import raw_values
from .calling import called
from .contrast_call import asked_contrast
from .factor_functions import CATEGORICAL, Columns, apply_cut, fit_cut
from .lists import combined, counted, sequence
from .logic import COMPARISON, as_number, compare, described, either_or_both, member, three_valued, truth
from .namespace import returned
from .numeric import NUMERIC
from .transforms import TRANSFORMS, Transform
from .unknown import SPECIAL, bare, unknown_column, unknown_function

CONSTANTS: dict[str, Any] = {
    "pi": np.pi,
    "np.pi": np.pi,
    "TRUE": True,
    "FALSE": False,
    "T": True,
    "F": False,
    "True": True,
    "False": False,
    "Inf": np.inf,
    "NULL": None,
    "None": None,
}
ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
    "%%": np.mod,  # the sign of the divisor, as in R
    "%/%": np.floor_divide,
}
Value = Any  # float array, bool array, Factor, Columns, or a scalar, string or tuple inside a call


@dataclass(frozen=True)
class Evaluator:
    """Evaluates expressions on `frame`; `states` remembers what training found.

    A state is fitted the first time its expression is met (training) and used from then on, so the same
    class serves both: on new data every state is already there. Keys are the text of the expression.
    """

    frame: pd.DataFrame
    namespace: Mapping[str, Any]
    states: dict[str, dict[str, Any]]
    contrasts: Mapping[str, Any] = field(default_factory=dict)
    cache: dict[str, Any] = field(default_factory=dict)

    def atom(self, node: Node) -> np.ndarray | Factor | Columns:
        """An atom of a term: a float array (n,), a Factor without unused levels, or Columns (n, k)."""
        key = f"atom {deparse(node)}"
        if key not in self.cache:
            self.cache[key] = self._settled(self.value(node), node)
        return self.cache[key]

    def numeric(self, node: Node) -> np.ndarray:
        """An expression that must be a number for every row, such as an offset."""
        with np.errstate(all="ignore"):
            found = np.asarray(self._number(node), dtype=float)
        if found.ndim > 1:
            raise DataError(
                f"`{deparse(node)}` has {found.shape[-1]} columns where one number per row is needed.",
                topic="one-number-per-row",
            )
        return self._per_row(found, node)

    def grouping(self, node: Node) -> Value:
        """An atom of a grouping factor: the column as it is, so that levels keep the data's own values."""
        if isinstance(node, Name) and node.identifier in self.frame.columns:
            return raw_values(self.frame[node.identifier], node.identifier)
        return self._of_rows(self.value(node), node)

    def value(self, node: Node) -> Value:
        """The value of any expression, before it is made a column."""
        with np.errstate(all="ignore"):
            return self._evaluate(node)

    def _evaluate(self, node: Node) -> Value:
        match node:
            case Number(value):
                return value
            case String(value):
                return value
            case Name(identifier):
                return self._name(identifier)
            case Parenthesis(inner):
                return self._evaluate(inner)
            case Unary():
                return self._unary(node)
            case Binary():
                return self._binary(node)
            case Call():
                return self._call(node)
        raise TypeError(f"not a formula node: {node!r}")

    def _name(self, identifier: str) -> Value:
        if identifier in self.frame.columns:
            key = deparse(Name(identifier))  # in backticks, a column named "log(x)" is not the call
            if key not in self.cache:
                self.cache[key] = self._column(identifier, key)
            return self.cache[key]
        if identifier in self.namespace:
            return self.namespace[identifier]
        if identifier in CONSTANTS:
            return CONSTANTS[identifier]
        raise DataError(unknown_column(identifier, self.frame.columns), topic="no-such-column")

    def _column(self, name: str, key: str) -> Value:
        values = raw_values(self.frame[name], name)
        state = self.states.get(key)
        if state is None:
            self.states[key] = _kind(values)
            return values
        return _as_trained(values, state, name)

    def _unary(self, node: Unary) -> Value:
        if node.operator == "!":
            holds, missing = truth(self._evaluate(node.operand), node)
            return three_valued(~holds, missing)
        value = self._evaluate(node.operand)
        number = _as_number(value, node.operand)
        return _listed(-number if node.operator == "-" else number, value)

    def _binary(self, node: Binary) -> Value:
        operator = node.operator
        left, right = self._evaluate(node.left), self._evaluate(node.right)
        if operator in ARITHMETIC:
            made = _computed(operator, _as_number(left, node.left), _as_number(right, node.right), node)
            return _listed(made, left, right)
        if operator in COMPARISON:
            return compare(operator, left, right, node)
        if operator in ("&", "|", "&&", "||"):
            return either_or_both(operator, left, right, node)
        if operator == "%in%":
            return member(left, right, node)
        if operator == ":" and np.ndim(left) == np.ndim(right) == 0 and not isinstance(left, Factor):
            return counted(left, right, node)
        raise FormulaError(
            f"`{operator}` has no meaning inside `{deparse(node)}`: it belongs between terms.", topic="operators"
        )

    def _number(self, node: Node) -> Any:
        """The value of `node` as float (array), or an error that names the column."""
        return _as_number(self._evaluate(node), node)

    def _call(self, node: Call) -> Value:
        name, text = bare(node.function), deparse(node)
        if node.function in self.namespace or name in self.namespace:
            return self._user_call(node, self.namespace.get(node.function, self.namespace.get(name)))
        if name in SPECIAL:
            special = {"I": self._identity, "C": self._contrast, "c": self._combine, "cut": self._cut, "seq": self._seq}
            return special[name](node)
        if name in TRANSFORMS:
            return self._transformed(node, TRANSFORMS[name])
        if name in NUMERIC:
            arguments, options = self._arguments(node, self._number)
            return called(NUMERIC[name], text, *arguments, **options)
        if name in CATEGORICAL:
            arguments, options = self._arguments(node, self._evaluate)
            if name == "dummy" and arguments:  # its columns are levels, whichever of them new data have
                arguments[0] = self._leveled(as_factor(arguments[0], text), f"levels {text}")
            return self._leveled(called(CATEGORICAL[name], text, *arguments, **options), text)
        raise FormulaError(unknown_function(node), topic="no-such-function")

    def _arguments(self, node: Call, read: Callable[[Node], Any]) -> tuple[list[Any], dict[str, Any]]:
        positional = [read(a.value) for a in node.arguments if a.keyword is None]
        named = {_python_name(a.keyword): self._evaluate(a.value) for a in node.arguments if a.keyword is not None}
        return positional, named

    def _identity(self, node: Call) -> Value:
        return self._evaluate(_only(node))

    def _combine(self, node: Call) -> Value:
        return combined([self._evaluate(argument.value) for argument in node.arguments], node)

    def _seq(self, node: Call) -> tuple[float, ...]:
        arguments, options = self._arguments(node, self._evaluate)
        return called(sequence, deparse(node), *arguments, **options)

    def _transformed(self, node: Call, transform: Transform) -> Value:
        """A stateful call: the state is fitted once, on the training data, and applied ever after."""
        text = deparse(node)
        x, options = _split(node)
        column = np.asarray(self._number(x))
        if column.ndim > 1:
            raise DataError(
                f"`{text}` takes one column, and `{deparse(x)}` has {column.shape[1]}.", topic="arguments-in-formula"
            )
        column = np.broadcast_to(self._per_row(column, x), len(self.frame))
        if text not in self.states:
            positional, named = self._arguments(replace(node, arguments=options), self._evaluate)
            self.states[text] = called(transform.fit, text, column, *positional, **named)
        result = transform.apply(column, self.states[text])
        return _columns(result) if np.ndim(result) == 2 else result

    def _cut(self, node: Call) -> Factor:
        return self._leveled(self._transformed(node, Transform(fit_cut, apply_cut)), f"levels {deparse(node)}")

    def _contrast(self, node: Call) -> Factor:
        """``C(f, contr.sum)``, ``C(f, Treatment("b"))``, ``C(f, matrix)`` with a matrix from `namespace=`."""
        f, options = _split(node)
        made = as_factor(self._evaluate(f), deparse(f))
        if not options:
            return self._leveled(made, f"levels {deparse(node)}")
        made = self._leveled(drop_unused(made), f"levels {deparse(node)}")
        levels = made.levels[: made.known]
        return replace(
            made, contrast=asked_contrast(node, options, levels, made.ordered, self._evaluate, self.namespace)
        )

    def _leveled(self, value: Value, key: str) -> Value:
        """A factor made by a call keeps the levels it had on the training data."""
        if not isinstance(value, Factor) or value.logical:
            return value
        state = self.states.get(key)
        if state is None:
            self.states[key] = _kind(value)
            return value
        return recode(value, state["levels"], ordered=state["ordered"])

    def _user_call(self, node: Call, function: Any) -> Value:
        if not callable(function):
            raise FormulaError(
                f"namespace entry {node.function!r} is not a function, but `{deparse(node)}` calls it.",
                topic="namespace",
            )
        arguments, options = self._arguments(node, self._evaluate)
        plain = [a.values if isinstance(a, Factor | Columns) else a for a in arguments]
        values = returned(function, deparse(node), *plain, **options)
        if values.ndim and len(values) != len(self.frame):
            raise DataError(
                f"`{deparse(node)}` returned {len(values)} values for {len(self.frame)} rows.", topic="namespace"
            )
        if values.dtype.kind in "OUS":
            return self._leveled(as_factor(values.astype(object), deparse(node)), deparse(node))
        return _columns(values.astype(float)) if values.ndim == 2 else values

    def _settled(self, value: Value, node: Node) -> np.ndarray | Factor | Columns:
        text, value = deparse(node), self._of_rows(value, node)
        if isinstance(value, Factor):
            value = value if value.logical else self._leveled(drop_unused(value), f"used {text}")
            return value
        if isinstance(value, Columns):
            return value
        array = np.asarray(value)
        if array.dtype.kind == "b":
            return logical(self._per_row(array, node))
        if array.dtype.kind not in "iuf":
            raise DataError(
                f"`{text}` is {described(value)}, not a number or a factor{as_number(value, text)}",
                topic="one-number-per-row",
            )
        if array.ndim == 2:
            return _columns(array.astype(float))
        return self._per_row(array.astype(float, copy=False), node)

    def _of_rows(self, value: Value, node: Node) -> Value:
        """The value, if it is a column or a constant and no list or shorter column."""
        if isinstance(value, Factor):
            rows = len(value)
        else:
            rows = (*np.shape(value.values if isinstance(value, Columns) else value), len(self.frame))[0]
        if rows != len(self.frame):
            raise DataError(
                f"`{deparse(node)}` has {rows} values for {len(self.frame)} rows.", topic="one-number-per-row"
            )
        return value

    def _per_row(self, array: np.ndarray, node: Node) -> np.ndarray:
        n = len(self.frame)
        if array.ndim == 0:
            return np.full(n, array)
        if len(array) != n:
            raise DataError(f"`{deparse(node)}` has {len(array)} values for {n} rows.", topic="one-number-per-row")
        return array


def _kind(values: Value) -> dict[str, Any]:
    """What new data must look like to mean the same."""
    if isinstance(values, Factor):
        return {"kind": "factor", "levels": values.levels, "ordered": values.ordered, "text": values.text}
    return {"kind": {"b": "logical", "M": "time"}.get(np.asarray(values).dtype.kind, "number")}


def _as_trained(values: Value, state: dict[str, Any], name: str) -> Value:
    kind = state["kind"]
    if kind == "factor":
        recoded = recode(as_factor(values, name), state["levels"], ordered=state["ordered"])
        return replace(recoded, text=state["text"])
    if kind == "logical" and not (isinstance(values, np.ndarray) and values.dtype == bool):
        made = recode(as_factor(values, name), np.array([False, True]), logical=True)
        if made.codes.max(initial=0) > 1:
            raise DataError(
                f"column {name!r} was true or false in training; it now holds {made.levels[2]!r}.",
                topic="changed-column",
            )
        return made
    if isinstance(values, Factor) and len(values.levels) == 0:
        return np.full(len(values), np.nan)
    if isinstance(values, Factor) or _kind(values)["kind"] == "time" != kind:
        raise DataError(
            f"column {name!r} held {kind}s in training and is {described(values)} in the new data.",
            topic="changed-column",
        )
    return values


def _python_name(keyword: str) -> str:
    name = keyword.replace(".", "_")
    return f"{name}_" if iskeyword(name) else name


def _computed(operator: str, left: Any, right: Any, node: Node) -> Any:
    """Arithmetic row by row; a matrix meets a column in each of its columns, as in R."""
    if np.ndim(left) + np.ndim(right) == 3:
        left, right = (side[:, None] if np.ndim(side) == 1 else side for side in (left, right))
    try:
        return ARITHMETIC[operator](left, right)
    except ValueError:
        shapes = " and ".join(f"{np.shape(side)}" for side in (left, right))
        raise DataError(
            f"`{deparse(node)}` joins values of shapes {shapes}: give one number per row.", topic="one-number-per-row"
        ) from None


def _as_number(value: Value, node: Node) -> Any:
    """A value as float (array), or an error that names the column."""
    if isinstance(value, Columns):
        return value.values
    if isinstance(value, Factor) and value.logical:
        return np.where(value.codes < 0, np.nan, value.codes.astype(float))
    array = None if isinstance(value, Factor | str) or value is None else np.asarray(value)
    if array is None or array.dtype.kind not in "biuf":
        raise DataError(
            f"`{deparse(node)}` is {described(value)}, not a number{as_number(value, deparse(node))}",
            topic="one-number-per-row",
        )
    return array.astype(float) if array.ndim else float(array)


def _listed(made: Any, *operands: Value) -> Any:
    """Arithmetic on a list such as ``3:10 * 5`` gives a list, so that it stays apart from columns."""
    lists = any(isinstance(operand, tuple) for operand in operands)
    columns = any(isinstance(operand, np.ndarray | Factor | Columns) for operand in operands)
    return tuple(np.ravel(made).tolist()) if lists and not columns else made


def _split(node: Call) -> tuple[Node, tuple[Argument, ...]]:
    """The first argument, positional or called x, and the others."""
    for i, argument in enumerate(node.arguments):
        if argument.keyword in (None, "x"):
            return argument.value, node.arguments[:i] + node.arguments[i + 1 :]
    raise FormulaError(f"`{deparse(node)}` needs a column.", topic="arguments-in-formula")


def _only(node: Call) -> Node:
    if len(node.arguments) != 1:
        raise FormulaError(f"`{deparse(node)}` takes one argument.", topic="arguments-in-formula")
    return node.arguments[0].value


def _columns(values: np.ndarray) -> Columns:
    return Columns(values, tuple(str(i + 1) for i in range(values.shape[1])))
