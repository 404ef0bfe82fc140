"""What the priors of a model say, in words and in the response's units: each alone, and all together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import floor, log10
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..messages import Told
from ..page import Page, Section
from ..parameters.names import TermNames, term_names
from ..priors.default import location_and_scale, response_used
from ..priors.distributions import Distribution
from .implied import DRAWS, Drawn, Implied, draw, implied
from .origin_words import origin_notes

if TYPE_CHECKING:
    from ..model import Model

INNER = (0.5, 0.025, 0.975)
OUTER = (0.5, 0.05, 0.95)
_WORDS = {"spread": "sd of its effect on a row", "share": "share of variance (ICC)", "response": "sd over rows"}
_INTERVAL = "  50 % below: the median of the prior. 95 % from, to: its central interval."
_TOGETHER = (
    f"  From {DRAWS:,} draws of the priors. The effect on a row is that of all columns of the factor, at a typical row "
    "(root mean square over rows).",
)
_SHARE = (
    "  The share is of the variance that the fixed effects leave: at 0 the levels of the factor are all alike, at 1 "
    "rows of one level are.",
)


def prior_summary(model: Model) -> Page:
    """The page of `Model.prior_summary`.

    >>> import bayesmixed as bm
    >>> page = bm.Model("Reaction ~ 1 + (1 | Subject)", bm.load_data("sleepstudy")).prior_summary()
    >>> print(page.sections[1].heading)
    What they imply together (Reaction has sd 56.3)
    """
    drawn = draw(model)
    table = prior_table(model, drawn)
    shown = table[["parameter", "prior", "source", "unit"]].assign(
        **{"50 % below": table["median"], "95 % from": table["lower"], "to": table["upper"]}
    )
    sections = [Section(f"Priors of {model.formula.line}", shown, tuple(_notes(model, table)), index=False)]
    found = implied(model, drawn)
    if found:
        lines = [f"  {row.factor}: {_words(model, row)} {_undefined(row)}." for row in found if row.flat]
        if len(lines) < len(found):
            lines += (*_TOGETHER, *_SHARE) if model.has_scale else _TOGETHER
            lines += [f"  {row.factor}: {text}." for row in found for text in _group_means(model, row)]
        heading = f"What they imply together ({_response(model)})"
        sections.append(Section(heading, _implied_table(found, _predicted(model)), tuple(lines), index=False))
    return Page(tuple(sections))


def _notes(model: Model, table: pd.DataFrame) -> list[str]:
    notes = centred_notes(table)
    for named in term_names(model.design):
        if named.covariance in model.priors:
            parts = model.priors.block(named.covariance).parts(len(named.sds), bool(named.shapes))
            words = ", ".join(f"{part} ~ {(p.element(0) if p.stacks else p).describe()}" for part, p in parts.items())
            notes.append(f"  {named.covariance}: {words}; the sds follow from these.")
    return [*notes, *origin_notes(model), _INTERVAL]


def centred_notes(table: pd.DataFrame) -> list[str]:
    """What an intercept at centred columns is, where there is one; `table` has the parameters."""
    names = [name for name in table["parameter"] if name.endswith("Intercept_centered")]
    verb = "is the intercept" if len(names) == 1 else "are the intercepts"
    centred = f"  {' and '.join(names)} {verb} where every other column has its mean."
    return [Told("origin-of-priors", centred)] if names else []


def short_table(model: Model, drawn: Drawn) -> pd.DataFrame:
    """The priors for ``print(model)``: parameter, prior, source, and where 95 % of it lies, as texts."""
    table = prior_table(model, drawn)
    ends = zip(table["lower"], table["upper"], strict=True)
    between = [f"{low} and {high}" if low else "" for low, high in ends]
    return table[["parameter", "prior", "source"]].assign(**{"95 % between": between})


def implied_lines(model: Model, drawn: Drawn) -> list[str]:
    """The implied spreads and shares for ``print(model)``, one line per factor."""
    found = implied(model, drawn)
    if not found:
        return []
    lines = [f"  Implied together, 5 % to 95 % ({_response(model)}; more: model.prior_summary()):"]
    for factor in dict.fromkeys(row.factor for row in found if row.factor):
        rows = [row for row in found if row.factor == factor]
        # Where no spread is defined no share is either, and the share names every flat prior.
        parts = [f"{_words(model, row)} {_range(row)}" for row in rows] if not rows[0].flat else [_undefined(rows[-1])]
        parts += _group_means(model, rows[0])
        lines.append(f"    {factor}: {'; '.join(parts)}")
    lines += [f"    {_predicted(model)}: {_words(model, row)} {_range(row)}" for row in found if not row.factor]
    return lines


def _words(model: Model, row: Implied) -> str:
    link = model.family.link
    return _WORDS[row.quantity] + (f" ({link.name} scale)" if row.quantity == "spread" and not link.linear else "")


def _group_means(model: Model, spread: Implied) -> list[str]:
    """Where groups lie on the response's scale, at its mean and the median spread, where the link has another scale."""
    if spread.draws is None or model.family.link.linear:
        return []
    used, sd = response_used(model.design, model.family), spread.quantiles([0.5])[0]
    centre = location_and_scale(model.design, model.family)[0] + used.mean_offset
    ends = np.clip([centre - 1.96 * sd, centre + 1.96 * sd], *model.family.eta_range)
    with np.errstate(divide="ignore"):
        low, high = sorted(float(value) for value in model.family.link.inverse(ends))
    what = "probabilities" if model.family.mean_range == (0.0, 1.0) else "means"
    return [f"at the median, 95 % of groups have {what} from {sized(low)} to {sized(high)}"]


