"""A warning names the line that called the package, however deep inside it was noticed."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest

import bayesmixed as bm

SLEEP = bm.load_data("sleepstudy")


def dropped_columns() -> None:
    bm.Model("Reaction ~ Days + twice + (1 | Subject)", SLEEP.assign(twice=2 * SLEEP["Days"]))


def mistaken_column() -> None:
    typed = [f"{days},5" for days in SLEEP["Days"]]
    bm.Model("Reaction ~ typed + (1 | Subject)", SLEEP.assign(typed=typed))


def as_many_effects_by_an_engine() -> None:
    bm.REML().fit(bm.Model("Reaction ~ Days + (0 + Days | Subject:Days)", SLEEP, check="warn"))


def as_many_effects() -> None:
    bm.Model("Reaction ~ Days + (0 + Days | Subject:Days)", SLEEP, check="warn").fit("reml")


def outside_the_knots() -> None:
    fit = bm.Model("Reaction ~ bs(Days, df=4) + (1 | Subject)", SLEEP).fit("ml")
    fit.predict(SLEEP.assign(Days=SLEEP["Days"] + 1))


def trials() -> None:
    cbpp = bm.load_data("cbpp")
    fit = bm.Model("prop(incidence, size) ~ period + (1 | herd)", cbpp, family="binomial").fit("ml")
    fit.predict(cbpp.drop(columns=["size", "incidence"]), interval="prediction", seed=1)


@pytest.mark.parametrize(
    "cause",
    [dropped_columns, mistaken_column, as_many_effects_by_an_engine, as_many_effects, outside_the_knots, trials],
    ids=lambda cause: cause.__name__,
)
def test_the_line_is_that_of_the_caller(cause: Callable[[], None]) -> None:
    first = cause.__code__.co_firstlineno
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", bm.errors.BayesMixedWarning)
        cause()
    assert {one.filename for one in seen} == {__file__}
    assert all(first < one.lineno <= first + 4 for one in seen)
