"""On demand: pointwise log-likelihood and posterior predictive draws, refused by size, for ArviZ as they are."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

import bayesmixed as bm
from bayesmixed.errors import FitError
from bayesmixed.fits.status import DrawsStatus
from bayesmixed.interop.arviz import group, group_names
from bayesmixed.parameters.values import Parameters
from bayesmixed.prediction import memory, pointwise

SAME = 1e-12  # one formula written twice
SLEEP = bm.load_data("sleepstudy")
STATUS = DrawsStatus("explicit", 0, 1.0, 400.0, 400.0, 1.0, ())


def drawn(model: bm.Model, draws: int = 200, seed: int = 1) -> Any:
    """A fit whose draws come from the normal distribution of the ML fit's prediction errors: no sampler needed."""
    from bayesmixed.fits.draws import DrawsFit

    point = model.fit("ml")
    values = point.prediction_errors.draw(2 * draws, np.random.default_rng(seed))
    shape = (2, draws)
    chains = Parameters(
        coefficients={"mu": values.beta.reshape(*shape, -1)},
        factors=tuple(np.broadcast_to(f[0, 0], (*shape, *f.shape[2:])) for f in values.factors),
        b=tuple(b.reshape(*shape, *b.shape[2:]) for b in values.b),
        dispersion={name: np.broadcast_to(v.reshape(-1)[:1], shape) for name, v in values.dispersion.items()},
    )
    statistics = {"energy": np.zeros(shape), "diverging": np.zeros(shape, bool)}
    return DrawsFit(model, bm.NUTS(draws=draws, chains=2), chains, statistics, STATUS, seed)


@pytest.fixture
def fit():
    return drawn(bm.Model("Reaction ~ Days + (Days | Subject)", SLEEP))


def likelihood(fit: Any, **options: Any) -> Any:
    return group(fit.log_likelihood(**options), "log_likelihood")[fit.model.design.response.name]


def test_the_likelihood_is_that_of_the_definition(fit) -> None:
    found = likelihood(fit)
    post = group(fit.idata, "posterior")
    subject = SLEEP["Subject"].astype(str).to_numpy()
    levels = [str(level) for level in post["Subject__factor_dim"].values]
    codes = [levels.index(name) for name in subject]
    b0, b1 = (post[name].to_numpy()[..., codes] for name in ("1|Subject", "Days|Subject"))
    a0, a1 = (post[name].to_numpy()[..., None] for name in ("Intercept", "Days"))
    mu = a0 + b0 + (a1 + b1) * SLEEP["Days"].to_numpy()
    expected = norm.logpdf(SLEEP["Reaction"].to_numpy(), mu, post["sigma"].to_numpy()[..., None])
    assert found.dims == ("chain", "draw", "__obs__") and list(found["__obs__"].values) == list(SLEEP.index)
    np.testing.assert_allclose(found, expected, rtol=SAME, atol=SAME)


def test_weights_offsets_and_constants_enter() -> None:
    """A weight divides the variance, an offset shifts the mean; rows of weight zero are left out."""
    weights = np.resize([1.0, 4.0, 0.0], len(SLEEP))
    offset = 3.0 * SLEEP["Days"].to_numpy()
    model = bm.Model(
        "Reaction ~ Days + (1 | Subject)", SLEEP, weights=weights, offset=offset, constants={"sigma": 30.0}
    )
    fit = drawn(model, draws=20)
    found, used = likelihood(fit), weights > 0
    mu = fit.predict_draws().to_numpy()[..., used]  # the offset included
    expected = norm.logpdf(SLEEP["Reaction"].to_numpy()[used], mu, 30.0 / np.sqrt(weights[used]))
    assert list(found["__obs__"].values) == list(SLEEP.index[used])
    np.testing.assert_allclose(found, expected, rtol=SAME, atol=SAME)
    replicated = group(fit.posterior_predictive(seed=1), "posterior_predictive")["Reaction"]
    assert np.array_equal(np.isnan(replicated.to_numpy()).all(axis=(0, 1)), ~used)


def test_predictive_draws_have_the_mean_and_spread_of_the_model(fit) -> None:
    found = group(fit.posterior_predictive(seed=3), "posterior_predictive")["Reaction"]
    residual = (found - fit.predict_draws()).to_numpy()
    assert found.shape == (2, 200, len(SLEEP))
    # 72,000 normal numbers: the mean is within four of its standard errors, the sd too
    assert abs(residual.mean()) < 4 * fit.sigma / np.sqrt(residual.size)
    assert residual.std() == pytest.approx(fit.sigma, rel=4 / np.sqrt(2 * residual.size))


