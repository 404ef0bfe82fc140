"""Power: exact laws where there are any, designs that are extended as they should be, and what is refused."""

from __future__ import annotations

import pickle
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmixed as bm
from bayesmixed.degrees.methods import reference
from bayesmixed.errors import FitError, ModelError
from bayesmixed.inference.power.extended import extended
from bayesmixed.inference.power.settings import Judged, PowerReplicates, settings, sizes
from bayesmixed.inference.power.smallest import monotone
from bayesmixed.inference.power.table import exact_limits
from bayesmixed.inference.power.tested import tested as hypotheses_of
from bayesmixed.inference.power.truth import named_params

ERRORS = 4  # Monte Carlo standard errors
N = 600
SAME_P = 1e-3  # relative: the tolerance of degrees of freedom, on the scale of p
DIFFERENCES = 3e-3  # relative: of a p-value where the Hessian is by forward differences, or by central ones
RECOMPUTED = 1e-6  # relative: searches that stop within their tolerance, from another start


def crossed(groups: int, rows: int) -> pd.DataFrame:
    """A balanced table: groups of rows, every second group treated, x within each group."""
    g, i = np.divmod(np.arange(groups * rows), rows)
    x = np.linspace(-1, 1, rows)[i]
    columns = {"g": [f"g{k:02d}" for k in g], "x": x, "treat": np.where(g % 2, "new", "old"), "y": np.sin(g + 3 * i)}
    return pd.DataFrame(columns).assign(hit=(g + i) % 2)


@cache
def sleep() -> Any:
    return bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")


def near(found: float, expected: float, n: int = N) -> bool:
    """Whether a share of n agrees with a probability."""
    return abs(found - expected) < ERRORS * np.sqrt(expected * (1 - expected) / n)


def t_power(effect: float, se: float, df: float) -> float:
    """Power of a two-sided t test: the noncentral t law."""
    bound = stats.t.ppf(0.975, df)
    return float(stats.nct.sf(bound, df, effect / se) + stats.nct.cdf(-bound, df, effect / se))


def test_a_model_without_bars_has_the_power_of_the_t_test() -> None:
    data = crossed(6, 4)
    model = bm.Model("y ~ x", data)
    found = bm.power(model, {"Intercept": 1, "x": 0, "sigma": 2}, effect={"x": [0, 0.8, 1.6]}, n=N, seed=1).frame
    se = 2 / np.sqrt(np.sum((data["x"] - data["x"].mean()) ** 2))
    for effect, power in zip(found["x"], found["power"], strict=True):
        assert near(power, t_power(effect, se, len(data) - 2))
    assert found["estimate"].tolist() == pytest.approx([0, 0.8, 1.6], abs=ERRORS * se / np.sqrt(N))


@pytest.mark.parametrize("method", [None, "kenward-roger"])
def test_a_balanced_treatment_of_whole_groups_has_the_power_of_the_t_test_of_group_means(method: str | None) -> None:
    params = {"Intercept": 0, "treat[old]": 0, "1|g_sigma": 1, "sigma": 0.5}
    groups, n = 12, N if method is None else 80
    found = bm.power(
        bm.Model("y ~ treat + (1 | g)", crossed(groups, 4)),
        params,
        test="treat[old]",
        effect={"treat[old]": [0, 1.5]},
        method=method,
        n=n,
        seed=2,
    ).frame
    se = np.sqrt((1 + 0.25 / 4) * 4 / groups)
    assert near(found["power"][0], 0.05, n)
    assert near(found["power"][1], t_power(1.5, se, groups - 2), n)


