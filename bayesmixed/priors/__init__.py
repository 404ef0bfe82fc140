"""Priors: light values, the default table, presets, and how a user's choices are laid over them."""

from __future__ import annotations

from .distributions import LKJ as LKJ
from .distributions import Beta as Beta
from .distributions import Cauchy as Cauchy
from .distributions import Decov as Decov
from .distributions import Exponential as Exponential
from .distributions import Flat as Flat
from .distributions import Gamma as Gamma
from .distributions import HalfCauchy as HalfCauchy
from .distributions import HalfNormal as HalfNormal
from .distributions import HalfStudentT as HalfStudentT
from .distributions import InverseGamma as InverseGamma
from .distributions import Laplace as Laplace
from .distributions import LogNormal as LogNormal
from .distributions import Lomax as Lomax
from .distributions import Normal as Normal
from .distributions import Prior as Prior
from .distributions import StudentT as StudentT
from .distributions import Uniform as Uniform
from .origin import as_typed as as_typed
from .origin import centered as centered
from .priors import Priors as Priors
from .resolve import PRESETS as PRESETS
from .resolve import resolve as resolve

__all__ = [
    "LKJ",
    "PRESETS",
    "Beta",
    "Cauchy",
    "Decov",
    "Exponential",
    "Flat",
    "Gamma",
    "HalfCauchy",
    "HalfNormal",
    "HalfStudentT",
    "InverseGamma",
    "Laplace",
    "LogNormal",
    "Lomax",
    "Normal",
    "Prior",
    "Priors",
    "StudentT",
    "Uniform",
    "as_typed",
    "centered",
    "resolve",
]


def __dir__() -> list[str]:
    return sorted(__all__)
