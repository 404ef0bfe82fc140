"""The layers, limits and manners that the whole package keeps, read from its source."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "bayesmixed"

# Each may import those before it, never those after it.
LAYERS = (
    "errors",
    "page",
    "interop/json",
    "formula",
    "design",
    "families",
    "covariance",
    "parameters",
    "priors",
    "model_parts",
    "model",
    "describe",
    "likelihood",
    "prediction",
    "interop",
    "fits",
    "engines",
    "saving",
    "effects",
    "inference",
    "summaries",
    "checks",
    "plots",
    "document",
)
BESIDE = {"data": {"errors"}}  # outside the stack: the layer and all that it may import

# (file, function, layer): the upward calls, each a delegate made inside the function named.
UPWARD = {
    ("model.py", "fit", "engines"),
    ("model.py", "program", "engines"),
    ("model.py", "prior_predictive", "engines"),
    ("model.py", "loglik_at", "likelihood"),
    ("model.py", "prior_summary", "describe"),
    ("model.py", "_description", "describe"),
    ("fits/base.py", "save", "saving"),
    ("fits/base.py", "to_html", "document"),
}

# Third-party module -> where in the package it may be imported.
HOMES = {
    "formulae": ("design/",),
    "arviz": ("interop/arviz.py",),
    "matplotlib": ("plots/",),
}
SAMPLING = ("engines/program/", "covariance/")  # where numpyro.sample may be called

FILE_LINES = 400
BODY_LINES = 40
FORBIDDEN_NAMES = re.compile(r"^_?(utils?|helpers?|managers?)(_|\.|$)|_(utils?|helpers?|managers?)\.")
TEXT = {".py", ".md", ".toml", ".csv", ".json", ".R", ".txt", ".yml", ".yaml", ".cfg", ".ipynb", ""}
DEVELOPERS_PATH = re.compile(r"(?<![\w./:~-])/(?:tmp|home|work|root|Users)/\w")
GENERATED = {".git", "build", "dist", "__pycache__"}


@dataclass(frozen=True)
class Import:
    """One import statement: the dotted target, the enclosing function's name ("" at module level), its line."""

    target: str
    function: str
    line: int


@cache
def sources() -> dict[str, ast.Module]:
    """Path inside the package -> syntax tree."""
    files = sorted(PACKAGE.rglob("*.py"))
    return {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in files}


def imports(file: str) -> Iterator[Import]:
    """What `file` imports when it runs; imports for annotations alone (TYPE_CHECKING) are no dependency."""
    yield from _imports(sources()[file], file, function="")


def _imports(node: ast.AST, file: str, function: str) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, function, child.lineno) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = _absolute(child, file)
            yield from (Import(f"{base}.{alias.name}", function, child.lineno) for alias in child.names)
        else:
            inside = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
            yield from _imports(child, file, inside)


def _absolute(statement: ast.ImportFrom, file: str) -> str:
    """The module that a (relative) from-import names: ``from ..errors`` in fits/base.py is bayesmixed.errors."""
    if statement.level == 0:
        return statement.module or ""
    parts = ["bayesmixed", *Path(file).parts[:-1]]
    parts = parts[: len(parts) - statement.level + 1]
    return ".".join(parts + ([statement.module] if statement.module else []))


def layer(name: str) -> str:
    """The layer of a file of the package ("fits/base.py") or of a dotted name ("bayesmixed.errors.DataError")."""
    parts = name.split(".")[1:] if name.startswith("bayesmixed.") else Path(name).with_suffix("").parts
    nested = "/".join(parts[:2])
    return nested if nested in LAYERS else parts[0] if parts else ""


def inner_files() -> list[str]:
    """Every file but the package's front door, which may import all."""
    return [file for file in sources() if file != "__init__.py"]


@pytest.mark.parametrize("file", inner_files())
def test_a_layer_imports_only_layers_above_it(file: str) -> None:
    own = layer(file)
    allowed = BESIDE[own] if own in BESIDE else set(LAYERS[: LAYERS.index(own)])
    for found in imports(file):
        if not found.target.startswith("bayesmixed"):
            continue
        other = layer(found.target)
        delegate = (file, found.function, other) in UPWARD
        message = f"bayesmixed/{file}:{found.line} imports {found.target}: {own!r} may not import {other!r}"
        assert other == own or other in allowed or delegate, message


@pytest.mark.parametrize("file", sources())
def test_a_library_with_a_home_is_imported_only_there(file: str) -> None:
    for found in imports(file):
        homes = HOMES.get(found.target.split(".")[0])
        at_home = homes is None or file.startswith(homes)
        assert at_home, f"bayesmixed/{file}:{found.line} imports {found.target}, which belongs in {homes}"


@pytest.mark.parametrize("file", [file for file in sources() if not file.startswith(SAMPLING)])
def test_sample_statements_are_only_in_the_program_and_the_covariance_structures(file: str) -> None:
    assert not {"numpyro.sample", "numpyro.primitives.sample"} & {found.target for found in imports(file)}
    aliases = {"numpyro"}
    for node in ast.walk(sources()[file]):
        if isinstance(node, ast.Import):
            aliases |= {alias.asname for alias in node.names if alias.name == "numpyro" and alias.asname}
    for node in ast.walk(sources()[file]):
        if isinstance(node, ast.Attribute) and node.attr == "sample":
            assert ast.unparse(node.value) not in aliases, f"bayesmixed/{file}:{node.lineno} calls numpyro.sample"


