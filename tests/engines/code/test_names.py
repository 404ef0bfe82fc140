"""The draws of a script are called what those of a fit are, and are the numbers that these names stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scripts import namespace, our_sites, point

import bayesmixed as bm
from bayesmixed.engines.program import build_program
from bayesmixed.interop.naming import observed_dataset, posterior_dataset
from bayesmixed.parameters.values import Parameters

SAME = 1e-9
SLEEP = bm.load_data("sleepstudy").assign(third=lambda table: np.resize(list("abc"), len(table)))
MODELS: dict[str, Any] = {
    "sleepstudy": lambda: bm.Model("Reaction ~ Days + (Days | Subject)", SLEEP),
    "an interaction, three levels, weights": lambda: bm.Model(
        "Reaction ~ Days * third + (1 | Subject / third)", SLEEP, weights=np.where(SLEEP["Days"] == 0, 0.0, 2.0)
    ),
    "one correlation, rstanarm": lambda: bm.Model(
        "Reaction ~ Days + cs(0 + third | Subject)", SLEEP, priors={"sd": bm.priors.HalfNormal(40)}
    ),
    "sds of a block together": lambda: bm.Model("Reaction ~ Days + (Days | Subject)", SLEEP, priors="rstanarm"),
    "shares of trials": lambda: bm.Model(
        "share ~ period + (1 | herd)",
        bm.load_data("cbpp").assign(share=lambda table: table["incidence"] / table["size"]),
        family="binomial",
        weights="size",
    ),
    "names that no file takes": lambda: bm.Model(
        "`a/b` ~ draw + (draw | `lambda`)",
        SLEEP.rename(columns={"Reaction": "a/b", "Days": "draw", "Subject": "lambda"}),
    ),
    "a column called as a centred one": lambda: bm.Model(
        "Reaction ~ Days * rows + Days_centered + (1 | Subject)",
        SLEEP.assign(Days_centered=np.sin(SLEEP["Days"]), rows=np.resize([0.0, 1.0, 3.0], len(SLEEP))),
    ),
    "a predictor of sigma": lambda: bm.Model(
        bm.Formula("Reaction ~ Days + (1 | Subject)", "sigma ~ Days + third"), SLEEP
    ),
}


@pytest.mark.parametrize("what", MODELS)
def test_what_is_named_has_the_names_and_numbers_of_our_program(what: str) -> None:
    from numpyro import handlers

    model = MODELS[what]()
    script = model.code()
    found, program = point(script), build_program(model, False)
    with bm.x64():
        sites = our_sites(model, found.sites)
        drawn = handlers.substitute(program.function.parameters, data=sites)(**program.data)
        ours = program.function.complete(drawn, None, program.data)
    lead = lambda value: np.asarray(value)[None, None]  # noqa: E731
    parameters = Parameters(
        {name: lead(value) for name, value in ours["coefficients"].items()},
        tuple(map(lead, ours["factors"])),
        tuple(map(lead, ours["b"])),
        {name: lead(value) for name, value in ours["dispersion"].items()},
    )
    expected = posterior_dataset(model, parameters)
    dims = namespace(script)["DIMS"]
    assert list(dims) == list(expected.data_vars)
    for name, values in expected.data_vars.items():
        assert dims[name] == list(values.dims[2:])
        np.testing.assert_allclose(found.named[name], values.to_numpy()[0, 0], rtol=SAME, atol=SAME)
    for dim in set(expected.dims) - {"chain", "draw"}:
        np.testing.assert_array_equal(script.arrays[f"coords {dim}"], expected[dim])


@pytest.mark.parametrize("what", MODELS)
def test_the_container_has_the_groups_and_labels_of_a_fit(what: str) -> None:
    """Of draws that a stand-in for the sampler hands over: the values of one point, twice."""
    model = MODELS[what]()
    script = model.code()
    named = {name: np.broadcast_to(value, (2, 3, *np.shape(value))) for name, value in point(script).named.items()}
    fields = ("accept_prob", "diverging", "energy", "potential_energy", "adapt_state.step_size")
    steps = {"num_steps": np.array([[1, 3, 7], [3, 3, 15]])} | {name: np.zeros((2, 3)) for name in fields}
    coords = {n.removeprefix("coords "): v for n, v in script.arrays.items() if n.startswith("coords ")}
    idata = namespace(script)["to_arviz"](Draws(named, steps), script.data, coords)
    seen = observed_dataset(model).isel(__obs__=np.flatnonzero(model.design.used))
    assert list(idata.observed_data.data_vars) == list(seen.data_vars)
    for name, values in seen.data_vars.items():
        np.testing.assert_allclose(idata.observed_data[name], values)
        np.testing.assert_array_equal(idata.observed_data["__obs__"], values["__obs__"])
    assert idata.sample_stats["tree_depth"].to_numpy().tolist() == [[1, 2, 3], [2, 2, 4]]


class Draws:
    """What a script asks of NumPyro's MCMC."""

    def __init__(self, samples: dict[str, Any], fields: dict[str, Any]) -> None:
        self.samples, self.fields = samples, fields

    def get_samples(self, group_by_chain: bool) -> dict[str, Any]:
        return self.samples

    def get_extra_fields(self, group_by_chain: bool) -> dict[str, Any]:
        return self.fields
