"""Hypotheses: what their text means, what they give, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import bayesmixed as bm
from bayesmixed.errors import FitError
from bayesmixed.inference.hypothesis.parse import read_claims
from bayesmixed.inference.hypothesis.spelling import Spellings

EXACT = 1e-9  # identities in float64, relative
COLUMNS = ["estimate", "se", "df", "statistic", "p", "lower", "upper"]
NAMES = ("Intercept", "x", "x1", "f[b]", "f[b]:x", "poly(x, 2)[1]", "poly(x, 2)[2]", "age[>50]", "I(x - 1)", "sigma_x")


@pytest.fixture(scope="module")
def cake() -> Any:
    return bm.Model("angle ~ recipe * temp + (1 | recipe:replicate)", bm.load_data("cake")).fit("reml")


@pytest.fixture(scope="module")
def cbpp() -> Any:
    model = bm.Model(
        "cbind(incidence, size - incidence) ~ period + (1 | herd)", bm.load_data("cbpp"), family="binomial"
    )
    return model.fit("ml")


@pytest.fixture(scope="module")
def cbpp_draws(cbpp: Any) -> Any:
    return cbpp.model.fit("laplace", seed=1)


@pytest.fixture(scope="module")
def aliased() -> Any:
    """A factor and a column that counts its levels, which is the sum of the factor's columns."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"f": list("abc") * 20, "g": np.repeat(list("uvwxy"), 12), "y": rng.normal(size=60)})
    table["z"] = table["f"].map({"a": 0, "b": 1, "c": 2})
    with pytest.warns(bm.errors.BayesMixedWarning, match="rank deficient: dropped z"):
        return bm.Model("y ~ f + z + (1 | g)", table).fit("ml")


@pytest.mark.parametrize(
    ("text", "weights", "value", "sign"),
    [
        ("x", {"x": 1}, 0, "="),
        ("x1 - x = 2", {"x1": 1, "x": -1}, 2, "="),
        ("2*x1 + .5 * x - 1 > 3", {"x1": 2, "x": 0.5}, 4, ">"),
        ("0 < x", {"x": 1}, 0, ">"),
        ("x <= x1 / 2", {"x": 1, "x1": -0.5}, 0, "<"),
        ("-(x - 2*(x1 - 1e-1)) == Intercept", {"x": -1, "x1": 2, "Intercept": -1}, 0.2, "="),
        ("f[b]:x = f[b]", {"f[b]:x": 1, "f[b]": -1}, 0, "="),
        ("x:f[b]", {"f[b]:x": 1}, 0, "="),
        ("poly(x,2)[1]-poly( x, 2 )[2]", {"poly(x, 2)[1]": 1, "poly(x, 2)[2]": -1}, 0, "="),
        ("age[>50] > x", {"age[>50]": 1, "x": -1}, 0, ">"),
        ("I(x - 1) - `sigma_x` = 1", {"I(x - 1)": 1, "sigma_x": -1}, 1, "="),
        ("(Intercept) + (x) = 1", {"Intercept": 1, "x": 1}, 1, "="),
    ],
)
def test_what_a_text_means(text: str, weights: dict[str, float], value: float, sign: str) -> None:
    (claim,) = read_claims(text, Spellings(NAMES, {"x:f[b]": 4, "(Intercept)": 0}, {}))
    expected = np.array([weights.get(name, 0.0) for name in NAMES])
    np.testing.assert_allclose(claim.row, expected, rtol=EXACT)
    assert (claim.value, claim.sign) == (pytest.approx(value, rel=EXACT), sign)


def test_a_chain_says_each_of_its_neighbours() -> None:
    found = read_claims("x = x1 = 0, x < x1", Spellings(NAMES, {}, {}))
    assert [claim.label for claim in found] == ["x = x1", "x1 = 0", "x < x1"]


