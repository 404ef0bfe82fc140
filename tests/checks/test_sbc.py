"""Calibration: ranks are uniform for exact samplers only, the envelope keeps its level, no failure goes uncounted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.checks.calibration import uniform
from bayesmixed.engines import Engine
from bayesmixed.engines.machine.replicates import over_replicates
from bayesmixed.errors import DataError, FitError, ModelError
from bayesmixed.fits.draws import DrawsFit
from bayesmixed.fits.status import DrawsStatus
from bayesmixed.parameters.values import Parameters
from bayesmixed.priors import Normal

MONTE_CARLO = 4.0  # standard errors: one in 16,000 by chance, seeds are fixed
SIGMA = 2.0
SEED = 2  # of right samplers: the check flags one seed in twenty by design
DYESTUFF = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))


def line() -> bm.Model:
    """A regression whose posterior is normal: sigma known, normal priors."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"x": rng.normal(size=12), "y": rng.normal(size=12)})
    return bm.Model("y ~ x", table, priors={"Intercept": Normal(1, 3), "x": Normal(0, 1)}, constants={"sigma": SIGMA})


@dataclass(frozen=True)
class Exact(Engine):
    """Draws of the normal posterior of `line`, with faults on demand.

    `shift` (in posterior sds) and `stretch` spoil it, `memory` is the autocorrelation of the chain, and a mean
    response above `breaks_above` is refused.
    """

    shift: float = 0.0
    stretch: float = 1.0
    memory: float = 0.0
    breaks_above: float = np.inf
    draws: int = 150

    name = "exact"
    label = "exact"

    def fit(self, model: bm.Model, *, seed: int | None = None, progress: bool | None = None) -> DrawsFit:
        X, y = model.design.mu.X, model.design.response.y
        if y.mean() > self.breaks_above:
            raise FitError(f"the mean {y.mean():.2f} is too high")
        names = ("Intercept", "x")
        precision = np.diag([1 / model.priors[name].scale ** 2 for name in names]) + X.T @ X / SIGMA**2
        covariance = np.linalg.inv(precision)
        prior = np.array([model.priors[name].loc / model.priors[name].scale ** 2 for name in names])
        mean = covariance @ (prior + X.T @ y / SIGMA**2) + self.shift * np.sqrt(np.diag(covariance))
        noise = _chain(np.random.default_rng(seed), self.draws, len(names), self.memory)
        beta = mean + self.stretch * noise @ np.linalg.cholesky(covariance).T
        values = Parameters({"mu": beta[None]}, (), (), {"sigma": np.full((1, self.draws), SIGMA)})
        status = DrawsStatus("exact", 0, 1.0, 100.0, 100.0, 1.0, ())
        return DrawsFit(model, self, values, {}, status, seed)


def _chain(rng: np.random.Generator, draws: int, k: int, memory: float) -> np.ndarray:
    noise = rng.standard_normal((draws, k))
    for i in range(1, draws):
        noise[i] = memory * noise[i - 1] + np.sqrt(1 - memory**2) * noise[i]
    return noise


@dataclass(frozen=True)
class Noise(Engine):
    """Draws that do not matter."""

    name = "noise"
    label = "noise"

    def fit(self, model: bm.Model, *, seed: int | None = None, progress: bool | None = None) -> DrawsFit:
        beta = np.random.default_rng(seed).standard_normal((1, 100, 2))
        values = Parameters({"mu": beta}, (), (), {"sigma": np.ones((1, 100))})
        return DrawsFit(model, self, values, {}, DrawsStatus("noise", 0, 1.0, 100.0, 100.0, 1.0, ()), seed)


@dataclass(frozen=True)
class DoubledSds(Engine):
    """NUTS on a wrong program: effects with twice the sd that the prior speaks of.

    `wide` has priors of twice the scale on its sds, which are halved afterwards: the posterior of a program whose
    effects are Normal(0, (2 sd)^2).
    """

    wide: bm.Model

    name = "doubled"
    label = "doubled"

    @classmethod
    def of(cls, model: bm.Model) -> DoubledSds:
        def twice(name: str, prior: Any) -> Any:
            return replace(prior, scale=2 * prior.scale) if name.endswith("_sigma") else prior

        return cls(model.replace(priors={name: twice(name, prior) for name, prior in model.priors.items()}))

    def fit(self, model: bm.Model, *, seed: int | None = None, progress: bool | None = None) -> Any:
        simulated = self.wide.with_response(model.design.response.y)
        fit = bm.NUTS(chains=1, tune=200, draws=300).fit(simulated, seed=seed, progress=False)
        halves = tuple(factor / 2 for factor in fit.parameters.factors)
        return replace(fit, parameters=replace(fit.parameters, factors=halves))


