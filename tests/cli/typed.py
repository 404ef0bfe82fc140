"""What a user types and what comes back: in this process, or in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("click")

REPOSITORY = Path(__file__).resolve().parents[2]
FORMULA = "Reaction ~ Days + (Days | Subject)"


@dataclass(frozen=True)
class Answer:
    """An exit code and what was printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON, in which NaN and Infinity are no numbers."""
        return json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))

    @property
    def mistake(self) -> str:
        """The one message of a run that ended with a user's mistake."""
        assert self.code == 2 and self.out == "", self
        assert self.err.startswith("Error: ") and self.err.count("Error: ") == 1 and "Traceback" not in self.err, self
        return self.err.removeprefix("Error: ").strip()


@dataclass(frozen=True)
class Shell:
    """The program in this process: quick, its output captured."""

    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: object) -> Answer:
        from bayesmixed.cli.ending import exit_code

        self.capsys.readouterr()
        code = exit_code([str(argument) for argument in arguments])
        return Answer(code, *self.capsys.readouterr())


def process(*arguments: str, cwd: Path, stdin: bytes = b"", variables: dict[str, str] | None = None) -> Answer:
    """The program as a shell starts it."""
    done = subprocess.run(
        [sys.executable, "-m", "bayesmixed", *arguments],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env=environment(variables),
        check=False,
    )
    return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())


def environment(variables: dict[str, str] | None = None) -> dict[str, str]:
    """The variables of this process, where Python finds this checkout from any folder."""
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), **(variables or {})}
