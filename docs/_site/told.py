"""What can the package say? A page of every message, from the registry and the source of the package."""

from __future__ import annotations

from html import escape
from pathlib import Path

import bayesmixed
from bayesmixed.messages import AREAS, KINDS, Topic

from .sentences import Sentence, sentences

OPENING = """# Messages

Everything that bayesmixed says belongs to a topic, and each topic has its entry here: what it means, what to do, and
the sentences that are printed, with what depends on the case in braces, so that a search of this page finds them. What
was printed knows its topic: `fit.status.problems[0].topic`, `error.topic`; in notebooks and HTML it links to its entry.
"""

MORE = {  # pages that say more of what an area's messages are about
    "Fits": (
        "[boundaries and singular fits](how/boundary.md), [which random effects](guide/random-effects-structure.md), "
        "[which engine](guide/choosing-an-engine.md), [a singular fit in four programs](from/singular.md)"
    ),
    "Draws": "[are they the posterior's](trust/draws.md), [the Laplace posterior](how/laplace-posterior.md)",
    "Checks": "[checks](reference/checks.md), [influence](guide/influence.md), [their pictures](guide/plots.md)",
    "Formulas": "[the first five minutes](start/first-five-minutes.md), [coming from](from/index.md) another program",
    "Data": "[the first five minutes](start/first-five-minutes.md), [weights](guide/weights.md)",
    "Families, parameters and priors": (
        "[families and links](reference/families.md), [covariance structures](reference/covariances.md), "
        "[priors](guide/priors.md)"
    ),
    "Tests, comparisons, intervals and power": (
        "[which p-value](guide/which-p-value.md), [which interval](guide/intervals.md), "
        "[which of several models](guide/comparing-models.md), [bootstrap](guide/bootstrap.md), [power](guide/power.md)"
    ),
    "Effects, predictions and pictures": "[effects](guide/effects.md), [pictures](guide/plots.md)",
    "Calls and files": (
        "[saving](guide/saving.md), [tables for papers](guide/tables-for-papers.md), "
        "[from a shell](guide/command-line.md), [the reference](reference/index.md)"
    ),
}


def pages() -> dict[str, str]:
    """The page of messages; `messages.html#<slug>` is the address of each."""
    said: dict[str, list[Sentence]] = {}
    for one in sentences(Path(bayesmixed.__file__).parent):
        if one.topic:
            said.setdefault(one.topic, []).append(one)
    kinds = "\n".join(f"- **{kind}**: {words}" for kind, words in KINDS.items())
    areas = []
    for area, topics in AREAS.items():
        entries = "\n".join(_entry(topic, said.get(topic.slug, [])) for topic in topics)
        areas.append(f"## {area}\n\nPages on this: {MORE[area]}.\n\n{_contents(topics)}\n{entries}")
    return {"messages.md": "\n\n".join([OPENING, kinds, *areas])}


def _contents(topics: tuple[Topic, ...]) -> str:
    """Links to the topics of an area, by kind."""
    lines = []
    for kind in KINDS:
        links = [f"[{topic.title}](#{topic.slug})" for topic in topics if topic.kind == kind]
        lines += [f"- *{kind}s*: {' · '.join(links)}"] if links else []
    return "\n".join(lines) + "\n"


def _entry(topic: Topic, said: list[Sentence]) -> str:
    lines = [f"<li><em>{one.form}</em> {escape(text)}</li>" for one in said for text in one.texts]
    printed = "".join(dict.fromkeys(lines))
    shown = f"\n```{{raw}} html\n<details><summary>What is printed</summary><ul>{printed}</ul></details>\n```\n"
    return (
        f"({topic.slug})=\n### {topic.title}\n\n*{topic.kind}* `{topic.slug}`\n\n{topic.meaning}\n\n"
        f"**What to do.** {topic.remedy}\n{shown if printed else ''}"
    )
