"""Everything that the package says names its topic: in the source, in what is printed, and in saved fits."""

from __future__ import annotations

import ast
import copy
import pickle
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import bayesmixed as bm
from bayesmixed.errors import BayesMixedWarning, DataError, FitError, FormulaError, NoSuchAnswer, NoSuchOption
from bayesmixed.interop import netcdf
from bayesmixed.messages import AREAS, KINDS, TOPICS, Told, Topic, retold, topic_of

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
COMPUTED = {  # places that hand the topic of another message on
    "checks/diagnosis/sampling.py",
    "checks/diagnosis/search_end.py",
    "design/expressions/calling.py",
    "engines/importance/fit.py",
    "engines/sampler/fit.py",
    "formula/caret.py",
    "saving/saved_problems.py",
}


@pytest.fixture(scope="module")
def said() -> Iterator[list[Any]]:
    """Every place of the source that says something."""
    sys.path.insert(0, str(DOCS))
    from _site.sentences import sentences

    yield list(sentences(REPOSITORY / "bayesmixed"))
    sys.path.remove(str(DOCS))
    for name in [name for name in sys.modules if name.split(".")[0] == "_site"]:
        del sys.modules[name]


def test_every_error_warning_finding_and_note_of_the_source_names_a_topic(said: list[Any]) -> None:
    assert len(said) > 900
    assert [one.place for one in said if one.topic == ""] == []
    assert {one.topic for one in said if one.topic} <= set(TOPICS)
    assert {one.place.split(":")[0] for one in said if one.topic is None} == COMPUTED


def test_every_topic_is_one_of_something_that_is_said(said: list[Any]) -> None:
    assert set(TOPICS) == {one.topic for one in said if one.topic}


def test_errors_and_warnings_are_made_by_name_so_that_their_topics_can_be_read() -> None:
    """A class of ours that the scan does not know would say things without topics unseen."""
    from _site import sentences as scan

    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (REPOSITORY / "bayesmixed").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    ours = {*scan.ERRORS, "BayesMixedWarning"}
    derived = [node.name for node in nodes if isinstance(node, ast.ClassDef) and ours & {*map(ast.unparse, node.bases)}]
    assert set(derived) <= scan.SAID
    warned = [node.args for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) == "warn"]
    assert [args for args in warned if "BayesMixedWarning" in {*map(ast.unparse, args)}] == []


def test_only_one_function_warns_since_it_finds_the_line_that_called() -> None:
    calls = [
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / "bayesmixed").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "warnings.warn"
    ]
    assert calls == ["bayesmixed/errors.py"]


@pytest.fixture(autouse=True)
def _scan(said: list[Any]) -> None:
    """The scan is importable in this file."""


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda topic: topic.slug)
def test_a_topic_says_what_it_means_and_what_to_do(topic: Topic) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", topic.slug) and topic.kind in KINDS
    assert topic.title and not topic.title.endswith(".")
    assert topic.meaning.endswith(".") and topic.remedy.endswith(".")
    assert topic.meaning.count("`") % 2 == 0 and topic.remedy.count("`") % 2 == 0


def test_a_topic_has_one_entry() -> None:
    slugs = [topic.slug for topics in AREAS.values() for topic in topics]
    assert len(slugs) == len(set(slugs)) == len(TOPICS)


def test_what_is_told_is_a_text_that_keeps_its_topic_in_copies() -> None:
    line = Told("boundary", "The sd is 0.")
    assert line == "The sd is 0." and isinstance(line, str) and hash(line) == hash("The sd is 0.")
    for copied in (copy.copy(line), copy.deepcopy(line), pickle.loads(pickle.dumps(line))):
        assert copied == line and copied.topic == "boundary"
    assert topic_of(retold(line, f"  {line}")).about == "boundary"
    assert topic_of(line.upper()) == topic_of("a text") and not topic_of("a text").slug
    with pytest.raises(KeyError, match="no-such-topic"):
        Told("no-such-topic", "What?")


@pytest.mark.parametrize("kind", [FitError, NoSuchAnswer, NoSuchOption, BayesMixedWarning])
def test_the_topic_of_an_error_is_beside_its_text_and_survives_other_processes(kind: type[Any]) -> None:
    error = kind("No such thing.", topic="no-such-column")
    again = pickle.loads(pickle.dumps(error))
    assert str(error) == str(again) == "No such thing." and error.args == again.args == ("No such thing.",)
    assert error.topic == again.topic == "no-such-column" and kind("Plain.").topic == ""


def test_refusals_of_users_mistakes_know_what_they_are_about() -> None:
    sleep = bm.load_data("sleepstudy")
    with pytest.raises(DataError) as column:
        bm.Model("Reaction ~ Dayz", sleep)
    with pytest.raises(FormulaError) as text:
        bm.Model("Reaction ~ (Days", sleep)
    with pytest.raises(FormulaError) as inside:
        bm.Model("Reaction ~ poly(Days, 99)", sleep)
    with pytest.raises(FitError) as method:
        bm.Model("Reaction ~ Days", sleep).fit("bfgs")
    found = [error.value.topic for error in (column, text, inside, method)]
    assert found == ["no-such-column", "formula-text", "arguments-in-formula", "unknown-method"]