def test_blocks_change_nothing(fit, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = likelihood(fit).to_numpy()
    monkeypatch.setattr(pointwise, "CHUNK", 7 * 2 * len(SLEEP))
    np.testing.assert_array_equal(likelihood(drawn(fit.model)), whole)


def test_a_group_is_made_once_and_anew_when_asked_otherwise(fit) -> None:
    assert fit.posterior_predictive(seed=1) is fit.idata
    first = group(fit.idata, "posterior_predictive")["Reaction"].to_numpy()
    assert np.array_equal(group(fit.posterior_predictive(), "posterior_predictive")["Reaction"], first)
    assert not np.array_equal(group(fit.posterior_predictive(seed=2), "posterior_predictive")["Reaction"], first)
    assert np.array_equal(group(fit.posterior_predictive(seed=1), "posterior_predictive")["Reaction"], first)
    assert likelihood(fit, draws=5).shape == (2, 5, 180)
    assert likelihood(fit).shape == (2, 5, 180)
    assert likelihood(fit, draws=10_000).shape == (2, 200, 180)


def test_what_the_priors_say_stands_beside_the_posterior(fit) -> None:
    alone = fit.model.prior_predictive(20, seed=3)
    beside = fit.prior_predictive(seed=3, draws=20)
    assert beside is fit.idata
    for name in ("prior", "prior_predictive"):
        for variable, values in group(alone, name).data_vars.items():
            assert np.array_equal(group(beside, name)[variable], values), variable
    assert fit.prior_predictive(seed=4, draws=10) is fit.idata
    assert group(fit.idata, "prior_predictive").sizes["draw"] == 10


def test_thinned_draws_keep_their_labels(fit) -> None:
    everything = likelihood(fit)
    some = likelihood(replace(fit), draws=5)
    assert list(some["draw"].values) == [0, 50, 100, 149, 199]
    np.testing.assert_array_equal(some, everything.sel(draw=some["draw"]))


def test_too_much_is_refused_with_its_size_and_a_way_out(fit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MAX_BYTES", 8.0 * 2 * 50 * 180)
    with pytest.raises(FitError, match=r"log_likelihood of 2 x 200 draws and 180 rows takes .* GB.*\(draws=50\)"):
        fit.log_likelihood()
    with pytest.raises(FitError, match=r"fit\.posterior_predictive\(draws=50\)"):
        fit.posterior_predictive()
    assert "log_likelihood" not in group_names(fit.idata)
    assert likelihood(fit, draws=50).shape == (2, 50, 180)


@pytest.mark.parametrize("draws", [0, -1, 1.5, True, "all"])
def test_wrong_numbers_of_draws_are_refused(fit, draws: Any) -> None:
    with pytest.raises(FitError, match="draws must be a whole number"):
        fit.log_likelihood(draws=draws)


def test_wrong_seeds_are_refused(fit) -> None:
    with pytest.raises(FitError, match="seed must be a whole number"):
        fit.posterior_predictive(seed=1.5)


@pytest.mark.filterwarnings("ignore")
def test_arviz_compares_by_leave_one_out_and_plots_predictions(fit) -> None:
    """Slopes that vary are worth more than their number: every criterion prefers them by several standard errors."""
    pytest.importorskip("matplotlib.pyplot").switch_backend("Agg")
    import arviz as az

    second = not az.__version__.startswith("0.")
    simple = drawn(bm.Model("Reaction ~ Days + (1 | Subject)", SLEEP))
    better, worse = az.loo(fit.log_likelihood(), pointwise=True), az.loo(simple.log_likelihood())
    elpd = "elpd" if second else "elpd_loo"
    assert getattr(better, elpd) - getattr(worse, elpd) > 10
    assert better.pareto_k.dims == ("__obs__",)
    table = az.compare({"slopes": fit.idata, "intercepts": simple.idata})
    assert list(table.index) == ["slopes", "intercepts"]
    fit.posterior_predictive(seed=1)
    draw = az.plot_ppc_dist if second else az.plot_ppc
    assert draw(fit.idata) is not None
    assert az.loo(drawn(fit.model).log_likelihood(draws=50)) is not None


def test_groups_survive_saving(fit, tmp_path) -> None:
    fit.log_likelihood(draws=20)
    fit.posterior_predictive(seed=4, draws=10)
    path = fit.save(tmp_path / "fit.nc")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = bm.load(path)
    for name in ("log_likelihood", "posterior_predictive"):
        kept, back = group(fit.idata, name)["Reaction"], group(loaded.idata, name)["Reaction"]
        np.testing.assert_array_equal(back, kept)
        assert list(back["__obs__"].values) == list(SLEEP.index)
    before = group(loaded.idata, "posterior_predictive")["Reaction"].to_numpy()
    assert np.array_equal(group(loaded.posterior_predictive(seed=4), "posterior_predictive")["Reaction"], before)
