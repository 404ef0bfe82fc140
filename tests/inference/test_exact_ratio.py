"""The exact law of the likelihood ratio of one variance: its formula, its identities, its reproducibility."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import load_reference_frame
from scipy.stats import f as F

import bayesmixed as bm
from bayesmixed.inference.lrt.exact import VALUES, simulated, spectrum

GRID = 5e-4  # relative, of a supremum between the points of a grid
NOISE = 4  # standard errors of a simulated share


def pair(weights: Any = None) -> tuple[Any, Any]:
    """An unbalanced part of sleepstudy, without and with a random intercept."""
    table = load_reference_frame("sleepstudy").sample(150, random_state=3)
    formulas = ("Reaction ~ Days", "Reaction ~ Days + (1 | Subject)")
    return tuple(bm.Model(formula, table, weights=weights) for formula in formulas)  # type: ignore[return-value]


@pytest.mark.parametrize("method", ["ml", "reml"])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_supremum_over_the_spectrum_is_the_ratio_of_the_fits(method: str, weighted: bool) -> None:
    """Of any response: with its squares in the eigenspaces of Z'MZ in the place of simulated ones."""
    rng = np.random.default_rng(2)
    w = rng.uniform(0.5, 3, 150) if weighted else np.ones(150)
    small, large = pair(w if weighted else None)
    (term,) = large.design.groups
    y = rng.normal(size=150) / np.sqrt(w) + 0.5 * rng.normal(size=18)[term.codes]
    fits = [model.with_response(y).fit(method) for model in (small, large)]
    found = spectrum(large, method == "reml")
    assert found is not None

    X, Z = np.sqrt(w)[:, None] * large.design.mu.X, np.sqrt(w)[:, None] * np.eye(18)[term.codes]
    M = np.eye(150) - X @ np.linalg.pinv(X)
    values, vectors = np.linalg.eigh(M @ Z @ Z.T @ M)
    scores = (vectors.T @ M @ (np.sqrt(w) * y)) ** 2
    squares = np.array([np.sum(scores[np.isclose(values, mu, rtol=1e-6)]) for mu in found.mu])
    total = float(np.sum((M @ (np.sqrt(w) * y)) ** 2))
    ratio = found.suprema(squares[None], np.array([total - squares.sum()]))[0]
    assert ratio == pytest.approx(2 * (fits[1].loglik - fits[0].loglik), rel=GRID)
    assert found.times.sum() == np.sum(values > 1e-8 * values.max())


def test_in_a_balanced_layout_it_is_the_f_test() -> None:
    """The restricted ratio of a balanced one-way layout rises with F where F > 1, and is 0 elsewhere."""
    table = load_reference_frame("Dyestuff")
    small, large = (bm.Model(f"Yield ~ 1{bar}", table).fit("reml") for bar in ("", " + (1 | Batch)"))
    groups = [part.to_numpy() for _, part in table.groupby("Batch", observed=True)["Yield"]]
    between = 5 * np.var([part.mean() for part in groups], ddof=1)
    expected = F.sf(between / np.mean([part.var(ddof=1) for part in groups]), 5, 24)
    found = bm.anova(small, large)
    assert found.tests["exact"].iloc[1] == pytest.approx(expected, abs=NOISE * np.sqrt(expected / VALUES))
    values = simulated(spectrum(large.model, True), 3)  # type: ignore[arg-type]
    none = F.cdf(1, 5, 24)
    assert np.mean(values < 1e-6) == pytest.approx(none, abs=NOISE * np.sqrt(none * (1 - none) / VALUES))
    assert "exact p" in str(found)


def test_the_same_seed_gives_the_same_p() -> None:
    table = load_reference_frame("Dyestuff")
    fits = [bm.Model(f"Yield ~ 1{bar}", table).fit("reml") for bar in ("", " + (1 | Batch)")]
    first, again, other = (bm.anova(*fits, seed=seed).tests["exact"].iloc[1] for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize(
    ("small", "large"),
    [
        ("diameter ~ 1 + (1 | sample)", "diameter ~ 1 + (1 | plate) + (1 | sample)"),  # another variance is free
        ("diameter ~ 1", "diameter ~ 1 + (1 | plate) + (1 | sample)"),
    ],
)
def test_there_is_none_beside_other_variances(small: str, large: str) -> None:
    table = load_reference_frame("Penicillin")
    found = bm.anova(*(bm.Model(formula, table).fit("reml") for formula in (small, large)))
    assert found.tests["exact"].isna().all()


def test_a_model_without_fixed_effects_has_one_too() -> None:
    table = load_reference_frame("Dyestuff").assign(Yield=lambda d: d["Yield"] - 1527.5)
    fits = [bm.Model(f"Yield ~ {right}", table).fit("ml") for right in ("0", "0 + (1 | Batch)")]
    assert 0 < bm.anova(*fits).tests["exact"].iloc[1] < 0.05


def test_many_levels_of_few_sizes_need_no_large_matrix() -> None:
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(3000), rng.integers(2, 5, 3000))
    table = pd.DataFrame({"y": rng.normal(size=len(g)), "x": rng.normal(size=len(g)), "g": g})
    model = bm.Model("y ~ x + (1 | g)", table)
    found = spectrum(model, True)
    assert found is not None
    assert found.times.sum() == 3000 - 1  # the constant is in both
    assert np.sum(found.mu * found.times) == pytest.approx(len(g) - np.sum(_captured(model)), rel=1e-8)


def _captured(model: Any) -> Any:
    """tr(Z'QQ'Z): what X takes of the columns of Z."""
    (term,) = model.design.groups
    Q = np.linalg.qr(model.design.mu.X)[0]
    return [np.bincount(term.codes, q) ** 2 for q in Q.T]
