"""Do predictors determine some responses perfectly, so that coefficients run to infinity?

Separation (Albert & Anderson 1984, Biometrika 71, 1-10) is a question about a linear program (Konis 2007, Linear
programming algorithms for detecting separated data in binary logistic regression models, Oxford): is there a
direction of the coefficients along which no row's likelihood falls and some row's rises without bound?
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from ...likelihood.foretold import TOLERANCE, independent, signs
from ...model import Model
from ...priors.default import column_spreads
from ..finding import SERIOUS, WARNING, Finding, combination, listed

CHECK = "separation"
LARGEST = 20_000_000  # elements of the linear program beyond which it is not tried
CONSTANT_SHARE = 0.9  # of the levels with one and the same response from which their sd is in doubt
MOST_NAMED = 4  # coefficients up to which the remedy names each


@dataclass(frozen=True)
class Separation:
    """A direction (p,) of the coefficients along which the likelihood rises for ever.

    Its largest element, times the spread of its column, is 1; `rows` (n,) says which rows it settles, `complete`
    whether all; `term` names the one term that suffices, with the `direction` of it alone, or is None.
    """

    names: tuple[str, ...]
    direction: np.ndarray
    rows: np.ndarray
    complete: bool
    term: str | None


def separated(model: Model) -> Separation | None:
    """The separating direction of a model's fixed effects, preferring one of a single term; None without one."""
    rows = np.flatnonzero(model.design.used)
    found, X = signs(model.design, model.family, rows), model.design.mu.X[rows]
    if found is None or not X.shape[1] or X.size > LARGEST:
        return None
    whole = _direction(X, found)
    if whole is None:
        return None
    settled = found * (X @ whole) > TOLERANCE
    names = model.coefficients
    infinite = tuple(name for name, value in zip(names, whole, strict=True) if value)
    for term, columns in _terms(model):
        alone = _direction(X[:, columns], found)
        if alone is not None:
            direction = np.zeros(X.shape[1])
            direction[columns] = alone
            return Separation(infinite, direction, found * (X @ direction) > TOLERANCE, bool(settled.all()), term)
    return Separation(infinite, whole, settled, bool(settled.all()), None)


def separation(model: Model, found: Separation | None, explained: Sequence[str] = ()) -> tuple[Finding, ...]:
    """Findings: separation by the fixed effects, and levels without variation of grouping factors not `explained`."""
    fixed = [] if found is None else [_fixed(model, found)]
    return (*fixed, *_constant_levels(model, explained))


def prior_names(model: Model, found: Separation) -> dict[str, float]:
    """Coefficients that need a prior, and the sd of a weakly informative one: 2.5 per unit column (Gelman 2008)."""
    spreads = dict(
        zip(model.coefficients, column_spreads(model.design.mu.X[np.flatnonzero(model.design.used)]), strict=True)
    )
    chosen = [name for name in found.names if name != "Intercept"] or list(found.names)
    return {name: float(f"{2.5 / spreads[name]:.3g}") for name in chosen}


def _fixed(model: Model, found: Separation) -> Finding:
    kind = "complete" if found.complete else "quasi-complete"
    slopes = [name for name, value in _slopes(model, found) if value]
    subject = found.term if found.term is not None else f"{listed(slopes)} together"
    goes = [f"that of {name} to {'+' if value > 0 else '-'}infinity" for name, value in _slopes(model, found) if value]
    what = f"{kind} separation by {subject}"
    words = (
        f"{_described(model, found)} The likelihood rises without bound as coefficients diverge, {listed(goes)}: "
        "there is no estimate. What the fit prints, large numbers with useless standard errors, is where the search "
        "gave up."
    )
    return Finding(CHECK, what, words, remedy(model, prior_names(model, found)), SERIOUS, topic="separation")


