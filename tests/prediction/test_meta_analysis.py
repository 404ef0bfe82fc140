"""Known standard errors: weights 1/s^2 and sigma held at 1 are a meta-analysis, by a dense likelihood and metafor."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar

import bayesmixed as bm
from bayesmixed.errors import DataError, ModelError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "meta-analysis.md"
OPTIMUM = 1e-5  # of tau^2, relative: two optimisers
DIGITS = 5e-5  # four decimals, as metafor's documentation of dat.bcg prints them


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    """What the page's code leaves behind; its output is what the page shows."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    scope: dict[str, Any] = {}
    for (_, code), (_, shown) in zip(blocks[::2], blocks[1::2], strict=True):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, str(PAGE), "exec"), scope)
        assert [line.rstrip() for line in printed.getvalue().splitlines()] == shown.splitlines()
    return scope


def test_the_estimates_are_those_of_the_dense_likelihood_and_of_metafor(page: dict[str, Any]) -> None:
    """rma(y, sei = s): tau^2 0.3132, mu -0.7145 (0.1798), I^2 92.22 %, Q 152.2330."""
    y, v = page["bcg"]["y"].to_numpy(), page["bcg"]["s"].to_numpy() ** 2

    def criterion(tau2: float) -> float:
        w = 1 / (v + tau2)
        mu = np.sum(w * y) / np.sum(w)
        return float(np.sum(np.log(v + tau2)) + np.log(np.sum(w)) + np.sum(w * (y - mu) ** 2))

    best = minimize_scalar(criterion, bounds=(1e-3, 3), method="bounded", options={"xatol": 1e-10}).x
    assert page["tau2"] == pytest.approx(best, rel=OPTIMUM)
    assert page["tau2"] == pytest.approx(0.3132, abs=DIGITS)
    assert page["fit"].fixef()["Intercept"] == pytest.approx(-0.7145, abs=DIGITS)
    assert page["Q"] == pytest.approx(152.2330, abs=DIGITS)


def test_nothing_is_said_to_be_confounded_where_sigma_is_known(page: dict[str, Any]) -> None:
    assert bm.diagnose(page["fit"]).findings == () and page["fit"].status.problems == ()
    assert "sigma = 1 held fixed" in str(page["model"])
    loose = bm.Model("y ~ 1 + (1 | trial)", page["bcg"], check="warn")
    with pytest.warns(bm.errors.BayesMixedWarning, match="not separately identified"):
        assert loose.fit("reml").status.problems[0].startswith("Not identified: (1 | trial)")


def test_effects_within_studies_have_a_level_per_row_too() -> None:
    rng = np.random.default_rng(5)
    study = np.repeat(np.arange(12), 3)
    table = pd.DataFrame({"study": study, "row": np.arange(36), "s": rng.uniform(0.1, 0.4, 36)})
    table["y"] = 0.3 + 0.4 * rng.normal(size=12)[study] + 0.2 * rng.normal(size=36) + table["s"] * rng.normal(size=36)
    fit: Any = bm.Model("y ~ 1 + (1 | study/row)", table, weights="1/s^2", constants={"sigma": 1}).fit("reml")
    assert fit.status.converged and bm.diagnose(fit).findings == ()
    v, group = table["s"].to_numpy() ** 2, study[:, None] == study
    outer, inner = (fit.varcorr().query("group != 'Residual'").set_index("group")["sd"] ** 2)[["study", "study:row"]]
    V = np.diag(v + inner) + outer * group
    ones, y = np.ones(36), table["y"].to_numpy()
    W = np.linalg.inv(V)
    mu = (ones @ W @ y) / (ones @ W @ ones)
    dense = -0.5 * (
        35 * np.log(2 * np.pi) + np.linalg.slogdet(V)[1] + np.log(ones @ W @ ones) + (y - mu) @ W @ (y - mu)
    )
    assert fit.loglik == pytest.approx(dense, abs=1e-8)  # of 36 rows, rounding


@pytest.mark.parametrize(
    ("left", "weights"), [("y | se(s)", "1/s^2"), ("y | se(sqrt(v))", "1/(sqrt(v))^2"), ("y | resp_se(s)", "1/s^2")]
)
def test_known_errors_in_brms_notation_are_answered_with_what_to_type(left: str, weights: str) -> None:
    table = pd.DataFrame({"y": [0.1, 0.4, 0.2], "s": 0.1, "v": 0.01, "g": [1, 2, 3]})
    answer = f'weights="{weights}", constants={{"sigma": 1}}'
    with pytest.raises(DataError, match=re.escape(answer)):
        bm.Model(f"{left} ~ 1 + (1 | g)", table)
    assert bm.Model("y ~ 1 + (1 | g)", table, weights=weights, constants={"sigma": 1}).design.weights is not None


def test_without_a_known_sigma_the_bar_is_refused(page: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="cannot be told from the residual"):
        bm.Model("y ~ 1 + (1 | trial)", page["bcg"], weights="1/s^2").fit("reml")
