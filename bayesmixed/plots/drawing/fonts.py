"""Which fonts have the letters of names in any script? The user's own first, behind it what else is installed."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any
from unicodedata import category, name

from ...errors import BayesMixedWarning, warn

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Fonts of many letters that systems bring, those of one script beside each other. Others are found letter by letter.
KNOWN = (
    *("Noto Sans CJK JP", "Hiragino Sans", "Yu Gothic", "Meiryo", "MS Gothic", "IPAexGothic", "IPAGothic"),
    *("Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "SimHei", "WenQuanYi Zen Hei", "Heiti TC", "PingFang TC"),
    *("Noto Sans CJK KR", "Apple SD Gothic Neo", "Malgun Gothic", "NanumGothic"),
    *("Arial Unicode MS", "Noto Sans"),
)
_SHOWN = 3  # letters that a warning names


@contextmanager
def quiet() -> Iterator[None]:
    """Without matplotlib's warning for every letter that no font has: `cover` says it once for all of them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from")
        yield


def families(own: Sequence[str]) -> list[str]:
    """The user's families and, behind them, those of `KNOWN` that are installed: a letter is drawn by the first."""
    from matplotlib.font_manager import fontManager

    installed = {entry.name for entry in fontManager.ttflist}
    return list(dict.fromkeys([*own, *(family for family in KNOWN if family in installed)]))


def cover(figure: Figure) -> None:
    """Give every text of a figure the fonts that its letters need, and warn once of letters that none has."""
    from matplotlib.text import Text

    texts: list[Any] = [text for text in figure.findobj(Text) if not text.get_text().isascii()]
    missing: set[str] = set()
    for text in texts:
        own = families(text.get_fontfamily())
        needed = _letters(text.get_text()) - _had_by(own)
        more = _others(frozenset(needed)) if needed else ()
        missing |= needed - _had_by(more)
        if own + list(more) != text.get_fontfamily():
            text.set_fontfamily([*own, *(family for family in more if family not in own)])
    if missing:
        warn(BayesMixedWarning(_said(sorted(missing)), topic="missing-fonts"))


def _letters(text: str) -> set[str]:
    """The characters that are drawn: no blanks, no controls, none that only changes the one before."""
    return {letter for letter in text if category(letter)[0] not in "CZ" and category(letter) != "Mn"}


def _had_by(names: Iterable[str]) -> set[str]:
    return {chr(code) for family in names for code in _codes(family)}


@cache
def _codes(family: str) -> frozenset[int]:
    """The code points of the font that matplotlib finds for a family; none where it finds another instead."""
    from matplotlib.font_manager import FontProperties, findfont

    try:
        return _codes_of(findfont(FontProperties(family=[family]), fallback_to_default=False))
    except ValueError:
        return frozenset()


@cache
def _codes_of(path: str) -> frozenset[int]:
    from matplotlib.font_manager import get_font

    try:
        return frozenset(get_font(path).get_charmap())
    except (OSError, RuntimeError):  # a file that is no font that FreeType reads
        return frozenset()


@cache
def _others(needed: frozenset[str]) -> tuple[str, ...]:
    """Further installed families that have letters which the known ones lack, as few as cover them in turn."""
    from matplotlib.font_manager import fontManager

    left, found = {ord(letter) for letter in needed}, []
    _meet()
    entries = [entry for entry in fontManager.ttflist if entry.style == "normal"]
    for entry in sorted(entries, key=lambda entry: abs(_weight(entry.weight) - 400)):
        if left & _codes_of(entry.fname):
            left -= _codes_of(entry.fname)
            found.append(entry.name)
        if not left:
            break
    return tuple(dict.fromkeys(found))


def _weight(weight: int | str) -> int:
    from matplotlib.font_manager import weight_dict

    return int(weight_dict.get(weight, 400)) if isinstance(weight, str) else int(weight)


@cache
def _meet() -> None:
    """Make matplotlib know fonts that were installed after it made its list, as a new list of it would."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    listed = {entry.fname for entry in fontManager.ttflist}
    for path in sorted(set(findSystemFonts()) - listed):
        try:
            fontManager.addfont(path)
        except (OSError, RuntimeError, ValueError):
            continue  # not a font that matplotlib draws


def _said(missing: Sequence[str]) -> str:
    shown = ", ".join(f"{letter} ({name(letter, f'U+{ord(letter):04X}').lower()})" for letter in missing[:_SHOWN])
    more = f" and {len(missing) - _SHOWN} others" if len(missing) > _SHOWN else ""
    return (
        f"No installed font has {shown}{more}: the picture has boxes in their place. Install a font of that script, "
        "such as Noto Sans (fonts-noto), or choose yours: plt.rcParams['font.family'] = [...]."
    )
