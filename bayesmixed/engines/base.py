"""What an engine is: a value with options and one method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from ..covariance import CORRELATION

if TYPE_CHECKING:
    import numpy as np

    from ..fits.draws import DrawsFit
    from ..fits.point import PointFit
    from ..model import Model
    from .refits.refits import Refitter


def of_correlations(model: Model) -> tuple[str, ...]:
    """The paper of the prior that correlations of a model have, where it has any."""
    shapes = (
        shape
        for term, structure in zip(model.design.groups, model.covariances, strict=True)
        for shape in structure.parameters(len(term.columns)).shapes
    )
    return ("lewandowski2009",) if any(shape.support == CORRELATION for shape in shapes) else ()


class Engine(ABC):
    """One way to fit a model. `name` is what ``model.fit`` takes, `label` what tables print.

    `regularised` says that a penalty is part of what is minimised.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    regularised: ClassVar[bool] = False
    quadrature: int = 1  # nodes a dimension of the integral over the effects of a generalized model
    heading: ClassVar[str] = ""  # of the summary of its draws, where "posterior by" its label says too little

    @abstractmethod
    def fit(self, model: Model, *, seed: int | None, progress: bool | None) -> PointFit | DrawsFit:
        """Fit the model; `seed` matters to engines that draw, `progress` to engines that take long."""

    @property
    def restricted(self) -> bool:
        """Whether the log-likelihood of its fits is minus half the REML criterion, which compares to no other."""
        return False

    def for_part(self, whole: Model, part: Model) -> Engine:
        """The engine that fits a part of a model as this one fits the whole."""
        return self

    def words(self, model: Model) -> str:
        """How the model was fitted, as a sentence has it."""
        return self.label

    def papers(self, model: Model) -> tuple[str, ...]:
        """Keys in `citations.papers` of the papers that the method is from."""
        if model.linear or not model.design.groups:
            return ("bates2015",)
        return "bates2015", *{0: (), 1: ("tierney1986",)}.get(self.quadrature, ("pinheiro2006",))

    def integral(self, model: Model) -> str:
        """How the effects of a generalized model are integrated out of its likelihood, in words; else empty."""
        if model.linear or not model.design.groups:
            return ""
        every = {0: " at the joint mode of fixed and random effects", 1: " with the Laplace approximation"}
        nodes = f" with adaptive Gauss-Hermite quadrature of {self.quadrature} nodes"
        return every.get(self.quadrature, nodes)

    def priors_used(self, model: Model) -> str:
        """Which priors a fit has, in words; empty where none are mentioned."""
        return ""

    def prior_precision(self, model: Model, beta: np.ndarray) -> np.ndarray | None:
        """Curvature (p, p) at `beta` (p,) of the priors that the estimates of a fit have; None where they have none."""
        return None

    def refitter(self, fit: PointFit) -> Refitter:
        """What fits the model of one of its fits to other responses: full fits one by one, unless it knows better."""
        from .refits.alone import OneByOne

        return OneByOne(fit)
