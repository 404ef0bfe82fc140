"""How long bambi with nutpie takes, and its draws of every scalar."""

from __future__ import annotations

import contextlib
import io
import warnings
from importlib.metadata import version
from typing import Any

from sampling import report


def model(formula: str, data: Any, family: str) -> Any:
    """bambi has no correlations of random effects: (x | g) are independent intercepts and slopes."""
    import bambi

    return bambi.Model(formula, data, family=family)


def fit(model: Any, seed: int) -> Any:
    """Build, compile, sample, and summarise the population parameters (levels would take it seconds more)."""
    import arviz

    idata = model.fit(draws=1000, tune=1000, chains=4, inference_method="nutpie", random_seed=seed, progressbar=False)
    names = [name for name in sampled(idata) if "__factor_dim" not in "".join(map(str, idata.posterior[name].dims))]
    str(arviz.summary(idata, var_names=names))
    return idata


def draws(idata: Any) -> Any:
    """Every scalar (chains, draws, m)."""
    import numpy as np

    arrays = [idata.posterior[name].to_numpy() for name in sampled(idata)]
    return np.concatenate([values.reshape(*values.shape[:2], -1) for values in arrays], axis=2)


def sampled(idata: Any) -> list[str]:
    """Variables without the transformed copies that nutpie keeps."""
    return [str(name) for name in idata.posterior.data_vars if not str(name).endswith(("_log__", "_offset"))]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with contextlib.redirect_stderr(io.StringIO()):
        report("bambi", f"{version('bambi')} (nutpie {version('nutpie')}, PyMC {version('pymc')})", model, fit, draws)
