"""Predictions and their errors against the dense mixed-model equations, and what new rows mean."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from simulated import crossed, nested

import bayesmixed as bm
from bayesmixed.likelihood.at import likelihood_of

ALGEBRA = 1e-9
DRAWS = 20_000  # variance of their variance: sqrt(2 / DRAWS) = 1 %, five of them below

CASES = [
    ("y ~ x + (x | a)", crossed()),
    ("y ~ x + (x | a) + (x || b) + (1 | c)", crossed()),
    ("y ~ x + (1 | a) + (0 + x | a) + (1 | b)", crossed()),
    ("y ~ x + (x | school/room)", nested()),
    ("y ~ x", crossed()),
]


def dense_variance(fit: bm.Model, terms: list[int]) -> np.ndarray:
    """sigma^2 [z, x]' N [z, x] with N the inverse of Henderson's equations, all dense."""
    design, parts = fit.model.design, []
    for term, Lambda in zip(design.groups, fit.factors, strict=True):
        rows = np.zeros((design.n_rows, term.n_levels, term.Z.shape[1]))
        rows[np.arange(design.n_rows), term.codes] = term.Z
        parts.append((rows @ Lambda).reshape(design.n_rows, -1))
    ZL = np.column_stack([*parts, np.zeros((design.n_rows, 0))])
    together = np.column_stack([ZL, design.mu.X])
    information = together.T @ together
    information[: ZL.shape[1], : ZL.shape[1]] += np.eye(ZL.shape[1])
    used = np.concatenate(
        [np.full(part.shape[1], j in terms) for j, part in enumerate(parts)] + [np.ones(design.mu.X.shape[1])]
    )
    rows = together * used
    return fit.sigma**2 * np.einsum("ij,jk,ik->i", rows, np.linalg.inv(information), rows)


@pytest.mark.parametrize(("formula", "table"), CASES, ids=[formula for formula, _ in CASES])
def test_prediction_errors_are_those_of_the_mixed_model_equations(formula: str, table: pd.DataFrame) -> None:
    fit = bm.Model(formula, table).fit("reml")
    errors, everything = fit.prediction_errors, list(range(len(fit.model.design.groups)))
    for terms in (everything, everything[:1], []):
        found = errors.variance(fit.model.design, terms)
        np.testing.assert_allclose(found, dense_variance(fit, terms), rtol=ALGEBRA)
    eta = fit.model.design.eta(errors.draw(DRAWS, np.random.default_rng(1)))["mu"]
    np.testing.assert_allclose(eta.mean(axis=0), fit.fitted(), atol=5 * fit.sigma / np.sqrt(DRAWS))
    np.testing.assert_allclose(eta.var(axis=0) / dense_variance(fit, everything), 1, atol=5 * np.sqrt(2 / DRAWS))


def test_with_all_effects_left_out_the_population_remains() -> None:
    fit = bm.Model("y ~ x + (x | a) + (1 | b)", crossed()).fit("ml")
    beta, x = fit.fixef(), crossed()["x"]
    np.testing.assert_allclose(fit.predict(re="none")["estimate"], beta["Intercept"] + beta["x"] * x, rtol=ALGEBRA)


def test_population_predictions_need_no_grouping_column_and_no_response() -> None:
    fit = bm.Model("y ~ x + (x | a) + (1 | b)", crossed()).fit("ml")
    grid = pd.DataFrame({"x": [0.0, 1.0]}, index=["low", "high"])
    table = fit.predict(grid, re="none", interval="confidence")
    assert list(table.index) == ["low", "high"]
    np.testing.assert_allclose(table["estimate"], [fit.fixef()["Intercept"], fit.fixef().sum()])
    half = 1.959964 * np.sqrt(fit.vcov().loc["Intercept", "Intercept"])
    assert table["upper"].iloc[0] - table["estimate"].iloc[0] == pytest.approx(half, rel=1e-6)
    with pytest.raises(bm.errors.DataError, match=r"\(1 \+ x \| a\)"):
        fit.predict(grid)


def test_factors_can_be_named_in_either_order() -> None:
    fit = bm.Model("y ~ x + (1 | school/room)", nested()).fit("reml")
    np.testing.assert_array_equal(fit.predict(re=["room:school"]), fit.predict(re=["school:room"]))
    with pytest.raises(bm.errors.FitError, match="school"):
        fit.predict(re=["scool"])


def test_a_missing_number_gives_nan() -> None:
    fit = bm.Model("y ~ x + (1 | a)", crossed()).fit("ml")
    new = pd.DataFrame({"x": [0.0, np.nan], "a": [None, "1"]})
    estimate = fit.predict(new, new_levels="population")["estimate"]
    assert estimate.iloc[0] == pytest.approx(fit.fixef()["Intercept"])
    assert np.isnan(estimate.iloc[1])


def test_one_new_level_has_one_effect_on_all_its_rows() -> None:
    fit = bm.Model("y ~ x + (x | a)", crossed()).fit("ml")
    new = pd.DataFrame({"x": [0.0, 0.0, 0.0], "a": ["new", "new", "other"]})
    draws = fit.predict_draws(new, new_levels="sample", draws=4000, seed=1).values[0]
    np.testing.assert_allclose(draws[:, 0], draws[:, 1])
    spread = fit.varcorr()["sd"].iloc[0] ** 2 + fit.vcov().iloc[0, 0]
    assert draws[:, 0].var() == pytest.approx(spread, rel=0.12)
    assert abs(np.corrcoef(draws[:, 0] - fit.fixef().iloc[0], draws[:, 2])[0, 1]) < 0.2


def test_intervals_for_new_levels_contain_the_spread_between_levels() -> None:
    fit = bm.Model("y ~ x + (1 | a)", crossed()).fit("ml")
    new = pd.DataFrame({"x": [0.0], "a": ["new"]})
    wide = fit.predict(new, new_levels="sample", interval="confidence")
    variance = fit.vcov().iloc[0, 0] + fit.varcorr()["sd"].iloc[0] ** 2
    assert (wide["upper"] - wide["estimate"]).iloc[0] == pytest.approx(1.959964 * np.sqrt(variance), rel=1e-6)


def test_prediction_intervals_cover_new_responses() -> None:
    """Simulate, predict the same rows: 95 % of new responses of known levels lie inside."""
    fit = bm.Model("y ~ x + (x | a) + (1 | b)", crossed(600)).fit("reml")
    limits = fit.predict(interval="prediction", seed=1)
    new = fit.simulate(200, re="all", seed=2)
    inside = ((new > limits["lower"].to_numpy()) & (new < limits["upper"].to_numpy())).mean()
    assert 0.94 < inside < 0.985  # the limits also hold the uncertainty of the estimates


def test_simulated_responses_have_the_models_moments_and_refit_to_its_parameters() -> None:
    fit = bm.Model("y ~ x + (1 | a)", crossed(900)).fit("ml")
    table = crossed(900)
    refits = [bm.Model("y ~ x + (1 | a)", table.assign(y=y)).fit("ml") for y in fit.simulate(60, seed=3)]
    slopes, sigmas = np.array([f.fixef()["x"] for f in refits]), np.array([f.sigma for f in refits])
    se = fit.coefficients.loc["x", "se"]
    assert slopes.mean() == pytest.approx(fit.fixef()["x"], abs=4 * se / np.sqrt(60))
    assert slopes.std() == pytest.approx(se, rel=0.4)
    assert sigmas.mean() == pytest.approx(fit.sigma, rel=0.02)


def test_precision_weights_enter_simulation_but_population_predictions_do_not_ask_for_them() -> None:
    table = crossed().assign(w=np.where(np.arange(300) % 2 == 0, 1.0, 25.0))
    fit = bm.Model("y ~ x + (1 | a)", table, weights="w").fit("ml")
    noise = fit.simulate(400, re="none", seed=1) - fit.predict(re="none")["estimate"].to_numpy()
    assert noise[:, ::2].std() / noise[:, 1::2].std() == pytest.approx(5.0, rel=0.05)
    fit.predict(pd.DataFrame({"x": [1.0]}), re="none")
    with pytest.raises(bm.errors.DataError, match="w"):
        fit.simulate(newdata=pd.DataFrame({"x": [1.0], "a": ["1"]}))


def test_leverage_is_the_derivative_of_fitted_values_at_the_same_theta() -> None:
    fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
    leverage = fit.leverage()
    assert leverage.sum() == pytest.approx(28.6116, abs=1e-3)
    moved = bm.load_data("sleepstudy")
    moved.loc[7, "Reaction"] += 1e-3
    other = fit.model.replace(data=moved)
    likelihood = likelihood_of(other)
    solution = likelihood.solve(likelihood.theta.working(fit.theta), invert=True)
    term = other.design.groups[0]
    effects = np.sum(term.Z * likelihood.modes(solution)[0][term.codes], axis=1)
    fitted = other.design.mu.X @ likelihood.beta(solution) + effects
    assert leverage[7] == pytest.approx((fitted[7] - fit.fitted()[7]) / 1e-3, rel=1e-5)


def test_a_lognormal_mean_knows_its_precision() -> None:
    """E(y) = exp(mu + sigma^2 / 2w), which simulated responses average to."""
    rng = np.random.default_rng(8)
    g = np.repeat(np.arange(12), 20)
    w = np.where(np.arange(len(g)) % 2 == 0, 0.25, 4.0)
    table = pd.DataFrame(
        {"g": g, "w": w, "y": np.exp(rng.standard_normal(12)[g] / 3 + rng.standard_normal(len(g)) / w**0.5)}
    )
    fit = bm.Model("y ~ 1 + (1 | g)", table, family="lognormal", weights="w").fit("ml")
    drawn = np.log(fit.simulate(2000, re="all", seed=1)).mean(axis=0)
    expected = np.exp(drawn + fit.sigma**2 / (2 * w))
    np.testing.assert_allclose(fit.fitted(), expected, rtol=0.15)
    np.testing.assert_allclose(fit.predict()["estimate"], fit.fitted())
    assert abs(fit.residuals("pearson").mean()) < 0.2


def test_fitted_values_and_residuals_go_back_into_the_table() -> None:
    """By label: rows dropped for missing values stay blank, whatever the index is; a saved fit knows it too."""
    table = bm.load_data("sleepstudy")
    table.index = pd.Index([f"row {i}" for i in range(len(table))])
    table.loc[["row 3", "row 50"], "Days"] = np.nan
    fit = bm.Model("Reaction ~ Days + (Days | Subject)", table).fit("reml")
    table["fit"], table["rest"] = fit.fitted(), fit.residuals()
    assert list(table.index[table["fit"].isna()]) == ["row 3", "row 50"]
    used = table.dropna()
    np.testing.assert_allclose(used["fit"] + used["rest"], used["Reaction"], rtol=ALGEBRA)
    np.testing.assert_allclose(used["fit"], fit.predict(used)["estimate"], rtol=ALGEBRA)


def test_a_row_of_weight_zero_has_its_place_among_the_residuals() -> None:
    table = bm.load_data("cbpp").assign(w=1.0)
    table.index = table.index[::-1]
    table.loc[7, "w"] = 0.0
    fit = bm.Model("prop(incidence, size) ~ period + (1 | herd)", table, family="binomial", weights="w").fit("ml")
    for kind in ("response", "pearson", "deviance", "quantile"):
        assert fit.residuals(kind, seed=1).index.equals(table.index), kind
    assert fit.fitted().loc[7] == pytest.approx(fit.predict(table.loc[[7]])["estimate"].iloc[0])
