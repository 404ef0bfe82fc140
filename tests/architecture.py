"""What the package's source says of its architecture: its files, its imports, and counts of what should be rare.

``python tests/architecture.py`` prints the counts with their places, ``python tests/architecture.py FOLDER`` those of
another checkout.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TypeGuard

REPOSITORY = Path(__file__).resolve().parents[1]
Function = ast.FunctionDef | ast.AsyncFunctionDef

MANY_PARAMETERS = 6  # self and cls apart
# The nodes of a formula are data for the layer that evaluates them: (where they are defined, who may ask which it is).
READS_NODES = ("formula/syntax.py", "design")
# Attributes that hold the name of an entry of a registry.
NAMES = {"name", "covariance", "engine", "family", "link", "structure"}


@dataclass(frozen=True)
class Import:
    """One import statement: the dotted target, the enclosing function's name ("" at module level), its line."""

    target: str
    function: str
    line: int


@dataclass(frozen=True)
class Source:
    """The package in one checkout; a file is its path inside the package ("fits/base.py")."""

    repository: Path

    @property
    def package(self) -> Path:
        return self.repository / "bayesmixed"

    @cached_property
    def trees(self) -> dict[str, ast.Module]:
        """File -> syntax tree."""
        files = sorted(self.package.rglob("*.py"))
        return {file.relative_to(self.package).as_posix(): ast.parse(file.read_text("utf-8")) for file in files}

    @cached_property
    def nodes(self) -> dict[str, list[ast.AST]]:
        """File -> every node of its syntax tree."""
        return {file: list(ast.walk(tree)) for file, tree in self.trees.items()}

    def imports(self, file: str) -> Iterator[Import]:
        """What `file` imports when it runs; imports for annotations alone (TYPE_CHECKING) are no dependency."""
        yield from _imports(self.trees[file], file, function="")

    def files_by_folder(self) -> dict[str, list[str]]:
        """Folder ("" for the package itself) -> its files, apart from ``__init__.py``."""
        found: dict[str, list[str]] = {}
        for file in self.trees:
            if not file.endswith("__init__.py"):
                found.setdefault(_folder(file), []).append(file)
        return found

    # ---- counts: each a list of "file:line what"

    def type_tests(self) -> list[str]:
        """Tests of a value for one of the package's own classes, outside the layer's folder that defines the class."""
        return [
            f"{file}:{line} {name}"
            for file in self.trees
            for line, name in sorted(_tested_types(self.nodes[file]))
            if (home := self._home(file, name)) is not None
            and _room(file) != _room(home)
            and (home, _room(file)) != READS_NODES
        ]

    def name_comparisons(self) -> list[str]:
        """Comparisons of the name of a registry's entry with text, or with a constant collection of texts."""
        return [
            f"{file}:{node.lineno} {ast.unparse(node)}"
            for file, nodes in self.nodes.items()
            for node in nodes
            if isinstance(node, ast.Compare) and _asks_a_name(node, _texts(self.trees[file]))
        ]

    def many_parameters(self) -> list[str]:
        """Functions with more than `MANY_PARAMETERS` parameters."""
        return [
            f"{file}:{node.lineno} {node.name} has {count}"
            for file, nodes in self.nodes.items()
            for node in nodes
            if isinstance(node, Function) and (count := _parameters(node)) > MANY_PARAMETERS
        ]

    def private_imports(self) -> list[str]:
        """Names with a leading underscore that a file takes from another."""
        return [
            f"{file}:{found.line} {found.target}"
            for file in self.trees
            for found in self.imports(file)
            if found.target.startswith("bayesmixed.") and found.target.rsplit(".", 1)[-1].startswith("_")
        ]

    def circles(self) -> list[list[str]]:
        """Groups of files that import each other when they are loaded, imports inside of functions left out."""
        graph = {file: self._loads(file) for file in self.trees}
        return [sorted(group) for group in _strong_components(graph) if len(group) > 1]

    # ---- names to files

    def _loads(self, file: str) -> set[str]:
        """Files that are loaded with `file`: the modules that it names and the packages that these are in."""
        loaded = set()
        for found in self.imports(file):
            module = None if found.function else self._module(found.target)
            if module is not None:
                loaded |= {module, *_packages(module)} & set(self.trees)
        return loaded - {file} - set(_packages(file))

    def _module(self, target: str) -> str | None:
        """The file of a dotted name, or of the module that the name is in."""
        parts = target.split(".")[1:] if target.startswith("bayesmixed") else None
        while parts:
            for file in ("/".join(parts) + ".py", "/".join(parts) + "/__init__.py"):
                if file in self.trees:
                    return file
            parts = parts[:-1]
        return None

    @cached_property
    def _classes(self) -> set[tuple[str, str]]:
        """(file, class) for every class of the package."""
        return {
            (file, node.name) for file, nodes in self.nodes.items() for node in nodes if isinstance(node, ast.ClassDef)
        }

    def _home(self, file: str, name: str) -> str | None:
        """The file that defines the class which `file` calls `name`, followed through re-exports; None if not ours."""
        first, _, rest = name.partition(".")
        if not rest and (file, name) in self._classes:
            return file
        target = self._imported(file).get(first)
        if target is None or not target.startswith("bayesmixed"):
            return None
        module = self._module(f"{target}.{rest}" if rest else target)
        named = (rest or target).rsplit(".", 1)[-1]
        return None if module is None or module == file else self._home(module, named)

    @cache  # noqa: B019 a checkout is read once
    def _imported(self, file: str) -> dict[str, str]:
        """What each imported name of a file stands for, imports for annotations included."""
        names = {}
        for node in self.nodes[file]:
            if isinstance(node, ast.ImportFrom):
                base = _absolute(node, file)
                names |= {alias.asname or alias.name: f"{base}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Import):
                names |= {alias.asname or alias.name: alias.name for alias in node.names}
        return names


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
            inside = child.name if isinstance(child, Function) else function
            yield from _imports(child, file, inside)


def _absolute(statement: ast.ImportFrom, file: str) -> str:
    """The module that a (relative) from-import names: ``from ..errors`` in fits/base.py is bayesmixed.errors."""
    if statement.level == 0:
        return statement.module or ""
    parts = ["bayesmixed", *Path(file).parts[:-1]]
    parts = parts[: len(parts) - statement.level + 1]
    return ".".join(parts + ([statement.module] if statement.module else []))


def _folder(file: str) -> str:
    return file.rpartition("/")[0]


def _room(file: str) -> str:
    """The first folder of a path; a file of the package itself is its own."""
    return file.split("/")[0]


def _packages(file: str) -> list[str]:
    """The ``__init__.py`` of every folder around a file."""
    parts = file.split("/")[:-1]
    return ["__init__.py", *("/".join(parts[: i + 1]) + "/__init__.py" for i in range(len(parts)))]


def _tested_types(nodes: list[ast.AST]) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of each class in an isinstance, in a comparison of ``type(x)``, in a case of a match."""
    for node in nodes:
        if _calls(node, "isinstance", "issubclass") and len(node.args) > 1:
            yield from ((node.lineno, name) for name in _class_names(node.args[1]))
        elif isinstance(node, ast.Compare) and _calls(node.left, "type"):
            yield from ((node.lineno, name) for other in node.comparators for name in _class_names(other))
        elif isinstance(node, ast.MatchClass):
            yield node.cls.lineno, ast.unparse(node.cls)


def _calls(node: ast.AST, *functions: str) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions


def _class_names(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Name | ast.Attribute):
        yield ast.unparse(node)
    for child in ast.iter_child_nodes(node) if isinstance(node, ast.Tuple | ast.BinOp | ast.Set) else ():
        if isinstance(child, ast.expr):
            yield from _class_names(child)


def _texts(tree: ast.Module) -> set[str]:
    """Constants of a module that hold text, or a collection whose items or keys are text."""
    assigned = [node for node in tree.body if isinstance(node, ast.Assign) and _is_text(node.value)]
    return {target.id for node in assigned for target in node.targets if isinstance(target, ast.Name)}


def _is_text(node: ast.expr | None) -> bool:
    if isinstance(node, ast.Tuple | ast.Set | ast.List):
        return bool(node.elts) and all(map(_is_text, node.elts))
    if isinstance(node, ast.Dict):
        return bool(node.keys) and all(map(_is_text, node.keys))
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _asks_a_name(node: ast.Compare, texts: set[str]) -> bool:
    sides = [node.left, *node.comparators]
    asked = any(isinstance(side, ast.Attribute) and side.attr in NAMES for side in sides)
    return asked and any(_is_text(side) or (isinstance(side, ast.Name) and side.id in texts) for side in sides)


def _parameters(function: Function) -> int:
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    return len([name for i, name in enumerate(names) if i or name not in ("self", "cls")])


def _strong_components(graph: dict[str, set[str]]) -> list[set[str]]:
    """Groups of nodes that reach each other (Tarjan, 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            start = stack.index(node)
            found.append(set(stack[start:]))
            del stack[start:]

    for node in graph:
        if node not in index:
            visit(node)
    return found


COUNTS = {
    "type tests": Source.type_tests,
    "name comparisons": Source.name_comparisons,
    "many parameters": Source.many_parameters,
}


def main() -> None:
    """Print every count with its places."""
    source = Source(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else REPOSITORY)
    for name, count in COUNTS.items():
        places = count(source)
        print(f"{name}: {len(places)}", *places, sep="\n    ")
    print("private imports:", *source.private_imports(), sep="\n    ")
    print("circles:", *source.circles(), sep="\n    ")
    print("files by folder:", {key: len(files) for key, files in source.files_by_folder().items() if len(files) > 9})


if __name__ == "__main__":
    main()
