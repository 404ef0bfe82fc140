"""Fits on disk: formula, the columns used, estimates or draws in one NetCDF file, JSON inside; nothing is pickled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError, FitError
from ..families import FAMILIES, LINKS, Link
from ..fits.base import Fit
from ..fits.draws import DrawsFit
from ..fits.point import PointFit, point_values
from ..fits.status import DrawsStatus, PointStatus
from ..formula.formula import Formula
from ..interop.json import from_plain, to_plain
from ..model import Model, restored
from ..parameters.values import Parameters
from ..priors import Priors
from . import saved_priors
from .saved_problems import topics_of, with_topics

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

_POINT = ("theta", "coefficient_root")
_CURVATURE = ("x", "hessian", "free")
_RENAMED = {"beta": "coefficients", "beta_root": "coefficient_root"}  # since files of earlier versions
OTHER_FORMATS = (".json", ".pkl", ".pickle", ".csv", ".parquet", ".rds", ".html", ".txt", ".zarr")
_ALWAYS = ("posterior", "sample_stats", "observed_data")  # groups that a fit makes by itself


def save(fit: Fit, path: str | Path) -> Path:
    """Write a fit to one NetCDF file.

    Parameters
    ----------
    fit
        Any fit.
    path
        The file; ".nc" is added where there is no suffix.

    Returns
    -------
    Path
        Where it was written.
    """
    from ..interop import netcdf

    path = _writable(path)
    kind, numbers, groups = _draws_parts(fit) if fit.sampled else _point_parts(fit)  # type: ignore[arg-type]
    content = {"kind": kind, "model": _model_content(fit.model), "numbers": numbers}
    content |= {"engine": _engine_content(fit), "status": {k: to_plain(v) for k, v in asdict(fit.status).items()}}
    content |= {"topics": topics_of(fit.status.problems)}
    netcdf.write(path, content, _frame(fit.model), groups)
    return path


def _writable(path: str | Path) -> Path:
    try:
        path = Path(path)
    except TypeError:
        raise DataError(f'The path must be a text such as "fit.nc", not {path!r}.', topic="path") from None
    if path.is_dir():
        raise DataError(f"{str(path)!r} is a folder: give a file in it, {str(path / 'fit.nc')!r}.", topic="path")
    if not path.parent.is_dir():
        raise DataError(f"There is no folder {str(path.parent)!r} to write {path.name!r} to.", topic="path")
    if path.suffix.lower() in OTHER_FORMATS:
        raise DataError(
            f"A fit is saved as NetCDF, which {path.name!r} does not say: name it {path.stem + '.nc'!r}.", topic="path"
        )
    return path if path.suffix else path.with_suffix(".nc")


def _readable(path: str | Path) -> Path:
    """The file, or what `save` made of a name without suffix."""
    try:
        path = Path(path)
    except TypeError:
        raise DataError(f'The path must be a text such as "fit.nc", not {path!r}.', topic="path") from None
    named = path.with_suffix(".nc") if path.name and not path.suffix else path
    return named if named.is_file() and not path.is_file() else path


def load(
    path: str | Path, *, namespace: Mapping[str, Any] | None = None, family: Any = None, priors: Any = None
) -> Fit:
    """Read a fit that `fit.save` wrote; it predicts, simulates and summarises as before.

    Parameters
    ----------
    path
        The file, with or without the ".nc" that `save` adds.
    namespace, family, priors
        User code, which is not stored: functions the formula uses, a custom family, prior
        distributions without a name of their own (the error lists what is missing), a function that made the
        priors (needed only for ``fit.model.replace``).

    Returns
    -------
    PointFit or DrawsFit

    Raises
    ------
    DataError
        A file that is not there, or that no fit was saved to; user code that is not given.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> fit = bm.Model("Yield ~ 1 + (1 | Batch)", bm.load_data("Dyestuff")).fit("ml")
    >>> with TemporaryDirectory() as folder:
    ...     again = bm.load(fit.save(Path(folder) / "fit.nc"))
    >>> again.loglik == fit.loglik
    True
    """
    from ..interop import netcdf

    content, frame, groups = netcdf.read(_readable(path))
    model = _model(content["model"], frame, namespace, family, priors)
    plain: dict[str, Any] = {name: from_plain(value) for name, value in content["status"].items()}
    status: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()}
    status["problems"] = with_topics(status["problems"], content.get("topics"))
    if content["kind"] == "point":
        return _point(model, _engine(content), content["numbers"], groups["estimates"], PointStatus(**status))
    return _draws(model, _engine(content), content["numbers"], groups, DrawsStatus(**status))


def _point_parts(fit: PointFit) -> tuple[str, dict[str, Any], dict[str, xr.Dataset]]:
    values = fit.parameters
    arrays = {name: getattr(fit, name) for name in _POINT} | {"coefficients": values.stacked[0, 0]}
    arrays |= {f"roots_{j}": factor[0, 0] for j, factor in enumerate(values.factors)}
    arrays |= {f"b_{j}": effects for j, effects in enumerate(fit.b)}
    arrays |= {f"b_covariances_{j}": spread for j, spread in enumerate(fit.b_covariances)}
    numbers = {name: getattr(fit, name) for name in ("dispersion", "criterion", "loglik", "n_parameters")}
    bends = fit.curvature
    arrays |= {} if bends is None else {f"curvature_{name}": getattr(bends, name) for name in _CURVATURE}
    return "point", to_plain(numbers), {"estimates": _dataset(arrays)}


def _point(model: Model, engine: Any, numbers: Any, arrays: xr.Dataset, status: PointStatus) -> PointFit:
    if "beta_covariance" in arrays:  # files of earlier versions hold the covariance itself, or another name
        from ..likelihood.working.basis import root

        arrays = arrays.assign(coefficient_root=(["from", "to"], root(arrays["beta_covariance"].to_numpy())))
    arrays = arrays.rename({old: new for old, new in _RENAMED.items() if old in arrays})
    values: dict[str, Any] = {name: arrays[name].to_numpy() for name in _POINT}
    values["b_covariances"] = _per_term("b_covariances", model, arrays)
    if "curvature_x" in arrays:
        from ..likelihood.criteria.hessian import Curvature

        values["curvature"] = Curvature(*(arrays[f"curvature_{name}"].to_numpy() for name in _CURVATURE))
    known = from_plain(numbers)
    values["parameters"] = _point_parameters(model, arrays, known.pop("dispersion"))
    return PointFit(model=model, engine=engine, status=status, **values, **known)


def _point_parameters(model: Model, arrays: xr.Dataset, dispersion: Mapping[str, float]) -> Parameters:
    stacked, b = arrays["coefficients"].to_numpy(), _per_term("b", model, arrays)
    coefficients = {name: stacked[place] for name, place in model.design.places.items()}
    if "factors_0" in arrays:  # files of earlier versions hold relative ones
        return point_values(model, coefficients, _per_term("factors", model, arrays), b, dispersion)
    return Parameters.point(coefficients, _per_term("roots", model, arrays), b, dispersion)


def _per_term(name: str, model: Model, arrays: xr.Dataset) -> tuple[np.ndarray, ...]:
    return tuple(arrays[f"{name}_{j}"].to_numpy() for j in range(len(model.design.groups)))


def _draws_parts(fit: DrawsFit) -> tuple[str, dict[str, Any], dict[str, xr.Dataset]]:
    from ..interop import arviz

    groups = {name: arviz.group(fit.idata, name) for name in arviz.group_names(fit.idata)}
    return "draws", to_plain({"seed": fit.seed}), groups


def _draws(model: Model, engine: Any, numbers: Any, groups: dict[str, xr.Dataset], status: DrawsStatus) -> DrawsFit:
    from ..interop.natural_values import natural_values

    parameters = natural_values(model, groups["posterior"])
    statistics = {str(name): values.to_numpy() for name, values in groups["sample_stats"].items()}
    further = {name: data for name, data in groups.items() if name not in _ALWAYS}
    return DrawsFit(model, engine, parameters, statistics, status, **from_plain(numbers), further=further)


def _dataset(arrays: Mapping[str, np.ndarray]) -> xr.Dataset:
    import xarray as xr

    return xr.Dataset({name: ([f"{name}_dim_{i}" for i in range(value.ndim)], value) for name, value in arrays.items()})


def _model_content(model: Model) -> dict[str, Any]:
    arguments, encoding = model.arguments, model.design.encoding
    proportion = model.design.response is not None and model.design.response.proportion
    weights = (encoding.trials, model.design.trials) if proportion else (encoding.weights, model.design.weights)
    return {
        "formula": list(encoding.formula.texts),
        "family": model.family.name,
        "link": _link_content(model.family.link),
        "contrasts": {name: to_plain(value) for name, value in encoding.contrasts.items()},
        "constants": dict(model.constants),
        "missing": arguments.missing,
        "check": arguments.check,
        "n_dropped": model.design.n_dropped,
        "namespace": list(encoding.own_names),
        "weights": _given_content(*weights),
        "offset": _given_content(encoding.offset, None),
    } | saved_priors.content_of(model)


def _link_content(link: Link) -> dict[str, Any]:
    """The link's name and its asymptotes, where it has such."""
    return {"name": link.name} | {field.name: getattr(link, field.name) for field in fields(link)}


