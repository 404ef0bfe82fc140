"""Pictures of fits and of checks: each is a function to a tidy frame (``*_frame``) and a drawing by matplotlib.

A new picture of a fit is one file and one line of `PLOTS`, of what a check found one line of `CHECKED`, of a model, of
several fits or of draws alone one line of `OF_OTHERS`. matplotlib is imported when something is drawn, not before, and
its global style stays as it is. Every picture is a `Picture`: its figure, its axes, the frame that is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import nearest
from .bootstrap import bootstrap, bootstrap_frame
from .calibration import calibration, calibration_frame
from .caterpillar import caterpillar, caterpillar_frame
from .curves import curves, curves_frame
from .data import data, data_frame
from .densities import densities, densities_frame
from .drawing.picture import Picture
from .effects import effects, effects_frame
from .forest import forest, forest_frame
from .influence import influence, influence_frame
from .p_values import p_values, p_values_frame
from .pairs import pairs, pairs_frame
from .pooling import pooling, pooling_frame
from .power import power, power_frame
from .pp_check import pp_check, pp_check_frame
from .prior_posterior import prior_posterior, prior_posterior_frame
from .profile import profile, profile_frame
from .profile_pairs import profile_pairs, profile_pairs_frame
from .qq import qq, qq_frame
from .ranks import ranks, ranks_frame
from .residuals import residuals, residuals_frame
from .shrinkage import shrinkage, shrinkage_frame

PLOTS: dict[str, Callable[..., Picture]] = {
    "caterpillar": caterpillar,
    "curves": curves,
    "densities": densities,
    "effects": effects,
    "pp_check": pp_check,
    "qq": qq,
    "ranks": ranks,
    "shrinkage": shrinkage,
}
OF_OTHERS: dict[str, Callable[..., Picture]] = {
    "data": data,
    "forest": forest,
    "pairs": pairs,
    "prior_posterior": prior_posterior,
}
CHECKED: dict[str, Callable[..., Picture]] = {
    "bootstrap": bootstrap,
    "calibration": calibration,
    "influence": influence,
    "p_values": p_values,
    "pooling": pooling,
    "power": power,
    "profile": profile,
    "profile_pairs": profile_pairs,
    "residuals": residuals,
}


def __dir__() -> list[str]:
    return sorted(__all__)


def __getattr__(name: str) -> Any:
    raise AttributeError(f"bm.plot has no {name!r}. {nearest(name, [*PLOTS, *OF_OTHERS, *CHECKED])}")


__all__ = [
    "CHECKED",
    "OF_OTHERS",
    "PLOTS",
    "Picture",
    "bootstrap",
    "bootstrap_frame",
    "calibration",
    "calibration_frame",
    "caterpillar",
    "caterpillar_frame",
    "curves",
    "curves_frame",
    "data",
    "data_frame",
    "densities",
    "densities_frame",
    "effects",
    "effects_frame",
    "forest",
    "forest_frame",
    "influence",
    "influence_frame",
    "p_values",
    "p_values_frame",
    "pairs",
    "pairs_frame",
    "pooling",
    "pooling_frame",
    "power",
    "power_frame",
    "pp_check",
    "pp_check_frame",
    "prior_posterior",
    "prior_posterior_frame",
    "profile",
    "profile_frame",
    "profile_pairs",
    "profile_pairs_frame",
    "qq",
    "qq_frame",
    "ranks",
    "ranks_frame",
    "residuals",
    "residuals_frame",
    "shrinkage",
    "shrinkage_frame",
]
