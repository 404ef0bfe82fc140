"""Models and tables at the edges: no fixed effects, colliding names, zero variances, threads, and nothing mutated."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from simulated import crossed
from threadpoolctl import threadpool_info

import bayesmixed as bm
from bayesmixed.families import Gaussian, family

QUICK = bm.NUTS(draws=60, tune=60, chains=1)
SAME = 1e-10


def null_table(seed: int) -> pd.DataFrame:
    """No effects of g at all: about half of such samples put variances at zero."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(12), 10)
    return pd.DataFrame({"g": g, "x": rng.normal(size=120), "y": rng.normal(size=120)})


def test_zeros_of_correlated_blocks_are_exact_and_proved() -> None:
    found = 0
    for seed in range(25):
        fit = bm.Model("y ~ x + (x | g)", null_table(seed)).fit("ml")
        tiny = np.abs(fit.theta) < 1e-6
        assert np.all(fit.theta[tiny] == 0.0)
        if np.all(fit.theta == 0.0):
            found += 1
            assert fit.status.singular and fit.status.boundary_slope >= -1e-3
            assert np.all(fit.ranef()["g"] == 0.0) and np.isfinite(fit.simulate(2, seed=1)).all()
            new = pd.DataFrame({"x": [0.0], "g": [99]})
            assert np.isfinite(fit.predict(new, new_levels="sample", interval="confidence")).all(axis=None)
    assert found >= 3


def test_a_model_without_fixed_effects_answers_everything() -> None:
    fit = bm.Model("y ~ 0 + (1 | a)", crossed()).fit("ml")
    assert fit.fixef().empty and fit.vcov().shape == (0, 0)
    assert "Fixed effects: none" in str(fit.summary())
    assert fit.fitted().shape == fit.residuals().shape == (300,)
    assert fit.predict(interval="confidence").notna().all(axis=None)
    assert fit.predict_draws(draws=3, seed=1).shape == (1, 3, 300)
    assert bm.side_by_side(fit).shape[0] == 3
    draws = fit.model.fit(QUICK, seed=1, progress=False)
    assert draws.fixef().empty and draws.vcov().shape == (0, 0) and str(draws.summary())


def test_an_empty_table_gives_empty_predictions() -> None:
    fit = bm.Model("y ~ x + (1 | a)", crossed()).fit("ml")
    nothing = crossed()[:0]
    assert fit.predict(nothing).shape == (0, 1)
    assert fit.predict_draws(nothing, draws=2).shape == (1, 2, 0)


@pytest.mark.parametrize("method", ["ml", QUICK])
def test_several_bars_with_one_column_on_one_factor(method: Any) -> None:
    fit = bm.Model("y ~ x + (x | a) + (1 | a) + (0 + x | b) + (1 | b)", crossed(), check="warn").fit(method, seed=1)
    table = bm.side_by_side(fit)
    assert table.index.is_unique and "sd(Intercept | a)#2" in table.index
    assert str(fit.summary()) and len(fit.ranef()["b"].columns) == 2


@pytest.mark.parametrize("name", ["draw", "chain", "sd", "name", "group", "label"])
def test_covariates_may_be_called_what_tables_call_their_columns(name: str, tmp_path: Path) -> None:
    table = crossed().rename(columns={"x": name})
    model = bm.Model(f"y ~ {name} + ({name} | a)", table)
    ml, post = model.fit("ml"), model.fit(QUICK, seed=1, progress=False)
    plain = bm.Model("y ~ x + (x | a)", crossed()).fit("ml")
    np.testing.assert_allclose(ml.varcorr()["sd"], plain.varcorr()["sd"], rtol=1e-6)
    assert ml.varcorr().columns.is_unique
    loaded = bm.load(post.save(tmp_path / "fit"))
    np.testing.assert_allclose(loaded.fixef(), post.fixef(), rtol=SAME)
    assert np.ptp(post.parameters.beta[..., 1]) > 0


def test_a_covariate_called_like_a_parameter_is_fitted_by_ml_and_named_by_the_priors() -> None:
    model = bm.Model("y ~ sigma + (1 | a)", crossed().rename(columns={"x": "sigma"}))
    assert len(bm.side_by_side(model.fit("ml"))) == 5
    assert "sigma" in str(model)
    with pytest.raises(bm.errors.ModelError, match="sigma"):
        model.fit(QUICK, seed=1)


def test_a_column_called_intercept_is_refused() -> None:
    with pytest.raises(bm.errors.DataError, match="rename"):
        bm.Model("y ~ Intercept + (1 | a)", crossed().rename(columns={"x": "Intercept"}))


def test_what_only_rows_of_weight_zero_hold_is_aliased() -> None:
    table = crossed().assign(w=1.0)
    table.loc[table["c"] == "z", "w"] = 0.0
    with pytest.warns(bm.errors.BayesMixedWarning, match=r"c\[z\]"):
        fit = bm.Model("y ~ c + (1 | a)", table, weights="w").fit("ml")
    rest = table[table["c"] != "z"].assign(c=lambda d: d["c"].cat.remove_unused_categories())
    assert fit.criterion == pytest.approx(bm.Model("y ~ c + (1 | a)", rest).fit("ml").criterion, abs=1e-7)
    with pytest.warns(bm.errors.BayesMixedWarning, match="do not determine"):
        assert np.isnan(fit.simulate(seed=1)[0][table["w"] == 0]).all()
    with pytest.warns(bm.errors.BayesMixedWarning, match="do not determine the mean of 59 of 300 rows"):
        np.testing.assert_array_equal(np.isnan(fit.fitted()), table["w"] == 0)
    assert str(fit.summary())


