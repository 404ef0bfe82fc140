"""A fit with draws of every parameter: NUTS."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..errors import NoSuchAnswer
from ..parameters import Parameters
from . import tables
from .base import Fit
from .status import DrawsStatus
from .summary import Summary, draws_summary

if TYPE_CHECKING:
    from ..engines.base import Engine
    from ..model import Model

_LIMITS = (0.025, 0.975)


class _PointOnly:
    """A member that only fits with a maximised criterion have."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, fit: DrawsFit | None, owner: type) -> Any:
        if fit is None:
            return self
        raise NoSuchAnswer(
            f"A fit with draws has no {self.name}: it maximised nothing. "
            f'Ask a point fit, model.fit("ml").{self.name}, or compare predictions of draws with ArviZ: az.loo.'
        )


@dataclass(frozen=True, eq=False, repr=False)
class DrawsFit(Fit):
    """Draws from the posterior of a model.

    `natural` holds arrays with leading (chains, draws): `beta` (.., p), per group term `sds` (.., k),
    `factors` (.., k, k) Cholesky factors of the covariances and `effects` (.., L, k), `dispersion` by
    name; `statistics` the sampler's, (chains, draws) by ArviZ's names.
    """

    model: Model
    engine: Engine
    natural: dict[str, Any] = field(repr=False)
    statistics: dict[str, np.ndarray] = field(repr=False)
    status: DrawsStatus
    seed: int | None = None

    @cached_property
    def parameters(self) -> Parameters:
        """All draws, with leading axes (chains, draws)."""
        pairs = zip(self.natural["factors"], self.natural["sds"], self.model.covariances, strict=True)
        corrs = [_correlations(F, s) if c.has_correlation and s.shape[-1] > 1 else None for F, s, c in pairs]
        shape = self.natural["beta"].shape[:2]
        return Parameters(
            beta=self.natural["beta"],
            b=tuple(self.natural["effects"]),
            sds=tuple(self.natural["sds"]),
            corrs=tuple(corrs),
            dispersion={name: np.broadcast_to(value, shape) for name, value in self.natural["dispersion"].items()},
        )

    @cached_property
    def idata(self) -> Any:
        """ArviZ's container: groups posterior, sample_stats, observed_data."""
        from ..interop import arviz, naming

        return arviz.container(
            {
                "posterior": naming.posterior_dataset(self.model, self.natural),
                "sample_stats": naming.sample_stats_dataset(self.statistics),
                "observed_data": naming.observed_dataset(self.model),
            }
        )

    @property
    def coefficients(self) -> pd.DataFrame:
        """Fixed effects: mean, sd, lower, upper (95 %, equal-tailed), rhat, ess_bulk, ess_tail."""
        return draws_table(self.parameters.beta, list(self.model.coefficients))

    def vcov(self) -> pd.DataFrame:
        """Posterior covariance (p x p) of the fixed effects."""
        names = list(self.model.coefficients)
        draws = self.parameters.flat().beta[0]
        covariance = np.cov(draws, rowvar=False).reshape(len(names), len(names)) if names else np.zeros((0, 0))
        return pd.DataFrame(covariance, index=names, columns=names)

    def ranef_sd(self) -> dict[str, pd.DataFrame]:
        """Posterior standard deviations of the random effects."""
        return tables.by_factor(self.model.design.groups, [b[0].std(axis=0, ddof=1) for b in self.parameters.flat().b])

    def summary(self) -> Summary:
        """brms's summary, with what the sampler's diagnostics say."""
        return draws_summary(self)

    def _prediction_errors(self) -> None:
        return None

    loglik = _PointOnly()
    deviance = _PointOnly()
    criterion = _PointOnly()
    aic = _PointOnly()
    bic = _PointOnly()
    n_parameters = _PointOnly()
    theta = _PointOnly()


def draws_table(values: np.ndarray, names: list[str]) -> pd.DataFrame:
    """Mean, sd, 95 % limits, R-hat and effective sample sizes of draws (chains, draws, m)."""
    from ..interop import arviz

    flat = values.reshape(values.shape[0] * values.shape[1], values.shape[-1])
    lower, upper = np.quantile(flat, _LIMITS, axis=0)
    columns = {"mean": flat.mean(axis=0), "sd": flat.std(axis=0, ddof=1), "lower": lower, "upper": upper}
    return pd.DataFrame(columns | arviz.convergence(values), index=names)


def _correlations(factors: np.ndarray, sds: np.ndarray) -> np.ndarray:
    unit = factors / sds[..., None]
    return unit @ np.swapaxes(unit, -1, -2)
