"""Exchanging labels: enumeration is the exact test, what is exchanged stays where it belongs, replicates are alike."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.errors import FitError
from bayesmixed.inference.permutation.exchange import WholeLevels, WithinLevels, exchange
from bayesmixed.inference.permutation.relabelled import Labelled

SAME = 1e-9  # the same columns by two ways


@cache
def mice() -> pd.DataFrame:
    """Six mice of two groups with four cells each; mice differ more than cells, so that no fit is singular."""
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"mouse": np.repeat(list("abcdef"), 4), "day": np.tile([0, 1, 2, 3], 6)})
    data["group"] = np.where(data["mouse"].isin(["a", "b", "c"]), "old", "new")
    means = {"a": 0.0, "b": 3.1, "c": 1.2, "d": 5.4, "e": 3.9, "f": 7.7}
    return data.assign(y=data["mouse"].map(means) + 0.3 * rng.standard_normal(24), x=rng.standard_normal(24))


@cache
def fitted(formula: str = "y ~ group + (1 | mouse)", method: str = "reml") -> Any:
    return bm.Model(formula, mice()).fit(method)


@pytest.mark.parametrize("statistic", ["F", "lrt", "group[old]"])
def test_enumeration_is_the_exact_test_of_the_means_of_six_mice(statistic: str) -> None:
    means = mice().groupby("mouse")["y"].mean().to_numpy()
    own = abs(means[:3].mean() - means[3:].mean())
    every = list(itertools.combinations(range(6), 3))
    apart = [abs(means[list(at)].mean() - np.delete(means, at).mean()) for at in every]
    exact = np.mean(np.array(apart) >= own - SAME)
    test = bm.permutation_test(fitted(), "group", by="mouse", statistic=statistic)
    assert test.enumerated and test.exact and len(test.values) == len(every) - 1
    assert test.p == pytest.approx(exact)


def test_every_arrangement_is_made_once() -> None:
    codes = np.repeat(np.arange(5), 2)
    whole = exchange(np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2]), codes)
    assert isinstance(whole, WholeLevels) and whole.count() == 30
    assert len({tuple(each) for each in whole.others()}) == 29
    within = exchange(np.array([0, 1, 0, 1, 2, 1, 0, 0, 0, 1]), codes)
    assert isinstance(within, WithinLevels) and within.count() == 16
    assert len({tuple(each) for each in within.others()}) == 15
    for kind in (whole, within):
        drawn = kind.drawn(np.random.default_rng(1))
        assert sorted(drawn) == sorted(kind.labels)
    for level in range(5):
        assert sorted(drawn[codes == level]) == sorted(within.labels[codes == level])


@pytest.mark.parametrize("formula", ["y ~ group * day + (1 | mouse)", "y ~ group + (group | mouse)", "y ~ group"])
def test_a_relabelled_model_is_that_of_the_relabelled_table(formula: str) -> None:
    model = bm.Model(formula, mice(), check="warn")
    labelled = Labelled.of(model, "group")
    labels = np.random.default_rng(2).permutation(labelled.labels)
    found = labelled.relabelled(labels)
    other = bm.Model(formula, mice().assign(group=np.array(["new", "old"])[labels]), check="warn")
    assert found is not None
    np.testing.assert_allclose(found.design.mu.X, other.design.mu.X, atol=SAME)
    for ours, theirs in zip(found.design.groups, other.design.groups, strict=True):
        np.testing.assert_allclose(ours.Z, theirs.Z, atol=SAME)
    again = replace(labelled, alone=False).relabelled(labels)
    assert again is not None
    np.testing.assert_allclose(again.design.mu.X, other.design.mu.X, atol=SAME)


def test_a_fit_of_exchanged_labels_is_that_of_the_exchanged_table() -> None:
    test = bm.permutation_test(fitted(), "group", 5, statistic="lrt", seed=4)
    assert not test.enumerated
    full: Any = fitted("y ~ group + (1 | mouse)", "ml")
    null: Any = fitted("y ~ 1 + (1 | mouse)", "ml")
    assert test.statistic == pytest.approx(2 * (full.loglik - null.loglik), abs=1e-6)
    anova = bm.anova(null, full).frame
    assert test.frame.loc["model", "p"] == pytest.approx(anova["p"].iloc[-1], rel=1e-4)


def test_replicates_depend_on_the_seed_and_their_number_alone() -> None:
    fit: Any = bm.Model("y ~ x + (1 | mouse)", mice()).fit("reml")
    few, many = (bm.permutation_test(fit, "x", n, statistic="F", seed=5) for n in (7, 20))
    np.testing.assert_allclose(few.values, many.values[:7], rtol=SAME)
    assert few.exact and "rows within levels of mouse" in str(few)


def test_the_analysis_that_ignores_mice_rejects_what_means_nothing() -> None:
    test = bm.permutation_test(fitted(), "group", by="mouse", statistic="F", against=bm.Model("y ~ group", mice()))
    rejected = test.frame["rejected"]
    assert rejected["against"] > 0.3 and rejected["model"] <= 0.1
    assert list(test.p_values) == ["model", "against"] and len(test.p_values) == 19
    linear: Any = bm.Model("y ~ group", mice()).fit("reml")
    assert test.frame.loc["against", "p"] == pytest.approx(bm.anova(linear).frame["p"].iloc[0], rel=1e-6)


def test_what_makes_it_approximate_is_said() -> None:
    for formula, term, reason in (
        ("y ~ group + x + (1 | mouse)", "group", "x differs"),
        ("y ~ day + (day | mouse)", "day", "its effect varies"),
        ("y ~ day + x + (1 | mouse)", "day", "x differs"),
    ):
        fit: Any = bm.Model(formula, mice()).fit("reml")
        test = bm.permutation_test(fit, term, 2, by="mouse", statistic="F", seed=1)
        assert not test.exact and f"Approximate: {reason}" in str(test)
    same: Any = bm.Model("y ~ group + day + (1 | mouse)", mice()).fit("reml")
    assert bm.permutation_test(same, "group", 2, by="mouse", statistic="F", seed=1).exact


def test_arrangements_that_leave_a_coefficient_undetermined_are_counted() -> None:
    data = mice().assign(site=lambda d: np.where(d["mouse"].isin(["a", "b", "d"]), "north", "south"))
    fit: Any = bm.Model("y ~ group + site + (1 | mouse)", data).fit("reml")
    test = bm.permutation_test(fit, "group", statistic="F")
    assert test.failed == 2 and len(test.values) == 17 and not test.exact  # the groups are the sites, either way round
    assert "2 of 19 could not be fitted" in str(test) and "More than 5 %" in str(test)


def test_arrangements_may_be_more_than_a_machine_counts() -> None:
    data = pd.DataFrame({"g": np.repeat([0, 1, 2], 40), "x": np.random.default_rng(1).standard_normal(120)})
    data["y"] = data["g"] + np.random.default_rng(2).standard_normal(120)
    test = bm.permutation_test(bm.Model("y ~ x + (1 | g)", data).fit("reml"), "x", 3, statistic="x", seed=1)
    assert len(test.values) == 3


def test_a_generalized_model() -> None:
    data = mice().assign(high=lambda d: (d["y"] + d["x"] > 3.5).astype(int))
    fit: Any = bm.Model("high ~ group + (1 | mouse)", data, family="bernoulli").fit("ml")
    test = bm.permutation_test(fit, "group", 9, statistic="lrt", seed=1)
    assert len(test.values) + test.failed == 9 and np.all(test.values >= 0) and 0 < test.p <= 1


def test_what_is_refused_and_what_to_type() -> None:
    both: Any = bm.Model("y ~ group * day + (1 | mouse)", mice()).fit("reml")
    with pytest.raises(FitError, match="bootstrap_test"):
        bm.permutation_test(both, "group:day")
    with pytest.raises(FitError, match="group"):
        bm.permutation_test(fitted(), "groups")
    with pytest.raises(FitError, match="intercept"):
        bm.permutation_test(bm.Model("y ~ 0 + group + (1 | mouse)", mice()).fit("reml"), "group")
    with pytest.raises(FitError, match=r"lrt|group\[old\]"):
        bm.permutation_test(fitted(), "group", statistic="Intercept")
    with pytest.raises(FitError, match="same rows"):
        bm.permutation_test(fitted(), "group", against=bm.Model("y ~ group", mice().iloc[1:]))
    with pytest.raises(FitError, match=r"model.fit\("):
        bm.permutation_test(fitted().model, "group")
