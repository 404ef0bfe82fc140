"""Plain words and one format: how sampling went, remedies that ask for more, lines that fit, numbers alike."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import numpyro.distributions as dist
import pandas as pd
import pytest
import xarray as xr

import bayesmixed as bm
from bayesmixed.engines.program import build_program
from bayesmixed.engines.remedies import call, higher_acceptance
from bayesmixed.engines.sampler.diagnostics import draws_status
from bayesmixed.page import SCIENTIFIC, Page, Section, column, places, wrapped

SLEEP, PENICILLIN = bm.load_data("sleepstudy"), bm.load_data("Penicillin")
LINE, CROSSED = "Reaction ~ Days + (Days | Subject)", "diameter ~ 1 + (1 | plate) + (1 | sample)"
HEAVY = dist.StudentT(3.0, 0.0, 9.0)
GONE = "were integrated out while sampling and drawn afterwards"
DEFAULTS = {"draws": 1000, "tune": 1000, "chains": 4, "target_accept": 0.8, "max_tree_depth": 10}


@pytest.mark.parametrize(
    ("model", "route", "sentence"),
    [
        (bm.Model(LINE, SLEEP), "auto", f"The random effects and the coefficients {GONE}."),
        (bm.Model(LINE, SLEEP), False, "Every coefficient and effect was sampled (effects of Subject: non-centred)."),
        (bm.Model("Reaction ~ Days", SLEEP), "auto", f"The coefficients {GONE}."),
        (
            bm.Model(LINE, SLEEP, priors={"Days": HEAVY}),
            "auto",
            f"The random effects and 1 of 2 coefficients {GONE}; 1 coefficient was sampled.",
        ),
        (
            bm.Model(CROSSED, PENICILLIN),
            "partial",
            f"The effects of plate and the coefficients {GONE}; the effects of sample were sampled.",
        ),
        (
            bm.Model(CROSSED, PENICILLIN, priors={"Intercept": HEAVY}),
            "partial",
            f"The effects of plate {GONE}; the effects of sample and 1 coefficient were sampled.",
        ),
    ],
)
def test_a_route_is_a_sentence(model: bm.Model, route: Any, sentence: str) -> None:
    assert build_program(model, route).sentence == sentence


def status(engine: bm.NUTS, diverging: bool = False) -> Any:
    """Of draws that have not mixed, with low energies and trees at their limit: everything is wrong."""
    rng = np.random.default_rng(1)
    shape = (2, 40)
    draws = rng.standard_normal(shape) + np.array([[0.0], [3.0]])
    dims = ("chain", "draw")
    stats = {
        "energy": np.cumsum(rng.standard_normal(shape), axis=1),
        "diverging": np.full(shape, diverging),
        "tree_depth": np.full(shape, engine.max_tree_depth),
    }
    return draws_status(
        "explicit",
        xr.Dataset({"a": (dims, draws)}),
        xr.Dataset({name: (dims, values) for name, values in stats.items()}),
        engine,
    )


@pytest.mark.parametrize(
    "engine",
    [
        bm.NUTS(),
        bm.NUTS(draws=40, tune=20, chains=2, target_accept=0.1, max_tree_depth=3),
        bm.NUTS(draws=5000, tune=3000, chains=8, target_accept=0.99, max_tree_depth=12),
    ],
)
def test_remedies_ask_for_no_less_than_the_defaults_and_what_was_used(engine: bm.NUTS) -> None:
    problems = status(engine, diverging=True).problems
    asked = [eval(found, {"bm": bm}) for found in re.findall(r"bm\.NUTS\(.*?\)", " ".join(problems))]
    assert len(asked) >= 6  # acceptance, parameterisation (twice), longer, more draws, longer warm-up, deeper
    for other in asked:
        for name, least in DEFAULTS.items():
            used, value = (least if one == "auto" else one for one in (getattr(engine, name), getattr(other, name)))
            assert value >= max(used, least), (name, other)
    assert any(other.target_accept > engine.target_accept for other in asked)


def test_a_remedy_keeps_what_was_raised_and_nothing_can_be_accepted_more_than_always() -> None:
    assert call(bm.NUTS(chains=8, target_accept=0.95), draws=4000) == (
        "bm.NUTS(draws=4000, chains=8, target_accept=0.95)"
    )
    assert call(bm.NUTS(collapsed=False, draws=10), tune=20) == "bm.NUTS(tune=1000, collapsed=False)"
    assert call(bm.Laplace(pool=8), pool=32) == "bm.Laplace(pool=32)"
    assert higher_acceptance(0.999, 0.8) is None
    assert "Use the other parameterisation" in status(bm.NUTS(target_accept=0.999), diverging=True).problems[0]


def test_long_lines_wrap_at_the_width_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff2")).fit("ml")
    for width in (70, 100):
        monkeypatch.setenv("COLUMNS", str(width))
        text = str(fit.summary())
        assert max(map(len, text.splitlines())) <= width and fit.status.problems[0] in " ".join(text.split())
        assert max(map(len, str(bm.diagnose(fit)).splitlines())) <= width
    table = ("a " * 60,)
    assert str(Page((Section("", lines=table, verbatim=True),))) == table[0]
    assert wrapped("  model.fit(x) is-one", 16) == ["  model.fit(x)", "  is-one"]


def test_numbers_of_one_column_have_one_format() -> None:
    assert column([251.404, -2.678e-13], 2) == ["251.40", "0.00"]
    assert column([1e9, 0.5, np.nan, np.inf]) == ["1.00e+09", "5.00e-01", "", "inf"]
    assert places([22.3, 6.27e-5]) == 6 and places([3e5, 6e-7]) == SCIENTIFIC
    assert column([3e5, 6e-7], places([3e5, 6e-7])) == ["3.00e+05", "6.00e-07"]


@pytest.fixture(scope="module")
def centred() -> Any:
    """An intercept that only rounding keeps from zero, and a slope in units of 1e-5."""
    table = SLEEP.assign(y=SLEEP["Reaction"] - SLEEP["Reaction"].mean(), income=1e5 * (SLEEP["Days"] - 4.5))
    return bm.Model("y ~ income + (1 | Subject)", table).fit("ml")


def test_what_rounding_leaves_of_zero_prints_as_zero(centred: Any) -> None:
    assert 0 < abs(centred.fixef()["Intercept"]) < 1e-9 < centred.coefficients.loc["Intercept", "se"]
    pages = [centred.summary(), centred.coefficients, bm.side_by_side(centred), bm.emmeans(centred, "1")]
    for page in pages:
        assert "e-" not in str(page), page
    line = next(line for line in str(centred.coefficients).splitlines() if line.startswith("income"))
    estimate, se = map(float, line.split()[1:3])
    assert estimate == pytest.approx(centred.fixef()["income"], abs=10 * 10**-8) and se > 0


def test_coefficients_of_draws_print_whole(centred: Any) -> None:
    table = replace(centred.model.fit(bm.Laplace(draws=100), seed=1)).coefficients
    wide = table.assign(rhat=1.0012, ess_bulk=3999.5, ess_tail=2000.0)
    assert isinstance(table, pd.DataFrame) and list(table.columns) == list(wide.columns)
    shown = type(table)(wide)
    assert "..." not in repr(shown) and "ess_tail" in repr(shown) and "1.001" in repr(shown)
    assert len(repr(shown).splitlines()) == 1 + len(table) and repr(shown) == str(shown)
    assert "rhat" not in repr(table)  # there are no chains
    assert type(table[["mean", "sd"]]) is pd.DataFrame
