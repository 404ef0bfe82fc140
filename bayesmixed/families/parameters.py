"""What a parameter of a response distribution is: its link, its role, where it lies, and what its prior goes by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..errors import ModelError, nearest
from .links import Link
from .links import link as link_of

FARTHEST = 300.0  # working coordinates beyond it, which a line search may try, have no useful value
ROLES = {  # and the link that a parameter of this role has
    "location": "identity",
    "scale": "log",
    "precision": "log",
    "shape": "log",
    "probability": "logit",
    "threshold": "identity",
}


class Limit(NamedTuple):
    """Where a dispersion parameter turns its family into a simpler one: beyond `bound`, upwards where that is > 1."""

    bound: float
    meaning: str
    simpler: str

    def reached(self, value: float) -> bool:
        """Whether an estimate is beyond the bound."""
        return value > self.bound if self.bound > 1 else value < self.bound


@dataclass(frozen=True)
class FamilyParameter:
    """One parameter of a family; `parameter` makes one with what its role implies.

    `link` leads to the coordinate that searches move in; `role` is one of `ROLES`; `bounds` is the open interval of its
    values; `rule` names what its default prior goes by, the role unless several parameters of one role differ there;
    `start` is a rough value where data say nothing better; `limit` is where it makes a simpler family; `predicted` that
    it may have a formula of its own, on the scale of its link.
    """

    name: str
    link: Link
    role: str
    bounds: tuple[float, float]
    rule: str
    start: float
    limit: Limit | None = None
    predicted: bool = False

    def working(self, value: Any) -> Any:
        """The coordinate that a search moves, any real number."""
        return self.link.forward(value)

    def value(self, working: Any) -> Any:
        """The value at a coordinate; never an end of a bounded interval, however far a line search goes."""
        low, high = self.bounds
        found = self.link.inverse(np.clip(working, -FARTHEST, FARTHEST))
        return np.clip(found, np.nextafter(low, high), np.nextafter(high, low)) if np.isfinite(high) else found

    def slope(self, value: Any) -> Any:
        """d value / d coordinate, at a value."""
        return self.link.mean_slope(value)

    def inside(self, value: float) -> bool:
        """Whether a value is possible."""
        return bool(self.bounds[0] < value < self.bounds[1])

    @property
    def positive(self) -> bool:
        """Whether its values are the positive numbers."""
        return self.bounds == (0.0, np.inf)

    @property
    def where(self) -> str:
        """Which numbers its values are, after "must be"."""
        low, high = self.bounds
        if self.positive:
            return "a positive number"
        if np.isfinite(low) and np.isfinite(high):
            return f"a number between {low:g} and {high:g}"
        return f"a number above {low:g}" if np.isfinite(low) else "a finite number"


def parameter(
    name: str,
    role: str,
    *,
    link: str | Link | None = None,
    rule: str = "",
    start: float | None = None,
    limit: Limit | None = None,
) -> FamilyParameter:
    """A parameter of a family besides the mean.

    Parameters
    ----------
    name
        What priors, constants and tables call it.
    role
        "scale" (in the response's unit), "precision", "shape", "probability", "threshold" or "location": the first
        three are positive with a log link, a probability has a logit link, the others are real numbers.
    link
        Another link, a name or a value: what it reaches are the possible values.
    rule
        What its default prior goes by, as in `priors.default.RULES`; the role if empty.
    start
        A rough value; where the link is zero if None.
    limit
        Where it makes a simpler family of this one.

    Returns
    -------
    FamilyParameter
        For `others` of a family, or ``custom(dispersion=...)``.

    Raises
    ------
    ModelError
        An unknown role or link, or an impossible start.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> zi = bm.families.parameter("zi", "probability")
    >>> zi.link.name, zi.bounds, zi.start
    ('logit', (0.0, 1.0), 0.5)
    """
    if role not in ROLES:
        raise ModelError(
            f"Parameter {name!r} cannot have the role {role!r}. {nearest(str(role), ROLES)}", topic="custom-family"
        )
    chosen = link if isinstance(link, Link) else link_of(link or ROLES[role])
    value = float(chosen.inverse(np.float64(0.0))) if start is None else float(start)
    made = FamilyParameter(name, chosen, role, chosen.range, rule or role, value, limit)
    if not made.inside(value):
        raise ModelError(f"start={value:g} of parameter {name!r} must be {made.where}.", topic="custom-family")
    return made
