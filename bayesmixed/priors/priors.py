"""The priors of one model: an ordered, frozen mapping from parameter to prior, with where each comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import ModelError
from .distributions import BlockPrior, Distribution, Prior

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class LaidOver:
    """Distributions by name, `spec`, in the place of those of `base`."""

    base: Priors
    spec: dict[str, Any]


@dataclass(frozen=True)
class Priors(Mapping[str, Prior]):
    """Parameter name -> prior, as numbers.

    Names are "Intercept_centered" or "Intercept", coefficient names, "1|Subject_sigma" and
    "Subject_corr" (or "Subject_cov" for both together), and dispersion names. `sources` says for each
    whether it is a preset's or the user's. `centered` says that sds and correlations of a correlated bar with an
    intercept, and coefficients, are those for columns centred at their means, not for columns as typed; but for those
    in `typed`, which the user named, and the rest of their bar.

    >>> from bayesmixed.priors import Normal, Priors
    >>> Priors.of({"Days": Normal(0, 20)}, "user").table().iloc[0].tolist()
    ['Days', 'Normal(0, 20)', 'user']
    """

    entries: dict[str, Prior] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    centered: bool = True
    typed: frozenset[str] = frozenset()

    @classmethod
    def of(cls, entries: Mapping[str, Prior], source: str, centered: bool = True) -> Priors:
        """Priors that all come from `source`."""
        return cls(dict(entries), dict.fromkeys(entries, source), centered)

    def __getitem__(self, name: str) -> Prior:
        return self.entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self.entries)

    def __or__(self, spec: Mapping[str, Any]) -> LaidOver:
        """These priors with those of `spec` in their place, for ``Model(priors=)``; where bars are stated stays."""
        return LaidOver(self, dict(spec))

    def distribution(self, name: str) -> Distribution:
        """The prior of the parameter of that name, one distribution."""
        prior = self[name]
        if not isinstance(prior, Distribution):
            raise ModelError(
                f"The prior of {name!r} is one of a whole block: its sds and correlation have none each.",
                topic="prior-of-a-block",
            )
        return prior

    def block(self, name: str) -> BlockPrior:
        """The prior of the sds and the correlation of a block together, of that name."""
        prior = self[name]
        if not isinstance(prior, BlockPrior):
            raise ModelError(
                f"The prior of {name!r} must be one of a whole block, such as bm.priors.Decov().",
                topic="prior-of-a-block",
            )
        return prior

    def without(self, *names: str) -> Priors:
        """The same without `names` (parameters held constant, say)."""
        return Priors(
            {k: v for k, v in self.entries.items() if k not in names},
            {k: v for k, v in self.sources.items() if k not in names},
            self.centered,
            self.typed,
        )

    @property
    def improper(self) -> list[str]:
        """Parameters whose prior has a constant density, so that nothing can be drawn from it."""
        return [name for name, prior in self.items() if not prior.proper]

    def table(self) -> pd.DataFrame:
        """One row per parameter with columns parameter, prior (in words), source."""
        import pandas as pd

        rows = [(name, prior.describe(), self.sources.get(name, "")) for name, prior in self.items()]
        return pd.DataFrame(rows, columns=["parameter", "prior", "source"])
