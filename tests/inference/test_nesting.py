"""Which random and fixed parts are cases of which others, and the law of the likelihood ratio between them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from conftest import load_reference_frame

import bayesmixed as bm
from bayesmixed.inference.lrt.bars import Freed
from bayesmixed.inference.lrt.nested import Nesting, nesting

INSIDE, UNCLEAR = Freed(interior=True), "unclear"

# smaller, larger, what the larger frees: sds at zero by their covariances; None where it is no case
PAIRS: list[tuple[str, str, Any]] = [
    ("(1 | Worker)", "(1 | Worker / Machine)", Freed((0,))),
    ("(1 | cell)", "(1 | Worker / Machine)", Freed((0,))),
    ("(1 | Worker)", "(1 | W) + (1 | cell)", Freed((0,))),  # the same partition by other names
    ("(1 | Worker)", "(t | Worker)", Freed((1,))),
    ("(1 | Worker)", "(t || Worker)", Freed((0,))),
    ("(0 + t | Worker)", "(t || W)", Freed((0,))),
    ("(t || Worker)", "(t | W)", INSIDE),
    ("(t || Worker)", "(1 | Worker) + (0 + t | Worker) + (1 | cell)", Freed((0,))),
    ("(Machine | Worker)", "(Machine + t | Worker)", Freed((3,))),
    ("(0 + Machine | Worker)", "(Machine | Worker)", Freed()),
    ("(t | Worker)", "(I(t - 3) | Worker)", Freed()),
    ("(1 | Worker) + (0 + t | Worker)", "(t || Worker)", Freed()),
    ("(1 | Worker / Machine)", "(Machine | Worker)", INSIDE),
    ("(1 | cell)", "(0 + Machine | Worker)", INSIDE),
    ("cs(0 + Machine | Worker)", "(Machine | Worker)", INSIDE),
    ("homcs(0 + Machine | Worker)", "cs(0 + Machine | Worker)", INSIDE),
    ("diag(0 + Machine | Worker)", "cs(0 + Machine | Worker)", INSIDE),
    ("(1 | Worker)", "(1 | Worker) + (t | cell)", UNCLEAR),
    ("(t | Worker)", "(Machine + t | Worker)", UNCLEAR),
    ("1", "(t | Worker)", UNCLEAR),
    ("1", "cs(0 + Machine | Worker)", UNCLEAR),
    ("(1 | Worker)", "(1 | Machine)", None),
    ("(t || Worker)", "(I(t - 3) || Worker)", None),
    ("cs(0 + Machine | Worker)", "homcs(0 + Machine | Worker)", None),
    ("(1 | Worker)", "(0 + t | Worker)", None),
    ("t + (1 | Worker)", "Machine + (1 | Worker)", None),
    ("poly(t, 2) + (1 | Worker)", "t + I(t^2) + (1 | Worker)", Freed()),
    ("t + (1 | Worker)", "I(t + 2000) + I((t + 2000)^2) + (1 | Worker)", INSIDE),
    ("Machine + (1 | Worker)", "0 + Machine + (1 | Worker)", Freed()),
    ("offset(3 * t) + (1 | Worker)", "t + (1 | Worker)", INSIDE),
    ("(1 | Worker)", "offset(3 * t) + (1 | Worker)", None),
]


@cache
def model(right: str) -> Any:
    table = load_reference_frame("Machines")
    table["cell"] = table["Worker"].astype(str) + "." + table["Machine"].astype(str)
    table["W"] = (10 * table["Worker"].astype(int)).astype(str) + "#"
    table["t"] = np.arange(len(table)) % 3 - 1.0
    return bm.Model(f"score ~ {right}", table, check="warn")


@pytest.mark.parametrize(("small", "large", "freed"), PAIRS)
def test_a_smaller_model_is_found_in_a_larger_one(small: str, large: str, freed: Any) -> None:
    found = nesting(model(small), model(large))
    if freed is None:
        assert found.obstacle
    elif freed is UNCLEAR:
        assert found.holds
        assert not found.law(5).exact
    else:
        assert found.holds
        assert found.freed == freed
    if freed == Freed():
        assert nesting(model(large), model(small)).holds
    elif freed is not None:
        assert not nesting(model(large), model(small)).holds


def test_an_sd_together_with_a_fixed_effect_has_no_mixture() -> None:
    found = nesting(model("(1 | Worker)"), model("t + (1 | Worker / Machine)"))
    assert not found.law(2).exact
    assert not Nesting(Freed((0, 0))).law(2).exact


@pytest.mark.parametrize(("small", "large", "freed"), [pair for pair in PAIRS if isinstance(pair[2], Freed)])
def test_the_place_found_has_the_covariance_of_the_smaller_model(small: str, large: str, freed: Any) -> None:
    """Z Lambda Lambda' Z' is the same with the factors of the smaller model and with their roots in the larger."""
    rng = np.random.default_rng(1)
    one, other = model(small), model(large)
    factors = [
        structure.factor(structure.start(rng.uniform(0.5, 2, len(term.columns))), len(term.columns))
        for term, structure in zip(one.design.groups, one.covariances, strict=True)
    ]
    bars = nesting(one, other).bars
    roots = bars.embedded(factors, [len(term.columns) for term in other.design.groups])
    expected, found = (
        sum(
            ((term.Z @ F) @ (term.Z @ F).T * (term.codes[:, None] == term.codes) for term, F in pairs),
            np.zeros((one.n_obs, one.n_obs)),
        )
        for pairs in (
            zip(one.design.groups, factors, strict=True),
            zip(other.design.groups, roots, strict=True),
        )
    )
    np.testing.assert_allclose(found, expected, atol=1e-10)