def _link(content: dict[str, Any]) -> Link:
    chosen = LINKS[content["name"]]
    return replace(chosen, **{name: value for name, value in content.items() if name != "name"})


def _given_content(given: Any, values: np.ndarray | None) -> dict[str, Any] | None:
    if given is None:
        return None
    if given.text is not None:
        return {"text": given.text}
    return {"array": to_plain(given.array if values is None else values)}


def _frame(model: Model) -> pd.DataFrame:
    return model.frame


def _model(content: dict[str, Any], frame: pd.DataFrame, namespace: Any, family: Any, priors: Any) -> Model:
    _need(content, namespace, family, priors)
    model = Model(
        Formula(*content["formula"]),
        frame,
        family=family or content["family"],
        link=_link(content["link"]),
        priors=saved_priors.numbers_in(content) if priors is None else priors,
        weights=_given(content["weights"]),
        offset=_given(content["offset"]),
        contrasts={name: from_plain(value) for name, value in content["contrasts"].items()} or None,
        constants=content["constants"] or None,
        namespace=namespace,
        missing=content["missing"],
        check=content["check"],
    )
    return restored(model, content["n_dropped"], saved_priors.asked_in(content) if priors is None else priors)


def _need(content: dict[str, Any], namespace: Any, family: Any, priors: Any) -> None:
    if content["family"] not in FAMILIES and family is None:
        raise DataError(
            f"The file was fitted with a family of your own, {content['family']!r}: call bm.load(path, family=...) "
            "with what bm.families.custom made.",
            topic="own-code",
        )
    missing = [name for name in content["namespace"] if name not in (namespace or {})]
    if missing:
        raise DataError(
            f"The formula uses {', '.join(missing)}: call bm.load(path, namespace={{...}}) with them.", topic="own-code"
        )
    if content["unnamed_priors"] and priors is None:
        names = ", ".join(content["unnamed_priors"])
        raise DataError(
            f"The priors of {names} are distributions of your own: call bm.load(path, priors={{...}}).",
            topic="own-code",
        )


