"""Several fits compared by their likelihoods, the smallest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...fits.point import PointFit
from ...messages import Told, retold
from ...page import Page, Printed, Section, column, listed, probability
from .comparable import refuse_different_data
from .nested import same_contrasts
from .ratio import RatioTest, laws_in_words, ratio_test
from .refits import by_ml
from .rows import changed_columns, common_order

COLUMNS = ["parameters", "aic", "bic", "loglik", "chisq", "df", "p"]
SHOWN = {"parameters": "parameters", "aic": "AIC", "bic": "BIC", "loglik": "logLik", "chisq": "chisq", "df": "df"}


@dataclass(frozen=True, eq=False, repr=False)
class ModelComparison(Printed):
    """What `anova` of several fits returns. Printing gives a page; notebooks get HTML.

    Attributes
    ----------
    frame
        One row per model, the smallest first: parameters, aic, bic, loglik, and of the test against the row before it
        chisq, df, p.
    tests
        The p-values of each test side by side: `naive` of the chi-squared with all parameters, `p` as in `frame`, of
        the even mixture where one sd is at its bound, `exact` of the exact law where there is one; `upper_bound`
        whether p is only that.
    fits
        The fits as compared: those given, or what was fitted in their place.
    notes
        What was refitted, which laws p-values are of, what is doubtful.
    """

    frame: pd.DataFrame
    tests: pd.DataFrame
    fits: tuple[PointFit, ...]
    title: str
    notes: tuple[str, ...]

    @property
    def page(self) -> Page:
        """The page that is printed."""
        short = [f"({i + 1})" for i in range(len(self.frame))]
        models = tuple(f"{number} {name}" for number, name in zip(short, self.frame.index, strict=True))
        shown = pd.DataFrame(index=short)
        for name, heading in SHOWN.items():
            values = self.frame[name]
            whole = name in ("parameters", "df")
            shown[heading] = (
                ["" if pd.isna(v) else f"{v:.0f}" for v in values] if whole else column(values, _digits(name))
            )
        for name, heading in shown_p(self.tests).items():
            shown[heading] = [probability(p) for p in self.tests[name]]
        return Page((Section(self.title, None, models), Section("", shown, self.notes)))


def _digits(name: str) -> int:
    return 3 if name == "chisq" else 2


def shown_p(tests: pd.DataFrame) -> dict[str, str]:
    """The p-values that a page shows, and their headings: the naive one where it is another than p."""
    found = {"p": "p"}
    known = tests.dropna(subset=["p"])
    if (known["naive"] != known["p"]).any():
        found["naive"] = "naive p"
    if known["exact"].notna().any():
        found["exact"] = "exact p"
    return found


def p_values(tests: Sequence[RatioTest | None], index: Sequence[str]) -> pd.DataFrame:
    """The p-values of tests side by side; a row without test is blank."""
    rows = [
        {"p": np.nan, "naive": np.nan, "exact": np.nan, "upper_bound": False}
        if test is None
        else {
            "p": test.p,
            "naive": test.naive,
            "exact": test.exact,
            "upper_bound": test.law is not None and not test.law.exact,
        }
        for test in tests
    ]
    return pd.DataFrame(rows, index=list(index))


def compare(fits: Sequence[PointFit], names: Sequence[str], seed: int | None) -> ModelComparison:
    """Compare point fits of the same data; `names` are one for each.

    REML fits whose fixed parts span the same columns are compared by REML, all others by ML.
    """
    refuse_different_data(fits, names)
    restricted = all(fit.engine.restricted for fit in fits) and all(
        same_contrasts(fits[0].model, fit.model) for fit in fits[1:]
    )
    compared = list(fits) if restricted else [by_ml(fit) for fit in fits]
    volumes = [_log_volume(fits[0], fit) if restricted else 0.0 for fit in fits]
    keys = [(one.n_parameters, one.loglik + v, name) for one, v, name in zip(compared, volumes, names, strict=True)]
    order = sorted(range(len(fits)), key=lambda i: keys[i])
    ordered, labels = [compared[i] for i in order], [names[i] for i in order]
    shifts = [volumes[i] - volumes[order[0]] for i in order]
    tests: list[RatioTest | None] = [None]
    for i in range(1, len(order)):
        pair = (_number(i - 1), _number(i))
        test = ratio_test(ordered[i - 1], ordered[i], pair, shifts[i] - shifts[i - 1], seed)
        ordered[i] = test.large
        tests.append(test)
    notes = (
        *_of_the_tables(ordered),
        *_of_the_criterion(fits, restricted, shifts),
        *_of_tests(tests),
        *_of_fits(ordered),
    )
    title = f"Likelihood-ratio tests, each model against the one before it ({'REML' if restricted else 'ML'}):"
    return ModelComparison(
        _frame(ordered, labels, shifts, tests), p_values(tests, labels), tuple(ordered), title, notes
    )


def _number(i: int) -> str:
    return f"({i + 1})"


def _frame(
    fits: Sequence[PointFit], names: Sequence[str], shifts: Sequence[float], tests: Sequence[RatioTest | None]
) -> pd.DataFrame:
    rows = []
    for fit, shift, test in zip(fits, shifts, tests, strict=True):
        tested = test is not None and test.law is not None
        rows.append(
            {
                "parameters": fit.n_parameters,
                "aic": fit.aic - 2 * shift,
                "bic": fit.bic - 2 * shift,
                "loglik": fit.loglik + shift,
                "chisq": test.ratio if tested and test is not None else np.nan,
                "df": float(test.df) if tested and test is not None else np.nan,
                "p": np.nan if test is None else test.p,
            }
        )
    return pd.DataFrame(rows, index=list(names), columns=COLUMNS)


def _log_volume(first: PointFit, fit: PointFit) -> float:
    """log det of R in X = QR: what the REML log-likelihood lacks of one that no coding of X changes."""
    rows = common_order(first.model, fit.model)
    X, own = first.model.design.mu.X, fit.model.design.mu.X
    if rows is None:
        rows = np.flatnonzero(first.model.design.used), np.flatnonzero(fit.model.design.used)
    same = X.shape == own.shape and np.array_equal(X[rows[0]], own[rows[1]])
    R: np.ndarray = np.linalg.qr(X[rows[0]] if same else own[rows[1]], mode="r")  # type: ignore[assignment]
    return float(np.sum(np.log(np.abs(np.diag(R)))))


def _of_the_tables(fits: Sequence[PointFit]) -> list[str]:
    changed = {name: None for fit in fits[1:] for name in changed_columns(fits[0].model, fit.model)}
    if not changed:
        return []
    return [
        Told(
            "different-data",
            f"The tables differ in {listed(list(changed))}: see that their rows are of the same cases, in one order.",
        )
    ]


def _of_the_criterion(fits: Sequence[PointFit], restricted: bool, shifts: Sequence[float]) -> list[str]:
    notes: list[str] = []
    reml = [fit.engine.restricted for fit in fits]
    if all(reml) and not restricted:
        notes.append(
            Told(
                "refitted",
                "Fitted by REML; refitted by ML, because REML criteria of different fixed parts do not compare.",
            )
        )
    elif any(reml) and not restricted:
        notes.append(Told("refitted", "Those fitted by REML were refitted by ML, because REML and ML do not compare."))
    if restricted and any(shift != 0 for shift in shifts):
        notes.append(
            Told(
                "refitted",
                "The fixed parts span the same columns in different codings: REML log-likelihoods are of the coding "
                "of (1).",
            )
        )
    if any(fit.engine.quadrature == 0 and not fit.model.linear for fit in fits):
        notes.append(
            Told(
                "not-comparable",
                "quadrature=0 does not maximise the likelihood in the fixed effects: likelihood ratios are rough. "
                'Fit by model.fit("ml").',
            )
        )
    return notes


def _of_tests(tests: Sequence[RatioTest | None]) -> list[str]:
    named = {_number(i): test for i, test in enumerate(tests) if test is not None}
    return [*(note for test in named.values() for note in test.notes), *laws_in_words(named)]


def _of_fits(fits: Sequence[PointFit]) -> list[str]:
    doubts = [[retold(doubt, f"{_number(i)}: {doubt}") for doubt in fit.status.doubts] for i, fit in enumerate(fits)]
    return [line for lines in doubts for line in lines]
