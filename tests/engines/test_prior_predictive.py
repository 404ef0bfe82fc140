"""Draws from the prior: moments as simulated directly, names as the posterior's, refused where nothing can be drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bayesmixed as bm
from bayesmixed.engines.program import prior_predictive as prior
from bayesmixed.errors import FitError, ModelError
from bayesmixed.interop import arviz as seam
from bayesmixed.priors import LKJ, HalfNormal, Normal

MONTE_CARLO = 4.5  # standard errors; about 400 comparisons below, seeds are fixed
DRAWS = 4000
SLEEP = bm.load_data("sleepstudy")
DAYS = SLEEP["Days"].to_numpy(float)
WEIGHTS = np.linspace(0.5, 2.0, len(SLEEP))
PRIORS = {
    "Intercept_centered": Normal(300, 20),
    "Days": Normal(10, 4),
    "1|Subject_sigma": HalfNormal(30),
    "Days|Subject_sigma": HalfNormal(5),
    "Subject_corr": LKJ(2.0),
    "sigma": HalfNormal(25),
}


@pytest.fixture(scope="module")
def model() -> bm.Model:
    formula = "Reaction ~ Days + offset(3 * Days) + (Days | Subject)"
    return bm.Model(formula, SLEEP, priors=PRIORS, weights=WEIGHTS)


@pytest.fixture(scope="module")
def idata(model: bm.Model) -> Any:
    return model.prior_predictive(DRAWS, seed=1)


def directly(rng: np.random.Generator, draws: int) -> dict[str, np.ndarray]:
    """The same draws by NumPy alone: the correlation under LKJ(2) in two dimensions is 2 Beta(2, 2) - 1."""
    slope = rng.normal(10, 4, draws)
    intercept = rng.normal(300, 20, draws) - DAYS.mean() * slope
    sds = np.abs(rng.normal(size=(draws, 2))) * [30, 5]
    rho = 2 * rng.beta(2, 2, draws) - 1
    sigma = np.abs(rng.normal(0, 25, draws))
    u = rng.standard_normal((draws, 18, 2))
    level = sds[:, :1] * u[..., 0]
    change = sds[:, 1:] * (rho[:, None] * u[..., 0] + np.sqrt(1 - rho**2)[:, None] * u[..., 1])
    codes = SLEEP["Subject"].astype("category").cat.codes.to_numpy()
    mu = intercept[:, None] + (slope[:, None] + 3) * DAYS + level[:, codes] + change[:, codes] * DAYS
    y = mu + sigma[:, None] / np.sqrt(WEIGHTS) * rng.standard_normal(mu.shape)
    return {"Intercept": intercept, "Days": slope, "rho": rho, "sigma": sigma, "change": change, "y": y}


def agree(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Means and variances of two independent samples (draws, ...) agree within Monte Carlo error."""
    for power in (1, 2):
        a, b = ((each - theirs.mean(axis=0)) ** power for each in (ours, theirs))
        error = np.sqrt(a.var(axis=0) / len(a) + b.var(axis=0) / len(b))
        assert np.all(np.abs(a.mean(axis=0) - b.mean(axis=0)) < MONTE_CARLO * error)


def test_moments_are_those_of_a_direct_simulation(idata: Any) -> None:
    expected = directly(np.random.default_rng(2), DRAWS)
    drawn, simulated = seam.group(idata, "prior"), seam.group(idata, "prior_predictive")
    for name in ("Intercept", "Days", "sigma"):
        agree(drawn[name].to_numpy()[0], expected[name])
    agree(drawn["Subject_corr"].to_numpy()[0, :, 0, 1], expected["rho"])
    agree(drawn["Days|Subject"].to_numpy()[0], expected["change"])
    agree(simulated["Reaction"].to_numpy()[0], expected["y"])


