"""Names in any script are drawn by fonts that are installed, or told once; matplotlib's settings stay as they are."""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bayesmixed as bm

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")
plt: Any = pytest.importorskip("matplotlib.pyplot")

from bayesmixed.plots.drawing import fonts  # noqa: E402

UNASSIGNED = "\N{OLD PERSIAN SIGN A}\N{OLD PERSIAN SIGN I}"  # in no font that systems bring


def fit(names: list[str]) -> Any:
    random = np.random.default_rng(1)
    table = pd.DataFrame({"g": np.repeat(names, 10), "x": np.tile(np.arange(10.0), len(names))})
    table["y"] = random.normal(size=len(table)) + np.repeat(random.normal(size=len(names)), 10)
    return bm.Model("y ~ x + (1 | g)", table).fit("reml")


def japanese() -> bool:
    return any("CJK JP" in path for path in fonts.families(["sans-serif"])) or bool(fonts._others(frozenset("験")))


def labels(picture: Any) -> list[Any]:
    return [label for ax in picture.axes for label in ax.get_yticklabels() if label.get_text()]


@pytest.mark.parametrize("given", [False, True])
def test_japanese_names_are_drawn_without_a_warning_and_settings_stay(given: bool) -> None:
    if not japanese():
        pytest.skip("no installed font has Japanese letters")
    model, before = fit(["田中太郎", "鈴木花子", "佐藤一郎", "Ann"]), dict(matplotlib.rcParams)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = bm.plot.caterpillar(model, ax=plt.subplots()[1] if given else None)
        picture.figure.savefig(BytesIO())
        bm.plot.shrinkage(model).figure.savefig(BytesIO())
    assert {label.get_text() for label in labels(picture)} >= {"田中太郎", "Ann"}
    assert dict(matplotlib.rcParams) == before


def test_letters_that_no_font_has_are_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_others", lambda needed: ())
    monkeypatch.setattr(fonts, "_codes", lambda family: frozenset(range(128)))
    model = fit([f"{UNASSIGNED} {i}" for i in range(5)])
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        picture = bm.plot.caterpillar(model)
        picture.png()
        picture.savefig(BytesIO())
    assert len(told) == 1 and "(old persian sign a)" in str(told[0].message)


def test_plain_names_need_no_font_but_the_users() -> None:
    picture = bm.plot.caterpillar(fit(["a", "b", "c"]))
    families = {name for label in labels(picture) for name in label.get_fontfamily()}
    assert families <= {*matplotlib.rcParams["font.family"], *fonts.KNOWN}
