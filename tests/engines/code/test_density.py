"""The density of a script is ours, at random points; its parameters have our names."""

from __future__ import annotations

import pytest
from scripts import our_log_density, point

import bayesmixed as bm

SAME = 1e-9  # relative: the same sums in float64 by other routes


def test_sleepstudy():
    model = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))
    found = point(model.code())
    assert found.log_density == pytest.approx(our_log_density(model, found.sites), rel=SAME)
