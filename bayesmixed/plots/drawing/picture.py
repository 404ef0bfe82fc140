"""What does every plot return: a drawing with its figure, its panels, the tidy frame behind it, and its bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from . import canvas, fonts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STATIC = ("agg", "inline", "backend_inline")  # backends that open no window of their own


@dataclass(frozen=True, eq=False, repr=False)
class Picture:
    """A drawing. Notebooks show it; elsewhere `savefig` writes it, and ``plt.show()`` opens it.

    Attributes
    ----------
    axes
        Array of matplotlib's Axes, one per panel as they are read, also where there is only one; `bm.plot.pairs` has
        a square of them.
    frame
        The tidy frame that is drawn.
    figure
        matplotlib's Figure, with ``ax=`` the user's.

    Notes
    -----
    ``picture[0]``, ``len(picture)`` and a loop go over the panels. Of one panel alone, methods of Axes may be called on
    the picture itself: ``picture.set_title("Recall")``.

    Examples
    --------
    >>> import bayesmixed as bm
    >>> fit = bm.Model("Reaction ~ Days + (Days | Subject)", bm.load_data("sleepstudy")).fit("reml")
    >>> picture = bm.plot.caterpillar(fit)
    >>> picture
    <picture with 2 panels, 36 rows in .frame; .savefig("picture.png") writes it>
    >>> [ax.get_title() for ax in picture.axes]
    ['Intercept', 'Days']
    """

    axes: np.ndarray
    frame: pd.DataFrame

    @property
    def figure(self) -> Figure:
        """The figure that holds the panels."""
        figure: Any = self.axes.flat[0].figure
        return figure.figure  # type: ignore[no-any-return]  # of a subfigure the whole

    def savefig(self, path: str | Path | Any, **options: Any) -> None:
        """Write the figure; the ending of `path` says as what (png, pdf, svg, ...).

        Parameters
        ----------
        path
            A file's name or an open binary file.
        **options
            Those of matplotlib's ``Figure.savefig``, such as ``dpi=300`` or ``transparent=True``.
        """
        with fonts.quiet():
            self.figure.savefig(path, **options)

    def png(self, dpi: float | str = "figure") -> bytes:
        """The figure as a PNG, without margins."""
        data = BytesIO()
        with fonts.quiet():
            self.figure.savefig(data, format="png", dpi=dpi, bbox_inches="tight", pil_kwargs={"optimize": True})
        return data.getvalue()

    def _repr_png_(self) -> bytes | None:
        """What a notebook shows, once; None where the figure has a window of its own."""
        plt = canvas.pyplot()
        if plt.get_backend().lower().rsplit(".", 1)[-1] not in _STATIC:
            return None
        data = self.png()
        plt.close(self.figure)  # a notebook draws all open figures at the end of a cell: this one would come twice
        return data

    def __repr__(self) -> str:
        n = self.axes.size
        panels = "1 panel" if n == 1 else f"{n} panels"
        return f'<picture with {panels}, {len(self.frame)} rows in .frame; .savefig("picture.png") writes it>'

    def __len__(self) -> int:
        return len(self.axes)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.axes)

    def __getitem__(self, panel: Any) -> Any:
        return self.axes[panel]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # protocols of Python and of notebooks, which Axes must not answer
            raise AttributeError(name)
        first = self.axes.flat[0]
        if not hasattr(first, name):
            raise AttributeError(
                f"A picture has no {name!r}. It has .figure, .axes (an array of matplotlib's Axes), .frame and "
                ".savefig(path)."
            )
        if self.axes.size == 1:
            return getattr(first, name)
        first_panel = ", ".join("0" * self.axes.ndim)
        raise AttributeError(
            f"This picture has {self.axes.size} panels, and {name!r} belongs to one of them: "
            f"write picture.axes[{first_panel}].{name}, or loop over picture.axes.flat."
        )


def picture(axes: Axes | np.ndarray, frame: pd.DataFrame) -> Picture:
    """The picture of one Axes or of an array of them."""
    made = Picture(np.atleast_1d(np.asarray(axes, dtype=object)), frame)
    fonts.cover(made.figure)
    return made


def png(drawing: Callable[..., Picture], *arguments: Any, dpi: int = 120, **options: Any) -> bytes:
    """The PNG of a drawing on a new figure, which is closed again.

    Parameters
    ----------
    drawing
        A function of `bayesmixed.plots`.
    *arguments, **options
        What it is called with.
    dpi
        Dots per inch.
    """
    drawn = drawing(*arguments, **options)
    try:
        return drawn.png(dpi)
    finally:
        canvas.pyplot().close(drawn.figure)
