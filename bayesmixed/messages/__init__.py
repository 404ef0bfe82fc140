"""What the package can say, by topic: every problem, finding, note, warning and refusal, and what to do about it."""

from .registry import AREAS, TOPICS
from .told import Told, retold, topic_of
from .topic import KINDS, Topic

__all__ = ["AREAS", "KINDS", "TOPICS", "Told", "Topic", "retold", "topic_of"]
