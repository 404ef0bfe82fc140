"""What tests do with a picture."""

from __future__ import annotations

import io
import warnings

import bayesmixed as bm


def drawn(axes: bm.plot.Picture) -> bytes:
    """The picture, drawn without a warning."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        axes.savefig(file)
    return file.getvalue()
