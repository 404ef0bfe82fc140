"""Which models, or which terms of one, explain more than chance would?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import FitError, with_known_options
from ..fits.base import is_fit
from ..fits.told_apart import family_words, labelled, numbered
from .lrt.comparable import refuse_other_than_likelihoods
from .lrt.compare import ModelComparison, compare
from .terms.anova import anova_of
from .terms.table import TermTests


@with_known_options(
    test='It is F where the fit has degrees of freedom, else chi^2; ddf="asymptotic" asks for chi^2.',
    refit="REML fits of the same fixed part are compared by REML, all others refitted by ML.",
)
def anova(
    *fits: Any,
    type: int | str | None = None,
    ddf: str | float | None = None,
    labels: str | Sequence[str] | None = None,
    seed: int | None = 1,
) -> ModelComparison | TermTests:
    """Likelihood-ratio tests of several fits, the smallest model first; of one fit tests of its fixed terms.

    **One fit.** A linear model's terms are tested by F: with Satterthwaite's degrees of freedom by default, without
    bars with the residual ones (the ordinary table). Other models' terms are tested by Wald's chi^2. Type 1 adjusts a
    term for those before it, type 2 for all that do not contain it, type 3 (the default, as lmerTest's and SAS's) for
    all others by SAS's estimable functions. A term contains another if it has the same numeric variables and more
    factors: ``a:b`` contains ``a``, ``x:a`` contains ``x`` but not ``a``. The table is the same whatever contrasts the
    model has. Where lmerTest's depends on them the two differ: without an intercept beside several factors, and with
    ``a:b`` but not ``b``; it also takes ``poly(x, 2)`` for a factor. The intercept is not tested.

    **Several fits.** REML fits whose fixed parts span the same columns are compared by REML; otherwise every REML fit
    is fitted again by ML, and the page says so. Each model is tested against the one before it where that is a case of
    it: fixed parts by what their columns span, random parts bar by bar. Models that are not nested get information
    criteria alone.

    A variance of zero is on the boundary of its space, where the chi-squared law of the likelihood ratio does not hold.
    For one sd with its k covariances p is of the even mixture of chi2(k) and chi2(k + 1); anything more complicated has
    the naive p, which is then an upper bound. For the only variance of a linear model the exact law stands beside it.

    Parameters
    ----------
    *fits
        One fit, or two or more by ML or REML of the same rows, or one dict of them by label. Their order does not
        matter.
    type
        Of one fit: 1, 2 or 3; None for 3, and for 1 with "containment" and "between-within", which have no type 2.
    ddf
        Of one fit: "satterthwaite", "kenward-roger", "containment", "between-within", "residual", "asymptotic" or a
        number; None for the fit's default.
    labels
        One for each fit; by default formulas, with what else tells the models apart.
    seed
        Of the simulated values of the exact law.

    Returns
    -------
    ModelComparison or TermTests
        Prints as a table. Of several fits `frame` has parameters, aic, bic, loglik, chisq, df, p by model, `tests` the
        naive, mixture and exact p-values side by side; of one fit `frame` has num_df, den_df, statistic, p by term.

    Raises
    ------
    FitError
        For different rows (with both counts, the column whose missing values are the cause and the call that refits on
        the common ones), different responses, families of different kinds, penalised fits, and draws; for one fit of a
        model without terms, a type or a method that does not apply to it.

    Warns
    -----
    BayesMixedWarning
        Type 3 of one fit with empty cells, which it names.

    References
    ----------
    Self & Liang (1987), J. Am. Stat. Assoc. 82, 605-610; Stram & Lee (1994), Biometrics 50, 1171-1177, for the mixture;
    Crainiceanu & Ruppert (2004), J. R. Stat. Soc. B 66, 165-185, for the exact law. Kuznetsova, Brockhoff & Christensen
    (2017), J. Stat. Softw. 82(13), and SAS/STAT User's Guide, "The Four Types of Estimable Functions", for terms.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> sleep = bm.load_data("sleepstudy")
    >>> intercepts = bm.Model("Reaction ~ Days + (1 | Subject)", sleep).fit("reml")
    >>> slopes = bm.Model("Reaction ~ Days + (Days | Subject)", sleep).fit("reml")
    >>> bm.anova(intercepts, slopes).frame[["parameters", "chisq", "df"]].iloc[1].round(4).tolist()
    [6.0, 42.8368, 2.0]
    >>> growth = bm.Model("distance ~ age * Sex + (age | Subject)", bm.load_data("Orthodont")).fit("reml")
    >>> bm.anova(growth, type=2).frame["statistic"].round(4).to_dict()
    {'age': 99.4451, 'Sex': 0.4183, 'age:Sex': 5.1186}
    """
    named = len(fits) == 1 and isinstance(fits[0], Mapping)
    if named:
        labels, fits = labels or [str(name) for name in fits[0]], tuple(fits[0].values())
    if not fits:
        raise FitError(
            "anova takes fits: bm.anova(small, large) compares models, bm.anova(fit) tests terms of one.",
            topic="needs-several-fits",
        )
    if len(fits) == 1 and is_fit(fits[0]):
        if labels is not None and not named:
            raise FitError(
                "labels= are for several fits; the terms of one have their own names: leave it out.", topic="labels"
            )
        return anova_of(fits[0], type, ddf)
    refuse_other_than_likelihoods(fits, "anova")
    for name, value in (("type", type), ("ddf", ddf)):
        if value is not None:
            raise FitError(
                f"{name}= is for the terms of one fit, bm.anova(fit, {name}={value!r}): leave it out here.",
                topic="options-together",
            )
    names = _names(fits) if labels is None else labelled(labels, len(fits))
    return compare(fits, names, seed)


def _names(fits: Sequence[Any]) -> list[str]:
    """The formulas; family, constants, weights where they differ, the method where nothing else does, and numbers."""
    names = [" ".join(fit.model.formula.line.split()) for fit in fits]
    for words in (_family, _constants, _weights, _method):
        further = [words(fit) for fit in fits]
        if len(set(further)) > 1 and (words is not _method or len(set(names)) < len(names)):
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
