"""What functions and members that other packages have, or this one will have, are here: what to type instead."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from ..errors import nearest

_MODEL = 'Write bm.Model("y ~ x + (1 | g)", data).fit("{}"{}).'
_FAMILY = 'Write bm.Model("y ~ x + (1 | g)", data, family="poisson").fit("ml").'
_DRAWS = _MODEL.format("nuts", ", seed=1")
_DRAWS_AS = 'Write bm.Model("y ~ x + (1 | g)", data, priors="{}").fit("nuts", seed=1).'
_NESTED = (
    "Two fits by maximum likelihood: bm.anova(small, large), the terms of one: bm.anova(fit). Fits with draws: "
    "bm.loo_compare(one, other)."
)
_INTERVALS = 'Write bm.confint(fit): by the profile likelihood, or bm.confint(fit, "wald") by standard errors.'
_PROFILE = "Write bm.profile(fit); bm.plot.profile(bm.profile(fit)) draws it, and bm.confint(fit) has limits alone."
_HYPOTHESIS = (
    'Write bm.hypothesis(fit, "x1 - x2 = 0"), of draws too, bm.hypothesis(fit, "x > 0"); without a text it tests every '
    "coefficient."
)
_ROBUST = 'Write bm.hypothesis(fit, vcov="CR2", cluster="school"), of generalized models vcov="CR0".'
_BOOTSTRAP = "Write bm.bootstrap(fit, n=1000, seed=1); its .confint() has limits."
_BOOTSTRAP_TEST = "Write bm.bootstrap_test(large, small, n=1000, seed=1)."
_INFLUENCE = (
    'Write bm.influence(fit, "Subject"), of single rows bm.influence(fit): .frame has Cook\'s distances and changes, '
    ".dfbetas the standardised ones; leverages are fit.leverage()."
)
_PERMUTATION = 'Write bm.permutation_test(fit, "treatment", by="mouse", n=1000, seed=1).'
_TERMS = (
    "Write bm.anova(fit): each fixed term by F or chi^2; type= is 1, 2 or 3, ddf= how degrees of freedom are found."
)
_EFFECTS = "Write bm.drop1(fit, random=True); of two fits bm.anova(small, large)."
_ONE_VARIANCE = "Write bm.anova(small, large): the exact p of the only variance stands beside the others."
_DDF = (
    'Degrees of freedom are an argument, ddf="satterthwaite" or ddf="kenward-roger" among others, of bm.hypothesis, '
    "bm.anova, bm.emmeans and fit.summary."
)
_P_VALUES = 'Ask bm.hypothesis(fit), or fit.summary(ddf="satterthwaite").'
_CONTRASTS = 'Write bm.emmeans(fit, "f").contrast("pairwise"); adjust= is "tukey" by default.'
_DF_RESID = "There is no one number: bm.hypothesis(fit).frame['df'] has those of each coefficient; rows are fit.n_obs."
_STEPS = "One step is bm.drop1(fit) or bm.drop1(fit, random=True): p-values after several are not what they seem."
_POWER = 'Write bm.power(model, params, test="x", levels={"Subject": [10, 20, 40]}), or bm.power(fit, test="x").'
_PICTURES = (
    "Pictures are functions: bm.plot.caterpillar(fit), bm.plot.effects(fit), bm.plot.residuals(fit); dir(bm.plot) "
    "lists them."
)
_PRIORS = 'priors= of bm.Model is a dict, {"x": numpyro.distributions.Normal(0, 10)}; print(model) shows all.'
_SLOPES = 'Write bm.slopes(fit, "x"); with newdata="data", average=True for average marginal effects.'
_GRID = 'Write bm.predictions(fit, "x"); the picture is bm.plot.effects(fit).'

# lower case -> what to type; what both the package and its fits are asked for
_BOTH = {
    "anova": _NESTED,
    "lrt": _NESTED,
    "lrtest": _NESTED,
    "likelihood_ratio_test": _NESTED,
    "compare_lr_test": _NESTED,
    "anova_lm": _NESTED,
    "ranova": _EFFECTS,
    "rand": _EFFECTS,
    "exactrlrt": _ONE_VARIANCE,
    "exactlrt": _ONE_VARIANCE,
    "rlrsim": _ONE_VARIANCE,
    "joint_tests": _TERMS,
    "test_terms": _TERMS,
    "wald_test_terms": _TERMS,
    "krmodcomp": _TERMS,
    "satmodcomp": _TERMS,
    "pbkrtest": _TERMS,
    "lmertest": _TERMS,
    "car": _TERMS,
    "afex": _TERMS,
    "mixed_anova": _TERMS,
    "aov_car": _TERMS,
    "step": _STEPS,
    "stepaic": _STEPS,
    "backward": _STEPS,
    "satterthwaite": _DDF,
    "kenward_roger": _DDF,
    "kr": _DDF,
    "ddf": _DDF,
    "get_ddf_lb": _DDF,
    "dof_kenward": _DDF,
    "dof_satterthwaite": _DDF,
    "vcovadj": _DDF,
    "p_values": _P_VALUES,
    "pvalue": _P_VALUES,
    "p_value": _P_VALUES,
    "coeftest": _P_VALUES,
    "df": _DF_RESID,
    "df_resid": _DF_RESID,
    "df_residual": _DF_RESID,
    "compare": _NESTED,
    "hypothesis": _HYPOTHESIS,
    "linearhypothesis": _HYPOTHESIS,
    "glht": _HYPOTHESIS,
    "t_test": _HYPOTHESIS,
    "f_test": _HYPOTHESIS,
    "wald_test": _HYPOTHESIS,
    "contest": _HYPOTHESIS,
    "lht": _HYPOTHESIS,
    "hypotheses": _HYPOTHESIS,
    "linear_hypothesis": _HYPOTHESIS,
    "test": _HYPOTHESIS,
    "wald": _HYPOTHESIS,
    "vcovcr": _ROBUST,
    "vcovhc": _ROBUST,
    "vcovcl": _ROBUST,
    "coef_test": _ROBUST,
    "sandwich": _ROBUST,
    "clubsandwich": _ROBUST,
    "robust": _ROBUST,
    "cluster_robust": _ROBUST,
    "get_robustcov_results": _ROBUST,
    "confint": _INTERVALS,
    "conf_int": _INTERVALS,
    "ci": _INTERVALS,
    "intervals": _INTERVALS,
    "hdi": 'Write bm.confint(fit, "hdi") of a fit with draws.',
    "profile": _PROFILE,
    "profile_re": _PROFILE,
    "bootstrap": _BOOTSTRAP,
    "bootmer": _BOOTSTRAP,
    "bootstrap_test": _BOOTSTRAP_TEST,
    "pbmodcomp": _BOOTSTRAP_TEST,
    "power": _POWER,
    "powersim": _POWER,
    "powercurve": _POWER,
    "influence": _INFLUENCE,
    "influence_me": _INFLUENCE,
    "get_influence": _INFLUENCE,
    "hlmdiag": _INFLUENCE,
    "hlm_influence": _INFLUENCE,
    "case_delete": _INFLUENCE,
    "cooks_distance": _INFLUENCE,
    "cooksd": _INFLUENCE,
    "cook": _INFLUENCE,
    "dfbeta": _INFLUENCE,
    "dfbetas": _INFLUENCE,
    "dffits": _INFLUENCE,
    "mdffits": _INFLUENCE,
    "leave_one_out": _INFLUENCE,
    "jackknife": _INFLUENCE,
    "permutation_test": _PERMUTATION,
    "permlmer": _PERMUTATION,
    "perm_lmer": _PERMUTATION,
    "permanova_lmer": _PERMUTATION,
    "permutation": _PERMUTATION,
    "randomization_test": _PERMUTATION,
    "contrast": _CONTRASTS,
    "contrasts": _CONTRASTS,
    "pairs": _CONTRASTS,
    "pairwise": _CONTRASTS,
    "posthoc": _CONTRASTS,
    "tukey": _CONTRASTS,
    "tukeyhsd": _CONTRASTS,
    "difflsmeans": _CONTRASTS,
    "t_test_pairwise": _CONTRASTS,
    "lsmeans": 'Write bm.emmeans(fit, "f").',
    "ls_means": 'Write bm.emmeans(fit, "f").',
    "lsmeanslt": 'Write bm.emmeans(fit, "f").',
    "emtrends": _SLOPES,
    "conditional_effects": _GRID,
    "marginal_effects": _SLOPES,
    "issingular": "Ask fit.status.singular, and in words bm.diagnose(fit).",
    "waic": "Write bm.loo(fit).",
    "check_model": "Write bm.diagnose(fit) and bm.residual_checks(fit).",
    "nobs": "Ask fit.n_obs.",
    "rsquared": "Write bm.r2(fit).",
    "bayes_r2": "Write bm.r2(fit).",
    "tidy": "Ask fit.coefficients and fit.varcorr().",
    "refit": 'Write fit.model.with_response(y).fit("ml").',
    "update": 'Write fit.model.replace(formula="...").fit("ml").',
}
_FUNCTIONS = _BOTH | {
    "lmer": _MODEL.format("reml", ""),
    "lme": _MODEL.format("reml", ""),
    "mixedlm": _MODEL.format("reml", ""),
    "mixed": _MODEL.format("reml", ""),
    "fit": _MODEL.format("reml", ""),
    "lm": 'Write bm.Model("y ~ x", data).fit("ml").',
    "ols": 'Write bm.Model("y ~ x", data).fit("ml").',
    "glm": 'Write bm.Model("y ~ x", data, family="poisson").fit("ml").',
    "aov": 'Write bm.Model("y ~ f + (1 | g)", data).fit("reml"), then bm.anova(fit).',
    "glmer": _FAMILY,
    "glmmtmb": _FAMILY,
    "glmmpql": _FAMILY,
    "glmer_nb": _FAMILY.replace("poisson", "negbinomial"),
    "blmer": 'Write bm.Model("y ~ x + (1 | g)", data).fit(bm.MAP(criterion="reml")).',
    "bglmer": _FAMILY.replace("ml", "map"),
    "brm": _DRAWS_AS.format("brms"),
    "brms": _DRAWS_AS.format("brms"),
    "bambi": _DRAWS_AS.format("bambi"),
    "stan_lmer": _DRAWS_AS.format("rstanarm"),
    "stan_glmer": _DRAWS_AS.format("rstanarm").replace("data,", 'data, family="poisson",'),
    "nlmer": "Nonlinear formulas are not available yet; poly(x, 2), bs(x) and ns(x) bend a line.",
    "nlme": "Nonlinear formulas are not available yet; poly(x, 2), bs(x) and ns(x) bend a line.",
    "sample": _DRAWS,
    "agq": 'Write model.fit(bm.ML(quadrature=9)).',
    "bf": 'Write bm.Formula("y ~ x + (1 | g)").',
    "prior": _PRIORS,
    "set_prior": _PRIORS,
    "get_prior": "Write print(model), or model.prior_summary().",
    "default_prior": "Write print(model), or model.prior_summary().",
    "prior_summary": "Write model.prior_summary().",
    "make_stancode": "model.code() is the NumPyro script.",
    "stancode": "model.code() is the NumPyro script.",
    "avg_predictions": 'Write bm.predictions(fit, newdata="data", average=True).',
    "avg_comparisons": 'Write bm.comparisons(fit, "x", newdata="data", average=True).',
    "avg_slopes": 'Write bm.slopes(fit, "x", newdata="data", average=True).',
    "ggpredict": _GRID,
    "plot_model": "Write bm.plot.forest(fit) or bm.plot.effects(fit).",
    "allfit": "Write bm.multi_start(fit).",
    "buildmer": "Write bm.simplify(model); the structure to begin with is that of bm.maximal(formula, data, groups).",
    "buildglmmtmb": "Write bm.simplify(model).",
    "step": "Write bm.simplify(model), of random effects; fixed ones one by one: bm.drop1(fit).",
    "load_dataset": 'Write bm.load_data("sleepstudy"); bm.list_data() lists them.',
    "datasets": 'Write bm.load_data("sleepstudy"); bm.list_data() lists them.',
    "sleepstudy": 'Write bm.load_data("sleepstudy"); bm.list_data() lists them.',
    "summary": "Write print(fit), or print(fit.summary(ddf=\"satterthwaite\")).",
    "pvalues": _P_VALUES,
    "performance": "Write bm.r2(fit), bm.icc(fit), bm.diagnose(fit).",
}  # fmt: skip
_MEMBERS = _BOTH | {
    "plot": _PICTURES,
    "params": "Ask fit.fixef().",
    "fe_params": "Ask fit.fixef().",
    "bse": 'Ask fit.coefficients["se"].',
    "tvalues": 'Ask fit.coefficients["statistic"].',
    "pvalues": _P_VALUES,
    "random_effects": "Ask fit.ranef().",
    "cov_re": "Ask fit.varcorr().",
    "cov_params": "Ask fit.vcov().",
    "resid": "Ask fit.residuals().",
    "to_latex": "Write fit.summary().to_latex(), or bm.side_by_side(fit).to_latex().",
    "to_markdown": "Write fit.summary().to_markdown(), or bm.side_by_side(fit).to_markdown().",
    "fittedvalues": "Ask fit.fitted().",
    "llf": "Ask fit.loglik.",
    "log_likelihood": 'Ask fit.loglik; by draw and row of a fit with draws, fit.log_likelihood().',
    "fixed_effects": "Ask fit.fixef().",
    "formula": "Ask fit.model.formula.",
    "family": "Ask fit.model.family.",
    "data": "Ask fit.model.frame, the columns used.",
    "priors": "Ask fit.model.priors.",
    "design": "Ask fit.model.design.",
    "allfit": "Write bm.multi_start(fit).",
    "simplify": "Write bm.simplify(fit.model).",
    "step": "Write bm.simplify(fit.model).",
    "maximal": "Write bm.maximal(fit.model.formula, data).",
    "hatvalues": "Ask fit.leverage() of a point fit.",
    "converged": "Ask fit.status.converged.",
    "singular": "Ask fit.status.singular.",
    "problems": "Ask fit.status.problems.",
    "divergences": "Ask fit.status.divergences.",
    "rhat": "Ask fit.status.max_rhat and fit.coefficients.",
    "posterior": "Ask fit.idata.posterior of a fit with draws.",
    "sample_stats": "Ask fit.idata.sample_stats of a fit with draws.",
    "draws": "Ask fit.idata.posterior of a fit with draws.",
    "as_draws": "Ask fit.idata.posterior of a fit with draws.",
    "posterior_epred": "Ask fit.predict_draws(newdata).",
    "posterior_linpred": 'Ask fit.predict_draws(newdata, scale="link").',
    "posterior_predict": 'Ask fit.predict_draws(newdata, scale="observation").',
}  # fmt: skip
_OF_FITS = (
    "aic bic coef() coefficients criterion deviance fitted() fixef() idata leverage() loglik predict() predict_draws() "
    "ranef() ranef_sd() repca() residuals() save() sigma status theta to_html() varcorr() vcov()"
).split()
_VERBS = (
    "comparisons diagnose drop1 emmeans icc inverse_predict loo loo_compare multi_start odds_ratios pooling pp_check "
    "predictions r2 report residual_checks side_by_side slopes"
).split()


def function(name: str, known: Iterable[str], pictures: Collection[str] = ()) -> str:
    """What to type for a function that the package does not have: its counterpart, else the nearest name.

    `pictures` are the names of `bm.plot`.

    >>> function("VarCorr", [])
    'Ask a fit: fit.varcorr().'
    """
    lowered = name.lower()
    if lowered in _FUNCTIONS:
        return _FUNCTIONS[lowered]
    picture = lowered.removeprefix("plot_")
    if picture in pictures:
        return f"It is a picture: bm.plot.{picture}(...)."
    own = next((one for one in _OF_FITS if one.rstrip("()") == lowered), None)
    return f"Ask a fit: fit.{own}." if own else nearest(name, known)


def member(name: str, known: Mapping[str, str]) -> str:
    """What to type for a member that a fit does not have; `known` are those it has, and how each is written.

    >>> member("emmeans", {})
    'It is a function: bm.emmeans(fit, ...).'
    >>> member("VarCorr", {"varcorr": "varcorr()"})
    'Ask fit.varcorr().'
    """
    lowered = name.lower()
    if lowered in _MEMBERS:
        return _MEMBERS[lowered]
    if lowered in known:
        return f"Ask fit.{known[lowered]}."
    return f"It is a function: bm.{lowered}(fit, ...)." if lowered in _VERBS else nearest(name, known)
