"""NUTS over one chain as three compiled functions: `start`, `advance` and `complete`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..machine.x64 import x64
from .metric import MetricLayout, identity, layout

ITERATIONS = 100  # per call of advance: progress and interruption come between calls
STEP_SIZE = 1.2  # times d^(-1/4), a first guess near a normal of unit scale; the warm-up finds its own
AFTERWARDS = 0x5EED  # folded into the sampler's key for draws of what was integrated out

# Fused loops by the older emitter compile in half the time and run as fast; not every version of XLA knows the option.
OPTIONS = {"xla_cpu_use_fusion_emitters": False}


@dataclass(frozen=True)
class Schedule:
    """What is compiled in besides the program: iterations, target, depth, the metric, and how many chains a call moves.

    `adapt`: the warm-up finds the inverse mass matrix of what is left of the curvature, `dense` all of it, else its
    diagonal; without, it is held at the identity.
    `lanes`: chains advanced together by one call (on accelerators), None for one chain a call.
    """

    tune: int
    draws: int
    target_accept: float
    max_tree_depth: int
    dense: bool
    adapt: bool
    dtype: str
    lanes: int | None = None


@dataclass(frozen=True)
class Compiled:
    """Executables for one program, schedule and shapes.

    ``start(key, data, values, w, metric) -> state, center`` at w (d,) from the unconstrained `values`, which are the
    center; ``advance(state, data, metric, center) -> state, draws of w, keys, statistics``; ``complete(w, keys, data,
    metric, center)`` gives the natural parameters, what was integrated out drawn exactly. `layout` is how `metric` is
    cut.
    """

    layout: MetricLayout
    start: Any
    advance: Any
    complete: Any


_COMPILED: dict[Any, Compiled] = {}
_LOCK = threading.Lock()


def compiled(function: Any, schedule: Schedule, arguments: tuple[Any, ...]) -> Compiled:
    """The executables, made once per process for each program, schedule and set of shapes."""
    key = _key(function, schedule, arguments)
    with _LOCK:
        if key not in _COMPILED:
            with x64(schedule.dtype == "float64"):
                _COMPILED[key] = _compile(function, schedule, arguments)
        return _COMPILED[key]


def is_compiled(function: Any, schedule: Schedule, arguments: tuple[Any, ...]) -> bool:
    """Whether `compiled` would return at once."""
    return _key(function, schedule, arguments) in _COMPILED


def _key(function: Any, schedule: Schedule, arguments: tuple[Any, ...]) -> Any:
    import jax

    leaves, tree = jax.tree_util.tree_flatten(arguments)
    shapes = tuple((np.shape(leaf), np.asarray(leaf).dtype.str) for leaf in leaves)
    return function, schedule, tree, shapes


def _compile(function: Any, schedule: Schedule, arguments: tuple[Any, ...]) -> Compiled:
    import jax

    data, values, scales = arguments
    cut = layout(scales, function.effect_factors, exact=function.levels_independent)
    start, advance, complete = _functions(function, schedule, cut)
    key: Any = jax.random.PRNGKey(0)
    metric = jax.tree_util.tree_map(lambda array: array.astype(schedule.dtype), identity(cut))
    w: Any = np.zeros(cut.unknowns, dtype=schedule.dtype)
    if schedule.lanes:
        key, w = np.broadcast_to(key, (schedule.lanes, 2)), np.broadcast_to(w, (schedule.lanes, len(w)))
        start = jax.vmap(start, in_axes=(0, None, None, 0, None), out_axes=(0, None))
        advance = jax.vmap(advance, in_axes=(0, None, None, None))
        complete = jax.vmap(complete, in_axes=(0, 0, None, None, None))
    with ThreadPoolExecutor(2) as pool:
        # XLA releases the interpreter lock: one function compiles while the next is traced.
        first = jax.jit(start).lower(key, data, values, w, metric)
        jobs = [pool.submit(_finish, first)]
        state, center = first.out_info
        second = jax.jit(advance).lower(state, data, metric, center)
        jobs.append(pool.submit(_finish, second))
        _, draws, keys, _ = second.out_info
        jobs.append(pool.submit(_finish, jax.jit(complete).lower(draws, keys, data, metric, center)))
        return Compiled(cut, *(job.result() for job in jobs))


def _finish(lowered: Any) -> Any:
    """Compile, with the quick options where this version of XLA has them."""
    import jax

    if jax.default_backend() != "cpu":
        return lowered.compile()
    try:
        return lowered.compile(compiler_options=OPTIONS)
    except Exception as error:
        if "No such compile option" not in str(error):
            raise
        return lowered.compile()


def _functions(function: Any, schedule: Schedule, cut: MetricLayout) -> tuple[Callable[..., Any], ...]:
    import jax
    from numpyro.infer.hmc import hmc
    from numpyro.infer.util import potential_energy

    @jax.jit  # traced once, whichever function asks for it
    def energy(w: Any, data: Any, metric: Any, center: Any) -> Any:
        return potential_energy(function, (), data, cut.moved(center, metric, w))

    # NumPyro's kernel keeps what `init` was given in its closure; only static values may end there.
    init, sample = hmc(potential_fn_gen=lambda *given: lambda w: energy(w, *given))
    return _start(function, schedule, init), _advance(sample), _complete(function, cut)


def _start(function: Any, schedule: Schedule, init: Any) -> Callable[..., Any]:
    from numpyro.infer.util import unconstrain_fn

    def start(key: Any, data: Any, values: Any, w: Any, metric: Any) -> Any:
        center = unconstrain_fn(function, (), data, values)
        state = init(
            w,
            schedule.tune,
            step_size=STEP_SIZE * max(len(w), 1) ** -0.25,
            dense_mass=schedule.dense,
            adapt_mass_matrix=schedule.adapt,
            target_accept_prob=schedule.target_accept,
            max_tree_depth=schedule.max_tree_depth,
            model_args=(data, metric, center),
            rng_key=key,
        )
        return state, center

    return start


def _advance(sample: Any) -> Callable[..., Any]:
    import jax

    def advance(state: Any, data: Any, metric: Any, center: Any) -> Any:
        def step(state: Any, _: Any) -> Any:
            state = sample(state, (data, metric, center), {})
            # one more split of the state's key: what is drawn afterwards shares no randomness with the sampler
            return state, (state.z, jax.random.fold_in(state.rng_key, AFTERWARDS), statistics(state))

        state, (w, keys, stats) = jax.lax.scan(step, state, None, length=ITERATIONS)
        return state, w, keys, stats

    return advance


def _complete(function: Any, cut: MetricLayout) -> Callable[..., Any]:
    import jax

    def complete(w: Any, keys: Any, data: Any, metric: Any, center: Any) -> Any:
        def one(w: Any, key: Any) -> Any:
            return natural(function, data, cut.moved(center, metric, w), key)

        if function.batches:
            return jax.vmap(one)(w, keys)
        return jax.lax.map(lambda pair: one(*pair), (w, keys))

    return complete


def natural(function: Any, data: Any, z: Any, key: Any) -> dict[str, Any]:
    """The natural parameters at an unconstrained point; `key` draws what the program integrated out."""
    from numpyro import handlers
    from numpyro.infer.util import constrain_fn

    sites = constrain_fn(function.parameters, (), data, z)
    found = handlers.substitute(function.parameters, data=sites)(**data)
    return function.complete(found, key, data)


def statistics(state: Any) -> dict[str, Any]:
    """What is kept of every iteration, by ArviZ's names."""
    import jax.numpy as jnp

    return {
        "diverging": state.diverging,
        "energy": state.energy,
        "n_steps": state.num_steps,
        "tree_depth": jnp.ceil(jnp.log2(state.num_steps + 1)).astype(int),
        "step_size": state.adapt_state.step_size,
        "acceptance_rate": state.accept_prob,
        "lp": -state.potential_energy,
    }
