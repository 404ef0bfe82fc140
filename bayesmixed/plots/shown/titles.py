"""What do titles and axes of pictures call the response, the intervals and what was left out?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...summaries.pooled.effects_by_factor import factors
from ..drawing import theme

if TYPE_CHECKING:
    from ...fits.base import Fit


def response_name(fit: Fit) -> str:
    """What the formula calls the response, cut where it would crowd out a title."""
    response = fit.model.design.response
    return theme.short(response.name) if response else "Response"


def whose(fit: Fit, what: str) -> str:
    """Whose uncertainty intervals or curves of random effects hold, a line of an axis: `what` is "intervals"."""
    return f"posterior {what}" if fit.sampled else f"{what} given the coefficients"


def other_factors(fit: Fit, group: str | None) -> str:
    """A title's second line: which factors a picture of the first leaves out; empty where one was asked for."""
    others = [f'group="{name}"' for name in factors(fit)[1:]] if group is None else []
    return "\n" + theme.short(f"also: {', '.join(others)}", theme.TITLE_LENGTH) if others else ""
