"""What is offered to somebody who types in a notebook: names after a dot, and nothing that is not there?"""

from __future__ import annotations

import inspect
from types import ModuleType

import pytest

import bayesmixed as bm
from bayesmixed.errors import NoSuchAnswer
from bayesmixed.fits.base import Fit
from bayesmixed.page import Printed
from bayesmixed.page.notebook import together

MODULES = ["covariance", "errors", "families", "links", "plot", "priors"]


@pytest.fixture(scope="module", params=["ml", bm.Laplace(draws=100)], ids=["point", "draws"])
def fit(request: pytest.FixtureRequest) -> Fit:
    return bm.Model("Reaction ~ Days + (1 | Subject)", bm.load_data("sleepstudy")).fit(request.param, seed=1)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_offers_its_public_names_alone(name: str) -> None:
    module = getattr(bm, name)
    assert dir(module) == sorted(module.__all__)
    for offered in dir(module):
        value = getattr(module, offered)
        assert not offered.startswith("_") and (not isinstance(value, ModuleType) or offered == "links")
        assert getattr(value, "__module__", "bayesmixed").startswith("bayesmixed")


def test_the_package_offers_its_public_names_alone() -> None:
    assert set(dir(bm)) == {*bm.__all__, "__version__"}
    assert all(hasattr(bm, name) for name in dir(bm))


def test_whatever_a_fit_offers_it_has(fit: Fit) -> None:
    offered = [name for name in dir(fit) if not name.startswith("_")]
    assert {"fixef", "predict", "summary", "status", "save"} <= set(offered)
    for name in offered:
        getattr(fit, name)


def test_what_only_other_fits_answer_is_not_offered_and_not_there(fit: Fit) -> None:
    absent = ["aic", "loglik", "theta"] if fit.sampled else ["idata"]
    for name in absent:
        assert name not in dir(fit) and not hasattr(fit, name)
        with pytest.raises(NoSuchAnswer):
            getattr(fit, name)


def test_members_that_only_the_program_asks_are_not_offered(fit: Fit) -> None:
    for name in ("prediction_errors", "coefficient_root_of", "sampled"):
        assert name not in dir(fit) and hasattr(fit, name)


def test_whatever_a_model_or_a_status_offers_it_has(fit: Fit) -> None:
    for value in (fit.model, fit.status, fit.model.formula, bm.icc(fit), fit.summary()):
        for name in dir(value):
            if not name.startswith("_"):
                getattr(value, name)


def test_every_member_that_is_offered_says_what_it_is(fit: Fit) -> None:
    """Fields are described in the class; what has a docstring of its own has one with a first sentence."""
    for value in (fit, fit.model, fit.status):
        kind, described = type(value), "".join(inspect.getdoc(base) or "" for base in type(value).__mro__)
        for name in dir(value):
            if name.startswith("_"):
                continue
            member = inspect.getattr_static(kind, name, None)
            documented = callable(member) or hasattr(member, "func") or isinstance(member, property)
            said = inspect.getdoc(member) if documented else None
            assert said or f"{name}" in described, f"{kind.__name__}.{name} says nothing"


def test_keys_of_priors_are_offered(fit: Fit) -> None:
    assert "sigma" in fit.model.priors._ipython_key_completions_()


def test_a_page_is_printed_in_a_terminal_as_ever_and_nothing_is_registered(fit: Fit) -> None:
    """IPython's printer, as its terminal and its tests have it: there is no notebook to show HTML."""
    pretty = pytest.importorskip("IPython.lib.pretty", reason="IPython is in the extra 'docs'").pretty
    page = fit.summary()
    assert pretty(page) == str(page)
    assert pretty((page, 1)).startswith("(" + str(page).splitlines()[0])


def test_values_together_are_pages_in_html_and_all_else_as_text(fit: Fit) -> None:
    page = bm.icc(fit)
    shown = together([page, "a < b"], Printed)
    assert shown is not None and page._repr_html_() in shown and "<pre>&#x27;a &lt; b&#x27;</pre>" in shown
    assert together([1, "a"], Printed) is None and together([], Printed) is None
