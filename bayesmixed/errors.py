"""What can go wrong, in one small tree: each message says what, where, and what to type instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import wraps
from inspect import signature
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


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


class NoSuchOption(BayesMixedError, TypeError):
    """A keyword argument that does not exist."""


class BayesMixedWarning(UserWarning):
    """Something was done that the user should know about (dropped columns, a boundary, divergences)."""


def with_known_options(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, which answers an unknown keyword argument with the nearest known ones.

    >>> @with_known_options
    ... def fit(*, seed=None): ...
    >>> fit(sed=1)
    Traceback (most recent call last):
    bayesmixed.errors.NoSuchOption: fit has no argument 'sed'. Did you mean 'seed'?
    """
    known = [name for name in signature(function).parameters if name != "self"]
    owner = function.__qualname__.removesuffix(".__init__")

    @wraps(function)
    def called(*args: P.args, **options: P.kwargs) -> R:
        unknown = next((name for name in options if name not in known), None)
        if unknown is not None:
            raise NoSuchOption(f"{owner} has no argument {unknown!r}. {nearest(unknown, known)}")
        return function(*args, **options)

    return called


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
