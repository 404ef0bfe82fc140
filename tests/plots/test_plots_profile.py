"""Pictures of profiles: what their frames hold, in closed form where there is one, and what is refused."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from pictures import drawn

import bayesmixed as bm
from bayesmixed.errors import FitError

READ = 1e-3  # of zeta: what reading a curve between its points leaves
ROUND = 0.02  # of the radius of a contour, between the four points that are exact, at a correlation of -0.84

pytestmark = pytest.mark.usefixtures("plt")


@cache
def straight() -> Any:
    """Two coefficients of a linear model without bars: their likelihood is a function of one quadratic form."""
    return bm.profile(bm.Model("Reaction ~ Days", bm.load_data("sleepstudy")).fit("ml"), ["Intercept", "Days"])


@cache
def bent() -> Any:
    return bm.profile(bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("ml"))


def test_the_line_of_wald_touches_the_curve_at_the_estimate() -> None:
    for _, rows in bm.plot.profile_frame(bent()).groupby("parameter"):
        at = rows[rows["zeta"] == 0].iloc[0]
        assert at["wald"] == 0
        near = rows[rows["zeta"].abs() < 0.1]
        assert np.all(np.abs(near["wald"] - near["zeta"]) < 0.01)


def test_contours_are_joint_limits() -> None:
    """On each the deviance, with both parameters held, rises by the chi-squared quantile of two degrees of freedom."""
    profile = straight()
    fit, frame = profile.fit, bm.plot.profile_pairs_frame(profile, levels=[0.5, 0.95])
    X, y = fit.model.design.mu.X, fit.model.design.response.y
    for level, rows in frame[frame["kind"] == "contour"].groupby("level"):
        betas = rows[["x_value", "y_value"]].to_numpy()
        rss = np.sum((y[:, None] - X @ betas.T) ** 2, axis=0)
        rise = fit.n_obs * np.log(rss / np.sum((y - X @ fit.beta) ** 2))
        assert np.allclose(np.sqrt(rise), np.sqrt(-2 * np.log(1 - level)), rtol=ROUND)


def test_traces_are_where_the_other_parameter_is_at_its_best() -> None:
    """The other coefficient of a linear model is a linear function of the one that is held."""
    frame = bm.plot.profile_pairs_frame(straight())
    rows = frame[frame["kind"] == "trace of x"]
    V = straight().fit.coefficient_covariance
    expected = straight().fit.beta[1] + V[1, 0] / V[0, 0] * (rows["x_value"] - straight().fit.beta[0])
    assert np.allclose(rows["y_value"], expected, rtol=READ)


def test_an_sd_that_ends_at_zero_has_no_contour_around_it() -> None:
    fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff2")).fit("ml")
    frame = bm.plot.profile_pairs_frame(bm.profile(fit))
    around = frame[(frame["kind"] == "contour") & (frame[["x", "y"]] == "sd(Intercept | Batch)").any(axis=1)]
    assert around.empty and not frame[frame["kind"] == "contour"].empty
    assert drawn(bm.plot.profile_pairs(bm.profile(fit)))
    assert drawn(bm.plot.profile(bm.profile(fit)))


def test_what_is_no_profile_is_told_how_to_make_one() -> None:
    for plot in (bm.plot.profile, bm.plot.profile_pairs):
        with pytest.raises(FitError, match=r"write bm.profile\(fit\) first"):
            plot(bent().fit)
        with pytest.raises(FitError, match="Did you mean 'sigma'"):
            plot(bent(), "sgma")
    with pytest.raises(FitError, match="bm.plot.profile draws its profile"):
        bm.plot.profile_pairs(bent(), "sigma")
    with pytest.raises(FitError, match="not between 0 and 1"):
        bm.plot.profile_pairs(bent(), levels=[95])
