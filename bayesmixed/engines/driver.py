"""NUTS over one chain as two compiled functions, `start` and `advance`, and chains side by side on threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import numpy as np

from .x64 import x64

ITERATIONS = 100  # per call of advance: progress and interruption come between calls
STEP_SIZE = 0.3  # first guess after scaling; the warm-up finds its own
FLOOR = 0.1  # smallest curvature of the metric relative to the rough scales
AFTERWARDS = 0x5EED  # folded into the sampler's key for draws of what was integrated out
DIFFERENCE = 1e-4  # of a rough scale: the step of the differences that make the Hessian


@dataclass(frozen=True)
class Schedule:
    """What is compiled in besides the program: iterations, target, depth, and how the metric is found."""

    tune: int
    draws: int
    target_accept: float
    max_tree_depth: int
    metric: str  # "dense": inverse Hessian at the start, held; "adapt": diagonal, adapted
    dtype: str


@dataclass(frozen=True)
class Compiled:
    """Executables for one program, schedule and shapes: `start(key, data, values, scales)`, `advance(state, data)`."""

    start: Any
    advance: Any


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

    start, advance = _functions(function, schedule)
    lowered = jax.jit(start).lower(jax.random.PRNGKey(0), *arguments)
    with ThreadPoolExecutor(1) as pool:
        # XLA releases the interpreter lock: the first program compiles while the second is traced.
        first = pool.submit(lowered.compile)
        second = jax.jit(advance).lower(lowered.out_info, arguments[0])
        return Compiled(advance=second.compile(), start=first.result())


def _functions(function: Any, schedule: Schedule) -> tuple[Callable[..., Any], Callable[..., Any]]:
    import jax
    from numpyro.infer.hmc import hmc
    from numpyro.infer.util import potential_energy

    @jax.jit  # traced once, whichever function asks for it
    def energy(z: Any, data: Any) -> Any:
        return potential_energy(function, (), data, z)

    # NumPyro's kernel keeps what `init` was given in its closure; only static values may end there.
    init, sample = hmc(potential_fn_gen=lambda data: lambda z: energy(z, data))
    return _start(function, schedule, energy, init), _advance(function, sample)


def _start(function: Any, schedule: Schedule, energy: Any, init: Any) -> Callable[..., Any]:
    from numpyro.infer.util import unconstrain_fn

    def start(key: Any, data: Any, values: Any, scales: Any) -> Any:
        z = unconstrain_fn(function, (), data, values)
        scale = {name: scales[name].reshape(z[name].shape) for name in z}
        z, inverse_mass = place(key, z, scale, lambda z: energy(z, data), schedule.metric)
        return init(
            z,
            schedule.tune,
            step_size=STEP_SIZE,
            inverse_mass_matrix=inverse_mass,
            dense_mass=schedule.metric == "dense",
            adapt_mass_matrix=schedule.metric != "dense",
            target_accept_prob=schedule.target_accept,
            max_tree_depth=schedule.max_tree_depth,
            model_args=(data,),
            rng_key=key,
        )

    return start


def _advance(function: Any, sample: Any) -> Callable[..., Any]:
    import jax

    def advance(state: Any, data: Any) -> Any:
        def step(state: Any, _: Any) -> Any:
            state = sample(state, (data,), {})
            # one more split of the state's key: what is drawn afterwards shares no randomness with the sampler
            return state, (state.z, jax.random.fold_in(state.rng_key, AFTERWARDS), statistics(state))

        state, (z, keys, stats) = jax.lax.scan(step, state, None, length=ITERATIONS)
        return state, jax.vmap(lambda z, key: natural(function, z, key, data))(z, keys), stats

    return advance


def natural(function: Any, z: Any, key: Any, data: Any) -> dict[str, Any]:
    """The natural parameters at an unconstrained point; `key` draws what the program integrated out."""
    from numpyro import handlers
    from numpyro.infer.util import constrain_fn

    sites = constrain_fn(function.parameters, (), data, z)
    found = handlers.substitute(function.parameters, data=sites)(**data)
    return function.complete(found, key, data)


def place(key: Any, z: Any, scale: Any, energy: Callable[[Any], Any], metric: str) -> tuple[Any, Any]:
    """A jittered start and the inverse mass matrix there.

    "dense" inverts the Hessian at `z`, taken by central differences of the gradient in units of `scale`
    (eigenvalues below 0.1 raised, so that a direction that only the prior holds stays within about three
    scales); "adapt" is the diagonal of squared scales. The jitter is one draw of that normal.
    """
    import jax
    import jax.numpy as jnp
    from jax.flatten_util import ravel_pytree

    flat, unravel = ravel_pytree(z)
    unit, _ = ravel_pytree(scale)
    noise = jax.random.normal(key, flat.shape)
    if metric != "dense":
        return unravel(flat + unit * noise), unit**2

    def slope(x: Any) -> Any:
        return ravel_pytree(jax.grad(lambda x: energy(unravel(flat + unit * x)))(x))[0]

    def column(direction: Any) -> Any:
        ends = jax.lax.map(slope, jnp.stack([DIFFERENCE * direction, -DIFFERENCE * direction]))
        return (ends[0] - ends[1]) / (2 * DIFFERENCE)

    hessian = jax.lax.map(column, jnp.eye(len(flat)))
    values, vectors = jnp.linalg.eigh(0.5 * (hessian + hessian.T))
    root = unit[:, None] * vectors / jnp.sqrt(jnp.maximum(jnp.abs(values), FLOOR))
    return unravel(flat + root @ noise), root @ root.T


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


def run_chains(
    function: Any,
    schedule: Schedule,
    arguments: tuple[Any, ...],
    *,
    seed: int,
    chains: int,
    workers: int,
    on_progress: Callable[[int], None],
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Draws and statistics of every chain as NumPy arrays (chain, draw, ...), warm-up left out.

    Chain i draws from child i of the seed whatever the number of workers. An interruption ends the
    chains after their current call and is raised again.
    """
    import jax

    executables = compiled(function, schedule, arguments)
    stop = threading.Event()
    seeds = np.random.SeedSequence(seed).spawn(chains)
    pool = ThreadPoolExecutor(workers)
    try:
        jobs = [pool.submit(_chain, executables, schedule, arguments, s, stop, on_progress) for s in seeds]
        finished, _ = wait(jobs, return_when=FIRST_EXCEPTION)
        for job in finished:
            job.result()  # raises what went wrong first, not what stopped the others
        results = [job.result() for job in jobs]
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
    stacked = jax.tree_util.tree_map(lambda *arrays: np.stack(arrays), *results)
    return stacked


def _chain(
    executables: Compiled,
    schedule: Schedule,
    arguments: tuple[Any, ...],
    seed: np.random.SeedSequence,
    stop: threading.Event,
    on_progress: Callable[[int], None],
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    import jax

    kept: list[Any] = []
    with x64(schedule.dtype == "float64"):
        state = executables.start(seed.generate_state(2, np.uint32), *arguments)
        for first in range(0, schedule.tune + schedule.draws, ITERATIONS):
            state, natural, stats = executables.advance(state, arguments[0])
            keep = slice(max(schedule.tune - first, 0), min(schedule.tune + schedule.draws - first, ITERATIONS))
            if keep.start < keep.stop:
                kept.append(jax.tree_util.tree_map(lambda a, keep=keep: np.asarray(a)[keep], (natural, stats)))
            on_progress(min(ITERATIONS, schedule.tune + schedule.draws - first))
            if stop.is_set() and first + ITERATIONS < schedule.tune + schedule.draws:
                raise InterruptedError("another chain ended early")
    return jax.tree_util.tree_map(lambda *arrays: np.concatenate(arrays), *kept)
