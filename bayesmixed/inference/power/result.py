"""What a power analysis returns: power by size, and the smallest size that reaches a wanted one."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from ...errors import FitError, checked_probability, nearest
from ...messages import Told
from ...model import Model
from ...page import Page, Printed, Section, column, places
from .smallest import Smallest, smallest_of
from .table import MEASURES


@dataclass(frozen=True, eq=False, repr=False)
class Power(Printed):
    """Power by simulation. Printing gives a page; notebooks get HTML.

    Attributes
    ----------
    frame
        One row per setting and test: the sizes (levels under the factor's name, "Subject repeats", effects under the
        parameter's), `test`, `power` with exact 95 % limits `lower` and `upper`, the mean `estimate`, `exaggeration`
        (mean size of the estimates that are significant over the true size: type M error), `wrong_sign` (the share of
        these with the wrong sign: type S), `failures`, and `boundary`, the share of replicates with a singular fit.
    replicates
        One row per replicate and test: setting (row number of the sizes), replicate, test, estimate, p (NaN where it
        failed), singular.
    sizes
        The columns of `frame` that say how large a setting is.
    model
        The template.
    alpha, n, seed
        Level of the tests, replicates asked for per setting, seed.
    notes
        What is doubtful, in words.
    """

    frame: pd.DataFrame
    replicates: pd.DataFrame
    sizes: tuple[str, ...]
    model: Model
    title: str
    alpha: float
    n: int
    seed: int
    notes: tuple[str, ...] = ()

    def smallest(self, power: float = 0.8, along: str | None = None) -> Smallest:
        """The smallest size that reaches a wanted power, per setting of everything else.

        Between two sizes the power is taken for a straight line, which asks for a little more than needed where the
        curve bends down; nothing is said beyond the sizes that were simulated. Where chance makes the curve fall, its
        monotone fit is used.

        Parameters
        ----------
        power
            What is wanted, such as 0.8.
        along
            The column of sizes to look along; by default the first that has several values.

        Raises
        ------
        FitError
            For a power outside (0, 1), an unknown column, and where only one size was simulated.

        Examples
        --------
        >>> import bayesmixed as bm
        >>> model = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy"))
        >>> curve = bm.power(model.fit("reml"), test="Days", levels={"Subject": [4, 6, 8]}, n=100, seed=1)
        >>> curve.smallest(0.8).frame["size"].tolist()
        [6]
        """
        checked_probability(power, "power")
        return smallest_of(self.frame, self.sizes, self.varied(along), power)

    def varied(self, along: str | None) -> str:
        """The column of sizes that a curve runs along.

        Raises
        ------
        FitError
            For an unknown column, and where only one size was simulated.
        """
        numbers = [name for name in self.sizes if pd.api.types.is_numeric_dtype(self.frame[name])]
        several = [name for name in numbers if self.frame[name].nunique() > 1]
        if along is not None:
            if along not in numbers:
                raise FitError(
                    f"along has no column {along!r}. {nearest(str(along), numbers, 'Sizes')}", topic="no-such-column"
                )
            return along
        if not several:
            raise FitError(
                'There is one size only: ask bm.power for several, such as levels={"Subject": [10, 20, 40]}.',
                topic="nothing-to-draw",
            )
        return several[0]

    @property
    def page(self) -> Page:
        """The page that is printed."""
        frame = self.frame
        shown = pd.DataFrame(index=frame.index)
        for name in self.sizes:
            shown[name] = [f"{value:g}" if isinstance(value, int | float) else str(value) for value in frame[name]]
        if frame["test"].nunique() > 1:
            shown["test"] = frame["test"]
        for name in MEASURES[:3]:
            shown[name] = column(frame[name], 3)
        digits = places(frame["estimate"].abs(), least=2)
        if frame["estimate"].notna().any():
            shown["estimate"] = column(frame["estimate"], digits)
            shown["exaggeration"] = column(frame["exaggeration"], 2)
            shown["wrong sign"] = column(frame["wrong_sign"], 3)
        shown["failures"] = frame["failures"].astype(str)
        shown["boundary"] = column(frame["boundary"], 2)
        return Page((Section(self.title, shown, self.notes, index=False),))


MANY_FAILED = 0.05  # share of failures above which a line says so


def doubts(frame: pd.DataFrame, n: int, first: str, interrupted: bool) -> tuple[str, ...]:
    """What the page says of failures, boundary fits and an interruption; `first` is the reason of the first failure."""
    notes = [Told("monte-carlo", "Limits: 95 %, exact (Clopper-Pearson), of the simulation alone.")]
    if interrupted:
        notes.append(Told("interrupted", f"Interrupted: some settings have fewer than {n} replicates."))
    failed = int(frame["failures"].max())
    if failed:
        notes.append(
            Told("failed-replicates", f"Up to {failed} of {n} replicates failed and do not count; the first: {first}.")
        )
    if failed > MANY_FAILED * n:
        notes.append(
            Told(
                "failed-replicates", "More than 5 % failed: those that did are no random choice, so power may be wrong."
            )
        )
    most = float(frame["boundary"].max())
    if most > 0:
        notes.append(
            Told(
                "boundary-replicates",
                f"Up to {100 * most:.2g} % of the fits are on the boundary (singular); they count.",
            )
        )
    return tuple(notes)