def remedy(model: Model, priors: dict[str, float]) -> str:
    """The calls that give a finite answer."""
    sizes = set(priors.values())
    if len(priors) > MOST_NAMED and len(sizes) == 1:
        priors = {"b": sizes.pop()}
    inside = ", ".join(f'"{name}": bm.priors.Normal(0, {sd:g})' for name, sd in priors.items())
    inside += ', "covariance": "boundary_avoiding"' if model.design.mu.groups else ""
    return (
        f"weak priors make it finite: model.fit(bm.MAP(priors={{{inside}}})), "
        'or the posterior under the default priors: model.fit("nuts", seed=1)'
    )


def _slopes(model: Model, found: Separation) -> Iterator[tuple[str, float]]:
    """The coefficients with their direction; the intercept, which moves with them, only where it stands alone."""
    values = dict(zip(model.coefficients, found.direction, strict=True))
    alone = all(name == "Intercept" for name, value in values.items() if value)
    yield from ((name, value) for name, value in values.items() if name != "Intercept" or alone)


def _described(model: Model, found: Separation) -> str:
    """Which rows are settled, in terms of the columns."""
    rows = np.flatnonzero(model.design.used)
    X, sign = model.design.mu.X[rows], signs(model.design, model.family, rows)
    assert sign is not None
    used = [i for i, value in enumerate(found.direction) if value and model.coefficients[i] != "Intercept"]
    if len(used) == 1:
        where = _one_column(model, X[:, used[0]], found.rows, model.coefficients[used[0]], sign)
    else:
        where = _cell(model, X[:, used], found.rows, [model.coefficients[i] for i in used], sign)
    if where is not None:
        return where
    count = f"all {len(rows)} rows" if found.complete else f"{int(found.rows.sum())} of {len(rows)} rows"
    slopes = list(_slopes(model, found))
    rule = combination([value for _, value in slopes], [name for name, _ in slopes])
    return f"The combination {rule} predicts {count} without error."


def _are(model: Model, sign: float, one: bool = False) -> str:
    """What all rows of a sign are."""
    if not model.family.binary:
        return "has a count of 0" if one else "have a count of 0"
    word = "success" if sign > 0 else "failure"
    return f"is a {word}" if one else f"are {word}{'es' if sign > 0 else 's'}"


def _one_column(model: Model, x: np.ndarray, rows: np.ndarray, name: str, sign: np.ndarray) -> str | None:
    """The rows as those on one or either side of a value of a column."""
    high, low = x[rows & (sign > 0)], x[rows & (sign < 0)]
    if len(high) and len(low):
        rising = low.max() < high.min()
        lower, upper = (low, high) if rising else (high, low)
        first, second = _are(model, -1 if rising else 1, True), _are(model, 1 if rising else -1, True)
        return (
            f"Every row with {name} up to {lower.max():.4g} {first}, every row with {name} from {upper.min():.4g} on "
            f"{second}."
        )
    inside, outside, outcome = x[rows], x[~rows], _are(model, 1 if len(high) else -1)
    if len(np.unique(x)) <= 2 and np.ptp(inside) == 0:
        return f"All {len(inside)} rows where {name} is {inside[0]:g} {outcome}."
    if len(outside) and inside.min() > outside.max():
        return f"All {len(inside)} rows with {name} above {outside.max():.4g} {outcome}."
    if len(outside) and inside.max() < outside.min():
        return f"All {len(inside)} rows with {name} below {outside.min():.4g} {outcome}."
    return None


def _cell(model: Model, X: np.ndarray, rows: np.ndarray, names: Sequence[str], sign: np.ndarray) -> str | None:
    """The rows as a cell of indicator columns: those where some are 1 and the others 0."""
    inside = X[rows]
    indicators = np.all((X == 0) | (X == 1)) and not np.any(np.ptp(inside, axis=0))
    if not indicators or np.sum(np.all(X == inside[0], axis=1)) != len(inside):
        return None
    ones = [name for name, value in zip(names, inside[0], strict=True) if value]
    where = f"{ones[0]} is 1" if len(ones) == 1 else f"{listed(ones or names)} are {int(bool(ones))}"
    return f"All {len(inside)} rows where {where} {_are(model, sign[rows][0])}."


