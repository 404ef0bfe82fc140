"""Do the draws that were asked for fit into memory? Asked before anything is compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import BayesMixedWarning, FitError, warn
from ..prediction.memory import SMALL, at_hand

if TYPE_CHECKING:
    from ..model import Model

LARGE_BYTES = 2e9  # of draws: said before the fit
COPIES = 4  # of the draws that are held at once, while chains are stacked and judged
STATISTICS = 8  # numbers that a sampler says of each draw
MOST_SHARE = 0.8  # of what is free, for draws that are advised


def numbers_per_draw(model: Model) -> int:
    """How many numbers one draw of all parameters is: coefficients, effects, roots of covariances, dispersion."""
    effects = sum(term.n_levels * len(term.columns) for term in model.design.groups)
    roots = sum(len(term.columns) ** 2 for term in model.design.groups if term.n_levels)
    return effects + roots + len(model.coefficients) + len(model.family.parameters) - 1


def check_room(model: Model, call: str, chains: int, draws: int) -> None:
    """Refuse draws that cannot be held, and say how many gigabytes large ones will take.

    Parameters
    ----------
    model
        What is fitted.
    call
        The call that asks for other draws, with "{draws}" in it: "bm.NUTS(draws={draws})".
    chains, draws
        How many chains, and kept draws in each.

    Raises
    ------
    FitError
        With the size, what is free, and the draws that would fit.
    """
    each = 8.0 * chains * (numbers_per_draw(model) + STATISTICS)
    size = each * draws
    if COPIES * size < SMALL:
        return
    free, asked = at_hand(), f"{chains} x {draws:,} draws" if chains > 1 else f"{draws:,} draws"
    asked += f" of {numbers_per_draw(model):,} numbers"
    if COPIES * size > free:
        most = int(MOST_SHARE * free / (COPIES * each))
        raise FitError(
            f"{asked} take {size / 1e9:,.1f} GB, and {COPIES} times that while they are made: "
            f"{max(0.0, free) / 1e9:.1f} GB are free. {_fewer(call, most)}",
            topic="memory",
        )
    if size > LARGE_BYTES:
        said = (
            f"{asked} will take {size / 1e9:.1f} GB. Fewer take less: {call.format(draws=_round(LARGE_BYTES / each))}."
        )
        warn(BayesMixedWarning(said, topic="memory"))


def _fewer(call: str, most: int) -> str:
    if most < 1:
        return "Not one draw fits: close what takes memory, or use a machine that has more."
    return f"What fits: {call.format(draws=_round(most))}."


def _round(count: float) -> int:
    """At most two leading digits, rounded down."""
    whole = max(1, int(count))
    unit = 10 ** max(0, len(str(whole)) - 2)
    return whole // unit * unit
