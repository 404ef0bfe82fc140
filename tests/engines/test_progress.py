"""What is said while chains run, and what is not."""

from __future__ import annotations

import sys
import time

import pytest

import bayesmixed as bm
from bayesmixed.engines.machine import bars
from bayesmixed.engines.machine.progress import progress_bar
from bayesmixed.engines.sampler import run as sampling

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


def test_a_file_gets_lines_and_not_a_bar_that_is_written_over(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar(True, 8) as bar:
        bar.say("compiling")
        for _ in range(8):
            bar.add(1)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" [")[0] for line in lines] == ["compiling:   0% 0/8", "sampling: 100% 8/8"]


def test_the_end_is_all_that_was_done_where_less_than_the_limit_was_enough(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar(True, 1000) as bar:
        bar.say("proposals")
        bar.step(250)
    assert "proposals: 100% 250/250" in capsys.readouterr().err


def test_what_was_interrupted_is_not_said_to_be_complete(capsys: pytest.CaptureFixture[str]) -> None:
    def stopped() -> None:
        with progress_bar(True, 1000) as bar:
            bar.step(250)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert "interrupted:  25% 250/1000" in capsys.readouterr().err


def test_a_bar_with_a_delay_is_not_shown_of_what_is_over_before(capsys: pytest.CaptureFixture[str]) -> None:
    for delay, shown in ((60.0, False), (0.01, True)):
        with progress_bar(True, 4, delay=delay) as bar:
            bar.say("refitting")
            time.sleep(0.02)
            bar.step(4)
        assert ("4/4" in capsys.readouterr().err) is shown


def test_a_terminal_gets_a_bar_and_one_with_a_delay_is_gone(capsys: pytest.CaptureFixture[str]) -> None:
    for delay, kept in ((0.0, True), (0.01, False)):
        bar = bars.TerminalBar(10, delay)
        time.sleep(0.02)
        bar.count(4, "sampling")
        bar.close(whole=True)
        last = capsys.readouterr().err.rstrip("\n").split("\r")[-1]
        assert ("4/4" in last) is kept


def test_nothing_is_shown_where_nobody_looks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for stream in (sys.stderr, None):  # programs without a console have none
        monkeypatch.setattr(sys, "stderr", stream)
        with progress_bar(None, 4) as bar:
            bar.say("compiling")
            bar.step(4)
    assert capsys.readouterr() == ("", "")
