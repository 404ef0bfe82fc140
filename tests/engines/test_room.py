"""Draws that memory cannot hold are refused with their size and with what would fit, before anything is compiled."""

from __future__ import annotations

import re
import warnings

import pytest

import bayesmixed as bm
from bayesmixed.engines import room
from bayesmixed.errors import BayesMixedWarning, FitError
from bayesmixed.prediction import memory

GB = 1e9


@pytest.fixture(scope="module")
def model() -> bm.Model:
    return bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff"))


@pytest.mark.parametrize("method", [bm.NUTS(draws=10**9), bm.Laplace(draws=10**12)], ids=["NUTS", "Laplace"])
def test_more_than_there_is_is_refused_at_once(model: bm.Model, method: bm.NUTS | bm.Laplace) -> None:
    with pytest.raises(FitError, match=r"draws of 9 numbers take [\d,.]+ GB, .* GB are free\. What fits: bm\.") as stop:
        model.fit(method, seed=1)
    assert stop.value.topic == "memory"


def test_what_is_said_to_fit_does(model: bm.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "at_hand", lambda: 4 * GB)
    with pytest.raises(FitError) as stop:
        room.check_room(model, "bm.NUTS(draws={draws})", 4, 10**8)
    fits = int(re.search(r"What fits: bm\.NUTS\(draws=(\d+)\)", str(stop.value))[1])  # type: ignore[index]
    room.check_room(model, "bm.NUTS(draws={draws})", 4, fits)
    with pytest.raises(FitError, match="What fits"):
        room.check_room(model, "bm.NUTS(draws={draws})", 4, 2 * fits)


def test_a_small_machine_is_asked_as_well(model: bm.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than what a large one is warned of may be more than it has."""
    monkeypatch.setattr(room, "at_hand", lambda: 0.5 * GB)
    with pytest.raises(FitError, match=r"take 0\.3 GB, and 4 times that .* 0\.5 GB are free"):
        room.check_room(model, "bm.NUTS(draws={draws})", 4, 500_000)


def test_a_full_memory_has_room_for_no_draw(model: bm.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "at_hand", lambda: -1.0)
    with pytest.raises(FitError, match=r"0\.0 GB are free\. Not one draw fits"):
        room.check_room(model, "bm.NUTS(draws={draws})", 4, 10**8)


def test_gigabytes_of_draws_are_said_before_the_fit(model: bm.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "at_hand", lambda: 100 * GB)
    with pytest.warns(
        BayesMixedWarning, match=r"4 x 20,000,000 draws of 9 numbers will take 10\.9 GB.*bm.NUTS\(draws="
    ):
        room.check_room(model, "bm.NUTS(draws={draws})", 4, 20_000_000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        room.check_room(model, "bm.NUTS(draws={draws})", 4, 1000)


def test_small_draws_do_not_ask_the_machine(model: bm.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "at_hand", lambda: pytest.fail("asked"))
    room.check_room(model, "bm.NUTS(draws={draws})", 4, 1000)


def test_a_container_may_have_less_than_the_machine(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = tmp_path / "memory.max"  # type: ignore[operator]
    monkeypatch.setattr(memory, "CONTAINER", limit)
    whole = memory.at_hand()
    limit.write_text("max\n")
    assert memory.at_hand() > 0.5 * whole
    limit.write_text("600000000\n")
    assert memory.at_hand() < 600_000_000


def test_answers_are_refused_where_less_is_free_than_they_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "at_hand", lambda: 1e8)
    memory.refuse_too_large(1000, 1e3, "1000 draws take", ".")
    with pytest.raises(FitError, match=r"0\.4 GB.*at most 12 "):
        memory.refuse_too_large(50, 1e6, "50 draws take", ", at most {most} fit")
