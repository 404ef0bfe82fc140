"""Several fits in one table: labels, rows, what differs between their models, and data that are not the same."""

from __future__ import annotations

import re
from typing import Any

import pytest

import bayesmixed as bm

SLEEP = bm.load_data("sleepstudy")


@pytest.fixture(scope="module")
def fits() -> dict[str, Any]:
    model = bm.Model("Reaction ~ Days + (Days | Subject)", SLEEP)
    return {
        "ml": model.fit("ml"),
        "reml": model.fit("reml"),
        "late": model.replace(data=SLEEP[SLEEP["Days"] >= 2]).fit("ml"),
        "first": model.replace(data=SLEEP.iloc[:90].reset_index(drop=True)).fit("ml"),
        "second": model.replace(data=SLEEP.iloc[90:].reset_index(drop=True)).fit("ml"),
        "log": model.replace(formula="log(Reaction) ~ Days + (Days | Subject)").fit("ml"),
        "held": model.replace(constants={"sigma": 25}).fit("ml"),
    }


def lines(table: Any) -> list[str]:
    """Those printed below the numbers, without the legend."""
    return str(table).splitlines()[len(table) + 2 : -1]


def test_a_dict_and_labels_name_the_columns(fits: dict[str, Any]) -> None:
    table = bm.side_by_side({"every day": fits["ml"], "from day 2": fits["late"]})
    assert list(table.columns.get_level_values(0).unique()) == ["every day", "from day 2"]
    again = bm.side_by_side(fits["ml"], fits["late"], labels=["every day", "from day 2"])
    assert str(again) == str(table) and again.equals(table)
    assert str(bm.side_by_side(fits["ml"], labels="one")).splitlines()[0].split() == ["one"]


def test_the_rows_of_each_fit_are_a_line_of_the_table(fits: dict[str, Any]) -> None:
    table = bm.side_by_side(fits["ml"], fits["late"])
    assert "rows 180 144" in " ".join(str(table).split()) and table.attrs["rows"] == {"ML": 180, "ML #2": 144}
    assert "<td>144</td>" in table._repr_html_()
    assert "rows" not in table.index  # the frame holds parameters and log-likelihoods


@pytest.mark.parametrize(
    ("names", "line"),
    [
        (("ml", "late"), "The rows differ. Log-likelihoods of different rows do not compare."),
        (("first", "second"), "The values of the response differ. Log-likelihoods of different data do not compare."),
        (("ml", "log"), "The responses differ (Reaction, log(Reaction)): estimates are of different things."),
    ],
)
def test_data_that_differ_are_said(names: tuple[str, str], line: str, fits: dict[str, Any]) -> None:
    table = bm.side_by_side(*(fits[name] for name in names))
    assert line in " ".join(lines(table))
    assert line[:20] in table._repr_html_()


def test_nothing_is_said_where_nothing_differs(fits: dict[str, Any]) -> None:
    assert lines(bm.side_by_side(fits["ml"], fits["reml"])) == []


def test_what_tells_models_apart_is_said(fits: dict[str, Any]) -> None:
    assert lines(bm.side_by_side(fits["ml"], fits["held"])) == ["ML #2: sigma = 25"]
    cbpp = bm.load_data("cbpp")
    poisson: Any = bm.Model("incidence ~ period + (1 | herd)", cbpp, family="poisson").fit("ml")
    other: Any = poisson.model.replace(family="negbinomial", formula="incidence ~ 1 + (1 | herd)").fit("ml")
    assert lines(bm.side_by_side({"a": poisson, "b": other})) == [
        "a: incidence ~ period + (1 | herd), poisson (log)",
        "b: incidence ~ 1 + (1 | herd), negbinomial (log)",
    ]


def test_draws_of_one_model_are_told_apart_by_their_priors() -> None:
    model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
    few = bm.Laplace(draws=100)
    post, brms = model.fit(few, seed=1), model.replace(priors="brms").fit(few, seed=1)
    assert lines(bm.side_by_side(post, brms)) == ["Laplace: priors default", "Laplace #2: priors brms"]
    assert lines(bm.side_by_side(post, model.fit("ml"))) == []


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (lambda fit: bm.side_by_side(), "bm.side_by_side(ml, reml, post)"),
        (lambda fit: bm.side_by_side({}), "at least one fit"),
        (lambda fit: bm.side_by_side({"a": 1}), 'model.fit("ml")'),
        (lambda fit: bm.side_by_side(fit, fit, labels=["a"]), "labels= takes 2 different names"),
        (lambda fit: bm.side_by_side(fit, fit, labels=["a", "a"]), "labels= takes 2 different names"),
        (lambda fit: bm.side_by_side(fit, lables=["a"]), "Did you mean 'labels'?"),
    ],
)
def test_what_is_no_fit_is_refused(ask: Any, answer: str, fits: dict[str, Any]) -> None:
    with pytest.raises(bm.errors.BayesMixedError, match=re.escape(answer)):
        ask(fits["ml"])


@pytest.mark.parametrize(
    ("link", "words"),
    [
        (bm.links.logit(guess=0.04, lapse=0.04), "bernoulli (logit between 0.04 and 0.96)"),
        (bm.links.probit(guess=0.5), "bernoulli (probit between 0.5 and 1)"),
        ("cloglog", "bernoulli (cloglog)"),
    ],
)
@pytest.mark.parametrize("method", ["ml", bm.Laplace(draws=100)])
def test_every_summary_has_the_asymptotes_of_its_link(link: Any, words: str, method: Any) -> None:
    table = SLEEP.assign(slow=SLEEP["Reaction"] > 300)
    fit = bm.Model("slow ~ Days + (1 | Subject)", table, family="bernoulli", link=link).fit(method, seed=1)
    assert f" Family: {words}" in str(fit.summary())
