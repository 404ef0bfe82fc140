"""Pictures of parameters: forests across fits, priors against posteriors, pairs."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from pictures import drawn
from scipy.stats import halfnorm, norm

import bayesmixed as bm
from bayesmixed.fits.draws import DrawsFit

pytestmark = pytest.mark.usefixtures("plt")

EXACT = {"rtol": 1e-9, "atol": 1e-9}  # the same formula in another order
DENSITY = 2e-3  # relative: finite differences of 2,401 quantiles
LKJ = 0.05  # kernel and 10,000 draws


@cache
def sleep_fit(method: str = "reml") -> Any:
    return bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit(method)


@cache
def draws_fit() -> Any:
    return sleep_fit().model.fit(bm.Laplace(draws=400), seed=1)


def with_priors(**priors: Any) -> Any:
    model = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"), priors=priors)
    return model.fit(bm.Laplace(draws=200), seed=1)


# ---- forest


def test_a_forest_holds_the_coefficients_of_every_fit_with_their_limits() -> None:
    frame = bm.plot.forest_frame(sleep_fit(), draws_fit(), parameters=["Intercept", "Days"])
    assert list(frame["fit"]) == ["REML", "Laplace"] * 2
    for label, fit, middle in (("REML", sleep_fit(), "estimate"), ("Laplace", draws_fit(), "mean")):
        mine = frame[frame["fit"] == label].set_index("parameter")[["estimate", "lower", "upper"]]
        np.testing.assert_allclose(mine, fit.coefficients.loc[mine.index, [middle, "lower", "upper"]], **EXACT)


def test_sds_and_correlations_have_intervals_where_there_are_draws() -> None:
    names = ["sd(Days | Subject)", "cor(Intercept, Days | Subject)", "sigma"]
    frame = bm.plot.forest_frame(sleep_fit(), draws_fit(), parameters=names, level=0.5).set_index(["fit", "parameter"])
    assert frame.loc["REML", ["lower", "upper"]].isna().all(axis=None)
    sigma = draws_fit().parameters.dispersion["sigma"]
    expected = [sigma.mean(), *np.quantile(sigma, [0.25, 0.75])]
    np.testing.assert_allclose(frame.loc[("Laplace", "sigma"), ["estimate", "lower", "upper"]].astype(float), expected)


def test_fits_of_different_models_share_the_rows_that_both_have() -> None:
    other = bm.Model("Reaction ~ 1 + (1 | Subject)", bm.load_data("sleepstudy")).fit("reml")
    frame = bm.plot.forest_frame(sleep_fit(), other, parameters=["Days", "Intercept"], labels=["slope", "none"])
    assert list(zip(frame["parameter"], frame["fit"], strict=True)) == [
        ("Days", "slope"),
        ("Intercept", "slope"),
        ("Intercept", "none"),
    ]
    assert list(bm.plot.forest_frame(sleep_fit(), sleep_fit())["fit"]) == ["REML", "REML #2"]
    assert list(bm.plot.forest_frame(other)["parameter"]) == ["Intercept"]  # the only one


def test_a_forest_names_scale_and_fits() -> None:
    cbpp = bm.Model(
        "cbind(incidence, size - incidence) ~ period + (1 | herd)", bm.load_data("cbpp"), family="binomial"
    ).fit("ml")
    ax = bm.plot.forest(cbpp)
    assert ax.get_xlabel() == "estimate (logit scale), 95 % intervals" and not ax.figure.legends
    assert [text.get_text() for text in ax.get_yticklabels()] == ["period[2]", "period[3]", "period[4]"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first at the top
    both = bm.plot.forest(sleep_fit(), draws_fit(), parameters=["Days", "sigma"])
    assert [text.get_text() for text in both.figure.legends[0].get_texts()] == ["REML", "Laplace"]
    assert drawn(ax) and drawn(both)


def test_a_forest_that_cannot_be_drawn_says_why() -> None:
    with pytest.raises(bm.errors.FitError, match="No fit has a parameter 'Dais'. Did you mean 'Days'"):
        bm.plot.forest(sleep_fit(), parameters="Dais")
    with pytest.raises(bm.errors.FitError, match=r"forest draws fits: bm.plot.forest\(model.fit"):
        bm.plot.forest()
    with pytest.raises(bm.errors.FitError, match="forest draws fits"):
        bm.plot.forest([sleep_fit()])
    with pytest.raises(bm.errors.FitError, match="give 2 different ones"):
        bm.plot.forest(sleep_fit(), draws_fit(), labels=["a", "a"])
    with pytest.raises(bm.errors.FitError, match="level=95"):
        bm.plot.forest(sleep_fit(), level=95)


# ---- prior against posterior


def test_priors_of_numbers_are_drawn_as_their_densities() -> None:
    fit = with_priors(Intercept=bm.priors.Normal(1500, 40), sigma=bm.priors.HalfNormal(60))
    frame = bm.plot.prior_posterior_frame(fit)
    for name, density in {"Intercept": norm(1500, 40).pdf, "sigma": halfnorm(scale=60).pdf}.items():
        rows = frame[frame["parameter"] == name]
        np.testing.assert_allclose(rows["prior"], density(rows["value"]), rtol=DENSITY, atol=1e-6)


def test_posteriors_are_kernel_densities_of_the_draws_and_the_intercept_is_centred_as_its_prior_is() -> None:
    frame = bm.plot.prior_posterior_frame(draws_fit())
    means = frame.groupby("parameter", sort=False)[["value", "posterior"]].apply(
        lambda rows: np.trapezoid(rows["value"] * rows["posterior"], rows["value"])
    )
    beta = draws_fit().fixef()
    centred = beta["Intercept"] + beta["Days"] * bm.load_data("sleepstudy")["Days"].mean()
    sds = draws_fit().varcorr()["sd"].to_numpy()
    corr = draws_fit().parameters.corrs[0][..., 1, 0].mean()
    expected = [centred, beta["Days"], *sds[:2], corr, sds[2]]
    assert list(means.index) == list(draws_fit().model.priors)
    np.testing.assert_allclose(means, expected, rtol=5e-3, atol=5e-3)


def test_the_prior_of_a_correlation_is_the_lkj_marginal() -> None:
    """LKJ(eta) of two columns: (1 - r^2)^(eta - 1), normalised, where it is stated for the columns as typed."""
    fit = draws_fit().model.replace(priors=bm.priors.as_typed()).fit(bm.Laplace(draws=100), seed=1)
    prior = fit.model.priors["Subject_corr"]
    rows = bm.plot.prior_posterior_frame(fit, "Subject_corr")
    r = rows["value"].to_numpy()
    density = (1 - r**2) ** (prior.values["concentration"] - 1)
    inside = np.abs(r) < 0.9
    expected = density / np.trapezoid(density, r)
    assert (r[0], r[-1]) == (-1, 1)
    np.testing.assert_allclose(rows["prior"][inside], expected[inside], atol=LKJ)


def test_a_block_prior_is_drawn_for_each_of_its_sds_and_correlations() -> None:
    model = bm.Model("score ~ Machine + (Machine | Worker)", bm.load_data("Machines"), priors="rstanarm")
    fit = model.fit(bm.Laplace(draws=100), seed=1)
    frame = bm.plot.prior_posterior_frame(fit)
    assert frame["prior"].notna().all()
    names = list(dict.fromkeys(frame["parameter"]))
    assert "Worker_corr [Intercept, Machine[B]]" in names and "Machine[C]|Worker_sigma" in names
    axes = bm.plot.prior_posterior(fit, ["1|Worker_sigma", "Worker_corr"])
    assert len(axes) == 4 and drawn(axes)


def test_a_flat_prior_has_no_density_and_the_panel_says_so() -> None:
    fit = with_priors(Intercept=bm.priors.Flat())
    frame = bm.plot.prior_posterior_frame(fit, "Intercept")
    assert frame["prior"].isna().all() and frame["posterior"].notna().all()
    axes = bm.plot.prior_posterior(fit)
    assert "flat prior" in [text.get_text() for text in axes[0].texts] and drawn(axes)


def test_a_vague_prior_does_not_squeeze_the_posterior_to_a_line() -> None:
    rows = bm.plot.prior_posterior_frame(with_priors(Intercept=bm.priors.Normal(0, 1e6)), "Intercept")
    above = rows["posterior"] > 0.01 * rows["posterior"].max()
    assert above.sum() > 20


# ---- pairs


def test_pairs_hold_every_draw_under_the_names_of_side_by_side() -> None:
    frame = bm.plot.pairs_frame(draws_fit(), ["Days", "sigma"])
    assert len(frame) == 2 * draws_fit().parameters.n_draws and not frame["divergent"].any()
    days = frame.loc[frame["parameter"] == "Days", "value"]
    np.testing.assert_array_equal(days, draws_fit().parameters.beta[..., 1].ravel())
    known = set(bm.side_by_side(draws_fit()).index)
    assert set(bm.plot.pairs_frame(draws_fit())["parameter"]) <= known


def test_pairs_are_a_square_of_panels_with_correlations_above_the_diagonal() -> None:
    axes = bm.plot.pairs(draws_fit(), ["Intercept", "Days", "sigma"])
    assert axes.axes.shape == (3, 3) and drawn(axes)
    beta = draws_fit().parameters.flat().beta[0]
    expected = f"{np.corrcoef(beta.T)[0, 1]:.2f}"
    assert axes[0, 1].texts[0].get_text().lstrip("-") == expected.lstrip("-")
    assert axes[2, 0].get_xlabel() == "Intercept" and axes[2, 0].get_ylabel() == "sigma"


def test_divergent_draws_are_marked_counted_and_never_thinned_away() -> None:
    fit = draws_fit()
    diverging = np.zeros(fit.parameters.beta.shape[:2], dtype=bool)
    diverging[0, :3] = True
    broken = DrawsFit(fit.model, fit.engine, fit.parameters, {"diverging": diverging}, fit.status)
    assert bm.plot.pairs_frame(broken, "sigma")["divergent"].sum() == 3
    axes = bm.plot.pairs(broken, ["Days", "sigma"], max_draws=1)
    assert "3 divergent transitions" in [text.get_text() for text in axes[0, 0].figure.legends[0].get_texts()]
    assert len(axes[1, 0].lines[1].get_xdata()) == 3 and drawn(axes)


@pytest.mark.parametrize("name", ["pairs", "pairs_frame", "prior_posterior", "prior_posterior_frame"])
def test_what_needs_draws_says_how_to_get_them(name: str) -> None:
    with pytest.raises(bm.errors.FitError, match=r'REML has none: fit with model.fit\("laplace", seed=1\)'):
        getattr(bm.plot, name)(sleep_fit())
    with pytest.raises(bm.errors.FitError, match="has no parameter 'sigm'. Did you mean 'sigma'"):
        getattr(bm.plot, name)(draws_fit(), "sigm")
    with pytest.raises(bm.errors.FitError, match="draws a fit, not Model"):
        getattr(bm.plot, name)(sleep_fit().model)


def test_given_axes_are_used_and_too_few_are_counted(plt: Any) -> None:
    figure, grid = plt.subplots(2, 2)
    assert bm.plot.pairs(draws_fit(), ["Days", "sigma"], ax=grid)[0, 0] is grid[0, 0]
    assert plt.get_fignums() == [figure.number]
    with pytest.raises(bm.errors.FitError, match="6 panels but ax= holds 4"):
        bm.plot.prior_posterior(draws_fit(), ax=grid)
