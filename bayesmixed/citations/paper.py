"""One work that is cited: as a line of a list of references, as BibTeX, as a name in a sentence."""

from __future__ import annotations

from dataclasses import dataclass

_ESCAPED = str.maketrans({char: f"\\{char}" for char in "&%$#_"})
_ACCENTS = {"ä": '{\\"a}', "ü": '{\\"u}', "ö": '{\\"o}', "é": "{\\'e}"}


@dataclass(frozen=True)
class Paper:
    """A work.

    Parameters
    ----------
    key
        Its BibTeX key: first author and year.
    authors
        "Last, F. M." of each in order; a group's name has no comma.
    year, title
        Empty where there is none.
    journal, volume, number, pages, doi
        Where it appeared; `journal` may be a publisher's or an archive's name.
    kind
        BibTeX's entry type.
    note, url
        What else is known of it.
    """

    key: str
    authors: tuple[str, ...]
    year: str
    title: str
    journal: str = ""
    volume: str = ""
    number: str = ""
    pages: str = ""
    doi: str = ""
    kind: str = "article"
    note: str = ""
    url: str = ""

    @property
    def name(self) -> str:
        """As a sentence has it.

        >>> Paper("a2020", ("Abel, A.", "Bell, B.", "Cole, C."), "2020", "On it").name
        'Abel et al., 2020'
        """
        last = [author.split(",")[0] for author in self.authors]
        who = last[0] if len(last) == 1 else f"{last[0]} & {last[1]}" if len(last) == 2 else f"{last[0]} et al."
        return ", ".join(filter(None, [who, self.year]))

    @property
    def text(self) -> str:
        """As a list of references has it.

        >>> Paper("a2020", ("Abel, A.", "Bell, B."), "2020", "On it", "J. It", "3", "1", "5-9", "10.1/x").text
        'Abel, A. & Bell, B. (2020). On it. J. It 3(1), 5-9. doi:10.1/x'
        """
        first, last = ", ".join(self.authors[:-1]), self.authors[-1]
        who = f"{first} & {last}" if first else last
        number = f"({self.number})" if self.number else ""
        where = ", ".join(filter(None, [f"{self.journal} {self.volume}{number}".strip(), self.pages]))
        head = f"{who} ({self.year})" if self.year else who
        stops = [
            part if part.endswith((".", "?")) else f"{part}." for part in (head, self.title, where, self.note) if part
        ]
        return " ".join(filter(None, [*stops, f"doi:{self.doi}" if self.doi else self.url]))

    @property
    def bibtex(self) -> str:
        """As one entry of a BibTeX file; titles keep their capitals."""
        where = {"article": "journal", "book": "publisher"}.get(self.kind, "howpublished")
        authors = [author if "," in author else f"{{{author}}}" for author in self.authors]
        fields = {
            "author": " and ".join(map(_written, authors)),
            "year": self.year,
            "title": f"{{{_written(self.title)}}}" if self.title else "",
            where: _written(self.journal),
            "volume": self.volume,
            "number": self.number,
            "pages": self.pages.replace("-", "--"),
            "doi": self.doi,
            "url": self.url,
            "note": _written(self.note),
        }
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
        return "\n".join([f"@{self.kind}{{{self.key},", *lines, "}"])


def _written(text: str) -> str:
    """Special characters of LaTeX escaped, accents as it writes them."""
    escaped = text.translate(_ESCAPED)
    for letter, accent in _ACCENTS.items():
        escaped = escaped.replace(letter, accent)
    return escaped
