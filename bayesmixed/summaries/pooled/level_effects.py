"""Joint draws of one combination of random effects, such as a line's height at day 5, of all levels of a factor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...design.columns.factors import level_text
from ...errors import FitError, nearest
from ...fits.base import is_fit
from ...messages import Told
from ...parameters.names import canonical
from ...parameters.values import Parameters
from ...prediction.included_terms import same_factor
from ...prediction.memory import refuse_too_large
from ...prediction.seeds import generator
from ...prediction.thinning import kept_draws

if TYPE_CHECKING:
    from ...fits.base import Fit

CHUNK = 2**23  # effects drawn at once (64 MiB)


@dataclass(frozen=True)
class Combination:
    """What is drawn of each of the `levels` of a `factor`: the weights (k,) of the effects of its bars, by term."""

    factor: str
    name: str
    levels: np.ndarray
    weights: dict[int, np.ndarray]
    notes: tuple[str, ...]

    def of(self, parameters: Parameters) -> np.ndarray:
        """Its values (draws, levels)."""
        flat = parameters.flat()
        total: Any = sum(flat.b[j][0] @ weights for j, weights in self.weights.items())
        return total  # type: ignore[no-any-return]


def combination(fit: Fit, group: str | None, column: str | Mapping[str, float] | None) -> Combination:
    """The combination that is asked for.

    Raises
    ------
    FitError
        If the model has no random effects, or not that factor or column.
    """
    if not is_fit(fit):
        raise FitError(
            f'ranks is of a fit, not of {fit!r}: write bm.ranks(model.fit("reml"), "g").', topic="needs-a-fit"
        )
    groups = fit.model.design.mu.groups
    known = list(dict.fromkeys(term.factor for term in groups))
    if not known:
        raise FitError(
            f"The model has no random effects, so it has no levels to rank. Add a bar: {fit.model.formula} + (1 | g).",
            topic="no-random-effects",
        )
    factor = known[0] if group is None else next((name for name in known if same_factor(name, str(group))), None)
    if factor is None:
        raise FitError(
            f"group={group!r} is not a grouping factor of this model. {nearest(str(group), known, 'Grouping factors')}",
            topic="no-such-group",
        )
    terms = {j: term for j, term in enumerate(groups) if term.factor == factor}
    columns = list(dict.fromkeys(name for term in terms.values() for name in term.columns))
    wanted = _wanted(column, columns, factor)
    weights = {j: np.array([wanted.get(name, 0.0) for name in term.columns]) for j, term in terms.items()}
    levels = next(iter(terms.values())).levels
    notes = (*_notes(fit, wanted, columns, list(terms)), *_nested(fit, factor))
    return Combination(factor, _name(wanted), levels, weights, notes)


def effect_draws(fit: Fit, asked: Combination, draws: int | None, usual: int, seed: int | None) -> np.ndarray:
    """Draws (n, levels): a sampled fit's own, `draws` of them per chain; of a point fit as many, or `usual`.

    Raises
    ------
    FitError
        Where they would take more memory than `prediction.memory.MAX_BYTES`.
    """
    errors = fit.prediction_errors
    if errors is None:
        return asked.of(fit.parameters.take(kept_draws(fit.parameters.beta.shape[1], draws)))
    n, L = usual if draws is None else draws, len(asked.levels)
    refuse_too_large(n, L, f"{n} draws of {L:,} levels take", ". Draw fewer, draws={most} at most.")
    rng = generator(seed)
    size = sum(b.shape[-2] * b.shape[-1] for b in fit.parameters.b)
    at_once = max(1, CHUNK // size)
    parts = [asked.of(errors.draw(min(at_once, n - first), rng)) for first in range(0, n, at_once)]
    return np.concatenate(parts)


def position(level: Any, levels: np.ndarray, factor: str) -> int:
    """Where a level is among all.

    Raises
    ------
    FitError
        If it is not.
    """
    known = {level_text(value): i for i, value in enumerate(levels)}
    name = level_text(level)
    if name not in known:
        raise FitError(f"{level!r} is not a level of {factor}. {nearest(name, known, 'Levels')}", topic="no-such-level")
    return known[name]


def _wanted(column: str | Mapping[str, float] | None, columns: list[str], factor: str) -> dict[str, float]:
    """Weights by column."""
    if column is None:
        column = "Intercept" if "Intercept" in columns else columns[0]
    asked = dict(column) if isinstance(column, Mapping) else {column: 1.0}
    spelled = {canonical(name): name for name in columns}
    found = {}
    for name, weight in asked.items():
        known = name if name in columns else spelled.get(canonical(str(name)))
        if known is None:
            raise FitError(
                f"{name!r} does not vary by {factor}. {nearest(str(name), columns, 'Columns')}", topic="no-such-column"
            )
        try:
            found[known] = float(weight)
        except (TypeError, ValueError):
            raise FitError(
                f"column={column!r}: the weight of {name!r} is no number.", topic="contrast-weights"
            ) from None
    if not any(found.values()):
        raise FitError(
            f"column={column!r} gives no column a weight. Columns: {', '.join(columns)}.", topic="contrast-weights"
        )
    return found


def _name(wanted: Mapping[str, float]) -> str:
    return " + ".join(name if weight == 1 else f"{weight:g} {name}" for name, weight in wanted.items())


def _notes(fit: Fit, wanted: Mapping[str, float], columns: list[str], terms: list[int]) -> tuple[str, ...]:
    """Where an intercept is ranked beside slopes: it is the line's height at zero, wherever that is."""
    others = [name for name in columns if name != "Intercept"]
    if list(wanted) != ["Intercept"] or not others:
        return ()
    groups = fit.model.design.mu.groups
    means = {name: groups[j].Z[:, i].mean() for j in terms for i, name in enumerate(groups[j].columns)}
    elsewhere = {"Intercept": 1} | {name: float(f"{means[name]:.3g}") for name in others}
    zero = ", ".join(f"{name} = 0" for name in others)
    return (Told("ranks", f"Ranked where {zero}; column={elsewhere} ranks at the average row."),)


def _nested(fit: Fit, factor: str) -> tuple[str, ...]:
    """A cask's effect is what it adds to its batch's: casks of different batches are not ranked by their sums."""
    groups = {term.factor: term.codes for term in fit.model.design.mu.groups}
    own = groups.pop(factor)
    around = [name for name, codes in groups.items() if _within(own, codes)]
    if not around:
        return ()
    return (
        Told("ranks", f"Effects of {factor} alone, without those of {' and '.join(around)} in which it is nested."),
    )


def _within(inner: np.ndarray, outer: np.ndarray) -> bool:
    """Whether each level of `inner` occurs within one level of `outer`, which has fewer."""
    pairs = np.unique(np.column_stack([inner, outer])[inner >= 0], axis=0)
    return len(pairs) == len(np.unique(pairs[:, 0])) > len(np.unique(pairs[:, 1]))
