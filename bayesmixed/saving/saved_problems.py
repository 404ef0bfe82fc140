"""How the problems of a fit keep their topics in a file."""

from __future__ import annotations

from collections.abc import Sequence

from ..messages import TOPICS, Told, topic_of

# How problems begin that are in files without topics.
_BEGINNINGS = {
    "Boundary fit": "boundary",
    "Not identified": "not-identified",
    "The optimiser stopped": "optimiser-stopped",
    "The likelihood has no maximum": "no-maximum",
    "The penalised criterion has no maximum": "no-maximum",
    "Laplace's approximation": "laplace-inaccurate",
    "Quadrature": "quadrature-inaccurate",
    "The fit broke down": "broke-down",
    "The sd of some rows": "no-residual",
    "The residual is so small": "lost-digits",
    "The response, whose values are rounded": "lost-digits",
    "The estimate lies on the bound": "bound-of-a-prior",
    "R-hat of": "r-hat",
    "The effective sample size": "effective-sizes",
    "BFMI": "energy",
    "The Pareto shape k": "pareto-k",
    "The importance weights": "few-proposals",
    "The posterior has a direction": "mode-without-curvature",
    "The effects of": "effects-not-normal",
}
# What is within problems that begin with a number or a name.
_PARTS = {
    " draws diverged: ": "divergences",
    " largest tree depth: ": "tree-depth",
    " cannot be judged: ": "too-few-draws",
    " are not finite: ": "draws-not-finite",
    " proposals, some of them many times: ": "few-proposals",
    " hyperparameters: ": "many-hyperparameters",
    " ran to ": "simpler-family",
}


def topics_of(problems: Sequence[str]) -> list[str]:
    """The slugs of the problems' topics, one each."""
    return [topic_of(problem).slug for problem in problems]


def with_topics(problems: Sequence[str], topics: Sequence[str] | None) -> tuple[str, ...]:
    """Problems as they were before they were written; `topics` is None in a file of a version that kept none.

    >>> with_topics(["Boundary fit (lme4: singular): in (1 | g) the sd is 0."], None)[0].topic
    'boundary'
    """
    found = [_by_words(problem) for problem in problems] if topics is None else topics
    pairs = zip(problems, found, strict=True)
    return tuple(Told(topic, problem) if topic in TOPICS else problem for problem, topic in pairs)


def _by_words(problem: str) -> str:
    begun = (topic for words, topic in _BEGINNINGS.items() if problem.startswith(words))
    within = (topic for words, topic in _PARTS.items() if words in problem)
    return next(begun, "") or next(within, "")
