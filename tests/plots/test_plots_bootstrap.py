"""The picture of a bootstrap: its frame, its limits, what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

import bayesmixed as bm
from bayesmixed.errors import FitError


@pytest.fixture(scope="module")
def boot() -> Any:
    fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
    return bm.bootstrap(fit, 60, seed=1)


def test_the_frame_has_every_replicate(boot: Any) -> None:
    frame = bm.plot.bootstrap_frame(boot, ["Days", "sigma"])
    assert frame.columns.tolist() == ["parameter", "replicate", "value"]
    assert len(frame) == 2 * len(boot.draws)
    days = frame[frame["parameter"] == "Days"].set_index("replicate")["value"]
    assert (days == boot.draws["Days"]).all()


def test_lines_stand_at_the_estimate_and_its_limits(boot: Any) -> None:
    picture = bm.plot.bootstrap(boot, "Days", kind="basic", level=0.9)
    (panel,) = picture.axes
    drawn = sorted(float(line.get_xdata()[0]) for line in panel.lines)
    limits = boot.confint("basic", level=0.9, which="Days").frame.loc["Days"]
    assert drawn == pytest.approx(sorted([limits["lower"], boot.estimate["Days"], limits["upper"]]))
    assert sum(patch.get_height() for patch in panel.patches) == len(boot.draws)


def test_what_is_no_bootstrap_is_refused(boot: Any) -> None:
    with pytest.raises(FitError, match=r"bm\.bootstrap\(fit\)"):
        bm.plot.bootstrap(boot.fit)
    with pytest.raises(FitError, match="Days"):
        bm.plot.bootstrap(boot, "Day")
    with pytest.raises(FitError, match="nothing"):
        bm.plot.bootstrap(boot, [])
