"""What can go wrong, in one small tree: each message says what, where, and what to type instead."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class BayesMixedError(ValueError):
    """Base of every error that bayesmixed raises on purpose."""


class FormulaError(BayesMixedError):
    """The formula text cannot be read, or asks for something that has no meaning."""


class DataError(BayesMixedError):
    """The table lacks a column, a level or a value that the formula needs."""


class ModelError(BayesMixedError):
    """The parts of a model do not fit together (family, link, priors, weights, options)."""


class FitError(BayesMixedError):
    """A question that this fit cannot answer, or an engine that cannot fit this model."""


class NoSuchAnswer(FitError, AttributeError):
    """A member that this kind of fit does not have; `hasattr` sees it as absent."""


class BayesMixedWarning(UserWarning):
    """Something was done that the user should know about (dropped columns, a boundary, divergences)."""


def nearest(name: str, known: Iterable[str], label: str = "Known") -> str:
    """The sentence that ends an unknown-name error: the closest names first, else all of them.

    >>> nearest("Dayz", ["Days", "Subject"])
    "Did you mean 'Days'?"
    """
    known = [str(k) for k in known]
    close = get_close_matches(str(name), known, n=3, cutoff=0.6)
    lowered = {k.lower(): k for k in known}
    if not close and str(name).lower() in lowered:
        close = [lowered[str(name).lower()]]
    if close:
        return "Did you mean " + " or ".join(repr(c) for c in close) + "?"
    shown = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
    return f"{label}: {shown}." if known else ""
