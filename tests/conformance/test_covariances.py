"""What every covariance structure must do: found through the registry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bayesmixed as bm
from bayesmixed.covariance import CORRELATION, STRUCTURES, Covariance, Shape, Values
from bayesmixed.covariance.pins import Pin

SIZES = [1, 2, 3, 4]
ROUND_TRIP = 1e-10


@pytest.fixture(params=sorted(STRUCTURES))
def structure(request: pytest.FixtureRequest) -> Covariance:
    return STRUCTURES[request.param]


def some_theta(structure: Covariance, k: int) -> np.ndarray:
    rng = np.random.default_rng(k)
    return structure.theta(structure.factor(structure.start(rng.uniform(0.5, 2.0, k)) + 0.1, k))


@pytest.mark.parametrize("k", SIZES)
def test_theta_and_factor_are_inverse_up_to_signs(structure: Covariance, k: int) -> None:
    theta = some_theta(structure, k)
    factor = structure.factor(theta, k)
    assert theta.shape == (structure.n_theta(k),) and factor.shape == (k, k)
    np.testing.assert_array_equal(factor, np.tril(factor))
    np.testing.assert_allclose(structure.theta(factor), theta, rtol=ROUND_TRIP)


@pytest.mark.parametrize("k", SIZES)
def test_the_pullback_is_the_derivative(structure: Covariance, k: int) -> None:
    theta, slope = some_theta(structure, k), np.random.default_rng(9).normal(size=(k, k))

    def value(at: np.ndarray) -> float:
        return float(np.sum(slope * structure.factor(at, k)))

    steps = 1e-6 * np.eye(len(theta))
    numeric = [(value(theta + h) - value(theta - h)) / 2e-6 for h in steps]
    np.testing.assert_allclose(structure.pullback(theta, k, slope), numeric, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("k", SIZES)
def test_covariances_lie_in_the_span_of_a_linear_structure(structure: Covariance, k: int) -> None:
    """As many matrices as parameters, of which any covariance is a sum."""
    span = structure.span(k)
    if span is not None:
        assert span.shape == (structure.n_theta(k), k, k)
        factor = structure.factor(some_theta(structure, k), k)
        Sigma, columns = (factor @ factor.T).ravel(), span.reshape(len(span), -1).T
        gamma = np.linalg.lstsq(columns, Sigma, rcond=None)[0]
        np.testing.assert_allclose(columns @ gamma, Sigma, atol=ROUND_TRIP)


def test_which_structures_are_linear() -> None:
    """Every variance and covariance free, or variances alone, or one of each; not one correlation between many sds."""
    linear = {name: [structure.span(k) is not None for k in SIZES] for name, structure in STRUCTURES.items()}
    assert linear["us"] == linear["diag"] == linear["homcs"] == [True] * 4
    assert linear["cs"] == [True, True, False, False]


@pytest.mark.parametrize("k", SIZES)
def test_a_pinned_parameter_is_where_it_is_held(structure: Covariance, k: int) -> None:
    """theta is the parameter and the rest, there and back; moved alone, it has the value that it was moved to."""
    factor = structure.factor(some_theta(structure, k), k)
    free, columns = structure.parameters(k), [f"c{i}" for i in range(k)]
    pins = structure.pins(k)
    if not pins:
        return

    def numbers(root: np.ndarray) -> list[float]:
        values = structure.values(root)
        shapes = zip(free.shapes, values.shapes, strict=True)
        found = [number for s, value in shapes for number in s.numbers(np.asarray(s.stated(value)), columns).values()]
        return [*values.sds.tolist(), *map(float, found)]

    known = numbers(factor)
    assert len(pins) == len(known) == structure.n_theta(k)
    for i, pin in enumerate(pins):
        order = list(pin.order)
        at, rest = pin.split(structure.theta(factor[order]))
        np.testing.assert_allclose(at, known[i], rtol=ROUND_TRIP)
        np.testing.assert_allclose(
            pin.theta(at, rest), structure.theta(factor[order]), rtol=ROUND_TRIP, atol=ROUND_TRIP
        )
        moved = 0.9 * at
        back = np.empty((k, k))
        back[order] = structure.factor(pin.theta(moved, rest), k)
        np.testing.assert_allclose(numbers(back)[i], moved, rtol=ROUND_TRIP)


@pytest.mark.parametrize("k", SIZES)
def test_slopes_are_pulled_back_to_a_pinned_parameter_and_the_rest(structure: Covariance, k: int) -> None:
    factor, slope = structure.factor(some_theta(structure, k), k), np.random.default_rng(9).normal(size=(k, k))
    for pin in structure.pins(k):
        at, rest = pin.split(structure.theta(factor[list(pin.order)]))

        def value(y: np.ndarray, pin: Pin = pin) -> float:
            return float(np.sum(slope * structure.factor(pin.theta(float(y[0]), y[1:]), k)))

        y = np.append(at, rest)
        steps = 1e-6 * np.eye(len(y))
        numeric = [(value(y + h) - value(y - h)) / 2e-6 for h in steps]
        found = pin.pulled(at, rest, structure.pullback(pin.theta(at, rest), k, slope))
        np.testing.assert_allclose(found, numeric, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("k", SIZES)
def test_a_start_has_the_sds_asked_for(structure: Covariance, k: int) -> None:
    sds = np.linspace(0.5, 1.5, k)
    values = structure.values(structure.factor(structure.start(sds), k))
    np.testing.assert_allclose(values.sds, structure.parameters(k).of_sds(sds))


@pytest.mark.parametrize("k", SIZES)
def test_theta_is_reported_and_taken_back(structure: Covariance, k: int) -> None:
    theta = some_theta(structure, k)
    reported = structure.reported(theta, k)
    np.testing.assert_allclose(structure.of_reported(reported, k), theta, rtol=ROUND_TRIP)
    assert structure.reported(-theta, k).shape == reported.shape == (structure.n_theta(k),)


@pytest.mark.parametrize("k", SIZES)
def test_every_edge_is_a_boundary_that_can_be_left(structure: Covariance, k: int) -> None:
    theta = some_theta(structure, k)
    assert {i for group in structure.edges(theta, k) for i in group[0].positions} == set(range(len(theta)))
    for edge in [edge for group in structure.edges(theta, k) for edge in group]:
        there = edge.at(theta)
        assert any(e.positions == edge.positions and e.distance == 0 for g in structure.edges(there, k) for e in g)
        factor, null = structure.factor(there, k), structure.null_directions(there, k, 1e-8)
        assert null
        for directions in null:
            v = directions[:, 0]
            moved = structure.factor(structure.step_off(there, k, 0.003 * v), k)
            assert v @ moved @ moved.T @ v == pytest.approx(v @ factor @ factor.T @ v + 0.003**2, rel=1e-2)


@pytest.mark.parametrize("k", SIZES)
def test_structures_that_can_grow_in_one_direction_alone_do(structure: Covariance, k: int) -> None:
    theta = structure.start(np.r_[np.zeros(1), np.ones(k - 1)])
    factor = structure.factor(theta, k)
    for directions in structure.null_directions(theta, k, 1e-8) if structure.invariance == "linear" else ():
        moved = structure.factor(structure.step_off(theta, k, 0.3 * directions[:, 0]), k)
        expected = factor @ factor.T + 0.09 * np.outer(directions[:, 0], directions[:, 0])
        np.testing.assert_allclose(moved @ moved.T, expected, atol=ROUND_TRIP)


@pytest.mark.parametrize("k", SIZES)
def test_a_factor_comes_back_from_its_parameters(structure: Covariance, k: int) -> None:
    factor = structure.factor(some_theta(structure, k), k)
    turned = factor @ np.linalg.qr(np.random.default_rng(k).normal(size=(k, k)))[0]
    for root in (factor, turned):
        values = structure.values(np.stack([root, 2 * root]))
        back = structure.factor_from(values, k, np)
        np.testing.assert_allclose(back @ np.swapaxes(back, 1, 2), np.multiply.outer([1, 4], factor @ factor.T))
        np.testing.assert_allclose(values.sds[1], 2 * values.sds[0])


@pytest.mark.parametrize("k", SIZES)
def test_the_real_line_comes_back_and_its_volume_is_that_of_differences(structure: Covariance, k: int) -> None:
    free = structure.parameters(k)
    real = 0.3 * np.random.default_rng(k).normal(size=sum(free.sizes))
    back = free.to_real(
        Values(*(part[0] if i == 0 else tuple(v[0] for v in part) for i, part in enumerate(free.from_real(real[None]))))
    )
    np.testing.assert_allclose(back, real, atol=ROUND_TRIP)
    for shape in free.shapes:
        at = 0.3 * np.random.default_rng(k).normal(size=shape.size)

        def numbers(at: np.ndarray, shape: Shape = shape) -> np.ndarray:
            stated = shape.stated(shape.from_real(at[None])[0])
            return np.array(list(shape.numbers(stated, [str(i) for i in range(k)]).values()))

        slopes = [(numbers(at + h) - numbers(at - h)) / 2e-6 for h in 1e-6 * np.eye(shape.size)]
        assert np.linalg.slogdet(slopes)[1] == pytest.approx(shape.log_volume(at[None])[0], abs=1e-6)


@pytest.mark.parametrize("k", SIZES)
def test_slopes_in_the_parameters_are_pulled_back(structure: Covariance, k: int) -> None:
    """Along the structure: what leaves it is no question of its parameters."""
    theta, free, rng = some_theta(structure, k), structure.parameters(k), np.random.default_rng(5)
    of_sds, of_shapes = rng.normal(size=len(free.sds)), [rng.normal(size=(k, k)) for _ in free.shapes]
    kept = [
        slope + slope.T if shape.support == CORRELATION else slope[0, 0]
        for slope, shape in zip(of_shapes, free.shapes, strict=True)
    ]

    def value(at: np.ndarray) -> float:
        values = structure.values(structure.factor(at, k))
        parts = [
            np.sum(slope * shape.stated(v)) for slope, shape, v in zip(kept, free.shapes, values.shapes, strict=True)
        ]
        return float(of_sds @ values.sds + sum(parts))

    pulled = structure.pulled(structure.factor(theta, k), Values(of_sds, tuple(kept)))
    numeric = [(value(theta + h) - value(theta - h)) / 2e-6 for h in 1e-6 * np.eye(len(theta))]
    np.testing.assert_allclose(structure.pullback(theta, k, pulled), numeric, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("k", SIZES)
def test_the_boundary_penalty_is_that_of_the_parameters_and_has_its_slope(structure: Covariance, k: int) -> None:
    theta = some_theta(structure, k)
    factor = structure.factor(theta, k)
    value, slope = structure.boundary_penalty(factor)
    free, values = structure.parameters(k), structure.values(factor)
    shapes = sum(shape.penalty(each)[0] for shape, each in zip(free.shapes, values.shapes, strict=True))
    assert value == pytest.approx(-3 * np.sum(np.log(values.sds)) + shapes)
    steps = 1e-6 * np.eye(len(theta))
    numeric = [
        np.diff([structure.boundary_penalty(structure.factor(theta + h, k))[0] for h in (-step, step)])[0] / 2e-6
        for step in steps
    ]
    np.testing.assert_allclose(structure.pullback(theta, k, slope), numeric, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("k", [2, 3])
def test_jax_gives_the_factor_that_numpy_gives(structure: Covariance, k: int) -> None:
    import jax.numpy as jnp

    with bm.x64():
        values = structure.values(structure.factor(some_theta(structure, k), k))
        np.testing.assert_allclose(structure.factor_from(values, k, jnp), structure.factor_from(values, k, np))


@pytest.mark.parametrize("k", [2, 3])
def test_the_structure_changes_along_its_tangents(structure: Covariance, k: int) -> None:
    theta = structure.start(np.ones(k))

    def covariance(at: np.ndarray) -> np.ndarray:
        factor = structure.factor(at, k)
        return factor @ factor.T

    numeric = [(covariance(theta + h) - covariance(theta - h)) / 2e-6 for h in 1e-6 * np.eye(len(theta))]
    np.testing.assert_allclose(structure.tangents(k), numeric, atol=1e-8)


@pytest.mark.parametrize(
    "method", ["ml", "reml", "map", bm.Laplace(draws=50), bm.NUTS(draws=20, tune=40, chains=1)], ids=str
)
def test_every_engine_takes_it_and_its_fit_comes_back_from_disk(
    structure: Covariance, method: Any, tmp_path: Path
) -> None:
    model = bm.Model(f"score ~ Machine + {structure.name}(0 + Machine | Worker)", bm.load_data("Machines"))
    fit = model.fit(method, seed=1)
    table = fit.varcorr()
    assert table["sd"].iloc[:3].between(1.0, 12.0).all() and len(table) == 4
    back = bm.load(fit.save(tmp_path / "fit.nc"))
    assert back.model.covariances == (structure,)
    np.testing.assert_allclose(back.parameters.covariance(0), fit.parameters.covariance(0), rtol=1e-10, atol=1e-12)
