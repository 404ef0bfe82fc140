"""Which sentences can the package print, and under which topic? Read from its source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ERRORS = {"BayesMixedError", "DataError", "FitError", "FormulaError", "ModelError"}
ERRORS |= {"NoDraws", "NoSuchAnswer", "NoSuchOption", "Refusal"}
WARNING, FINDING, TOLD = "BayesMixedWarning", "Finding", "Told"
SAID = {*ERRORS, WARNING, FINDING, TOLD}
FORMS = {WARNING: "Warning", FINDING: "Finding", TOLD: "Printed"}
FORMS |= {"Refusal": "FormulaError", "NoDraws": "FitError"}
HIDDEN = "…"  # in the place of what depends on the case
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Sentence:
    """One place of the source that says something.

    `form` is how ("FitError", "Warning", "Finding", "Printed"), `topic` its slug, "" where none is named and None
    where that is computed; `texts` what can be printed, parts that depend on the case in braces.
    """

    form: str
    topic: str | None
    texts: tuple[str, ...]
    place: str


def sentences(package: Path) -> Iterator[Sentence]:
    """Every error, warning, finding, problem and note that the files of a package make."""
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        if not name.startswith("messages/"):
            yield from _Source(ast.parse(path.read_text(encoding="utf-8")), name).sentences()


class _Source:
    """One file: its functions by name, and what each name in them was assigned."""

    def __init__(self, tree: ast.Module, name: str) -> None:
        self.tree, self.name = tree, name
        self.functions = {node.name: node for node in ast.walk(tree) if isinstance(node, Function)}
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        self.methods = {
            id(method): {each.name: each for each in owner.body if isinstance(each, Function)}
            for owner in classes
            for method in owner.body
        }

    def sentences(self) -> Iterator[Sentence]:
        yield from self._inside(self.tree, self.tree)

    def _inside(self, node: ast.AST, scope: ast.AST) -> Iterator[Sentence]:
        for child in ast.iter_child_nodes(node):
            called = child.func.id if isinstance(child, ast.Call) and isinstance(child.func, ast.Name) else ""
            if called in SAID and isinstance(child, ast.Call):
                yield self._sentence(child, called, scope)
            yield from self._inside(child, child if isinstance(child, Function) else scope)

    def _sentence(self, call: ast.Call, called: str, scope: ast.AST) -> Sentence:
        named = {keyword.arg: keyword.value for keyword in call.keywords}
        topic = call.args[0] if called == TOLD else named.get("topic")
        words = call.args[1] if called in (TOLD, FINDING) and len(call.args) > 1 else call.args[0]
        texts = tuple(dict.fromkeys(text for text in self._texts(words, scope, 2) if readable(text)))
        return Sentence(FORMS.get(called, called), _slug(topic), texts, f"{self.name}:{call.lineno}")

    def _texts(self, node: ast.expr, scope: ast.AST, depth: int) -> Iterator[str]:
        """What an expression can be as text; names and calls of the file's own functions are followed."""
        match node:
            case ast.Constant():
                yield str(node.value)
            case ast.JoinedStr():
                yield "".join(self._part(part, scope, depth) for part in node.values)
            case ast.BinOp(ast.expr() as left, ast.Add(), ast.expr() as right):
                ends = list(self._texts(right, scope, depth)) or [HIDDEN]
                yield from (start + end for start in self._texts(left, scope, depth) for end in ends)
            case ast.IfExp(_, ast.expr() as this, ast.expr() as that):
                yield from (text for one in (this, that) for text in self._texts(one, scope, depth))
            case ast.Name(id=name) if depth:
                for value in _assigned(scope, name) or _assigned(self.tree, name):
                    yield from self._texts(value, scope, depth - 1)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if depth and name in self.functions:
                function = self.methods.get(id(scope), {}).get(name) or self.functions[name]
                for inner in ast.walk(function):
                    if isinstance(inner, ast.Return | ast.Yield) and inner.value is not None:
                        yield from self._texts(inner.value, function, depth - 1)

    def _part(self, part: ast.expr, scope: ast.AST, depth: int) -> str:
        """A part of a text with braces: the words of a name that has one meaning here, else the name."""
        value = part.value if isinstance(part, ast.FormattedValue) else part
        if isinstance(value, ast.Constant):
            return str(value.value)
        if not isinstance(value, ast.Name | ast.Attribute):
            return HIDDEN
        known = _assigned(scope, value.id) if isinstance(value, ast.Name) and depth else []
        texts = [text for each in known for text in self._texts(each, scope, depth - 1)]
        if len(known) == len(texts) == 1 and readable(texts[0]):
            return texts[0]
        return f"{{{(value.id if isinstance(value, ast.Name) else value.attr).strip('_')}}}"


def readable(text: str) -> bool:
    """Whether a template has words of its own, so that a search for what was printed finds it."""
    return len(re.findall(r"[A-Za-z]{2,}", re.sub(r"\{\w*\}", "", text))) >= 2


def _slug(node: ast.expr | None) -> str | None:
    if node is None:
        return ""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _assigned(scope: ast.AST, name: str) -> list[ast.expr]:
    """What a name is assigned in a function or module."""
    return [
        node.value
        for node in ast.walk(scope)
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
    ]
