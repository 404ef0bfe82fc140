"""The written report says what was fitted in words that the model's own numbers confirm; the page holds everything."""

from __future__ import annotations

import re
import sys
from base64 import b64decode
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import stdtr, stdtrit

import bayesmixed as bm
from bayesmixed.engines import ENGINES
from bayesmixed.families import FAMILIES

PNG = b"\x89PNG"
FOLDED = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta"}  # elements without an end tag


@cache
def fitted(formula: str, data: str, method: Any = "reml", **options: Any) -> Any:
    return bm.Model(formula, bm.load_data(data), **options).fit(method)


def sleep(bar: str = "(Days | Subject)", method: Any = "reml") -> Any:
    return fitted(f"Reaction ~ Days + {bar}", "sleepstudy", method)


def herds(method: Any = "ml", **options: Any) -> Any:
    formula = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
    return fitted(formula, "cbpp", method, **({"family": "binomial"} | options))


# ---- the model


@pytest.mark.parametrize(
    ("bar", "says"),
    [
        ("(Days | Subject)", "by-Subject intercepts and slopes for Days (correlated)."),
        ("(Days || Subject)", "by-Subject intercepts and slopes for Days (uncorrelated)."),
        ("(1 | Subject)", "by-Subject intercepts."),
        ("(0 + Days | Subject)", "by-Subject slopes for Days."),
        ("(1 | Subject) + (0 + Days | Subject)", "by-Subject intercepts and by-Subject slopes for Days."),
    ],
)
def test_random_effects_read_as_papers_have_them(bar: str, says: str) -> None:
    assert f"Its random effects were {says}" in bm.report(sleep(bar)).model


def test_rows_levels_response_and_distribution_are_named() -> None:
    assert bm.report(sleep()).model.startswith(
        "Reaction was analysed with a linear mixed model (distribution: normal; link: identity) of 180 observations in "
        "18 levels of Subject (10 rows each). Its predictor was Days, with an intercept."
    )
    assert "generalized linear mixed model (distribution: binomial; link: logit)" in bm.report(herds()).model
    assert "1 to 4 rows each" in bm.report(herds()).model


def test_what_a_model_leaves_out_or_holds_is_said() -> None:
    data = bm.load_data("sleepstudy")
    data.loc[3, "Reaction"] = np.nan
    formula = "Reaction ~ scale(Days) + offset(2 * Days) + (1 | Subject)"
    model = bm.Model(formula, data, weights="1 + Days", constants={"sigma": 60.0})
    says = bm.report(model.fit("ml"))
    assert "179 observations (1 with missing values was left out)" in says.model
    assert "sigma held at 60; precision weights" in says.model
    assert "scale(Days) and the offset 2 * Days, with an intercept. scale(Days) was centred at 4.5" in says.model
    assert "Residual standard deviation" not in says.estimates
    assert "It had an intercept and no predictors." in bm.report(fitted("Yield ~ 1 + (1 | Batch)", "Dyestuff")).model


def test_an_offset_is_named_whatever_way_it_was_given() -> None:
    said = [fitted("Reaction ~ Days + (1 | Subject)", "sleepstudy", "ml", offset=given) for given in ("Days**2", 2.5)]
    assert "Days and the offset Days**2, with" in bm.report(said[0]).model
    assert "Days and the offset 2.5, with" in bm.report(said[1]).model
    data = bm.load_data("sleepstudy")
    rows = bm.Model("Reaction ~ offset(Days) + (1 | Subject)", data, offset=np.linspace(-1, 3, 180)).fit("ml")
    says = "Its predictors were the offset Days and an offset given row by row (-1 to 3), with an intercept."
    assert says in bm.report(rows).model
    assert "offset" not in bm.report(sleep()).model


def test_weights_and_rows_left_out_are_those_of_the_fit() -> None:
    weights = np.r_[0, 0, np.full(54, 2.0)]
    said = bm.report(herds(weights=tuple(weights))).model  # the first herd has four rows, here two
    assert "of 54 observations (2 of weight zero were left out) in 15 levels of herd (1 to 4 rows each)" in said
    assert "each); frequency weights that sum to 108." in said
    sleepy = bm.load_data("sleepstudy")
    sleepy.loc[50, "Days"] = np.nan
    w = np.where(sleepy["Subject"] == sleepy["Subject"].iloc[0], 0.0, 1.0)
    said = bm.report(bm.Model("Reaction ~ Days + (1 | Subject)", sleepy, weights=w).fit("ml")).model
    assert "of 169 observations (1 with missing values and 10 of weight zero were left out) in 17 levels" in said
    assert "17 levels of Subject (9 to 10 rows each); precision weights." in said


