"""Every topic by its slug, and the areas that they are of."""

from __future__ import annotations

from .areas import calls, checks, data, draws, effects, fitting, formulas, models, tests
from .topic import Topic

AREAS: dict[str, tuple[Topic, ...]] = {
    "Fits": fitting.TOPICS,
    "Draws": draws.TOPICS,
    "Checks": checks.TOPICS,
    "Formulas": formulas.TOPICS,
    "Data": data.TOPICS,
    "Families, parameters and priors": models.TOPICS,
    "Tests, comparisons, intervals and power": tests.TOPICS,
    "Effects, predictions and pictures": effects.TOPICS,
    "Calls and files": calls.TOPICS,
}
TOPICS: dict[str, Topic] = {topic.slug: topic for topics in AREAS.values() for topic in topics}
