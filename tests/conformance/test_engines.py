"""What every engine must do, whichever it is: found through the registry, nothing to add here for a new one."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.engines import ENGINES
from bayesmixed.fits.base import Fit
from bayesmixed.fits.draws import DrawsFit

SMALL = {"nuts": {"draws": 200, "chains": 2}}  # options that keep a test short; the default of others is short
FORMULA = "Reaction ~ Days + (Days | Subject)"
REPRODUCED = 1e-12  # relative: the same numbers, read from a file


@cache
def model() -> bm.Model:
    return bm.Model(FORMULA, bm.load_data("sleepstudy"))


@cache
def fitted(name: str) -> Fit:
    return model().fit(ENGINES[name](**SMALL.get(name, {})), seed=1, progress=False)


@pytest.fixture(params=sorted(ENGINES))
def fit(request: pytest.FixtureRequest) -> Fit:
    return fitted(request.param)


def test_the_name_of_an_engine_is_its_registry_entry() -> None:
    for name, engine in ENGINES.items():
        assert engine.name == name and engine.label


def test_estimates_have_the_models_names(fit: Fit) -> None:
    assert list(fit.fixef().index) == ["Intercept", "Days"]
    assert list(fit.vcov().index) == list(fit.vcov().columns) == ["Intercept", "Days"]
    assert list(fit.coefficients.index) == ["Intercept", "Days"]
    assert {"lower", "upper"} <= set(fit.coefficients.columns)
    assert fit.ranef()["Subject"].shape == fit.ranef_sd()["Subject"].shape == (18, 2)
    assert list(fit.ranef()["Subject"].index[:2]) == ["308", "309"]
    pd.testing.assert_frame_equal(fit.coef()["Subject"], fit.ranef()["Subject"] + fit.fixef(), check_names=False)


def test_varcorr_lists_sds_then_correlations_then_the_residual(fit: Fit) -> None:
    table = fit.varcorr()
    assert list(table.columns) == ["group", "name", "sd", "Intercept"]
    assert list(table["group"]) == ["Subject", "Subject", "Residual"]
    assert np.isnan(table["Intercept"].iloc[0]) and -1 <= table["Intercept"].iloc[1] <= 1
    assert table["sd"].iloc[2] == pytest.approx(fit.sigma)


def test_engines_agree_on_what_the_data_say(fit: Fit) -> None:
    """Coarse: within two standard errors of REML, and its standard deviations within a factor of 1.5."""
    reml = fitted("reml")
    assert np.all(np.abs(fit.fixef() - reml.fixef()) < 2 * reml.coefficients["se"])
    ratio = fit.varcorr()["sd"] / reml.varcorr()["sd"]
    assert ratio.between(1 / 1.5, 1.5).all()


def test_prediction_of_the_training_rows_is_fitted(fit: Fit) -> None:
    np.testing.assert_allclose(fit.predict()["estimate"], fit.fitted(), rtol=1e-10)
    again = fit.predict(bm.load_data("sleepstudy").drop(columns="Reaction"))
    np.testing.assert_allclose(again["estimate"], fit.fitted(), rtol=1e-10)


def test_residuals_are_what_is_left(fit: Fit) -> None:
    y = bm.load_data("sleepstudy")["Reaction"]
    np.testing.assert_allclose(fit.residuals() + fit.fitted(), y)
    np.testing.assert_allclose(fit.residuals("pearson") * fit.sigma, fit.residuals(), rtol=1e-10)
    for kind in ("deviance", "quantile"):
        assert fit.residuals(kind, seed=1).shape == (180,)


def test_intervals_hold_the_estimate_and_prediction_is_wider(fit: Fit) -> None:
    confidence = fit.predict(interval="confidence")
    prediction = fit.predict(interval="prediction", seed=1)
    assert (confidence["lower"] < confidence["estimate"]).all() and (confidence["estimate"] < confidence["upper"]).all()
    assert ((prediction["upper"] - prediction["lower"]) > (confidence["upper"] - confidence["lower"])).all()


def test_new_subjects_are_refused_or_the_population(fit: Fit) -> None:
    new = pd.DataFrame({"Days": [0, 5], "Subject": ["999", "308"]})
    with pytest.raises(bm.errors.DataError, match="999"):
        fit.predict(new)
    population = fit.predict(new, new_levels="population")["estimate"]
    assert population.iloc[0] == pytest.approx(fit.fixef()["Intercept"])
    narrow = fit.predict(new, new_levels="population", interval="confidence")
    wide = fit.predict(new, new_levels="sample", interval="confidence", seed=1)
    assert wide["upper"].iloc[0] - wide["lower"].iloc[0] > 1.5 * (narrow["upper"].iloc[0] - narrow["lower"].iloc[0])


def test_same_seed_same_simulations_and_predictions(fit: Fit) -> None:
    first, second = fit.simulate(3, seed=5), fit.simulate(3, seed=5)
    assert first.shape == (3, 180)
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, fit.simulate(3, seed=6))
    draws = fit.predict_draws(scale="observation", seed=5, draws=50)
    assert draws.dims == ("chain", "draw", "__obs__") and draws.sizes["__obs__"] == 180
    np.testing.assert_array_equal(draws, fit.predict_draws(scale="observation", seed=5, draws=50))


def test_same_seed_same_fit(fit: Fit) -> None:
    again = model().fit(type(fit.engine)(**SMALL.get(fit.engine.name, {})), seed=1, progress=False)
    np.testing.assert_array_equal(again.parameters.beta, fit.parameters.beta)
    for ours, theirs in zip(again.parameters.b, fit.parameters.b, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_fit_survives_its_file(fit: Fit, tmp_path: Any) -> None:
    loaded = bm.load(fit.save(tmp_path / "fit.nc"))
    assert str(loaded.summary()) == str(fit.summary())
    new = pd.DataFrame({"Days": [3.5], "Subject": ["308"]})
    np.testing.assert_allclose(loaded.predict(new), fit.predict(new), rtol=REPRODUCED)
    assert loaded.status == fit.status


def test_a_summary_is_text_and_html(fit: Fit) -> None:
    text, html = str(fit.summary()), fit.summary()._repr_html_()
    for word in ("Days", "Subject", "sigma" if isinstance(fit, DrawsFit) else "Residual"):
        assert word in text and word in html
    assert html.count("<table") >= 3


def test_unknown_options_are_refused_with_the_known_ones(fit: Fit) -> None:
    for call in (
        lambda: fit.predict(re=["Subjekt"]),
        lambda: fit.predict(scale="respons"),
        lambda: fit.predict(new_levels="populaton"),
        lambda: fit.predict(interval="both"),
        lambda: fit.predict(interval="confidence", level=95),
        lambda: fit.residuals("raw"),
        lambda: fit.simulate(0),
    ):
        with pytest.raises(bm.errors.FitError):
            call()
