"""What summaries, tables and footers say of a number is that number: small p-values, criteria, the worst R-hat."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

import bayesmixed as bm
from bayesmixed.effects.adjustment import FamilyOfTests
from bayesmixed.engines.sampler.diagnostics import draws_status
from bayesmixed.fits.convergence import convergence
from bayesmixed.page import probability

QUADRATURE = 0.01  # relative: of SciPy's studentized range beside the union bound, which z = 6.5 makes sharp


@pytest.fixture(scope="module")
def separated() -> bm.Model:
    """Binary rows whose contrasts lie between 3 and 12 standard errors from zero."""
    rng = np.random.default_rng(2)
    n = 600
    d = pd.DataFrame({"x": rng.normal(size=n), "f": rng.choice(list("abc"), n), "g": np.repeat(np.arange(20), 30)})
    d["y"] = (rng.random(n) < 1 / (1 + np.exp(-2 * d["x"] - 1.1 * (d["f"] == "b")))).astype(int)
    return bm.Model("y ~ x + f + (1 | g)", d, family="bernoulli")


@pytest.mark.parametrize(("p", "text"), [(0.0123, "0.0123"), (1.36e-5, "1.36e-05"), (0.0, "<2e-308"), (np.nan, "")])
def test_no_probability_is_printed_as_zero(p: float, text: str):
    assert probability(p) == text


def test_pages_have_no_p_of_zeros(separated: bm.Model):
    fit = separated.fit("ml")
    pages = [fit.summary(), bm.emmeans(fit, "f").contrast(), bm.emmeans(fit, "x", at={"x": [-9, 9]}).contrast()]
    pages += [bm.comparisons(fit, "x", scale="link"), bm.odds_ratios(fit), bm.slopes(fit, "x", scale="link")]
    for page in pages:
        assert " 0.0000" not in str(page)
    assert "e-31" in str(fit.summary())


def test_a_key_called_p_stands_beside_the_p_of_a_test(separated: bm.Model):
    page = str(bm.inverse_predict(separated.fit("ml"), [0.3, 0.5], "x", by="f").contrast())
    assert " p contrast estimate" in page and page.splitlines()[1].split()[-1] == "p"


def test_tukeys_p_of_large_statistics_is_no_rounding_error():
    """1 - F of the studentized range is 0 or noise from 8 standard errors on; over all pairs P(|z| > t) adds up."""
    size = np.array([6.5, 8.0, 18.6, 40.0])
    p = FamilyOfTests(size, np.eye(4), means=5, df=np.inf).p_values("tukey")
    assert p == pytest.approx(10 * 2 * stats.norm.sf(size), rel=QUADRATURE)


@pytest.mark.parametrize(("engine", "penalised"), [("ml", False), (bm.ML(quadrature=5), False), ("map", True)])
def test_only_a_penalised_criterion_is_called_so(engine: object, penalised: bool):
    """The criterion and -2 log-likelihood of plain ML part in their last digit."""
    model = bm.Model(
        "prop(incidence, size) ~ period + I(size > 9) + (1 | herd)", bm.load_data("cbpp"), family="binomial"
    )
    assert ("penalised" in str(model.fit(engine).summary())) is penalised


def test_a_reml_criterion_has_its_own_row():
    model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))
    ml, reml = model.fit("ml"), model.fit("reml")
    restricted = model.fit(bm.MAP(criterion="reml"))
    table = bm.side_by_side(ml, reml, restricted)
    assert table.loc["log-likelihood", ("ML", "estimate")] == ml.loglik
    assert table.loc["REML log-likelihood", ("REML", "estimate")] == reml.loglik
    assert table.loc["REML log-likelihood", ("MAP", "estimate")] == restricted.loglik
    assert table.xs("estimate", level=1, axis=1).loc["log-likelihood"].isna().tolist() == [False, True, True]


def test_the_footer_names_the_element_that_it_speaks_of():
    """A level, a correlation and a scalar that have not mixed, each with its own R-hat, the worst first."""
    rng = np.random.default_rng(1)
    effects, sd = rng.normal(size=(4, 1000, 5)), rng.normal(size=(4, 1000))
    effects[:, :, 3] += np.arange(4.0)[:, None]
    sd += np.array([0.3, 0.0, -0.3, 0.0])[:, None]
    corr = np.ones((4, 1000, 3, 3))
    for i, j in ((1, 0), (2, 0), (2, 1)):
        corr[:, :, i, j] = corr[:, :, j, i] = 0.1 * rng.normal(size=(4, 1000))
    corr[:, :, 2, 0] += np.array([0.0, 0.1, 0.0, 0.1])[:, None]
    posterior = xr.Dataset(
        {
            "1|s": (("chain", "draw", "s__factor_dim"), effects),
            "1|s_sigma": (("chain", "draw"), sd),
            "s_corr": (("chain", "draw", "s_effect", "s_effect_bis"), corr),
        },
        coords={"s__factor_dim": list("abcde"), "s_effect": ["1", "x", "z"], "s_effect_bis": ["1", "x", "z"]},
    )
    plain = (("chain", "draw"), rng.normal(size=(4, 1000)))
    stats_ = xr.Dataset({"energy": plain, "diverging": (plain[0], plain[1] > 99), "tree_depth": (plain[0], sd * 0 + 3)})
    rhat, size = draws_status("explicit", posterior, stats_, bm.NUTS()).problems
    expected = [
        f"1|s[d] is {convergence(effects).rhat[3]:.3f}",
        f"s_corr[1, z] is {convergence(corr[:, :, 2, 0]).rhat:.3f}",
        f"1|s_sigma is {convergence(sd).rhat:.3f}",
    ]
    assert rhat.startswith(f"R-hat of {', '.join(expected)}: the chains")
    assert f"1|s[d] is {convergence(effects).ess_bulk[3]:.0f}" in size