@pytest.fixture(scope="module")
def singular() -> Any:
    return bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff2")).fit("ml")


def test_doubts_are_of_topics_whatever_the_words(singular: Any) -> None:
    from dataclasses import replace

    status = singular.status
    problems = tuple(Told(slug, slug) for slug in ("not-identified", "boundary", "lost-digits", "laplace-inaccurate"))
    assert replace(status, problems=problems).doubts == ("not-identified", "laplace-inaccurate")
    stopped = replace(status, problems=problems, converged=False)
    assert stopped.doubts == ("not-identified", "lost-digits", "laplace-inaccurate")


def test_a_saved_fit_keeps_the_topics_of_its_problems(singular: Any, tmp_path: Path) -> None:
    again = bm.load(singular.save(tmp_path / "fit.nc"))
    assert again.status.problems == singular.status.problems and again.status.doubts == singular.status.doubts
    assert [topic_of(problem).slug for problem in again.status.problems] == ["boundary"]


def test_problems_in_files_without_topics_find_theirs_by_their_words(said: list[Any]) -> None:
    from bayesmixed.saving.saved_problems import with_topics

    problems = {slug for slug, topic in TOPICS.items() if topic.kind == "problem"}
    makers = ("fits/status.py", "engines/")
    found = [one for one in said if one.form == "Printed" and one.place.startswith(makers)]
    texts = [(one.topic, text) for one in found if one.topic in problems for text in one.texts]
    assert {topic for topic, _ in texts} == problems
    for topic, text in texts:
        assert topic_of(with_topics([text], None)[0]).slug == topic, text
    assert with_topics(["Something of another version."], ["a-later-topic"]) == ("Something of another version.",)


def test_files_of_versions_without_topics_load_with_their_doubts(singular: Any, tmp_path: Path) -> None:
    path = singular.save(tmp_path / "fit.nc")
    content, frame, groups = netcdf.read(path)
    del content["topics"]
    netcdf.write(path, content, frame, groups)
    assert [topic_of(problem).slug for problem in bm.load(path).status.problems] == ["boundary"]


def remarks(result: Any) -> list[str]:
    """The notes of a result, as it keeps them and as its page prints them."""
    kept = list(getattr(result, "notes", ()))
    page = result if hasattr(result, "sections") else getattr(result, "page", None)
    tables = [section for section in getattr(page, "sections", ()) if section.table is not None]
    return [*kept, *(line for section in tables if not section.verbatim for line in section.lines)]


@pytest.fixture(scope="module")
def pages() -> list[Any]:
    """Results of many kinds, small ones."""
    sleep = bm.load_data("sleepstudy")
    model = bm.Model("Reaction ~ Days + (Days | Subject)", sleep)
    ml, reml, small = model.fit("ml"), model.fit("reml"), model.replace(formula="Reaction ~ Days + (1 | Subject)")
    counts = bm.Model(
        "cbind(incidence, size - incidence) ~ period + (1 | herd)", bm.load_data("cbpp"), family="binomial"
    ).fit("ml")
    return [
        bm.anova(reml),
        bm.anova(small.fit("ml"), ml),
        bm.anova(small.fit("reml"), reml),
        bm.anova(reml, ddf="kenward-roger"),
        bm.drop1(ml, random=True),
        bm.hypothesis(reml, ["Days = 10", "Intercept > 240"]),
        bm.hypothesis(counts),
        bm.confint(ml, "wald"),
        bm.confint(small.fit("ml")),
        bm.bootstrap(small.fit("ml"), n=8, seed=1),
        bm.bootstrap_test(ml, small.fit("ml"), n=8, seed=1),
        bm.multi_start(ml, n=2, seed=1),
        bm.influence(ml, "Subject"),
        bm.emmeans(counts, "period"),
        bm.emmeans(counts, "period").contrast("pairwise"),
        bm.predictions(reml, "Days"),
        bm.comparisons(counts, "period", kind="population"),
        bm.slopes(reml, "Days"),
        bm.odds_ratios(counts),
        bm.icc(counts),
        bm.r2(reml),
        bm.ranks(reml, "Subject"),
        bm.pooling(model),
        bm.simplify(model),
    ]


def test_every_note_below_a_table_knows_its_topic(pages: list[Any]) -> None:
    lines = [(type(result).__name__, line) for result in pages for line in remarks(result)]
    assert len(lines) > 80
    facts = re.compile(r"\(\d+\) |model: ")  # which models a table is of
    assert [pair for pair in lines if not topic_of(pair[1]).slug and not facts.match(pair[1])] == []


def test_a_finding_of_a_diagnosis_knows_its_topic(singular: Any) -> None:
    found = bm.diagnose(singular)
    assert [topic_of(one).slug for one in found.findings] == ["boundary"] and found.findings
