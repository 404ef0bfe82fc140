"""Kenward and Roger's covariance and degrees of freedom, for small samples: of REML fits of linear mixed models.

Source: Kenward & Roger (1997), Biometrics 53, 983-997, whose A1, A2, B, g, c, E, V and rho these are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..engines.machine.blas import blas_threads
from ..engines.ml import REML
from ..errors import BayesMixedWarning, FitError, warn
from ..fits.status import singular_terms
from ..likelihood.at import likelihood_of
from ..likelihood.small_sample.kenward_roger import SmallSample, Ways, small_sample, ways
from ..likelihood.small_sample.marginal_products import held_numbers
from ..messages import Told
from ..prediction.memory import refuse_too_large
from .reference import FTest, Reference, wald

if TYPE_CHECKING:
    from ..fits.point import PointFit
    from ..model import Model

ROUGH = 1e-4  # relative error of the numbers from which a reader is told: degrees of freedom are read to 1e-3
EXACT = 1e-10  # of A2: degrees of freedom beyond it are infinite to every digit
SAME = 1e-6  # of a ratio of A1 to A2: that of a design whose tests are exact
NEAR = 1e-4  # of A2 / rank to 1: nearer than this digits are lost
LARGEST = 8e9  # bytes: what crossed factors of one column need with 8,000 effects left after eliminating one
TOO_LARGE = "Effects are so large beside the residual that rounding takes over"
REFITTED = Told(
    "refitted",
    "Kenward-Roger is defined for REML: coefficients, covariance and degrees of freedom are those of the same model "
    "refitted by REML.",
)


@dataclass(frozen=True)
class KenwardRoger(Reference):
    """The adjusted covariance as `root`, and the degrees of freedom that go with it.

    `found` holds what both follow from, over sigma; `beta` the coefficients (P,) of the REML refit where the fit was
    made otherwise, else None.
    """

    root: np.ndarray
    found: SmallSample
    notes: tuple[str, ...] = ()
    beta: np.ndarray | None = None
    words = "t with Kenward-Roger's degrees of freedom"
    papers = ("kenward1997",)
    errors = Told(
        "standard-errors", "Standard errors: with Kenward and Roger's adjustment for variances that are estimated."
    )

    def df(self, rows: np.ndarray) -> np.ndarray:
        """2 / A2, to which the formulas of `test` come for one row; NaN for a row of zeros."""
        A2 = self.found.rows(rows)
        return np.divide(2.0, A2, out=np.full(len(A2), np.inf), where=A2 != 0)

    def test(self, rows: np.ndarray, values: np.ndarray) -> FTest:
        """F scaled by lambda.

        A warning where the approximation is rough, and NaN degrees of freedom where no F distribution has the moments.
        """
        turn = self.found.independent(rows)
        rank, moments = len(turn), self.found.moments(turn @ rows)
        statistic, _ = wald(turn @ rows @ self.root, turn @ values)
        scaling, den_df = scaled_F(rank, *moments)
        doubt = _doubt(rank, *moments, den_df)
        if doubt:
            doubt += ' The data hold too few levels for it: test the rows one by one, or use ddf="satterthwaite".'
            warn(BayesMixedWarning(doubt, topic="degrees-in-doubt"))
        return FTest(scaling * statistic / rank, rank, den_df, doubt)


def reference(fit: PointFit) -> KenwardRoger:
    """Kenward and Roger's adjustment, at REML estimates: an ML fit is refitted.

    Raises
    ------
    FitError
        Models that are not linear; MAP fits; a predictor of sigma or a covariance structure that is not linear in its
        parameters; more crossed effects than fit into memory, with the size.
    """
    model = fit.model
    _refuse(model)
    if fit.engine.regularised:
        raise FitError(
            f"Kenward-Roger's degrees of freedom are of REML estimates, and {fit.engine.label} adds a penalty. Refit "
            'by model.fit("reml"), or use ddf="asymptotic" or a number.',
            topic="degrees-of-freedom",
        )
    likelihood = likelihood_of(model)
    moves = ways(likelihood, "sigma" in model.free)
    effects = _refuse_too_many(moves)
    at = fit if fit.engine.restricted else REML().fit(model)
    notes = () if at is fit else (REFITTED,)
    try:
        with blas_threads(effects):
            found = small_sample(likelihood, likelihood.theta.working(at.theta), moves)
    except np.linalg.LinAlgError as error:
        raise FitError(
            f'{TOO_LARGE}: no degrees of freedom can be computed. Use ddf="containment" or a number.',
            topic="degrees-of-freedom",
        ) from error
    notes = (*notes, *_cautions(at, found))
    return KenwardRoger(at.dispersion["sigma"] * found.adjusted, found, notes, None if at is fit else at.beta)


def scaled_F(rank: int, A1: float, A2: float) -> tuple[float, float]:
    """lambda and m with lambda F ~ F(rank, m), from the moments of F that A1 and A2 give; NaN where none has them.

    Examples
    --------
    >>> scaled_F(1, 0.1, 0.1)
    (1.0, 20.0)
    """
    if A2 <= EXACT:
        return 1.0, np.inf
    if rank == 1:
        return 1.0, 2 / A2
    if abs(1 - A2 / rank) < NEAR:  # where m is 2 all is 0/0, and smooth on both sides in the size of A1 and A2
        sides = [scaled_F(rank, A1 * size, A2 * size) for size in (1 - 2 * NEAR, 1 + 2 * NEAR)]
        return float(np.mean([side[0] for side in sides])), float(np.mean([side[1] for side in sides]))
    B = (A1 + 6 * A2) / (2 * rank)
    g = ((rank + 1) * A1 - (rank + 4) * A2) / ((rank + 2) * A2)
    k = 3 * rank + 2 * (1 - g)
    if k == 0:
        return np.nan, np.nan
    c1, c2, c3 = (c * B / k for c in (g, rank - g, rank + 2 - g))
    # rank rho of the paper is over / under, infinite where m is 4 and negative where it is less
    over, under = (1 + c1) * (1 - A2 / rank) ** 2, (1 - c2) ** 2 * (1 - c3)
    if over == under or 2 * over + rank * under == 0:
        return np.nan, np.nan
    most = 4 * over + (rank - 2) * under
    scaling, m = most * (1 - A2 / rank) / (2 * over + rank * under), most / (over - under)
    return (scaling, m) if scaling > 0 and m > 0 else (np.nan, np.nan)


def _doubt(rank: int, A1: float, A2: float, den_df: float) -> str:
    """What is wrong with a joint test, in words; empty where nothing is.

    With fewer than 4 degrees of freedom F has no variance: the formulas are continued beyond what they match. They stay
    exact where tests are, of means of independent groups (A1 = rank A2) and of slopes that vary freely (Hotelling's).
    """
    if np.isnan(den_df):
        return Told(
            "degrees-in-doubt",
            f"Kenward-Roger's formulas find no F distribution for a test of {rank} rows (A2 = {A2:.3g}).",
        )
    exact = any(abs(A1 / A2 - ratio) < SAME for ratio in (rank, 2 / (rank + 1))) if A2 > 0 else True
    if rank == 1 or den_df >= 4 or exact:
        return ""
    return Told(
        "degrees-in-doubt",
        f"Kenward-Roger's test of {rank} rows has {den_df:.2g} denominator degrees of freedom: below 4 they are rough.",
    )


def _refuse(model: Model) -> None:
    """Stop where V is not linear in its parameters, or has none."""
    if not model.linear:
        raise FitError(
            'ddf="kenward-roger" is for linear mixed models; tests of this model are referred to the normal '
            'distribution: ddf="asymptotic".',
            topic="degrees-of-freedom",
        )
    if not model.has_scale:
        raise FitError(
            "Kenward-Roger needs a covariance of the response that is linear in its parameters, and with a predictor "
            'of sigma it is not. Use ddf="satterthwaite".',
            topic="degrees-of-freedom",
        )
    if not model.coefficients:
        raise FitError("The model has no coefficients, which degrees of freedom would be for.", topic="nothing-to-test")
    for term, structure in zip(model.design.groups, model.covariances, strict=True):
        if structure.span(term.Z.shape[1]) is None:
            raise FitError(
                f"Kenward-Roger needs a covariance of the response that is linear in its parameters, and that of "
                f'{term.text} is not. Use ddf="satterthwaite".',
                topic="degrees-of-freedom",
            )


def _refuse_too_many(moves: Ways) -> int:
    """How many crossed effects there are; stop where their matrices do not fit."""
    effects, numbers = held_numbers(moves.blocks, moves.gram, moves.directions)
    refuse_too_large(
        numbers,
        1,
        f"Kenward-Roger's traces over {effects:,} crossed effects need dense matrices of",
        '. Use ddf="satterthwaite", which needs none.',
        LARGEST,
    )
    return effects


def _cautions(fit: PointFit, found: SmallSample) -> list[str]:
    """What a reader of the numbers must know of the fit that they are of."""
    notes: list[str] = []
    singular = singular_terms(fit.model.design.groups, fit.factors).words
    if singular:
        notes.append(
            Told(
                "degrees-in-doubt",
                f"At the boundary: {'; '.join(singular)}. Kenward-Roger's rule counts it as free; Satterthwaite's "
                "holds it.",
            )
        )
    if found.held:
        notes.append(
            Told(
                "degrees-in-doubt",
                f"{found.held} of {len(found.W)} variances and covariances cannot be told from the others or from the "
                "fixed effects: degrees of freedom are as if they were known.",
            )
        )
    if found.lost > ROUGH:
        notes.append(
            Told(
                "degrees-in-doubt", f"{TOO_LARGE}: few digits of these degrees of freedom and standard errors are left."
            )
        )
    if not fit.status.converged:
        notes.append(Told("degrees-in-doubt", "The fit did not converge: so may not these degrees of freedom."))
    return notes
