"""By a grouping factor, what belongs to a level (a mouse's genotype) is held at the level's own value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm

SAME = 1e-9  # one arithmetic, written twice


@pytest.fixture(scope="module")
def mice() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    mouse = np.repeat(np.arange(12), 60)
    d = pd.DataFrame({"mouse": [f"m{i:02d}" for i in mouse], "geno": np.where(mouse < 6, "wt", "ko")})
    d["age"], d["x"] = rng.normal(size=12).round(2)[mouse], rng.normal(size=720)
    d["dose"] = rng.choice(["lo", "hi"], 720)
    eta = 1.5 * d["x"] + 1.2 * (d["geno"] == "ko") + 0.4 * d["age"] + 0.5 * (d["dose"] == "hi")
    d["y"] = (rng.random(720) < 1 / (1 + np.exp(-eta - 0.3 * rng.normal(size=12)[mouse]))).astype(int)
    return d


@pytest.fixture(scope="module")
def fit(mice: pd.DataFrame) -> Any:
    return bm.Model("y ~ x * geno + age + dose + (1 | mouse)", mice, family="bernoulli").fit("ml")


def own(fit: Any, x: np.ndarray | float, dose: float) -> np.ndarray:
    """The predictor of each mouse without its random effect, `dose` the share of "lo"."""
    table, beta = fit.model.frame.groupby("mouse")[["geno", "age"]].first(), fit.fixef()
    wild = (table["geno"] == "wt").to_numpy()
    slope = beta["x"] + beta["x:geno[wt]"] * wild
    between = beta["Intercept"] + beta["geno[wt]"] * wild + beta["age"] * table["age"]
    return between + beta["dose[lo]"] * dose + slope * x


def test_thresholds_of_groups_have_their_own_columns(fit: Any):
    """-intercept / slope of each mouse: its genotype, its age, its effect, and the mean of the doses."""
    found = bm.inverse_predict(fit, 0.5, "x", by="mouse")
    effects = fit.ranef()["mouse"]["Intercept"].to_numpy()
    slope = own(fit, 1.0, 0.0) - own(fit, 0.0, 0.0)
    np.testing.assert_allclose(found.frame["estimate"], -(own(fit, 0.0, 0.5) + effects) / slope, rtol=SAME)
    assert "Held at the own value of each mouse: geno, age." in str(found)
    named = bm.inverse_predict(fit, 0.5, "x", by=["mouse", "geno"]).frame
    np.testing.assert_allclose(named[["estimate", "se"]], found.frame[["estimate", "se"]], rtol=SAME)
    assert named["geno"].tolist() == fit.model.frame.groupby("mouse")["geno"].first().tolist()


def test_the_curves_cross_where_the_thresholds_are(fit: Any):
    """As `plot.curves` has them, whose groups are held at the same values."""
    found = bm.inverse_predict(fit, 0.5, "x", by="mouse", at={"dose": "hi"}).frame.set_index("mouse")
    first = fit.model.frame.groupby("mouse").first().reset_index().assign(dose="hi")
    rows = first.assign(x=found["estimate"].reindex(first["mouse"]).to_numpy())
    np.testing.assert_allclose(fit.predict(rows)["estimate"], 0.5, rtol=SAME)


def test_what_the_user_sets_is_set(fit: Any):
    wild = bm.inverse_predict(fit, 0.5, "x", by="mouse", at={"geno": "wt"}).frame["estimate"].to_numpy()
    plain = bm.inverse_predict(fit, 0.5, "x", by="mouse").frame["estimate"].to_numpy()
    np.testing.assert_allclose(wild[:6], plain[:6], rtol=SAME)
    assert np.all(np.abs(wild[6:] - plain[6:]) > 0.1)


def test_a_column_that_varies_within_levels_is_averaged(mice: pd.DataFrame):
    """Of one mouse all rows have one dose; it is not a property of mice."""
    rows = (mice["mouse"] != "m03") | (mice["dose"] == "hi")
    fit = bm.Model("y ~ x + geno + dose + (1 | mouse)", mice[rows], family="bernoulli").fit("ml")
    assert "Averaged on the link scale over: dose" in str(bm.inverse_predict(fit, 0.5, "x", by="mouse"))


def test_draws_solve_for_the_same_columns(fit: Any):
    """Per draw -intercept / slope of the last mouse, a "ko"; the median of all."""
    post = fit.model.fit(bm.Laplace(draws=400), seed=1)
    flat, names = post.parameters.flat(), list(fit.model.coefficients)
    beta = dict(zip(names, flat.beta[0].T, strict=True))
    age = fit.model.frame["age"].iloc[-1]
    level = beta["Intercept"] + beta["age"] * age + 0.5 * beta["dose[lo]"] + flat.b[0][0, :, -1, 0]
    mine = bm.inverse_predict(post, 0.5, "x", by="mouse").frame["estimate"].iloc[-1]
    assert mine == pytest.approx(np.median(-level / beta["x"]), rel=1e-7)


def test_means_by_a_group(fit: Any):
    """Random effects zero, which the page says."""
    found = bm.emmeans(fit, "dose", by="mouse", at={"x": 0.3})
    expected = np.stack([own(fit, 0.3, 0.0), own(fit, 0.3, 1.0)], axis=1)
    np.testing.assert_allclose(found.frame["estimate"], expected.ravel(), rtol=SAME)
    assert "Random effects of mouse: zero." in str(found)
    assert found.contrast().frame["mouse"].nunique() == 12
    bar = bm.emmeans(fit, "dose | mouse", at={"x": 0.3}).frame
    pd.testing.assert_frame_equal(bar, found.frame)


def test_a_group_and_what_belongs_to_it_occur_together_as_in_the_data(fit: Any):
    """Twelve mice have twelve genotypes, not twenty-four; a column that is named itself is asked for."""
    for found in (
        bm.emmeans(fit, "1", by=["mouse", "geno"]),
        bm.emmeans(fit, "1", by=["mouse", "geno", "age"]),
        bm.predictions(fit, by=["geno", "mouse"]),
        bm.slopes(fit, "x", by=["mouse", "geno"]),
    ):
        assert found.frame["geno"].tolist() == ["wt"] * 6 + ["ko"] * 6
    assert len(bm.emmeans(fit, "geno", by="mouse").frame) == 24


def test_predictions_comparisons_and_slopes_by_a_group(fit: Any):
    p = [1 / (1 + np.exp(-own(fit, 0.3, dose).to_numpy())) for dose in (0.0, 1.0)]
    means = bm.predictions(fit, {"x": [0.3], "dose": ["hi"]}, by="mouse").frame
    np.testing.assert_allclose(means["estimate"], p[0], rtol=SAME)
    compared = bm.comparisons(fit, "dose", at={"x": 0.3}, by="mouse").frame
    np.testing.assert_allclose(compared["estimate"], p[1] - p[0], rtol=SAME)
    slope = (own(fit, 1.0, 0.0) - own(fit, 0.0, 0.0)).to_numpy()
    steep = bm.slopes(fit, "x", at={"x": 0.3, "dose": ["hi"]}, by="mouse").frame
    np.testing.assert_allclose(steep["estimate"], slope * p[0] * (1 - p[0]), rtol=1e-7)
    both = bm.comparisons(fit, "geno", at={"x": 0.0, "dose": ["hi"]}, by="mouse").frame
    assert both["mouse"].nunique() == 12 and set(both["contrast"]) == {"wt - ko"}


def test_levels_that_have_nothing_of_their_own_are_refused(mice: pd.DataFrame):
    fit = bm.Model("y ~ x + dose + (1 | mouse)", mice, family="bernoulli").fit("ml")
    for ask in (
        bm.predictions,
        lambda fit, by: bm.emmeans(fit, "dose", by=by),
        lambda fit, by: bm.slopes(fit, "x", by=by),
    ):
        with pytest.raises(bm.errors.FitError, match=r"fit.coef\(\)\['mouse'\]"):
            ask(fit, by="mouse")


def test_an_interaction_of_groups_in_either_order():
    data = bm.load_data("cake").assign(oven=lambda d: d["replicate"].astype(int) + 10.0 * (d["recipe"] == "A"))
    fit = bm.Model("angle ~ temp + oven + (1 | recipe:replicate)", data).fit("reml")
    mine, theirs = (bm.emmeans(fit, "1", by=by).frame for by in ("recipe:replicate", "replicate:recipe"))
    pd.testing.assert_frame_equal(mine, theirs)
    assert len(mine) == 45 and mine["estimate"].nunique() == data["oven"].nunique()
