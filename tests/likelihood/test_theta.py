"""The layout of theta: its two forms, its order, and what each element moves."""

from __future__ import annotations

import numpy as np
import pytest

import bayesmixed as bm
from bayesmixed.likelihood.at import laplace_of, likelihood_of
from bayesmixed.likelihood.working.theta import Theta

EXACT = 1e-12  # algebraic identities of small factors

MODELS = {
    "linear": ("strength ~ 1 + (1 | batch) + (1 | cask:batch)", "Pastes", "gaussian"),
    "slopes": ("Reaction ~ Days + (Days | Subject)", "sleepstudy", "gaussian"),
    "two bars of one factor": ("Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)", "sleepstudy", "gaussian"),
    "diagonal": ("Reaction ~ Days + (Days || Subject)", "sleepstudy", "gaussian"),
    "counts": ("Reaction ~ Days + (Days | Subject)", "sleepstudy", "poisson"),
}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> bm.Model:
    formula, name, family = MODELS[request.param]
    data = bm.load_data(name)
    if family == "poisson":
        data = data.assign(Reaction=data["Reaction"].round())
    return bm.Model(formula, data, family=family)


def theta_of(model: bm.Model) -> Theta:
    return (likelihood_of(model) if model.has_scale else laplace_of(model)).theta


def point(theta: Theta) -> np.ndarray:
    """A theta inside its space, from roots of any covariances."""
    rng = np.random.default_rng(5)
    return theta.of_factors([rng.normal(size=(len(C), len(C))) for C in theta.bases])


def test_the_reported_theta_is_that_of_the_factors_in_the_users_columns(model: bm.Model) -> None:
    theta = theta_of(model)
    x = point(theta)
    for ours, typed in zip(theta.factors(theta.reported(x)), theta.typed(x), strict=True):
        np.testing.assert_allclose(ours @ ours.T, typed @ typed.T, rtol=EXACT)


def test_the_working_theta_of_a_reported_one_reports_it_again(model: bm.Model) -> None:
    theta = theta_of(model)
    x = point(theta)
    np.testing.assert_allclose(theta.working(theta.reported(x)), x, rtol=1e-10)


def test_parts_are_joined_to_what_was_split_and_every_element_is_on_some_edge(model: bm.Model) -> None:
    theta = theta_of(model)
    x = point(theta)
    assert theta.joined(theta.split(x)).tolist() == x.tolist()
    assert sorted(i for group in theta.edges(x) for i in group[0].positions) == list(range(theta.size))
    assert theta.on_bound(np.zeros_like(x)).size == theta.size


def test_terms_are_listed_by_decreasing_number_of_levels() -> None:
    theta = theta_of(bm.Model("strength ~ 1 + (1 | batch) + (1 | cask:batch)", bm.load_data("Pastes")))
    assert theta.order == (1, 0)


def test_what_stands_behind_theta_in_x_changes_nothing(model: bm.Model) -> None:
    theta = theta_of(model)
    x = point(theta)
    longer = np.append(x, [3.0, -2.0])
    assert theta.reported(longer).tolist() == theta.reported(x).tolist()
    moved = theta.replaced(longer, 0, np.eye(theta.k(0)))
    assert moved[theta.size :].tolist() == [3.0, -2.0]


def test_slopes_in_theta_are_those_of_differences(model: bm.Model) -> None:
    theta = theta_of(model)
    blocks = (likelihood_of(model) if model.has_scale else laplace_of(model).rows).blocks
    x, rng = point(theta), np.random.default_rng(6)
    slopes = [rng.normal(size=(block.k, block.k)) for block in blocks]

    def linear(x: np.ndarray) -> float:
        return sum(
            float(np.sum(theta.block_factor(x, block) * slope)) for block, slope in zip(blocks, slopes, strict=True)
        )

    differences = [linear(x + e) - linear(x) for e in np.eye(theta.size)]  # Lambda is linear in theta here
    np.testing.assert_allclose(theta.pull_back(x, blocks, slopes), differences, rtol=1e-9, atol=1e-9)
