"""Names that other packages have, or that this one will have: answered with what to type, which then works."""

from __future__ import annotations

import copy
import pickle
import re
from typing import Any

import numpy as np
import pytest

import bayesmixed as bm
from bayesmixed.families.other_names import unknown
from bayesmixed.fits import other_packages as elsewhere

SAME = 1e-8  # relative: two fits of one likelihood


@pytest.fixture(scope="module")
def fit() -> Any:
    return bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("lmer", 'bm.Model("y ~ x + (1 | g)", data).fit("reml")'),
        ("glmer", 'family="poisson").fit("ml")'),
        ("glmmTMB", 'family="poisson").fit("ml")'),
        ("brm", 'priors="brms").fit("nuts", seed=1)'),
        ("stan_glmer", 'priors="rstanarm").fit("nuts", seed=1)'),
        ("lm", 'bm.Model("y ~ x", data).fit("ml")'),
        ("VarCorr", "fit.varcorr()"),
        ("ranef", "fit.ranef()"),
        ("avg_slopes", 'bm.slopes(fit, "x", newdata="data", average=True)'),
        ("emmean", "Did you mean 'emmeans'?"),
    ],
)
def test_functions_of_other_packages_are_answered(name: str, answer: str) -> None:
    with pytest.raises(AttributeError, match=re.escape(answer)):
        getattr(bm, name)
    assert not hasattr(bm, name) and name not in dir(bm)


@pytest.mark.parametrize("name", ["anova", "hypothesis", "confint", "profile", "bootstrap"])
def test_what_is_to_come_is_answered_or_there(name: str, fit: Any) -> None:
    for owner in (bm, fit):
        if not hasattr(owner, name):
            with pytest.raises(AttributeError, match=r"fit\.|bm\.|deviance"):
                getattr(owner, name)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("plot", "bm.plot.caterpillar(fit)"),
        ("emmeans", "bm.emmeans(fit, ...)"),
        ("pvalues", "bm.hypothesis(fit)"),
        ("params", "fit.fixef()"),
        ("AIC", "fit.aic"),
        ("VarCorr", "fit.varcorr()"),
        ("isSingular", "fit.status.singular"),
        ("summry", "Did you mean 'summary'?"),
        ("idata", "gives estimates, not draws"),
    ],
)
def test_members_that_a_fit_has_not_are_answered(name: str, answer: str, fit: Any) -> None:
    with pytest.raises(bm.errors.NoSuchAnswer, match=re.escape(answer)):
        getattr(fit, name)
    assert not hasattr(fit, name) and copy.deepcopy(fit).sigma == pickle.loads(pickle.dumps(fit)).sigma


def test_an_answer_names_only_what_exists(fit: Any) -> None:
    """Every bm.x, fit.x, fit.status.x and model.x of every answer; a fit's may be that of a fit with draws."""
    from bayesmixed.fits.draws import DrawsFit
    from bayesmixed.fits.status import DrawsStatus

    drawn = {*dir(DrawsFit), *DrawsFit.__dataclass_fields__, *DrawsStatus.__dataclass_fields__}
    texts = [*elsewhere._FUNCTIONS.values(), *elsewhere._MEMBERS.values()]
    texts += [elsewhere.function(name, []) for name in ("coef", "aic", "repca", "theta")]
    texts += [elsewhere.member(name, {}) for name in elsewhere._VERBS]
    for owner, member in re.findall(
        r"\b(bm\.plot|bm|fit\.status|fit\.model|model|fit)\.([a-zA-Z_0-9]+)", " ".join(texts)
    ):
        value = {"bm": bm, "bm.plot": bm.plot, "fit": fit, "fit.status": fit.status}.get(owner, fit.model)
        assert member in ("model", "status") or hasattr(value, member) or member in drawn, f"{owner}.{member}"


def test_a_model_says_which_questions_are_of_fits(fit: Any) -> None:
    with pytest.raises(AttributeError, match=re.escape('bm.emmeans(model.fit("reml"), ...)')):
        _ = fit.model.emmeans
    with pytest.raises(AttributeError, match=re.escape('model.fit("reml").aic')):
        _ = fit.model.aic


@pytest.mark.parametrize("method", ["glmer", "brms", "stan", "advi", "lme", "bootstrap"])
def test_methods_of_other_packages_are_answered(method: str, fit: Any) -> None:
    with pytest.raises(bm.errors.FitError, match=r'model\.fit\("'):
        fit.model.fit(method)


@pytest.mark.parametrize(
    ("family", "answer"),
    [
        ("ordinal", 'family="bernoulli" of one cut'),
        ("clmm", 'family="bernoulli" of one cut'),
        ("multinomial", "of one level against another"),
        ("zero_inflated_poisson", 'bm.pp_check(fit, "zeros")'),
        ("hurdle-gamma", 'and the rows with y > 0 with family="gamma"'),
        ("Tweedie", "two parts are fitted apart"),
        ("exponential", 'constants={"alpha": 1}'),
        ("von_mises", "bm.families.custom"),
        ("probit", "Did you mean 'bernoulli'?"),
    ],
)
def test_families_of_other_packages_are_answered(family: str, answer: str) -> None:
    with pytest.raises(bm.errors.ModelError, match=re.escape(answer)):
        bm.Model("Reaction ~ Days", bm.load_data("sleepstudy"), family=family)
    for name in re.findall(r'family="(\w+)"', unknown(family, [])):
        assert name in bm.families.FAMILIES


def test_the_advice_for_an_exponential_is_the_exponential() -> None:
    """Its likelihood without groups: mu is the mean of y, log f = -n (log mean + 1)."""
    table = bm.load_data("sleepstudy").assign(y=lambda d: d["Reaction"] - 190)
    found = bm.Model("y ~ 1", table, family="gamma", link="log", constants={"alpha": 1}).fit("ml")
    assert found.loglik == pytest.approx(-180 * (np.log(table["y"].mean()) + 1), rel=SAME)


def test_the_advice_for_ordinal_answers_runs() -> None:
    found: Any = bm.Model("(Reaction > 300) ~ Days", bm.load_data("sleepstudy"), family="bernoulli").fit("ml")
    assert found.fixef()["Days"] > 0


@pytest.mark.parametrize(("name", "answer"), [("cumulative", "of one cut"), ("Poison", "Did you mean 'poisson'?")])
def test_the_module_of_families_answers_alike(name: str, answer: str) -> None:
    assert not hasattr(bm.families, name)
    with pytest.raises(AttributeError, match=re.escape(answer)):
        getattr(bm.families, name)
