"""bayesmixed: mixed models from an lme4-style formula, by ML, REML and NUTS, with the same questions afterwards.

    import bayesmixed as bm

    sleep = bm.load_data("sleepstudy")  # or a DataFrame of your own
    model = bm.Model("Reaction ~ Days + (Days | Subject)", sleep)
    print(model)  # terms, groups, parameters, priors
    fit = model.fit("reml")  # or "ml", "map", "laplace", "nuts"
    print(fit)
    bm.plot.shrinkage(fit)

`help(bm.Model)`, `help(bm.Model.fit)` and `help` of every other name say the rest.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from . import covariance as covariance
    from . import errors as errors
    from . import families as families
    from . import plots as plot
    from . import priors as priors
    from .checks.calibration.sbc import sbc as sbc
    from .checks.diagnosis.diagnose import diagnose as diagnose
    from .checks.loo.compare import loo_compare as loo_compare
    from .checks.loo.leave_one_out import loo as loo
    from .checks.predictive.pp_check import pp_check as pp_check
    from .checks.predictive.residual_checks import residual_checks as residual_checks
    from .data import list_data as list_data
    from .data import load_data as load_data
    from .effects.comparisons import comparisons as comparisons
    from .effects.emmeans import emmeans as emmeans
    from .effects.inverse import inverse_predict as inverse_predict
    from .effects.odds import odds_ratios as odds_ratios
    from .effects.predictions import predictions as predictions
    from .effects.slopes import slopes as slopes
    from .engines import MAP as MAP
    from .engines import ML as ML
    from .engines import NUTS as NUTS
    from .engines import REML as REML
    from .engines import Laplace as Laplace
    from .engines.machine.compilation_cache import compilation_cache as compilation_cache
    from .engines.machine.x64 import x64 as x64
    from .engines.program import Program as Program
    from .families import links as links
    from .fits.side_by_side import side_by_side as side_by_side
    from .formula.formula import Formula as Formula
    from .inference.anova import anova as anova
    from .inference.bootstrap.bootstrap import bootstrap as bootstrap
    from .inference.bootstrap.ratio_test import bootstrap_test as bootstrap_test
    from .inference.confint import confint as confint
    from .inference.drop1 import drop1 as drop1
    from .inference.hypothesis.hypothesis import hypothesis as hypothesis
    from .inference.influence.influence import influence as influence
    from .inference.multi_start import multi_start as multi_start
    from .inference.permutation.permutation_test import permutation_test as permutation_test
    from .inference.power.power import power as power
    from .inference.profile.profile import profile as profile
    from .inference.structure.maximal import maximal as maximal
    from .inference.structure.simplify import simplify as simplify
    from .model import Model as Model
    from .prediction.from_nothing import simulate as simulate
    from .saving.files import load as load
    from .summaries.pooled.pooling import pooling as pooling
    from .summaries.pooled.ranks import ranks as ranks
    from .summaries.report.cite import cite as cite
    from .summaries.report.write_up import report as report
    from .summaries.variance.icc import icc as icc
    from .summaries.variance.r2 import r2 as r2
    from .versions import show_versions as show_versions

# name -> module that defines it (a module name alone is the module itself); loaded when first asked for
_PUBLIC = {
    "Formula": "formula.formula",
    "Laplace": "engines",
    "MAP": "engines",
    "ML": "engines",
    "Model": "model",
    "NUTS": "engines",
    "Program": "engines.program",
    "REML": "engines",
    "anova": "inference.anova",
    "bootstrap": "inference.bootstrap.bootstrap",
    "bootstrap_test": "inference.bootstrap.ratio_test",
    "cite": "summaries.report.cite",
    "comparisons": "effects.comparisons",
    "compilation_cache": "engines.machine.compilation_cache",
    "confint": "inference.confint",
    "diagnose": "checks.diagnosis.diagnose",
    "drop1": "inference.drop1",
    "emmeans": "effects.emmeans",
    "hypothesis": "inference.hypothesis.hypothesis",
    "icc": "summaries.variance.icc",
    "influence": "inference.influence.influence",
    "inverse_predict": "effects.inverse",
    "list_data": "data",
    "load": "saving.files",
    "load_data": "data",
    "loo": "checks.loo.leave_one_out",
    "loo_compare": "checks.loo.compare",
    "maximal": "inference.structure.maximal",
    "multi_start": "inference.multi_start",
    "odds_ratios": "effects.odds",
    "permutation_test": "inference.permutation.permutation_test",
    "pooling": "summaries.pooled.pooling",
    "power": "inference.power.power",
    "pp_check": "checks.predictive.pp_check",
    "predictions": "effects.predictions",
    "profile": "inference.profile.profile",
    "r2": "summaries.variance.r2",
    "ranks": "summaries.pooled.ranks",
    "report": "summaries.report.write_up",
    "residual_checks": "checks.predictive.residual_checks",
    "sbc": "checks.calibration.sbc",
    "show_versions": "versions",
    "side_by_side": "fits.side_by_side",
    "simplify": "inference.structure.simplify",
    "simulate": "prediction.from_nothing",
    "slopes": "effects.slopes",
    "x64": "engines.machine.x64",
}
_MODULES = {
    "covariance": "covariance",
    "errors": "errors",
    "families": "families",
    "links": "families.links",
    "plot": "plots",
    "priors": "priors",
}

__all__ = [
    "MAP",
    "ML",
    "NUTS",
    "REML",
    "Formula",
    "Laplace",
    "Model",
    "Program",
    "anova",
    "bootstrap",
    "bootstrap_test",
    "cite",
    "comparisons",
    "compilation_cache",
    "confint",
    "covariance",
    "diagnose",
    "drop1",
    "emmeans",
    "errors",
    "families",
    "hypothesis",
    "icc",
    "influence",
    "inverse_predict",
    "links",
    "list_data",
    "load",
    "load_data",
    "loo",
    "loo_compare",
    "maximal",
    "multi_start",
    "odds_ratios",
    "permutation_test",
    "plot",
    "pooling",
    "power",
    "pp_check",
    "predictions",
    "priors",
    "profile",
    "r2",
    "ranks",
    "report",
    "residual_checks",
    "sbc",
    "show_versions",
    "side_by_side",
    "simplify",
    "simulate",
    "slopes",
    "x64",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        value: Any = import_module(f".{_MODULES[name]}", __name__)
    elif name in _PUBLIC:
        value = getattr(import_module(f".{_PUBLIC[name]}", __name__), name)
    elif name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    else:
        from .fits.other_packages import function

        answer = function(name, __all__, import_module(".plots", __name__).__all__)
        raise AttributeError(f"bayesmixed has no {name!r}. {answer}", name=name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
