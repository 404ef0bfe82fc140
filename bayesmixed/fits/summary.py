"""What ``fit.summary()`` shows: lme4's layout for point fits, brms's for draws, from the same parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy

from ..messages import Told
from ..page import Page, Section, column, places, probability
from . import tables
from .convergence import HOPELESS, rhat_text
from .told_apart import family_words

if TYPE_CHECKING:
    from ..degrees.reference import Reference
    from .base import Fit
    from .draws import DrawsFit
    from .point import PointFit

Summary = Page
PROBABILITY = "Pr(>|{}|)"  # of z or t
HEADING = 9  # letters of a coefficient that can stand above its correlations


def point_summary(fit: PointFit, judged_by: Reference | None) -> Summary:
    """lme4's summary: criterion, scaled residuals, random effects, fixed effects and their correlation.

    Where `judged_by` says how coefficients are tested it is lmerTest's.
    """
    sections = [
        _heading(fit, f"{_kind(fit)} fit by {_method(fit)}"),
        Section("", _information(fit), index=False),
        Section("Scaled residuals:", _scaled_residuals(fit), index=False),
        *_random_effects(fit, variances=True),
        _fixed_effects(*(_tested(fit) if judged_by is None else _judged(fit, judged_by))),
        *_correlation_of_fixed_effects(fit),
        *_notes(fit),
    ]  # fmt: skip
    return Page(tuple(sections))


def draws_summary(fit: DrawsFit) -> Summary:
    """brms's summary: one table per level of the model, then how sampling went."""
    from .draws import draws_table

    names = ["Estimate", "Est.Error", "l-95% CI", "u-95% CI", "Rhat", "Bulk_ESS", "Tail_ESS"]
    digits: tuple[int, ...] = (2, 2, 2, 2, 2, 0, 0)
    scalars = tables.scalar_table(fit.model.design, fit.parameters)
    scalars = scalars[~((scalars["kind"] == "dispersion") & scalars["parameter"].isin(list(fit.model.constants)))]
    values = np.stack(list(scalars["values"]), axis=-1)
    table = draws_table(values, list(scalars["label"]), chained=fit.status.chained).set_axis(names, axis=1)
    if not fit.status.chained:
        table, digits = table[names[:4]], digits[:4]
    title = f"{_kind(fit)}, {fit.engine.heading or f'posterior by {fit.label}'}"
    sections = [_heading(fit, title), Section("", lines=(_sampling(fit),))]
    for factor, levels in {t.factor: t.n_levels for t in fit.model.design.groups}.items():
        rows = (scalars["group"] == factor).to_numpy()
        kinds = scalars[rows]
        short = [f"{kind}({name})" for kind, name in zip(kinds["kind"], kinds["parameter"], strict=True)]
        part = _formatted(table[rows].set_axis(short, axis=0), digits)
        sections.append(Section(f"Group effects: ~{factor} (number of levels: {levels})", part))
    for kind, heading in (("fixed", "Population-level effects:"), ("dispersion", "Family-specific parameters:")):
        rows = (scalars["kind"] == kind).to_numpy()
        if rows.any():
            sections.append(Section(heading, _formatted(table[rows], digits)))
    return Page((*sections, _diagnostics(fit), *_notes(fit)))


def _tested(fit: PointFit) -> tuple[pd.DataFrame, tuple[int, ...]]:
    """Estimates with t values; with z values and their p of generalized models, as lme4 prints."""
    table = fit.coefficients[["estimate", "se", "statistic"]]
    if fit.model.linear:
        return table.set_axis(["Estimate", "Std. Error", "t value"], axis=1), (3, 3, 3)
    tested = table.assign(p=2 * scipy.special.ndtr(-np.abs(table["statistic"])))
    return tested.set_axis(["Estimate", "Std. Error", "z value", PROBABILITY.format("z")], axis=1), (3, 3, 3, 4)


