"""`show_versions` says what a report of a fault needs: this machine, these versions, these settings."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib.metadata import version

import pytest

import bayesmixed as bm


def values(part: str) -> dict[str, str]:
    frame = bm.show_versions().frame
    of = frame[frame["part"] == part]
    return dict(zip(of["name"], of["value"], strict=True))


def test_python_and_the_package_are_those_that_run() -> None:
    system = values("System")
    assert system["bayesmixed"] == bm.__version__
    assert system["Python"].startswith(platform.python_version())


@pytest.mark.parametrize("name", ["numpy", "scipy", "jax", "jaxlib", "numpyro", "arviz", "pandas", "threadpoolctl"])
def test_what_is_needed_is_told_with_its_version(name: str) -> None:
    assert values("Packages that are needed")[name] == version(name)


def test_what_an_extra_brings_is_told_and_what_only_developers_need_is_not() -> None:
    told = values("Packages for more")
    assert {"matplotlib", "distributed"} <= set(told)
    assert not {"pytest", "ruff", "twine", "numpy"} & set(told)


def test_threads_of_linear_algebra_are_told() -> None:
    assert any("threads" in value for value in values("Linear algebra").values())


def test_settings_of_threads_and_of_jax_are_told_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("JAX_ENABLE_X64", "0")
    monkeypatch.setenv("SOME_TOKEN", "secret")
    told = values("Settings")
    assert told["OMP_NUM_THREADS"] == "3" and told["JAX_ENABLE_X64"] == "0"
    assert "secret" not in str(bm.show_versions())


def test_the_folder_of_compiled_programs_is_told_before_it_is_in_use() -> None:
    program = "import bayesmixed as bm, sys; print(bm.show_versions()); print('jax' in sys.modules)"
    environment = {"BAYESMIXED_COMPILATION_CACHE": "/somewhere"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert "/somewhere" in done.stdout
    assert done.stdout.splitlines()[-1] == "False"  # JAX was not loaded for it


def test_it_prints_as_a_page_and_reads_as_a_table() -> None:
    found = bm.show_versions()
    assert list(found.frame.columns) == ["part", "name", "value"]
    assert all(found.frame["value"].str.len() > 0)
    for part in found.frame["part"].unique():
        assert part in str(found) and part in found._repr_html_()
