"""How does a picture stand in a page: drawn, described in words, readable on a dark ground; or why there is none?"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

from ..errors import BayesMixedError
from ..page.html import refused

if TYPE_CHECKING:
    from ..plots.drawing.picture import Picture

DPI, SCREEN = 160, 96  # dots per inch of a picture, sharp on a phone that enlarges it; of a screen


def figure(draw: Callable[..., Picture], described: str, *arguments: Any, **options: Any) -> str:
    """A picture by one of `bayesmixed.plots`, `described` to those who do not see it; a sentence if it is refused."""
    from ..plots.drawing.picture import png

    try:
        data = png(draw, *arguments, dpi=DPI, **options)
    except BayesMixedError as error:
        return refused(error)
    width, height = (round(int.from_bytes(data[at : at + 4], "big") * SCREEN / DPI) for at in (16, 20))  # PNG's header
    source = f"data:image/png;base64,{b64encode(data).decode()}"
    alternative = escape(described, quote=True)
    return f'<figure><img alt="{alternative}" width="{width}" height="{height}" src="{source}"></figure>'
