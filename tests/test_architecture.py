"""The layers, limits and manners that the whole package keeps, read from its source."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from architecture import REPOSITORY, Source

SOURCE = Source(REPOSITORY)
PACKAGE = SOURCE.package

# Each may import those before it, never those after it.
LAYERS = (
    "citations",
    "messages",
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
    "model_variants",
    "model_delegates",
    "model",
    "describe",
    "likelihood",
    "prediction",
    "interop",
    "fits",
    "engines",
    "saving",
    "versions",
    "degrees",
    "effects",
    "inference",
    "summaries",
    "checks",
    "plots",
    "document",
)
# Outside the stack: the layer and all that it may import.
BESIDE = {"data": {"errors"}, "cli": {*LAYERS, "data"}, "__main__": {"cli"}}

# (file, function, layer): the upward calls, each a delegate made inside the function named.
UPWARD = {
    ("model_delegates.py", "fit", "engines"),
    ("model_delegates.py", "program", "engines"),
    ("model_delegates.py", "code", "engines"),
    ("model_delegates.py", "graph", "engines"),
    ("model_delegates.py", "prior_predictive", "engines"),
    ("model_delegates.py", "loglik_at", "likelihood"),
    ("model_delegates.py", "prior_summary", "describe"),
    ("model.py", "_description", "describe"),
    ("fits/base.py", "summary", "degrees"),
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
FOLDER_FILES = 12
CROWDED = {  # folder -> why it may hold more files
    "families": "one file per response distribution",
    "plots": "one file per picture",
    "prediction": "one file per question that parameter values answer",
}
# What may only become rarer: lower the ceiling with the count.
CEILINGS: dict[Callable[[Source], list[str]], int] = {
    Source.type_tests: 9,
    Source.name_comparisons: 3,
    Source.many_parameters: 33,
}
FORBIDDEN_NAMES = re.compile(r"^_?(utils?|helpers?|managers?)(_|\.|$)|_(utils?|helpers?|managers?)\.")
TEXT = {".py", ".md", ".toml", ".csv", ".json", ".R", ".txt", ".yml", ".yaml", ".cfg", ".ipynb", ""}
DEVELOPERS_PATH = re.compile(r"(?<![\w./:~-])/(?:tmp|home|work|root|Users)/\w")
GENERATED = {".git", "build", "dist", "__pycache__"}


def sources() -> dict[str, ast.Module]:
    """Path inside the package -> syntax tree."""
    return SOURCE.trees


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
    for found in SOURCE.imports(file):
        if not found.target.startswith("bayesmixed"):
            continue
        other = layer(found.target)
        delegate = (file, found.function, other) in UPWARD
        message = f"bayesmixed/{file}:{found.line} imports {found.target}: {own!r} may not import {other!r}"
        assert other == own or other in allowed or delegate, message


@pytest.mark.parametrize("file", sources())
def test_a_library_with_a_home_is_imported_only_there(file: str) -> None:
    for found in SOURCE.imports(file):
        homes = HOMES.get(found.target.split(".")[0])
        at_home = homes is None or file.startswith(homes)
        assert at_home, f"bayesmixed/{file}:{found.line} imports {found.target}, which belongs in {homes}"


@pytest.mark.parametrize("file", [file for file in sources() if not file.startswith(SAMPLING)])
def test_sample_statements_are_only_in_the_program_and_the_covariance_structures(file: str) -> None:
    assert not {"numpyro.sample", "numpyro.primitives.sample"} & {found.target for found in SOURCE.imports(file)}
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


@pytest.mark.parametrize("count", CEILINGS, ids=lambda count: count.__name__)
def test_what_should_be_rare_becomes_rarer(count: Callable[[Source], list[str]]) -> None:
    found, ceiling = count(SOURCE), CEILINGS[count]
    assert len(found) <= ceiling, f"{len(found)} instead of {ceiling}: {count.__doc__}\n" + "\n".join(found)
    if len(found) < ceiling:
        warnings.warn(f"{count.__name__}: lower the ceiling from {ceiling} to {len(found)}", stacklevel=1)


def test_a_folder_shows_its_parts_at_a_glance() -> None:
    crowded = {folder: len(files) for folder, files in SOURCE.files_by_folder().items() if len(files) > FOLDER_FILES}
    assert set(crowded) <= set(CROWDED), f"more than {FOLDER_FILES} files without a reason in CROWDED: {crowded}"
    assert set(CROWDED) <= set(crowded), "a folder of CROWDED is crowded no more: take it off the list"


def test_files_import_each_other_in_no_circle() -> None:
    assert SOURCE.circles() == []


def test_private_names_stay_in_their_file() -> None:
    assert SOURCE.private_imports() == []


INVENTED = {
    "__init__.py": "",
    "herd/__init__.py": "from .cow import Cow",
    "herd/cow.py": "from . import milk\nclass Cow: ...\nclass Calf(Cow): ...\ndef grown(x): return isinstance(x, Calf)",
    "herd/milk.py": "from .cow import Calf\nfrom .butter import _churn\ndef drink(self, a, b, c, d, e, *, f, g): ...",
    "herd/butter.py": "def _churn(a, b, c, d, e, f):\n    from .milk import drink\n    drink(a, b, c, d, e, f=f, g=f)",
    "farm.py": """
