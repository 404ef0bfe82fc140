"""A loaded fit has the priors it was made with, and its model resolves on other data what the user had asked for."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpyro.distributions as dist
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.errors import ModelError
from bayesmixed.priors import PRESETS, Priors
from bayesmixed.saving import saved_priors

SLOPES = "Reaction ~ Days + (Days | Subject)"


@cache
def sleep() -> pd.DataFrame:
    return bm.load_data("sleepstudy")


def mine(design: Any, family: Any) -> Priors:
    """A user's rule: the default with other names."""
    return Priors.of(dict(PRESETS["default"](design, family)), "mine")


ASKED = {
    "nothing": None,
    "preset": "brms",
    "preset's function": PRESETS["bambi"],
    "laid over": {"sd": dist.HalfNormal(50.0), "Days": bm.priors.Normal(0.0, 20.0)},
    "correlation": {"Subject_corr": dist.LKJCholesky(2, 3.0)},
}
OTHERS = {
    "other units": {"data": lambda: sleep().assign(Reaction=1000 * sleep()["Reaction"])},
    "fewer subjects": {"data": lambda: sleep().iloc[:90]},
    "other scale of x": {"data": lambda: sleep().assign(Days=24 * sleep()["Days"])},
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("other", OTHERS)
def test_a_loaded_model_resolves_priors_anew(asked: str, other: str, tmp_path: Path) -> None:
    model = bm.Model(SLOPES, sleep(), priors=ASKED[asked])
    loaded = bm.load(model.fit("ml").save(tmp_path / "fit.nc")).model
    changes = {name: make() for name, make in OTHERS[other].items()}
    assert dict(loaded.priors) == dict(model.priors)
    pd.testing.assert_frame_equal(loaded.replace(**changes).priors.table(), model.replace(**changes).priors.table())


def test_another_formula_is_not_refused_for_priors_that_nobody_named(tmp_path: Path) -> None:
    loaded = bm.load(bm.Model(SLOPES, sleep()).fit("ml").save(tmp_path / "fit.nc")).model
    simpler = loaded.replace(formula="Reaction ~ 1 + (1 | Subject)")
    pd.testing.assert_frame_equal(simpler.priors.table(), bm.Model(str(simpler.formula), sleep()).priors.table())


def test_numbers_stay_numbers_of_the_same_model_for_another_response(tmp_path: Path) -> None:
    model = bm.Model(SLOPES, sleep())
    other = model.with_response(1000 * sleep()["Reaction"])
    loaded = bm.load(other.fit("ml").save(tmp_path / "fit.nc")).model
    assert dict(loaded.priors) == dict(model.priors)
    assert dict(loaded.replace(data=sleep()).priors) == dict(model.priors)


def test_a_function_that_made_priors_is_asked_for_where_it_is_needed(tmp_path: Path) -> None:
    model = bm.Model(SLOPES, sleep(), priors=mine)
    path = model.fit("ml").save(tmp_path / "fit.nc")
    loaded = bm.load(path).model
    assert dict(loaded.priors) == dict(model.priors) and set(loaded.priors.sources.values()) == {"mine"}
    with pytest.raises(ModelError, match=r"your function 'mine'.*bm.load\(path, priors=mine\)"):
        loaded.replace(data=sleep().iloc[:90])
    given = bm.load(path, priors=mine).model
    changed = {"data": sleep().iloc[:90]}
    pd.testing.assert_frame_equal(given.replace(**changed).priors.table(), model.replace(**changed).priors.table())


@pytest.mark.parametrize(("asked", "guessed"), [(None, "default"), ("brms", "brms")])
def test_files_that_keep_numbers_alone_name_the_preset_they_come_from(asked: Any, guessed: str) -> None:
    content = saved_priors.content_of(bm.Model(SLOPES, sleep(), priors=asked))
    older = {name: value for name, value in json.loads(json.dumps(content)).items() if name != "asked_priors"}
    assert saved_priors.asked_in(older) == guessed


def test_files_that_keep_numbers_alone_lay_the_users_over_the_default() -> None:
    content = saved_priors.content_of(bm.Model(SLOPES, sleep(), priors={"Days": bm.priors.Normal(0.0, 20.0)}))
    older = {name: value for name, value in json.loads(json.dumps(content)).items() if name != "asked_priors"}
    assert saved_priors.asked_in(older) == {"Days": bm.priors.Normal(0.0, 20.0)}
