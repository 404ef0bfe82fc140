"""Priors: the default table, overrides by name, presets, and what is refused."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmixed as bm
from bayesmixed.errors import ModelError
from bayesmixed.priors import LKJ, Exponential, Flat, Gamma, HalfNormal, HalfStudentT, Normal, Priors, StudentT, resolve
from bayesmixed.priors.names import canonical

ALGEBRA = 1e-12  # the same formula in float64 twice
SLEEP = bm.load_data("sleepstudy")
Y, DAYS = SLEEP["Reaction"], SLEEP["Days"]


def priors(spec=None, formula="Reaction ~ Days + (Days | Subject)", data=SLEEP, **arguments) -> Priors:
    return bm.Model(formula, data, priors=spec, **arguments).priors


def test_default_priors_are_scaled_to_response_and_columns():
    found, s, s_x = priors(), Y.std(), DAYS.std()
    assert found["Intercept_centered"] == Normal(pytest.approx(Y.mean()), pytest.approx(2.5 * s))
    assert found["Days"] == Normal(0.0, pytest.approx(2.5 * s / s_x))
    assert found["1|Subject_sigma"] == HalfStudentT(3.0, pytest.approx(s))
    assert found["Days|Subject_sigma"] == HalfStudentT(3.0, pytest.approx(s / s_x))
    assert found["Subject_corr"] == LKJ(2.0, 2)
    assert found["sigma"] == HalfStudentT(3.0, pytest.approx(s))
    assert list(found) == [
        "Intercept_centered", "Days", "1|Subject_sigma", "Days|Subject_sigma", "Subject_corr", "sigma"
    ]  # fmt: skip


def test_scale_equivariance_of_the_default():
    tenfold = SLEEP.assign(Reaction=10 * Y, Days=100 * DAYS)
    once, scaled = priors(), priors(data=tenfold)
    assert scaled["sigma"].scale == pytest.approx(10 * once["sigma"].scale, rel=ALGEBRA)
    assert scaled["Days"].scale == pytest.approx(once["Days"].scale / 10, rel=ALGEBRA)
    assert scaled["Days|Subject_sigma"].scale == pytest.approx(once["Days|Subject_sigma"].scale / 10, rel=ALGEBRA)


def test_a_column_of_two_values_is_scaled_by_its_range():
    data = SLEEP.assign(late=np.where(DAYS > 5, 3.0, 1.0))
    found = priors(formula="Reaction ~ late + (1 | Subject)", data=data)
    assert found["late"].scale == pytest.approx(2.5 * Y.std() / 2)


def test_columns_that_span_the_constant_are_centred_on_the_response():
    data = SLEEP.assign(half=np.where(DAYS > 4, "b", "a"))
    found = priors(formula="Reaction ~ 0 + half + Days + (1 | Subject)", data=data)
    assert "Intercept_centered" not in found
    assert found["half[a]"].loc == found["half[b]"].loc == pytest.approx(Y.mean())
    assert found["Days"].loc == 0.0


def test_offset_moves_the_location():
    found = priors(formula="Reaction ~ Days + offset(10 * Days) + (1 | Subject)")
    assert found["Intercept_centered"].loc == pytest.approx((Y - 10 * DAYS).mean())
    assert found["sigma"].scale == pytest.approx((Y - 10 * DAYS).std())


def test_rows_of_weight_zero_do_not_shape_priors():
    weights = np.where(DAYS < 9, 1.0, 0.0)
    found = priors(formula="Reaction ~ Days + (1 | Subject)", weights=weights)
    assert found["sigma"].scale == pytest.approx(Y[DAYS < 9].std())


def test_the_more_specific_name_wins_whatever_the_order():
    for order in (1, -1):
        given = {"sd": Exponential(1.0), "Subject_sigma": Exponential(2.0), "Days|Subject_sigma": Exponential(3.0)}
        found = priors(dict(list(given.items())[::order]))
        assert found["Days|Subject_sigma"] == Exponential(3.0)
        assert found["1|Subject_sigma"] == Exponential(2.0)
    found = priors({"b": Normal(0, 20), "corr": LKJ(1.0)})
    assert found["Days"] == Normal(0, 20)
    assert found["Subject_corr"] == LKJ(1.0, 2)
    assert found.sources["Days"] == "user" and found.sources["sigma"] == "default"


def test_a_vector_prior_has_an_element_per_coefficient():
    data = SLEEP.assign(third=pd.cut(DAYS, 3, labels=["a", "b", "c"]).astype(str))
    found = priors({"third": Normal(0, [1.0, 2.0])}, "Reaction ~ third + (1 | Subject)", data)
    assert (found["third[b]"], found["third[c]"]) == (Normal(0, 1), Normal(0, 2))
    with pytest.raises(ModelError, match="3 elements and 'third' has 2"):
        priors({"third": Normal(0, [1.0, 2.0, 3.0])}, "Reaction ~ third + (1 | Subject)", data)


def test_raw_intercept_replaces_the_centred_one_and_both_are_refused():
    found = priors({"Intercept": Normal(250, 10)})
    assert "Intercept_centered" not in found and found["Intercept"] == Normal(250, 10)
    with pytest.raises(ModelError, match="not for both"):
        priors({"Intercept": Normal(250, 10), "Intercept_centered": Normal(300, 10)})


def test_interactions_are_found_in_any_order():
    assert canonical("1|cask:batch_sigma") == canonical("1|batch:cask_sigma")
    pastes = bm.load_data("Pastes")
    found = priors({"1|cask:batch_sigma": HalfNormal(2.0)}, "strength ~ 1 + (1 | batch/cask)", pastes)
    assert found["1|batch:cask_sigma"] == HalfNormal(2.0)


def test_second_bar_on_a_factor_shares_plain_names_until_they_collide():
    apart = priors(formula="Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)")
    assert {"1|Subject_sigma", "Days|Subject_sigma"} <= set(apart)
    data = SLEEP.assign(late=(DAYS > 5).astype(float))
    colliding = priors(formula="Reaction ~ Days + (Days | Subject) + (late | Subject)", data=data)
    assert {"1|Subject_sigma", "1|Subject#2_sigma", "late|Subject#2_sigma", "Subject#2_corr"} <= set(colliding)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"Dayz": Normal()}, "Did you mean 'Days'.*knows: Intercept_centered, Intercept, Days"),
        ({"sd": Normal(0, 1)}, "cannot be negative.*HalfNormal"),
        ({"Subject_corr": LKJ(1.0, 3)}, "2 x 2 correlation matrix.*dimension 3"),
        ({"Subject_corr": Normal()}, "must be an LKJ"),
        ({"sigma": LKJ(1.0)}, "no correlation matrix"),
        ({"sd": Gamma(1.0, [1.0, 1.0, 1.0])}, "3 elements"),
        ({"sigma": 3}, "Give a numpyro distribution"),
        ("brm", "Did you mean 'brms'"),
        (3, "preset's name, a dict"),
    ],
)
def test_wrong_priors_are_refused_with_the_way_out(spec, words):
    with pytest.raises(ModelError, match=words):
        priors(spec)


def test_a_function_is_a_preset():
    def mine(design, family):
        return Priors.of({**bm.priors.PRESETS["default"](design, family), "sigma": Exponential(0.1)}, "mine")

    assert priors(mine)["sigma"] == Exponential(0.1)
    with pytest.raises(ModelError, match="lack 'Days'"):
        priors(lambda design, family: Priors.of({"Intercept_centered": Normal()}, "short"))


def test_brms_preset_has_the_numbers_brms_prints():
    found = priors("brms")
    assert found["Intercept_centered"] == StudentT(3.0, 288.7, 59.3)
    assert found["1|Subject_sigma"] == found["Days|Subject_sigma"] == found["sigma"] == HalfStudentT(3.0, 59.3)
    assert found["Days"] == Flat() and found["Subject_corr"] == LKJ(1.0, 2)
    assert found.improper == ["Days"]


def test_boundary_avoiding_preset_is_a_gamma_scaled_to_the_data():
    found = priors("boundary_avoiding")
    assert found["1|Subject_sigma"] == Gamma(2.5, pytest.approx(1.5 / Y.std()))


def test_numpyro_distributions_keep_float64_numbers():
    import jax.numpy as jnp
    import numpyro.distributions as dist

    found = priors({"b": dist.Normal(0, jnp.array(0.1)), "sd": dist.FoldedDistribution(dist.StudentT(3, 0, 5.0))})
    assert found["Days"] == Normal(0.0, 0.1)
    assert found["1|Subject_sigma"] == HalfStudentT(3.0, 5.0)


def test_a_numpyro_distribution_without_counterpart_is_rebuilt_in_float64():
    import numpyro.distributions as dist

    found = priors({"Days": dist.Gumbel(0.1, 3.0), "sigma": dist.TruncatedNormal(3.0, 1.0, low=0.0)})
    assert found["Days"].describe() == "Gumbel(loc=0.1, scale=3)"
    with bm.x64():
        value = float(found["Days"].numpyro().log_prob(0.7))
    assert value == pytest.approx(stats.gumbel_r(0.1, 3.0).logpdf(0.7), rel=ALGEBRA)


@pytest.mark.parametrize(
    ("prior", "scipy"),
    [
        (Normal(1.0, 2.0), stats.norm(1.0, 2.0)),
        (StudentT(3.0, 1.0, 2.0), stats.t(3.0, 1.0, 2.0)),
        (HalfNormal(2.0), stats.halfnorm(scale=2.0)),
        (HalfStudentT(3.0, 2.0), stats.foldnorm(0)),
        (Exponential(0.5), stats.expon(scale=2.0)),
        (Gamma(2.5, 1.5), stats.gamma(2.5, scale=1 / 1.5)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_densities_equal_scipy(prior, scipy):
    with bm.x64():
        value = float(prior.numpyro().log_prob(0.7))
    # scipy has no half t: twice the density of the t.
    expected = np.log(2) + stats.t(3.0, 0, 2.0).logpdf(0.7) if type(prior) is HalfStudentT else scipy.logpdf(0.7)
    assert value == pytest.approx(expected, rel=1e-10)


def test_constants_have_no_prior():
    design, family = (model := bm.Model("Reaction ~ Days + (1 | Subject)", SLEEP)).design, model.family
    assert "sigma" not in resolve(None, design, family, model.covariances, {"sigma": 1.0})
    with pytest.raises(ModelError, match="held constant"):
        resolve({"sigma": HalfNormal(1.0)}, design, family, model.covariances, {"sigma": 1.0})


def test_the_table_of_priors_needs_no_jax():
    code = (
        "import sys, bayesmixed as bm\n"
        "sleep = bm.load_data('sleepstudy')\n"
        "m = bm.Model('Reaction ~ Days + (Days | Subject)', sleep, priors={'b': bm.priors.Normal()})\n"
        "table = m.priors.table()\n"
        "assert list(table.columns) == ['parameter', 'prior', 'source'] and len(table) == 6\n"
        "assert 'jax' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
