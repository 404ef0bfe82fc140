"""What a message is about: a name to look it up by, what it means, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

PROBLEM, FINDING, NOTE, WARNING, REFUSAL = "problem", "finding", "note", "warning", "refusal"
KINDS = {
    PROBLEM: "of `fit.status.problems`: what went wrong in a fit",
    FINDING: "of `bm.diagnose(fit)` and other checks: what was found, with what to do",
    NOTE: "below a table: how its numbers were made, or what they do not say",
    WARNING: "a Python warning: something was done that you should know about",
    REFUSAL: "an error: what was asked cannot be answered as it was asked",
}


@dataclass(frozen=True)
class Topic:
    """One thing that messages speak of.

    Parameters
    ----------
    slug
        Its name: of the link to it, and of `.topic` of what is printed.
    title, meaning, remedy
        What it is in a few words, what it means and what to do, in sentences of Markdown.
    kind
        How it is told first of all: one of `KINDS`.
    about
        Of problems that the package itself asks for: "boundary", "identification", "integral", "search", "maximum".
    doubt
        Whether a fit with this problem doubts its estimates: True whatever the search says, False never, None where
        the search found no optimum, and of draws always.
    """

    slug: str
    title: str
    meaning: str
    remedy: str
    kind: str
    about: str = ""
    doubt: bool | None = None


problem = partial(Topic, kind=PROBLEM)
finding = partial(Topic, kind=FINDING)
note = partial(Topic, kind=NOTE)
warning = partial(Topic, kind=WARNING)
refusal = partial(Topic, kind=REFUSAL)
UNNAMED = Topic("", "", "", "", NOTE)  # of a text that names none
