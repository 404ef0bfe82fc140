"""What are the bytes of a picture, for a page that must hold it?"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np

from . import canvas


def png(drawing: Callable[..., Any], *arguments: Any, dpi: int = 120, **options: Any) -> bytes:
    """The PNG of a drawing on a new figure, which is closed again.

    Parameters
    ----------
    drawing
        A function of `bayesmixed.plots`; it returns Axes or an array of them.
    *arguments, **options
        What it is called with.
    dpi
        Dots per inch.
    """
    figure = np.atleast_1d(np.asarray(drawing(*arguments, **options), dtype=object)).ravel()[0].figure
    data = BytesIO()
    try:
        figure.savefig(data, format="png", dpi=dpi, bbox_inches="tight")
    finally:
        canvas.pyplot().close(figure)
    return data.getvalue()
