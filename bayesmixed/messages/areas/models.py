"""Families, links, constants and priors that do not go together."""

from __future__ import annotations

from ..topic import note, refusal

TOPICS = (
    refusal(
        "unknown-family",
        "A family that does not exist, or not here",
        "A family is a name, or a value of `bm.families`; families of other packages have a counterpart or none.",
        'The message says what comes nearest, such as `family="negbinomial"`.',
    ),
    refusal(
        "unknown-link",
        "A link that does not exist",
        "A link is a name, or a value of `bm.links`.",
        'Such as `link="logit"`, `"probit"`, `"log"`; the message names the nearest.',
    ),
    refusal(
        "family-and-link",
        "A link that the family does not take",
        "The link must send the mean's range to all numbers.",
        "The message lists the links of the family.",
    ),
    refusal(
        "guess-and-lapse",
        "Probabilities of a guess and a lapse",
        "They are probabilities below 1 whose sum is below 1 too: between them lies the curve.",
        "`bm.links.logit(guess=0.5, lapse=0.02)`.",
    ),
    refusal(
        "custom-family",
        "A family of your own that is not complete",
        "`bm.families.custom` needs a NumPyro distribution of mu and the dispersion parameters, with what is asked of "
        "it: a mean, draws, a support.",
        "See the example of `help(bm.families.custom)`.",
    ),
    refusal(
        "deviance-residuals",
        "Deviance residuals without a saturated fit",
        "Where no set of means fits each row best, there is no deviance to take a share of.",
        '`fit.residuals("quantile")` or `fit.residuals("pearson")`.',
    ),
    refusal(
        "constants",
        "A parameter held at a value",
        "`constants=` is a dict of parameters of the family and values inside of their range, without a formula or a "
        "prior of their own.",
        '`bm.Model(..., constants={"sigma": 0.5})`.',
    ),
    refusal(
        "residual-correlation",
        "Correlated residuals",
        "Structures of residual correlation are not available.",
        "Leave `correlation=` out; random slopes over time model much of it.",
    ),
    refusal(
        "sigma-has-a-predictor",
        "One residual sd, where there are many",
        "Where sigma has a formula every row has its own.",
        '`fit.predict(parameter="sigma")` gives it row by row.',
    ),
    refusal(
        "prior-form",
        "A prior that is no distribution of this parameter",
        "A prior is a distribution of NumPyro or of `bm.priors`, one for a parameter or as many as it has elements.",
        '`priors={"Days": bm.priors.Normal(0, 10)}`; `model.prior_summary()` lists the names.',
    ),
    refusal(
        "no-such-prior",
        "A prior of a parameter that is not there",
        "The name is none of the model's parameters, is held constant, or has a prior already.",
        "`model.prior_summary()` lists the names of all parameters with their priors.",
    ),
    refusal(
        "prior-missing",
        "A parameter without a prior",
        "A function that gives priors must give one for every parameter.",
        "Start from a preset and replace what you want: a dict lies over the default.",
    ),
    refusal(
        "prior-support",
        "A prior outside of what the parameter can be",
        "An sd is not negative, a probability lies within 0 and 1: the prior reaches beyond.",
        "`bm.priors.HalfNormal(1)`, `bm.priors.Exponential(1)` for sds; the message says what fits.",
    ),
    refusal(
        "prior-of-a-block",
        "The prior of sds and correlations",
        "A correlation matrix takes an LKJ; a prior of a whole covariance (as Decov) takes the place of those of its "
        "sds and correlations.",
        "`bm.priors.LKJ(2)` for `Subject_corr`, half-normals for sds, or one `bm.priors.Decov()` for `Subject_cov`.",
    ),
    refusal(
        "preset",
        "A set of priors that does not cover this model",
        "Presets are made after other programs, which do not have every model.",
        'Use `priors="default"`, or a dict of your own.',
    ),
    refusal(
        "flat-prior",
        "Draws from a flat prior",
        "A flat prior is no distribution, so that nothing can be drawn from it.",
        'Give proper priors, `model.replace(priors="default")`.',
    ),
    refusal(
        "stated-parameters",
        "Parameters stated in numbers",
        "`params=` and `effect=` are dicts of every parameter that is needed, on the scale of the linear predictor, "
        "within their ranges; correlations are a matrix.",
        '`{"Intercept": 250, "Days": 10, "1|Subject_sigma": 25, "sigma": 25}`; the message names what is missing.',
    ),
    note(
        "double-bar",
        "Two bars",
        "`(x || g)` gives every column an sd of its own and no correlations, those of a factor included; lme4 keeps "
        "those of one factor correlated.",
        "`(1 | g) + (0 + f | g)` keeps them.",
    ),
    note(
        "origin-of-priors",
        "Where priors are stated",
        "The prior of a coefficient with interactions, or of an sd with slopes, depends on where zero of the columns "
        "is.",
        "Centre columns whose zero means nothing, or `bm.priors.centered(...)`.",
    ),
)
