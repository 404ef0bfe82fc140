"""The case bootstrap: levels drawn with replacement along the nesting, their rows with them.

van der Leeden, Meijer & Busing (2008), in de Leeuw & Meijer (eds), Handbook of Multilevel Analysis, ch. 11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...engines.refits.alone import fit_quietly, warm
from ...engines.refits.refits import Refits
from ...errors import FitError, nearest
from ...fits.point import PointFit
from ..replicates.nesting import nesting
from ..replicates.refitted import Outcome, Statistic, outcome
from ..replicates.rows import RowSet, on_rows
from ..replicates.run import children

ROWS = "rows"


@dataclass(frozen=True, eq=False)
class Cases:
    """`factors` along the nesting, the outermost first, with the codes (n,) of each, and which of them are drawn.

    `rows` says whether the rows inside the innermost levels are drawn as well.
    """

    factors: tuple[str, ...]
    codes: tuple[np.ndarray, ...]
    drawn: tuple[bool, ...]
    rows: bool
    n_rows: int

    @classmethod
    def of(cls, fit: PointFit, resample: Mapping[str, bool] | None) -> Cases:
        """The cases of a fit: the outermost levels are drawn unless `resample` says otherwise, rows without groups.

        Raises
        ------
        FitError
            For crossed factors, and names that are no grouping factor.
        """
        if resample is not None and not isinstance(resample, Mapping):
            raise FitError(
                f'resample must be a dict of levels, such as {{"Subject": True}}, not {resample!r}.', topic="resample"
            )
        n_rows = fit.model.design.n_rows
        if not fit.model.design.groups:
            return cls._of_rows(n_rows, resample)
        terms = nesting(fit.model, "case")
        known = [term.factor for term in terms]
        given = {known[0]: True} if resample is None else dict(resample)
        for name in given:
            if name not in (*known, ROWS):
                raise FitError(
                    f"resample has no level {name!r}. {nearest(str(name), (*known, ROWS))}", topic="resample"
                )
        if not any(given.values()):
            raise FitError(
                f"resample draws nothing: say which levels, such as resample={{{known[0]!r}: True}}.", topic="resample"
            )
        drawn = tuple(bool(given.get(name, False)) for name in known)
        return cls(tuple(known), tuple(term.codes for term in terms), drawn, bool(given.get(ROWS, False)), n_rows)

    @classmethod
    def _of_rows(cls, n_rows: int, resample: Mapping[str, bool] | None) -> Cases:
        """Single rows, where there are no groups."""
        if resample is not None and dict(resample) != {ROWS: True}:
            raise FitError(
                f"resample={resample!r}: the model has no groups, its cases are its rows. Leave it out.",
                topic="resample",
            )
        return cls((), (), (), True, n_rows)

    @property
    def whole(self) -> bool:
        """Whether levels of the only factor are drawn with all their rows."""
        return self.drawn == (True,) and not self.rows

    def counts(self, generators: Sequence[np.random.Generator]) -> np.ndarray:
        """How often each level (B, L) of the only factor is there: those that `sample` draws."""
        (codes,) = self.codes
        present, levels = np.unique(codes), int(codes.max()) + 1
        drawn = [rng.choice(present, size=len(present)) for rng in generators]
        return np.array([np.bincount(each, minlength=levels) for each in drawn], dtype=float)

    def sample(self, rng: np.random.Generator) -> RowSet:
        """Rows and the new levels that they belong to."""
        rows: list[np.ndarray] = []
        levels: dict[str, list[np.ndarray]] = {name: [] for name in self.factors}
        self._inside(np.arange(self.n_rows), 0, [], rng, (rows, levels, dict.fromkeys(self.factors, 0)))
        return RowSet(np.concatenate(rows), {name: np.concatenate(parts) for name, parts in levels.items()})

    def _inside(
        self,
        own: np.ndarray,
        depth: int,
        path: list[int],
        rng: np.random.Generator,
        made: tuple[list[np.ndarray], dict[str, list[np.ndarray]], dict[str, int]],
    ) -> None:
        """Draw the levels of one factor among the rows of an outer level; a level drawn twice is two."""
        rows, levels, counts = made
        if depth == len(self.factors):
            taken = rng.choice(own, size=len(own)) if self.rows else own
            rows.append(taken)
            for name, number in zip(self.factors, path, strict=True):
                levels[name].append(np.full(len(taken), number))
            return
        present = np.unique(self.codes[depth][own])
        chosen = rng.choice(present, size=len(present)) if self.drawn[depth] else present
        name = self.factors[depth]
        for level in chosen:
            number = counts[name]
            counts[name] += 1
            self._inside(own[self.codes[depth][own] == level], depth + 1, [*path, number], rng, made)


@dataclass(frozen=True, eq=False)
class CaseRefits:
    """The task of fitting sets of cases, one by one."""

    fit: PointFit
    cases: Cases
    seed: int
    rows: int
    statistic: Statistic | None = None

    @property
    def together(self) -> bool:
        """Whether many replicates cost little more than a few."""
        return self.statistic is None and self.cases.whole and self.fit.engine.refitter(self.fit).together

    def __call__(self, numbers: range) -> tuple[Refits, ...] | tuple[Outcome, ...]:
        if self.statistic is None and self.cases.whole:
            found = self._counted(numbers)
            if found is not None:
                return (found,)
        fits = [refitted_on(self.fit, self.cases.sample(rng)) for rng in children(self.seed, numbers)]
        if self.statistic is None:
            return (Refits.of(fits, self.fit),)
        asked = self.statistic
        return tuple(outcome(number, fit, asked) for number, fit in zip(numbers, fits, strict=True))

    def _counted(self, numbers: range) -> Refits | None:
        """Refits by how often each level was drawn; what did not converge is fitted to the rows themselves."""
        found = self.fit.engine.refitter(self.fit).resampled(self.cases.counts(children(self.seed, numbers)))
        if found is None or found.converged.all():
            return found
        failed = np.flatnonzero(~found.converged)
        generators = children(self.seed, numbers)
        again = [refitted_on(self.fit, self.cases.sample(generators[i])) for i in failed]
        return found.replaced(failed, Refits.of(again, self.fit))


def refitted_on(fit: PointFit, rows: RowSet) -> PointFit | None:
    """The fit of a set of rows, from the estimates; None where there is none."""
    model = on_rows(fit.model, rows)
    if model is None:
        return None
    found: Any = fit_quietly(model, warm(fit.engine, None if fit.status.singular_scaled else fit.theta))
    return found
