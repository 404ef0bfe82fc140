"""What every script has around its model: imports, sampling, and the draws by their names in ArviZ's container."""

from __future__ import annotations

COORDS = "coords "  # before the name of a dimension, in the file of arrays
FRAME = '''\
"""{title}

{about}
"""

from pathlib import Path

import arviz as az
import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
{imports}from numpyro.infer import MCMC, NUTS, init_to_median{definitions}


def model(data):
{model}


DIMS = {{
{dims}
}}
{after}

def sample(data, seed=0, draws=1000, warmup=1000, chains=4):
    """Draws by NumPyro's No-U-Turn sampler."""
    kernel = NUTS(model, init_strategy=init_to_median)
    mcmc = MCMC(kernel, num_warmup=warmup, num_samples=draws, num_chains=chains, chain_method="vectorized")
    fields = ("accept_prob", "diverging", "energy", "potential_energy", "num_steps", "adapt_state.step_size")
    mcmc.run(jax.random.PRNGKey(seed), data, extra_fields=fields)
    return mcmc


def to_arviz(mcmc, data, coords):
    """The draws in ArviZ's container, named as the formula names them."""
    draws = {draws}
    stats = mcmc.get_extra_fields(group_by_chain=True)
    groups = {{
        "posterior": {{name: np.asarray(draws[name]) for name in DIMS}},
        "sample_stats": {{
            "acceptance_rate": np.asarray(stats["accept_prob"]),
            "diverging": np.asarray(stats["diverging"]),
            "energy": np.asarray(stats["energy"]),
            "lp": -np.asarray(stats["potential_energy"]),
            "n_steps": np.asarray(stats["num_steps"]),
            "step_size": np.asarray(stats["adapt_state.step_size"]),
            "tree_depth": np.ceil(np.log2(np.asarray(stats["num_steps"]) + 1)).astype(int),
        }},
        "observed_data": {{{observed}}},
    }}
    dims = DIMS | {{{rows}}}
    if int(az.__version__.split(".")[0]) >= 1:
        return az.from_dict(groups, coords=coords, dims=dims)
    return az.from_dict(**groups, coords=coords, dims=dims)


if __name__ == "__main__":
    numpyro.enable_x64()  # before anything is computed
    here = Path(__file__)
    arrays = dict(np.load(here.with_suffix(".npz")))
    coords = {{name.removeprefix({mark}): arrays.pop(name) for name in list(arrays) if name.startswith({mark})}}
    mcmc = sample(arrays)
    idata = to_arviz(mcmc, arrays, coords)
    population = [name for name, dims in DIMS.items() if not any(dim.endswith("__factor_dim") for dim in dims)]
    print(az.summary(idata, var_names=population))
    idata.to_netcdf(here.with_suffix(".nc"))
'''
