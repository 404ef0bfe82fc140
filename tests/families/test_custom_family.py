"""Families of the user's own: a NumPyro distribution in, the same answers as a built-in family out."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.errors import DataError, FitError, ModelError
from bayesmixed.families import Observed, family
from bayesmixed.families.numeric.arrays import jax_arrays

SAME = 1e-5  # NumPyro writes negative binomials by a log Beta that is right to six digits
ETA = np.linspace(-1.5, 2.0, 12)


def overdispersed(mu: Any, alpha: Any) -> Any:
    import numpyro.distributions as dist

    return dist.NegativeBinomial2(mu, alpha)


def shapely(mu: Any, alpha: Any) -> Any:
    import numpyro.distributions as dist

    return dist.Gamma(alpha, alpha / mu)


def of_ten(mu: Any, alpha: Any) -> Any:
    import numpyro.distributions as dist

    return dist.BetaBinomial(mu * alpha, (1 - mu) * alpha, 10)


def twin(name: str) -> bm.families.Family:
    counts = name == "negbinomial"
    make = overdispersed if counts else shapely
    return bm.families.custom(f"my_{name}", make, dispersion=("alpha",), discrete=counts, support="what it takes")


@pytest.mark.parametrize("name", ["negbinomial", "gamma"])
def test_derivatives_are_those_of_the_built_in_family(name):
    built_in, own, d = family(name), twin(name), {"alpha": 1.7}
    y = built_in.draw(np.random.default_rng(1), np.exp(ETA), d, None, None)
    for weights in (None, np.linspace(0.5, 2.0, 12)):
        seen = Observed(y, weights)
        for order in range(4):
            ours, theirs = (kind.derivatives(seen, ETA, d, order) for kind in (built_in, own))
            for part in ("g", "V", "dV")[:order]:
                np.testing.assert_allclose(getattr(theirs, part), getattr(ours, part), rtol=SAME, atol=SAME)
            assert set(ours.others) == set(theirs.others)
            for names, mine in ours.others.items():
                np.testing.assert_allclose(theirs.others[names], mine, rtol=SAME, atol=SAME)
        np.testing.assert_allclose(
            own.log_density(seen, ETA, d), built_in.log_density(seen, ETA, d), rtol=1e-6, atol=1e-6
        )


def test_it_works_inside_jax_too():
    own, d = twin("gamma"), {"alpha": 1.7}
    y = np.exp(ETA) + 0.1
    with bm.x64():
        inside = own.derivatives(Observed(y), ETA, d, 3, jax_arrays())
    outside = own.derivatives(Observed(y), ETA, d, 3)
    np.testing.assert_allclose(np.asarray(inside.dV), outside.dV, rtol=SAME)


def test_draws_moments_and_distribution_function_are_the_distributions():
    own, mu, d = twin("gamma"), np.full(20_000, 1.3), {"alpha": 2.0}
    y = own.draw(np.random.default_rng(1), mu, d, None, None)
    assert y.mean() == pytest.approx(1.3, abs=0.03)
    np.testing.assert_allclose(own.mean(mu, d), 1.3)
    np.testing.assert_allclose(own.sd(mu, d), family("gamma").sd(mu, d))
    np.testing.assert_allclose(own.cdf(y, mu, d, None, None), family("gamma").cdf(y, mu, d, None, None), rtol=1e-6)
    without = bm.families.custom("without", of_ten, dispersion=("alpha",), link="logit", discrete=True)
    with pytest.raises(FitError, match=r'residuals\("response"\)'):
        without.cdf(np.ones(2), np.full(2, 0.5), d, None, None)


def test_a_model_with_it_fits_and_predicts_as_with_the_built_in_family(tmp_path):
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat(np.arange(8), 10), "x": np.tile(np.arange(10) / 10, 8)})
    data["y"] = rng.negative_binomial(3, 3 / (3 + np.exp(1 + data["x"] + 0.5 * rng.standard_normal(8)[data["g"]])))
    built_in, own = (
        bm.Model("y ~ x + (1 | g)", data, family=kind).fit("ml") for kind in ("negbinomial", twin("negbinomial"))
    )
    assert own.loglik == pytest.approx(built_in.loglik, abs=1e-4)
    np.testing.assert_allclose(own.fitted(), built_in.fitted(), rtol=1e-3)
    path = own.save(tmp_path / "own.nc")
    with pytest.raises(DataError, match="'my_negbinomial'.*family="):
        bm.load(path)
    again = bm.load(path, family=twin("negbinomial"))
    np.testing.assert_allclose(again.predict(data.head(3))["estimate"], own.predict(data.head(3))["estimate"])


def test_responses_outside_the_distributions_support_are_named():
    with pytest.raises(DataError, match="'y' is -1 in row 1.*what it takes"):
        twin("gamma").check(Observed(np.array([1.0, -1.0])), "y")


def test_equal_definitions_are_equal_and_travel_to_other_processes():
    assert twin("gamma") == twin("gamma") and hash(twin("gamma")) == hash(twin("gamma"))
    assert pickle.loads(pickle.dumps(twin("gamma"))) == twin("gamma")
    assert family(twin("gamma"), "identity").link.name == "identity"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("poisson", shapely), "built in"),
        (("mine", "gamma"), "function of mu"),
        (("mine", shapely, "alpha"), "tuple of names"),
    ],
)
def test_wrong_definitions_say_what_to_write(arguments, words):
    name, make, *rest = arguments
    with pytest.raises(ModelError, match=words):
        bm.families.custom(name, make, **({"dispersion": rest[0]} if rest else {}))