def test_exaggeration_and_wrong_signs_are_those_of_the_normal_law() -> None:
    """Gelman & Carlin's design calculation, sigma known."""
    model = bm.Model("y ~ 1", crossed(8, 4), constants={"sigma": 1.0})
    true, se, bound = 0.1, 1 / np.sqrt(32), stats.norm.ppf(0.975)
    found = bm.power(model, {"Intercept": true}, test="Intercept", n=4000, seed=1).frame.iloc[0]
    z = np.random.default_rng(1).normal(true / se, 1, 400_000)
    told = z[np.abs(z) > bound]
    assert near(found["power"], len(told) / len(z), 4000)
    significant = 4000 * found["power"]
    spread = np.std(np.abs(told)) * se / true / np.sqrt(significant)
    assert abs(found["exaggeration"] - np.mean(np.abs(told)) * se / true) < ERRORS * spread
    assert near(found["wrong_sign"], float(np.mean(told < 0)), int(significant))


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_replicates_have_the_p_values_of_full_fits(method: str) -> None:
    """On the boundary too: five subjects leave many correlations at an end."""
    model = extended(sleep().model, {"Subject": 5}, {})
    fit = sleep().model.fit(method)
    small = bm.power(fit, test=["Days", "Intercept"], levels={"Subject": 5}, n=12, seed=3)
    full = bm.power(fit, test="Days", levels={"Subject": 5}, n=12, seed=3, method=lambda each: p_of(each, "Days"))
    assert model.n_obs == 50
    assert small.replicates["singular"].any()
    own = small.replicates[small.replicates["test"] == "Days"]
    assert own["p"].to_numpy() == pytest.approx(full.replicates["p"].to_numpy(), rel=SAME_P)
    assert own["estimate"].to_numpy() == pytest.approx(full.replicates["estimate"].to_numpy(), rel=RECOMPUTED)


def p_of(fit: Any, name: str) -> float:
    judged = reference(fit, "satterthwaite")
    row = (np.array(fit.model.design.coefficients) == name)[None].astype(float)
    return judged.test(row, row @ judged.coefficients(fit)).p


@pytest.mark.parametrize("formula", ["y ~ f + (1 | g)", "y ~ f * x + (1 | g)", "y ~ f + (1 | g) + (1 | h)"])
def test_terms_are_tested_as_by_anova(formula: str) -> None:
    data = crossed(6, 6).assign(f=list("abc") * 12, h=[f"h{i % 4}" for i in range(36)])
    fit = bm.Model(formula, data.assign(y=np.random.default_rng(1).normal(size=36))).fit("reml")
    said = bm.power(fit, test="f", n=6, seed=1).replicates["p"].to_numpy()
    full = bm.power(fit, test="f", n=6, seed=1, method=lambda each: bm.anova(each, type=3).frame["p"]["f"])
    assert said == pytest.approx(full.replicates["p"].to_numpy(), rel=SAME_P)


def test_the_likelihood_ratio_is_that_of_two_fits() -> None:
    data = crossed(6, 6)
    fit = bm.Model("hit ~ treat + x + (1 | g)", data, family="bernoulli").fit("ml")
    params = {"Intercept": 0.2, "treat[old]": 0.3, "x": 1.0, "1|g_sigma": 0.6}
    said = bm.power(fit.model, params, test=["x", "treat"], method="lrt", n=5, seed=1).replicates

    def by_hand(each: Any) -> float:
        y = each.model.design.response.y
        small = bm.Model("y ~ treat + (1 | g)", data.assign(y=y), family="bernoulli").fit("ml")
        return float(stats.chi2.sf(max(2 * (each.loglik - small.loglik), 0), 1))

    full = bm.power(fit.model, params, test="x", method=by_hand, n=5, seed=1).replicates
    assert said[said["test"] == "x"]["p"].to_numpy() == pytest.approx(full["p"].to_numpy(), abs=1e-5)


@pytest.mark.parametrize(("family", "other"), [("bernoulli", {}), ("poisson", {}), ("negbinomial", {"alpha": 3})])
def test_generalized_replicates_have_the_p_values_of_full_fits(family: str, other: dict[str, float]) -> None:
    model = bm.Model("hit ~ treat + x + (1 | g)", crossed(8, 5), family=family)
    params = {"Intercept": 0.5, "treat[old]": 0.8, "x": 0.6, "1|g_sigma": 0.5} | other
    said = bm.power(model, params, test="x", n=6, seed=1).replicates
    full = bm.power(model, params, test="x", n=6, seed=1, method=lambda fit: bm.hypothesis(fit, "x = 0").frame["p"])
    assert said["p"].to_numpy() == pytest.approx(full.replicates["p"].to_numpy(), rel=DIFFERENCES)


