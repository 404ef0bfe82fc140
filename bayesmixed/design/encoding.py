"""What training fixed, so that new rows mean the same: levels, centres, knots, contrasts, columns kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError
from ..formula.formula import Formula
from ..formula.syntax import Call, Node
from ..formula.variables import columns_in
from .assemble import assemble
from .design import Design
from .expressions.evaluate import Evaluator
from .given import Given, given
from .grouping import Grouping, encode
from .table import column_names, rows_of, select, tabled
from .used import Role, roles, used_columns


@dataclass(frozen=True)
class Encoding:
    """The state of the training data that a formula needs on new data.

    `states` hold levels and transform states by the text of their expression, `groups` the levels of
    grouping factors by name, `kept` the columns of each predictor that are not aliased.
    """

    formula: Formula
    states: dict[str, dict[str, Any]]
    groups: dict[str, Grouping]
    kept: dict[str, tuple[int, ...]]
    contrasts: dict[str, Any] = field(default_factory=dict)
    namespace: Mapping[str, Any] = field(default_factory=dict)
    weights: Given | None = None
    offset: Given | None = None
    trials: Given | None = None

    def apply(
        self,
        newdata: Any,
        *,
        unseen: str = "error",
        offset: Any = None,
        weights: Any = None,
        trials: Any = None,
        factors: Collection[str] | None = None,
    ) -> Design:
        """The design of new rows; the response is not needed.

        Parameters
        ----------
        newdata : DataFrame
            Any table with the columns of the right side, or a dict of columns.
        unseen : {"error", "population", "sample"}
            What a level that a grouping factor did not have becomes: an error, code -1, or a code of its
            own after the known levels. A missing grouping value is such a level, and each row that has one a level
            of its own. A missing number gives NaN.
        offset, weights, trials : str, float or array, optional
            In place of the training arguments; required again where those were arrays. Trials are taken from the
            table where it has their columns, and unknown (None) otherwise.
        factors : collection of str, optional
            The grouping factors to encode, all if None. The bars of others come out empty (codes -1, no
            columns), and the new table need not have what they use.

        Raises
        ------
        DataError
            A missing column, an unseen level of a fixed factor or (by default) an unseen or missing one of a
            grouping factor.

        Examples
        --------
        >>> import pandas as pd
        >>> from bayesmixed.design.build import build_design
        >>> from bayesmixed.formula.formula import Formula
        >>> table = pd.DataFrame({"y": [1.0, 2.0, 4.0, 3.0], "x": [1, 2, 3, 4], "g": ["a", "a", "b", "b"]})
        >>> design, _ = build_design(Formula("y ~ scale(x) + (1 | g)"), table)
        >>> new = design.encoding.apply(pd.DataFrame({"x": [2.5], "g": ["b"]}))
        >>> new.mu.X.tolist(), new.groups[0].codes.tolist()
        ([[1.0, 0.0]], [1])
        """
        if unseen not in ("error", "population", "sample"):
            raise DataError(
                f"unseen must be 'error', 'population' or 'sample', not {unseen!r}.", topic="unknown-option"
            )
        newdata = tabled(newdata)
        columns = column_names(newdata)
        again = {
            "weights": (self.weights, weights),
            "offset": (self.offset, offset),
            "trials": (self.trials if self.knows_trials(columns) else None, trials),
        }
        arguments = {name: _again(*both, name, rows_of(newdata), columns) for name, both in again.items()}
        needed = used_columns(_roles(self.formula, arguments, factors), columns, self.namespace, "the new data")
        frame = select(newdata, needed)
        if not needed:
            frame = pd.DataFrame(index=getattr(newdata, "index", frame.index))
        evaluator = Evaluator(frame, self.namespace, dict(self.states), self.contrasts)

        def codes_of(name: str, values: Any) -> tuple[np.ndarray, np.ndarray]:
            return encode(self.groups[name], values, unseen, frame.index), self.groups[name].levels

        values = {name: None if a is None else a.values(evaluator) for name, a in arguments.items()}
        predictors, _ = assemble(self.formula, evaluator, self.kept, codes_of, values["offset"], factors)
        return Design(None, predictors, values["weights"], frame.index, 0, self, values["trials"])

    def of_parameters(self, names: Collection[str]) -> Encoding:
        """The encoding of the mean's formula and those of the parameters `names` alone."""
        return replace(self, formula=self.formula.of_parameters(names))

    def knows_trials(self, columns: Collection[Any]) -> bool:
        """Whether a table with these columns says how many trials each row has."""
        given = self.trials
        if given is None or given.node is None:
            return given is not None and given.array is not None and given.array.ndim == 0
        return all(name in columns or name in self.namespace for name in columns_in(given.node))

    @property
    def own_names(self) -> tuple[str, ...]:
        """The names of the user's own that the expressions refer to, sorted."""
        return tuple(sorted(_names_called(self)))


def _roles(formula: Formula, arguments: dict[str, Given | None], factors: Collection[str] | None) -> Iterator[Role]:
    yield from roles(formula, response=False, factors=factors)
    yield from ((name, a.node) for name, a in arguments.items() if a is not None and a.node is not None)


def _again(
    trained: Given | None, value: Any, name: str, rows: pd.Index | None, columns: Collection[Any]
) -> Given | None:
    """The argument for new rows: the one given now, else the training expression."""
    if value is not None:
        return given(value, name, columns, rows=rows)
    constant = trained is not None and trained.array is not None and trained.array.ndim == 0
    if trained is not None and trained.text is None and not constant:
        raise DataError(
            f"{name} was given as an array, so new data need their own: pass {name}= (an array or a number).",
            topic="given-values",
        )
    return trained


def _names_called(encoding: Encoding) -> set[str]:
    """The namespace entries that the expressions refer to."""
    known = set(encoding.namespace)
    if not known:
        return set()
    nodes = [node for _, node in roles(encoding.formula, response=True)]
    given_again = (encoding.weights, encoding.offset, encoding.trials)
    nodes += [a.node for a in given_again if a is not None and a.node is not None]
    return known & {name for node in nodes for name in _mentioned(node)}


def _mentioned(node: Node) -> Iterator[str]:
    """Names and functions anywhere in an expression."""
    yield getattr(node, "identifier", "")
    if isinstance(node, Call):
        yield node.function
        yield node.function.removeprefix("np.").removeprefix("numpy.")
        for argument in node.arguments:
            yield from _mentioned(argument.value)
    for part in ("inner", "operand", "left", "right"):
        if hasattr(node, part):
            yield from _mentioned(getattr(node, part))
