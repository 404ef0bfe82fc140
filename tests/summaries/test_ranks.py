"""Ranks of levels: closed forms of a balanced layout, draws of a posterior, ties, and what depends on the origin."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.special import ndtr
from scipy.stats import norm

import bayesmixed as bm
from bayesmixed.errors import FitError, NoSuchOption
from bayesmixed.summaries.pooled import level_effects

DRAWS = 40_000
PROBABILITY = 4.5 * 0.5 / np.sqrt(DRAWS)  # so many standard errors of a share of draws


@cache
def yields() -> Any:
    return bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")


@cache
def sleep() -> Any:
    return bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")


@cache
def posterior() -> Any:
    return sleep().model.fit(bm.Laplace(draws=200), seed=1)


def separate(fit: Any, n: int) -> tuple[np.ndarray, float]:
    """Modes and the sd of what the levels of a balanced one-way layout do not share.

    Given the mean their effects are independent with variance tau^2 sigma^2 / (n tau^2 + sigma^2) (Searle, Casella &
    McCulloch 1992, 3.4); the error of the mean moves all of them alike, and no rank.
    """
    tau2, sigma2 = fit.varcorr()["sd"][0] ** 2, fit.sigma**2
    return fit.ranef()["Batch"]["Intercept"].to_numpy(), np.sqrt(tau2 * sigma2 / (n * tau2 + sigma2))


def among_two_best(modes: np.ndarray, sd: float, i: int) -> float:
    """P(none or one of the others is higher), by quadrature over the effect of level i."""
    others = np.delete(modes, i)

    def density(z: float) -> float:
        below = ndtr((z - others) / sd)
        none = np.prod(below)
        return float(norm.pdf(z, modes[i], sd) * (none + np.sum(none / below * (1 - below))))

    return quad(density, modes[i] - 10 * sd, modes[i] + 10 * sd, epsabs=1e-10)[0]


def test_ranks_of_a_point_fit_are_those_of_the_joint_normal_of_its_errors() -> None:
    modes, sd = separate(yields(), n=5)
    ranked = bm.ranks(yields(), "Batch", k=2, draws=DRAWS, seed=1)
    frame = ranked.frame.set_index("level").loc[list(ranked.levels)]
    above = ndtr((modes[None, :] - modes[:, None]) / (np.sqrt(2) * sd))
    np.testing.assert_allclose(frame["rank"], 0.5 + above.sum(axis=1), atol=5 * PROBABILITY)  # five others
    expected = [among_two_best(modes, sd, i) for i in range(6)]
    np.testing.assert_allclose(frame["p_best"], expected, atol=PROBABILITY)
    assert sum(expected) == pytest.approx(2, abs=1e-6)
    np.testing.assert_allclose(frame["estimate"], modes)


def test_a_difference_of_two_levels_leaves_out_what_they_share() -> None:
    modes, sd = separate(yields(), n=5)
    row = bm.ranks(yields(), draws=DRAWS, seed=2).difference("A", "D").frame.loc["A - D"]
    mean, spread = modes[0] - modes[3], np.sqrt(2) * sd
    assert row["estimate"] == pytest.approx(mean, abs=4.5 * spread / np.sqrt(DRAWS))
    assert row["p_above"] == pytest.approx(ndtr(mean / spread), abs=PROBABILITY)
    ends = norm.ppf([0.025, 0.975], mean, spread)
    np.testing.assert_allclose([row["lower"], row["upper"]], ends, atol=0.03 * spread)  # 4.5 se of a quantile


def test_ranks_of_draws_are_counted_in_them() -> None:
    fit, b = posterior(), posterior().parameters.b[0].reshape(-1, 18, 2)
    ranked = bm.ranks(fit, "Subject", "Days", k=3, level=0.8)
    counted = 1 + (b[:, None, :, 1] > b[:, :, None, 1]).sum(axis=2)
    frame = ranked.frame.set_index("level").loc[list(ranked.levels)]
    np.testing.assert_allclose(frame["rank"], counted.mean(axis=0))
    np.testing.assert_allclose(frame["p_best"], (counted <= 3).mean(axis=0))
    for name, share in (("rank_lower", 0.1), ("rank_upper", 0.9)):
        ordered = np.sort(counted, axis=0)[int(np.ceil(share * 200)) - 1]
        np.testing.assert_array_equal(frame[name], ordered)
    assert "200 draws" in str(ranked) and "held" not in str(ranked)


def test_the_lowest_first_is_the_order_reversed() -> None:
    high, low = (bm.ranks(posterior(), k=4, highest=highest).frame for highest in (True, False))
    both = high.merge(low, on="level")
    np.testing.assert_allclose(both["rank_x"] + both["rank_y"], 19)
    assert high["level"].iloc[0] == low["level"].iloc[-1]


@pytest.mark.parametrize("shift", [-4.5, 100.0])
def test_lines_ranked_at_a_day_do_not_depend_on_the_origin(shift: float) -> None:
    data = bm.load_data("sleepstudy").assign(Days=lambda d: d["Days"] + shift)
    moved = bm.Model("Reaction ~ Days + (Days | Subject)", data).fit("reml")
    here = bm.ranks(sleep(), column={"Intercept": 1, "Days": 5}, draws=DRAWS, seed=1).frame.set_index("level")
    there = bm.ranks(moved, column={"Intercept": 1, "Days": 5 + shift}, draws=DRAWS, seed=2).frame.set_index("level")
    np.testing.assert_allclose(there.loc[here.index, "estimate"], here["estimate"], rtol=1e-3, atol=1e-2)  # two optima
    np.testing.assert_allclose(there.loc[here.index, "p_best"], here["p_best"], atol=2 * PROBABILITY)


def test_an_intercept_beside_slopes_says_where_it_is_ranked() -> None:
    assert "Ranked where Days = 0; column={'Intercept': 1, 'Days': 4.5} ranks at the average row." in str(
        bm.ranks(sleep(), seed=1)
    )
    for ranked in (bm.ranks(sleep(), column="Days", seed=1), bm.ranks(yields(), seed=1)):
        assert "Ranked where" not in str(ranked)


def test_effects_of_a_nested_factor_are_said_to_be_without_those_around_it() -> None:
    fit = bm.Model("strength ~ 1 + (1 | batch/cask)", bm.load_data("Pastes")).fit("reml")
    assert "Effects of batch:cask alone, without those of batch in which it is nested." in str(
        bm.ranks(fit, "cask:batch", seed=1)
    )
    crossed = bm.Model("diameter ~ 1 + (1 | plate) + (1 | sample)", bm.load_data("Penicillin")).fit("reml")
    for ranked in (bm.ranks(fit, "batch", seed=1), bm.ranks(crossed, "sample", seed=1)):
        assert "nested" not in str(ranked)


def test_levels_without_a_spread_are_tied() -> None:
    ranked = bm.ranks(bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff2")).fit("reml"), k=2)
    assert ranked.frame["rank"].eq(3.5).all() and np.allclose(ranked.frame["p_best"], 1 / 3)
    assert ranked.frame["rank_lower"].eq(1).all() and ranked.frame["rank_upper"].eq(6).all()
    assert ranked.difference("A", "B").frame["p_above"].item() == 0.5
    assert "sd of Intercept is 0: all levels are alike" in str(ranked)


@pytest.mark.parametrize(("family", "link", "falls"), [("poisson", None, False), ("gamma", "inverse", True)])
def test_generalized_models_are_ranked_and_a_falling_link_is_named(family: str, link: str | None, falls: bool) -> None:
    rng, g = np.random.default_rng(5), np.repeat(np.arange(8), 12)
    mean = np.exp(1.5 + 0.5 * rng.normal(size=8))[g]
    y = rng.poisson(mean) if family == "poisson" else rng.gamma(5, mean / 5)
    fit = bm.Model("y ~ 1 + (1 | g)", pd.DataFrame({"y": y, "g": g}), family=family, link=link).fit("ml")
    ranked = bm.ranks(fit, k=1, seed=1)
    modes = fit.ranef()["g"]["Intercept"]
    assert ranked.frame["level"].iloc[0] == modes.idxmax() and ranked.frame["p_best"].sum() == pytest.approx(1)
    assert ("The link falls" in str(ranked)) == falls


def test_draws_made_in_parts_are_as_many_and_all_different(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bm.ranks(yields(), draws=50, seed=1).draws
    monkeypatch.setattr(level_effects, "CHUNK", 60)
    chunked = bm.ranks(yields(), draws=50, seed=1).draws
    assert chunked.shape == whole.shape == (50, 6) and len(np.unique(chunked[:, 0])) == 50


def test_a_page_of_many_levels_holds_both_ends() -> None:
    rng, g = np.random.default_rng(6), np.repeat(np.arange(60), 4)
    data = pd.DataFrame({"y": rng.normal(size=60)[g] + rng.normal(size=240), "g": g})
    ranked = bm.ranks(bm.Model("y ~ 1 + (1 | g)", data).fit("reml"), seed=1)
    assert ranked.k == 6 and len(ranked.frame) == 60
    assert "20 levels between are left out; .frame has them all." in str(ranked)
    assert "P(best 6)" in ranked._repr_html_()


def test_mistakes_are_answered() -> None:
    ranked = bm.ranks(sleep(), seed=1)
    for call, message in (
        (lambda: bm.ranks(sleep(), "Subjct"), "group='Subjct' is not a grouping factor.*Did you mean 'Subject'"),
        (lambda: bm.ranks(sleep(), column="Dais"), "'Dais' does not vary by Subject. Did you mean 'Days'"),
        (lambda: bm.ranks(sleep(), column={"Days": "five"}), "weight of 'Days' is no number"),
        (lambda: bm.ranks(sleep(), column={"Days": 0}), "gives no column a weight. Columns: Intercept, Days"),
        (lambda: bm.ranks(sleep(), k=19), "k=19: give a whole number from 1 to the 18 levels"),
        (lambda: bm.ranks(sleep(), level=95), "level=95 is not between 0 and 1"),
        (lambda: bm.ranks(sleep(), draws=0), "draws must be a whole number"),
        (lambda: bm.ranks(sleep(), draws=10**9), "take 144.0 GB. Draw fewer"),
        (lambda: bm.ranks(sleep().model), r'ranks is of a fit.*model.fit\("reml"\)'),
        (lambda: ranked.difference("308", "3081"), "'3081' is not a level of Subject. Did you mean '308'"),
    ):
        with pytest.raises(FitError, match=message):
            call()
    with pytest.raises(FitError, match=r"no levels to rank. Add a bar: .* \+ \(1 \| g\)"):
        bm.ranks(bm.Model("Reaction ~ Days", bm.load_data("sleepstudy")).fit("ml"))
    with pytest.raises(NoSuchOption, match="ranks has no argument 'best'"):
        bm.ranks(sleep(), best=3)


def test_the_picture_takes_a_fit_or_its_ranks() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib import pyplot

    ranked = bm.ranks(yields(), k=2, seed=1)
    picture = bm.plot.ranks(ranked)
    pd.testing.assert_frame_equal(picture.frame, ranked.frame)
    assert [text.get_text() for text in picture.axes[0].get_yticklabels()] == list(ranked.frame["level"][::-1])
    pd.testing.assert_frame_equal(bm.plot.ranks_frame(yields(), "Batch", k=2, seed=1), ranked.frame)
    pyplot.close("all")
