"""How long bayesmixed's NUTS takes, and its draws of every scalar; the command line is in peers/sampling.py."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent / "peers"))
from sampling import report


def model(formula: str, data: Any, family: str) -> Any:
    """The model with its default priors."""
    import bayesmixed

    return bayesmixed.Model(formula, data, family=family)


def fit(model: Any, seed: int) -> Any:
    """NUTS as it is by default, 4 chains of 1,000 kept draws, and the summary; every level is in its diagnostics."""
    found = model.fit("nuts", seed=seed, progress=False)
    str(found)
    return found


def draws(found: Any) -> Any:
    """Every scalar (chains, draws, m): coefficients, sds, correlations, sigma, effects."""
    import numpy as np

    parameters = found.parameters
    below = [c[..., *np.tril_indices(c.shape[-1], -1)] for c in parameters.corrs if c is not None]
    arrays = [parameters.beta, *parameters.sds, *below, *parameters.dispersion.values(), *parameters.b]
    return np.concatenate([values.reshape(*values.shape[:2], -1) for values in arrays], axis=2)


if __name__ == "__main__":
    from importlib.metadata import version

    import bayesmixed as bm

    report("bayesmixed", f"{bm.__version__} (JAX {version('jax')}, NumPyro {version('numpyro')})", model, fit, draws)
