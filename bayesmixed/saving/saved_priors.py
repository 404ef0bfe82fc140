"""How priors are stored with a fit: what the user asked for, beside the numbers that it meant on the fit's own data.

What was asked for (nothing, a preset's name, distributions by name) is what `Model.replace` resolves anew on other
data; the numbers are those the fit was made with, whatever a later version's presets say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NoReturn

from ..errors import ModelError
from ..interop.json import from_plain, to_plain
from ..priors import PRESETS, Priors, distributions
from ..priors.from_numpyro import as_prior
from ..priors.origin import Placed
from ..priors.priors import LaidOver

if TYPE_CHECKING:
    from ..design.design import Design
    from ..families import Family
    from ..model import Model


def content_of(model: Model) -> dict[str, Any]:
    """What the file keeps: `priors` and `unnamed_priors` (the numbers), `asked_priors` (what they came from)."""
    try:
        numbers, unnamed = by_class(model.priors)
    except ModelError:  # a family of the user's own that was fitted without any
        if model.arguments.priors is not None:
            raise
        return {"priors": None, "unnamed_priors": [], "asked_priors": {"kind": "preset", "name": None}}
    return {
        "priors": numbers,
        "unnamed_priors": unnamed,
        "asked_priors": _asked(model.arguments.priors),
        "priors_centered": model.priors.centered,
        "priors_typed": sorted(model.priors.typed),
    }


def by_class(priors: Priors) -> tuple[dict[str, Any], list[str]]:
    """Priors by class and numbers, and the names of those whose class is the user's own."""
    stored, unnamed = {}, []
    for name, prior in priors.items():
        kind = type(prior).__name__
        if getattr(distributions, kind, None) is not type(prior):
            unnamed.append(name)
            continue
        numbers = {field.name: to_plain(getattr(prior, field.name)) for field in fields(prior)}  # type: ignore[arg-type]
        stored[name] = {"kind": kind, "numbers": numbers, "source": priors.sources.get(name, "")}
    return stored, unnamed


def from_class(stored: Mapping[str, Any], centered: bool = True, typed: Iterable[str] = ()) -> Priors:
    """The priors that `by_class` stored."""
    entries = {
        name: getattr(distributions, value["kind"])(**{k: from_plain(v) for k, v in value["numbers"].items()})
        for name, value in stored.items()
    }
    return Priors(entries, {name: value["source"] for name, value in stored.items()}, centered, frozenset(typed))


def numbers_in(content: Mapping[str, Any]) -> Priors | None:
    """The priors that the fit was made with; None where it had none or some are the user's own classes."""
    if content["priors"] is None or content["unnamed_priors"]:
        return None
    # files without these keys know columns as typed alone
    return from_class(content["priors"], content.get("priors_centered", False), content.get("priors_typed", ()))


def asked_in(content: Mapping[str, Any]) -> Any:
    """What `Model(priors=)` was given, as far as the file knows."""
    return _given(content.get("asked_priors") or _guessed(content["priors"]))


def _given(asked: Mapping[str, Any]) -> Any:
    if asked["kind"] == "placed":
        return Placed(_given(asked["of"]), asked["centered"])
    if asked["kind"] == "laid over numbers":
        return _given(asked["base"]) | _given(asked["laid"])
    if asked["kind"] == "preset":
        return asked["name"]
    if asked["kind"] == "function":
        return NotStored(asked["name"])
    found = from_class(asked["priors"], asked.get("centered", False), asked.get("typed", ()))
    return found if asked["kind"] == "numbers" else dict(found)


def _asked(given: Any) -> dict[str, Any]:
    if isinstance(given, Placed):
        return {"kind": "placed", "of": _asked(given.spec), "centered": given.centered}
    if isinstance(given, LaidOver):
        return {"kind": "laid over numbers", "base": _asked(given.base), "laid": _asked(given.spec)}
    if given is None or isinstance(given, str):
        return {"kind": "preset", "name": given}
    if isinstance(given, Mapping):
        kind = "numbers" if isinstance(given, Priors) else "laid over"
        sources = given.sources if isinstance(given, Priors) else dict.fromkeys(map(str, given), "user")
        stored, _ = by_class(Priors({str(k): as_prior(v, str(k)) for k, v in given.items()}, sources))
        typed = sorted(getattr(given, "typed", ()))
        return {"kind": kind, "priors": stored, "centered": getattr(given, "centered", True), "typed": typed}
    preset = next((name for name, made in PRESETS.items() if made is given), None)
    if preset is not None:
        return {"kind": "preset", "name": preset}
    return {"kind": "function", "name": getattr(given, "name", getattr(given, "__name__", type(given).__name__))}


def _guessed(numbers: Mapping[str, Any] | None) -> dict[str, Any]:
    """For files that keep the numbers alone: the preset that they say they come from, the user's laid over it."""
    sources = {value["source"] for value in (numbers or {}).values()} - {"user"}
    if len(sources) == 1 and (preset := sources.pop()) in PRESETS:
        users = {name: value for name, value in (numbers or {}).items() if value["source"] == "user"}
        if not users:
            return {"kind": "preset", "name": preset}
        if preset == "default":
            return {"kind": "laid over", "priors": users}
    return {"kind": "numbers", "priors": dict(numbers or {})} if numbers else {"kind": "preset", "name": None}


@dataclass(frozen=True)
class NotStored:
    """Stands for a function of the user's that made the priors and is not in the file."""

    name: str

    def __call__(self, design: Design, family: Family) -> NoReturn:
        """Say what is needed to make priors anew."""
        raise ModelError(
            f"The priors of this loaded model were made by your function {self.name!r}, which no file holds: call "
            f"bm.load(path, priors={self.name}), or replace(..., priors=...).",
            topic="own-code",
        )