@pytest.fixture(scope="module")
def exact() -> Any:
    return bm.sbc(line(), n=200, seed=SEED, method=Exact(), progress=False)


# ---- the envelope


@pytest.mark.parametrize("n", [20, 200])
def test_the_envelope_and_the_p_value_have_their_level(n: int) -> None:
    sets, level = 2000, 0.9
    values = np.random.default_rng(n).uniform(size=(sets, n))
    low, high = uniform.envelope(n, level)
    below = np.stack([uniform.counts(each) for each in values])
    inside = np.all((below >= low) & (below <= high), axis=1)
    error = np.sqrt(level * (1 - level) / sets)
    assert abs(inside.mean() - level) < MONTE_CARLO * error
    p = np.array([uniform.p_value(each) for each in values[:1000]])
    assert np.array_equal(p >= 1 - level - 1e-9, inside[:1000])  # the p-value is the level at which a line leaves
    assert abs(np.mean(p < 0.5) - 0.5) < MONTE_CARLO * np.sqrt(0.25 / 1000) + 1 / n


def test_one_count_is_binomial() -> None:
    """Points far apart in a set of one value: inside with probability 1 where every count is allowed."""
    assert uniform._inside(1, 0.0) == pytest.approx(1.0, abs=1e-12)
    assert uniform.p_value(np.full(200, 0.3)) < 1e-12


# ---- exact and wrong samplers


def test_ranks_of_an_exact_sampler_are_uniform(exact: Any) -> None:
    assert exact.calibrated and exact.used == exact.n == 200
    assert exact.quantities == ["Intercept", "x", "log-likelihood"]
    assert set(exact.uniformity()["reading"]) == {"uniform"}
    coverage = exact.coverage()
    assert ((coverage["lower"] <= coverage["observed"]) & (coverage["observed"] <= coverage["upper"])).mean() > 0.8


@pytest.mark.parametrize(
    ("fault", "reading"),
    [
        ({"shift": 0.5}, "draws too high"),
        ({"shift": -0.5}, "draws too low"),
        ({"stretch": 1.6}, "draws too wide"),
        ({"stretch": 0.6}, "draws too narrow"),
    ],
)
def test_a_wrong_sampler_is_caught_and_described(fault: dict[str, float], reading: str) -> None:
    result = bm.sbc(line(), n=200, seed=1, method=Exact(**fault), progress=False)
    assert not result.calibrated and "Not calibrated: the ranks of" in str(result)
    assert result.uniformity().set_index("quantity").loc["x", "reading"] == reading


def test_a_chain_with_memory_is_thinned_before_it_is_ranked() -> None:
    result = bm.sbc(line(), n=200, seed=SEED, method=Exact(memory=0.8, draws=900), progress=False)
    assert result.calibrated
    assert result.ranks["draws"].median() < 99  # of 900: memory 0.8 leaves one independent draw in nine


def test_ranks_and_positions_agree(exact: Any) -> None:
    ranks = exact.ranks
    assert ranks["rank"].between(0, ranks["draws"]).all()
    fraction = ranks["position"] * (ranks["draws"] + 1) - ranks["rank"]
    assert fraction.between(0, 1).all()


# ---- replicates


def test_the_result_does_not_depend_on_the_workers_nor_a_replicate_on_their_number() -> None:
    one = bm.sbc(line(), n=12, seed=3, method=Exact(), workers=1, progress=False)
    two = bm.sbc(line(), n=12, seed=3, method=Exact(), workers=2, progress=False)
    fewer = bm.sbc(line(), n=5, seed=3, method=Exact(), workers=2, progress=False)
    pd.testing.assert_frame_equal(one.ranks, two.ranks)
    pd.testing.assert_frame_equal(one.ranks[one.ranks["replicate"] < 5], fewer.ranks)
    assert not one.ranks.equals(bm.sbc(line(), n=12, seed=4, method=Exact(), progress=False).ranks)


def test_replicates_that_could_not_be_fitted_are_counted_and_shown() -> None:
    result = bm.sbc(line(), n=60, seed=1, method=Exact(breaks_above=2.0), progress=False)
    assert 0 < len(result.failures) < 60 and result.used == 60 - len(result.failures)
    assert set(result.failures["stage"]) == {"fitting"}
    assert result.failures["reason"].str.contains("is too high").all()
    text = str(result)
    assert f"{result.used} of 60 ranked" in text and "Replicates left out" in text and "is too high" in text


def test_replicates_that_could_not_be_simulated_are_counted_too() -> None:
    model = bm.Model("y ~ x", line().arguments.data, priors={"x": bm.priors.Cauchy(0, 1e308)}, constants={"sigma": 1})
    result = bm.sbc(model, n=20, seed=1, method=Noise(), progress=False)
    assert set(result.failures["stage"]) == {"simulating"} and 0 < len(result.failures) < 20
    assert result.failures["reason"].str.contains("The response 'y' is").all()


