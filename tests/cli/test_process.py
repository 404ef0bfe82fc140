"""The program in a process of its own: start, interruption, closed pipes, missing libraries."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import bayesmixed as bm

from .typed import FORMULA, REPOSITORY, Shell, environment, process

START = 0.5  # seconds of CPU that help and the list of data sets may take
HEAVY = ("jax", "numpyro", "arviz", "matplotlib", "pandas", "scipy")


def test_the_version_and_the_help(tmp_path: Path) -> None:
    assert process("--version", cwd=tmp_path).out == f"bayesmixed {bm.__version__}\n"
    help_ = process("--help", cwd=tmp_path)
    assert help_.code == 0 and help_.err == "" and process(cwd=tmp_path).out == help_.out
    assert "Example:" in help_.out


def commands() -> list[tuple[str, ...]]:
    from bayesmixed.cli.program import COMMANDS

    return [*((name,) for name in COMMANDS), ("data", "list"), ("data", "show"), ("data", "export")]


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_each_command_has_help_with_an_example(command: tuple[str, ...], shell: Shell) -> None:
    answer = shell(*command, "--help")
    examples = answer.out.partition("Example")[2].splitlines()[1:]
    assert answer.code == 0 and examples
    assert any(f"bayesmixed {command[0]}" in line for line in examples)


@pytest.mark.parametrize("arguments", [("--help",), ("fit", "--help"), ("data", "list"), ("--version",)], ids=" ".join)
def test_help_and_lists_load_nothing_heavy(arguments: tuple[str, ...], tmp_path: Path) -> None:
    script = f"""
import sys, time
from bayesmixed.cli.start import main
try:
    main({list(arguments)!r})
except SystemExit:
    print([name for name in {HEAVY} if name in sys.modules], time.process_time(), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment(), check=True)
    loaded, seconds = done.stderr.rsplit(maxsplit=1)
    assert loaded == "[]" and float(seconds) < START


def test_a_fit_from_standard_input(tmp_path: Path) -> None:
    content = bm.load_data("sleepstudy").to_csv(index=False).encode()
    answer = process("fit", FORMULA, "-", "--method", "reml", "--json", cwd=tmp_path, stdin=content)
    fit = bm.Model(FORMULA, bm.load_data("sleepstudy")).fit("reml")
    assert answer.json["fits"][0]["loglik"] == pytest.approx(fit.loglik, rel=1e-12)
    assert answer.err == ""


def test_letters_that_a_terminal_lacks_are_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("名前,y\n1,2\n2,3\n4,4\n", encoding="utf-8")
    latin = {"PYTHONIOENCODING": "latin-1"}
    answer = process("fit", "y ~ 名前", "own.csv", "--method", "ml", cwd=tmp_path, variables=latin)
    assert answer.code == 0 and "Formula: y ~ ??\n" in answer.out


def test_a_mistake_ends_the_process_with_2(tmp_path: Path) -> None:
    assert "Did you mean 'Days'?" in process("fit", "Reaction ~ Dayz", "sleepstudy", cwd=tmp_path).mistake


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_an_interruption_is_quiet_and_130(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bayesmixed", "fit", FORMULA, "sleepstudy", "--draws", "200000", "--no-progress"]
    started = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=environment(), restore_signals=True
    )
    time.sleep(4)
    assert started.poll() is None, "it ended before it was interrupted"
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=20)
    assert started.returncode == 130 and (out, err) == (b"", b"")


@pytest.mark.skipif(os.name != "posix", reason="a shell of POSIX")
def test_a_reader_that_has_seen_enough_ends_it_quietly(tmp_path: Path) -> None:
    line = f"{sys.executable} -m bayesmixed data list | head -n 1"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=environment(), check=True)
    assert done.stderr == "" and len(done.stdout.splitlines()) == 1


def test_without_its_library_one_message_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise ImportError('not here')", encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), str(REPOSITORY)])
    answer = process("--help", cwd=tmp_path, variables={"PYTHONPATH": path})
    assert answer.code == 2 and answer.out == ""
    assert answer.err == 'The command line needs the library click: pip install "bayesmixed[cli]"\n'


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_shells_complete_commands_options_and_data_sets(name: str, shell: Shell, tmp_path: Path) -> None:
    assert "_BAYESMIXED_COMPLETE" in shell("completion", name).out
    words = {"fi": ["fi"], "fit x sleeps": ["fit", "x", "sleeps"], "fit --meth": ["fit", "--meth"]}
    expected = {"fi": "fit", "fit x sleeps": "sleepstudy", "fit --meth": "--method"}
    for typed, parts in words.items():
        variables = {
            "_BAYESMIXED_COMPLETE": "bash_complete",
            "COMP_WORDS": f"bayesmixed {typed}",
            "COMP_CWORD": str(len(parts)),
        }
        found = process(cwd=tmp_path, variables=variables).out
        assert expected[typed] in re.split(r"[\n,]", found)
