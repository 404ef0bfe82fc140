"""How advice that speaks Python reads where it is typed at a command line."""

from __future__ import annotations

import json
import re

_FIT = re.compile(r"""model\.fit\(["'](\w+)["'](?:, seed=(\d+))?\)""")
_ENGINE = re.compile(r"(?:model\.fit\()?bm\.(ML|REML|MAP|Laplace|NUTS)\(((?:\w+=[\w.\"]+(?:, )?)*)\)\)?")
_OPTIONS = ("family", "link", "priors", "weights", "offset", "check", "missing", "criterion")
_OPTION = re.compile(rf"""\b({"|".join(_OPTIONS)})=["']([^"']+)["']""")
_NAMESPACE = re.compile(r" Other names can be given as namespace=\{.*?\}\.")
_DECIMAL = 'read the file with pandas.read_csv(path, decimal=",")'
_PARAMS = re.compile(r"^params=(\{.*\})$", re.MULTILINE)
_DIAGNOSE = "bm.diagnose(fit)"


def typed(message: str) -> str:
    """The message with Python's calls as options.

    >>> typed('Use model.fit("nuts", seed=1), or bm.ML(quadrature=9) with family="poisson".')
    'Use --method nuts --seed 1, or --method ml --quadrature 9 with --family poisson.'
    """
    message = _NAMESPACE.sub("", message)
    message = _ENGINE.sub(lambda found: " ".join([f"--method {found[1].lower()}", *_named(found[2])]), message)
    message = _FIT.sub(lambda found: f"--method {found[1]}" + (f" --seed {found[2]}" if found[2] else ""), message)
    message = _OPTION.sub(lambda found: f"--{found[1]} {_quoted(found[2])}", message)
    message = _PARAMS.sub(lambda found: _settings(found[1]), message.replace("params lacks", "--set lacks"))
    return message.replace(_DIAGNOSE, "bayesmixed diagnose").replace(_DECIMAL, 'add --decimal ","')


def _named(options: str) -> list[str]:
    pairs = [option.partition("=") for option in filter(None, options.split(", "))]
    return [f"--{name.replace('_', '-')} " + value.strip('"') for name, _, value in pairs]


def _settings(stated: str) -> str:
    try:
        pairs = json.loads(stated).items()
    except ValueError:
        return stated
    return " ".join(f"--set {_quoted(f'{name}={json.dumps(value)}')}" for name, value in pairs)


def _quoted(value: str) -> str:
    return value if re.fullmatch(r"[\w.=-]+", value) else f'"{value}"'
