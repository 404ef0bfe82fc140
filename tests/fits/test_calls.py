"""Calls that do not fit their arguments are answered with one that does, by the names of other programs too."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm

anything: Any = bm  # calls that types would refuse
TABLE = pd.DataFrame({"y": np.random.default_rng(1).normal(size=24), "g": list("abcdef") * 4, "x": np.arange(24.0)})


@pytest.fixture(scope="module")
def fit() -> Any:
    return bm.Model("y ~ x + (1 | g)", TABLE).fit("ml")


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (lambda fit: fit.predict(type="response"), "PointFit.predict has no argument 'type'. Here it is scale=."),
        (lambda fit: fit.residuals(type="pearson"), "Here it is kind=."),
        (lambda fit: fit.predict(re_form=None), "Here it is re=."),
        (lambda fit: fit.ranef("g"), 'It gives a dict: fit.ranef()["group"].'),
        (lambda fit: fit.coef("g"), 'It gives a dict: fit.coef()["group"].'),
        (
            lambda fit: fit.predict(TABLE, "all"),
            "PointFit.predict takes 1 unnamed argument. Give the others by name: re=",
        ),
        (lambda fit: fit.model.fit("nuts", draws=100), "go into its value: model.fit(bm.NUTS(draws=100))"),
        (lambda fit: fit.model.fit("nuts", sed=1), "Did you mean 'seed'?"),
        (lambda fit: anything.NUTS(warmup=500), "NUTS has no argument 'warmup'. Here it is tune=."),
        (lambda fit: anything.NUTS(adapt_delta=0.9), "Here it is target_accept=."),
        (lambda fit: anything.NUTS(iter=500), "Here it is draws=."),
        (lambda fit: anything.ML(nAGQ=9), "Here it is quadrature=."),
        (lambda fit: anything.Laplace(100, draws=50), "multiple values for argument 'draws'"),
        (lambda fit: anything.links.logit(gamma=0.5), "logit has no argument 'gamma'. Here it is guess=."),
        (
            lambda fit: anything.simulate("y ~ x + (1 | g)", TABLE),
            "simulate needs 'params': write simulate(formula, data, p",
        ),
        (lambda fit: anything.Model("y ~ x"), "Model needs 'data': write Model(formula, data)."),
        (lambda fit: anything.emmeans(fit, "x", type="response"), "Here it is scale=."),
    ],
)
def test_a_call_that_does_not_fit_is_answered_with_one_that_does(call: Callable[[Any], Any], answer: str, fit: Any):
    with pytest.raises(bm.errors.BayesMixedError, match=re.escape(answer)) as caught:
        call(fit)
    assert isinstance(caught.value, TypeError)  # as Python's own


def test_the_module_of_a_family_stands_for_the_family():
    assert bm.Model("x ~ 1 + (1 | g)", TABLE, family=cast("Any", bm.families.poisson)).family == bm.families.family(
        "poisson"
    )
