"""What a script cannot say is refused with what to add; what a user or a registry adds is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scripts import our_log_density, point

import bayesmixed as bm
from bayesmixed.covariance import STRUCTURES
from bayesmixed.covariance.compound_symmetry import CompoundSymmetry
from bayesmixed.families import FAMILIES, Family
from bayesmixed.families.gamma import Gamma
from bayesmixed.families.links import Log

SAME = 1e-9
SLEEP = bm.load_data("sleepstudy")


def weibull(mu: Any, shape: Any) -> Any:
    import jax.numpy as jnp
    import numpyro.distributions as dist
    from jax.scipy.special import gammaln

    return dist.Weibull(mu / jnp.exp(gammaln(1 + 1 / shape)), shape)


def model_of(make: Any) -> bm.Model:
    kind = bm.families.custom("weibull", make, dispersion=("shape",), support="positive numbers")
    priors = {"shape": bm.priors.HalfNormal(20)}
    return bm.Model("Reaction ~ Days + (1 | Subject)", SLEEP, family=kind, priors=priors)


def test_a_family_of_the_users_own_is_written_with_its_function() -> None:
    model = model_of(weibull)
    script = model.code()
    assert "def weibull(mu, shape:" in script.replace("mu: Any", "mu") or "def weibull(" in script
    found = point(script)
    assert found.log_density == pytest.approx(our_log_density(model, found.sites), rel=SAME)


OUTSIDE = 2.0


def leans_outside(mu: Any, shape: Any) -> Any:
    import numpyro.distributions as dist

    return dist.Weibull(mu * OUTSIDE, shape)


def test_a_function_that_needs_more_than_its_text_is_refused() -> None:
    with pytest.raises(bm.errors.ModelError, match="OUTSIDE.*import inside of it what it uses"):
        model_of(leans_outside).code()
    with pytest.raises(bm.errors.ModelError, match="Write it with def"):
        model_of(lambda mu, shape: weibull(mu, shape)).code()


def test_a_parameter_with_a_name_that_a_script_has_already_is_refused() -> None:
    def of_data(mu: Any, data: Any) -> Any:
        import numpyro.distributions as dist

        return dist.Gamma(data, data / mu)

    kind = bm.families.custom("of_data", of_data, dispersion=("data",), support="positive numbers")
    priors = {"data": bm.priors.HalfNormal(20)}
    with pytest.raises(bm.errors.ModelError, match="cannot call a parameter 'data'"):
        bm.Model("Reaction ~ Days", SLEEP, family=kind, priors=priors).code()


@dataclass(frozen=True)
class Silent(Gamma):
    name = "silent"
    link: Any = Log()
    written = Family.written


@dataclass(frozen=True)
class Wordless(CompoundSymmetry):
    written = bm.covariance.Covariance.written

    @property
    def name(self) -> str:  # type: ignore[override]
        return "wordless"


def test_a_family_or_a_structure_without_a_text_says_which_method_to_add(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, "silent", Silent)
    monkeypatch.setitem(STRUCTURES, "wordless", Wordless())
    with pytest.raises(bm.errors.ModelError, match="'silent' does not say .* method written"):
        bm.Model("Reaction ~ Days + (1 | Subject)", SLEEP, family="silent").code()
    table = SLEEP.assign(third=np.resize(list("abc"), len(SLEEP)))
    with pytest.raises(bm.errors.ModelError, match="'wordless' does not say .* method written"):
        bm.Model("Reaction ~ Days + wordless(0 + third | Subject)", table).code()


def test_a_prior_that_numpyro_alone_has_is_written_as_it_was_made() -> None:
    import numpyro.distributions as dist

    model = bm.Model("Reaction ~ Days", SLEEP, priors={"Days": dist.TruncatedNormal(0.0, 5.0, low=-1.0)})
    script = model.code()
    assert "dist.LeftTruncatedDistribution(dist.Normal(0.0, 5.0), -1.0)" in script
    found = point(script)
    assert found.log_density == pytest.approx(our_log_density(model, found.sites), rel=SAME)


def test_a_prior_whose_class_hides_its_numbers_is_refused() -> None:
    import numpyro.distributions as dist

    class Hidden(dist.Normal):
        def __init__(self, *, validate_args: Any = None) -> None:
            super().__init__(0.0, 3.0, validate_args=validate_args)

    with pytest.raises(bm.errors.ModelError, match="cannot be written as text"):
        bm.Model("Reaction ~ Days", SLEEP, priors={"Days": Hidden()}).code()
