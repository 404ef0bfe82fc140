"""Covariances of the coefficients that hold whatever the true variances within clusters are: CR0 and CR2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import solve_triangular

from ..errors import FitError, brief, nearest
from ..likelihood.at import laplace_of
from ..likelihood.small_sample.cluster_robust import Adjusted, MarginalRows, adjusted, plain
from ..likelihood.small_sample.cluster_scores import cluster_scores
from ..messages import Told
from ..prediction.rows_by import RowsBy, rows_by
from .methods import number
from .reference import FTest, Reference
from .satterthwaite import independent

if TYPE_CHECKING:
    from ..fits.point import PointFit

TOO_FEW = "There are too few clusters for so many equations at once: test fewer together."
WORK = 2e10  # rows cubed, summed over clusters: about a minute


@dataclass(frozen=True)
class Clusters:
    """Rows (n,) of positive weight of a fit: `codes` (n,) of their clusters, G `members`; `name` what they are."""

    name: str
    codes: np.ndarray
    members: tuple[np.ndarray, ...]

    def __len__(self) -> int:
        return len(self.members)


@dataclass(frozen=True)
class ClusterRobust(Reference):
    """t and F with a cluster-robust covariance.

    `model_root` (P, q) is the root of the covariance that the model itself says, `given` the degrees of freedom of
    every test, or None: those of CR2's `moments`.
    """

    root: np.ndarray
    words: str
    notes: tuple[str, ...]
    model_root: np.ndarray
    given: float | None
    moments: Adjusted | None

    def df(self, rows: np.ndarray) -> np.ndarray:
        if self.given is not None or self.moments is None:
            return np.full(len(rows), self.given)
        return self.moments.df(rows @ self.model_root)

    def test(self, rows: np.ndarray, values: np.ndarray) -> FTest:
        """F of v'(LBL')^-1 v; by CR2 on the degrees of freedom of its Hotelling's T^2. NaN with too few clusters."""
        turned, sds = independent(rows @ self.model_root)
        turned = turned / sds[:, None]  # now the model says that they have covariance I
        r, half = len(turned), turned @ rows @ self.root
        if np.linalg.matrix_rank(half) < r:
            return FTest(np.nan, r, np.nan, TOO_FEW)
        statistic = float(np.sum(np.linalg.solve(half @ half.T, turned @ values) * (turned @ values)))
        if self.given is not None or self.moments is None:
            return FTest(statistic / r, r, np.nan if self.given is None else self.given)
        eta = self.moments.joint_df(turned @ rows @ self.model_root)
        left = eta - r + 1
        return FTest(left * statistic / (eta * r), r, left) if left > 0 else FTest(np.nan, r, np.nan, TOO_FEW)


def robust(fit: PointFit, vcov: str, cluster: Any, ddf: str | float | None = None) -> ClusterRobust:
    """What linear functions of the coefficients are referred to, their variances found from the clusters.

    Parameters
    ----------
    fit
        By ML or REML; of a generalized model by ML, with one node or more.
    vcov
        "CR0": the sandwich of the clusters' scores. "CR2" (linear models): with each cluster's residuals adjusted so
        that it is unbiased were the fitted variances true.
    cluster
        A grouping factor, a column or one label per row used (`rows_by`).
    ddf
        A number. By default of CR2 Satterthwaite's, from the moments of its variance under the fitted variances; of CR0
        the number of clusters less one, where nothing better is known. "asymptotic": the normal distribution.

    Raises
    ------
    FitError
        Effects that clusters share (the factor that crosses them), fits and options for which there is none.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (1 | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> found = robust(fit, "CR2", "Subject")
    >>> row = np.array([[0.0, 1.0]])
    >>> np.round(np.sqrt(found.covariance(row)), 3), np.round(found.df(row), 2)
    (array([[1.546]]), array([17.]))
    """
    if not isinstance(vcov, str) or vcov not in KINDS:
        independent = str(vcov).upper().startswith("HC")
        hint = " HC errors take rows for independent: cluster= of one label per row is that." if independent else ""
        raise FitError(f"vcov={brief(vcov)} is not an option. {nearest(str(vcov), KINDS)}{hint}", topic="robust-errors")
    if fit.engine.regularised:
        raise FitError(
            f"vcov={vcov!r} is of estimates that maximise a likelihood, and {fit.engine.label} adds a penalty. Refit "
            'by model.fit("ml"), or leave vcov= out.',
            topic="robust-errors",
        )
    if not np.all(np.isfinite(fit.coefficient_root)):
        raise FitError(
            f"vcov={vcov!r}: the fit has no standard errors to correct, see fit.status.problems.",
            topic="no-standard-errors",
        )
    clusters = _clusters(fit, vcov, cluster)
    return KINDS[vcov](fit, clusters, _given(vcov, ddf, len(clusters)))


