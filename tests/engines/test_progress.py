"""What is said while chains run, and what is not."""

from __future__ import annotations

import warnings

import pytest

import bayesmixed as bm
from bayesmixed.engines.machine.progress import progress_bar
from bayesmixed.engines.sampler import run as sampling
from bayesmixed.errors import BayesMixedWarning

OPTIONS = bm.NUTS(draws=30, tune=30, chains=2)


@pytest.fixture(scope="module")
def model() -> bm.Model:
    return bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))


def test_the_wait_is_named_and_silence_is_silent(model: bm.Model, capsys: pytest.CaptureFixture[str]) -> None:
    model.fit(OPTIONS, seed=1, progress=True)
    shown = capsys.readouterr()
    assert shown.err.index("compiling") < shown.err.index("sampling") and "120/120" in shown.err and not shown.out
    model.fit(OPTIONS, seed=1, progress=True)
    assert "compiling" not in capsys.readouterr().err
    model.fit(OPTIONS, seed=1, progress=False)
    assert capsys.readouterr() == ("", "")


def test_minutes_are_said_before_they_pass(capsys: pytest.CaptureFixture[str]) -> None:
    schedule = sampling._schedule(OPTIONS, 4, 1000, adapt=True)
    with progress_bar(True, 10) as bar:
        sampling._say_time(bar, 0.001, schedule, OPTIONS, workers=2)
        assert "minutes" not in capsys.readouterr().err
        sampling._say_time(bar, 0.05, schedule, OPTIONS, workers=1)
    assert "A gradient takes 50.0 ms, so sampling may take about 14 minutes." in capsys.readouterr().err


def test_gigabytes_of_draws_are_said_before_the_fit(model: bm.Model) -> None:
    with pytest.warns(BayesMixedWarning, match=r"4 x 20000000 draws of 6 effects will take 4.5 GB. .*bm.NUTS\(draws="):
        sampling._say_size(bm.NUTS(draws=20_000_000), model)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sampling._say_size(bm.NUTS(), model)
