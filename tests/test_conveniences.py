"""What a newcomer types: dots in replace, dicts as new rows, reference levels, revpairwise; numbers keep digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.errors import BayesMixedError, DataError, FormulaError
from bayesmixed.formula.formula import Formula
from bayesmixed.formula.update import updated

SAME = 1e-12
SOLVED = 1e-6  # of estimates of one model in two codings


@pytest.fixture(scope="module")
def visits() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    n = 240
    table = pd.DataFrame({"g": np.repeat(np.arange(24), 10), "week": np.tile([0.0, 4, 8, 12, 16], 48)})
    table["visit"] = "week " + table["week"].astype(int).astype(str)
    table["year"] = 2018.46 + rng.normal(size=n)
    table["arm"] = rng.choice(["a", "b", "c"], n)
    table["y"] = table["year"] - 2018 + (table["arm"] == "b") + rng.normal(size=24)[table["g"]] + rng.normal(size=n)
    return table


@pytest.fixture(scope="module")
def fit(visits: pd.DataFrame) -> Any:
    return bm.Model("y ~ year + arm + (week | g)", visits).fit("reml")


@pytest.mark.parametrize(
    ("old", "text", "new"),
    [  # the first six mean what R's update() gives
        ("y ~ a + x", ". ~ . - x", "y ~ a"),
        ("y ~ a * b", ". ~ . - a:b", "y ~ a + b"),
        ("y ~ a", "log(.) ~ .:b", "log(y) ~ a:b"),
        ("y ~ a + b", ". ~ .^2", "y ~ a + b + a:b"),
        ("y ~ a", ". ~ . - 1", "y ~ 0 + a"),
        ("y ~ a", ". ~ z", "y ~ z"),
        ("y ~ a + x + (x | g)", ". ~ . - x", "y ~ a + (1 + x | g)"),
        ("y ~ a + (1 | g)", ". ~ . - (1 | g) + (a | g)", "y ~ a + (1 + a | g)"),
        ("y ~ a + offset(h) + (1 | g)", ". ~ . - offset(h)", "y ~ a + (1 | g)"),
        ("y ~ a + b + (1 | g)", ". ~ .^2", "y ~ a + b + a:b + (1 | g)"),
        ("cbind(s, f) ~ a + (1 | g)", ". ~ . + z", "cbind(s, f) ~ a + z + (1 | g)"),
        ("y ~ x %% 2 * z + (1 | g)", ". ~ . + w", "y ~ x%%2 + z + w + (x%%2):z + (1 | g)"),
    ],
)
def test_dots_stand_for_what_the_formula_has(old: str, text: str, new: str) -> None:
    assert updated(Formula(old), text) == new
    assert Formula(new) == Formula(updated(Formula(new), ". ~ ."))


def test_replace_takes_dots_and_refuses_to_remove_what_is_not_there(fit: Any) -> None:
    fewer = fit.model.replace(formula=". ~ . - year")
    assert str(fewer.formula) == "y ~ arm + (1 + week | g)"
    assert str(fit.model.replace(formula=". ~ . - (week | g) + (1 | g)").formula) == "y ~ year + arm + (1 | g)"
    with pytest.raises(FormulaError, match="there is no yaer to remove; terms of the formula: year, arm"):
        fit.model.replace(formula=". ~ . - yaer")


def test_new_rows_may_be_a_dict(fit: Any) -> None:
    new = {"year": [2018.0, 2019.0], "arm": "b", "week": 4, "g": 3}
    table = pd.DataFrame(new)
    for re in ("all", "none"):
        pd.testing.assert_frame_equal(fit.predict(new, re=re), fit.predict(table, re=re))
    assert len(fit.predict({"year": 2018.0, "arm": "a", "week": 0, "g": 1})) == 1
    pd.testing.assert_frame_equal(bm.predictions(fit, newdata=new).frame, bm.predictions(fit, newdata=table).frame)
    pd.testing.assert_frame_equal(
        bm.comparisons(fit, "arm", newdata=new).frame, bm.comparisons(fit, "arm", newdata=table).frame
    )
    assert fit.simulate(2, newdata=new, seed=1).shape == (2, 2)
    with pytest.raises(DataError, match="this dict is no table"):
        fit.predict({"year": [2018.0, 2019.0], "arm": ["a"], "week": 0, "g": 1})


def test_a_reference_level_is_named_beside_the_contrast(visits: pd.DataFrame) -> None:
    for level in ("week 16", "week 4"):
        model = bm.Model("y ~ visit + (1 | g)", visits, contrasts={"visit": ("treatment", level)})
        assert f"visit[{level}]" not in model.coefficients and len(model.coefficients) == 5
        again = bm.Model(f'y ~ relevel(visit, "{level}") + (1 | g)', visits)
        same = model.fit("ml").fixef()["visit[week 8]"]
        np.testing.assert_allclose(again.fit("ml").fixef().iloc[-1], same, rtol=SOLVED)
    numbers = bm.Model("y ~ factor(week) + (1 | g)", visits, contrasts={"factor(week)": ("treatment", 8)})
    assert "factor(week)[8]" not in numbers.coefficients and "factor(week)[0]" in numbers.coefficients
    with pytest.raises(DataError, match="no level 'week 3'. Did you mean"):
        bm.Model("y ~ visit + (1 | g)", visits, contrasts={"visit": ("treatment", "week 3")})
    with pytest.raises(DataError, match="has no reference level"):
        bm.Model("y ~ visit + (1 | g)", visits, contrasts={"visit": ("sum", "week 4")})


def test_reference_levels_are_saved(visits: pd.DataFrame, tmp_path: Any) -> None:
    given = bm.Model("y ~ visit + (1 | g)", visits, contrasts={"visit": ("treatment", "week 16")}).fit("ml")
    loaded = bm.load(given.save(tmp_path / "fit.nc"))
    pd.testing.assert_frame_equal(loaded.predict(visits[:9]), given.predict(visits[:9]))
    assert loaded.model.replace(priors=None).coefficients == given.model.coefficients


def test_revpairwise_is_pairwise_with_the_later_one_first(fit: Any) -> None:
    means = bm.emmeans(fit, "arm", ddf=20)
    back = means.contrast("revpairwise").frame.set_index("contrast")
    assert list(back.index) == ["b - a", "c - a", "c - b"]  # in R's order
    ahead = means.contrast("pairwise").frame.set_index("contrast")
    for pair in ("b - a", "c - a", "c - b"):
        other = ahead.loc[" - ".join(reversed(pair.split(" - ")))]
        assert back.loc[pair, "estimate"] == pytest.approx(-other["estimate"], rel=SAME)
        assert back.loc[pair, "p"] == pytest.approx(other["p"], rel=SAME)


def test_a_number_that_only_a_bar_reads_is_not_held(fit: Any, visits: pd.DataFrame) -> None:
    for answer in (bm.emmeans(fit, "arm"), bm.predictions(fit, "arm"), bm.comparisons(fit, "arm")):
        assert "Held at the mean: year = 2018" in str(answer) and "week" not in str(answer)
    slopes = bm.Model("y ~ year + (arm | g)", visits).fit("ml")
    assert len(bm.predictions(slopes, "year").frame) == 2  # not once for each arm, whose effects are zero
    counts = visits.assign(k=np.random.default_rng(1).poisson(2, len(visits)))
    model = bm.Model("k ~ arm + (week | g)", counts, family="poisson")
    over = bm.emmeans(model.fit(bm.ML(quadrature=0)), "arm", kind="population")
    assert "Held at the mean: week = 8." in str(over)  # there its spread matters


def test_numbers_in_sentences_keep_the_digits_that_matter(fit: Any, visits: pd.DataFrame) -> None:
    year = f"{visits['year'].mean():.2f}"
    assert not year.startswith("2018.00") and f"year = {year}" in str(bm.emmeans(fit, "arm"))
    assert "At: year = 2018.25." in str(bm.emmeans(fit, "arm", at={"year": 2018.25}))
    scaled = bm.Model("y ~ scale(year) + (1 | g)", visits).fit("ml")
    assert f"centred at {year}" in str(bm.report(scaled))
    sloped = bm.Model("y ~ year + (year | g)", visits)
    assert f"at the mean, year = {year}" in str(sloped)


def test_remainders_are_those_of_r(visits: pd.DataFrame) -> None:
    """R: c(-3.5, 7, -8) %% 3 is 2.5, 1, 1; %/% 3 is -2, 2, -3; 5 %% -3 is -1; 5 %/% 0 is Inf; 5 %% 0 is NaN."""
    table = visits.assign(k=np.resize([-3.5, 7, -8, 5], len(visits)))

    def column(text: str) -> list[float]:
        return bm.Model(f"y ~ 0 + {text} + (1 | g)", table).design.mu.X[:4, 0].tolist()

    assert column("k %% 3") == column("I(k %% 3)") == [2.5, 1, 1, 2]
    assert column("k %/% 3") == [-2, 2, -3, 1]
    assert column("k %% -3") == [-0.5, -2, -2, -1]
    assert column("I(2 * k %% 3)") == [5, 2, 2, 4]  # binds closer than *, as in R
    assert bm.Model("y ~ k %/% 3 * year + (1 | g)", table).coefficients[-1] == "k%/%3:year"
    with pytest.raises(BayesMixedError, match="infinite"):
        column("k %/% 0")
    with pytest.raises(BayesMixedError, match="not a number"):
        column("k %% 0")