def test_every_coefficient_as_the_fit_names_them(cake: Any) -> None:
    frame = bm.hypothesis(cake).frame
    assert list(frame.columns) == COLUMNS and list(frame.index) == list(cake.coefficients.index)
    for name in ("estimate", "se", "statistic"):
        np.testing.assert_allclose(frame[name], cake.coefficients[name], rtol=EXACT)


def test_a_function_of_several_coefficients_against_its_algebra(cake: Any) -> None:
    frame = bm.hypothesis(cake, "recipe[B] - 2*temp = 1", ddf=40).frame
    row = pd.Series(0.0, index=cake.fixef().index)
    row["recipe[B]"], row["temp"] = 1.0, -2.0
    estimate, se = row @ cake.fixef(), np.sqrt(row @ cake.vcov() @ row)
    t, half = (estimate - 1) / se, stats.t.ppf(0.975, 40) * se
    expected = [estimate, se, 40, t, 2 * stats.t.sf(abs(t), 40), estimate - half, estimate + half]
    np.testing.assert_allclose(frame.iloc[0], expected, rtol=EXACT)


def test_the_joint_test_is_that_of_the_covariance_and_counts_rows_once(cake: Any) -> None:
    found = bm.hypothesis(cake, ["recipe[B]:temp = 0", "recipe[C]:temp = 0"], ddf=np.inf)
    b, V = cake.fixef().iloc[-2:], cake.vcov().iloc[-2:, -2:]
    assert found.joint.num_df * found.joint.statistic == pytest.approx(b @ np.linalg.inv(V) @ b, rel=EXACT)
    again = bm.hypothesis(cake, ["recipe[B]:temp = recipe[C]:temp = 0", "recipe[B]:temp = 0"], ddf=np.inf)
    assert (again.joint.num_df, again.joint.p) == (2, pytest.approx(found.joint.p, rel=EXACT))
    assert "1 of the 3 equations follows" in str(again)


@pytest.mark.parametrize("ddf", [np.inf, 11])
def test_a_single_row_together_is_the_square_of_its_t(cake: Any, ddf: float) -> None:
    found = bm.hypothesis(cake, ["temp = 0.1", "2*temp = 0.2"], ddf=ddf)
    assert found.joint.statistic == pytest.approx(found.frame["statistic"].iloc[0] ** 2, rel=EXACT)
    assert found.joint.p == pytest.approx(found.frame["p"].iloc[0], rel=EXACT)


def test_an_inequality_halves_the_p_on_its_side_and_has_one_limit(cake: Any) -> None:
    two = bm.hypothesis(cake, "temp = 0", ddf=30, level=0.9).frame.iloc[0]
    above, below = (bm.hypothesis(cake, text, ddf=30).frame.iloc[0] for text in ("temp > 0", "temp < 0"))
    assert above["p"] == pytest.approx(two["p"] / 2, rel=EXACT) and below["p"] == pytest.approx(1 - two["p"] / 2)
    assert above["lower"] == pytest.approx(two["lower"], rel=EXACT) and above["upper"] == np.inf
    assert below["upper"] == pytest.approx(two["upper"], rel=EXACT) and below["lower"] == -np.inf


def test_matrices_tables_and_texts_say_the_same(cbpp: Any) -> None:
    texts = ["period[2] = period[3]", "period[4] = -1"]
    matrix = np.array([[0.0, 1, -1, 0], [0, 0, 0, 1]])
    table = pd.DataFrame({"period[2]": [1, 0], "period[3]": [-1, 0], "period4": [0, 1], "rhs": [0, -1]})
    expected = bm.hypothesis(cbpp, texts)
    for given in ((matrix, [0, -1]), table, dict(zip("ab", texts, strict=True)), ", ".join(texts)):
        found = bm.hypothesis(cbpp, given)
        np.testing.assert_allclose(found.frame, expected.frame, rtol=EXACT)
        assert found.joint.p == pytest.approx(expected.joint.p, rel=EXACT)
    assert bm.hypothesis(cbpp, matrix).frame.index[0] == "period[2] - period[3] = 0"
    assert "chi^2" in str(expected) and "0.0000" not in str(bm.hypothesis(cbpp))


