"""What families are called elsewhere, and what to fit where a family is not available."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import nearest

# what other programs call them; asked for by mistake they are named, not guessed
ALIASES = {"normal": "gaussian", "norm": "gaussian", "lm": "gaussian", "lmm": "gaussian"}
ALIASES |= dict.fromkeys(("logistic", "logit", "binary", "probit", "bool"), "bernoulli")
ALIASES |= dict.fromkeys(("beta_binomial", "betabin", "bb"), "betabinomial")
ALIASES |= dict.fromkeys(
    ("nbinom", "nbinom2", "nb", "nb2", "negativebinomial", "neg_binomial", "neg_binomial_2"), "negbinomial"
)
ALIASES |= dict.fromkeys(("negative_binomial", "negative.binomial", "negbin"), "negbinomial")
ALIASES |= dict.fromkeys(("nbinom1", "nb1", "negativebinomial1"), "negbinomial1")
ALIASES |= dict.fromkeys(("inverse.gaussian", "inversegaussian", "wald", "invgauss"), "inverse_gaussian")
ALIASES |= dict.fromkeys(("beta_family", "betareg"), "beta")
ALIASES |= dict.fromkeys(("t", "t_family", "studentt", "student_t"), "student")
ALIASES |= dict.fromkeys(("log_normal", "lnorm"), "lognormal")
ALIASES |= dict.fromkeys(("count", "counts"), "poisson")
QUASI = {"quasibinomial": "betabinomial", "quasipoisson": "negbinomial1"}

_ORDERED = (
    'family="bernoulli" of one cut, such as "(rating > 3) ~ x + (1 | g)", is an ordinal model\'s question at that cut; '
    "with many levels the scores as numbers, gaussian"
)
_UNORDERED = 'family="bernoulli" of one level against another, such as data[data["y"].isin(["a", "b"])]'
_ZEROS = (
    'family="negbinomial" lets counts vary more, zeros included; bm.pp_check(fit, "zeros") says whether there are '
    "still too many"
)
_TWO_PARTS = (
    'its two parts are fitted apart: "(y > 0) ~ x + (1 | g)" with family="bernoulli", and the rows with y > 0 with '
    'family="gamma" or "lognormal"'
)
_SKEWED = 'family="lognormal", "gamma" or "inverse_gaussian"; bm.families.custom makes one of any NumPyro distribution'
_EXPONENTIAL = 'family="gamma", link="log", constants={"alpha": 1} is the exponential distribution'
_CUSTOM = "bm.families.custom makes one of any NumPyro distribution"
_SURVIVAL = 'family="gamma" or "lognormal" where no time is censored; with censored times lifelines or R\'s coxme'
# families of other packages that this one lacks -> what to fit in their place
_LACKED = dict.fromkeys(
    ("ordinal", "cumulative", "clm", "clmm", "polr", "ordered", "sratio", "cratio", "acat"), _ORDERED
)
_LACKED |= dict.fromkeys(("categorical", "multinomial", "multinom", "nominal"), _UNORDERED)
_LACKED |= dict.fromkeys(("zip", "zinb", "hurdle_poisson", "hurdle_negbinomial", "truncated_poisson"), _ZEROS)
_LACKED |= dict.fromkeys(("tweedie", "hurdle_gamma", "hurdle_lognormal", "ziga", "zero_inflated_beta"), _TWO_PARTS)
_LACKED |= dict.fromkeys(("skew_normal", "ex_gaussian", "exgaussian", "shifted_lognormal"), _SKEWED)
_LACKED |= dict.fromkeys(("weibull", "survival", "cox", "coxph"), _SURVIVAL)
_LACKED |= {"exponential": _EXPONENTIAL, "exp": _EXPONENTIAL}
_LACKED |= dict.fromkeys(("von_mises", "asymmetric_laplace", "laplace", "geometric", "com_poisson", "genpois"), _CUSTOM)


def unknown(value: object, known: Iterable[str]) -> str:
    """What to type for a family that does not exist.

    >>> unknown("Normal", ["gaussian"])
    "Unknown family 'Normal'. Did you mean 'gaussian'?"
    """
    name = str(value).lower()
    if name.startswith("quasi"):
        instead = QUASI.get(name, "gamma")
        return f"{value!r} is not a distribution, so it has no likelihood: family={instead!r} estimates the dispersion."
    plain = name.replace("-", "_").replace(" ", "_")
    lacked = _LACKED.get(plain) or (_ZEROS if plain.startswith(("zero_inflated", "zi_", "hurdle", "truncated")) else "")
    if lacked:
        return f"The family {value!r} is not available yet: {lacked}. Known: {', '.join(known)}."
    if name in ALIASES:
        return f"Unknown family {value!r}. Did you mean {ALIASES[name]!r}?"
    return f"Unknown family {value!r}. {nearest(name, known)}"
