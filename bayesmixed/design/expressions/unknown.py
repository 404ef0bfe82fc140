"""What to say of a name in a formula that is no column, and of a function that formulas do not have."""

from __future__ import annotations

from collections.abc import Iterable

from ...errors import nearest
from ...formula.syntax import Argument, Binary, Call, Name, deparse
from ...formula.tokens import PACKAGES
from .factor_functions import CATEGORICAL
from .numeric import NUMERIC
from .transforms import TRANSFORMS

SPECIAL = ("I", "C", "c", "cut", "seq")

_SEVERAL_ROWS = "it looks at several rows: make a column of it beforehand"
_CORRELATION = "correlated residuals are not supported"
_REMEDIES = {
    "Q": "write a column whose name has special characters in `backticks`",
    "Surv": "survival models are not supported",
    "is.na": "rows with missing values are left out first: make a column of it beforehand",
    "addNA": "make a column with a level for missing values beforehand",
    "rcs": "write ns(x, df = 3), which is a restricted cubic spline too",
    "cr": "write ns(x, df = 3), which is a restricted cubic spline too",
    "polym": "polynomials of several variables are written out: poly(x, 2) * poly(z, 2)",
    "fct_relevel": 'write relevel(f, ref = "b")',
    "rescale": "write scale(x), or I(x / (2 * sd(x))) for two standard deviations",
    "mono": "monotonic effects are not supported; an ordered column gets polynomial contrasts",
    "hsgp": "Gaussian processes are not supported; write bs(x, df = 5) or ns(x, df = 5)",
    "mvbind": "several responses are not supported: fit one model to each",
    "offset": "write offset(...) without its package",
}
_REMEDIES |= dict.fromkeys(("lag", "lead", "diff", "cumsum", "cumprod", "rank", "rev", "order"), _SEVERAL_ROWS)
_REMEDIES |= dict.fromkeys(("ar", "ma", "arma", "cosy", "unstr", "car", "sar", "fcor"), _CORRELATION)
_REMEDIES |= dict.fromkeys(("strata", "cluster", "frailty", "random", "re"), "write a grouping factor as (1 | g)")


def function_names() -> list[str]:
    """Every function a formula may call."""
    return sorted({*NUMERIC, *CATEGORICAL, *TRANSFORMS, *SPECIAL})


def bare(function: str) -> str:
    """The name of a function without the package in front of it: ``np.log``, ``splines::bs``."""
    package, _, name = function.partition("::")
    if name and package in PACKAGES:
        return name
    return function.removeprefix("np.").removeprefix("numpy.")


def unknown_column(name: str, columns: Iterable[object], *, where: str = "the data", needs: str = "") -> str:
    """The message for a name that is neither a column nor anything else.

    `where` is the table, "the data" or "the new data" of a prediction; `needs` says what needs the column.
    """
    place = f"no column {name!r} in {where}" + (f"; {needs} needs it." if needs else ".")
    advice = (place, _column_advice(name, [str(c) for c in columns]), _otherwise(name, where, needs))
    return " ".join(part for part in advice if part)


def _column_advice(name: str, columns: list[str]) -> str:
    attribute = name.rpartition(".")[2]
    if attribute != name and attribute in columns:
        return f"Write {attribute} alone: a formula names columns, not tables."
    if cut := [column for column in columns if _cut_short(name, column)]:
        return f"A column whose name has spaces or signs goes in backticks: {deparse(Name(cut[0]))}."
    advice = nearest(name, columns, "Columns")
    if bare(name) in function_names():
        advice = f"{name} is a function: write {name}(x). " + advice
    if name == "Intercept":
        advice = "An intercept is written 1, also where brms has 0 + Intercept. " + advice
    return advice


def _cut_short(name: str, column: str) -> bool:
    """Whether `name` is the start of `column` up to a space or sign: "reaction-time" reads as reaction less time."""
    follows = column[len(name) : len(name) + 1]
    return column.startswith(name) and follows != "" and not (follows.isalnum() or follows in "._")


def _otherwise(name: str, where: str, needs: str) -> str:
    if where == "the data":
        return f"Other names can be given as namespace={{{name!r}: ...}}."
    return 'To predict without random effects write re="none".' if needs.startswith("`(") else ""


def unknown_function(call: Call) -> str:
    """The message for a call to a function that does not exist."""
    name = bare(call.function)
    match call.arguments:
        case (Argument(Binary("|" | "||") as bar, None), _, *_):
            alone = f"{call.function}({deparse(bar)})"
            named = f"{call.function}({deparse(bar)}, option=value)"
            return f"`{deparse(call)}`: options of a covariance structure go by name: write {alone}, or {named}."
    if name in _REMEDIES:
        return f"no function {call.function}() in a formula: {_REMEDIES[name]}."
    advice = nearest(name, function_names(), "Functions")
    own = call.function.split(".")[-1].split(":")[-1]
    return (
        f"unknown function {call.function}() in the formula. {advice} "
        f'A function of your own can be given as namespace={{"{call.function}": {own}}}.'
    )
