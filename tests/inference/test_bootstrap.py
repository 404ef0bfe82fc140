"""The bootstrap: what its kinds preserve, its intervals, its seeds and failures, and what it refuses."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.errors import FitError
from bayesmixed.inference.bootstrap.case import CaseRefits, Cases, refitted_on
from bayesmixed.inference.bootstrap.jackknife import left_out
from bayesmixed.inference.bootstrap.limits import acceleration, bca, percentile
from bayesmixed.inference.bootstrap.residual import Reflated
from bayesmixed.inference.bootstrap.wild import Wild
from bayesmixed.inference.replicates.redraw import Parametric
from bayesmixed.inference.replicates.rows import without_level
from bayesmixed.inference.replicates.run import Workers, children, run

TOGETHER = 1e-10  # of what the same replicate gives in other batches and processes
MONTE_CARLO = 4.0  # standard errors


@pytest.fixture(scope="module")
def sleep() -> Any:
    return bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")


@pytest.fixture(scope="module")
def boot(sleep: Any) -> Any:
    return bm.bootstrap(sleep, 400, seed=1)


def generators(n: int) -> list[np.random.Generator]:
    return children(7, range(n))


def test_a_replicate_depends_on_the_seed_and_its_number_alone(sleep: Any, boot: Any) -> None:
    few = bm.bootstrap(sleep, 20, seed=1)
    assert np.max(np.abs(few.draws / boot.draws.iloc[:20] - 1)) < TOGETHER
    other = bm.bootstrap(sleep, 20, seed=2)
    assert not np.any(other.draws == few.draws)
    drawn = Parametric(sleep).responses(children(1, range(3, 4)))
    (third,) = sleep.engine.refitter(sleep).refits(drawn).parameters.beta[0]
    assert third == pytest.approx(boot.draws.loc[3, ["Intercept", "Days"]].to_numpy(), rel=TOGETHER)


def test_processes_change_nothing(sleep: Any, boot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bayesmixed.inference.replicates.run.MANY", 20)
    two = bm.bootstrap(sleep, 40, seed=1, n_jobs=2)
    assert np.max(np.abs(two.draws / boot.draws.iloc[:40] - 1)) < TOGETHER


def test_a_cluster_changes_nothing(sleep: Any, boot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("bayesmixed.inference.replicates.run.MANY", 20)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        two = bm.bootstrap(sleep, 40, seed=1, client=client)
    assert np.max(np.abs(two.draws / boot.draws.iloc[:40] - 1)) < TOGETHER


class Interrupted:
    """A task that is interrupted in its third part."""

    together, rows = True, 1

    def __call__(self, numbers: range) -> list[int]:
        if 4 in numbers:
            raise KeyboardInterrupt
        return list(numbers)


def test_an_interruption_keeps_what_is_done() -> None:
    done = run(Interrupted(), 10, Workers(progress=False), batch=2)
    assert done.interrupted
    assert done.parts == ([0, 1], [2, 3])
    assert done.numbers.tolist() == [0, 1, 2, 3]
    with pytest.raises(KeyboardInterrupt):
        run(Interrupted(), 10, Workers(progress=False))


def test_a_fit_survives_the_way_to_another_process(sleep: Any) -> None:
    there = pickle.loads(pickle.dumps(sleep))
    assert there.engine.refitter(there).refits(sleep.simulate(1, seed=1)).converged.all()


def test_replicates_of_coefficients_vary_as_their_standard_errors_say(boot: Any, sleep: Any) -> None:
    said = sleep.coefficients["se"]
    error = said / np.sqrt(2 * len(boot.draws))
    # lme4's standard errors ignore that theta is estimated, which adds little here
    assert (np.abs(boot.se[["Intercept", "Days"]] - said) < MONTE_CARLO * error + 0.02 * said).all()
    assert (np.abs(boot.bias[["Intercept", "Days"]]) < MONTE_CARLO * said / np.sqrt(len(boot.draws))).all()


def test_an_ordinary_linear_model_follows_its_exact_laws() -> None:
    frame = pd.DataFrame({"x": np.linspace(0, 1, 20), "y": np.random.default_rng(1).standard_normal(20)})
    fit = bm.Model("y ~ x", frame).fit("ml")
    boot = bm.bootstrap(fit, 400, seed=1)
    chisq = 20 * (boot.draws["sigma"] / fit.sigma) ** 2  # n sigma_hat^2 / sigma^2 ~ chi2(n - p)
    assert abs(chisq.mean() - 18) < MONTE_CARLO * np.sqrt(2 * 18 / 400)
    pivot = (boot.draws["x"] - fit.fixef()["x"]) / (boot.draws["sigma"] * fit.coefficients["se"]["x"] / fit.sigma)
    t = pivot * np.sqrt(18 / 20)
    assert abs(np.mean(np.abs(t) > 2.100922) - 0.05) < MONTE_CARLO * np.sqrt(0.05 * 0.95 / 400)


def test_residual_replicates_have_the_estimated_second_moments(sleep: Any) -> None:
    pool = Reflated.of(sleep)
    (effects,) = pool.effects
    assert effects.mean(axis=0) == pytest.approx(np.zeros(2), abs=1e-9)
    assert effects.T @ effects / 18 == pytest.approx(sleep.parameters.covariance(0)[0, 0])
    assert np.sqrt(np.mean(pool.errors**2)) == pytest.approx(sleep.sigma)


def test_a_variance_of_zero_stays_zero_among_residual_replicates() -> None:
    fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff2")).fit("ml")
    assert np.all(Reflated.of(fit).effects[0] == 0)


def test_wild_replicates_keep_the_signs_of_a_level_together(sleep: Any) -> None:
    wild = Wild.of(sleep)
    y = wild.responses(generators(5))
    ratio = (y - wild.mean) / wild.residuals
    assert np.abs(ratio) == pytest.approx(np.ones_like(ratio))
    by_level = [np.ptp(ratio[:, wild.codes == level], axis=1) for level in range(18)]
    assert np.max(by_level) < 1e-9
    few = Wild(wild.mean, wild.residuals, wild.codes % 6, 6)
    weights = np.array([few._weights(rng) for rng in generators(4000)])
    assert np.mean(weights**2) == pytest.approx(1.0, abs=0.02)
    assert len(np.unique(weights)) == 6


def test_case_replicates_keep_the_rows_of_a_level_together(sleep: Any) -> None:
    codes = sleep.model.design.groups[0].codes
    drawn = Cases.of(sleep, None).sample(np.random.default_rng(1))
    assert len(drawn.rows) == 180
    for level in range(18):
        rows = drawn.rows[drawn.levels["Subject"] == level]
        assert len(np.unique(codes[rows])) == 1
        assert sorted(rows) == sorted(np.flatnonzero(codes == codes[rows[0]]))
    boot = bm.bootstrap(sleep, 8, "case", seed=1)
    assert len(boot.draws) == 8
    inner = Cases.of(sleep, {"Subject": False, "rows": True}).sample(np.random.default_rng(1))
    assert np.array_equal(codes[inner.rows], inner.levels["Subject"])


def test_counting_levels_is_fitting_their_rows(sleep: Any) -> None:
    cases, numbers = Cases.of(sleep, None), range(6)
    (found,) = CaseRefits(sleep, cases, 1, 180)(numbers)
    for i, rng in enumerate(children(1, numbers)):
        alone = refitted_on(sleep, cases.sample(rng))
        assert alone is not None
        assert found.loglik[i] == pytest.approx(alone.loglik, abs=1e-7)
        assert found.theta[i] == pytest.approx(alone.theta, abs=1e-4)
        assert found.parameters.beta[0, i] == pytest.approx(alone.beta, abs=1e-4)
    levels = without_level(sleep.model, sleep.model.design.groups[0].codes, 3)
    alone = refitted_on(sleep, levels)
    assert alone is not None
    out = left_out(sleep, None)
    assert out.iloc[3][["Intercept", "Days"]].to_numpy() == pytest.approx(alone.beta, abs=1e-5)
    asked = left_out(sleep, lambda fit: fit.sigma)
    assert asked["statistic"].to_numpy() == pytest.approx(out["sigma"].to_numpy(), rel=1e-5)


def test_cases_that_leave_a_coefficient_undetermined_are_failures() -> None:
    frame = bm.load_data("sleepstudy")
    subjects = frame["Subject"].unique()
    frame["kind"] = np.where(frame["Subject"] == subjects[0], "a", np.where(frame["Subject"] == subjects[1], "b", "c"))
    fit = bm.Model("Reaction ~ kind + Days + (1 | Subject)", frame).fit("ml")
    boot = bm.bootstrap(fit, 40, "case", seed=1)
    cases = Cases.of(fit, None)
    missing = np.any(cases.counts(children(1, range(40)))[:, :2] == 0, axis=1)
    assert sorted(boot.failures) == np.flatnonzero(missing).tolist()
    assert "More than 5 % failed" in str(boot)


def test_case_replicates_of_nested_factors_rename_inner_levels() -> None:
    fit = bm.Model("strength ~ 1 + (1 | batch/cask)", bm.load_data("Pastes")).fit("ml")
    drawn = Cases.of(fit, {"batch": True, "batch:cask": True}).sample(np.random.default_rng(1))
    pairs = np.unique(np.column_stack([drawn.levels["batch:cask"], drawn.levels["batch"]]), axis=0)
    assert len(pairs) == 30  # every inner level lies in one outer level
    assert len(bm.bootstrap(fit, 4, "case", seed=1, resample={"batch": True}).draws) == 4


def test_intervals_of_a_known_sample() -> None:
    values = np.arange(1.0, 200.0)
    assert percentile(0.0, values, 0.95, None) == pytest.approx((5.0, 195.0))
    even = np.array([-1.0, 1.0])
    assert acceleration(even) == 0.0
    assert bca(100.0, values, 0.95, even) == pytest.approx((5.0, 195.0))  # no bias and no acceleration
    shifted = bca(90.0, values, 0.95, even)
    assert shifted[0] < 5.0
    assert shifted[1] < 195.0


def test_every_interval_holds_the_estimate(boot: Any) -> None:
    for kind in ("percentile", "basic", "normal", "bca"):
        frame = boot.confint(kind, level=0.9).frame
        assert frame.columns.tolist() == ["lower", "upper", "kind"]
        inner = frame.drop(index="cor(Intercept, Days | Subject)")
        assert (inner["lower"] < boot.estimate[inner.index]).all()
        assert (inner["upper"] > boot.estimate[inner.index]).all()
    assert "bca" in str(boot.confint("bca", which="Days"))


def test_corrected_limits_beyond_the_replicates_are_told(sleep: Any) -> None:
    few = bm.bootstrap(sleep, 50, seed=1)
    assert any("outermost replicate" in note for note in few.confint("bca", which="sd(Days | Subject)").notes)
    for kind, level in (("percentile", 0.95), ("bca", 0.5)):
        assert not any("outermost replicate" in note for note in few.confint(kind, level=level).notes)


def test_a_statistic_may_be_a_function_or_names(sleep: Any, boot: Any) -> None:
    ratio = bm.bootstrap(sleep, 5, seed=1, statistic=lambda fit: {"ratio": fit.fixef()["Days"] / fit.sigma})
    expected = boot.draws["Days"] / boot.draws["sigma"]
    assert ratio.draws["ratio"].to_numpy() == pytest.approx(expected.iloc[:5].to_numpy(), rel=1e-5)
    named = bm.bootstrap(sleep, 5, seed=1, statistic=["Days", "sigma"])
    assert named.draws.columns.tolist() == ["Days", "sigma"]
    with pytest.raises(FitError, match="Days"):
        bm.bootstrap(sleep, 5, seed=1, statistic="Day")


def test_a_function_that_cannot_be_sent_is_refused(sleep: Any) -> None:
    with pytest.raises(FitError, match="no lambda"):
        bm.bootstrap(sleep, 200, seed=1, statistic=lambda fit: fit.sigma, n_jobs=2)


def test_a_statistic_that_raises_is_a_failure_with_its_number(sleep: Any) -> None:
    def fragile(fit: Any) -> float:
        if fit.fixef()["Days"] > 11:
            raise ZeroDivisionError("too steep")
        return float(fit.sigma)

    boot = bm.bootstrap(sleep, 12, seed=1, statistic=fragile)
    assert 0 < len(boot.failures) < 12
    assert len(boot.draws) + len(boot.failures) == 12
    first = min(boot.failures)
    assert f"first {first}: ZeroDivisionError: too steep" in str(boot)
    assert "More than 5 % failed" in str(boot)


def test_boundary_estimates_are_kept_and_said() -> None:
    fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff2")).fit("ml")
    boot = bm.bootstrap(fit, 100, seed=1)
    zero = boot.draws["sd(Intercept | Batch)"] < 1e-4
    assert boot.boundary == pytest.approx(zero.mean())
    assert 0.3 < boot.boundary < 0.9
    assert "on the boundary" in str(boot)


def test_effects_may_be_held(sleep: Any) -> None:
    held = bm.bootstrap(sleep, 100, seed=1, re="all")
    assert held.se["Days"] < 0.6 * sleep.coefficients["se"]["Days"]


def test_few_replicates_are_said_to_be_few(boot: Any, sleep: Any) -> None:
    assert "n=39" in str(bm.bootstrap(sleep, 20, seed=1, statistic="Days"))
    assert "Ask for" not in str(boot)


REFUSALS = [
    ("cbpp", "residual", {}, 'kind="parametric"'),
    ("cbpp", "wild", {}, 'kind="parametric"'),
    ("penicillin", "case", {}, "crossed"),
    ("penicillin", "wild", {}, "crossed"),
    ("sleep", "reb", {}, "not offered"),
    ("sleep", "parametrik", {}, "parametric"),
    ("sleep", "residual", {"re": "all"}, "parametric"),
    ("sleep", "parametric", {"resample": {"Subject": True}}, "resample="),
    ("sleep", "case", {"resample": {"Subjekt": True}}, "Subject"),
    ("sleep", "case", {"resample": {"Subject": False}}, "draws nothing"),
    ("sleep", "parametric", {"n": 1}, "at least 2"),
    ("sleep", "parametric", {"n_jobs": 0}, "n_jobs"),
    ("sleep", "parametric", {"n": 10**9}, "GB"),
]


@pytest.fixture(scope="module")
def fits(sleep: Any) -> dict[str, Any]:
    cbpp = bm.Model("prop(incidence, size) ~ period + (1 | herd)", bm.load_data("cbpp"), family="binomial")
    penicillin = bm.Model("diameter ~ 1 + (1 | plate) + (1 | sample)", bm.load_data("Penicillin"))
    return {"sleep": sleep, "cbpp": cbpp.fit("ml"), "penicillin": penicillin.fit("ml")}


@pytest.mark.parametrize(("name", "kind", "options", "words"), REFUSALS)
def test_what_cannot_be_is_refused_with_the_alternative(
    fits: dict[str, Any], name: str, kind: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(FitError, match=words):
        bm.bootstrap(fits[name], kind=kind, seed=1, **({"n": 5} | options))


def test_bca_of_crossed_factors_is_refused(fits: dict[str, Any]) -> None:
    boot = bm.bootstrap(fits["penicillin"], 50, seed=1)
    with pytest.raises(FitError, match='kind="percentile"'):
        boot.confint("bca")
    with pytest.raises(FitError, match="percentile"):
        boot.confint("percentil")
    with pytest.raises(FitError, match="between 0 and 1"):
        boot.confint(level=95)


def test_draws_are_refused(sleep: Any) -> None:
    draws = sleep.model.fit("laplace", seed=1)
    with pytest.raises(FitError, match=r'model\.fit\("ml"\)'):
        bm.bootstrap(draws, 5)
    with pytest.raises(FitError, match="takes a fit"):
        bm.bootstrap(sleep.model, 5)


def test_a_correlation_that_does_not_exist_is_said() -> None:
    fit = bm.Model("score ~ Machine + (Machine | Worker)", bm.load_data("Machines")).fit("ml")
    boot = bm.bootstrap(fit, 60, seed=1)
    some = boot.draws.isna().any()
    assert all((f"{name} does not exist" in str(boot)) == missing for name, missing in some.items())


def test_cases_of_a_model_without_groups_are_its_rows() -> None:
    fit = bm.Model("Reaction ~ Days", bm.load_data("sleepstudy")).fit("ml")
    drawn = Cases.of(fit, None).sample(np.random.default_rng(1))
    assert len(drawn.rows) == 180
    assert len(np.unique(drawn.rows)) < 180
    assert len(bm.bootstrap(fit, 5, "case", seed=1).draws) == 5
    with pytest.raises(FitError, match="no groups"):
        bm.bootstrap(fit, 5, "case", seed=1, resample={"Subject": True})


def test_a_model_without_coefficients_is_replicated() -> None:
    fit = bm.Model("Reaction ~ 0 + (1 | Subject)", bm.load_data("sleepstudy")).fit("ml")
    assert bm.bootstrap(fit, 10, seed=1).draws.columns.tolist() == ["sd(Intercept | Subject)", "sigma"]
