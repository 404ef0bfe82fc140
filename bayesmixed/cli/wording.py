"""How advice that speaks Python reads where it is typed at a command line."""

from __future__ import annotations

import re

_FIT = re.compile(r"""model\.fit\(["'](\w+)["'](?:, seed=(\d+))?\)""")
_ENGINE = re.compile(r"(?:model\.fit\()?bm\.(ML|REML|MAP|Laplace|NUTS)\(((?:\w+=[\w.\"]+(?:, )?)*)\)\)?")
_OPTIONS = ("family", "link", "priors", "weights", "offset", "check", "missing", "criterion")
_OPTION = re.compile(rf"""\b({"|".join(_OPTIONS)})=["']([^"']+)["']""")
_DIAGNOSE = "bm.diagnose(fit)"


def typed(message: str) -> str:
    """The message with Python's calls as options.

    >>> typed('Use model.fit("nuts", seed=1), or bm.ML(quadrature=9) with family="poisson".')
    'Use --method nuts --seed 1, or --method ml --quadrature 9 with --family poisson.'
    """
    message = _ENGINE.sub(lambda found: " ".join([f"--method {found[1].lower()}", *_named(found[2])]), message)
    message = _FIT.sub(lambda found: f"--method {found[1]}" + (f" --seed {found[2]}" if found[2] else ""), message)
    message = _OPTION.sub(lambda found: f"--{found[1]} {_quoted(found[2])}", message)
    return message.replace(_DIAGNOSE, "bayesmixed diagnose")


def _named(options: str) -> list[str]:
    pairs = [option.partition("=") for option in filter(None, options.split(", "))]
    return [f"--{name.replace('_', '-')} " + value.strip('"') for name, _, value in pairs]


def _quoted(value: str) -> str:
    return value if re.fullmatch(r"[\w.-]+", value) else f'"{value}"'
