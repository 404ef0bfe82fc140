"""Between-within: groups counted as by containment, the intercept judged between the outermost groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .containment import Contained, contained

if TYPE_CHECKING:
    from ..fits.point import PointFit


def reference(fit: PointFit) -> Contained:
    """As `containment.reference`, but the intercept has the degrees of freedom of the first level.

    Raises
    ------
    FitError
        Generalized models; factors that are crossed.
    """
    return contained(fit, "between-within", outermost=True)
