"""The lines of a script for one bar: its sds and correlations, a root of its covariance, and its effects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...interop.naming import safe
from .blocks import Block, block_lines
from .scope import Scope, quoted

if TYPE_CHECKING:
    from ...design.design import GroupTerm
    from ...model import Model
    from ...parameters.names import TermNames

WIDE = 4  # columns of a bar that are written one by one; more are one array


@dataclass(frozen=True)
class Bar:
    """What a script says of one bar.

    `block` samples its covariance; `effects` is the variable of its effects, `u` that of the spherical ones, sampled at
    `site` in `plate`; `codes` reads the level of each row, `columns` the columns ("" for ones), `wide` all of them as
    one array where there are many.
    """

    text: str
    names: TermNames
    n_levels: int
    block: Block
    effects: str
    u: str
    site: str
    plate: str
    codes: str
    columns: tuple[str, ...]
    wide: str

    @property
    def single(self) -> bool:
        return len(self.columns) == 1

    @property
    def sampled(self) -> list[str]:
        """The lines that sample its effects."""
        event = "" if self.single else f".expand([{len(self.columns)}]).to_event(1)"
        return [
            f"with numpyro.plate({quoted(self.plate)}, {self.n_levels}):",
            f"    {self.u} = numpyro.sample({quoted(self.site)}, dist.Normal(0.0, 1.0){event})",
            self.scaled,
        ]

    @property
    def scaled(self) -> str:
        """The line that makes effects of spherical ones."""
        root = self.block.root
        product = f"{self.u} * {root}" if self.block.flat else f"{self.u} @ {root}.T"
        return f"{self.effects} = {product}"

    @property
    def each(self) -> dict[str, str]:
        """The text of the effects (levels,) of each column, by their names."""
        columns = [self.effects] if self.single else [f"{self.effects}[:, {j}]" for j in range(len(self.columns))]
        return dict(zip((safe(name) for name in self.names.effects), columns, strict=True))

    @property
    def addend(self) -> str:
        """What it adds to the predictor of the rows."""
        if self.wide:
            return f"jnp.sum({self.wide} * {self.effects}[{self.codes}], axis=1)"
        places = [self.codes] if self.single else [f"{self.codes}, {j}" for j in range(len(self.columns))]
        pairs = zip(places, self.columns, strict=True)
        parts = [f"{self.effects}[{at}]" + (f" * {column}" if column else "") for at, column in pairs]
        return parts[0] if self.single else f"({' + '.join(parts)})"


def bar_lines(model: Model, i: int, names: TermNames, scale: str, scope: Scope) -> Bar:
    """Bar `i`; `scale` is the variable that relative sds are relative to, empty where nothing is."""
    group, rows = model.design.groups[i], model.design.used
    codes = scope.array(group.factor, group.codes[rows].astype(np.int32), f"the level of {group.factor} of each row")
    many = len(group.columns) > WIDE
    wide = scope.array(f"{names.tag} columns", group.Z[rows], f"columns of {group.text}") if many else ""
    columns = tuple("" if many else _column(group, j, rows, scope) for j in range(len(group.columns)))
    return Bar(
        text=group.text,
        names=names,
        n_levels=group.n_levels,
        block=block_lines(model, i, names, scale, scope),
        effects=scope.variable(f"b {names.tag}"),
        u=scope.variable(f"u {names.tag}"),
        site=scope.aside(f"{names.tag}_u"),
        plate=scope.aside(f"levels of {names.tag}"),
        codes=codes,
        columns=columns,
        wide=wide,
    )


def _column(group: GroupTerm, j: int, rows: np.ndarray, scope: Scope) -> str:
    values = group.Z[rows][:, j]
    return "" if np.all(values == 1.0) else scope.array(group.columns[j], values, f"column {group.columns[j]}")
