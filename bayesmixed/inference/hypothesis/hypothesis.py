"""Are linear functions of the coefficients zero, equal, above or below a value?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from ...degrees import methods
from ...degrees.reference import FTest, Reference, too_few
from ...degrees.robust import robust
from ...errors import FitError, brief, checked_level, with_known_options
from ...fits.base import is_fit
from ...fits.caution import with_caution
from ...messages import Told, retold
from ...page import Page, Printed, Section, column, places, probability
from . import draws, tests
from .claims import Asked, asked
from .estimable import estimable

if TYPE_CHECKING:
    from ...fits.base import Fit
    from ...fits.point import PointFit

FIXED = {"statistic": 3, "df": 1, "probability": 3}
LEFT_OUT = Told("dropped-columns", "Left out of the fit, and held at zero by the other coefficients: {}.")
NO_DF = Told(
    "normal-reference",
    "z: a penalised fit has no degrees of freedom, and its standard errors are those of a posterior's mode.",
)


@dataclass(frozen=True, repr=False)
class Hypotheses(Printed):
    """Tests of linear functions of the coefficients, or what draws say of them. Printing gives a page.

    Attributes
    ----------
    frame
        A row per claim: estimate, se, df, statistic, p, lower, upper; of draws their probabilities.
    joint
        The F test of several equations (statistic, num_df, den_df, p; infinite den_df mean chi^2 / num_df), of draws
        the probability that several inequalities hold at once, else None.
    notes
        What limits and p-values are of, which standard errors were used.
    """

    title: str
    frame: pd.DataFrame
    joint: FTest | float | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def page(self) -> Page:
        """The table and the notes, the joint test first."""
        return Page((Section(self.title, _formatted(self.frame), self.notes),))

    def __len__(self) -> int:
        return len(self.frame)


@with_known_options(
    alternative='Write what is claimed as the alternative, "x > 0" or "x < 0".',
    rhs='Values stand in the hypothesis, "x = 3"; those of a matrix beside it, (matrix, values).',
    adjust='bm.emmeans(fit, "f").contrast(adjust="holm") adjusts p-values; several hypotheses get a joint test.',
)
def hypothesis(
    fit: Fit,
    hypotheses: Any = None,
    *,
    ddf: str | float | None = None,
    level: float = 0.95,
    vcov: str | None = None,
    cluster: Any = None,
) -> Hypotheses:
    """Test linear functions of the coefficients.

    Parameters
    ----------
    fit
        Any fit.
    hypotheses
        None: every coefficient. A text: ``"x1 - x2 = 0"``, ``"2*x1 + 0.5*x2 = 3"``, ``"f[b] = f[c] = 0"``, or with
        ">" and "<" one-sided. Names are those of ``fit.fixef()``, R's are understood too. Several texts, as a list or
        as a dict with labels, are tested each and, equations, also jointly. A matrix (m, P) with one column per
        coefficient, with values other than zero ``(matrix, values)``; a DataFrame whose columns are names of
        coefficients, and ``"rhs"`` the values.
    ddf
        Degrees of freedom: a method's name or a number; by default those that the fit is judged by. Generalized models
        and penalised fits are judged by z and chi^2.
    level
        Coverage of the limits; of an inequality that of its one finite limit.
    vcov, cluster
        Standard errors that hold whatever the variances within clusters are: "CR2" (linear models; with Satterthwaite's
        degrees of freedom, joint tests by an approximate Hotelling's T^2) or "CR0" (the plain sandwich, for linear and
        generalized models; by default t with the number of clusters less one). `cluster` is a grouping factor or a
        column by name, or a label per row; every grouping factor must be nested in it.

    Returns
    -------
    Hypotheses
        `.frame`: estimate, se, df, statistic, p, lower, upper. The p of an inequality is small where the data speak
        for it (it is the alternative). Of draws: estimate (posterior mean), se (sd), lower, upper, and probability
        that the inequality holds. `.joint`: the joint test of several equations.

    Raises
    ------
    FitError
        Names that no coefficient has, functions that are not linear or that the data do not determine, equations that
        contradict each other, options that the fit does not have.

    Notes
    -----
    A row is judged by (l'b - value) / se; equations L b = v together by F = (L b - v)'(L C L')^-1 (L b - v) / rank,
    rows that follow from others counted once.

    References
    ----------
    Fai & Cornelius (1996), J. Stat. Comput. Simul. 54, 363-378, for the degrees of freedom of F; Pustejovsky & Tipton
    (2018), J. Bus. Econ. Stat. 36, 672-683, for ``vcov="CR2"``.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> model = bm.Model("cbind(incidence, size - incidence) ~ period + (1 | herd)", bm.load_data("cbpp"),
    ...                  family="binomial")
    >>> found = bm.hypothesis(model.fit("ml"), ["period[2] = period[3]", "period[3] = period[4]"])
    >>> found.frame[["estimate", "se", "statistic", "p"]].round(3)
                           estimate     se  statistic      p
    period[2] = period[3]     0.136  0.381      0.358  0.720
    period[3] = period[4]     0.452  0.484      0.933  0.351
    >>> found.joint.num_df, round(found.joint.p, 3)
    (2, 0.455)

    >>> sleep = bm.Model("Reaction ~ Days + (1 | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> bm.hypothesis(sleep, "Days > 0", vcov="CR2", cluster="Subject").frame.round(2)
              estimate    se    df  statistic    p  lower  upper
    Days > 0     10.47  1.55  17.0       6.77  0.0   7.78    inf
    """
    if not is_fit(fit):
        raise FitError(f'hypothesis takes a fit, such as model.fit("reml"), not {brief(fit)}.', topic="needs-a-fit")
    checked_level(level)
    question = asked(fit.model, hypotheses)
    rows = estimable(fit.model, question.rows, question.labels)
    if fit.sampled:
        given = {"ddf": ddf, "vcov": vcov, "cluster": cluster}
        _refuse_of_draws([name for name, value in given.items() if value is not None])
        return _of_draws(fit, question, rows, level)
    if cluster is not None and vcov is None:
        raise FitError(
            'cluster= is for cluster-robust standard errors: say which, vcov="CR2" or vcov="CR0".',
            topic="robust-errors",
        )
    point = cast("PointFit", fit)
    reference = methods.reference(point, ddf) if vcov is None else robust(point, vcov, cluster, ddf)
    return _of_point(point, question, rows, reference, level)


def _of_point(fit: PointFit, question: Asked, rows: np.ndarray, reference: Reference, level: float) -> Hypotheses:
    joint = tests.jointly(fit, question, rows, reference)
    notes = [] if joint is None else [*filter(None, [_told(joint), joint.doubt])]
    notes.append(Told("limits", f"Limits: {100 * level:g} %, {reference.words}."))
    df = reference.df(rows)
    normal = np.isinf(df)
    if normal.any() and not normal.all():
        notes.append(Told("normal-reference", "Where df is infinite: z."))
    notes += [*too_few(df), *filter(None, [reference.errors])]
    if question.sides.any():
        notes.append(
            Told(
                "reading-of-p",
                "The p of an inequality is that of what it claims as the alternative: small speaks for it.",
            )
        )
        if question.together:
            notes.append(Told("no-test", "No joint test: inequalities are among the hypotheses."))
    if np.any(question.values):
        notes.append(
            Told("reading-of-p", "Statistic: how many standard errors the estimate lies from the value claimed.")
        )
    if joint is not None and _is_known(joint) and joint.num_df < len(rows):
        follow = len(rows) - joint.num_df
        notes.append(
            Told("joint-test", f"{follow} of the {len(rows)} equations follow{'s' * (follow == 1)} from the others.")
        )
    if fit.engine.regularised and normal.all():
        notes.append(NO_DF)
    return Hypotheses(
        _title(question, fit),
        tests.tested(fit, question, rows, reference, level),
        joint,
        with_caution([*notes, *reference.notes, *_left_out(fit, question)], fit),
    )


def _refuse_of_draws(options: list[str]) -> None:
    if options:
        raise FitError(
            f"Draws have no degrees of freedom and their own spread: leave out {options[0]}=, or ask a point fit, "
            'model.fit("reml").',
            topic="options-together",
        )


def _of_draws(fit: Fit, question: Asked, rows: np.ndarray, level: float) -> Hypotheses:
    frame = draws.answered(fit, question, rows, level)
    notes = [
        Told(
            "limits",
            f"Posterior mean and sd; limits: {100 * level:g} %, quantiles of the {fit.parameters.n_draws} draws.",
        )
    ]
    if question.each:
        notes.append(Told("reading-of-p", "Probability: that the coefficient is above zero."))
    elif not np.all(question.sides):
        notes.append(draws.NO_EQUALITY)
    joint = draws.together(fit, question, rows)
    if joint is not None:
        every = "Both" if len(rows) == 2 else f"All {len(rows)}"
        notes.insert(0, Told("joint-test", f"{every} hold together with probability {joint:.3f}."))
    return Hypotheses(_title(question, fit), frame, joint, with_caution([*notes, *_left_out(fit, question)], fit))


def _title(question: Asked, fit: Fit) -> str:
    return f"{'Coefficients' if question.each else 'Hypotheses'}, {fit.label}"


def _left_out(fit: Fit, question: Asked) -> tuple[str, ...]:
    aliased = fit.model.design.mu.aliased
    return (retold(LEFT_OUT, LEFT_OUT.format(", ".join(aliased))),) if aliased and question.each else ()


def _is_known(joint: FTest) -> bool:
    return not np.isnan(joint.statistic + joint.den_df)


def _told(joint: FTest) -> str:
    """The joint test in a line."""
    if not _is_known(joint):
        return Told(
            "joint-test", "Together: no test, because how the estimates vary together is not known well enough."
        )
    if np.isinf(joint.den_df):
        test = f"chi^2 = {joint.num_df * joint.statistic:.3f} on {joint.num_df}"
    else:
        test = f"F = {joint.statistic:.3f} on {joint.num_df} and {joint.den_df:.1f}"
    p = probability(joint.p)
    return Told(
        "joint-test",
        f"Together: {test} degrees of freedom, {f'p {p}' if p.startswith('<') else f'p = {p}' if p else 'no p'}.",
    )


def _formatted(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame as text, estimates at the decimals that the standard errors need."""
    digits = places(frame["se"].dropna())
    shown = {name: column(frame[name], FIXED.get(name, digits)) for name in frame.columns}
    if "p" in shown:
        shown["p"] = [probability(p) for p in frame["p"]]
    return pd.DataFrame(shown, index=frame.index)
