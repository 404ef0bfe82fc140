"""How much a diagnosis may compute: evaluations of a criterion, counted and limited, whatever the machine's speed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...engines.machine.progress import Progress


@dataclass
class Work:
    """Evaluations `done` of at most `limit`; `progress` shows them."""

    limit: float = np.inf
    done: float = 0.0
    progress: Progress = field(default_factory=Progress)
    outer: Work | None = None

    def count(self, evaluations: float = 1.0) -> None:
        """Add what was done, a value without its gradient counting half, here and in what this is a part of."""
        self.done += evaluations
        if self.outer is None:
            self.progress.step(evaluations)
        else:
            self.outer.count(evaluations)

    @property
    def exhausted(self) -> bool:
        """Whether the limit is reached."""
        return self.done >= self.limit

    @property
    def left(self) -> float:
        """Evaluations that remain."""
        return max(self.limit - self.done, 0.0)

    def part(self, limit: float) -> Work:
        """A part of this work that has a limit of its own, of what is left at most."""
        return Work(min(limit, self.left), 0, self.progress, self)
