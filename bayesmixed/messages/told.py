"""A sentence that is printed, which knows what it is about."""

from __future__ import annotations

from .registry import TOPICS
from .topic import UNNAMED, Topic


class Told(str):
    """A sentence with the `topic` (a slug) under which it is explained; elsewhere a text like any other.

    Changing a text gives a plain one, so this is made last: ``Told("boundary", f"...")``; `retold` words a sentence
    anew under the topic that it has.

    Raises
    ------
    KeyError
        For a topic that is not registered.

    Examples
    --------
    >>> line = Told("boundary", "The sd of Days is 0.")
    >>> line, line.topic
    ('The sd of Days is 0.', 'boundary')
    """

    topic: str

    def __new__(cls, topic: str, text: str) -> Told:
        if topic not in TOPICS:
            raise KeyError(f"No topic {topic!r} in bayesmixed.messages")
        made = super().__new__(cls, text)
        made.topic = topic
        return made

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]  # a copy knows its topic as well
        return self.topic, str(self)


def retold(message: object, text: str) -> str:
    """A wording of a line, a finding or an error, about the same.

    >>> retold(Told("boundary", "The sd is 0."), "  The sd is 0.").topic
    'boundary'
    """
    topic = getattr(message, "topic", "")
    return Told(topic, text) if topic else text


def topic_of(message: object) -> Topic:
    """What a line, a finding or an error is about; one without a name where it does not say.

    >>> topic_of(Told("boundary", "The sd is 0.")).about, topic_of("The sd is 0.").about
    ('boundary', '')
    """
    return TOPICS.get(getattr(message, "topic", ""), UNNAMED)
