"""Classic data sets of the mixed-model literature, with their level orders, sources and licences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .loading import list_data as list_data
    from .loading import load_data as load_data


def __getattr__(name: str) -> Any:
    # what is known of the sets can be listed without loading pandas
    if name in ("list_data", "load_data"):
        from . import loading

        return getattr(loading, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
