"""What every verb returns: a page of headings, tables and notes, and how its numbers are written."""

from .numbers import SCIENTIFIC, column, listed, number, places, probability, told
from .page import Page, Printed, Section
from .text import letters, wrapped

__all__ = [
    "SCIENTIFIC",
    "Page",
    "Printed",
    "Section",
    "column",
    "letters",
    "listed",
    "number",
    "places",
    "probability",
    "told",
    "wrapped",
]