@pytest.mark.parametrize(("family", "method"), [("bernoulli", None), ("poisson", "lrt")])
def test_generalized_models_have_power_curves(family: str, method: str | None) -> None:
    params = {"Intercept": -0.5, "x": 0.6, "1|g_sigma": 0.5}
    model = bm.Model("hit ~ x + (1 | g)", crossed(8, 5), family=family)
    found = bm.power(model, params, levels={"g": [8, 24]}, test="x", method=method, n=60, seed=1).frame
    assert found["power"][0] < found["power"][1]
    assert found["estimate"][1] == pytest.approx(0.6, abs=0.2)


def test_a_setting_does_not_depend_on_the_others_nor_on_the_parts() -> None:
    call: dict[str, Any] = {"test": "Days", "n": 20, "seed": 4}
    both = bm.power(sleep(), levels={"Subject": [4, 6]}, **call).replicates
    alone = bm.power(sleep(), levels={"Subject": 6}, **call).replicates
    assert both["p"].to_numpy()[20:] == pytest.approx(alone["p"].to_numpy(), rel=RECOMPUTED)
    first = bm.power(sleep(), levels={"Subject": 6}, **(call | {"n": 5})).replicates
    assert first["p"].to_numpy() == pytest.approx(alone["p"].to_numpy()[:5], rel=RECOMPUTED)


@pytest.mark.slow
@pytest.mark.parametrize("method", [None, "kenward-roger"])
def test_workers_change_nothing(method: str | None) -> None:
    call: dict[str, Any] = {"test": "Days", "n": 600, "seed": 4, "levels": {"Subject": [4, 6]}, "method": method}
    call["n"] = 600 if method is None else 20
    one, two = bm.power(sleep(), **call), bm.power(sleep(), n_jobs=2, **call)
    pd.testing.assert_frame_equal(one.replicates, two.replicates, rtol=RECOMPUTED)


def test_the_work_can_be_sent_to_other_processes() -> None:
    sent: Any = pickle.loads(pickle.dumps(task()))
    own, there = task()(range(3, 9)), sent(range(3, 9))
    assert [(s, first) for s, first, _ in own] == [(0, 3), (1, 0)]
    for (_, _, here), (_, _, other) in zip(own, there, strict=True):
        assert here.p == pytest.approx(other.p, rel=RECOMPUTED)


def task() -> PowerReplicates:
    """Five replicates of two settings."""
    model, params = sleep().model, named_params(sleep())
    judged = Judged(hypotheses_of(model, "Days", {}, False), sleep().engine, None, 1)
    return PowerReplicates(settings(model, params, sizes({"Subject": [5, 6]}, {}, {}), judged), 5, 1)


# ---- designs


def test_more_levels_are_copies_with_all_their_rows_and_new_names() -> None:
    model = bm.Model("y ~ treat + x + (x | g)", crossed(6, 4))
    large = extended(model, {"g": 15}, {})
    assert large.n_obs == 60
    assert large.frame["g"].nunique() == 15 == large.design.groups[0].n_levels
    copy = large.frame[large.frame["g"] == "g00.2"].drop(columns="g").reset_index(drop=True)
    original = model.frame[model.frame["g"] == "g00"].drop(columns="g").reset_index(drop=True)
    pd.testing.assert_frame_equal(copy, original)
    term = large.design.groups[0]
    assert [str(name) for name in term.levels[term.codes]] == large.frame["g"].astype(str).tolist()


