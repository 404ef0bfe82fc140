"""What the wheel and the source archive hold, and what a package index reads of them."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest

import bayesmixed as bm
from bayesmixed.data.catalogue import catalogue

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RELATIVE = re.compile(r"\]\((?!https?://|mailto:|#)[^)]*\)|<(?:img|a)[^>]*(?:src|href)=[\"'](?!https?://|#)[^\"']*")
SPDX = {  # words of the catalogue -> the part of the package's licence that covers them
    "CC0-1.0": "CC0-1.0",
    "GPL (>= 2), as the package": "GPL-2.0-or-later",
    "GPL-2 or GPL-3, as R": "(GPL-2.0-only OR GPL-3.0-only)",
    "GPL-2 or GPL-3, as the package": "(GPL-2.0-only OR GPL-3.0-only)",
    "AGPL-3, as the package": "AGPL-3.0-only",
}


@dataclass(frozen=True)
class Built:
    """What the build backend made of the checkout: names of the files, and the description."""

    wheel: frozenset[str]
    archive: frozenset[str]
    description: Message

    @property
    def readme(self) -> str:
        return str(self.description.get_payload())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    pytest.importorskip("hatch_fancy_pypi_readme")
    folder = tmp_path_factory.mktemp("dist")
    for target in ("wheel", "sdist"):
        command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
        subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        names = frozenset(wheel.namelist())
        text = wheel.read(next(name for name in names if name.endswith("/METADATA"))).decode()
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        files = frozenset(name.partition("/")[2] for name in archive.getnames())
    return Built(names, files, message_from_string(text))


def test_the_wheel_is_of_the_version_that_the_package_says(built: Built) -> None:
    assert built.description["Version"] == bm.__version__


def test_the_wheel_holds_the_package_whole_and_nothing_beside_it(built: Built) -> None:
    ours = {name for name in built.wheel if ".dist-info/" not in name}
    assert ours == {
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / "bayesmixed").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "bayesmixed/py.typed" in ours


def test_the_wheel_holds_its_licences_those_of_the_data_included(built: Built) -> None:
    held = {name.partition("/licenses/")[2] for name in built.wheel if "/licenses/" in name}
    texts = {f"LICENSES/{name}.txt" for name in ("AGPL-3.0", "CC0-1.0", "GPL-2.0", "GPL-3.0")}
    assert held == {"LICENSE", *texts}
    assert "bayesmixed/data/README.md" in built.wheel  # which says what is under which


def test_the_licence_of_the_package_covers_each_data_set_that_it_ships() -> None:
    parts = PROJECT["license"].split(" AND ")
    shipped = {entry.licence for entry in catalogue().values() if entry.shipped}
    assert {SPDX[licence] for licence in shipped} | {"MIT"} == set(parts)


def test_the_source_archive_is_enough_to_test_document_and_package_anew(built: Built) -> None:
    needed = ["Makefile", "pyproject.toml", "tests/conftest.py", "docs/trust/limitations.md", "examples/quickstart.py"]
    assert set(needed) <= built.archive
    assert {"benchmarks/linear.py", "packaging/check_wheel.py", "CONTRIBUTING.md", "LICENSE"} <= built.archive
    junk = re.compile(r"__pycache__|\.pyc$|\.venv|\.so$|\.nc$|_cache/")
    assert not [name for name in built.archive if junk.search(name)]


def test_links_and_pictures_of_the_readme_are_absolute_on_a_package_index(built: Built) -> None:
    assert RELATIVE.findall((REPOSITORY / "README.md").read_text(encoding="utf-8"))  # relative in the repository
    assert not RELATIVE.findall(built.readme)
    assert f"https://raw.githubusercontent.com/bayesmixed/bayesmixed/v{bm.__version__}/docs/images/" in built.readme


def test_an_absolute_link_leads_to_a_file_of_the_repository(built: Built) -> None:
    base = rf"https://(?:github.com/bayesmixed/bayesmixed/blob|raw.githubusercontent.com/bayesmixed/bayesmixed)/v{bm.__version__}/"
    paths = re.findall(rf"\({base}([^)#]*)", built.readme)
    assert paths
    assert [path for path in paths if not (REPOSITORY / path).exists()] == []


def test_making_links_absolute_changes_no_line_of_code(built: Built) -> None:
    fence = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
    assert fence.findall(built.readme) == fence.findall((REPOSITORY / "README.md").read_text(encoding="utf-8"))


def test_the_addresses_of_the_project_are_those_of_its_description(built: Built) -> None:
    told = dict(line.split(", ", 1) for line in built.description.get_all("Project-URL", []))
    assert told == PROJECT["urls"]
    assert {"Documentation", "Repository"} <= set(told)


def test_what_a_user_can_ask_for_is_in_the_extra_all() -> None:
    extras = PROJECT["optional-dependencies"]
    working = {"test", "docs", "bench", "dist", "quickstart", "all"}
    (everything,) = extras["all"]
    assert everything == f"bayesmixed[{','.join(sorted(set(extras) - working))}]"
