"""Ways to fit a model: one file each, one line in the registry."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import FitError, nearest, with_known_fields
from .base import Engine as Engine
from .laplace import Laplace as Laplace
from .map import MAP as MAP
from .ml import ML as ML
from .ml import REML as REML
from .nuts import NUTS as NUTS

if TYPE_CHECKING:
    from ..fits.draws import DrawsFit
    from ..fits.point import PointFit
    from ..model import Model

ENGINES: dict[str, type[Engine]] = {kind.name: with_known_fields(kind) for kind in (ML, REML, MAP, Laplace, NUTS)}

_ANSWERS = {
    "agq": "Adaptive quadrature is an option of ML: write model.fit(bm.ML(quadrature=9)).",
    "lmer": 'Write model.fit("reml"), lmer\'s default, or model.fit("ml").',
    "mle": 'Write model.fit("ml").',
    "blmer": 'Write model.fit(bm.MAP(criterion="reml")).',
    "bootstrap": 'Fit by model.fit("ml") first, then bm.bootstrap(fit, seed=1).',
}
_ANSWERS |= dict.fromkeys(("glmer", "glmmtmb", "pql", "em", "gee"), 'Write model.fit("ml").')
_ANSWERS |= dict.fromkeys(("lme", "nlme", "mixedlm", "ols", "lm"), _ANSWERS["lmer"].replace("lmer's", "their"))
_ANSWERS |= dict.fromkeys(
    (
        "mcmc",
        "hmc",
        "gibbs",
        "sample",
        "stan",
        "brm",
        "brms",
        "bambi",
        "pymc",
        "numpyro",
        "bayes",
        "bayesian",
        "posterior",
    ),
    'Write model.fit("nuts", seed=1).',
)
_ANSWERS |= dict.fromkeys(("vi", "advi", "svi", "inla", "pathfinder"), 'Write model.fit("laplace", seed=1).')


def engine(method: str | Engine) -> Engine:
    """The engine of that name with its default options, or the value itself."""
    if isinstance(method, Engine):
        return method
    if isinstance(method, type) and issubclass(method, Engine):
        return method()
    name = str(method).lower()
    if name not in ENGINES:
        raise FitError(
            f"Unknown method {method!r}. " + _ANSWERS.get(name, nearest(name, ENGINES)), topic="unknown-method"
        )
    return ENGINES[name]()


def fit(model: Model, method: str | Engine, *, seed: int | None, progress: bool | None) -> PointFit | DrawsFit:
    """See `Model.fit`."""
    from ..likelihood.identified import unidentified

    found = engine(method).fit(model, seed=seed, progress=progress)
    return replace(found, status=found.status.with_unidentified(unidentified(model)))  # type: ignore[arg-type]  # its own