from . import herd
from .herd import Cow as Cattle
BREEDS = {"Jersey": 1}
def milked(animal):
    match animal:
        case Cattle():
            return isinstance(animal, herd.cow.Calf | str)
    return type(animal) is Cattle or isinstance(animal, (int, dict))
def known(animal):
    return animal.family.name in BREEDS or animal.link == "log" or animal.name == animal.given
""",
}


def test_each_count_finds_what_it_is_to_find(tmp_path: Path) -> None:
    for name, text in INVENTED.items():
        path = tmp_path / "bayesmixed" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    farm = Source(tmp_path)
    assert [place.split()[-1] for place in farm.type_tests()] == ["Cattle", "herd.cow.Calf", "Cattle"]
    assert len(farm.name_comparisons()) == 2
    assert farm.many_parameters() == ["herd/milk.py:3 drink has 7"]
    assert farm.private_imports() == ["herd/milk.py:2 bayesmixed.herd.butter._churn"]
    assert farm.circles() == [["herd/cow.py", "herd/milk.py"]]
    assert farm.files_by_folder() == {"": ["farm.py"], "herd": ["herd/butter.py", "herd/cow.py", "herd/milk.py"]}


@pytest.mark.parametrize("file", sources())
def test_a_file_is_a_noun_or_verb_of_the_field_and_says_which_question_it_answers(file: str) -> None:
    for part in Path(file).parts:
        assert not FORBIDDEN_NAMES.search(part), f"bayesmixed/{file}: name what it is, not that it helps"
    says = ast.get_docstring(sources()[file]) or not sources()[file].body  # an empty __init__.py asks nothing
    assert says, f"bayesmixed/{file} has no first line that says what it answers"


def test_the_front_door_lists_every_name_that_it_opens() -> None:
    import bayesmixed

    assert sorted(bayesmixed.__all__) == sorted([*bayesmixed._PUBLIC, *bayesmixed._MODULES])


def test_everything_that_the_package_exports_is_documented() -> None:
    import bayesmixed

    undocumented = []
    for name in bayesmixed.__all__:
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
        part in GENERATED
        or part.endswith((".egg-info", "_cache"))
        or part.startswith((".venv", ".hypothesis", ".coverage"))
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
names = [None, *logging.root.manager.loggerDict]
writing = {name: [h for h in logging.getLogger(name).handlers if type(h) is not logging.NullHandler] for name in names}
handlers = [name for name, found in writing.items() if found]
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
