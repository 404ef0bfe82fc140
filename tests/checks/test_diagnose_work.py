"""A diagnosis of a maximal model takes a few times as long as the fit, and finds the simpler formula of lowest AIC."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.checks.diagnosis.work import Work
from bayesmixed.checks.singular.boundary_profile import RISES, profile
from bayesmixed.checks.singular.null_directions import null_directions
from bayesmixed.checks.singular.simpler import simpler_formulas

TIMES = 5.0  # of the fit's own processor time, by the project's promise; 1.5 to 3 were measured
RISE = 0.02  # relative: where the profile's search for a rise stops, twice over
SAME_FIT = 1e-3  # of an AIC: two searches of one optimum from different starts
MAXIMAL = "y ~ a * b + (a * b | subj) + (a * b | item)"


def trials(binary: bool, seed: int = 1, subjects: int = 40, items: int = 20) -> pd.DataFrame:
    """A Latin square of four conditions; subjects differ in their mean and in a, items in their mean and in b."""
    rng = np.random.default_rng(seed)
    s, i = np.repeat(np.arange(subjects), items), np.tile(np.arange(items), subjects)
    a, b = np.where((s + i) % 2 == 0, -0.5, 0.5), np.where((s + i) % 4 < 2, -0.5, 0.5)
    u, v = rng.normal(size=(subjects, 2)) * [1, 0.3], rng.normal(size=(items, 2)) * [0.7, 0.3]
    eta = 0.3 + 0.5 * a + 0.2 * b + u[s, 0] + u[s, 1] * a + v[i, 0] + v[i, 1] * b
    noisy = rng.random(len(eta)) < 1 / (1 + np.exp(-eta)) if binary else eta + rng.normal(size=len(eta))
    return pd.DataFrame({"y": noisy.astype(int) if binary else noisy, "a": a, "b": b, "subj": s, "item": i})


@pytest.fixture(scope="module", params=["gaussian", "bernoulli"])
def maximal(request: Any) -> Any:
    """A maximal fit and its processor time; what is compiled and imported once is so before."""
    model = bm.Model(MAXIMAL, trials(request.param == "bernoulli"), family=request.param)
    str(bm.diagnose(bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff2")).fit("ml")))
    start = time.process_time()
    fit = model.fit("ml")
    return fit, time.process_time() - start


def test_a_printed_diagnosis_takes_at_most_five_times_as_long_as_the_fit(maximal: Any) -> None:
    fit, took = maximal
    start = time.process_time()
    found = bm.diagnose(fit)
    assert "beside MAP" in str(found) and fit.status.singular
    assert time.process_time() - start < TIMES * took


def test_the_best_formula_is_as_good_as_every_combination_of_simple_bars(maximal: Any) -> None:
    fit, _ = maximal
    simpler = bm.diagnose(fit).simpler
    assert simpler is not None
    best = simpler.row(simpler.nearest)["AIC"]  # type: ignore[arg-type]
    for subj in ("(1 | subj)", "(1 + a | subj)", "(a * b | subj)"):
        for item in ("(1 | item)", "(1 + b || item)"):
            assert best < fit.model.replace(formula=f"y ~ a * b + {subj} + {item}").fit("ml").aic + SAME_FIT


def test_what_the_table_says_of_a_formula_is_its_own_fit(maximal: Any) -> None:
    fit, _ = maximal
    simpler = bm.diagnose(fit).simpler
    assert simpler is not None
    for _, row in simpler.table.iterrows():
        assert row["AIC"] == pytest.approx(fit.model.replace(formula=row["formula"]).fit("ml").aic, abs=SAME_FIT)


def test_work_that_is_limited_ends_and_says_so(maximal: Any) -> None:
    fit, _ = maximal
    directions = null_directions(fit)
    work = Work(4)
    assert directions and len(profile(fit, directions[0], work)) < len(RISES) and work.done < 30
    none = Work(0)
    assert len(simpler_formulas(fit, (), none).table) == 1 and none.done == 0


def test_profiles_reach_their_rises(maximal: Any) -> None:
    fit, _ = maximal
    for direction in null_directions(fit):
        rises = [rise.rise for rise in profile(fit, direction)]
        assert rises == pytest.approx(list(RISES), rel=RISE)


def test_a_bar_at_its_limit_among_others_is_left_out_first() -> None:
    """Slopes of b are none for subjects, exactly: (1 + a || subj) has the same likelihood with two parameters less."""
    rng = np.random.default_rng(5)
    table = trials(False, seed=4)
    table["y"] = table["y"] + 0.4 * rng.normal(size=len(table))
    fit = bm.Model("y ~ a * b + (a * b || subj) + (1 | item)", table).fit("reml")
    found = bm.diagnose(fit)
    assert fit.status.singular and found.simpler is not None and found.simpler.same is not None  # type: ignore[union-attr]
    row = found.simpler.row(found.simpler.same)
    assert row["difference"] > -1e-4 and row["parameters"] < fit.n_parameters  # type: ignore[union-attr]


def test_progress_is_shown_when_asked_for(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff2")).fit("ml")
    monkeypatch.setattr("bayesmixed.checks.diagnosis.diagnose.WAIT", 0.0)
    bm.diagnose(fit, progress=True)
    assert "simpler formulas" in capsys.readouterr().err
    bm.diagnose(fit, progress=False)
    assert capsys.readouterr().err == ""