@pytest.mark.parametrize("order", ["alternating", "sorted"])
@pytest.mark.parametrize("count", [4, 6])
def test_fewer_levels_keep_the_balance_of_treatments(order: str, count: int) -> None:
    data = crossed(8, 3)
    if order == "sorted":
        data["treat"] = np.where(np.arange(len(data)) < 12, "new", "old")
    small = extended(bm.Model("y ~ treat + (1 | g)", data), {"g": count}, {})
    per = small.frame.groupby("treat")["g"].nunique()
    assert per.tolist() == [count // 2, count // 2]


def test_copies_do_not_take_names_that_are_there() -> None:
    data = pd.DataFrame({"x": np.tile(np.arange(5.0), 4), "g": np.repeat(["a", "a.2", "b", "b.2"], 5)})
    large = extended(bm.Model("y ~ x + (1 | g)", data.assign(y=data["x"] ** 2)), {"g": 12}, {})
    assert large.frame["g"].nunique() == large.design.groups[0].n_levels == 12


def test_whole_numbers_get_the_next_ones() -> None:
    data = crossed(4, 2).assign(g=np.repeat([3, 4, 7, 9], 2))
    large = extended(bm.Model("y ~ x + (1 | g)", data), {"g": 8}, {})
    assert sorted(set(large.frame["g"])) == [3, 4, 7, 9, 13, 14, 17, 19]
    assert pd.api.types.is_integer_dtype(large.frame["g"])


def nested() -> pd.DataFrame:
    rows = [(f"s{s}", f"c{c}", f"s{s}c{c}", i) for s in range(4) for c in range(3) for i in range(2)]
    data = pd.DataFrame(rows, columns=["school", "class", "room", "x"])
    return data.assign(y=np.random.default_rng(1).normal(size=len(data)))


@pytest.mark.parametrize("formula", ["y ~ x + (1 | school/class)", "y ~ x + (1 | school) + (1 | room)"])
def test_copies_of_a_school_have_classes_of_their_own(formula: str) -> None:
    large = extended(bm.Model(formula, nested()), {"school": 10}, {})
    counts = {term.factor: term.n_levels for term in large.design.groups}
    assert sorted(counts.values()) == [10, 30]
    columns = ["school", "class"] if "/" in formula else ["room"]
    assert len(large.frame.groupby(columns)) == 30


def test_levels_of_an_inner_factor_are_counted_inside_the_outer() -> None:
    large = extended(bm.Model("y ~ x + (1 | school/class)", nested()), {"school:class": 5}, {})
    assert large.frame.groupby("school")["class"].nunique().tolist() == [5, 5, 5, 5]
    curve = bm.power(
        bm.Model("y ~ x + (1 | school/class)", nested()),
        {"Intercept": 0, "x": 1, "1|school_sigma": 1, "1|school:class_sigma": 1, "sigma": 1},
        test="x",
        levels={"class": [2, 5]},
        n=20,
        seed=1,
    )
    assert curve.frame["school:class"].tolist() == [2, 5]


def test_crossed_factors_keep_their_levels() -> None:
    data = pd.DataFrame([(f"p{p}", f"i{i}") for p in range(4) for i in range(5)], columns=["person", "item"])
    model = bm.Model("y ~ 1 + (1 | person) + (1 | item)", data.assign(y=np.sin(np.arange(20.0))))
    large = extended(model, {"person": 6, "item": 8}, {"person": 2})
    assert large.n_obs == 6 * 8 * 2
    assert {term.factor: term.n_levels for term in large.design.groups} == {"person": 6, "item": 8}


# ---- what is said


def test_the_smallest_size_lies_between_two_that_were_simulated() -> None:
    curve = bm.power(sleep(), test="Days", levels={"Subject": [4, 6, 8]}, effect={"Days": [3, 7]}, n=80, seed=1)
    found = curve.smallest(0.6).frame
    assert np.isnan(found["size"][0])
    assert 4 < found["size"][1] <= 8
    assert "not reached" in str(curve.smallest(0.6))
    assert "Ask for larger ones" in str(curve.smallest(0.6))
    assert "already" in str(curve.smallest(0.1))
    assert monotone(np.array([0.5, 0.3, 0.4])).tolist() == pytest.approx([0.4, 0.4, 0.4])


def test_limits_are_exact() -> None:
    low, high = exact_limits(3, 50)
    expected = stats.binomtest(3, 50).proportion_ci(method="exact")
    assert (low, high) == pytest.approx((expected.low, expected.high))
    assert exact_limits(0, 10)[0] == 0
    assert exact_limits(10, 10)[1] == 1


def test_failures_are_counted_and_said() -> None:
    def decide(fit: Any) -> bool:
        if fit.model.design.response.y[0] > 250:
            raise ValueError("no answer")
        return True

    found = bm.power(sleep(), method=decide, n=20, seed=1)
    failures = int(found.frame["failures"].iloc[0])
    assert 0 < failures < 20
    assert found.frame["power"].iloc[0] == 1
    assert "More than 5 % failed" in str(found)
    assert "ValueError: no answer" in str(found)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"test": "Day"}, "Did you mean 'Days'"),
        ({"test": None}, 'test="Days"'),
        ({"levels": {"Sbject": 10}}, "Did you mean 'Subject'"),
        ({"levels": {"Subject": 2.5}}, "whole numbers"),
        ({"levels": {"Subject": []}}, "names no size"),
        ({"repeats": {"Subject": 0}}, "at least 1"),
        ({"alpha": 5}, "between 0 and 1"),
        ({"n": 1}, "at least 2"),
        ({"method": "satterthwait"}, "Did you mean 'satterthwaite'"),
        ({"method": lambda fit: "yes", "n": 2}, "True, False or a p-value"),
        ({"test": ["Days", "Intercept"], "method": lambda fit: True}, "one test"),
    ],
)
def test_wrong_calls(change: dict[str, Any], words: str) -> None:
    with pytest.raises(FitError, match=words):
        bm.power(sleep(), **({"test": "Days", "n": 10, "seed": 1} | change))