def test_weights_of_proportions_are_their_trials_and_rows_without_any_are_left_out() -> None:
    data = bm.load_data("cbpp").assign(share=lambda frame: frame["incidence"] / frame["size"])
    said = bm.report(bm.Model("share ~ period + (1 | herd)", data, family="binomial", weights="size").fit("ml")).model
    assert "weights" not in said
    data.loc[0, ["incidence", "size"]] = 0
    formula = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
    said = bm.report(bm.Model(formula, data, family="binomial").fit("ml")).model
    assert "of 55 observations (1 without trials was left out) in" in said


@pytest.mark.parametrize(
    ("contrasts", "says"),
    [
        (None, "treatment contrasts with the reference A (levels A, B and C)"),
        ({"recipe": "sum"}, "sum-to-zero contrasts (levels A, B and C)"),
        ({"recipe": "helmert"}, "Helmert contrasts (levels A, B and C)"),
        ({"recipe": np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])}, "the user's contrasts (levels A, B and C)"),
    ],
)
def test_the_coding_of_a_factor_is_said(contrasts: Any, says: str) -> None:
    model = bm.Model("angle ~ recipe + temp + (1 | recipe:replicate)", bm.load_data("cake"), contrasts=contrasts)
    assert f"recipe had {says}." in bm.report(model.fit("reml")).model


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_has_a_name_for_sentences(name: str) -> None:
    words = FAMILIES[name].words or FAMILIES[name].name
    assert words and "_" not in words


# ---- how it was fitted


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_says_in_words_how_it_fits(name: str) -> None:
    said = ENGINES[name]().words(sleep().model)
    assert len(said) > len(ENGINES[name].label)


@pytest.mark.parametrize(
    ("method", "says"),
    [
        (bm.ML(quadrature=0), "maximum likelihood at the joint mode of fixed and random effects."),
        (bm.ML(), "maximum likelihood with the Laplace approximation."),
        (bm.ML(quadrature=9), "maximum likelihood with adaptive Gauss-Hermite quadrature of 9 nodes."),
        (bm.MAP(), "maximum a posteriori (penalised maximum likelihood) with the Laplace approximation. Priors: bound"),
    ],
)
def test_the_integral_of_a_generalized_model_is_said(method: Any, says: str) -> None:
    assert bm.report(herds(method)).fitting.startswith(f"It was fitted by {says}")


def test_a_singular_fit_is_not_passed_over() -> None:
    fit = fitted("Yield ~ 1 + (1 | Batch)", "Dyestuff2")
    assert "The fit is singular: in (1 | Batch) the sd of Intercept is 0." in bm.report(fit).fitting
    assert "singular" not in bm.report(sleep()).fitting


def test_a_fit_that_did_not_converge_says_that_it_should_not_be_reported() -> None:
    fit = herds(bm.ML(maxiter=1))
    assert not fit.status.converged
    assert "these numbers should not be reported" in bm.report(fit).fitting


# ---- the numbers


def test_estimates_and_shares_are_those_of_the_fit() -> None:
    """In this balanced design coefficients have 18 subjects - 1 degrees of freedom."""
    fit, said = sleep(), bm.report(sleep())
    for name, row in fit.coefficients.iterrows():
        low, high = row["estimate"] + stdtrit(17, 0.975) * row["se"] * np.array([-1, 1])
        tested = f"{name} {row['estimate']:.2f} [{low:.2f}, {high:.2f}], t(17.0) = {row['statistic']:.2f}, p = "
        p = 2 * stdtr(17, -abs(row["statistic"]))
        assert f"{tested}{p:.2e}" in said.estimates
    sds = fit.varcorr()["sd"]
    assert f"Subject: Intercept {sds[0]:.2f}, Days {sds[1]:.2f} (correlation of Intercept, Days" in said.estimates
    assert said.estimates.endswith(f"Residual standard deviation {fit.sigma:.2f}.")
    assert f"adjusted ICC {bm.icc(fit).frame.loc['(all)', 'adjusted']:.2f}" in said.variance
    assert f"marginal R2 {bm.r2(fit).frame['estimate']['nakagawa', 'marginal']:.2f}" in said.variance


def test_a_link_without_variance_leaves_its_shares_out() -> None:
    assert bm.report(herds(link="cauchit")).variance == ""
    assert "on the logit scale" in bm.report(herds()).variance


def test_software_is_named_with_versions() -> None:
    assert re.fullmatch(
        rf"Software: bayesmixed {bm.__version__}, numpy [\d.]+, scipy [\d.]+, Python [\d.]+\.",
        bm.report(sleep()).software,
    )