@pytest.mark.parametrize("method", ["reml", QUICK])
def test_a_file_holds_everything_a_model_was_given(method: Any, tmp_path: Path) -> None:
    table = crossed()
    table.index = pd.date_range("2020-01-01", periods=300, tz="Europe/Berlin")
    table.loc[table.index[[3, 50]], "x"] = np.nan
    table["late"] = np.arange(300) > 150
    model = bm.Model(
        "y ~ double(x) * late + c + (x | a) + (1 | b)",
        table,
        weights=np.linspace(0.5, 2, 300),
        offset=np.linspace(-3, 3, 300),
        contrasts={"c": np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [-1, -1, -1, -1.0]])},
        namespace={"double": lambda x: 2 * x},
        priors={"b": bm.priors.Normal(0, 3)},
    )
    fit = model.fit(method, seed=1)
    path = fit.save(tmp_path / "fit.nc")
    with pytest.raises(bm.errors.DataError, match="double"):
        bm.load(path)
    loaded = bm.load(path, namespace={"double": lambda x: 2 * x})
    np.testing.assert_allclose(loaded.fitted(), fit.fitted(), rtol=SAME)
    assert str(loaded.summary()) == str(fit.summary())
    assert loaded.model.design.n_dropped == 2 and loaded.model.design.index.equals(fit.model.design.index)
    assert loaded.model.priors["double(x)"].describe() == "Normal(0, 3)"


def test_a_file_is_found_by_the_name_that_it_was_saved_under(tmp_path: Path) -> None:
    fit = bm.Model("y ~ x + (1 | a)", crossed()).fit("ml")
    for name, written in (("fit", "fit.nc"), ("fit.nc", "fit.nc"), ("fit.v2", "fit.v2")):
        assert fit.save(tmp_path / name) == tmp_path / written
        assert bm.load(str(tmp_path / name)).loglik == pytest.approx(fit.loglik, rel=SAME)
    with pytest.raises(bm.errors.DataError, match=r"saved as NetCDF, which 'fit.json' does not say: name it 'fit.nc'"):
        fit.save(tmp_path / "fit.json")
    (tmp_path / "fit").mkdir()  # a folder of that name is no file
    assert bm.load(tmp_path / "fit").loglik == pytest.approx(fit.loglik, rel=SAME)
    for name in ("fti", "fti.nc", ""):
        with pytest.raises(bm.errors.DataError):
            bm.load(tmp_path / name if name else "")
    with pytest.raises(bm.errors.DataError, match="must be a text"):
        bm.load(3)


def test_a_constant_offset_is_remembered_on_new_data() -> None:
    fit = bm.Model("y ~ x + (1 | a)", crossed(), offset=2.0).fit("ml")
    np.testing.assert_allclose(fit.predict(crossed())["estimate"], fit.fitted())
    np.testing.assert_allclose(fit.predict(offset=0.0)["estimate"], fit.fitted() - 2.0)


def test_neither_tables_nor_arrays_of_the_user_are_tied_to_a_model() -> None:
    table, weights = crossed(), np.linspace(0.5, 2, 300)
    before = table.copy()
    model = bm.Model("y ~ x + (1 | a)", table, weights=weights)
    fit = model.fit("ml")
    pd.testing.assert_frame_equal(table, before)
    weights[:] = 1.0
    assert model.design.weights[0] == 0.5
    with pytest.raises(ValueError, match="read-only"):
        fit.beta[:] = 0.0
    with pytest.raises(TypeError):
        model.constants["sigma"] = 2.0
    post = model.fit(QUICK, seed=1, progress=False)
    mean = post.fixef()["x"]
    post.idata["posterior"]["x"].values[:] = 99.0
    assert post.fixef()["x"] == mean


def test_fits_on_threads_agree_and_leave_the_process_as_it_was() -> None:
    before = [library["num_threads"] for library in threadpool_info()]
    models = [bm.Model("y ~ x + (x | a) + (1 | b)", crossed(seed=seed)) for seed in range(8)]
    alone = [model.replace().fit("ml").loglik for model in models]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda model: model.fit("ml").loglik, models))
    np.testing.assert_allclose(together, alone, rtol=SAME)
    assert [library["num_threads"] for library in threadpool_info()] == before


def test_equal_families_are_equal() -> None:
    assert family("gaussian") == Gaussian() and hash(family("gaussian")) == hash(Gaussian())


def test_draws_have_no_log_likelihood_and_say_so() -> None:
    post = bm.Model("y ~ x + (1 | a)", crossed()).fit(QUICK, seed=1, progress=False)
    assert not hasattr(post, "loglik")
    with pytest.raises(bm.errors.FitError, match="maximised nothing"):
        _ = post.aic


def test_predictions_too_large_for_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from bayesmixed.prediction import memory

    monkeypatch.setattr(memory, "MAX_BYTES", 1e4)
    fit = bm.Model("y ~ x + (1 | a)", crossed()).fit("ml")
    with pytest.raises(bm.errors.FitError, match="draws="):
        fit.predict_draws(seed=1)