def _terms(model: Model) -> Iterator[tuple[str, list[int]]]:
    """Each term with its columns and the intercept's, small ones first; interactions with the terms they contain."""
    terms = model.design.mu.terms
    names = [name for name in terms if name != "Intercept"]
    for name in sorted(names, key=lambda name: name.count(":")):
        parts = set(name.split(":"))
        inside = [other for other in terms if other == "Intercept" or set(other.split(":")) <= parts]
        yield name, sorted(i for other in inside for i in terms[other])


def _direction(X: np.ndarray, sign: np.ndarray) -> np.ndarray | None:
    """beta (p,) in a box with s x'beta >= 0 where s is not 0 and x'beta = 0 elsewhere, None where only 0 is such.

    The largest margin s x'beta >= t > 0 where there is one (complete separation), else the largest sum of s x'beta.
    """
    scale = np.max(np.abs(X), axis=0)
    scale[scale == 0] = 1.0
    cells, counts = np.unique(np.column_stack([sign, X / scale]), axis=0, return_counts=True)
    s, U = cells[:, 0], cells[:, 1:]
    signed = s[s != 0, None] * U[s != 0]
    beta = None if np.any(s == 0) else _widest(signed)
    if beta is None:
        beta = _farthest(signed, counts[s != 0], independent(U[s == 0]))
    if beta is None:
        return None
    beta = np.where(np.abs(beta) > 10 * TOLERANCE, beta, 0.0) / scale
    return beta / np.max(np.abs(beta * column_spreads(X)))


def _widest(signed: np.ndarray) -> np.ndarray | None:
    """The beta of the widest margin t: signed beta >= t for every row."""
    m, p = signed.shape
    objective = np.append(np.zeros(p), -1.0)
    bounds = [*[(-1.0, 1.0)] * p, (0.0, None)]
    result = linprog(objective, A_ub=np.column_stack([-signed, np.ones(m)]), b_ub=np.zeros(m), bounds=bounds)
    return result.x[:-1] if result.x is not None and result.x[-1] > TOLERANCE else None


def _farthest(signed: np.ndarray, counts: np.ndarray, mixed: np.ndarray) -> np.ndarray | None:
    """The beta that moves the rows farthest in sum, none of them backwards."""
    still = mixed if len(mixed) else np.zeros((1, signed.shape[1]))
    zeros = np.zeros(len(signed)), np.zeros(len(still))
    result = linprog(-(counts @ signed), A_ub=-signed, b_ub=zeros[0], A_eq=still, b_eq=zeros[1], bounds=(-1, 1))
    return result.x if result.x is not None and counts @ signed @ result.x > TOLERANCE * counts.sum() else None


def _constant_levels(model: Model, explained: Sequence[str]) -> Iterator[Finding]:
    """Grouping factors nearly all of whose levels have one response throughout: their sd may have no maximum."""
    rows = np.flatnonzero(model.design.used)
    sign = signs(model.design, model.family, rows)
    if sign is None or not model.family.binary:
        return
    for factor, term in {term.factor: term for term in model.design.mu.groups}.items():
        if factor in explained:
            continue
        codes = term.codes[rows]
        sums, counts = np.bincount(codes, sign, term.n_levels), np.bincount(codes, minlength=term.n_levels)
        seen = counts > 0
        constant = int(np.sum(np.abs(sums[seen]) == counts[seen]))
        if constant > CONSTANT_SHARE * seen.sum() and np.mean(counts[seen]) >= 2:
            what = f"{constant} of {int(seen.sum())} levels of {factor} have the same response in every row"
            words = (
                f"Nothing limits how far such a level lies from the others: the sd of {term.text} may have no "
                "maximum, and Laplace's approximation is poor there."
            )
            advice = 'model.fit(bm.MAP(priors="model")) or model.fit("nuts", seed=1)'
            yield Finding(CHECK, what, words, advice, WARNING, topic="constant-levels")
