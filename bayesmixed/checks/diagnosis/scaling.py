"""Are the columns, and the levels, of a kind from which effects can be told apart?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...describe.description import doubtful_columns
from ...design.design import GroupTerm
from ...model import Model
from ..finding import NOTE, WARNING, Finding, listed

COLLINEAR, GROUPS, COLUMNS = "collinearity", "groups", "columns"
SCALING = "scaling"
INFLATED = 10.0  # variance inflation (per coefficient of a term) from which it is named
SHARE = 0.3  # of a column's variance in the direction of the smallest principal component
RATIO = 1e3  # of the sds of two columns
FEW = 5  # levels


def scaling(model: Model) -> tuple[Finding, ...]:
    """Findings on mistaken, near-collinear and badly scaled columns, and on grouping factors with little in them."""
    return (*_mistaken(model), *_aliased(model), *_collinear(model), *_scales(model), *_groups(model))


def _mistaken(model: Model) -> Iterator[Finding]:
    """Columns that may not be what they were taken for."""
    for one in doubtful_columns(model):
        severity = WARNING if one.sure else NOTE
        yield Finding(COLUMNS, one.what, "", one.remedy, severity, topic="mistaken-column")


def inflation(model: Model) -> dict[str, float]:
    """Generalized variance inflation of each term, per coefficient (Fox & Monette 1992, JASA 87, 178-183).

    det(R_t) det(R_rest) / det(R) to the power 1/df, R the correlations of the columns; for one column 1/(1 - R^2).
    """
    terms = {name: columns for name, columns in model.design.mu.terms.items() if name != "Intercept" and columns}
    X, position = _columns(model)
    if len(terms) < 2 or not X.shape[1]:
        return {}
    R = X.T @ X
    everything, found = _log_det(R), {}
    for name, columns in terms.items():
        own = [position[i] for i in columns]
        rest = np.setdiff1d(np.arange(len(R)), own)
        log = _log_det(R[np.ix_(own, own)]) + _log_det(R[np.ix_(rest, rest)]) - everything
        found[name] = float(np.exp(log / len(own)))
    return found


def _aliased(model: Model) -> Iterator[Finding]:
    aliased = model.design.mu.aliased
    if aliased:
        what = f"{listed(aliased)} dropped: other columns determine {'it' if len(aliased) == 1 else 'them'}"
        words = "The data cannot tell these effects from those of the columns before them."
        remedy = "leave the term out, or code the factors anew"
        yield Finding(COLLINEAR, what, words, remedy, WARNING, topic="dropped-columns")


def _collinear(model: Model) -> Iterator[Finding]:
    inflated = {name: value for name, value in inflation(model).items() if value > INFLATED}
    if not inflated:
        return
    names = listed([f"{name} ({value:.0f})" for name, value in inflated.items()])
    X, _ = _columns(model)
    condition = float(np.linalg.cond(X))
    what = f"nearly collinear: {listed(list(inflated))}"
    words = (
        f"Each of these can nearly be computed from the others, which multiplies the variance of its coefficient by "
        f"(variance inflation): {names}. The condition number of the scaled columns is {condition:.0f}. Predictions "
        "are not harmed; the single coefficients are poorly determined."
    )
    yield Finding(COLLINEAR, what, words, _uncollinear(model, list(inflated)), WARNING, topic="nearly-collinear")


def _uncollinear(model: Model, names: list[str]) -> str:
    inside = [part for name in names if ":" in name for part in name.split(":") if _is_covariate(model, part)]
    if inside:
        centred = listed([f"scale({name})" for name in dict.fromkeys(inside)])
        return f"centre what is in the interaction: write {centred} in the formula"
    powers = [name for name in names if any(other.startswith(f"I({name}^") for other in names)]
    if powers:
        return f"orthogonal polynomials instead of powers: poly({powers[0]}, 2)"
    return "leave one of them out, or combine them into one"


def _is_covariate(model: Model, name: str) -> bool:
    """Whether a term is one numeric column of more than two values."""
    columns = model.design.mu.terms.get(name, ())
    return len(columns) == 1 and len(np.unique(model.design.mu.X[:, columns[0]])) > 2


def _scales(model: Model) -> Iterator[Finding]:
    rows = np.flatnonzero(model.design.used)
    sds: dict[str, float] = {}
    X = model.design.mu.X[rows]
    for name, sd in zip(model.coefficients, np.std(X, axis=0), strict=True):
        sds[name] = float(sd)
    for term in model.design.mu.groups:
        for name, sd in zip(term.columns, np.std(term.Z[rows], axis=0), strict=True):
            sds.setdefault(name, float(sd))
    sds = {name: sd for name, sd in sds.items() if sd > 0}
    if not sds or max(sds.values()) < RATIO * min(sds.values()):
        return
    least, most = min(sds, key=lambda name: sds[name]), max(sds, key=lambda name: sds[name])
    odd = most if abs(np.log(sds[most])) > abs(np.log(sds[least])) else least
    what = f"very different scales: the sd of {most} is {sds[most]:.3g}, that of {least} {sds[least]:.3g}"
    words = (
        "The fit does not suffer, since columns are scaled internally; but coefficients of such different sizes are "
        "hard to read and to give priors, and other programs fail on them."
    )
    remedy = f"write scale({odd}) in the formula, or change its unit"
    yield Finding(SCALING, what, words, remedy, NOTE, topic="different-scales")


def _groups(model: Model) -> Iterator[Finding]:
    rows = np.flatnonzero(model.design.used)
    for term in {term.factor: term for term in model.design.mu.groups}.values():
        counts = np.bincount(term.codes[rows], minlength=term.n_levels)
        counts = counts[counts > 0]
        if len(counts) < FEW:
            what = f"{term.factor} has {len(counts)} levels"
            words = "So few levels say little about how levels vary: the sd is imprecise, and often estimated as 0."
            advice = f'make {term.factor} a fixed effect, or give the sd a prior: model.fit("nuts", seed=1)'
            yield Finding(GROUPS, what, words, advice, NOTE, topic="few-levels")
    for term, structure in zip(model.design.mu.groups, model.covariances, strict=True):
        if structure.absorbing or len(term.columns) == 1:
            yield from _effects(model, term, rows)


def _effects(model: Model, term: GroupTerm, rows: np.ndarray) -> Iterator[Finding]:
    counts = np.bincount(term.codes[rows], minlength=term.n_levels)
    counts, k = counts[counts > 0], len(term.columns)
    effects = k * len(counts)
    if np.all(counts == 1) and not model.two_valued and not model.linear:
        return  # an observation-level effect: overdispersion of counts
    if effects >= len(rows) and not (model.linear and "sigma" in model.constants):  # a known residual tells them
        what = f"{term.text} has {effects} effects for {len(rows)} rows"
        words = (
            "The rows cannot tell these effects from the residual: the sum of both variances is estimated, not each."
            if model.linear
            else "The effects can follow every row: expect variances or directions at zero, and estimates that "
            "depend on a few rows."
        )
        yield Finding(GROUPS, what, words, "leave out a column or the bar", WARNING, topic="as-many-effects-as-rows")
    elif k > 1 and np.mean(counts < k) > 0.5:
        few = int(np.sum(counts < k))
        what = f"{few} of {len(counts)} levels of {term.factor} have fewer rows than {term.text} has columns"
        words = "Such levels say nothing about slopes; the variances rest on the others."
        yield Finding(GROUPS, what, words, f"consider (1 | {term.factor})", NOTE, topic="few-rows-per-level")


def _columns(model: Model) -> tuple[np.ndarray, dict[int, int]]:
    """Columns but the intercept, centred where there is one, of unit length; and where each column of X is in it."""
    rows, mu = np.flatnonzero(model.design.used), model.design.mu
    chosen = [i for i, name in enumerate(mu.coefficients) if name != "Intercept"]
    X = mu.X[rows][:, chosen]
    if mu.has_intercept and len(chosen):
        X = X - X.mean(axis=0)
    lengths = np.linalg.norm(X, axis=0)
    return X / np.where(lengths > 0, lengths, 1.0), {i: where for where, i in enumerate(chosen)}


def _log_det(R: np.ndarray) -> float:
    return float(np.linalg.slogdet(R)[1]) if len(R) else 0.0
