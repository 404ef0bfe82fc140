"""Estimates as tidy frames: fixed effects, random effects, variances; the same for one draw or many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..design.design import Design, GroupTerm, Predictor
from ..design.grouping import resolve
from ..design.pairing import paired
from ..page import Page, Section, column, places

if TYPE_CHECKING:
    from ..parameters.values import Parameters


VARIANCE_COLUMNS = ("group", "name", "sd")


SHOWN = 60  # coefficients that are printed
DIGITS = {"rhat": 3, "ess_bulk": 0, "ess_tail": 0, "statistic": 3}


class Coefficients(pd.DataFrame):
    """A DataFrame of estimates that prints whole, at the decimals that its errors need."""

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def __str__(self) -> str:
        if self.empty:
            return super().__str__()
        digits = places(self.iloc[:, 1])  # se or sd
        known = [name for name in self if self[name].notna().any()]
        shown = {name: column(self[name], DIGITS.get(str(name), digits))[:SHOWN] for name in known}
        more = (f"... and {len(self) - SHOWN} more rows",) if len(self) > SHOWN else ()
        return str(Page((Section("", pd.DataFrame(shown, index=self.index[:SHOWN]), more),)))

    __repr__ = __str__


class ByFactor(dict[str, pd.DataFrame]):
    """Frames by grouping factor; an interaction may be asked for in either order: "a:b", "b:a"."""

    def __missing__(self, name: str) -> pd.DataFrame:
        return self[resolve(name, list(self))]


def by_factor(groups: Sequence[GroupTerm], values: Sequence[np.ndarray]) -> dict[str, pd.DataFrame]:
    """Per grouping factor a frame (levels x columns); terms of one factor stand side by side."""
    frames: dict[str, list[pd.DataFrame]] = {}
    for term, value in zip(groups, values, strict=True):
        index = pd.Index(term.levels, name=term.factor)
        frames.setdefault(term.factor, []).append(pd.DataFrame(value, index=index, columns=list(term.columns)))
    joined = ((name, parts[0] if len(parts) == 1 else pd.concat(parts, axis=1)) for name, parts in frames.items())
    return ByFactor(joined)


def coefficients_by_level(
    fixed: Predictor, groups: Sequence[GroupTerm], beta: np.ndarray, effects: Sequence[np.ndarray]
) -> dict[str, pd.DataFrame]:
    """Fixed plus random effects per level, column by column; a column without a fixed one stands on its own."""
    tables = ByFactor()
    for factor in dict.fromkeys(term.factor for term in groups):
        own = [j for j, term in enumerate(groups) if term.factor == factor]
        columns = paired(fixed, [groups[j] for j in own])
        values = np.zeros((groups[own[0]].n_levels, len(columns.names)))
        values[:, : columns.fixed] = beta
        for j, positions in zip(own, columns.places, strict=True):
            for k, at in enumerate(positions):
                values[:, at] += effects[j][:, k]
        index = pd.Index(groups[own[0]].levels, name=factor)
        tables[factor] = pd.DataFrame(values, index=index, columns=list(columns.names))
    return tables


def variance_table(
    groups: Sequence[GroupTerm],
    sds: Sequence[np.ndarray],
    corrs: Sequence[np.ndarray | None],
    sigma: float | None,
) -> pd.DataFrame:
    """Columns group, name, sd, then one per earlier name of a block holding the correlation with it."""
    rows: list[dict[str, object]] = []
    for term, sd, corr in zip(groups, sds, corrs, strict=True):
        for i, name in enumerate(term.columns):
            row: dict[str, object] = {"group": term.factor, "name": name, "sd": float(sd[i])}
            if corr is not None:
                row |= {_heading(term.columns[j]): float(corr[i, j]) for j in range(i)}
            rows.append(row)
    if sigma is not None:
        rows.append({"group": "Residual", "name": "", "sd": float(sigma)})
    return pd.DataFrame(rows, columns=_columns(groups, corrs))


def _columns(groups: Sequence[GroupTerm], corrs: Sequence[np.ndarray | None]) -> list[str]:
    earlier: list[str] = []
    for term, corr in zip(groups, corrs, strict=True):
        if corr is not None:
            earlier += [_heading(name) for name in term.columns[:-1] if _heading(name) not in earlier]
    return [*VARIANCE_COLUMNS, *earlier]


def _heading(column: str) -> str:
    """The heading of a column of correlations; a covariate may be called "sd"."""
    return f"{column}#2" if column in VARIANCE_COLUMNS else column


def principal_components(term: GroupTerm, factor: np.ndarray) -> pd.DataFrame:
    """Principal components of a block's covariance: sd, share and cumulated share of variance, loadings per column.

    A share of zero says that the block has fewer dimensions than columns (lme4's rePCA).
    """
    directions, sds, _ = np.linalg.svd(factor)
    total = float(np.sum(sds**2))
    share = sds**2 / total if total > 0 else np.zeros_like(sds)
    table = pd.DataFrame({"sd": sds, "proportion": share, "cumulative": np.cumsum(share)})
    table[[f"loading {name}" for name in term.columns]] = directions.T
    return table.set_axis([f"PC{i + 1}" for i in range(len(sds))], axis=0)


def scalar_table(design: Design, parameters: Parameters) -> pd.DataFrame:
    """Every population parameter in one frame: columns kind, group, parameter, label; `values` (chains, draws) each.

    The order is fixed effects, sds and correlations term by term, dispersion.
    """
    rows: list[dict[str, object]] = []
    for i, name in enumerate(design.coefficients):
        rows.append(_row("fixed", "", name, name, parameters.stacked[..., i]))
    for term, sd, corr in zip(design.groups, parameters.sds, parameters.corrs, strict=True):
        for i, name in enumerate(term.columns):
            rows.append(_row("sd", term.factor, name, f"sd({name} | {term.factor})", sd[..., i]))
        if corr is None:
            continue
        for i, j in below_diagonal(len(term.columns)):
            pair = f"{term.columns[j]}, {term.columns[i]}"
            rows.append(_row("cor", term.factor, pair, f"cor({pair} | {term.factor})", corr[..., i, j]))
    for name, values in parameters.dispersion.items():
        rows.append(_row("dispersion", "", name, name, values))
    seen: Counter[object] = Counter()
    for row in rows:
        seen[row["label"]] += 1
        if seen[row["label"]] > 1:  # a second bar on one factor, or a covariate with a parameter's name
            row["label"] = f"{row['label']}#{seen[row['label']]}"
    return pd.DataFrame(rows, columns=["kind", "group", "parameter", "label", "values"])


def below_diagonal(k: int) -> list[tuple[int, int]]:
    """Positions (row, column) of the correlations of k columns, row by row."""
    return [(i, j) for i in range(k) for j in range(i)]


def _row(kind: str, group: str, parameter: str, label: str, values: np.ndarray) -> dict[str, object]:
    return {"kind": kind, "group": group, "parameter": parameter, "label": label, "values": values}
