"""What a vector of covariance parameters stands for: which elements are whose, in which columns, in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...covariance import Covariance, Edge
from ...design.design import GroupTerm
from .blocks import Block


@dataclass(frozen=True, eq=False)
class Theta:
    """The layout of theta: the group terms in `order`, each by its structure's own parameters.

    theta has two forms: the reported one (lme4's, in the user's columns) and the working one, in the columns Z C of
    `bases`, C (k, k), where every start is scale-free. Methods of x take the working theta or any vector that begins
    with it; `split` reads either form, `factor` and `factors` one that is moved in, whatever its columns.

    Parameters
    ----------
    covariances
        The structure of each group term.
    bases
        C (k, k) of each group term: a factor Lambda in the working columns is C Lambda in the user's.
    order
        Positions of the group terms in the design, as theta lists them.
    held
        Positions of elements that do not move, whatever changes beside them.
    """

    covariances: tuple[Covariance, ...]
    bases: tuple[np.ndarray, ...]
    order: tuple[int, ...]
    held: tuple[int, ...] = ()

    @classmethod
    def of(cls, groups: Sequence[GroupTerm], covariances: Sequence[Covariance], bases: Sequence[np.ndarray]) -> Theta:
        """lme4's order: by decreasing number of levels, terms of as many as in the formula."""
        order = sorted(range(len(groups)), key=lambda j: -groups[j].n_levels)
        return cls(tuple(covariances), tuple(bases), tuple(order))

    @cached_property
    def slices(self) -> dict[int, slice]:
        """Where each group term's parameters are, keyed by its position in the design."""
        found, first = {}, 0
        for j in self.order:
            size = self.covariances[j].n_theta(self.k(j))
            found[j] = slice(first, first + size)
            first += size
        return found

    @cached_property
    def size(self) -> int:
        """Number of parameters."""
        return sum(c.n_theta(len(C)) for c, C in zip(self.covariances, self.bases, strict=True))

    def edges(self, x: np.ndarray) -> list[tuple[Edge, ...]]:
        """Boundaries near x that are worth trying, per structure groups of alternatives, positions those in x.

        Without those that move an element held.
        """
        every = [
            [edge.after(where.start) for edge in group]
            for j, where in self.slices.items()
            for group in self.covariances[j].edges(x[where], self.k(j))
        ]
        free = [tuple(edge for edge in group if not set(edge.positions) & set(self.held)) for group in every]
        return [group for group in free if group]

    def on_bound(self, x: np.ndarray) -> np.ndarray:
        """Positions of what is on a bound."""
        edges = [edge for group in self.edges(x) for edge in group if edge.distance == 0]
        return np.array(list(dict.fromkeys(i for edge in edges for i in edge.positions)), dtype=int)

    def k(self, j: int) -> int:
        """Number of columns of a group term."""
        return len(self.bases[j])

    def positions(self, block: Block) -> np.ndarray:
        """Where the parameters of a block's terms are."""
        return np.concatenate([np.arange(self.slices[j].start, self.slices[j].stop) for j in block.terms])

    def split(self, x: np.ndarray) -> dict[int, np.ndarray]:
        """The parameters of each group term."""
        return {j: x[where] for j, where in self.slices.items()}

    def joined(self, parts: Mapping[int, np.ndarray]) -> np.ndarray:
        """theta of the parameters of each group term."""
        return np.concatenate([parts[j] for j in self.order]) if parts else np.zeros(0)

    def factor(self, x: np.ndarray, j: int) -> np.ndarray:
        """Lambda (k, k) of a group term."""
        return self.covariances[j].factor(x[self.slices[j]], self.k(j))

    def factors(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """Lambda (k, k) of each group term, in the design's order."""
        return tuple(self.factor(x, j) for j in range(len(self.bases)))

    def typed(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        """C Lambda (k, k) of each group term: a factor in the user's columns, in the design's order."""
        return tuple(C @ Lambda for C, Lambda in zip(self.bases, self.factors(x), strict=True))

    def of_factors(self, factors: Sequence[np.ndarray]) -> np.ndarray:
        """The theta of any roots (k, m) of the covariances, in the columns that they are of."""
        return self.joined({j: self.covariances[j].theta(factors[j]) for j in self.order})

    def replaced(self, x: np.ndarray, j: int, factor: np.ndarray) -> np.ndarray:
        """x with any root (k, m) of another covariance for a group term, in the working columns."""
        return self._put(x, j, self.covariances[j].theta(factor))

    def stepped_off(self, x: np.ndarray, j: int, direction: np.ndarray) -> np.ndarray:
        """x with v v' added to the relative covariance of a group term, v (k,) one of its null directions."""
        return self._put(x, j, self.covariances[j].step_off(x[self.slices[j]], self.k(j), direction))

    def leading(self, x: np.ndarray, j: int) -> np.ndarray:
        """x with the same covariance of a group term, its rank in the leading columns of Lambda."""
        return self._put(x, j, self.covariances[j].leading(x[self.slices[j]], self.k(j)))

    def _put(self, x: np.ndarray, j: int, part: np.ndarray) -> np.ndarray:
        found = x.copy()
        found[self.slices[j]] = part
        found[list(self.held)] = x[list(self.held)]
        return found

    def reported(self, x: np.ndarray) -> np.ndarray:
        """theta as `fit.theta`: in the user's columns, as each structure reports it."""
        return self.reported_of(self.typed(x))

    def reported_of(self, factors: Sequence[np.ndarray]) -> np.ndarray:
        """The reported theta of any roots (k, m) of the covariances in the user's columns."""
        parts = self.split(self.of_factors(factors))
        return self.joined({j: self.covariances[j].reported(part, self.k(j)) for j, part in parts.items()})

    def inside(self, reported: np.ndarray) -> bool:
        """Whether a theta in the user's columns is one: diagonal elements of Lambda are not negative, as in lme4."""
        found = self._of_reported(reported)
        return bool(np.all(np.isfinite(found))) and all(np.all(np.diag(F) >= 0) for F in self.factors(found))

    def working(self, reported: np.ndarray) -> np.ndarray:
        """The working theta of one in the user's columns."""
        pairs = zip(self.bases, self.reported_factors(reported), strict=True)
        return self.of_factors([np.linalg.inv(C) @ Lambda for C, Lambda in pairs])

    def reported_factors(self, reported: np.ndarray) -> tuple[np.ndarray, ...]:
        """Lambda (k, k) of each group term in the user's columns, in the design's order."""
        return self.factors(self._of_reported(reported))

    def _of_reported(self, reported: np.ndarray) -> np.ndarray:
        parts = self.split(reported).items()
        return self.joined({j: self.covariances[j].of_reported(part, self.k(j)) for j, part in parts})

    def start(self, sds: Mapping[int, np.ndarray]) -> np.ndarray:
        """theta of sds (k,) by group term, without correlations."""
        return self.joined({j: self.covariances[j].start(sds[j]) for j in self.order})

    def block_factor(self, x: np.ndarray, block: Block) -> np.ndarray:
        """Lambda (k, k) of a block, block-diagonal over its terms."""
        if len(block.terms) == 1:
            return self.factor(x, block.terms[0])
        Lambda = np.zeros((block.k, block.k))
        for j, columns in zip(block.terms, block.slices, strict=True):
            Lambda[columns, columns] = self.factor(x, j)
        return Lambda

    def factor_slopes(self, x: np.ndarray, j: int) -> np.ndarray:
        """d Lambda / d theta (m, k, k) of a group term, one matrix per element of its theta."""
        k, part = self.k(j), x[self.slices[j]]
        elements = np.eye(k * k).reshape(k, k, k, k)
        moved = np.array([[self.covariances[j].pullback(part, k, one) for one in row] for row in elements])
        return np.moveaxis(moved, 2, 0)

    def pull_back(self, x: np.ndarray, blocks: Sequence[Block], slopes: Sequence[np.ndarray]) -> np.ndarray:
        """d f / d theta from d f / d Lambda (k, k) of each block."""
        return self.joined(
            {
                j: self.covariances[j].pullback(x[self.slices[j]], self.k(j), slope[columns, columns])
                for block, slope in zip(blocks, slopes, strict=True)
                for j, columns in zip(block.terms, block.slices, strict=True)
            }
        )
