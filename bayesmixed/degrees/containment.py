"""Containment: groups counted at the level within which a term is constant, as nlme does for nested factors."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..design.design import Design, Predictor
from ..errors import FitError
from ..messages import Told
from ..page import listed
from .reference import FTest, Reference, wald

if TYPE_CHECKING:
    from ..fits.point import PointFit


@dataclass(frozen=True)
class Contained(Reference):
    """t and F on `by_coefficient` (P,) degrees of freedom; a row of several terms has the fewest of theirs."""

    by_term = True

    root: np.ndarray
    words: str
    notes: tuple[str, ...]
    by_coefficient: np.ndarray
    names: tuple[str, ...]

    def df(self, rows: np.ndarray) -> np.ndarray:
        """See `Reference`.

        Raises
        ------
        FitError
            A row of a term that has no degrees of freedom left.
        """
        used = np.any(rows != 0, axis=0)
        none = used & (self.by_coefficient <= 0)
        if none.any():
            raise FitError(
                f"Counting groups leaves no degrees of freedom for {self.names[int(np.argmax(none))]}: as many "
                'coefficients as groups vary there. Use ddf="satterthwaite".',
                topic="degrees-of-freedom",
            )
        return np.min(np.where(rows != 0, self.by_coefficient, np.inf), axis=1, initial=np.inf)

    def test(self, rows: np.ndarray, values: np.ndarray) -> FTest:
        statistic, rank = wald(rows @ self.root, values)
        return FTest(statistic / rank, rank, float(np.min(self.df(rows), initial=np.inf)))


def reference(fit: PointFit) -> Contained:
    """nlme's rule (Pinheiro & Bates 2000, section 2.4.2), the intercept with the most degrees of freedom of all.

    Levels i = 1..Q from the outermost factor in, of m_i groups, and the rows m_Q+1. A term belongs to the outermost
    level within whose groups it is constant, to the rows if to none; a level has m_i - m_i-1 less the number of its
    coefficients, the first one less (m_0 = 1) for the intercept. Without an intercept all levels have one more, again
    as nlme. Standard errors of ML fits grow by (n / (n - p))^1/2.

    Raises
    ------
    FitError
        Generalized models; factors that are crossed.
    """
    return contained(fit, "containment", outermost=False)


def contained(fit: PointFit, method: str, *, outermost: bool) -> Contained:
    """By groups counted, the intercept at the first level (`outermost`) or with the most degrees of freedom."""
    model = fit.model
    if not model.linear:
        raise FitError(f'ddf="{method}" is for linear mixed models. Use ddf="asymptotic".', topic="degrees-of-freedom")
    used = model.design.used
    levels = _nested({term.factor: term.codes[used] for term in model.design.groups}, method)
    counted = _by_column(model.design.mu, used, levels, outermost)
    df, place = np.full(len(fit.coefficient_root), np.inf), model.design.places["mu"]
    df[place] = counted
    n, p, root = fit.n_obs, len(fit.beta), fit.coefficient_root
    notes: tuple[str, ...] = ()
    if not fit.engine.restricted and "sigma" not in model.constants:
        root = root.copy()
        root[place] *= np.sqrt(n / (n - p))
        notes = (
            Told(
                "standard-errors",
                f"Standard errors: of the ML fit times sqrt(n / (n - p)), n = {n}, p = {p}, as nlme prints them.",
            ),
        )
    notes = (*notes, *_unseen(model.design))
    return Contained(root, f"t with {method} degrees of freedom", notes, df, model.design.coefficients)


def _unseen(design: Design) -> tuple[str, ...]:
    """Of terms whose effects vary between groups, which are counted as if they did not."""
    varying = {name for term in design.groups for name in term.columns}
    X, everywhere = design.mu.X[design.used], np.zeros(int(np.sum(design.used)), dtype=int)
    names = [
        name
        for name, columns in design.mu.terms.items()
        if varying & {design.mu.names[j] for j in columns} and not _constant(X[:, list(columns)], everywhere)
    ]
    if not names:
        return ()
    what = f"the effect of {names[0]} does" if len(names) == 1 else f"the effects of {listed(names)} do"
    return (
        Told(
            "degrees-in-doubt",
            f"Counted as if effects did not vary between groups, though {what}; Satterthwaite's see that.",
        ),
    )


def _nested(factors: Mapping[str, np.ndarray], method: str) -> list[np.ndarray]:
    """Codes of each factor from the outermost in."""
    found = {name: np.unique(codes, return_inverse=True)[1] for name, codes in factors.items()}
    order = sorted(found, key=lambda name: int(found[name].max(initial=-1)))
    for outer, inner in itertools.pairwise(order):
        pairs = np.unique(np.stack([found[inner], found[outer]]), axis=1).shape[1]
        if pairs > found[inner].max(initial=-1) + 1:
            raise FitError(
                f'ddf="{method}" counts groups of nested factors, and {inner} and {outer} are crossed. '
                'Use ddf="satterthwaite".',
                topic="degrees-of-freedom",
            )
    return [found[name] for name in order]


def _by_column(mu: Predictor, used: np.ndarray, levels: Sequence[np.ndarray], outermost: bool) -> np.ndarray:
    """Degrees of freedom (p,) of the coefficients of a predictor, from the `used` rows."""
    X, q = mu.X[used], len(levels)
    groups = np.array([1, *(int(codes.max(initial=-1)) + 1 for codes in levels), len(X)])
    within = [np.zeros(len(X), dtype=int), *levels]
    places = np.zeros(X.shape[1], dtype=int)  # 0 of what is constant in all rows, then the level, q + 1 of the rows
    for columns in mu.terms.values():
        part = X[:, list(columns)]
        places[list(columns)] = next((i for i, codes in enumerate(within) if _constant(part, codes)), q + 1)
    df = np.diff(groups) - np.bincount(places, minlength=q + 2)[1:]
    intercept = np.any(places == 0)
    if not intercept:
        df = df + 1
    return np.where(places > 0, df[np.maximum(places - 1, 0)], df[0] if outermost else np.max(df)).astype(float)


def _constant(columns: np.ndarray, codes: np.ndarray) -> bool:
    """Whether all columns (n, p) have one value in each group."""
    first = np.zeros(int(codes.max(initial=-1)) + 1, dtype=int)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return bool(np.all(columns == columns[first[codes]]))