def _judged(fit: PointFit, judged_by: Reference) -> tuple[pd.DataFrame, tuple[int, ...], tuple[str, ...]]:
    """Estimates with the standard errors, degrees of freedom and p-values of a reference, and what it is."""
    rows = np.eye(len(judged_by.root))
    estimate = pd.Series(judged_by.coefficients(fit), index=list(fit.model.design.coefficients))
    se, df = np.linalg.norm(judged_by.root, axis=1), judged_by.df(rows)
    table = pd.DataFrame({"Estimate": estimate, "Std. Error": se})
    statistic, letter = estimate / se, "z" if np.isinf(df).all() else "t"
    if letter == "t":
        table["df"] = df
    table[f"{letter} value"] = statistic
    table[PROBABILITY.format(letter)] = 2 * scipy.special.stdtr(df, -np.abs(statistic))
    tests = Told("standard-errors", f"Tests: {judged_by.words}.")
    lines = (tests, *filter(None, (judged_by.errors,)), *judged_by.notes)
    return table, (3, 3, 1, 3, 4) if letter == "t" else (3, 3, 3, 4), lines


def _method(fit: PointFit) -> str:
    if fit.model.linear or not fit.model.design.groups or fit.engine.quadrature != 1:
        return fit.label
    return f"{fit.label}, Laplace approximation"


def _kind(fit: Fit) -> str:
    mixed = "mixed model" if fit.model.design.groups else "model"
    return f"Linear {mixed}" if fit.model.linear else f"Generalized linear {mixed}"


def _heading(fit: Fit, title: str) -> Section:
    model = fit.model
    dropped = f", {model.design.n_dropped} dropped for missing values" if model.design.n_dropped else ""
    first, *others = model.formula.texts
    lines = [
        f"Formula: {first}",
        *(f"         {text}" for text in others),
        f"   Data: {model.design.n_rows} rows{dropped}",
    ]
    if not model.linear:
        levels = model.design.response.levels if model.design.response else None
        success = f", of {model.design.response.name} = {levels[1]!r}" if levels else ""  # type: ignore[union-attr]
        lines.append(f" Family: {family_words(model)}{success}")
    lines += [f"  Fixed: {name} = {value:g}" for name, value in model.constants.items()]
    priors = fit.engine.priors_used(model)
    lines += [f" Priors: {priors}"] if priors else []
    return Section(title, lines=tuple(lines))


def _information(fit: PointFit) -> pd.DataFrame:
    name = "REML criterion" if fit.engine.restricted else "deviance"
    values = {"AIC": fit.aic, "BIC": fit.bic, "logLik": fit.loglik, name: fit.deviance}
    if fit.engine.regularised:
        values["penalised"] = fit.criterion
    row = {key: column([value], 1)[0] for key, value in values.items()}
    return pd.DataFrame([row | {"df.resid": str(fit.n_obs - fit.n_parameters)}])


def _scaled_residuals(fit: PointFit) -> pd.DataFrame:
    weights = fit.model.design.weights
    scaled = fit.residuals("pearson").to_numpy()
    scaled = scaled if weights is None else scaled[weights > 0]
    found = np.quantile(scaled, [0, 0.25, 0.5, 0.75, 1])
    return pd.DataFrame([dict(zip(["Min", "1Q", "Median", "3Q", "Max"], column(found, 4), strict=True))])


def _random_effects(fit: Fit, variances: bool) -> list[Section]:
    groups = fit.model.design.groups
    table = fit.varcorr()
    shown = pd.DataFrame({"Groups": table["group"].where(table["group"] != table["group"].shift(), "")})
    shown["Name"] = table["name"]
    columns = {"Variance": table["sd"] ** 2} if variances else {}
    for name, values in (columns | {"Std.Dev.": table["sd"]}).items():
        shown[name] = column(values, places(values))
    for i, name in enumerate(table.columns[3:]):
        shown["Corr" if i == 0 else " " * i] = ["" if np.isnan(v) else f"{v:z.2f}" for v in table[name]]
    levels = {term.factor: term.n_levels for term in groups}
    counts = "; ".join(f"{factor}, {n}" for factor, n in levels.items())
    line = f"Number of obs: {fit.n_obs}" + (f", groups: {counts}" if counts else "")
    dispersion = {k: float(np.mean(v)) for k, v in fit.parameters.dispersion.items() if k != "sigma"}
    lines = [*(f"{name}: {value:.4g}" for name, value in dispersion.items()), line]
    if not len(shown):
        return [Section("", lines=tuple(lines))]
    return [Section("Random effects:" if groups else "Residual:", shown, tuple(lines), index=False)]


