"""R-hat, effective sample sizes and BFMI: ArviZ's numbers, what theory says of simple chains, and no ArviZ in a fit."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import bayesmixed as bm
from bayesmixed.engines.sampler.diagnostics import draws_status
from bayesmixed.fits.convergence import TAILS, bfmi, convergence

SAME = 1e-10  # relative: the sums are taken in another order
ROUGH = 0.2  # relative error of an effective size over 20 simulated chains: 0.06 each
RNG = np.random.default_rng(5)


def autoregressive(rho: float, shape: tuple[int, ...] = (4, 1000, 20)) -> np.ndarray:
    """Chains (chains, draws, m) whose autocorrelation at lag t is rho^t."""
    noise = RNG.standard_normal(shape)
    chains = noise.copy()
    for t in range(1, shape[1]):
        chains[:, t] = rho * chains[:, t - 1] + np.sqrt(1 - rho**2) * noise[:, t]
    return chains


def with_repeats(shape: tuple[int, ...] = (4, 1000, 10)) -> np.ndarray:
    """Chains that stay where they are in a fifth of their moves, as rejected proposals make them."""
    chains = RNG.standard_normal(shape)
    for t in range(1, shape[1]):
        chains[:, t] = np.where(RNG.random(shape[::2]) < 0.2, chains[:, t - 1], chains[:, t])
    return chains


CHAINS = {
    "independent": RNG.standard_normal((4, 1000, 20)),
    "slow": autoregressive(0.95),
    "antithetic": autoregressive(-0.8),
    "random walk": np.cumsum(RNG.standard_normal((4, 500, 10)), axis=1),
    "repeats": with_repeats(),
    "counts": RNG.poisson(3.0, (3, 400, 10)).astype(float),
    "heavy tails": RNG.standard_cauchy((4, 777, 10)),
    "apart": RNG.standard_normal((4, 500, 10)) + np.arange(4)[:, None, None],
    "constant": np.ones((4, 100, 2)),
    "stuck": np.arange(4.0)[:, None, None] * np.ones((4, 100, 2)),
    **{f"{n} draws": RNG.standard_normal((2, n, 30)) for n in (4, 5, 7, 10, 33)},
}


@pytest.mark.parametrize("name", CHAINS)
def test_the_numbers_are_arvizs(name: str) -> None:
    found = convergence(CHAINS[name])
    expected = arviz_convergence(CHAINS[name])
    for ours, theirs in zip((found.rhat, found.ess_bulk, found.ess_tail), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=SAME)


@pytest.mark.filterwarnings("ignore")
def arviz_convergence(draws: np.ndarray) -> list[np.ndarray]:
    """R-hat, bulk and tail size by either generation; 1.x has other tails unless told."""
    import arviz as az

    data = xr.Dataset({"x": (("chain", "draw", "scalar"), draws)})
    with np.errstate(invalid="ignore", divide="ignore"):
        found = [az.rhat(data), az.ess(data, method="bulk"), az.ess(data, method="tail", prob=TAILS)]
    return [each["x"].to_numpy() for each in found]


def test_bfmi_is_arvizs() -> None:
    az = pytest.importorskip("arviz")
    energy = autoregressive(0.5, (4, 300))
    if az.__version__.startswith("0"):
        expected = az.bfmi(energy)
    else:
        stats = xr.Dataset({"energy": (("chain", "draw"), energy)})
        expected = az.bfmi(xr.DataTree.from_dict({"/sample_stats": stats}))["energy"].to_numpy()
    np.testing.assert_allclose(bfmi(energy), expected, rtol=SAME)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_an_autoregressive_chain_is_worth_what_theory_says(rho: float) -> None:
    """The autocorrelations sum to (1 + rho) / (1 - rho)."""
    draws = autoregressive(rho)
    expected = 4000 * (1 - rho) / (1 + rho)
    assert np.mean(convergence(draws).ess_bulk) == pytest.approx(expected, rel=ROUGH)


def test_only_ranks_matter() -> None:
    draws = autoregressive(0.5)
    found, bent = convergence(draws), convergence(np.exp(draws))
    np.testing.assert_array_equal(found.ess_bulk, bent.ess_bulk)
    np.testing.assert_array_equal(found.ess_tail, bent.ess_tail)


def test_scalars_do_not_depend_on_their_neighbours() -> None:
    draws = np.concatenate([CHAINS["independent"], with_repeats(), autoregressive(0.9)], axis=2)
    found = convergence(draws)
    for j in (0, 25, 49):
        alone = convergence(draws[:, :, j : j + 1])
        assert found.ess_bulk[j] == pytest.approx(alone.ess_bulk[0], rel=SAME)
        assert found.rhat[j] == pytest.approx(alone.rhat[0], rel=SAME)


def test_a_single_chain_is_split() -> None:
    drifting = np.linspace(0, 3, 1000)[None, :, None] + RNG.standard_normal((1, 1000, 1))
    assert convergence(drifting).rhat[0] > 1.1
    assert convergence(RNG.standard_normal((1, 1000, 1))).rhat[0] < 1.02


def test_chains_of_different_spread_are_seen_by_the_folded_ranks() -> None:
    draws = RNG.standard_normal((4, 1000, 1)) * np.array([1, 1, 1, 3])[:, None, None]
    assert convergence(draws).rhat[0] > 1.05


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_draws_that_are_not_finite_have_no_answer(broken: float) -> None:
    draws = RNG.standard_normal((4, 100, 3))
    draws[2, 50, 1] = broken
    found = convergence(draws)
    for values in (found.rhat, found.ess_bulk, found.ess_tail):
        assert np.array_equal(np.isnan(values), [False, True, False])


def test_three_draws_are_too_few_and_shapes_are_kept() -> None:
    assert np.all(np.isnan(convergence(np.ones((4, 3, 2))).ess_bulk))
    assert convergence(RNG.standard_normal((2, 10, 3, 0))).rhat.shape == (3, 0)
    assert convergence(RNG.standard_normal((2, 10))).rhat.shape == ()


def dataset(**draws: np.ndarray) -> xr.Dataset:
    """Variables whose last dimension is the level of a factor where they have one."""
    dims = ("chain", "draw", "g__factor_dim")
    return xr.Dataset({name: (dims[: values.ndim], values) for name, values in draws.items()})


def statistics(shape: tuple[int, int] = (4, 1000)) -> xr.Dataset:
    return dataset(energy=RNG.standard_normal(shape), diverging=np.zeros(shape, bool), tree_depth=np.full(shape, 3))


def test_constants_are_left_out_and_broken_draws_are_named() -> None:
    draws = RNG.standard_normal((4, 1000))
    good = draws_status("explicit", dataset(a=draws, held=np.ones((4, 1000))), statistics(), bm.NUTS())
    assert good.problems == () and good.max_rhat < 1.01 and good.min_ess_bulk < 4500
    assert good.mean_tree_depth == 3 and good.share_at_max_depth == 0
    broken = draws_status("explicit", dataset(a=draws, b=np.full((4, 1000), np.nan)), statistics(), bm.NUTS())
    assert "Draws of b are not finite" in broken.problems[0]
    assert np.isnan(broken.max_rhat) and np.isnan(broken.min_ess_bulk)


def test_levels_may_exceed_what_population_parameters_may_not() -> None:
    """1.015 is too much for a coefficient; among hundreds of levels it is chance."""
    draws = RNG.standard_normal((4, 1000))
    draws = draws - draws.mean(axis=1, keepdims=True) + np.array([0.23, 0.0, -0.23, 0.0])[:, None]
    assert 1.01 < convergence(draws).rhat < 1.02
    level = draws_status("explicit", dataset(a=draws[..., None]), statistics(), bm.NUTS())
    coefficient = draws_status("explicit", dataset(a=draws), statistics(), bm.NUTS())
    assert level.problems == () and "R-hat of a is 1.01" in coefficient.problems[0]


def test_the_remedy_for_low_energy_depends_on_the_route() -> None:
    stats = statistics().assign(energy=(("chain", "draw"), np.cumsum(RNG.standard_normal((4, 1000)), axis=1)))
    draws = dataset(a=RNG.standard_normal((4, 1000)))
    (explicit,) = draws_status("explicit", draws, stats, bm.NUTS()).problems
    (collapsed,) = draws_status("collapsed, full (tail of 0 columns)", draws, stats, bm.NUTS()).problems
    assert "bm.NUTS(centered=False)" in explicit and "tune=2000" in explicit
    assert "centered" not in collapsed and "tighter priors" in collapsed


def test_a_handful_of_draws_is_not_judged() -> None:
    status = draws_status("explicit", dataset(a=np.ones((1, 3))), statistics((1, 3)), bm.NUTS(draws=3))
    assert "3 draws per chain cannot be judged" in status.problems[0]


def test_a_fit_and_its_summary_do_not_load_arviz() -> None:
    script = """
import json, sys
import bayesmixed as bm
model = bm.Model("Reaction ~ Days + (1 | Subject)", bm.load_data("sleepstudy"))
fit = model.fit(bm.NUTS(draws=20, tune=20, chains=2), seed=1)
text = str(fit) + repr(fit.status)
print(json.dumps(["Tree depth: mean" in text and "Min BFMI" in text, "arviz" in sys.modules]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == [True, False]
