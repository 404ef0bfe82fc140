"""A parameter as a coordinate of its own: the same likelihood, its exact gradient, the same estimates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.optimize import approx_fprime

import bayesmixed as bm
from bayesmixed.fits.tables import scalar_table
from bayesmixed.inference.profile.parameters import ground, parameters
from bayesmixed.inference.profile.pinned import Pinned

SAME = 1e-8  # of the deviance: two ways to compute it
SLOPES = 1e-6  # of a slope per standard error: forward differences
ROUND = 1e-12  # of a coordinate that goes there and back

FITS: dict[str, Callable[[], Any]] = {
    "three columns": lambda: gaussian("score ~ Machine + (0 + Machine | Worker)", "Machines"),
    "independent columns": lambda: gaussian("Reaction ~ Days + (Days || Subject)", "sleepstudy"),
    "common correlation": lambda: gaussian("score ~ 1 + cs(0 + Machine | Worker)", "Machines"),
    "common sd": lambda: gaussian("score ~ 1 + cs(0 + Machine | Worker, hom=True)", "Machines"),
    "crossed factors": lambda: gaussian("diameter ~ 1 + (1 | plate) + (1 | sample)", "Penicillin"),
    "sigma given": lambda: gaussian("Reaction ~ Days + (Days | Subject)", "sleepstudy", constants={"sigma": 25.0}),
    "sigma predicted": lambda: gaussian(bm.Formula("Reaction ~ Days + (Days | Subject)", "sigma ~ Days"), "sleepstudy"),
    "Laplace": lambda: herds("ml"),
    "quadrature": lambda: herds(bm.ML(quadrature=5)),
    "shape": lambda: gaussian("Reaction ~ Days + (Days | Subject)", "sleepstudy", family="gamma", link="log"),
}


def gaussian(formula: Any, dataset: str, **options: Any) -> Any:
    return bm.Model(formula, bm.load_data(dataset), **options).fit("ml")


def herds(engine: Any) -> Any:
    formula = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
    return bm.Model(formula, bm.load_data("cbpp"), family="binomial").fit(engine)


def held(fit: Any) -> list[Pinned]:
    place = ground(fit)
    return [each.pinned(place) for each in parameters(fit) if not each.refusal]


@pytest.mark.parametrize("name", FITS)
def test_every_parameter_is_a_coordinate_of_the_same_likelihood(name: str) -> None:
    fit = FITS[name]()
    table = scalar_table(fit.model.design, fit.parameters).set_index("label")["values"]
    rng = np.random.default_rng(1)
    for pinned in held(fit):
        y = pinned.y
        assert np.isclose(pinned.chart.value(y[0]), float(table[pinned.label][0, 0]))
        assert np.allclose(pinned.estimates(pinned.x), [float(v[0, 0]) for v in table], rtol=1e-7, atol=1e-9)
        assert abs(pinned.value(y) - fit.deviance) < SAME * (1 + abs(fit.deviance))
        unit = np.sqrt(np.diag(pinned.metric(y)))
        away = y + 0.5 * unit * rng.standard_normal(len(y))
        assert np.allclose(pinned.chart.y(pinned.chart.x(away)), away, rtol=ROUND, atol=ROUND * np.max(np.abs(away)))
        found = pinned.value_and_gradient(away)[1] * unit
        # central: the error of one-sided differences would hide what is tested
        expected = 0.5 * (
            approx_fprime(np.zeros_like(away), lambda s, p=pinned, a=away, u=unit: p.value(a + u * s), 1e-4)
            - approx_fprime(np.zeros_like(away), lambda s, p=pinned, a=away, u=unit: p.value(a - u * s), 1e-4)
        )
        assert np.allclose(found, expected, atol=SLOPES * (1 + np.max(np.abs(found)))), pinned.label