def _fixed_effects(table: pd.DataFrame, digits: tuple[int, ...], lines: tuple[str, ...] = ()) -> Section:
    if not len(table):
        return Section("Fixed effects: none")
    return Section("Fixed effects:", _formatted(table, digits), lines)


def _correlation_of_fixed_effects(fit: PointFit) -> list[Section]:
    covariance = fit.vcov()
    if not 2 <= len(covariance) <= 20:
        return []
    se = np.sqrt(np.diag(covariance))
    correlation = covariance.to_numpy() / np.outer(se, se)
    names = list(covariance.index)
    rows = [[f"{correlation[i, j]:z.3f}" if j < i else "" for j in range(len(names) - 1)] for i in range(1, len(names))]
    heads, labels = names[:-1], names[1:]
    if max(map(len, heads)) > HEADING:  # numbers that the rows explain
        heads = [f"({i + 1})" for i in range(len(heads))]
        names = [f"({i + 1}) {name}" for i, name in enumerate(names)]
        labels, rows = names, [[""] * len(heads), *rows]
    return [Section("Correlation of fixed effects:", pd.DataFrame(rows, index=labels, columns=heads))]


def _sampling(fit: DrawsFit) -> str:
    chains, draws = fit.parameters.beta.shape[:2]
    if not fit.status.chained:
        return f"  Draws: {draws}, independent"
    return f"  Draws: {chains} chains, {draws} draws each; total {chains * draws}"


def _diagnostics(fit: DrawsFit) -> Section:
    s = fit.status
    if not s.chained:
        return Section("", lines=(f"{s.route}.", *_weighted(fit)))
    sampling = f"Divergences: {s.divergences}."
    if not np.isnan(s.mean_tree_depth):
        sampling += f" Tree depth: mean {s.mean_tree_depth:.1f}, at its limit in {100 * s.share_at_max_depth:.1f} %."
    mixing = f"Max R-hat: {rhat_text(s.max_rhat)}. Min ESS: {s.min_ess_bulk:.0f} bulk, {s.min_ess_tail:.0f} tail."
    if not np.isnan(s.min_bfmi):
        mixing += f" Min BFMI: {s.min_bfmi:.2f}."
    return Section("", lines=(s.sampled or f"Sampled: {s.route}.", sampling, mixing, *filter(None, [s.warmup])))


def _weighted(fit: DrawsFit) -> list[str]:
    s = fit.status
    numbers = f"Weights of the proposals: Pareto k {s.pareto_k:.2f}, worth {s.ess_weights:.0f} independent draws"
    numbers += "." if s.distinct_draws is None else f"; {s.distinct_draws} of them are kept."
    if s.effect_shift > 0:
        numbers += f" Means of effects are {s.effect_shift:.2f} conditional sds from their modes on average."
    verdict = "No problem of this approximation was detected." if not s.problems else "Read this before relying on it:"
    return [numbers, verdict]


def _notes(fit: Fit) -> list[Section]:
    every = fit.model.design.predictors.values()
    aliased = [f"{predictor.prefix}{name}" for predictor in every for name in predictor.aliased]
    lines = list(fit.status.problems)
    if aliased:
        dropped = "Dropped because other columns determine them: " + ", ".join(aliased) + "."
        lines.append(Told("dropped-columns", dropped))
    return [Section("", lines=tuple(lines))] if lines else []


def _formatted(table: pd.DataFrame, digits: tuple[int, ...]) -> pd.DataFrame:
    """Each column at its digits; estimates and their limits at as many more as small standard errors need."""
    if not len(table):
        return table.astype(str)
    finest = places(table.iloc[:, 1], digits[0])
    shown = {}
    for name, least in zip(table.columns, digits, strict=True):
        own = least == digits[0] and name not in ("t value", "z value", "Rhat")
        shown[name] = column(table[name], finest if own else least)
    for name in {PROBABILITY.format("z"), PROBABILITY.format("t")} & shown.keys():
        shown[name] = [probability(p) for p in table[name]]
    if "Rhat" in shown:
        pairs = zip(table["Rhat"], shown["Rhat"], strict=True)
        shown["Rhat"] = [f">{HOPELESS:g}" if value > HOPELESS else text for value, text in pairs]
    return pd.DataFrame(shown, index=table.index)
