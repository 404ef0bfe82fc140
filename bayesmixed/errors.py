"""What can go wrong, in one small tree: each message says what, where, and what to type instead."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import partial, wraps
from inspect import Parameter, Signature, signature
from numbers import Real
from typing import Any, ParamSpec, TypeVar, overload

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
_PACKAGE = __name__.partition(".")[0]
_NONE = Parameter.empty
_NOWHERE = float("nan")
MANY = 12  # names that a message lists
SHORT = 100  # characters of a value that a message repeats


class BayesMixedError(ValueError):
    """Base of every error that bayesmixed raises on purpose.

    `topic` names what it is about: the page of messages says under that name what it means and what to do.
    """

    def __init__(self, *words: object, topic: str = "") -> None:
        super().__init__(*words)
        self.topic = topic


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
    """A call whose arguments do not fit: one that does not exist, is missing, or is one too many."""


class BayesMixedWarning(UserWarning):
    """Something was done that the user should know about (dropped columns, a boundary); `topic` names what."""

    def __init__(self, *words: object, topic: str = "") -> None:
        super().__init__(*words)
        self.topic = topic


def warn(warning: BayesMixedWarning) -> None:
    """Warn at the line that called the package, however many of its own calls are between.

    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as seen:
    ...     warnings.simplefilter("always")
    ...     warn(BayesMixedWarning("Days is dropped.", topic="dropped-columns"))
    >>> str(seen[0].message)
    'Days is dropped.'
    """
    depth, frame = 1, sys._getframe()
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == _PACKAGE:
        depth, frame = depth + 1, frame.f_back
    warnings.warn(warning, stacklevel=depth)


# Arguments by the names that other programs give them, and what they may be called here.
_ELSEWHERE = {
    "df": ("ddf",),
    "type": ("scale", "kind"),
    "nAGQ": ("quadrature",),
    "warmup": ("tune",),
    "adapt_delta": ("target_accept",),
    "max_treedepth": ("max_tree_depth",),
    "iter": ("draws",),
    "ndraws": ("draws",),
    "samples": ("draws",),
    "nsim": ("n",),
    "re_form": ("re",),
    "re_formula": ("re",),
    "allow_new_levels": ("new_levels",),
    "sample_new_levels": ("new_levels",),
    "random_seed": ("seed",),
    "random_state": ("seed",),
    "conf_level": ("level",),
    "ci": ("level",),
    "parm": ("which",),
    "variables": ("which", "specs"),
    "lmer_df": ("ddf",),
    "df_method": ("ddf",),
    "denominator": ("ddf",),
    "dof": ("ddf",),
    "linfct": ("hypotheses",),
    "L": ("hypotheses",),
    "clusters": ("cluster",),
    "groups": ("cluster",),
    "cov_type": ("vcov",),
    "SS": ("type",),
    "gamma": ("guess",),
    "ntrials": ("trials",),
}
_ROBUST = 'Cluster-robust standard errors are of bm.hypothesis(fit, ..., vcov="CR2", cluster="g").'
_ANSWERS = {"vcov": _ROBUST, "cluster": _ROBUST}  # what only one function has


@overload
def with_known_options(function: Callable[P, R]) -> Callable[P, R]: ...
@overload
def with_known_options(function: str = "", **said: str) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def with_known_options(function: Any = "", **said: str) -> Any:
    """The same function, which answers a call that does not fit its arguments with the nearest that does.

    Given a sentence first, a decorator whose answers end with it where no known argument is near; given sentences by
    name, one whose answers to these arguments, which other programs have, are those.

    >>> @with_known_options
    ... def fit(*, seed=None): ...
    >>> fit(sed=1)
    Traceback (most recent call last):
    bayesmixed.errors.NoSuchOption: fit has no argument 'sed'. Did you mean 'seed'?
    """
    if isinstance(function, str):
        return partial(_checking, hint=function, said=said)
    return _checking(function)


def with_known_fields(kind: type[T]) -> type[T]:
    """The same dataclass, whose constructor answers as functions `with_known_options` do."""
    setattr(kind, "__init__", with_known_options(kind.__init__))  # noqa: B010  # by name: types know no such change
    return kind


def _checking(function: Callable[..., R], hint: str = "", said: Mapping[str, str] | None = None) -> Callable[..., R]:
    shape = signature(function)

    @wraps(function)
    def called(*arguments: Any, **options: Any) -> R:
        try:
            shape.bind(*arguments, **options)
        except TypeError as wrong:
            answer = _mismatch(function, shape, arguments, options, said or {}, hint)
            raise NoSuchOption(answer or str(wrong), topic="no-such-argument") from None
        return function(*arguments, **options)

    return called


def _mismatch(
    function: Callable[..., Any],
    shape: Signature,
    arguments: Sequence[Any],
    options: Mapping[str, Any],
    said: Mapping[str, str],
    hint: str,
) -> str:
    """Which argument is unknown, missing or one too many, and the nearest call that works."""
    owner = _owner(function, shape, arguments)
    known = {name: argument for name, argument in shape.parameters.items() if name != "self"}
    unknown = next((name for name in options if name not in known), None)
    if unknown is not None:
        if unknown in said:
            return f"{owner} has no argument {unknown!r}. {said[unknown]}"
        elsewhere = [name for name in _ELSEWHERE.get(unknown, ()) if name in known]
        advice = f"Here it is {elsewhere[0]}=." if elsewhere else nearest(unknown, known) or "It takes none."
        advice = _ANSWERS.get(unknown, advice) if advice.startswith("Known") else advice
        return f"{owner} has no argument {unknown!r}. {hint if hint and advice.startswith('Known') else advice}"
    plain = [name for name, argument in known.items() if argument.kind is argument.POSITIONAL_OR_KEYWORD]
    given = arguments[len(shape.parameters) - len(known) :]
    missing = [name for name in plain[len(given) :] if known[name].default is _NONE and name not in options]
    call = f"{owner}({', '.join(name for name in plain if known[name].default is _NONE)})"
    if missing:
        return " ".join(filter(None, (f"{owner} needs {' and '.join(map(repr, missing))}: write {call}.", hint)))
    if len(given) > len(plain):
        named = [f"{name}=" for name in known if name not in plain]
        advice = hint or (f"Give the others by name: {', '.join(named)}." if named else "")
        return f"{owner} takes {len(plain) or 'no'} unnamed argument{'s' * (len(plain) != 1)}. {advice}".strip()
    return ""


def _owner(function: Callable[..., Any], shape: Signature, arguments: Sequence[Any]) -> str:
    """What was called: of a member by the class that it was asked of, wherever that has it from."""
    if arguments and next(iter(shape.parameters), "") == "self":
        return f"{type(arguments[0]).__name__}.{function.__name__}".removesuffix(".__init__")
    return function.__qualname__


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
    more = f" and {len(known) - MANY} more" if len(known) > MANY else ""
    return f"{label}: {', '.join(known[:MANY])}{more}." if known else ""


def checked_level(level: Any, where: str = "", usual: float = 0.95) -> float:
    """A coverage, as a number.

    Raises
    ------
    FitError
        For what is none; a percentage is told how to write it. `where` is what was asked, if that must be said.

    Examples
    --------
    >>> checked_level(95)
    Traceback (most recent call last):
    bayesmixed.errors.FitError: level=95 is not between 0 and 1: write level=0.95 for 95 %.
    """
    value = float(level) if isinstance(level, Real) and not isinstance(level, bool) else _NOWHERE
    if 0 < value < 1:
        return value
    percent = f"write level={value / 100:g} for {value:g} %"
    advice = percent if 50 <= value < 100 else f"give a coverage such as {usual:g}"
    raise FitError(f"{where and where + ': '}level={level!r} is not between 0 and 1: {advice}.", topic="level")


def checked_probability(value: Any, option: str) -> float:
    """What an option takes as a number inside (0, 1): the level of a test, a power.

    Raises
    ------
    FitError
        For anything else.

    Examples
    --------
    >>> checked_probability(5, "alpha")
    Traceback (most recent call last):
    bayesmixed.errors.FitError: alpha must lie between 0 and 1, not 5.
    """
    found = float(value) if isinstance(value, Real) and not isinstance(value, bool) else _NOWHERE
    if not 0 < found < 1:
        raise FitError(f"{option} must lie between 0 and 1, not {brief(value)}.", topic="level")
    return found


def brief(value: Any) -> str:
    """A value as a message mentions it: as it prints where that is short, else what it is.

    >>> brief("Days"), brief(list(range(100)))
    ("'Days'", 'a list')
    """
    text = repr(value)
    if len(text) <= SHORT and "\n" not in text:
        return text
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'AEIOUaeiou' else 'a'} {kind}"


__all__ = [
    "BayesMixedError",
    "BayesMixedWarning",
    "DataError",
    "FitError",
    "FormulaError",
    "ModelError",
    "NoSuchAnswer",
    "NoSuchOption",
]


def __dir__() -> list[str]:
    return sorted(__all__)