def _given(content: dict[str, Any] | None) -> Any:
    if content is None:
        return None
    return content["text"] if "text" in content else from_plain(content["array"])


def _engine_content(fit: Fit) -> dict[str, Any]:
    from ..engines.search.optimizers import OPTIMIZERS

    options = {}
    for field in fields(fit.engine):  # type: ignore[arg-type]
        value = getattr(fit.engine, field.name)
        if value is None or isinstance(value, bool | int | float | str | list | tuple | np.ndarray):
            options[field.name] = to_plain(value)
        elif isinstance(value, Mapping):
            options[field.name] = _given_priors(value)
        elif getattr(value, "name", None) in OPTIMIZERS:
            options[field.name] = {"optimizer": value.name, "maxiter": value.maxiter}
    return {"name": fit.engine.name, "options": options}


def _given_priors(given: Mapping[str, Any]) -> dict[str, Any]:
    """Priors that an option names, and words in place of some; those of the user's own classes are left out."""
    words = {name: value for name, value in given.items() if isinstance(value, str)}
    named = {name: value for name, value in given.items() if name not in words}
    stored, _ = saved_priors.by_class(Priors.of(named, "user"))
    return {"priors": stored, "words": words}


def _engine(content: dict[str, Any]) -> Any:
    from ..engines import ENGINES

    name = content["engine"]["name"]
    if name not in ENGINES:
        raise FitError(f"The file was fitted by {name!r}, which this version does not have.", topic="newer-file")
    return ENGINES[name](**{key: _option(value) for key, value in content["engine"]["options"].items()})


def _option(plain: Any) -> Any:
    if isinstance(plain, dict) and "optimizer" in plain:
        from ..engines.search.optimizers import OPTIMIZERS

        return OPTIMIZERS[plain["optimizer"]](plain["maxiter"])
    if isinstance(plain, dict) and "words" in plain:
        return {**saved_priors.from_class(plain["priors"]), **plain["words"]}
    return from_plain(plain)
