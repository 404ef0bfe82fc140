"""Which models, or which terms of one, explain more than chance would?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import FitError, with_known_options
from ..fits.told_apart import family_words, labelled, numbered
from .lrt.comparable import refuse_other_than_likelihoods
from .lrt.compare import ModelComparison, compare


@with_known_options
def anova(
    *fits: Any,
    type: int | None = None,
    ddf: Any = None,
    labels: str | Sequence[str] | None = None,
    seed: int | None = 1,
) -> ModelComparison:
    """Likelihood-ratio tests of several fits, the smallest model first.

    REML fits whose fixed parts span the same columns are compared by REML; otherwise every REML fit is fitted again by
    ML, and the page says so. Each model is tested against the one before it where that is a case of it: fixed parts by
    what their columns span, random parts bar by bar. Models that are not nested get information criteria alone.

    A variance of zero is on the boundary of its space, where the chi-squared law of the likelihood ratio does not hold.
    For one sd with its k covariances p is of the even mixture of chi2(k) and chi2(k + 1); anything more complicated has
    the naive p, which is then an upper bound. For the only variance of a linear model the exact law stands beside it.

    Parameters
    ----------
    *fits
        Two or more fits by ML or REML of the same rows, or one dict of them by label. Their order does not matter.
    type, ddf
        For the terms of one fit.
    labels
        One for each fit; by default formulas, with what else tells the models apart.
    seed
        Of the simulated values of the exact law.

    Returns
    -------
    ModelComparison
        Prints as a table; `frame` has parameters, aic, bic, loglik, chisq, df, p by model, `tests` the naive, mixture
        and exact p-values side by side.

    Raises
    ------
    FitError
        For different rows (with both counts, the column whose missing values are the cause and the call that refits on
        the common ones), different responses, families of different kinds, penalised fits, and draws.

    References
    ----------
    Self & Liang (1987), J. Am. Stat. Assoc. 82, 605-610; Stram & Lee (1994), Biometrics 50, 1171-1177, for the mixture;
    Crainiceanu & Ruppert (2004), J. R. Stat. Soc. B 66, 165-185, for the exact law.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> sleep = bm.load_data("sleepstudy")
    >>> intercepts = bm.Model("Reaction ~ Days + (1 | Subject)", sleep).fit("reml")
    >>> slopes = bm.Model("Reaction ~ Days + (Days | Subject)", sleep).fit("reml")
    >>> bm.anova(intercepts, slopes).frame[["parameters", "chisq", "df"]].iloc[1].round(4).tolist()
    [6.0, 42.8368, 2.0]
    """
    if len(fits) == 1 and isinstance(fits[0], Mapping):
        labels, fits = labels or [str(name) for name in fits[0]], tuple(fits[0].values())
    if not fits:
        raise FitError("anova takes fits: bm.anova(small, large) compares models, bm.anova(fit) tests terms of one.")
    refuse_other_than_likelihoods(fits, "anova")
    if len(fits) == 1:
        raise FitError("anova of one fit is not available yet: compare two, bm.anova(small, large).")
    for name, value in (("type", type), ("ddf", ddf)):
        if value is not None:
            raise FitError(f"{name}= is for the terms of one fit, bm.anova(fit, {name}={value!r}): leave it out here.")
    names = _names(fits) if labels is None else labelled(labels, len(fits))
    return compare(fits, names, seed)


def _names(fits: Sequence[Any]) -> list[str]:
    """The formulas; family, weights, method where these do not tell models apart, and numbers where nothing does."""
    names = [" ".join(fit.model.formula.line.split()) for fit in fits]
    for words in (_family, _constants, _weights, _method):
        further = [words(fit) for fit in fits]
        if len(set(further)) > 1 and len(set(names)) < len(names):
            names = [", ".join(filter(None, pair)) for pair in zip(names, further, strict=True)]
    return numbered(names)


def _family(fit: Any) -> str:
    return family_words(fit.model)


def _constants(fit: Any) -> str:
    return ", ".join(f"{name} = {value:g}" for name, value in fit.model.constants.items())


def _weights(fit: Any) -> str:
    return "" if fit.model.design.weights is None else "weighted"


def _method(fit: Any) -> str:
    return str(fit.label)
