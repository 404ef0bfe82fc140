"""What an expression is worth on a table: only columns, listed functions and `namespace=` can be reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError, FormulaError, nearest
from .contrasts import contrast, maker
from .factors import Factor, as_factor, drop_unused, logical, recode
from .functions import CATEGORICAL, NUMERIC, Columns, apply_cut, fit_cut
from .logic import COMPARISON, compare, described, three_valued, truth
from .series import raw_values
from .syntax import Argument, Binary, Call, Name, Node, Number, Parenthesis, String, Unary, deparse
from .transforms import TRANSFORMS, Transform

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
}
_SPECIAL = ("I", "C", "c", "cut")
Value = Any  # float array, bool array, Factor, Columns, or a scalar, string or tuple inside a call


def function_names() -> list[str]:
    """Every function a formula may call."""
    return sorted({*NUMERIC, *CATEGORICAL, *TRANSFORMS, *_SPECIAL})


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
            raise DataError(f"`{deparse(node)}` has {found.shape[-1]} columns where one number per row is needed.")
        return self._per_row(found, node)

    def grouping(self, node: Node) -> Value:
        """An atom of a grouping factor: the column as it is, so that levels keep the data's own values."""
        if isinstance(node, Name) and node.identifier in self.frame.columns:
            return raw_values(self.frame[node.identifier], node.identifier)
        return self.value(node)

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
        raise DataError(unknown_column(identifier, self.frame.columns))

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
        number = self._number(node.operand)
        return -number if node.operator == "-" else number

    def _binary(self, node: Binary) -> Value:
        operator = node.operator
        if operator in ARITHMETIC:
            return ARITHMETIC[operator](self._number(node.left), self._number(node.right))
        left, right = self._evaluate(node.left), self._evaluate(node.right)
        if operator in COMPARISON:
            return compare(operator, left, right, node)
        if operator in ("&", "|", "&&", "||"):
            (a, a_missing), (b, b_missing) = truth(left, node), truth(right, node)
            return three_valued(a & b if operator[0] == "&" else a | b, a_missing | b_missing)
        raise FormulaError(f"`{operator}` has no meaning inside `{deparse(node)}`: it belongs between terms.")

    def _number(self, node: Node) -> Any:
        """The value of `node` as float (array), or an error that names the column."""
        value = self._evaluate(node)
        if isinstance(value, Columns):
            return value.values
        if isinstance(value, Factor) and value.logical:
            return np.where(value.codes < 0, np.nan, value.codes.astype(float))
        array = None if isinstance(value, Factor | str) or value is None else np.asarray(value)
        if array is None or array.dtype.kind not in "biuf":
            raise DataError(
                f"`{deparse(node)}` is {described(value)}, not a number, and cannot be used in arithmetic; "
                "as.numeric() converts text that holds numbers."
            )
        return array.astype(float) if array.ndim else float(array)

    def _call(self, node: Call) -> Value:
        name, text = _bare(node.function), deparse(node)
        if node.function in self.namespace or name in self.namespace:
            return self._user_call(node, self.namespace.get(node.function, self.namespace.get(name)))
        if name in _SPECIAL:
            return {"I": self._identity, "C": self._contrast, "c": self._combine, "cut": self._cut}[name](node)
        if name in TRANSFORMS:
            return self._transformed(node, TRANSFORMS[name])
        if name in NUMERIC:
            arguments, options = self._arguments(node, self._number)
            return _called(NUMERIC[name], text, *arguments, **options)
        if name in CATEGORICAL:
            arguments, options = self._arguments(node, self._evaluate)
            return self._leveled(_called(CATEGORICAL[name], text, *arguments, **options), text)
        raise FormulaError(_unknown_function(node.function))

    def _arguments(self, node: Call, read: Callable[[Node], Any]) -> tuple[list[Any], dict[str, Any]]:
        positional = [read(a.value) for a in node.arguments if a.keyword is None]
        named = {a.keyword.replace(".", "_"): self._evaluate(a.value) for a in node.arguments if a.keyword is not None}
        return positional, named

    def _identity(self, node: Call) -> Value:
        return self._evaluate(_only(node))

    def _combine(self, node: Call) -> tuple[Any, ...]:
        values = tuple(self._evaluate(argument.value) for argument in node.arguments)
        if any(np.ndim(value) or isinstance(value, Factor) for value in values):
            raise FormulaError(f"`{deparse(node)}`: inside a formula c() takes numbers and strings, not columns.")
        return values

    def _transformed(self, node: Call, transform: Transform) -> Value:
        """A stateful call: the state is fitted once, on the training data, and applied ever after."""
        text = deparse(node)
        x, options = _split(node)
        column = np.broadcast_to(np.asarray(self._number(x)), len(self.frame))
        if text not in self.states:
            positional, named = self._arguments(replace(node, arguments=options), self._evaluate)
            self.states[text] = _called(transform.fit, text, column, *positional, **named)
        result = transform.apply(column, self.states[text])
        return _columns(result) if np.ndim(result) == 2 else result

    def _cut(self, node: Call) -> Factor:
        return self._leveled(self._transformed(node, Transform(fit_cut, apply_cut)), f"levels {deparse(node)}")

    def _contrast(self, node: Call) -> Factor:
        """``C(f, contr.sum)``, ``C(f, Treatment("b"))``, ``C(f, matrix)`` with a matrix from `namespace=`."""
        f, options = _split(node)
        made = as_factor(self._evaluate(f), deparse(f))
        if not options:
            return made
        made = self._leveled(drop_unused(made), f"levels {deparse(node)}")
        spec = self._contrast_spec(options[0].value)
        if len(options) > 1:  # R's C(f, contr.treatment, base = 2)
            call = Call(deparse(options[0].value), options[1:])
            spec = self._contrast_spec(call)
        return replace(made, contrast=contrast(spec, made.levels[: made.known], where=deparse(node)))

    def _contrast_spec(self, node: Node) -> Any:
        match node:
            case Name(identifier) if identifier in self.namespace:
                return self.namespace[identifier]
            case Name(identifier):
                return maker(identifier)
            case Call():
                arguments, options = self._arguments(node, self._evaluate)
                return _called(maker, deparse(node), node.function, *arguments, **options)
        return self._evaluate(node)

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
            raise FormulaError(f"namespace entry {node.function!r} is not a function, but `{deparse(node)}` calls it.")
        arguments, options = self._arguments(node, self._evaluate)
        plain = [a.values if isinstance(a, Factor | Columns) else a for a in arguments]
        result = function(*plain, **options)
        values = np.asarray(result.to_numpy() if hasattr(result, "to_numpy") else result)
        if values.ndim and len(values) != len(self.frame):
            raise DataError(f"`{deparse(node)}` returned {len(values)} values for {len(self.frame)} rows.")
        if values.dtype.kind in "OUS":
            return self._leveled(as_factor(values.astype(object), deparse(node)), deparse(node))
        return _columns(values.astype(float)) if values.ndim == 2 else values

    def _settled(self, value: Value, node: Node) -> np.ndarray | Factor | Columns:
        text = deparse(node)
        if isinstance(value, Factor):
            value = value if value.logical else self._leveled(drop_unused(value), f"used {text}")
            return value
        if isinstance(value, Columns):
            return value
        array = np.asarray(value)
        if array.dtype.kind == "b":
            return logical(self._per_row(array, node))
        if array.dtype.kind not in "iuf":
            raise DataError(f"`{text}` is {described(value)}, which has no columns; make it a number or text first.")
        if array.ndim == 2:
            return _columns(array.astype(float))
        return self._per_row(array.astype(float, copy=False), node)

    def _per_row(self, array: np.ndarray, node: Node) -> np.ndarray:
        n = len(self.frame)
        if array.ndim == 0:
            return np.full(n, array)
        if len(array) != n:
            raise DataError(f"`{deparse(node)}` has {len(array)} values for {n} rows.")
        return array


