"""What a point fit keeps of its search: the curvature at its optimum, and the errors that its intervals need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bayesmixed as bm
from bayesmixed.fits.point import PointFit
from bayesmixed.likelihood.at import laplace_of

SAME = 1e-9  # the same numbers by two routes

HERDS = ("prop(incidence, size) ~ period + (1 | herd)", "cbpp", "binomial")
SLEEP = ("Reaction ~ Days + (Days | Subject)", "sleepstudy", "gaussian")


def fitted(formula: str, data: str, family: str, engine: Any = "ml") -> PointFit:
    return bm.Model(formula, bm.load_data(data), family=family).fit(engine)


@pytest.mark.parametrize("engine", [bm.ML(), bm.ML(quadrature=5), bm.ML(quadrature=0), bm.MAP(priors="model")])
def test_the_curvature_of_a_generalized_fit_is_that_of_its_standard_errors(engine: Any) -> None:
    fit = fitted(*HERDS, engine)
    found, coordinates = fit.curvature, laplace_of(fit.model).coordinates()
    assert found is not None
    natural, where = coordinates.natural(found.x), coordinates.coefficients
    np.testing.assert_allclose(natural.beta, fit.beta, rtol=SAME)
    np.testing.assert_allclose(coordinates.theta.reported(found.x), fit.theta, rtol=SAME)
    ours = coordinates.basis @ found.covariance[where, where] @ coordinates.basis.T
    np.testing.assert_allclose(ours, fit.vcov(), rtol=1e-7)


def test_a_variance_at_zero_is_held_in_the_curvature() -> None:
    """What periods have of their own, coefficients say already."""
    fit = fitted("prop(incidence, size) ~ period + (1 | herd) + (1 | period)", *HERDS[1:])
    assert fit.theta[1] == 0.0
    assert fit.curvature.free.tolist() == [0, 2, 3, 4, 5]
    assert not fit.curvature.covariance[1].any() and np.all(fit.curvature.eigenvalues > 0)


def test_the_curvature_is_saved_with_its_fit(tmp_path: Path) -> None:
    fit = fitted(*HERDS)
    again = bm.load(fit.save(tmp_path / "fit.nc"))
    for name in ("x", "hessian", "free"):
        assert getattr(again.curvature, name).tolist() == getattr(fit.curvature, name).tolist()


def test_a_linear_fit_forms_no_hessian() -> None:
    assert fitted(*SLEEP).curvature is None


@pytest.mark.parametrize("case", [HERDS, SLEEP])
def test_the_errors_of_intervals_are_formed_once_and_cannot_be_changed_by_them(case: tuple[str, str, str]) -> None:
    fit = fitted(*case)
    first = fit.prediction_errors
    before = fit.predict(interval="confidence")
    fit.leverage()
    fit.predict_draws(seed=1)
    assert fit.prediction_errors is first
    np.testing.assert_array_equal(fit.predict(interval="confidence"), before)


def arrays(value: Any) -> Iterator[np.ndarray]:
    """Every array that a value holds."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, dict):
        yield from (array for part in value.values() for array in arrays(part))
    elif isinstance(value, tuple | list):
        yield from (array for part in value for array in arrays(part))
    elif is_dataclass(value):
        yield from (array for field in fields(value) for array in arrays(getattr(value, field.name)))


@pytest.mark.parametrize("case", [HERDS, SLEEP])
def test_errors_that_are_kept_hold_no_rows_of_the_design(case: tuple[str, str, str]) -> None:
    fit = fitted(*case)
    wide = [array.shape for array in arrays(fit.prediction_errors) if array.ndim > 1 and len(array) == fit.n_obs]
    assert not wide
