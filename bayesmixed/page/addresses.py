"""Where is a message explained? In the documentation, whose address the installed package knows."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, metadata
from urllib.parse import quote


def explained(topic: str) -> str:
    """The address of what is written of a topic; empty where there is no topic, or no address is known."""
    base = documentation() if topic else ""
    return f"{base}messages.html#{quote(topic)}" if base else ""


@cache
def documentation() -> str:
    """The address of the documentation, with a slash at its end; empty where the package is not installed."""
    try:
        urls = metadata(__name__.partition(".")[0]).get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    known = {name.strip().lower(): url.strip() for name, _, url in (str(line).partition(",") for line in urls)}
    address = known.get("documentation", "")
    return f"{address.rstrip('/')}/" if address else ""
