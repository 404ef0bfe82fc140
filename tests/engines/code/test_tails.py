"""Scripts keep the digits of both tails, where 1 - mu cancels and NumPyro holds probabilities off 0 and 1."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scripts import our_log_density, point

import bayesmixed as bm
from bayesmixed.families import FAMILIES

AS_EXACT = 1e-9  # relative
FAR = {"logit": 60.0, "probit": 12.0, "cloglog": 4.5, "cauchit": 1e9, "log": 0.0}  # predictors in whose tails mu is 1
ASYMPTOTES = [(0.0, 0.0), (0.3, 0.0), (0.0, 0.05), (0.25, 0.02)]


def rows(family: str, far: float) -> pd.DataFrame:
    """Predictors through both tails, responses that do not follow them."""
    rng = np.random.default_rng(1)
    o = np.linspace(-max(far, 3.0), far, 40) - (0.5 if far == 0 else 0.0)
    share = rng.beta(2.0, 2.0, 40)
    y = share if family == "beta" else rng.integers(0, 2, 40).astype(float)
    return pd.DataFrame({"y": y, "o": o, "g": np.repeat(np.arange(8), 5)})


def model(family: str, link: bm.links.Link, far: float) -> bm.Model:
    priors = {"sd": bm.priors.HalfNormal(0.01), "Intercept": bm.priors.Normal(0.0, 0.01)}
    return bm.Model("y ~ 1 + (1 | g)", rows(family, far), family=family, link=link, offset="o", priors=priors)


@pytest.mark.parametrize("link", FAR)
@pytest.mark.parametrize("family", ["bernoulli", "binomial", "betabinomial", "beta"])
def test_both_tails_have_all_digits(family: str, link: str) -> None:
    if link not in FAMILIES[family].links:
        pytest.skip(f"{family} has no {link} link")
    made = model(family, bm.links.link(link), FAR[link])
    found = point(made.code())
    ours = our_log_density(made, found.sites)
    assert np.isfinite(ours) and found.log_density == pytest.approx(ours, rel=AS_EXACT)


@pytest.mark.parametrize(("guess", "lapse"), ASYMPTOTES[1:])
@pytest.mark.parametrize("link", ["logit", "probit", "cloglog", "cauchit"])
def test_asymptotes_keep_the_tail_that_is_left(link: str, guess: float, lapse: float) -> None:
    made = model("bernoulli", getattr(bm.links, link)(guess, lapse), FAR[link])
    found = point(made.code())
    assert found.log_density == pytest.approx(our_log_density(made, found.sites), rel=AS_EXACT)
