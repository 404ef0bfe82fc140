"""How terms become columns: R's coding of factors, R's order and names, products formed by formulae."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from ...formula.parts import Term
from ...formula.syntax import deparse
from ..expressions.factor_functions import Columns
from .contrasts import contrast, indicators, polynomial, treatment
from .factors import Contrast, Factor

Atom = np.ndarray | Factor | Columns
_AT_ONCE = 100  # products in one call: formulae walks a sum of terms by recursion


@dataclass(frozen=True)
class CodedBlock:
    """Columns of one atom or one term: `values` (n, k), our names and R's."""

    values: np.ndarray
    names: tuple[str, ...]
    r_names: tuple[str, ...]


def term_blocks(
    terms: Sequence[Term], intercept: bool, atoms: Mapping[str, Atom], contrasts: Mapping[str, Any], *, bar: bool
) -> list[CodedBlock]:
    """The columns of each term, as R's ``model.matrix`` codes, orders and names them.

    Parameters
    ----------
    terms : sequence of Term
        In R's order (by degree).
    intercept : bool
        Whether the constant is in the model.
    atoms : mapping
        The value of each atom by its text.
    contrasts : mapping
        Contrasts by the text of a factor; ordered factors otherwise get polynomials, others treatment.
    bar : bool
        Left side of a bar: a numeric main effect is never spanned twice (R's fixed side may be, and
        drops columns afterwards).
    """
    texts = [[deparse(atom) for atom in term.atoms] for term in terms]
    factors = {text for text, value in atoms.items() if isinstance(value, Factor)}
    coded: dict[tuple[str, bool], CodedBlock] = {}
    parts: list[list[CodedBlock]] = []
    for names, full in zip(texts, _full(texts, intercept, factors, bar), strict=True):
        keys = [(name, name in full) for name in names]
        for key in keys:
            if key not in coded:
                coded[key] = _block(key[0], atoms[key[0]], key[1], contrasts)
        parts.append([coded[key] for key in keys])
    return _products(parts)


def spans_constant(terms: Sequence[Term], intercept: bool, atoms: Mapping[str, Atom]) -> int | None:
    """Position of the first purely categorical term with a full set of indicators; None where none has."""
    texts = [[deparse(atom) for atom in term.atoms] for term in terms]
    factors = {text for text, value in atoms.items() if isinstance(value, Factor)}
    for position, (names, full) in enumerate(zip(texts, _full(texts, intercept, factors, True), strict=True)):
        if full == set(names):
            return position
    return None


def _full(texts: list[list[str]], intercept: bool, factors: set[str], bar: bool) -> list[set[str]]:
    """Per term the factors that get one column per level.

    Chambers & Hastie (1992), Statistical Models in S, p. 38: contrasts if the term without the factor is
    contained in an earlier term; the empty term is the intercept. Without an intercept the first factor
    of the formula is coded fully, which R does even where its margin is there (``0 + x + x:f``).
    """
    full = []
    earlier: list[set[str]] = []
    for names in texts:
        own = {f for f in names if f in factors and len(names) > 1 and not _contained(names, f, earlier)}
        full.append(own)
        earlier.append(set(names))
    if not intercept:
        for names, own in zip(texts, full, strict=True):
            first = next((name for name in names if name in factors), None)
            if first is not None and not (bar and len(names) > 1 and factors.isdisjoint(set(names) - {first})):
                own.add(first)
                break
            if first is not None:
                break
    return full


def _contained(names: list[str], factor: str, earlier: list[set[str]]) -> bool:
    rest = set(names) - {factor}
    return any(rest <= other for other in earlier)


def _block(text: str, value: Atom, full: bool, contrasts: Mapping[str, Any]) -> CodedBlock:
    if isinstance(value, Columns):
        if value.values.shape[1] == 1:
            return CodedBlock(value.values, (text,), (text,))
        ours = tuple(f"{text}[{label}]" for label in value.labels)
        return CodedBlock(value.values, ours, tuple(text + label for label in value.labels))
    if not isinstance(value, Factor):
        return CodedBlock(value[:, None], (text,), (text,))
    coding = indicators(value.levels[: value.known]) if full else _contrast(text, value, contrasts)
    values = coding.matrix[value.codes]
    values[value.codes < 0] = np.nan
    names = tuple(f"{text}[{label}]" for label in coding.labels)
    return CodedBlock(values, names, tuple(text + label for label in coding.r_labels))


def _contrast(text: str, factor: Factor, contrasts: Mapping[str, Any]) -> Contrast:
    levels = factor.levels[: factor.known]
    if factor.contrast is not None:
        return factor.contrast
    if text in contrasts:
        return contrast(contrasts[text], levels, where=text)
    return polynomial(levels) if factor.ordered else treatment(levels)


def _products(parts: list[list[CodedBlock]]) -> list[CodedBlock]:
    """One block per term. A term of one atom is that atom's block: no product has to be formed."""
    several = [blocks for blocks in parts if len(blocks) > 1]
    if several and len(several[0][0].values) == 0:  # formulae refuses a table without rows
        values = iter([np.empty((0, math.prod(len(block.names) for block in blocks))) for blocks in several])
    else:
        values = iter(_formed(several) if several else [])
    return [blocks[0] if len(blocks) == 1 else _named_product(blocks, next(values)) for blocks in parts]


def _named_product(blocks: list[CodedBlock], values: np.ndarray) -> CodedBlock:
    return CodedBlock(values, _joined([block.names for block in blocks]), _joined([block.r_names for block in blocks]))


def _joined(names: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Names of a product: the first atom's vary fastest."""
    return tuple(":".join(reversed(chosen)) for chosen in product(*reversed(names)))


def _formed(several: list[list[CodedBlock]]) -> list[np.ndarray]:
    """formulae's columns of each product; its last atom varies fastest, so atoms go in backwards."""
    return [values for i in range(0, len(several), _AT_ONCE) for values in _formed_at_once(several[i : i + _AT_ONCE])]


def _formed_at_once(several: list[list[CodedBlock]]) -> list[np.ndarray]:
    design_matrices = _formulae()
    index = {id(block): i for i, block in enumerate(block for blocks in several for block in blocks)}
    unique = {index[id(block)]: block.values for blocks in several for block in blocks}
    texts = [":".join(f"block({index[id(block)]})" for block in reversed(blocks)) for blocks in several]
    frame = pd.DataFrame({"row": np.zeros(len(several[0][0].values))})
    formed = design_matrices(
        "0 + " + " + ".join(texts), frame, na_action="pass", extra_namespace={"block": unique.__getitem__}
    ).common
    return [np.asarray(formed.design_matrix[:, formed.slices[text]], dtype=float) for text in texts]


@cache
def _formulae() -> Any:
    """formulae's entry point, loaded on first use, without the log handler that it installs."""
    known = list(logging.getLogger("formulae").handlers)
    from formulae import design_matrices

    logger = logging.getLogger("formulae")
    for handler in [h for h in logger.handlers if h not in known]:
        logger.removeHandler(handler)
    return design_matrices