def test_a_report_is_of_a_fit() -> None:
    with pytest.raises(bm.errors.FitError, match=r'bm\.report\(model\.fit\("reml"\)\)'):
        bm.report(sleep().model)


def test_the_text_is_printed_in_lines_that_can_be_read() -> None:
    said = bm.report(sleep())
    assert max(map(len, str(said).splitlines())) <= 88
    assert " ".join(str(said).split()) == " ".join(said.text.split())


# ---- the page


class Page(HTMLParser):
    """What a browser would fetch, and whether every element that is opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.sources: list[str] = []
        self.tables = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tables += tag == "table"
        self.sources += [value for name, value in attrs if name == "src" or (name == "href" and tag == "link")]
        if tag not in FOLDED:
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag


def test_the_page_is_one_file_that_fetches_nothing(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib").use("agg")
    path = sleep().to_html(tmp_path / "sleep.html")
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert not page.opened and page.tables >= 6
    assert len(page.sources) == 6 and "@import" not in text and "url(" not in text
    for source in page.sources:
        kind, data = source.split(",", 1)
        assert kind == "data:image/png;base64" and b64decode(data).startswith(PNG)
    assert bm.report(sleep()).model in text


def test_the_page_escapes_what_formulas_hold(tmp_path: Path) -> None:
    fit = fitted("Reaction ~ I(Days < 5) + (1 | Subject)", "sleepstudy")
    text = fit.to_html(tmp_path / "fit.html").read_text(encoding="utf-8")
    assert "I(Days &lt; 5)" in text and "Days < 5" not in text
    assert not Page(text).opened


def test_without_matplotlib_the_page_says_how_to_get_its_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # what Python sees where it is not installed
    text = sleep().to_html(tmp_path / "fit.html").read_text(encoding="utf-8")
    assert "bayesmixed[plots]" in text and not Page(text).sources


def test_a_page_needs_a_file_in_a_folder_that_exists(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere" / "fit.html"):
        with pytest.raises(bm.errors.FitError, match=r'fit\.to_html\("fit\.html"\)'):
            sleep().to_html(path)


# ---- draws


@cache
def draws() -> Any:
    return sleep().model.fit(bm.Laplace(draws=300), seed=1)


def test_draws_are_reported_with_their_priors_diagnosis_and_seed() -> None:
    said = bm.report(draws())
    assert "importance weights (300 draws), seed 1. Priors: Intercept_centered ~ Normal(298.5, 140.8)" in said.fitting
    assert "The Pareto k of the weights was" in said.fitting
    assert "posterior means with 95 % credible intervals" in said.estimates and "numpyro" in said.software


def test_shares_of_draws_are_means_of_shares_with_their_quantiles() -> None:
    flat = draws().parameters.flat()
    days = draws().model.design.mu.X[:, 1]
    moments = np.array([[1, days.mean()], [days.mean(), np.mean(days**2)]])
    between = np.einsum("dkl,kl->d", flat.covariance(0)[0], moments)
    share = between / (between + flat.dispersion["sigma"][0] ** 2)
    found = bm.icc(draws()).frame.loc["Subject"]
    assert found["adjusted"] == pytest.approx(share.mean(), rel=1e-10)
    limits = found[["adjusted_lower", "adjusted_upper"]].tolist()
    assert limits == pytest.approx(np.quantile(share, [0.025, 0.975]).tolist(), rel=1e-10)


def test_bayesian_r2_is_the_share_of_the_predicted_means_draw_by_draw() -> None:
    means = draws().predict_draws().to_numpy().reshape(-1, 180)
    noise = draws().parameters.dispersion["sigma"].ravel() ** 2
    share = means.var(axis=1, ddof=1) / (means.var(axis=1, ddof=1) + noise)
    assert bm.r2(draws()).frame["estimate"]["bayesian", "conditional"] == pytest.approx(share.mean(), rel=1e-10)


def test_pooling_takes_draws_with_their_own_intervals() -> None:
    pooled = bm.pooling(draws())
    rows = pooled.frame[(pooled.frame["pooling"] == "partial") & (pooled.frame["level"] == "308")]
    flat = draws().parameters.flat()
    values = flat.beta[0] + flat.b[0][0, :, 0, :]
    np.testing.assert_allclose(rows["estimate"], values.mean(axis=0), rtol=1e-10)
    np.testing.assert_allclose(rows["lower"], np.quantile(values, 0.025, axis=0), rtol=1e-10)
