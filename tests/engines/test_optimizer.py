"""What searches: a name, or a value with one method and its own stopping rule."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bayesmixed as bm
from bayesmixed.engines.search.gradient_methods import BFGS, TNC
from bayesmixed.engines.search.optimizer import Optimizer, Optimum, ValueAndGradient
from bayesmixed.engines.search.optimizers import OPTIMIZERS, optimizer_of

FOUND = 1e-4  # of a coordinate near 1, where the predicted decrease is below 1e-8
SAME = 1e-6  # of a log-likelihood


def valley(x: np.ndarray) -> tuple[float, np.ndarray]:
    """Rosenbrock's, with its minimum at (1, 1), and undefined far out."""
    if np.max(np.abs(x)) > 1e3:
        raise np.linalg.LinAlgError("too far")
    a, b = 1 - x[0], x[1] - x[0] ** 2
    return float(a**2 + 100 * b**2), np.array([-2 * a - 400 * x[0] * b, 200 * b])


def model() -> bm.Model:
    return bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_ends_at_the_minimum_of_a_valley(name: str) -> None:
    found = OPTIMIZERS[name]().minimise(valley, np.array([-1.2, 1.0]))
    assert found.converged
    np.testing.assert_allclose(found.x, 1.0, atol=FOUND)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_function_of_nothing_has_its_minimum_at_once(name: str) -> None:
    found = OPTIMIZERS[name]().minimise(lambda x: (3.0, x), np.zeros(0))
    assert found.value == 3.0 and found.converged and found.evaluations == 1


def test_a_name_and_the_value_of_that_name_give_the_same_fit() -> None:
    named, valued = (model().fit(bm.ML(optimizer=given)) for given in ("TNC", TNC()))
    assert named.loglik == valued.loglik and named.theta.tolist() == valued.theta.tolist()


def test_the_limit_of_the_engine_replaces_that_of_the_value() -> None:
    assert optimizer_of(BFGS(7)).maxiter == 7
    assert optimizer_of(BFGS(7), 3) == BFGS(3)
    assert optimizer_of(None) == BFGS()


@dataclass(frozen=True)
class Polished(Optimizer):
    """TNC taken further by BFGS."""

    name = "polished"

    def minimise(self, function: ValueAndGradient, start: np.ndarray, metric: np.ndarray | None = None) -> Optimum:
        return BFGS().minimise(function, TNC(5).minimise(function, start, metric).x, metric)


@pytest.mark.parametrize("engine", [bm.ML, bm.REML, bm.MAP])
def test_an_optimizer_of_ones_own_is_used(engine: Any) -> None:
    ours, usual = model().fit(engine(optimizer=Polished())), model().fit(engine())
    assert ours.status.converged and ours.loglik == pytest.approx(usual.loglik, abs=SAME)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("bfgs", "Unknown optimizer 'bfgs'. Did you mean 'BFGS'"),
        ("bobyqa", "which that method would not use. Known: "),
        (3, "'Nelder-Mead', 'COBYQA', or an optimizer's value, not 3."),
        ("nelder-mead", "Did you mean 'Nelder-Mead'"),
        (BFGS, "Write BFGS()."),
    ],
)
@pytest.mark.parametrize("engine", [bm.ML, bm.REML, bm.MAP])
def test_what_is_no_optimizer_is_refused_with_what_to_type(engine: Any, given: Any, said: str) -> None:
    with pytest.raises(bm.errors.FitError, match=said.replace(".", r"\.").replace("(", r"\(").replace(")", r"\)")):
        model().fit(engine(optimizer=given))


def test_an_optimizer_is_saved_with_its_fit(tmp_path: Path) -> None:
    fit = model().fit(bm.ML(optimizer=TNC(500)))
    assert bm.load(fit.save(tmp_path / "fit.nc")).engine == fit.engine
