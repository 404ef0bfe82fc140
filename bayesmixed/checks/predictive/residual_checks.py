"""Whether residuals are what the family says: where each response lies among simulated ones, and four tests of that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from ...errors import FitError
from ...families import observed
from ...fits.base import is_fit
from ...messages import Told, retold
from ...page import Page, Printed, Section, column, places, probability
from ...parameters.predicted import predicted
from ...prediction.memory import HELD_BESIDE, refuse_too_large
from ...prediction.new_rows import take_rows
from ...prediction.seeds import generator
from ...prediction.thinning import kept_draws
from ..calibration.verdict import holm
from ..finding import NOTE, WARNING, Finding, findings_table, listed
from .exchangeable import distances, extremes, positions, spreads, two_sided_p, upper_p
from .replicated import Replicated, replicated

if TYPE_CHECKING:
    from ...families import Family
    from ...fits.base import Fit
    from ...fits.point import PointFit

MANY, FEW = 1000, 250  # replicates: many where they take less than
CHEAP_BYTES = 1e8
FLAG = 0.05  # of the adjusted p-values
REJECTED, FOUND = 1.96, 0.84  # standard errors: of a two-sided test at 5 %, and of a power of 80 %
TAKEN_UP = 0.2  # share of the rows that estimated effects take up, from which conditional residuals are too narrow
DRAWS = 500  # behind the variance of a predictor of a fit with draws

_SHAPE = (
    'Look at bm.plot.residuals(fit). Skewed: another family or a transformed response (family="gamma", "lognormal"); '
    'long tails: family="student"; a bend against the fitted values: a missing term or another link.'
)
_NARROWER = (
    "Intervals of predictions are wider than they need be. Look for effects that follow single rows and for responses "
    "that cannot vary freely (counts with an upper limit)."
)
_MORE_ZEROS = "Model the zeros apart: whether there are any, and how many where there are."
_FEWER_ZEROS = "Zeros may be impossible here or not recorded: model the positive counts alone."


@dataclass(frozen=True, eq=False, repr=False)
class ResidualChecks(Printed):
    """The result of `residual_checks`; printing gives a page.

    Attributes
    ----------
    frame
        One row per test: test, observed, expected (the mean over the replicates), p, adjusted (by Holm for the number
        of tests), reading.
    residuals
        Position in (0, 1) of each row's response among its replicates, uniform if the model is true; by row label. A
        row of a whole frequency weight w has w of them.
    outliers
        Labels of the rows whose response lies beyond all replicates.
    findings
        What departs from the model: in words, with what to do.
    formula, method
        What was fitted and how.
    n, re
        Replicates, and their random effects.
    weighting
        What frequency weights other than 1 mean here, in words.
    detectable
        Ratio of the variance to the family's that the test of dispersion would find in four of five such data sets;
        NaN where there is no such test.
    """

    frame: pd.DataFrame
    residuals: pd.Series = field(repr=False)
    outliers: pd.Index = field(repr=False)
    findings: tuple[Finding, ...]
    formula: str
    method: str
    n: int
    re: str
    weighting: str = ""
    detectable: float = float("nan")

    @property
    def clean(self) -> bool:
        """Whether no test found a departure."""
        return all(found.severity == NOTE for found in self.findings)

    @property
    def table(self) -> pd.DataFrame:
        """One row per finding: check, severity, what, words, remedy."""
        return findings_table(self.findings)

    @property
    def page(self) -> Page:
        """The page that is printed."""
        table = self.frame[["test"]].copy()
        for name in ("observed", "expected"):
            table[name] = column(self.frame[name], places(self.frame[name]))
        for name in ("p", "adjusted"):
            table[name] = self.frame[name].map(lambda p: probability(p, 3))
        table["reading"] = self.frame["reading"]
        effects = {"all": "of the levels in the data", "new": "of levels drawn anew"}[self.re]
        facts = (
            f"  formula:    {self.formula} ({self.method})",
            f"  replicates: {self.n}, new responses {effects}, parameters held at their estimates",
            *([f"  weights:    {self.weighting}"] if self.weighting else []),
        )
        sections = [Section("Residual checks", lines=facts), Section("", table, tuple(self._verdict()), index=False)]
        sections += [Section(f.what, lines=(f"  {f.words}", retold(f, f"  {f.remedy}"))) for f in self.findings]
        return Page(tuple(sections))

    def _verdict(self) -> list[str]:
        if not self.clean:
            return []
        smallest = self.frame["adjusted"].min()
        found = f"Nothing contradicts the model (smallest adjusted p {smallest:.2f}), which does not prove it right"
        if np.isnan(self.detectable):
            return [Told("residual-checks", f"{found}: small departures pass unseen in {len(self.residuals):,} rows.")]
        return [
            Told(
                "residual-checks",
                f"{found}: with these {len(self.residuals):,} rows, variances less than {self.detectable:.2f} times "
                "the family's often pass unseen.",
            )
        ]


def residual_checks(fit: Fit, *, n: int | None = None, re: str = "all", seed: int | None = None) -> ResidualChecks:
    """Test quantile residuals: where each response lies among `n` that the fitted model gives for its row.

    The tests ask whether these positions are uniform (Kolmogorov's distance), whether the response varies more or
    less than it should (its squared distance from the rows' means, over their variances, both the model's), whether
    there are more or fewer zeros (of counts), and whether more rows lie beyond all replicates than should. Parameters
    are held at their estimates (the posterior means of a fit with draws); the p-values compare the data with every
    replicate.

    Parameters
    ----------
    fit
        Any fit.
    n
        Number of replicates; p-values are multiples of 1 / (n + 1), and an outlier is beyond all of them. By default
        1,000, or 250 where those would take more than 100 MB.
    re
        "all": replicates of the levels in the data, which tests the distribution given the random effects. These follow
        the data, so that residuals are a little too narrow; the test of dispersion allows for that, and where more
        than a fifth of the rows is taken up so, the page says it. "new": of levels drawn anew, which tests the
        distribution of the random effects too, with less power for the rest.
    seed
        Same seed, same result.

    Returns
    -------
    ResidualChecks
        Prints as a page with remedies; `frame`, `residuals`, `outliers` and `findings` hold the same as data.

    Raises
    ------
    FitError
        For anything but a fit; where the replicates would take more than 1 GB, saying how many fit.

    References
    ----------
    Dunn & Smyth (1996), J. Comput. Graph. Stat. 5, 236-244; Gelman & Hill (2007), section 8.3. R's DHARMa (Hartig)
    made simulated quantile residuals the usual check of mixed models.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("reml")
    >>> bm.residual_checks(fit, seed=1).clean
    True
    """
    source = replicated(fit, _replicates(fit) if n is None else n, re, seed, plug_in=True)
    rng = generator(seed).spawn(1)[0]
    rows = source.rows
    what = f"{source.n} replicates of {len(rows):,} rows take"
    refuse_too_large(source.n + 1, len(rows), what, ". Ask for fewer, n={most} at most.", HELD_BESIDE)
    pool = np.vstack([source.observed, source.table()])
    at, beyond = positions(pool, rng), extremes(pool)
    taken_up = _taken_up(fit, rows) if re == "all" else 0.0
    spread = _spread(source, pool, taken_up)
    frame = _tested(fit, pool, at, beyond, spread)
    labels = fit.model.design.index[rows]
    return ResidualChecks(
        frame=frame,
        residuals=pd.Series(at[0], index=labels, name="residual"),
        outliers=labels[beyond[0]],
        findings=tuple(_findings(fit, frame, labels[beyond[0]], taken_up)),
        formula=fit.model.formula.line,
        method=fit.label,
        n=source.n,
        re=re,
        weighting=source.weighting,
        detectable=float("nan") if spread is None else _detectable(spread[1:]),
    )


def _detectable(spread: np.ndarray) -> float:
    """The ratio of variances whose lower tail lies where the test at 5 % begins, from replicates (n,)."""
    error = float(spread.std() / spread.mean())
    return (1 + REJECTED * error) / (1 - FOUND * error) if FOUND * error < 1 else float("inf")


def _replicates(fit: Fit) -> int:
    """As many as show the tails, where these are cheap."""
    rows = fit.model.design.n_rows if is_fit(fit) else 0
    return MANY if 8.0 * MANY * rows <= CHEAP_BYTES else FEW


def _taken_up(fit: Fit, compared: np.ndarray) -> float:
    """Share of the responses that coefficients and effects take up: the mean of d fitted / d y.

    A row's derivative, weight included, is the sum of those of the responses that it stands for.
    """
    rows = np.unique(compared)
    if not fit.sampled:
        return float(np.sum(cast("PointFit", fit).leverage()[rows])) / len(compared)
    model, parameters = fit.model, fit.parameters.flat()
    some, design = parameters.take(kept_draws(parameters.n_draws, DRAWS)), take_rows(model.design, rows)
    eta = predicted(model.family, design, some).eta
    _, dispersion = predicted(model.family, design, parameters.mean()).single()
    V = model.family.derivatives(observed(model.design, rows), eta.mean(axis=0), dispersion, 2).V
    return float(np.clip(np.sum(np.maximum(V, 0.0) * eta.var(axis=0)) / len(compared), 0.0, 0.95))


def _spread(source: Replicated, pool: np.ndarray, taken_up: float) -> np.ndarray | None:
    """How widely the data and each replicate lie about the model's means; None where its variances do not exist."""
    if source.model.two_valued:
        return None
    try:
        mean, variance = source.moments()
    except FitError:  # a family of the user's own whose distribution states no variance
        again = replace(source, seed=_other_seed(source.seed)).table()
        mean, variance = again.mean(axis=0), again.var(axis=0)
    spread = spreads(pool, mean, variance)
    spread[0] /= 1 - taken_up
    return None if np.isnan(spread).any() else spread


def _other_seed(seed: int | None) -> int | None:
    """A seed for replicates that are independent of those of `seed`."""
    return None if seed is None else int(np.random.SeedSequence(seed).spawn(3)[2].generate_state(1)[0])


def _tested(fit: Fit, pool: np.ndarray, at: np.ndarray, beyond: np.ndarray, spread: np.ndarray | None) -> pd.DataFrame:
    """The four tests, of which counts alone have zeros and 0-1 responses no dispersion."""
    distance, far = distances(at), beyond.mean(axis=1)
    tests = [("uniformity", distance, upper_p(distance)), ("outliers", far, upper_p(far))]
    if spread is not None:
        tests.insert(1, ("dispersion", spread, two_sided_p(spread)))
    if fit.model.family.discrete and not fit.model.two_valued and np.any(pool == 0):
        zeros = np.mean(pool == 0, axis=1)
        tests.append(("zeros", zeros, two_sided_p(zeros)))
    frame = pd.DataFrame(
        {
            "test": [name for name, _, _ in tests],
            "observed": [float(values[0]) for _, values, _ in tests],
            "expected": [float(values[1:].mean()) for _, values, _ in tests],
            "p": [p for _, _, p in tests],
        }
    )
    frame["adjusted"] = holm(frame["p"].to_numpy())
    reading = [_READINGS[name](values[0] > values[1:].mean()) for name, values, _ in tests]
    judged = zip(frame["adjusted"], reading, strict=True)
    return frame.assign(reading=["not contradicted" if p >= FLAG else words for p, words in judged])


_READINGS: dict[str, Callable[[bool], str]] = {
    "uniformity": lambda more: "another distribution",
    "dispersion": lambda more: "too wide" if more else "too narrow",
    "outliers": lambda more: "too many",
    "zeros": lambda more: "too many" if more else "too few",
}


def _findings(fit: Fit, frame: pd.DataFrame, outliers: pd.Index, taken_up: float) -> list[Finding]:
    rows = frame.set_index("test")
    found = [_finding(fit.model.family, test, rows.loc[test], outliers) for test in rows.index[rows["adjusted"] < FLAG]]
    if taken_up > TAKEN_UP:
        words = (
            f"Estimated effects use up {taken_up:.0%} of the rows: residuals around them are too narrow to test well."
        )
        remedy = 'Compare with levels drawn anew: bm.residual_checks(fit, re="new").'
        found.append(
            Finding("effects", "effects follow the rows", words, remedy, NOTE, topic="effects-follow-the-rows")
        )
    return found


def _finding(family: Family, test: str, row: pd.Series, outliers: pd.Index) -> Finding:
    ratio = row["observed"] / row["expected"] if row["expected"] > 0 else np.inf
    more = ratio > 1
    if test == "uniformity":
        words = f"Positions among replicates are not uniform (distance {row['observed']:.3f}): not {_named(family)}."
        return Finding(test, "another distribution", words, _SHAPE, WARNING, topic="residual-distribution")
    if test == "dispersion":
        words = f"The response varies {ratio:.2f} times as much (in variance) as the {_named(family)} family implies."
        remedy = (family.wider or _SHAPE) if more else _NARROWER
        return Finding(test, "too wide" if more else "too narrow", words, remedy, WARNING, topic="overdispersion")
    if test == "zeros":
        words = f"{row['observed']:.1%} of the responses are zero, where {row['expected']:.1%} would be expected."
        remedy = _MORE_ZEROS if more else _FEWER_ZEROS
        return Finding(test, f"too {'many' if more else 'few'} zeros", words, remedy, WARNING, topic="zeros")
    words = f"{len(outliers)} rows lie beyond all replicates: {listed([str(label) for label in outliers.unique()])}."
    remedy = "Look at these rows (.outliers has all). Where they are right, the tails of the family are too short."
    return Finding(test, "outliers", words, remedy, WARNING, topic="outlying-rows")


def _named(family: Family) -> str:
    return family.words or family.name