def test_draws_answer_with_probabilities(cbpp_draws: Any) -> None:
    found = bm.hypothesis(cbpp_draws, ["period[2] < 0", "period[3] < period[2]"], level=0.8)
    beta = cbpp_draws.parameters.beta[0]
    difference = beta[:, 2] - beta[:, 1]
    row = found.frame.iloc[1]
    assert list(found.frame.columns) == ["estimate", "se", "lower", "upper", "probability"]
    assert row["estimate"] == pytest.approx(difference.mean(), rel=EXACT)
    assert row["probability"] == pytest.approx(np.mean(difference < 0), rel=EXACT)
    np.testing.assert_allclose(row[["lower", "upper"]].astype(float), np.quantile(difference, [0.1, 0.9]), rtol=EXACT)
    assert found.joint == pytest.approx(np.mean((difference < 0) & (beta[:, 1] < 0)), rel=EXACT)
    assert "probability 0" in str(bm.hypothesis(cbpp_draws, "period[2] = period[3]"))


def test_what_the_data_do_not_determine_is_told_with_what_it_is_aliased_with(aliased: Any) -> None:
    with pytest.raises(FitError, match=r"left out of the fit, because in the data z = f\[b\] \+ 2\*f\[c\]"):
        bm.hypothesis(aliased, "z = 0")
    found = bm.hypothesis(aliased, "f[b] + z = 1").frame  # what one step from a to b does: determined
    assert found["estimate"].iloc[0] == pytest.approx(aliased.fixef()["f[b]"], rel=EXACT)
    assert "Left out of the fit, and held at zero by the other coefficients: z." in str(bm.hypothesis(aliased))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("recipe[D] = 0", r"No coefficient is called 'recipe\[D\]'. Did you mean"),
        ("recipe = 0", r"'recipe' is a term with 2 coefficients.*recipe\[B\], recipe\[C\]"),
        ("exp(temp) = 2", r"exp\(\.\.\.\) .* is no linear function"),
        ("temp * Intercept = 0", "a product of coefficients"),
        ("1 / temp = 0", "a quotient of coefficients"),
        ("temp^2 = 0", "a power"),
        ("temp ** 2 = 0", "a power"),
        ("2 temp = 0", r"A product is written with \*"),
        ("temp - temp = 0", "says nothing of any coefficient"),
        ("temp != 0", "write what is tested"),
        ("(temp = 0", "closing parenthesis"),
        ("temp / 0 = 0", "divides by zero"),
        ("temp =", "a coefficient or number must stand there"),
        (["temp = 1", "2*temp = 3"], "contradict each other: '2[*]temp = 3'.*left side is 2"),
        (np.eye(2), "one column for each of the 6 coefficients"),
        (pd.DataFrame({"tempp": [1]}), "Did you mean 'temp'"),
        (np.full((1, 6), np.nan), "missing or infinite"),
        ([], "No hypothesis|one column"),
        ({"a": object()}, "is no hypothesis"),
    ],
)
def test_what_is_no_hypothesis(cake: Any, given: Any, message: str) -> None:
    with pytest.raises(FitError, match=message):
        bm.hypothesis(cake, given)


def test_options_that_do_not_fit(cake: Any, cbpp_draws: Any) -> None:
    for level in (0, 1, 95, True):
        with pytest.raises(FitError, match="is not between 0 and 1"):
            bm.hypothesis(cake, level=level)
    with pytest.raises(FitError, match="Did you mean 'satterthwaite'"):
        bm.hypothesis(cake, ddf="satterthwait")
    with pytest.raises(FitError, match="Draws have no degrees of freedom"):
        bm.hypothesis(cbpp_draws, "period[2] > 0", ddf=3)
    for ddf in ("satterthwaite", "residual"):
        with pytest.raises(FitError, match="asymptotic"):
            bm.hypothesis(cbpp_draws.model.fit("ml"), ddf=ddf)
    with pytest.raises(FitError, match="takes a fit"):
        bm.hypothesis(cake.model)