def _plain(fit: PointFit, clusters: Clusters, given: float | None) -> ClusterRobust:
    """Of linear models: V^-1 e is the residual beside the conditional modes, over its variance."""
    if not fit.model.linear:
        return _generalized(fit, clusters, given)
    rows, beside = _marginal(fit, "CR0")
    root = fit.coefficient_root @ plain(rows.columns, beside / rows.variance, clusters.codes).T
    return ClusterRobust(root, _words("CR0", clusters, given), _notes(clusters), fit.coefficient_root, given, None)


def _adjusted(fit: PointFit, clusters: Clusters, given: float | None) -> ClusterRobust:
    if not fit.model.linear:
        raise FitError(
            'vcov="CR2" is for linear mixed models: its adjustment has no form for others. Use vcov="CR0".',
            topic="robust-errors",
        )
    work = float(np.sum([float(len(at)) ** 3 for at in clusters.members]))
    if work > WORK:
        largest = max(len(at) for at in clusters.members)
        raise FitError(
            f'vcov="CR2" takes rows cubed of each cluster, and the largest of {len(clusters)} has {largest:,} rows. '
            'Use vcov="CR0", whose cost is that of the rows.',
            topic="robust-errors",
        )
    found = adjusted(_marginal(fit, "CR2")[0], clusters.members)
    root = fit.coefficient_root @ found.scores.T
    return ClusterRobust(root, _words("CR2", clusters, given), _notes(clusters), fit.coefficient_root, given, found)


def _generalized(fit: PointFit, clusters: Clusters, given: float | None) -> ClusterRobust:
    """H^-1 (sum d_g d_g') H^-1 of all parameters, d_g the slopes of clusters' deviances, H the Hessian of their sum."""
    if fit.engine.quadrature == 0 and fit.model.design.groups:
        raise FitError(
            'vcov="CR0" needs the maximum of the marginal likelihood: refit by model.fit("ml").', topic="robust-errors"
        )
    likelihood, curvature = laplace_of(fit.model), fit.curvature
    assert curvature is not None  # which generalized fits keep
    slopes = cluster_scores(likelihood, curvature.x, clusters.members, fit.engine.quadrature)
    halves = 0.5 * curvature.covariance @ slopes.T  # the covariance is 2 H^-1
    root = solve_triangular(likelihood.rows.R, halves[likelihood.coefficients])
    return ClusterRobust(root, _words("CR0", clusters, given), _notes(clusters), fit.coefficient_root, given, None)


KINDS: dict[str, Callable[[PointFit, Clusters, float | None], ClusterRobust]] = {"CR0": _plain, "CR2": _adjusted}


def _marginal(fit: PointFit, vcov: str) -> tuple[MarginalRows, np.ndarray]:
    """The rows of positive weight, and their residuals beside the conditional modes."""
    model, design = fit.model, fit.model.design
    if not model.has_scale or design.response is None:
        raise FitError(
            f"vcov={vcov!r} is for models with one residual variance: give sigma no formula, since it corrects "
            "standard errors for variances that differ.",
            topic="robust-errors",
        )
    used, flat = np.flatnonzero(design.used), fit.parameters
    y = model.family.normalised(design.response.y[used])
    fixed, whole = (design.eta(flat, terms)["mu"][0, used] for terms in ((), None))
    weights = np.ones(len(used)) if design.weights is None else design.weights[used]
    effects = tuple(
        (np.asarray(term.codes)[used], term.Z[used] @ flat.factor(j)[0, 0]) for j, term in enumerate(design.groups)
    )
    columns = design.mu.X[used] @ fit.coefficient_root
    return MarginalRows(columns, y - fixed, fit.dispersion["sigma"] ** 2 / weights, effects), y - whole


