"""The lines of a script for one block's covariance: sds, what else shapes it, and a root of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...covariance import CORRELATION
from ...errors import ModelError
from ...interop.naming import safe
from ...page import listed, told
from ...priors.origin import constant_column, origins
from ...priors.shapes import shape_prior
from .distributions import number, plain
from .priors import PriorLines, part, sampled
from .scope import Scope, comment, quoted

if TYPE_CHECKING:
    from ...model import Model
    from ...parameters.names import TermNames


@dataclass(frozen=True)
class Block:
    """`lines` sample it; `root` is the variable of a root (k, k) of the covariance of columns as typed.

    `flat`: it is that of an sd, or of a vector of sds of columns without correlations.
    """

    lines: list[str]
    root: str
    flat: bool


@dataclass(frozen=True)
class _Maker:
    """What the lines of one block are made from; `A` turns effects of centred columns into those of typed ones."""

    model: Model
    i: int
    names: TermNames
    scale: str
    scope: Scope
    A: np.ndarray | None

    @property
    def k(self) -> int:
        return len(self.names.effects)

    @property
    def joint(self) -> bool:
        """Whether one prior of the block makes the sds."""
        return self.names.covariance in self.model.priors

    def moved(self, j: int) -> bool:
        """Whether the prior of sd j is that of a centred column's, which is another number."""
        return self.A is not None and not np.array_equal(self.A[j], np.eye(self.k)[j])


def block_lines(model: Model, i: int, names: TermNames, scale: str, scope: Scope) -> Block:
    """The block of bar `i`; `scale` is the variable that relative sds are relative to, empty where nothing is."""
    maker = _Maker(model, i, names, scale, scope, origins(model)[i])
    head = comment(f"{model.design.groups[i].text}{_where(maker)}")
    sds, lines = _joint_sds(maker) if maker.joint else _separate_sds(maker)
    if maker.k == 1:
        return Block([*head, *lines], sds, flat=True)
    structure = model.covariances[i]
    if not structure.correlated and names.free.by_column:
        return Block([*head, *lines], sds, flat=True)
    shapes, more = _shapes(maker)
    root = scope.variable(f"root {names.tag}")
    text = structure.written(maker.k, sds, tuple(shapes))
    if maker.A is None:
        return Block([*head, *lines, *more, f"{root} = {text}"], root, flat=False)
    moved = [
        *comment("from the means back to zero of the columns as typed: a root of that covariance"),
        f"{root} = {number(plain(maker.A))} @ ({text})",
        *_moved(maker, root),
    ]
    return Block([*head, *lines, *more, *moved], root, flat=False)


def _where(maker: _Maker) -> str:
    """Where the priors of a block speak of, if that is not zero of its columns."""
    term, design = maker.model.design.groups[maker.i], maker.model.design
    at = constant_column(term, maker.model.covariances[maker.i], design)
    if maker.A is None or at is None:
        return ""
    means = term.Z[design.used].mean(axis=0)
    others = [j for j, made_of in enumerate(term.variables) if j != at and len(made_of) == 1][:3]
    where = listed([f"{term.columns[j]} = {told(float(means[j]))}" for j in others])
    return f": the priors are those of {term.factor}'s lines at the mean, {where}"


def _separate_sds(maker: _Maker) -> tuple[str, list[str]]:
    """The variable of the sds, of one sd that itself, and the lines that sample each."""
    prior, scope, names = PriorLines(maker.model), maker.scope, maker.names
    group = maker.model.design.groups[maker.i]
    variables, lines = [], []
    for j, name in enumerate(names.sds):
        about = [group.columns[column] for column in names.free.sds[j].columns]
        site = scope.aside(f"{safe(name)}_centered") if maker.moved(j) else scope.site(safe(name))
        which = " ".join(about) if len(about) == 1 else names.free.sds[j].stem
        variables.append(scope.variable(f"sd {names.tag} {which}"))
        lines += prior.one(variables[-1], site, name, f"sd of {listed(about)} between levels of {group.factor}")
    if maker.k == 1:
        return variables[0], lines
    sds = scope.variable(f"sds {names.tag}")
    return sds, [*lines, f"{sds} = jnp.stack([{', '.join(variables)}])"]


def _joint_sds(maker: _Maker) -> tuple[str, list[str]]:
    """The same where the block has one prior for all of it."""
    scope, names, k = maker.scope, maker.names, len(maker.names.sds)
    block = maker.model.priors.block(names.covariance)
    source = PriorLines(maker.model).source(names.covariance)
    lines = comment("; ".join(filter(None, (f"all sds together by {block.describe()}", source))))
    variables = {}
    for called, prior in block.parts(k, bool(names.shapes)).items():
        site = scope.aside(safe(f"{names.covariance}_{called}"))
        variables[called] = scope.variable(f"{called} {names.tag}")
        lines.append(sampled(variables[called], site, part(prior, names.covariance)))
    sds = scope.variable(f"sds {names.tag}")
    lines.append(f"{sds} = {block.written(variables, k, maker.scale)}")
    if maker.A is None:
        at = enumerate(names.sds)
        lines += [f"numpyro.deterministic({quoted(scope.site(safe(name)))}, {sds}[{j}])" for j, name in at]
    return sds, lines


def _shapes(maker: _Maker) -> tuple[list[str], list[str]]:
    """Variables of what else shapes the covariance, and the lines that sample and name it."""
    prior, scope, names = PriorLines(maker.model), maker.scope, maker.names
    variables, lines = [], []
    for place, (name, shape) in enumerate(zip(names.shapes, names.free.shapes, strict=True)):
        variable, called = scope.variable(name), safe(name)
        stated = shape.written(variable)
        same = stated == variable and maker.A is None
        site = scope.site(called) if same else scope.aside(f"{called}_cholesky")
        what = f"{shape.sampled} of {maker.model.design.groups[maker.i].text}"
        own = shape_prior(maker.model.priors, names, place)
        assert own is not None  # every model's priors are complete
        given = name if name in maker.model.priors else names.covariance
        lines += prior.of(own, variable, site, given, what)
        variables.append(variable)
        if stated != variable and maker.A is None:
            lines.append(f"numpyro.deterministic({quoted(scope.site(called))}, {stated})")
    return variables, lines


def _moved(maker: _Maker, root: str) -> list[str]:
    """Sds and correlations of columns as typed, from the root of their covariance."""
    names, scope = maker.names, maker.scope
    if not names.free.by_column or any(shape.support != CORRELATION for shape in names.free.shapes):
        raise ModelError(
            f"The covariance structure of {maker.model.design.groups[maker.i].text} has parameters that a script "
            "cannot find for columns as typed from those of centred columns. State its priors as typed: "
            "priors=bm.priors.as_typed(...).",
            topic="not-in-a-script",
        )
    sds = scope.variable(f"sds {names.tag} typed")
    lines = [f"{sds} = jnp.linalg.norm({root}, axis=1)"]
    for j, name in enumerate(names.sds):
        if maker.moved(j) or maker.joint:
            lines.append(f"numpyro.deterministic({quoted(scope.site(safe(name)))}, {sds}[{j}])")
    for name in names.shapes:
        unit = scope.variable(f"unit {names.tag}")
        lines.append(f"{unit} = {root} / {sds}[:, None]")
        lines.append(f"numpyro.deterministic({quoted(scope.site(safe(name)))}, {unit} @ {unit}.T)")
    return lines
