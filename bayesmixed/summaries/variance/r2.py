"""How much of the variance do the fixed effects explain, and how much fixed and random effects together?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...fits.caution import with_caution
from ...messages import Told
from ...parameters.predicted import predicted
from ...prediction.new_rows import responses_per_row, take_rows
from ...prediction.responses import location
from ..answer import Answer
from .counted import mean as mean_over
from .counted import variance
from .residual_variance import Options
from .slopes_share import over_rows
from .variances import Variances, share, variances

if TYPE_CHECKING:
    from ...fits.base import Fit

_AVERAGED = Told("shares-of-variance", "Nakagawa's: random slopes count with their variance averaged over the rows.")
CHUNK = 2**22  # draws x rows held at once
_BAYES = Told(
    "shares-of-variance",
    "Bayesian: on the response scale, variance of the means over that plus the mean residual variance.",
)
_WITHIN = Told(
    "shares-of-variance",
    "Its marginal share is without random effects: the variance between groups is in neither part, while Nakagawa's "
    "counts it in the whole.",
)


def r2(fit: Fit, *, approximation: str = "lognormal", mean: str | float | None = "null") -> Answer:
    """Shares of variance explained: Nakagawa's for every fit, the Bayesian one for draws too.

    Parameters
    ----------
    fit
        Any fit, singular ones included; without random effects marginal and conditional are the same.
    approximation, mean
        As in `icc`.

    Returns
    -------
    Answer
        Prints as a table. `frame` is indexed by definition ("nakagawa", for draws also "bayesian") and part:
        "marginal", by the fixed effects, and "conditional", by fixed and random effects. Columns estimate (posterior
        mean), lower and upper (95 %, NaN for a point fit).

    Notes
    -----
    Nakagawa's is on the link scale: (fixed + random) / (fixed + random + residual) variance, with the approximations
    that `icc` describes, and the same for every engine. Gelman's, per draw, is
    Var(mu) / (Var(mu) + mean Var(y | mu)) over the rows, on the scale of the response (of successes: their shares).
    Its marginal share has the means without random effects, so that the variance between groups is in neither part:
    the share within groups that are alike, while Nakagawa's marginal is a share of all variance.
    Precision weights w count in both: the residual variance is the mean of sigma^2 / w over the rows; a row of
    frequency weight w is w rows.

    References
    ----------
    Nakagawa, Johnson & Schielzeth (2017), J. R. Soc. Interface 14: 20170213. Gelman, Goodrich, Gabry & Vehtari (2019),
    Am. Stat. 73, 307-309, eq. 3.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> bm.r2(fit).frame["estimate"].round(4).tolist()
    [0.2787, 0.7992]
    """
    found = variances(fit, Options(approximation, mean))
    shares = {
        ("nakagawa", "marginal"): found.marginal,
        ("nakagawa", "conditional"): found.conditional,
    }
    notes = (*found.notes, *_by_approximation(found))
    if over_rows(fit, found) is not None:
        notes = (*notes, _AVERAGED)
    if fit.sampled:
        every = list(range(len(fit.model.design.groups)))
        shares["bayesian", "marginal"] = _bayesian(fit, [])
        shares["bayesian", "conditional"] = _bayesian(fit, every)
        notes = (*notes, _BAYES, *([_WITHIN] if every else []))
    frame = pd.DataFrame({key: _row(values) for key, values in shares.items()}).T
    frame.index = pd.MultiIndex.from_tuples(list(shares), names=["definition", "part"])
    return Answer("Share of variance explained (R2)", frame, with_caution(notes, fit))


def _by_approximation(found: Variances) -> tuple[str, ...]:
    """What the shares would be by the other approximations on the log scale."""
    others = [
        f"{other.marginal.mean():.3f} and {other.conditional.mean():.3f} ({name})"
        for name, other in found.approximated().items()
    ]
    if not others:
        return ()
    return (
        Told(
            "approximations",
            f"By the other approximations Nakagawa's marginal and conditional shares are {', '.join(others)}.",
        ),
    )


def _row(values: np.ndarray) -> dict[str, float]:
    lower, upper = np.quantile(values, (0.025, 0.975)) if len(values) > 1 else (np.nan, np.nan)
    return {"estimate": float(values.mean()), "lower": float(lower), "upper": float(upper)}


def _bayesian(fit: Fit, terms: list[int]) -> np.ndarray:
    """Gelman et al.'s share (draws,), the means with the random effects of `terms`."""
    family, flat = fit.model.family, fit.parameters.flat()
    counts = responses_per_row(fit.model)
    design, counts = take_rows(fit.model.design, np.flatnonzero(counts)), counts[counts > 0]
    weights = design.weights if family.weights == "precision" else None
    step, parts = max(1, CHUNK // max(design.n_rows, 1)), []
    for first in range(0, flat.n_draws, step):
        some = flat.take(slice(first, first + step))
        found = predicted(family, design, some, terms)
        mu, dispersion = location(family, found.eta), found.dispersion
        noise = mean_over(np.broadcast_to(family.sd(mu, dispersion, weights, design.trials) ** 2, mu.shape), counts)
        explained = variance(family.mean(mu, dispersion, weights), counts)
        parts.append(share(explained, explained + noise))
    return np.concatenate(parts)