def unknown_column(name: str, columns: Any) -> str:
    """The message for a name that is neither a column nor anything else."""
    advice = nearest(name, [str(c) for c in columns], "Columns")
    if _bare(name) in function_names():
        advice = f"{name} is a function: write {name}(x). " + advice
    return f"no column {name!r} in the data. {advice} Other names can be given as namespace={{{name!r}: ...}}."


def _unknown_function(name: str) -> str:
    advice = nearest(_bare(name), function_names(), "Functions")
    return (
        f"unknown function {name}() in the formula. {advice} "
        f'A function of your own can be given as namespace={{"{name}": {name.split(".")[-1]}}}.'
    )


def _bare(function: str) -> str:
    return function.removeprefix("np.").removeprefix("numpy.")


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
            raise DataError(f"column {name!r} was true or false in training; it now holds {made.levels[2]!r}.")
        return made
    if isinstance(values, Factor) and len(values.levels) == 0:
        return np.full(len(values), np.nan)
    if isinstance(values, Factor) or _kind(values)["kind"] == "time" != kind:
        raise DataError(f"column {name!r} held {kind}s in training and is {described(values)} in the new data.")
    return values


def _called(function: Callable[..., Any], text: str, *arguments: Any, **options: Any) -> Any:
    """Call one of our functions, with complaints that name the place in the formula."""
    try:
        return function(*arguments, **options)
    except TypeError as problem:
        reason = str(problem).replace("fit_", "").replace("_one.<locals>.", "").replace("<lambda>", text.split("(")[0])
        raise FormulaError(f"`{text}`: wrong arguments ({reason}).") from None
    except FormulaError as problem:
        raise FormulaError(f"`{text}`: {problem}") from None
    except DataError as problem:
        raise DataError(f"`{text}`: {problem}") from None


def _split(node: Call) -> tuple[Node, tuple[Argument, ...]]:
    """The first argument, positional or called x, and the others."""
    for i, argument in enumerate(node.arguments):
        if argument.keyword in (None, "x"):
            return argument.value, node.arguments[:i] + node.arguments[i + 1 :]
    raise FormulaError(f"`{deparse(node)}` needs a column.")


def _only(node: Call) -> Node:
    if len(node.arguments) != 1:
        raise FormulaError(f"`{deparse(node)}` takes one argument.")
    return node.arguments[0].value


def _columns(values: np.ndarray) -> Columns:
    return Columns(values, tuple(str(i + 1) for i in range(values.shape[1])))
