"""What someone types who comes from another program, and what is answered: each says what to type instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import bayesmixed as bm
from bayesmixed.errors import BayesMixedError


@pytest.fixture(scope="module")
def fit() -> Any:
    return bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")


@pytest.fixture(scope="module")
def herds() -> Any:
    formula = "prop(incidence, size) ~ period + (1 | herd)"
    return bm.Model(formula, bm.load_data("cbpp"), family="binomial").fit("ml")


OF_ONE: list[tuple[Callable[[Any], Any], str]] = [
    (lambda fit: bm.anova(fit, test="F"), 'ddf="asymptotic" asks for chi^2'),
    (lambda fit: bm.anova(fit, refit=False), "all others refitted by ML"),
    (lambda fit: bm.anova(fit, ddf="z"), "Did you mean 'asymptotic'?"),
    (lambda fit: bm.anova(fit, ddf="lme4"), "fit.summary() has its table"),
    (lambda fit: bm.drop1([fit]), "drop1 takes a fit, not a list: bm.drop1(fit) of one after the other."),
    (lambda fit: bm.drop1(fit, random="Subject"), "it is True, for all random effects, or False"),
    (lambda fit: bm.drop1(fit, scope="Days"), "Every term that no other contains is tested"),
    (lambda fit: bm.drop1(fit, random=True, ddf="satterthwaite"), "random=True asks for likelihood ratios"),
    (lambda fit: bm.drop1(fit, test="chisq", ddf="satterthwaite"), 'test="chisq" asks for likelihood ratios'),
    (lambda fit: bm.hypothesis(fit, "Days > 0 & Intercept > 0"), "Several hypotheses are a list"),
    (lambda fit: bm.hypothesis(fit, []), "No hypothesis is given."),
    (lambda fit: bm.hypothesis(fit, fit), "bm.anova(small, large) compares two"),
    (lambda fit: bm.hypothesis(fit, (np.eye(2), [0, 0, 0])), "2 contrasts need 2 values"),
    (lambda fit: bm.hypothesis(fit, "sigma = 0"), "bm.confint(fit) gives limits"),
    (lambda fit: bm.hypothesis(fit, "sd(Days | Subject) = 0"), "bm.drop1(fit, random=True) tests"),
    (lambda fit: bm.hypothesis(fit, level="95%"), "level='95%' is not between 0 and 1: give a coverage such as 0.95."),
    (lambda fit: bm.hypothesis(fit, level=95), "write level=0.95 for 95 %"),
    (lambda fit: bm.emmeans(fit, "Days", level=95), "write level=0.95 for 95 %"),
    (lambda fit: fit.predict(interval="confidence", level=90), "write level=0.9 for 90 %"),
    (lambda fit: bm.hypothesis(fit, alternative="greater"), 'Write what is claimed as the alternative, "x > 0"'),
    (lambda fit: bm.hypothesis(fit, vcov=np.eye(2), cluster="Subject"), "is not an option. Known: CR0, CR2."),
    (lambda fit: bm.hypothesis(fit, vcov="HC3", cluster="Subject"), "cluster= of one label per row"),
    (lambda fit: bm.hypothesis(fit, vcov="CR2", cluster=["Subject", "Days"]), 'cluster="Subject:Days"'),
    (lambda fit: bm.hypothesis(fit, vcov="CR2", cluster=np.zeros(180)), "all rows have one level of the labels given."),
    (lambda fit: bm.hypothesis(fit, vcov="CR2", cluster="Subject", ddf="residual"), "leave it out for Satterthwaite's"),
    (lambda fit: bm.confint(fit, "Days"), "Parameters are chosen by which='Days'."),
    (lambda fit: bm.confint(fit, ["Days"]), "Parameters are chosen by which=['Days']."),
    (lambda fit: bm.confint(fit, 0.9), "A coverage is level=0.9."),
    (lambda fit: bm.emmeans(fit, "Days", vcov="CR2"), 'bm.hypothesis(fit, ..., vcov="CR2", cluster="g")'),
    (lambda fit: bm.anova(fit, ddf="17"), "Did you mean ddf=17?"),
    (lambda fit: bm.confint(fit, parm="Days"), "Here it is which=."),
    (lambda fit: bm.confint(fit, which=0), "which=0 is no name. Parameters: Intercept, Days"),
    (lambda fit: bm.confint(fit, nsim=500), "bm.bootstrap(fit, n=1000, seed=1).confint()"),
    (lambda fit: bm.emmeans(fit, "Days", lmer_df="satterthwaite"), "Here it is ddf=."),
    (lambda fit: bm.emmeans(fit, "Days").contrast(adjust="BH"), "Did you mean 'fdr'?"),
    (lambda fit: bm.permutation_test(fit, "Days", 19, alpha="5%"), "alpha must lie between 0 and 1, not '5%'."),
    (lambda fit: bm.power(fit, test="Days", n=4, alpha=5), "alpha must lie between 0 and 1, not 5."),
    (lambda fit: bm.simplify(fit.model, alpha=True), "alpha must lie between 0 and 1, not True."),
    (lambda fit: bm.bootstrap(fit, 5, statistic=3), "names of parameters, not 3."),
    (lambda fit: bm.bootstrap(fit, 5, kind=["case"]), "is no bootstrap here."),
    (lambda fit: bm.bootstrap(fit, 5, kind="case", resample="Subject"), 'such as {"Subject": True}'),
    (lambda fit: bm.maximal("Reaction ~ Days", fit.model.frame, 3), "groups must be names of grouping factors"),
]


@pytest.mark.parametrize(("call", "answer"), OF_ONE)
def test_a_wrong_call_is_answered_by_what_to_type(fit: Any, call: Callable[[Any], Any], answer: str) -> None:
    with pytest.raises(BayesMixedError, match=re.escape(answer)):
        call(fit)


def test_a_reference_level_has_no_coefficient(herds: Any) -> None:
    with pytest.raises(BayesMixedError, match=r'zero by definition. bm.emmeans\(fit, "period"\).contrast\(\)'):
        bm.hypothesis(herds, "period[2] = period[1]")
    with pytest.raises(BayesMixedError, match="a term with 3 coefficients"):
        bm.hypothesis(herds, "period = 0")


def test_pages_are_not_repeated_in_messages(fit: Any) -> None:
    profile = bm.profile(fit, "Days")
    for verb in (bm.confint, bm.anova, bm.hypothesis, bm.profile):
        with pytest.raises(BayesMixedError, match="not a Profile") as raised:
            verb(profile)
        assert "\n" not in str(raised.value)
    with pytest.raises(BayesMixedError, match=r"limits of its own: .confint\(level=0.9\)"):
        bm.confint(profile)


def test_what_stays_is_said_only_where_something_does(fit: Any) -> None:
    assert not bm.drop1(fit).notes
    growth = bm.Model("distance ~ age * Sex + (1 | Subject)", bm.load_data("Orthodont")).fit("reml")
    assert bm.drop1(growth).notes == ("Not dropped, because other terms contain them: age and Sex.",)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("KRmodcomp", "bm.anova(fit)"),
        ("rand", "bm.drop1(fit, random=True)"),
        ("lht", "bm.hypothesis(fit"),
        ("likelihood_ratio_test", "bm.anova(small, large)"),
        ("coeftest", "bm.hypothesis(fit)"),
        ("vcovCL", 'vcov="CR2"'),
        ("TukeyHSD", 'bm.emmeans(fit, "f").contrast("pairwise")'),
        ("PBmodcomp", "bm.bootstrap_test(large, small"),
        ("bootMer", "bm.bootstrap(fit"),
        ("plot_profile", "bm.plot.profile(...)"),
        ("profile_pairs", "bm.plot.profile_pairs(...)"),
    ],
)
def test_names_of_other_programs(name: str, answer: str) -> None:
    with pytest.raises(AttributeError, match=re.escape(answer)):
        getattr(bm, name)


def test_limits_beyond_a_curve_are_refused_in_pictures_too(fit: Any) -> None:
    profile = bm.profile(fit, ["Days", "sigma"])
    calls: list[Callable[[], Any]] = [
        lambda: profile.confint(0.99999),
        lambda: bm.plot.profile_frame(profile, level=0.99999),
        lambda: bm.plot.profile_pairs_frame(profile, levels=0.9999),
    ]
    for call in calls:
        with pytest.raises(BayesMixedError, match="these curves reach"):
            call()
    assert set(bm.plot.profile_pairs_frame(profile, levels=0.5)["level"].dropna()) == {0.5}


def test_what_degrees_of_freedom_are_for_is_said(fit: Any) -> None:
    counted = str(bm.anova(fit, ddf="containment"))
    assert "Counted as if effects did not vary between groups, though the effect of Days does" in counted
    intercepts = bm.Model("Reaction ~ Days + (1 | Subject)", bm.load_data("sleepstudy")).fit("reml")
    assert "Counted as if" not in str(bm.anova(intercepts, ddf="containment"))
    for page in (bm.hypothesis(fit, ddf="kenward-roger"), bm.confint(fit, "wald", ddf="kenward-roger")):
        assert "Standard errors: with Kenward and Roger's adjustment" in str(page)
    formula = bm.Formula("distance ~ age + (1 | Subject)", "sigma ~ Sex")
    scattered = bm.Model(formula, bm.load_data("Orthodont")).fit("ml")
    assert "Where df is infinite: z." in str(bm.hypothesis(scattered))
