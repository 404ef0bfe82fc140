"""The conda recipe says what pyproject.toml says: version, requirements, addresses, licence."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import bayesmixed as bm

REPOSITORY = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]


@pytest.fixture(scope="module")
def recipe() -> dict[str, Any]:
    yaml = pytest.importorskip("yaml")
    found: dict[str, Any] = yaml.safe_load((REPOSITORY / "packaging" / "conda" / "recipe.yaml").read_text("utf-8"))
    return found


def wanted(line: str) -> tuple[str, frozenset[str]]:
    """Name and bounds of a requirement, however its spaces and bounds are ordered."""
    name, bounds = re.fullmatch(r"([\w.-]+)\s*(.*)", line).groups()  # type: ignore[union-attr]
    return name.lower(), frozenset(bound.strip() for bound in bounds.split(",") if bound.strip())


def test_the_recipe_is_of_the_version_that_the_package_says(recipe: dict[str, Any]) -> None:
    assert recipe["context"]["version"] == bm.__version__
    assert recipe["context"]["name"] == PROJECT["name"]


def test_what_is_needed_is_what_pyproject_asks_for(recipe: dict[str, Any]) -> None:
    python, *others = recipe["requirements"]["run"]
    assert f">={recipe['context']['python_min']}" == PROJECT["requires-python"]
    assert python == "python >=${{ python_min }}"
    assert {wanted(line) for line in others} == {wanted(line) for line in PROJECT["dependencies"]}


def test_it_is_built_with_what_pyproject_asks_for(recipe: dict[str, Any]) -> None:
    _, pip, *others = recipe["requirements"]["host"]
    assert pip == "pip"
    assert {wanted(line) for line in others} == {wanted(line) for line in PYPROJECT["build-system"]["requires"]}


def test_bounds_of_matplotlib_are_those_of_the_extra(recipe: dict[str, Any]) -> None:
    (constraint,) = recipe["requirements"]["run_constraints"]
    extra = next(line for line in PROJECT["optional-dependencies"]["plots"] if line.startswith("matplotlib"))
    assert wanted(constraint)[1] == wanted(extra)[1]


def test_addresses_summary_and_licence_are_repeated(recipe: dict[str, Any]) -> None:
    about = recipe["about"]
    assert about["repository"] == PROJECT["urls"]["Repository"]
    assert about["documentation"] == about["homepage"] == PROJECT["urls"]["Documentation"]
    assert about["summary"] == PROJECT["description"]
    assert about["license"] == PROJECT["license"]
    assert all((REPOSITORY / path).exists() for path in about["license_file"])