def test_rows_of_one_subject_vary_together(idata: Any) -> None:
    """Effects are shared within a subject: the covariance of two of its rows is that of a direct simulation."""
    y = seam.group(idata, "prior_predictive")["Reaction"].to_numpy()[0]
    expected = directly(np.random.default_rng(3), DRAWS)["y"]
    first, last = np.flatnonzero(SLEEP["Subject"] == SLEEP["Subject"].iloc[0])[[0, 9]]
    products = [(each[:, first] - expected[:, first].mean()) * (each[:, last] - expected[:, last].mean())
                for each in (y, expected)]  # fmt: skip
    agree(products[0], products[1])


def test_groups_have_the_posteriors_names_and_the_rows_of_the_data(idata: Any) -> None:
    assert seam.group_names(idata) == ["prior", "prior_predictive", "observed_data"]
    drawn, simulated = seam.group(idata, "prior"), seam.group(idata, "prior_predictive")
    effects, block = {"1|Subject", "Days|Subject"}, {"1|Subject_sigma", "Days|Subject_sigma", "Subject_corr"}
    assert set(drawn.data_vars) == {"Intercept", "Days", "sigma", *effects, *block}
    assert drawn["Days|Subject"].dims == ("chain", "draw", "Subject__factor_dim")
    assert drawn["Subject_corr"].dims == ("chain", "draw", "Subject_effect", "Subject_effect_bis")
    assert simulated["Reaction"].dims == ("chain", "draw", "__obs__")
    observed = seam.group(idata, "observed_data")["Reaction"]
    np.testing.assert_array_equal(simulated["__obs__"], observed["__obs__"])
    assert dict(drawn.sizes)["draw"] == simulated.sizes["draw"] == DRAWS


def test_same_seed_same_draws_in_chunks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
    whole, again, other = (model.prior_predictive(30, seed=seed) for seed in (5, 5, 6))
    monkeypatch.setattr(prior, "CHUNK", 80)  # 10 draws of parameters, two simulated responses at a time
    parts = model.prior_predictive(30, seed=5)
    for group in ("prior", "prior_predictive"):
        for name, values in seam.group(whole, group).items():
            np.testing.assert_array_equal(values, seam.group(again, group)[name])
            np.testing.assert_allclose(values, seam.group(parts, group)[name], rtol=1e-9, atol=1e-9)
    assert not np.array_equal(seam.group(whole, "prior")["Intercept"], seam.group(other, "prior")["Intercept"])


def test_rows_of_weight_zero_have_no_response() -> None:
    weights = np.where(DAYS == 9, 0.0, 1.0)
    model = bm.Model("Reaction ~ Days", SLEEP, weights=weights)
    drawn = seam.group(model.prior_predictive(5, seed=1), "prior_predictive")["Reaction"].to_numpy()[0]
    np.testing.assert_array_equal(np.isnan(drawn).all(axis=0), weights == 0)
    assert np.isfinite(drawn[:, weights > 0]).all()


@pytest.mark.parametrize(
    ("preset", "names"),
    [("flat", "'Intercept_centered', 'Days', '1|Subject_sigma', 'sigma' are flat"), ("brms", "that of 'Days' is flat")],
)
def test_improper_priors_are_refused_by_name_and_the_advice_works(preset: str, names: str) -> None:
    model = bm.Model("Reaction ~ Days + (1 | Subject)", SLEEP, priors=preset)
    with pytest.raises(ModelError) as error:
        model.prior_predictive()
    message = str(error.value)
    assert names in message and 'model.replace(priors="default")' in message
    advice = message.split("Give proper ones: ")[1].split(", or model.replace")[0].replace(", ...", "")
    changed = eval(advice, {"bm": bm, "model": model, "dict": dict})
    assert len(changed.priors.improper) == len(model.priors.improper) - 1


def test_what_does_not_fit_or_is_no_number_is_refused(model: bm.Model) -> None:
    with pytest.raises(FitError, match=r"10000000 draws of 180 responses .* are 17.8 GB.* draws=2242152"):
        model.prior_predictive(10_000_000)
    for wrong in (0, 1.5, True):
        with pytest.raises(FitError, match="draws must be a whole number"):
            model.prior_predictive(wrong)  # type: ignore[arg-type]
    with pytest.raises(FitError, match="seed"):
        model.prior_predictive(5, seed=-1)
