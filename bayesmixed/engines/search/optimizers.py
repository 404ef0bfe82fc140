"""Which optimizers are there by name?"""

from __future__ import annotations

from dataclasses import replace

from ...errors import FitError, nearest
from .derivative_free import COBYQA, NelderMead
from .gradient_methods import BFGS, LBFGSB, SLSQP, TNC
from .optimizer import Optimizer

OPTIMIZERS: dict[str, type[Optimizer]] = {kind.name: kind for kind in (BFGS, LBFGSB, TNC, SLSQP, NelderMead, COBYQA)}
_WITHOUT_GRADIENTS = {
    "bobyqa",
    "nlopt_ln_bobyqa",
    "nlopt_ln_neldermead",
    "powell",
    "cobyla",
}


def optimizer_of(given: str | Optimizer | None, maxiter: int | None = None) -> Optimizer:
    """The optimizer of that name, or the value itself; BFGS if None. A `maxiter` that is given replaces its own.

    Raises
    ------
    FitError
        An unknown name, or what is neither a name nor an optimizer.
    """
    found = BFGS() if given is None else given
    if isinstance(found, str):
        if found not in OPTIMIZERS:
            no_gradient = found.lower() in _WITHOUT_GRADIENTS
            said = " The criterion has an exact gradient, which that method would not use." if no_gradient else ""
            raise FitError(f"Unknown optimizer {found!r}.{said} {nearest(found, OPTIMIZERS)}", topic="engine-option")
        found = OPTIMIZERS[found]()
    if isinstance(found, type):
        raise FitError(f"optimizer must be a value, not a class. Write {found.__name__}().", topic="engine-option")
    if not isinstance(found, Optimizer):
        names = ", ".join(repr(name) for name in OPTIMIZERS)
        raise FitError(
            f"optimizer must be None, one of {names}, or an optimizer's value, not {given!r}.", topic="engine-option"
        )
    return found if maxiter is None else replace(found, maxiter=maxiter)
