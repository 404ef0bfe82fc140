"""Every topic by its slug, and the areas that they are of."""

from __future__ import annotations

from .areas import fitting
from .topic import Topic

AREAS: dict[str, tuple[Topic, ...]] = {
    "Fits": fitting.TOPICS,
}
TOPICS: dict[str, Topic] = {topic.slug: topic for topics in AREAS.values() for topic in topics}