def prior_table(model: Model, drawn: Drawn) -> pd.DataFrame:
    """One row per parameter, as texts: prior in words, source, unit, median and central 95 % interval."""
    columns = ["parameter", "prior", "source", "unit", "median", "lower", "upper"]
    return pd.DataFrame(list(_rows(model, drawn)), columns=columns)


def _rows(model: Model, drawn: Drawn) -> Iterator[tuple[Any, ...]]:
    units, priors = unit_words(model), model.priors
    bars = {named.covariance: (named, sds) for named, sds in zip(term_names(model.design), drawn.sds, strict=True)}
    shapes = {name for named, _ in bars.values() for name in named.shapes}
    for name, prior in priors.items():
        source = priors.sources.get(name, "")
        if name in bars:
            yield name, prior.describe(), source, "", *[""] * 3
            yield from _block_rows(model, *bars[name], source, units)
        else:
            show = fraction if name in shapes else sized
            yield name, prior.describe(), source, units.get(name, ""), *_quantiles(priors.distribution(name), show)


def _block_rows(
    model: Model, named: TermNames, sds: np.ndarray | None, source: str, units: dict[str, str]
) -> Iterator[tuple[Any, ...]]:
    block, k = model.priors.block(named.covariance), len(named.sds)
    words = block.describe_sds(k, bool(named.shapes), "sigma" if model.has_scale else "")
    for j, name in enumerate(named.sds):
        found = [""] * 3 if sds is None else [sized(q) for q in np.quantile(sds[:, j], INNER)]
        yield f"  {name}", words, source, units[name], *found
    for name in named.shapes:
        correlation = block.correlation(k)
        yield f"  {name}", correlation.describe(), source, "", *_quantiles(correlation, fraction)


def _quantiles(prior: Distribution, show: Callable[[float], str]) -> list[str]:
    """Median and ends of the central 95 % interval."""
    return [show(float(q)) for q in prior.quantile(np.array(INNER))]


def unit_words(model: Model) -> dict[str, str]:
    """The unit of every parameter that has one."""
    y = _predicted(model)
    units = {name: _per(y, name) for name in model.coefficients}
    units["Intercept_centered"] = y
    for predictor in list(model.design.predictors.values())[1:]:
        of = f"{model.family.parameter(predictor.name).link.name} {predictor.name}"
        units |= {name: _per(of, column) for name, column in zip(predictor.names, predictor.coefficients, strict=True)}
        units[f"{predictor.prefix}Intercept_centered"] = of
    for group, named in zip(model.design.groups, term_names(model.design), strict=True):
        columns = [group.columns[sd.columns[0]] for sd in named.free.sds]
        units |= {name: _per(y, column) for name, column in zip(named.sds, columns, strict=True)}
    of_response = f"{model.family.transform} {_name(model)}".strip()
    return units | {parameter.name: of_response for parameter in model.family.others if parameter.role == "scale"}


def _name(model: Model) -> str:
    return model.design.response.name if model.design.response else "response"


def _predicted(model: Model) -> str:
    """What the linear predictor is in: the response, or a link of its mean."""
    family = model.family
    return _name(model) if family.linear else f"{family.scale} {_name(model)}"


def _per(response: str, column: str) -> str:
    """The unit of a coefficient: levels in brackets are 0/1 columns, which count as no unit.

    >>> _per("Reaction", "Days:drug[b]"), _per("Reaction", "drug[b]")
    ('Reaction per unit of Days', 'Reaction')
    """
    numeric = [part for part in column.split(":") if part != "Intercept" and not part.endswith("]")]
    return f"{response} per unit of {' x '.join(numeric)}" if numeric else response


def _response(model: Model) -> str:
    """The response in a few numbers: its sd, the share of successes, or for other links its mean."""
    used = response_used(model.design, model.family)
    name = _name(model)
    if model.family.takes_trials or model.family.binary:
        return f"{name}: {fraction(used.mean)} of the trials succeed"
    if not model.family.link.linear:
        return f"{name} has mean {sized(used.mean)}"
    spread = sized(float(np.std(used.y, ddof=1))) if len(used.y) > 1 else ""
    return f"{_predicted(model)} has sd {spread}" if spread else name


def _implied_table(found: list[Implied], predicted: str) -> pd.DataFrame:
    rows = []
    for row in found:
        if not row.flat:
            middle, low, high = _implied_quantiles(row)
            texts = {"50 % below": middle, "90 % from": low, "to": high}
            rows.append({"factor": row.factor or predicted, "implied": _WORDS[row.quantity], **texts})
    return pd.DataFrame(rows)


def _range(row: Implied) -> str:
    if row.flat:
        return _undefined(row)
    middle, low, high = _implied_quantiles(row)
    return f"{low} to {high} (median {middle})"


def _implied_quantiles(row: Implied) -> list[str]:
    show = fraction if row.quantity == "share" else sized
    return [show(q) for q in row.quantiles(OUTER)]


def _undefined(row: Implied) -> str:
    return f"not defined: flat prior on {', '.join(row.flat)}"


def fraction(value: float) -> str:
    """A share or a correlation with two decimals, empty where there is none."""
    return "" if value != value else f"{value:.2f}"


def sized(value: float) -> str:
    """A number with three significant digits, whole from 100 on, without an exponent between 1e-4 and 1e7.

    >>> sized(574.47), sized(48.891), sized(0.10511), sized(float("nan"))
    ('574', '48.9', '0.105', '')
    """
    if value != value:
        return ""
    if value == 0 or not np.isfinite(value):
        return f"{value:g}"
    if not 1e-4 <= abs(value) < 1e7:
        return f"{value:.2e}"
    return f"{value:.{max(0, 2 - floor(log10(abs(value))))}f}"
