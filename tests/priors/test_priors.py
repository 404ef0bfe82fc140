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
from bayesmixed.parameters.names import canonical
from bayesmixed.priors import (
    LKJ,
    Decov,
    Exponential,
    Flat,
    Gamma,
    HalfNormal,
    HalfStudentT,
    Normal,
    Priors,
    Uniform,
    resolve,
)

ALGEBRA = 1e-12  # the same formula in float64 twice
SLEEP = bm.load_data("sleepstudy")
Y, DAYS = SLEEP["Reaction"], SLEEP["Days"]


def priors(spec=None, formula="Reaction ~ Days + (Days | Subject)", data=SLEEP, **arguments) -> Priors:
    return bm.Model(formula, data, priors=spec, **arguments).priors


def test_default_priors_are_scaled_to_response_and_columns():
    found, s, s_x = priors(), Y.std(), DAYS.std()
    assert found["Intercept_centered"] == Normal(pytest.approx(Y.mean()), pytest.approx(2.5 * s))
    assert found["Days"] == Normal(0.0, pytest.approx(2.5 * s / s_x))
    shared = s / np.sqrt(2)  # two columns of one factor share its spread
    assert found["1|Subject_sigma"] == HalfNormal(pytest.approx(shared))
    assert found["Days|Subject_sigma"] == HalfNormal(pytest.approx(shared / s_x))
    assert found["Subject_corr"] == LKJ(2.0, 2)
    assert found["sigma"] == HalfStudentT(3.0, pytest.approx(s))
    assert list(found) == [
        "Intercept_centered", "Days", "1|Subject_sigma", "Days|Subject_sigma", "Subject_corr", "sigma"
    ]  # fmt: skip


def test_the_columns_of_all_bars_of_a_factor_share_its_spread():
    apart = priors(formula="Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)")
    assert apart["1|Subject_sigma"] == priors()["1|Subject_sigma"] and apart["1|Subject_sigma"] == HalfNormal(
        pytest.approx(Y.std() / np.sqrt(2))
    )
    crossed = priors(formula="Reaction ~ 1 + (1 | Subject) + (1 | Days)")
    assert crossed["1|Subject_sigma"] == HalfNormal(pytest.approx(Y.std()))


def test_the_cautious_preset_has_heavier_tails_at_the_same_scale():
    cautious = priors("cautious")
    assert cautious["1|Subject_sigma"] == HalfStudentT(3.0, pytest.approx(Y.std() / np.sqrt(2)))
    assert {n: p for n, p in cautious.items() if "|" not in n} == {n: p for n, p in priors().items() if "|" not in n}


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


def test_a_flat_prior_on_an_sd_is_flat_on_positive_numbers():
    assert priors({"sd": Flat()})["1|Subject_sigma"] == Flat("positive")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"Dayz": Normal()}, "Did you mean 'Days'.*knows: Intercept_centered, Intercept, Days"),
        ({"sd": Normal(0, 1)}, "cannot be negative.*HalfNormal"),
        ({"Subject_corr": LKJ(1.0, 3)}, "2 x 2 correlation matrix.*dimension 3"),
        ({"Subject_corr": Normal()}, "must be an LKJ"),
        ({"sigma": LKJ(1.0)}, "not a correlation matrix"),
        ({"sd": Gamma(1.0, [1.0, 1.0, 1.0])}, "3 elements"),
        ({"Subject_cov": Decov(), "Subject_sigma": HalfNormal()}, "one or the other"),
        ({"Subject_cov": Decov(), "Subject_corr": LKJ()}, "'Subject_cov' is the prior of all sds.*'Subject_corr'"),
        ({"cov": Decov(), "sd": HalfNormal()}, "one or the other"),
        ({"Subject_cov": HalfNormal()}, "one of a whole block, such as bm.priors.Decov"),
        ({"1|Subject_sigma": Decov()}, "not a prior of a single number, .*'_cov'"),
        ({"Subject_corr": Decov()}, "must be an LKJ"),
        ({"Days": Normal(0, -1)}, "scale must be positive, not -1"),
        ({"sd": Exponential(np.nan)}, "rate must be finite"),
        ({"sd": Uniform(3, 1)}, "low must be below high"),
        ({"corr": LKJ(0.0)}, "concentration must be positive"),
        ({"cov": Decov(scale=0)}, "scale must be positive"),
        ({"cov": Decov(shape=[1, 2])}, "one number for each"),
        ({"sigma": Normal}, "Give a numpyro"),
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


def test_improper_priors_are_named():
    assert priors("brms").improper == ["Days"]
    assert priors({"sigma": Flat("positive")}).improper == ["sigma"]
    assert not priors("rstanarm").improper


def test_a_prior_of_a_block_stands_for_its_sds_and_correlation():
    found = priors({"Subject_cov": Decov(shape=2.0), "Days": Normal(0, 9)})
    assert list(found) == ["Intercept_centered", "Days", "Subject_cov", "sigma"]
    assert found["Subject_cov"] == Decov(shape=2.0) and found.sources["Subject_cov"] == "user"
    assert priors({"cov": Decov()})["Subject_cov"] == Decov()


def test_of_a_prior_of_blocks_and_one_of_sds_the_more_specific_wins():
    pastes = bm.load_data("Pastes")
    nested = "strength ~ 1 + (1 | batch/cask)"
    found = priors({"cov": Decov(), "1|batch_sigma": HalfNormal(2.0)}, nested, pastes)
    assert found["1|batch_sigma"] == HalfNormal(2.0) and found["batch:cask_cov"] == Decov()
    found = priors({"sd": HalfNormal(1.0), "cask:batch_cov": Decov()}, nested, pastes)
    assert found["1|batch_sigma"] == HalfNormal(1.0) and found["batch:cask_cov"] == Decov()


