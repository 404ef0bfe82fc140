"""What the priors alone say: parameters drawn from them, and responses that those parameters would give."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import FitError, ModelError
from ...interop import naming
from ...parameters.predicted import predicted
from ...parameters.values import Parameters
from ...prediction.memory import refuse_too_large
from ...prediction.responses import new_responses
from ...prediction.seeds import generator
from ...priors.default import default
from ...priors.distributions import shown
from ..machine.x64 import x64
from ..room import numbers_per_draw
from . import build_program

if TYPE_CHECKING:
    from ...model import Model
    from ...priors import Prior

CHUNK = 2**21  # numbers of one draw-by-row array held at once (16 MiB)

Sampler = Callable[[np.ndarray], Parameters]


def prior_predictive(model: Model, draws: int = 500, seed: int | None = None) -> Any:
    """See `Model.prior_predictive`."""
    if not isinstance(draws, int | np.integer) or isinstance(draws, bool) or draws < 1:
        raise FitError(f"draws must be a whole number, at least 1, not {draws!r}.", topic="whole-number")
    rng = generator(seed)
    sample = prior_sampler(model)
    _refuse_too_large(model, int(draws))
    parameters = _in_chunks(sample, keys_from(rng, int(draws)), numbers_per_draw(model))
    return _container(model, parameters, simulate_responses(model, parameters, rng))


def prior_sampler(model: Model) -> Sampler:
    """A function from keys (m, 2) to m draws of all parameters from the priors, effects of new groups included.

    The draws (1, m) are in one chain; each depends on its own key alone.

    Raises
    ------
    ModelError
        Where a prior is improper, naming the parameters and what to write instead.
    """
    _refuse_improper(model)
    program = build_program(model, False)

    def sample(keys: np.ndarray) -> Parameters:
        import jax

        with x64():
            drawn = _compiled(program.function)(np.asarray(keys, dtype=np.uint32), program.data)
            return Parameters(**jax.tree_util.tree_map(lambda values: np.asarray(values)[None], drawn))

    return sample


def keys_from(rng: np.random.Generator, n: int) -> np.ndarray:
    """Keys (n, 2) of JAX's generator."""
    return rng.integers(0, 2**32, size=(n, 2), dtype=np.uint32)


def simulate_responses(model: Model, parameters: Parameters, rng: np.random.Generator) -> np.ndarray:
    """A response (draws, rows) for every draw of the parameters, their own effects, offset and weights included.

    NaN in rows of weight zero: such a response could be anything.
    """
    flat, design = parameters.flat(), model.design
    wide = design.n_rows * max([1, *(group.Z.shape[1] for group in design.groups)])
    step = max(1, CHUNK // wide)
    parts = []
    for first in range(0, flat.n_draws, step):
        part = flat.take(slice(first, first + step))
        found = predicted(model.family, design, part)
        parts.append(new_responses(model, found.eta, found.dispersion, design.weights, design.trials, rng))
    return np.concatenate(parts)


@lru_cache(maxsize=32)
def _compiled(function: Any) -> Any:
    """Draws of a program's parameters for many keys at once; the program's arguments stay arguments."""
    import jax
    from numpyro import handlers

    def one(key: Any, data: Any) -> Any:
        return function.complete(handlers.seed(function.parameters, key)(**data), key, data)

    return jax.jit(jax.vmap(one, in_axes=(0, None)))


def _in_chunks(sample: Sampler, keys: np.ndarray, numbers: int) -> Parameters:
    """All draws, as many at once as fit; every call has one shape, so that one program serves them all."""
    step = min(len(keys), max(1, CHUNK // numbers))
    parts = []
    for first in range(0, len(keys), step):
        wanted = keys[first : first + step]
        parts.append(sample(np.resize(wanted, (step, 2))).take(slice(len(wanted))))
    return Parameters.joined(parts)


def _container(model: Model, parameters: Parameters, responses: np.ndarray) -> Any:
    import xarray as xr

    from ...interop import arviz

    prior, observed = naming.posterior_dataset(model, parameters), naming.observed_dataset(model)
    name, rows = next(iter(observed.items()))
    simulated = xr.DataArray(
        responses[None],
        dims=("chain", "draw", naming.ROWS),
        coords={"chain": prior["chain"], "draw": prior["draw"], naming.ROWS: rows[naming.ROWS]},
        attrs=rows.attrs,
    )
    groups = {"prior": prior, "prior_predictive": xr.Dataset({name: simulated}), "observed_data": observed}
    return arviz.container(groups)


def _refuse_too_large(model: Model, draws: int) -> None:
    rows, parameters = model.design.n_rows, numbers_per_draw(model)
    what = f"{draws} draws of {rows} responses and {parameters} parameters are"
    remedy = ". Ask for fewer, draws={most} at most, or build the model from some of the rows."
    refuse_too_large(draws, rows + parameters, what, remedy)


def _refuse_improper(model: Model) -> None:
    flat = model.priors.improper
    if not flat:
        return
    shown_names = ", ".join(repr(name) for name in flat[:6]) + (f" and {len(flat) - 6} more" if len(flat) > 6 else "")
    raise ModelError(
        f"Nothing can be drawn from a flat prior, and {'those' if len(flat) > 1 else 'that'} of {shown_names} "
        f"{'are' if len(flat) > 1 else 'is'} flat. Give proper ones: "
        f'{_replacement(model, flat)}, or model.replace(priors="default") for all.',
        topic="flat-prior",
    )


def _replacement(model: Model, flat: list[str]) -> str:
    """What to type so that the first flat prior, and by its example the rest, becomes that of the default table."""
    known = default(model.design, model.family)
    name = flat[0] if flat[0] in known else f"{flat[0]}_centered"
    more = ", ..." if len(flat) > 1 else ""
    return f"model.replace(priors=model.priors | {{{flat[0]!r}: {_code(known[name])}{more}}})"


def _code(prior: Prior) -> str:
    return f"bm.priors.{type(prior).__name__}({', '.join(shown(value) for value in prior.values.values())})"
