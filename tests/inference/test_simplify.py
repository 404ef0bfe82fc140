"""A simpler random part, one thing less at a time."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.covariance import STRUCTURES

SAME = 1e-6  # of a likelihood ratio: where two searches for one maximum end


def twin(seed: int = 1, subjects: int = 40, items: int = 16) -> pd.DataFrame:
    """Two factors, centred, within subjects; no correlations, and no subject differs in the interaction."""
    rng = np.random.default_rng(seed)
    s, i = (grid.ravel() for grid in np.meshgrid(range(subjects), range(items), indexing="ij"))
    a, b = np.where(i % 2, 0.5, -0.5), np.where(i // 2 % 2, 0.5, -0.5)
    of_subject = rng.standard_normal((subjects, 3)) * [30, 20, 20]
    mean = 300 + 20 * a + 10 * b + of_subject[s, 0] + of_subject[s, 1] * a + of_subject[s, 2] * b
    y = mean + 15 * rng.standard_normal(items)[i] + 20 * rng.standard_normal(len(s))
    return pd.DataFrame({"y": y, "a": a, "b": b, "subject": s, "item": i})


def simplified(*arguments: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bm.errors.BayesMixedWarning)
        return bm.simplify(*arguments, **options)


@pytest.mark.parametrize("options", [{}, {"method": "reml"}, {"by": "aic"}, {"by": "bic"}])
def test_the_twin_loses_its_correlations_then_the_slope_of_the_interaction(options: dict[str, Any]) -> None:
    model = bm.Model("y ~ a*b + (a*b | subject) + (1 | item)", twin())
    found = bm.simplify(model, **options)
    assert found.frame["formula"].tolist() == [
        "y ~ a * b + (a * b | subject) + (1 | item)",
        "y ~ a * b + (a * b || subject) + (1 | item)",
        "y ~ a * b + (a + b || subject) + (1 | item)",
    ]
    assert found.fit.loglik == found.frame["loglik"].iloc[2] and found.before.loglik == found.frame["loglik"].iloc[1]
    assert found.frame["singular"].tolist()[2] is False
    assert found.model is found.fit.model and found.model.frame["y"].tolist() == twin()["y"].tolist()
    assert "What follows does not know of the search" in str(found)


def test_the_path_is_a_table_of_what_was_lost_and_what_that_cost() -> None:
    model = bm.Model("y ~ a*b + (a*b | subject) + (1 | item)", twin())
    found = bm.simplify(model)
    assert list(found.frame) == "formula without chisq df parameters p aic bic loglik singular reason".split()
    assert found.frame["reason"].str.endswith("> 0.2").tolist() == [False, True, True]
    assert found.frame["without"].tolist() == ["", "cor(Intercept, a, b, a:b | subject)", "sd(a:b | subject)"]
    assert found.frame["parameters"].tolist() == [16, 10, 9]
    np.testing.assert_allclose(found.frame["chisq"][1:], -2 * np.diff(found.frame["loglik"]), atol=SAME)
    assert found.tried["taken"].sum() == 2 and (found.tried["step"] == 3).sum() == 4


def test_p_values_are_those_of_drop1() -> None:
    model = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))
    tried = simplified(model, alpha=0.9).tried.set_index("without")
    dropped = bm.drop1(model.fit("ml"), random=True).frame
    for name in ("cor(Intercept, Days | Subject)", "sd(Days | Subject)"):
        assert tried.loc[name, "chisq"] == pytest.approx(dropped.loc[name, "statistic"], abs=SAME)
        assert tried.loc[name, "p"] == pytest.approx(dropped.loc[name, "p"], rel=SAME)
    assert not tried["taken"].any()  # 0.80 is no more than 0.9


def test_correlations_that_go_depend_on_the_origin() -> None:
    data = bm.load_data("sleepstudy")
    with pytest.warns(bm.errors.BayesMixedWarning, match=r"Days \(mean 4\.5\)\. Centre first, \(center\(Days\)"):
        found = bm.simplify(bm.Model("Reaction ~ Days + (Days | Subject)", data))
    assert any("where zero is" in note for note in found.notes)
    with warnings.catch_warnings():
        warnings.simplefilter("error", bm.errors.BayesMixedWarning)
        rows = twin().assign(f=lambda d: np.where(d["a"] > 0, "x", "y"))
        bm.simplify(bm.Model("y ~ a + (a | subject)", rows))
    with pytest.warns(bm.errors.BayesMixedWarning, match=r"f\[y\] compare with a first level. Use sum contrasts"):
        bm.simplify(bm.Model("y ~ f + (f | subject)", rows), alpha=1e-9)


def test_one_correlation_for_all_comes_before_none() -> None:
    rng = np.random.default_rng(4)
    g, f = np.repeat(np.arange(40), 12), np.tile(np.repeat(np.arange(4), 3), 40)
    effects = 2 * rng.standard_normal(40)[:, None] + rng.standard_normal((40, 4))  # correlation 0.8
    rows = pd.DataFrame({"y": effects[g, f] + rng.standard_normal(480), "g": g, "f": f.astype(str)})
    found = bm.simplify(bm.Model("y ~ f + (0 + f | g)", rows), alpha=0.01)
    assert found.frame["formula"].tolist() == ["y ~ f + (0 + f | g)", "y ~ f + cs(0 + f | g)"]
    assert found.frame["df"].tolist()[1] == 5
    assert "cor(f | g)" in found.tried["without"].tolist()  # no correlation at all was tried after that


def test_structures_say_what_they_simplify() -> None:
    us, cs, diag = (STRUCTURES[name] for name in ("us", "cs", "diag"))
    assert diag.simplifies(us, 2, False) and diag.simplifies(cs, 3, True) and not us.simplifies(diag, 2, False)
    assert cs.simplifies(us, 3, True) and not cs.simplifies(us, 3, False) and not cs.simplifies(us, 2, True)
    assert not any(one.simplifies(one, 3, True) for one in STRUCTURES.values())


def test_a_search_may_end_without_random_effects() -> None:
    rng = np.random.default_rng(5)
    rows = pd.DataFrame({"y": rng.standard_normal(60), "g": np.repeat(np.arange(10), 6)})
    rows["y"] -= rows.groupby("g")["y"].transform("mean")
    found = bm.simplify(bm.Model("y ~ 1 + (1 | g)", rows))
    assert found.frame["formula"].tolist() == ["y ~ 1 + (1 | g)", "y ~ 1"]
    assert "all rows count as independent" in str(found) and "nothing is left" in str(found)


def test_generalized_models_keep_their_engine_and_arguments() -> None:
    data = bm.load_data("cbpp").assign(x=lambda d: np.arange(len(d)) % 3 - 1.0)
    model = bm.Model("prop(incidence, size) ~ x + (x | herd)", data, family="binomial", priors="flat")
    found = bm.simplify(model, alpha=0.01, method=bm.ML(quadrature=3))
    assert found.fit.engine == bm.ML(quadrature=3) and found.model.arguments.priors == "flat"
    assert found.frame["formula"].iloc[-1] == "prop(incidence, size) ~ x + (x || herd)"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"by": "AIC"}, r"by='AIC' is no rule of simplify\. Did you mean 'aic'"),
        ({"alpha": 1.0}, "alpha must lie between 0 and 1"),
        ({"method": "map"}, "simplify compares maximised likelihoods"),
    ],
)
def test_what_cannot_be_compared_is_refused(options: dict[str, Any], said: str) -> None:
    model = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))
    with pytest.raises(bm.errors.FitError, match=said):
        bm.simplify(model, **options)


def test_a_search_needs_a_model_with_bars() -> None:
    plain = bm.Model("Reaction ~ Days", bm.load_data("sleepstudy"))
    with pytest.raises(bm.errors.FitError, match="no random effects"):
        bm.simplify(plain)
    with pytest.raises(bm.errors.FitError, match=r"bm\.simplify\(fit\.model, method='ml'\)"):
        bm.simplify(plain.fit("ml"))  # type: ignore[arg-type]