def test_what_cannot_be_calibrated_is_refused_by_name() -> None:
    with pytest.raises(FitError, match="ML gives estimates"):
        bm.sbc(DYESTUFF, n=2, seed=1, method="ml", progress=False)
    with pytest.raises(ModelError, match="'1|Batch_sigma'"):
        bm.sbc(DYESTUFF.replace(priors="flat"), n=2, progress=False)
    with pytest.raises(ModelError, match="give its model"):
        bm.sbc(DYESTUFF.fit("ml"))  # type: ignore[arg-type]
    with pytest.raises(FitError, match="None of 3 replicates has ranks. The first failed fitting: the mean"):
        bm.sbc(line(), n=3, seed=1, method=Exact(breaks_above=-1e9), progress=False)
    for wrong in ({"n": 0}, {"ranks": 0.5}, {"workers": 0}, {"seed": -1}):
        with pytest.raises(FitError, match=next(iter(wrong))):
            bm.sbc(line(), method=Exact(), progress=False, **wrong)


def test_an_interruption_ends_all_workers() -> None:
    begun = []

    def work(i: int, seed: np.random.SeedSequence) -> int:
        begun.append(i)
        if i == 3:
            raise KeyboardInterrupt
        return i

    with pytest.raises(KeyboardInterrupt):
        over_replicates(work, 10_000, 1, workers=2)
    assert len(begun) < 5000
    assert over_replicates(lambda i, seed: i, 5, 1, workers=2) == [0, 1, 2, 3, 4]


# ---- the same model for another response


def test_a_model_with_another_response_keeps_its_priors_and_its_design() -> None:
    sleep = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))
    other = sleep.with_response(3 * sleep.design.response.y)
    assert other.priors is sleep.priors and other.design.mu is sleep.design.mu
    again = bm.Model(sleep.formula, other.frame, priors=sleep.priors)
    assert other.fit("ml").loglik == pytest.approx(again.fit("ml").loglik, abs=1e-8)
    with pytest.raises(ModelError, match="given by with_response"):
        other.replace(priors="brms")
    for wrong in (np.ones(5), np.full(180, np.nan), np.ones(180)):
        with pytest.raises(DataError):
            sleep.with_response(wrong)


# ---- NUTS


def test_nuts_with_few_groups_is_calibrated_and_its_page_says_so() -> None:
    result = bm.sbc(DYESTUFF, n=60, seed=SEED, progress=False)
    assert result.calibrated and result.used == 60
    assert result.method == "NUTS(draws=300, tune=300, chains=1, target_accept=0.9)"
    assert "No departure from uniform ranks was found" in str(result) and "1|Batch_sigma" in result._repr_html_()


@pytest.mark.slow
def test_a_program_with_doubled_sds_fails() -> None:
    model = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))
    table = bm.sbc(model, n=100, seed=1, method=DoubledSds.of(model), progress=False).uniformity().set_index("quantity")
    assert (table.loc[["1|Subject_sigma", "Days|Subject_sigma"], "adjusted"] < 1e-3).all()
    assert set(table.loc[["1|Subject_sigma", "Days|Subject_sigma"], "reading"]) == {"draws too low"}


# ---- the picture


def test_the_picture_draws_what_its_frame_holds(exact: Any) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    frame = bm.plot.calibration_frame(exact)
    x = frame[frame["quantity"] == "x"]
    assert len(x) == uniform.PARTS + 1 and x["difference"].iloc[[0, -1]].tolist() == [0.0, 0.0]
    half = x[np.isclose(x["position"], 0.5)]
    assert half["difference"].item() == pytest.approx(np.mean(exact.positions("x") < 0.5) - 0.5)
    assert ((frame["difference"] >= frame["lower"]) & (frame["difference"] <= frame["upper"])).all()
    axes = bm.plot.calibration(exact)
    assert [ax.get_title() for ax in axes] == exact.quantities and axes[0].get_ylabel()
    axes[0].figure.canvas.draw()
    assert len(bm.plot.calibration(exact, "x", ax=plt.subplots()[1])) == 1
    plt.close("all")


def test_the_picture_refuses_what_it_cannot_draw(exact: Any) -> None:
    with pytest.raises(FitError, match="bm.sbc"):
        bm.plot.calibration(DYESTUFF)  # type: ignore[arg-type]
    with pytest.raises(FitError, match="was not ranked"):
        bm.plot.calibration(exact, "z")
    with pytest.raises(FitError, match="level"):
        bm.plot.calibration(exact, level=95)
