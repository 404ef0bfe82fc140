"""Compiled programs are kept between processes when asked, never otherwise, and draws do not notice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bayesmixed.engines.machine.compilation_cache import VARIABLE, user_folder

FIT = """
import json, sys
from collections import Counter
import jax
import bayesmixed as bm
from bayesmixed.engines.machine.compilation_cache import enable_from_environment

{switch}
events = Counter()
jax.monitoring.register_event_listener(lambda event, **_: events.update([event.rsplit("/", 1)[-1]]))
data = bm.load_data("sleepstudy")
data["Reaction"] += {shift}
fit = bm.Model("Reaction ~ Days + (1 | Subject)", data).fit(bm.NUTS(draws=20, tune=20, chains=2), seed=1)
print(json.dumps([events["cache_hits"], events["cache_misses"], fit.parameters.beta.sum()]))
"""
SWITCHES = """
import json, jax
before = {name: value for name, value in jax.config.values.items() if "cache" in name}
import bayesmixed as bm
from bayesmixed.engines.machine.compilation_cache import enable_from_environment
"""


def run(script: str, **variables: str) -> Any:
    """The JSON that a fresh interpreter prints last."""
    own = {"JAX_COMPILATION_CACHE_DIR", VARIABLE}
    environment = {name: value for name, value in os.environ.items() if name not in own} | variables
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_a_second_process_compiles_nothing_and_draws_the_same(tmp_path: Path) -> None:
    variable = {VARIABLE: str(tmp_path / "kept")}
    hits, misses, draws = run(FIT.format(switch="enable_from_environment()", shift=0.0), **variable)
    stored = sorted(path.name for path in (tmp_path / "kept").iterdir())
    assert hits == 0 and misses > 0 and stored
    switch = f"bm.compilation_cache({str(tmp_path / 'kept')!r})"
    again = run(FIT.format(switch=switch, shift=0.0))
    assert again[0] == misses and again[1] == 0 and again[2] == draws
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == stored
    other = run(FIT.format(switch=switch, shift=100.0))  # other data of the same shape
    assert other[1] == 0 and other[2] != draws


def test_nothing_is_switched_on_by_importing(tmp_path: Path) -> None:
    script = SWITCHES + (
        "bm.NUTS\nenable_from_environment()\n"
        "print(json.dumps({n: v for n, v in jax.config.values.items() if 'cache' in n} == before))"
    )
    assert run(script) is True


def test_the_variable_yields_to_what_was_chosen_in_code_or_for_jax(tmp_path: Path) -> None:
    script = SWITCHES + (
        f"mine = bm.compilation_cache({str(tmp_path / 'mine')!r})\nenable_from_environment()\n"
        "print(json.dumps([str(mine), jax.config.jax_compilation_cache_dir, str(bm.compilation_cache())]))"
    )
    assert run(script, **{VARIABLE: str(tmp_path / "other")}) == [str((tmp_path / "mine").resolve())] * 3
    script = SWITCHES + "enable_from_environment()\nprint(json.dumps(jax.config.jax_compilation_cache_dir))"
    jax_own = {"JAX_COMPILATION_CACHE_DIR": str(tmp_path / "jax"), VARIABLE: str(tmp_path / "other")}
    assert run(script, **jax_own) == str(tmp_path / "jax")
    assert not (tmp_path / "other").exists()


def test_switching_on_after_a_compilation_still_works(tmp_path: Path) -> None:
    script = (
        "import json, jax, bayesmixed as bm\n"
        "jax.jit(lambda x: x + 1)(1.0)\n"
        f"folder = bm.compilation_cache({str(tmp_path / 'a')!r})\n"
        "jax.jit(lambda x: x + 2)(1.0)\n"
        "first = len(list(folder.iterdir()))\n"
        f"folder = bm.compilation_cache({str(tmp_path / 'b')!r})\n"
        "jax.jit(lambda x: x + 3)(1.0)\n"
        "print(json.dumps([first > 0, len(list(folder.iterdir())) > 0]))"
    )
    assert run(script) == [True, True]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    script = SWITCHES + (
        "try:\n    enable_from_environment()\nexcept bm.errors.FitError as error:\n    print(json.dumps(str(error)))"
    )
    words = run(script, **{VARIABLE: str(tmp_path / "file" / "inside")})
    assert repr(str(tmp_path / "file" / "inside"))[1:-1] in words and VARIABLE in words and "write to" in words


@pytest.mark.skipif(sys.platform != "linux", reason="the customs of Linux")
def test_the_users_folder_follows_the_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_folder() == tmp_path / "bayesmixed" / "compiled"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_folder() == tmp_path / ".cache" / "bayesmixed" / "compiled"
