"""Other starts, other optimizers: do they end at the same maximum?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm

SAME = 1e-6  # of a log-likelihood: methods without gradient stop at decreases of 1e-9
SPREAD = 1e-4  # of an estimate, where its log-likelihood is within `SAME`


def sleepstudy() -> bm.Model:
    return bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))


@pytest.mark.parametrize("method", ["ml", "reml", "map"])
def test_every_search_of_a_plain_model_ends_at_one_maximum(method: str) -> None:
    fit = sleepstudy().fit(method)
    found = bm.multi_start(fit, 3, seed=1)
    assert found.agree and found.best is fit
    assert list(found.frame.index) == ["the fit", "start 1", "start 2", "start 3", "Nelder-Mead", "COBYQA"]
    assert np.ptp(found.frame["loglik"]) < SAME * 10  # of a penalised fit the objective is flat, not its likelihood
    assert found.frame["converged"].all()
    assert (found.frame["evaluations"] > 0).all() and found.frame["seconds"].isna().sum() == 1
    np.testing.assert_allclose(found.frame["sd(Days | Subject)"], fit.varcorr()["sd"][1], rtol=SPREAD)
    assert "All agree" in str(found)


@pytest.mark.parametrize("quadrature", [1, 5])
def test_generalized_models_are_searched_with_their_own_integral(quadrature: int) -> None:
    model = bm.Model("prop(incidence, size) ~ period + (1 | herd)", bm.load_data("cbpp"), family="binomial")
    fit = model.fit(bm.ML(quadrature=quadrature))
    found = bm.multi_start(fit, 1, seed=2)
    assert found.agree and np.ptp(found.frame["loglik"]) < SAME
    assert all(each.engine.quadrature == quadrature for each in found.fits.values())


def test_a_fit_that_stopped_early_is_told_and_replaced() -> None:
    early = sleepstudy().fit(bm.ML(optimizer="TNC", maxiter=2))
    found = bm.multi_start(early, 2, "SLSQP", seed=1)
    full = sleepstudy().fit("ml")
    assert not found.agree and found.best is not early
    assert found.best.loglik == pytest.approx(full.loglik, abs=SAME)
    assert "3 of 4 agree" in found.notes[0] and "use .best" in found.notes[1]


def test_what_did_not_converge_is_no_maximum_to_agree_on() -> None:
    found = bm.multi_start(sleepstudy().fit(bm.ML(optimizer="TNC", maxiter=2)), 0, [])
    assert "The highest did not converge: the fit." in found.notes[1] and len(found.frame) == 1


def test_a_variance_of_zero_is_started_from_above() -> None:
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"y": rng.standard_normal(60), "g": np.repeat(np.arange(10), 6)})
    data["y"] -= np.repeat(data["y"].to_numpy().reshape(10, 6).mean(axis=1), 6)  # no variance between groups at all
    found = bm.multi_start(bm.Model("y ~ 1 + (1 | g)", data).fit("ml"), 3, [], seed=1)
    assert found.agree and (found.frame["sd(Intercept | g)"] == 0).all()
    assert all(fit.engine.start[0] > 0 for name, fit in found.fits.items() if name != "the fit")  # type: ignore[attr-defined]


def test_start_i_depends_on_the_seed_and_i_alone() -> None:
    fit = sleepstudy().fit("ml")
    few, many = (bm.multi_start(fit, n, [], seed=5).fits["start 1"].engine for n in (1, 2))
    assert few == many
    assert few != bm.multi_start(fit, 1, [], seed=6).fits["start 1"].engine


def test_what_has_no_searches_is_refused_with_what_to_call() -> None:
    with pytest.raises(bm.errors.FitError, match=r'bm\.multi_start\(fit\.model\.fit\("ml"\)\)'):
        bm.multi_start(sleepstudy().fit("laplace", seed=1))
    with pytest.raises(bm.errors.FitError, match="no covariance parameters"):
        bm.multi_start(bm.Model("Reaction ~ Days", bm.load_data("sleepstudy")).fit("ml"))
    with pytest.raises(bm.errors.FitError, match="takes a fit"):
        bm.multi_start(sleepstudy())
    with pytest.raises(bm.errors.FitError, match="whole number of starts"):
        bm.multi_start(sleepstudy().fit("ml"), -1)
    with pytest.raises(bm.errors.FitError, match="Unknown optimizer"):
        bm.multi_start(sleepstudy().fit("ml"), 1, ["nelder"])