def test_every_bar_of_a_factor_has_a_block_of_its_own():
    bars = "Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)"
    both = priors({"Subject_cov": Decov()}, bars)
    assert {"Subject_cov", "Subject#2_cov"} <= set(both)
    second = priors({"Subject#2_cov": Decov()}, bars)
    assert {"1|Subject_sigma", "Subject#2_cov"} <= set(second) and "Days|Subject_sigma" not in second


def test_a_column_may_be_called_as_a_wider_name():
    data = SLEEP.assign(cov=np.sin(DAYS), sd=np.cos(DAYS), b=np.cos(2 * DAYS))
    found = priors({"cov": Normal(0, 3)}, "Reaction ~ cov + sd + b + (1 | Subject)", data)
    assert found["cov"] == Normal(0, 3) and found.sources["1|Subject_sigma"] == "default"
    found = priors({"b": Normal(0, 4)}, "Reaction ~ cov + sd + b + (1 | Subject)", data)
    assert found["b"] == Normal(0, 4) and found.sources["cov"] == "default"


def test_a_stored_fit_keeps_the_prior_of_a_block(tmp_path):
    fit = bm.Model("Reaction ~ Days + (Days | Subject)", SLEEP, priors="rstanarm").fit("ml")
    loaded = bm.load(fit.save(tmp_path / "fit.nc"))
    assert dict(loaded.model.priors) == dict(fit.model.priors)
    assert loaded.model.priors.sources == fit.model.priors.sources


def test_boundary_avoiding_preset_is_a_gamma_scaled_to_the_data():
    found = priors("boundary_avoiding")
    assert found["1|Subject_sigma"] == Gamma(2.5, pytest.approx(1.5 / Y.std()))


def test_numpyro_distributions_keep_float64_numbers():
    import jax.numpy as jnp
    import numpyro.distributions as dist

    found = priors({"b": dist.Normal(0, jnp.array(0.1)), "sd": dist.FoldedDistribution(dist.StudentT(3, 0, 5.0))})
    assert found["Days"] == Normal(0.0, 0.1)
    assert found["1|Subject_sigma"] == HalfStudentT(3.0, 5.0)


def test_improper_numpyro_distributions_are_flat_and_others_without_a_density_refused():
    import numpyro.distributions as dist

    real, positive = (dist.ImproperUniform(c, (), ()) for c in (dist.constraints.real, dist.constraints.positive))
    found = priors({"Days": real, "sigma": positive})
    assert found["Days"] == Flat() and found["sigma"] == Flat("positive")
    for wrong, words in ((dist.Poisson(3.0), "takes a density"), (dist.Delta(3.0), "constants=")):
        with pytest.raises(ModelError, match=words):
            priors({"sigma": wrong})
    with pytest.raises(ModelError, match="Give a numpyro"):
        priors({"sigma": dist.HalfNormal})


def test_chains_start_inside_a_bounded_prior():
    """The point fit finds 43 for the sd and a falling slope; the priors allow neither."""
    from bayesmixed.engines.sampler.chain_start import site_values, start_from

    data = SLEEP.assign(Reaction=-Y)
    given = {"Days": HalfNormal(3.0), "1|Subject_sigma": Uniform(1.0, 10.0)}
    model = bm.Model("Reaction ~ Days + (1 | Subject)", data, priors=given)
    program = model.program()
    values = site_values(start_from(model.fit("ml"), model), program.function, program.data)
    assert values["b"] == HalfNormal(3.0).quantile(0.05)
    assert values["Subject_sigma"] == pytest.approx(Uniform(1.0, 10.0).quantile(0.95))
    assert values["sigma"] > 20


def test_a_numpyro_distribution_without_counterpart_is_rebuilt_in_float64():
    import numpyro.distributions as dist

    found = priors({"Days": dist.Gumbel(0.1, 3.0), "sigma": dist.TruncatedNormal(3.0, 1.0, low=0.0)})
    assert found["Days"].describe() == "Gumbel(loc=0.1, scale=3)"
    with bm.x64():
        value = float(found["Days"].numpyro().log_prob(0.7))
    assert value == pytest.approx(stats.gumbel_r(0.1, 3.0).logpdf(0.7), rel=ALGEBRA)


def test_constants_have_no_prior():
    design, family = (model := bm.Model("Reaction ~ Days + (1 | Subject)", SLEEP)).design, model.family
    assert "sigma" not in resolve(None, design, family, model.covariances, {"sigma": 1.0})
    with pytest.raises(ModelError, match="held constant"):
        resolve({"sigma": HalfNormal(1.0)}, design, family, model.covariances, {"sigma": 1.0})


def test_printing_priors_needs_no_jax():
    code = (
        "import sys, bayesmixed as bm\n"
        "sleep = bm.load_data('sleepstudy')\n"
        "m = bm.Model('Reaction ~ Days + (Days | Subject)', sleep, priors={'b': bm.priors.Normal()})\n"
        "table = m.priors.table()\n"
        "assert list(table.columns) == ['parameter', 'prior', 'source'] and len(table) == 6\n"
        "for preset in bm.priors.PRESETS:\n"
        "    model = bm.Model('Reaction ~ Days + (Days | Subject)', sleep, priors=preset)\n"
        "    str(model), str(model.prior_summary()), model._repr_html_()\n"
        "assert 'jax' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
