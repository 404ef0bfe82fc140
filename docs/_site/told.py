"""What can the package say? A page of every message, from the registry in the code."""

from __future__ import annotations

from bayesmixed.messages import AREAS, KINDS, Topic


def pages() -> dict[str, str]:
    """The page of messages; `messages.html#<slug>` is the address of each."""
    areas = "\n".join(f"## {area}\n\n" + "\n".join(map(_entry, topics)) for area, topics in AREAS.items())
    kinds = "\n".join(f"- **{kind}**: {words}" for kind, words in KINDS.items())
    return {"messages.md": f"# Messages\n\nWhat each message means and what to do, by topic.\n\n{kinds}\n\n{areas}"}


def _entry(topic: Topic) -> str:
    return (
        f"({topic.slug})=\n### {topic.title}\n\n*{topic.kind}*\n\n{topic.meaning}\n\n**What to do.** {topic.remedy}\n"
    )
