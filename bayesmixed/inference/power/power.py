"""How likely is it that a study of this size finds an effect of this size?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ...degrees.methods import METHODS
from ...engines.base import Engine
from ...engines.ml import ML, REML
from ...errors import FitError, checked_probability, nearest, with_known_options
from ...fits.base import is_fit
from ...fits.point import PointFit
from ...model import Model
from ...prediction.seeds import is_whole, whole_seed
from ..replicates.run import Done, Workers, run
from .decisions import Decided
from .extended import checked_sizes
from .result import Power, doubts
from .settings import RATIO, WALD, Judged, PowerReplicates, Setting, checked_effects, settings, sizes
from .table import power_table
from .tested import Tested, tested
from .truth import named_params

KNOWN = (RATIO, *WALD, *METHODS)


@with_known_options
def power(
    model: Any,
    params: Mapping[str, Any] | PointFit | None = None,
    test: str | Sequence[str] | None = None,
    *,
    levels: Mapping[str, Any] | None = None,
    repeats: Mapping[str, Any] | None = None,
    effect: Mapping[str, Any] | None = None,
    n: int = 1000,
    alpha: float = 0.05,
    method: str | Callable[[PointFit], Any] | None = None,
    seed: int | None = None,
    n_jobs: int = 1,
    client: Any = None,
    progress: bool | None = None,
) -> Power:
    """Power by simulation: data are drawn from stated parameters, on designs of several sizes, and tested.

    Every combination of `levels`, `repeats` and `effect` is a setting. All settings draw from the same seeds: two of
    them differ by what they are, and less by chance than two independent simulations would.

    Parameters
    ----------
    model
        The model whose data are the template, its response not used; or a fit: its model, its estimates as `params`,
        its engine.
    params
        Every parameter by name, as `bm.simulate` takes them, or a fit with these estimates.
    test
        A coefficient, or a term: all of its coefficients jointly, as `bm.anova(fit)` tests them (type III); a list
        tests each. By default what `effect` varies.
    levels
        Numbers of levels by grouping factor: ``{"Subject": [10, 20, 40]}``. More are copies of whole levels under new
        names, with all that is inside them; fewer are some of them, those of like treatment in like shares. Of a factor
        inside another ("school:class"), levels in each level of that.
    repeats
        How often each row is repeated within the levels of a factor: ``{"Subject": [1, 2]}``.
    effect
        Values of parameters to try: ``{"x": [0.2, 0.5]}``.
    n
        Data sets per setting.
    alpha
        Level of the tests.
    method
        "satterthwaite", "kenward-roger", or any other name that ``ddf=`` takes: F tests with these degrees of freedom.
        "wald": normal. "lrt": likelihood ratio by ML, chi-squared. Or a function of a fit that returns True where an
        effect is found (or a p-value): of Bayesian decisions ``lambda fit: decide(fit.model.fit("nuts"))``. By default
        the tests of `bm.hypothesis`: Satterthwaite's for linear mixed models, "wald" for generalized ones.
    seed
        Same seed, same table, whatever the number of workers.
    n_jobs, client, progress
        As in `bm.bootstrap`.

    Returns
    -------
    Power
        Prints power with exact limits, mean estimate, exaggeration and wrong signs; `frame` the table, `smallest` the
        size for a wanted power, `bm.plot.power` the curve.

    Raises
    ------
    FitError
        For an unknown test, factor or method; sizes that are no whole numbers; alpha outside (0, 1).
    ModelError
        For parameters that are missing or unknown.

    Notes
    -----
    Linear models are fitted by REML ("lrt": by ML) unless a fit says otherwise, generalized ones by ML. Columns of the
    template are kept as they are: what a formula centres is not centred anew. Replicates whose fit failed do not count.

    References
    ----------
    Green & MacLeod (2016), Methods Ecol. Evol. 7, 493-498 (simr); Gelman & Carlin (2014), Perspect. Psychol. Sci. 9,
    641-651.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> curve = bm.power(fit, test="Days", levels={"Subject": [6, 12]}, effect={"Days": 5}, n=200, seed=1)
    >>> curve.frame[["Subject", "Days", "power"]].round(2).to_dict("list")
    {'Subject': [6, 12], 'Days': [5, 5], 'power': [0.33, 0.65]}
    """
    template, values, engine = _template(model, params, method)
    _check(n, alpha, method)
    trials = checked_effects(effect)
    asked = checked_sizes(template, levels, "levels", 2), checked_sizes(template, repeats, "repeats", 1)
    tests = tested(template, test, trials, callable(method))
    judged = Judged(tests, engine, method, whole_seed(seed))
    wanted = sizes(*asked, trials)
    made = settings(template, values, wanted, judged)
    task = PowerReplicates(made, int(n), judged.seed)
    done = run(task, len(made) * int(n), Workers(n_jobs, client, progress))
    replicates, first = _replicates(done, tests)
    if replicates["p"].isna().all():
        raise FitError(
            f"None of the {len(made) * int(n)} replicates could be used; the first: {first}.", topic="replicates-failed"
        )
    frame = power_table(replicates, made, tests, alpha)
    return Power(
        frame=frame,
        replicates=replicates,
        sizes=tuple(wanted[0].columns),
        model=template,
        title=_title(made[0], tests, judged, alpha, int(n)),
        alpha=alpha,
        n=int(n),
        seed=judged.seed,
        notes=doubts(frame, int(n), first, done.interrupted),
    )


def _template(model: Any, params: Any, method: Any) -> tuple[Model, Mapping[str, Any], Engine]:
    """The model, the values of its parameters by name, and what it is fitted by."""
    given = [each for each in (model, params) if is_fit(each)]
    if any(fit.sampled for fit in given):
        raise FitError(
            "power draws data from one value of each parameter, and draws have many: give a fit by maximum likelihood, "
            'or params={...}, such as posterior means. Decide by draws with method=: lambda fit: fit.model.fit("nuts")'
            " and what follows of it, True or False.",
            topic="stated-parameters",
        )
    template = model.model if is_fit(model) else model
    if not hasattr(template, "with_response"):
        raise FitError(
            f'power takes a model, bm.Model("y ~ x + (1 | g)", data), or a fit, not {model!r}.', topic="needs-a-model"
        )
    values = model if params is None and is_fit(model) else params
    if values is None:
        values = {}  # the error says all that the model has
    ratio = method == RATIO if isinstance(method, str) else False
    plain: Engine = REML() if template.linear and not ratio else ML()
    engine = given[0].engine if given else plain
    engine = ML() if ratio and engine.restricted else engine
    return template, named_params(values) if is_fit(values) else values, engine


def _check(n: Any, alpha: Any, method: Any) -> None:
    if not is_whole(n) or n < 2:
        raise FitError(f"n must be a whole number, at least 2, not {n!r}.", topic="whole-number")
    checked_probability(alpha, "alpha")
    if method is not None and not callable(method) and method not in KNOWN:
        raise FitError(
            f"method={method!r} is no test here. {nearest(str(method), KNOWN)} Or a function of a fit.",
            topic="unknown-option",
        )


def _replicates(done: Done, tests: Sequence[Tested]) -> tuple[pd.DataFrame, str]:
    """The table of replicates, and why the first failed."""
    parts: list[tuple[int, int, Decided]] = [each for part in done.parts for each in part]
    tables, first = [], ""
    for setting, start, decided in parts:
        reasons = decided.reasons
        first = first or (reasons[min(reasons)] if reasons else "")
        for t, test in enumerate(tests):
            columns = {
                "setting": setting,
                "replicate": start + np.arange(len(decided.p)),
                "test": test.name,
                "estimate": decided.estimates[:, t],
                "p": decided.p[:, t],
                "singular": decided.singular,
            }
            tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True), first.rstrip(".")


def _title(setting: Setting, tests: Sequence[Tested], judged: Judged, alpha: float, n: int) -> str:
    names = ", ".join(test.name for test in tests)
    by = f"{judged.engine.label}, {setting.method}, alpha {alpha:g}"
    return f"Power of {names} in {setting.model.formula.line} ({by}), {n} data sets each, seed {judged.seed}:"
