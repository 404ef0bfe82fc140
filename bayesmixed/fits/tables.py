"""Estimates as tidy frames: fixed effects, random effects, variances; the same for one draw or many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..covariance import CORRELATION
from ..design.design import Design, GroupTerm, Predictor
from ..design.grouping import resolve
from ..design.pairing import paired
from ..page import Page, Printed, Section, column, places
from ..parameters.names import structure_of

if TYPE_CHECKING:
    from ..covariance import Shape
    from ..parameters.values import Parameters


VARIANCE_COLUMNS = ("group", "name", "sd")


SHOWN = 60  # coefficients that are printed
DIGITS = {"rhat": 3, "ess_bulk": 0, "ess_tail": 0, "statistic": 3}


class Coefficients(Printed, pd.DataFrame):  # type: ignore[misc]  # to_html and its like are those of pages
    """A DataFrame of estimates that prints whole, at the decimals that its errors need."""

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    @property
    def page(self) -> Page:
        """The page that is printed."""
        if self.empty:
            return Page((Section("", lines=("No coefficients.",)),))
        digits = places(self.iloc[:, 1])  # se or sd
        known = [name for name in self if self[name].notna().any()]
        shown = {name: column(self[name], DIGITS.get(str(name), digits))[:SHOWN] for name in known}
        more = (f"... and {len(self) - SHOWN} more rows",) if len(self) > SHOWN else ()
        return Page((Section("", pd.DataFrame(shown, index=self.index[:SHOWN]), more),))


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


def variance_table(groups: Sequence[GroupTerm], parameters: Parameters, sigma: float | None) -> pd.DataFrame:
    """Columns group, name, sd, then one per earlier name of a block holding the correlation with it.

    Of one point. What shapes a block as a whole, such as rho, has a column of its own, with its value in the first row.
    """
    rows: list[dict[str, object]] = []
    headings: dict[str, None] = {}
    for j, term in enumerate(groups):
        shapes = [(_heading(at[0]) if at else s.stem, at[1:], v) for s, at, v in _shapes(term, parameters, j)]
        headings |= dict.fromkeys(heading for heading, _, _ in shapes)
        for i, name in enumerate(term.columns):
            row: dict[str, object] = {"group": term.factor, "name": name, "sd": float(parameters.sds[j][0, 0, i])}
            own = (name,) if i else ()
            rows.append(row | {heading: float(value[0, 0]) for heading, later, value in shapes if later == own})
    if sigma is not None:
        rows.append({"group": "Residual", "name": "", "sd": float(sigma)})
    return pd.DataFrame(rows, columns=[*VARIANCE_COLUMNS, *headings])


def _shapes(term: GroupTerm, parameters: Parameters, j: int) -> Iterator[tuple[Shape, tuple[str, ...], np.ndarray]]:
    """What shapes a term's covariance, number by number (chains, draws), with the columns that each is about."""
    structure = structure_of(term)
    values = parameters.block(j, structure)
    for shape, value in zip(structure.parameters(len(term.columns)).shapes, values.shapes, strict=True):
        # correlations beside a zero sd are not a number, as in lme4
        stated = parameters.corrs[j] if shape.support == CORRELATION else shape.stated(value)
        for at, number in shape.numbers(np.asarray(stated), term.columns).items():
            yield shape, at, number


def _sds(term: GroupTerm, parameters: Parameters, j: int) -> Iterator[tuple[str, np.ndarray]]:
    """A term's sds (chains, draws), with what each is about: a column, or of all columns what its name says."""
    structure = structure_of(term)
    free = structure.parameters(len(term.columns))
    sds = parameters.sds[j] if free.by_column else parameters.block(j, structure).sds
    for i, sd in enumerate(free.sds):
        about = term.columns[sd.columns[0]] if len(sd.columns) == 1 else sd.stem.removesuffix("sigma").rstrip("_")
        yield about, sds[..., i]


def _heading(column: str) -> str:
    """The heading of a column of correlations; a covariate may be called "sd"."""
    return f"{column}#2" if column in VARIANCE_COLUMNS else column


def principal_components(term: GroupTerm, factor: np.ndarray, s: float) -> pd.DataFrame:
    """Principal components of a block's covariance: sd, share and cumulated share of variance, loadings per column.

    `sd` is of the relative covariance F F', `sd_absolute` times `s`. A share of zero says that the block has fewer
    dimensions than columns (lme4's rePCA).
    """
    directions, sds, _ = np.linalg.svd(factor)
    total = float(np.sum(sds**2))
    share = sds**2 / total if total > 0 else np.zeros_like(sds)
    table = pd.DataFrame({"sd": sds, "sd_absolute": s * sds, "proportion": share, "cumulative": np.cumsum(share)})
    table[[f"loading {name}" for name in term.columns]] = directions.T
    return table.set_axis([f"PC{i + 1}" for i in range(len(sds))], axis=0)


def scalar_table(design: Design, parameters: Parameters) -> pd.DataFrame:
    """Every population parameter in one frame: columns kind, group, parameter, label; `values` (chains, draws) each.

    The order is fixed effects, sds and correlations term by term, dispersion.
    """
    rows: list[dict[str, object]] = []
    stacked = parameters.stacked
    for i, name in enumerate(design.coefficients):
        rows.append(_row("fixed", "", name, name, stacked[..., i]))
    for j, term in enumerate(design.groups):
        for about, values in _sds(term, parameters, j):
            inside = f"{about} | {term.factor}" if about else term.factor
            rows.append(_row("sd", term.factor, about or "sd", f"sd({inside})", values))
        for shape, at, values in _shapes(term, parameters, j):
            pair = ", ".join(at)
            label = f"cor({pair} | {term.factor})" if at else f"{shape.stem}({term.factor})"
            rows.append(_row("cor", term.factor, pair or shape.stem, label, values))
    for name, values in parameters.dispersion.items():
        rows.append(_row("dispersion", "", name, name, values))
    seen: Counter[object] = Counter()
    for row in rows:
        seen[row["label"]] += 1
        if seen[row["label"]] > 1:  # a second bar on one factor, or a covariate with a parameter's name
            row["label"] = f"{row['label']}#{seen[row['label']]}"
    return pd.DataFrame(rows, columns=["kind", "group", "parameter", "label", "values"])


def _row(kind: str, group: str, parameter: str, label: str, values: np.ndarray) -> dict[str, object]:
    return {"kind": kind, "group": group, "parameter": parameter, "label": label, "values": values}