@pytest.mark.parametrize("file", sources())
def test_files_are_short_and_functions_do_one_thing(file: str) -> None:
    length = len((PACKAGE / file).read_text(encoding="utf-8").splitlines())
    assert length <= FILE_LINES, f"bayesmixed/{file} has {length} lines"
    for node in ast.walk(sources()[file]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = body_lines(node)
            assert lines <= BODY_LINES, f"bayesmixed/{file}:{node.lineno} {node.name} has {lines} lines"


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the first statement after the docstring to the end."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("file", sources())
def test_a_file_is_a_noun_or_verb_of_the_field_and_says_which_question_it_answers(file: str) -> None:
    for part in Path(file).parts:
        assert not FORBIDDEN_NAMES.search(part), f"bayesmixed/{file}: name what it is, not that it helps"
    says = ast.get_docstring(sources()[file]) or not sources()[file].body  # an empty __init__.py asks nothing
    assert says, f"bayesmixed/{file} has no first line that says what it answers"


def test_everything_that_the_package_exports_is_documented() -> None:
    import bayesmixed

    undocumented = []
    for name in getattr(bayesmixed, "__all__", [name for name in dir(bayesmixed) if not name.startswith("_")]):
        value = getattr(bayesmixed, name)
        if callable(value) and not (getattr(value, "__doc__", None) or "").strip():
            undocumented.append(name)
        if isinstance(value, type):
            undocumented += [f"{name}.{member}" for member in undocumented_members(value)]
    assert not undocumented


def undocumented_members(kind: type) -> list[str]:
    """Public methods and properties without a docstring here or in a base class."""

    def documented(name: str) -> bool:
        return any(getattr(vars(base).get(name), "__doc__", None) for base in kind.__mro__)

    public = {name: member for name, member in vars(kind).items() if not name.startswith("_")}
    members = [name for name, member in public.items() if callable(member) or isinstance(member, property)]
    return [name for name in members if not documented(name)]


def test_no_file_holds_a_path_of_a_developers_machine() -> None:
    found = []
    for path in REPOSITORY.rglob("*"):
        relative = path.relative_to(REPOSITORY)
        if path.suffix not in TEXT or not path.is_file() or generated(relative):
            continue
        lines = enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        found += [f"{relative}:{number}: {line.strip()[:80]}" for number, line in lines if DEVELOPERS_PATH.search(line)]
    assert not found


def generated(relative: Path) -> bool:
    """Whether a path is an environment, a cache or a build product rather than source."""
    return any(
        part in GENERATED or part.endswith((".egg-info", "_cache")) or part.startswith((".venv", ".hypothesis"))
        for part in relative.parts
    )


def run(script: str) -> Any:
    """The JSON that a fresh interpreter prints last."""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=REPOSITORY, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


REPORT = """
import json, logging, sys
heavy = ["jax", "numpyro", "arviz", "matplotlib", "formulae"]
handlers = [name for name in [None, *logging.root.manager.loggerDict] if logging.getLogger(name).handlers]
print(json.dumps({"loaded": [m for m in heavy if m in sys.modules], "handlers": handlers}))
"""


def test_importing_the_package_loads_nothing_heavy_and_touches_no_logger() -> None:
    assert run("import bayesmixed\n" + REPORT) == {"loaded": [], "handlers": []}


FIT = """
import bayesmixed as bm
bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
"""


def test_a_maximum_likelihood_fit_needs_no_jax_and_touches_no_logger() -> None:
    after = run(FIT + REPORT)
    assert not {"jax", "numpyro", "arviz", "matplotlib"} & set(after["loaded"])
    assert after["handlers"] == []


def test_double_precision_is_a_scope_and_never_a_global_flag() -> None:
    script = """
import json, jax
before = dict(jax.config.values)
import bayesmixed as bm
model = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))
with bm.x64():
    inside = bool(jax.config.jax_enable_x64)
    model.program()
print(json.dumps({"inside": inside, "unchanged": dict(jax.config.values) == before}))
"""
    assert run(script) == {"inside": True, "unchanged": True}


def test_drawing_does_not_change_the_style_of_the_users_plots() -> None:
    script = """
import json, matplotlib
matplotlib.use("agg")
before = dict(matplotlib.rcParams)
import bayesmixed as bm
fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("ml")
bm.plot.shrinkage(fit)
print(json.dumps(dict(matplotlib.rcParams) == before))
"""
    pytest.importorskip("matplotlib")
    assert run(script) is True


COLLECT = """
import sys, pytest
import bayesmixed
from bayesmixed.covariance import STRUCTURES
from bayesmixed.engines import ENGINES
from bayesmixed.families import FAMILIES

def invented(kind):
    return type("Invented", (kind,), {"name": "invented_" + kind.name})

structure = next(iter(STRUCTURES.values()))
additions = {"families": invented(FAMILIES["gaussian"]), "engines": invented(ENGINES["ml"])}
FAMILIES[additions["families"].name] = additions["families"]
ENGINES[additions["engines"].name] = additions["engines"]
STRUCTURES["invented_" + structure.name] = invented(type(structure))()
print("REGISTERED", *FAMILIES, *ENGINES, *STRUCTURES)
sys.exit(pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", "tests/conformance"]))
"""


@pytest.mark.skipif(not (REPOSITORY / "tests" / "conformance").is_dir(), reason="there are no conformance suites yet")
def test_every_registered_family_structure_and_engine_is_in_a_conformance_suite() -> None:
    """An entry that is added to a registry, here while the tests are collected, is tested without further ado."""
    done = subprocess.run([sys.executable, "-c", COLLECT], capture_output=True, text=True, cwd=REPOSITORY, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    first, *collected = done.stdout[done.stdout.index("REGISTERED") :].splitlines()
    parameters = {part for line in collected if "[" in line for part in re.split(r"[\[\]-]", line)}
    missing = [name for name in first.split()[1:] if name not in parameters]
    assert not missing, f"in a registry but in no parametrisation of tests/conformance: {missing}"