def test_params_that_are_missing_are_listed() -> None:
    with pytest.raises(ModelError, match="sigma"):
        bm.power(sleep().model, {"Intercept": 250, "Days": 10}, test="Days", n=10)
    with pytest.raises(ModelError, match="Day"):
        bm.power(sleep(), test="Days", effect={"Day": 3}, n=10)


def test_levels_that_fixed_effects_explain_whole_are_refused() -> None:
    with pytest.raises(FitError, match="nothing is left"):
        extended(bm.Model("y ~ treat + (1 | g)", crossed(8, 3)), {"g": 2}, {})


def test_a_ratio_of_a_predictor_of_sigma_is_that_of_two_fits() -> None:
    model = bm.Model(bm.Formula("y ~ x", "sigma ~ treat"), crossed(10, 6))
    params = {"Intercept": 0, "x": 0.1, "sigma_Intercept": 0, "sigma_treat[old]": 0.5}
    said = bm.power(model, params, test="sigma_treat[old]", method="lrt", n=5, seed=1).replicates

    def by_hand(each: Any) -> float:
        small = bm.Model("y ~ x", crossed(10, 6).assign(y=each.model.design.response.y)).fit("ml")
        return float(stats.chi2.sf(2 * (each.model.fit("ml").loglik - small.loglik), 1))

    full = bm.power(model, params, test="sigma_treat[old]", method=by_hand, n=5, seed=1).replicates
    assert said["p"].to_numpy() == pytest.approx(full["p"].to_numpy(), rel=SAME_P)


def test_what_rounding_leaves_of_zero_is_no_effect() -> None:
    model = bm.Model("y ~ treat * x + (1 | g)", crossed(8, 5))
    params = {"Intercept": 0, "treat[old]": 0, "x": 1, "treat[old]:x": 0.3, "1|g_sigma": 0.5, "sigma": 1}
    assert np.isnan(bm.power(model, params, test="treat", n=30, seed=1).frame["exaggeration"][0])


def test_a_factor_with_coefficients_cannot_have_new_levels() -> None:
    model = bm.Model("y ~ g + (1 | g)", crossed(4, 4), check="warn")
    with pytest.raises(FitError, match="outside of grouping factors"):
        extended(model, {"g": 8}, {})
