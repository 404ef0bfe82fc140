"""What a compiled collapsed program must know of a model besides its numbers."""

from __future__ import annotations

from dataclasses import dataclass

from ..linear.likelihood import LinearLikelihood


@dataclass(frozen=True)
class Layout:
    """Static structure: per block (levels, columns, terms with their column ranges), the largest factor first.

    `p` coefficients, of which those at `kept` are not integrated out. `held`: the effects of all factors but
    the largest are sampled (the partial route), so that nothing dense remains of them. `sparse`: the largest
    factor's levels meet few of the tail's, and their coupling is summed entry by entry.
    """

    blocks: tuple[tuple[int, int, tuple[tuple[int, int, int], ...]], ...]
    p: int
    kept: tuple[int, ...]
    held: bool
    sparse: bool

    @property
    def tail(self) -> int:
        """Columns of the effects that are integrated out besides the largest factor's."""
        return 0 if self.held else self.others

    @property
    def others(self) -> int:
        """Columns of all blocks but the first."""
        return sum(levels * k for levels, k, _ in self.blocks[1:])

    @property
    def free(self) -> tuple[int, ...]:
        """Positions of the coefficients that are integrated out."""
        return tuple(j for j in range(self.p) if j not in self.kept)

    @property
    def system(self) -> int:
        """Rows of the dense system: tail, free coefficients, response."""
        return self.tail + len(self.free) + 1

    @property
    def tail_blocks(self) -> tuple[tuple[int, int], ...]:
        """(levels, columns) of the blocks that form the tail."""
        return () if self.held else tuple((levels, k) for levels, k, _ in self.blocks[1:])


def layout(likelihood: LinearLikelihood, kept: tuple[int, ...], *, held: bool, sparse: bool) -> Layout:
    """The static structure of a model's cross-products; `sparse` as `arrays` found it."""
    blocks = tuple(
        (
            block.n_levels,
            block.k,
            tuple((j, columns.start, columns.stop) for j, columns in zip(block.terms, block.slices, strict=True)),
        )
        for block in likelihood.blocks
    )
    return Layout(blocks, likelihood.p, kept, held, sparse)
