"""Parameter values: what is derived from factors, what averages are of, and rows with dispersion of their own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.covariance import structure
from bayesmixed.design.build import build_design
from bayesmixed.families import family
from bayesmixed.formula.formula import Formula
from bayesmixed.parameters.predicted import predicted
from bayesmixed.parameters.values import Parameters, compact

ROUNDING = 1e-12
SHAPE = (2, 30)


def drawn() -> Parameters:
    """Draws of one correlated and one uncorrelated bar."""
    rng = np.random.default_rng(1)
    correlated = np.tril(rng.normal(size=(*SHAPE, 3, 3)))
    return Parameters(
        coefficients={"mu": rng.normal(size=(*SHAPE, 2))},
        factors=(correlated, rng.uniform(1, 2, size=(*SHAPE, 2))),
        b=(rng.normal(size=(*SHAPE, 5, 3)), rng.normal(size=(*SHAPE, 4, 2))),
        dispersion={"sigma": rng.uniform(1, 2, size=SHAPE)},
    )


def test_sds_and_correlations_make_up_the_covariance() -> None:
    values = drawn()
    for j in range(2):
        sds, corr = values.sds[j], values.corrs[j]
        whole = np.eye(2) if corr is None else corr
        made = sds[..., :, None] * whole * sds[..., None, :]
        np.testing.assert_allclose(values.covariance(j), made, rtol=ROUNDING, atol=ROUNDING)


def test_every_root_is_one_of_the_covariance() -> None:
    values = drawn()
    for j in range(2):
        for root in (values.factor(j), values.principal_root(j)):
            product = root @ np.swapaxes(root, -1, -2)
            np.testing.assert_allclose(product, values.covariance(j), rtol=ROUNDING, atol=ROUNDING)


def test_the_principal_root_is_the_same_whichever_root_is_held() -> None:
    values, turn = drawn(), np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
    turned = Parameters(values.coefficients, (values.factors[0] @ turn, values.factors[1]), values.b, values.dispersion)
    np.testing.assert_allclose(np.abs(turned.principal_root(0)), np.abs(values.principal_root(0)), rtol=1e-8, atol=1e-8)


def test_an_average_is_one_of_sds_and_correlations() -> None:
    values, mean = drawn(), drawn().mean()
    assert mean.n_draws == 1
    for j in range(2):
        np.testing.assert_allclose(mean.sds[j][0, 0], values.sds[j].mean(axis=(0, 1)), rtol=ROUNDING)
    np.testing.assert_allclose(mean.corrs[0][0, 0], values.corrs[0].mean(axis=(0, 1)), rtol=ROUNDING, atol=ROUNDING)  # type: ignore[index]
    assert mean.corrs[1] is None


def test_parts_joined_are_the_whole() -> None:
    values = drawn()
    again = Parameters.joined([values.take(slice(10)), values.take(slice(10, None))])
    np.testing.assert_array_equal(again.factors[0], values.factors[0])
    np.testing.assert_array_equal(again.dispersion["sigma"], values.dispersion["sigma"])


def test_a_correlation_beside_a_zero_sd_is_not_known() -> None:
    values = Parameters.point({"mu": np.zeros(1)}, [np.array([[0.0, 0.0], [1.0, 2.0]])], [np.zeros((1, 2))], {})
    assert np.isnan(values.corrs[0][0, 0, 1, 0])  # type: ignore[index]
    assert values.sds[0][0, 0].tolist() == pytest.approx([0.0, np.sqrt(5.0)])


@pytest.mark.parametrize(("name", "k", "dimensions"), [("us", 2, 2), ("us", 1, 1), ("diag", 2, 1)])
def test_factors_without_correlations_are_held_as_their_diagonal(name: str, k: int, dimensions: int) -> None:
    assert compact(np.diag(np.ones(k)), structure(name)).ndim == dimensions


def test_draws_of_uncorrelated_bars_take_no_more_room_than_sds() -> None:
    model = bm.Model("Reaction ~ Days + (Days || Subject)", bm.load_data("sleepstudy"))
    fit = model.fit(bm.Laplace(draws=50), seed=1)
    assert [factor.shape for factor in fit.parameters.factors] == [(1, 50, 1), (1, 50, 1)] or [
        factor.shape for factor in fit.parameters.factors
    ] == [(1, 50, 2)]


def test_dispersion_with_a_predictor_is_one_number_a_row() -> None:
    table = pd.DataFrame({"y": np.arange(6.0), "x": np.arange(6.0), "z": [0.0, 1.0] * 3})
    design, _ = build_design(Formula("y ~ x", "sigma ~ z"), table)
    values = Parameters(
        {"mu": np.array([[[1.0, 2.0], [0.0, 1.0]]]), "sigma": np.array([[[0.5, -1.0], [0.0, 2.0]]])}, (), (), {}
    )
    found = predicted(family("gaussian"), design, values)
    np.testing.assert_allclose(found.dispersion["sigma"], np.exp([0.5 - table["z"], 2 * table["z"]]))
    np.testing.assert_allclose(found.at(slice(2, 4)).dispersion["sigma"], found.dispersion["sigma"][:, 2:4])
    rng = np.random.default_rng(3)
    y = family("gaussian").draw(rng, found.eta, found.dispersion, None, None)
    assert y.shape == (2, 6)
