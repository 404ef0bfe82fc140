"""What do the same data say with no pooling of groups, complete pooling and partial pooling?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from ...errors import FitError, nearest
from ...fits.base import is_fit
from ...messages import Told, retold
from ...page import Page, Printed, Section
from ...parameters.names import canonical
from ...prediction.included_terms import same_factor
from ..answer import shown
from ..part import part
from ..report.words import listed
from .group_means import group_means
from .partial import partial_rows
from .separate import separate_rows, two_stage
from .varying_columns import Within, within

if TYPE_CHECKING:
    from ...fits.base import Fit
    from ...model import Model

COLUMNS = ["pooling", "level", "coefficient", "estimate", "se", "lower", "upper", "n", "note"]
MOST_SHOWN = 30  # levels in print
MOST_NAMED = 8  # levels in a note
_WORDS = {
    "complete": "complete (no random effects)",
    "partial": "partial (the model)",
    "none": "none (from the groups' own estimates)",
    "means": "group means (one row per group)",
}


@dataclass(frozen=True, repr=False)
class Pooling(Printed):
    """Estimates by degree of pooling: `frame` tidy, `fit` the partially pooled one, `complete` the one without bars.

    Printing it shows the population's estimates side by side, then each level's.

    Attributes
    ----------
    group
        The grouping factor.
    frame
        One row per degree of pooling, parameter and level.
    fit, complete
        The partially pooled fit, and the one of the model without bars.
    notes
        What was left out, what is doubtful.
    """

    group: str
    frame: pd.DataFrame = field(repr=False)
    fit: Fit
    complete: Fit
    notes: tuple[str, ...]

    @property
    def population(self) -> pd.DataFrame:
        """The rows that are of no single level."""
        return self.frame[self.frame["level"].isna()]

    @property
    def levels(self) -> pd.DataFrame:
        """Own and partially pooled estimates (columns) per level and coefficient."""
        rows = self.frame[self.frame["level"].notna()]
        keys = list(zip(rows["level"], rows["coefficient"], strict=True))
        index = pd.MultiIndex.from_tuples(list(dict.fromkeys(keys)), names=["level", "coefficient"])
        wide = pd.DataFrame(index=index, columns=["none", "partial"], dtype=float)
        for kind in wide:
            own = (rows["pooling"] == kind).to_numpy()
            wide[kind] = rows.loc[own, "estimate"].to_numpy()
        return wide

    @property
    def page(self) -> Page:
        """The page that is printed."""
        table = self.population.drop(columns=["level", "note"])
        order = {name: i for i, name in enumerate(dict.fromkeys(table["coefficient"]))}
        table = table.sort_values("coefficient", key=lambda names: names.map(order), kind="stable")
        table = table.assign(pooling=table["pooling"].map(_WORDS), n=[f"{n:.0f}" for n in table["n"]])
        sections = [Section(f"Pooling over {self.group}", shown(table.set_index("coefficient")))]
        if len(self.levels):
            sections.append(self._by_level())
        if self.notes:
            sections.append(Section("", lines=tuple(retold(note, f"  {note}") for note in self.notes)))
        return Page(tuple(sections))

    def _by_level(self) -> Section:
        levels = self.levels
        names = list(dict.fromkeys(levels.index.get_level_values("coefficient")))
        texts = {
            f"{name} ({kind})": levels.xs(name, level="coefficient")[kind] for name in names for kind in levels.columns
        }
        wide = pd.DataFrame(texts)
        more = f"  The first {MOST_SHOWN} of {len(wide)} levels; .levels has all."
        lines = (more,) if len(wide) > MOST_SHOWN else ()
        return Section(f"Level by level of {self.group}", shown(wide.head(MOST_SHOWN)), lines)


def pooling(
    model: Model, term: str | Sequence[str] | None = None, *, group: str | None = None, method: Any = None
) -> Pooling:
    """The coefficients of a model by a fit per group, without random effects, by the model, and from group means.

    Parameters
    ----------
    model
        A model with random effects, or a fit of one (any engine), which is then the partially pooled one.
    term
        Terms or coefficients to show, by name; None for all.
    group
        The grouping factor whose levels are fitted one by one; None for the first of the formula.
    method
        Engine of the partially pooled fit; REML for a linear model and ML for others by default.

    Returns
    -------
    Pooling
        `frame` has one row per analysis, level and coefficient: `pooling` is "complete", "partial", "none" or "means";
        `level` of the grouping factor, missing where the row is of the population; `estimate`, `se`, `lower` and
        `upper` (95 %); `n` rows, or groups where groups are what is averaged; `note` why there is no estimate.

    Raises
    ------
    FitError
        No random effects, or a term or grouping factor that the model does not have.

    Notes
    -----
    "none": each level's rows alone, by least squares (t intervals) or, in a generalized model, maximum likelihood; its
    population rows are the mean of the levels' estimates, or their regression on the columns that vary between levels
    only: the summary-statistics approach, in which every group counts the same. Levels whose rows do not determine a
    coefficient, or whose likelihood rises for ever, have NaN and are left out of it. "partial": fixed plus random
    effects of that factor, as `coef()`, their intervals from the joint prediction errors or the draws. "means" (linear
    models): least squares of the groups' mean response on the columns that are constant within each. What columns
    between groups add belongs to a level's intercept or slope in both "none" and "partial", so that the two compare.

    References
    ----------
    Gelman & Hill (2007), Data Analysis Using Regression and Multilevel/Hierarchical Models, section 12.2.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> pooled = bm.pooling(bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")))
    >>> pooled.levels.round(1).loc[("308", "Days")].tolist()
    [21.8, 19.7]
    """
    fit = _partial(model, method)
    factor = _factor(fit.model, group)
    of = within(fit.model, factor)
    complete: Any = part(fit.model, effects=False).fit("reml" if fit.model.linear else "ml")
    separate = separate_rows(fit.model, of)
    rows = [
        *_population("complete", complete),
        *_population("partial", fit),
        *two_stage(of, separate),
        *group_means(fit.model, of),
        *(row for pair in zip(separate, partial_rows(fit, of), strict=True) for row in pair),
    ]
    frame = pd.DataFrame(rows, columns=COLUMNS).assign(level=pd.Series([row["level"] for row in rows], dtype=object))
    kept = frame[frame["coefficient"].isin(_chosen(fit.model, of, term))].reset_index(drop=True)
    return Pooling(factor, kept, fit, complete, _notes(fit, of, frame))


def _partial(model: Any, method: Any) -> Any:
    if is_fit(model):
        if method is not None:
            raise FitError(
                "pooling was given a fit, so method= has no effect. Give its model: bm.pooling(fit.model, ...).",
                topic="options-together",
            )
        return model
    if not hasattr(model, "design"):
        raise FitError(
            f"pooling takes a model or a fit, not {model!r}: bm.pooling(bm.Model(formula, data)).",
            topic="needs-a-model",
        )
    if not model.design.mu.groups:
        raise FitError(
            f"The model has no groups to pool. Add a bar: {model.formula} + (1 | g).", topic="no-random-effects"
        )
    return model.fit(method or ("reml" if model.linear else "ml"))


def _factor(model: Model, group: str | None) -> str:
    known = list(dict.fromkeys(term.factor for term in model.design.mu.groups))
    if not known:
        raise FitError(
            f"The model has no groups to pool. Add a bar: {model.formula} + (1 | g).", topic="no-random-effects"
        )
    found = known[0] if group is None else next((name for name in known if same_factor(name, str(group))), None)
    if found is None:
        raise FitError(
            f"group={group!r} is not a grouping factor. {nearest(str(group), known, 'Grouping factors')}",
            topic="no-such-group",
        )
    return found


def _chosen(model: Model, of: Within, term: str | Sequence[str] | None) -> list[str]:
    """The names of the coefficients of terms, or of coefficients."""
    known = list(dict.fromkeys([*model.coefficients, *of.names]))
    if term is None:
        return known
    terms = {name: [model.coefficients[j] for j in where] for name, where in model.design.mu.terms.items()}
    chosen: list[str] = []
    spelled = {canonical(name): name for name in [*known, *terms]}
    for name in [term] if isinstance(term, str) else list(term):
        name = name if name in known or name in terms else spelled.get(canonical(str(name)), name)
        if name not in known and name not in terms:
            raise FitError(
                f"term={name!r} is neither a term nor a coefficient. {nearest(name, [*terms, *known])}",
                topic="no-such-coefficient",
            )
        chosen += [name] if name in known else terms[name]
    return chosen


def _population(name: str, fit: Fit) -> list[dict[str, Any]]:
    table = fit.coefficients
    estimate, se = ("estimate", "se") if "estimate" in table else ("mean", "sd")
    found = table[[estimate, se, "lower", "upper"]].set_axis(["estimate", "se", "lower", "upper"], axis=1)
    fixed: dict[str, Any] = {"pooling": name, "level": None, "n": fit.n_obs, "note": ""}
    rows = zip(found.index, found.to_numpy(), strict=True)
    return [fixed | {"coefficient": key} | dict(zip(found.columns, row, strict=True)) for key, row in rows]


def _notes(fit: Any, of: Within, frame: pd.DataFrame) -> tuple[str, ...]:
    scale = fit.model.family.scale
    notes: list[str] = (
        [] if scale == "identity" else [Told("pooled-estimates", f"Coefficients are on the {scale} scale.")]
    )
    for host in dict.fromkeys(host for host in of.hosts.values() if host is not None):
        carried = [name for name, into in of.hosts.items() if into == host]
        what = f"{listed(carried)} add{'s' if len(carried) == 1 else ''}"
        notes.append(Told("pooled-estimates", f"A level's own {host} includes what {what} to it."))
    alone = [name for name, host in of.hosts.items() if host is None]
    if alone:
        notes.append(
            Told(
                "pooled-estimates",
                f"Determined by other columns within every level, so not fitted level by level: {listed(alone)}.",
            )
        )
    means = frame.loc[(frame["pooling"] == "means") & (frame["note"] != ""), "note"]
    notes += [Told("pooled-estimates", f"Group means are compared {note}.") for note in means.unique()]
    return (*notes, *_without_estimate(of, frame), *fit.status.problems)


def _without_estimate(of: Within, frame: pd.DataFrame) -> list[str]:
    """Which levels have no estimate of their own of some coefficient, reason by reason."""
    missing = frame[(frame["pooling"] == "none") & frame["level"].notna() & frame["estimate"].isna()]
    notes: list[str] = []
    for reason, rows in missing.groupby("note", sort=False):
        levels = [str(level) for level in rows["level"].drop_duplicates()]
        rest = len(levels) - MOST_NAMED
        named = [*levels[:MOST_NAMED], f"{rest} more"] if rest > 0 else levels
        what = listed(list(rows["coefficient"].drop_duplicates()))
        notes.append(
            Told("pooled-estimates", f"No estimate of {what} from {of.factor} {listed(named)} alone: {reason}.")
        )
    return notes
