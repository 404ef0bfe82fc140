"""What draws are called in ArviZ's container, and that both generations of ArviZ take it as it is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm
from bayesmixed.interop import arviz as seam
from bayesmixed.interop.naming import observed_dataset, posterior_dataset, sample_stats_dataset
from bayesmixed.parameters.values import Parameters, compact

SHAPE = (2, 50)
RNG = np.random.default_rng(1)
SLEEP = bm.load_data("sleepstudy")


def drawn(model: bm.Model) -> Parameters:
    """Arrays of the right shapes, as an engine gives them."""
    groups = model.design.groups
    ks = [len(group.columns) for group in groups]
    factors = [np.broadcast_to(np.tril(np.ones((k, k))), (*SHAPE, k, k)) for k in ks]
    return Parameters(
        coefficients={"mu": RNG.standard_normal((*SHAPE, len(model.coefficients)))},
        factors=tuple(compact(F, c) for F, c in zip(factors, model.covariances, strict=True)),
        b=tuple(RNG.standard_normal((*SHAPE, g.n_levels, k)) for g, k in zip(groups, ks, strict=True)),
        dispersion={"sigma": RNG.random(SHAPE)},
    )


def posterior(formula: str, data: pd.DataFrame = SLEEP):
    model = bm.Model(formula, data)
    return posterior_dataset(model, drawn(model))


def test_names_dims_and_coords_of_sleepstudy():
    found = posterior("Reaction ~ Days + (Days | Subject)")
    assert {name: values.dims[2:] for name, values in found.data_vars.items()} == {
        "Intercept": (),
        "Days": (),
        "sigma": (),
        "1|Subject_sigma": (),
        "Days|Subject_sigma": (),
        "Subject_corr": ("Subject_effect", "Subject_effect_bis"),
        "1|Subject": ("Subject__factor_dim",),
        "Days|Subject": ("Subject__factor_dim",),
    }
    assert list(found["Subject_effect"].values) == ["Intercept", "Days"]
    assert found["Subject__factor_dim"].size == 18
    assert np.allclose(found["Subject_corr"].sel(Subject_effect="Intercept", Subject_effect_bis="Days"), np.sqrt(0.5))


def test_a_factor_is_one_variable_with_its_levels():
    data = SLEEP.assign(third=pd.cut(SLEEP["Days"], 3, labels=["a", "b", "c"]).astype(str))
    found = posterior("Reaction ~ third * Days + (1 | Subject)", data)
    assert found["third"].dims[2:] == ("third_dim",)
    assert list(found["third_dim"].values) == ["b", "c"]
    assert list(found["third:Days_dim"].values) == ["b", "c"]


def test_uncorrelated_blocks_have_no_correlation():
    assert "Subject_corr" not in posterior("Reaction ~ Days + (Days || Subject)")


def test_colliding_bars_are_numbered():
    data = SLEEP.assign(late=(SLEEP["Days"] > 5).astype(float))
    found = posterior("Reaction ~ Days + (Days | Subject) + (late | Subject)", data)
    assert {"1|Subject", "1|Subject#2", "late|Subject#2_sigma"} <= set(found.data_vars)
    assert {"Subject_corr", "Subject#2_corr"} <= set(found.data_vars)
    assert found["1|Subject#2"].dims[2:] == ("Subject__factor_dim",)


def test_slashes_are_made_safe_and_remembered():
    found = posterior("Reaction ~ I(Days / 2) + (1 | Subject)")
    name = next(name for name in found.data_vars if "_per_" in name)
    assert "/" not in name and "/" in found[name].attrs["term"]


def test_the_response_keeps_the_labels_of_its_rows():
    model = bm.Model("Reaction ~ Days + (1 | Subject)", SLEEP.iloc[::2])
    found = observed_dataset(model)
    assert found["Reaction"].dims == ("__obs__",)
    assert list(found["__obs__"].values) == list(SLEEP.index[::2])


@pytest.fixture
def container():
    model = bm.Model("Reaction ~ Days + (Days | Subject)", SLEEP)
    stats = {"diverging": np.zeros(SHAPE, bool), "energy": RNG.standard_normal(SHAPE), "lp": RNG.standard_normal(SHAPE)}
    groups = {
        "posterior": posterior_dataset(model, drawn(model)),
        "sample_stats": sample_stats_dataset(stats),
        "observed_data": observed_dataset(model),
    }
    return seam.container(groups)


def test_the_container_gives_its_groups_back(container):
    assert {"posterior", "sample_stats", "observed_data"} <= set(seam.group_names(container))
    assert seam.group(container, "posterior")["Days"].shape == SHAPE


@pytest.mark.filterwarnings("ignore")
def test_arviz_summarises_the_container(container):
    import arviz as az

    table = az.summary(container, var_names=["Days", "1|Subject"])
    assert len(table) == 1 + 18
