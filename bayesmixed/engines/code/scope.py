"""What a script calls things: variables, sample sites and arrays, each name once."""

from __future__ import annotations

import builtins
import json
import keyword
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from textwrap import wrap

import numpy as np

LINE = 110  # characters of a line of a script
# What a script imports and defines, and what NumPy's savez would take for an argument of its own.
TAKEN = frozenset(
    "az jax jnp np numpyro dist MCMC NUTS Path init_to_median data mu eta model sample to_arviz coords dims mcmc idata "
    "arrays spread effects file args kwds allow_pickle".split()
)


@dataclass
class Scope:
    """The names that a script has given so far; `reserved` are those that a family's parameters need.

    `named` are the draws that the formula names: no other site is called so. `arrays` are what it reads from its file,
    with a word on each in `about`.
    """

    reserved: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    variables: set[str] = field(default_factory=set)
    sites: set[str] = field(default_factory=set)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)

    def variable(self, wanted: str) -> str:
        """A Python variable of about that name.

        >>> scope = Scope()
        >>> scope.variable("recipe[B]:temp"), scope.variable("class"), scope.variable("class")
        ('recipe_B_temp', 'class_', 'class_2')
        """
        name = _free(identifier(wanted), self.variables | self.reserved)
        self.variables.add(name)
        return name

    def site(self, wanted: str) -> str:
        """A sample site of about that name."""
        name = _free(wanted, self.sites, "#")
        self.sites.add(name)
        return name

    def aside(self, wanted: str) -> str:
        """A sample site that the formula does not name, such as that of a centred column.

        >>> Scope(named=frozenset({"x", "x_centered"})).aside("x_centered")
        'x_centered#2'
        """
        return self.site(_free(wanted, self.sites | self.named, "#"))

    def array(self, wanted: str, values: np.ndarray, about: str) -> str:
        """The text that reads an array: one that is there already where the numbers are the same."""
        for name, other in self.arrays.items():
            if other.dtype == values.dtype and np.array_equal(other, values):
                return _read(name)
        name = _free(identifier(wanted), set(self.arrays))
        self.arrays[name], self.about[name] = values, about
        return _read(name)


def identifier(name: str) -> str:
    """A name as Python takes one: what it does not take becomes an underscore."""
    letters = "".join(c if f"a{c}".isidentifier() else " " for c in unicodedata.normalize("NFKC", name))
    found = re.sub(r"_{2,}", "_", "_".join(letters.split())) or "x"
    found = found if found.isidentifier() else f"x{found}"
    return f"{found}_" if keyword.iskeyword(found) or found in TAKEN or hasattr(builtins, found) else found


def quoted(name: str) -> str:
    """A name in the quotes of a script."""
    return json.dumps(name, ensure_ascii=False)


def comment(text: str) -> list[str]:
    """A text as the lines of a comment."""
    return wrap(" ".join(text.split()), LINE - 4, initial_indent="# ", subsequent_indent="# ", break_long_words=False)


def _read(name: str) -> str:
    return f"data[{quoted(name)}]"


def _free(name: str, taken: Collection[str], between: str = "_") -> str:
    """The name, with a number where it is taken."""
    found, number = name, 2
    while found in taken:
        found, number = f"{name.removesuffix(between)}{between}{number}", number + 1
    return found
