"""Do the steps of the tutorial on neurons give the numbers that were published for its examples?

The data of example 1 are public but not ours to ship: without them their steps are skipped. Those of examples 2 and 4
are stand-ins built to have the published results. `published_numbers.json` holds the numbers as printed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
import pytest
from conftest import load_reference_frame, load_result
from scipy import stats

import bayesmixed as bm
from bayesmixed.fits.base import Fit

MICE, ROWS, TREATMENTS = 24, 1200, 5
# nlme prints ML standard errors as if sigma had been divided by n - p: its adjustSigma
ADJUSTED = np.sqrt(ROWS / (ROWS - TREATMENTS))
PRINTED = 0.6  # of the last digit printed: half of it is rounding, the rest is the other program's stopping rule
STOPPED = 1e-4  # relative: what nlme's stopping rule leaves in a small p-value, and 1.96 in limits
SEARCH = 1e-3  # of a log-likelihood: what a search on a ridge may leave
NULLS = 200  # permuted data sets
ALPHA = 0.05
BINOMIAL = stats.binom.ppf([0.0005, 0.9995], NULLS, ALPHA) / NULLS  # where a right test rejects in 99.9 % of runs


@cache
def neurons() -> pd.DataFrame:
    """1,200 neurons of 24 mice in five treatment groups."""
    return load_reference_frame("yu_example1").astype({"treatment_idx": str, "midx": str})


@cache
def fit(formula: str, method: str, data: str = "yu_example1") -> Fit:
    """A fit of one of the examples."""
    frame = neurons() if data == "yu_example1" else bm.load_data(data)
    family = "bernoulli" if data.startswith("waterlick") else "gaussian"
    return bm.Model(formula, frame, family=family).fit(method)


def linear(data: str = "yu_example1") -> Fit:
    """Every neuron counts as independent; REML divides by n - p, as least squares do."""
    return fit("res ~ treatment_idx", "reml", data)


def mixed(method: str = "ml", data: str = "yu_example1") -> Fit:
    return fit("res ~ treatment_idx + (1 | midx)", method, data)


def se(of: Fit) -> np.ndarray:
    return of.coefficients["se"].to_numpy()


def sds(of: Fit) -> np.ndarray:
    return of.varcorr()["sd"].to_numpy(dtype=float)


def treatment_f(of: Fit, scale: float = 1.0) -> float:
    """F of "all treatments are alike"."""
    difference, covariance = of.fixef().to_numpy()[1:], scale * of.vcov().to_numpy()[1:, 1:]
    return float(difference @ np.linalg.solve(covariance, difference)) / len(difference)


def intercept_f(of: Fit, scale: float) -> float:
    """F of the intercept as the first of a sequence: of the estimate that a model without the others would have."""
    precision = np.linalg.inv(scale * of.vcov().to_numpy())
    return float((precision[0] @ of.fixef().to_numpy()) ** 2 / precision[0, 0])


def t_values() -> np.ndarray:
    return mixed().fixef().to_numpy() / (ADJUSTED * se(mixed()))


def containment() -> np.ndarray:
    """The intercept varies within mice, treatments between them."""
    return np.array([ROWS - MICE] + [MICE - TREATMENTS] * (TREATMENTS - 1))


def standardised() -> np.ndarray:
    return mixed().residuals("pearson")


def icc_by_treatment() -> np.ndarray:
    return bm.icc(mixed("reml"), "treatment_idx", method="anova").frame["adjusted"].to_numpy()


def likelihood_ratio() -> np.ndarray:
    twice = mixed().loglik - fit("res ~ 1 + (1 | midx)", "ml").loglik
    return np.array([2 * twice, stats.chi2.sf(2 * twice, TREATMENTS - 1)])


def nlme_reml() -> np.ndarray:
    of = mixed("reml")
    return np.array([of.criterion, of.aic, of.deviance + np.log(ROWS - TREATMENTS) * of.n_parameters])


def second() -> Fit:
    return mixed(data="yu_example2_SURROGATE")


def waterlick() -> pd.Series:
    return fit("lick ~ dff + (1 | mouseID)", "ml", "waterlick_SURROGATE").coefficients.loc["dff"]


ONE = "Yu (Example 1)"
WEB = "Yu (MM_in_Neuroscience)"
TWO = "Yu (Example 2), SURROGATE data built to match"
STEPS: dict[tuple[str, str], Callable[[], object]] = {
    (ONE, "cells per group"): lambda: neurons().groupby("treatment_idx").size(),
    (ONE, "LM coefficients"): lambda: linear().fixef(),
    (ONE, "LM standard errors"): lambda: se(linear()),
    (ONE, "LM residual standard error"): lambda: linear().sigma,
    (ONE, "LM F"): lambda: treatment_f(linear()),
    (ONE, "ICC by group (ANOVA estimator)"): icc_by_treatment,
    (ONE, "ML AIC, BIC, logLik"): lambda: (mixed().aic, mixed().bic, mixed().loglik),
    (ONE, "ML sd midx, residual"): lambda: sds(mixed()),
    (ONE, "ML coefficients"): lambda: mixed().fixef(),
    (ONE, "ML standard errors as printed by nlme (x sqrt(N/(N-p)))"): lambda: ADJUSTED * se(mixed()),
    (ONE, "ML standard errors, lme4 convention"): lambda: ADJUSTED * se(mixed()),  # quoted as nlme prints them
    (ONE, "containment df"): containment,
    (ONE, "t values"): t_values,
    (ONE, "p values"): lambda: 2 * stats.t.sf(np.abs(t_values()), containment()),
    (ONE, "anova F"): lambda: (intercept_f(mixed(), ADJUSTED**2), treatment_f(mixed(), ADJUSTED**2)),
    (ONE, "standardised residual quantiles"): lambda: np.quantile(standardised(), [0, 0.25, 0.5, 0.75, 1]),
    (WEB, "REML criterion/AIC(nlme)/BIC(nlme)"): nlme_reml,
    (WEB, "REML coefficients"): lambda: mixed("reml").fixef(),
    (WEB, "REML SE"): lambda: se(mixed("reml")),
    (WEB, "ML LRT chisq, p"): likelihood_ratio,
    (TWO, "LM coefficients"): lambda: linear("yu_example2_SURROGATE").fixef(),
    (TWO, "LM SE"): lambda: se(linear("yu_example2_SURROGATE")),
    (TWO, "LME ML coefficients"): lambda: second().fixef(),
    (TWO, "LME ML SE"): lambda: se(second()),
    (TWO, "t values"): lambda: second().coefficients["statistic"],
    (TWO, "implied sd_mouse and sigma (recovered from the quoted SEs and counts)"): lambda: sds(second()),
    ("Yu (Example 4 waterlick), SURROGATE data built to match", "slope and SE"): lambda: waterlick()[
        ["estimate", "se"]
    ],
    ("Yu (Example 4)", "exp(b)-1 and 95% limits from the quoted b, SE"): lambda: np.expm1(
        waterlick()[["estimate", "lower", "upper"]].to_numpy(dtype=float)
    ),
    ("Bolker (sim5x5)", "simulated data, first five y (R 4.2.2, seed 101); not quoted"): lambda: bm.load_data("sim5x5")[
        "y"
    ].head(5),
}
# Approximate degrees of freedom are not computed here.
ELSEWHERE = ("Satterthwaite", "Kenward-Roger", "KR F")


def quoted(source: str, quantity: str) -> list[float]:
    rows = load_result("published_numbers")["rows"]
    return next(row["quoted"] for row in rows if (row["source"], row["quantity"]) == (source, quantity))


def last_digit(number: float) -> float:
    """Of a number as it was printed: 0.01 for 2272.96."""
    mantissa, _, exponent = repr(number).partition("e")
    return 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


@pytest.mark.parametrize(("source", "quantity"), STEPS, ids=[" ".join(key)[:60] for key in STEPS])
def test_a_step_gives_the_published_number(source: str, quantity: str) -> None:
    expected = np.array(quoted(source, quantity), dtype=float)
    found = np.asarray(STEPS[source, quantity](), dtype=float).ravel()
    rounding = PRINTED * np.array([last_digit(value) for value in expected.tolist()])
    allowed = np.maximum(rounding, STOPPED * np.abs(expected))
    np.testing.assert_array_less(np.abs(found - expected), allowed)


def test_no_published_number_is_passed_over() -> None:
    rows = [(row["source"], row["quantity"]) for row in load_result("published_numbers")["rows"]]
    left = [key for key in rows if key not in STEPS and not any(word in key[1] for word in ELSEWHERE)]
    assert not left


def test_labels_shuffled_among_mice_deceive_the_linear_model_and_not_the_mixed_one() -> None:
    rng = np.random.default_rng(1)
    data, of_mouse = neurons(), neurons().groupby("midx")["treatment_idx"].first()
    p = np.empty((NULLS, 2))
    for i in range(NULLS):
        shuffled = pd.Series(rng.permutation(of_mouse.to_numpy()), index=of_mouse.index)
        null = data.assign(treatment_idx=data["midx"].map(shuffled))
        groups = [rows.to_numpy() for _, rows in null.groupby("treatment_idx")["res"]]
        F = treatment_f(bm.Model("res ~ treatment_idx + (1 | midx)", null).fit("reml"))
        p[i] = stats.f_oneway(*groups).pvalue, stats.f.sf(F, TREATMENTS - 1, MICE - TREATMENTS)
    lm, lme = np.mean(p < ALPHA, axis=0)
    assert lm > 0.8  # published: nearly every data set without an effect shows one
    assert BINOMIAL[0] <= lme <= BINOMIAL[1]


def test_as_many_effects_as_rows_are_refused_unless_a_warning_is_asked_for() -> None:
    paired = pd.DataFrame(
        [(f"m{m}", f"m{m}c{c}", t) for m in range(5) for c in range(8) for t in ("pre", "post")],
        columns=["midx", "cidx", "treatment"],
    )
    params = {"Intercept": 1.0, "treatment[pre]": -0.2, "1|midx_sigma": 0.3, "1|midx:cidx_sigma": 0.4, "sigma": 0.3}
    paired["res"] = bm.simulate("res ~ treatment + (1 | midx/cidx)", paired, params, seed=1)[0]
    maximal = "res ~ treatment + (1 | midx) + (treatment | cidx)"
    with pytest.raises(bm.errors.ModelError, match="80 random effects"):
        bm.Model(maximal, paired).fit("ml")
    with pytest.warns(bm.errors.BayesMixedWarning, match="80"):
        excess = bm.Model(maximal, paired, check="warn").fit("ml")
    nested = bm.Model("res ~ treatment + (1 | midx/cidx)", paired).fit("ml")
    assert excess.loglik >= nested.loglik - SEARCH  # the larger model holds the smaller one
