"""Questions about effects that have no answer are told what to ask instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm

FitError = bm.errors.FitError
Ask = Callable[[Any], Any]


@pytest.fixture(scope="module")
def cake() -> Any:
    return bm.Model("angle ~ recipe * temp + (1 | recipe:replicate)", bm.load_data("cake")).fit("reml")


@pytest.fixture(scope="module")
def cbpp() -> Any:
    formula = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
    return bm.Model(formula, bm.load_data("cbpp"), family="binomial").fit("ml")


NO_COLUMN = {
    "emmeans": lambda fit: bm.emmeans(fit, "recipi"),
    "emmeans by": lambda fit: bm.emmeans(fit, "recipe", by="recipi"),
    "emmeans at": lambda fit: bm.emmeans(fit, "recipe", at={"recipi": "A"}),
    "predictions": lambda fit: bm.predictions(fit, {"recipi": ["A"]}),
    "comparisons": lambda fit: bm.comparisons(fit, "recipi"),
    "slopes": lambda fit: bm.slopes(fit, "temp", by="recipi"),
    "inverse": lambda fit: bm.inverse_predict(fit, 30, "temp", by="recipi"),
}


@pytest.mark.parametrize("ask", NO_COLUMN.values(), ids=list(NO_COLUMN))
def test_a_column_that_the_model_lacks_is_named_with_the_nearest(cake: Any, ask: Ask) -> None:
    with pytest.raises(FitError, match=r"'recipi'.*Did you mean 'recipe'\?"):
        ask(cake)


def test_columns_of_the_table_that_are_not_in_the_model_are_told_from_those_that_are(cake: Any) -> None:
    with pytest.raises(FitError, match="does not depend on a column 'temperature'. Its columns: recipe, temp"):
        bm.predictions(cake, {"temperature": ["175"]})
    intercept = bm.Model("angle ~ 1 + (1 | recipe)", bm.load_data("cake")).fit("reml")
    with pytest.raises(FitError, match="no columns but the constant"):
        bm.emmeans(intercept, "angle")
    with pytest.raises(FitError, match=re.escape("It is a grouping factor: fit.coef()['recipe'] has its levels")):
        bm.emmeans(intercept, "recipe")


REFUSED: dict[str, tuple[Ask, str]] = {
    "specs": (lambda fit: bm.emmeans(fit, "pairwise ~ recipe"), "contrasts are asked of the means, bm.emmeans"),
    "level": (lambda fit: bm.emmeans(fit, "recipe", at={"recipe": ["A", "D"]}), "'recipe' has no level 'D'. Levels: A"),
    "text": (lambda fit: bm.predictions(fit, {"temp": ["hot"]}), "'temp' holds numbers"),
    "nothing": (lambda fit: bm.predictions(fit, {"temp": []}), "'temp' is given no values"),
    "kind": (lambda fit: bm.predictions(fit, kind="populations"), "Did you mean 'population'"),
    "scale": (lambda fit: bm.emmeans(fit, "recipe", scale="responce"), "Did you mean 'response'"),
    "both": (lambda fit: bm.predictions(fit, kind="population", scale="link"), 'use scale="response"'),
    "weights": (lambda fit: bm.emmeans(fit, "recipe", weights="cells"), "Known: equal, proportional"),
    "at": (lambda fit: bm.emmeans(fit, "recipe", at="A"), "a dict of values by column"),
    "newdata": (lambda fit: bm.predictions(fit, newdata="datas"), 'use "data"'),
    "grid": (lambda fit: bm.predictions(fit, {"temp": np.arange(1e6)}), "3e.06 rows .*average over the data"),
    "level of limits": (lambda fit: bm.emmeans(fit, "recipe", level=95), "between 0 and 1"),
    "ddf": (lambda fit: bm.emmeans(fit, "recipe", ddf=-1), "ddf must be a positive number or a method's name, not -1"),
    "method of df": (lambda fit: bm.emmeans(fit, "recipe", ddf="satt"), "Did you mean 'satterthwaite'"),
    "step": (lambda fit: bm.comparisons(fit, {"temp": "pairwise"}), "a step or a pair of values"),
    "three": (lambda fit: bm.comparisons(fit, {"temp": (1, 2, 3)}), "changes between two values"),
    "between": (lambda fit: bm.comparisons(fit, {"recipe": "all"}), "'reference', 'sequential', 'pairwise' or a pair"),
    "comparison": (lambda fit: bm.comparisons(fit, "temp", comparison="odds"), "odds_ratio"),
    "no names": (lambda fit: bm.comparisons(fit, []), "No column is named"),
    "factor": (lambda fit: bm.slopes(fit, "recipe"), r'use comparisons\(fit, "recipe"\)'),
    "ratios": (lambda fit: bm.odds_ratios(fit), "identity link has no ratios"),
    "by": (lambda fit: bm.emmeans(fit, "recipe").contrast(by="temp"), "by='temp' is not a column of this table"),
    "method": (lambda fit: bm.emmeans(fit, "recipe").contrast("pairs"), "Did you mean 'pairwise'"),
    "adjust": (lambda fit: bm.emmeans(fit, "recipe").contrast(adjust="sidak"), "'sidak' is not an option"),
    "tukey": (lambda fit: bm.emmeans(fit, "recipe").contrast("sequential", adjust="tukey"), "for pairwise contrasts"),
    "ref": (lambda fit: bm.emmeans(fit, "recipe").contrast(ref="A"), "the control of"),
    "no ref": (lambda fit: bm.emmeans(fit, "recipe").contrast("trt.vs.ctrl", ref="D"), "Means: A, B, C"),
    "two weights": (lambda fit: bm.emmeans(fit, "recipe").contrast({"a": [1, -1]}), r"3 weights.*\[1.0, -0.5, -0.5\]"),
    "one mean": (lambda fit: bm.emmeans(fit, "1").contrast(), "A contrast needs two means"),
    "offset": (lambda fit: bm.emmeans(fit, "recipe", offset="temp"), "offset= takes a number"),
}  # fmt: skip


@pytest.mark.parametrize(("ask", "message"), REFUSED.values(), ids=list(REFUSED))
def test_options_and_values_that_make_no_sense_are_refused_in_words(cake: Any, ask: Ask, message: str) -> None:
    with pytest.raises(FitError, match=message):
        ask(cake)


def test_unknown_arguments_are_answered_with_the_nearest(cake: Any) -> None:
    with pytest.raises(bm.errors.NoSuchOption, match="Did you mean 'newdata'"):
        bm.predictions(cake, new_data=None)
    for verb, column in (
        (bm.slopes, "temp"),
        (bm.comparisons, "temp"),
        (bm.emmeans, "recipe"),
        (bm.predictions, "temp"),
    ):
        with pytest.raises(bm.errors.NoSuchOption, match="has no argument 'df'. Here it is ddf="):
            verb(cake, column, df=5)


def test_degrees_of_freedom_that_do_not_apply_are_refused(cake: Any, cbpp: Any) -> None:
    with pytest.raises(FitError, match='ddf="asymptotic"'):
        bm.emmeans(cbpp, "period", ddf="satterthwaite")
    draws = cake.model.fit(bm.Laplace(draws=20), seed=1)
    for ask in (
        lambda: bm.emmeans(draws, "recipe", ddf=12),
        lambda: bm.slopes(draws, "temp", ddf="satterthwaite"),
        lambda: bm.inverse_predict(draws, 30, "temp", ddf=12),
    ):
        with pytest.raises(FitError, match="Draws need none: their limits are quantiles"):
            ask()


def test_new_rows_need_the_columns_of_the_fixed_part_only(cake: Any) -> None:
    with pytest.raises(bm.errors.DataError, match="temp"):
        bm.predictions(cake, newdata=pd.DataFrame({"recipe": ["A"]}))
    with pytest.raises(FitError, match="newdata has no column 'temp'"):
        bm.slopes(cake, "temp", newdata=pd.DataFrame({"recipe": ["A"]}))
    with pytest.raises(FitError, match="by='replicate' is not a column of these rows"):
        bm.predictions(cake, newdata=pd.DataFrame({"recipe": ["A"], "temp": [200]}), by="replicate")
    with pytest.raises(bm.errors.DataError, match="'D'"):
        bm.predictions(cake, newdata=pd.DataFrame({"recipe": ["D"], "temp": [200]}))


def test_adjustments_of_draws_point_to_partial_pooling(cbpp: Any) -> None:
    draws = cbpp.model.fit(bm.Laplace(draws=50, pool=2), seed=1)
    with pytest.raises(FitError, match=r"draws have none.*\(1 \| f\)"):
        bm.emmeans(draws, "period").contrast("pairwise", adjust="tukey")


def test_something_that_is_no_fit_is_told_to_be_fitted(cbpp: Any) -> None:
    with pytest.raises(FitError, match=r'takes a fit, such as model.fit\("reml"\), not Model'):
        bm.emmeans(cbpp.model, "period")


def test_a_population_mean_that_is_infinite_is_refused() -> None:
    table = bm.load_data("sleepstudy")
    fit = bm.Model("Reaction ~ Days + (1 | Subject)", table, family="gamma", link="inverse").fit("ml")
    assert np.isfinite(bm.predictions(fit, {"Days": [0]}).frame["estimate"][0])
    with pytest.raises(FitError, match='inverse link .* not finite: use kind="conditional"'):
        bm.predictions(fit, {"Days": [0]}, kind="population")


def test_ratios_need_means_that_have_one(cake: Any) -> None:
    table = bm.load_data("cake")
    fit = bm.Model("angle ~ recipe * temp + (1 | recipe:replicate)", table.assign(angle=table["angle"] - 60)).fit(
        "reml"
    )
    for model in (fit, fit.model.fit(bm.Laplace(draws=50, pool=2), seed=1)):
        with pytest.raises(FitError, match=r"a ratio needs means above 0, and one is -.*comparison=.difference."):
            bm.comparisons(model, "recipe", comparison="ratio")
    with pytest.raises(FitError, match="an odds ratio needs probabilities between 0 and 1, and one is"):
        bm.comparisons(cake, "recipe", comparison="odds_ratio")
    counts = bm.Model("count ~ mined + (1 | site)", bm.load_data("Salamanders"), family="poisson").fit("ml")
    with pytest.raises(FitError, match=r"means above 0, and one is -.*Use scale=.response."):
        bm.comparisons(counts, "mined", comparison="ratio", scale="link")
    found = bm.comparisons(cake, {"recipe": ("B", "A")}, comparison="ratio").frame["estimate"][0]
    means = bm.emmeans(cake, "recipe").frame["estimate"]
    assert found == pytest.approx(means[1] / means[0], rel=1e-10)
