"""What does a model lose with less of its random part, and is that few enough to do without?"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace

import numpy as np

from ...errors import BayesMixedError
from ...fits.point import PointFit
from ...formula.formula import Formula
from ...model import Model
from ..lrt.ratio import RatioTest, ratio_test
from ..lrt.reductions import Reduction
from ..lrt.refits import engine_without_start, fitted_quietly, on_the_same_rows


@dataclass(frozen=True, eq=False)
class Candidate:
    """A smaller model that was tried: without what `name` says, its `fit` and the `test` of it against the larger.

    `obstacle` says why it cannot be taken; its fit and test are then None, or not to be trusted.
    """

    name: str
    formula: Formula
    fit: PointFit | None = field(default=None, compare=False)
    test: RatioTest | None = field(default=None, compare=False)
    obstacle: str = ""

    @property
    def p(self) -> float:
        """That of the likelihood ratio; NaN where there is none."""
        return float("nan") if self.test is None else self.test.p


def tried(reduction: Reduction, large: PointFit, seed: int | None) -> Candidate:
    """One smaller model, fitted and tested."""
    try:
        fit = fitted_quietly(_smaller(large.model, reduction.formula), engine_without_start(large.engine))
        test = ratio_test(fit, large, (f"the model without {reduction.name}", "the larger model"), 0.0, seed)
    except (BayesMixedError, np.linalg.LinAlgError) as problem:
        return Candidate(reduction.name, reduction.formula, obstacle=f"cannot be fitted: {problem}")
    found = Candidate(reduction.name, reduction.formula, fit, test)
    if not fit.status.converged:
        return replace(found, obstacle="did not converge")
    if test.law is None:
        return replace(found, obstacle=test.notes[-1] if test.notes else "no test")
    return found


def _smaller(model: Model, formula: Formula) -> Model:
    """The model of a smaller formula, with its arguments where it has the same rows with them; else on those rows."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            other = model.replace(formula=formula)
    except BayesMixedError:  # a response that no table has; priors of what is left out
        return on_the_same_rows(model, formula)
    return other if other.design.index.equals(model.design.index) else on_the_same_rows(model, formula)
