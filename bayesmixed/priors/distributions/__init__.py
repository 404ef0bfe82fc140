"""Prior distributions: small frozen values that describe themselves and become NumPyro distributions."""

from __future__ import annotations

from .base import Distribution as Distribution
from .base import Kind as Kind
from .base import Prior as Prior
from .base import shown as shown
from .between import Beta as Beta
from .covariance_blocks import LKJ as LKJ
from .covariance_blocks import BlockPrior as BlockPrior
from .covariance_blocks import Decov as Decov
from .covariance_blocks import Dirichlet as Dirichlet
from .heavy import Lomax as Lomax
from .positive import Exponential as Exponential
from .positive import Gamma as Gamma
from .positive import HalfCauchy as HalfCauchy
from .positive import HalfNormal as HalfNormal
from .positive import HalfStudentT as HalfStudentT
from .positive import InverseGamma as InverseGamma
from .positive import LogNormal as LogNormal
from .real import Cauchy as Cauchy
from .real import Flat as Flat
from .real import Laplace as Laplace
from .real import Normal as Normal
from .real import StudentT as StudentT
from .real import Uniform as Uniform