def _clusters(fit: PointFit, vcov: str, cluster: Any) -> Clusters:
    design = fit.model.design
    factors = " or ".join(f"cluster={name!r}" for name in dict.fromkeys(term.factor for term in design.groups))
    if cluster is None:
        raise FitError(
            f"vcov={vcov!r} needs the clusters: {factors or 'cluster='}{', ' if factors else ''}a column, or a label "
            "per row.",
            topic="robust-errors",
        )
    by, used = rows_by(fit.model, cluster, "cluster"), np.flatnonzero(design.used)
    name = repr(by.name) if isinstance(cluster, str) or getattr(cluster, "name", None) else "the labels given"
    codes = np.unique(by.codes[used], return_inverse=True)[1]
    if codes.max(initial=0) < 1:
        raise FitError(
            f"vcov={vcov!r} needs two clusters or more: all rows have one level of {name}.", topic="robust-errors"
        )
    _refuse_shared(fit, by, used, name)
    order = np.argsort(codes, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(codes))[:-1])
    return Clusters(name, codes, tuple(members))


def _refuse_shared(fit: PointFit, by: RowsBy, used: np.ndarray, name: str) -> None:
    """Stop where a level of a grouping factor has rows in several clusters: V is not block-diagonal over them."""
    for term in fit.model.design.groups:
        pairs = np.unique(np.column_stack([np.asarray(term.codes)[used], by.codes[used]]), axis=0)
        levels, counts = np.unique(pairs[:, 0], return_counts=True)
        if counts.max(initial=0) > 1:
            worst = int(np.argmax(counts))
            raise FitError(
                f"Clusters must not share effects: {term.factor!r} crosses {name}, its level "
                f"{term.levels[levels[worst]]} lies in {counts[worst]} of them. Cluster by a factor in which every "
                "grouping factor is nested; where factors are crossed there is none, and tests are those of the model, "
                'ddf="satterthwaite", or the bootstrap\'s.',
                topic="robust-errors",
            )


def _given(vcov: str, ddf: str | float | None, G: int) -> float | None:
    """The degrees of freedom of every test; None where they are CR2's own."""
    if isinstance(ddf, str):
        if ddf == "asymptotic":
            return np.inf
        if ddf == "satterthwaite" and vcov == "CR2":
            return None
        own = "leave it out for Satterthwaite's of CR2" if vcov == "CR2" else "leave it out for clusters less one"
        raise FitError(
            f'ddf={ddf!r} does not go with vcov={vcov!r}: {own}, or give a number or "asymptotic".',
            topic="degrees-of-freedom",
        )
    if ddf is None:
        return None if vcov == "CR2" else G - 1.0
    return number(ddf)


def _words(vcov: str, clusters: Clusters, given: float | None) -> str:
    if given is None:
        return f"t with Satterthwaite's degrees of freedom of {vcov} variances"
    if np.isinf(given):
        return f"z with {vcov} variances"
    less = ", clusters less one" if given == len(clusters) - 1 else ""
    return f"t with {given:g} degrees of freedom{less}, and {vcov} variances"


def _notes(clusters: Clusters) -> tuple[str, ...]:
    sizes = [len(at) for at in clusters.members]
    rows = f"{min(sizes)} to {max(sizes)} rows" if min(sizes) < max(sizes) else f"{sizes[0]} rows each"
    return (
        Told("standard-errors", f"Standard errors: robust, by {len(clusters)} clusters of {clusters.name} ({rows})."),
    )
