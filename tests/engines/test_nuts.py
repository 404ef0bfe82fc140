"""NUTS: the posterior of a reference, reproducibility, what is refused, and what its status says."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

import bayesmixed as bm
from bayesmixed.engines.sampler import chains as driver
from bayesmixed.engines.sampler import kernel as programs
from bayesmixed.engines.sampler.chain_start import inner_factor, site_scales, site_values, start_from
from bayesmixed.engines.sampler.diagnostics import draws_status
from bayesmixed.errors import FitError, ModelError
from bayesmixed.fits.convergence import convergence
from bayesmixed.interop.naming import posterior_dataset, sample_stats_dataset
from bayesmixed.priors import LKJ, HalfStudentT, Normal, StudentT

MONTE_CARLO = 4.0  # standard errors: one in 16,000 by chance, seeds are fixed
SLEEP = bm.load_data("sleepstudy")
QUICK = bm.NUTS(draws=100, chains=2, tune=200)
BRMS = {
    "Intercept_centered": StudentT(3, 288.7, 59.3),
    "b": Normal(0, 20),
    "sd": HalfStudentT(3, 59.3),
    "Subject_corr": LKJ(1.0),
    "sigma": HalfStudentT(3, 59.3),
}


@pytest.fixture(scope="module")
def sleep_fit():
    return bm.Model("Reaction ~ Days + (Days | Subject)", SLEEP, priors=BRMS).fit("nuts", seed=1, progress=False)


@pytest.fixture(scope="module")
def small_model():
    return bm.Model("Reaction ~ Days + (1 | Subject)", SLEEP)


def _draws(fit, variable: str) -> np.ndarray:
    p = fit.idata.posterior
    return {
        "b_Intercept": p["Intercept"],
        "b_Days": p["Days"],
        "sd_Subject__Intercept": p["1|Subject_sigma"],
        "sd_Subject__Days": p["Days|Subject_sigma"],
        "cor_Subject__Intercept__Days": p["Subject_corr"].sel(Subject_effect="Intercept", Subject_effect_bis="Days"),
        "sigma": p["sigma"],
        "r_Subject[308,Intercept]": p["1|Subject"].isel(Subject__factor_dim=0),
        "r_Subject[308,Days]": p["Days|Subject"].isel(Subject__factor_dim=0),
        "r_Subject[372,Intercept]": p["1|Subject"].isel(Subject__factor_dim=17),
    }[variable].to_numpy()


def test_posterior_of_sleepstudy_agrees_with_brms(sleep_fit, reference):
    summary = reference.result("bayes_brms_sleepstudy")["fits"][0]["summary"]
    for i, variable in enumerate(summary["variable"]):
        draws = _draws(sleep_fit, variable)
        ess = convergence(draws).ess_bulk
        error = np.hypot(draws.std() / np.sqrt(ess), summary["mcse_mean"][i])
        assert abs(draws.mean() - summary["mean"][i]) < MONTE_CARLO * error, variable
        # The sd of a kurtosis-3 sample has about this error; level effects have heavier tails, hence the tail size.
        tail = min(ess, convergence(draws).ess_tail)
        error = np.hypot(draws.std() / np.sqrt(2 * tail), summary["mcse_sd"][i])
        assert abs(draws.std() - summary["sd"][i]) < MONTE_CARLO * error, variable


def test_status_of_a_good_fit(sleep_fit):
    status = sleep_fit.status
    assert status.route == "collapsed, full (tail of 0 columns, 1 coefficient sampled)"
    assert status.max_rhat < 1.01 and status.min_ess_bulk > 400 and status.min_bfmi > 0.5
    assert status.divergences <= 4  # 1 in 1,000


def test_same_seed_same_draws_whatever_the_workers(small_model):
    one = small_model.fit(QUICK, seed=7)
    two = small_model.fit(bm.NUTS(draws=100, chains=2, tune=200, chain_method="sequential"), seed=7)
    other = small_model.fit(QUICK, seed=8)
    assert np.array_equal(one.parameters.beta, two.parameters.beta)
    assert not np.array_equal(one.parameters.beta, other.parameters.beta)


def test_a_second_fit_of_the_same_structure_compiles_nothing(small_model):
    small_model.fit(QUICK, seed=1)
    compiled = len(programs._COMPILED)
    shifted = SLEEP.assign(Reaction=SLEEP["Reaction"] + np.sin(np.arange(len(SLEEP))))
    bm.Model("Reaction ~ Days + (1 | Subject)", shifted).fit(QUICK, seed=2)
    assert len(programs._COMPILED) == compiled


def test_a_singular_fit_is_no_bad_start():
    model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff2"))
    fit = model.fit(bm.NUTS(draws=500, chains=2), seed=1)
    sd = fit.idata.posterior["1|Batch_sigma"].to_numpy()
    assert fit.status.max_rhat < 1.05 and sd.min() > 0 and 0.2 < sd.mean() < 3


def test_constant_sigma_and_no_bar():
    fit = bm.Model("Reaction ~ Days", SLEEP, constants={"sigma": 47.7}).fit(bm.NUTS(draws=500, chains=2), seed=1)
    ml = bm.Model("Reaction ~ Days", SLEEP).fit("ml")
    assert "sigma" not in fit.idata.posterior
    assert fit.fixef()["Days"] == pytest.approx(ml.fixef()["Days"], abs=0.3)


def test_float64_stays_inside_its_scope(small_model):
    import jax
    import jax.numpy as jnp

    fit = small_model.fit(QUICK, seed=1)
    assert fit.parameters.beta.dtype == np.float64
    assert jnp.ones(1).dtype == np.float32 and not jax.config.jax_enable_x64


def test_an_interruption_stops_every_chain_and_leaves_no_thread(small_model):
    before = threading.active_count()

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    program = small_model.program()
    start = start_from(small_model.fit("ml"), small_model)
    arguments = (
        program.data,
        site_values(start, program.function, program.data),
        site_scales(start, program.function, program.data),
    )
    schedule = programs.Schedule(200, 10_000, 0.8, 10, dense=True, adapt=False, dtype="float64")
    with pytest.raises(KeyboardInterrupt):
        driver.run_chains(program.function, schedule, arguments, seed=1, chains=4, workers=2, on_progress=interrupt)
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"draws": 0}, "draws must be a whole number, at least 1"),
        ({"chains": 1.5}, "chains must be"),
        ({"tune": "some"}, 'tune must be "auto"'),
        ({"target_accept": 1.0}, "between 0 and 1"),
        ({"collapsed": "half"}, "collapsed='half' is not available"),
        ({"centered": "no"}, "centered='no'"),
        ({"chain_method": "process"}, "chain_method"),
        ({"dtype": "float16"}, "Did you mean 'float"),
    ],
)
def test_wrong_options_are_refused(options, words):
    with pytest.raises(FitError, match=words):
        bm.NUTS(**options)


def test_a_start_must_be_a_point_fit_of_the_same_model(small_model):
    ml = bm.Model("Reaction ~ 1 + (1 | Subject)", SLEEP).fit("ml")
    for start in (ml, 0.0):
        with pytest.raises(FitError, match="point fit of the same model"):
            small_model.fit(bm.NUTS(start=start))


def test_as_many_effects_as_rows_only_warn():
    data = SLEEP.assign(row=np.arange(len(SLEEP)))
    model = bm.Model("Reaction ~ Days + (1 | row)", data)
    with pytest.warns(bm.errors.BayesMixedWarning, match="cannot be told from the residual"):
        model.fit(bm.NUTS(draws=20, chains=1, tune=20), seed=1)


def test_wrong_seeds_are_refused(small_model):
    with pytest.raises(FitError, match="seed must be a whole number"):
        small_model.fit(QUICK, seed=1.5)


def test_flat_sds_of_few_levels_are_refused_by_name():
    few = SLEEP.assign(pair=np.where(SLEEP["Days"] > 4, "b", "a"))
    with pytest.raises(ModelError, match=r"'1\|pair_sigma' has a flat prior, and pair has 2 levels"):
        bm.Model("Reaction ~ Days + (1 | pair)", few, priors="flat").fit(QUICK)


def test_start_values_leave_the_boundary():
    perfect = np.array([[2.0, 0.0], [3.0, 0.0]])
    factor = inner_factor(perfect, np.array([0.1, 0.1]))
    sds = np.linalg.norm(factor, axis=1)
    assert np.allclose(sds, [2.0, 3.0])
    assert (factor @ factor.T)[0, 1] / np.prod(sds) == pytest.approx(0.95)


def test_problems_are_named_with_a_remedy(sleep_fit):
    stats = {name: values.copy() for name, values in sleep_fit.statistics.items()}
    stats["diverging"] = np.broadcast_to(np.arange(1000) < 50, (4, 1000))
    stats["tree_depth"][:] = 10
    rng = np.random.default_rng(1)
    stats["energy"] = np.cumsum(rng.standard_normal(stats["energy"].shape), axis=1)
    apart = sleep_fit.parameters.beta + np.arange(4)[:, None, None] * 20
    posterior = posterior_dataset(sleep_fit.model, replace(sleep_fit.parameters, coefficients={"mu": apart}))
    status = draws_status("explicit", posterior, sample_stats_dataset(stats), bm.NUTS())
    text = "\n".join(status.problems)
    for words in ("200 of 4000 draws diverged", "target_accept=0.95", "R-hat of", "BFMI is", "max_tree_depth=12"):
        assert words in text
